//! Values made what git says from the console, and back: planned, confirmed, written, taken back, gone on with.

use serde_json::{Value, json};

use crate::cli::shop::{PROJECT, Shop, put_as};
use crate::support::account::Account;
use crate::support::proxy::{Fault, Gate};
use crate::support::terminal::{Program, Terminal};

pub(super) const POOL: &str = "/billing/dev/db/pool";
const URL: &str = "/billing/dev/url";

pub(super) fn live(account: &Account, name: &str) -> Value {
    let body = json!({ "Names": [name], "WithDecryption": true });
    let reply = account.caller().json("ssm", "AmazonSSM.GetParameters", &body).unwrap();
    reply.json()["Parameters"][0]["Value"].clone()
}

/// A shop whose dev has been pushed, with encrypted parameters.
fn pushed(account: &Account, protection: &str) -> Shop {
    let project = PROJECT.replace("type = \"String\"\n", "");
    let project = project.replace("[environments.dev]", &format!("[environments.dev]\nprotection = \"{protection}\""));
    let shop = Shop::with_project(&project).at(account);
    shop.plumb(&["push", "--env", "dev", "--yes"]).ended(0);
    shop
}

/// The console on dev, with the home that the commands have.
pub(super) fn console(shop: &Shop, env: &[(String, String)]) -> Terminal {
    let program = Program::plumb().dir(shop.root()).args(["--env", "dev"]).env("HOME", shop.directory.path());
    let program = program.env("AWS_EC2_METADATA_DISABLED", "true");
    program.envs(env.iter().map(|(name, value)| (name, value))).start()
}

/// The parameters, once they are read.
pub(super) fn parameters(console: &Terminal) {
    console.sees("1 OVERVIEW").press("3").sees("3 PARAMETERS").sees("billing").loses("reading");
}

#[test]
fn a_change_by_hand_is_overwritten_by_a_plan_and_brought_back_by_another() {
    let account = Account::fresh();
    let shop = pushed(&account, "confirm");
    put_as(&account, "SecureString", POOL, "by-hand-99");
    let console = console(&shop, &shop.env);
    parameters(&console);
    console
        .sees("~ drifted   /billing/dev/db/pool")
        .press("P")
        .sees("PUSH PLAN")
        .sees("[x] ~ update  /billing/dev/db/pool");
    console.sees("v2").sees("! overwrites a change made live, 20").sees("Type dev to push 1 item, or esc");
    console.press("<Enter>").sees("enter confirms nothing").type_text("dev").sees("1 written   0 not");
    assert_eq!(live(&account, POOL), "20");
    console.sees("updated").sees("u to take it back").press("<Esc>").loses("PUSH PLAN");
    console.loses("~ drifted").sees("= in sync");

    console.press("u").sees("JOURNAL").sees("= ok      push    /billing/dev/db/pool").press("u").sees("UNDO PLAN");
    console.sees("Type dev to take back 1 item").type_text("dev").sees("1 written   0 not");
    assert_eq!(live(&account, POOL), "by-hand-99");
    console.press("<Esc>").loses("UNDO PLAN").loses("reading the journal").press("<Esc>").loses("JOURNAL");
    console.sees("~ drifted   /billing/dev/db/pool").never_showed("by-hand-99");
    // The same by the menu of the item, for it alone.
    console.press("x").sees("ACTIONS").press("g").sees("PUSH PLAN").sees("Type dev to push 1 item").type_text("dev");
    console.sees("1 written   0 not");
    assert_eq!(live(&account, POOL), "20");
    console.press("<Esc>").loses("PUSH PLAN").press("1").sees("1 OVERVIEW").press("q");
    assert_eq!(console.exit_code(), 0);
}

