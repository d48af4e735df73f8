//! Opening, leaving, and what is shown meanwhile.

use super::keys::{edit_filter, filter, leave_overlay};
use super::{asks, changes, crypto, data, deploy, pipeline, requests};
use crate::console::action::Action;
use crate::console::effect::Effect;
use crate::console::layout::{Areas, Panes};
use crate::console::model::{Model, Reveal, Revealing, Sent, has_unread};
use crate::console::overlay::{Rollout, Work};
use crate::console::page::overview::Half;
use crate::console::page::{Filter, ItemId, Page, Pane, Zoom};

pub(super) fn open(model: &mut Model) -> Vec<Effect> {
    if model.page == Page::Crypto {
        return crypto::open(model);
    }
    if model.page == Page::Data {
        return data::open(model);
    }
    if model.page == Page::Deploy {
        return deploy::open(model);
    }
    if model.page == Page::Pipeline {
        return pipeline::open(model);
    }
    if model.page != Page::Overview {
        let (state, _) = model.list_mut();
        state.zoom = Zoom::Full;
        state.scroll = 0;
        return changes::read_layers(model).into_iter().collect();
    }
    match model.overview.half {
        // The cursor has made it the current one already.
        Half::Environments => model.overview.half = Half::Needs,
        Half::Needs => to_selected(model),
    }
    Vec::new()
}

/// From the overview to the page of what is selected there, which is selected there too. Elsewhere one is there already.
pub(super) fn to_selected(model: &mut Model) {
    if model.page != Page::Overview {
        return;
    }
    let Some(need) = model.overview.needs.get(model.overview.line) else { return };
    let (page, id) = (Page::of(need.kind()), need.mark(model.environment()));
    model.page = page;
    close(model);
    if let Some(id) = id {
        let (state, env) = model.list_mut();
        state.reach(id, page, env);
    }
}

pub(super) fn switch(model: &mut Model, index: usize) -> Vec<Effect> {
    if index >= model.environments.len() {
        return Vec::new();
    }
    model.leave_environment();
    model.current = index;
    if !model.environment().has(model.page) {
        model.page = Page::Overview;
    }
    model.overview.top = None;
    model.rebuild();
    asks::entered(model)
}

/// Goes to a page; to the one that is looked at by closing what is open on it.
pub(super) fn go(model: &mut Model, page: Page) {
    if page == Page::Crypto && !model.environment().has_crypto() {
        model.notice = Some(String::from(crypto::NONE));
        return;
    }
    if page == Page::Pipeline && !model.environment().has_pipeline() {
        model.notice = Some(String::from(pipeline::NONE));
        return;
    }
    if page == Page::Data && !model.environment().has_intake() {
        model.notice = Some(String::from(data::NONE));
        return;
    }
    if model.page == page {
        close(model);
    }
    model.page = page;
}

pub(super) fn other_pane(model: &mut Model) {
    if model.page == Page::Overview {
        model.overview.half = match model.overview.half {
            Half::Environments => Half::Needs,
            Half::Needs => Half::Environments,
        };
        return;
    }
    if model.page == Page::Crypto {
        return crypto::other_part(model);
    }
    if model.page == Page::Data {
        return data::other_part(model);
    }
    if model.page == Page::Deploy {
        return deploy::other_part(model);
    }
    if model.page == Page::Pipeline {
        return pipeline::other_part(model);
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

pub(super) fn toggle_diff(model: &mut Model) {
    to_selected(model);
    let (state, _) = model.list_mut();
    state.zoom = if state.zoom == Zoom::Diff { Zoom::Split } else { Zoom::Diff };
    state.scroll = 0;
}

pub(super) fn back(model: &mut Model) -> Vec<Effect> {
    if changes::back(model) {
        return Vec::new();
    }
    if !model.overlays.is_empty() {
        return leave_overlay(model);
    }
    if let Some(effects) = asks::cancel(model) {
        return effects;
    }
    if close(model) {
        return Vec::new();
    }
    if filter(model).text.is_empty() {
        let quit = model.keymap.key(Action::Quit);
        let does = if model.page == Page::Overview { "quits" } else { "leads to the overview" };
        model.notice = Some(format!("nothing is open here: {quit} {does}"));
    } else {
        edit_filter(model, |filter| *filter = Filter::default());
    }
    Vec::new()
}

/// Whether there is nothing on the page that going back would leave: neither an overlay nor a part of it that is open, nor
/// a filter.
pub(in crate::console) fn is_at_rest(model: &Model) -> bool {
    model.overlays.is_empty() && !is_open(model) && filter(model).text.is_empty()
}

/// Whether something is open on the page.
pub(in crate::console) fn is_open(model: &Model) -> bool {
    match model.page {
        Page::Data => model.data.open.is_some(),
        Page::Pipeline => model.pipeline.below,
        page => page.is_list() && (model.list().zoom != Zoom::Split || model.list().pane == Pane::Detail),
    }
}

pub(super) fn leave(model: &mut Model) -> Vec<Effect> {
    if changes::back(model) {
        return Vec::new();
    }
    if !model.overlays.is_empty() {
        return leave_overlay(model);
    }
    if close(model) {
        return Vec::new();
    }
    if model.page == Page::Overview {
        return quit(model);
    }
    go(model, Page::Overview);
    Vec::new()
}

/// Leaves; while something is being written only when it is said again, since what was begun would be given up.
pub(super) fn quit(model: &mut Model) -> Vec<Effect> {
    if let Some(name) = model.unfinished().filter(|_| !model.leaving) {
        let is_rollout = |sent: &Sent| matches!(sent.work, Work::Rollout(_) | Work::Command(_));
        let by = |is: fn(&Rollout) -> bool| {
            model.sent.iter().any(|sent: &Sent| matches!(&sent.work, Work::Rollout(rollout) if is(rollout)))
        };
        let rest = if !model.sent.iter().all(is_rollout) {
            "leaves it unfinished"
        } else if by(|rollout| matches!(rollout, Rollout::Redeploy(_))) {
            "leaves it to GitHub"
        } else if by(|rollout| matches!(rollout, Rollout::Pipeline(_))) {
            "leaves it to the pipeline"
        } else {
            "leaves it to CloudFormation"
        };
        model.notice = Some(format!("writing to {name}: plumb ends when that is done; once more {rest}"));
        model.leaving = true;
        return Vec::new();
    }
    model.over = true;
    vec![Effect::Quit]
}

/// Closes what is open on the page; false when nothing is.
fn close(model: &mut Model) -> bool {
    let was_open = is_open(model);
    model.pipeline.below &= model.page != Page::Pipeline;
    if model.page == Page::Data {
        return data::close(model);
    }
    if !model.page.is_list() {
        return was_open;
    }
    let (state, _) = model.list_mut();
    state.zoom = Zoom::Split;
    state.pane = Pane::List;
    state.scroll = 0;
    was_open
}

pub(super) fn reveal(model: &mut Model) -> Vec<Effect> {
    if let Some(Revealing::Shown { .. }) = model.revealed() {
        model.reveal = None;
        return Vec::new();
    }
    if matches!(model.revealed(), Some(Revealing::Reading(_))) {
        return Vec::new();
    }
    let Some(item) = model.selected() else { return Vec::new() };
    let old = model.environment().is_remembered(item);
    let (id, unread) = (ItemId::of(item), old || has_unread(item));
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
