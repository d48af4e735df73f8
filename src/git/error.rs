//! Why git could not be read, and what to try.

use std::path::{Path, PathBuf};

/// What failed, on what, and why; [`Error::hint`] says what to try.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no repository at or above a directory.
    #[error("no git repository at or above {}", .path.display())]
    NoRepository {
        /// Where the search began.
        path: PathBuf,
    },
    /// A repository is there and cannot be opened.
    #[error("cannot open the git repository at {}: {reason}", .path.display())]
    Open {
        /// Where the search began.
        path: PathBuf,
        /// What libgit2 says.
        reason: String,
        /// What to try.
        hint: Option<String>,
    },
    /// A path of the file system cannot be read.
    #[error("cannot read {}: {reason}", .path.display())]
    Path {
        /// The path.
        path: PathBuf,
        /// What the operating system says.
        reason: String,
    },
    /// A directory lies outside of the repository.
    #[error("{} is not in the git repository at {}", .path.display(), .root.display())]
    Outside {
        /// The directory.
        path: PathBuf,
        /// The repository's root.
        root: PathBuf,
    },
    /// There is no such ref, or it names no commit.
    #[error("git knows no commit by the name {reference}{}", near_names(.near))]
    UnknownRef {
        /// The ref as asked for.
        reference: String,
        /// Refs with similar names, the most similar first.
        near: Vec<String>,
        /// Whether the clone is shallow, so that the commit may exist elsewhere.
        shallow: bool,
    },
    /// A short commit id fits several objects.
    #[error("{reference} is short for several objects")]
    Ambiguous {
        /// The id as asked for.
        reference: String,
    },
    /// The current branch has no commit yet.
    #[error("branch {branch} has no commit yet")]
    Unborn {
        /// The branch's name.
        branch: String,
    },
    /// The working tree was asked for, and the repository is bare.
    #[error("the repository at {} is bare: it has no working tree", .root.display())]
    NoWorkTree {
        /// The repository's root.
        root: PathBuf,
    },
    /// A path that cannot be one of a tree.
    #[error("{path:?} is no path within a repository: {reason}")]
    BadPath {
        /// The path as asked for.
        path: String,
        /// Why.
        reason: &'static str,
    },
    /// A path that is something else than what was asked for.
    #[error("{path} is {what}, which is not followed, at commit {commit}")]
    NotAFile {
        /// The path from the repository's root.
        path: String,
        /// What it is: `a directory`, `a symbolic link`, `a submodule`.
        what: &'static str,
        /// The commit.
        commit: String,
    },
    /// A tree names an object that this clone does not have.
    #[error("{what} ({id}) is not in this clone")]
    Missing {
        /// What was asked for: a path, a commit.
        what: String,
        /// The object's id.
        id: String,
        /// Whether the clone is shallow.
        shallow: bool,
    },
    /// There is no such remote.
    #[error("there is no remote named {remote}{}", near_names(.known))]
    UnknownRemote {
        /// The name as asked for.
        remote: String,
        /// The remotes that exist.
        known: Vec<String>,
    },
    /// The user's `git fetch` failed.
    #[error("cannot fetch {remote}: {reason}")]
    Fetch {
        /// The remote.
        remote: String,
        /// What git printed, without passwords in URLs.
        reason: String,
    },
    /// The user's `git`, or one of its hooks, refused something.
    #[error("{what} failed: {reason}")]
    Git {
        /// What was tried.
        what: String,
        /// What was printed.
        reason: String,
    },
    /// Something is under way in the checkout that a commit would disturb.
    #[error("{what} is under way in {}", .root.display())]
    Busy {
        /// What: `a rebase`.
        what: &'static str,
        /// The repository's root.
        root: PathBuf,
    },
    /// No branch is checked out.
    #[error("HEAD is detached at {commit}: a commit would be on no branch")]
    Detached {
        /// The commit, in short.
        commit: String,
    },
    /// Another git holds the index, or one that crashed has left its lock behind.
    #[error("the index is locked: {} is there", .path.display())]
    Locked {
        /// The lock.
        path: PathBuf,
    },
    /// Something else went wrong while reading.
    #[error("cannot read {what} from git: {reason}")]
    Read {
        /// On what.
        what: String,
        /// What libgit2 says.
        reason: String,
    },
}

impl Error {
    /// What to try; one line.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        const DEEPEN: &str = "the clone is shallow: `git fetch --unshallow` gets all of its history";
        match self {
            Self::NoRepository { .. } => Some("run plumb inside of a git repository, or name one by --project".into()),
            Self::Open { hint, .. } => hint.clone(),
            Self::UnknownRef { shallow: true, .. } | Self::Missing { shallow: true, .. } => Some(DEEPEN.into()),
            Self::UnknownRef { shallow: false, .. } => Some("`git fetch --all --tags` gets refs made elsewhere".into()),
            Self::Missing { shallow: false, .. } => {
                Some("the clone is partial or damaged: `git fetch --refetch --no-filter` gets every object".into())
            }
            Self::Ambiguous { .. } => Some("write more digits of the commit id".into()),
            Self::Unborn { .. } => Some("commit something, or name another ref by --ref".into()),
            Self::NoWorkTree { .. } => Some("name a branch, tag or commit by --ref".into()),
            Self::NotAFile { what: "a submodule", .. } => Some("open the submodule's own repository".into()),
            Self::NotAFile { what: "a symbolic link", .. } => Some("commit the file itself in its place".into()),
            Self::Fetch { remote, .. } => Some(format!("`git fetch {remote}` shows what git asks for")),
            Self::Busy { .. } => Some("`git status` says how it is finished, or given up".into()),
            Self::Detached { .. } => Some("`git switch BRANCH`, or `git switch --create BRANCH`".into()),
            Self::Locked { path } => {
                Some(format!("another git is at work; when none is, `rm {}` takes the lock away", path.display()))
            }
            _ => None,
        }
    }

    pub(super) fn opening(path: &Path, error: &git2::Error) -> Self {
        if error.code() == git2::ErrorCode::NotFound && error.class() == git2::ErrorClass::Repository {
            return Self::NoRepository { path: path.into() };
        }
        let reason = error.message().to_owned();
        let hint = if error.code() == git2::ErrorCode::Owner {
            Some(format!(
                "it belongs to another user; if you trust it: `git config --global --add safe.directory {}`",
                path.display()
            ))
        } else if reason.contains("partialclone") {
            Some(
                "it is a partial clone; `git fetch --refetch --no-filter` and `git config --unset extensions.partialclone` complete it"
                    .into(),
            )
        } else if reason.contains("extension") {
            Some("the repository uses a feature of git that plumb cannot read; a plain clone of it will do".into())
        } else {
            None
        };
        Self::Open { path: path.into(), reason, hint }
    }

    pub(super) fn reading(what: impl Into<String>, error: &git2::Error) -> Self {
        Self::Read { what: what.into(), reason: error.message().to_owned() }
    }

    /// For an object that something else refers to, so that it must exist somewhere.
    pub(super) fn object(what: &str, id: git2::Oid, shallow: bool, error: &git2::Error) -> Self {
        if error.code() == git2::ErrorCode::NotFound {
            Self::Missing { what: what.to_owned(), id: id.to_string(), shallow }
        } else {
            Self::reading(what, error)
        }
    }
}

fn near_names(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [name] => format!("; did you mean {name}?"),
        names => format!("; did you mean one of {}?", names.join(", ")),
    }
}
