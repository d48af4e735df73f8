//! What lies over a page, between two rules.

mod help;
mod menu;
mod picker;
mod run;

use ratatui::layout::Rect;

pub(in crate::console) use help::help_lines;
pub(in crate::console) use menu::entry_at as menu_entry_at;

use super::ink::Ink;
use crate::console::model::Model;
use crate::console::overlay::Overlay;

/// Draws one overlay into the room between the header and the footer.
pub(super) fn draw(ink: &mut Ink<'_>, model: &Model, room: Rect, overlay: &Overlay) {
    match overlay {
        Overlay::Help { scroll } => help::draw(ink, model, room, *scroll),
        Overlay::Menu(scope) => menu::draw(ink, model, room, *scope),
        Overlay::Run(run) => run::draw(ink, model, room, run),
        Overlay::Picker(picker) => picker::draw(ink, model, room, picker),
    }
}
