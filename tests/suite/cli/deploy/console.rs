//! The deploy page as a person meets it: the real binary in a terminal, over a stack of the local account.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use super::failing::{CLASH, clashing};
use super::reverted::{night, value};
use super::stack::{Stacked, TEMPLATE};
use super::ways_out::with_alias;
use crate::support::account::{self, Account};
use crate::support::proxy::Fault;
use crate::support::screenshot::{self, Paper, StandIns};
use crate::support::terminal::{Program, Terminal};

/// What the pictures of the page are called. Each is taken at two sizes, the smaller of which its name tells.
pub const PICTURES: [&str; 8] = [
    "deploy",
    "deploy-80x24",
    "deploy-plan",
    "deploy-plan-80x24",
    "deploy-under-way",
    "deploy-under-way-80x24",
    "deploy-failed",
    "deploy-failed-80x24",
];

const WIDE: (u16, u16) = (140, 45);
const NARROW: (u16, u16) = (80, 24);

/// The console's program over dev, that asks the account directly or by way of a proxy.
fn program(shop: &Stacked, account: &[(String, String)]) -> Program {
    let program = Program::plumb().dir(shop.root()).args(["--env", "dev"]).env("HOME", shop.directory.path());
    let program = program.env("AWS_EC2_METADATA_DISABLED", "true").size(WIDE.0, WIDE.1);
    program.envs(account.iter().map(|(name, value)| (name, value)))
}

fn console(shop: &Stacked) -> Terminal {
    program(shop, &shop.env).start()
}

/// The page, once it tells how the stack stands.
fn page(shop: &Stacked, status: &str) -> Terminal {
    let console = console(shop);
    console.sees("1 OVERVIEW").press("5").sees("5 DEPLOY").sees(status);
    console
}

#[test]
fn a_stack_is_deployed_from_the_console_and_a_plan_that_is_left_leaves_nothing() {
    let account = Account::fresh();
    let shop = Stacked::live(&account);
    shop.replace("stack.yaml", "VisibilityTimeout: 30", "VisibilityTimeout: 60");
    shop.replace("stack.yaml", "BATCH: first-secret", "BATCH: second-secret");
    shop.commit();
    let console = console(&shop);
    console.sees("1 OVERVIEW").press("5").sees("5 DEPLOY").sees("CREATE_COMPLETE").sees("deploy ok");
    console.press("D").sees("DEPLOY PLAN").sees("VisibilityTimeout").sees("shop-dev   0 add");
    assert_eq!(shop.waiting_change_sets(), 1);
    console.press("<Esc>").loses("DEPLOY PLAN").sees("the change set is deleted again");
    assert_eq!(shop.waiting_change_sets(), 0, "a plan that is left leaves no change set");

    console.press("D").sees("DEPLOY PLAN").sees("VisibilityTimeout").press("<Enter>").sees("enter confirms nothing");
    console.press("y").sees("= UPDATE_COMPLETE").sees("QueueName = ").never_showed("second-secret");
    console.sees(&format!("receipt written: shop-dev runs {}", &shop.head()[..7]));
    console.sees("deploy ok").press("q").sees("1 OVERVIEW").press("q");
    assert_eq!(console.exit_code(), 0);
    assert_eq!(shop.status().as_deref(), Some("UPDATE_COMPLETE"));
    let journal = shop.journal();
    assert_eq!(journal.last(), Some(&serde_json::json!(["deploy", ["shop-dev"], "ok"])), "{journal:?}");
}

