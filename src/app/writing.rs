//! What the console writes, and who may: plans, locks, and the journal.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::live::{Inner, Place};
use crate::compare::Why;
use crate::console::{BoxFuture, Command, Ended, Note, Permit, Prepared, Target, Unlock, Values, Wanted, Watch, Work};
use crate::ops::crypto::rotate;
use crate::ops::journal::{Action, Begun, Found, Intent, Outcome, Query, Thing};
use crate::ops::push::{self, Pushed};
use crate::ops::report::Identity;
use crate::ops::session::Session;
use crate::ops::unlock::{self, Opened, Span};
use crate::ops::{command, record, restart};

/// How many entries of the journal the console shows.
const SHOWN: usize = 500;

/// The environments that may be written to for a while.
#[derive(Default)]
pub(super) struct Locks(Mutex<HashMap<Place, Opened>>);

impl Locks {
    fn open(&self, place: Place, opened: Opened) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(place, opened);
    }

    fn close(&self, place: &Place) -> Option<Opened> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(place)
    }

    /// The environment as whoever may write to it, while it is unlocked.
    pub(super) fn writer(&self, place: &Place) -> Option<Session> {
        let locks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let opened = locks.get(place)?;
        (Instant::now() < opened.until).then(|| opened.writer.clone())
    }
}

/// A command that the console runs, and that the journal holds.
struct Running(command::Running);

impl Note for Running {
    fn settle(self: Box<Self>, outcome: Outcome, error: Option<String>) -> BoxFuture<'static, Option<Why>> {
        Box::pin(self.0.settle(outcome, error))
    }
}

fn place(target: &Target) -> Place {
    (target.project.clone(), target.environment.clone())
}

/// Whoever works a plan out: as it will be written, where that is allowed; else as far as whoever reads can tell.
async fn planner(session: &Session, writer: Result<(Session, Identity), Why>) -> Session {
    match (session.for_writing().await, writer) {
        (Ok(_), Ok((writer, _))) => writer,
        _ => session.clone(),
    }
}

/// What is written of values.
async fn values(session: &Session, target: &Target, wanted: Values) -> Result<Work, Why> {
    let plan = match wanted {
        Values::Push { only, prune, restart } => {
            let reference = target.git_ref.clone();
            let ask = push::Ask { reference, prune, restart, ..push::Ask::default() };
            let plan = Box::pin(push::plan(session, &ask)).await?;
            let is_wanted = |change: &push::Change| {
                only.iter().any(|id| id.kind == change.step.kind.kind() && id.name == change.step.name)
            };
            if only.is_empty() { plan } else { plan.only(is_wanted) }
        }
        Values::Undo(id) => Box::pin(push::undo::plan(session, id.as_deref())).await?,
        Values::Rollback { name, to } => Box::pin(push::rollback::plan(session, &name, &to)).await?,
        Values::Resume => {
            let entry = push::unfinished(session)?;
            return Ok(Work::Resume(entry.ok_or_else(|| Why::new("nothing was cut off"))?.into()));
        }
    };
    Ok(Work::Values(plan.into(), BTreeSet::new()))
}

impl Inner {
    pub(super) async fn plan(&self, target: &Target, wanted: Wanted) -> Result<Prepared, Why> {
        let session = self.session(&target.project, &target.environment).await?;
        let writer = session.as_writer().await;
        let identity = writer.as_ref().map(|(_, identity)| identity.clone()).map_err(Clone::clone);
        let work = match wanted {
            Wanted::Record => {
                let reader = planner(&session, writer).await;
                let reference = target.git_ref.clone().unwrap_or_else(|| session.reference());
                Work::Record(record::survey(&reader, &reference).await?.into())
            }
            Wanted::Unlock(unlock) => Work::Unlock(unlock.into()),
            Wanted::Command(command) => Work::Command(command.into()),
            Wanted::Pipeline(wanted) => Work::Pipeline(self.plan_pipeline(&session, wanted).await?.into()),
            Wanted::Data(wanted) => Work::Data(self.plan_data(&session, wanted).await?.into()),
            Wanted::Rotate => Work::Rotate(rotate::plan(&session).await?.into()),
            Wanted::Restart(item) => {
                let reader = planner(&session, writer).await;
                let reference = target.git_ref.clone().unwrap_or_else(|| session.reference());
                let thing = Thing::of(item.kind).ok_or_else(|| Why::new("functions read parameters and secrets"))?;
                Work::Restart(Box::pin(restart::survey(&reader, &reference, thing, &item.name)).await?.into())
            }
            Wanted::Rollout(way) => {
                let reader = planner(&session, writer).await;
                Work::Rollout(Box::pin(self.rollout(&reader, target, way)).await?.into())
            }
            Wanted::Values(wanted) => {
                let reader = planner(&session, writer).await;
                Box::pin(values(&reader, target, wanted)).await?
            }
        };
        Ok(Prepared { writer: identity, work })
    }

