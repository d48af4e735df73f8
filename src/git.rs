//! What git says: committed trees, their history, and how old our knowledge of the remote is.
//!
//! Trees are read from the object database, never from the working tree unless [`WORKTREE`] is asked for. Nothing is
//! written to the repository but by the user's own `git`, with its credentials, settings and hooks: what it fetches,
//! commits and new branches.
//! No type of libgit2 leaves this module.

mod branch;
mod checkout;
mod commit;
mod error;
mod fetch;
mod history;
mod snapshot;
#[cfg(test)]
mod testing;
mod tree;
mod worktree;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use branch::Aside;
pub use checkout::{Head, Program};
pub use commit::{CommitInfo, RefKind, RefName};
pub use error::Error;
pub use history::Touch;
pub use snapshot::{Blob, Entry, EntryKind, Snapshot};
pub use tree::{File, tree_id};

/// The ref that stands for the files of the working tree, committed or not.
pub const WORKTREE: &str = "WORKTREE";

/// A git repository: with a working tree, bare, a linked worktree, or a shallow clone. Cheap to clone, and shared
/// between threads; calls wait for each other.
#[derive(Clone)]
pub struct Repository {
    shared: Arc<Shared>,
}

struct Shared {
    handle: Mutex<git2::Repository>,
    root: PathBuf,
}

impl Repository {
    /// Opens the repository that `start`, a directory or file, lies in.
    ///
    /// Fails when there is none at or above it, when it belongs to another user (git's `safe.directory`), and when it
    /// uses an extension that libgit2 does not know, such as partial clones.
    pub fn discover(start: &Path) -> Result<Self, Error> {
        let start =
            start.canonicalize().map_err(|error| Error::Path { path: start.into(), reason: error.to_string() })?;
        let handle = git2::Repository::discover(&start).map_err(|error| Error::opening(&start, &error))?;
        let root = handle.workdir().unwrap_or_else(|| handle.path());
        let root = root.canonicalize().map_err(|error| Error::Path { path: root.into(), reason: error.to_string() })?;
        Ok(Self { shared: Arc::new(Shared { handle: Mutex::new(handle), root }) })
    }

    /// The top directory of the working tree; of a bare repository, the repository itself. Absolute, without symlinks.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.shared.root
    }

    /// Where `dir` lies within the repository: `""` for the root, else like `apps/petshop`.
    pub fn prefix_of(&self, dir: &Path) -> Result<String, Error> {
        let absolute =
            dir.canonicalize().map_err(|error| Error::Path { path: dir.into(), reason: error.to_string() })?;
        let within = absolute
            .strip_prefix(self.root())
            .map_err(|_| Error::Outside { path: dir.into(), root: self.root().into() })?;
        if self.git().is_bare() {
            return Ok(String::new());
        }
        let steps: Vec<_> = within.iter().map(|step| step.to_string_lossy()).collect();
        Ok(steps.join("/"))
    }

    /// Whether the clone lacks old history.
    #[must_use]
    pub fn is_shallow(&self) -> bool {
        self.git().is_shallow()
    }

    /// Whether there is no working tree, so that [`WORKTREE`] means nothing.
    #[must_use]
    pub fn is_bare(&self) -> bool {
        self.git().is_bare()
    }

    fn git(&self) -> MutexGuard<'_, git2::Repository> {
        self.shared.handle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A second handle on the same repository, whose object database may be changed in memory.
    fn another(&self) -> Result<git2::Repository, Error> {
        let path = self.git().path().to_owned();
        git2::Repository::open(&path).map_err(|error| Error::opening(&path, &error))
    }
}

