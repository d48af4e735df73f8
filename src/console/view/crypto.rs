//! The crypto page: the playground, the keyring, and the smoke test beside them; where there is little room, one of them
//! is open and the others are a line each.

mod checks;
mod keyring;
mod playground;

use ratatui::layout::{Position, Rect};

pub(super) use checks::sign;

use super::header::spinner;
use super::ink::Ink;
use super::parts::{self, is_open, stacked};
use crate::console::model::Model;
use crate::console::page::crypto::{Field, Part};
use crate::console::pointer::Spot;
use crate::console::theme::Role;

/// Columns from which all parts are open.
const WIDE: u16 = 100;

/// Where the parts are. One that is closed is a line high.
struct Places {
    playground: Rect,
    keyring: Rect,
    checks: Rect,
}

impl Places {
    fn of(model: &Model, body: Rect) -> Self {
        if body.width >= WIDE {
            let left = (body.width * 9 / 20).clamp(48, 76);
            let keyring = keyring::height(model, left).min(body.height / 2).max(2);
            let column = Rect { width: left, ..body };
            let playground = Rect { height: body.height - keyring - 1, ..column };
            return Self {
                playground,
                keyring: Rect { y: playground.bottom() + 1, height: keyring, ..column },
                checks: Rect { x: body.x + left + 1, width: body.width - left - 1, ..body },
            };
        }
        let [playground, keyring, checks] =
            stacked(body, [Part::Playground, Part::Keyring, Part::Checks].map(|part| model.crypto.part == part));
        Self { playground, keyring, checks }
    }
}

/// Draws the page; returns how many lines there are below what is seen of each part that has more.
pub(super) fn draw(ink: &mut Ink<'_>, model: &Model, body: Rect) -> Vec<(Rect, usize)> {
    let places = Places::of(model, body);
    let spin = spinner(model, ink);
    playground::draw(ink, model, places.playground, spin);
    keyring::draw(ink, model, places.keyring, spin);
    if places.checks.x > body.x {
        ink.bar(places.checks.x - 1, body.y, body.height);
    }
    let more = checks::draw(ink, model, places.checks, spin);
    let last = places.checks.bottom() == body.bottom();
    // Elsewhere the line below is another part's.
    vec![(places.checks, if last { more } else { 0 })]
}

/// The line of the selected check, how many lines there are, and how many are seen.
pub(in crate::console) fn heights(model: &Model, body: Rect) -> (usize, usize, usize) {
    let area = Places::of(model, body).checks;
    let lines = checks::lines(model, area.width, "");
    let line = lines.iter().position(|line| line.check == Some(model.crypto.row)).unwrap_or(0);
    (line, lines.len(), usize::from(area.height.saturating_sub(1)))
}

/// What lies under the mouse.
pub(in crate::console) fn spot_at(model: &Model, body: Rect, here: Position) -> Option<Spot> {
    let places = Places::of(model, body);
    let row = |area: Rect| usize::from(here.y.saturating_sub(area.y));
    if places.playground.contains(here) {
        let field = row(places.playground).checked_sub(1).and_then(|at| Field::ALL.get(at));
        return Some(field.map_or(Spot::Part(Part::Playground), |field| Spot::Field(*field)));
    }
    if places.keyring.contains(here) {
        return Some(Spot::Part(Part::Keyring));
    }
    if !places.checks.contains(here) {
        return None;
    }
    let at = row(places.checks).checked_sub(1).map(|at| at + model.crypto.offset);
    let lines = checks::lines(model, places.checks.width, "");
    let check = at.and_then(|at| lines.get(..=at)?.iter().rev().find_map(|line| line.check));
    Some(check.map_or(Spot::Part(Part::Checks), Spot::Check))
}

/// The head of a part, strong where it hears the movement keys.
fn head(ink: &mut Ink<'_>, model: &Model, area: Rect, part: Part, title: &str, facts: Vec<(String, Role)>) {
    parts::head(ink, area, model.crypto.part == part, title, facts);
}
