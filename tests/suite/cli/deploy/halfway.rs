//! A deployment that comes to no end, or to half of one: what is done, what goes on, and what to do next is told.

use serde_json::json;

use super::stack::{PROJECT, Stacked, TEMPLATE};
use crate::support::account::Account;
use crate::support::proxy::{Call, Fault, Gate};
use crate::support::terminal::{Program, Terminal};

fn behind(behind: &Account, shop: &Stacked, arguments: &[&str]) -> Terminal {
    let program = Program::plumb().dir(shop.root()).env("HOME", shop.directory.path()).envs(behind.env());
    program.args(arguments.iter().copied()).start()
}

const DEPLOY: [&str; 4] = ["deploy", "--env", "dev", "--yes"];

fn is_receipt(call: &Call) -> bool {
    call.target.contains("/receipts/stack/")
}

#[test]
fn a_receipt_that_cannot_be_written_leaves_the_stack_deployed_and_says_what_is_left() {
    let account = Account::fresh();
    let shop = Stacked::at(&account);
    let (through, proxy) = account.behind_proxy();
    let denied = "User: mara is not authorized to perform: s3:PutObject";
    proxy.on("s3:PutObject").when(is_receipt).reply(Fault::AccessDenied(denied.to_owned()));
    let done = shop.through(&through, &DEPLOY);
    let told = "shop-dev is deployed, but what came after is not whole: ";
    assert!(done.ended(2).stdout.contains(told) && done.stdout.contains(denied), "{done}");
    assert!(done.stdout.contains("plumb deploy shop-dev does what is left"), "{done}");
    assert_eq!(shop.status().as_deref(), Some("CREATE_COMPLETE"));
    assert_eq!(shop.journal().last(), Some(&json!(["deploy", ["shop-dev"], "failed"])));
    let left = shop.plumb(&["deploy", "--env", "dev", "--yes", "-o", "json"]).ended(0).json();
    assert_eq!((&left["stacks"][0]["recorded"], &left["stacks"][0]["runs"]), (&json!(true), &json!(null)), "{left:#}");
}

