//! A new branch with changed files, committed by the user's own `git`: with its identity, its signature and its hooks.
//!
//! It is made in a work tree of its own, so that nothing that lies about in the user's - changes, a rebase, a locked
//! index - is in its way, or touched by it.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Error, Repository};

/// A work tree beside the user's, on a new branch. It goes with this value, and the branch too unless it is kept.
pub struct Aside {
    repository: Repository,
    branch: String,
    place: tempfile::TempDir,
    settled: bool,
}

impl Aside {
    /// Makes the branch at a commit. Fails when there is one of that name.
    pub fn begin(repository: &Repository, branch: &str, start: &str) -> Result<Self, Error> {
        let place = tempfile::Builder::new().prefix("plumb-branch-").tempdir();
        let place = place.map_err(|error| Error::Git {
            what: String::from("make a directory for the branch"),
            reason: error.to_string(),
        })?;
        let start = repository.resolve(start)?.id;
        let tree = place.path().join("tree");
        run(repository.root(), &["worktree", "add", "--quiet", "-b", branch, &tree.to_string_lossy(), &start])?;
        Ok(Self { repository: repository.clone(), branch: branch.to_owned(), place, settled: false })
    }

    /// Where it lies.
    #[must_use]
    pub fn directory(&self) -> PathBuf {
        self.place.path().join("tree")
    }

    /// Writes files and stages them. Paths are from the repository's root.
    pub fn add(&self, files: &[(String, Vec<u8>)]) -> Result<(), Error> {
        if files.is_empty() {
            return Ok(());
        }
        let tree = self.directory();
        let mut add = vec!["add", "--"];
        for (path, bytes) in files {
            let target = tree.join(path);
            let written =
                target.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(&target, bytes));
            written.map_err(|error| Error::Git { what: format!("write {path}"), reason: error.to_string() })?;
            add.push(path);
        }
        run(&tree, &add).map(drop)
    }

    /// Removes files, and stages that.
    pub fn take(&self, files: &[String]) -> Result<(), Error> {
        if files.is_empty() {
            return Ok(());
        }
        let remove = ["rm", "--quiet", "--"].into_iter().chain(files.iter().map(String::as_str));
        run(&self.directory(), &remove.collect::<Vec<_>>()).map(drop)
    }

    /// Keeps the branch as it is now, and answers the id of its last commit.
    pub fn keep(mut self) -> Result<String, Error> {
        let id = run(&self.directory(), &["rev-parse", "HEAD"])?;
        self.settled = true;
        self.remove()?;
        Ok(id)
    }

    /// Takes the branch back.
    pub fn give_up(mut self) -> Result<(), Error> {
        self.settled = true;
        let removed = self.remove();
        run(self.repository.root(), &["branch", "--quiet", "-D", &self.branch])?;
        removed
    }

    fn remove(&self) -> Result<(), Error> {
        let tree = self.directory();
        run(self.repository.root(), &["worktree", "remove", "--force", &tree.to_string_lossy()]).map(drop)
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        if !self.settled {
            // Nobody is left to be told; `git worktree prune` mends what stays.
            let _ = self.remove();
            let _ = run(self.repository.root(), &["branch", "--quiet", "-D", &self.branch]);
        }
    }
}

impl Repository {
    /// Makes a branch that begins at a commit and has one more, with these files; answers that one's id.
    ///
    /// Paths are from the repository's root. Fails, and leaves no branch behind, when there is one of that name, or when
    /// git or one of its hooks refuses the commit: [`Error::Git`] has what it printed.
    pub fn commit_on_new_branch(
        &self,
        branch: &str,
        start: &str,
        files: &[(String, Vec<u8>)],
        message: &str,
    ) -> Result<String, Error> {
        let aside = Aside::begin(self, branch, start)?;
        let done =
            aside.add(files).and_then(|()| run(&aside.directory(), &["commit", "--quiet", "--message", message]));
        match done {
            Ok(_) => aside.keep(),
            Err(error) => {
                aside.give_up()?;
                Err(error)
            }
        }
    }

