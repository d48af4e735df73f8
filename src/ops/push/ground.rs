//! What the ground is like that a push goes over: other environments, the history of the commit, the locks there are.

use std::collections::{BTreeMap, BTreeSet};

use super::plan::{Kept, Plan};
use crate::compare::{Kind, Why};
use crate::config::Environment;
use crate::ops::inspect::Values;
use crate::ops::journal::Act;
use crate::ops::names;
use crate::ops::receipt::{Recorded, Store};
use crate::ops::schema;
use crate::ops::session::Session;

/// Says of each change which other environments it reaches: those of the same account and region whose git names the
/// same. What such a one still has in git, or may have, is not deleted.
pub(super) async fn environments_beside(session: &Session, values: &Values, plan: &mut Plan) {
    if plan.changes.is_empty() {
        return;
    }
    let others: Vec<Environment> =
        session.project().environments.iter().filter(|other| is_beside(session, other)).cloned().collect();
    let (settings, root) = (session.settings.clone(), session.root.clone());
    let work = move || {
        let named = |environment: &Environment| {
            let items = names::items(&settings, environment, &root);
            (environment.name.clone(), items.map(|items| items.into_iter().collect::<BTreeSet<(Kind, String)>>()))
        };
        others.iter().map(named).collect::<BTreeMap<_, _>>()
    };
    let Ok(beside) = tokio::task::spawn_blocking(work).await else { return };
    let shared = &values.parameters.git.side.shared;
    let mut changes = Vec::new();
    for mut change in std::mem::take(&mut plan.changes) {
        let item = (change.step.kind.kind(), change.step.name.clone());
        let has =
            |items: &Result<BTreeSet<(Kind, String)>, Why>| items.as_ref().is_ok_and(|items| items.contains(&item));
        let sharing: Vec<&str> = beside.iter().filter(|(_, items)| has(items)).map(|(name, _)| name.as_str()).collect();
        let is_of_all = shared.iter().any(|prefix| change.step.name.starts_with(prefix));
        let unknown = beside.iter().find_map(|(name, items)| Some((name, items.as_ref().err()?)));
        let why = match (change.step.act, unknown) {
            (Act::Delete, _) if !sharing.is_empty() => {
                Why::new(format!("git still has it for {}, which shares it", sharing.join(", ")))
            }
            (Act::Delete, Some((name, why))) if is_of_all => Why {
                reason: format!("{name} may share it, and its git cannot be read: {}", why.reason),
                ..why.clone()
            },
            _ => {
                change.notes.extend((!sharing.is_empty()).then(|| format!("reaches {} too", sharing.join(", "))));
                changes.push(change);
                continue;
            }
        };
        plan.kept.push(Kept { kind: change.step.kind, name: change.step.name, why });
    }
    plan.changes = changes;
}

/// Whether another environment may be in the same account and region.
fn is_beside(session: &Session, other: &Environment) -> bool {
    let here = session.environment();
    let differ =
        |one: &Option<String>, two: &Option<String>| matches!((one, two), (Some(one), Some(two)) if one != two);
    other.name != here.name && !differ(&here.account, &other.account) && !differ(&here.region, &other.region)
}

/// Tells what is odd about the whole.
pub(super) async fn warn(session: &Session, values: &Values, store: &Store, plan: &mut Plan) {
    if store.bucket.is_none() {
        let told = "the project names no state bucket: no lock keeps a second push out, and no receipt is written";
        plan.warnings.push(told.to_owned());
    }
    if let Ok(Some(entry)) = super::unfinished(session) {
        let at = schema::time(entry.at);
        plan.warnings.push(format!(
            "the {} of {at} was cut off: plumb push --resume goes on with it, plumb undo {} takes it back",
            entry.action.word(),
            entry.id
        ));
    }
    let recorded = values.parameters.receipts.values().chain(values.secrets.receipts.values());
    let running: BTreeSet<String> =
        recorded.filter_map(Recorded::receipt).map(|receipt| receipt.commit.clone()).collect();
    plan.warnings.extend(course(session, &values.commit.id, running).await);
}

/// Where a commit leads the environment that runs others: aside from what it follows, or back.
pub(in crate::ops) async fn course(session: &Session, commit: &str, running: BTreeSet<String>) -> Vec<String> {
    let Ok(repository) = session.repository.clone() else { return Vec::new() };
    let commit = commit.to_owned();
    let own = session
        .project()
        .environments
        .iter()
        .find(|environment| environment.name == session.environment().name)
        .and_then(|environment| environment.git_ref.clone())
        .unwrap_or_else(|| repository.default_ref());
    let environment = session.environment().name.clone();
    let work = move || {
        let mut warnings = Vec::new();
        let short = |id: &str| id.get(..7).unwrap_or(id).to_owned();
        if !repository.contains(&own, &commit).unwrap_or(true) {
            warnings.push(format!(
                "commit {} is not in {own}, which is what {environment} follows: its workflow and its loop undo this",
                short(&commit)
            ));
        }
        // What a shallow clone lacks cannot be older or newer.
        let newer = |running: &&String| **running != commit && repository.contains(running, &commit).unwrap_or(false);
        if let Some(running) = running.iter().find(newer) {
            let told = format!("this goes back: {environment} runs {}, which is newer", short(running));
            warnings.push(told);
        }
        warnings
    };
    tokio::task::spawn_blocking(work).await.unwrap_or_default()
}
