//! Drawing: a function of the model, with no memory and no clock.

mod counts;
mod crypto;
mod data;
mod deploy;
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
mod parts;
mod pipeline;
mod said;
mod window;

use ratatui::Frame;
use ratatui::layout::Rect;

use crypto::sign as crypto_sign;
pub(super) use crypto::{heights as crypto_heights, spot_at as crypto_spot_at};
pub(super) use data::{sight as data_sight, spot_at as data_spot_at};
pub(super) use deploy::{heights as deploy_heights, spot_at as deploy_spot_at};
pub(super) use detail::{cell as detail_cell, height as detail_height, row_at as detail_row_at};
pub(super) use facet::{role as facet_role, text as facet_text};
pub(super) use overlay::tour::height as tour_height;
pub(super) use overlay::{field_list, help_listed_at, menu_entry_at, palette_find_at, plan_sight};
pub(super) use pipeline::{
    heights as pipeline_heights, log_begins as pipeline_log_begins, spot_at as pipeline_spot_at,
};

use super::action::Action;
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
        return too_small(&mut ink, model, area);
    };
    header::draw(&mut ink, model, areas.header);
    header::tabs(&mut ink, model, areas.tabs);
    // What goes on below a pane is told on the line below it, which the tour or the footer may draw.
    let mut below: Vec<(Rect, usize)> = Vec::new();
    match model.page {
        Page::Overview => {
            below.push((areas.body, overview::draw(&mut ink, model, areas.body)));
            overview::above(&mut ink, model, areas.body, areas.tabs);
        }
        Page::Crypto => below.extend(crypto::draw(&mut ink, model, areas.body)),
        Page::Pipeline => below.extend(pipeline::draw(&mut ink, model, areas.body)),
        Page::Data => below.extend(data::draw(&mut ink, model, areas.body)),
        Page::Deploy => below.push(deploy::draw(&mut ink, model, areas.body)),
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
    let hints = areas.tour.map(|area| overlay::tour::draw(&mut ink, model, area));
    footer::draw(&mut ink, model, areas.footer);
    let room = areas.body.union(areas.tabs);
    for overlay in &model.overlays {
        // What lies over the panes tells of itself.
        below = vec![(room, overlay::draw(&mut ink, model, room, overlay))];
    }
    for (area, more) in below {
        let mut line = Rect { y: area.bottom(), height: 1, ..area };
        if let (Some(tour), Some(hints)) = (areas.tour, hints)
            && line.y == tour.y
        {
            line.width = line.right().min(hints).saturating_sub(line.x);
        }
        ink.more(line, more, false);
    }
}

fn too_small(ink: &mut Ink<'_>, model: &Model, area: Rect) {
    let (width, height) = MINIMUM;
    let quit = model.keymap.key(Action::Quit);
    let lines = [
        (format!("plumb needs {width} columns and {height} lines."), Role::Strong),
        (format!("This terminal has {} and {}.", area.width, area.height), Role::Text),
        (format!("Enlarge it, or press {quit} to quit."), Role::Dim),
    ];
    for (line, (text, role)) in (area.y..area.bottom()).zip(lines) {
        ink.put(area.x, line, area.width, &text, role);
    }
}
