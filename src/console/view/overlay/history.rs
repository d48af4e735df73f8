//! The past of an item: git's commits and the live versions, the newest first, values masked.

use ratatui::layout::Rect;

use crate::console::layout::scrolled;
use crate::console::model::Model;
use crate::console::overlay::History;
use crate::console::remote::Remote;
use crate::console::text;
use crate::console::theme::Role;
use crate::console::view::facet;
use crate::console::view::header::{caller, spinner};
use crate::console::view::ink::{Ink, Row};
use crate::ops::history::{Changed, Event, What};

/// Lines that tell all of the selected event.
const DETAIL: u16 = 4;

/// Draws the past of an item over the page; returns how many events there are below what is seen.
pub(super) fn draw(ink: &mut Ink<'_>, model: &Model, area: Rect, history: &History) -> usize {
    ink.fill(area, Role::Text);
    let title = [(String::from("HISTORY"), Role::Heading), (history.name.clone(), Role::Strong)];
    ink.row(area, &Row::default().flow(1, area.width, title).ruled());
    let room = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    let found = match &history.found {
        Remote::Ready(found) | Remote::Stale(found) => found,
        Remote::Failed(why) => {
            let lines = text::wrap(&format!("? {}", why.reason), usize::from(room.width.saturating_sub(4)));
            for (y, line) in (room.y..room.bottom()).zip(lines) {
                ink.put(room.x + 3, y, room.width.saturating_sub(4), &line, Role::Error);
            }
            return 0;
        }
        Remote::Loading { .. } | Remote::Idle => {
            let text = format!("{} reading git and live", spinner(model, ink));
            ink.put(room.x + 3, room.y, room.width.saturating_sub(4), &text, Role::Dim);
            return 0;
        }
    };
    let problems = u16::try_from(found.problems.len()).unwrap_or(0).min(room.height / 3);
    let height = room.height.saturating_sub(DETAIL + problems).max(1);
    let list = Rect { height, ..room };
    if found.events.is_empty() {
        ink.put(room.x + 3, room.y, room.width.saturating_sub(4), "neither git nor live knows of it", Role::Dim);
    }
    let offset = scrolled(0, history.line, found.events.len(), usize::from(height));
    for (y, (index, event)) in (list.y..list.bottom()).zip(found.events.iter().enumerate().skip(offset)) {
        let mut row = row(model, event, list.width);
        row.selected = index == history.line;
        ink.row(Rect { y, height: 1, ..list }, &row);
    }
    for (y, why) in (list.bottom()..).zip(found.problems.iter().take(usize::from(problems))) {
        ink.put(room.x + 3, y, room.width.saturating_sub(4), &format!("? {}", why.reason), Role::Unknown);
    }
    if let Some(event) = history.selected() {
        let y = list.bottom() + problems;
        detail(ink, model, event, Rect { y, height: room.bottom().saturating_sub(y), ..room });
    }
    found.events.len().saturating_sub(offset + usize::from(height))
}

fn row(model: &Model, event: &Event, width: u16) -> Row {
    let (place, role, name) = name(event);
    Row::default()
        .piece(3, 10, model.clock.moment(event.at), Role::Dim)
        .piece(14, 4, place, role)
        .piece(19, 9, name, Role::Strong)
        .flow(29, width.saturating_sub(1), about(model, event))
}

/// On which side it happened, and what it is called there.
fn name(event: &Event) -> (&'static str, Role, String) {
    match &event.what {
        What::Commit { id, .. } => ("git", Role::Text, text::short(id).clone()),
        What::Version { id, live, .. } => {
            let name = if id.bytes().all(|byte| byte.is_ascii_digit()) {
                format!("v{id}")
            } else {
                id.get(..8).unwrap_or(id).to_owned()
            };
            ("live", if *live { Role::InSync } else { Role::Text }, name)
        }
    }
}

fn about(model: &Model, event: &Event) -> Vec<(String, Role)> {
    let mut pieces = vec![(facet::masked(model, &event.value), Role::Mask)];
    match &event.what {
        What::Commit { subject, author, change, .. } => {
            pieces.push((change.map_or("as it was, or older", Changed::word).to_owned(), Role::Text));
            pieces.push((author.clone(), Role::Dim));
            pieces.push((format!("\"{subject}\""), Role::Dim));
        }
        What::Version { by, stages, live, commit, .. } => {
            pieces.extend(live.then(|| (String::from("is live"), Role::InSync)));
            pieces.extend(by.as_ref().map(|by| (caller(by), Role::Text)));
            pieces.push((stages.join(", "), Role::Dim));
            pieces.extend(commit.as_ref().map(|id| (format!("rolled out from {}", text::short(id)), Role::Dim)));
        }
    }
    pieces
}

/// All of the selected event, over as many lines as there are.
fn detail(ink: &mut Ink<'_>, model: &Model, event: &Event, area: Rect) {
    ink.rule(area.x, area.y, area.width);
    let (place, _, _) = name(event);
    let id = match &event.what {
        What::Commit { id, .. } | What::Version { id, .. } => id.clone(),
    };
    let all: Vec<String> =
        about(model, event).into_iter().map(|(text, _)| text).filter(|text| !text.is_empty()).collect();
    let told = format!("{place} {id}  {}  {}", crate::ops::schema::time(event.at), all.join("  "));
    let lines = text::wrap(&told, usize::from(area.width.saturating_sub(4)));
    for (y, line) in (area.y + 1..area.bottom()).zip(lines) {
        ink.put(area.x + 3, y, area.width.saturating_sub(4), &line, Role::Text);
    }
}
