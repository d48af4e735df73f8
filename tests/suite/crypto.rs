//! The crypto API as it is deployed: `lambda/template.yaml` on a local account that enforces IAM, its functions the real
//! ones, its callers signed.

mod api;
mod commands;
mod deployment;
mod over_tls;
pub(crate) mod roles;
mod rotation;

#[path = "../../lambda/tests/support/http.rs"]
pub(crate) mod http;
#[allow(dead_code, reason = "the functions' own tests use the rest")]
#[path = "../../lambda/tests/support/runtime_api.rs"]
mod runtime_api;

#[path = "../../lambda/tests/support/tls.rs"]
mod tls;

use std::collections::BTreeMap;
use std::io::{Cursor, Write as _};
use std::path::{Path, PathBuf};

use aws_sdk_cloudformation::types::{Capability, Parameter, Stack as Described};
use serde_json::{Value, json};
use zip::CompressionMethod;
use zip::write::SimpleFileOptions;

use crate::support::account::Account;
use crate::support::http::Reply;
use crate::support::{sdk, signed};

/// The template as it is committed, which the deployment's test changes.
const TEMPLATE: &str = include_str!("../../lambda/template.yaml");
const STACK: &str = "shop-crypto";

/// A deployed API.
struct Api {
    account: Account,
    outputs: BTreeMap<String, String>,
    /// Who may call everything of it.
    caller: Account,
}

impl Api {
    /// Deploys it to an account of its own. Functions keep no keyring, so that each call sees what the secret is.
    async fn deploy() -> Self {
        Self::deploy_to(Account::enforcing_iam()).await
    }

    async fn deploy_to(account: Account) -> Self {
        upload(&account, &["crypto", "rotate"]).await;
        let outputs = roll_out(&account, TEMPLATE, true).await;
        let caller = account.user("caller", &[invoke(&outputs["InvokeArn"])]);
        let api = Self { account, outputs, caller };
        api.is_warm();
        api
    }

    /// Waits until the function answers: on a busy machine the local account loses a call to one that only just starts.
    fn is_warm(&self) {
        let healthy = (0..100).map(|_| self.get("/v1/health")).find(|(status, _)| *status == 200);
        healthy.expect("the function answers");
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.outputs["CryptoEndpoint"])
    }

    /// A call in somebody's name, signed, and made again as the API's description says where it could not be served: the
    /// function gives an attempt to read its keyring two seconds, and a busy machine's local account may need longer.
    fn call_as(&self, who: &Account, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let mut answer = told(&signed::call(who, method, &self.url(path), &body));
        for _ in 0..5 {
            if ![502, 503].contains(&answer.0) {
                break;
            }
            answer = told(&signed::call(who, method, &self.url(path), &body));
        }
        answer
    }

    fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.call_as(&self.caller, "POST", path, body)
    }

    fn get(&self, path: &str) -> (u16, Value) {
        self.call_as(&self.caller, "GET", path, &Value::Null)
    }
}

/// Makes the account's bucket, with these functions in it.
pub(crate) async fn upload(account: &Account, names: &[&str]) -> aws_sdk_s3::Client {
    let config = sdk::config(account, true).await;
    let s3 = aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(&config).force_path_style(true).build());
    let place = aws_sdk_s3::types::CreateBucketConfiguration::builder();
    let place = place.location_constraint(account.region.as_str().into()).build();
    s3.create_bucket().bucket(bucket(account)).create_bucket_configuration(place).send().await.unwrap();
    for name in names {
        let zip = zipped(&binary(name));
        s3.put_object().bucket(bucket(account)).key(format!("{name}.zip")).body(zip.into()).send().await.unwrap();
    }
    s3
}

/// Buckets' names are shared by all accounts.
pub(crate) fn bucket(account: &Account) -> String {
    format!("artifacts-{}", account.id)
}

fn told(reply: &Reply) -> (u16, Value) {
    (reply.status, reply.json())
}

fn invoke(resource: &str) -> Value {
    json!({"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": resource})
}

/// Creates or updates the stack, and gives its outputs.
async fn roll_out(account: &Account, template: &str, create: bool) -> BTreeMap<String, String> {
    let client = aws_sdk_cloudformation::Client::new(&sdk::config(account, true).await);
    let bucket = bucket(account);
    let parameters: Vec<Parameter> = [
        ("ArtifactBucket", bucket.as_str()),
        ("CryptoCodeKey", "crypto.zip"),
        ("RotateCodeKey", "rotate.zip"),
        ("KeyringCacheSeconds", "0"),
        ("EndpointUrl", &account.endpoint_url),
    ]
    .into_iter()
    .map(|(key, value)| Parameter::builder().parameter_key(key).parameter_value(value).build())
    .collect();
    if create {
        let request = client.create_stack().stack_name(STACK).template_body(template).set_parameters(Some(parameters));
        request.capabilities(Capability::CapabilityIam).send().await.unwrap();
    } else {
        let request = client.update_stack().stack_name(STACK).template_body(template).set_parameters(Some(parameters));
        request.capabilities(Capability::CapabilityIam).send().await.unwrap();
    }
    let stack = settled(&client, STACK).await;
    let outputs = stack.outputs().iter();
    outputs.filter_map(|output| Some((output.output_key()?.to_owned(), output.output_value()?.to_owned()))).collect()
}

/// The stack, once nothing is in progress any more.
pub(crate) async fn settled(client: &aws_sdk_cloudformation::Client, name: &str) -> Described {
    loop {
        let answer = client.describe_stacks().stack_name(name).send().await.unwrap();
        let stack = answer.stacks().first().unwrap().clone();
        let status = stack.stack_status().map_or_else(String::new, |status| status.as_str().to_owned());
        if !status.ends_with("_IN_PROGRESS") {
            let events = client.describe_stack_events().stack_name(name).send().await.unwrap();
            let failed = events.stack_events().iter().filter_map(|event| {
                let reason = event.resource_status_reason()?;
                Some(format!("{}: {reason}", event.logical_resource_id().unwrap_or_default()))
            });
            let right = ["CREATE_COMPLETE", "UPDATE_COMPLETE"].contains(&status.as_str());
            assert!(right, "{status}: {:#?}", failed.collect::<Vec<_>>());
            return stack;
        }
        tokio::task::yield_now().await;
    }
}

/// A function's binary, built beside the tests by `cargo test --workspace`.
pub(crate) fn binary(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_plumb")).with_file_name(name);
    assert!(path.is_file(), "{} is missing: cargo build -p plumb -p plumb-lambda --bins", path.display());
    path
}

/// An artifact of a debug build, stored as it is: packing thirty megabytes would take longer than running them.
fn zipped(binary: &Path) -> Vec<u8> {
    zip_of("bootstrap", &std::fs::read(binary).unwrap())
}

/// A zip of one file.
pub(crate) fn zip_of(name: &str, bytes: &[u8]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored).unix_permissions(0o755);
    zip.start_file(name, options).unwrap();
    zip.write_all(bytes).unwrap();
    zip.finish().unwrap().into_inner()
}
