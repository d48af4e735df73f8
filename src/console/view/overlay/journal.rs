//! The journal: what was written, by whom, and how it went.

use ratatui::layout::Rect;

use crate::console::layout::scrolled;
use crate::console::model::Model;
use crate::console::overlay::Journal;
use crate::console::remote::Remote;
use crate::console::text;
use crate::console::theme::Role;
use crate::console::view::header::{caller, spinner};
use crate::console::view::ink::{Ink, Row};
use crate::ops::journal::{Entry, State};

/// Lines that tell all of the selected entry.
const DETAIL: u16 = 5;

/// Draws the journal over the page.
pub(super) fn draw(ink: &mut Ink<'_>, model: &Model, area: Rect, journal: &Journal) {
    ink.fill(area, Role::Text);
    let title = [(String::from("JOURNAL"), Role::Heading), (journal.environment.clone(), Role::Strong)];
    ink.row(area, &Row::default().flow(1, area.width, title).ruled());
    let room = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    let said = |ink: &mut Ink<'_>, text: &str, role: Role| {
        ink.put(room.x + 3, room.y, room.width.saturating_sub(4), text, role);
    };
    let found = match &journal.found {
        Remote::Ready(found) | Remote::Stale(found) => found,
        Remote::Failed(why) => return said(ink, &format!("? {}", why.reason), Role::Error),
        Remote::Loading { .. } | Remote::Idle => {
            let text = format!("{} reading the journal", spinner(model, ink));
            return said(ink, &text, Role::Dim);
        }
    };
    if found.entries.is_empty() {
        return said(ink, "nothing was written from this machine", Role::Dim);
    }
    let list = Rect { height: room.height.saturating_sub(DETAIL).max(1), ..room };
    let offset = scrolled(0, journal.line, found.entries.len(), usize::from(list.height));
    for (y, (index, entry)) in (list.y..list.bottom()).zip(found.entries.iter().enumerate().skip(offset)) {
        let mut row = entry_row(model, entry, list.width);
        row.selected = index == journal.line;
        ink.row(Rect { y, height: 1, ..list }, &row);
    }
    if let Some(entry) = found.entries.get(journal.line) {
        detail(ink, entry, found.unreadable, Rect { y: list.bottom(), height: room.bottom() - list.bottom(), ..room });
    }
}

fn entry_row(model: &Model, entry: &Entry, width: u16) -> Row {
    let (sign, role) = match entry.state() {
        State::Ok => ("=", Role::InSync),
        State::Failed => ("!", Role::Diverged),
        State::UnderWay => (">", Role::Pending),
        State::Unknown => ("?", Role::Unknown),
    };
    let subjects = match entry.subjects.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [first, rest @ ..] => format!("{first} +{}", rest.len()),
    };
    let reason = entry.reason.as_ref().map(|reason| format!("\"{reason}\"")).unwrap_or_default();
    Row::default()
        .piece(3, 8, model.clock.moment(entry.at), Role::Dim)
        .piece(12, 9, format!("{sign} {}", entry.state().word()), role)
        .piece(22, 7, entry.action.word(), Role::Strong)
        .flow(30, width, [(subjects, Role::Text), (reason, Role::Dim), (caller(&entry.by), Role::Dim)])
}

/// All of one entry.
fn detail(ink: &mut Ink<'_>, entry: &Entry, unreadable: usize, area: Rect) {
    ink.rule(area.x, area.y, area.width);
    let commit = entry.commit.as_ref().map(|commit| format!("commit {}", text::short(commit))).unwrap_or_default();
    let error = entry.settled.as_ref().and_then(|settled| settled.error.clone()).unwrap_or_default();
    let lost = match unreadable {
        0 => String::new(),
        1 => String::from("1 entry cannot be read: cut short by a crash, or of a newer plumb"),
        count => format!("{count} entries cannot be read: cut short by a crash, or of a newer plumb"),
    };
    let flow = |pieces: Vec<(String, Role)>| Row::default().flow(3, area.width, pieces);
    let rows = [
        flow(vec![
            (format!("account {}", entry.account), Role::Text),
            (entry.region.clone(), Role::Text),
            (caller(&entry.by), Role::Text),
            (commit, Role::Text),
        ]),
        flow(vec![(entry.subjects.join(", "), Role::Text)]),
        flow(vec![(error, Role::Error)]),
        flow(vec![(lost, Role::Dim)]),
    ];
    let room = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    let told: Vec<Row> = rows.into_iter().filter(|row| !row.pieces.is_empty()).collect();
    ink.rows(room, &told, 0);
}
