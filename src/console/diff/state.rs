//! What the diff remembers: how it is looked at, and the comparison that is shown.

use super::{Comparison, Line, Span, changed, columns};
use crate::compare::{Facet, Item, Sides};
use crate::console::layout::{Areas, WIDE};
use crate::console::model::{Model, Revealing};
use crate::console::page::{ItemId, Zoom};

/// Columns from which the applied side has a column of its own.
const THREE: u16 = 150;

/// Lines that stay in sight above a change that was gone to.
const ABOVE: usize = 3;

/// Columns that one key goes to the side.
const ASIDE: usize = 12;

/// How the sides stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::console) enum Layout {
    /// Git beside live.
    Beside,
    /// Git beside applied beside live.
    Three,
    /// Git's lines above live's.
    Unified,
}

/// What the diff remembers.
#[derive(Debug, Default)]
pub struct State {
    /// Whether the operator wants the sides below each other; `None`: as the width is.
    pub unified: Option<bool>,
    /// Whether what is equal is shown too.
    pub unfolded: bool,
    /// The first column shown of long lines.
    pub across: usize,
    /// The change that was gone to; `None` after moving by hand.
    pub change: Option<usize>,
    memo: Option<Memo>,
    /// How many comparisons were made.
    #[cfg(test)]
    pub(in crate::console) made: usize,
}

#[derive(Debug)]
struct Memo {
    key: Key,
    comparison: Comparison,
}

/// Everything that a comparison depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    environment: usize,
    id: ItemId,
    revision: u64,
    /// When the values are masked again, which no two reveals share; `None`: they are masked.
    revealed: Option<i64>,
    layout: Layout,
    unfolded: bool,
}

/// The comparison that is shown.
pub(in crate::console) fn shown(model: &Model) -> Option<&Comparison> {
    model.diff.memo.as_ref().map(|memo| &memo.comparison)
}

/// How the sides of the selected item stand.
pub(in crate::console) fn layout(model: &Model) -> Layout {
    let (width, _) = model.size;
    if model.diff.unified.unwrap_or(width < WIDE) {
        Layout::Unified
    } else if width >= THREE && model.shown().is_some_and(applied_is_a_third) {
        Layout::Three
    } else {
        Layout::Beside
    }
}

/// Whether what was applied is neither what git says nor what is live.
fn applied_is_a_third(item: &Item) -> bool {
    let is_third = |sides: &Sides| match &sides.applied {
        Facet::Plain(_) | Facet::Secret(_) => !same(&sides.applied, &sides.git) && !same(&sides.applied, &sides.live),
        _ => false,
    };
    if item.rows.is_empty() {
        return is_third(&item.sides);
    }
    item.rows.iter().any(|row| row.verdict.needs_attention() && is_third(&row.sides))
}

fn same(a: &Facet, b: &Facet) -> bool {
    value(a) == value(b)
}

fn value(facet: &Facet) -> Option<&str> {
    match facet {
        Facet::Plain(text) => Some(text),
        Facet::Secret(secret) => Some(secret.expose()),
        _ => None,
    }
}

/// Makes the comparison that the screen needs, if it is not at hand; forgets the one that it does not need.
pub(in crate::console) fn settle(model: &mut Model) {
    let key = key(model);
    let had = model.diff.memo.as_ref().map(|memo| &memo.key);
    if had == key.as_ref() {
        return;
    }
    let other_item = had.map(|had| (had.environment, &had.id)) != key.as_ref().map(|key| (key.environment, &key.id));
    let comparison = match (&key, model.shown()) {
        (Some(key), Some(item)) => Some(Comparison::of(model, item, key.layout, key.unfolded)),
        _ => None,
    };
    #[cfg(test)]
    {
        model.diff.made += usize::from(comparison.is_some());
    }
    model.diff.memo = key.zip(comparison).map(|(key, comparison)| Memo { key, comparison });
    if other_item {
        model.diff.across = 0;
        model.diff.change = None;
        place(model, 0);
    } else if let Some(change) = model.diff.change {
        place(model, change);
    }
    clamp(model);
}

fn key(model: &Model) -> Option<Key> {
    if !model.page.is_list() || model.list().zoom != Zoom::Diff {
        return None;
    }
    let item = model.shown()?;
    let revealed = match model.revealed() {
        Some(Revealing::Shown { until, .. }) => Some(*until),
        _ => None,
    };
    Some(Key {
        environment: model.current,
        id: ItemId::of(item),
        revision: model.revision,
        revealed,
        layout: layout(model),
        unfolded: model.diff.unfolded,
    })
}

