//! What the kinds of one inspection share: the commit, receipts, and stack facts that two kinds need.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{Mutex, OnceCell};

use super::{Detect, Reveal, Wish, ignore_rules};
use crate::aws::cloudformation::{self, StackResource};
use crate::compare::{IgnoreRules, Kind, Verdict, Why};
use crate::config::{Project, Stack, StackKind};
use crate::git::Snapshot;
use crate::ops::hold;
use crate::ops::receipt::{Index, Recorded, Store, UnitId};
use crate::ops::report::{Commit, Part, Problem, Section};
use crate::ops::session::Session;
use crate::ops::{failed, git_why, project, why};

/// The placeholder that only STS can fill.
pub(super) const ACCOUNT: &str = "{account}";

/// A stack's resources, or why they could not be listed.
type Listing = Result<Arc<Vec<StackResource>>, Why>;

/// One inspection under way.
pub(super) struct Context {
    pub(super) session: Session,
    pub(super) detect: Detect,
    pub(super) reveal: Reveal,
    pub(super) only: Option<String>,
    pub(super) commit: Result<Commit, Why>,
    /// Whether redeploys are on hold, once that was looked at.
    pub(super) hold: OnceLock<hold::Found>,
    sink: UnboundedSender<Part>,
    snapshots: Mutex<HashMap<String, Result<Arc<Snapshot>, Why>>>,
    store: OnceCell<Result<Store, Why>>,
    index: OnceCell<Result<Index, Why>>,
    receipts: Mutex<BTreeMap<UnitId, Arc<OnceCell<Recorded>>>>,
    recorded: OnceCell<Result<BTreeSet<UnitId>, Why>>,
    project: OnceCell<Result<Arc<Project>, Why>>,
    rules: OnceCell<Result<Arc<IgnoreRules>, Why>>,
    stacks: OnceCell<Arc<(Vec<Stack>, Vec<Problem>)>>,
    resources: Mutex<HashMap<String, Arc<OnceCell<Listing>>>>,
}

impl Context {
    pub(super) async fn open(session: &Session, wish: &Wish, sink: UnboundedSender<Part>) -> Self {
        let commit = if session.settings.adhoc.is_some() {
            Ok(no_commit(session.settings.adhoc.as_ref().is_some_and(|adhoc| adhoc.stack.is_some())))
        } else {
            let repository = session.repository.clone();
            let reference = wish.reference.clone();
            let resolve = move || Ok(Commit::from(repository?.resolve(&reference).map_err(|e| git_why(&e))?));
            blocking(resolve).await
        };
        Self {
            session: session.clone(),
            detect: wish.detect,
            reveal: wish.reveal.clone(),
            only: wish.only.clone(),
            commit,
            hold: OnceLock::new(),
            sink,
            snapshots: Mutex::default(),
            store: OnceCell::new(),
            index: OnceCell::new(),
            receipts: Mutex::default(),
            recorded: OnceCell::new(),
            project: OnceCell::new(),
            rules: OnceCell::new(),
            stacks: OnceCell::new(),
            resources: Mutex::default(),
        }
    }

    pub(super) fn progress(&self, kind: Kind, text: String) {
        // Nobody may be watching, which is no failure.
        let _ = self.sink.send(Part::Progress(kind, text));
    }

    /// Hands on what is known of a kind so far, before a longer wait.
    pub(super) fn provisional(&self, kind: Kind, section: Section) {
        let _ = self.sink.send(Part::Provisional(kind, section));
    }

    /// The name of the parameter that may be a hold, where a whole project is looked at.
    pub(super) fn hold_name(&self) -> Option<String> {
        let is_whole = self.session.settings.adhoc.is_none() && self.only.is_none();
        is_whole.then(|| hold::name(&self.session.project().name, &self.session.environment().name))
    }

    /// Hands on whether redeploys are on hold. The listing that is made anyway tells whether there is a hold at all.
    pub(super) async fn tell_hold(&self, is_listed: Result<bool, Why>) {
        let found = match is_listed {
            Ok(true) => hold::current(&self.session).await,
            Ok(false) => Ok(None),
            Err(why) => Err(why),
        };
        let _ = self.sink.send(Part::Hold(found.clone()));
        let _ = self.hold.set(found);
    }

