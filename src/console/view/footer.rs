//! What can be pressed here, from the table of actions.

use ratatui::layout::Rect;

use super::ink::Ink;
use crate::console::action::{ACTIONS, Action, Scope, Spec};
use crate::console::model::{Model, Revealing};
use crate::console::overlay::Overlay;
use crate::console::page::Page;
use crate::console::page::list::Line;
use crate::console::text;
use crate::console::theme::Role;
use crate::console::update::{context, filter};

pub(super) fn draw(ink: &mut Ink<'_>, model: &Model, area: Rect) {
    ink.rule(area.x, area.y, area.width);
    let (x, y, right) = (area.x + 1, area.y + 1, area.right().saturating_sub(1));
    let mut x = x;
    if model.overlays.is_empty() && filter(model).editing {
        x = ink.put(x, y, 2, "/", Role::Key);
        x = ink.put(x, y, right.saturating_sub(x + 30), &filter(model).text, Role::Input);
        x = ink.put(x, y, 1, ink.symbols().caret, Role::Key) + 2;
        x = ink.put(x, y, 16, &found(model), Role::Dim) + 3;
    } else if let Some(notice) = &model.notice {
        ink.put(x, y, right.saturating_sub(x), notice, Role::Notice);
        return;
    } else if let Some(Revealing::Shown { until, .. }) = model.revealed() {
        let left = (until - model.clock.now + 999).max(0) / 1000;
        x = ink.put(x, y, 30, &format!("revealed, masks in {left} s"), Role::Revealed) + 3;
    }
    hints(ink, model, x, y, right);
}

/// As many hints as fit, in the order of the table; the key of the help always does.
fn hints(ink: &mut Ink<'_>, model: &Model, mut x: u16, y: u16, right: u16) {
    let scopes = context(model);
    let heard = |spec: &&Spec| scopes.contains(&spec.scope) && !spec.hint.is_empty();
    let mut right = right;
    if scopes.contains(&Scope::Back)
        && let Some((key, word)) = hint(model, Action::Help.spec())
    {
        let long = u16::try_from(text::width(&key) + 1 + word.len()).unwrap_or(0);
        let at = right.saturating_sub(long);
        let after = ink.put(at, y, long, &key, Role::Key);
        ink.put(after + 1, y, long, word, Role::Hint);
        right = at.saturating_sub(2);
    }
    for spec in ACTIONS.iter().filter(heard).filter(|spec| spec.action != Action::Help) {
        if (spec.disabled)(model).is_some() || is_idle_back(model, spec.action) {
            continue;
        }
        let Some((key, word)) = hint(model, spec) else { continue };
        let long = u16::try_from(text::width(&key) + 1 + word.len()).unwrap_or(u16::MAX);
        if x.saturating_add(long) > right {
            continue;
        }
        x = ink.put(x, y, long, &key, Role::Key) + 1;
        x = ink.put(x, y, long, word, Role::Hint) + 3;
    }
}

fn hint(model: &Model, spec: &Spec) -> Option<(String, &'static str)> {
    model.keymap.keys(spec.action).next().map(|key| (key.to_string(), spec.hint))
}

/// Going back is worth a hint only where there is something to go back from.
fn is_idle_back(model: &Model, action: Action) -> bool {
    let nothing_open = model.overlays.is_empty()
        && (model.page == Page::Overview || model.list().zoom == crate::console::page::Zoom::Split);
    (action == Action::Back && nothing_open && model.waiting().is_none())
        || (action == Action::Accept && matches!(model.overlays.last(), Some(Overlay::Plan(_))))
        || (action == Action::Quit && !nothing_open && !matches!(model.overlays.last(), Some(Overlay::Help { .. })))
}

fn found(model: &Model) -> String {
    if model.page == Page::Overview {
        return format!("{} found", model.overview.needs.len());
    }
    let items: usize =
        model.list().lines.iter().map(|line| if let Line::Item { more, .. } = line { 1 + more } else { 0 }).sum();
    format!("{items} found")
}
