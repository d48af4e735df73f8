//! What each function may do: exactly what is written here, proven by calls under its own role.

use std::collections::{BTreeMap, BTreeSet};

use aws_config::SdkConfig;
use aws_sdk_secretsmanager::config::Credentials;
use aws_sdk_secretsmanager::error::ProvideErrorMetadata;
use serde_json::{Value, json};

use super::{Api, STACK};
use crate::support::account::Account;
use crate::support::sdk;

/// Role, actions on the keyring, actions on its own log group. Whoever changes the template says so here.
const ROLES: [(&str, &[&str], &[&str]); 2] = [
    (
        "CryptoRole",
        &["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"],
        &["logs:CreateLogStream", "logs:PutLogEvents"],
    ),
    (
        "RotateRole",
        &["secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue", "secretsmanager:UpdateSecretVersionStage"],
        &["logs:CreateLogStream", "logs:PutLogEvents"],
    ),
];

/// What a role may do: an action and the resources that it may do it to. What it may not do in any case has a `!` before it.
pub(crate) fn granted(account: &Account, role: &str) -> BTreeMap<String, BTreeSet<String>> {
    let caller = account.caller();
    let reply = caller.query("iam", "GetRolePolicy", &[("RoleName", role), ("PolicyName", "work")]).unwrap().text();
    let document = reply.split_once("<PolicyDocument>").unwrap().1.split_once("</PolicyDocument>").unwrap().0;
    let document: Value = serde_json::from_str(&unescaped(document)).unwrap();
    let list = |value: &Value| match value {
        Value::Array(values) => values.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect(),
        value => vec![value.as_str().unwrap_or_default().to_owned()],
    };
    let mut granted: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for statement in document["Statement"].as_array().unwrap().iter().filter(|statement| statement.is_object()) {
        let sign = if statement["Effect"] == "Allow" { "" } else { "!" };
        for action in list(&statement["Action"]) {
            granted.entry(format!("{sign}{action}")).or_default().extend(list(&statement["Resource"]));
        }
    }
    let names = caller.query("iam", "ListRolePolicies", &[("RoleName", role)]).unwrap().text();
    assert_eq!(names.matches("<member>").count(), 1, "one policy: {names}");
    let attached = caller.query("iam", "ListAttachedRolePolicies", &[("RoleName", role)]).unwrap().text();
    assert!(!attached.contains("<PolicyArn>"), "and no other: {attached}");
    granted
}

fn unescaped(xml: &str) -> String {
    let plain = xml.replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    if !plain.starts_with('%') {
        return plain;
    }
    // As AWS answers: percent-encoded.
    let mut bytes = Vec::new();
    let mut rest = plain.bytes();
    while let Some(byte) = rest.next() {
        let digits = (byte == b'%').then(|| [rest.next(), rest.next()]);
        match digits {
            Some([Some(high), Some(low)]) => {
                let text = String::from_utf8(vec![high, low]).unwrap();
                bytes.push(u8::from_str_radix(&text, 16).unwrap());
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// The name that CloudFormation gave a role.
pub(crate) async fn name_of(account: &Account, stack: &str, logical_id: &str) -> String {
    let client = aws_sdk_cloudformation::Client::new(&sdk::config(account, true).await);
    let request = client.describe_stack_resource().stack_name(stack).logical_resource_id(logical_id);
    let resource = request.send().await.unwrap();
    resource.stack_resource_detail().unwrap().physical_resource_id().unwrap().to_owned()
}

/// The SDK under a role. Only the service that it is for may take it on; the test lets a user of its own do so too, which changes whom the
/// role trusts and not what it may.
pub(crate) async fn under(account: &Account, stack: &str, logical_id: &str) -> (SdkConfig, Credentials) {
    let name = name_of(account, stack, logical_id).await;
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{}:root", account.id)}, "Action": "sts:AssumeRole",
    }]});
    let fields = [("RoleName", name.as_str()), ("PolicyDocument", &trust.to_string())];
    let changed = account.caller().query("iam", "UpdateAssumeRolePolicy", &fields).unwrap();
    assert_eq!(changed.status, 200, "{changed:?}");
    let everything = json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"});
    let who = account.user(&format!("who-becomes-{logical_id}"), &[everything]);
    let sts = aws_sdk_sts::Client::new(&sdk::config(&who, true).await);
    let arn = format!("arn:aws:iam::{}:role/{name}", account.id);
    let answer = sts.assume_role().role_arn(arn).role_session_name("proof").send().await.unwrap();
    let given = answer.credentials().unwrap();
    let token = Some(given.session_token().to_owned());
    let credentials = Credentials::new(given.access_key_id(), given.secret_access_key(), token, None, "role");
    let config = sdk::config(account, true).await.into_builder();
    let provider = aws_sdk_secretsmanager::config::SharedCredentialsProvider::new(credentials.clone());
    (config.credentials_provider(provider).build(), credentials)
}