#[test]
fn a_redeploy_is_of_all_stacks_puts_back_what_was_changed_by_hand_and_heeds_the_hold() {
    let account = Account::fresh();
    let shop = night(&account);
    let more = "[[stacks]]\nname = \"shop-{env}-more\"\ntemplate = \"more.yaml\"\n[environments.dev]\n";
    shop.replace("plumb.toml", "[environments.dev]\n", more);
    shop.write("more.yaml", "Resources:\n  Told: { Type: AWS::SNS::Topic }\n");
    shop.commit();
    let hold = || {
        shop.plumb(&["hold", "--env", "dev", "--for", "1h", "--reason", "a migration", "--yes"]).ended(0);
    };
    let console = console(&shop);
    console.sees("1 OVERVIEW").press("5").sees("5 DEPLOY").sees("deploy ok");
    hold();
    console.press("D").sees("refused: dev is on hold").sees("a migration").press("<Esc>").loses("DEPLOY PLAN");
    shop.plumb(&["release", "--env", "dev", "--yes"]).ended(0);
    // One that begins while the plan is looked at counts too.
    console.press("D").sees("DEPLOY PLAN").sees("put back  Flag").sees("shop-dev-more, each by a plan of its own");
    hold();
    console.press("y").sees("refused: dev is on hold").loses("DEPLOY PLAN");
    assert_eq!(value(&account, "/shop/dev/flag"), "by-hand-value");
    shop.plumb(&["release", "--env", "dev", "--yes"]).ended(0);
    console
        .press("D")
        .sees("put back  Flag")
        .press("y")
        .sees("to make shop-dev-more")
        .press("y")
        .sees("= CREATE_COMPLETE");
    assert_eq!((value(&account, "/shop/dev/flag"), value(&account, "/shop/dev/gone")), ("on".into(), "here".into()));
    console.press("q").sees("1 OVERVIEW").press("q");
    assert_eq!(console.exit_code(), 0);
    let journal = shop.journal();
    assert_eq!(journal.last(), Some(&serde_json::json!(["deploy", ["shop-dev-more"], "ok"])), "{journal:?}");
}

#[test]
fn one_resource_is_put_back_from_the_page_of_stacks_and_nothing_else() {
    let account = Account::fresh();
    let shop = night(&account);
    let console = console(&shop);
    console
        .sees("1 OVERVIEW")
        .press("2")
        .sees("2 STACKS")
        .press("/")
        .type_text("/Flag")
        .press("<Enter>")
        .sees("V revert");
    console.press("V").sees("REVERT PLAN").sees("Flag, to what the stack runs").sees("put back  Flag").press("y");
    console.sees("5 DEPLOY").sees("/shop/dev/flag was put back");
    assert_eq!(value(&account, "/shop/dev/flag"), "on");
    assert_eq!(
        value(&account, "/shop/dev/gone"),
        serde_json::Value::Null,
        "the other one stays as it was made by hand"
    );
}

#[test]
fn a_plan_that_is_open_when_the_console_is_left_leaves_nothing() {
    let account = Account::fresh();
    let shop = Stacked::at(&account);
    let console = console(&shop);
    console.sees("1 OVERVIEW").press("D").sees("DEPLOY PLAN").sees("to make shop-dev").press("^c");
    assert_eq!(console.exit_code(), 0);
    assert_eq!(shop.status(), None, "a stack that was only looked at is gone");
}

#[test]
fn a_deployment_that_fails_says_what_failed_first_and_the_history_leads_back() {
    let account = Account::fresh();
    let shop = clashing(&account);
    let console = page(&shop, "CREATE_COMPLETE");
    console.press("D").sees("DEPLOY PLAN").sees("VisibilityTimeout").press("y");
    console.sees("! UPDATE_ROLLBACK_COMPLETE").sees("it runs what it ran before: Clash (AWS::SSM::Parameter)");
    console.sees("deploy failed").press("<Enter>").sees("roll back").press("j<Enter>").sees("ROLLBACK PLAN");
    let before = shop.git_text(&["rev-parse", "HEAD~1"]);
    console.sees(&before[..7]).sees("nothing to change").sees("write the receipt of shop-dev").press("y");
    console.sees("= nothing to change");
    console.press("1").sees("1 OVERVIEW").press("q");
    assert_eq!(console.exit_code(), 0);
    let journal = shop.journal();
    assert_eq!(journal.last(), Some(&serde_json::json!(["deploy", ["shop-dev"], "ok"])), "{journal:?}");
}

