//! The local account of this user.

pub use crate::local::{Note, Paths, Running, Status, UpOptions, env_exports};

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

fn why(error: &Error) -> Why {
    Why { hint: error.hint().map(str::to_owned), ..super::failed(error) }
}
