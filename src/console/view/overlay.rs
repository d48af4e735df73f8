//! What lies over a page, between two rules.

mod help;
mod journal;
mod picker;
mod plan;

use ratatui::layout::Rect;

pub(in crate::console) use help::help_lines;

use super::ink::Ink;
use crate::console::model::Model;
use crate::console::overlay::Overlay;

/// Draws one overlay into the room between the header and the footer.
pub(super) fn draw(ink: &mut Ink<'_>, model: &Model, room: Rect, overlay: &Overlay) {
    match overlay {
        Overlay::Help { scroll } => help::draw(ink, model, room, *scroll),
        Overlay::Picker(picker) => picker::draw(ink, model, room, picker),
        Overlay::Plan(plan) => plan::draw(ink, model, room, plan),
        Overlay::Journal(journal) => journal::draw(ink, model, room, journal),
    }
}
