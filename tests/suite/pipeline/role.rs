//! What the function and the builds may do: exactly what is written here. That it is enough is what the other tests show,
//! whose function runs under its role.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ssm::types::ParameterType;

use super::Pipeline;
use super::worked::deploy_policy;
use crate::crypto::bucket;
use crate::crypto::roles::{code, granted, name_of, under};
use crate::support::account::Account;

#[tokio::test(flavor = "multi_thread")]
async fn each_role_has_exactly_its_actions_on_exactly_its_resources() {
    let own = Pipeline::deploy(&[]).await;
    let (id, region, stack) = (&own.account.id, &own.account.region, own.stack.as_str());
    let arn = |service: &str, rest: &str| format!("arn:aws:{service}:{region}:{id}:{rest}");
    let table = arn("dynamodb", &format!("table/{}", own.outputs["JobsTableName"]));
    let queue = arn("sqs", &format!("{stack}-jobs"));
    let build = arn("codebuild", &format!("project/{stack}-build"));
    // On AWS it is the registry and the build project; the local account sees neither in these two requests.
    let registry = "*".to_owned();
    let logs = |name: &str| arn("logs", &format!("log-group:/aws/{name}:*"));
    let (function_log, build_log) =
        (logs(&format!("lambda/{stack}-trigger")), logs(&format!("codebuild/{stack}-build")));
    let function = [
        ("sqs:ReceiveMessage", queue.clone()),
        ("sqs:DeleteMessage", queue.clone()),
        ("sqs:GetQueueAttributes", queue),
        ("ssm:GetParametersByPath", registry.clone()),
        ("dynamodb:GetItem", table.clone()),
        ("dynamodb:PutItem", table.clone()),
        ("dynamodb:UpdateItem", table),
        ("codebuild:StartBuild", build.clone()),
        ("codebuild:ListBuildsForProject", build),
        ("codebuild:BatchGetBuilds", "*".to_owned()),
        ("logs:CreateLogStream", function_log.clone()),
        ("logs:PutLogEvents", function_log),
    ];
    let builds = [
        ("s3:GetObject", format!("arn:aws:s3:::{}/plumb-worker", bucket(&own.account))),
        ("ssm:GetParametersByPath", registry),
        ("!ssm:PutParameter", arn("ssm", "parameter/plumb/pipeline/*")),
        ("!ssm:DeleteParameter", arn("ssm", "parameter/plumb/pipeline/*")),
        ("!ssm:DeleteParameters", arn("ssm", "parameter/plumb/pipeline/*")),
        ("secretsmanager:GetSecretValue", arn("secretsmanager", "secret:plumb/pipeline/*")),
        ("logs:CreateLogStream", build_log.clone()),
        ("logs:PutLogEvents", build_log),
    ];
    for (logical_id, expected) in [("TriggerRole", function.to_vec()), ("BuildRole", builds.to_vec())] {
        let expected: BTreeMap<String, BTreeSet<String>> =
            expected.into_iter().map(|(action, on)| (action.to_owned(), BTreeSet::from([on]))).collect();
        let role = name_of(&own.account, stack, logical_id).await;
        assert_eq!(granted(&own.account, &role), expected, "{logical_id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_that_may_write_parameters_does_not_write_the_registry() {
    let account = Account::enforcing_iam();
    let policy = deploy_policy(&account, &["ssm:*"]);
    let own = Pipeline::deploy_to(account, &[("DeployPolicyArns", &policy)]).await;
    let (config, _) = under(&own.account, &own.stack, "BuildRole").await;
    let ssm = aws_sdk_ssm::Client::new(&config);
    let put = async |name: &str| {
        let request = ssm.put_parameter().name(name).value("x").r#type(ParameterType::String).overwrite(true);
        code(request.send().await)
    };
    assert_eq!(put("/shop/prod/pool").await, "allowed");
    assert!(put("/plumb/pipeline/shop/command").await.starts_with("AccessDenied"));
    let deleted = ssm.delete_parameter().name("/plumb/pipeline/shop/command").send().await;
    assert!(code(deleted).starts_with("AccessDenied"));
}
