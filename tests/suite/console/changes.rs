//! The change list: a value edited in the console, kept whatever happens, and committed by the user's own git.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;
use tempfile::TempDir;

use super::shop::{Visit, shop};

const FILE: &str = "config/billing/dev/config.json";

/// A clone of the demo's project, with somebody who commits, and a state directory that outlives a console.
struct Clone {
    directory: TempDir,
    project: PathBuf,
}

impl Clone {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let project = directory.path().join("petshop");
        let clone = Self { directory, project };
        let from = shop().project.display().to_string();
        let to = clone.project.display().to_string();
        assert!(Command::new("git").args(["clone", "-q", &from, &to]).status().unwrap().success());
        clone.git(&["config", "user.name", "Ann"]);
        clone.git(&["config", "user.email", "ann@example.com"]);
        clone
    }

    fn git(&self, arguments: &[&str]) -> String {
        let output = Command::new("git").args(arguments).current_dir(&self.project).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    fn visit(&self) -> Visit {
        let state = self.directory.path().join("state").display().to_string();
        let project = self.project.clone();
        shop().console_in("dev").env("PLUMB_STATE_DIR", &state).with(|program| program.dir(project))
    }

    fn hook(&self, script: &str) {
        let hook = self.project.join(".git/hooks/pre-commit");
        std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
        std::fs::write(&hook, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
}

/// Every file below a directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn a_value_is_edited_listed_and_committed_and_git_log_has_it() {
    let clone = Clone::new();
    clone.git(&["switch", "-q", "-c", "fix"]);
    let console = clone.visit().open();
    console.press("3").sees("limit_cents").press("f /").type_text("billing/dev/db/password").press("<Enter>");
    console.press("e").sees("EDIT  /billing/dev/db/password").sees("24 characters").sees("branch fix");
    console.press("^u").sees("takes no empty value").type_text("guppy-in-a-bowl").sees("= can be taken: 15 bytes");
    console.never_showed("guppy").press("<Enter>").sees("db/password is in the list; 1 change pending");
    assert_eq!(clone.git(&["status", "--porcelain"]), "");
    console.press("c").sees("CHANGES  petshop").sees("~ change").sees("commits on fix");
    console.press("d").sees("3 lines differ").press("<Esc>").loses("lines differ");
    console.press("c").sees("Change db/password of billing in dev").press("<Enter>").sees("= committed").sees("on fix");
    assert_eq!(clone.git(&["log", "-1", "--format=%an %s"]), "Ann Change db/password of billing in dev");
    assert_eq!(clone.git(&["show", "--numstat", "--format=", "HEAD"]), format!("3\t3\t{FILE}"));
    assert_eq!(clone.git(&["status", "--porcelain"]), "");
    console.press("q").loses("CHANGES").never_showed("guppy");
    console.quit();
}

#[test]
fn a_list_outlives_a_console_that_was_killed_and_lies_there_encrypted() {
    let clone = Clone::new();
    let console = clone.visit().open();
    console.press("3").sees("limit_cents").press("f /").type_text("billing/dev/db/host").press("<Enter>");
    console.press("e").sees("characters").press("^u").type_text("db.guppy.example");
    console.press("<Enter>").sees("1 change pending");
    console.signal(Signal::KILL);
    console.exit();
    for file in files(&clone.directory.path().join("state")) {
        let bytes = std::fs::read(&file).unwrap();
        assert!(!bytes.windows(5).any(|part| part == b"guppy"), "{} has it in clear", file.display());
    }
    let console = clone.visit().open();
    console.sees("1 change pending").press("c").sees("~ change").never_showed("guppy");
    console.press("v").sees("db.guppy.example").sees("db.dev.petshop.example");
    console.press("-").sees("nothing is pending").press("q").loses("CHANGES");
    console.quit();
}

#[test]
fn a_hook_that_refuses_is_heard_and_a_protected_branch_gets_another_beside_it() {
    let clone = Clone::new();
    clone.hook("echo 'the hook says: not on a Friday' >&2; exit 1");
    let console = clone.visit().open();
    console.press("3").sees("limit_cents").press("f /").type_text("billing/dev/db/host").press("<Enter>");
    console
        .press("e")
        .sees("characters")
        .press("^u")
        .type_text("db.guppy.example")
        .press("<Enter>")
        .sees("1 change pending");
    console.press("c").sees("commits on a new branch").sees("main is what prod is compared with");
    console.press("c").sees("message").press("<Enter>").sees("press enter to go back").press("<Enter>");
    console.sees("git refused the commit, and the list stays: the hook says: not on a Friday");
    console.sees("1 change pending");
    assert_eq!(
        (clone.git(&["status", "--porcelain"]), clone.git(&["branch", "--list", "config/*"])),
        Default::default()
    );
    clone.hook("exit 0");
    console.press("<Enter>").sees("= committed").sees("on config/change-db-host-of-billing-in-dev");
    console.sees("git push --set-upstream origin config/change-db-host-of-billing-in-dev");
    let log = clone.git(&["log", "-1", "--format=%an %s", "config/change-db-host-of-billing-in-dev"]);
    assert_eq!(log, "Ann Change db/host of billing in dev");
    console.press("q").loses("CHANGES");
    console.quit();
}
