//! What CloudFormation is at with a stack, as it happens, to its end: also where somebody else began it.
//!
//! A question that is not answered ends nothing: the work goes on without whoever looks. Only what no further question can
//! be asked after - the time is up, or the credentials have ended - ends the following, and says so.

use std::collections::BTreeSet;
use std::time::Duration;

use super::stopped;
use crate::aws::cloudformation::events::{self, Event};
use crate::aws::cloudformation::{self, StackInfo};
use crate::aws::{self, Poll};
use crate::compare::Why;
use crate::ops::session::Session;
use crate::ops::why;

/// How long an operation is followed. It goes on without the follower.
pub(super) const LONGEST: Duration = Duration::from_hours(2);

const STACK: &str = "AWS::CloudFormation::Stack";

/// An operation on a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operation {
    /// The stack's name.
    pub stack: String,
    /// The stack's ARN.
    pub id: String,
    /// Since when what happens belongs to it, milliseconds by AWS's clock.
    pub since: i64,
    /// What its request was marked with: `plumb-…` is of a Plumb, whose journal has the rest as an id.
    pub token: Option<String>,
}

/// How far a deployment is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// What is being done before CloudFormation is at work, or after.
    Step(String),
    /// CloudFormation is asked to begin: from here on it goes on, whoever looks.
    Begun,
    /// CloudFormation is done. What comes now is Plumb's own work, and ends with it.
    Own,
    /// Something happened to the stack, one within it, or a resource.
    Happened(Happened),
    /// The first thing that failed; a later one takes its place when it turns out to be the cause of it.
    Failed(Failure),
    /// CloudFormation could not be asked; it is asked again.
    Unanswered(Why),
    /// It could be asked again.
    Answered,
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happened {
    /// Milliseconds.
    pub at: i64,
    /// The stacks within the stack that lead to it, by logical id; empty for the stack itself.
    pub path: Vec<String>,
    /// The resource's name in its template; of the stack its name.
    pub logical_id: String,
    /// Its type.
    pub type_name: String,
    /// `UPDATE_IN_PROGRESS`, ….
    pub status: String,
    /// Why, where AWS says.
    pub reason: Option<String>,
}

/// What failed first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Where and how.
    pub event: Happened,
    /// Its name or ARN in AWS, where it has one.
    pub physical_id: Option<String>,
}

/// How an operation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// The stack's status; `DELETE_COMPLETE` for one that is gone.
    pub status: String,
    /// The stack; `None`: it is gone.
    pub stack: Option<StackInfo>,
    /// What failed first, when something did.
    pub failure: Option<Failure>,
    /// How long it took, from what happened first to what happened last, in milliseconds.
    pub took: i64,
}

impl Happened {
    /// Its name, with the stacks that lead to it: `Database/Table`.
    #[must_use]
    pub fn name(&self) -> String {
        self.path.iter().map(String::as_str).chain([self.logical_id.as_str()]).collect::<Vec<_>>().join("/")
    }
}

impl Ended {
    /// Whether it did what it was begun for.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.status.ends_with("_COMPLETE") && !self.status.contains("ROLLBACK")
    }

    /// What went wrong, and what to do next; `None`: nothing.
    #[must_use]
    pub fn why(&self, stack: &str) -> Option<Why> {
        if self.succeeded() {
            return None;
        }
        let of_failure = |failure: &Failure| {
            let (name, event) = (failure.event.name(), &failure.event);
            let reason = event.reason.as_deref().unwrap_or("AWS says no reason");
            format!("{name} ({}) {}: {reason}", event.type_name, event.status)
        };
        let of_stack = || {
            let reason = self.stack.as_ref().and_then(|info| info.status_reason.clone());
            reason.unwrap_or_else(|| "AWS says no reason".to_owned())
        };
        let told = self.failure.as_ref().map_or_else(of_stack, of_failure);
        let (state, hint) = if self.status == "UPDATE_ROLLBACK_COMPLETE" {
            ("it runs what it ran before", None)
        } else {
            let goes_on = if self.status == "UPDATE_ROLLBACK_FAILED" { " goes on with the rollback" } else { "" };
            ("it takes no change like this", Some(format!("plumb recover {stack}{goes_on}")))
        };
        let why = Why::new(format!("{stack} ended in {}, {state}: {told}", self.status));
        Some(Why { hint, ..why })
    }
}

