//! The journal: every write is in it before it is sent, and settled after.
//!
//! JSON lines in the state directory, for its owner alone: one line when a write begins, one when it is settled. A
//! line that begins and is never settled says that the process died meanwhile, and nobody knows what AWS did.
//! Items are named and their values never are; nothing here reads or keeps a value.

mod begun;
mod file;
mod step;
mod team;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::inspect::now;
use crate::compare::Why;

pub use begun::Begun;
pub(super) use begun::noted;
pub(super) use file::{is_running, random_id};
pub use step::{Act, Mark, Origin, Shape, Step, Thing, Version};
pub use team::read as read_team;

/// The format that this version reads and writes.
pub const SCHEMA: u32 = 1;

/// A write as it begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Format of this line; a newer one is not read.
    pub schema: u32,
    /// Its identity.
    pub id: String,
    /// When it began, milliseconds since the Unix epoch.
    pub at: i64,
    /// The project's name.
    pub project: String,
    /// The environment's name.
    pub environment: String,
    /// The AWS account.
    pub account: String,
    /// The AWS region.
    pub region: String,
    /// The writer's ARN.
    pub by: String,
    /// What is done.
    pub action: Action,
    /// What it is done to, by name.
    pub subjects: Vec<String>,
    /// The commit that it is done from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Why, in the operator's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The process that does it, or that went on with it.
    pub process: u32,
    /// How it went; `None`: not settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled: Option<Settled>,
    /// The single writes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<Step>,
    /// How far each of them came, by its place in `steps`; what is not here was not begun.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub marks: BTreeMap<usize, Mark>,
    /// The commit that each unit ran before, by its name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub ran: BTreeMap<String, String>,
    /// The entry that this one takes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<String>,
}

/// What a write is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Receipts were written for what is live.
    Record,
    /// Parameters and secrets were made what a commit says.
    Push,
    /// A change set was worked out for a stack, and what it takes was uploaded.
    Prepare,
    /// A stack was made what a commit says.
    Deploy,
    /// A deployment under way was taken back.
    Cancel,
    /// A stack that was stuck was led out.
    Recover,
    /// A stack was deleted.
    Clean,
    /// An alias of a function was pointed to an earlier version.
    Alias,
    /// What a push wrote was taken back.
    Undo,
    /// An item was given an earlier value of its own.
    Rollback,
    /// Writing was allowed for a while.
    Unlock,
    /// Writing was refused again.
    Lock,
    /// A command of the operator's own was run.
    Run,
    /// The crypto API's keyring got a new key.
    Rotate,
    /// Functions were started anew.
    Restart,
    /// The project's deploy flow was asked to roll a commit out, or to give that up.
    Redeploy,
    /// Redeploys were held for a while.
    Hold,
    /// A hold was ended.
    Release,
    /// The token that the loop asks GitHub with was put into its secret.
    Token,
    /// A project of the pipeline's registry was added, changed or removed.
    Registry,
    /// The pipeline was asked for a build.
    Trigger,
    /// A build of the pipeline was asked to end.
    Stop,
    /// A build of the pipeline was started again.
    Retry,
    /// A dead letter of the pipeline was published again.
    Replay,
    /// An image of the pipeline's worker was pushed to the account's registry.
    Image,
    /// A record was posted to the intake.
    Post,
    /// A week's summary was written.
    Summarise,
}

impl Action {
    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Record => "record",
            Self::Push => "push",
            Self::Prepare => "prepare",
            Self::Deploy => "deploy",
            Self::Cancel => "cancel",
            Self::Recover => "recover",
            Self::Clean => "clean",
            Self::Alias => "alias",
            Self::Undo => "undo",
            Self::Rollback => "rollback",
            Self::Unlock => "unlock",
            Self::Lock => "lock",
            Self::Run => "run",
            Self::Rotate => "rotate",
            Self::Restart => "restart",
            Self::Redeploy => "redeploy",
            Self::Hold => "hold",
            Self::Release => "release",
            Self::Token => "token",
            Self::Registry => "registry",
            Self::Trigger => "trigger",
            Self::Stop => "stop",
            Self::Retry => "retry",
            Self::Replay => "replay",
            Self::Image => "image",
            Self::Post => "post",
            Self::Summarise => "summarise",
        }
    }
}

