//! `plumb status` and `plumb diff`: what they find, and what they say when they cannot look.

use serde_json::Value;

use super::shop::{Done, PROJECT, Shop, item, put, put_as};
use crate::support::account::{Account, REGION};

#[test]
fn no_credentials_are_told_and_the_rest_is_shown() {
    let mut shop = Shop::new();
    shop.env = vec![("AWS_REGION".into(), REGION.into())];
    let done = shop.plumb(&["status", "--env", "dev", "--output", "json"]);
    done.ended(2);
    let json = done.json();
    assert_eq!(json["account"], Value::Null);
    assert!(json["commit"].as_str().is_some_and(|commit| commit.len() == 40), "{json:#}");
    let account = json["problems"].as_array().unwrap().iter().find(|problem| problem["subject"] == "account").unwrap();
    assert!(account["hint"].as_str().unwrap().contains("aws sso login"), "{json:#}");
    let doctor = shop.plumb(&["doctor", "--env", "dev"]);
    doctor.ended(2);
    assert!(
        doctor.stdout.contains("! problem  credentials: ") && doctor.stdout.contains("= ok       ref HEAD: "),
        "{doctor}"
    );

    shop.env.clear();
    shop.plumb(&["status", "--env", "dev"]).ended(2).complained(&["no region is configured", "try: set AWS_REGION"]);
}

#[test]
fn a_closed_port_is_no_network_and_nothing_is_called_in_sync() {
    let account = Account::fresh();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let shop = Shop::new().at(&account);
    let url = format!("http://{closed}");
    let done = shop.plumb(&["status", "--env", "dev", "--all", "--output", "json", "--endpoint-url", &url]);
    done.ended(2);
    let json = done.json();
    assert_eq!(json["summary"]["in_sync"], 0);
    let hints: Vec<_> = json["problems"].as_array().unwrap().iter().filter_map(|each| each["hint"].as_str()).collect();
    assert!(hints.contains(&"is there a network, a proxy, a VPN?"), "{json:#}");
}

#[test]
fn one_reason_for_everything_is_told_once_and_in_one_line() {
    let shop = Shop::new();
    let status = ["status", "--env", "dev", "--region", "eu-central-1"];
    let nobody = shop.plumb(&status);
    nobody.ended(2);
    // Once with what is unknown for it, and once with what to try.
    assert_eq!(nobody.stdout.matches("no AWS credentials were found").count(), 2, "{nobody}");
    assert!(nobody.stdout.contains("try: `aws sso login`, AWS_PROFILE, or --profile"), "{nobody}");
    assert!(nobody.stdout.lines().all(|line| line.len() < 140), "{nobody}");
    let mut closed = shop.command(&[&status[..], &["--endpoint-url", "http://127.0.0.1:9"]].concat());
    closed.env("AWS_ACCESS_KEY_ID", "a").env("AWS_SECRET_ACCESS_KEY", "b");
    let closed = Done::of(&closed.output().unwrap());
    let told = "cannot connect to http://127.0.0.1:9 (connection refused)";
    assert_eq!(closed.ended(2).stdout.matches(told).count(), 2, "{closed}");
}

#[test]
fn in_the_wrong_account_one_reads_and_does_not_record() {
    let account = Account::fresh();
    let project = PROJECT.replace("[environments.dev]", "[environments.dev]\naccount = \"999999999999\"");
    let shop = Shop::with_project(&project).at(&account);
    let done = shop.plumb(&["status", "--env", "dev"]);
    done.ended(2);
    assert!(done.stdout.contains("is not 999999999999"), "{done}");
    shop.plumb(&["record", "--env", "dev"]).ended(2).complained(&["refused", "999999999999", "try: another profile"]);
    let doctor = shop.plumb(&["doctor", "--env", "dev", "--output", "json"]);
    doctor.ended(2);
    let json = doctor.json();
    let checks = json["checks"].as_array().unwrap();
    assert!(checks.iter().any(|check| check["subject"] == "account" && check["health"] == "problem"), "{json:#}");
}

#[test]
fn status_and_diff_say_by_their_exit_code_what_they_found() {
    let account = Account::fresh();
    let shop = Shop::new().at(&account);
    let dev = ["--env", "dev", "--only", "parameter,secret"];
    let status = |more: &[&str]| shop.plumb(&[&["status"], &dev[..], more].concat());
    status(&[]).ended(1);
    put(&account, "/billing/dev/db/pool", "20");
    put(&account, "/billing/dev/url", "https://dev");
    put(&account, "/billing/global/currency", "EUR");
    status(&[]).ended(0);
    status(&["--strict"]).ended(0);
    put(&account, "/billing/dev/extra", "1");
    status(&[]).ended(0);
    status(&["--strict"]).ended(2);

    put(&account, "/billing/dev/url", "HTTPS://DEV");
    let done = status(&["--output", "json"]);
    done.ended(1);
    assert!(done.stderr.is_empty(), "{done}");
    let url = item(&done.json(), "/billing/dev/url").clone();
    assert_eq!(url["verdict"], "differs");
    assert_eq!(url["git"].get("value"), None);

    let diff = shop.plumb(&["diff", "parameter", "/billing/*/url", "--env", "dev"]);
    diff.ended(1);
    assert!(diff.stdout.contains("* differs   parameter /billing/dev/url"), "{diff}");
    assert!(diff.stdout.contains("letter case"), "{diff}");
    assert!(diff.stdout.contains("- https://dev") && diff.stdout.contains("+ HTTPS://DEV"), "{diff}");
    assert!(!diff.stdout.contains('\u{1b}'), "{diff}");
    shop.plumb(&["diff", "/billing/*/pool", "--env", "dev"]).ended(0);
    let revealed = shop.plumb(&["diff", "--env", "dev", "--only", "parameter", "--reveal", "--output", "json"]);
    assert_eq!(item(&revealed.ended(1).json(), "/billing/dev/url")["live"]["value"], "HTTPS://DEV");
    shop.plumb(&["diff", "params", "x", "--env", "dev"]).ended(2).complained(&["there is no kind \"params\""]);
    let typo = shop.plumb(&["diff", "paramter", "--env", "dev"]);
    typo.ended(2).complained(&["no item's name matches paramter; did you mean parameter?"]);
    assert!(typo.stdout.is_empty(), "{typo}");
    shop.plumb(&["diff", "/nothing/*", "--env", "dev"]).ended(2).complained(&["no item's name matches /nothing/*\n"]);
}

