//! Everything the console knows. Only [`super::update`] changes it.

mod env;
mod fleet;
mod sent;
mod times;

pub(super) use env::{EnvState, Job, Subject};
pub(super) use fleet::{Fleet, Project};
pub(super) use sent::Sent;
pub(super) use times::{Missed, Times};

use super::ages::Clock;
use super::backend::{EnvironmentInfo, ProjectInfo, RefInfo};
use super::changes;
use super::diff;
use super::fingerprint::Fingerprinter;
use super::home::{self, Home};
use super::keymap::Keymap;
use super::looks;
use super::memory::Memory;
use super::message::Generation;
use super::overlay::{Overlay, Tour};
use super::page::list;
use super::page::{ItemId, Mark, Page, crypto, data, deploy, overview, pipeline};
use super::remote::Remote;
use crate::compare::{Facet, Item, Kind, Why};
use crate::ops::crypto::last::Last;
use crate::ops::snapshot::Snapshot;

/// What a console begins with.
pub struct Setup {
    /// The name of the project where the console is opened.
    pub project: String,
    /// The operator's other projects.
    pub projects: Vec<ProjectInfo>,
    /// The environments; at least one.
    pub environments: Vec<EnvironmentInfo>,
    /// Index of the environment to begin with.
    pub current: usize,
    /// The git ref to compare with in every environment.
    pub git_ref: Option<String>,
    /// The keys in force.
    pub keymap: Keymap,
    /// Milliseconds after which what is shown is read again.
    pub refresh: Option<i64>,
    /// Seconds east of UTC.
    pub utc_offset: i32,
    /// Key of the fingerprints.
    pub fingerprint_key: [u8; 32],
    /// The terminal, and the operator's own tools.
    pub home: Home,
    /// What was remembered last time.
    pub memory: Memory,
    /// Whether the tour is shown, if it never was.
    pub tour: bool,
}

/// The whole state.
pub struct Model {
    /// The projects; the first is the one where the console was opened.
    pub fleet: Fleet,
    /// The environments and what is known of each. Those of other projects come as their files are read.
    pub environments: Vec<EnvState>,
    /// Index of the current one.
    pub current: usize,
    /// The page.
    pub page: Page,
    /// What the overview remembers.
    pub overview: overview::State,
    /// What is open over the page, the topmost last.
    pub overlays: Vec<Overlay>,
    /// The refs that can be compared with.
    pub refs: Remote<Vec<RefInfo>>,
    /// One line for the operator, until the next key.
    pub notice: Option<String>,
    /// The notice of what is wrong with the theme's files.
    pub theme_trouble: Option<String>,
    /// The values that are shown now, of at most one item.
    pub reveal: Option<Reveal>,
    /// Columns and lines of the terminal.
    pub size: (u16, u16),
    /// The keys in force.
    pub keymap: Keymap,
    /// What was confirmed and is being done.
    pub sent: Vec<Sent>,
    /// The tour, while it is taken.
    pub tour: Option<Tour>,
    /// What is remembered until next time.
    pub memory: Memory,
    /// Whether it ends as soon as nothing is being written any more.
    pub leaving: bool,
    /// Whether the console is over.
    pub over: bool,
    /// What the crypto page remembers while it is looked at.
    pub crypto: crypto::State,
    /// What the data page remembers while it is looked at.
    pub data: data::State,
    /// What the deploy page remembers.
    pub deploy: deploy::State,
    /// What the pipeline page remembers.
    pub pipeline: pipeline::State,
    /// What the diff remembers.
    pub diff: diff::State,
    /// How the selected item looks in its detail.
    pub looks: looks::State,
    /// The terminal, and the operator's own tools.
    pub home: home::State,
    /// What is to be changed in git, by project.
    pub changes: changes::State,
    pub(super) clock: Clock,
    pub(super) fingerprints: Fingerprinter,
    pub(super) refresh: Option<i64>,
    pub(super) refs_asked: Option<Generation>,
    /// Counts how often what was read changed, so that what is made of it can tell whether it is still true.
    pub(super) revision: u64,
    /// The project whose refs they are.
    pub(super) refs_of: String,
    /// When the refs were listed, milliseconds since the Unix epoch.
    pub refs_at: Option<i64>,
    lists: [list::State; 3],
    generation: Generation,
}

/// The item whose values are shown, or are being read to be shown.
#[derive(Debug)]
pub struct Reveal {
    /// The environment's index.
    pub environment: usize,
    /// The item.
    pub id: ItemId,
    /// How far it is.
    pub state: Revealing,
}

/// How far the revealing of an item is.
#[derive(Debug)]
pub enum Revealing {
    /// Its values are being read.
    Reading(Job),
    /// They are shown.
    Shown {
        /// The item with its values, when they had to be read.
        item: Option<Box<Item>>,
        /// When they are masked again, milliseconds since the Unix epoch.
        until: i64,
    },
    /// They could not be read.
    Failed(Why),
}

