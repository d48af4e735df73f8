//! The pipeline as it is deployed: `lambda/pipeline.yaml` on a local account that enforces IAM, its function the real one, a
//! CI user who may publish, and the worker as a process.
//!
//! What the local account does not do: its CodeBuild executes nothing, calls each build succeeded at once, shows no variables
//! of a build, and knows no idempotency token. So the function reaches it through the recording proxy, where StartBuild is
//! read as it was sent, and answers to it are made; and the worker runs with the variables that were found there.

mod looked_at;
mod operated;
mod publisher;
mod role;
mod started;
mod worked;

#[path = "../../lambda/tests/support/git_server.rs"]
pub(crate) mod git_server;

pub(crate) use looked_at::PICTURES;

use std::collections::BTreeMap;
use std::time::Instant;

use aws_config::SdkConfig;
use aws_sdk_cloudformation::types::{Capability, Parameter};
use aws_sdk_ssm::types::ParameterType;
use serde_json::{Value, json};

use crate::crypto::{bucket, http, settled, upload};
use crate::support::account::Account;
use crate::support::proxy::{Call, Proxy};
use crate::support::wait::deadline;
use crate::support::{sdk, signed};

/// The template as it is committed.
const TEMPLATE: &str = include_str!("../../lambda/pipeline.yaml");
const MAIN: &str = r#"{"project":"shop","branch":"main"}"#;

/// A deployed pipeline.
struct Pipeline {
    /// When a function's configuration changes, the local account ends the environments of functions of that name in every
    /// account; so each has a name of its own.
    stack: String,
    account: Account,
    config: SdkConfig,
    outputs: BTreeMap<String, String>,
    /// Between the function and the account.
    proxy: Proxy,
    /// Who has the publisher's policy and nothing else.
    ci: Account,
}

impl Pipeline {
    /// Deploys it with one project, whose builds may be of main and release/*.
    async fn deploy(more: &[(&str, &str)]) -> Self {
        Self::deploy_to(Account::enforcing_iam(), more).await
    }

