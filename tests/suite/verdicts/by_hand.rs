//! What people do behind git's back, by ordinary AWS calls.

use std::collections::BTreeMap;
use std::io::{Cursor, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use plumb::aws::{Clients, lambda, raw, secretsmanager, ssm};
use plumb::ops::artifact;
use plumb::secret::Secret;
use serde_json::{Value, json};

use super::shop::{CODE, Shop};
use crate::support::http::Reply;

const API: &str = "shop-dev-api";
const TABLE: &str = "shop-dev-orders";
const UPDATE: Duration = Duration::from_secs(20);

/// One change.
#[derive(Debug, Clone, Copy)]
pub enum Act {
    Memory(i32),
    Variable(&'static str),
    /// Other code on `$LATEST`; that of git is the artifact that was rolled out.
    Code(&'static str),
    /// The code of `$LATEST` is published and the alias pointed there.
    Publish,
    /// The alias is pointed to a version.
    Alias(&'static str),
    /// A share of the alias goes to a version.
    Weight(&'static str, f64),
    PutParameter(&'static str, &'static str),
    DeleteParameter(&'static str),
    PutSecret(&'static str, &'static str),
    /// Scheduled for deletion.
    DeleteSecret(&'static str),
    RestoreSecret(&'static str),
    DeleteTable,
    CreateTable,
    Visibility(u32),
}

impl Shop {
    pub async fn act(&self, act: Act) {
        let clients = self.by_hand().await;
        let clients = &clients;
        match act {
            Act::Memory(memory) => {
                configure(clients, lambda::Configuration { memory: Some(memory), ..Default::default() }).await;
            }
            Act::Variable(batch) => {
                let info = lambda::function(clients, API, None).await.unwrap().unwrap();
                let mut variables: BTreeMap<String, Secret> = info.environment.unwrap();
                variables.insert("BATCH".to_owned(), Secret::new(batch));
                configure(clients, lambda::Configuration { environment: Some(variables), ..Default::default() }).await;
            }
            Act::Code(text) => {
                let zip = if text == CODE { self.artifact().await } else { zip(text) };
                lambda::update_code(clients, API, lambda::Code::Zip(zip)).await.unwrap();
                lambda::wait_updated(clients, API, UPDATE).await.unwrap();
            }
            Act::Publish => {
                let version = lambda::publish_version(clients, API, None).await.unwrap();
                lambda::update_alias(clients, API, "live", &version, None).await.unwrap();
            }
            Act::Alias(version) => lambda::update_alias(clients, API, "live", version, None).await.unwrap(),
            Act::Weight(version, share) => {
                let body = json!({ "RoutingConfig": { "AdditionalVersionWeights": { version: share } } }).to_string();
                let headers = [("content-type", "application/json")];
                let target = format!("/2015-03-31/functions/{API}/aliases/live");
                fine(self.account.caller().send("lambda", "PUT", &target, &headers, body.as_bytes()));
            }
            Act::PutParameter(name, value) => put_parameter(clients, name, value).await,
            Act::DeleteParameter(name) => assert!(ssm::delete(clients, name).await.unwrap(), "{name} was there"),
            Act::PutSecret(name, value) => {
                let token = token();
                secretsmanager::put(clients, name, &Secret::new(value), &token).await.unwrap();
            }
            Act::DeleteSecret(name) => {
                self.call("secretsmanager", "secretsmanager.DeleteSecret", &json!({ "SecretId": name }));
            }
            Act::RestoreSecret(name) => {
                self.call("secretsmanager", "secretsmanager.RestoreSecret", &json!({ "SecretId": name }));
            }
            Act::DeleteTable => raw::delete_table(clients, TABLE).await.unwrap(),
            Act::CreateTable => {
                let table = json!({
                    "TableName": TABLE, "BillingMode": "PAY_PER_REQUEST",
                    "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
                    "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
                });
                self.call("dynamodb", "DynamoDB_20120810.CreateTable", &table);
            }
            Act::Visibility(seconds) => {
                let asked = self.call("sqs", "AmazonSQS.GetQueueUrl", &json!({ "QueueName": "shop-dev-refunds" }));
                let attributes = json!({ "VisibilityTimeout": seconds.to_string() });
                let body = json!({ "QueueUrl": asked["QueueUrl"], "Attributes": attributes });
                self.call("sqs", "AmazonSQS.SetQueueAttributes", &body);
            }
        }
    }

    /// The very artifact that a deployment of HEAD builds.
    async fn artifact(&self) -> Vec<u8> {
        let session = self.session().await;
        let repository = session.repository.clone().unwrap();
        let snapshot = repository.snapshot("HEAD", &session.prefix).unwrap();
        artifact::build(&snapshot, self.root(), &session.project().stacks[0].functions[0]).await.unwrap().bytes
    }

    fn call(&self, service: &str, target: &str, body: &Value) -> Value {
        fine(self.account.caller().json(service, target, body)).json()
    }
}

fn fine(reply: Result<Reply, String>) -> Reply {
    let reply = reply.unwrap();
    assert!(reply.status < 300, "{reply:?}");
    reply
}

async fn configure(clients: &Clients, new: lambda::Configuration) {
    lambda::update_configuration(clients, API, &new).await.unwrap();
    lambda::wait_updated(clients, API, UPDATE).await.unwrap();
}

pub async fn put_parameter(clients: &Clients, name: &str, value: &str) {
    let value = Secret::new(value);
    let put = ssm::Put {
        name,
        value: &value,
        type_name: "SecureString",
        key_id: None,
        overwrite: true,
        tier: None,
        like: None,
        tags: &[],
    };
    ssm::put(clients, put).await.unwrap();
}

pub async fn create_secret(clients: &Clients, name: &str, value: &str) {
    let (value, token) = (Secret::new(value), token());
    let create =
        secretsmanager::Create { name, value: &value, token: &token, kms_key_id: None, description: None, tags: &[] };
    secretsmanager::create(clients, create).await.unwrap();
}

/// A token that nobody used before.
fn token() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    format!("{:0>32}", NEXT.fetch_add(1, Ordering::Relaxed))
}

fn zip(text: &str) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("app.py", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(text.as_bytes()).unwrap();
    zip.finish().unwrap().into_inner()
}
