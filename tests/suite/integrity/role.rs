//! What the loop may do: exactly what is written here. That it is enough is what the other tests show, whose function runs
//! under this role.

use std::collections::{BTreeMap, BTreeSet};

use super::{Loop, events};
use crate::crypto::bucket;
use crate::crypto::roles::{granted, name_of};

#[tokio::test(flavor = "multi_thread")]
async fn the_role_has_exactly_its_actions_on_exactly_its_resources() {
    let own = Loop::deploy(&[("SecretPrefixes", "/shop/prod/,shop-prod/")]).await;
    let name = own.stack.as_str();
    let (id, region, state) = (&own.account.id, &own.account.region, bucket(&own.account));
    let role = name_of(&own.account, name, "IntegrityRole").await;
    let arn = |service: &str, rest: &str| format!("arn:aws:{service}:{region}:{id}:{rest}");
    let mut stacks = BTreeSet::new();
    let mut functions = BTreeSet::from(["-", "-:*"].map(|name| arn("lambda", &format!("function:{name}"))));
    for watched in [events::STACK, "-"] {
        stacks.extend([
            arn("cloudformation", &format!("stack/{watched}/*")),
            arn("cloudformation", &format!("stack/{watched}-*/*")),
        ]);
        functions.insert(arn("lambda", &format!("function:{watched}-*")));
    }
    let table = name_of(&own.account, name, "State").await;
    let one = |text: String| BTreeSet::from([text]);
    let logs = arn("logs", &format!("log-group:/aws/lambda/{name}-integrity:*"));
    let expected: BTreeMap<String, BTreeSet<String>> = [
        ("dynamodb:GetItem", one(arn("dynamodb", &format!("table/{table}")))),
        ("dynamodb:PutItem", one(arn("dynamodb", &format!("table/{table}")))),
        ("ssm:GetParameter", one(arn("ssm", "parameter/plumb/shop/prod/hold"))),
        ("sns:Publish", one(arn("sns", &format!("{name}-notices")))),
        ("secretsmanager:GetSecretValue", one(arn("secretsmanager", "secret:github_secret-??????"))),
        ("cloudformation:ListStackResources", stacks.clone()),
        ("cloudformation:DescribeStacks", stacks.clone()),
        ("cloudformation:DescribeStackResourceDrifts", stacks),
        (
            "s3:GetObject",
            BTreeSet::from(
                ["receipts/*", "lock.json"].map(|key| format!("arn:aws:s3:::{state}/plumb/shop/prod/{key}")),
            ),
        ),
        ("ssm:DescribeParameters", one("*".to_owned())),
        (
            "secretsmanager:DescribeSecret",
            BTreeSet::from(
                ["/shop/prod/*", "shop-prod/*"].map(|name| arn("secretsmanager", &format!("secret:{name}"))),
            ),
        ),
        ("s3:ListBucket", one(format!("arn:aws:s3:::{state}"))),
        ("lambda:GetFunctionConfiguration", functions),
        ("sqs:SendMessage", one(arn("sqs", &format!("{name}-dead-letters")))),
        ("logs:CreateLogStream", one(logs.clone())),
        ("logs:PutLogEvents", one(logs)),
    ]
    .into_iter()
    .map(|(action, resources)| (action.to_owned(), resources))
    .collect();
    assert_eq!(granted(&own.account, &role), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_pipeline_the_role_publishes_on_its_topic_with_its_key_and_reads_no_token() {
    let (topic, key) = (
        "arn:aws:sns:eu-central-1:471100004242:plumb-jobs",
        "arn:aws:kms:eu-central-1:471100004242:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    );
    let own = Loop::deploy(&[
        ("PipelineTopicArn", topic),
        ("PipelineProject", "shop-prod"),
        ("PipelineKeyArn", key),
        ("FunctionNames", "checkout"),
    ])
    .await;
    let role = name_of(&own.account, &own.stack, "IntegrityRole").await;
    let granted = granted(&own.account, &role);
    let all = |names: &[&str]| -> BTreeSet<String> { names.iter().map(|&name| name.to_owned()).collect() };
    let notices = format!("arn:aws:sns:{}:{}:{}-notices", own.account.region, own.account.id, own.stack);
    assert_eq!(granted["sns:Publish"], all(&[&notices, topic]));
    for action in ["kms:GenerateDataKey*", "kms:Decrypt"] {
        assert_eq!(granted[action], all(&[key]), "{action}");
    }
    assert!(!granted.contains_key("secretsmanager:GetSecretValue"));
    let function = format!("arn:aws:lambda:{}:{}:function:checkout", own.account.region, own.account.id);
    for name in [&function, &format!("{function}:*")] {
        assert!(granted["lambda:GetFunctionConfiguration"].contains(name), "{name}");
    }
}
