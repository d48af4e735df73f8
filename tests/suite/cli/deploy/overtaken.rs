//! Plans that somebody else was faster than, or whose maker is gone.

use super::refused::at_terminal;
use super::reverted::{template, value};
use super::stack::Stacked;
use crate::cli::shop::put;
use crate::support::account::Account;

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
    terminal
        .type_text("y\r")
        .sees("refused: this was planned before shop-dev was changed, and is UPDATE_COMPLETE");
    assert_eq!(terminal.exit_code(), 2, "{}", terminal.text());
    assert_eq!(value(&account, "/shop/dev/flag"), "newer");

    // A commit that changes nothing of the stack moves the receipt alone.
    put(&account, "/shop/dev/flag", "by-hand");
    let terminal = at_terminal(&shop, &REVERT);
    terminal.sees("Type y to put back Flag of shop-dev");
    shop.write("README.md", "A shop.\n");
    shop.commit();
    shop.plumb(&["deploy", "--env", "dev", "--yes"]).ended(0);
    terminal
        .type_text("y\r")
        .sees("refused: this was planned before shop-dev was deployed again, by arn:aws:");
    assert_eq!(terminal.exit_code(), 2, "{}", terminal.text());
    assert_eq!(value(&account, "/shop/dev/flag"), "by-hand");
    let journal = shop.journal();
    let ended: Vec<&str> = journal
        .iter()
        .filter(|entry| entry[0] == "deploy")
        .filter_map(|e| e[2].as_str())
        .collect();
    assert_eq!(ended, ["ok", "ok", "failed", "ok", "failed"], "{journal:?}");

    shop.plumb(&[&REVERT[..], &["--yes"]].concat()).ended(0);
    assert_eq!(value(&account, "/shop/dev/flag"), "newer");
}
