//! Why what was asked of CloudFormation has no end to tell of: it never began, or it goes on unseen.

use super::follow::Operation;
use crate::aws::cloudformation::events::{self, Event};
use crate::aws::{Clients, Error, ErrorKind};
use crate::compare::Why;
use crate::ops::journal::{Begun, Outcome};
use crate::ops::session::Session;
use crate::ops::why;

/// Why there is no end to tell of.
#[derive(Debug)]
pub(super) enum Stopped {
    /// It never began.
    Refused(Why),
    /// It goes on, or may, and is not seen any more.
    Unseen(Why),
}

impl From<Why> for Stopped {
    fn from(why: Why) -> Self {
        Self::Refused(why)
    }
}

impl Stopped {
    /// Says the same with more words.
    pub(super) fn map(self, told: impl FnOnce(Why) -> Why) -> Self {
        match self {
            Self::Refused(why) => Self::Refused(told(why)),
            Self::Unseen(why) => Self::Unseen(told(why)),
        }
    }

    /// Notes it: what goes on unseen did not fail, and nobody knows how it ends.
    pub(super) async fn settle(self, begun: Begun, session: &Session) -> Why {
        let (outcome, why) = match self {
            Self::Refused(why) => (Outcome::Failed, why),
            Self::Unseen(why) => (Outcome::Unknown, why),
        };
        let _ = begun.settle_as(session, outcome, Some(why.reason.clone())).await;
        why
    }
}

/// Whether what was asked for has begun. A request is sent more than once, so that an error is the last answer and not the
/// first: what happened to the stack since says more.
pub(super) async fn begun(clients: &Clients, operation: &Operation, sent: Result<(), Error>) -> Result<(), Stopped> {
    let Err(error) = sent else { return Ok(()) };
    let told = why(&error);
    if is_refusal(&error) {
        return Err(Stopped::Refused(told));
    }
    match seen(clients, operation).await {
        Ok(true) => Ok(()),
        Ok(false) if !error.is_lost() => Err(Stopped::Refused(told)),
        Ok(false) => Err(unknown(operation, &told, "nothing of it is to be seen so far")),
        Err(unread) => Err(unknown(operation, &told, &why(&unread).reason)),
    }
}

fn unknown(operation: &Operation, told: &Why, seen: &str) -> Stopped {
    let stack = &operation.stack;
    let reason = format!("it is not known whether that began with {stack}: {}; {seen}", told.reason);
    Stopped::Unseen(Why::new(reason).hint(look_on(stack)))
}

/// How to look on at what a stack is at.
pub(super) fn look_on(stack: &str) -> String {
    format!("plumb deploy --follow {stack} looks on again")
}

/// Whether an error says that nothing began, however often it was asked for.
pub(super) fn is_refusal(error: &Error) -> bool {
    matches!(
        error.kind,
        ErrorKind::AccessDenied | ErrorKind::NoCredentials | ErrorKind::NoRegion | ErrorKind::Expired { .. }
    )
}

/// Whether something of an operation has happened to its stack.
pub(super) async fn seen(clients: &Clients, operation: &Operation) -> Result<bool, Error> {
    let known = |event: &Event| event.at < operation.since;
    let events = events::until(clients, &operation.id, known).await?;
    Ok(operation.token.is_some() && events.iter().any(|event| event.client_token == operation.token))
}
