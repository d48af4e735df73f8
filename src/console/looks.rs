//! How the sides of the selected item look in its detail.
//!
//! Made when another item, other values or another width are shown, never while drawing: a fingerprint reads the whole
//! value, and a long value is broken into lines.

use zeroize::Zeroizing;

use super::diff::explained;
use super::layout::{Areas, Panes};
use super::model::{Model, Revealing};
use super::page::{ItemId, Zoom};
use super::text;
use super::theme::Role;
use super::view::{facet_role, facet_text};
use crate::compare::{Facet, Item, Sides};

/// Letters of a first line that are kept; no terminal is wider.
const LONGEST: usize = 1000;

/// The looks that are at hand.
#[derive(Debug, Default)]
pub struct State {
    memo: Option<(Key, Looks)>,
    /// How often looks were made.
    #[cfg(test)]
    pub(super) made: usize,
}

/// How an item looks.
#[derive(Debug, Default)]
pub(super) struct Looks {
    /// One per property, or one for the item's value.
    pub(super) rows: Vec<Look>,
    /// The lines of values that do not fit into the table, full screen only.
    pub(super) whole: Vec<Whole>,
}

/// How one property looks.
#[derive(Debug)]
pub(super) struct Look {
    /// Git, applied, live: a line and what it means.
    pub(super) sides: [(Zeroizing<String>, Role); 3],
    /// What git and live differ in, where that can be told without telling them.
    pub(super) note: Option<String>,
}

/// A line of a value that is shown as a whole.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) text: Zeroizing<String>,
    pub(super) role: Role,
    pub(super) indent: u16,
}

#[derive(Debug, PartialEq, Eq)]
struct Key {
    environment: usize,
    id: ItemId,
    revision: u64,
    revealed: Option<i64>,
    /// Columns for values that are shown as a whole; `None`: they are not.
    room: Option<u16>,
}

/// How the selected item looks.
pub(super) fn shown(model: &Model) -> Option<&Looks> {
    model.looks.memo.as_ref().map(|(_, looks)| looks)
}

/// Makes the looks that the screen needs, if they are not at hand; forgets those that it does not need.
pub(super) fn settle(model: &mut Model) {
    let key = key(model);
    if model.looks.memo.as_ref().map(|(had, _)| had) == key.as_ref() {
        return;
    }
    let looks = match (&key, model.shown()) {
        (Some(key), Some(item)) => Some(of(model, item, key.room)),
        _ => None,
    };
    #[cfg(test)]
    {
        model.looks.made += usize::from(looks.is_some());
    }
    model.looks.memo = key.zip(looks);
}

fn key(model: &Model) -> Option<Key> {
    if !model.page.is_list() || model.list().zoom == Zoom::Diff {
        return None;
    }
    let body = Areas::of(model)?.body;
    let area = Panes::of(model, body).detail?;
    let item = model.shown()?;
    let revealed = match model.revealed() {
        Some(Revealing::Shown { until, .. }) => Some(*until),
        _ => None,
    };
    let room = (model.list().zoom == Zoom::Full && item.rows.is_empty()).then_some(area.width);
    Some(Key { environment: model.current, id: ItemId::of(item), revision: model.revision, revealed, room })
}

fn of(model: &Model, item: &Item, room: Option<u16>) -> Looks {
    let look = |sides: &Sides| Look {
        sides: [&sides.git, &sides.applied, &sides.live].map(|facet| (line(model, facet), facet_role(model, facet))),
        // The item's own line may say it already.
        note: explained(&sides.git, &sides.live, model.is_revealed()).filter(|note| !item.reason.contains(note)),
    };
    if item.rows.is_empty() {
        let whole = room.map(|room| whole(model, &item.sides, room)).unwrap_or_default();
        return Looks { rows: vec![look(&item.sides)], whole };
    }
    Looks { rows: item.rows.iter().map(|row| look(&row.sides)).collect(), whole: Vec::new() }
}

/// The side in one line: a longer text is its first line, and how many more there are.
fn line(model: &Model, facet: &Facet) -> Zeroizing<String> {
    let text = Zeroizing::new(facet_text(model, facet));
    let kept = text.strip_suffix('\n').filter(|rest| rest.contains('\n')).unwrap_or(&text);
    let (first, more) = match kept.split_once('\n') {
        Some((first, rest)) if !rest.is_empty() => (first, rest.lines().count()),
        _ => (kept, 0),
    };
    let cut = first.char_indices().nth(LONGEST).map(|(at, _)| at);
    let mut line = Zeroizing::new(first.get(..cut.unwrap_or(first.len())).unwrap_or_default().to_owned());
    line.extend(cut.map(|_| '…'));
    if more > 0 {
        line.push_str("  +");
        line.push_str(&more.to_string());
        line.push_str(if more == 1 { " line" } else { " lines" });
    }
    line
}

/// Each side's whole text, of those that the table has no room for.
fn whole(model: &Model, sides: &Sides, width: u16) -> Vec<Whole> {
    let room = usize::from(width.saturating_sub(8));
    let cell = super::view::detail_cell(width);
    let mut lines = Vec::new();
    let mut add = |text: &str, role: Role, indent: u16| {
        lines.push(Whole { text: Zeroizing::new(text.to_owned()), role, indent });
    };
    for (title, facet) in [("GIT", &sides.git), ("APPLIED", &sides.applied), ("LIVE", &sides.live)] {
        let text = Zeroizing::new(facet_text(model, facet));
        let is_long = text.trim_end_matches('\n').contains('\n') || text::width(&text) > usize::from(cell);
        if !is_long {
            continue;
        }
        add("", Role::Text, 3);
        add(title, Role::Heading, 3);
        for line in text.lines() {
            for part in text::wrap(line, room) {
                add(&Zeroizing::new(part), facet_role(model, facet), 7);
            }
        }
    }
    lines
}
