//! What the mouse does: it selects, opens what is selected, scrolls, and moves the border. It confirms nothing.

use super::keys::{accept_choice, act as do_action, context};
use super::moves::step;
use super::opens::{go, open, switch};
use super::palette;
use super::{crypto, data, deploy, pipeline};
use crate::console::action::{Action, Danger, Scope};
use crate::console::effect::Effect;
use crate::console::layout::{Areas, environments_offset, halves};
use crate::console::model::Model;
use crate::console::overlay::{Overlay, What};
use crate::console::page::overview::{self, Half};
use crate::console::page::{Page, Pane, Zoom};
use crate::console::pointer::{Button, Mouse, Spot, spot};

/// Lines that one notch of the wheel moves.
const NOTCH: isize = 3;

pub(super) fn act(model: &mut Model, mouse: Mouse) -> Vec<Effect> {
    let here = spot(model, mouse.column, mouse.line);
    match mouse.button {
        Button::Press => {
            model.notice = None;
            here.map_or_else(Vec::new, |spot| press(model, spot))
        }
        Button::Drag => {
            if model.home.dragging {
                drag(model, mouse);
            }
            Vec::new()
        }
        Button::Release => {
            model.home.dragging = false;
            Vec::new()
        }
        Button::WheelDown => wheel(model, here, NOTCH),
        Button::WheelUp => wheel(model, here, -NOTCH),
    }
}

fn press(model: &mut Model, spot: Spot) -> Vec<Effect> {
    if model.overlays.is_empty() {
        leave_filter(model);
    }
    match spot {
        Spot::Tab(page) => go(model, page),
        Spot::Environment(index) => {
            let again = model.overview.half == Half::Environments && model.current == index;
            model.overview.half = Half::Environments;
            return if again { open(model) } else { switch(model, index) };
        }
        Spot::Need(index) => {
            let again = model.overview.half == Half::Needs && model.overview.line == index;
            model.overview.half = Half::Needs;
            let (from, env) = (model.overview.line, &model.environments[model.current]);
            let by = isize::try_from(index).unwrap_or(0) - isize::try_from(from).unwrap_or(0);
            model.overview.step(by, env);
            if again {
                return open(model);
            }
        }
        Spot::Field(_) | Spot::Part(_) | Spot::Check(_) => return crypto::press(model, spot),
        Spot::Stack(_) | Spot::Deployed(_) => return deploy::press(model, spot),
        Spot::Pipeline(place) => return pipeline::press(model, place),
        Spot::Data(place) => return data::press(model, place),
        Spot::Line(line) => return press_line(model, line),
        Spot::List => model.list_mut().0.pane = Pane::List,
        Spot::Row(row) => {
            let (state, _) = model.list_mut();
            state.row = row;
            focus_detail(model);
        }
        Spot::Detail => focus_detail(model),
        Spot::Border => model.home.dragging = true,
        Spot::Choice(line) => {
            let Some(Overlay::Picker(picker)) = model.overlays.last_mut() else { return Vec::new() };
            if picker.line == line {
                return accept_choice(model, line);
            }
            picker.line = line;
        }
        Spot::Find(line) => {
            let Some(Overlay::Palette(palette)) = model.overlays.last_mut() else { return Vec::new() };
            // A command is for the keyboard: a click shall not do what only its words can mean.
            let again = palette.line == line && !matches!(palette.found.get(line), Some(What::Typed(_)));
            palette.line = line;
            if again {
                return palette::take(model);
            }
        }
        Spot::Listed(line) => {
            let Some(Overlay::Help(help)) = model.overlays.last_mut() else { return Vec::new() };
            if help.line == line {
                return palette::take_key(model);
            }
            help.line = line;
        }
        Spot::Entry(action) => {
            model.overlays.pop();
            // What the keys of a menu do is harmless too; should that change, it is not for a click.
            if matches!(action.spec().danger, Danger::Nothing | Danger::Reveals) {
                return do_action(model, action);
            }
        }
        Spot::Overlay | Spot::Table => {}
    }
    Vec::new()
}

