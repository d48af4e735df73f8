//! Drawing: a function of the model, with no memory and no clock.

mod counts;
mod detail;
mod diff;
mod facet;
mod fleet;
mod footer;
mod header;
mod ink;
mod list;
mod overlay;
mod overview;
mod window;

use ratatui::Frame;
use ratatui::layout::Rect;

pub(super) use detail::{cell as detail_cell, height as detail_height, row_at as detail_row_at};
pub(super) use facet::{role as facet_role, text as facet_text};
pub(super) use overlay::tour::height as tour_height;
pub(super) use overlay::{menu_entry_at, palette_find_at};

use super::layout::{Areas, MINIMUM, Panes};
use super::model::Model;
use super::page::{Page, Zoom};
use super::theme::{Role, Theme};
pub(super) use ink::Ink;

/// Draws everything.
pub fn view(model: &Model, theme: &Theme, frame: &mut Frame<'_>) {
    let area = frame.area();
    let mut ink = Ink::new(frame.buffer_mut(), theme);
    ink.fill(area, Role::Text);
    // The terminal may have changed its size since the model was told.
    let fits = (area.width, area.height) == model.size;
    let Some(areas) = Areas::of(model).filter(|_| fits) else {
        return too_small(&mut ink, area);
    };
    header::draw(&mut ink, model, areas.header);
    header::tabs(&mut ink, model, areas.tabs);
    // What goes on below a pane is told on the line below it, which the footer may draw.
    let mut below: Vec<(Rect, usize)> = Vec::new();
    match model.page {
        Page::Overview => {
            below.push((areas.body, overview::draw(&mut ink, model, areas.body)));
            overview::above(&mut ink, model, areas.body, areas.tabs);
        }
        Page::Stacks | Page::Parameters | Page::Secrets => {
            let panes = Panes::of(model, areas.body);
            if let Some(area) = panes.detail {
                let more = match model.list().zoom {
                    Zoom::Diff => diff::draw(&mut ink, model, area),
                    Zoom::Split | Zoom::Full => detail::draw(&mut ink, model, area),
                };
                below.push((area, more));
            }
            if let Some(area) = panes.list {
                let more = list::draw(&mut ink, model, area);
                below.push((area, more));
                list::above(&mut ink, model, area, areas.tabs);
            }
        }
    }
    if let Some(area) = areas.tour {
        overlay::tour::draw(&mut ink, model, area);
    }
    footer::draw(&mut ink, model, areas.footer);
    // What lies over the panes tells of itself.
    for (area, more) in below.into_iter().filter(|_| model.overlays.is_empty()) {
        ink.more(Rect { y: area.bottom(), height: 1, ..area }, more, false);
    }
    let room = areas.body.union(areas.tabs);
    for overlay in &model.overlays {
        overlay::draw(&mut ink, model, room, overlay);
    }
}

fn too_small(ink: &mut Ink<'_>, area: Rect) {
    let (width, height) = MINIMUM;
    let lines = [
        (format!("plumb needs {width} columns and {height} lines."), Role::Strong),
        (format!("This terminal has {} and {}.", area.width, area.height), Role::Text),
        (String::from("Enlarge it, or press q to quit."), Role::Dim),
    ];
    for (line, (text, role)) in (area.y..area.bottom()).zip(lines) {
        ink.put(area.x, line, area.width, &text, role);
    }
}
