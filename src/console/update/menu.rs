//! The second key, in a menu.

use super::custom;
use super::keys::{act, edit_filter};
use crate::console::action::{Action, Scope};
use crate::console::effect::Effect;
use crate::console::keymap::Key;
use crate::console::model::Model;
use crate::console::overlay::{Menu, Overlay};

/// Opens the menu of an action, if it is one that has a menu.
pub(super) fn open(model: &mut Model, action: Action) -> bool {
    let menu = Menu::opened_by(action);
    if let Some(menu) = menu {
        model.overlays.push(Overlay::Menu(menu.scope));
    }
    menu.is_some()
}

/// Whatever the key is, it leaves the menu.
pub(super) fn press(model: &mut Model, scope: Scope, key: Key) -> Vec<Effect> {
    if let Some(action) = model.keymap.action(key, &[Scope::Always]) {
        return act(model, action);
    }
    model.overlays.pop();
    let Some(menu) = Menu::of(scope) else { return Vec::new() };
    if let Some(action) = menu.action(&model.keymap, key) {
        return act(model, action);
    }
    if let Some(own) = custom::of_key(model, key).filter(|_| scope == Scope::Actions) {
        return custom::start(model, own);
    }
    if key != Key::Esc && model.keymap.action(key, &[Scope::Back]) != Some(Action::Back) {
        let opener = model.keymap.key(menu.opener);
        model.notice = Some(format!("{opener} {key} does nothing: {opener} shows what there is"));
    }
    Vec::new()
}

/// Narrows the list to what has the selected item's path.
pub(super) fn neighbours(model: &mut Model) {
    let Some(name) = model.selected().map(|item| item.name.clone()) else { return };
    match name.rfind('/').filter(|at| *at > 0) {
        Some(end) => edit_filter(model, |filter| name[..=end].clone_into(&mut filter.text)),
        None => model.notice = Some(format!("{name} lies beside nothing: it has no path")),
    }
}