/// AWS's code of an error, or that there was none.
pub(crate) fn code<T, E: ProvideErrorMetadata>(result: Result<T, E>) -> String {
    result.map_or_else(|error| error.code().unwrap_or("without a code").to_owned(), |_| "allowed".to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_has_exactly_its_actions_and_a_call_beyond_them_is_denied() {
    let api = Api::deploy().await;
    // The crypto function does its work under its role: the first key is made, and used.
    let (status, answer) = api.post("/v1/encrypt", &json!({"text": "x"}));
    assert_eq!(status, 200, "{answer}");
    let (account, keyring) = (&api.account, &api.outputs["KeyringSecret"]);
    let root = aws_sdk_secretsmanager::Client::new(&sdk::config(account, true).await);
    root.create_secret().name("of-somebody-else").secret_string("x").send().await.unwrap();

    for (logical_id, on_keyring, on_log) in ROLES {
        let granted = granted(account, &name_of(account, STACK, logical_id).await);
        let actions: BTreeSet<&str> = granted.keys().map(String::as_str).collect();
        assert_eq!(actions, on_keyring.iter().chain(on_log).copied().collect(), "{logical_id}");
        for (action, resources) in &granted {
            let own =
                if action.starts_with("logs:") { ":log-group:/aws/lambda/shop-crypto-" } else { keyring.as_str() };
            assert!(
                resources.iter().all(|arn| arn.contains(own) && arn != "*"),
                "{logical_id} {action}: {resources:?}"
            );
        }

        let (config, _) = under(account, STACK, logical_id).await;
        let client = aws_sdk_secretsmanager::Client::new(&config);
        let read = client.get_secret_value().secret_id(keyring).send().await;
        assert_eq!(code(read), "allowed", "{logical_id}");
        let beyond = [
            ("another secret", code(client.get_secret_value().secret_id("of-somebody-else").send().await)),
            ("deleting the keyring", code(client.delete_secret().secret_id(keyring).send().await)),
            ("listing secrets", code(client.list_secrets().send().await)),
            ("its own policy", code(client.get_resource_policy().secret_id(keyring).send().await)),
            ("reading parameters", code(aws_sdk_ssm::Client::new(&config).describe_parameters().send().await)),
            ("reading functions", code(aws_sdk_lambda::Client::new(&config).list_functions().send().await)),
        ];
        for (what, found) in beyond {
            assert!(found.starts_with("AccessDenied"), "{logical_id}, {what}: {found}");
        }
        let moved = client.update_secret_version_stage().secret_id(keyring).version_stage("MINE");
        let moved = code(moved.move_to_version_id("plumb-crypto-first-key-00000000-0001").send().await);
        let may = on_keyring.contains(&"secretsmanager:UpdateSecretVersionStage");
        assert_eq!(moved == "allowed", may, "{logical_id} moves a label: {moved}");
    }
}
