//! What lies over a page, between two rules.

mod changes;
mod edit;
mod field;
mod help;
mod history;
mod journal;
mod menu;
mod palette;
mod picker;
mod plan;
mod promote;
pub(super) mod tour;
mod value;

use ratatui::layout::Rect;

pub(in crate::console) use field::list as field_list;
pub(in crate::console) use help::listed_at as help_listed_at;
pub(in crate::console) use menu::entry_at as menu_entry_at;
pub(in crate::console) use palette::find_at as palette_find_at;
pub(in crate::console) use plan::sight as plan_sight;
pub(in crate::console) use value::told as value_told;

use super::ink::Ink;
use crate::console::model::Model;
use crate::console::overlay::Overlay;

/// Draws one overlay into the room between the header and the footer; returns how many lines there are below what is seen.
pub(super) fn draw(ink: &mut Ink<'_>, model: &Model, room: Rect, overlay: &Overlay) -> usize {
    match overlay {
        Overlay::Help(help) => return help::draw(ink, model, room, help),
        Overlay::Plan(plan) => return plan::draw(ink, model, room, plan),
        Overlay::History(history) => return history::draw(ink, model, room, history),
        Overlay::Promote(promote) => return promote::draw(ink, model, room, promote),
        Overlay::Changes(list) => return changes::draw(ink, model, room, list),
        Overlay::Palette(palette) => palette::draw(ink, model, room, palette),
        Overlay::Menu(scope) => menu::draw(ink, model, room, *scope),
        Overlay::Picker(picker) => picker::draw(ink, model, room, picker),
        Overlay::Edit(edit) => edit::draw(ink, model, room, edit),
        Overlay::Journal(journal) => journal::draw(ink, model, room, journal),
    }
    0
}
