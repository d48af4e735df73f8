//! The intake as it is deployed: `lambda/intake.yaml` on a local account that enforces IAM, its functions the real ones, its
//! callers signed, and a proxy between the functions and the account that can break the way.

mod api;
mod faults;
mod roles;
pub(crate) mod weeks;

use std::collections::BTreeMap;

use aws_sdk_cloudformation::types::{Capability, Parameter};
use serde_json::{Value, json};

use crate::crypto::{bucket, settled, upload};
use crate::support::account::Account;
use crate::support::proxy::Proxy;
use crate::support::{sdk, signed};

/// The template as it is committed.
const TEMPLATE: &str = include_str!("../../lambda/intake.yaml");

/// A deployed intake.
pub(crate) struct Intake {
    pub(crate) account: Account,
    pub(crate) stack: String,
    pub(crate) outputs: BTreeMap<String, String>,
    /// Who may call everything of it.
    caller: Account,
    /// Between its functions and the account.
    pub(crate) proxy: Proxy,
}

/// What the summary function made of an event, or how it failed.
type Summed = Result<Value, String>;

impl Intake {
    pub(crate) async fn deploy() -> Self {
        Self::deploy_with(None).await
    }

    /// With a JSON Schema, where there is one.
    async fn deploy_with(schema: Option<&Value>) -> Self {
        Self::deploy_in(Account::enforcing_iam(), schema).await
    }

    /// In an account that enforces IAM.
    pub(crate) async fn deploy_in(account: Account, schema: Option<&Value>) -> Self {
        let s3 = upload(&account, &["intake", "summary"]).await;
        let (_, proxy) = account.behind_proxy();
        // When a function's configuration changes, the local account ends the environments of functions of that name in
        // every account; so each has a name of its own.
        let stack = format!("intake-{}", account.id);
        let (artifacts, endpoint) = (bucket(&account), proxy.endpoint_url());
        let mut parameters = vec![
            ("ArtifactBucket", artifacts.as_str()),
            ("IntakeCodeKey", "intake.zip"),
            ("SummaryCodeKey", "summary.zip"),
            ("EndpointUrl", &endpoint),
        ];
        if let Some(schema) = schema {
            let put = s3.put_object().bucket(&artifacts).key("schemas/order.json");
            put.body(schema.to_string().into_bytes().into()).send().await.unwrap();
            parameters.push(("SchemaKey", "schemas/order.json"));
        }
        let parameter = |(name, value)| Parameter::builder().parameter_key(name).parameter_value(value).build();
        let client = aws_sdk_cloudformation::Client::new(&sdk::config(&account, true).await);
        let request = client.create_stack().stack_name(&stack).template_body(TEMPLATE);
        let request = request.set_parameters(Some(parameters.into_iter().map(parameter).collect()));
        request.capabilities(Capability::CapabilityIam).send().await.unwrap();
        let described = settled(&client, &stack).await;
        let outputs = described.outputs().iter();
        let outputs: BTreeMap<String, String> = outputs
            .filter_map(|output| Some((output.output_key()?.to_owned(), output.output_value()?.to_owned())))
            .collect();
        let invoke = json!({"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": outputs["InvokeArn"]});
        let caller = account.user("caller", &[invoke]);
        let this = Self { account, stack, outputs, caller, proxy };
        // On a busy machine the local account loses a call to a function that only just starts.
        let healthy = (0..100).map(|_| this.ask("GET", "/v1/health", "")).find(|(status, _)| *status == 200);
        healthy.expect("the function answers");
        this
    }

    fn url(&self, path: &str) -> String {
        // The endpoint that callers get is the functions' own, behind the proxy; theirs is never broken.
        let endpoint = self.outputs["IntakeEndpoint"].replace(&self.proxy.endpoint_url(), &self.account.endpoint_url);
        format!("{endpoint}{path}")
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let reply = signed::call(&self.caller, method, &self.url(path), body);
        (reply.status, reply.json())
    }

    fn post(&self, path: &str, body: &str) -> (u16, Value) {
        self.ask("POST", path, body)
    }

    /// Invokes the summary function, as the schedule would.
    async fn sum(&self, event: Value) -> Summed {
        let client = aws_sdk_lambda::Client::new(&sdk::config(&self.account, true).await);
        let request = client.invoke().function_name(&self.outputs["SummaryFunctionName"]);
        let answer = request.payload(event.to_string().into_bytes().into()).send().await.unwrap();
        let text = answer.payload().map(|blob| String::from_utf8_lossy(blob.as_ref()).into_owned()).unwrap_or_default();
        match answer.function_error() {
            None => Ok(serde_json::from_str(&text).unwrap()),
            Some(_) => Err(text),
        }
    }

    /// An operation of DynamoDB on the intake's table, by the account's root.
    pub(crate) fn table(&self, operation: &str, mut body: Value) -> Value {
        body["TableName"] = json!(self.outputs["TableName"]);
        let caller = self.account.caller();
        let reply = caller.json("dynamodb", &format!("DynamoDB_20120810.{operation}"), &body).unwrap();
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.json()
    }

    /// An item of the table.
    fn item(&self, id: &str) -> Value {
        self.table("GetItem", json!({"Key": {"id": {"S": id}}, "ConsistentRead": true}))["Item"].clone()
    }

    /// How many records the table has.
    pub(crate) fn records(&self) -> u64 {
        let mut asked = json!({"Select": "COUNT", "FilterExpression": "attribute_exists(slot)"});
        let mut count = 0;
        loop {
            let page = self.table("Scan", asked.clone());
            count += page["Count"].as_u64().unwrap();
            // A page is a megabyte.
            match page.get("LastEvaluatedKey") {
                Some(key) => asked["ExclusiveStartKey"] = key.clone(),
                None => return count,
            }
        }
    }

    pub(crate) async fn s3(&self) -> aws_sdk_s3::Client {
        let config = sdk::config(&self.account, true).await;
        aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(&config).force_path_style(true).build())
    }

    /// An object of the bucket with the summaries; nothing where it is not.
    pub(crate) async fn object(&self, key: &str) -> Option<Vec<u8>> {
        let request = self.s3().await.get_object().bucket(&self.outputs["SummaryBucket"]).key(key).send().await;
        Some(request.ok()?.body.collect().await.unwrap().to_vec())
    }

    /// What a function has written.
    fn log(&self, function: &str) -> String {
        let asked = json!({"logGroupName": format!("/aws/lambda/{}-{function}", self.stack)});
        let reply = self.account.caller().json("logs", "Logs_20140328.FilterLogEvents", &asked).unwrap();
        assert_eq!(reply.status, 200, "{reply:?}");
        let events = reply.json()["events"].as_array().cloned().unwrap_or_default();
        events.iter().filter_map(|event| event["message"].as_str()).collect::<Vec<_>>().join("\n")
    }
}
