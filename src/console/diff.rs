//! Git and live, line by line: what the diff shows of the selected item.
//!
//! It is made when another item, other values or another look are asked for, never while it is drawn. It works on what
//! may be shown: a masked side is one line with its mask, never its text.

mod align;
mod block;
mod document;
mod emphasis;
mod state;

pub(super) use emphasis::changed;
pub(super) use state::{Layout, State, layout, pan, scroll, seek, settle, shown, to_last};

use std::ops::Range;

use block::{Block, Row, Three};
use zeroize::Zeroizing;

use super::action::Action;
use super::model::Model;
use super::text;
use super::theme::Role;
use super::view::facet_text;
use crate::compare::{Facet, Item, Sides, Verdict, differs_only_in, document as parsed};

/// The sides of an item beside or below each other.
#[derive(Debug, Default)]
pub(super) struct Comparison {
    /// The lines of the screen, top down.
    pub(super) lines: Vec<Line>,
    /// The lines at which a run of changes begins.
    pub(super) starts: Vec<usize>,
    /// Columns of the longest line.
    pub(super) widest: usize,
    /// Of how many properties nobody can tell whether the sides differ, and of how many nobody has looked.
    pub(super) unknown: usize,
    pub(super) unread: usize,
    blocks: Vec<Block>,
    /// Of each block, the sides of which there is no value: words stand there, and what they mean.
    spoken: Vec<[Option<Role>; 3]>,
}

/// One line of the diff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    /// The property that follows.
    Head(String, Verdict),
    /// What there is to say of the value as a whole.
    Note(String),
    /// Equal lines that are left out.
    Skipped {
        /// How many.
        count: usize,
        /// How far the line is indented.
        indent: usize,
    },
    /// A line of each side, beside each other.
    Beside {
        /// Git, applied, live.
        cells: [Option<Span>; 3],
        /// Whether all say the same.
        equal: bool,
    },
    /// A line of both sides.
    Both(Span),
    /// A line of git alone, and the line of live that stands for it.
    Git(Span, Option<Span>),
    /// A line of live alone, and the line of git that it stands for.
    Live(Span, Option<Span>),
}

/// Where a line's text is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    block: usize,
    side: usize,
    range: Range<usize>,
}

impl Line {
    fn differs(&self) -> bool {
        matches!(self, Self::Git(..) | Self::Live(..) | Self::Beside { equal: false, .. })
    }
}

impl Comparison {
    /// The text of a line of one side.
    pub(super) fn text(&self, span: &Span) -> &str {
        let block = self.blocks.get(span.block);
        block.and_then(|block| block.texts[span.side].get(span.range.clone())).unwrap_or_default()
    }

    /// What a line means that is words about its side, and no value of it.
    pub(super) fn spoken(&self, span: &Span) -> Option<Role> {
        self.spoken.get(span.block).and_then(|sides| sides[span.side])
    }

    /// Compares the sides of an item as far as they may be shown.
    fn of(model: &Model, item: &Item, layout: Layout, unfolded: bool) -> Self {
        let mut comparison = Self::default();
        if item.rows.is_empty() {
            comparison.add(model, item, &item.sides, layout, unfolded);
        }
        let rows = item.rows.iter().filter(|row| unfolded || row.verdict.needs_attention());
        for row in rows {
            if !comparison.lines.is_empty() {
                comparison.lines.push(Line::Note(String::new()));
            }
            comparison.lines.push(Line::Head(row.path.clone(), row.verdict.clone()));
            comparison.add(model, item, &row.sides, layout, unfolded);
        }
        if comparison.lines.is_empty() {
            let count = item.rows.len();
            comparison.lines.push(Line::Note(format!("all {count} properties are equal")));
        }
        let differs = |at: usize| comparison.lines.get(at).is_some_and(Line::differs);
        comparison.starts =
            (0..comparison.lines.len()).filter(|&at| differs(at) && (at == 0 || !differs(at - 1))).collect();
        comparison
    }

