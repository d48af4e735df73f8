//! The one place where the model changes.
//!
//! No I/O, no clock, no awaiting: what has to be done is returned.

mod asks;
mod carry;
mod changes;
mod commands;
pub(super) mod crypto;
mod custom;
pub(super) mod data;
pub(super) mod deploy;
mod edit;
pub(super) mod history;
mod keys;
mod menu;
mod mode;
mod mouse;
mod moves;
mod opens;
pub(super) mod outside;
mod palette;
pub(super) mod pipeline;
pub(super) mod promote;
pub(super) mod push;
mod requests;
mod tour;
pub(super) mod yank;

pub(super) use changes::{no_command, nothing_listed};
pub(super) use custom::{disabled as own_disabled, last_running, offered as own_offered};
pub(super) use edit::no_config;
pub(super) use keys::{context, context_below, filter, filter_of};
pub(super) use mode::{asks, is_writing};
pub(super) use opens::{is_at_rest, is_open};
pub(super) use tour::can_be_left as can_leave_tour;

use ratatui::layout::Rect;
use zeroize::Zeroizing;

use super::diff;
use super::effect::Effect;
use super::layout::{Areas, Panes, halves, picker_list, scrolled};
use super::looks;
use super::message::Message;
use super::model::{Model, Revealing};
use super::overlay::Overlay;
use super::page::Page;
use super::view::{crypto_heights, deploy_heights, field_list};
use crate::compare::Why;

/// Lets one thing happen, and says what is to be done about it.
pub fn update(model: &mut Model, message: Message) -> Vec<Effect> {
    let news = matches!(message, Message::Part(..) | Message::Inspected(..) | Message::Refs(..));
    let mut effects = match message {
        Message::Start => {
            let mut effects = asks::start(model);
            if model.tour.is_some() {
                effects.extend(tour::begin(model));
            }
            effects
        }
        Message::Time(now) => time(model, now),
        Message::Key(key) => keys::press(model, key),
        // It may be a plaintext.
        Message::Paste(text) => keys::paste(model, &Zeroizing::new(text)),
        Message::Resize(width, height) => {
            model.size = (width, height);
            Vec::new()
        }
        Message::Project(generation, answer) => requests::project(model, generation, answer),
        Message::Part(generation, part) => requests::part(model, generation, part),
        Message::Inspected(generation, report) => requests::inspected(model, generation, *report),
        Message::Revealed(generation, answer) => requests::revealed(model, generation, answer),
        Message::Refs(generation, answer) => requests::refs(model, generation, answer),
        Message::Fetched(generation, answer) => requests::fetched(model, generation, answer),
        Message::Mouse(mouse) => mouse::act(model, mouse),
        Message::Focus(focused) => {
            model.home.focused = focused;
            Vec::new()
        }
        Message::Read(generation, answer) => yank::read(model, generation, answer),
        Message::Located(generation, answer) => outside::located(model, generation, answer),
        Message::Copied(what, characters, outcome) => yank::copied(model, &what, characters, outcome),
        Message::Ran(generation, outcome) => custom::ran(model, generation, outcome),
        Message::Returned(outcome) => outside::returned(model, outcome),
        Message::Planned(generation, answer) => mode::planned(model, generation, answer),
        Message::Written(generation, answer) => mode::written(model, generation, answer),
        Message::Progress(generation, progress) => push::progress(model, generation, progress),
        Message::Pushed(generation, answer) => push::pushed(model, generation, answer),
        Message::Unlocked(generation, answer) => mode::unlocked(model, generation, answer),
        Message::Locked(name, untold) => mode::locked(model, &name, untold),
        Message::Journal(generation, answer) => mode::journal_read(model, generation, answer),
        Message::Crypto(generation, answer) => crypto::answered(model, generation, answer),
        Message::Data(generation, answer) => data::answered(model, generation, answer),
        Message::Deploy(generation, answer) => deploy::answered(model, generation, answer),
        Message::Pipeline(generation, answer) => pipeline::answered(model, generation, answer),
        Message::Abandoned(name, answer) => deploy::abandoned(model, &name, answer),
        Message::History(generation, answer) => history::read(model, generation, answer),
        Message::Compared(generation, answer) => promote::compared(model, generation, answer),
        Message::Promoted(generation, answer) => promote::promoted(model, generation, answer),
        Message::Changes(generation, answer) => changes::answered(model, generation, answer),
        Message::Committed(generation, outcome) => changes::committed(model, generation, outcome),
        Message::Generated(generation, made) => edit::generated(model, generation, made),
        Message::Typed(outcome) if matches!(model.overlays.last(), Some(Overlay::Edit(_))) => {
            edit::typed(model, outcome)
        }
        Message::Typed(outcome) => data::typed(model, outcome),
        Message::Restyled(outcome) => restyled(model, outcome),
        Message::Themed(name, outcome) => themed(model, &name, outcome),
        Message::Lost(generation) => requests::lost(model, generation),
    };
    if news {
        palette::search_again(model);
    }
    effects.extend(mask_what_was_left(model));
    effects.extend(crypto::settle(model));
    effects.extend(data::settle(model));
    effects.extend(deploy::settle(model));
    effects.extend(pipeline::settle(model));
    diff::settle(model);
    looks::settle(model);
    scroll(model);
    effects
}

