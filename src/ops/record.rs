//! Writes receipts for what is live already: of an account that was managed otherwise, and at the end of a push.
//!
//! Reads every value and compares; what is equal is recorded, what is not is listed and keeps the record it had.

use std::collections::{BTreeMap, BTreeSet};

use super::inspect::{GitSide, Loaded, Place, now};
use super::journal::{self, Action, Intent};
use super::receipt::{self, Entry, Receipt, SCHEMA, TRIES, UnitId};
use super::session::Session;
use super::{project, why};
use crate::aws::{Read, secretsmanager, ssm};
use crate::compare::{Side, Why};
use crate::config::Stack;

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
    /// Why the journal does not hold how it went.
    pub untold: Option<Why>,
}

/// A live value with what a receipt says of it.
struct Live {
    value: Side<crate::secret::Secret>,
    version: String,
    modified: Option<i64>,
}

/// What recording would write, worked out by reading alone. Names, versions and digests; no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The ref whose commit is recorded, as it was asked for.
    pub reference: String,
    /// What was found.
    pub outcome: Outcome,
    /// A receipt for each unit.
    pub units: Vec<Planned>,
}

/// A receipt that would be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// Its unit.
    pub unit: UnitId,
    /// How many of its items are the commit's.
    pub equal: usize,
    /// Items that keep the record that they had, or none: they differ, are absent or unknown.
    pub left: Vec<String>,
    pub(super) entries: BTreeMap<String, Entry>,
    /// The names that git knows, or that are live.
    pub(super) known: BTreeSet<String>,
    /// Those of [`Self::left`] that are live with another value.
    pub(super) different: Vec<String>,
    /// Its receipt as it was before live was read: another writer's since then may know better.
    pub(super) held: Result<Option<Receipt>, Why>,
    /// Of a stack: when it last changed.
    pub(super) stack_changed_at: Option<i64>,
}

/// Records everything of a commit that is live. With `dry_run` nothing is written, and whoever may read will do.
pub async fn record(session: &Session, reference: &str, dry_run: bool) -> Result<Outcome, Why> {
    let writer = match Box::pin(session.for_writing()).await {
        Ok((writer, _)) => writer,
        Err(_) if dry_run => session.clone(),
        Err(why) => return Err(why),
    };
    let mut plan = Box::pin(survey(&writer, reference)).await?;
    if dry_run {
        return Ok(plan.outcome);
    }
    for _ in 1..TRIES {
        if let Some(outcome) = Box::pin(attempt(session, &plan)).await? {
            return Ok(outcome);
        }
        plan = Box::pin(survey(&writer, reference)).await?;
    }
    Box::pin(write(session, &plan)).await
}

/// Works out what recording a commit would write. Reads every value, and writes nothing.
pub async fn survey(session: &Session, reference: &str) -> Result<Plan, Why> {
    let mut whole = plan(session, reference, &[Place::Config, Place::Secrets]).await?;
    for stack in project::stacks(session, reference).await? {
        plan_stack(session, reference, &stack, &mut whole).await;
    }
    Ok(whole)
}

/// Writes the receipts that were worked out. What has moved live since keeps its truth: a receipt names the version
/// that was compared. A receipt that another writer put since the plan was made is left as it is, and that is an error.
pub async fn write(session: &Session, plan: &Plan) -> Result<Outcome, Why> {
    let overtaken = || {
        Why::new("another writer was faster: its receipts may know better, and were left as they are")
            .hint("plan it again, and look at what has changed")
    };
    attempt(session, plan).await?.ok_or_else(overtaken)
}

/// The same; `None` when another writer was faster.
async fn attempt(session: &Session, plan: &Plan) -> Result<Option<Outcome>, Why> {
    let (session, writer) = session.for_writing().await?;
    let units = plan.units.iter().map(|planned| planned.unit.to_string()).collect();
    let intent = Intent { commit: Some(plan.outcome.commit.clone()), ..Intent::new(Action::Record, units) };
    let work = write_receipts(&session, &writer.arn, plan);
    let told = |done: &bool| (!done).then(|| String::from("another writer was faster"));
    let (done, untold) = journal::noted(&session, &writer, intent, work, told).await?;
    Ok(done.then(|| Outcome { untold, ..plan.outcome.clone() }))
}

/// Records what is live of the wanted units of parameters and secrets at a commit, against other writers; whoever calls
/// it has noted that in the journal.
pub(super) async fn settle(
    session: &Session,
    by: &str,
    reference: &str,
    wants: &(dyn Fn(&UnitId) -> bool + Sync),
) -> Result<Outcome, Why> {
    for _ in 0..TRIES {
        let mut plan = plan(session, reference, &[Place::Config, Place::Secrets]).await?;
        plan.units.retain(|planned| wants(&planned.unit));
        if write_receipts(session, by, &plan).await? {
            return Ok(plan.outcome);
        }
    }
    Err(receipt::overtaken())
}

