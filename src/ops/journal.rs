//! The journal: every write is in it before it is sent, and settled after.
//!
//! JSON lines in the state directory, for its owner alone: one line when a write begins, one when it is settled. A
//! line that begins and is never settled says that the process died meanwhile, and nobody knows what AWS did.
//! Items are named and their values never are; nothing here reads or keeps a value.

mod file;
mod team;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::inspect::now;
use super::report::Identity;
use super::session::Session;
use crate::compare::Why;

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
    /// The process that does it.
    pub process: u32,
    /// How it went; `None`: not settled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled: Option<Settled>,
}

/// What a write is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Receipts were written for what is live.
    Record,
    /// Parameters and secrets were made what a commit says.
    Push,
    /// A stack was made what a commit says.
    Deploy,
    /// Writing was allowed for a while.
    Unlock,
    /// Writing was refused again.
    Lock,
    /// A command of the operator's own was run.
    Run,
    /// The crypto API's keyring got a new key.
    Rotate,
}

impl Action {
    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Record => "record",
            Self::Push => "push",
            Self::Deploy => "deploy",
            Self::Unlock => "unlock",
            Self::Lock => "lock",
            Self::Run => "run",
            Self::Rotate => "rotate",
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
        file::append(&self.path, &file::Line::Begun(Box::new(entry.clone()))).map_err(|error| {
            Why::new(format!("refused: the journal {} cannot be written: {error}", self.path.display()))
                .hint("PLUMB_STATE_DIR names another directory")
        })
    }

    fn settle(&self, id: &str, settled: &Settled) -> Result<(), Why> {
        file::append(&self.path, &file::Line::Settled { settles: id.to_owned(), settled: settled.clone() }).map_err(
            |error| Why::new(format!("done, but the journal {} cannot be written: {error}", self.path.display())),
        )
    }
}

/// A write that has begun. Dropped before it is settled, it is settled as unknown: whoever waited has given up.
#[derive(Debug)]
#[must_use]
pub struct Begun {
    journal: Journal,
    entry: Entry,
}

impl Begun {
    /// Writes that something begins, to be called before anything is sent.
    pub fn new(session: &Session, writer: &Identity, intent: Intent) -> Result<Self, Why> {
        let journal = session.journal()?.clone();
        let entry = Entry {
            schema: SCHEMA,
            id: file::random_id()?,
            at: now(),
            project: session.project().name.clone(),
            environment: session.environment().name.clone(),
            account: writer.account.clone(),
            region: writer.region.clone(),
            by: writer.arn.clone(),
            action: intent.action,
            subjects: intent.subjects,
            commit: intent.commit,
            reason: intent.reason.or_else(|| session.unlocked_for().map(str::to_owned)),
            process: std::process::id(),
            settled: None,
        };
        journal.begin(&entry)?;
        Ok(Self { journal, entry })
    }

    /// Writes how it went, here and into the team's journal. What could not be written is handed back: the write
    /// itself is done or not, whatever becomes of its note.
    pub async fn settle(self, session: &Session, failed: Option<String>) -> Option<Why> {
        let outcome = if failed.is_some() { Outcome::Failed } else { Outcome::Ok };
        self.settle_as(session, outcome, failed).await
    }

    /// The same in other words than these two: that it is not known how far it came.
    pub async fn settle_as(self, session: &Session, outcome: Outcome, error: Option<String>) -> Option<Why> {
        let (entry, here) = self.settle_here(outcome, error);
        let team = team::write(session, &entry).await.err();
        here.or(team)
    }

    /// Writes how it went into the journal of this machine alone.
    #[must_use]
    pub fn settle_here(mut self, outcome: Outcome, error: Option<String>) -> (Entry, Option<Why>) {
        let settled = Settled { at: now(), outcome, error };
        let here = self.journal.settle(&self.entry.id, &settled).err();
        self.entry.settled = Some(settled);
        (self.entry.clone(), here)
    }
}

/// Does a write between its two notes. `failed` tells what of it went wrong although it came to an end.
///
/// Answers what came of it, and why the journal does not hold that, if so.
pub(super) async fn noted<T>(
    session: &Session,
    writer: &Identity,
    intent: Intent,
    work: impl Future<Output = Result<T, Why>>,
    failed: impl FnOnce(&T) -> Option<String>,
) -> Result<(T, Option<Why>), Why> {
    let begun = Begun::new(session, writer, intent)?;
    let done = work.await;
    let told = match &done {
        Ok(done) => failed(done),
        Err(why) => Some(why.reason.clone()),
    };
    let untold = begun.settle(session, told).await;
    done.map(|done| (done, untold))
}

impl Drop for Begun {
    fn drop(&mut self) {
        if self.entry.settled.is_none() {
            let before = if self.entry.action == Action::Run { "the command had ended" } else { "AWS had answered" };
            let error = Some(format!("given up before {before}"));
            let _ = self.journal.settle(&self.entry.id, &Settled { at: now(), outcome: Outcome::Unknown, error });
        }
    }
}

#[cfg(test)]
mod tests;
