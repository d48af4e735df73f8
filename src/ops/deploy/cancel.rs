//! Takes an update back that is under way, whoever began it.

use super::follow::{self, Ended, Operation, Progress};
use super::stopped::{self, Stopped};
use crate::aws::ErrorKind;
use crate::aws::cloudformation::operate;
use crate::compare::Why;
use crate::ops::journal::{Action, Begun, Intent};
use crate::ops::session::Session;

/// Cancels an update and follows its rollback to the end. Beside how it ended: why the journal does not hold that, if so.
///
/// Fails where there is no update to be taken back: a stack that is being made can only be deleted afterwards.
pub async fn cancel(
    session: &Session,
    operation: &Operation,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<(Ended, Option<Why>), Why> {
    let (session, writer) = session.for_writing().await?;
    let stack = &operation.stack;
    let begun = Begun::new(&session, &writer, Intent::new(Action::Cancel, vec![stack.clone()]))?;
    let token = format!("plumb-{}", begun.entry().id);
    let sent = operate::cancel_update(&session.clients, &operation.id, Some(&token)).await;
    let is_late = matches!(&sent, Err(error) if error.kind == ErrorKind::Conflict);
    // What it began with is somebody's; what it is asked for now has a mark of its own.
    let marked = Operation { token: Some(token), ..operation.clone() };
    let done = match stopped::begun(&session.clients, &marked, sent).await {
        Ok(()) => follow::follow(&session, operation, progress).await.map_err(Stopped::Unseen),
        Err(stopped) => Err(stopped),
    };
    match done {
        Ok(ended) => {
            let failed = (ended.status != "UPDATE_ROLLBACK_COMPLETE").then(|| format!("it ended in {}", ended.status));
            let untold = begun.settle(&session, failed).await;
            Ok((ended, untold))
        }
        Err(Stopped::Refused(why)) if is_late => {
            let why = Why::new(format!("{stack} has no update that could be taken back: {}", why.reason))
                .hint(format!("plumb deploy --follow {stack} shows what it is at"));
            Err(Stopped::Refused(why).settle(begun, &session).await)
        }
        Err(stopped) => Err(stopped.settle(begun, &session).await),
    }
}
