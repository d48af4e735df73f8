//! A page of three parts where there is little room: one of them is open, and the others are a line each.

use ratatui::layout::Rect;

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
