//! What the real SDK makes of the proxy's faults: they have to be AWS's own errors to it.

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::support::account::Account;
use crate::support::proxy::{Call, Fault, Outcome};
use crate::support::sdk;

/// The error's code, else which kind of failure it is.
fn code<O, E: ProvideErrorMetadata, R>(result: Result<O, SdkError<E, R>>) -> String {
    let Err(error) = result else { return "fine".to_owned() };
    if let Some(code) = error.as_service_error().and_then(ProvideErrorMetadata::code) {
        return code.to_owned();
    }
    let kind = match error {
        SdkError::ServiceError(_) => "a service error without a code",
        SdkError::DispatchFailure(_) => "not sent",
        SdkError::ResponseError(_) => "not understood",
        SdkError::TimeoutError(_) => "too late",
        _ => "something else",
    };
    kind.to_owned()
}

/// The operations of the table below, in its order.
async fn each_service(account: &Account) -> [String; 7] {
    let config = sdk::config(account, false).await;
    let lambda = aws_sdk_lambda::Client::new(&config).list_functions().send().await;
    let s3 = aws_sdk_s3::Client::new(&config).list_buckets().send().await;
    [
        code(aws_sdk_ssm::Client::new(&config).describe_parameters().send().await),
        code(aws_sdk_secretsmanager::Client::new(&config).list_secrets().send().await),
        code(aws_sdk_cloudtrail::Client::new(&config).lookup_events().send().await),
        code(aws_sdk_cloudformation::Client::new(&config).describe_stacks().send().await),
        code(aws_sdk_sts::Client::new(&config).get_caller_identity().send().await),
        code(lambda),
        code(s3),
    ]
}

#[tokio::test]
async fn the_sdk_reads_each_fault_as_an_error_of_the_service() {
    let (account, proxy) = Account::fresh().behind_proxy();
    assert_eq!(each_service(&account).await, ["fine"; 7]);
    let called: Vec<_> = proxy.calls().iter().map(Call::name).collect();
    let names = [
        "lambda:ListFunctions",
        "s3:ListBuckets",
        "ssm:DescribeParameters",
        "secretsmanager:ListSecrets",
        "cloudtrail:LookupEvents",
        "cloudformation:DescribeStacks",
        "sts:GetCallerIdentity",
    ];
    assert_eq!(called, names);
    let (expired, denied, throttled) = ("ExpiredTokenException", "AccessDeniedException", "ThrottlingException");
    let rows = [
        (
            Fault::Throttling,
            [throttled, throttled, throttled, "Throttling", "Throttling", "TooManyRequestsException", "SlowDown"],
        ),
        (
            Fault::ServerError,
            [
                "InternalServerError",
                "InternalServiceError",
                "InternalFailure",
                "InternalFailure",
                "InternalFailure",
                "ServiceException",
                "InternalError",
            ],
        ),
        (Fault::ExpiredToken, [expired, expired, expired, "ExpiredToken", "ExpiredToken", expired, "ExpiredToken"]),
        (
            Fault::AccessDenied("no".to_owned()),
            [denied, denied, denied, "AccessDenied", "AccessDenied", denied, "AccessDenied"],
        ),
        (Fault::Reset, ["not sent"; 7]),
        (Fault::TruncatedBody, ["not understood"; 7]),
    ];
    for (fault, codes) in rows {
        proxy.heal();
        proxy.on("*").reply(fault.clone());
        assert_eq!(each_service(&account).await, codes, "{fault:?}");
    }
}

#[tokio::test]
async fn the_sdk_tells_what_it_may_try_again() {
    let rows = [
        (Fault::Throttling, true),
        (Fault::ServerError, true),
        (Fault::Reset, true),
        (Fault::ExpiredToken, false),
        (Fault::AccessDenied("no".to_owned()), false),
    ];
    for (fault, tried_again) in rows {
        let (account, proxy) = Account::fresh().behind_proxy();
        let config = sdk::config(&account, true).await;
        proxy.on("*").times(2).reply(fault.clone());
        let ssm = aws_sdk_ssm::Client::new(&config).describe_parameters().send().await;
        assert_eq!((ssm.is_ok(), proxy.count("ssm:*")), (tried_again, if tried_again { 3 } else { 1 }), "{fault:?}");
    }
}

#[tokio::test]
async fn a_message_arrives_as_it_was_written() {
    let (account, proxy) = Account::fresh().behind_proxy();
    let message = "User: arn:aws:iam::1:user/a is not authorized to perform: x on <y> & \"z\"";
    proxy.on("*").reply(Fault::AccessDenied(message.to_owned()));
    let config = sdk::config(&account, false).await;
    let json = aws_sdk_ssm::Client::new(&config).describe_parameters().send().await.unwrap_err();
    let query = aws_sdk_cloudformation::Client::new(&config).describe_stacks().send().await.unwrap_err();
    let rest_json = aws_sdk_lambda::Client::new(&config).list_functions().send().await.unwrap_err();
    let rest_xml = aws_sdk_s3::Client::new(&config).list_buckets().send().await.unwrap_err();
    let messages = [json.message(), query.message(), rest_json.message(), rest_xml.message()];
    assert_eq!(messages, [Some(message); 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_dropped_is_abandoned() {
    let (account, proxy) = Account::fresh().behind_proxy();
    proxy.on("*").reply(Fault::Hang);
    let config = sdk::config(&account, false).await;
    let call = tokio::spawn(aws_sdk_ssm::Client::new(&config).describe_parameters().send());
    proxy.wait_for("the call", |calls| calls.len() == 1);
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    proxy.wait_for("its end", |calls| calls[0].outcome == Outcome::Abandoned);
}

#[tokio::test]
async fn a_user_may_what_the_policy_says_and_the_proxy_leaves_the_signature_whole() {
    let root = Account::enforcing_iam();
    let (root, proxy) = root.behind_proxy();
    let allowed = serde_json::json!({ "Effect": "Allow", "Action": "ssm:DescribeParameters", "Resource": "*" });
    let user = root.user("reader", &[allowed]);
    assert_eq!(user.id, root.id);
    let reader = aws_sdk_ssm::Client::new(&sdk::config(&user, false).await);
    assert_eq!(code(reader.describe_parameters().send().await), "fine");
    let refused = reader.get_parameter().name("/a").send().await.unwrap_err();
    let message = refused.message().unwrap_or_default();
    assert!(message.contains("user/reader is not authorized to perform: ssm:GetParameter"), "{message}");

    let forged = user.with_key(&user.access_key_id, "not the key's secret");
    let stranger = aws_sdk_ssm::Client::new(&sdk::config(&forged, false).await);
    assert_eq!(code(stranger.describe_parameters().send().await), "InvalidSignatureException");
    assert_eq!(proxy.calls().last().and_then(|call| call.access_key_id.clone()), Some(user.access_key_id));
}
