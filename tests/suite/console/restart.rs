//! Functions that have read a value, started anew from the console: with a push, and by a plan of their own.

use serde_json::Value;

use super::push::{POOL, console, live, parameters};
use crate::cli::deploy::readers::{description, lambda, pool, shop};
use crate::support::account::Account;

#[test]
fn readers_are_started_anew_with_a_push_and_by_a_plan_of_their_own() {
    let account = Account::fresh();
    let shop = shop(&account);
    let revision = || lambda(&account, "GET", "/configuration", &Value::Null)["RevisionId"].clone();
    let planned_with = revision();
    pool(&shop, 30);
    let console = console(&shop, &shop.env);
    parameters(&console);
    console.press("P").sees("PUSH PLAN").sees("1 write, about 2 s").sees("1 function may read this, and keeps");
    console.sees("[ ] restart it when done").sees("restart: no").press("^r").sees("restart: yes");
    console.sees("[x] restart it when done").sees("> restart shop-dev/Api   shop-dev-api");
    console.sees("y to push 1 item and restart 1 function").press("y").sees("1 written   0 not");
    console.sees("= shop-dev/Api").sees("restarted").press("<Esc>").loses("PUSH PLAN");
    let first = description(&account);
    assert!(first.starts_with("[started anew by plumb "), "{first}");
    assert_eq!(live(&account, POOL), "30");
    let second = revision();
    assert_ne!(second, planned_with, "it was updated");

    console
        .loses("> pending")
        .press("f")
        .sees("= in sync   /billing/dev/db/pool")
        .press("x")
        .sees("ACTIONS")
        .press("s");
    console.sees("RESTART PLAN").sees("> shop-dev/Api").sees("y to restart 1 function").press("<Enter>");
    console.sees("enter confirms nothing").press("y").loses("RESTART PLAN").sees("dev: 1 function restarted");
    assert_ne!(description(&account), first);
    assert_ne!(revision(), second);
    assert_eq!(live(&account, POOL), "30");
    console.press("u").sees("JOURNAL").sees("= ok      restart shop-dev/Api").sees("= ok      push");
    console.press("<Esc>").loses("JOURNAL").press("1").sees("1 OVERVIEW").press("q");
    assert_eq!(console.exit_code(), 0);
    shop.plumb(&["status", "--env", "dev", "--only", "code,parameter"]).ended(0);
}