    fn add(&mut self, model: &Model, item: &Item, sides: &Sides, layout: Layout, unfolded: bool) {
        let with_applied = layout == Layout::Three;
        let facets = [&sides.git, &sides.applied, &sides.live];
        // The head says the item's reason already.
        let note = explained(&sides.git, &sides.live, model.is_revealed());
        self.lines.extend(note.filter(|note| !item.reason.contains(note.as_str())).map(Line::Note));
        let words = facets.map(|facet| words(model, facet));
        let spoken = words.each_ref().map(|words| words.as_ref().map(|(_, role)| *role));
        let unknown = unknown(&sides.git, &sides.live);
        self.unknown += usize::from(unknown == Some(Unknown::Unreadable));
        self.unread += usize::from(unknown == Some(Unknown::Unread));
        let is_unknown = unknown.is_some();
        let texts = [0, 1, 2].map(|side: usize| match (facets[side], &words[side]) {
            (_, Some(_)) => None,
            (facet, None) => Some(Zeroizing::new(facet_text(model, facet))),
        });
        let texts = texts.each_ref().map(|text| text.as_ref().map(|text| text.as_str()));
        let mut block = documents(texts, with_applied)
            .map(|values| document::block(values.each_ref().map(Option::as_ref), with_applied, unfolded))
            .filter(|block| block.rows.iter().any(|row| matches!(row, Row::Line { equal: false, .. })))
            // What means the same is shown as it is written, if that is what differs.
            .unwrap_or_else(|| Block::of_texts(texts, with_applied, unfolded));
        for (side, words) in words.iter().enumerate().filter(|(side, _)| *side != 1 || with_applied) {
            if let Some((words, _)) = words {
                block.speak(side, &said(layout, side, words));
            }
        }
        for (side, text) in block.texts.iter().enumerate() {
            let lines = block.rows.iter().filter_map(|row| match row {
                Row::Line { cells, .. } => cells[side].clone(),
                Row::Skipped { .. } => None,
            });
            let columns = lines.map(|range| columns(&text[range])).max().unwrap_or(0);
            self.widest = self.widest.max(columns);
        }
        let index = self.blocks.len();
        self.spoken.push(spoken);
        match (layout, is_unknown) {
            (Layout::Unified, false) => self.unified(index, &block.rows),
            (Layout::Unified, true) => self.told(index, &block.rows),
            (Layout::Beside | Layout::Three, _) => self.beside(index, &block.rows, is_unknown),
        }
        self.blocks.push(block);
    }

    fn beside(&mut self, block: usize, rows: &[Row], is_unknown: bool) {
        let line = |row: &Row| match row {
            Row::Skipped { count, indent } => Line::Skipped { count: *count, indent: *indent },
            Row::Line { cells, equal } => Line::Beside { cells: spans(block, cells), equal: *equal || is_unknown },
        };
        self.lines.extend(rows.iter().map(line));
    }

    /// What there is of each side, one below the other, where nobody can say what differs.
    fn told(&mut self, block: usize, rows: &[Row]) {
        for side in [0, 2] {
            if self.spoken.get(block).is_some_and(|sides| sides[side].is_none()) {
                self.lines.push(Line::Note(String::from(if side == 0 { "in git" } else { "live" })));
            }
            let lines = rows.iter().filter_map(|row| match row {
                Row::Line { cells, .. } => spans(block, cells)[side].clone().map(Line::Both),
                Row::Skipped { count, indent } => Some(Line::Skipped { count: *count, indent: *indent }),
            });
            self.lines.extend(lines);
        }
    }

    /// Of a run of changes first what git has, then what live has.
    fn unified(&mut self, block: usize, rows: &[Row]) {
        let mut live: Vec<Line> = Vec::new();
        for row in rows {
            match row {
                Row::Line { cells, equal: false } => {
                    let [git, _, other] = spans(block, cells);
                    live.extend(other.clone().map(|span| Line::Live(span, git.clone())));
                    self.lines.extend(git.map(|span| Line::Git(span, other)));
                }
                Row::Line { cells, equal: true } => {
                    self.lines.append(&mut live);
                    let [git, ..] = spans(block, cells);
                    self.lines.extend(git.map(Line::Both));
                }
                Row::Skipped { count, indent } => {
                    self.lines.append(&mut live);
                    self.lines.push(Line::Skipped { count: *count, indent: *indent });
                }
            }
        }
        self.lines.append(&mut live);
    }
}

