//! Commits in the user's own checkout, by the user's own `git`: its branch, what stands in the way, and the program.

use std::path::{Path, PathBuf};

use super::branch::run;
use super::{Error, Repository};

/// What is checked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The branch.
    pub branch: String,
    /// The full id of its last commit.
    pub commit: String,
}

/// A `git` for the user's terminal: it may ask, and so may its hooks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Variables of the environment that it must not inherit: they would lead it to another repository.
    pub without: &'static [&'static str],
}

impl Program {
    /// Commits files of a work tree and nothing else that is staged there. Paths are from its root.
    #[must_use]
    pub fn commit(tree: &Path, message: &str, paths: &[String]) -> Self {
        let before = ["-C", &tree.to_string_lossy(), "-c", "gc.auto=0", "-c", "maintenance.auto=false"];
        let commit = ["commit", "--quiet", "--message", message, "--only", "--"];
        let words = before.into_iter().chain(commit).map(str::to_owned);
        Self { arguments: words.chain(paths.iter().cloned()).collect(), without: &super::fetch::INHERITED }
    }
}

impl Repository {
    /// The branch that is checked out, as long as a commit can be made on it.
    ///
    /// Fails with [`Error::Busy`] in the middle of a rebase and the like, with [`Error::Detached`] and with
    /// [`Error::Unborn`].
    pub fn head(&self) -> Result<Head, Error> {
        use git2::RepositoryState as State;

        if self.is_bare() {
            return Err(Error::NoWorkTree { root: self.root().into() });
        }
        let git = self.git();
        let busy = match git.state() {
            State::Clean => None,
            State::Merge => Some("a merge"),
            State::Revert | State::RevertSequence => Some("a revert"),
            State::CherryPick | State::CherryPickSequence => Some("a cherry-pick"),
            State::Bisect => Some("a bisection"),
            State::Rebase | State::RebaseInteractive | State::RebaseMerge => Some("a rebase"),
            State::ApplyMailbox | State::ApplyMailboxOrRebase => Some("an applying of patches"),
        };
        if let Some(what) = busy {
            return Err(Error::Busy { what, root: self.root().into() });
        }
        let head = git.find_reference("HEAD").map_err(|error| Error::reading("HEAD", &error))?;
        let target = head.symbolic_target().ok().flatten().map(str::to_owned);
        let resolved = git.head().and_then(|head| head.peel_to_commit());
        let branch = target.as_deref().and_then(|target| target.strip_prefix("refs/heads/")).map(str::to_owned);
        match (branch, resolved) {
            (Some(branch), Ok(commit)) => Ok(Head { branch, commit: commit.id().to_string() }),
            (Some(branch), Err(_)) => Err(Error::Unborn { branch }),
            (None, Ok(commit)) => Err(Error::Detached { commit: commit.id().to_string().chars().take(7).collect() }),
            (None, Err(error)) => Err(Error::reading("HEAD", &error)),
        }
    }

    /// Fails with [`Error::Locked`] while the index of the checkout is.
    pub fn index_is_free(&self) -> Result<(), Error> {
        let path = self.git().path().join("index.lock");
        if path.exists() { Err(Error::Locked { path }) } else { Ok(()) }
    }

    /// The branch that a ref is, by its name in the remote where it is one's; `None`: it is a tag or a commit.
    #[must_use]
    pub fn branch_of(&self, reference: &str) -> Option<String> {
        if let Some(remote) = self.remote_of(reference) {
            return reference
                .trim_start_matches("refs/remotes/")
                .strip_prefix(&format!("{remote}/"))
                .map(str::to_owned);
        }
        let name = reference.trim_start_matches("refs/heads/");
        self.has_branch(name).then(|| name.to_owned())
    }

    /// The branch that everything is merged into, as far as the clone tells: the remote's HEAD, else `main` or `master`.
    #[must_use]
    pub fn main_branch(&self) -> Option<String> {
        let remotes = self.remotes();
        let of_remote = remotes.iter().find_map(|remote| {
            let git = self.git();
            let head = git.find_reference(&format!("refs/remotes/{remote}/HEAD")).ok()?;
            head.symbolic_target().ok()??.strip_prefix(&format!("refs/remotes/{remote}/")).map(str::to_owned)
        });
        of_remote.or_else(|| ["main", "master"].into_iter().find(|name| self.has_branch(name)).map(str::to_owned))
    }

