//! The file of the journal: lines are added and never changed.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{BufRead, BufReader, ErrorKind, Read, Result, Seek, SeekFrom, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use super::{Entry, Found, Mark, Query, SCHEMA, Settled};
use crate::compare::Why;
use crate::ops::hex;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Line {
    /// How a write went.
    Settled {
        /// The write.
        settles: String,
        /// How it went.
        #[serde(flatten)]
        settled: Settled,
    },
    /// How far one step of a write is.
    Marked {
        /// The write.
        marks: String,
        /// Which of its steps.
        step: usize,
        /// When, milliseconds since the Unix epoch.
        at: i64,
        /// How far.
        mark: Mark,
    },
    /// Another process goes on with a write.
    Resumed {
        /// The write.
        resumes: String,
        /// When, milliseconds since the Unix epoch.
        at: i64,
        /// Which process.
        process: u32,
    },
    /// A write begins.
    Begun(Box<Entry>),
}

impl Line {
    /// The write that was begun before and that this line is about.
    fn about(&self) -> Option<&String> {
        match self {
            Self::Settled { settles: id, .. } | Self::Marked { marks: id, .. } | Self::Resumed { resumes: id, .. } => {
                Some(id)
            }
            Self::Begun(_) => None,
        }
    }

    fn apply(self, entry: &mut Entry) {
        match self {
            Self::Settled { settled, .. } => entry.settled = Some(settled),
            Self::Marked { step, mark, .. } => drop(entry.marks.insert(step, mark)),
            Self::Resumed { process, .. } => (entry.process, entry.settled) = (process, None),
            Self::Begun(_) => {}
        }
    }
}

/// Adds a line, and comes back when it is on the disk.
pub(super) fn append(path: &Path, line: &Line) -> Result<()> {
    add(path, line)?.sync_data()
}

/// Adds a line, which a crash of the machine may lose.
pub(super) fn append_soon(path: &Path, line: &Line) -> Result<()> {
    add(path, line).map(drop)
}

fn add(path: &Path, line: &Line) -> Result<File> {
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory)?;
    }
    let mut file = OpenOptions::new().read(true).create(true).append(true).mode(0o600).open(path)?;
    if file.metadata()?.permissions().mode() & 0o077 != 0 {
        file.set_permissions(Permissions::from_mode(0o600))?;
    }
    // Two processes may write at a time, and a long line is not written at once everywhere.
    flock(&file, FlockOperation::LockExclusive)?;
    let mut text = if ends_in_half_a_line(&mut file)? { vec![b'\n'] } else { Vec::new() };
    serde_json::to_writer(&mut text, line)?;
    text.push(b'\n');
    file.write_all(&text)?;
    Ok(file)
}

/// Whether a crash or a full disk cut the last line short.
fn ends_in_half_a_line(file: &mut File) -> Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

/// The entries that are asked for, the newest first. No file is an empty journal.
pub(super) fn read(path: &Path, query: &Query) -> Result<Found> {
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Found::default()),
        file => file?,
    };
    let mut found = Found::default();
    let mut at = std::collections::HashMap::new();
    for line in BufReader::new(file).split(b'\n') {
        let line = line?;
        match serde_json::from_slice(&line) {
            _ if line.is_empty() => {}
            Ok(Line::Begun(entry)) if entry.schema <= SCHEMA => {
                if query.wants(&entry) {
                    at.insert(entry.id.clone(), found.entries.len());
                    found.entries.push(*entry);
                }
            }
            Ok(Line::Begun(_)) | Err(_) => found.unreadable += 1,
            Ok(line) => {
                if let Some(entry) = line.about().and_then(|id| found.entries.get_mut(*at.get(id)?)) {
                    line.apply(entry);
                }
            }
        }
    }
    found.newest_first(query);
    Ok(found)
}

impl Query {
    pub(super) fn wants(&self, entry: &Entry) -> bool {
        self.project.as_ref().is_none_or(|project| *project == entry.project)
            && self.environment.as_ref().is_none_or(|environment| *environment == entry.environment)
    }
}

impl Found {
    pub(super) fn newest_first(&mut self, query: &Query) {
        // Stable, and reversed before: of two in the same millisecond the later line is the newer one.
        self.entries.reverse();
        self.entries.sort_by_key(|entry| std::cmp::Reverse(entry.at));
        self.entries.truncate(query.limit.unwrap_or(usize::MAX));
    }
}

/// Whether there is a process of that number.
pub(in crate::ops) fn is_running(process: u32) -> bool {
    let pid = i32::try_from(process).ok().and_then(rustix::process::Pid::from_raw);
    // A process of somebody else's may not be asked, and is there.
    pid.is_some_and(|pid| rustix::process::test_kill_process(pid) != Err(rustix::io::Errno::SRCH))
}

/// 16 random hexadecimal digits.
pub(in crate::ops) fn random_id() -> std::result::Result<String, Why> {
    let mut bytes = [0_u8; 8];
    getrandom::fill(&mut bytes).map_err(|error| Why::new(format!("the system gives no random numbers: {error}")))?;
    Ok(hex(&bytes))
}
