//! What a key does.

use super::requests;
use crate::console::action::{Action, Scope};
use crate::console::backend::Fresh;
use crate::console::diff;
use crate::console::effect::Effect;
use crate::console::keymap::{CONTEXTS, Key};
use crate::console::layout::{Areas, Panes, halves};
use crate::console::model::{Model, Reveal, Revealing, has_unread};
use crate::console::overlay::{Choice, Overlay, Picker};
use crate::console::page::list::shown_rows;
use crate::console::page::overview::Half;
use crate::console::page::{Filter, ItemId, Page, Pane, Zoom};
use crate::console::view::help_lines;

pub(super) fn press(model: &mut Model, key: Key) -> Vec<Effect> {
    model.notice = None;
    if let Some(action) = model.keymap.action(key, context(model)) {
        return act(model, action);
    }
    typed(model, key);
    Vec::new()
}

/// Pasted text goes into a text field or nowhere; it never is a key.
pub(super) fn paste(model: &mut Model, text: &str) -> Vec<Effect> {
    edit(model, |field| field.extend(text.chars().filter(|c| !c.is_control())));
    Vec::new()
}

/// The scopes that hear keys right now.
pub(in crate::console) fn context(model: &Model) -> &'static [Scope] {
    match model.overlays.last() {
        Some(Overlay::Picker(_)) => CONTEXTS[3],
        Some(Overlay::Help { .. }) => CONTEXTS[2],
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
        Action::Dismiss => dismiss(model),
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

fn edit_filter(model: &mut Model, change: impl FnOnce(&mut Filter)) {
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

fn dismiss(model: &mut Model) {
    if model.overlays.pop().is_none() {
        edit_filter(model, |filter| *filter = Filter::default());
    }
}

fn choose(model: &mut Model, by: isize) {
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

fn back(model: &mut Model) -> Vec<Effect> {
    if model.overlays.pop().is_some() {
        return Vec::new();
    }
    if let Some(effects) = requests::cancel(model) {
        return effects;
    }
    if close(model) {
        return Vec::new();
    }
    if !filter(model).text.is_empty() {
        edit_filter(model, |filter| *filter = Filter::default());
    }
    Vec::new()
}

fn leave(model: &mut Model) -> Vec<Effect> {
    if model.overlays.pop().is_some() || close(model) { Vec::new() } else { quit(model) }
}

fn quit(model: &mut Model) -> Vec<Effect> {
    model.over = true;
    vec![Effect::Quit]
}

/// Closes what is open on the page; false when nothing is.
fn close(model: &mut Model) -> bool {
    if model.page == Page::Overview {
        return false;
    }
    let (state, _) = model.list_mut();
    let was_open = state.zoom != Zoom::Split || state.pane == Pane::Detail;
    state.zoom = Zoom::Split;
    state.pane = Pane::List;
    state.scroll = 0;
    was_open
}

fn go(model: &mut Model, page: Page) {
    model.page = page;
}

fn switch(model: &mut Model, index: usize) -> Vec<Effect> {
    if index >= model.environments.len() {
        return Vec::new();
    }
    model.current = index;
    model.overview.environment = index;
    model.rebuild();
    requests::entered(model)
}

fn open(model: &mut Model) -> Vec<Effect> {
    if model.page != Page::Overview {
        let (state, _) = model.list_mut();
        state.zoom = Zoom::Full;
        state.scroll = 0;
        return Vec::new();
    }
    match model.overview.half {
        Half::Environments => return switch(model, model.overview.environment),
        Half::Needs => {
            let Some(need) = model.overview.needs.get(model.overview.line) else { return Vec::new() };
            let (page, id) = (Page::of(need.kind()), need.mark(model.environment()));
            model.page = page;
            if let Some(id) = id {
                let (state, env) = model.list_mut();
                state.reach(id, page, env);
            }
        }
    }
    Vec::new()
}

fn other_pane(model: &mut Model) {
    if model.page == Page::Overview {
        model.overview.half = match model.overview.half {
            Half::Environments => Half::Needs,
            Half::Needs => Half::Environments,
        };
        return;
    }
    let hidden = Areas::of(model).is_none_or(|areas| Panes::of(model, areas.body).detail.is_none());
    let (state, _) = model.list_mut();
    match (state.zoom, state.pane) {
        (Zoom::Split, Pane::List) if hidden => state.zoom = Zoom::Full,
        (Zoom::Split, Pane::List) => state.pane = Pane::Detail,
        (Zoom::Split, Pane::Detail) => state.pane = Pane::List,
        (Zoom::Full | Zoom::Diff, _) => state.zoom = Zoom::Split,
    }
}

fn toggle_diff(model: &mut Model) {
    let (state, _) = model.list_mut();
    state.zoom = if state.zoom == Zoom::Diff { Zoom::Split } else { Zoom::Diff };
    state.scroll = 0;
}

fn seek(model: &mut Model, forward: bool) {
    let by = if forward { 1 } else { -1 };
    if model.page == Page::Overview {
        model.overview.half = Half::Needs;
        return step(model, by);
    }
    if model.list().zoom == Zoom::Diff {
        return seek_in_diff(model, forward);
    }
    if in_detail(model) && seek_row(model, forward) {
        return;
    }
    let (state, env) = model.list_mut();
    if !state.seek(forward, env) {
        model.notice = Some(String::from(if forward { "no further difference" } else { "no difference before this" }));
    }
}

fn in_detail(model: &Model) -> bool {
    model.list().zoom == Zoom::Full || model.list().pane == Pane::Detail
}

fn seek_row(model: &mut Model, forward: bool) -> bool {
    let Some(item) = model.shown() else { return false };
    let rows = shown_rows(item, model.list().show);
    let here = model.list().row;
    let wanted = |at: &usize| rows.get(*at).is_some_and(|&row| item.rows[row].verdict.needs_attention());
    let found =
        if forward { (here + 1..rows.len()).find(wanted) } else { (0..here.min(rows.len())).rev().find(wanted) };
    if let Some(row) = found {
        model.list_mut().0.row = row;
    }
    found.is_some()
}

fn seek_in_diff(model: &mut Model, forward: bool) {
    let starts = diff::of_selected(model).starts();
    let here = model.list().scroll;
    let found = if forward { starts.iter().find(|&&at| at > here) } else { starts.iter().rev().find(|&&at| at < here) };
    match found {
        Some(&line) => model.list_mut().0.scroll = line,
        None => model.notice = Some(String::from("no further change here; esc goes back")),
    }
    clamp_scroll(model);
}

fn half(model: &Model) -> isize {
    let height = Areas::of(model).map_or(10, |areas| {
        let area = match model.page {
            Page::Overview => halves(model, areas.body).1,
            _ => Panes::of(model, areas.body).list.unwrap_or(areas.body),
        };
        area.height
    });
    isize::try_from(height / 2).unwrap_or(5).max(1)
}

fn step(model: &mut Model, by: isize) {
    if let Some(Overlay::Help { scroll }) = model.overlays.last() {
        let height = Areas::of(model).map_or(10, |areas| usize::from(areas.body.height));
        let last = help_lines(model).len().saturating_sub(height);
        let to = scroll.saturating_add_signed(by).min(last);
        if let Some(Overlay::Help { scroll }) = model.overlays.last_mut() {
            *scroll = to;
        }
        return;
    }
    if model.page == Page::Overview {
        let last = model.environments.len().saturating_sub(1);
        match model.overview.half {
            Half::Environments => {
                model.overview.environment = model.overview.environment.saturating_add_signed(by).min(last);
            }
            Half::Needs => {
                let env = &model.environments[model.current];
                model.overview.step(by, env);
            }
        }
        return;
    }
    if !in_detail(model) && model.list().zoom == Zoom::Split {
        let (state, env) = model.list_mut();
        return state.step(by, env);
    }
    let rows = model.shown().map_or(0, |item| shown_rows(item, model.list().show).len());
    let (state, _) = model.list_mut();
    if state.zoom != Zoom::Diff && rows > 0 {
        state.row = state.row.saturating_add_signed(by).min(rows - 1);
        return;
    }
    state.scroll = state.scroll.saturating_add_signed(by);
    clamp_scroll(model);
}

fn clamp_scroll(model: &mut Model) {
    let Some(areas) = Areas::of(model) else { return };
    let height = usize::from(areas.body.height).saturating_sub(3);
    let lines = match model.list().zoom {
        Zoom::Diff => diff::of_selected(model).lines.len(),
        Zoom::Full | Zoom::Split => crate::console::view::detail_height(model, areas.body),
    };
    let (state, _) = model.list_mut();
    state.scroll = state.scroll.min(lines.saturating_sub(height));
}

fn reveal(model: &mut Model) -> Vec<Effect> {
    if let Some(Revealing::Shown { .. }) = model.revealed() {
        model.reveal = None;
        return Vec::new();
    }
    if matches!(model.revealed(), Some(Revealing::Reading(_))) {
        return Vec::new();
    }
    let Some(item) = model.selected() else { return Vec::new() };
    let (id, unread) = (ItemId::of(item), has_unread(item));
    let environment = model.current;
    if !unread {
        let until = model.clock.now + requests::REVEALED;
        model.reveal = Some(Reveal { environment, id, state: Revealing::Shown { item: None, until } });
        return Vec::new();
    }
    let job = model.job();
    let effect = Effect::Reveal(job.generation, model.environment().target(), id.kind, id.name.clone());
    model.reveal = Some(Reveal { environment, id, state: Revealing::Reading(job) });
    vec![effect]
}