#[test]
fn an_alias_that_cannot_be_moved_leaves_the_stack_deployed_and_is_moved_by_the_next() {
    let account = Account::fresh();
    let shop = Stacked::live(&account);
    let lambda = |method: &str, path: &str, body: &str| {
        let path = format!("/2015-03-31/functions/shop-dev-api/{path}");
        let reply = account.caller().send("lambda", method, &path, &[], body.as_bytes()).unwrap();
        assert!(reply.status < 300, "{reply:?}");
        reply.json()
    };
    lambda("POST", "versions", "{}");
    lambda("POST", "aliases", r#"{"Name": "live", "FunctionVersion": "1"}"#);
    shop.write("plumb.toml", &PROJECT.replace("source = \"api\"", "source = \"api\"\nalias = \"live\""));
    shop.write("api/app.py", "def handler(event, context):\n    return 2\n");
    shop.commit();
    let (through, proxy) = account.behind_proxy();
    proxy.on("lambda:UpdateAlias").reply(Fault::Throttling);
    let done = shop.through(&through, &DEPLOY);
    assert!(done.ended(2).stdout.contains("shop-dev is deployed, but what came after is not whole: "), "{done}");
    assert!(done.stdout.contains("plumb deploy shop-dev does what is left"), "{done}");
    assert_eq!(shop.status().as_deref(), Some("UPDATE_COMPLETE"));
    assert_eq!(lambda("GET", "aliases/live", "")["FunctionVersion"], "1");
    proxy.heal();
    let next = shop.through(&through, &DEPLOY);
    assert!(next.ended(0).stdout.contains("shop-dev-api:live serves version "), "{next}");
}

#[test]
fn who_ends_a_deployment_is_told_whether_it_goes_on() {
    let account = Account::fresh();
    let shop = Stacked::live(&account);
    let (through, proxy) = account.behind_proxy();
    let interrupted = |timeout: u32, seen: &str, asked: &str, is_it: fn(&Call) -> bool| {
        let was = if timeout == 60 { 30 } else { 60 };
        shop.replace("stack.yaml", &format!("VisibilityTimeout: {was}"), &format!("VisibilityTimeout: {timeout}"));
        shop.commit();
        let gate = Gate::new();
        proxy.on(asked).when(is_it).reply(Fault::Delay(gate.clone()));
        let terminal = behind(&through, &shop, &DEPLOY);
        gate.reached();
        terminal.press("^c").sees(seen);
        assert_eq!(terminal.exit_code(), 130, "{}", terminal.text());
        proxy.heal();
        terminal.text()
    };
    let told = interrupted(60, "goes on without you", "cloudformation:DescribeStackEvents", |_| true);
    assert!(told.contains("plumb deploy --follow shop-dev looks on again, --cancel takes it back"), "{told}");
    let told = interrupted(90, "AWS is done with shop-dev, and nothing goes on", "s3:PutObject", is_receipt);
    assert!(told.contains("plumb deploy shop-dev") && !told.contains("goes on without you"), "{told}");
    assert_eq!(shop.status().as_deref(), Some("UPDATE_COMPLETE"));
    let left = shop.plumb(&DEPLOY);
    assert!(left.ended(0).stdout.contains("receipt "), "{left}");
}

#[test]
fn an_update_is_taken_back_on_request_and_one_that_has_ended_is_not() {
    let account = Account::fresh();
    let shop = Stacked::live(&account);
    let (through, proxy) = account.behind_proxy();
    let described = shop.cloudformation("DescribeStacks", &[("StackName", "shop-dev")]);
    let status = |status: &str| Fault::Body(200, described.replace("CREATE_COMPLETE", status).into_bytes());
    let cancel = ["deploy", "shop-dev", "--env", "dev", "--cancel", "--yes"];
    // It ends while somebody makes up their mind: AWS refuses.
    proxy.on("cloudformation:DescribeStacks").times(1).reply(status("UPDATE_IN_PROGRESS"));
    let late = shop.through(&through, &cancel);
    late.ended(2).complained(&[
        "shop-dev has no update that could be taken back: ",
        "plumb deploy --follow shop-dev shows what it is at",
    ]);
    assert_eq!(shop.journal().last(), Some(&json!(["cancel", ["shop-dev"], "failed"])));

    proxy.heal();
    proxy.forget();
    proxy.on("cloudformation:DescribeStacks").times(1).reply(status("UPDATE_IN_PROGRESS"));
    proxy.on("cloudformation:DescribeStacks").reply(status("UPDATE_ROLLBACK_COMPLETE"));
    proxy.on("cloudformation:CancelUpdateStack").reply(Fault::Body(200, b"<CancelUpdateStackResponse/>".to_vec()));
    let done = shop.through(&through, &cancel);
    assert!(done.ended(0).stdout.contains("shop-dev: UPDATE_ROLLBACK_COMPLETE"), "{done}");
    let calls = proxy.calls();
    let asked = calls.iter().find(|call| call.operation == "CancelUpdateStack").unwrap();
    assert!(asked.form("StackName").unwrap().contains(":stack/shop-dev/"), "{asked:?}");
    assert!(asked.form("ClientRequestToken").unwrap().starts_with("plumb-"), "{asked:?}");
    assert_eq!(shop.journal().last(), Some(&json!(["cancel", ["shop-dev"], "ok"])));
}

#[test]
fn a_dry_run_makes_no_bucket_and_says_what_it_uploads() {
    let account = Account::fresh();
    let shop = Stacked::at(&account);
    let bucket = format!("/shop-state-{}", account.id);
    let is_there = || account.caller().send("s3", "GET", &format!("{bucket}?versioning"), &[], b"").unwrap().status;
    let dry_run = ["deploy", "--env", "dev", "--dry-run"];
    let planned = shop.plumb(&dry_run);
    let told = format!("! there is no bucket shop-state-{} yet: the first deployment makes it", account.id);
    assert!(planned.ended(1).stdout.contains(&told), "{planned}");
    assert_eq!((is_there(), shop.status()), (404, None));

    let long = "#".repeat(60_000);
    shop.write("stack.yaml", &format!("{TEMPLATE}\n# {long}\n"));
    shop.commit();
    let through_bucket = shop.plumb(&dry_run);
    through_bucket.ended(2).complained(&["the change set takes s3://", "there is no bucket", "the first deployment"]);
    assert_eq!((is_there(), shop.status()), (404, None));

    shop.plumb(&DEPLOY).ended(0);
    shop.replace("stack.yaml", "VisibilityTimeout: 30", "VisibilityTimeout: 60");
    shop.commit();
    let planned = shop.plumb(&dry_run);
    planned.ended(1).complained(&["uploaded s3://shop-state-", "/plumb/shop/templates/"]);
    assert!(!planned.stdout.contains("there is no bucket"), "{planned}");
}
