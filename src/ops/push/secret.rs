//! One write of a secret: a new version under a stage of Plumb's own, which nobody reads, and then the current stage is
//! moved to it from exactly the version that was current in the plan.

use super::present::Left;
use super::send::{Attempt, Task};
use crate::aws::secretsmanager::{self, Create};
use crate::aws::{Error, ErrorKind, Read};
use crate::compare::Why;
use crate::ops::journal::{Act, Version};
use crate::ops::session::Session;
use crate::ops::why;
use crate::secret::Secret;

/// The stage of a version that is being pushed.
pub(super) const PENDING: &str = "plumb-pending";
/// Days in which a deleted secret can be restored.
pub(super) const WINDOW: i64 = 30;

/// Does what is left of a step.
pub(super) async fn write(session: &Session, task: &Task, left: &Left) -> Attempt {
    let done = match (task.step.act, left) {
        (Act::Create, _) => create(session, task).await,
        (Act::Delete, left) => delete(session, task, left == &Left::Schedule).await.map(|()| None),
        (Act::Update | Act::Restore, left) => change(session, task, left).await,
    };
    match done {
        Ok(version) => Attempt::Done(version.map(|id| Version { id, modified: None }), None),
        Err(Failure::Of(why)) => Attempt::Failed(why),
        // Made by whoever was faster, or by the attempt before, whose answer was lost: the next round tells.
        Err(Failure::By(error)) if error.kind == ErrorKind::Conflict && task.step.act == Act::Create => {
            Attempt::Again(why(&error))
        }
        Err(Failure::By(error)) => Attempt::of(why(&error)),
    }
}

enum Failure {
    By(Error),
    Of(Why),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::By(error)
    }
}

fn missing(what: &str) -> Failure {
    Failure::Of(Why::new(format!("its {what} is not known")))
}

async fn create(session: &Session, task: &Task) -> Result<Option<String>, Failure> {
    let create = Create {
        name: &task.step.name,
        value: task.value.as_ref().ok_or_else(|| missing("value"))?,
        token: task.step.token.as_deref().ok_or_else(|| missing("token"))?,
        kms_key_id: task.target.key_id.as_deref(),
        description: None,
        tags: &task.target.tags,
    };
    Ok(Some(secretsmanager::create(&session.clients, create).await?))
}

async fn change(session: &Session, task: &Task, left: &Left) -> Result<Option<String>, Failure> {
    let (clients, step) = (&session.clients, &task.step);
    let name = step.name.as_str();
    let before = step.before.as_ref().map(|before| before.id.as_str()).ok_or_else(|| missing("version"))?;
    if step.act == Act::Restore && *left == Left::All {
        secretsmanager::restore(clients, name).await?;
    }
    let Some(token) = step.token.as_deref() else { return Ok(Some(before.to_owned())) };
    if matches!(left, Left::All | Left::Stage) {
        let value = task.value.as_ref().ok_or_else(|| missing("value"))?;
        secretsmanager::stage(clients, name, value, token, PENDING).await?;
    }
    match secretsmanager::promote(clients, name, token, before).await {
        Ok(()) => Ok(Some(token.to_owned())),
        Err(error) if error.kind == ErrorKind::Conflict => beaten(session, task, token).await,
        Err(error) => Err(error.into()),
    }
}

/// The version that was current in the plan no longer is: the answer to this very move was lost, or somebody else made
/// another version current. Then ours was never read by anybody; without its stage AWS removes it.
async fn beaten(session: &Session, task: &Task, token: &str) -> Result<Option<String>, Failure> {
    let (clients, name) = (&session.clients, task.step.name.as_str());
    let current = secretsmanager::describe(clients, name).await?.and_then(|meta| meta.current_version);
    if current.as_deref() == Some(token) {
        return Ok(current);
    }
    // Left behind, it says no more than that a push began.
    let _ = secretsmanager::unstage(clients, name, PENDING, token).await;
    let current = current.unwrap_or_default();
    Err(Failure::Of(
        Why::new(format!("not written, somebody else was faster: version {current} is current by now"))
            .hint("look at what changed, and plan again"),
    ))
}

async fn delete(session: &Session, task: &Task, is_moved: bool) -> Result<(), Failure> {
    let (clients, step) = (&session.clients, &task.step);
    // Of one that was restored and changed: as it was before.
    if let (Some(earlier), Some(before), false) = (&step.token, &step.before, is_moved) {
        secretsmanager::promote(clients, &step.name, earlier, &before.id).await?;
    }
    Ok(secretsmanager::delete(clients, &step.name, WINDOW).await?)
}

/// The value of one version; `None`: there is none.
pub(super) async fn value_of(session: &Session, name: &str, version: &str) -> Result<Option<Secret>, Why> {
    match secretsmanager::value_of(&session.clients, name, version).await {
        Read::Found(found) => Ok(Some(found.value)),
        Read::Missing => Ok(None),
        Read::Failed(error) => Err(why(&error)),
    }
}
