//! A page of three parts where there is little room: one of them is open, and the others are a line each.

use ratatui::layout::Rect;

use super::ink::{Ink, Row};
use crate::console::theme::Role;

/// Where the parts are, from the top, by which of them is open.
pub(super) fn stacked(body: Rect, open: [bool; 3]) -> [Rect; 3] {
    let air = u16::from(body.height >= 15);
    let room = body.height.saturating_sub(2 + 2 * air);
    let mut y = body.y;
    open.map(|open| {
        let part = Rect { y, height: if open { room } else { 1 }, ..body };
        y = part.bottom() + air;
        part
    })
}

/// Whether a part shows more than its head.
pub(super) fn is_open(area: Rect) -> bool {
    area.height > 1
}

/// The head of a part, strong where it hears the movement keys.
pub(super) fn head(ink: &mut Ink<'_>, area: Rect, here: bool, title: &str, facts: Vec<(String, Role)>) {
    let title = (title.to_owned(), if here { Role::Heading } else { Role::Dim });
    let pieces = std::iter::once(title).chain(facts);
    let row = Row::default().flow(1, area.width.saturating_sub(1), pieces).ruled();
    ink.row(Rect { height: 1, ..area }, &row);
    if !is_open(area) && here {
        ink.put(area.x, area.y, 1, ink.symbols().cursor, Role::Cursor);
    }
}