/// What recording the parameters and the secrets of a commit would write.
async fn plan(session: &Session, reference: &str, places: &[Place]) -> Result<Plan, Why> {
    super::refuse_worktree(reference)?;
    let mut whole = Plan { reference: reference.to_owned(), outcome: Outcome::default(), units: Vec::new() };
    for place in places {
        plan_place(session, *place, &mut whole).await?;
    }
    Ok(whole)
}

async fn plan_place(session: &Session, place: Place, whole: &mut Plan) -> Result<(), Why> {
    let loaded = Loaded::at(session, &whole.reference, place).await?;
    let side = &loaded.side;
    let names: Vec<String> = side.items.keys().cloned().collect();
    let units: BTreeSet<UnitId> = side.items.values().map(|item| unit_of(place, &item.unit)).collect();
    let held = held(session, units).await;
    // Whatever moves live from here on comes after what is about to be read.
    let at = now();
    let live = match place {
        Place::Config => parameters(session, side, &names).await?,
        Place::Secrets => secrets(session, side, &names).await?,
    };
    let known: BTreeSet<String> = side.items.keys().chain(live.keys()).cloned().collect();
    let outcome = &mut whole.outcome;
    outcome.commit.clone_from(&loaded.commit);
    let mut units: BTreeMap<UnitId, Planned> =
        held.into_iter().map(|(id, held)| (id.clone(), Planned { held, ..Planned::new(id, known.clone()) })).collect();
    for (name, item) in &side.items {
        let Some(unit) = units.get_mut(&unit_of(place, &item.unit)) else { continue };
        match (loaded.value(name).await, live.get(name)) {
            (Side::Unreadable(why), _) => outcome.unknown.push((name.clone(), why)),
            (_, Some(Live { value: Side::Unreadable(why), .. })) => outcome.unknown.push((name.clone(), why.clone())),
            (Side::Value(git), Some(Live { value: Side::Value(value), version, modified })) if git == *value => {
                let entry = Entry {
                    commit: loaded.commit.clone(),
                    version: version.clone(),
                    modified: *modified,
                    at: Some(at),
                    digest: item.digest.clone(),
                    code_sha256: None,
                    alias: None,
                };
                unit.entries.insert(name.clone(), entry);
                unit.equal += 1;
                outcome.equal.push(name.clone());
                continue;
            }
            (_, None | Some(Live { value: Side::Absent, .. })) => outcome.absent.push(name.clone()),
            _ => {
                unit.different.push(name.clone());
                outcome.different.push(name.clone());
            }
        }
        unit.left.push(name.clone());
    }
    whole.units.extend(units.into_values());
    Ok(())
}

/// The receipt that an item of a place belongs to.
pub(super) fn unit_of(place: Place, unit: &str) -> UnitId {
    match place {
        Place::Config => UnitId::Config(unit.to_owned()),
        Place::Secrets => UnitId::Secrets,
    }
}

/// The receipts as they are before live is read.
async fn held(session: &Session, units: BTreeSet<UnitId>) -> Vec<(UnitId, Result<Option<Receipt>, Why>)> {
    let store = session.receipts().await;
    let read = units.into_iter().map(|unit| {
        let store = store.clone();
        async move {
            let held = match store {
                Ok(store) => store.held(&session.clients, &unit).await,
                Err(why) => Err(why),
            };
            (unit, held)
        }
    });
    futures::future::join_all(read).await
}

impl Planned {
    /// A receipt that says nothing of any item, for whoever only shows plans.
    #[cfg(test)]
    pub(crate) fn of_names(unit: UnitId, equal: usize, left: Vec<String>) -> Self {
        Self { equal, left, ..Self::new(unit, BTreeSet::new()) }
    }

    pub(super) fn new(unit: UnitId, known: BTreeSet<String>) -> Self {
        let (left, entries, different) = (Vec::new(), BTreeMap::new(), Vec::new());
        Self { unit, equal: 0, left, entries, known, different, held: Ok(None), stack_changed_at: None }
    }
}

/// Writes the receipts of a plan; whoever calls it has noted that in the journal. False: another writer was faster with
/// one of them, so that what was read of live may be older than what that one wrote.
async fn write_receipts(session: &Session, by: &str, plan: &Plan) -> Result<bool, Why> {
    super::deploy::state_bucket(session).await?;
    put_receipts(session, by, &plan.outcome.commit, &plan.units).await
}

