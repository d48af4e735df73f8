//! What lies under the mouse, as a function of the model.

use ratatui::layout::{Position, Rect};

use super::layout::{Areas, Panes, environments_offset, halves, picker_list};
use super::model::Model;
use super::overlay::Overlay;
use super::page::crypto::{Field, Part};
use super::page::overview::{Row, rows};
use super::page::{Page, Zoom, data, pipeline};
use super::text;
use super::view::{
    crypto_spot_at, data_spot_at, deploy_spot_at, detail_row_at, help_listed_at, menu_entry_at, palette_find_at,
    pipeline_spot_at,
};
use crate::console::action::Action;

/// Something that the mouse did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mouse {
    /// What.
    pub button: Button,
    /// The column, from 0.
    pub column: u16,
    /// The line, from 0.
    pub line: u16,
}

/// What the mouse can do here; other buttons are the terminal's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Button {
    /// The left button went down.
    Press,
    /// The mouse moved with the left button down.
    Drag,
    /// The left button went up.
    Release,
    /// The wheel turned towards the operator.
    WheelDown,
    /// The wheel turned away.
    WheelUp,
}

/// What lies under the mouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spot {
    /// A page's tab.
    Tab(Page),
    /// An environment of the overview.
    Environment(usize),
    /// A field of the playground.
    Field(Field),
    /// A part of the crypto page.
    Part(Part),
    /// Something of the data page.
    Data(data::Place),
    /// A check of the smoke test.
    Check(usize),
    /// A stack of the deploy page.
    Stack(usize),
    /// The lower part of that page, and what of it can be selected.
    Deployed(Option<usize>),
    /// Something of the pipeline page.
    Pipeline(pipeline::Place),
    /// The rest of its table.
    Table,
    /// Something that needs the operator.
    Need(usize),
    /// A line of the list.
    Line(usize),
    /// The list where it has no line.
    List,
    /// A shown property of the selected item.
    Row(usize),
    /// The rest of the detail.
    Detail,
    /// The border between list and detail.
    Border,
    /// A choice of the picker.
    Choice(usize),
    /// A find of the palette.
    Find(usize),
    /// Something that the keys list.
    Listed(usize),
    /// An entry of a menu.
    Entry(Action),
    /// Anything else of an overlay.
    Overlay,
}

/// What lies there; `None`: nothing that hears the mouse.
pub(super) fn spot(model: &Model, column: u16, line: u16) -> Option<Spot> {
    let areas = Areas::of(model)?;
    let here = Position::new(column, line);
    if let Some(overlay) = model.overlays.last() {
        return over(model, overlay, areas.body.union(areas.tabs), here);
    }
    if areas.tabs.contains(here) {
        return tabs(model, areas.tabs)
            .into_iter()
            .find(|(_, tab, _)| tab.contains(here))
            .map(|(page, ..)| Spot::Tab(page));
    }
    if !areas.body.contains(here) {
        return None;
    }
    match model.page {
        Page::Overview => overview(model, areas.body, here),
        Page::Crypto => crypto_spot_at(model, areas.body, here),
        Page::Data => data_spot_at(model, areas.body, here),
        Page::Deploy => deploy_spot_at(model, areas.body, here),
        Page::Pipeline => pipeline_spot_at(model, areas.body, here).map(Spot::Pipeline),
        Page::Stacks | Page::Parameters | Page::Secrets => items(model, areas.body, here),
    }
}

fn over(model: &Model, overlay: &Overlay, room: Rect, here: Position) -> Option<Spot> {
    if !room.contains(here) {
        return None;
    }
    let found = match overlay {
        Overlay::Picker(picker) => {
            let choices = picker.choices(model).len();
            let list = picker_list(choices, room);
            let at = picker.first + usize::from(here.y.saturating_sub(list.y));
            (list.contains(here) && at < choices).then_some(Spot::Choice(at))
        }
        Overlay::Palette(palette) => palette_find_at(room, palette, here).map(Spot::Find),
        Overlay::Menu(scope) => menu_entry_at(model, room, *scope, here).map(Spot::Entry),
        Overlay::Help(help) => help_listed_at(model, room, help, here).map(Spot::Listed),
        Overlay::Plan(_)
        | Overlay::Journal(_)
        | Overlay::History(_)
        | Overlay::Promote(_)
        | Overlay::Edit(_)
        | Overlay::Changes(_) => None,
    };
    Some(found.unwrap_or(Spot::Overlay))
}

/// The tabs: where each is, and its word. Where there is no room for all of them, and for the filter of the page, they say
/// less; what is looked at says its whole name.
pub(super) fn tabs(model: &Model, area: Rect) -> Vec<(Page, Rect, &'static str)> {
    type Form = (u16, fn(Page) -> &'static str);
    const FORMS: [Form; 4] = [(3, Page::title), (2, Page::title), (2, Page::short), (2, |_| "")];
    /// The columns that a filter takes before it is cut, with the air beside it.
    const FILTER: usize = 11;
    let filter = if model.page.is_list() { &*model.list().filter.text } else { "" };
    let wanted = if filter.is_empty() { 0 } else { (text::width(filter) + 4).min(FILTER) };
    let right = area.right().saturating_sub(u16::try_from(wanted).unwrap_or(0));
    let form = |(gap, word): &Form| {
        let mut x = area.x + 1;
        let tab = |page: Page| {
            let word = if page == model.page { page.title() } else { word(page) };
            let long = format!("{} {word}", page.number()).trim_end().len();
            let width = u16::try_from(long).unwrap_or(0);
            let tab = Rect { x, width, ..area };
            x += width + gap;
            (page, tab, word)
        };
        model.pages().map(tab).collect::<Vec<_>>()
    };
    let fits = |tabs: &Vec<(Page, Rect, &'static str)>| tabs.last().is_none_or(|(_, tab, _)| tab.right() <= right);
    let mut forms = FORMS.iter().map(form);
    forms.clone().find(fits).or_else(|| forms.next_back()).unwrap_or_default()
}

fn overview(model: &Model, body: Rect, here: Position) -> Option<Spot> {
    let (table, needs) = halves(model, body);
    if table.contains(here) {
        let Some(row) = here.y.checked_sub(table.y + 1).map(usize::from) else { return Some(Spot::Table) };
        let rows = rows(model);
        return Some(match rows.get(row + environments_offset(model, &rows, table)) {
            Some(Row::Environment(index)) => Spot::Environment(*index),
            Some(Row::Project(_)) | None => Spot::Table,
        });
    }
    let row = usize::from(here.y.checked_sub(needs.y + 2)?);
    let index = row + model.overview.offset;
    (index < model.overview.needs.len()).then_some(Spot::Need(index))
}

fn items(model: &Model, body: Rect, here: Position) -> Option<Spot> {
    let panes = Panes::of(model, body);
    if let (Some(list), Some(detail)) = (panes.list, panes.detail) {
        let beside = detail.x > list.x;
        // Below, the detail's head is a rule; beside, a bar stands between the two.
        if (!beside && here.y == detail.y) || (beside && here.x + 1 == detail.x) {
            return Some(Spot::Border);
        }
    }
    if let Some(list) = panes.list.filter(|list| list.contains(here)) {
        let at = model.list().offset + usize::from(here.y - list.y);
        return Some(if at < model.list().lines.len() { Spot::Line(at) } else { Spot::List });
    }
    let detail = panes.detail.filter(|detail| detail.contains(here))?;
    let row = if model.list().zoom == Zoom::Diff { None } else { detail_row_at(model, detail, here.y) };
    Some(row.map_or(Spot::Detail, Spot::Row))
}
