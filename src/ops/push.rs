//! Makes parameters and secrets say what a commit says, or what they said before.
//!
//! A plan is worked out by reading alone ([`plan`], [`undo::plan`], [`rollback::plan`]) and then written as it was shown
//! ([`apply`]). Only what differs is written; each write is in the journal before it is sent and settled after, so that
//! one that was cut off can be continued ([`resume`]) or taken back. Receipts are written last.

mod ground;
mod lock;
mod pace;
mod parameter;
mod plan;
mod present;
mod prune;
mod receipts;
mod resume;
mod secret;
mod send;
mod survey;
mod units;

pub mod rollback;
pub mod undo;

use std::collections::{BTreeMap, BTreeSet};

pub(super) use ground::course;
pub use pace::{Progress, Watch};
pub use plan::{Ask, Change, Kept, LEFT_OUT, Plan, Pushed, Race, Written};
pub use resume::{resume, unfinished};
pub use survey::plan;

use self::send::{Ended, Sent, Task};
use super::journal::{Act, Action, Begun, Entry, Intent, Outcome, Query, State, Thing, Version, random_id};
use super::session::Session;
use super::{hex, refuse_elsewhere, restart};
use crate::compare::{Why, WhyKind};

/// Pushes everything that a ref says, as it is planned right now.
pub async fn push(session: &Session, reference: &str) -> Result<Pushed, Why> {
    let (writer, _) = session.for_writing().await?;
    let ask = Ask { reference: Some(reference.to_owned()), ..Ask::default() };
    let plan = Box::pin(plan(&writer, &ask)).await?;
    Box::pin(apply(session, &plan, &|_| ())).await
}

/// Writes a plan as it was shown. What changed since is not written, and is told; one item that fails stops no other.
///
/// Refused where the environment is read-only, in another account than the one of the plan, and while somebody else
/// writes to the environment.
pub async fn apply(session: &Session, plan: &Plan, watch: &Watch<'_>) -> Result<Pushed, Why> {
    let (session, writer) = session.for_writing().await?;
    refuse_elsewhere(&plan.writer, &writer)?;
    if plan.is_empty() {
        if let (Some(undone), true) = (&plan.undoes, plan.kept.is_empty() && plan.unknown.is_empty()) {
            close(&session, undone, "nobody, since nothing of it was written")?;
        }
        let commit = plan.commit.as_ref().map(|commit| commit.id.clone()).unwrap_or_default();
        return Ok(Pushed { commit, untouched: plan.untouched, failed: unknown(plan), ..Pushed::default() });
    }
    let tasks = tasks(plan)?;
    let id = random_id()?;
    let work = async {
        let begun = Begun::new(&session, &writer, intent(plan, &tasks, id.clone()))?;
        let restarts = plan.restarting(&BTreeSet::new());
        let restart = restart::begin(&session, &writer, &restarts)?;
        let mut pushed = carry_out(&session, begun, plan, &tasks, watch).await;
        if let Some(restart) = restart {
            let stale = plan.stale(&pushed.written);
            let ended = restart::carry_out(&session, restart, &restarts, &stale).await;
            (pushed.restarted, pushed.stale) = (ended.restarted, ended.stale);
            pushed.untold = pushed.untold.or(ended.untold);
        }
        Ok(pushed)
    };
    Box::pin(lock::under(&session, &id, &writer.arn, work)).await
}

/// What is going to be written, with a fresh token for each new version of a secret.
fn tasks(plan: &Plan) -> Result<Vec<Task>, Why> {
    let task = |change: &Change| {
        let mut step = change.step.clone();
        let makes_version = matches!(step.act, Act::Create | Act::Update | Act::Restore) && change.value().is_some();
        if step.kind == Thing::Secret && step.token.is_none() && makes_version {
            step.token = Some(random_token()?);
        }
        Ok(Task { step, value: change.value(), target: change.target.clone() })
    };
    plan.changes.iter().map(task).collect()
}

fn intent(plan: &Plan, tasks: &[Task], id: String) -> Intent {
    let mut subjects: Vec<String> = tasks.iter().map(|task| task.step.name.clone()).collect();
    if subjects.is_empty() {
        subjects = plan.records();
    }
    Intent {
        commit: plan.commit.as_ref().map(|commit| commit.id.clone()),
        steps: tasks.iter().map(|task| task.step.clone()).collect(),
        ran: plan.ran.clone(),
        undoes: plan.undoes.clone(),
        id: Some(id),
        ..Intent::new(plan.action, subjects)
    }
}

