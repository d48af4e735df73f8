//! Takes a write of values back: each step that was done gets its opposite, in a plan of its own.
//!
//! Parameters get the value of their earlier version again, secrets their earlier version itself. What somebody else has
//! changed since is left alone.

use std::collections::BTreeMap;

use super::plan::{Change, Kept, Plan, Target, only};
use super::present::{Left, Now, left, look, whose};
use super::resume::{is_of_values, tasks};
use super::send::Task;
use super::{parameter, prune, secret};
use crate::aws::{Read, secretsmanager, ssm};
use crate::compare::{Facet, Why};
use crate::ops::journal::{Act, Action, Entry, Mark, Origin, Query, State, Step, Thing, Version};
use crate::ops::readers;
use crate::ops::session::Session;
use crate::ops::why;
use crate::secret::Secret;

/// Works out how the write of an entry is taken back; without an id, the last push or rollback that was not.
pub async fn plan(session: &Session, id: Option<&str>) -> Result<Plan, Why> {
    let entry = entry(session, id)?;
    if entry.state() == State::UnderWay {
        return Err(Why::new(format!("refused: process {} is still at it", entry.process)));
    }
    let writer = session.identity().await?;
    if (&entry.account, &entry.region) != (&writer.account, &writer.region) {
        return Err(Why::new(format!(
            "refused: it was done in account {} in {}, and this is {} in {}",
            entry.account, entry.region, writer.account, writer.region
        )));
    }
    let mut plan = Plan::new(Action::Undo, entry.id.clone(), writer);
    plan.undoes = Some(entry.id.clone());
    plan.ran = entry.ran.clone();
    // Of what was sent and never settled, only a look tells whether it was done.
    let open: Vec<usize> = (0..entry.steps.len()).filter(|at| is_open(&entry, *at)).collect();
    let unsure = tasks(session, &open.iter().map(|at| entry.steps[*at].clone()).collect::<Vec<_>>()).await?;
    let mut values: BTreeMap<usize, Task> = open.into_iter().zip(unsure).collect();
    let now = look(session, &entry.steps.iter().collect::<Vec<_>>()).await;
    for (at, step) in entry.steps.iter().enumerate() {
        let Some(now) = now.get(&(step.kind, step.name.clone())) else { continue };
        let keep = |why: Why| Kept { kind: step.kind, name: step.name.clone(), why };
        let done = match entry.marks.get(&at) {
            None | Some(Mark::Failed) => continue,
            Some(Mark::Done(version)) => Ok(Some((step.clone(), version.clone()))),
            Some(Mark::Sent) => done(session, values.remove(&at).as_ref(), step, now).await,
        };
        match done {
            Ok(None) => {}
            Ok(Some((step, version))) => match opposite(session, &step, version.as_ref(), now).await {
                Ok(change) => plan.changes.push(change),
                Err(why) => plan.kept.push(keep(why)),
            },
            Err(why) => plan.unknown.push(keep(why)),
        }
    }
    let names = plan.changes.iter().map(|change| (change.step.kind, change.step.name.clone())).collect();
    let mut found = readers::of(session, entry.commit.as_deref().unwrap_or("HEAD"), names).await;
    for change in &mut plan.changes {
        change.readers = found.remove(&(change.step.kind, change.step.name.clone())).unwrap_or_default();
    }
    Ok(plan)
}

fn is_open(entry: &Entry, at: usize) -> bool {
    entry.marks.get(&at) == Some(&Mark::Sent)
}