/// What CloudFormation is at with a stack in progress.
pub(super) async fn operation(session: &Session, info: &StackInfo) -> Result<Operation, Why> {
    let mut begin: Option<Event> = None;
    let begins = |event: &Event| {
        is_of(event, &info.id)
            && matches!(
                event.status.as_str(),
                "CREATE_IN_PROGRESS" | "UPDATE_IN_PROGRESS" | "DELETE_IN_PROGRESS" | "IMPORT_IN_PROGRESS"
            )
    };
    let stop = |event: &Event| {
        if begin.is_some() {
            return true;
        }
        if begins(event) {
            begin = Some(event.clone());
        }
        false
    };
    let found = events::until(&session.clients, &info.id, stop).await.map_err(|error| why(&error))?;
    let oldest = found.last().map_or(info.changed_at, |event| event.at);
    let since = begin.as_ref().map_or(oldest, |event| event.at);
    Ok(Operation {
        stack: info.name.clone(),
        id: info.id.clone(),
        since,
        token: begin.and_then(|event| event.client_token),
    })
}

/// What is under way on a stack, by its name; `None`: nothing, or there is no such stack.
pub async fn under_way(session: &Session, stack: &str) -> Result<Option<Operation>, Why> {
    match cloudformation::stack(&session.clients, stack).await.map_err(|error| why(&error))? {
        Some(info) if info.in_progress() => operation(session, &info).await.map(Some),
        _ => Ok(None),
    }
}

fn is_of(event: &Event, stack_id: &str) -> bool {
    event.type_name == STACK && event.physical_id.as_deref() == Some(stack_id)
}