/// Everything that a plan writes, from its first item to its receipts.
async fn carry_out(session: &Session, begun: Begun, plan: &Plan, tasks: &[Task], watch: &Watch<'_>) -> Pushed {
    let sent = send::send(session, &begun, tasks, watch).await;
    let (mut pushed, versions) = told(session, begun.entry(), tasks, sent).await;
    pushed.untouched = plan.untouched;
    let written = match plan.action {
        Action::Push => receipts::of_push(session, begun.entry(), plan, tasks, &versions, &pushed).await,
        _ => receipts::of_entry(session, begun.entry(), &versions).await,
    };
    finish(session, begun, pushed, unknown(plan), written).await
}

/// Settles a write in the journal and says all that is left to say.
async fn finish(
    session: &Session,
    begun: Begun,
    mut pushed: Pushed,
    unknown: Vec<(String, Why)>,
    receipts: Result<Option<String>, Why>,
) -> Pushed {
    let is_open = pushed.failed.iter().any(|(_, why)| why.kind == WhyKind::Network);
    pushed.failed.extend(unknown);
    let mut told = failures(&pushed.failed);
    match receipts {
        Ok(note) => pushed.notes.extend(note),
        Err(why) => {
            told = Some(told.map_or_else(String::new, |told| format!("{told}; ")) + "its receipts were not written");
            pushed.failed.push(("receipts".to_owned(), why));
        }
    }
    let outcome = match &told {
        _ if is_open => Outcome::Unknown,
        Some(_) => Outcome::Failed,
        None => Outcome::Ok,
    };
    let (id, undoes) = (begun.entry().id.clone(), begun.entry().undoes.clone());
    pushed.untold = begun.settle_as(session, outcome, told).await;
    if let (Outcome::Ok, Some(undone)) = (outcome, undoes) {
        pushed.untold = pushed.untold.or(close(session, &undone, &id).err());
    }
    pushed
}

/// What was cut off and is taken back need not be continued any more.
fn close(session: &Session, undone: &str, by: &str) -> Result<(), Why> {
    let journal = session.journal()?;
    let entries = journal.read(&Query::default())?.entries;
    let is_open = |entry: &&Entry| entry.id == undone && entry.state() == State::Unknown;
    match entries.iter().find(is_open) {
        Some(entry) => journal.close(&entry.id, Outcome::Failed, Some(format!("cut off, and taken back by {by}"))),
        None => Ok(()),
    }
}

/// What the steps came to, and the live version of each that is done, by its place.
async fn told(
    session: &Session,
    entry: &Entry,
    tasks: &[Task],
    sent: Sent,
) -> (Pushed, BTreeMap<usize, Option<Version>>) {
    let commit = entry.commit.clone().unwrap_or_default();
    let mut pushed = Pushed { id: entry.id.clone(), commit, races: sent.races, ..Pushed::default() };
    let mut versions = BTreeMap::new();
    for (at, ended) in sent.ended {
        let step = &tasks[at].step;
        match ended {
            Ended::Done(version) => {
                pushed.written.push(Written {
                    kind: step.kind,
                    name: step.name.clone(),
                    act: step.act,
                    version: version.as_ref().map(|version| version.id.clone()),
                });
                versions.insert(at, version);
            }
            Ended::Failed(why) | Ended::Unknown(why) => pushed.failed.push((step.name.clone(), why)),
        }
    }
    receipts::date(session, tasks, &mut versions, &mut pushed).await;
    (pushed, versions)
}

fn unknown(plan: &Plan) -> Vec<(String, Why)> {
    plan.unknown.iter().map(|kept| (kept.name.clone(), kept.why.clone())).collect()
}

/// The items that failed, by name alone: AWS may repeat a value that it refuses.
fn failures(failed: &[(String, Why)]) -> Option<String> {
    let names: Vec<&str> = failed.iter().map(|(name, _)| name.as_str()).collect();
    (!names.is_empty()).then(|| format!("{} failed: {}", names.len(), names.join(", ")))
}

/// 32 random hexadecimal digits: what Secrets Manager takes for a client request token.
fn random_token() -> Result<String, Why> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| Why::new(format!("the system gives no random numbers: {error}")))?;
    Ok(hex(&bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The console hands all of these to a runtime of several threads.
    #[allow(dead_code, reason = "it is compiled, which is the test")]
    fn every_use_case_may_change_threads(session: &Session, plan: &Plan, entry: &Entry, ask: &Ask) {
        fn check(_: impl Send) {}
        check(super::plan(session, ask));
        check(apply(session, plan, &|_| ()));
        check(resume(session, entry, &|_| ()));
        check(undo::plan(session, None));
        check(rollback::plan(session, "", ""));
    }

    #[test]
    fn no_token_comes_twice() {
        let (one, two) = (random_token().unwrap(), random_token().unwrap());
        assert_ne!(one, two);
        assert_eq!(one.len(), 32);
    }
}