impl fmt::Debug for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Repository").field(&self.shared.root).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::testing::Fixture;
    use super::*;

    #[test]
    fn a_repository_can_be_shared_between_threads() {
        fn shared<T: Clone + Send + Sync>() {}
        shared::<Repository>();
        shared::<Snapshot>();
    }

    #[test]
    fn a_project_in_a_subfolder_of_a_monorepo_finds_its_root_and_prefix() {
        let fixture = Fixture::new();
        fixture.write("apps/petshop/plumb.toml", "");
        let inside = fixture.path().join("apps/petshop");
        let repository = Repository::discover(&inside).unwrap();
        assert_eq!(repository.root(), fixture.path());
        assert_eq!(repository.prefix_of(&inside).unwrap(), "apps/petshop");
        assert_eq!(repository.prefix_of(fixture.path()).unwrap(), "");
        assert!(matches!(repository.prefix_of(Path::new("/")), Err(Error::Outside { .. })));
    }

    #[test]
    fn a_bare_repository_is_its_own_root() {
        let fixture = Fixture::with_commit();
        let bare = fixture.clone_as("bare.git", &["--bare"]);
        let repository = Repository::discover(&bare).unwrap();
        assert!(repository.is_bare());
        assert_eq!(repository.root(), bare);
        assert_eq!(repository.prefix_of(&bare).unwrap(), "");
        assert_eq!(repository.resolve("HEAD").unwrap().subject, "First");
        assert!(matches!(repository.resolve(WORKTREE), Err(Error::NoWorkTree { .. })));
    }

    #[test]
    fn a_linked_worktree_has_its_own_root_and_head() {
        let fixture = Fixture::with_commit();
        let linked = fixture.beside("linked");
        fixture.git(&["worktree", "add", "-q", "-b", "side", linked.to_str().unwrap()]);
        let repository = Repository::discover(&linked).unwrap();
        assert_eq!(repository.root(), linked);
        std::fs::write(linked.join("new"), "n").unwrap();
        let info = repository.resolve(WORKTREE).unwrap();
        assert!(info.dirty);
        assert_eq!(repository.snapshot(WORKTREE, "").unwrap().read("new").unwrap().unwrap().bytes, b"n");
        assert!(!fixture.open().resolve("HEAD").unwrap().dirty);
    }

    #[test]
    fn no_repository_says_where_it_was_looked_for() {
        let dir = tempfile::tempdir().unwrap();
        let error = Repository::discover(dir.path()).unwrap_err();
        assert!(matches!(error, Error::NoRepository { .. }), "{error:?}");
        assert!(error.to_string().contains(dir.path().file_name().unwrap().to_str().unwrap()));
        assert!(Repository::discover(&dir.path().join("absent")).is_err());
    }

    fn follow(fixture: &Fixture, dir: &Path, hint: &str) {
        for command in hint.split('`').filter(|part| part.starts_with("git ")) {
            let words: Vec<_> = command.split_whitespace().skip(1).collect();
            fixture.git_in(dir, &words);
        }
    }

    fn partial_clone(fixture: &Fixture) -> PathBuf {
        fixture.git(&["config", "uploadpack.allowFilter", "true"]);
        fixture.clone_as("partial", &["--filter=blob:none", "--no-checkout"])
    }

    #[test]
    fn a_file_that_a_partial_clone_lacks_is_an_error_with_a_remedy_that_works() {
        let fixture = Fixture::with_commit();
        let partial = partial_clone(&fixture);
        let snapshot = Repository::discover(&partial).unwrap().snapshot("origin/main", "").unwrap();
        let error = snapshot.read("a.txt").unwrap_err();
        assert!(matches!(error, Error::Missing { shallow: false, .. }), "{error:?}");
        follow(&fixture, &partial, &error.hint().unwrap());
        assert_eq!(snapshot.read("a.txt").unwrap().unwrap().bytes, b"one\n");
    }

    #[test]
    fn a_partial_clone_of_an_older_git_is_refused_with_a_remedy_that_works() {
        let fixture = Fixture::with_commit();
        let partial = partial_clone(&fixture);
        fixture.git_in(&partial, &["config", "extensions.partialclone", "origin"]);
        let error = Repository::discover(&partial).unwrap_err();
        assert!(matches!(error, Error::Open { .. }), "{error:?}");
        follow(&fixture, &partial, &error.hint().unwrap());
        let snapshot = Repository::discover(&partial).unwrap().snapshot("origin/main", "").unwrap();
        assert_eq!(snapshot.read("a.txt").unwrap().unwrap().bytes, b"one\n");
    }
}