/// Brings a change into sight, or the last one when there are not so many.
fn place(model: &mut Model, change: usize) {
    let Some(comparison) = shown(model) else { return };
    let Some(last) = comparison.starts.len().checked_sub(1) else { return };
    let change = change.min(last);
    let line = comparison.starts[change];
    let (first, end) = marks(comparison, line);
    let (room, height) = room(model);
    let across = if end <= room { 0 } else { first.saturating_sub(room / 4) };
    model.diff.change = Some(change);
    model.diff.across = across;
    let (state, _) = model.list_mut();
    // What begins on the first screen is shown from the first line.
    state.scroll = if line + 1 < height { 0 } else { line.saturating_sub(ABOVE) };
    clamp(model);
}

/// The columns of a line between which it differs from its counterpart.
fn marks(comparison: &Comparison, at: usize) -> (usize, usize) {
    let (old, new) = match &comparison.lines[at] {
        Line::Beside { cells: [git, _, live], .. } => (git.as_ref(), live.as_ref()),
        Line::Git(git, live) => (Some(git), live.as_ref()),
        _ => (None, None),
    };
    let is_value = |span: &&Span| comparison.spoken(span).is_none();
    let (Some(old), Some(new)) = (old.filter(is_value), new.filter(is_value)) else { return (0, 0) };
    let (old, new) = (comparison.text(old), comparison.text(new));
    let (left, right) = changed(old, new);
    let column = |text: &str, byte: usize| columns(text.get(..byte).unwrap_or_default());
    let first = left.first().map(|range| column(old, range.start)).into_iter();
    let first = first.chain(right.first().map(|range| column(new, range.start))).min().unwrap_or(0);
    let end = left.first().map(|range| column(old, range.end)).into_iter();
    (first, end.chain(right.first().map(|range| column(new, range.end))).max().unwrap_or(0))
}

/// Goes to the next or previous change of the item; false when there is none.
pub(in crate::console) fn seek(model: &mut Model, forward: bool) -> bool {
    let Some(comparison) = shown(model) else { return false };
    let top = model.list().scroll;
    let starts = &comparison.starts;
    let to = match (model.diff.change, forward) {
        (Some(here), true) => Some(here + 1).filter(|next| *next < starts.len()),
        (Some(here), false) => here.checked_sub(1),
        (None, true) => starts.iter().position(|start| *start >= top),
        (None, false) => starts.iter().rposition(|start| *start < top),
    };
    if let Some(to) = to {
        place(model, to);
    }
    to.is_some()
}

/// Goes to the last change of the item.
pub(in crate::console) fn to_last(model: &mut Model) {
    place(model, usize::MAX);
}

/// Scrolls by lines.
pub(in crate::console) fn scroll(model: &mut Model, by: isize) {
    let (state, _) = model.list_mut();
    let before = state.scroll;
    state.scroll = state.scroll.saturating_add_signed(by);
    clamp(model);
    if model.list().scroll != before {
        model.diff.change = None;
    }
}

/// Scrolls to the side.
pub(in crate::console) fn pan(model: &mut Model, right: bool) {
    let across = model.diff.across;
    model.diff.across = if right { across + ASIDE } else { across.saturating_sub(ASIDE) };
    clamp(model);
}

fn clamp(model: &mut Model) {
    let (room, height) = room(model);
    let Some(comparison) = shown(model) else { return };
    let (lines, widest) = (comparison.lines.len(), comparison.widest);
    model.diff.across = model.diff.across.min(widest.saturating_sub(room));
    let (state, _) = model.list_mut();
    state.scroll = state.scroll.min(lines.saturating_sub(height));
}

/// Columns and lines that the diff has for text.
fn room(model: &Model) -> (usize, usize) {
    let Some(areas) = Areas::of(model) else { return (1, 1) };
    let columns = match layout(model) {
        Layout::Unified => 1,
        Layout::Beside => 2,
        Layout::Three => 3,
    };
    let room = (areas.body.width / columns).saturating_sub(6);
    (usize::from(room).max(1), usize::from(areas.body.height.saturating_sub(2)).max(1))
}
