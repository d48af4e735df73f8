//! A CI system has the publisher's policy: it may publish, and is denied everything else.

use serde_json::{Value, json};

use super::{MAIN, Pipeline};
use crate::support::signed;

#[tokio::test(flavor = "multi_thread")]
async fn a_ci_user_may_publish_and_is_denied_everything_else() {
    let own = Pipeline::deploy(&[]).await;
    let id = own.publishes(MAIN);
    own.job(&id, "started");

    let output = |name: &str| own.outputs[name].as_str();
    let query = |service: &str, action: &str, fields: &[(&str, &str)]| signed::query(&own.ci, service, action, fields);
    let json = |service: &str, target: &str, body: Value| signed::json(&own.ci, service, target, &body);
    let queue = format!("arn:aws:sqs:{}:{}:{}-jobs", own.account.region, own.account.id, own.stack);
    let denied = [
        ("another topic", query("sns", "Publish", &[("TopicArn", output("NoticeTopic")), ("Message", "x")])),
        (
            "subscribing",
            query("sns", "Subscribe", &[("TopicArn", output("TopicArn")), ("Protocol", "sqs"), ("Endpoint", &queue)]),
        ),
        ("the topic's attributes", query("sns", "GetTopicAttributes", &[("TopicArn", output("TopicArn"))])),
        (
            "a build",
            json("codebuild", "CodeBuild_20161006.StartBuild", json!({"projectName": output("BuildProjectName")})),
        ),
        ("the jobs", json("dynamodb", "DynamoDB_20120810.Scan", json!({"TableName": output("JobsTableName")}))),
        ("the registry", json("ssm", "AmazonSSM.GetParametersByPath", json!({"Path": "/plumb/pipeline/shop"}))),
        (
            "writing the registry",
            json(
                "ssm",
                "AmazonSSM.PutParameter",
                json!({"Name": "/plumb/pipeline/shop/command", "Value": "[]", "Type": "String", "Overwrite": true}),
            ),
        ),
        (
            "the dead letters",
            json("sqs", "AmazonSQS.ReceiveMessage", json!({"QueueUrl": output("DeadLetterQueueUrl")})),
        ),
        ("secrets", json("secretsmanager", "secretsmanager.ListSecrets", json!({}))),
        ("the log", json("logs", "Logs_20140328.DescribeLogGroups", json!({}))),
        ("users", query("iam", "ListUsers", &[])),
        ("another role", query("sts", "AssumeRole", &[("RoleArn", output("BuildRoleArn")), ("RoleSessionName", "ci")])),
    ];
    for (what, reply) in denied {
        let text = reply.text();
        assert!(
            reply.status >= 400 && (text.contains("AccessDenied") || text.contains("AuthorizationError")),
            "{what}: {reply:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_of_another_account_is_denied_by_the_topic_itself() {
    let own = Pipeline::deploy(&[]).await;
    let elsewhere = crate::support::account::Account::enforcing_iam();
    let everything = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    let stranger = elsewhere.user("stranger", &[everything]);
    let reply =
        signed::query(&stranger, "sns", "Publish", &[("TopicArn", &own.outputs["TopicArn"]), ("Message", MAIN)]);
    assert!(reply.status >= 400, "{reply:?}");
    assert!(own.starts().is_empty());
}
