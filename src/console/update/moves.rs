//! Moving: lines, rows, and from difference to difference.

use super::changes;
use super::mode;
use super::opens::switch;
use super::{crypto, data, deploy, pipeline};
use crate::console::diff;
use crate::console::effect::Effect;
use crate::console::layout::{Areas, Panes, halves};
use crate::console::model::Model;
use crate::console::overlay::Overlay;
use crate::console::page::list::shown_rows;
use crate::console::page::overview::{self, Half};
use crate::console::page::{Page, Pane, Zoom};

pub(super) fn step(model: &mut Model, by: isize) -> Vec<Effect> {
    if let Some(Overlay::Journal(journal)) = model.overlays.last_mut() {
        journal.step(by);
        return Vec::new();
    }
    match model.overlays.last_mut() {
        Some(Overlay::Plan(_)) => {
            mode::scroll(model, by);
            return Vec::new();
        }
        Some(Overlay::History(history)) => {
            history.step(by);
            return Vec::new();
        }
        Some(Overlay::Promote(promote)) => {
            promote.step(by);
            return Vec::new();
        }
        _ => {}
    }
    if changes::step(model, by) {
        return Vec::new();
    }
    if model.overlays.is_empty() && model.page == Page::Overview && model.overview.half == Half::Environments {
        return step_environment(model, by);
    }
    step_here(model, by);
    Vec::new()
}

/// Moves to another environment among those that are shown; it becomes the current one.
fn step_environment(model: &mut Model, by: isize) -> Vec<Effect> {
    let shown: Vec<usize> = overview::environments(model).collect();
    let here = shown.iter().position(|index| *index == model.current).unwrap_or(0);
    let to = here.saturating_add_signed(by).min(shown.len().saturating_sub(1));
    match shown.get(to) {
        Some(&index) if index != model.current => switch(model, index),
        _ => Vec::new(),
    }
}

/// Moves to the first environment that the filter shows, when it hides the current one.
pub(super) fn to_shown(model: &mut Model) -> Vec<Effect> {
    let mut shown = overview::environments(model);
    match shown.next() {
        Some(first) if first != model.current && shown.all(|index| index != model.current) => switch(model, first),
        _ => Vec::new(),
    }
}

fn step_here(model: &mut Model, by: isize) {
    if model.page == Page::Crypto {
        return crypto::step(model, by);
    }
    if model.page == Page::Data {
        return data::step(model, by);
    }
    if model.page == Page::Deploy {
        return deploy::step(model, by);
    }
    if model.page == Page::Pipeline {
        return pipeline::step(model, by);
    }
    if model.page == Page::Overview {
        let env = &model.environments[model.current];
        return model.overview.step(by, env);
    }
    if !in_detail(model) && model.list().zoom == Zoom::Split {
        let (state, env) = model.list_mut();
        return state.step(by, env);
    }
    if model.list().zoom == Zoom::Diff {
        return diff::scroll(model, by);
    }
    let rows = model.shown().map_or(0, |item| shown_rows(item, model.list().show).len());
    let (state, _) = model.list_mut();
    if rows > 0 {
        state.row = state.row.saturating_add_signed(by).min(rows - 1);
        return;
    }
    state.scroll = state.scroll.saturating_add_signed(by);
    clamp_scroll(model);
}

pub(super) fn half(model: &Model) -> isize {
    let height = Areas::of(model).map_or(10, |areas| {
        let area = match model.page {
            Page::Overview => halves(model, areas.body).1,
            _ => Panes::of(model, areas.body).list.unwrap_or(areas.body),
        };
        area.height
    });
    isize::try_from(height / 2).unwrap_or(5).max(1)
}

pub(super) fn seek(model: &mut Model, forward: bool) {
    let by = if forward { 1 } else { -1 };
    if model.page == Page::Crypto {
        if !crypto::seek(model, forward) {
            model.notice = Some(String::from("no further check that did not pass"));
        }
        return;
    }
    if model.page == Page::Data {
        if !data::seek(model, forward) {
            model.notice = Some(String::from("no further week that is not proven"));
        }
        return;
    }
    if model.page == Page::Deploy {
        model.notice = Some(String::from("this page shows no differences"));
        return;
    }
    if model.page == Page::Pipeline {
        model.notice = pipeline::seek(model, forward).err();
        return;
    }
    if model.page == Page::Overview {
        let before = (model.overview.half, model.overview.line);
        model.overview.half = Half::Needs;
        step_here(model, by);
        if before == (Half::Needs, model.overview.line) {
            model.notice = Some(no_further(forward));
        }
        return;
    }
    if model.list().zoom == Zoom::Diff {
        return seek_in_diff(model, forward);
    }
    if in_detail(model) && seek_row(model, forward) {
        return;
    }
    let (state, env) = model.list_mut();
    if !state.seek(forward, env) {
        model.notice = Some(no_further(forward));
    }
}

fn no_further(forward: bool) -> String {
    String::from(if forward { "no further difference" } else { "no difference before this" })
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

/// Within the diff first, then on to that of the next difference.
fn seek_in_diff(model: &mut Model, forward: bool) {
    if diff::seek(model, forward) {
        return;
    }
    let (state, env) = model.list_mut();
    if !state.seek(forward, env) {
        model.notice = Some(String::from(if forward { "no further change" } else { "no change before this" }));
        return;
    }
    if !forward {
        diff::settle(model);
        diff::to_last(model);
    }
}

fn in_detail(model: &Model) -> bool {
    model.list().zoom == Zoom::Full || model.list().pane == Pane::Detail
}

fn clamp_scroll(model: &mut Model) {
    let Some(areas) = Areas::of(model) else { return };
    let height = usize::from(areas.body.height).saturating_sub(3);
    let lines = crate::console::view::detail_height(model, areas.body);
    let (state, _) = model.list_mut();
    state.scroll = state.scroll.min(lines.saturating_sub(height));
}
