//! Pushing, taking back and promoting as a shell sees them.

use serde_json::{Value, json};

use super::shop::{PROJECT, Shop, put_as};
use crate::support::account::Account;
use crate::support::proxy::{Fault, Gate};
use crate::support::terminal::Program;

const POOL: &str = "/billing/dev/db/pool";

fn live(account: &Account, name: &str) -> Value {
    let reply = account.caller().json("ssm", "AmazonSSM.GetParameters", &json!({ "Names": [name] })).unwrap();
    reply.json()["Parameters"][0]["Value"].clone()
}

fn change<'a>(json: &'a Value, name: &str) -> &'a Value {
    let changes = json["changes"].as_array().unwrap();
    changes.iter().find(|change| change["name"] == name).unwrap_or_else(|| panic!("no {name} in {json:#}"))
}

#[test]
fn a_push_is_planned_confirmed_and_told() {
    let account = Account::fresh();
    let shop = Shop::new().at(&account);
    shop.plumb(&["push", "--dry-run"]).ended(2).complained(&["which environment is to be written to?"]);
    let planned = shop.plumb(&["push", "--env", "dev", "--dry-run"]);
    planned.ended(1);
    for part in
        ["to    dev   account ", "3 create   0 update   0 delete", &format!("+ create  {POOL}   absent  ->  20")]
    {
        assert!(planned.stdout.contains(part), "{part}: {planned}");
    }
    assert_eq!(live(&account, POOL), Value::Null);
    shop.plumb(&["push", "--env", "dev"]).ended(2).complained(&["there is no terminal to ask at", "--yes"]);
    assert_eq!(live(&account, POOL), Value::Null);

    let done = shop.plumb(&["push", "--env", "dev", "--yes", "-o", "json"]);
    let json = done.ended(0).json();
    assert_eq!((json["written"].as_bool(), json["failed"].as_array().unwrap().len()), (Some(true), 0), "{json:#}");
    assert_eq!((&change(&json, POOL)["state"], &change(&json, POOL)["new_version"]), (&json!("written"), &json!("1")));
    assert_eq!(live(&account, POOL), "20");
    shop.plumb(&["status", "--env", "dev"]).ended(0);
    let again = shop.plumb(&["push", "--env", "dev", "--yes"]);
    assert!(again.ended(0).stdout.contains("nothing to write"), "{again}");
}

#[test]
fn values_are_masked_and_what_is_overwritten_is_named() {
    let account = Account::fresh();
    let shop = Shop::with_project(&PROJECT.replace("type = \"String\"\n", "")).at(&account);
    shop.plumb(&["push", "--env", "dev", "--yes"]).ended(0);
    put_as(&account, "SecureString", POOL, "by-hand-99");
    shop.write("config/billing/dev/config.json", "{\"db\": {\"pool\": 20}, \"url\": \"https://DEV\"}\n");
    shop.commit();
    let planned = shop.plumb(&["push", "--env", "dev", "--dry-run"]);
    planned.ended(1);
    assert!(!planned.stdout.contains("by-hand-99") && !planned.stdout.contains("https://dev"), "{planned}");
    assert!(planned.stdout.contains("! overwrites a change made live, 20"), "{planned}");
    assert!(
        planned.stdout.contains("v2  ->  •••• fp ") && planned.stdout.contains("differs only in letter case"),
        "{planned}"
    );
    let json = shop.plumb(&["push", "--env", "dev", "--dry-run", "-o", "json"]).json();
    let pool = change(&json, POOL);
    assert_eq!(
        (&pool["verdict"], &pool["overwrites"], &pool["live_version"]),
        (&json!("drifted"), &json!(true), &json!("2"))
    );
    assert_eq!(pool["before"]["state"], "value");
    assert!(!json.to_string().contains("by-hand-99"), "{json:#}");
    assert_eq!(json["written"], false);
}

#[test]
fn an_undo_a_rollback_and_a_history_are_one_command_each() {
    let account = Account::fresh();
    let shop = Shop::new().at(&account);
    shop.plumb(&["undo", "--env", "dev", "--dry-run"]).ended(2).complained(&["nothing was pushed to dev"]);
    shop.plumb(&["push", "--env", "dev", "--yes"]).ended(0);
    shop.write("config/billing/dev/config.json", "{\"db\": {\"pool\": 30}, \"url\": \"https://dev\"}\n");
    shop.commit();
    let pushed = shop.plumb(&["push", "--env", "dev", "--yes"]);
    let (_, id) = pushed.ended(0).stdout.split_once("plumb undo ").unwrap();
    let undone = shop.plumb(&["undo", &id[..6], "--env", "dev", "--yes"]);
    assert!(undone.ended(0).stdout.contains(&format!("= updated  {POOL}  3")), "{undone}");
    assert_eq!(live(&account, POOL), "20");
    shop.plumb(&["rollback", POOL, "--to", "2", "--env", "dev", "--yes"]).ended(0);
    assert_eq!(live(&account, POOL), "30");
    let past = shop.plumb(&["history", POOL, "--env", "dev"]);
    let lines: Vec<&str> = past.ended(0).stdout.lines().collect();
    assert_eq!(lines.len(), 6, "{past}");
    assert!(lines[0].contains("live v4") && lines[0].contains("current"), "{past}");
    assert_eq!(past.stdout.matches("git ").count(), 2, "{past}");
    let json = shop.plumb(&["history", POOL, "--env", "dev", "-o", "json"]).json();
    assert_eq!(json["events"].as_array().unwrap().len(), 6);
    let journal = shop.plumb(&["journal", "--env", "dev"]);
    for action in ["rollback", "undo", "push"] {
        assert!(journal.stdout.contains(action), "{journal}");
    }
}

