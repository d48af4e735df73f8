//! Writes receipts for what is live already: of an account that was managed otherwise, and at the end of a push.
//!
//! Reads every value and compares; what is equal is recorded, what is not is listed and keeps the record it had.

use std::collections::{BTreeMap, BTreeSet};

use super::inspect::{GitSide, Loaded, Place, now};
use super::receipt::{Entry, Receipt, SCHEMA, UnitId};
use super::session::Session;
use super::{failed, why};
use crate::aws::{Read, secretsmanager, ssm};
use crate::compare::{Side, Why};
use crate::config::{Stack, mapping};

/// What recording found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// The commit that was recorded.
    pub commit: String,
    /// Items whose live value is the commit's.
    pub equal: Vec<String>,
    /// Items whose live value is another.
    pub different: Vec<String>,
    /// Items of the commit that are not live.
    pub absent: Vec<String>,
    /// Items that could not be compared.
    pub unknown: Vec<(String, Why)>,
}

/// A live value with what a receipt says of it.
struct Live {
    value: Side<crate::secret::Secret>,
    version: String,
    modified: Option<i64>,
}

/// Records everything of a commit that is live. With `dry_run` nothing is written.
pub async fn record(session: &Session, reference: &str, dry_run: bool) -> Result<Outcome, Why> {
    let mut all = Outcome::default();
    for place in [Place::Config, Place::Secrets] {
        let outcome = record_place(session, reference, place, dry_run).await?;
        all.commit = outcome.commit;
        all.equal.extend(outcome.equal);
        all.different.extend(outcome.different);
        all.absent.extend(outcome.absent);
        all.unknown.extend(outcome.unknown);
    }
    for stack in stacks(session, reference).await? {
        record_stack(session, reference, &stack, dry_run, &mut all).await?;
    }
    Ok(all)
}

/// Records the parameters or the secrets of a commit.
pub(super) async fn record_place(
    session: &Session,
    reference: &str,
    place: Place,
    dry_run: bool,
) -> Result<Outcome, Why> {
    let (session, identity) = session.for_writing().await?;
    let session = &session;
    super::refuse_worktree(reference)?;
    let loaded = Loaded::at(session, reference, place).await?;
    let side = &loaded.side;
    let names: Vec<String> = side.items.keys().cloned().collect();
    let live = match place {
        Place::Config => parameters(session, side, &names).await?,
        Place::Secrets => secrets(session, side, &names).await?,
    };
    let mut outcome = Outcome { commit: loaded.commit.clone(), ..Outcome::default() };
    let mut entries: BTreeMap<String, BTreeMap<String, Entry>> = BTreeMap::new();
    for (name, item) in &side.items {
        let unit = entries.entry(item.unit.clone()).or_default();
        let git = loaded.value(name).await;
        match (git, live.get(name)) {
            (Side::Unreadable(why), _) => outcome.unknown.push((name.clone(), why)),
            (_, Some(Live { value: Side::Unreadable(why), .. })) => outcome.unknown.push((name.clone(), why.clone())),
            (Side::Value(git), Some(Live { value: Side::Value(value), version, modified })) if git == *value => {
                let entry = Entry {
                    commit: loaded.commit.clone(),
                    version: version.clone(),
                    modified: *modified,
                    digest: item.digest.clone(),
                    code_sha256: None,
                };
                unit.insert(name.clone(), entry);
                outcome.equal.push(name.clone());
            }
            (_, None | Some(Live { value: Side::Absent, .. })) => outcome.absent.push(name.clone()),
            _ => outcome.different.push(name.clone()),
        }
    }
    if !dry_run {
        super::deploy::state_bucket(session).await?;
        let store = session.receipts().await?;
        for (unit, new) in entries {
            let id = match place {
                Place::Config => UnitId::Config(unit),
                Place::Secrets => UnitId::Secrets,
            };
            let still_live = |name: &String| side.items.contains_key(name) || live.contains_key(name);
            store
                .update(&session.clients, &id, |old| {
                    // The unit runs the commit only when all of it does.
                    let missed = outcome.different.iter().chain(&outcome.absent);
                    let missed = missed.chain(outcome.unknown.iter().map(|(name, _)| name));
                    let unit_missed = missed
                        .filter_map(|name| side.items.get(name))
                        .any(|item| UnitId::Config(item.unit.clone()) == id || id == UnitId::Secrets);
                    let commit = match &old {
                        Some(old) if unit_missed => old.commit.clone(),
                        _ => loaded.commit.clone(),
                    };
                    // What differs now keeps the record of what it was, so that one still sees who moved.
                    let mut items: BTreeMap<String, Entry> = old.map(|old| old.items).unwrap_or_default();
                    items.retain(|name, _| still_live(name));
                    items.extend(new.clone());
                    let unsettled =
                        outcome.different.iter().filter(|name| !items.contains_key(*name)).cloned().collect();
                    Receipt { unsettled, ..receipt(session, &id, &commit, &identity.arn, items) }
                })
                .await?;
        }
    }
    Ok(outcome)
}

