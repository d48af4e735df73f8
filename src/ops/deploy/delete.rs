//! Deletes a stack and follows that to its end.

use std::sync::atomic::{AtomicBool, Ordering};

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

/// Deletes a stack, by what was shown of it. A stack that is gone already has ended well.
///
/// `clear` takes out of the way what a deletion failed at, and answers whether to ask again. It comes after the first try:
/// what it takes away does not come back, and whatever speaks against the deletion - a permission, a stack that imports
/// from this one - has spoken by then. `stop` ends the looking on: what CloudFormation is at goes on, and nothing else does.
pub(super) async fn delete<Clear: Future<Output = Result<bool, Why>>>(
    session: &Session,
    info: &StackInfo,
    wish: &Wish,
    token: &str,
    progress: &(dyn Fn(Progress) + Send + Sync),
    clear: impl FnOnce() -> Clear,
    stop: impl Future<Output = ()>,
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
    if now.termination_protection {
        progress(Progress::Step(format!("taking the protection off {name}")));
        operate::protect(clients, &now.id, false).await.map_err(|error| why(&error))?;
    }
    let is_asked = AtomicBool::new(false);
    let work = async {
        let ended = ask(session, &now, wish, token, &is_asked, progress).await?;
        if ended.stack.is_none() || !clear().await? {
            return Ok(ended);
        }
        // A token that was used asks for nothing again.
        ask(session, &now, wish, &format!("{token}-again"), &is_asked, progress).await
    };
    let done = tokio::select! {
        biased;
        () = stop => Err(interrupted(name, is_asked.load(Ordering::Relaxed))),
        done = Box::pin(work) => done,
    };
    let is_gone = done.as_ref().is_ok_and(|ended| ended.stack.is_none());
    if !now.termination_protection || is_gone {
        return done;
    }
    let told = protect_again(clients, &now).await;
    progress(Progress::Step(told.clone()));
    done.map_err(|stopped| stopped.map(|why| Why { reason: format!("{}; {told}", why.reason), ..why }))
}

/// Asks for the deletion and follows it. `is_asked` is true while CloudFormation is at it, or may be.
async fn ask(
    session: &Session,
    info: &StackInfo,
    wish: &Wish,
    token: &str,
    is_asked: &AtomicBool,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<Ended, Stopped> {
    let clients = &session.clients;
    let operation = recover::operation(session, info, token).await?;
    is_asked.store(true, Ordering::Relaxed);
    let sent = operate::delete_stack(clients, &info.id, &wish.retain, Some(token)).await;
    stopped::begun(clients, &operation, sent).await?;
    let ended = follow::follow(session, &operation, progress).await.map_err(Stopped::Unseen)?;
    is_asked.store(false, Ordering::Relaxed);
    Ok(ended)
}

fn interrupted(stack: &str, is_asked: bool) -> Stopped {
    if is_asked {
        let why = Why::new(format!("what AWS is at with {stack} goes on without you"));
        return Stopped::Unseen(why.hint(stopped::look_on(stack)));
    }
    Stopped::Refused(Why::new(format!("interrupted: {stack} is not deleted, and nothing goes on with it")))
}

/// It was protected, and nothing else was asked for than to delete it.
async fn protect_again(clients: &Clients, info: &StackInfo) -> String {
    let name = &info.name;
    match operate::protect(clients, &info.id, true).await {
        Ok(()) => format!("{name} is protected from being deleted again"),
        Err(error) => format!("the protection of {name} from being deleted is off: {}", why(&error).reason),
    }
}
