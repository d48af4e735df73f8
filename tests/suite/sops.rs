//! Documents whose data key lies under KMS, on a local account.

use std::sync::Arc;

use plumb::aws::{Keys as Credentials, Options};
use plumb::ops::keys::{Keyring, Keys, Kms, keyring};
use plumb::secret::Secret;
use plumb::sops::{
    self, CreationRule, Document, Error, Format, KeyService, MacPolicy, Node, Recipient, Rules, generate_age_key,
};
use serde_json::json;

use crate::support::account::Account;
use crate::support::proxy::Fault;

const NOW: &str = "2026-11-21T10:00:00Z";

/// A key of its own in this account.
pub fn new_key(account: &Account) -> String {
    let made = account.caller().json("kms", "TrentService.CreateKey", &json!({})).expect("the account answers");
    made.json()["KeyMetadata"]["Arn"].as_str().expect("an ARN").to_owned()
}

/// What a session of this account opens documents with; no age identity.
pub fn ring(account: &Account) -> Keyring {
    let options = Options {
        region: Some("us-west-1".to_owned()),
        endpoint_url: Some(account.endpoint_url.clone()),
        keys: Some(Credentials {
            access_key_id: account.access_key_id.clone(),
            secret_access_key: Secret::new(account.secret_access_key.clone()),
            session_token: None,
        }),
        ..Options::default()
    };
    keyring(&Arc::new(Keys::default()), Kms::new(options, None))
}

/// Encryption under a KMS key, bound to the application's name.
pub fn under(arn: &str, role: Option<&str>) -> Recipient {
    Recipient::Kms {
        arn: arn.to_owned(),
        role: role.map(str::to_owned),
        context: vec![("app".to_owned(), Some("petshop".to_owned()))],
        aws_profile: String::new(),
    }
}

fn rule(recipients: Vec<Recipient>) -> CreationRule {
    CreationRule { groups: vec![recipients], threshold: None, rules: Rules::default() }
}

fn sealed(recipients: Vec<Recipient>, keys: &dyn KeyService) -> Vec<u8> {
    sops::encrypt("a.yaml", b"password: geheim\n", &rule(recipients), keys, NOW).expect("encrypts")
}

fn opened(bytes: &[u8], keys: &dyn KeyService) -> Result<Node, Error> {
    Document::parse_as("a.yaml", bytes, Format::Yaml)?.open(keys, MacPolicy::Verify)
}

#[tokio::test(flavor = "multi_thread")]
async fn kms_is_asked_once_for_each_data_key_of_a_session() {
    let (account, proxy) = Account::fresh().behind_proxy();
    let arn = new_key(&account);
    let writer = ring(&account);
    let files = [sealed(vec![under(&arn, None)], &writer), sealed(vec![under(&arn, None)], &writer)];
    assert_eq!(proxy.count("kms:Encrypt"), 2);
    for file in &files {
        opened(file, &writer).expect("opens");
    }
    assert_eq!(proxy.count("kms:Decrypt"), 0, "what was wrapped here is known");
    let reader = ring(&account);
    std::thread::scope(|scope| {
        for at in 0..8 {
            let (reader, file) = (&reader, &files[at % 2]);
            scope.spawn(move || {
                let node = opened(file, reader).expect("opens");
                assert_eq!(node.get(&["password"]), Some(&Node::text("geheim")));
            });
        }
    });
    assert_eq!(proxy.count("kms:Decrypt"), 2, "two data keys, however many ask at a time");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_context_does_not_open_and_says_which_key_was_asked() {
    let account = Account::fresh();
    let arn = new_key(&account);
    let keys = ring(&account);
    let text = String::from_utf8(sealed(vec![under(&arn, None)], &keys)).expect("text");
    let moved = text.replace("app: petshop", "app: elsewhere");
    assert_ne!(text, moved);
    let error = opened(moved.as_bytes(), &ring(&account)).expect_err("another context").to_string();
    assert!(error.contains("a.yaml") && error.contains(&arn) && error.contains("EncryptionContext"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_throttled_key_is_asked_again() {
    let (account, proxy) = Account::fresh().behind_proxy();
    let arn = new_key(&account);
    let file = sealed(vec![under(&arn, None)], &ring(&account));
    proxy.on("kms:Decrypt").times(1).reply(Fault::Throttling);
    opened(&file, &ring(&account)).expect("the second answer counts");
    assert_eq!(proxy.count("kms:Decrypt"), 2);
    proxy.on("kms:Decrypt").reply(Fault::AccessDenied("not for you".to_owned()));
    let error = opened(&file, &ring(&account)).expect_err("refused").to_string();
    assert!(error.contains("AccessDenied") && error.contains("not for you"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_the_document_names_is_assumed_once() {
    let (account, proxy) = Account::fresh().behind_proxy();
    let arn = new_key(&account);
    let role = format!("arn:aws:iam::{}:role/config", account.id);
    let document = json!({ "Version": "2012-10-17", "Statement": [] }).to_string();
    let fields = [("RoleName", "config"), ("AssumeRolePolicyDocument", document.as_str())];
    assert_eq!(account.caller().query("iam", "CreateRole", &fields).expect("the account answers").status, 200);
    let keys = ring(&account);
    // The account keeps the session's key apart from its own, so that only the request itself can be looked at.
    let recipient = under(&arn, Some(&role));
    for _ in 0..2 {
        let _ = keys.wrap(&recipient, b"a data key").expect("its kind of key");
    }
    let assumed = proxy.calls().iter().filter(|call| call.form("Action").as_deref() == Some("AssumeRole")).count();
    assert_eq!(assumed, 1);
    let role_of = |call: &crate::support::proxy::Call| call.form("RoleArn");
    assert!(proxy.calls().iter().any(|call| role_of(call).as_deref() == Some(&role)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_age_identity_opens_without_a_call() {
    let (account, proxy) = Account::fresh().behind_proxy();
    let arn = new_key(&account);
    let (public, secret) = generate_age_key();
    let file = sealed(vec![under(&arn, None), Recipient::Age(public)], &ring(&account));
    let identities = sops::AgeIdentities::parse(secret.expose()).expect("a key");
    opened(&file, &identities).expect("opens");
    assert_eq!(proxy.count("kms:Decrypt"), 0);
    opened(&file, &ring(&account)).expect("and by KMS");
    assert_eq!(proxy.count("kms:Decrypt"), 1);
}
