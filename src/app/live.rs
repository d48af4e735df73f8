//! The use cases, as the console asks for them. A session per environment is kept, with what it has learnt.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{Mutex, OnceCell, mpsc};

use super::deploy::Drafts;
use super::last::Last;
use super::memory;
use super::projects::{self, Opened, Projects};
use super::redeploy::Redeploys;
use super::writing::Locks;
use crate::cli::Shared;
use crate::compare::{Fingerprinter, Item, Kind, Why};
use crate::config::{Environ, Settings};
use crate::console::{
    Ask, Backend, BoxFuture, ChangeAnswer, ChangeAsk, Command, Compared, CryptoAnswer, CryptoAsk, DataAnswer, DataAsk,
    DeployAnswer, DeployAsk, Ended, EnvironmentInfo, FilePlace, Fresh, Heard, Memory, Over, Permit, PipelineAnswer,
    PipelineAsk, Prepared, ProjectInfo, Promotion, RefInfo, Target, Unlock, Wanted, Watch, Work,
};
use crate::ops::config::changes::{Change, Staged};
use crate::ops::crypto::last::Last as LastSmoke;
use crate::ops::crypto::smoke::Step;
use crate::ops::history::Timeline;
use crate::ops::inspect::{self, Detect, Reveal, Wish, now};
use crate::ops::journal::{Entry, Found};
use crate::ops::keys::Keys;
use crate::ops::promote::{self, Promoted};
use crate::ops::push::{self, Pushed};
use crate::ops::report::{Identity, Part, Report};
use crate::ops::session::{Access, Session};
use crate::ops::snapshot::Snapshot;

/// The [`Backend`] that is real.
pub(super) struct Live {
    inner: Arc<Inner>,
}

/// A project and an environment of it.
pub(super) type Place = (String, String);

pub(super) struct Inner {
    pub(super) projects: Projects,
    shared: Shared,
    keys: OnceCell<Arc<Keys>>,
    last: Option<Last>,
    fingerprinter: Fingerprinter,
    pub(super) access: Access,
    /// Plumb's own directory, where there is one.
    pub(super) state: Option<PathBuf>,
    sessions: Mutex<HashMap<Place, Arc<OnceCell<Session>>>>,
    /// Where the clock stands still, what is read is read then.
    clock: Option<i64>,
    pub(super) locks: Locks,
    pub(super) drafts: Drafts,
    pub(super) redeploys: Redeploys,
}

impl Live {
    pub(super) fn new(
        shared: &Shared,
        projects: Projects,
        fingerprinter: Fingerprinter,
        clock: Option<i64>,
        last: Option<Last>,
    ) -> Self {
        let inner = Inner {
            projects,
            shared: shared.clone(),
            keys: OnceCell::new(),
            last,
            fingerprinter,
            access: shared.access(),
            state: shared.directories().state().ok(),
            sessions: Mutex::default(),
            clock,
            locks: Locks::default(),
            drafts: Drafts::default(),
            redeploys: Redeploys::default(),
        };
        Self { inner: Arc::new(inner) }
    }
}

impl Inner {
    /// An environment as whoever may ask it: its reader, and while it is unlocked, its writer.
    pub(super) async fn session(&self, project: &str, environment: &str) -> Result<Session, Why> {
        let place = (project.to_owned(), environment.to_owned());
        if let Some(writer) = self.locks.writer(&place) {
            return Ok(writer);
        }
        // One that opens slowly holds up nobody else.
        let cell = Arc::clone(self.sessions.lock().await.entry(place).or_default());
        cell.get_or_try_init(|| self.open(project, environment)).await.cloned()
    }

    /// The environment variables.
    pub(super) fn environ(&self) -> &Environ {
        &self.shared.environ
    }

    /// Plumb's own directory, where what was found is kept at all.
    pub(super) fn kept(&self) -> Option<PathBuf> {
        self.last.as_ref().and(self.state.clone())
    }

