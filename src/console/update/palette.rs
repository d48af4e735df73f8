//! The palette and the searchable keys: opening, narrowing, taking a find.

use super::asks;
use super::commands;
use super::custom;
use super::keys::{act, context_below};
use super::opens::switch;
use crate::console::action::Action;
use crate::console::command::{self, Verb};
use crate::console::effect::Effect;
use crate::console::memory::Recent;
use crate::console::model::Model;
use crate::console::overlay::{Help, Listed, Overlay, Palette, What};
use crate::console::page::{ItemId, Mark, Page};

/// Opens the palette, and has the refs listed for it.
pub(super) fn open(model: &mut Model) -> Vec<Effect> {
    let mut palette = Palette::default();
    palette.search(model, false);
    model.overlays.push(Overlay::Palette(palette));
    asks::ask_refs(model)
}

/// Opens the keys, or closes them when they are what is open.
pub(super) fn help(model: &mut Model) {
    if matches!(model.overlays.last(), Some(Overlay::Help(_))) {
        model.overlays.pop();
    } else {
        model.overlays.push(Overlay::Help(Help::default()));
    }
}

/// Finds anew, since the text or what there is has changed.
pub(super) fn search(model: &mut Model, keep: bool) {
    if !matches!(model.overlays.last(), Some(Overlay::Palette(_))) {
        return;
    }
    let Some(Overlay::Palette(mut palette)) = model.overlays.pop() else { return };
    palette.search(model, keep);
    model.overlays.push(Overlay::Palette(palette));
}

/// Finds anew after something was read; the chosen line stays on its find.
pub(super) fn search_again(model: &mut Model) {
    search(model, true);
}

/// Does the action chosen in the keys, on what lies below them.
pub(super) fn take_key(model: &mut Model) -> Vec<Effect> {
    let Some(Overlay::Help(help)) = model.overlays.last() else { return Vec::new() };
    match help.found(model).get(help.line).copied() {
        Some(Listed::Action(action)) => leave_and_act(model, action),
        Some(Listed::Own(index)) => leave_and_start(model, index),
        None => Vec::new(),
    }
}

/// Takes the chosen find of the palette.
pub(super) fn take(model: &mut Model) -> Vec<Effect> {
    let Some(Overlay::Palette(palette)) = model.overlays.last() else { return Vec::new() };
    let Some(what) = palette.found.get(palette.line).cloned() else { return Vec::new() };
    match what {
        What::Action(action) => {
            let mut effects = leave_and_act(model, action);
            if !matches!(model.overlays.last(), Some(Overlay::Palette(_))) {
                effects.push(remember(model, &Recent::Action(action)));
            }
            effects
        }
        What::Own(index) => leave_and_start(model, index),
        What::Verb(name) => {
            if let Some(Overlay::Palette(palette)) = model.overlays.last_mut() {
                palette.text = format!("{name} ");
            }
            search(model, false);
            // What takes nothing, or nothing of necessity, is done by the next enter.
            Vec::new()
        }
        What::Typed(line) => match command::parse(&line) {
            Ok(command) => {
                let mut effects = commands::run(model, command);
                // What cannot be carried out leaves the palette open. Nothing is kept of a console that is left.
                let done = !matches!(model.overlays.last(), Some(Overlay::Palette(_))) && !model.over;
                if let Some(verb) = Verb::named(command::split(&line).0).filter(|_| done) {
                    effects.push(remember(model, &Recent::Command(verb.name)));
                }
                effects
            }
            Err(why) => {
                model.notice = Some(why);
                Vec::new()
            }
        },
        What::Environment(name) => go_to_environment(model, &name).unwrap_or_else(|why| {
            model.notice = Some(why);
            Vec::new()
        }),
        What::Ref(name) => {
            model.overlays.pop();
            let mut effects = asks::compare_with(model, Some(name));
            effects.push(remember(model, &Recent::Command("ref")));
            effects
        }
        What::Theme(name) => {
            model.overlays.pop();
            vec![Effect::Theme(name), remember(model, &Recent::Command("theme"))]
        }
        What::Item(id) => {
            model.overlays.pop();
            reach(model, id)
        }
    }
}

/// Closes what is open and goes to the environment of that name.
pub(super) fn go_to_environment(model: &mut Model, name: &str) -> Result<Vec<Effect>, String> {
    let Some(index) = model.environments.iter().position(|env| env.title == name) else {
        let names = model.environments.iter().map(|env| env.title.as_str());
        let meant = crate::console::text::nearest(name, names.clone());
        let rest = meant.map_or_else(
            || format!("there are {}", names.collect::<Vec<_>>().join(", ")),
            |meant| format!("did you mean {meant}?"),
        );
        return Err(format!("there is no environment {name}; {rest}"));
    };
    model.overlays.pop();
    let mut effects = switch(model, index);
    effects.push(remember(model, &Recent::Environment(name.to_owned())));
    Ok(effects)
}

/// Shows an item on its page.
fn reach(model: &mut Model, id: ItemId) -> Vec<Effect> {
    if model.environment().item(&id).is_none() {
        model.notice = Some(format!("{} is gone", id.name));
        return Vec::new();
    }
    let page = Page::of(id.kind);
    model.page = page;
    let (state, env) = model.list_mut();
    state.reach(Mark::Item(id.clone()), page, env);
    vec![remember(model, &Recent::Item(id))]
}

/// What cannot be done says why, and leaves open what it was chosen in.
fn leave_and_act(model: &mut Model, action: Action) -> Vec<Effect> {
    if let Some(why) = action.why_not(model, context_below(model)) {
        model.notice = Some(format!("{}: {why}", action.spec().id));
        return Vec::new();
    }
    model.overlays.pop();
    act(model, action)
}

/// The same with an action of the operator's own.
fn leave_and_start(model: &mut Model, index: usize) -> Vec<Effect> {
    if let Some(why) = custom::disabled(model, index) {
        model.notice = Some(why);
        return Vec::new();
    }
    model.overlays.pop();
    custom::start(model, index)
}

fn remember(model: &mut Model, choice: &Recent) -> Effect {
    model.memory.add(choice);
    Effect::Remember(model.memory.clone())
}