    /// Whether the operator opened this item, so that its value is read even when that settles nothing.
    pub(super) fn reveals(&self, kind: Kind, name: &str) -> bool {
        matches!(&self.reveal, Reveal::One(wanted, wish) if *wanted == kind && wish == name)
    }

    /// Whether this name is read: all are, unless one is asked about.
    pub(super) fn is_wanted(&self, name: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only == name)
    }

    /// Whether values are read to be shown, although the verdict is known without them.
    pub(super) fn shows(&self, kind: Kind, name: &str, verdict: &Verdict) -> bool {
        self.reveals(kind, name) || (self.reveal == Reveal::Differences && verdict.is_difference())
    }

    /// The files of the commit that is compared.
    pub(super) async fn git(&self) -> Result<Arc<Snapshot>, Why> {
        if self.session.settings.adhoc.is_some() {
            return Err(Why::new("there is no project, and so no git side").hint("plumb init --minimal"));
        }
        let commit = self.commit.clone()?;
        let at = if commit.reference == crate::git::WORKTREE { commit.reference } else { commit.id };
        self.snapshot(&at).await
    }

    /// The project as the commit that is compared describes it. Where git cannot be read, names are looked for as today's
    /// describes them.
    pub(super) async fn project(&self) -> Result<Arc<Project>, Why> {
        let session = &self.session;
        let read = || async {
            match self.git().await {
                Err(_) => Ok(Arc::new(session.project().clone())),
                Ok(snapshot) => {
                    let settings = session.settings.clone();
                    blocking(move || project::at(&settings, &snapshot).map(Arc::new)).await
                }
            }
        };
        self.project.get_or_init(read).await.clone()
    }

    /// What that project ignores in this environment.
    pub(super) async fn ignore_rules(&self) -> Result<Arc<IgnoreRules>, Why> {
        let compile = || async {
            let project = self.project().await?;
            ignore_rules(&project, &self.session.environment().name).map(Arc::new)
        };
        self.rules.get_or_init(compile).await.clone()
    }

    /// What whoever reads the result should know of the project file.
    pub(super) async fn notes(&self) -> Vec<String> {
        let (Ok(snapshot), Ok(commit)) = (self.git().await, &self.commit) else { return Vec::new() };
        let (settings, reference) = (self.session.settings.clone(), commit.reference.clone());
        let notes = move || Ok(project::unlike(&settings, &snapshot, &reference));
        blocking(notes).await.unwrap_or_default()
    }

    /// The files of any commit, read from the object database.
    pub(super) async fn snapshot(&self, commit: &str) -> Result<Arc<Snapshot>, Why> {
        let mut snapshots = self.snapshots.lock().await;
        if let Some(known) = snapshots.get(commit) {
            return known.clone();
        }
        let repository = self.session.repository.clone();
        let prefix = self.session.prefix.clone();
        let at = commit.to_owned();
        let snapshot =
            blocking(move || repository?.snapshot(&at, &prefix).map(Arc::new).map_err(|error| git_why(&error))).await;
        snapshots.insert(commit.to_owned(), snapshot.clone());
        snapshot
    }

    /// A unit's receipt, read once for all kinds, and only when it has changed since it was last read.
    pub(super) async fn receipt(&self, unit: &UnitId) -> Recorded {
        let cell = Arc::clone(self.receipts.lock().await.entry(unit.clone()).or_default());
        cell.get_or_init(|| self.load_receipt(unit)).await.clone()
    }

    async fn load_receipt(&self, unit: &UnitId) -> Recorded {
        let store = match self.store().await {
            Ok(store) => store,
            Err(why) => return Recorded::Unreadable(why),
        };
        match self.index(store).await {
            Ok(index) => self.session.shelf.load(&self.session.clients, store, index, unit).await,
            // Who may not list may still be allowed to read.
            Err(_) => store.load(&self.session.clients, unit).await,
        }
    }

    /// The units that have a receipt, listed once for all kinds.
    pub(super) async fn recorded(&self) -> Result<&BTreeSet<UnitId>, Why> {
        let listed = self.recorded.get_or_init(|| async {
            let store = self.store().await?;
            Ok(store.units(self.index(store).await?))
        });
        listed.await.as_ref().map_err(Clone::clone)
    }

    async fn store(&self) -> Result<&Store, Why> {
        self.store.get_or_init(|| self.session.receipts()).await.as_ref().map_err(Clone::clone)
    }

    async fn index(&self, store: &Store) -> Result<&Index, Why> {
        self.index.get_or_init(|| store.index(&self.session.clients)).await.as_ref().map_err(Clone::clone)
    }

    /// A stack's resources, listed once for all kinds.
    pub(super) async fn resources(&self, stack: &str) -> Result<Arc<Vec<StackResource>>, Why> {
        let cell = Arc::clone(self.resources.lock().await.entry(stack.to_owned()).or_default());
        cell.get_or_init(|| async {
            cloudformation::resources(&self.session.clients, stack).await.map(Arc::new).map_err(|error| why(&error))
        })
        .await
        .clone()
    }

    /// The physical ids of a type that the project's stacks own, so that nobody calls them unmanaged; and why that is
    /// not the whole truth, when a stack could not be asked.
    pub(super) async fn owned(&self, type_name: &str) -> (HashSet<String>, Option<Why>) {
        let mut owned = HashSet::new();
        let mut unasked = None;
        for stack in &self.stacks().await.0 {
            let resources = match self.resources(&stack.name).await {
                Ok(resources) => resources,
                // A stack that does not exist owns nothing.
                Err(why) if super::code::is_missing(&why) => continue,
                Err(why) => {
                    unasked = Some(why);
                    continue;
                }
            };
            owned.extend(
                resources
                    .iter()
                    .filter(|resource| resource.type_name == type_name)
                    .filter_map(|resource| resource.physical_id.clone()),
            );
        }
        (owned, unasked)
    }

    /// The stacks of this environment, every placeholder filled in; and patterns that no file of the commit matches.
    pub(super) async fn stacks(&self) -> Arc<(Vec<Stack>, Vec<Problem>)> {
        let stacks = self.stacks.get_or_init(|| async { Arc::new(self.filled_stacks().await) });
        Arc::clone(stacks.await)
    }

    async fn filled_stacks(&self) -> (Vec<Stack>, Vec<Problem>) {
        if let Some(adhoc) = &self.session.settings.adhoc {
            return (adhoc.stack.iter().map(|name| bare_stack(name)).collect(), Vec::new());
        }
        let project = match self.project().await {
            Ok(project) => project,
            Err(why) => return (Vec::new(), vec![Problem { subject: self.session.settings.file.clone(), why }]),
        };
        let listing: Vec<String> = match self.git().await {
            Ok(snapshot) => blocking(move || snapshot.list("").map_err(|error| failed(&error)))
                .await
                .map(|entries| entries.into_iter().map(|entry| entry.path).collect())
                .unwrap_or_default(),
            Err(_) => Vec::new(),
        };
        let bindings = self.session.bindings().await;
        let listed: Vec<&str> = listing.iter().map(String::as_str).collect();
        let (mut stacks, problems) = crate::config::mapping::stacks(&project, &bindings, &listed);
        let mut problems: Vec<Problem> =
            problems.into_iter().map(|problem| Problem { subject: problem.file, why: Why::new(problem.why) }).collect();
        for stack in std::mem::take(&mut stacks) {
            // While the account is not known, no stack has such a name, which proves nothing.
            match self.session.identity().await {
                Err(why) if stack.name.contains(ACCOUNT) => problems.push(Problem { subject: stack.name, why }),
                _ => stacks.push(stack),
            }
        }
        (stacks, problems)
    }
}

/// What stands where the commit would be, without a project.
fn no_commit(stack: bool) -> Commit {
    Commit {
        reference: "no project".to_owned(),
        id: String::new(),
        subject: if stack { "the deployed template stands for git" } else { "nothing to compare with" }.to_owned(),
        author: String::new(),
        at: 0,
        ahead: 0,
        behind: 0,
        dirty: false,
        fetched_at: None,
    }
}

/// A stack of which nothing is known but its name.
fn bare_stack(name: &str) -> Stack {
    Stack {
        name: name.to_owned(),
        template: String::new(),
        kind: StackKind::CloudFormation,
        synth: None,
        parameters: std::collections::BTreeMap::new(),
        tags: std::collections::BTreeMap::new(),
        capabilities: Vec::new(),
        functions: Vec::new(),
        environments: Vec::new(),
    }
}

/// Runs what reads the disk on a thread that may wait.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Why> + Send + 'static) -> Result<T, Why> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(error) => Err(Why::new(format!("an internal task failed: {error}"))),
    }
}
