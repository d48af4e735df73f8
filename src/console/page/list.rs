//! A page that lists items: which are shown, which is selected, what is open.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{Mark, Page};
use crate::compare::{Item, Kind, Verdict};
use crate::console::model::EnvState;
use crate::console::remote::Remote;

/// Which items a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Show {
    /// What needs attention; the rest is one line per verdict.
    #[default]
    Differences,
    /// Everything.
    All,
    /// What git never had.
    Unmanaged,
}

impl Show {
    pub(in crate::console) fn next(self) -> Self {
        match self {
            Self::Differences => Self::All,
            Self::All => Self::Unmanaged,
            Self::Unmanaged => Self::Differences,
        }
    }

    pub(in crate::console) fn word(self) -> &'static str {
        match self {
            Self::Differences => "differences",
            Self::All => "all",
            Self::Unmanaged => "unmanaged",
        }
    }

    pub(in crate::console) fn shows(self, verdict: &Verdict) -> bool {
        match self {
            Self::Differences => verdict.needs_attention(),
            Self::All => true,
            Self::Unmanaged => matches!(verdict, Verdict::Unmanaged),
        }
    }
}

/// How much of the page the selected item takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Zoom {
    /// List and detail.
    #[default]
    Split,
    /// The detail alone.
    Full,
    /// Git and live line by line.
    Diff,
}

/// Which pane hears the movement keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pane {
    /// The list.
    #[default]
    List,
    /// The detail.
    Detail,
}

/// A filter and whether it is being typed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// What names must hold, without regard to case; several words must all be there.
    pub text: String,
    /// Whether keys go into it.
    pub editing: bool,
}

impl Filter {
    pub(in crate::console) fn matcher(&self) -> impl Fn(&str) -> bool + use<> {
        let words: Vec<String> = self.text.to_lowercase().split_whitespace().map(str::to_owned).collect();
        move |name: &str| {
            words.is_empty() || {
                let name = name.to_lowercase();
                words.iter().all(|word| name.contains(word.as_str()))
            }
        }
    }
}

/// Up to so many items that are in git only are shown one by one.
pub(in crate::console) const FEW: usize = 4;

/// Stands for the reason of items that are in git only; no reason of an unknown item is empty.
pub(in crate::console) const GIT_ONLY: &str = "";

/// One line of the list. Indices are into the environment's sections, and are made anew with them.
#[derive(Debug, Clone, PartialEq)]
pub enum Line {
    /// The head of a unit.
    Unit {
        /// The kind whose section has it.
        kind: Kind,
        /// The unit's name.
        name: String,
        /// How many of its items there are, shown or not.
        items: usize,
    },
    /// A whole kind is being read, or could not be.
    Kind {
        /// The kind.
        kind: Kind,
    },
    /// A failure that is not one item's.
    Problem {
        /// The kind whose section has it.
        kind: Kind,
        /// Which of its problems.
        index: usize,
    },
    /// An item.
    Item {
        /// The kind whose section has it.
        kind: Kind,
        /// Which of its items.
        index: usize,
        /// How many more are alike: unknown for the same reason, or in git only.
        more: usize,
    },
    /// Items that are not shown one by one.
    More {
        /// Their verdict.
        verdict: Verdict,
        /// How many.
        count: usize,
    },
}

/// What a list page remembers.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// Which items are shown.
    pub show: Show,
    /// The filter.
    pub filter: Filter,
    /// What is selected, wherever it is.
    pub cursor: Option<Mark>,
    /// Whether the operator chose it; else the cursor stays on the first line while lines come in for the first time.
    pub chosen: bool,
    /// The lines of the list.
    pub lines: Vec<Line>,
    /// The line that the cursor is on.
    pub line: usize,
    /// The first line drawn.
    pub offset: usize,
    /// How much the selected item takes.
    pub zoom: Zoom,
    /// Which pane hears the movement keys.
    pub pane: Pane,
    /// Which of the selected item's shown rows the cursor is on.
    pub row: usize,
    /// First line drawn of the full screen detail or of the diff.
    pub scroll: usize,
    /// The items that are chosen to be pushed, by their names.
    pub marks: BTreeSet<String>,
}