#[test]
fn a_stack_that_was_never_made_whole_is_led_out_of_that_from_the_page() {
    let account = Account::fresh();
    let shop = Stacked::with(&account, &TEMPLATE.replace("Outputs:", &format!("{CLASH}Outputs:")));
    shop.by_hand_parameter("/shop/clash");
    shop.plumb(&["deploy", "--env", "dev", "--yes"]).ended(2);
    let console = page(&shop, "! shop-dev  ROLLBACK_COMPLETE");
    console.sees("it was never made whole").sees("delete what is left of it; x plans it");
    console.press("D").sees("shop-dev is ROLLBACK_COMPLETE").press("<Esc>").loses("DEPLOY PLAN");
    console.press("x").sees("RECOVERY PLAN").sees("the stack is deleted; a deployment makes it anew").press("y");
    console.sees("= DELETE_COMPLETE").sees("- shop-dev  not there");
    assert_eq!(shop.status(), None);
    shop.replace("stack.yaml", CLASH, "");
    shop.commit();
    console.press("D").sees("DEPLOY PLAN").sees("to make shop-dev").press("y").sees("= CREATE_COMPLETE");
}

#[test]
fn what_is_under_way_when_the_console_begins_is_looked_on_at_to_its_end() {
    let account = Account::fresh();
    let shop = Stacked::live(&account);
    let (behind, proxy) = account.behind_proxy();
    let described = shop.cloudformation("DescribeStacks", &[("StackName", "shop-dev")]);
    let body = described.replace("CREATE_COMPLETE", "UPDATE_IN_PROGRESS").into_bytes();
    let busy = Arc::new(AtomicBool::new(true));
    let is_busy = Arc::clone(&busy);
    proxy
        .on("cloudformation:DescribeStacks")
        .when(move |call| is_busy.load(Ordering::SeqCst) && call.body_contains("shop-dev"))
        .reply(Fault::Body(200, body));
    let console = program(&shop, &behind.env()).start();
    console.sees("CloudFormation is at work on shop-dev; 5 looks on").press("5").sees("5 DEPLOY");
    console.sees("begun by a plumb (journal ").sees("leaving does not stop it; C takes it back").sees("Api  Lambda");
    console.press("D").sees("CloudFormation is at work on shop-dev already").press("<Esc>").loses("DEPLOY PLAN");
    console
        .press("C")
        .sees("CANCEL PLAN")
        .sees("rolls back what it has changed so far")
        .press("<Esc>")
        .loses("CANCEL PLAN");
    busy.store(false, Ordering::SeqCst);
    console.sees("= CREATE_COMPLETE").sees("QueueName = ").loses("leaving does not stop it");
    assert_eq!(proxy.count("cloudformation:CancelUpdateStack"), 0);
}

#[test]
fn an_alias_serves_its_previous_version_again_from_the_page() {
    let account = Account::fresh();
    let shop = with_alias(&account);
    shop.plumb(&["deploy", "--env", "dev", "--yes"]).ended(0);
    shop.write("api/app.py", "def handler(event, context):\n    return 2\n");
    shop.commit();
    shop.plumb(&["deploy", "--env", "dev", "--yes"]).ended(0);
    let console = page(&shop, "UPDATE_COMPLETE");
    console.sees("FUNCTIONS").press("<Enter>").sees("turn back").press("<Enter>").sees("ALIAS PLAN");
    console.sees("its code is another than what is served now").press("y").sees("= live serves version 1");
    let journal = shop.journal();
    assert_eq!(journal.last(), Some(&serde_json::json!(["alias", ["shop-dev/Api"], "ok"])), "{journal:?}");
}

