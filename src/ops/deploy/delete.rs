//! Deletes a stack and follows that to its end.

use super::follow::{self, Ended, Progress};
use super::recover::{self, Wish};
use super::stopped::{self, Stopped};
use crate::aws::Clients;
use crate::aws::cloudformation::{self, StackInfo, operate};
use crate::compare::Why;
use crate::ops::session::Session;
use crate::ops::why;

/// Refuses to delete a stack that is protected from that, unless its protection may be taken off.
pub(super) fn refuse_protected(info: &StackInfo, unprotect: bool) -> Result<(), Why> {
    if info.termination_protection && !unprotect {
        let name = &info.name;
        return Err(Why::new(format!("refused: {name} is protected from being deleted"))
            .hint("--unprotect takes its termination protection off first"));
    }
    Ok(())
}

/// Refuses to delete a stack that CloudFormation is at work on.
pub(super) fn refuse_busy(info: &StackInfo) -> Result<(), Why> {
    if info.in_progress() {
        let (name, status) = (&info.name, &info.status);
        return Err(Why::new(format!("refused: CloudFormation is at work on {name}, which is {status}"))
            .hint(stopped::look_on(name)));
    }
    Ok(())
}

/// Deletes a stack, by what was shown of it. `before` is done when nothing speaks against the deletion any more: what it
/// takes away does not come back. A stack that is gone already has ended well.
pub(super) async fn delete(
    session: &Session,
    info: &StackInfo,
    wish: &Wish,
    token: &str,
    progress: &(dyn Fn(Progress) + Send + Sync),
    before: impl Future<Output = Result<(), Why>>,
) -> Result<Ended, Stopped> {
    let clients = &session.clients;
    let found = cloudformation::stack(clients, &info.id).await.map_err(|error| why(&error))?;
    let Some(now) = found.filter(|now| now.status != "DELETE_COMPLETE") else {
        return Ok(Ended { status: "DELETE_COMPLETE".to_owned(), stack: None, failure: None, took: 0 });
    };
    let name = &now.name;
    refuse_busy(&now)?;
    refuse_protected(&now, wish.unprotect)?;
    if (&now.status, now.changed_at) != (&info.status, info.changed_at) {
        let why = Why::new(format!("refused: {name} was changed since it was looked at, and is {}", now.status));
        return Err(why.hint("look again, and confirm that").into());
    }
    let operation = recover::operation(session, &now, token).await?;
    if now.termination_protection {
        progress(Progress::Step(format!("taking the protection off {name}")));
        operate::protect(clients, &now.id, false).await.map_err(|error| why(&error))?;
    }
    let work = async {
        before.await?;
        let sent = operate::delete_stack(clients, &now.id, &wish.retain, Some(token)).await;
        stopped::begun(clients, &operation, sent).await?;
        follow::follow(session, &operation, progress).await.map_err(Stopped::Unseen)
    };
    let done = Box::pin(work).await;
    let is_gone = done.as_ref().is_ok_and(|ended| ended.stack.is_none());
    if !now.termination_protection || is_gone {
        return done;
    }
    let told = protect_again(clients, &now).await;
    progress(Progress::Step(told.clone()));
    done.map_err(|stopped| stopped.map(|why| Why { reason: format!("{}; {told}", why.reason), ..why }))
}

/// It was protected, and nothing else was asked for than to delete it.
async fn protect_again(clients: &Clients, info: &StackInfo) -> String {
    let name = &info.name;
    match operate::protect(clients, &info.id, true).await {
        Ok(()) => format!("{name} is protected from being deleted again"),
        Err(error) => format!("the protection of {name} from being deleted is off: {}", why(&error).reason),
    }
}
