//! `plumb demo`, as README has it: one command to a console over an account that has drifted, and nothing left after.

use std::path::{Path, PathBuf};

use super::shop::{crypto, data};
use crate::support::terminal::{Program, Terminal};

/// The processes that were started with this directory in their environment.
fn processes(of: &Path) -> Vec<u32> {
    let mark = of.to_str().unwrap().as_bytes();
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| {
        let environ = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environ.windows(mark.len()).any(|window| window == mark)
    })
    .collect()
}

fn entries(of: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(of).unwrap().map(|entry| entry.unwrap().path()).collect()
}

fn demo(home: &Path, arguments: &[&str]) -> Terminal {
    let temporary = home.join("tmp");
    std::fs::create_dir(&temporary).unwrap();
    let program = Program::plumb().dir(home).args(["demo"]).args(arguments).envs([
        ("HOME", home.to_owned()),
        ("TMPDIR", temporary),
        ("PLUMB_DATA_DIR", data()),
        ("PLUMB_STATE_DIR", home.join("state")),
        ("PLUMB_CRYPTO_BOOTSTRAP", crypto()),
    ]);
    program.start()
}

/// Plays until the console is there; making the demo takes longer than any one wait.
fn opens(terminal: &Terminal) {
    for step in [
        "writing the petshop's history",
        "the stack of dev",
        "the stack of qa",
        "the stack of uat",
        "the stack of prod",
        "the night",
    ] {
        terminal.sees(step);
    }
    terminal.sees("petshop / prod").sees("~ drifted").sees("petshop-prod/OrdersTable").sees("+10");
}

#[test]
fn it_opens_the_console_on_a_drifted_account_and_leaves_nothing() {
    let home = tempfile::tempdir().unwrap();
    let terminal = demo(home.path(), &[]);
    opens(&terminal);
    assert!(processes(home.path()).len() > 1, "plumb and the account");
    terminal.press("q");
    assert_eq!(terminal.exit_code(), 0);
    terminal.is_restored();
    assert_eq!(processes(home.path()), [0; 0]);
    assert_eq!(entries(&home.path().join("tmp")), Vec::<PathBuf>::new());
}

#[test]
fn it_keeps_the_project_when_told_to_and_ends_the_account_all_the_same() {
    let home = tempfile::tempdir().unwrap();
    let terminal = demo(home.path(), &["--keep"]);
    opens(&terminal);
    terminal.press("^c");
    assert_eq!(terminal.exit_code(), 0);
    let kept = entries(&home.path().join("tmp"));
    let project = kept[0].join("petshop");
    assert!(kept.len() == 1 && project.join("plumb.toml").is_file() && project.join(".git").is_dir(), "{kept:?}");
    assert!(terminal.text().replace('\n', "").contains(project.to_str().unwrap()), "{}", terminal.text());
    assert_eq!(processes(home.path()), [0; 0]);
}