fn press_line(model: &mut Model, line: usize) -> Vec<Effect> {
    let (state, env) = model.list_mut();
    let mark = state.lines.get(line).and_then(|line| env.mark_at(line));
    let again = state.pane == Pane::List && state.line == line && state.cursor.is_some();
    state.pane = Pane::List;
    if mark.is_none() {
        return Vec::new();
    }
    if again {
        return open(model);
    }
    state.choose(line, env);
    Vec::new()
}

fn focus_detail(model: &mut Model) {
    let (state, _) = model.list_mut();
    if state.zoom == Zoom::Split {
        state.pane = Pane::Detail;
    }
}

fn leave_filter(model: &mut Model) {
    if model.page == Page::Overview {
        model.overview.filter.editing = false;
    } else if model.page == Page::Crypto {
        model.crypto.editing = false;
    } else if model.page == Page::Pipeline {
        model.pipeline.find.editing = false;
    } else if model.page.is_list() {
        model.list_mut().0.filter.editing = false;
    }
}

/// The wheel moves what it is over. Over the environments it moves what is seen of them and not the cursor: another
/// environment is another place to read and to write, which takes a click or a key.
fn wheel(model: &mut Model, here: Option<Spot>, by: isize) -> Vec<Effect> {
    let heard = context(model);
    if !model.overlays.is_empty() {
        let (down, up) = if heard.contains(&Scope::Input) {
            (Action::NextChoice, Action::PreviousChoice)
        } else {
            (Action::Down, Action::Up)
        };
        if matches!(model.overlays.last(), Some(Overlay::Menu(_) | Overlay::Edit(_))) {
            return Vec::new();
        }
        let action = if by > 0 { down } else { up };
        return (0..by.unsigned_abs()).flat_map(|_| do_action(model, action)).collect();
    }
    match here {
        Some(Spot::Environment(_) | Spot::Table) => {
            scroll_table(model, by);
            return Vec::new();
        }
        Some(Spot::Field(_) | Spot::Part(_) | Spot::Check(_)) => crypto::look(model, here),
        Some(spot @ (Spot::Stack(_) | Spot::Deployed(_))) => deploy::look(model, spot),
        Some(Spot::Pipeline(place)) => pipeline::look(model, place),
        Some(Spot::Data(place)) => data::look(model, place),
        Some(Spot::Need(_)) => model.overview.half = Half::Needs,
        Some(Spot::Line(_) | Spot::List) => model.list_mut().0.pane = Pane::List,
        Some(Spot::Row(_) | Spot::Detail) => focus_detail(model),
        _ => return Vec::new(),
    }
    step(model, by);
    Vec::new()
}

fn scroll_table(model: &mut Model, by: isize) {
    let Some(areas) = Areas::of(model) else { return };
    let (table, _) = halves(model, areas.body);
    let rows = overview::rows(model);
    let last = rows.len().saturating_sub(usize::from(table.height.saturating_sub(1)));
    let top = environments_offset(model, &rows, table).saturating_add_signed(by).min(last);
    model.overview.top = Some(top);
}

/// Puts the border where the mouse is.
fn drag(model: &mut Model, mouse: Mouse) {
    let Some(areas) = Areas::of(model) else { return };
    let body = areas.body;
    let share = |at: u16, of: u16| {
        // Rounded up, so that the border comes to lie where it was put.
        let share = (u32::from(at) * 1000).div_ceil(u32::from(of.max(1)));
        u16::try_from(share).unwrap_or(1000).min(1000)
    };
    if crate::console::layout::is_beside(body) {
        // The bar takes the column that the list leaves.
        model.home.split.beside = Some(share(mouse.column.saturating_sub(body.x), body.width));
    } else {
        model.home.split.below = Some(share(mouse.line.saturating_sub(body.y), body.height));
    }
}
