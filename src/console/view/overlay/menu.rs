//! A menu: the keys that may follow the one pressed, at the foot of the page.

use ratatui::layout::{Position, Rect};

use crate::console::action::{Action, Scope};
use crate::console::model::Model;
use crate::console::overlay::Menu;
use crate::console::text;
use crate::console::theme::Role;
use crate::console::update::{own_disabled, own_offered};
use crate::console::view::ink::{Ink, Row};

/// Columns that an entry wants at least.
const COLUMN: u16 = 56;

/// Draws the menu as low as it can lie.
pub(super) fn draw(ink: &mut Ink<'_>, model: &Model, room: Rect, scope: Scope) {
    let Some(menu) = Menu::of(scope) else { return };
    let entries: Vec<Action> = menu.entries().collect();
    let own = if scope == Scope::Actions { own_offered(model) } else { Vec::new() };
    let (area, cells) = cells(room, entries.len() + own.len());
    ink.fill(area, Role::Text);
    let mut head = vec![(String::from(menu.title), Role::Heading)];
    head.extend(model.selected().map(|item| (item.name.clone(), Role::Strong)));
    ink.row(area, &Row::default().flow(1, area.width, head).ruled());
    let rows = entries.into_iter().map(|action| entry(model, action, cells[0].width));
    let rows = rows.chain(own.into_iter().map(|index| own_entry(model, index, cells[0].width)));
    for (at, row) in cells.iter().zip(rows) {
        ink.row(*at, &row);
    }
}

/// Where the menu lies, and each of its entries; at least one.
fn cells(room: Rect, count: usize) -> (Rect, Vec<Rect>) {
    let count = u16::try_from(count).unwrap_or(u16::MAX);
    // The page that the menu is about stays in sight.
    let columns = if count > room.height / 2 { (room.width / COLUMN).max(1) } else { 1 };
    let lines = count.div_ceil(columns).min(room.height.saturating_sub(1)).max(1);
    let area = Rect { y: room.bottom().saturating_sub(lines + 1), height: lines + 1, ..room };
    let width = area.width / columns;
    let cell = |index: u16| {
        let (column, line) = (index / lines, index % lines);
        Rect { x: area.x + column * width, y: area.y + 1 + line, width, height: 1 }
    };
    (area, (0..(columns * lines).min(count.max(1))).map(cell).collect())
}

/// The entry of the table that is drawn at a place.
pub(in crate::console) fn entry_at(model: &Model, room: Rect, scope: Scope, here: Position) -> Option<Action> {
    let entries: Vec<Action> = Menu::of(scope)?.entries().collect();
    let own = if scope == Scope::Actions { own_offered(model).len() } else { 0 };
    let (_, cells) = cells(room, entries.len() + own);
    let at = cells.iter().position(|cell| cell.contains(here))?;
    entries.get(at).copied()
}

/// An action of the operator's own.
fn own_entry(model: &Model, index: usize, width: u16) -> Row {
    let Some((action, key)) = model.home.settings.actions.get(index) else { return Row::default() };
    let key = key.map(|key| key.to_string()).unwrap_or_default();
    let room = width.saturating_sub(12);
    let row = Row::default();
    match own_disabled(model, index) {
        None => row.piece(3, 8, key, Role::Key).piece(11, room, &action.title, Role::Text),
        Some(why) => {
            let after = 13 + u16::try_from(text::width(&action.title)).unwrap_or(0);
            row.piece(3, 8, key, Role::Dim).piece(11, room, &action.title, Role::Dim).piece(
                after,
                width.saturating_sub(after + 1),
                why,
                Role::Notice,
            )
        }
    }
}

fn entry(model: &Model, action: Action, width: u16) -> Row {
    let spec = action.spec();
    let key = model.keymap.key(action);
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
