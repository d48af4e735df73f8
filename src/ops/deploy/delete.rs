//! Deletes a stack and follows that to its end.

use super::follow::{self, Ended, Progress};
use super::recover::{self, Wish};
use crate::aws::cloudformation::{StackInfo, operate};
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

/// Deletes a stack, by what was read of it. One that is gone already has ended well.
pub(super) async fn delete(
    session: &Session,
    info: &StackInfo,
    wish: &Wish,
    token: &str,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<Ended, Why> {
    let clients = &session.clients;
    refuse_protected(info, wish.unprotect)?;
    if info.termination_protection {
        progress(Progress::Step(format!("taking the protection off {}", info.name)));
        operate::protect(clients, &info.id, false).await.map_err(|error| why(&error))?;
    }
    let operation = recover::operation(session, info, token).await?;
    let sent = operate::delete_stack(clients, &info.id, &wish.retain, Some(token)).await;
    if let Err(error) = sent {
        let told = why(&error);
        if !info.termination_protection {
            return Err(told);
        }
        // It was protected, and nothing else was asked for than to delete it.
        let back = operate::protect(clients, &info.id, true).await;
        let left = if back.is_err() { "; its protection is off" } else { "; its protection is on again" };
        return Err(Why { reason: format!("{}{left}", told.reason), ..told });
    }
    follow::follow(session, &operation, progress).await
}