#[test]
fn one_item_that_is_refused_keeps_no_other_and_is_told() {
    let account = Account::fresh();
    let shop = pushed(&account, "open");
    let config = "{\"db\": {\"pool\": 30}, \"url\": \"https://new\"}\n";
    shop.write("config/billing/dev/config.json", config);
    shop.commit();
    let (behind, proxy) = account.behind_proxy();
    let denied = Fault::AccessDenied(String::from("not authorized to perform: ssm:PutParameter"));
    proxy.on("ssm:PutParameter").when(|call| call.json()["Name"] == URL).reply(denied);
    let env: Vec<(String, String)> = shop.env.iter().cloned().chain(behind.env()).collect();
    let console = console(&shop, &env);
    parameters(&console);
    console.press("P").sees("2 update").sees("y to push 2 items").press("y").sees("1 written   1 not");
    console.sees("? /billing/dev/url").sees("AccessDeniedException").sees("= /billing/dev/db/pool");
    assert_eq!((live(&account, POOL), live(&account, URL)), (json!("30"), json!("https://dev")));
    proxy.heal();
    console.press("<Esc>").loses("PUSH PLAN").press("P").sees("y to push 1 item").press("y").sees("1 written   0 not");
    assert_eq!(live(&account, URL), "https://new");
    console.press("<Esc>").loses("PUSH PLAN").press("1").sees("1 OVERVIEW").press("q");
    assert_eq!(console.exit_code(), 0);
}

#[test]
fn a_push_that_is_killed_is_told_at_the_next_start_and_goes_on() {
    let account = Account::fresh();
    let shop = pushed(&account, "open");
    let config = "{\"db\": {\"pool\": 30}, \"url\": \"https://new\"}\n";
    shop.write("config/billing/dev/config.json", config);
    shop.commit();
    let (behind, proxy) = account.behind_proxy();
    let gate = Gate::new();
    proxy.on("ssm:PutParameter").when(|call| call.json()["Name"] == URL).reply(Fault::Silence(gate.clone()));
    let env: Vec<(String, String)> = shop.env.iter().cloned().chain(behind.env()).collect();
    let first = console(&shop, &env);
    parameters(&first);
    first.press("P").sees("y to push 2 items").press("y").sees("on it");
    gate.reached();
    // Leaving it leaves the push alone, and who quits is asked.
    first.press("<Esc>").loses("PUSH PLAN").sees("writing").press("^c").sees("once more leaves it unfinished");
    first.signal(rustix::process::Signal::KILL);
    let _ = first.exit();
    proxy.heal();
    gate.open();

    let console = console(&shop, &shop.env);
    console.sees("dev: the push of ").sees("was cut off").press("u").sees("JOURNAL").sees("? unknown push").press("c");
    console.sees("RESUME PLAN").sees("may be done: it is looked at first").sees("y to go on with it").press("y");
    console.sees("u to take it back").press("<Esc>").loses("RESUME PLAN");
    assert_eq!((live(&account, POOL), live(&account, URL)), (json!("30"), json!("https://new")));
    console.loses("reading the journal").press("<Esc>").loses("JOURNAL").loses("was cut off").press("q");
    assert_eq!(console.exit_code(), 0);
    shop.plumb(&["status", "--env", "dev"]).ended(0);
}

#[test]
fn an_earlier_version_is_given_back_from_the_history_and_values_go_to_another_environment() {
    let account = Account::fresh();
    let shop = pushed(&account, "open");
    shop.write("config/billing/prod/config.json", "{\"db\": {\"pool\": 100}, \"url\": \"https://dev\"}\n");
    shop.commit();
    shop.git(&["config", "user.name", "Mara"]);
    shop.git(&["config", "user.email", "mara@example.com"]);
    put_as(&account, "SecureString", POOL, "by-hand-99");
    let console = console(&shop, &shop.env);
    parameters(&console);
    console.sees("~ drifted   /billing/dev/db/pool").press("t").sees("HISTORY").sees("live v2").sees("live v1");
    console.press("<Enter>").sees("this version is live").press("j <Enter>").sees("ROLLBACK PLAN");
    console.sees("y to roll back 1 item").press("y").sees("1 written   0 not");
    assert_eq!(live(&account, POOL), "20");
    console.press("<Esc>").loses("ROLLBACK PLAN").press("<Esc>").loses("HISTORY").never_showed("by-hand-99");

    console.press(":").sees("COMMANDS").type_text("promote prod").press("<Enter>").sees("PROMOTE").sees("dev -> prod");
    console.sees("[ ] different  billing/db/pool").press("<Space>").sees("y commits 1 value").press("y");
    console.sees("1 value committed as").sees("git push -u origin promote-dev-to-prod-");
    console.press("<Esc>").loses("PROMOTE").press("1").sees("1 OVERVIEW").press("q");
    assert_eq!(console.exit_code(), 0);
    let compared = shop.plumb(&["promote", "--from", "dev", "--to", "prod"]);
    assert!(compared.ended(1).stdout.contains("different  billing/db/pool"), "main is as it was: {compared}");
}
