//! How a command ends when its output or the local account is not there.

use std::fs::OpenOptions;
use std::process::Stdio;

use super::shop::{Done, Shop};
use crate::support::terminal::Program;

#[test]
fn a_reader_that_goes_away_is_not_called_a_success() {
    let shop = Shop::new();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let status = shop.command(&["map", "--env", "dev"]).stdout(writer).status().unwrap();
    assert_eq!(status.code(), Some(141));
}

#[test]
fn the_local_account_is_down_until_it_is_up() {
    let shop = Shop::empty();
    let done = shop.plumb(&["local", "status"]);
    done.ended(1);
    assert_eq!(done.stdout, "stopped\n");
    shop.plumb(&["local", "env"]).ended(2).complained(&["the local account does not run", "try: plumb local up"]);
    shop.plumb(&["local", "reset"]).ended(2).complained(&["does not run"]);
    shop.plumb(&["local", "down"]).ended(0).complained(&["did not run"]);
}

/// Where nothing can be written any more, as on a full disk.
fn full() -> Stdio {
    OpenOptions::new().write(true).open("/dev/full").unwrap().into()
}

#[cfg(target_os = "linux")]
#[test]
fn an_output_that_cannot_be_written_is_no_success() {
    let shop = Shop::new();
    for arguments in [
        &["completions", "bash"][..],
        &["--help"],
        &["man"],
        &["keys"],
        &["map", "--env", "dev"],
        &["map", "--all", "-o", "json"],
    ] {
        let done = Done::of(&shop.command(arguments).stdout(full()).output().unwrap());
        done.ended(2).complained(&["plumb: cannot write the output: No space left on device"]);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn words_that_nobody_can_be_told_cost_nothing() {
    let mut shop = Shop::new();
    shop.env =
        vec![("AWS_REGION".into(), "eu-central-1".into()), ("AWS_ENDPOINT_URL".into(), "http://127.0.0.1:9".into())];
    let deaf = |arguments: &[&str]| shop.command(arguments).stderr(full()).output().unwrap().status.code();
    assert_eq!(deaf(&["policy", "read", "--env", "dev"]), Some(0));
    assert_eq!(deaf(&["local", "down"]), Some(0));
    assert_eq!(deaf(&["record", "--env", "dev", "--dry-run"]), Some(2));
    assert_eq!(deaf(&["status", "--env", "dev", "--stats"]), Some(2));
    assert_eq!(deaf(&["nothing"]), Some(2));
    shop.env.push(("PLUMB_CRYPTO_BOOTSTRAP".into(), "/nonexistent".into()));
    assert_eq!(shop.command(&["demo", "--script"]).stderr(full()).output().unwrap().status.code(), Some(2));
}

#[test]
fn a_full_disk_leaves_no_half_a_key_behind() {
    let shop = Shop::new();
    let state = shop.directory.path().join("state");
    let plumb = env!("CARGO_BIN_EXE_plumb");
    let mut command = shop.command(&[]);
    // A limit on the size of files stands for the disk that is full.
    let script = format!("trap '' XFSZ; ulimit -f 0; exec '{plumb}' status --env dev --region eu-central-1");
    let shell = command.env("PLUMB_STATE_DIR", &state).get_envs().map(|(k, v)| (k.to_owned(), v.unwrap().to_owned()));
    let variables: Vec<_> = shell.collect();
    let mut limited = std::process::Command::new("sh");
    limited.args(["-c", &script]).current_dir(shop.root()).env_clear().envs(variables);
    let done = Done::of(&limited.output().unwrap());
    done.ended(2).complained(&["cannot keep this machine's fingerprint key", "PLUMB_STATE_DIR"]);
    assert_eq!(std::fs::read_dir(&state).unwrap().count(), 0, "{done}");
}

#[test]
fn a_pager_that_is_not_there_costs_nothing_but_a_word() {
    let shop = Shop::new();
    let terminal = Program::plumb()
        .args(["diff", "--env", "dev", "--region", "eu-central-1", "--endpoint-url", "http://127.0.0.1:9"])
        .env("HOME", shop.directory.path())
        .env("PAGER", "no-such-pager -R")
        .dir(shop.root())
        .start();
    assert_eq!(terminal.exit_code(), 2);
    terminal.sees("note: the pager was not found: it is named by PLUMB_PAGER, PAGER").sees("dev   account unknown");
}
