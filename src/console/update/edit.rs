//! The field of a value: opened, filled, and taken into the change list.

use zeroize::Zeroizing;

use super::changes::{ask, propose};
use super::opens::to_selected;
use crate::compare::{Kind, Why};
use crate::console::changes::{ChangeAsk, SHOWN};
use crate::console::effect::Effect;
use crate::console::home::Outside;
use crate::console::keymap::Key;
use crate::console::message::Generation;
use crate::console::model::Model;
use crate::console::overlay::{Edit, Filling, Line, Overlay, Purpose};
use crate::ops::config::changes::{Change, Desk, Place, Proposal, Subject, Value, Verdict};
use crate::secret::Secret;

/// Why the selected item has no value in config.
pub(in crate::console) fn no_config(model: &Model) -> Option<&'static str> {
    match model.selected().map(|item| item.kind) {
        Some(Kind::Parameter | Kind::Secret) => None,
        Some(Kind::Stack | Kind::Code) => Some("only parameters and secrets are in config"),
        None => Some("no item is selected"),
    }
}

pub(super) fn subject(model: &Model) -> Option<(Subject, String)> {
    let item = model.selected()?;
    let subject = Subject::Item { kind: item.kind, unit: item.unit.clone(), name: item.name.clone() };
    Some((subject, item.name.clone()))
}

/// Opens the field of the selected item.
pub(super) fn edit(model: &mut Model) -> Vec<Effect> {
    to_selected(model);
    let Some((subject, name)) = subject(model) else { return Vec::new() };
    open(model, Purpose::Edit, name, subject)
}

/// Opens it with the live value.
pub(super) fn adopt(model: &mut Model) -> Vec<Effect> {
    let Some((subject, name)) = subject(model) else { return Vec::new() };
    open(model, Purpose::Adopt, name, subject)
}

/// Opens it for a key that is not there yet.
pub(super) fn add(model: &mut Model) -> Vec<Effect> {
    open(model, Purpose::Add, String::new(), Subject::Key)
}

/// Opens it for a change of the list.
pub(super) fn again(model: &mut Model, place: Place) -> Vec<Effect> {
    let title = format!("{} {} {}", place.service, place.layer, place.key());
    open(model, Purpose::Edit, title, Subject::Place(place))
}

/// Takes the selected item out of the layer that holds it.
pub(super) fn remove(model: &mut Model) -> Vec<Effect> {
    let Some((subject, name)) = subject(model) else { return Vec::new() };
    let proposal = Proposal { subject, shelf: None, key: String::new(), value: None };
    propose(model, proposal, format!("{name} is to be removed"))
}

fn open(model: &mut Model, purpose: Purpose, title: String, subject: Subject) -> Vec<Effect> {
    let environment = model.current;
    let (job, effect) = ask(model, environment, ChangeAsk::Desk(subject.clone(), purpose == Purpose::Adopt));
    model.overlays.push(Overlay::Edit(Box::new(Edit::new(purpose, title, subject, environment, job))));
    vec![effect]
}

/// The field whose request this is.
pub(super) fn of(model: &mut Model, generation: Generation) -> Option<&mut Edit> {
    model.overlays.iter_mut().find_map(|overlay| match overlay {
        Overlay::Edit(edit) if edit.job.generation == generation => Some(&mut **edit),
        _ => None,
    })
}

/// It is read where the value may be put.
pub(super) fn ready(model: &mut Model, generation: Generation, desk: Desk, live: Option<Secret>) {
    let home = model.selected().map(|item| item.unit.clone());
    let Some(edit) = of(model, generation) else { return };
    if edit.filling != Filling::Reading {
        return;
    }
    edit.shelf = desk.chosen;
    if edit.purpose == Purpose::Add {
        edit.shelf = desk.shelves.iter().position(|shelf| Some(&shelf.service) == home.as_ref()).unwrap_or(0);
    }
    edit.desk = Some(Box::new(desk));
    edit.filling = Filling::Ready;
    match (edit.purpose, live) {
        (Purpose::Adopt, Some(live)) => edit.value = live,
        (Purpose::Adopt, None) => {
            let why = Why::new("nothing is live that could be adopted").hint("- removes it from git, too");
            edit.filling = Filling::Failed(why);
        }
        _ => prefill(model, generation),
    }
}

/// Begins with what the list says already, else with what HEAD does.
fn prefill(model: &mut Model, generation: Generation) {
    let Some(edit) = of(model, generation) else { return };
    let (environment, place) = (edit.environment, edit.chosen().map(|shelf| (shelf.file.clone(), shelf.path.clone())));
    let project = model.environments[environment].project().to_owned();
    let listed = |change: &&Change| {
        place.as_ref().is_some_and(|(file, path)| (&change.place.file, &change.place.path) == (file, path))
    };
    let pending = model.changes.of(&project).iter().find(listed).and_then(|change| change.after.clone());
    let Some(edit) = of(model, generation) else { return };
    if let Some(value) = pending.or_else(|| edit.before().cloned()) {
        // What was a number stays one by itself, as long as it is.
        edit.json = value.json && edit.before().is_none();
        edit.value = value.text;
    }
}

