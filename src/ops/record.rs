//! Writes receipts for what is live already: of an account that was managed otherwise, and at the end of a push.
//!
//! Reads every value and compares; what is equal is recorded, what is not is listed and keeps the record it had.

use std::collections::{BTreeMap, BTreeSet};

use super::inspect::{GitSide, Loaded, Place, now};
use super::receipt::{self, Entry, Receipt, SCHEMA, TRIES, UnitId};
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
///
/// A receipt is read before live is, and put only in its own place: when another writer was faster, what was read of live
/// may be older than what that one recorded, and so all of it is read again.
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
    let units: BTreeSet<UnitId> = loaded.side.items.values().map(|item| unit(place, &item.unit)).collect();
    if dry_run {
        return Ok(compare(session, &loaded, place).await?.outcome);
    }
    super::deploy::state_bucket(session).await?;
    let store = session.receipts().await?;
    let mut overtaken = None;
    for _ in 0..TRIES {
        let mut held = Vec::new();
        for unit in &units {
            held.push((unit, store.held(&session.clients, unit).await?));
        }
        let compared = compare(session, &loaded, place).await?;
        overtaken = None;
        for (id, held) in held {
            let new = compared.receipt(session, &loaded, place, id, held.receipt.clone(), &identity.arn);
            if !store.replace(&session.clients, id, &held, &new).await? {
                overtaken = Some(receipt::overtaken(id));
            }
        }
        if overtaken.is_none() {
            return Ok(compared.outcome);
        }
    }
    Err(overtaken.unwrap_or_else(|| Why::new("no receipt was written")))
}

/// The receipt that an item of a place belongs to.
fn unit(place: Place, unit: &str) -> UnitId {
    match place {
        Place::Config => UnitId::Config(unit.to_owned()),
        Place::Secrets => UnitId::Secrets,
    }
}

/// A commit's values beside the live ones.
struct Compared {
    outcome: Outcome,
    /// What is equal, by name.
    entries: BTreeMap<String, Entry>,
    /// Every name that is live.
    live: BTreeSet<String>,
}

async fn compare(session: &Session, loaded: &Loaded, place: Place) -> Result<Compared, Why> {
    let side = &loaded.side;
    let names: Vec<String> = side.items.keys().cloned().collect();
    let live = match place {
        Place::Config => parameters(session, side, &names).await?,
        Place::Secrets => secrets(session, side, &names).await?,
    };
    let mut outcome = Outcome { commit: loaded.commit.clone(), ..Outcome::default() };
    let mut entries = BTreeMap::new();
    for (name, item) in &side.items {
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
                entries.insert(name.clone(), entry);
                outcome.equal.push(name.clone());
            }
            (_, None | Some(Live { value: Side::Absent, .. })) => outcome.absent.push(name.clone()),
            _ => outcome.different.push(name.clone()),
        }
    }
    Ok(Compared { outcome, entries, live: live.into_keys().collect() })
}

impl Compared {
    /// What a unit's receipt says then.
    fn receipt(
        &self,
        session: &Session,
        loaded: &Loaded,
        place: Place,
        id: &UnitId,
        old: Option<Receipt>,
        by: &str,
    ) -> Receipt {
        let items = &loaded.side.items;
        let of_unit = |name: &String| items.get(name).is_some_and(|item| unit(place, &item.unit) == *id);
        let Outcome { different, absent, unknown, .. } = &self.outcome;
        // The unit runs the commit only when all of it does.
        let missed = different.iter().chain(absent).chain(unknown.iter().map(|(name, _)| name)).any(of_unit);
        let commit = match &old {
            Some(old) if missed => old.commit.clone(),
            _ => loaded.commit.clone(),
        };
        // What differs now keeps the record of what it was, so that one still sees who moved.
        let mut entries: BTreeMap<String, Entry> = old.map(|old| old.items).unwrap_or_default();
        entries.retain(|name, _| items.contains_key(name) || self.live.contains(name));
        let new = self.entries.iter().filter(|(name, _)| of_unit(name));
        entries.extend(new.map(|(name, entry)| (name.clone(), entry.clone())));
        let unsettled = different.iter().filter(|name| !entries.contains_key(*name)).cloned().collect();
        Receipt { unsettled, ..receipt(session, id, &commit, by, entries) }
    }
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
        stack_changed_at: None,
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
        Ok(Some((false, _))) => outcome.different.push(name.clone()),
        Err(why) => outcome.unknown.push((name.clone(), why)),
        Ok(Some((true, changed_at))) => {
            outcome.equal.push(name.clone());
            if !dry_run {
                let unit = UnitId::Stack(name.clone());
                let commit = outcome.commit.clone();
                session
                    .receipts()
                    .await?
                    .update(&session.clients, &unit, |old| {
                        // Another writer has seen a later state of the stack.
                        if let Some(old) = old.as_ref().filter(|old| old.stack_changed_at > Some(changed_at)) {
                            return old.clone();
                        }
                        let items = old.map(|old| old.items).unwrap_or_default();
                        let new = receipt(session, &unit, &commit, &identity.arn, items);
                        Receipt { stack_changed_at: Some(changed_at), ..new }
                    })
                    .await?;
            }
        }
    }
    Ok(())
}
