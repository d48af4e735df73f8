//! What is known of one environment.

use std::collections::BTreeMap;

use super::Times;
use super::times::Reading;
use crate::compare::{Item, Kind, Why};
use crate::config::Protection;
use crate::console::backend::{Ask, EnvironmentInfo, Fresh, Target};
use crate::console::message::Generation;
use crate::console::mode::{Asks, Mode, Unlocked, asks_to_unlock, asks_to_write};
use crate::console::page::list::Line;
use crate::console::page::{ItemId, Mark, Page, crypto, data, deploy, pipeline};
use crate::console::remote::Remote;
use crate::ops::hold;
use crate::ops::journal::Entry;
use crate::ops::report::{Calls, Commit, Identity, Section, Unit};
use crate::ops::snapshot::Snapshot;

/// What is known of one environment.
#[derive(Debug, Default)]
pub struct EnvState {
    /// What is known before anything is read.
    pub info: Option<EnvironmentInfo>,
    /// What it is called among all: its name, with its project's before it where that is another one.
    pub title: String,
    /// The git ref asked for; `None`: its own.
    pub git_ref: Option<String>,
    /// Who is asking.
    pub identity: Remote<Identity>,
    /// The commit that is compared.
    pub commit: Remote<Commit>,
    /// The newest failure of what is shown from before, or of fetching.
    pub trouble: BTreeMap<Subject, Why>,
    /// What is going on, by kind.
    pub progress: BTreeMap<Kind, String>,
    /// When reading was done, milliseconds since the Unix epoch.
    pub read_at: Option<i64>,
    /// When the last inspection began, milliseconds since the Unix epoch.
    pub asked_at: Option<i64>,
    /// AWS API calls made by the last inspection.
    pub calls: Option<Calls>,
    /// The ages of what is shown.
    pub times: Times,
    /// The inspection under way.
    pub inspecting: Option<Job>,
    /// What it asks for, or what the last one did.
    pub asked: Option<Ask>,
    /// The fetch under way, and whether its project's environments wait for it to be read.
    pub fetching: Option<(Job, bool)>,
    /// A write of values from this machine that was cut off.
    pub cut_off: Option<Box<Entry>>,
    /// Whether redeploys are on hold, as last found; `None`: nobody looked.
    pub hold: Option<hold::Found>,
    /// Leave to write to it for a while.
    pub unlocked: Option<Unlocked>,
    /// An inspection that waits for its turn.
    pub wanted: Option<Ask>,
    /// What is still shown from before this session, and when that was read, milliseconds since the Unix epoch.
    pub remembered: BTreeMap<Kind, i64>,
    /// Whether who asks is still told as it was before this session.
    pub remembered_identity: bool,
    /// Whether its lists were whole once: from then on no cursor leaves its item by itself.
    pub was_whole: bool,
    /// What is known of its crypto API.
    pub crypto: crypto::Known,
    /// What is known of its intake.
    pub data: data::Known,
    /// What is known of its stacks beside their verdicts.
    pub deploys: deploy::Known,
    /// What is known of its deploy pipeline.
    pub pipeline: pipeline::Known,
    sections: BTreeMap<Kind, Remote<Section>>,
}

/// On what something failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// Asking who is asking.
    Identity,
    /// Reading the commit.
    Commit,
    /// Reading a kind.
    Kind(Kind),
    /// Fetching.
    Fetch,
}

/// A request under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Job {
    /// What its replies carry.
    pub generation: Generation,
    /// When it began, milliseconds since the Unix epoch.
    pub since: i64,
}

static NO_SECTION: Remote<Section> = Remote::Idle;

impl EnvState {
    pub(in crate::console) fn new(info: EnvironmentInfo, git_ref: Option<String>) -> Self {
        Self { title: info.name.clone(), info: Some(info), git_ref, ..Self::default() }
    }

    /// Shows what was found before this session, as old, until live answers.
    pub(in crate::console) fn show_last(&mut self, snapshot: Snapshot) {
        self.remembered_identity = snapshot.identity.is_some();
        self.was_whole = true;
        self.identity = snapshot.identity.map_or(Remote::Idle, Remote::Stale);
        self.commit = snapshot.commit.map_or(Remote::Idle, Remote::Stale);
        for kept in snapshot.sections {
            self.remembered.insert(kept.kind, kept.read_at);
            self.times.read(kept.kind, self.reading(kept.read_at));
            self.sections.insert(kept.kind, Remote::Stale(kept.section));
        }
    }

    /// A reading of that time, compared with the commit that is known now.
    pub(in crate::console) fn reading(&self, at: i64) -> Reading {
        Reading { at, commit: self.commit.value().map(|commit| commit.id.clone()) }
    }