/// Takes a picture of what is on the screen, at both sizes, once this is seen.
fn take(name: &str, shop: &Stacked, console: &Terminal, seen: &str) {
    let commits = shop.git_text(&["log", "--reverse", "--format=%H"]);
    let commits: Vec<String> = commits.lines().map(str::to_owned).collect();
    take_at(&PICTURES, name, [WIDE, NARROW], &commits, console, seen);
}

/// The same of a project with these commits; the picture of the smaller size has that in its name.
pub fn take_at(
    pictures: &[&str],
    name: &str,
    [wide, narrow]: [(u16, u16); 2],
    commits: &[String],
    console: &Terminal,
    seen: &str,
) {
    let drawn = |screen: &vt100::Screen| screenshot::svg_on(&StandIns::new(commits).screen(screen), Paper::Dark);
    let small = format!("{name}-80x24");
    let taken = [(name, wide), (&*small, narrow)];
    assert!(taken.iter().all(|(name, _)| pictures.contains(name)), "{name}");
    screenshot::take(console, (" plumb  ", seen), &taken, drawn);
    console.resize(wide.0, wide.1);
    // A key that comes before it is drawn anew may be taken for one of the smaller screen.
    let is_drawn = |screen: &vt100::Screen| screen.contents().lines().count() == usize::from(wide.1);
    assert!(console.comes_to(is_drawn).is_ok(), "{name}: it is not drawn at its first size again");
}

#[test]
fn the_page_its_plan_and_what_happens_have_their_pictures() {
    // An account of this test's own, whose id is the same in each run.
    let emulator = account::start(account::Options::default());
    let account = emulator.account();
    let shop = Stacked::live(&account);
    let change = |from: &str, to: &str| shop.replace("stack.yaml", from, to);
    change("VisibilityTimeout: 30", "VisibilityTimeout: 60");
    shop.commit();
    shop.plumb(&["deploy", "--env", "dev", "--yes"]).ended(0);
    change("VisibilityTimeout: 60", "VisibilityTimeout: 90");
    change("BATCH: first-secret", "BATCH: second-secret");
    change("Action: sqs:SendMessage, Resource", "Action: sqs:*, Resource");
    change(
        "  Topic:\n    Type: AWS::SNS::Topic\n    Properties: { TopicName: !Sub \"shop-${Environment}-told\" }\n",
        "",
    );
    shop.commit();
    // Some hours later, so that ages are the same however long it took.
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() + (6 * 60 + 20) * 60_000;
    let (behind, proxy) = account.behind_proxy();
    let console = program(&shop, &behind.env()).env("PLUMB_CLOCK", now.to_string()).start();
    console.sees("1 OVERVIEW").press("5").sees("5 DEPLOY").sees("deploy ok");
    take("deploy", &shop, &console, "deploy ok");
    console.press("D").sees("DEPLOY PLAN").sees("VisibilityTimeout");
    take("deploy-plan", &shop, &console, "VisibilityTimeout");
    // It is changed, and nobody can ask whether it is.
    proxy.on("cloudformation:DescribeStacks").reply(Fault::Hang);
    console.press("y").sees("UPDATE_COMPLETE                               shop-dev");
    take("deploy-under-way", &shop, &console, "of about");
    drop(console);
    shop.plumb(&["deploy", "--env", "dev", "--yes"]).ended(0);

    shop.by_hand_parameter("/shop/clash");
    change("Outputs:", &format!("{CLASH}Outputs:"));
    change("VisibilityTimeout: 90", "VisibilityTimeout: 45");
    shop.commit();
    let console = program(&shop, &account.env()).env("PLUMB_CLOCK", now.to_string()).start();
    console.sees("1 OVERVIEW").press("5").sees("5 DEPLOY").sees("deploy ok");
    console.press("D").sees("DEPLOY PLAN").sees("VisibilityTimeout").press("y").sees("! UPDATE_ROLLBACK_COMPLETE");
    console.sees("deploy failed");
    take("deploy-failed", &shop, &console, "deploy failed");
}