fn receipt(session: &Session, unit: &UnitId, commit: &str, by: &str, items: BTreeMap<String, Entry>) -> Receipt {
    Receipt {
        schema: SCHEMA,
        project: session.project().name.clone(),
        environment: session.environment().name.clone(),
        unit: unit.to_string(),
        commit: commit.to_owned(),
        at: now(),
        by: by.to_owned(),
        items,
        unsettled: BTreeSet::new(),
    }
}

async fn parameters(session: &Session, side: &GitSide, names: &[String]) -> Result<BTreeMap<String, Live>, Why> {
    let prefixes: Vec<String> = side.prefixes.iter().cloned().collect();
    let listed = ssm::describe(&session.clients, &prefixes).await.map_err(|error| why(&error))?;
    let there: Vec<String> = listed.iter().map(|meta| meta.name.clone()).filter(|name| names.contains(name)).collect();
    let mut values = ssm::values(&session.clients, &there).await;
    let live = listed.into_iter().map(|meta| {
        let value = match values.remove(&meta.name) {
            Some(Read::Found(found)) => Side::Value(found.value),
            Some(Read::Missing) => Side::Absent,
            Some(Read::Failed(error)) => Side::Unreadable(why(&error)),
            None => Side::Unreadable(Why::new("not in git")),
        };
        (meta.name, Live { value, version: meta.version.to_string(), modified: Some(meta.modified_at) })
    });
    Ok(live.collect())
}

async fn secrets(session: &Session, side: &GitSide, names: &[String]) -> Result<BTreeMap<String, Live>, Why> {
    let prefixes: Vec<String> = side.prefixes.iter().cloned().collect();
    let mut listed: BTreeMap<String, secretsmanager::SecretMeta> = secretsmanager::list(&session.clients, &prefixes)
        .await
        .map_err(|error| why(&error))?
        .into_iter()
        .map(|meta| (meta.name.clone(), meta))
        .collect();
    // A secret made a moment ago may not be in the listing, which lags by minutes.
    let missing: Vec<String> = names.iter().filter(|name| !listed.contains_key(*name)).cloned().collect();
    for (name, answer) in secretsmanager::describe_each(&session.clients, &missing).await {
        if let Some(meta) = answer.map_err(|error| why(&error))? {
            listed.insert(name, meta);
        }
    }
    listed.retain(|_, meta| meta.deletes_at.is_none());
    let there: Vec<String> = names.iter().filter(|name| listed.contains_key(*name)).cloned().collect();
    let mut values = secretsmanager::values(&session.clients, &there).await;
    let live = listed.into_iter().map(|(name, meta)| {
        let (value, version) = match values.remove(&name) {
            Some(Read::Found(found)) => (Side::Value(found.value), found.version_id),
            Some(Read::Missing) => (Side::Absent, String::new()),
            Some(Read::Failed(error)) => (Side::Unreadable(why(&error)), String::new()),
            None => (Side::Unreadable(Why::new("not in git")), meta.current_version.unwrap_or_default()),
        };
        (name, Live { value, version, modified: None })
    });
    Ok(live.collect())
}

/// The environment's stacks, every placeholder filled in.
async fn stacks(session: &Session, reference: &str) -> Result<Vec<Stack>, Why> {
    let repository = session.repository.clone()?;
    let snapshot = repository.snapshot(reference, &session.prefix).map_err(|error| failed(&error))?;
    let entries = snapshot.list("").map_err(|error| failed(&error))?;
    let listing: Vec<&str> = entries.iter().map(|entry| entry.path.as_str()).collect();
    Ok(mapping::stacks(session.project(), &session.bindings().await, &listing).0)
}

/// Records a stack whose deployed template asks for the same as the commit's. Code cannot be recorded after the fact:
/// nothing says what an artifact was built from; what an earlier receipt says of it is kept.
async fn record_stack(
    session: &Session,
    reference: &str,
    stack: &Stack,
    dry_run: bool,
    outcome: &mut Outcome,
) -> Result<(), Why> {
    let (session, identity) = session.for_writing().await?;
    let session = &session;
    let name = stack.name.clone();
    match super::inspect::stack_asks_the_same(session, reference, stack).await {
        Ok(None) => outcome.absent.push(name.clone()),
        Ok(Some(false)) => outcome.different.push(name.clone()),
        Err(why) => outcome.unknown.push((name.clone(), why)),
        Ok(Some(true)) => {
            outcome.equal.push(name.clone());
            if !dry_run {
                let unit = UnitId::Stack(name.clone());
                let commit = outcome.commit.clone();
                session
                    .receipts()
                    .await?
                    .update(&session.clients, &unit, |old| {
                        let items = old.map(|old| old.items).unwrap_or_default();
                        receipt(session, &unit, &commit, &identity.arn, items)
                    })
                    .await?;
            }
        }
    }
    Ok(())
}
