//! The keys, searchable.

use ratatui::layout::Rect;

use super::field::{self, Place};
use crate::console::action::{Action, Scope};
use crate::console::fuzzy::Fuzzy;
use crate::console::model::Model;
use crate::console::overlay::Help;
use crate::console::text;
use crate::console::theme::Role;
use crate::console::update::{context_below, own_disabled};
use crate::console::view::ink::{Ink, Row};

/// Where the titles begin.
const TITLE: u16 = 24;

/// The lines of the keys.
#[derive(Default)]
struct Lines {
    rows: Vec<Row>,
    /// Which of them is the chosen one.
    chosen: usize,
    /// Which of them are actions; the others are heads, and the air above these.
    actions: Vec<usize>,
}

/// The keys, from the table of actions and the keys in force; returns how many actions there are below what is seen.
pub(super) fn draw(ink: &mut Ink<'_>, model: &Model, area: Rect, help: &Help) -> usize {
    let found = help.found(&model.keymap);
    let lines = lines(model, help, &found, area.width);
    let place = Place { title: "KEYS", text: &help.text, hint: "what you want to do, or a key" };
    let list =
        field::draw(ink, area, &place, &format!("{} of {}", (help.line + 1).min(found.len()), lines.actions.len()));
    if lines.rows.is_empty() {
        ink.put(list.x + 3, list.y, list.width.saturating_sub(4), "no action is called so", Role::Dim);
    }
    let height = usize::from(list.height);
    let offset = lines.chosen.saturating_sub(height / 2).min(lines.rows.len().saturating_sub(height));
    ink.rows(list, &lines.rows, offset);
    lines.actions.iter().filter(|at| **at >= offset + height).count()
}

/// Unless something is typed they stand below their scopes.
fn lines(model: &Model, help: &Help, found: &[Action], width: u16) -> Lines {
    let mut fuzzy = Fuzzy::new(help.text.trim());
    let headed = help.text.trim().is_empty();
    let (mut lines, mut scope) = (Lines::default(), None);
    for (index, action) in found.iter().enumerate() {
        let own = action.spec().scope;
        if headed && scope != Some(own) {
            if scope.is_some() {
                lines.rows.push(Row::default());
            }
            lines.rows.push(heading(model, own, *action));
            scope = Some(own);
        }
        let mut row = line(model, *action, &mut fuzzy, headed, width);
        row.selected = index == help.line;
        if row.selected {
            lines.chosen = lines.rows.len();
        }
        lines.actions.push(lines.rows.len());
        lines.rows.push(row);
    }
    let own = if headed { own(model, width) } else { Vec::new() };
    if !own.is_empty() {
        lines.rows.extend([Row::default(), Row::default().piece(3, 40, "Your own", Role::Heading)]);
        lines.actions.extend(lines.rows.len()..lines.rows.len() + own.len());
        lines.rows.extend(own);
    }
    // The heading above the first line is seen with it.
    lines.chosen = if lines.chosen == 1 { 0 } else { lines.chosen };
    lines
}

/// The operator's own actions, below those of the table.
fn own(model: &Model, width: u16) -> Vec<Row> {
    let mut rows = Vec::new();
    for (index, (action, key)) in model.home.settings.actions.iter().enumerate() {
        let key = key.map(|key| key.to_string()).unwrap_or_default();
        let row = Row::default().piece(5, TITLE - 6, key, Role::Key);
        let row = row.piece(TITLE, width.saturating_sub(TITLE + 1), &action.title, Role::Text);
        rows.push(match own_disabled(model, index) {
            Some(why) => {
                let at = TITLE + 2 + u16::try_from(text::width(&action.title)).unwrap_or(0);
                row.piece(at, width.saturating_sub(at + 1), format!("not now: {why}"), Role::Notice)
            }
            None => row,
        });
    }
    rows
}

fn heading(model: &Model, scope: Scope, action: Action) -> Row {
    let row = Row::default().piece(3, 40, scope.title(), Role::Heading);
    let at = 5 + u16::try_from(scope.title().len()).unwrap_or(0);
    if action.is_heard(context_below(model)) { row } else { row.piece(at, 20, "not here", Role::Dim) }
}

fn line(model: &Model, action: Action, fuzzy: &mut Fuzzy, headed: bool, width: u16) -> Row {
    let (spec, context) = (action.spec(), context_below(model));
    let why = action.why_not(model, context);
    let keys = model.keymap.written(action).join(" ");
    let role = if why.is_some() { Role::Dim } else { Role::Text };
    let room = width.saturating_sub(TITLE + 1);
    let row = Row::default().piece(5, TITLE - 6, keys, if why.is_some() { Role::Dim } else { Role::Key });
    let row = field::marked(row, TITLE, room, spec.title, &fuzzy.places(spec.title), role);
    // Below a heading that says so already it would be said of each line again.
    match why.filter(|_| !headed || action.is_heard(context)) {
        Some(why) => {
            let at = TITLE + 2 + u16::try_from(text::width(spec.title)).unwrap_or(0);
            row.piece(at, width.saturating_sub(at + 1), format!("not now: {why}"), Role::Notice)
        }
        None => row,
    }
}