fn top(model: &mut Model) -> Option<&mut Edit> {
    match model.overlays.last_mut() {
        Some(Overlay::Edit(edit)) => Some(edit),
        _ => None,
    }
}

/// Changes the value that is typed; answers whether it was the value that heard it.
pub(super) fn change(model: &mut Model, more: usize, change: impl FnOnce(&mut String)) -> bool {
    let Some(edit) = top(model) else { return false };
    if edit.filling != Filling::Ready {
        return true;
    }
    edit.refused = None;
    if edit.line == Line::Value {
        // Room for what is added, so that no copy of the value is left behind where it would have to grow.
        let mut text = Zeroizing::new(String::with_capacity(edit.value.expose().len() + more + 8));
        text.push_str(edit.value.expose());
        change(&mut text);
        edit.value = Secret::new(std::mem::take(&mut *text));
    } else if let Some(field) = edit.field() {
        change(field);
    }
    true
}

/// A letter for a line that is chosen from goes to the next choice.
pub(super) fn letter(model: &mut Model, key: Key) -> bool {
    let Some(edit) = top(model) else { return false };
    let is_choice = matches!(edit.line, Line::Service | Line::Layer);
    match key {
        Key::Char(' ') if is_choice => edit.choose(true),
        Key::Char(c) if edit.line == Line::Generate && !c.is_ascii_digit() => {}
        _ => return false,
    }
    true
}

/// Goes to another line.
pub(super) fn turn(model: &mut Model, forward: bool) {
    if let Some(edit) = top(model) {
        edit.turn(forward);
    }
}

/// Takes another choice; answers whether there is a field at all.
pub(super) fn choose(model: &mut Model, by: isize) -> bool {
    let Some(edit) = top(model) else { return false };
    edit.choose(by > 0);
    true
}

/// Shows the values, or masks them.
pub(super) fn show(model: &mut Model) {
    let until = model.clock.now + SHOWN;
    if let Some(edit) = top(model) {
        edit.shown = if edit.shown.is_some() { None } else { Some(until) };
    }
}

/// Whether the value is a text or JSON.
pub(super) fn toggle_json(model: &mut Model) {
    if let Some(edit) = top(model) {
        edit.json = !edit.json;
        edit.refused = None;
    }
}

/// Has a value made.
pub(super) fn generate(model: &mut Model) -> Vec<Effect> {
    let Some(edit) = top(model) else { return Vec::new() };
    if edit.filling != Filling::Ready {
        return Vec::new();
    }
    let length = edit.length.parse().unwrap_or(0);
    vec![Effect::Generate(edit.job.generation, length, edit.alphabet)]
}

pub(super) fn generated(model: &mut Model, generation: Generation, made: Result<Secret, Why>) -> Vec<Effect> {
    let Some(edit) = of(model, generation) else { return Vec::new() };
    match made {
        Ok(value) => {
            (edit.value, edit.line, edit.refused) = (value, Line::Value, None);
            edit.json = false;
        }
        Err(why) => edit.refused = Some(why),
    }
    Vec::new()
}

/// Has the value edited in the editor.
pub(super) fn editor(model: &mut Model) -> Vec<Effect> {
    let Some(edit) = top(model) else { return Vec::new() };
    if edit.filling != Filling::Ready {
        return Vec::new();
    }
    let name = edit.key().rsplit('/').next().unwrap_or_default();
    let name: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || "_-.".contains(*c)).collect();
    let ending = if edit.json || edit.before().is_some_and(Value::is_structure) { ".json" } else { "" };
    let name = if name.is_empty() { String::from("value") } else { name };
    vec![Effect::Outside(Outside::Value { name: format!("{name}{ending}"), text: edit.value.clone() })]
}

/// The editor has ended.
pub(super) fn typed(model: &mut Model, outcome: Result<Option<Secret>, Why>) -> Vec<Effect> {
    let Some(edit) = top(model) else { return Vec::new() };
    match outcome {
        Ok(Some(value)) => (edit.value, edit.refused, edit.line) = (value, None, Line::Value),
        Ok(None) => {}
        Err(why) => edit.refused = Some(why),
    }
    Vec::new()
}

/// Takes what is filled in into the list, or goes on to the next line.
pub(super) fn accept(model: &mut Model) -> Vec<Effect> {
    let Some(edit) = top(model) else { return Vec::new() };
    match edit.line {
        _ if edit.filling != Filling::Ready => return Vec::new(),
        Line::Generate => return generate(model),
        Line::Value => {}
        Line::Service | Line::Layer | Line::Key => {
            edit.turn(true);
            return Vec::new();
        }
    }
    if let Some(Verdict::Refused(why)) = edit.verdict() {
        edit.refused = Some(Why::new(why));
        return Vec::new();
    }
    let (environment, Some(proposal)) = (edit.environment, edit.proposal()) else { return Vec::new() };
    let (job, effect) = ask(model, environment, ChangeAsk::Propose(Box::new(proposal)));
    if let Some(edit) = top(model) {
        edit.job = job;
        edit.filling = Filling::Keeping;
    }
    vec![effect]
}