    /// Shows no longer what was found under another ref, or in another account; what the inspection under way has
    /// answered stays, and what it was not asked for is wanted.
    pub(in crate::console) fn forget(&mut self) {
        self.crypto.forget();
        self.data.forget();
        self.deploys.forget();
        self.pipeline.forget();
        self.was_whole = self.read_at.is_some();
        let since = self.inspecting.map(|job| job.since);
        let asked: Vec<Kind> = self.asked_whole().collect();
        let answered = |section: &Remote<Section>, kind| asked.contains(&kind) && matches!(section, Remote::Ready(_));
        let gone = Kind::ALL.into_iter().filter(|kind| !answered(self.section(*kind), *kind));
        for kind in gone.collect::<Vec<_>>() {
            let is_asked = asked.contains(&kind);
            let known = self.sections.remove(&kind).is_some_and(|section| section.value().is_some());
            if let Some(since) = since.filter(|_| is_asked) {
                self.sections.insert(kind, Remote::Loading { since });
            } else if known {
                self.want(Ask::kinds(Fresh::Cached, &[kind]));
            }
            self.remembered.remove(&kind);
            self.times.forget(kind);
        }
    }

    /// Kinds that were compared with another commit than is known now, and are not being read.
    pub(in crate::console) fn behind(&self) -> Vec<Kind> {
        let commit = self.commit.value().map(|commit| commit.id.as_str());
        let asked: Vec<Kind> = self.asked_whole().collect();
        let is_behind = |kind: &Kind| {
            let known = self.section(*kind).value().is_some();
            known && !asked.contains(kind) && self.times.commit_of(*kind) != commit
        };
        Kind::ALL.into_iter().filter(is_behind).collect()
    }

    /// The kinds that the inspection under way reads, each as a whole.
    fn asked_whole(&self) -> impl Iterator<Item = Kind> {
        let asked = self.asked.iter().filter(|ask| self.inspecting.is_some() && ask.only.is_none());
        asked.flat_map(|ask| ask.kinds.iter().copied())
    }

    /// Whether what is shown of an item is from before this session.
    #[must_use]
    pub fn is_remembered(&self, item: &Item) -> bool {
        let at = self.remembered.get(&item.kind);
        // It may have been read by itself since.
        at.is_some_and(|at| self.times.of_item(&ItemId::of(item)) == Some(*at))
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.info.as_ref().map_or("", |info| &info.name)
    }

    /// Whether its project says where a crypto API is.
    #[must_use]
    pub fn has_crypto(&self) -> bool {
        self.info.as_ref().is_some_and(|info| info.crypto)
    }

    /// Whether its project says where a deploy pipeline is.
    #[must_use]
    pub fn has_pipeline(&self) -> bool {
        self.info.as_ref().is_some_and(|info| info.pipeline)
    }

    /// Whether there is such a page in it.
    pub(in crate::console) fn has(&self, page: Page) -> bool {
        match page {
            Page::Crypto => self.has_crypto(),
            Page::Pipeline => self.has_pipeline(),
            Page::Data => self.has_intake(),
            _ => true,
        }
    }

    /// The name of its project.
    #[must_use]
    pub fn project(&self) -> &str {
        self.info.as_ref().map_or("", |info| &info.project)
    }

    /// Why nothing can be read at all: who asks is not known, or there is no network.
    #[must_use]
    pub fn blocked(&self) -> Option<&Why> {
        let identity = match &self.identity {
            Remote::Failed(why) => Some(why),
            _ => self.trouble.get(&Subject::Identity),
        };
        let kinds = Kind::ALL.into_iter().filter_map(|kind| self.why_failed(kind));
        identity.into_iter().chain(kinds).find(|why| why.is_of_everything())
    }

    /// Wants this read, beside what is wanted already.
    pub(in crate::console) fn want(&mut self, ask: Ask) {
        self.wanted = Some(match self.wanted.take() {
            Some(other) => other.and(ask),
            None => ask,
        });
    }

    /// The times whose ages are shown on a page.
    pub(in crate::console) fn ages(&self, page: Page) -> impl Iterator<Item = i64> {
        let commit = self.commit.value().and_then(|commit| commit.fetched_at);
        let sections = page.kinds().iter().filter_map(|kind| self.section(*kind).value());
        let units = sections.flat_map(|section| &section.units);
        let units = units.flat_map(|unit| [unit.drift_checked_at, unit.rolled_out_at]).flatten();
        commit.into_iter().chain(page.kinds().iter().filter_map(|kind| self.times.of(*kind))).chain(units)
    }

    /// The items of a kind.
    #[must_use]
    pub fn section(&self, kind: Kind) -> &Remote<Section> {
        self.sections.get(&kind).unwrap_or(&NO_SECTION)
    }

    pub(in crate::console) fn section_mut(&mut self, kind: Kind) -> &mut Remote<Section> {
        self.sections.entry(kind).or_default()
    }

    /// Why a kind has no items, or no new ones.
    #[must_use]
    pub fn why_failed(&self, kind: Kind) -> Option<&Why> {
        match self.section(kind) {
            Remote::Failed(why) => Some(why),
            _ => self.trouble.get(&Subject::Kind(kind)),
        }
    }