    /// Whether there is a branch of this name.
    #[must_use]
    pub fn has_branch(&self, name: &str) -> bool {
        self.git().find_branch(name, git2::BranchType::Local).is_ok()
    }
}

/// Runs the user's git, and answers what it prints. It asks nothing: nobody could answer.
pub(super) fn run(directory: &Path, arguments: &[&str]) -> Result<String, Error> {
    let what = format!("git {}", arguments.first().copied().unwrap_or_default());
    let mut command = Command::new("git");
    command.arg("-C").arg(directory).args(["-c", "gc.auto=0", "-c", "maintenance.auto=false"]).args(arguments);
    command.env("GIT_TERMINAL_PROMPT", "0").stdin(Stdio::null());
    for inherited in super::fetch::INHERITED {
        command.env_remove(inherited);
    }
    let output = command.output().map_err(|error| Error::Git { what: what.clone(), reason: error.to_string() })?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        return Ok(text(&output.stdout));
    }
    // A hook may say why on either.
    let printed = [text(&output.stderr), text(&output.stdout)].into_iter().filter(|said| !said.is_empty());
    let printed = printed.collect::<Vec<_>>().join("\n");
    let reason = if printed.is_empty() { format!("it ended with {}", output.status) } else { printed };
    Err(Error::Git { what, reason })
}

#[cfg(test)]
mod tests {
    use super::super::testing::Fixture;
    use super::*;

    fn files(content: &str) -> [(String, Vec<u8>); 1] {
        [("dir/new.txt".to_owned(), content.as_bytes().to_vec())]
    }

    fn with_identity(fixture: &Fixture) -> Repository {
        fixture.git(&["config", "user.name", "Ada"]);
        fixture.git(&["config", "user.email", "ada@example.com"]);
        fixture.open()
    }

    #[test]
    fn a_branch_is_made_beside_whatever_lies_in_the_work_tree() {
        let fixture = Fixture::with_commit();
        let repository = with_identity(&fixture);
        fixture.write("a.txt", "not committed\n");
        std::fs::write(fixture.path().join(".git/index.lock"), "").unwrap();
        let first = repository.resolve("main").unwrap().id;
        let id = repository.commit_on_new_branch("side", "main", &files("new\n"), "Add a file").unwrap();
        let made = repository.resolve("side").unwrap();
        assert_eq!((&made.id, made.subject.as_str(), made.author.as_str()), (&id, "Add a file", "Ada"));
        assert_eq!(repository.resolve("main").unwrap().id, first);
        let snapshot = repository.snapshot("side", "").unwrap();
        assert_eq!(snapshot.read("dir/new.txt").unwrap().unwrap().bytes, b"new\n");
        assert_eq!(snapshot.read("a.txt").unwrap().unwrap().bytes, b"one\n", "what is not committed is left out");
        assert_eq!(std::fs::read_to_string(fixture.path().join("a.txt")).unwrap(), "not committed\n");
        std::fs::remove_file(fixture.path().join(".git/index.lock")).unwrap();
        assert_eq!(fixture.git(&["worktree", "list"]).lines().count(), 1);
        let again = repository.commit_on_new_branch("side", "main", &files("x\n"), "Again").unwrap_err();
        assert!(again.to_string().contains("side"), "{again}");
        assert_eq!(repository.resolve("side").unwrap().id, id, "the branch that was there stays");
    }

    #[test]
    fn a_hook_that_refuses_is_heard_and_leaves_nothing_behind() {
        use std::os::unix::fs::PermissionsExt;

        let fixture = Fixture::with_commit();
        let repository = with_identity(&fixture);
        let hook = fixture.path().join(".git/hooks/pre-commit");
        std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
        std::fs::write(&hook, "#!/bin/sh\necho 'not on a Friday' >&2\nexit 1\n").unwrap();
        std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
        let error = repository.commit_on_new_branch("side", "main", &files("new\n"), "Add a file").unwrap_err();
        assert!(matches!(&error, Error::Git { what, reason } if what == "git commit" && reason == "not on a Friday"));
        assert!(!repository.has_branch("side"));
        assert_eq!(fixture.git(&["worktree", "list"]).lines().count(), 1);
    }
}
