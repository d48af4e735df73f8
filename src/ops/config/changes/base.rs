//! What changes begin with: the documents of HEAD.

use std::path::PathBuf;

use crate::compare::Why;
use crate::config::Settings;
use crate::git::{Repository, Snapshot};
use crate::ops::config::layer::root;
use crate::ops::config::opener::{Opener, told};
use crate::ops::git_why;
use crate::ops::inspect::document;
use crate::sops::{Document, Node};

/// HEAD of the checkout.
pub(super) struct Base {
    pub(super) repository: Repository,
    /// The project's directory.
    pub(super) root: PathBuf,
    /// The same within the repository.
    pub(super) prefix: String,
    pub(super) snapshot: Snapshot,
    /// The branch that is checked out, or why no commit can be made.
    pub(super) branch: Result<String, Why>,
}

impl Base {
    pub(super) fn open(settings: &Settings) -> Result<Self, Why> {
        let root = root(settings)?;
        let repository = Repository::discover(&root).map_err(|error| git_why(&error))?;
        let prefix = repository.prefix_of(&root).map_err(|error| git_why(&error))?;
        let snapshot = repository.snapshot("HEAD", &prefix).map_err(|error| git_why(&error))?;
        let branch = repository.head().map(|head| head.branch).map_err(|error| git_why(&error));
        Ok(Self { repository, root, prefix, snapshot, branch })
    }

    pub(super) fn listing(&self) -> Result<Vec<String>, Why> {
        let entries = self.snapshot.list("").map_err(|error| git_why(&error))?;
        Ok(entries.into_iter().map(|entry| entry.path).collect())
    }

    pub(super) fn bytes(&self, file: &str) -> Result<Option<Vec<u8>>, Why> {
        Ok(self.snapshot.read(file).map_err(|error| git_why(&error))?.map(|blob| blob.bytes))
    }

    pub(super) fn document(&self, file: &str) -> Result<Option<Document>, Why> {
        self.bytes(file)?.map(|bytes| document(file, &bytes)).transpose()
    }

    /// The plain text of a document; `None`: there is no such file.
    pub(super) fn node(&self, opener: &Opener, file: &str) -> Result<Option<Node>, Why> {
        let Some(document) = self.document(file)? else { return Ok(None) };
        if let Some(plain) = document.plain() {
            return Ok(Some(plain));
        }
        opener.open(&document)?.node().cloned().map(Some).map_err(|error| told(&error))
    }

    /// A file's path from the repository's root.
    pub(super) fn in_repository(&self, file: &str) -> String {
        if self.prefix.is_empty() { file.to_owned() } else { format!("{}/{file}", self.prefix) }
    }
}
