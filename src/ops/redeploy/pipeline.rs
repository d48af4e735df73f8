//! A redeploy by the pipeline: one message, of the commit that is to be rolled out and the branch that has it.

use super::ground;
use crate::compare::Why;
use crate::ops::hold;
use crate::ops::journal::Action;
use crate::ops::pipeline::follow::Followed;
use crate::ops::pipeline::jobs::Job;
use crate::ops::pipeline::message::Message;
use crate::ops::pipeline::trigger::{self, Sent};
use crate::ops::pipeline::{Pipeline, own};
use crate::ops::session::Session;

use super::Ask;

/// A message as it would be sent, and what it is of.
pub struct Piped {
    /// The message, and where it goes to.
    pub plan: trigger::Plan,
    /// The commit that is to be rolled out.
    pub commit: String,
    /// Its subject.
    pub subject: String,
    pipeline: Pipeline,
    ask: Ask,
}

/// Works out what would be sent, by reading alone.
pub async fn plan(session: &Session, ask: Ask) -> Result<Piped, Why> {
    let ground = ground::of(session, ask.reference.as_deref())?;
    let branch = ground.branch?;
    let pipeline = Pipeline::open(session).await?;
    let message =
        Message { project: own(session)?, branch, commit: Some(ground.commit.clone()), reason: ask.reason.clone() };
    let plan = pipeline.plan(message).await?;
    Ok(Piped { plan, commit: ground.commit, subject: ground.subject, pipeline, ask })
}

/// Sends it. Refused on hold, also where that began after the plan was made.
pub async fn send(session: &Session, piped: &Piped) -> Result<Sent, Why> {
    if !piped.ask.despite_hold {
        hold::refuse_held(session).await?;
    }
    piped.pipeline.by(session).send(&piped.plan, Action::Redeploy).await
}

/// Follows what the message started, to its end.
pub async fn follow(piped: &Piped, message: &str, tell: &(dyn Fn(Followed) + Sync)) -> Result<Job, Why> {
    piped.pipeline.follow(message, tell).await
}