    /// The item on a line of a list.
    #[must_use]
    pub fn item_at(&self, line: &Line) -> Option<&Item> {
        match line {
            Line::Item { kind, index, .. } => self.section(*kind).value()?.items.get(*index),
            _ => None,
        }
    }

    /// What the cursor is on when it is on that line; `None`: it cannot be.
    #[must_use]
    pub fn mark_at(&self, line: &Line) -> Option<Mark> {
        match line {
            Line::Item { .. } => self.item_at(line).map(|item| Mark::Item(ItemId::of(item))),
            Line::Problem { kind, index } => {
                let problem = self.section(*kind).value()?.problems.get(*index)?;
                Some(Mark::Problem(*kind, problem.subject.clone()))
            }
            Line::Kind { kind } => self.why_failed(*kind).map(|_| Mark::Kind(*kind)),
            Line::Unit { .. } | Line::More { .. } => None,
        }
    }

    /// Whether the cursor can be on that line.
    #[must_use]
    pub fn is_stop(&self, line: &Line) -> bool {
        match line {
            Line::Item { .. } => self.item_at(line).is_some(),
            Line::Problem { kind, index } => {
                self.section(*kind).value().is_some_and(|section| *index < section.problems.len())
            }
            Line::Kind { kind } => self.why_failed(*kind).is_some(),
            Line::Unit { .. } | Line::More { .. } => false,
        }
    }

    /// What failed there, and why, when the cursor is on no item.
    #[must_use]
    pub fn failure(&self, mark: &Mark) -> Option<(&str, &Why)> {
        match mark {
            Mark::Item(_) => None,
            Mark::Problem(kind, subject) => {
                let problems = &self.section(*kind).value()?.problems;
                problems.iter().find(|p| p.subject == *subject).map(|p| (p.subject.as_str(), &p.why))
            }
            Mark::Kind(kind) => self.why_failed(*kind).map(|why| (kind.code(), why)),
        }
    }

    /// The facts about a unit, whichever of the page's kinds reports them.
    #[must_use]
    pub fn unit(&self, kind: Kind, name: &str) -> Option<&Unit> {
        let kinds = Page::of(kind).kinds().iter();
        kinds.filter_map(|kind| self.section(*kind).value()).flat_map(|s| &s.units).find(|unit| unit.name == name)
    }

    /// The item of that identity.
    #[must_use]
    pub fn item(&self, id: &ItemId) -> Option<&Item> {
        self.section(id.kind).value()?.items.iter().find(|item| item.name == id.name)
    }

    /// The account's expectation that is not met: expected, actual.
    #[must_use]
    pub fn wrong_account(&self) -> Option<(&str, &str)> {
        let identity = self.identity.value()?;
        identity.expected_account.as_deref().map(|expected| (expected, identity.account.as_str()))
    }

    /// How writing to it is protected.
    #[must_use]
    pub fn protection(&self) -> Protection {
        self.info.as_ref().map_or(Protection::ReadOnly, |info| info.protection)
    }

    /// The AWS profile in whose name it is written to, where one is named.
    #[must_use]
    pub fn write_profile(&self) -> Option<&str> {
        let info = self.info.as_ref()?;
        info.write_profile.as_deref().or(info.profile.as_deref())
    }

    /// What may be written to it at that time. In an account that is not the expected one nothing is.
    #[must_use]
    pub fn mode(&self, now: i64) -> Mode {
        if self.wrong_account().is_some() {
            return Mode::Read;
        }
        Mode::of(self.protection(), self.unlocked.as_ref().map(|unlocked| unlocked.until), now)
    }

    /// The same as far as it may be promised: to whom, somebody must have said.
    #[must_use]
    pub fn promised_mode(&self, now: i64) -> Mode {
        match self.mode(now) {
            Mode::Write if !self.is_vouched() => Mode::Read,
            mode => mode,
        }
    }

    /// Whether AWS said in this session who asks, and has not failed to say it again since.
    #[must_use]
    pub fn is_vouched(&self) -> bool {
        let lacks_credentials = self.blocked().is_some_and(|why| why.kind.is_of_credentials());
        match &self.identity {
            Remote::Ready(_) => !lacks_credentials,
            Remote::Stale(_) => {
                !self.remembered_identity && !self.trouble.contains_key(&Subject::Identity) && !lacks_credentials
            }
            Remote::Idle | Remote::Loading { .. } | Remote::Failed(_) => false,
        }
    }

    pub(in crate::console) fn asks_to_write(&self, now: i64) -> Asks {
        asks_to_write(self.protection(), self.mode(now))
    }

    pub(in crate::console) fn asks_to_unlock(&self) -> Asks {
        asks_to_unlock(self.protection())
    }

    pub(in crate::console) fn target(&self) -> Target {
        Target {
            project: self.project().to_owned(),
            environment: self.name().to_owned(),
            git_ref: self.git_ref.clone(),
        }
    }
}
