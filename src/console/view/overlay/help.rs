//! The keys, searchable.

use ratatui::layout::{Position, Rect};

use super::field::{self, Place};
use crate::console::action::{Action, Scope, is_heard};
use crate::console::fuzzy::Fuzzy;
use crate::console::model::Model;
use crate::console::overlay::{Help, HelpRow, Listed};
use crate::console::text;
use crate::console::theme::Role;
use crate::console::update::{context_below, own_disabled};
use crate::console::view::ink::{Ink, Row};

/// Where the titles begin.
const TITLE: u16 = 24;

/// The keys, from the table of actions and the keys in force; returns how many actions there are below what is seen.
pub(super) fn draw(ink: &mut Ink<'_>, model: &Model, area: Rect, help: &Help) -> usize {
    let rows = help.rows(model);
    let found = rows.iter().filter(|row| matches!(row, HelpRow::Entry(..))).count();
    let place = Place { title: "KEYS", text: &help.text, hint: "what you want to do, or a key" };
    let list = field::draw(ink, area, &place, &format!("{} of {found}", (help.line + 1).min(found)));
    if rows.is_empty() {
        ink.put(list.x + 3, list.y, list.width.saturating_sub(4), "no action is called so", Role::Dim);
    }
    let mut fuzzy = Fuzzy::new(help.text.trim());
    let headed = help.text.trim().is_empty();
    for (y, row) in (list.y..list.bottom()).zip(rows.iter().skip(help.first)) {
        let drawn = match row {
            HelpRow::Air => Row::default(),
            HelpRow::Heading(scope) => heading(model, *scope),
            HelpRow::Entry(index, listed) => {
                let mut row = match listed {
                    Listed::Action(action) => line(model, *action, &mut fuzzy, headed, list.width),
                    Listed::Own(own) => own_line(model, *own, &mut fuzzy, list.width),
                };
                row.selected = *index == help.line;
                row
            }
        };
        ink.row(Rect { y, height: 1, ..list }, &drawn);
    }
    let below = rows.iter().skip(help.first + usize::from(list.height));
    below.filter(|row| matches!(row, HelpRow::Entry(..))).count()
}

/// What is listed at a place.
pub(in crate::console) fn listed_at(model: &Model, room: Rect, help: &Help, here: Position) -> Option<usize> {
    let list = field::list(room);
    let at = help.first + usize::from(here.y.checked_sub(list.y)?);
    match help.rows(model).get(at)? {
        HelpRow::Entry(index, _) => list.contains(here).then_some(*index),
        HelpRow::Air | HelpRow::Heading(_) => None,
    }
}

/// An action of the operator's own.
fn own_line(model: &Model, index: usize, fuzzy: &mut Fuzzy, width: u16) -> Row {
    let Some((action, key)) = model.home.settings.actions.get(index) else { return Row::default() };
    let keys = key.map(|key| key.to_string()).unwrap_or_default();
    entry(keys, &action.title, own_disabled(model, index), true, fuzzy, width)
}

fn heading(model: &Model, scope: Option<Scope>) -> Row {
    let title = scope.map_or("Your own", Scope::title);
    let row = Row::default().piece(3, 40, title, Role::Heading);
    let at = 5 + u16::try_from(title.len()).unwrap_or(0);
    if scope.is_none_or(|scope| is_heard(scope, context_below(model))) {
        row
    } else {
        row.piece(at, 20, "not here", Role::Dim)
    }
}

fn line(model: &Model, action: Action, fuzzy: &mut Fuzzy, headed: bool, width: u16) -> Row {
    let context = context_below(model);
    let keys = model.keymap.written(action).join(" ");
    // Below a heading that says so already it would be said of each line again.
    let told = !headed || action.is_heard(context);
    entry(keys, action.spec().title, action.why_not(model, context), told, fuzzy, width)
}

/// The keys and the title, and why it cannot be done, if so.
fn entry(keys: String, title: &str, why: Option<String>, told: bool, fuzzy: &mut Fuzzy, width: u16) -> Row {
    let (key, role) = if why.is_some() { (Role::Dim, Role::Dim) } else { (Role::Key, Role::Text) };
    let room = width.saturating_sub(TITLE + 1);
    let row =
        field::marked(Row::default().piece(5, TITLE - 6, keys, key), TITLE, room, title, &fuzzy.places(title), role);
    match why.filter(|_| told) {
        Some(why) => {
            let at = TITLE + 2 + u16::try_from(text::width(title)).unwrap_or(0);
            row.piece(at, width.saturating_sub(at + 1), format!("not now: {why}"), Role::Notice)
        }
        None => row,
    }
}
