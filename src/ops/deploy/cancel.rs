//! Takes an update back that is under way, whoever began it.

use super::follow::{self, Ended, Operation, Progress};
use crate::aws::ErrorKind;
use crate::aws::cloudformation::operate;
use crate::compare::Why;
use crate::ops::journal::{Action, Begun, Intent};
use crate::ops::session::Session;
use crate::ops::why;

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
    if let Err(error) = operate::cancel_update(&session.clients, &operation.id, Some(&token)).await {
        let told = why(&error);
        let _ = begun.settle(&session, Some(told.reason.clone())).await;
        return Err(match error.kind {
            ErrorKind::Conflict => Why::new(format!("{stack} has no update that could be taken back: {}", told.reason))
                .hint(format!("plumb deploy --follow {stack} shows what it is at")),
            _ => told,
        });
    }
    match follow::follow(&session, operation, progress).await {
        Ok(ended) => {
            let failed = (ended.status != "UPDATE_ROLLBACK_COMPLETE").then(|| format!("it ended in {}", ended.status));
            let untold = begun.settle(&session, failed).await;
            Ok((ended, untold))
        }
        // It goes on unseen, and the note says that nobody knows.
        Err(why) => Err(why),
    }
}
