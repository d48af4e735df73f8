//! What is sent between two notes of the journal, and may have been done although no answer came.

use super::Pipeline;
use crate::aws::Error;
use crate::compare::Why;
use crate::ops::journal::{Begun, Intent, Outcome};
use crate::ops::session::Session;
use crate::ops::why;

impl Pipeline {
    /// Sends something in the name of whoever may write. Answers what came of it, and why the journal does not hold that,
    /// if so.
    pub(super) async fn once<T, F>(
        &self,
        intent: Intent,
        send: impl FnOnce(Session) -> F,
    ) -> Result<(T, Option<Why>), Why>
    where
        F: Future<Output = Result<T, Error>>,
    {
        let (session, writer) = self.session.for_writing().await?;
        let begun = Begun::new(&session, &writer, intent)?;
        match send(session.clone()).await {
            Ok(done) => Ok((done, begun.settle(&session, None).await)),
            Err(error) => Err(failed(&session, begun, &error).await),
        }
    }
}

/// Settles what failed: as unknown where the answer to it was lost, and says so.
pub(super) async fn failed(session: &Session, begun: Begun, error: &Error) -> Why {
    let outcome = if error.is_lost() { Outcome::Unknown } else { Outcome::Failed };
    let _ = begun.settle_as(session, outcome, Some(error.to_string())).await;
    let told = why(error);
    if outcome == Outcome::Failed {
        return told;
    }
    let reason = format!("{}; whether it was done is not known", told.reason);
    Why { reason, hint: Some("plumb pipeline jobs tells, before it is asked for again".to_owned()), ..told }
}