impl State {
    /// Makes the lines anew, and keeps the cursor on its item, or near to where it was.
    pub(in crate::console) fn rebuild(&mut self, page: Page, env: &EnvState) {
        self.lines = lines(page, env, self.show, &self.filter);
        let wanted = self.cursor.as_ref().filter(|_| self.chosen || env.was_whole);
        let at = |lines: &[Line]| lines.iter().position(|line| env.mark_at(line).as_ref() == wanted);
        let mut found = wanted.and_then(|_| at(&self.lines));
        // What is looked at closely stays, also when it is no difference any more.
        if found.is_none()
            && self.zoom != Zoom::Split
            && let Some(Mark::Item(id)) = wanted
            && env.item(id).is_some()
        {
            let all = lines(page, env, Show::All, &self.filter);
            found = at(&all);
            if found.is_some() {
                self.show = Show::All;
                self.lines = all;
            }
        }
        match found {
            Some(line) => self.line = line,
            None => self.select_near(if self.chosen { self.line } else { 0 }, env),
        }
    }

    /// Puts the cursor on the item nearest to a line, looking down first.
    pub(in crate::console) fn select_near(&mut self, line: usize, env: &EnvState) {
        let line = line.min(self.lines.len().saturating_sub(1));
        let is_stop = |at: &usize| self.lines.get(*at).is_some_and(|line| env.is_stop(line));
        let chosen = (line..self.lines.len()).find(is_stop).or_else(|| (0..line).rev().find(is_stop));
        self.go(chosen, env);
    }

    /// Moves the cursor by a number of items.
    pub(in crate::console) fn step(&mut self, by: isize, env: &EnvState) {
        self.chosen = true;
        // A key walks no further than it moves, however long the list is.
        let is_stop = |at: &usize| self.lines.get(*at).is_some_and(|line| env.is_stop(line));
        let count = self.lines.len();
        let here = (self.line..count).find(is_stop).or_else(|| (0..count).rev().find(is_stop));
        let steps = by.unsigned_abs().saturating_add(1);
        let to = here.and_then(|here| match by {
            0.. => (here..count).filter(is_stop).take(steps).last(),
            _ => (0..=here).rev().filter(is_stop).take(steps).last(),
        });
        self.go(to, env);
    }

    /// Moves to the next or previous item that needs attention.
    pub(in crate::console) fn seek(&mut self, forward: bool, env: &EnvState) -> bool {
        let here = self.line;
        let wanted = |at: &usize| {
            self.lines.get(*at).and_then(|line| env.item_at(line)).is_some_and(|i| i.verdict.needs_attention())
        };
        let found = if forward {
            (here + 1..self.lines.len()).find(wanted)
        } else {
            (0..here.min(self.lines.len())).rev().find(wanted)
        };
        if found.is_some() {
            self.chosen = true;
            self.go(found, env);
        }
        found.is_some()
    }

    /// Selects an item, and shows it even when the mode or the filter would not.
    pub(in crate::console) fn reach(&mut self, id: Mark, page: Page, env: &EnvState) {
        self.chosen = true;
        self.cursor = Some(id.clone());
        self.rebuild(page, env);
        if self.cursor.as_ref() != Some(&id) {
            self.filter = Filter::default();
            self.show = Show::All;
            self.cursor = Some(id);
            self.rebuild(page, env);
        }
        self.row = 0;
        self.scroll = 0;
    }

    /// Puts the cursor on a line that the operator pointed at.
    pub(in crate::console) fn choose(&mut self, line: usize, env: &EnvState) {
        self.chosen = true;
        self.go(Some(line), env);
    }

