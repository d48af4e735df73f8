//! The tour's step, at the foot of the page.

use ratatui::layout::Rect;

use crate::console::action::Action;
use crate::console::model::Model;
use crate::console::overlay::{STEPS, Tour};
use crate::console::text;
use crate::console::theme::Role;
use crate::console::update::can_leave_tour;
use crate::console::view::ink::{Ink, Row};

/// Columns from which its hints are written out.
const WIDE: u16 = 80;

/// How many lines it takes; none when there is no tour.
pub(in crate::console) fn height(model: &Model, width: u16) -> u16 {
    match lines(model, width).len() {
        0 => 0,
        lines => u16::try_from(lines).unwrap_or(u16::MAX).saturating_add(1),
    }
}

/// Draws it; returns the first column of the hints in its head.
pub(in crate::console::view) fn draw(ink: &mut Ink<'_>, model: &Model, area: Rect) -> u16 {
    let Some((tour, step)) = model.tour.as_ref().and_then(|tour| Some((tour, tour.current()?))) else {
        return area.right();
    };
    let head =
        [(format!("TOUR {} of {}", tour.step + 1, STEPS.len()), Role::Heading), (step.title.to_owned(), Role::Strong)];
    ink.row(area, &Row::default().flow(1, area.width, head).ruled());
    let mut hints = vec![(model.keymap.key(Action::TourNext), "next")];
    if can_leave_tour(model) {
        // Beside them the line tells how much more the page has.
        let word = if area.width < WIDE { "leave" } else { "leave the tour" };
        hints.push((model.keymap.key(Action::Back), word));
    }
    let long: usize = hints.iter().map(|(key, word)| text::width(key) + text::width(word) + 3).sum();
    let first = area.right().saturating_sub(u16::try_from(long).unwrap_or(0));
    let mut x = first;
    for (key, word) in hints {
        x = ink.put(x, area.y, 1, " ", Role::Text);
        x = ink.put(x, area.y, 8, &key, Role::Key);
        x = ink.put(x, area.y, 1, " ", Role::Text);
        x = ink.put(x, area.y, 16, word, Role::Hint);
        x = ink.put(x, area.y, 1, " ", Role::Text);
    }
    for (y, line) in (area.y + 1..area.bottom()).zip(lines(model, area.width)) {
        ink.put(area.x + 3, y, area.width.saturating_sub(4), &line, Role::Text);
    }
    first
}

fn lines(model: &Model, width: u16) -> Vec<String> {
    let step = model.tour.as_ref().and_then(Tour::current);
    step.map(|step| prose(&step.text(&model.keymap), usize::from(width.saturating_sub(5)))).unwrap_or_default()
}

/// Breaks our own prose at its spaces; no word of it is longer than a line.
fn prose(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if text::width(line) + 1 + text::width(word) <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}