/// The same, where the bucket is known to be there.
pub(super) async fn put_receipts(session: &Session, by: &str, commit: &str, units: &[Planned]) -> Result<bool, Why> {
    let store = session.receipts().await?;
    let mut done = true;
    for planned in units {
        let (clients, unit) = (&session.clients, &planned.unit);
        if let UnitId::Stack(_) = unit {
            store.update(clients, unit, |old| stack_receipt(session, by, commit, planned, old)).await?;
            continue;
        }
        let held = planned.held.clone()?;
        let new = changed(session, by, commit, planned, held.clone());
        done &= store.replace(clients, unit, held.as_ref(), &new).await?;
    }
    Ok(done)
}

fn stack_receipt(session: &Session, by: &str, commit: &str, planned: &Planned, old: Option<Receipt>) -> Receipt {
    match old {
        // Another writer has seen a later state of the stack.
        Some(old) if old.stack_changed_at > planned.stack_changed_at => old,
        old => {
            let head = match &old {
                Some(old) if old.commit == commit => Head::of(old),
                _ => Head::now(commit, by),
            };
            let items = old.map(|old| old.items).unwrap_or_default();
            let new = receipt(session, &planned.unit, head, items);
            Receipt { stack_changed_at: planned.stack_changed_at, ..new }
        }
    }
}

/// Whether the receipt of a unit would say something new.
pub(super) fn says_something_new(session: &Session, commit: &str, planned: &Planned) -> bool {
    let Ok(Some(held)) = &planned.held else { return planned.held.is_ok() && !planned.entries.is_empty() };
    let new = changed(session, &held.by, commit, planned, Some(held.clone()));
    // That live is still the same is not worth a write.
    let said = |receipt: &Receipt| {
        let entry = |entry: &Entry| Entry { at: None, ..entry.clone() };
        let items = receipt.items.iter().map(|(name, said)| (name.clone(), entry(said)));
        (receipt.commit.clone(), items.collect::<BTreeMap<_, _>>(), receipt.unsettled.clone())
    };
    said(&new) != said(held)
}

fn changed(session: &Session, by: &str, commit: &str, planned: &Planned, old: Option<Receipt>) -> Receipt {
    let is_there = |(name, new): (&String, &Entry), old: &Receipt| {
        old.items.get(name).is_some_and(|old| (&old.version, old.modified) == (&new.version, new.modified))
    };
    let head = match &old {
        // The unit runs the commit only when all of it does.
        Some(old) if !planned.left.is_empty() => Head::of(old),
        // To write down once more what is there rolls nothing out.
        Some(old) if old.commit == commit && planned.entries.iter().all(|new| is_there(new, old)) => Head::of(old),
        _ => Head::now(commit, by),
    };
    // What differs now keeps the record of what it was, so that one still sees who moved.
    let mut items: BTreeMap<String, Entry> = old.map(|old| old.items).unwrap_or_default();
    items.retain(|name, _| planned.known.contains(name));
    items.extend(planned.entries.clone());
    let unsettled = planned.different.iter().filter(|name| !items.contains_key(*name)).cloned().collect();
    Receipt { unsettled, ..receipt(session, &planned.unit, head, items) }
}

/// What was rolled out last, when and by whom: the three belong together.
pub(super) struct Head {
    commit: String,
    at: i64,
    by: String,
}

impl Head {
    pub(super) fn now(commit: &str, by: &str) -> Self {
        Self { commit: commit.to_owned(), at: now(), by: by.to_owned() }
    }

    fn of(receipt: &Receipt) -> Self {
        Self { commit: receipt.commit.clone(), at: receipt.at, by: receipt.by.clone() }
    }
}

pub(super) fn receipt(session: &Session, unit: &UnitId, head: Head, items: BTreeMap<String, Entry>) -> Receipt {
    Receipt {
        schema: SCHEMA,
        project: session.project().name.clone(),
        environment: session.environment().name.clone(),
        unit: unit.to_string(),
        commit: head.commit,
        at: head.at,
        by: head.by,
        items,
        unsettled: BTreeSet::new(),
        stack_changed_at: None,
        tag: None,
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

/// Plans the record of a stack whose deployed template asks for the same as the commit's. Code cannot be recorded after
/// the fact: nothing says what an artifact was built from; what an earlier receipt says of it is kept.
async fn plan_stack(session: &Session, reference: &str, stack: &Stack, whole: &mut Plan) {
    let name = stack.name.clone();
    match super::inspect::stack_asks_the_same(session, reference, stack).await {
        Ok(None) => whole.outcome.absent.push(name),
        Ok(Some((false, _))) => whole.outcome.different.push(name),
        Err(why) => whole.outcome.unknown.push((name, why)),
        Ok(Some((true, changed_at))) => {
            whole.outcome.equal.push(name.clone());
            let planned = Planned::new(UnitId::Stack(name), BTreeSet::new());
            whole.units.push(Planned { equal: 1, stack_changed_at: Some(changed_at), ..planned });
        }
    }
}