    async fn deploy_to(account: Account, more: &[(&str, &str)]) -> Self {
        let config = sdk::config(&account, true).await;
        upload(&account, &["trigger"]).await;
        let proxy = Proxy::start(&account.endpoint_url);
        let (stack, artifacts) = (format!("pipe-{}", account.id), bucket(&account));
        let (endpoint, digest) = (proxy.endpoint_url(), "0".repeat(64));
        let usual = [
            ("ArtifactBucket", artifacts.as_str()),
            ("TriggerCodeKey", "trigger.zip"),
            ("WorkerKey", "plumb-worker"),
            ("WorkerSha256", &digest),
            ("RetrySeconds", "1"),
            ("EndpointUrl", &endpoint),
        ];
        let usual = usual.into_iter().filter(|(name, _)| more.iter().all(|(other, _)| other != name));
        let parameters = usual
            .chain(more.iter().copied())
            .map(|(name, value)| Parameter::builder().parameter_key(name).parameter_value(value).build());
        let client = aws_sdk_cloudformation::Client::new(&config);
        let request = client.create_stack().stack_name(&stack).template_body(TEMPLATE);
        let request = request.set_parameters(Some(parameters.collect())).capabilities(Capability::CapabilityIam);
        request.send().await.unwrap();
        let described = settled(&client, &stack).await;
        let output = |output: &aws_sdk_cloudformation::types::Output| {
            Some((output.output_key()?.to_owned(), output.output_value()?.to_owned()))
        };
        let outputs: BTreeMap<String, String> = described.outputs().iter().filter_map(output).collect();
        let nothing = json!({"Effect": "Deny", "Action": "iam:*", "Resource": "*"});
        let ci = account.user("ci", &[nothing]);
        let attached = [("UserName", "ci"), ("PolicyArn", outputs["PublisherPolicyArn"].as_str())];
        let reply = account.caller().query("iam", "AttachUserPolicy", &attached).unwrap();
        assert_eq!(reply.status, 200, "{reply:?}");
        let this = Self { stack, account, config, outputs, proxy, ci };
        this.registers(&[
            ("repository", "https://git.example/shop.git"),
            ("branches", "main,release/*"),
            ("command", r#"["make","deploy"]"#),
            ("concurrency", "20"),
        ])
        .await;
        this.is_warm().await;
        this
    }

    async fn registers(&self, fields: &[(&str, &str)]) {
        self.registers_at("/plumb/pipeline/shop", fields).await;
    }

    async fn registers_at(&self, path: &str, fields: &[(&str, &str)]) {
        let ssm = aws_sdk_ssm::Client::new(&self.config);
        for (field, value) in fields {
            let put = ssm.put_parameter().name(format!("{path}/{field}")).value(*value);
            put.r#type(ParameterType::String).overwrite(true).send().await.unwrap();
        }
    }

    /// On a busy machine the local account loses a call to a function that only just starts.
    async fn is_warm(&self) {
        let client = aws_sdk_lambda::Client::new(&self.config);
        for _ in 0..100 {
            let request = client.invoke().function_name(&self.outputs["TriggerFunctionName"]);
            let answer = request.payload(br#"{"Records":[]}"#.to_vec().into()).send().await;
            if answer.is_ok_and(|answer| answer.function_error().is_none()) {
                return;
            }
        }
        panic!("the function does not answer");
    }

    /// Publishes in the CI user's name; the message's id.
    fn publishes(&self, message: &str) -> String {
        let fields = [("TopicArn", self.outputs["TopicArn"].as_str()), ("Message", message)];
        let reply = signed::query(&self.ci, "sns", "Publish", &fields);
        assert_eq!(reply.status, 200, "{reply:?}");
        let text = reply.text();
        let id = text.split_once("<MessageId>").and_then(|(_, rest)| rest.split_once('<')).unwrap().0;
        id.to_owned()
    }

    /// Puts what SNS would say into the queue.
    fn delivers(&self, envelope: &Value) {
        let queue = json!({"QueueName": format!("{}-jobs", self.stack)});
        let queue = self.asks("sqs", "AmazonSQS.GetQueueUrl", &queue)["QueueUrl"].clone();
        self.asks("sqs", "AmazonSQS.SendMessage", &json!({"QueueUrl": queue, "MessageBody": envelope.to_string()}));
    }

    /// What the function sent to start builds.
    fn starts(&self) -> Vec<Value> {
        let own = |call: &Call| call.name() == "codebuild:StartBuild";
        self.proxy.calls().iter().filter(|call| own(call)).map(Call::json).collect()
    }

    fn asks(&self, service: &str, target: &str, body: &Value) -> Value {
        let reply = self.account.caller().json(service, target, body).unwrap();
        assert_eq!(reply.status, 200, "{target}: {reply:?}");
        reply.json()
    }

    /// A job as the table has it, once it has been decided so.
    fn job(&self, id: &str, decision: &str) -> Value {
        let key = json!({"id": {"S": format!("message#{id}")}});
        let asked = json!({"TableName": self.outputs["JobsTableName"], "Key": key, "ConsistentRead": true});
        let mut found = Value::Null;
        let end = Instant::now() + deadline();
        while Instant::now() < end {
            found = self.asks("dynamodb", "DynamoDB_20120810.GetItem", &asked)["Item"].clone();
            if found["decision"]["S"] == decision {
                return found;
            }
        }
        panic!("message {id} is not {decision}: {found}\n{}", self.log());
    }

    /// What the function has written.
    fn log(&self) -> String {
        let asked = json!({"logGroupName": format!("/aws/lambda/{}-trigger", self.stack)});
        let events = self.asks("logs", "Logs_20140328.FilterLogEvents", &asked)["events"].clone();
        let lines = events.as_array().into_iter().flatten().filter_map(|event| event["message"].as_str());
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Waits for a line of the function about this message with this decision.
    fn log_has(&self, id: &str, decision: &str) -> Value {
        let end = Instant::now() + deadline();
        while Instant::now() < end {
            for line in self.log().lines().filter(|line| line.contains(id)) {
                let line: Value = serde_json::from_str(line).unwrap_or_default();
                if line["decision"] == decision {
                    return line;
                }
            }
        }
        panic!("no line says that {id} is {decision}:\n{}", self.log());
    }
}