/// Follows an operation to its end, its rollback included.
pub async fn follow(
    session: &Session,
    operation: &Operation,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<Ended, Why> {
    let mut poll = Poll::within(LONGEST);
    let mut look = Look::at(operation);
    let mut answers = true;
    loop {
        match look.on(session, progress).await {
            Ok(ended) => {
                if !answers {
                    progress(Progress::Answered);
                    answers = true;
                }
                if let Some(ended) = ended {
                    return Ok(ended);
                }
            }
            Err(error) if error.passes() => {
                if answers {
                    progress(Progress::Unanswered(why(&error)));
                }
                answers = false;
            }
            Err(error) => return Err(lost(operation, why(&error))),
        }
        if !poll.again().await {
            let told = format!("no end after {} minutes", LONGEST.as_secs() / 60);
            return Err(lost(operation, Why::new(told)));
        }
    }
}

fn lost(operation: &Operation, why: Why) -> Why {
    let stack = &operation.stack;
    let renew = why.hint.map(|hint| format!("{hint}; then ")).unwrap_or_default();
    Why {
        reason: format!("{stack} is not followed any more, and what AWS is at with it goes on: {}", why.reason),
        hint: Some(format!("{renew}{}", stopped::look_on(stack))),
        ..why
    }
}

/// A stack that is looked at: the one of the operation, or one within it.
struct Watched {
    id: String,
    path: Vec<String>,
    since: i64,
    seen: BTreeSet<String>,
    ended: bool,
}

struct Look {
    stacks: Vec<Watched>,
    first: Option<Failure>,
    began: Option<i64>,
    last: i64,
}

impl Look {
    fn at(operation: &Operation) -> Self {
        let (id, since) = (operation.id.clone(), operation.since);
        let stacks = vec![Watched { id, path: Vec::new(), since, seen: BTreeSet::new(), ended: false }];
        Self { stacks, first: None, began: None, last: since }
    }

    /// Looks once at every stack that has not ended. Answers the end of the operation.
    async fn on(
        &mut self,
        session: &Session,
        progress: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<Option<Ended>, aws::Error> {
        let mut at = 0;
        while at < self.stacks.len() {
            if !self.stacks[at].ended {
                self.read(session, at, progress).await?;
            }
            at += 1;
        }
        if !self.stacks[0].ended {
            return Ok(None);
        }
        let info = cloudformation::stack(&session.clients, &self.stacks[0].id).await?;
        if info.as_ref().is_some_and(StackInfo::in_progress) {
            return Ok(None);
        }
        let status = info.as_ref().map_or_else(|| "DELETE_COMPLETE".to_owned(), |info| info.status.clone());
        let took = self.last - self.began.unwrap_or(self.last);
        let stack = info.filter(|info| info.status != "DELETE_COMPLETE");
        Ok(Some(Ended { status, stack, failure: self.first.clone(), took }))
    }

    async fn read(
        &mut self,
        session: &Session,
        at: usize,
        progress: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<(), aws::Error> {
        let stack = &self.stacks[at];
        let known = |event: &Event| event.at < stack.since || stack.seen.contains(&event.id);
        let found = events::until(&session.clients, &stack.id, known).await?;
        for event in found.into_iter().rev() {
            self.stacks[at].seen.insert(event.id.clone());
            if event.status == "REVIEW_IN_PROGRESS" {
                continue;
            }
            self.took(at, &event, progress);
        }
        Ok(())
    }

    fn took(&mut self, at: usize, event: &Event, progress: &(dyn Fn(Progress) + Send + Sync)) {
        let (path, id) = (self.stacks[at].path.clone(), self.stacks[at].id.clone());
        let is_itself = is_of(event, &id);
        // A stack within tells of itself what its parent tells of it as well.
        let is_told = !is_itself || path.is_empty();
        let happened = Happened {
            at: event.at,
            path: path.clone(),
            logical_id: event.logical_id.clone(),
            type_name: event.type_name.clone(),
            status: event.status.clone(),
            reason: event.reason.clone(),
        };
        self.began = Some(self.began.map_or(event.at, |began| began.min(event.at)));
        self.last = self.last.max(event.at);
        if is_itself {
            self.stacks[at].ended = !event.status.ends_with("_IN_PROGRESS");
        } else if event.type_name == STACK
            && let Some(inner) = event.physical_id.as_deref().filter(|inner| inner.starts_with("arn:"))
            && self.stacks.iter().all(|stack| stack.id != inner)
        {
            let path = path.into_iter().chain([event.logical_id.clone()]).collect();
            let (id, since) = (inner.to_owned(), self.stacks[at].since);
            self.stacks.push(Watched { id, path, since, seen: BTreeSet::new(), ended: false });
        } else if event.type_name == STACK
            && let Some(inner) = self.stacks.iter_mut().find(|stack| Some(&stack.id) == event.physical_id.as_ref())
        {
            // It may be at work again, in the rollback.
            inner.ended &= !event.status.ends_with("_IN_PROGRESS");
        }
        if is_told {
            progress(Progress::Happened(happened.clone()));
        }
        if !is_itself && is_failure(&happened) && self.first.as_ref().is_none_or(|first| precedes(&happened, first)) {
            let failure = Failure { event: happened, physical_id: event.physical_id.clone() };
            self.first = Some(failure.clone());
            progress(Progress::Failed(failure));
        }
    }
}

/// Whether something failed by itself, and not because something else did.
fn is_failure(happened: &Happened) -> bool {
    let cancelled = |reason: &String| reason.to_ascii_lowercase().contains("cancelled");
    happened.status.ends_with("_FAILED") && !happened.reason.as_ref().is_some_and(cancelled)
}

/// Whether a failure is rather the cause: it came first, or it is within the stack that failed because of it.
fn precedes(happened: &Happened, first: &Failure) -> bool {
    let is_within = happened.path.len() > first.event.path.len()
        && happened.path.starts_with(&first.event.path)
        && happened.path.get(first.event.path.len()) == Some(&first.event.logical_id);
    is_within || happened.at < first.event.at
}

#[cfg(test)]
mod tests;
