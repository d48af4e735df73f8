//! Plans that somebody else was faster than, or whose maker is gone.

use super::refused::at_terminal;
use super::reverted::{template, value};
use super::stack::Stacked;
use crate::cli::shop::put;
use crate::support::account::Account;
use crate::support::proxy::{Fault, Gate};

const REVERT: [&str; 4] = ["deploy", "--env", "dev", "--revert-drift"];

#[test]
fn what_was_planned_before_another_deployment_puts_nothing_back() {
    let account = Account::fresh();
    let shop = Stacked::with(&account, &template());
    shop.plumb(&["deploy", "--env", "dev", "--yes"]).ended(0);
    put(&account, "/shop/dev/flag", "by-hand");
    let terminal = at_terminal(&shop, &REVERT);
    terminal.sees("Type y to put back Flag of shop-dev");
    shop.replace("stack.yaml", "Value: \"on\"", "Value: \"newer\"");
    shop.commit();
    shop.plumb(&["deploy", "--env", "dev", "--yes"]).ended(0);
    terminal.type_text("y\r").sees("refused: this was planned before shop-dev was changed, and is UPDATE_COMPLETE");
    assert_eq!(terminal.exit_code(), 2, "{}", terminal.text());
    assert_eq!(value(&account, "/shop/dev/flag"), "newer");

    // A commit that changes nothing of the stack moves the receipt alone.
    put(&account, "/shop/dev/flag", "by-hand");
    let terminal = at_terminal(&shop, &REVERT);
    terminal.sees("Type y to put back Flag of shop-dev");
    shop.write("README.md", "A shop.\n");
    shop.commit();
    shop.plumb(&["deploy", "--env", "dev", "--yes"]).ended(0);
    terminal.type_text("y\r").sees("refused: this was planned before shop-dev was deployed again, by arn:aws:");
    assert_eq!(terminal.exit_code(), 2, "{}", terminal.text());
    assert_eq!(value(&account, "/shop/dev/flag"), "by-hand");
    let journal = shop.journal();
    let ended: Vec<&str> = journal.iter().filter(|entry| entry[0] == "deploy").filter_map(|e| e[2].as_str()).collect();
    assert_eq!(ended, ["ok", "ok", "failed", "ok", "failed"], "{journal:?}");

    shop.plumb(&[&REVERT[..], &["--yes"]].concat()).ended(0);
    assert_eq!(value(&account, "/shop/dev/flag"), "newer");
}

#[test]
fn a_stack_that_another_plan_waits_in_is_taken_back_by_the_last_one_that_is_given_up() {
    let account = Account::fresh();
    let shop = Stacked::at(&account);
    let planned = || {
        let terminal = at_terminal(&shop, &["deploy", "--env", "dev"]);
        terminal.sees("Type y to make shop-dev");
        terminal
    };
    let given_up = |terminal: &crate::support::terminal::Terminal| {
        terminal.type_text("n\r").sees("is deleted again");
        assert_eq!(terminal.exit_code(), 2, "{}", terminal.text());
    };
    let (first, second) = (planned(), planned());
    given_up(&first);
    assert_eq!((shop.status().as_deref(), shop.waiting_change_sets()), (Some("REVIEW_IN_PROGRESS"), 1));
    given_up(&second);
    assert_eq!(shop.status(), None, "nobody's plan waits in it any more");

    let (first, second) = (planned(), planned());
    given_up(&first);
    second.type_text("y\r").sees("shop-dev: CREATE_COMPLETE");
    assert_eq!(second.exit_code(), 0, "{}", second.text());
}

/// Plumb is killed once its change set is made, before it hears of it.
fn killed_while_it_plans(account: &Account, shop: &Stacked) {
    let (behind, proxy) = account.behind_proxy();
    let gate = Gate::new();
    proxy.on("cloudformation:CreateChangeSet").reply(Fault::Silence(gate.clone()));
    let null = std::process::Stdio::null;
    let mut child = shop.command(&["deploy", "--env", "dev", "--yes"]);
    let mut child = child.envs(behind.env()).stdout(null()).stderr(null()).spawn().unwrap();
    gate.reached();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(shop.journal().last().unwrap()[2], "unknown");
}

#[test]
fn a_change_set_that_a_killed_plan_left_holds_up_no_other_and_goes_with_the_next_deployment() {
    let account = Account::fresh();
    let shop = Stacked::live(&account);
    shop.replace("stack.yaml", "VisibilityTimeout: 30", "VisibilityTimeout: 60");
    shop.commit();
    killed_while_it_plans(&account, &shop);
    assert_eq!((shop.status().as_deref(), shop.waiting_change_sets()), (Some("CREATE_COMPLETE"), 1));
    shop.plumb(&["deploy", "--env", "dev", "--dry-run"]).ended(1);
    assert_eq!(shop.waiting_change_sets(), 1, "a plan takes its own back and no other");
    shop.plumb(&["deploy", "--env", "dev", "--yes"]).ended(0);
    assert_eq!((shop.status().as_deref(), shop.waiting_change_sets()), (Some("UPDATE_COMPLETE"), 0));
}

#[test]
fn a_stack_that_a_killed_plan_left_to_be_reviewed_is_deleted_by_name_or_made_by_the_next() {
    let account = Account::fresh();
    let shop = Stacked::at(&account);
    let is_left = || (shop.status().as_deref() == Some("REVIEW_IN_PROGRESS"), shop.waiting_change_sets());
    killed_while_it_plans(&account, &shop);
    assert_eq!(is_left(), (true, 1));
    shop.plumb(&["deploy", "--env", "dev", "--dry-run"]).ended(1);
    assert_eq!(is_left(), (true, 1), "nobody can tell whose plan that is");
    let recover = ["recover", "shop-dev", "--env", "dev"];
    let shown = shop.plumb(&[&recover[..], &["--dry-run"]].concat());
    shown.ended(1).complained(&["it was never made, and only waits for a change set", "the way out: delete it"]);
    let terminal = at_terminal(&shop, &recover);
    terminal.sees("Type shop-dev to delete it of shop-dev").type_text("shop-dev\r").sees("DELETE_COMPLETE");
    assert_eq!((terminal.exit_code(), shop.status()), (0, None), "{}", terminal.text());

    killed_while_it_plans(&account, &shop);
    // The change set that was left goes with it on AWS; the local account keeps those of a stack under review.
    shop.plumb(&["deploy", "--env", "dev", "--yes"]).ended(0);
    assert_eq!(shop.status().as_deref(), Some("CREATE_COMPLETE"));
}