fn time(model: &mut Model, now: i64) -> Vec<Effect> {
    model.clock.now = now;
    if let Some(Revealing::Shown { until, .. }) = model.reveal.as_ref().map(|reveal| &reveal.state)
        && *until <= now
    {
        model.reveal = None;
        model.notice = Some(String::from("values are masked again"));
    }
    crypto::time(model);
    changes::time(model);
    let mut effects = mode::time(model);
    effects.extend(pipeline::time(model));
    if model.refresh_due().is_some_and(|due| due <= now) {
        effects.extend(asks::refresh_quietly(model));
    }
    effects
}

/// A mistake in a theme file is told until it is mended; the former theme stays.
fn restyled(model: &mut Model, outcome: Result<(), Why>) -> Vec<Effect> {
    let trouble = outcome.err().map(|why| format!("theme: {}", why.reason));
    if model.theme_trouble.is_some() && model.notice == model.theme_trouble {
        model.notice = None;
    }
    if trouble.is_some() {
        model.notice.clone_from(&trouble);
    }
    model.theme_trouble = trouble;
    Vec::new()
}

/// Another theme was asked for. It is kept by the operator's own hand, in a file that Plumb never writes.
fn themed(model: &mut Model, name: &str, outcome: Result<(), Why>) -> Vec<Effect> {
    model.notice = Some(match outcome {
        Ok(()) => {
            model.theme_trouble = None;
            format!("drawn in {name} until you leave; theme = \"{name}\" in config.toml keeps it")
        }
        Err(why) => format!("theme: {}", outside::with_hint(why)),
    });
    Vec::new()
}

/// Values are shown only while their item is the selected one, and there.
fn mask_what_was_left(model: &mut Model) -> Option<Effect> {
    if model.page != Page::Overview && model.revealed().is_some() {
        return None;
    }
    match model.reveal.take().map(|reveal| reveal.state) {
        Some(Revealing::Reading(job)) => Some(Effect::Cancel(job.generation)),
        _ => None,
    }
}

/// Keeps every cursor in sight, whatever moved it.
fn scroll(model: &mut Model) {
    let Some(areas) = Areas::of(model) else { return };
    scroll_overlay(model, areas.body.union(areas.tabs));
    if model.page == Page::Overview {
        let (_, needs) = halves(model, areas.body);
        let state = &mut model.overview;
        let height = usize::from(needs.height).saturating_sub(2);
        state.offset = scrolled(state.offset, state.line, state.needs.len(), height);
    } else if model.page == Page::Crypto {
        let (line, total, height) = crypto_heights(model, areas.body);
        model.crypto.offset = scrolled(model.crypto.offset, line, total, height);
    } else if model.page == Page::Data {
        data::scroll(model, areas.body);
    } else if model.page == Page::Deploy {
        let (line, total, height) = deploy_heights(model, areas.body);
        model.deploy.offset = scrolled(model.deploy.offset, line, total, height);
    } else if model.page == Page::Pipeline {
        pipeline::scroll(model, areas.body);
    } else if let Some(list) = Panes::of(model, areas.body).list {
        let (state, _) = model.list_mut();
        state.offset = scrolled(state.offset, state.line, state.lines.len(), usize::from(list.height));
    }
}

/// The same in what lies over the page. A line that is clicked stays where it is, so that it can be clicked again.
fn scroll_overlay(model: &mut Model, room: Rect) {
    let list = usize::from(field_list(room).height);
    let first = match model.overlays.last() {
        Some(Overlay::Help(help)) => {
            let rows = help.rows(model);
            scrolled(help.first, help.chosen(&rows), rows.len(), list)
        }
        Some(Overlay::Palette(palette)) => scrolled(palette.first, palette.line, palette.found.len(), list),
        Some(Overlay::Picker(picker)) => {
            let choices = picker.choices(model).len();
            let height = usize::from(picker_list(choices, room).height);
            scrolled(picker.first, picker.line, choices, height)
        }
        Some(
            Overlay::Plan(_)
            | Overlay::Journal(_)
            | Overlay::Menu(_)
            | Overlay::History(_)
            | Overlay::Promote(_)
            | Overlay::Edit(_)
            | Overlay::Changes(_),
        )
        | None => return,
    };
    match model.overlays.last_mut() {
        Some(Overlay::Help(help)) => help.first = first,
        Some(Overlay::Palette(palette)) => palette.first = first,
        Some(Overlay::Picker(picker)) => picker.first = first,
        _ => {}
    }
}
