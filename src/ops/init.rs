//! A project's beginning: its `plumb.toml`, and what belongs around it.

mod key;
mod paths;
mod plan;
mod rules;
mod sections;
mod token;
mod watched;
mod workflow;
mod write;

use std::path::{Path, PathBuf};

use super::failed;
use crate::compare::Why;
use crate::config::{PROJECT_FILE, guess};
use crate::git::{Repository, WORKTREE};

pub use key::new_key;
pub use plan::{File, Proposal, Wish, propose};
pub use token::{Token, endpoint, repository_url, secret_of, store};
pub(crate) use watched::unwatched;
pub use workflow::{Credentials, Workflows};
pub use write::write;

/// What was guessed for a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Guess {
    /// Where the project file belongs.
    pub path: PathBuf,
    /// What it should hold.
    pub text: String,
    /// What it holds already; then nothing was written.
    pub existing: Option<String>,
}

/// Guesses a project file from what lies in a directory of a git repository, and writes it when there is none.
///
/// Looks at the files that are tracked or could be, and never at ignored ones. Writes nothing else.
pub fn init(directory: &Path) -> Result<Guess, Why> {
    let cannot = |what: &Path, error: &std::io::Error| Why::new(format!("cannot use {}: {error}", what.display()));
    let directory = directory.canonicalize().map_err(|error| cannot(directory, &error))?;
    let path = directory.join(PROJECT_FILE);
    let repository = Repository::discover(&directory)
        .map_err(|error| Why { hint: error.hint().or(Some("git init".to_owned())), ..failed(&error) })?;
    let prefix = repository.prefix_of(&directory).map_err(|error| failed(&error))?;
    let snapshot =
        repository.snapshot(WORKTREE, &prefix).map_err(|error| Why { hint: error.hint(), ..failed(&error) })?;
    let entries = snapshot.list("").map_err(|error| failed(&error))?;
    let files: Vec<String> = entries.into_iter().map(|entry| entry.path).collect();
    let read = |file: &str| String::from_utf8(snapshot.read(file).ok()??.bytes).ok();
    let name = directory.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let text = guess(&name, &files, &read);
    let existing = write_new(&path, &text).map_err(|error| cannot(&path, &error))?;
    Ok(Guess { path, text, existing })
}

/// Writes a file that is not there; answers what it holds when it is.
fn write_new(path: &Path, text: &str) -> std::io::Result<Option<String>> {
    use std::io::Write;
    match std::fs::OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => file.write_all(text.as_bytes()).map(|()| None),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => std::fs::read_to_string(path).map(Some),
        Err(error) => Err(error),
    }
}
