//! What is remembered of a running local account: one small file, and the lock around it.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Error, Note, Paths};

/// How often a lock that another process holds is tried again.
const LOCK_POLL: Duration = Duration::from_millis(50);

/// A local account that was started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// Random; its processes carry it in their environment and its health answer names it, so that neither a process
    /// id nor a port that was given to another is mistaken for it.
    pub(super) id: String,
    /// Process id of the supervisor.
    pub(super) supervisor: u32,
    /// The loopback port.
    pub(super) port: u16,
    /// Milliseconds since the Unix epoch.
    pub(super) started_at: i64,
    /// Whether IAM is enforced.
    pub(super) enforce_iam: bool,
    /// Where the content is kept.
    pub(super) persist: Option<PathBuf>,
}

impl Record {
    /// Reads the record; `None` when there is none, or none that this version can read (then nothing is known that
    /// could be acted on).
    pub(super) fn read(paths: &Paths) -> Result<Option<Self>, Error> {
        let file = file(paths);
        match fs::read(&file) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::io("read", &file)(error)),
        }
    }

    /// Writes the record, readable by the user alone, in one step.
    pub(super) fn write(&self, paths: &Paths) -> Result<(), Error> {
        let file = file(paths);
        let fresh = file.with_extension("new");
        let bytes = serde_json::to_vec_pretty(self).map_err(|error| Error::io("write", &file)(error.into()))?;
        private(&fresh)
            .and_then(|mut open| open.write_all(&bytes))
            .and_then(|()| fs::rename(&fresh, &file))
            .map_err(Error::io("write", &file))
    }

    /// Forgets it.
    pub(super) fn remove(paths: &Paths) -> Result<(), Error> {
        let file = file(paths);
        match fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io("remove", &file)(error)),
            _ => Ok(()),
        }
    }
}

fn file(paths: &Paths) -> PathBuf {
    paths.state.join("local.json")
}

/// The emulator's log.
pub(super) fn log(paths: &Paths) -> PathBuf {
    paths.state.join("emulator.log")
}

/// Makes the directories, closed to other users.
pub(super) fn prepare(paths: &Paths) -> Result<(), Error> {
    for directory in [&paths.data, &paths.state] {
        private_directory(directory)?;
    }
    Ok(())
}

/// Makes a directory and its parents, closed to other users.
pub(super) fn private_directory(directory: &Path) -> Result<(), Error> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(Error::io("make", directory))
}

/// Opens a file for writing, emptied, readable by the user alone.
pub(super) fn private(file: &Path) -> std::io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(file)
}

/// Waits for a lock that ends with the returned file, or with this process.
pub(super) async fn lock(path: &Path, progress: &(impl Fn(Note) + Sync)) -> Result<File, Error> {
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
    let file = file.map_err(Error::io("open", path))?;
    let mut told = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(TryLockError::WouldBlock) => {
                if !std::mem::replace(&mut told, true) {
                    progress(Note::Waiting);
                }
                tokio::time::sleep(LOCK_POLL).await;
            }
            Err(TryLockError::Error(error)) => return Err(Error::io("lock", path)(error)),
        }
    }
}
