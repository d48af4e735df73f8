//! `plumb record`: what of a commit is live.

use super::shop::{PROJECT, Shop, item, put};
use crate::support::account::Account;

#[test]
fn recording_tells_what_is_equal_and_what_is_not() {
    let account = Account::fresh();
    let shop = Shop::new().at(&account);
    put(&account, "/billing/dev/db/pool", "20");
    put(&account, "/billing/dev/url", "https://elsewhere");
    let record = |more: &[&str]| shop.plumb(&[&["record", "--env", "dev", "--output", "json"], more].concat());
    let dry = record(&["--dry-run"]);
    dry.ended(1);
    let json = dry.json();
    assert_eq!(json["equal"], serde_json::json!(["/billing/dev/db/pool"]));
    assert_eq!(json["different"], serde_json::json!(["/billing/dev/url"]));
    assert_eq!(json["absent"], serde_json::json!(["/billing/global/currency"]));
    assert_eq!(json["written"], false);
    assert_eq!(record(&[]).ended(1).json()["written"], true);
    put(&account, "/billing/dev/db/pool", "50");
    let json = shop.plumb(&["status", "--env", "dev", "--output", "json"]).json();
    assert_eq!(item(&json, "/billing/dev/db/pool")["verdict"], "drifted");
    let units = json["units"].as_array().unwrap();
    let billing = units.iter().find(|unit| unit["kind"] == "parameter").unwrap_or_else(|| panic!("{json:#}"));
    assert_eq!(billing["runs"], json["commit"], "{billing:#}");
    assert_eq!((&json["git"]["author"], &json["git"]["dirty"]), (&"a".into(), &false.into()), "{json:#}");
    assert!(json["git"]["fetched_at"].is_null() && json["git"]["time"].is_string(), "{json:#}");
    let diff = shop.plumb(&["diff", "*pool", "--env", "dev"]);
    assert!(diff.stdout.contains("last rolled out: what git says"), "{diff}");
}

#[test]
fn a_stack_that_runs_what_git_says_is_recorded_by_its_own_name() {
    let account = Account::fresh();
    let project = format!("{PROJECT}[[stacks]]\nname = \"petshop-{{env}}\"\ntemplate = \"stack.json\"\n");
    let shop = Shop::with_project(&project).at(&account);
    shop.write("stack.json", "{\"Resources\":{\"Orders\":{\"Type\":\"AWS::SQS::Queue\"}}}");
    shop.commit();
    let template = "{\"Resources\":{\"Orders\":{\"Type\":\"AWS::SQS::Queue\"}}}";
    let fields = [("StackName", "petshop-dev"), ("TemplateBody", template)];
    let reply = account.caller().query("cloudformation", "CreateStack", &fields).unwrap();
    assert_eq!(reply.status, 200, "{reply:?}");
    let done = shop.plumb(&["record", "--env", "dev", "--dry-run", "--output", "json"]);
    assert_eq!(done.ended(1).json()["equal"], serde_json::json!(["petshop-dev"]), "{done}");
}