/// What stands for a side that has no value, and what it means; `None`: it has one.
fn words(model: &Model, facet: &Facet) -> Option<(String, Role)> {
    match facet {
        Facet::Absent | Facet::Unrecorded => Some((facet_text(model, facet), Role::Dim)),
        Facet::Unread => {
            let key = model.keymap.keys(Action::Reveal).next().map(|key| format!(": {key} reads it"));
            Some((format!("not read{}", key.unwrap_or_default()), Role::Dim))
        }
        Facet::Unreadable(_) => Some((facet_text(model, facet), Role::Unknown)),
        Facet::Plain(text) if text.is_empty() => Some((String::from("empty"), Role::Dim)),
        Facet::Secret(secret) if secret.expose().is_empty() && model.is_revealed() => {
            Some((String::from("empty"), Role::Dim))
        }
        Facet::Plain(_) | Facet::Secret(_) | Facet::Masked { .. } => None,
    }
}

/// Why two sides cannot be compared here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unknown {
    Unreadable,
    Unread,
}

/// Whether two sides can be compared; `None`: they can. That one is there and the other is not needs no value.
fn unknown(git: &Facet, live: &Facet) -> Option<Unknown> {
    match (git, live) {
        (Facet::Unreadable(_), _) | (_, Facet::Unreadable(_)) => Some(Unknown::Unreadable),
        (Facet::Unread, Facet::Absent) | (Facet::Absent, Facet::Unread) => None,
        (Facet::Unread, _) | (_, Facet::Unread) => Some(Unknown::Unread),
        _ => None,
    }
}

/// The words where they stand: below each other, with the side that they are about.
fn said(layout: Layout, side: usize, words: &str) -> String {
    match (layout, side) {
        (Layout::Unified, 0) => format!("git: {words}"),
        (Layout::Unified, _) => format!("live: {words}"),
        _ => words.to_owned(),
    }
}

fn spans(block: usize, cells: &Three<Range<usize>>) -> [Option<Span>; 3] {
    let span = |side: usize| cells[side].clone().map(|range| Span { block, side, range });
    [span(0), span(1), span(2)]
}

fn columns(line: &str) -> usize {
    if line.is_ascii() { line.len() } else { text::width(&text::clean(line, false)) }
}

/// The sides as documents, when each that is there is an object or an array.
fn documents(texts: Three<&str>, with_applied: bool) -> Option<Three<serde_json::Value>> {
    let mut values: Three<serde_json::Value> = [None, None, None];
    for (side, text) in texts.into_iter().enumerate().filter(|(side, _)| *side != 1 || with_applied) {
        let Some(text) = text else { continue };
        if !text.trim_start().starts_with(['{', '[']) {
            return None;
        }
        values[side] = Some(parsed(text)?);
    }
    Some(values)
}

/// What two sides differ in, told without telling either; the less, the more of them can be seen.
pub(super) fn explained(git: &Facet, live: &Facet, revealed: bool) -> Option<String> {
    let ((git, git_masked), (live, live_masked)) = (value(git)?, value(live)?);
    if git == live {
        return None;
    }
    if let Some(only) = differs_only_in(git, live) {
        return Some(only.to_string());
    }
    // Where everything is to be seen, this is too.
    if revealed || !(git_masked || live_masked) {
        return None;
    }
    let (git, live) = (parsed(git)?, parsed(live)?);
    let (git, live) = (git.as_object()?, live.as_object()?);
    let names: std::collections::BTreeSet<&String> = git.keys().chain(live.keys()).collect();
    let differ = names.iter().filter(|name| git.get(**name) != live.get(**name)).count();
    Some(format!("{differ} of {} keys {}", names.len(), if differ == 1 { "differs" } else { "differ" }))
}

fn value(facet: &Facet) -> Option<(&str, bool)> {
    match facet {
        Facet::Plain(text) => Some((text, false)),
        Facet::Secret(secret) => Some((secret.expose(), true)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