    /// Where the clock stands still, when that is.
    pub(super) fn clock(&self) -> Option<i64> {
        self.clock
    }

    /// The project where the console was opened.
    pub(super) fn here(&self, project: &str) -> Option<Arc<Opened>> {
        self.projects.here(project)
    }

    async fn open(&self, project: &str, name: &str) -> Result<Session, Why> {
        let opened = self.projects.open(project).await?;
        let settings = &opened.settings;
        let environment =
            settings.environment(name).ok_or_else(|| Why::new(format!("there is no environment {name}")))?.clone();
        let settings = Settings { environment, ..settings.clone() };
        let keys = self.keys().await?;
        Session::open(settings, &opened.root, keys, self.fingerprinter.clone(), self.access.clone()).await
    }

    /// What opens documents, found once.
    pub(super) async fn keys(&self) -> Result<Arc<Keys>, Why> {
        self.keys.get_or_try_init(|| self.find_keys()).await.cloned()
    }

    /// The command that prints keys may take its time, and must keep nobody from a screen.
    async fn find_keys(&self) -> Result<Arc<Keys>, Why> {
        let shared = self.shared.clone();
        tokio::task::spawn_blocking(move || shared.keys()).await.map_err(|error| Why::new(error.to_string()))
    }

    /// Keeps an inspection of whole kinds for the next session, and hands it back.
    async fn keep(&self, target: Target, report: Report) -> Report {
        let (Some(last), Ok(opened)) = (self.last.clone(), self.projects.open(&target.project).await) else {
            return report;
        };
        let name = target.environment.clone();
        let work = move || {
            last.keep(&opened, &target, &report);
            report
        };
        let done = tokio::task::spawn_blocking(work).await;
        done.unwrap_or_else(|error| {
            Report::failed(name, &Kind::ALL, &Why::new(format!("what was read is lost: {error}")), now())
        })
    }

    /// Lets the next request read the credentials anew: a session that was told no remembers what it was told.
    async fn forget(&self, target: &Target) {
        self.sessions.lock().await.remove(&(target.project.clone(), target.environment.clone()));
    }

    async fn inspect(
        &self,
        target: &Target,
        wish: impl FnOnce(Wish) -> Wish,
        sink: mpsc::UnboundedSender<Part>,
    ) -> Report {
        let report = match self.session(&target.project, &target.environment).await {
            Ok(session) => {
                let _ = sink.send(Part::CutOff(cut_off(&session).await));
                let own = Wish::of(&session);
                let reference = target.git_ref.clone().unwrap_or_else(|| own.reference.clone());
                inspect::stream(&session, &wish(Wish { reference, ..own }), sink).await
            }
            Err(why) => Report::failed(target.environment.clone(), &Kind::ALL, &why, now()),
        };
        if report.lacks_credentials() {
            self.forget(target).await;
        }
        Report { read_at: self.clock.unwrap_or(report.read_at), ..report }
    }

    /// One item with its values.
    pub(super) async fn reveal(&self, target: &Target, kind: Kind, name: &str) -> Result<Item, Why> {
        let (sink, _parts) = mpsc::unbounded_channel();
        let reveal = Reveal::One(kind, name.to_owned());
        let wish = |wish| Wish { kinds: vec![kind], detect: Detect::Never, reveal, ..wish };
        let report = self.inspect(target, wish, sink).await;
        let gone = || Why::new(format!("{name} is neither in git nor live any more")).hint("r refreshes");
        match report.sections.into_iter().next() {
            Some((_, Ok(section))) => section.items.into_iter().find(|item| item.name == name).ok_or_else(gone),
            Some((_, Err(why))) => Err(why),
            None => Err(gone()),
        }
    }
}

/// What was cut off. A journal that cannot be read is told where it is opened, and where something is written.
async fn cut_off(session: &Session) -> Option<Box<Entry>> {
    let session = session.clone();
    let read = tokio::task::spawn_blocking(move || push::unfinished(&session)).await;
    read.ok()?.ok()?.map(Box::new)
}