    /// Where a new branch is pushed to: `origin`, else the first remote; with its address.
    #[must_use]
    pub fn push_remote(&self) -> Option<(String, String)> {
        let remotes = self.remotes();
        let name = remotes.iter().find(|name| *name == "origin").or(remotes.first())?;
        Some((name.clone(), self.remote_url(name).unwrap_or_default()))
    }

    /// Tells the index of files that it does not know yet, so that they can be committed by their names.
    pub fn intend(&self, paths: &[String]) -> Result<(), Error> {
        self.on_paths(&["add", "--intent-to-add", "--"], paths)
    }

    /// Takes that back.
    pub fn unintend(&self, paths: &[String]) -> Result<(), Error> {
        self.on_paths(&["reset", "--quiet", "--"], paths)
    }

    fn on_paths(&self, words: &[&str], paths: &[String]) -> Result<(), Error> {
        if paths.is_empty() {
            return Ok(());
        }
        let words: Vec<&str> = words.iter().copied().chain(paths.iter().map(String::as_str)).collect();
        run(self.root(), &words).map(drop)
    }

    /// The absolute path of a file, from the repository's root.
    #[must_use]
    pub fn path_of(&self, path: &str) -> PathBuf {
        self.root().join(path)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Fixture;
    use super::*;

    #[test]
    fn a_checkout_is_a_branch_unless_something_is_under_way() {
        let fixture = Fixture::with_commit();
        let repository = fixture.open();
        let head = repository.head().unwrap();
        assert_eq!((head.branch.as_str(), head.commit), ("main", fixture.git(&["rev-parse", "HEAD"])));
        fixture.git(&["checkout", "-q", "-b", "side"]);
        fixture.commit("a.txt", "side\n", "Side");
        fixture.git(&["checkout", "-q", "main"]);
        fixture.commit("a.txt", "main\n", "Main");
        fixture.git_may_fail(&["rebase", "side"]);
        let error = repository.head().unwrap_err();
        assert!(matches!(error, Error::Busy { what: "a rebase", .. }), "{error}");
        fixture.git(&["rebase", "--abort"]);
        fixture.git_may_fail(&["merge", "-q", "side"]);
        assert!(matches!(repository.head(), Err(Error::Busy { what: "a merge", .. })));
        fixture.git(&["merge", "--abort"]);
        fixture.git(&["checkout", "-q", "--detach"]);
        let error = repository.head().unwrap_err();
        assert!(error.to_string().starts_with("HEAD is detached at ") && error.hint().is_some(), "{error}");
        assert!(matches!(Fixture::new().open().head(), Err(Error::Unborn { branch }) if branch == "main"));
    }

    #[test]
    fn a_locked_index_is_told_with_its_lock() {
        let fixture = Fixture::with_commit();
        let repository = fixture.open();
        repository.index_is_free().unwrap();
        let lock = fixture.path().join(".git/index.lock");
        std::fs::write(&lock, "").unwrap();
        let error = repository.index_is_free().unwrap_err();
        assert!(error.to_string().contains("index.lock") && error.hint().unwrap().contains("rm "), "{error}");
    }

    #[test]
    fn a_ref_s_branch_is_known_by_its_name_in_the_remote() {
        let fixture = Fixture::with_commit();
        fixture.git(&["tag", "v1"]);
        fixture.git(&["branch", "side"]);
        let here = fixture.open();
        assert_eq!(here.main_branch().as_deref(), Some("main"));
        assert_eq!((here.branch_of("side").as_deref(), here.branch_of("v1")), (Some("side"), None));
        assert_eq!(here.push_remote(), None);
        let clone = Repository::discover(&fixture.clone_as("clone", &[])).unwrap();
        assert_eq!(clone.main_branch().as_deref(), Some("main"));
        assert_eq!(clone.branch_of("origin/side").as_deref(), Some("side"));
        assert_eq!(clone.push_remote().unwrap().0, "origin");
    }
}
