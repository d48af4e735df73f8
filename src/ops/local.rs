//! The local account of this user, and what a shell needs to work with it.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

pub use crate::local::{Note, Paths, Running, Status, UpOptions};

use crate::compare::Why;
use crate::config::{self, Directories};
use crate::local::{self, Error};

/// Where the local account of this user lies, below Plumb's own directories.
pub fn paths(directories: Directories<'_>) -> Result<Paths, config::Error> {
    Ok(Paths { data: directories.data()?, state: directories.state()?.join("local") })
}

/// Brings it up, or attaches to the one that runs.
pub async fn up(paths: &Paths, options: UpOptions, progress: impl Fn(Note) + Send + Sync) -> Result<Running, Why> {
    local::up(paths, options, progress).await.map_err(|error| why(&error))
}

/// How it is.
pub async fn status(paths: &Paths) -> Result<Status, Why> {
    local::status(paths).await.map_err(|error| why(&error))
}

/// Empties it.
pub async fn reset(paths: &Paths) -> Result<(), Why> {
    local::reset(paths).await.map_err(|error| why(&error))
}

/// Ends it; whether there was anything to end.
pub async fn down(paths: &Paths) -> Result<bool, Why> {
    local::down(paths).await.map_err(|error| why(&error))
}

/// Lines for a shell that point every AWS tool at the account, and sops at the keys of the demo that lives in it.
#[must_use]
pub fn exports(paths: &Paths, running: &Running) -> String {
    let keys = Tenant::read(paths).filter(|tenant| tenant.started_at == running.started_at);
    let keys = keys.map(|tenant| tenant.age_key_file).filter(|file| file.exists());
    let keys = keys.map(|file| format!("export SOPS_AGE_KEY_FILE={}\n", quoted(&file))).unwrap_or_default();
    local::env_exports(running) + &keys
}

/// Notes whose keys open the documents of the demo that lives in the account from now on.
pub(super) fn note_keys(paths: &Paths, running: &Running, age_key_file: &Path) -> Result<(), Why> {
    let tenant = Tenant { started_at: running.started_at, age_key_file: age_key_file.to_owned() };
    let file = Tenant::file(paths);
    let written = serde_json::to_vec_pretty(&tenant).map_err(std::io::Error::from);
    written
        .and_then(|text| std::fs::write(&file, text))
        .map_err(|error| Why::new(format!("cannot write {}: {error}", file.display())))
}

/// The demo that lives in a local account which stays: of another account it says nothing.
#[derive(Serialize, Deserialize)]
struct Tenant {
    /// When its account was started.
    started_at: i64,
    age_key_file: PathBuf,
}

impl Tenant {
    fn file(paths: &Paths) -> PathBuf {
        paths.state.join("demo.json")
    }

    fn read(paths: &Paths) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(Self::file(paths)).ok()?).ok()
    }
}

/// A path as one word of a shell.
fn quoted(path: &Path) -> String {
    format!("'{}'", path.display().to_string().replace('\'', "'\\''"))
}

fn why(error: &Error) -> Why {
    Why { hint: error.hint().map(str::to_owned), ..super::failed(error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word_of_a_shell() {
        assert_eq!(quoted(Path::new("/tmp/it's $(here)")), "'/tmp/it'\\''s $(here)'");
    }
}