/// The entry that is meant, from the journal of this machine.
fn entry(session: &Session, id: Option<&str>) -> Result<Entry, Why> {
    let query = Query {
        project: Some(session.project().name.clone()),
        environment: Some(session.environment().name.clone()),
        limit: None,
    };
    let entries = session.journal()?.read(&query)?.entries;
    let name = &session.environment().name;
    if let Some(id) = id {
        let mut fitting = entries.iter().filter(|entry| entry.id.starts_with(id));
        return match (fitting.next(), fitting.next()) {
            (Some(entry), None) if is_of_values(entry.action) => Ok(entry.clone()),
            (Some(entry), None) => Err(Why::new(format!("{} of {name} is a {}", entry.id, entry.action.word()))
                .hint("a push, an undo or a rollback can be taken back")),
            (Some(_), Some(_)) => Err(Why::new(format!("several entries of {name} begin with {id}"))),
            (None, _) => Err(Why::new(format!("the journal of this machine has no entry {id} of {name}"))
                .hint("plumb journal lists them")),
        };
    }
    let is_taken_back =
        |entry: &Entry| entries.iter().any(|it| it.undoes.as_ref() == Some(&entry.id) && it.state() == State::Ok);
    let last = entries.iter().find(|entry| {
        matches!(entry.action, Action::Push | Action::Rollback) && !entry.steps.is_empty() && !is_taken_back(entry)
    });
    last.cloned()
        .ok_or_else(|| Why::new(format!("nothing was pushed to {name} from this machine that could be undone")))
}

/// What of a step that was sent was done, and the version that came of it; `Ok(None)`: nothing.
async fn done(
    session: &Session,
    task: Option<&Task>,
    step: &Step,
    now: &Now,
) -> Result<Option<(Step, Option<Version>)>, Why> {
    let version = match (left(step, true, now), step.act) {
        // It was taken back, and its new version is not current: only the first has to be undone.
        (Left::Stage | Left::Promote, Act::Restore) => return Ok(Some((step.clone(), step.before.clone()))),
        // It has its earlier version again, and is not scheduled for deletion.
        (Left::Schedule, _) => {
            let made = step.token.clone().map(|id| Version { id, modified: None });
            return Ok(Some((Step { act: Act::Update, ..step.clone() }, made)));
        }
        (Left::All | Left::Stage | Left::Promote, _) => return Ok(None),
        (Left::Nothing(version), _) => return Ok(Some((step.clone(), version))),
        (Left::Overtaken(told), _) => return Err(Why::new(told)),
        (Left::Unknown(why), _) => return Err(why),
        (Left::Compare(version), _) => version,
    };
    let found = match step.kind {
        Thing::Parameter => parameter::value_of(session, &step.name, &version.id).await?,
        Thing::Secret => secret::value_of(session, &step.name, &version.id).await?,
    };
    match (task.and_then(|task| task.value.as_ref()), found) {
        (Some(ours), Some(found)) if *ours == found => Ok(Some((step.clone(), Some(version)))),
        _ => Err(Why::new(format!("version {} is not what was pushed", version.id))),
    }
}

/// The step that takes another one back, with what is live and what will be.
async fn opposite(session: &Session, step: &Step, made: Option<&Version>, now: &Now) -> Result<Change, Why> {
    let live = live(step, made, now)?;
    let (act, from, token) = match (step.act, step.kind) {
        // What is deleted has no past: who takes the undo back finds its value where the push had it from.
        (Act::Create, Thing::Parameter) => (Act::Delete, step.from.clone(), None),
        (Act::Create, Thing::Secret) => (Act::Delete, None, None),
        (Act::Update, Thing::Parameter) => {
            (Act::Update, step.before.as_ref().map(|before| Origin::Version(before.id.clone())), None)
        }
        (Act::Update, Thing::Secret) => {
            let before = step.before.as_ref().map(|before| before.id.clone());
            (Act::Update, before.clone().map(Origin::Version), before)
        }
        (Act::Delete, Thing::Parameter) => match &step.from {
            Some(from) => (Act::Create, Some(from.clone()), None),
            None => return Err(Why::new("a deleted parameter has no past, and no commit has its value")),
        },
        (Act::Delete, Thing::Secret) => (Act::Restore, None, None),
        (Act::Restore, _) => {
            let before = step.before.as_ref().map(|before| before.id.clone());
            let moved = made.map(|made| &made.id) != before.as_ref();
            (Act::Delete, None, before.filter(|_| moved))
        }
    };
    let was_recorded = match (&step.recorded, &step.before) {
        (Some(recorded), Some(before)) => recorded.version == before.id && recorded.modified == before.modified,
        _ => false,
    };
    let (shape, note) = match (act, now) {
        (Act::Delete, Now::Parameter(meta)) => {
            let (tags, note) = prune::tags(session, &step.name).await;
            (Some(prune::shape(meta, tags)), note)
        }
        _ => (step.shape.clone(), None),
    };
    let back = Step {
        kind: step.kind,
        name: step.name.clone(),
        unit: step.unit.clone(),
        act,
        before: live,
        from,
        token,
        // Where the earlier version was the recorded one, what is given back is what git said then.
        digest: step.recorded.as_ref().filter(|_| was_recorded).map(|recorded| recorded.digest.clone()),
        recorded: step.recorded.clone(),
        shape,
    };
    let (before, after) = tokio::join!(value_now(session, &back), value_then(session, &back));
    let after = after?;
    Ok(Change {
        verdict: None,
        file: None,
        only: only(&before, &after),
        before,
        after,
        changed: None,
        overwrites: false,
        readers: Vec::new(),
        notes: note.into_iter().collect(),
        target: Target {
            tags: step.shape.as_ref().map(|shape| shape.tags.clone().into_iter().collect()).unwrap_or_default(),
            ..Target::default()
        },
        step: back,
    })
}

