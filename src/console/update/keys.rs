//! What a key does.

use super::mode;
use super::moves::{half, seek, step};
use super::opens::{back, go, leave, open, other_pane, quit, reveal, switch, toggle_diff};
use super::requests;
use crate::console::action::{Action, Scope};
use crate::console::backend::Fresh;
use crate::console::effect::Effect;
use crate::console::keymap::{CONTEXTS, Key};
use crate::console::model::Model;
use crate::console::overlay::{Choice, Overlay, Picker, Stage};
use crate::console::page::{Filter, Page, Pane, Zoom};
use crate::console::remote::Remote;

pub(super) fn press(model: &mut Model, key: Key) -> Vec<Effect> {
    model.notice = None;
    if let Some(effects) = mode::press(model, key) {
        return effects;
    }
    if let Some(action) = model.keymap.action(key, context(model)) {
        return act(model, action);
    }
    typed(model, key);
    Vec::new()
}

/// Pasted text goes into a text field or nowhere; it never is a key.
pub(super) fn paste(model: &mut Model, text: &str) -> Vec<Effect> {
    if mode::refuses_paste(model) {
        return Vec::new();
    }
    edit(model, |field| field.extend(text.chars().filter(|c| !c.is_control())));
    Vec::new()
}

/// The scopes that hear keys right now.
pub(in crate::console) fn context(model: &Model) -> &'static [Scope] {
    match model.overlays.last() {
        Some(Overlay::Picker(_) | Overlay::Plan(_)) => CONTEXTS[3],
        Some(Overlay::Help { .. } | Overlay::Journal(_)) => CONTEXTS[2],
        None if filter(model).editing => CONTEXTS[3],
        None if model.page == Page::Overview => CONTEXTS[0],
        None => CONTEXTS[1],
    }
}

/// The filter of the current page.
pub(in crate::console) fn filter(model: &Model) -> &Filter {
    if model.page == Page::Overview { &model.overview.filter } else { &model.list().filter }
}

fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    if let Some(why) = (action.spec().disabled)(model) {
        model.notice = Some(String::from(why));
        return Vec::new();
    }
    match action {
        Action::Leave => return quit(model),
        Action::Suspend => return vec![Effect::Suspend],
        Action::Back => return back(model),
        Action::Quit => return leave(model),
        Action::Help => help(model),
        Action::Open => return open(model),
        Action::Pick => {
            model.overlays.push(Overlay::Picker(Picker { line: model.current, ..Picker::default() }));
            return requests::ask_refs(model);
        }
        Action::Filter => edit_filter(model, |filter| filter.editing = true),
        Action::NextDifference => seek(model, true),
        Action::PreviousDifference => seek(model, false),
        Action::Show => {
            let page = model.page;
            let (state, env) = model.list_mut();
            state.show = state.show.next();
            state.row = 0;
            state.rebuild(page, env);
        }
        Action::Reveal => return reveal(model),
        Action::Diff => toggle_diff(model),
        Action::Journal => return mode::journal(model),
        Action::Refresh => return requests::refresh(model, Fresh::Cached),
        Action::Detect => return requests::refresh(model, Fresh::Detect),
        Action::NextPane => other_pane(model),
        Action::Overview => go(model, Page::Overview),
        Action::Stacks => go(model, Page::Stacks),
        Action::Parameters => go(model, Page::Parameters),
        Action::Secrets => go(model, Page::Secrets),
        Action::Down => step(model, 1),
        Action::Up => step(model, -1),
        Action::First => step(model, isize::MIN + 1),
        Action::Last => step(model, isize::MAX),
        Action::HalfDown => step(model, half(model)),
        Action::HalfUp => step(model, -half(model)),
        Action::Accept => return accept(model),
        Action::Dismiss => return dismiss(model),
        Action::NextChoice => choose(model, 1),
        Action::PreviousChoice => choose(model, -1),
        Action::EraseWord => edit(model, |field| {
            let kept = field.trim_end().rfind(char::is_whitespace).map_or(0, |at| at + 1);
            field.truncate(kept);
        }),
        Action::EraseAll => edit(model, String::clear),
    }
    Vec::new()
}

fn typed(model: &mut Model, key: Key) {
    match key {
        Key::Char(c) => edit(model, |field| field.push(c)),
        Key::Backspace => edit(model, |field| {
            field.pop();
        }),
        _ => {}
    }
}

/// Changes the text field that hears keys, if one does.
fn edit(model: &mut Model, change: impl FnOnce(&mut String)) {
    if let Some(Overlay::Picker(picker)) = model.overlays.last_mut() {
        change(&mut picker.text);
        picker.line = 0;
    } else if model.overlays.is_empty() && filter(model).editing {
        edit_filter(model, |filter| change(&mut filter.text));
    }
}

pub(super) fn edit_filter(model: &mut Model, change: impl FnOnce(&mut Filter)) {
    let page = model.page;
    if page == Page::Overview {
        change(&mut model.overview.filter);
    } else {
        let (state, _) = model.list_mut();
        state.zoom = Zoom::Split;
        state.pane = Pane::List;
        change(&mut state.filter);
    }
    model.rebuild();
}

fn accept(model: &mut Model) -> Vec<Effect> {
    let Some(Overlay::Picker(picker)) = model.overlays.last() else {
        edit_filter(model, |filter| filter.editing = false);
        if model.page != Page::Overview {
            model.list_mut().0.chosen = true;
        }
        return Vec::new();
    };
    let choice = picker.choices(model).into_iter().nth(picker.line);
    let Some(choice) = choice else { return Vec::new() };
    model.overlays.pop();
    match choice {
        Choice::Environment(index) => switch(model, index),
        Choice::OwnRef => requests::compare_with(model, None),
        Choice::Ref(info) => requests::compare_with(model, Some(info.name)),
        Choice::Typed(text) => requests::compare_with(model, Some(text)),
    }
}

fn dismiss(model: &mut Model) -> Vec<Effect> {
    if model.overlays.is_empty() {
        edit_filter(model, |filter| *filter = Filter::default());
    }
    leave_overlay(model)
}

/// Leaves the topmost overlay, and what it waits for.
pub(super) fn leave_overlay(model: &mut Model) -> Vec<Effect> {
    match model.overlays.pop() {
        // What was confirmed goes on; its answer is told in a line.
        Some(Overlay::Plan(plan)) if plan.stage == Stage::Reading => vec![Effect::Cancel(plan.job.generation)],
        Some(Overlay::Journal(journal)) if matches!(journal.found, Remote::Loading { .. }) => {
            vec![Effect::Cancel(journal.job.generation)]
        }
        _ => Vec::new(),
    }
}

fn choose(model: &mut Model, by: isize) {
    mode::scroll(model, by);
    let Some(Overlay::Picker(picker)) = model.overlays.last() else { return };
    let last = picker.choices(model).len().saturating_sub(1);
    if let Some(Overlay::Picker(picker)) = model.overlays.last_mut() {
        picker.line = picker.line.saturating_add_signed(by).min(last);
    }
}

fn help(model: &mut Model) {
    if matches!(model.overlays.last(), Some(Overlay::Help { .. })) {
        model.overlays.pop();
    } else {
        model.overlays.push(Overlay::Help { scroll: 0 });
    }
}
