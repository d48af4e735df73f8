//! The deploy page as a person meets it: the real binary in a terminal, over a stack of the local account.

use super::stack::Stacked;
use crate::support::account::Account;
use crate::support::terminal::{Program, Terminal};

fn console(shop: &Stacked) -> Terminal {
    let program = Program::plumb().dir(shop.root()).args(["--env", "dev"]).env("HOME", shop.directory.path());
    let program = program.env("AWS_EC2_METADATA_DISABLED", "true").size(140, 45);
    program.envs(shop.env.iter().map(|(name, value)| (name, value))).start()
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
    console.sees("deploy ok").press("q").sees("1 OVERVIEW").press("q");
    assert_eq!(console.exit_code(), 0);
    assert_eq!(shop.status().as_deref(), Some("UPDATE_COMPLETE"));
    let journal = shop.journal();
    assert_eq!(journal.last(), Some(&serde_json::json!(["deploy", ["shop-dev"], "ok"])), "{journal:?}");
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