/// The live version, which is the one that the step made; `None` where it deleted it. Anything else is somebody else's.
fn live(step: &Step, made: Option<&Version>, now: &Now) -> Result<Option<Version>, Why> {
    let changed = |told: String| Err(Why::new(format!("changed since: {told}")).hint("plumb history shows by whom"));
    match now {
        Now::Unknown(why) => Err(why.clone()),
        Now::Absent if step.act == Act::Delete => Ok(None),
        Now::Absent => changed("it was deleted".to_owned()),
        Now::Parameter(meta) => match made {
            Some(made) if made.id == meta.version.to_string() => {
                Ok(Some(Version { id: made.id.clone(), modified: Some(meta.modified_at) }))
            }
            _ => changed(whose(meta)),
        },
        Now::Secret(meta) => {
            let current = meta.current_version.clone().unwrap_or_default();
            let is_scheduled = meta.deletes_at.is_some();
            match (step.act, made) {
                (Act::Delete, _) if is_scheduled => Ok(Some(Version { id: current, modified: None })),
                (Act::Delete, _) => changed("it was restored".to_owned()),
                (_, Some(made)) if made.id == current && !is_scheduled => Ok(Some(made.clone())),
                _ if is_scheduled => changed("it is scheduled for deletion".to_owned()),
                _ => changed(format!("version {current} is current")),
            }
        }
    }
}

/// What is live now, to be shown.
async fn value_now(session: &Session, step: &Step) -> Facet {
    if step.before.is_none() {
        return Facet::Absent;
    }
    if step.act == Act::Restore {
        return Facet::Unread;
    }
    let names = std::slice::from_ref(&step.name);
    let read = match step.kind {
        Thing::Parameter => {
            ssm::values(&session.clients, names).await.remove(&step.name).map(|read| read.map(|it| it.value))
        }
        Thing::Secret => {
            secretsmanager::values(&session.clients, names).await.remove(&step.name).map(|read| read.map(|it| it.value))
        }
    };
    match read {
        Some(Read::Found(value)) => Facet::Secret(value),
        Some(Read::Missing) | None => Facet::Absent,
        Some(Read::Failed(error)) => Facet::Unreadable(why(&error)),
    }
}

/// What will be. Fails when that cannot be had, since then it cannot be written.
async fn value_then(session: &Session, step: &Step) -> Result<Facet, Why> {
    let found: Option<Secret> = match (&step.from, step.kind) {
        _ if step.act == Act::Delete => return Ok(Facet::Absent),
        (None, _) => return Ok(Facet::Unread),
        (Some(Origin::Version(version)), Thing::Parameter) => parameter::value_of(session, &step.name, version).await?,
        (Some(Origin::Version(version)), Thing::Secret) => secret::value_of(session, &step.name, version).await?,
        (Some(Origin::Commit(_)), _) => {
            tasks(session, std::slice::from_ref(step)).await?.into_iter().next().and_then(|task| task.value)
        }
    };
    found.map(Facet::Secret).ok_or_else(|| Why::new("its earlier value is gone"))
}