    /// The items that the selected line stands for beside its own.
    pub(in crate::console) fn alike<'a>(&self, env: &'a EnvState, page: Page) -> Vec<&'a Item> {
        let line = self.lines.get(self.line).filter(|line| matches!(line, Line::Item { more: 1.., .. }));
        let Some(first) = line.and_then(|line| env.item_at(line)) else { return Vec::new() };
        let matches = self.filter.matcher();
        let is_alike = |item: &&Item| {
            let same = match (&first.verdict, &item.verdict) {
                (Verdict::Unknown(one), Verdict::Unknown(other)) => one.reason == other.reason,
                (one, other) => one == other,
            };
            same && item.unit == first.unit && !std::ptr::eq(*item, first) && matches(&item.name)
        };
        let sections = page.kinds().iter().filter_map(|kind| env.section(*kind).value());
        sections.flat_map(|section| &section.items).filter(is_alike).collect()
    }

    fn go(&mut self, line: Option<usize>, env: &EnvState) {
        self.line = line.unwrap_or(0);
        let id = line.and_then(|at| self.lines.get(at)).and_then(|line| env.mark_at(line));
        if id != self.cursor {
            self.row = 0;
            self.scroll = 0;
            if id.is_none() {
                self.zoom = Zoom::Split;
            }
        }
        self.cursor = id;
    }
}

fn lines(page: Page, env: &EnvState, show: Show, filter: &Filter) -> Vec<Line> {
    let matches = filter.matcher();
    let mut units: BTreeMap<&str, Vec<(Kind, usize, &Item)>> = BTreeMap::new();
    let mut lines = Vec::new();
    for &kind in page.kinds() {
        let has_value = env.section(kind).value().is_some();
        // What concerns everything is told once, in the header; the lines themselves are marked as stale.
        let failed = env.why_failed(kind).is_some_and(|why| !has_value || !why.is_of_everything());
        if failed || matches!(env.section(kind), Remote::Loading { .. }) {
            lines.push(Line::Kind { kind });
        }
        let Some(section) = env.section(kind).value() else { continue };
        lines.extend((0..section.problems.len()).map(|index| Line::Problem { kind, index }));
        for unit in &section.units {
            units.entry(unit.name.as_str()).or_default();
        }
        for (index, item) in section.items.iter().enumerate() {
            units.entry(item.unit.as_str()).or_default().push((kind, index, item));
        }
    }
    for (unit, mut items) in units {
        let kind = items.first().map_or(page.kinds()[0], |(kind, ..)| *kind);
        let total = items.len();
        // A stack's page lists its functions' code too, which is no resource, and sometimes the stack itself.
        let own = |(of, _, item): &&(Kind, usize, &Item)| *of == kind && item.name != unit;
        let counted = items.iter().filter(own).count();
        items.retain(|(_, _, item)| matches(&item.name));
        if items.is_empty() && (total > 0 && !filter.text.is_empty()) {
            continue;
        }
        items.sort_by(|(_, _, a), (_, _, b)| b.verdict.weight().cmp(&a.verdict.weight()).then(a.name.cmp(&b.name)));
        lines.push(Line::Unit { kind, name: unit.to_owned(), items: counted });
        let mut rest: Vec<Line> = Vec::new();
        let mut alike: HashMap<&str, usize> = HashMap::new();
        let git_only = items.iter().filter(|(_, _, item)| item.verdict == Verdict::GitOnly).count();
        for (kind, index, item) in items {
            let reason = match &item.verdict {
                Verdict::Unknown(why) => Some(why.reason.as_str()),
                // What is looked for by name is shown by name.
                Verdict::GitOnly if git_only > FEW && filter.text.is_empty() => Some(GIT_ONLY),
                _ => None,
            };
            if let (Show::Differences, Some(reason)) = (show, reason) {
                match alike.entry(reason) {
                    Entry::Vacant(slot) => drop(slot.insert(lines.len())),
                    Entry::Occupied(first) => {
                        if let Some(Line::Item { more, .. }) = lines.get_mut(*first.get()) {
                            *more += 1;
                        }
                        continue;
                    }
                }
            }
            if show.shows(&item.verdict) {
                lines.push(Line::Item { kind, index, more: 0 });
            } else if let Some(Line::More { count, .. }) = rest
                .iter_mut()
                .find(|line| matches!(line, Line::More { verdict, .. } if verdict.code() == item.verdict.code()))
            {
                *count += 1;
            } else {
                rest.push(Line::More { verdict: item.verdict.clone(), count: 1 });
            }
        }
        lines.extend(rest);
    }
    lines
}

/// The rows of an item that are shown: those that need attention, or all.
pub(in crate::console) fn shown_rows(item: &Item, show: Show) -> Vec<usize> {
    (0..item.rows.len()).filter(|&at| show != Show::Differences || item.rows[at].verdict.needs_attention()).collect()
}
