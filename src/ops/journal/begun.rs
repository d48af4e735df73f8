//! A write between its first note and its last: noted before anything is sent, settled whatever comes.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use super::{Action, Entry, Intent, Journal, Mark, Outcome, SCHEMA, Settled, file, team};
use crate::compare::Why;
use crate::ops::inspect::now;
use crate::ops::report::Identity;
use crate::ops::session::Session;

/// A write that has begun. Dropped before it is settled, it is settled as unknown: whoever waited has given up.
#[derive(Debug)]
#[must_use]
pub struct Begun {
    pub(super) journal: Journal,
    pub(super) entry: Entry,
    /// How far each step came, while several are under way.
    pub(super) marks: Mutex<BTreeMap<usize, Mark>>,
    /// Whether another process began it, so that the team may have been told of it before.
    pub(super) again: bool,
}

impl Begun {
    /// Writes that something begins, to be called before anything is sent.
    pub fn new(session: &Session, writer: &Identity, intent: Intent) -> Result<Self, Why> {
        let journal = session.journal()?.clone();
        let entry = Entry {
            schema: SCHEMA,
            id: intent.id.map_or_else(file::random_id, Ok)?,
            at: now(),
            project: session.project().name.clone(),
            environment: session.environment().name.clone(),
            account: writer.account.clone(),
            region: writer.region.clone(),
            by: writer.arn.clone(),
            action: intent.action,
            subjects: intent.subjects,
            commit: intent.commit,
            reason: intent.reason.or_else(|| session.reason().or(session.unlocked_for()).map(str::to_owned)),
            process: std::process::id(),
            settled: None,
            steps: intent.steps,
            marks: BTreeMap::new(),
            ran: intent.ran,
            undoes: intent.undoes,
        };
        journal.begin(&entry)?;
        Ok(Self { journal, entry, marks: Mutex::default(), again: false })
    }

    /// Goes on with what another process left behind.
    pub(in crate::ops) fn again(session: &Session, entry: &Entry) -> Result<Self, Why> {
        let journal = session.journal()?.clone();
        let process = std::process::id();
        journal.add(&file::Line::Resumed { resumes: entry.id.clone(), at: now(), process })?;
        let marks = Mutex::new(entry.marks.clone());
        Ok(Self { journal, entry: Entry { process, settled: None, ..entry.clone() }, marks, again: true })
    }

    /// The entry, as it began.
    pub(in crate::ops) fn entry(&self) -> &Entry {
        &self.entry
    }

    /// Notes how far a step is. What is about to be sent is on the disk when this comes back; when that fails, it must
    /// not be sent.
    pub(in crate::ops) fn mark(&self, step: usize, mark: Mark) -> Result<(), Why> {
        let line = file::Line::Marked { marks: self.entry.id.clone(), step, at: now(), mark: mark.clone() };
        if mark == Mark::Sent {
            self.journal.add(&line)?;
        } else {
            // One that is lost leaves the step as sent, and so to be looked at: no disk has to be waited for.
            self.journal.add_soon(&line)?;
        }
        self.marks.lock().unwrap_or_else(PoisonError::into_inner).insert(step, mark);
        Ok(())
    }

    /// Writes how it went, here and into the team's journal. What could not be written is handed back: the write
    /// itself is done or not, whatever becomes of its note.
    pub async fn settle(self, session: &Session, failed: Option<String>) -> Option<Why> {
        let outcome = if failed.is_some() { Outcome::Failed } else { Outcome::Ok };
        self.settle_as(session, outcome, failed).await
    }

    /// The same in other words than these two: that it is not known how far it came.
    pub async fn settle_as(self, session: &Session, outcome: Outcome, error: Option<String>) -> Option<Why> {
        let again = self.again;
        let (entry, here) = self.settle_here(outcome, error);
        let team = team::write(session, &entry, again).await.err();
        here.or(team)
    }

    /// Writes how it went into the journal of this machine alone.
    #[must_use]
    pub fn settle_here(mut self, outcome: Outcome, error: Option<String>) -> (Entry, Option<Why>) {
        let settled = Settled { at: now(), outcome, error };
        let here = self.journal.settle(&self.entry.id, &settled).err();
        self.entry.settled = Some(settled);
        self.entry.marks = std::mem::take(self.marks.get_mut().unwrap_or_else(PoisonError::into_inner));
        (self.entry.clone(), here)
    }
}

/// Does a write between its two notes. `failed` tells what of it went wrong although it came to an end.
///
/// Answers what came of it, and why the journal does not hold that, if so.
pub(in crate::ops) async fn noted<T>(
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
