//! A menu: the keys that may follow the one pressed, at the foot of the page.

use ratatui::layout::Rect;

use crate::console::action::{Action, Scope};
use crate::console::model::Model;
use crate::console::overlay::Menu;
use crate::console::text;
use crate::console::theme::Role;
use crate::console::view::ink::{Ink, Row};

/// Columns that an entry wants at least.
const COLUMN: u16 = 56;

/// Draws the menu as low as it can lie.
pub(super) fn draw(ink: &mut Ink<'_>, model: &Model, room: Rect, scope: Scope) {
    let Some(menu) = Menu::of(scope) else { return };
    let entries: Vec<Action> = menu.entries().collect();
    let count = u16::try_from(entries.len()).unwrap_or(u16::MAX);
    // The page that the menu is about stays in sight.
    let columns = if count > room.height / 2 { (room.width / COLUMN).max(1) } else { 1 };
    let lines = count.div_ceil(columns).min(room.height.saturating_sub(1)).max(1);
    let area = Rect { y: room.bottom().saturating_sub(lines + 1), height: lines + 1, ..room };
    ink.fill(area, Role::Text);
    let mut head = vec![(String::from(menu.title), Role::Heading)];
    head.extend(model.selected().map(|item| (item.name.clone(), Role::Strong)));
    ink.row(area, &Row::default().flow(1, area.width, head).ruled());
    let wide = area.width / columns;
    for (index, action) in (0_u16..).zip(entries) {
        let (column, line) = (index / lines, index % lines);
        if column < columns {
            let at = Rect { x: area.x + column * wide, y: area.y + 1 + line, width: wide, height: 1 };
            ink.row(at, &entry(model, action, wide));
        }
    }
}

fn entry(model: &Model, action: Action, width: u16) -> Row {
    let spec = action.spec();
    let key = model.keymap.keys(action).next().map(|key| key.to_string()).unwrap_or_default();
    let room = width.saturating_sub(12);
    let row = Row::default();
    match (spec.disabled)(model) {
        None => row.piece(3, 8, key, Role::Key).piece(11, room, spec.title, Role::Text),
        Some(why) => {
            let after = 13 + u16::try_from(text::width(spec.title)).unwrap_or(0);
            row.piece(3, 8, key, Role::Dim).piece(11, room, spec.title, Role::Dim).piece(
                after,
                width.saturating_sub(after + 1),
                why,
                Role::Notice,
            )
        }
    }
}
