//! The ways out of where a stack got stuck.

use super::delete;
use super::follow::{self, Ended, Operation, Progress};
use super::stopped::{self, Stopped};
use super::stuck::Stuck;
use crate::aws::cloudformation::{self, StackInfo, events, operate};
use crate::aws::{Clients, Error};
use crate::compare::Why;
use crate::ops::journal::{Action, Begun, Intent};
use crate::ops::session::Session;
use crate::ops::why;

/// What is asked for besides.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wish {
    /// Resources that a rollback leaves as they are.
    pub skip: Vec<String>,
    /// Resources that a deletion leaves behind.
    pub retain: Vec<String>,
    /// Whether a stack that is protected from deletion may be deleted.
    pub unprotect: bool,
}

/// A way out, as it was worked out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovery {
    /// The stack.
    pub stack: StackInfo,
    /// Where it is stuck.
    pub stuck: Stuck,
    /// The resources that hold it there, or that are left of it.
    pub resources: Vec<Held>,
    /// What is asked for besides.
    pub wish: Wish,
}

#[cfg(test)]
impl Recovery {
    /// The way out of that status, which nothing was read for.
    pub(crate) fn of_stack(name: &str, status: &str, matter: Stuck, resources: Vec<Held>, wish: Wish) -> Self {
        let stack = StackInfo {
            name: name.to_owned(),
            id: format!("arn:{name}"),
            status: status.to_owned(),
            status_reason: None,
            created_at: 0,
            changed_at: 0,
            parameters: std::collections::BTreeMap::new(),
            outputs: std::collections::BTreeMap::new(),
            drift_status: String::new(),
            drift_checked_at: None,
            tags: std::collections::BTreeMap::new(),
            role: None,
            termination_protection: false,
        };
        Self { stack, stuck: matter, resources, wish }
    }
}

/// A resource that holds a stack where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Its name in the template.
    pub logical_id: String,
    /// Its type.
    pub type_name: String,
    /// Its status.
    pub status: String,
    /// Why, where AWS says.
    pub reason: Option<String>,
}

/// Works the way out of a stack out; reads alone. `None`: it is not stuck.
///
/// Fails where there is no such stack, and for a resource that holds it nowhere.
pub async fn recovery(session: &Session, name: &str, wish: &Wish) -> Result<Option<Recovery>, Why> {
    let clients = &session.clients;
    let info = cloudformation::stack(clients, name).await.map_err(|error| why(&error))?;
    let info = info.ok_or_else(|| Why::new(format!("there is no stack {name}")))?;
    let Some(stuck) = Stuck::of(&info.status) else { return Ok(None) };
    let resources = cloudformation::resources(clients, name).await.map_err(|error| why(&error))?;
    let holds = |status: &str| match stuck {
        Stuck::RollbackFailed => status.ends_with("_FAILED"),
        Stuck::DeletionFailed => status == "DELETE_FAILED",
        _ => status != "DELETE_COMPLETE" && status != "DELETE_SKIPPED",
    };
    let held = resources.into_iter().filter(|resource| holds(&resource.status)).map(|resource| Held {
        logical_id: resource.logical_id,
        type_name: resource.type_name,
        status: resource.status,
        reason: resource.status_reason,
    });
    let mut resources: Vec<Held> = held.collect();
    if resources.is_empty() && stuck == Stuck::RollbackFailed {
        resources = failed_last(clients, &info).await?;
    }
    let (named, option, fits) = if wish.skip.is_empty() {
        (&wish.retain, "--retain", stuck == Stuck::DeletionFailed)
    } else {
        (&wish.skip, "--skip", stuck == Stuck::RollbackFailed)
    };
    if !named.is_empty() && !fits {
        return Err(Why::new(format!("{name} is {}, which {option} does not help", info.status)));
    }
    if let Some(unknown) = named.iter().find(|id| resources.iter().all(|held| held.logical_id != **id)) {
        let known: Vec<&str> = resources.iter().map(|held| held.logical_id.as_str()).collect();
        return Err(Why::new(format!("{unknown} is not what holds {name}"))
            .hint(format!("{option} takes one of {}", known.join(", "))));
    }
    if stuck.deletes() {
        delete::refuse_protected(&info, wish.unprotect)?;
    }
    Ok(Some(Recovery { stack: info, stuck, resources, wish: wish.clone() }))
}

