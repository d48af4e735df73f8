//! Real repositories in temporary directories, with fixed people and times.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Repository;

/// Time of the first commit, seconds since the Unix epoch: 2026-01-01T00:00:00Z.
pub(super) const FIRST: i64 = 1_767_225_600;

/// A repository on branch `main`; each commit is one minute after the one before it.
pub(super) struct Fixture {
    dir: tempfile::TempDir,
    path: PathBuf,
    clock: Cell<i64>,
}

impl Fixture {
    /// Without a commit.
    pub(super) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().canonicalize().unwrap().join("repository");
        std::fs::create_dir(&path).unwrap();
        let fixture = Self { dir, path, clock: Cell::new(FIRST) };
        fixture.git(&["init", "-q", "-b", "main"]);
        fixture
    }

    /// With `a.txt` committed as "First".
    pub(super) fn with_commit() -> Self {
        let fixture = Self::new();
        fixture.commit("a.txt", "one\n", "First");
        fixture
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn open(&self) -> Repository {
        Repository::discover(&self.path).unwrap()
    }

    /// The time of the next commit, seconds since the Unix epoch.
    pub(super) fn now(&self) -> i64 {
        self.clock.get()
    }

    /// A path next to the repository.
    pub(super) fn beside(&self, name: &str) -> PathBuf {
        self.dir.path().canonicalize().unwrap().join(name)
    }

    pub(super) fn write(&self, path: &str, content: &str) {
        let path = self.path.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    /// Writes a file and commits all there is.
    pub(super) fn commit(&self, path: &str, content: &str, message: &str) {
        self.write(path, content);
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", message]);
        self.clock.set(self.clock.get() + 60);
    }

    pub(super) fn clone_as(&self, name: &str, options: &[&str]) -> PathBuf {
        // A plain path would ignore --filter and --depth.
        let url = format!("file://{}", self.path.display());
        let url = if options.contains(&"--filter=blob:none") { url.as_str() } else { self.path.to_str().unwrap() };
        self.clone_from(url, name, options)
    }

    pub(super) fn clone_from(&self, url: &str, name: &str, options: &[&str]) -> PathBuf {
        let target = self.beside(name);
        self.git(&[&["clone", "-q"], options, &[url, target.to_str().unwrap()]].concat());
        target
    }

    /// Runs git in the repository, and gives what it prints.
    pub(super) fn git(&self, args: &[&str]) -> String {
        self.git_with(&self.path, &[], args)
    }

    pub(super) fn git_in(&self, dir: &Path, args: &[&str]) -> String {
        self.git_with(dir, &[], args)
    }

    pub(super) fn git_may_fail(&self, args: &[&str]) {
        self.command(&self.path, args).output().unwrap();
    }

    pub(super) fn git_with(&self, dir: &Path, env: &[(&str, &str)], args: &[&str]) -> String {
        let output = self.command(dir, args).envs(env.iter().copied()).output().unwrap();
        assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    fn command(&self, dir: &Path, args: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.current_dir(dir).args(args);
        for variable in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
            command.env_remove(variable);
        }
        let date = format!("{} +0000", self.clock.get());
        command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
        command.env("GIT_AUTHOR_NAME", "Ada").env("GIT_AUTHOR_EMAIL", "ada@example.com").env("GIT_AUTHOR_DATE", &date);
        command.env("GIT_COMMITTER_NAME", "Ada").env("GIT_COMMITTER_EMAIL", "ada@example.com");
        command.env("GIT_COMMITTER_DATE", &date);
        command
    }
}