/// What is asked for, of what the environment has at all.
fn narrow(ask: Ask, own: Wish) -> Wish {
    let detect = match ask.fresh {
        Fresh::Cached => Detect::Stale,
        Fresh::Detect => Detect::Always,
    };
    let kinds = own.kinds.iter().copied().filter(|kind| ask.kinds.contains(kind)).collect();
    Wish { kinds, detect, only: ask.only, ..own }
}

impl Backend for Live {
    fn project_name(&self) -> String {
        self.inner.projects.current.clone()
    }

    fn environments(&self) -> Vec<EnvironmentInfo> {
        self.inner.projects.environments_here()
    }

    fn projects(&self) -> Vec<ProjectInfo> {
        self.inner.projects.others()
    }

    fn project(&self, name: String) -> BoxFuture<'static, Result<Vec<EnvironmentInfo>, Why>> {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move {
            let opened = inner.projects.open(&name).await?;
            Ok(projects::environments(&name, &opened))
        })
    }

    fn last(&self, target: &Target) -> Option<Snapshot> {
        let opened = self.inner.projects.here(&target.project)?;
        self.inner.last.as_ref()?.load(&opened, target)
    }

    fn inspect(&self, target: Target, ask: Ask, sink: mpsc::UnboundedSender<Part>) -> BoxFuture<'static, Report> {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move {
            let whole = ask.only.is_none();
            let report = inner.inspect(&target, |wish| narrow(ask, wish), sink).await;
            if whole { inner.keep(target, report).await } else { report }
        })
    }

    fn reveal(&self, target: Target, kind: Kind, name: String) -> BoxFuture<'static, Result<Item, Why>> {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move { inner.reveal(&target, kind, &name).await })
    }

    fn locate(&self, target: Target, file: String, name: String) -> BoxFuture<'static, Result<FilePlace, Why>> {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move {
            let session = inner.session(&target.project, &target.environment).await?;
            let (path, line) = crate::ops::locate::place(&session, &file, &name).await?;
            Ok(FilePlace { path, line })
        })
    }

    fn refs(&self, project: String) -> BoxFuture<'static, Result<Vec<RefInfo>, Why>> {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move {
            let environment = inner.projects.open(&project).await?.settings.environment.name.clone();
            let session = inner.session(&project, &environment).await?;
            let repository = session.repository.clone()?;
            let refs = tokio::task::spawn_blocking(move || repository.refs()).await;
            let refs =
                refs.map_err(|error| Why::new(error.to_string()))?.map_err(|error| Why::new(error.to_string()))?;
            Ok(refs
                .into_iter()
                .map(|found| RefInfo { name: found.name, commit: found.commit, subject: found.subject, at: found.at })
                .collect())
        })
    }

    fn memory(&self) -> Memory {
        let state = self.inner.state.as_deref();
        state.map(|state| memory::load(state, &self.project_name())).unwrap_or_default()
    }

    fn remember(&self, memory: Memory) -> BoxFuture<'static, ()> {
        let (state, project) = (self.inner.state.clone(), self.project_name());
        Box::pin(async move {
            let Some(state) = state else { return };
            // A full disk costs the memory and nothing else.
            let _ = tokio::task::spawn_blocking(move || memory::keep(&state, &project, memory)).await;
        })
    }

    fn fetch(&self, target: Target) -> BoxFuture<'static, Result<(), Why>> {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move {
            let session = inner.session(&target.project, &target.environment).await?;
            let Ok(repository) = session.repository.clone() else { return Ok(()) };
            let reference = target.git_ref.unwrap_or_else(|| session.reference());
            match repository.remote_of(&reference) {
                Some(remote) => repository
                    .fetch(&remote)
                    .await
                    .map_err(|error| Why { hint: error.hint(), ..Why::new(error.to_string()) }),
                None => Ok(()),
            }
        })
    }

    fn plan(&self, target: Target, wanted: Wanted) -> BoxFuture<'static, Result<Prepared, Why>> {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move {
            match wanted {
                Wanted::Rollout(_) => inner.plan_or_take_back(target, wanted).await,
                wanted => inner.plan(&target, wanted).await,
            }
        })
    }

    fn write(&self, target: Target, work: Work) -> BoxFuture<'static, Result<Option<Why>, Why>> {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move { inner.write(&target, &work).await })
    }

    fn push(&self, target: Target, work: Work, watch: Watch) -> BoxFuture<'static, Result<Pushed, Why>> {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move { inner.push(&target, &work, &watch).await })
    }

    fn begin(&self, target: Target, command: Arc<Command>) -> BoxFuture<'static, Result<Permit, Why>> {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move { inner.begin(&target, &command).await })
    }

    fn unlock(&self, target: Target, unlock: Unlock) -> BoxFuture<'static, Result<(Identity, Option<Why>), Why>> {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move { inner.unlock(&target, &unlock).await })
    }

    fn crypto(
        &self,
        target: Target,
        ask: CryptoAsk,
        sink: mpsc::UnboundedSender<Step>,
    ) -> BoxFuture<'static, CryptoAnswer> {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move { inner.crypto(&target, &ask, &sink).await })
    }

    fn pipeline(&self, target: Target, ask: PipelineAsk) -> BoxFuture<'static, PipelineAnswer> {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move { Box::pin(inner.pipeline(&target, ask)).await })
    }

    fn data(&self, target: Target, ask: DataAsk) -> BoxFuture<'static, DataAnswer> {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move { inner.data(&target, ask).await })
    }

    fn deployments(
        &self,
        target: Target,
        ask: DeployAsk,
        sink: mpsc::UnboundedSender<Heard>,
    ) -> BoxFuture<'static, DeployAnswer> {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move {
            match ask {
                DeployAsk::Stacks => DeployAnswer::Stacks(inner.stacks(&target).await),
                DeployAsk::Follow(operation) => {
                    DeployAnswer::Over(inner.follow(&target, &operation, &sink).await.map(Box::new))
                }
            }
        })
    }

    fn roll_out(
        &self,
        target: Target,
        work: Work,
        sink: mpsc::UnboundedSender<Heard>,
    ) -> BoxFuture<'static, Result<Over, Why>> {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move { inner.roll_out(&target, &work, &sink).await })
    }

    fn abandon(&self, work: Work) -> BoxFuture<'static, Result<(), Why>> {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move { inner.abandon(&work).await })
    }

    fn last_smoke(&self, target: &Target) -> Option<LastSmoke> {
        self.inner.last_smoke(target)
    }

    fn lock(&self, target: Target, ended: Ended) -> BoxFuture<'static, Option<Why>> {
        Box::pin(self.inner.lock(&target, ended))
    }

    fn history(&self, target: Target, name: String) -> BoxFuture<'static, Result<Timeline, Why>> {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move { inner.history(&target, &name).await })
    }

    fn compare(&self, project: String, from: String, to: String) -> BoxFuture<'static, Result<Compared, Why>> {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move { inner.compare(&project, promote::Ask { from, to }).await })
    }

    fn promote(&self, promotion: Promotion) -> BoxFuture<'static, Result<Promoted, Why>> {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move { inner.promote(promotion).await })
    }

    fn pending(&self) -> Result<Vec<Change>, Why> {
        self.inner.pending(&self.project_name())
    }

    fn changes(&self, target: Target, ask: ChangeAsk) -> BoxFuture<'static, Result<ChangeAnswer, Why>> {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move { inner.changes(target, ask).await })
    }

    fn stage(&self, target: Target, message: String) -> BoxFuture<'static, Result<Staged, Why>> {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move { inner.stage(target, message).await })
    }

    fn journal(&self, target: Target) -> BoxFuture<'static, Result<Found, Why>> {
        let inner = Arc::clone(&self.inner);
        Box::pin(async move { inner.journal(&target).await })
    }
}
