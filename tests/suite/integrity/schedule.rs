//! What no event told, the schedule finds: code that was not rolled out, and drift. And in notify-only mode it is said.

use aws_sdk_cloudformation::types::StackDriftDetectionStatus;
use serde_json::{Value, json};

use super::events::{self, By};
use super::{Loop, WATCHED, code, just_now};
use crate::crypto::bucket;
use crate::support::account::Account;
use crate::support::proxy::Fault;

#[tokio::test(flavor = "multi_thread")]
async fn code_that_is_not_the_receipts_is_found_by_comparing() {
    let own = Loop::deploy(&[("Mode", "heal"), ("GraceSeconds", "0")]).await;
    let lambda = aws_sdk_lambda::Client::new(&own.config);
    let live = lambda.get_function_configuration().function_name("shop-prod-checkout").send().await.unwrap();
    assert_eq!(own.decides(&events::tick()).await, "quiet", "there is no receipt yet");
    let checkout = json!({"Checkout": {"version": "1", "code_sha256": live.code_sha256()}});
    own.records(&format!("stack/{}", events::STACK), &checkout).await;
    assert_eq!(own.decides(&events::tick()).await, "quiet", "live is what was rolled out");

    own.changes_code_by_hand().await;
    let answer = own.sends(&events::tick()).await.unwrap();
    assert_eq!(answer["decision"], "redeploy", "{answer}");
    assert_eq!(own.decides(&events::tick()).await, "covered");
    assert_eq!(own.github.redeploys(), 1);
    let reason = own.github.dispatches()[0]["reason"].as_str().unwrap().to_owned();
    assert!(reason.contains("code of function shop-prod-checkout"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_gone_is_a_difference_and_no_calm() {
    let own = Loop::deploy(&[("Mode", "heal"), ("GraceSeconds", "0"), ("SettleSeconds", "1")]).await;
    let lambda = aws_sdk_lambda::Client::new(&own.config);
    let live = lambda.get_function_configuration().function_name("shop-prod-checkout").send().await.unwrap();
    let checkout = json!({"Checkout": {"version": "1", "code_sha256": live.code_sha256()}});
    own.records(&format!("stack/{}", events::STACK), &checkout).await;
    assert_eq!(own.decides(&events::tick()).await, "quiet", "live is what was rolled out");
    lambda.delete_function().function_name("shop-prod-checkout").send().await.unwrap();
    assert_eq!(own.decides(&events::tick()).await, "redeploy");
    let stacks = aws_sdk_cloudformation::Client::new(&own.config);
    stacks.delete_stack().stack_name(events::STACK).send().await.unwrap();
    while stacks.describe_stacks().stack_name(events::STACK).send().await.is_ok() {}
    assert_eq!(own.decides_at_last(&events::tick()).await, "redeploy");
    let reasons: Vec<Value> = own.github.dispatches().iter().map(|inputs| inputs["reason"].clone()).collect();
    assert_eq!(
        reasons,
        ["function shop-prod-checkout was rolled out, and is gone", "stack shop-prod was rolled out, and is gone"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_detection_under_way_fails_nothing_and_a_change_set_by_its_arn_is_its_stacks() {
    let account = Account::enforcing_iam();
    let (behind, proxy) = account.behind_proxy();
    let own = Loop::nowhere(account).await;
    own.roll_out(events::STACK, WATCHED, &[]).await;
    let reads = ("DriftPolicyArn", "arn:aws:iam::aws:policy/ReadOnlyAccess");
    let own =
        own.begins(&[("Mode", "heal"), ("GraceSeconds", "0"), reads, ("EndpointUrl", &behind.endpoint_url)]).await;
    let refused = "<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code><Message>Drift detection is already \
        in progress for stack [shop-prod]</Message></Error></ErrorResponse>";
    proxy.on("cloudformation:DetectStackDrift").reply(Fault::Body(400, refused.as_bytes().to_vec()));
    assert_eq!(own.decides(&events::tick()).await, "quiet");
    assert_eq!(proxy.count("cloudformation:DetectStackDrift"), 1);

    // As AWS describes a stack; the local account says no change set.
    let change_set = "arn:aws:cloudformation:eu-central-1:471100004242:changeSet/by-hand/0b1c2d3e";
    let described = format!(
        "<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>shop-prod</StackName><ChangeSetId>\
         {change_set}</ChangeSetId><StackStatus>UPDATE_COMPLETE</StackStatus></member></Stacks></DescribeStacksResult>\
         </DescribeStacksResponse>"
    );
    let executed = json!({"changeSetName": change_set});
    let executed = just_now(events::call("cloudformation", "ExecuteChangeSet", &executed, By::User));
    assert_eq!(own.decides(&executed).await, "ignored", "it is of no watched stack");
    proxy.on("cloudformation:DescribeStacks").reply(Fault::Body(200, described.into_bytes()));
    assert_eq!(own.decides(&executed).await, "redeploy");
    assert_eq!(own.github.dispatches()[0]["reason"], "ExecuteChangeSet of stack shop-prod");
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_that_cloudformation_found_is_put_back_once() {
    let own = Loop::deploy(&[("Mode", "heal"), ("GraceSeconds", "0"), ("SettleSeconds", "1")]).await;
    let lambda = aws_sdk_lambda::Client::new(&own.config);
    let by_hand = lambda.update_function_configuration().function_name("shop-prod-checkout").timeout(9);
    by_hand.send().await.unwrap();
    own.looks_for_drift().await;
    assert_eq!(own.decides(&events::drift("DRIFTED", 1)).await, "redeploy");
    // The workflow has not put it back; that counts once somebody has looked again.
    let mut decision = own.decides(&events::tick()).await;
    while decision == "covered" {
        own.looks_for_drift().await;
        decision = own.decides(&events::tick()).await;
    }
    assert_eq!(decision, "in-vain");
    assert_eq!(own.decides(&events::tick()).await, "covered");
    assert_eq!(own.github.redeploys(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn values_that_are_not_the_receipts_are_found_by_their_versions() {
    let own = Loop::deploy(&[
        ("Mode", "heal"),
        ("GraceSeconds", "0"),
        ("SettleSeconds", "1"),
        ("SecretPrefixes", "/shop/prod/"),
    ])
    .await;
    let (ssm, secrets) = (aws_sdk_ssm::Client::new(&own.config), aws_sdk_secretsmanager::Client::new(&own.config));
    let put = |value: &str| {
        let request = ssm.put_parameter().name("/shop/prod/size").value(value).overwrite(true);
        request.r#type(aws_sdk_ssm::types::ParameterType::SecureString).send()
    };
    put("20").await.unwrap();
    let secret = secrets.create_secret().name("/shop/prod/mail").secret_string("one").send().await.unwrap();
    let parameters = ssm.describe_parameters().send().await.unwrap();
    let listed = parameters.parameters().iter().find(|it| it.name() == Some("/shop/prod/size")).unwrap();
    let modified = listed.last_modified_date().unwrap().to_millis().unwrap();
    let size = json!({"version": "1", "modified": modified, "digest": "sha256:x", "commit": "c"});
    own.records("config/billing", &json!({"/shop/prod/size": size})).await;
    own.records("secrets", &json!({"/shop/prod/mail": {"version": secret.version_id()}})).await;
    assert_eq!(own.decides(&events::tick()).await, "quiet", "live is what was rolled out");

    put("50").await.unwrap();
    own.holds_the_push_lock(i64::MAX).await;
    assert_eq!(own.decides(&events::tick()).await, "quiet", "its receipt may be about to be written");
    own.holds_the_push_lock(0).await;
    assert_eq!(own.decides(&events::tick()).await, "redeploy");
    assert_eq!(own.github.dispatches()[0]["reason"], "parameter /shop/prod/size is not what was rolled out");

    // Nobody puts it back here.
    let mut decision = own.decides(&events::tick()).await;
    while decision == "covered" {
        decision = own.decides(&events::tick()).await;
    }
    assert_eq!(decision, "in-vain");

    let request = secrets.put_secret_value().secret_id("/shop/prod/mail").secret_string("two");
    request.send().await.unwrap();
    assert_eq!(own.decides_at_last(&events::tick()).await, "redeploy");
    ssm.delete_parameter().name("/shop/prod/size").send().await.unwrap();
    assert_eq!(own.decides_at_last(&events::tick()).await, "redeploy");
    let reasons: Vec<_> =
        own.github.dispatches()[1..].iter().map(|inputs| inputs["reason"].as_str().unwrap().to_owned()).collect();
    assert_eq!(
        reasons,
        ["secret /shop/prod/mail is not what was rolled out", "parameter /shop/prod/size was rolled out, and is gone"]
    );
    let log = own.log();
    assert!(!log.contains("\"50\"") && !log.contains("two"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn in_notify_only_mode_it_is_said_and_nobody_is_asked() {
    let own = Loop::deploy(&[]).await;
    let queue = own.listens();
    assert_eq!(own.decides(&just_now(code(By::User))).await, "notified");
    let notice = own.receives(&queue);
    assert_eq!(notice["Subject"], "plumb shop/prod: changed behind git's back");
    let text = notice["Message"].as_str().unwrap();
    assert!(text.starts_with("UpdateFunctionCode of function shop-prod-checkout at "), "{text}");
    assert!(text.contains("user/mara"), "{text}");
    assert_eq!(own.github.dispatches().len(), 0);
}

impl Loop {
    /// A receipt, as a roll-out writes it.
    async fn records(&self, unit: &str, items: &Value) {
        self.keeps(&format!("receipts/{unit}.json"), &json!({"schema": 1, "items": items})).await;
    }

    /// The lock that a push holds until then.
    async fn holds_the_push_lock(&self, until: i64) {
        self.keeps("lock.json", &json!({"schema": 1, "until": until})).await;
    }

    async fn keeps(&self, name: &str, value: &Value) {
        let put = self.s3.put_object().bucket(bucket(&self.account)).key(format!("plumb/shop/prod/{name}"));
        put.body(value.to_string().into_bytes().into()).send().await.unwrap();
    }

    async fn looks_for_drift(&self) {
        let client = aws_sdk_cloudformation::Client::new(&self.config);
        let begun = client.detect_stack_drift().stack_name(events::STACK).send().await.unwrap();
        loop {
            let status = client.describe_stack_drift_detection_status();
            let status =
                status.stack_drift_detection_id(begun.stack_drift_detection_id().unwrap()).send().await.unwrap();
            match status.detection_status() {
                Some(StackDriftDetectionStatus::DetectionComplete) => return,
                Some(StackDriftDetectionStatus::DetectionInProgress) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// A queue that gets what the loop says.
    fn listens(&self) -> String {
        let (account, caller) = (&self.account, self.account.caller());
        let topic = format!("arn:aws:sns:{}:{}:{}-notices", account.region, account.id, self.stack);
        let queue = format!("arn:aws:sqs:{}:{}:said", account.region, account.id);
        let sns = json!({"Service": "sns.amazonaws.com"});
        let may = json!({"Effect": "Allow", "Principal": sns, "Action": "sqs:SendMessage", "Resource": queue});
        let policy = json!({"Version": "2012-10-17", "Statement": [may]}).to_string();
        let asked = json!({"QueueName": "said", "Attributes": {"Policy": policy}});
        let made = caller.json("sqs", "AmazonSQS.CreateQueue", &asked).unwrap();
        let fields = [("TopicArn", topic.as_str()), ("Protocol", "sqs"), ("Endpoint", &queue)];
        let subscribed = caller.query("sns", "Subscribe", &fields).unwrap();
        assert_eq!(subscribed.status, 200, "{subscribed:?}");
        made.json()["QueueUrl"].as_str().unwrap().to_owned()
    }
}