    pub(super) async fn write(&self, target: &Target, work: &Work) -> Result<Option<Why>, Why> {
        let session = self.session(&target.project, &target.environment).await?;
        match work {
            Work::Record(plan) => record::write(&session, plan).await.map(|outcome| outcome.untold),
            Work::Rotate(plan) => rotate::write(&session, plan, &|_| {}).await.map(|rotated| rotated.untold),
            Work::Pipeline(work) => Box::pin(super::pipeline::write(&session, work)).await,
            Work::Data(work) => Box::pin(super::data::write(&session, work)).await,
            Work::Restart(plan) => Box::pin(restart::write(&session, plan)).await?.whole(),
            Work::Unlock(_) => Err(Why::new("refused: unlocking is no write")),
            Work::Command(_) => Err(Why::new("refused: a command is run by the console")),
            Work::Values(..) | Work::Resume(_) => Err(Why::new("refused: values are pushed")),
            Work::Rollout(_) => Err(Why::new("refused: stacks are rolled out")),
        }
    }

    pub(super) async fn push(&self, target: &Target, work: &Work, watch: &Watch) -> Result<Pushed, Why> {
        let session = self.session(&target.project, &target.environment).await?;
        match work {
            Work::Values(plan, left) if left.is_empty() => Box::pin(push::apply(&session, plan, watch)).await,
            Work::Values(plan, left) => Box::pin(push::apply(&session, &plan.without(left), watch)).await,
            Work::Resume(entry) => Box::pin(push::resume(&session, entry, watch)).await,
            Work::Record(_)
            | Work::Unlock(_)
            | Work::Command(_)
            | Work::Rotate(_)
            | Work::Pipeline(_)
            | Work::Data(_)
            | Work::Restart(_)
            | Work::Rollout(_) => Err(Why::new("refused: there are no values in this")),
        }
    }

    pub(super) async fn begin(&self, target: &Target, command: &Command) -> Result<Permit, Why> {
        let session = self.session(&target.project, &target.environment).await?;
        let running = command::begin(&session, format!("{}: {}", command.id, command.line())).await?;
        Ok(Permit { variables: running.variables(), note: Box::new(Running(running)) })
    }

    pub(super) async fn unlock(&self, target: &Target, unlock: &Unlock) -> Result<(Identity, Option<Why>), Why> {
        let session = self.session(&target.project, &target.environment).await?;
        let opened = unlock::unlock(&session, &Span::Minutes(unlock.minutes), &unlock.reason).await?;
        let answer = (opened.identity.clone(), opened.untold.clone());
        self.locks.open(place(target), opened);
        Ok(answer)
    }

    /// Locks at once; the future notes it.
    pub(super) fn lock(&self, target: &Target, ended: Ended) -> impl Future<Output = Option<Why>> + Send + 'static {
        let opened = self.locks.close(&place(target));
        async move {
            let Opened { writer, identity, .. } = opened?;
            let reason = Some(ended.word().to_owned());
            let intent = Intent { reason, ..Intent::new(Action::Lock, Vec::new()) };
            match Begun::new(&writer, &identity, intent) {
                Ok(begun) => begun.settle(&writer, None).await,
                Err(why) => Some(why),
            }
        }
    }

    pub(super) async fn journal(&self, target: &Target) -> Result<Found, Why> {
        let session = self.session(&target.project, &target.environment).await?;
        let journal = session.journal()?.clone();
        let query = Query {
            project: Some(session.project().name.clone()),
            environment: Some(target.environment.clone()),
            limit: Some(SHOWN),
        };
        let read = tokio::task::spawn_blocking(move || journal.read(&query)).await;
        read.map_err(|error| Why::new(error.to_string()))?
    }
}