#[test]
fn a_push_that_is_killed_is_told_of_and_continued() {
    let account = Account::fresh();
    let shop = Shop::new().at(&account);
    let (behind, proxy) = account.behind_proxy();
    let gate = Gate::new();
    proxy.on("ssm:PutParameter").after(1).reply(Fault::Silence(gate.clone()));
    let mut command = shop.command(&["push", "--env", "dev", "--yes"]);
    let mut child = command.envs(behind.env()).stdout(std::process::Stdio::null()).spawn().unwrap();
    gate.reached();
    child.kill().unwrap();
    child.wait().unwrap();

    let planned = shop.plumb(&["push", "--env", "dev", "--dry-run"]);
    assert!(planned.stdout.contains("was cut off: plumb push --resume goes on with it"), "{planned}");
    let resumed = shop.plumb(&["push", "--resume", "--env", "dev", "--yes", "-o", "json"]);
    let json = resumed.ended(0).complained(&["was cut off: "]).json();
    assert_eq!(json["written"].as_array().unwrap().len(), 3, "{json:#}");
    shop.plumb(&["status", "--env", "dev"]).ended(0);
    shop.plumb(&["push", "--resume", "--env", "dev", "--yes"]).ended(0).complained(&["nothing was cut off"]);
    let journal = shop.plumb(&["journal", "--env", "dev"]);
    assert!(!journal.stdout.contains("unknown"), "{journal}");
}

#[test]
fn a_protected_environment_wants_its_name_typed_and_a_read_only_one_refuses() {
    let account = Account::fresh();
    let project = PROJECT.replace("[environments.dev]", "[environments.dev]\nprotection = \"confirm\"");
    let shop = Shop::with_project(&project).at(&account);
    shop.plumb(&["push", "--env", "prod", "--yes"]).ended(2).complained(&["refused: prod is read-only"]);
    shop.plumb(&["push", "--env", "prod", "--dry-run"]).ended(1);
    let push = || {
        let program = Program::plumb().args(["push", "--env", "dev"]).dir(shop.root());
        program.env("HOME", shop.directory.path()).envs(shop.env.iter().map(|(name, value)| (name, value))).start()
    };
    let terminal = push();
    terminal.sees("Type dev to write 3 items").type_text("y\r").sees("was not confirmed");
    assert_eq!(terminal.exit_code(), 2, "{}", terminal.text());
    assert_eq!(live(&account, POOL), Value::Null);
    let terminal = push();
    terminal.sees("Type dev to write 3 items").type_text("dev\r");
    assert_eq!(terminal.exit_code(), 0, "{}", terminal.text());
    assert_eq!(live(&account, POOL), "20");
    let done = shop.plumb(&["push", "--env", "prod", "--unlock", "prod is down", "--yes"]);
    done.ended(0).complained(&["unlocked for this command alone"]);
    let journal = shop.plumb(&["journal", "--env", "prod", "--output", "json"]).json();
    assert_eq!(journal["entries"][0]["reason"], "prod is down");
}

#[test]
fn an_open_environment_wants_a_y_for_the_plan_that_it_was_shown() {
    let account = Account::fresh();
    let shop = Shop::new().at(&account);
    let program = Program::plumb().args(["push", "--env", "dev"]).dir(shop.root());
    let program = program.env("HOME", shop.directory.path()).envs(shop.env.iter().map(|(name, value)| (name, value)));
    let terminal = program.start();
    terminal.sees("+ create  /billing/dev/db/pool").sees("Type y to write 3 items").type_text("y\r");
    assert_eq!(terminal.exit_code(), 0, "{}", terminal.text());
    assert_eq!(live(&account, POOL), "20");
}

#[test]
fn a_promotion_is_compared_first_and_then_a_commit_on_a_branch() {
    let shop = Shop::new();
    shop.write("config/billing/prod/config.json", "{\"db\": {\"pool\": 100}, \"url\": \"https://dev\"}\n");
    shop.commit();
    shop.git(&["config", "user.name", "Mara"]);
    shop.git(&["config", "user.email", "mara@example.com"]);
    let compared = shop.plumb(&["promote", "--from", "dev", "--to", "prod"]);
    assert!(compared.ended(1).stdout.contains("different  billing/db/pool  20  100"), "{compared}");
    assert!(compared.stdout.contains("1 same, 1 not"), "{compared}");
    shop.plumb(&["promote", "--from", "dev", "--to", "prod", "billing/db/*", "--dry-run"]).ended(1);
    let arguments = ["promote", "--from", "dev", "--to", "prod", "billing/db/*", "--branch", "up"];
    let done = shop.plumb(&arguments);
    assert!(
        done.ended(0).stdout.contains("committed 1 value as ") && done.stdout.contains("git push -u origin up"),
        "{done}"
    );
    shop.plumb(&["promote", "--from", "dev", "--to", "prd"]).ended(2).complained(&["there is no environment prd"]);
    shop.plumb(&["promote", "--from", "dev", "--to", "prod", "nothing"]).ended(2).complained(&["has a key nothing"]);
    let global = shop.plumb(&["promote", "--from", "dev", "--to", "global", "-o", "json"]);
    assert_eq!(global.ended(1).json()["reaches"], json!(["dev", "prod"]));
}
