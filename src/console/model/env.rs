//! What is known of one environment.

use std::collections::BTreeMap;

use crate::compare::{Item, Kind, Why};
use crate::console::backend::{EnvironmentInfo, Fresh, Target};
use crate::console::message::Generation;
use crate::console::page::list::Line;
use crate::console::page::{ItemId, Mark, Page};
use crate::console::remote::Remote;
use crate::ops::report::{Commit, Identity, Section, Unit};
use crate::ops::snapshot::Snapshot;

/// What is known of one environment.
#[derive(Debug, Default)]
pub struct EnvState {
    /// What is known before anything is read.
    pub info: Option<EnvironmentInfo>,
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
    pub calls: Option<u64>,
    /// The inspection under way.
    pub inspecting: Option<Job>,
    /// The fetch under way, and what to do after it.
    pub fetching: Option<(Job, Option<Fresh>)>,
    /// An inspection that waits for its turn.
    pub wanted: Option<Fresh>,
    /// What is still shown from before this session, and when that was read, milliseconds since the Unix epoch.
    pub remembered: BTreeMap<Kind, i64>,
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
        Self { info: Some(info), git_ref, ..Self::default() }
    }

    /// Shows what was found before this session, as old, until live answers.
    pub(in crate::console) fn remember(&mut self, snapshot: Snapshot) {
        self.identity = snapshot.identity.map_or(Remote::Idle, Remote::Stale);
        self.commit = snapshot.commit.map_or(Remote::Idle, Remote::Stale);
        self.read_at = snapshot.sections.iter().map(|kept| kept.read_at).max();
        for kept in snapshot.sections {
            self.remembered.insert(kept.kind, kept.read_at);
            self.sections.insert(kept.kind, Remote::Stale(kept.section));
        }
    }

    /// Shows no longer what was found before this session: it turned out to be about something else.
    pub(in crate::console) fn forget(&mut self) {
        for kind in std::mem::take(&mut self.remembered).into_keys() {
            let since = self.inspecting.map(|job| job.since);
            self.sections.insert(kind, since.map_or(Remote::Idle, |since| Remote::Loading { since }));
        }
        if self.calls.is_none() {
            self.read_at = None;
        }
    }

    /// When a kind was read, milliseconds since the Unix epoch.
    #[must_use]
    pub fn read_at_of(&self, kind: Kind) -> Option<i64> {
        self.remembered.get(&kind).copied().or(self.read_at)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.info.as_ref().map_or("", |info| &info.name)
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

    pub(in crate::console) fn target(&self) -> Target {
        Target { environment: self.name().to_owned(), git_ref: self.git_ref.clone() }
    }
}
