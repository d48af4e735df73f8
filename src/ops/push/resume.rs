//! Goes on with a write that was cut off: by a crash, by a signal, by a network that went away.
//!
//! The journal has every step that was planned and how far each came. What it is not sure of is looked up: versions
//! say what was done, and where they do not, values do.

use std::collections::{BTreeMap, BTreeSet};

use super::plan::{Pushed, Target};
use super::send::{self, Task};
use super::survey::target;
use super::{Watch, finish, lock, parameter, receipts, told};
use crate::compare::{Side, Why};
use crate::ops::inspect::{Loaded, Place};
use crate::ops::journal::{Action, Begun, Entry, Origin, Query, State, Step, Thing};
use crate::ops::receipt::UnitId;
use crate::ops::session::Session;
use crate::secret::Secret;

/// The last write of values to the session's environment from this machine, if it was cut off.
pub fn unfinished(session: &Session) -> Result<Option<Entry>, Why> {
    let query = Query {
        project: Some(session.project().name.clone()),
        environment: Some(session.environment().name.clone()),
        limit: None,
    };
    let found = session.journal()?.read(&query)?;
    let last = found.entries.into_iter().find(|entry| is_of_values(entry.action));
    Ok(last.filter(|entry| entry.state() == State::Unknown))
}

/// Whether an entry is a write of parameters and secrets.
pub(super) fn is_of_values(action: Action) -> bool {
    matches!(action, Action::Push | Action::Undo | Action::Rollback)
}

/// Goes on with a write. What it had done is not done again; what somebody else changed since is left alone, and told.
pub async fn resume(session: &Session, entry: &Entry, watch: &Watch<'_>) -> Result<Pushed, Why> {
    let (session, writer) = session.for_writing().await?;
    if entry.state() == State::UnderWay {
        return Err(Why::new(format!("refused: process {} is still at it", entry.process)));
    }
    if (&entry.account, &entry.region) != (&writer.account, &writer.region) {
        return Err(Why::new(format!(
            "refused: it was cut off in account {} in {}, and this is {} in {}",
            entry.account, entry.region, writer.account, writer.region
        )));
    }
    let tasks = tasks(&session, &entry.steps).await?;
    let work = async {
        let begun = Begun::again(&session, entry)?;
        let sent = send::send(&session, &begun, &tasks, watch).await;
        let (pushed, versions) = told(&session, begun.entry(), &tasks, sent).await;
        let written = match entry.action {
            Action::Push => settle(&session, begun.entry()).await,
            _ => receipts::of_entry(&session, begun.entry(), &versions).await,
        };
        Ok(finish(&session, begun, pushed, Vec::new(), written).await)
    };
    Box::pin(lock::under(&session, &entry.id, &writer.arn, work)).await
}

/// Writes the receipts of a push that was cut off. What it knew of all other items is gone, so that it is read again.
async fn settle(session: &Session, entry: &Entry) -> Result<Option<String>, Why> {
    if session.receipts().await?.bucket.is_none() {
        return Ok(None);
    }
    let named = entry.ran.keys().chain(&entry.subjects).filter_map(|name| UnitId::parse(name));
    let units: BTreeSet<UnitId> = entry.steps.iter().map(|step| step.kind.unit(&step.unit)).chain(named).collect();
    let commit = entry.commit.clone().unwrap_or_default();
    receipts::settle(session, entry, &commit, &units.into_iter().collect::<Vec<_>>()).await
}

/// The steps with their values, which the journal does not have: they are where they were from.
pub(super) async fn tasks(session: &Session, steps: &[Step]) -> Result<Vec<Task>, Why> {
    let mut commits: BTreeMap<(&str, Thing), Loaded> = BTreeMap::new();
    for step in steps {
        let Some(Origin::Commit(commit)) = &step.from else { continue };
        if !commits.contains_key(&(commit.as_str(), step.kind)) {
            let place = if step.kind == Thing::Parameter { Place::Config } else { Place::Secrets };
            commits.insert((commit, step.kind), Loaded::at(session, commit, place).await?);
        }
    }
    let bindings = session.bindings().await;
    let mut tasks = Vec::new();
    for step in steps {
        let (mut value, mut stored) = (None, Target::default());
        match &step.from {
            Some(Origin::Commit(commit)) => {
                let git = commits.get(&(commit.as_str(), step.kind));
                let git = git.ok_or_else(|| Why::new(format!("commit {commit} was not read")))?;
                value = Some(value_at(git, step).await?);
                if let Some(item) = git.side.items.get(&step.name) {
                    stored = target(session, &bindings, git.project(), step.kind, &step.unit, item.source);
                }
            }
            Some(Origin::Version(version)) if step.kind == Thing::Parameter => {
                value = parameter::value_of(session, &step.name, version).await?;
            }
            Some(Origin::Version(_)) | None => {}
        }
        if let Some(shape) = &step.shape {
            stored.tags = shape.tags.clone().into_iter().collect();
        }
        tasks.push(Task { step: step.clone(), value, target: stored });
    }
    Ok(tasks)
}

/// What a commit says of the item of a step.
pub(super) async fn value_at(git: &Loaded, step: &Step) -> Result<Secret, Why> {
    match git.value(&step.name).await {
        Side::Value(value) => Ok(value),
        Side::Unreadable(why) => Err(Why { reason: format!("{}: {}", step.name, why.reason), ..why }),
        Side::Absent => Err(Why::new(format!("{} is not in commit {}", step.name, git.commit))),
    }
}
