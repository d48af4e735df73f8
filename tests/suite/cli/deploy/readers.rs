//! Functions that have read a value are started anew after a push, and nothing is drift because of it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::stack::{PROJECT, Stacked, TEMPLATE};
use crate::support::account::Account;

const POOL: &str = "config/billing/dev/config.json";
const FUNCTION: &str = "/2015-03-31/functions/shop-dev-api";

/// A function that tells which of its execution environments answers.
const CODE: &str = "import uuid\nBORN = str(uuid.uuid4())\ndef handler(event, context):\n    return BORN\n";

/// Deployed and pushed, with a function that reads what is pushed.
pub fn shop(account: &Account) -> Stacked {
    let template = TEMPLATE.replace("BATCH: first-secret", "CONFIG: !Sub \"/billing/${Environment}/\"");
    let shop = Stacked::with(account, &template);
    let config = "[[config]]\nfiles = \"config/{service}/{env}/config.json\"\ntype = \"String\"\n[[stacks]]\n";
    shop.write("plumb.toml", &PROJECT.replace("[[stacks]]\n", config));
    shop.write("api/app.py", CODE);
    pool(&shop, 20);
    shop.plumb(&["deploy", "--env", "dev", "--yes"]).ended(0);
    shop.plumb(&["push", "--env", "dev", "--yes"]).ended(0);
    shop
}

pub fn pool(shop: &Stacked, size: u32) {
    shop.write(POOL, &format!("{{\"db\": {{\"pool\": {size}}}}}\n"));
    shop.commit();
}

pub fn lambda(account: &Account, method: &str, path: &str, body: &Value) -> Value {
    let body = if method == "GET" { String::new() } else { body.to_string() };
    let reply = account.caller().send("lambda", method, &format!("{FUNCTION}{path}"), &[], body.as_bytes()).unwrap();
    assert!((200..300).contains(&reply.status), "{method} {path}: {reply:?}");
    reply.json()
}

pub fn description(account: &Account) -> String {
    lambda(account, "GET", "/configuration", &Value::Null)["Description"].as_str().unwrap_or_default().to_owned()
}

/// The verdict on each item, after CloudFormation has looked anew.
fn verdicts(shop: &Stacked) -> BTreeMap<String, String> {
    let json = shop.plumb(&["status", "--env", "dev", "--all", "--detect", "always", "-o", "json"]).json();
    let items = json["items"].as_array().unwrap().iter();
    items.map(|item| (format!("{} {}", item["kind"], item["name"]), item["verdict"].to_string())).collect()
}

#[test]
fn who_has_read_a_value_reads_it_again_and_nothing_is_drift() {
    let account = Account::fresh();
    let shop = shop(&account);
    let before = verdicts(&shop);
    let revision = || lambda(&account, "GET", "/configuration", &Value::Null)["RevisionId"].clone();
    let planned_with = revision();
    pool(&shop, 30);

    let planned = shop.plumb(&["push", "--env", "dev", "--dry-run", "--restart-readers"]);
    for part in
        ["read by shop-dev/Api (variable CONFIG)", "> restart shop-dev/Api   shop-dev-api", "1 write, about 2 s"]
    {
        assert!(planned.ended(1).stdout.contains(part), "{part}: {planned}");
    }
    assert_eq!(description(&account), "");
    let done = shop.plumb(&["push", "--env", "dev", "--yes", "--restart-readers"]);
    assert!(done.ended(0).stdout.contains("= restarted  shop-dev/Api"), "{done}");
    assert_ne!(revision(), planned_with, "it was updated, which is what AWS makes new instances for");
    assert!(description(&account).starts_with("[started anew by plumb "), "{}", description(&account));
    assert_eq!(verdicts(&shop), before);
    shop.plumb(&["status", "--env", "dev", "--only", "code,parameter"]).ended(0);
    assert_eq!(shop.journal().last(), Some(&json!(["restart", ["shop-dev/Api"], "ok"])));

    // Nothing is written, so nobody has read anything else.
    let told = description(&account);
    shop.plumb(&["push", "--env", "dev", "--yes", "--restart-readers"]).ended(0);
    assert_eq!(description(&account), told);

    // What its template states is its template's.
    shop.replace("stack.yaml", "      Handler: app.handler", "      Handler: app.handler\n      Description: the api");
    pool(&shop, 40);
    shop.plumb(&["deploy", "--env", "dev", "--yes"]).ended(0);
    let kept = shop.plumb(&["push", "--env", "dev", "--yes", "--restart-readers", "-o", "json"]);
    kept.ended(0).complained(&["shop-dev/Api keeps what it has read: its template states the description"]);
    let restart = &kept.json()["restarts"][0];
    assert_eq!((&restart["function"], &restart["state"]), (&json!("shop-dev/Api"), &json!("kept")));
    assert_eq!(description(&account), "the api");
}

#[test]
fn an_alias_that_plumb_moves_serves_the_same_as_a_new_version() {
    let account = Account::fresh();
    let shop = shop(&account);
    let version = lambda(&account, "POST", "/versions", &json!({}))["Version"].clone();
    lambda(&account, "POST", "/aliases", &json!({ "Name": "live", "FunctionVersion": version }));
    shop.replace("plumb.toml", "source = \"api\"", "source = \"api\"\nalias = \"live\"");
    pool(&shop, 30);
    shop.plumb(&["deploy", "--env", "dev", "--yes"]).ended(0);
    let served = || lambda(&account, "GET", "/aliases/live", &Value::Null)["FunctionVersion"].clone();
    let before = served();
    let answers = || lambda(&account, "POST", "/invocations?Qualifier=live", &json!({}));
    let born = answers();
    assert_eq!(answers(), born, "its environment is kept");

    let done = shop.plumb(&["push", "--env", "dev", "--yes", "--restart-readers", "-o", "json"]);
    let restart = done.ended(0).json()["restarts"][0].clone();
    assert_eq!((&restart["state"], &restart["alias"]), (&json!("restarted"), &json!("live")));
    assert_ne!(served(), before);
    assert_eq!(restart["new_version"], served());
    assert_ne!(answers(), born, "a version has environments of its own");
    shop.plumb(&["status", "--env", "dev", "--only", "code,parameter"]).ended(0);

    // A new version would be what somebody has uploaded.
    shop.by_hand_code("def handler(event, context):\n    return 'by hand'\n");
    pool(&shop, 40);
    let before = served();
    let kept = shop.plumb(&["push", "--env", "dev", "--yes", "--restart-readers"]);
    assert!(kept.ended(0).stdout.contains("is not what a new version would be"), "{kept}");
    assert_eq!(served(), before);
}