impl Model {
    /// The state before anything happened.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        let git_ref = setup.git_ref;
        let environments: Vec<EnvState> =
            setup.environments.into_iter().map(|info| EnvState::new(info, git_ref.clone())).collect();
        Self {
            fleet: Fleet::new(setup.project, setup.projects),
            current: setup.current.min(environments.len().saturating_sub(1)),
            environments: if environments.is_empty() { vec![EnvState::default()] } else { environments },
            page: Page::Overview,
            overview: overview::State::default(),
            overlays: Vec::new(),
            refs: Remote::Idle,
            notice: None,
            theme_trouble: None,
            reveal: None,
            size: (80, 24),
            keymap: setup.keymap,
            sent: Vec::new(),
            tour: (setup.tour && !setup.memory.toured).then(Tour::default),
            memory: setup.memory,
            leaving: false,
            over: false,
            crypto: crypto::State::default(),
            data: data::State::default(),
            deploy: deploy::State::default(),
            pipeline: pipeline::State::default(),
            diff: diff::State::default(),
            looks: looks::State::default(),
            home: home::State::new(setup.home),
            changes: changes::State::default(),
            clock: Clock { now: 0, offset: setup.utc_offset },
            fingerprints: Fingerprinter::new(setup.fingerprint_key),
            refresh: setup.refresh,
            refs_asked: None,
            revision: 0,
            refs_at: None,
            refs_of: String::new(),
            lists: Default::default(),
            generation: 0,
        }
    }

    /// Begins with what was found of an environment before this session.
    pub fn show_last(&mut self, environment: usize, snapshot: Snapshot) {
        if let Some(env) = self.environments.get_mut(environment) {
            env.show_last(snapshot);
            self.rebuild();
        }
    }

    /// The same with its last smoke test.
    pub fn show_last_smoke(&mut self, environment: usize, last: Last) {
        if let Some(env) = self.environments.get_mut(environment) {
            env.crypto.last = Some(last);
        }
    }

    /// The name of the current project.
    #[must_use]
    pub fn project(&self) -> &str {
        let name = self.environment().project();
        if name.is_empty() { self.fleet.here() } else { name }
    }

    /// The current environment.
    #[must_use]
    pub fn environment(&self) -> &EnvState {
        &self.environments[self.current]
    }

    pub(super) fn environment_mut(&mut self) -> &mut EnvState {
        &mut self.environments[self.current]
    }

    /// What the current list page remembers; on the overview, the stacks'.
    #[must_use]
    pub fn list(&self) -> &list::State {
        self.list_of(self.page)
    }

    /// What a list page remembers.
    pub(super) fn list_of(&self, page: Page) -> &list::State {
        &self.lists[list_index(page)]
    }

    /// The current list page's state beside the environment that it is of.
    pub(super) fn list_mut(&mut self) -> (&mut list::State, &EnvState) {
        (&mut self.lists[list_index(self.page)], &self.environments[self.current])
    }

    /// Takes every cursor that nobody has put anywhere back to the first line: what it is on is of another environment.
    /// What was chosen there is not chosen here.
    pub(super) fn leave_environment(&mut self) {
        self.choose_nothing();
        for list in self.lists.iter_mut().filter(|list| !list.chosen) {
            list.cursor = None;
        }
        if !self.overview.chosen {
            self.overview.cursor = None;
        }
    }

    /// The pages that there are in the current environment.
    pub(super) fn pages(&self) -> impl Iterator<Item = Page> {
        Page::ALL.into_iter().filter(|page| self.environment().has(*page))
    }

    /// Makes every list anew from the current environment.
    pub(super) fn rebuild(&mut self) {
        self.revision += 1;
        let env = &self.environments[self.current];
        for page in [Page::Stacks, Page::Parameters, Page::Secrets] {
            self.lists[list_index(page)].rebuild(page, env);
        }
        self.overview.rebuild(env);
    }

    /// Adds the environments of another project.
    pub(super) fn join(&mut self, environments: Vec<EnvironmentInfo>) -> std::ops::Range<usize> {
        let first = self.environments.len();
        // A ref that was asked for is one of the project where the console was opened.
        self.environments.extend(environments.into_iter().map(|info| {
            let mut env = EnvState::new(info, None);
            env.title = format!("{}/{}", env.project(), env.name());
            env
        }));
        first..self.environments.len()
    }

    /// The selected item of the current page as it was read; on the overview, of what needs the operator.
    #[must_use]
    pub fn selected(&self) -> Option<&Item> {
        if self.page == Page::Overview {
            let need = self.overview.needs.get(self.overview.line);
            return need.filter(|_| self.overview.half == overview::Half::Needs)?.item(self.environment());
        }
        if !self.page.is_list() {
            return None;
        }
        let (env, state) = (self.environment(), self.list());
        let Mark::Item(id) = state.cursor.as_ref()? else { return None };
        // The line knows where the item is; looking for it among ten thousand is for the moments when it does not.
        let on_line = state.lines.get(state.line).and_then(|line| env.item_at(line)).filter(|item| id.is(item));
        on_line.or_else(|| env.item(id))
    }

    /// The selected item as it is shown: with the values read for it, while they are revealed.
    #[must_use]
    pub fn shown(&self) -> Option<&Item> {
        match self.revealed() {
            Some(Revealing::Shown { item: Some(item), .. }) => Some(item),
            _ => self.selected(),
        }
    }

    /// How far the revealing of the selected item is.
    #[must_use]
    pub fn revealed(&self) -> Option<&Revealing> {
        let selected = self.selected()?;
        let reveal = self.reveal.as_ref()?;
        (reveal.environment == self.current && reveal.id.is(selected)).then_some(&reveal.state)
    }

    /// Whether the values of the selected item are shown.
    #[must_use]
    pub fn is_revealed(&self) -> bool {
        matches!(self.revealed(), Some(Revealing::Shown { .. }))
    }

    /// The identity of a new request.
    pub(super) fn job(&mut self) -> Job {
        self.generation += 1;
        Job { generation: self.generation, since: self.clock.now }
    }

    /// The oldest request that the current page waits for.
    #[must_use]
    pub fn waiting(&self) -> Option<Job> {
        let env = self.environment();
        let reveal = match self.revealed() {
            Some(Revealing::Reading(job)) => Some(*job),
            _ => None,
        };
        let fetching = env.fetching.map(|(job, _)| job);
        let crypto = [self.crypto.playing, env.crypto.smoke.job, env.crypto.reading];
        let crypto = crypto.into_iter().flatten().filter(|_| self.page == Page::Crypto);
        let deploy = env.deploys.reading.filter(|_| self.page == Page::Deploy);
        let pipeline = env.pipeline.reading.filter(|_| self.page == Page::Pipeline);
        let data = env.data.jobs().filter(|_| self.page == Page::Data);
        let errand = self.home.waiting().map(|errand| Job { generation: errand.generation, since: errand.since });
        reveal
            .into_iter()
            .chain(crypto)
            .chain(deploy)
            .chain(pipeline)
            .chain(data)
            .chain(errand)
            .chain(env.inspecting)
            .chain(fetching)
            .min_by_key(|job| job.since)
    }

    /// When the current environment is read again by itself; counted from when it was last asked for, so that what
    /// was cancelled stays cancelled for a while.
    pub(super) fn refresh_due(&self) -> Option<i64> {
        let env = self.environment();
        env.inspecting.is_none().then_some(env.asked_at? + self.refresh?)
    }

    /// When something on the screen changes by time alone, milliseconds since the Unix epoch.
    #[must_use]
    pub fn wake(&self) -> Option<i64> {
        const SPINNER: i64 = 125;
        let now = self.clock.now;
        let visible = |index: usize| self.page == Page::Overview || index == self.current;
        let mut wake: Vec<i64> = Vec::new();
        for (_, env) in self.environments.iter().enumerate().filter(|(index, _)| visible(*index)) {
            if env.inspecting.is_some() || env.fetching.is_some() {
                wake.push(now + SPINNER);
            }
            wake.extend(env.times.oldest(&Kind::ALL).map(|at| now + self.clock.next_age(at)));
        }
        wake.extend(self.environment().ages(self.page).map(|at| now + self.clock.next_age(at)));
        if self.page == Page::Overview && self.fleet.is_loading() {
            wake.push(now + SPINNER);
        }
        wake.extend(self.refresh_due().map(|at| at.max(now + 1000)));
        match self.reveal.as_ref().map(|reveal| &reveal.state) {
            Some(Revealing::Reading(_)) => wake.push(now + SPINNER),
            Some(Revealing::Shown { until, .. }) => wake.push((*until).min(now + 1000 - now.rem_euclid(1000))),
            Some(Revealing::Failed(_)) | None => {}
        }
        wake.extend(crypto::wake(self));
        wake.extend(data::wake(self));
        wake.extend(deploy::wake(self));
        wake.extend(pipeline::wake(self));
        if matches!(self.refs, Remote::Loading { .. }) && !self.overlays.is_empty() {
            wake.push(now + SPINNER);
        }
        if !self.sent.is_empty() || self.overlays.last().is_some_and(Overlay::moves) {
            wake.push(now + SPINNER);
        }
        wake.extend(self.overlays.iter().filter_map(Overlay::shown));
        for (index, env) in self.environments.iter().enumerate() {
            let Some(unlocked) = &env.unlocked else { continue };
            // The one in the header counts down.
            let second = now + 1 + (unlocked.until - now - 1).rem_euclid(1000);
            wake.push(if index == self.current { second.min(unlocked.until.max(now + 1)) } else { unlocked.until });
        }
        wake.into_iter().min()
    }
}

/// Whether some side of the item has to be read before it can be shown.
pub(super) fn has_unread(item: &Item) -> bool {
    let rows = item.rows.iter().map(|row| &row.sides);
    std::iter::once(&item.sides).filter(|_| item.rows.is_empty()).chain(rows).any(|sides| {
        [&sides.git, &sides.applied, &sides.live]
            .into_iter()
            .any(|side| matches!(side, Facet::Unread | Facet::Masked { .. }))
    })
}

fn list_index(page: Page) -> usize {
    match page {
        Page::Overview | Page::Deploy | Page::Pipeline | Page::Crypto | Page::Data | Page::Stacks => 0,
        Page::Parameters => 1,
        Page::Secrets => 2,
    }
}