#[test]
fn a_path_is_what_lies_below_it_and_nothing_below_it_is_said() {
    let account = Account::fresh();
    let shop = Shop::empty().at(&account);
    put(&account, "/billing/prod/pool", "20");
    put(&account, "/billing/prod2/pool", "20");
    for path in ["/billing/prod", "billing/prod", "/billing/prod/"] {
        let json = shop.plumb(&["status", "--path", path, "--output", "json"]);
        assert_eq!(json.ended(0).json()["items"].as_array().unwrap().len(), 1, "{path}: {json}");
        assert_eq!(json.json()["notes"], serde_json::json!([]));
    }
    let nothing = shop.plumb(&["status", "--path", "/biling/prod"]);
    let told = format!("nothing lies below /biling/prod in {REGION}");
    assert!(nothing.ended(0).stdout.contains(&format!("  i {told}\n")), "{nothing}");
    let json = shop.plumb(&["diff", "--path", "/biling/prod", "--output", "json"]);
    assert_eq!(json.ended(0).json()["notes"], serde_json::json!([told]));
    for (flag, empty) in [("--path", ""), ("--path", " "), ("--stack", "")] {
        let done = shop.plumb(&["status", flag, empty]);
        done.ended(2).complained(&[&format!("flag {flag}: is empty")]);
        assert!(done.stdout.is_empty(), "{done}");
    }
}

#[test]
fn what_an_item_is_called_in_its_template_and_its_stack_finds_it() {
    let account = Account::fresh();
    let stacks = "[[stacks]]\nname = \"petshop-{env}\"\ntemplate = \"stack.json\"\n\
                  [[stacks.functions]]\nresource = \"BillingApi\"\nsource = \"api\"\n";
    let shop = Shop::with_project(&format!("{PROJECT}{stacks}")).at(&account);
    let template = serde_json::json!({ "Resources": {
        "Orders": { "Type": "AWS::SQS::Queue" },
        "BillingApi": { "Type": "AWS::Lambda::Function", "Properties": {
            "FunctionName": "petshop-dev-billing-api", "Runtime": "python3.13", "Handler": "index.handler",
            "Role": "arn:aws:iam::000000000000:role/none",
            "Code": { "ZipFile": "def handler(event, context):\n    return 1\n" },
        } },
    } })
    .to_string();
    shop.write("stack.json", &template);
    shop.write("api/app.py", "def handler(event, context):\n    return 1\n");
    shop.commit();
    let fields = [("StackName", "petshop-dev"), ("TemplateBody", template.as_str())];
    let reply = account.caller().query("cloudformation", "CreateStack", &fields).unwrap();
    assert_eq!(reply.status, 200, "{reply:?}");
    let found = |arguments: &[&str]| {
        let done =
            shop.plumb(&[&["diff", "--env", "dev", "--detect", "never", "--all", "-o", "json"], arguments].concat());
        let json = done.json();
        let names = json["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap().to_owned());
        names.collect::<Vec<_>>()
    };
    for name in ["petshop-dev/BillingApi", "petshop-dev-billing-api", "*BillingApi*", "petshop-dev"] {
        assert_eq!(found(&["code", name]), ["petshop-dev-billing-api"], "{name}");
    }
    assert_eq!(found(&["stack", "petshop-dev/Orders"]), ["petshop-dev/Orders"]);
    assert!(found(&["stack", "petshop-dev"]).contains(&"petshop-dev/Orders".to_owned()));
    shop.plumb(&["diff", "code", "petshop-dev/Nothing", "--env", "dev"])
        .ended(2)
        .complained(&["no item's name matches"]);
}

#[test]
fn secure_values_are_masked_until_they_are_revealed() {
    let account = Account::fresh();
    let shop = Shop::with_project(&PROJECT.replace("type = \"String\"\n", "")).at(&account);
    put_as(&account, "SecureString", "/billing/dev/url", "hunter2");
    let diff = |more: &[&str]| shop.plumb(&[&["diff", "parameter", "*url", "--env", "dev"], more].concat());
    let masked = diff(&[]);
    masked.ended(1);
    assert!(masked.stdout.contains("+ •••• fp ") && masked.stdout.contains(" len 7"), "{masked}");
    assert!(!masked.stdout.contains("hunter2"), "{masked}");
    assert!(!diff(&["--output", "json"]).stdout.contains("hunter2"));
    assert!(diff(&["--reveal"]).stdout.contains("+ hunter2"));
    let beside = diff(&["--reveal", "--side-by-side"]);
    assert!(beside.stdout.lines().any(|line| line.contains("https://dev") && line.contains(" | hunter2")), "{beside}");
}