/// What failed in the last rollback, by what happened then.
async fn failed_last(clients: &Clients, info: &StackInfo) -> Result<Vec<Held>, Why> {
    let begins = |event: &events::Event| {
        event.physical_id.as_ref() == Some(&info.id) && event.status == "UPDATE_ROLLBACK_IN_PROGRESS"
    };
    let found = events::until(clients, &info.id, begins).await.map_err(|error| why(&error))?;
    let mut held: Vec<Held> = Vec::new();
    for event in found.into_iter().filter(|event| event.physical_id.as_ref() != Some(&info.id)) {
        if event.status.ends_with("_FAILED") && held.iter().all(|held| held.logical_id != event.logical_id) {
            let (logical_id, type_name) = (event.logical_id, event.type_name);
            held.push(Held { logical_id, type_name, status: event.status, reason: event.reason });
        }
    }
    Ok(held)
}

/// Takes the way out and follows it to its end. Beside how it ended: why the journal does not hold that, if so.
pub async fn recover(
    session: &Session,
    recovery: &Recovery,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<(Ended, Option<Why>), Why> {
    let (session, writer) = session.for_writing().await?;
    let info = &recovery.stack;
    let begun = Begun::new(&session, &writer, Intent::new(Action::Recover, vec![info.name.clone()]))?;
    let token = format!("plumb-{}", begun.entry().id);
    let done = match recovery.stuck {
        Stuck::Review | Stuck::CreationFailed | Stuck::DeletionFailed => {
            let nothing = || std::future::ready(Ok(false));
            let never = std::future::pending();
            delete::delete(&session, info, &recovery.wish, &token, progress, nothing, never).await
        }
        Stuck::RollbackFailed => {
            let skip = recovery.wish.skip.clone();
            let ask = move |clients: Clients, id: String, token: String| async move {
                operate::continue_rollback(&clients, &id, &skip, Some(&token)).await
            };
            asked(&session, info, &token, progress, ask).await
        }
        Stuck::UpdateFailed => {
            let ask = |clients: Clients, id: String, token: String| async move {
                operate::rollback(&clients, &id, Some(&token)).await
            };
            asked(&session, info, &token, progress, ask).await
        }
    };
    match done {
        Ok(ended) => {
            let failed = (!recovery.stuck.is_left_by(&ended)).then(|| format!("it ended in {}", ended.status));
            let untold = begun.settle(&session, failed).await;
            Ok((ended, untold))
        }
        Err(stopped) => Err(stopped.settle(begun, &session).await),
    }
}

/// Asks for something and follows what comes of it.
async fn asked<Answer: Future<Output = Result<(), Error>>>(
    session: &Session,
    info: &StackInfo,
    token: &str,
    progress: &(dyn Fn(Progress) + Send + Sync),
    ask: impl FnOnce(Clients, String, String) -> Answer,
) -> Result<Ended, Stopped> {
    let operation = operation(session, info, token).await?;
    let sent = ask(session.clients.clone(), info.id.clone(), token.to_owned()).await;
    stopped::begun(&session.clients, &operation, sent).await?;
    follow::follow(session, &operation, progress).await.map_err(Stopped::Unseen)
}

/// What is about to be begun: what happens after the last thing that did.
pub(super) async fn operation(session: &Session, info: &StackInfo, token: &str) -> Result<Operation, Why> {
    let last = events::last(&session.clients, &info.id).await.map_err(|error| why(&error))?;
    let since = last.map_or(info.changed_at, |last| last + 1);
    Ok(Operation { stack: info.name.clone(), id: info.id.clone(), since, token: Some(token.to_owned()) })
}
