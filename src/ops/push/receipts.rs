//! What receipts say after a write. They are written last: until then the journal knows more than they do.

use std::collections::BTreeMap;

use super::plan::{Plan, Pushed, Race};
use super::present;
use super::send::Task;
use crate::aws::ssm;
use crate::compare::Why;
use crate::ops::inspect::now;
use crate::ops::journal::{Act, Action, Entry, Step, Thing, Version};
use crate::ops::receipt::{self, Receipt, UnitId};
use crate::ops::record::{self, Head};
use crate::ops::session::Session;

/// Gives the versions of parameters that were written their time, as a listing tells it: one call for each fifty. Where
/// somebody has written since, that is told, and there is no time: theirs is live.
pub(super) async fn date(
    session: &Session,
    tasks: &[Task],
    versions: &mut BTreeMap<usize, Option<Version>>,
    pushed: &mut Pushed,
) {
    let is_parameter = |at: &usize| tasks[*at].step.kind == Thing::Parameter;
    let names: Vec<String> = versions
        .iter()
        .filter(|(at, version)| is_parameter(at) && version.is_some())
        .map(|(at, _)| tasks[*at].step.name.clone())
        .collect();
    let metas = match ssm::metas(&session.clients, &names).await {
        Ok(metas) => metas,
        Err(error) => {
            pushed.notes.push(format!("what was written could not be listed: {error}"));
            BTreeMap::new()
        }
    };
    for (at, version) in versions.iter_mut() {
        let step = &tasks[*at].step;
        let (Some(version), Thing::Parameter) = (version, step.kind) else { continue };
        match metas.get(&step.name) {
            Some(meta) if meta.version.to_string() == version.id => version.modified = Some(meta.modified_at),
            Some(meta) if !pushed.races.iter().any(|race| race.name == step.name) => pushed.races.push(Race {
                name: step.name.clone(),
                told: format!(
                    "it was written as version {}, and then {}, which is live",
                    version.id,
                    present::whose(meta)
                ),
                hint: "look at both: plumb history".to_owned(),
            }),
            Some(_) | None => {}
        }
    }
}

/// A version as a receipt can have it: a parameter's with its time.
fn settled(step: &Step, version: Option<&Version>) -> Option<Version> {
    version.filter(|version| step.kind == Thing::Secret || version.modified.is_some()).cloned()
}

/// After a push: everything that is equal is recorded. Answers what else there is to say.
pub(super) async fn of_push(
    session: &Session,
    entry: &Entry,
    plan: &Plan,
    tasks: &[Task],
    versions: &BTreeMap<usize, Option<Version>>,
    pushed: &Pushed,
) -> Result<Option<String>, Why> {
    if session.receipts().await?.bucket.is_none() {
        return Ok(None);
    }
    let commit = entry.commit.clone().unwrap_or_default();
    let done = versions.iter().filter_map(|(at, version)| {
        let step = &tasks[*at].step;
        let written = pushed.written.iter().find(|it| (it.kind, &it.name) == (step.kind, &step.name))?;
        Some((step, written, settled(step, version.as_ref())))
    });
    let mut units = plan.units.after(&commit, done);
    // One that cannot be read is tried all the same, and says so.
    units.retain(|planned| planned.held.is_err() || record::says_something_new(session, &commit, planned));
    if record::put_receipts(session, &entry.by, &commit, &units).await? {
        return Ok(None);
    }
    // Another writer's receipt may know better than what was read before it: all of it is read again.
    let wanted: Vec<UnitId> = units.into_iter().map(|planned| planned.unit).collect();
    settle(session, entry, &commit, &wanted).await
}

/// Reads everything of these units again and records what is equal.
pub(super) async fn settle(
    session: &Session,
    entry: &Entry,
    commit: &str,
    wanted: &[UnitId],
) -> Result<Option<String>, Why> {
    let wants = |unit: &UnitId| wanted.contains(unit);
    record::settle(session, &entry.by, commit, &wants).await.map(|_| None)
}

/// After an undo or a rollback, of which no commit is the whole truth: only what was written changes its record.
///
/// An undo gives back the record that there was; a rollback is a deed of the moment, which git does not say, so the
/// record stays what it is, and live is seen to have moved.
pub(super) async fn of_entry(
    session: &Session,
    entry: &Entry,
    versions: &BTreeMap<usize, Option<Version>>,
) -> Result<Option<String>, Why> {
    let store = session.receipts().await?;
    if entry.action != Action::Undo || store.bucket.is_none() {
        return Ok(None);
    }
    let mut units: BTreeMap<UnitId, Vec<(&Step, Option<Version>)>> = BTreeMap::new();
    for (at, version) in versions {
        let step = &entry.steps[*at];
        units.entry(step.kind.unit(&step.unit)).or_default().push((step, settled(step, version.as_ref())));
    }
    for (unit, steps) in units {
        // The unit runs what it ran before only when all of it was taken back.
        let all = entry.steps.iter().filter(|step| step.kind.unit(&step.unit) == unit).count();
        let ran = entry.ran.get(&unit.to_string()).filter(|_| steps.len() == all);
        // Without a receipt there is nothing to give back.
        if store.held(&session.clients, &unit).await?.is_none() {
            continue;
        }
        let change = |old: Option<Receipt>| taken_back(session, entry, &unit, old, ran, &steps);
        store.update(&session.clients, &unit, change).await?;
    }
    Ok(None)
}

fn taken_back(
    session: &Session,
    entry: &Entry,
    unit: &UnitId,
    old: Option<Receipt>,
    ran: Option<&String>,
    steps: &[(&Step, Option<Version>)],
) -> Receipt {
    let mut receipt = old.unwrap_or_else(|| record::receipt(session, unit, Head::now("", &entry.by), BTreeMap::new()));
    for (step, version) in steps {
        match (&step.recorded, version) {
            // What was recorded before was live: it is again, as a version of another number.
            (Some(recorded), Some(version)) if step.digest.is_some() => {
                let (version, modified, at) = (version.id.clone(), version.modified, Some(now()));
                receipt.items.insert(step.name.clone(), receipt::Entry { version, modified, at, ..recorded.clone() });
                receipt.unsettled.remove(&step.name);
            }
            (Some(recorded), _) => drop(receipt.items.insert(step.name.clone(), recorded.clone())),
            (None, _) => {
                receipt.items.remove(&step.name);
                if step.act != Act::Delete {
                    receipt.unsettled.insert(step.name.clone());
                }
            }
        }
    }
    if let Some(ran) = ran {
        (receipt.commit, receipt.at, receipt.by) = (ran.clone(), now(), entry.by.clone());
    }
    receipt
}
