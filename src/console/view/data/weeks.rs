//! The weeks: how many records each summary speaks of, when it was written, and whether that was proven.

use ratatui::layout::Rect;

use super::super::ink::{Ink, Row};
use super::{age, below, figure, head, is_open, nothing, size};
use crate::console::action::Action;
use crate::console::model::Model;
use crate::console::page::data::{Asked, Line, Part};
use crate::console::remote::Remote;
use crate::console::theme::Role;
use crate::ops::summary::verify::{Recomputed, Standing, Verified};

/// Columns from which there is room for how large a summary is and when it was written, beside what was proven of it.
const WIDE: u16 = 92;

pub(super) fn draw(ink: &mut Ink<'_>, model: &Model, area: Rect, spin: &str) -> usize {
    let known = &model.environment().data;
    let lines = known.lines(model.clock.now);
    let mut facts = Vec::new();
    if let (false, Some(line)) = (is_open(area), lines.first()) {
        let (word, role) = state(model, line, spin);
        facts.extend([(line.week.to_string(), Role::Text), (word, role)]);
    }
    facts.extend(age(ink, model, &known.weeks, spin));
    head(ink, model, area, Part::Weeks, "SUMMARIES", facts);
    if !is_open(area) {
        return 0;
    }
    let list = below(area);
    if lines.is_empty() {
        let none = "there is no summary yet";
        ink.rows(list, &nothing(&known.weeks, (spin, "asking for the summaries"), none, area.width), 0);
        return 0;
    }
    let counts: Vec<String> = lines
        .iter()
        .map(|line| line.row.and_then(|row| row.manifest.as_ref().ok()).map(|found| figure(found.records)))
        .map(Option::unwrap_or_default)
        .collect();
    let widest = counts.iter().map(String::len).max().unwrap_or(0);
    let strong = model.data.part == Part::Weeks;
    let shown = lines.iter().zip(&counts).enumerate().skip(model.data.first_week);
    for (y, (at, (line, count))) in (list.y..list.bottom()).zip(shown) {
        let here = Rect { y, height: 1, ..list };
        ink.row(here, &row(model, line, &format!("{count:>widest$}"), (area.width, spin)));
        if at == model.data.week {
            ink.select(here, strong);
        }
    }
    ink.more(Rect { height: 1, ..area }, model.data.first_week, true);
    lines.len().saturating_sub(model.data.first_week + usize::from(list.height))
}

fn row(model: &Model, line: &Line<'_>, count: &str, (width, spin): (u16, &str)) -> Row {
    let (word, role) = state(model, line, spin);
    let found = line.row.and_then(|row| row.manifest.as_ref().ok());
    let row = Row::default().piece(3, 8, line.week.to_string(), Role::Strong);
    let Some(found) = found else {
        return row.flow(13, width.saturating_sub(1), [(word, role)]);
    };
    let mut pieces = vec![(format!("{count} record{}", if found.records == 1 { " " } else { "s" }), Role::Text)];
    if width >= WIDE {
        let written = line.row.and_then(|row| row.written_at).map(|at| format!("{:>4} ago", model.clock.age(at)));
        pieces.extend([(format!("{:>8}", size(found.bytes)), Role::Dim), (written.unwrap_or_default(), Role::Dim)]);
    }
    pieces.push((word, role));
    row.flow(13, width.saturating_sub(1), pieces)
}

/// How a week stands in a few words. What was not proven is never green.
fn state(model: &Model, line: &Line<'_>, spin: &str) -> (String, Role) {
    let Some(row) = line.row else {
        return (format!("- no summary: {} makes it", model.keymap.key(Action::DataSummarise)), Role::GitOnly);
    };
    if let Err(why) = &row.manifest {
        return (format!("? {}", why.reason), Role::Unknown);
    }
    match line.proof {
        Some(proof) => proven(proof, spin),
        None => (String::from(". not verified"), Role::Dim),
    }
}

/// How a proof stands.
pub(super) fn proven(proof: &Asked<Verified>, spin: &str) -> (String, Role) {
    if proof.reading.is_some() {
        return (format!("{spin} verifying"), Role::Notice);
    }
    let verified = match &proof.found {
        Remote::Ready(verified) | Remote::Stale(verified) => verified,
        Remote::Failed(why) => return (format!("? {}", why.reason), Role::Error),
        Remote::Idle | Remote::Loading { .. } => return (String::from(". not verified"), Role::Dim),
    };
    let stored = match verified.stored() {
        Standing::Proven => "files whole",
        Standing::Differs => "files differ",
        Standing::Unknown => "files not read",
    };
    let table = match &verified.table {
        Some(Recomputed::Same) => "table says the same",
        Some(Recomputed::Differs(..)) => "table says something else",
        None | Some(Recomputed::Unknown(_)) => "table not asked",
    };
    let (sign, role) = sign(verified.standing());
    (format!("{sign} {stored}, {table}"), role)
}

pub(super) fn sign(standing: Standing) -> (&'static str, Role) {
    match standing {
        Standing::Proven => ("=", Role::InSync),
        Standing::Unknown => ("?", Role::Unknown),
        Standing::Differs => ("!", Role::Diverged),
    }
}
