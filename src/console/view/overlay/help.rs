//! The keys.

use ratatui::layout::Rect;

use crate::console::action::{ACTIONS, Scope};
use crate::console::model::Model;
use crate::console::text;
use crate::console::theme::Role;
use crate::console::update::own_disabled;
use crate::console::view::ink::{Ink, Row};

/// The keys, from the table of actions and the keys in force.
pub(super) fn draw(ink: &mut Ink<'_>, model: &Model, area: Rect, scroll: usize) {
    ink.fill(area, Role::Text);
    ink.row(area, &Row::default().flow(1, area.width, [(String::from("KEYS"), Role::Heading)]).ruled());
    let room = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    ink.rows(room, &help_lines(model), scroll);
}

/// The lines of the help.
pub(in crate::console) fn help_lines(model: &Model) -> Vec<Row> {
    let mut rows = Vec::new();
    for scope in Scope::ALL {
        if !rows.is_empty() {
            rows.push(Row::default());
        }
        rows.push(Row::default().piece(3, 40, scope.title(), Role::Heading));
        for spec in ACTIONS.iter().filter(|spec| spec.scope == scope) {
            let keys = model.keymap.written(spec.action);
            let mut row = Row::default().piece(5, 18, keys.join(" "), Role::Key).piece(24, 60, spec.title, Role::Text);
            if let Some(why) = (spec.disabled)(model) {
                let at = 26 + u16::try_from(spec.title.len()).unwrap_or(0);
                row = row.piece(at, 60, format!("not now: {why}"), Role::Dim);
            }
            rows.push(row);
        }
    }
    let own = &model.home.settings.actions;
    if !own.is_empty() {
        rows.push(Row::default());
        rows.push(Row::default().piece(3, 40, "Your own", Role::Heading));
    }
    for (index, (action, key)) in own.iter().enumerate() {
        let key = key.map(|key| key.to_string()).unwrap_or_default();
        let mut row = Row::default().piece(5, 18, key, Role::Key).piece(24, 60, &action.title, Role::Text);
        if let Some(why) = own_disabled(model, index) {
            let at = 26 + u16::try_from(text::width(&action.title)).unwrap_or(0);
            row = row.piece(at, 60, format!("not now: {why}"), Role::Dim);
        }
        rows.push(row);
    }
    rows
}
