//! Writing by command where it is protected: what is typed, `--yes`, and `--unlock` for one command alone.

use serde_json::{Value, json};

use super::shop::{Done, PROJECT, Shop, put};
use crate::support::account::Account;
use crate::support::terminal::{Program, Terminal};

/// The reason of these tests.
const WHY: &str = "prod is down";

/// A project whose prod says what the account does; `more` goes into its part of `plumb.toml`.
fn prod(account: &Account, more: &str) -> Shop {
    let project = PROJECT.replace("[environments.prod]\n", &format!("[environments.prod]\n{more}\n"));
    let shop = Shop::with_project(&project).at(account);
    shop.write("config/billing/prod/config.json", "{\"db\": {\"pool\": 75}}\n");
    shop.commit();
    put(account, "/billing/prod/db/pool", "75");
    put(account, "/billing/global/currency", "EUR");
    shop
}

fn record(shop: &Shop, more: &[&str]) -> Done {
    shop.plumb(&[&["record", "--env", "prod"], more].concat())
}

/// The same at a terminal.
fn at_terminal(shop: &Shop, more: &[&str]) -> Terminal {
    let program = Program::plumb().dir(shop.root()).env("HOME", shop.directory.path()).envs(shop.env.iter().cloned());
    program.args(["record", "--env", "prod"]).args(more).start()
}

/// What was written, the oldest first: action, subjects, state and reason.
fn journal(shop: &Shop) -> Vec<Value> {
    let found = shop.plumb(&["journal", "--env", "prod", "--output", "json"]).ended(0).json();
    let entries = found["entries"].as_array().unwrap().iter().rev();
    entries.map(|entry| json!([entry["action"], entry["subjects"], entry["state"], entry["reason"]])).collect()
}

#[test]
fn a_read_only_environment_is_unlocked_for_one_command_and_for_no_other() {
    let account = Account::fresh();
    let shop = prod(&account, "");
    record(&shop, &[]).ended(2).complained(&["refused: prod is read-only", "try: --unlock \"why\""]);
    record(&shop, &["--yes"]).ended(2).complained(&["refused: prod is read-only"]);
    record(&shop, &["--unlock", "  x ", "--yes"]).ended(2).complained(&["--unlock: say why"]);
    record(&shop, &["--unlock", WHY]).ended(2).complained(&["no terminal to ask at", "try: --yes"]);
    record(&shop, &["--unlock", WHY, "--dry-run"]).ended(2).complained(&["cannot be used with"]);
    assert_eq!(journal(&shop), [Value::Null; 0], "what is refused is no write");

    let done = record(&shop, &["--unlock", WHY, "--yes", "--output", "json"]);
    assert_eq!(done.ended(0).json()["written"], true);
    done.complained(&["unlocked for this command alone, as arn:aws:"]);
    let unlocked = json!(["unlock", ["this command alone: record"], "ok", WHY]);
    assert_eq!(journal(&shop), [unlocked, json!(["record", ["config/billing"], "ok", WHY])]);
    record(&shop, &["--yes"]).ended(2).complained(&["refused: prod is read-only"]);
    assert_eq!(journal(&shop).len(), 2, "nothing is left unlocked");
}

#[test]
fn at_a_terminal_nothing_but_the_environment_s_name_confirms() {
    let account = Account::fresh();
    let shop = prod(&account, "");
    for wrong in ["", "y", "yes", "dev", "prod2"] {
        let terminal = at_terminal(&shop, &["--unlock", WHY]);
        terminal
            .sees(&format!("to      petshop / prod   account {}   eu-central-1", account.id))
            .sees("as      arn:aws:");
        terminal.sees(&format!("prod is read-only, and is not for this command: \"{WHY}\""));
        terminal.sees("Type prod to write receipts of what is equal:").type_text(&format!("{wrong}\r"));
        assert_eq!(terminal.exit_code(), 2);
        terminal.sees("refused: writing to prod was not confirmed").is_restored();
    }
    assert_eq!(journal(&shop), [Value::Null; 0]);
    let terminal = at_terminal(&shop, &["--unlock", WHY]);
    terminal.sees("Type prod to write receipts").press("^c");
    assert_eq!(terminal.exit_code(), 130, "it does not wait for the line");
    let terminal = at_terminal(&shop, &["--unlock", WHY]);
    terminal.sees("Type prod to write receipts").type_text("prod\r");
    assert_eq!(terminal.exit_code(), 0);
    assert_eq!(journal(&shop).len(), 2);
}

#[test]
fn where_writing_is_confirmed_its_name_is_typed_too_and_where_it_is_open_nothing_is() {
    let account = Account::fresh();
    let shop = prod(&account, "protection = \"confirm\"");
    record(&shop, &[]).ended(2).complained(&["no terminal to ask at"]);
    let terminal = at_terminal(&shop, &[]);
    terminal.sees("Type prod to write receipts").type_text("prod\r");
    assert_eq!(terminal.exit_code(), 0);
    record(&shop, &["--yes"]).ended(0);
    assert_eq!(journal(&shop).len(), 2);
    let open = prod(&Account::fresh(), "protection = \"open\"");
    record(&open, &[]).ended(0);
}

#[test]
fn what_is_unlocked_is_written_as_the_write_profile() {
    // Each access key of the emulator is an account of its own, so that one sees which of the two wrote.
    let (reader, writer) = (Account::fresh(), Account::fresh());
    let shop = prod(&writer, "profile = \"look\"\nwrite_profile = \"write\"");
    let profiles = [("look", &reader), ("write", &writer)].map(|(name, account)| {
        let keys = [("access_key_id", &account.access_key_id), ("secret_access_key", &account.secret_access_key)];
        let keys = keys.map(|(key, value)| format!("aws_{key} = {value}\n")).concat();
        format!("[profile {name}]\nregion = {}\n{keys}", account.region)
    });
    let profiles = profiles.concat();
    shop.write("../profiles", &profiles);
    let run = |arguments: &[&str]| {
        let mut command = shop.command(&[&["record", "--env", "prod"], arguments].concat());
        command.env("AWS_CONFIG_FILE", shop.directory.path().join("profiles"));
        Done::of(&command.output().unwrap())
    };
    run(&["--dry-run"]).ended(1);
    run(&["--unlock", WHY, "--yes"]).ended(0).complained(&[&writer.id]);
    let found = shop.plumb(&["journal", "--env", "prod", "--output", "json"]).ended(0).json();
    let accounts: Vec<&Value> = found["entries"].as_array().unwrap().iter().map(|entry| &entry["account"]).collect();
    assert_eq!(accounts, [&json!(writer.id), &json!(writer.id)]);
}
