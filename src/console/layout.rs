//! Where things are, as a function of the model; drawing and scrolling both ask here.

use ratatui::layout::Rect;

use super::model::Model;
use super::page::Zoom;
use super::page::overview::{self, Row};
use super::view::tour_height;

/// The smallest terminal that is drawn on: columns, lines.
pub(super) const MINIMUM: (u16, u16) = (60, 16);

/// Columns from which git and live stand beside each other line by line.
pub(super) const WIDE: u16 = 100;

/// Columns from which the three sides of a property stand beside each other.
pub(super) const BESIDE: u16 = 90;

/// Columns from which the detail stands beside the list.
const TWO_PANES: u16 = 160;

/// The places of a screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Areas {
    /// Project, account, commit: two lines, a third when something is badly wrong, and a rule.
    pub(super) header: Rect,
    /// The tabs.
    pub(super) tabs: Rect,
    /// The page.
    pub(super) body: Rect,
    /// The tour, while there is one.
    pub(super) tour: Option<Rect>,
    /// A rule and the hints.
    pub(super) footer: Rect,
}

/// The places of a page that lists items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Panes {
    /// The list.
    pub(super) list: Option<Rect>,
    /// The selected item.
    pub(super) detail: Option<Rect>,
}

impl Areas {
    /// `None` when the terminal is too small.
    pub(super) fn of(model: &Model) -> Option<Self> {
        let (width, height) = model.size;
        if width < MINIMUM.0 || height < MINIMUM.1 {
            return None;
        }
        let header = 3
            + u16::from(model.environment().wrong_account().is_some())
            + u16::from(super::alarm::alarm(model).is_some())
            + u16::from(super::alarm::cut_off(model).is_some())
            + u16::from(super::alarm::hold(model).is_some());
        let air = u16::from(height >= 20);
        let top = header + 1 + air;
        let tour = tour_height(model, width).min((height - top - 2) / 2);
        Some(Self {
            header: Rect::new(0, 0, width, header),
            tabs: Rect::new(0, header, width, 1),
            body: Rect::new(0, top, width, height - top - 2 - tour),
            tour: (tour > 0).then(|| Rect::new(0, height - 2 - tour, width, tour)),
            footer: Rect::new(0, height - 2, width, 2),
        })
    }
}

impl Panes {
    pub(super) fn of(model: &Model, body: Rect) -> Self {
        let both = model.page.is_list() && model.list().zoom == Zoom::Split;
        if !both {
            let full = model.list().zoom != Zoom::Split;
            return Self { list: (!full).then_some(body), detail: full.then_some(body) };
        }
        let split = model.home.split;
        let share =
            |of: u16, thousandths: u16| u16::try_from(u32::from(of) * u32::from(thousandths) / 1000).unwrap_or(of);
        if is_beside(body) {
            let left = match split.beside {
                // Neither side gets too narrow to be read.
                Some(chosen) => share(body.width, chosen).clamp(40, body.width - 61),
                None => body.width * 2 / 5,
            };
            let list = Rect { width: left, ..body };
            return Self {
                list: Some(list),
                detail: Some(Rect::new(body.x + left + 1, body.y, body.width - left - 1, body.height)),
            };
        }
        if body.height < 13 {
            return Self { list: Some(body), detail: None };
        }
        // The list never takes more than it needs, so that a short one leaves its room to the detail.
        let needed = u16::try_from(model.list().lines.len()).unwrap_or(u16::MAX).saturating_add(1);
        let most = body.height / 2;
        let list = match split.below {
            Some(chosen) => share(body.height, chosen).clamp(4, body.height - 6),
            None => needed.clamp(4, most.max(4)),
        };
        let air = u16::from(body.height >= 20);
        Self {
            list: Some(Rect { height: list - air, ..body }),
            detail: Some(Rect { y: body.y + list, height: body.height - list, ..body }),
        }
    }
}

/// Whether the detail lies beside the list; else it lies below.
pub(super) fn is_beside(body: Rect) -> bool {
    body.width >= TWO_PANES
}

/// The first row drawn of the overview's table of environments, whose first line is its head.
pub(super) fn environments_offset(model: &Model, rows: &[Row], table: Rect) -> usize {
    let height = usize::from(table.height.saturating_sub(1));
    if let Some(top) = model.overview.top {
        return top.min(rows.len().saturating_sub(height));
    }
    let here = rows.iter().position(|row| *row == Row::Environment(model.current)).unwrap_or(0);
    // The head of the selected one's project is worth a line only while there is room for both.
    (here + 1).saturating_sub(height)
}

/// Where the choice of environment and ref lies. Where it does not take all of the room, its last line is a rule.
pub(super) fn picker_area(choices: usize, room: Rect) -> Rect {
    let wanted = u16::try_from(choices).unwrap_or(u16::MAX).saturating_add(7);
    Rect { height: wanted.min(room.height), ..room }
}

/// The lines of the choice of environment and ref.
pub(super) fn picker_list(choices: usize, room: Rect) -> Rect {
    let area = picker_area(choices, room);
    Rect { y: area.y + 3, height: area.height.saturating_sub(4 + u16::from(area.height < room.height)), ..area }
}

/// Lines of the overview: environments, then needs.
pub(super) fn halves(model: &Model, body: Rect) -> (Rect, Rect) {
    let table = u16::try_from(overview::rows(model).len()).unwrap_or(u16::MAX).saturating_add(1);
    let table = table.min(body.height / 2).max(2);
    let air = u16::from(body.height > table + 6);
    let top = table + air;
    (Rect { height: table, ..body }, Rect { y: body.y + top, height: body.height - top, ..body })
}

/// The first line drawn of a list, such that the cursor is seen and moves little.
pub(super) fn scrolled(offset: usize, line: usize, total: usize, height: usize) -> usize {
    if height == 0 {
        return 0;
    }
    let margin = usize::from(height > 4);
    let offset = offset.min(line.saturating_sub(margin)).max((line + margin + 1).min(total).saturating_sub(height));
    offset.min(total.saturating_sub(height))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::scrolled;

    proptest! {
        #[test]
        fn the_cursor_is_always_seen(offset in 0_usize..99, line in 0_usize..50, more in 0_usize..50, height in 1_usize..20) {
            let total = line + 1 + more;
            let first = scrolled(offset, line, total, height);
            prop_assert!(first <= line && line < first + height);
        }
    }
}
