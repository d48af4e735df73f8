//! Beginning a project as a new user does: `plumb init`, a commit, a push, and then the workflow's own steps, as they are
//! written, run by bash with this plumb in PATH.
//!
//! What a runner does for a step that `uses` an action is done here by hand: a clone, and credentials in the environment.

mod asked;
mod condition;
mod files;
pub mod rolled_out;
pub mod runner;
mod token;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use crate::cli::shop::Done;

/// A home, and in it a folder for a project and a bare repository as its remote.
pub struct Newcomer {
    home: tempfile::TempDir,
    pub env: Vec<(String, String)>,
}

impl Newcomer {
    pub fn new(env: Vec<(String, String)>) -> Self {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join("shop")).unwrap();
        Self { home, env }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub fn read(&self, name: &str) -> String {
        let path = self.path("shop").join(name);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path("shop").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// A program with nothing of the machine's environment.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>, directory: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(directory).env_clear().env("PATH", std::env::var_os("PATH").unwrap());
        command.env("HOME", self.home.path()).env("GIT_CONFIG_NOSYSTEM", "1").envs(self.env.iter().cloned());
        for (name, value) in [("GIT_AUTHOR", "a"), ("GIT_COMMITTER", "a")] {
            command.env(format!("{name}_NAME"), value).env(format!("{name}_EMAIL"), "a@example.com");
        }
        command
    }

    pub fn plumb(&self, arguments: &[&str]) -> Done {
        let mut command = self.command(env!("CARGO_BIN_EXE_plumb"), &self.path("shop"));
        Done::of(&command.args(arguments).output().unwrap())
    }

    pub fn git(&self, arguments: &[&str]) -> String {
        said(&self.command("git", &self.path("shop")).args(arguments).output().unwrap())
    }

    /// Commits everything, and pushes it to the remote, which is made when there is none.
    pub fn hands_on(&self, message: &str) -> String {
        let remote = self.path("remote.git");
        if !remote.exists() {
            said(
                &self
                    .command("git", self.home.path())
                    .args(["init", "-q", "--bare", "-b", "main", "remote.git"])
                    .output()
                    .unwrap(),
            );
            self.git(&["remote", "add", "origin", remote.to_str().unwrap()]);
        }
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", message]);
        self.git(&["push", "-q", "-u", "origin", "HEAD"]);
        self.git(&["rev-parse", "HEAD"])
    }
}

/// What a program printed, which must have ended well.
fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).trim().to_owned();
    assert!(output.status.success(), "{text}");
    text
}