/// How a write went.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    /// When, milliseconds since the Unix epoch.
    pub at: i64,
    /// How.
    pub outcome: Outcome,
    /// What failed, or why it is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// How a write went, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// All of it was done.
    Ok,
    /// Some or all of it was not.
    Failed,
    /// It was given up before AWS had answered.
    Unknown,
}

/// How far a write is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Done.
    Ok,
    /// Failed, at least in part.
    Failed,
    /// Begun, and its process is still there.
    UnderWay,
    /// Begun, and nobody knows how it ended.
    Unknown,
}

impl State {
    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::UnderWay => "under way",
            Self::Unknown => "unknown",
        }
    }
}

impl Entry {
    /// How far it is. Of an entry of this machine: a process of the same number counts as the one that began it.
    #[must_use]
    pub fn state(&self) -> State {
        match self.settled.as_ref().map(|settled| settled.outcome) {
            Some(Outcome::Ok) => State::Ok,
            Some(Outcome::Failed) => State::Failed,
            None if file::is_running(self.process) => State::UnderWay,
            Some(Outcome::Unknown) | None => State::Unknown,
        }
    }
}

/// What is going to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// What is done.
    pub action: Action,
    /// What it is done to, by name.
    pub subjects: Vec<String>,
    /// The commit that it is done from.
    pub commit: Option<String>,
    /// Why, in the operator's words.
    pub reason: Option<String>,
    /// The single writes, where they can be continued or taken back one by one.
    pub steps: Vec<Step>,
    /// The commit that each unit runs so far.
    pub ran: BTreeMap<String, String>,
    /// The entry that is taken back.
    pub undoes: Option<String>,
    /// The identity of its entry, where something else knows it already; else a random one.
    pub id: Option<String>,
}

impl Intent {
    /// To do something to these subjects.
    #[must_use]
    pub fn new(action: Action, subjects: Vec<String>) -> Self {
        let (steps, ran) = (Vec::new(), BTreeMap::new());
        Self { action, subjects, commit: None, reason: None, steps, ran, undoes: None, id: None }
    }
}

/// The entries that are asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Query {
    /// Of this project.
    pub project: Option<String>,
    /// Of this environment.
    pub environment: Option<String>,
    /// At most so many, the newest.
    pub limit: Option<usize>,
}

/// What the journal holds of what was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// The entries, the newest first.
    pub entries: Vec<Entry>,
    /// Lines or objects that could not be read: cut short by a crash, or of a newer Plumb.
    pub unreadable: usize,
}

/// The journal of this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journal {
    path: Arc<PathBuf>,
}

impl Journal {
    /// The journal in a state directory. Nothing is read or made yet.
    #[must_use]
    pub fn in_directory(state: &Path) -> Self {
        Self { path: Arc::new(state.join("journal.jsonl")) }
    }

    /// Its file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it holds, the newest first.
    pub fn read(&self, query: &Query) -> Result<Found, Why> {
        file::read(&self.path, query)
            .map_err(|error| Why::new(format!("cannot read the journal {}: {error}", self.path.display())))
    }

    /// Writes that something begins. When that fails nothing may be sent.
    fn begin(&self, entry: &Entry) -> Result<(), Why> {
        self.add(&file::Line::Begun(Box::new(entry.clone())))
    }

    fn add(&self, line: &file::Line) -> Result<(), Why> {
        file::append(&self.path, line).map_err(|error| self.refused(&error))
    }

    fn refused(&self, error: &std::io::Error) -> Why {
        Why::new(format!("refused: the journal {} cannot be written: {error}", self.path.display()))
            .hint("PLUMB_STATE_DIR names another directory")
    }

    fn add_soon(&self, line: &file::Line) -> Result<(), Why> {
        file::append_soon(&self.path, line).map_err(|error| self.refused(&error))
    }

    fn settle(&self, id: &str, settled: &Settled) -> Result<(), Why> {
        file::append(&self.path, &file::Line::Settled { settles: id.to_owned(), settled: settled.clone() }).map_err(
            |error| Why::new(format!("done, but the journal {} cannot be written: {error}", self.path.display())),
        )
    }

    /// Settles an entry that another process left behind.
    pub(super) fn close(&self, id: &str, outcome: Outcome, error: Option<String>) -> Result<(), Why> {
        self.settle(id, &Settled { at: now(), outcome, error })
    }
}

#[cfg(test)]
mod tests;
