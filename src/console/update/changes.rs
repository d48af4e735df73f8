//! The change list: what is in it, the files that it makes, and their commit.

use super::asks::read_again;
use super::edit;
use super::outside::with_hint;
use crate::compare::Why;
use crate::console::action::Scope;
use crate::console::changes::{Asked, ChangeAnswer, ChangeAsk, Layers, SHOWN, pending};
use crate::console::effect::Effect;
use crate::console::home::Copy;
use crate::console::keymap::{LISTING, TYPING};
use crate::console::message::Generation;
use crate::console::model::{Job, Model};
use crate::console::overlay::{Changes, Filling, Overlay, Part};
use crate::console::page::ItemId;
use crate::console::remote::Remote;
use crate::ops::config::changes::{Change, Committed, Place, Proposal};
use crate::secret::Secret;

/// The request, and what its answer carries.
pub(super) fn ask(model: &mut Model, environment: usize, ask: ChangeAsk) -> (Job, Effect) {
    let job = model.job();
    (job, Effect::Changes(job.generation, model.environments[environment].target(), ask))
}

/// Asks for something that no overlay waits for.
fn ask_beside(model: &mut Model, environment: usize, wish: ChangeAsk, told: String) -> Effect {
    let (job, effect) = ask(model, environment, wish);
    let project = model.environments[environment].project().to_owned();
    model.changes.asked.push(Asked { generation: job.generation, project, told });
    effect
}

/// Takes a change into the list of the current project; `told` says what it is, once it is there.
pub(in crate::console) fn propose(model: &mut Model, proposal: Proposal, told: String) -> Vec<Effect> {
    let environment = model.current;
    vec![ask_beside(model, environment, ChangeAsk::Propose(Box::new(proposal)), told)]
}

/// Finds what is kept of the current project, when that was not looked for yet.
pub(super) fn entered(model: &mut Model) -> Option<Effect> {
    let project = model.project().to_owned();
    let asked = model.changes.asked.iter().any(|asked| asked.project == project);
    if model.changes.is_known(&project) || asked {
        return None;
    }
    let environment = model.current;
    Some(ask_beside(model, environment, ChangeAsk::List, String::new()))
}

/// Opens the list.
pub(super) fn open(model: &mut Model) -> Vec<Effect> {
    let environment = model.current;
    let (job, effect) = ask(model, environment, ChangeAsk::Preview);
    model.overlays.push(Overlay::Changes(Box::new(Changes::new(environment, job))));
    vec![effect]
}

/// Reads the layers of the selected item, which has been opened.
pub(super) fn read_layers(model: &mut Model) -> Option<Effect> {
    let (subject, _) = edit::subject(model).filter(|_| edit::no_config(model).is_none())?;
    let (environment, id) = (model.current, ItemId::of(model.selected()?));
    let (job, effect) = ask(model, environment, ChangeAsk::Desk(subject, false));
    let desk = Remote::Loading { since: job.since };
    model.changes.layers = Some(Layers { generation: job.generation, environment, id, desk });
    Some(effect)
}

/// What is heard in the list.
pub(super) fn heard(changes: &Changes) -> &'static [Scope] {
    if matches!(changes.part, Part::Message(_)) { TYPING } else { LISTING }
}

/// Why there is nothing in the list to do anything with.
pub(in crate::console) fn nothing_listed(model: &Model) -> Option<&'static str> {
    let done = matches!(model.overlays.last(), Some(Overlay::Changes(list)) if matches!(list.part, Part::Done(_)));
    (model.changes.of(model.project()).is_empty() || done).then_some("the change list is empty: e, a and - fill it")
}

pub(in crate::console) fn no_command(model: &Model) -> Option<&'static str> {
    match model.overlays.last() {
        Some(Overlay::Changes(list)) if matches!(&list.part, Part::Done(done) if !done.commands.is_empty()) => None,
        _ => Some("there is a command to copy once a commit is on a branch of its own"),
    }
}

fn top(model: &mut Model) -> Option<&mut Changes> {
    match model.overlays.last_mut() {
        Some(Overlay::Changes(list)) => Some(list),
        _ => None,
    }
}

fn of(model: &mut Model, generation: Generation) -> Option<&mut Changes> {
    model.overlays.iter_mut().find_map(|overlay| match overlay {
        Overlay::Changes(list) if list.job.generation == generation => Some(&mut **list),
        _ => None,
    })
}

fn project(model: &Model, environment: usize) -> String {
    model.environments[environment].project().to_owned()
}

/// Moves through it; answers whether it is open.
pub(super) fn step(model: &mut Model, by: isize) -> bool {
    let count = model.changes.of(model.project()).len();
    let Some(list) = top(model) else { return false };
    list.dropping = false;
    list.step(by, count);
    true
}

fn selected(model: &mut Model) -> Option<Change> {
    let line = top(model)?.line;
    model.changes.of(model.project()).get(line).cloned()
}

/// Shows the values, or masks them.
pub(super) fn show(model: &mut Model) {
    let until = model.clock.now + SHOWN;
    if let Some(list) = top(model) {
        list.shown = if list.shown.is_some() { None } else { Some(until) };
    }
}

/// The files, or the changes again.
pub(super) fn diff(model: &mut Model) {
    if let Some(list) = top(model) {
        list.part = if matches!(list.part, Part::Diff(_)) { Part::List } else { Part::Diff(0) };
    }
}

/// Opens the field of the selected change.
pub(super) fn edit_again(model: &mut Model) -> Vec<Effect> {
    selected(model).map_or_else(Vec::new, |change| edit::again(model, change.place))
}

/// Drops the selected change.
pub(super) fn drop_one(model: &mut Model) -> Vec<Effect> {
    selected(model).map_or_else(Vec::new, |change| forget(model, vec![change.place]))
}

/// Drops all, when it is said twice.
pub(super) fn drop_all(model: &mut Model) -> Vec<Effect> {
    let count = model.changes.of(model.project()).len();
    let Some(list) = top(model) else { return Vec::new() };
    if !std::mem::replace(&mut list.dropping, true) {
        model.notice = Some(format!("once more drops all {count}: nothing else has them"));
        return Vec::new();
    }
    forget(model, Vec::new())
}

fn forget(model: &mut Model, places: Vec<Place>) -> Vec<Effect> {
    let told = match places.as_slice() {
        [] => String::from("the list is empty"),
        [one] => format!("{} is dropped", one.key()),
        several => format!("{} are dropped", several.len()),
    };
    let environment = model.current;
    if let Some(list) = top(model) {
        list.dropping = false;
    }
    vec![ask_beside(model, environment, ChangeAsk::Drop(places), told)]
}

/// Asks for the message of the commit.
pub(super) fn begin_commit(model: &mut Model) -> Vec<Effect> {
    let Some(list) = top(model) else { return Vec::new() };
    let Some(preview) = list.preview.value() else { return Vec::new() };
    if let Err(why) = &preview.branch {
        list.refused = Some(why.clone());
        return Vec::new();
    }
    list.refused = None;
    list.part = Part::Message(preview.message.clone());
    Vec::new()
}

/// Has it committed.
pub(super) fn commit(model: &mut Model) -> Vec<Effect> {
    let Some(list) = top(model) else { return Vec::new() };
    let Part::Message(message) = &list.part else { return Vec::new() };
    let message = message.trim().to_owned();
    if message.is_empty() {
        list.refused = Some(Why::new("a commit needs a message"));
        return Vec::new();
    }
    let environment = list.environment;
    list.part = Part::Committing(message.clone());
    let job = model.job();
    if let Some(list) = top(model) {
        list.job = job;
    }
    vec![Effect::Commit(job.generation, model.environments[environment].target(), message)]
}

pub(super) fn committed(
    model: &mut Model,
    generation: Generation,
    outcome: Result<Box<Committed>, Why>,
) -> Vec<Effect> {
    let Some(list) = of(model, generation) else {
        model.notice = Some(match outcome {
            Ok(done) => format!("committed on {}", done.branch),
            Err(why) => with_hint(why),
        });
        return Vec::new();
    };
    let environment = list.environment;
    match outcome {
        Ok(done) => {
            let left = done.left.clone();
            list.part = Part::Done(done);
            (list.line, list.refused) = (0, None);
            model.changes.layers = None;
            let project = project(model, environment);
            model.changes.know(&project, Ok(left));
            // What is compared with may be this very branch.
            read_again(model, environment)
        }
        Err(why) => {
            let message = match &list.part {
                Part::Committing(message) => message.clone(),
                _ => String::new(),
            };
            list.part = Part::Message(message);
            list.refused = Some(why);
            Vec::new()
        }
    }
}

/// Copies what has to be typed next.
pub(super) fn copy(model: &mut Model) -> Vec<Effect> {
    let Some(Overlay::Changes(list)) = model.overlays.last() else { return Vec::new() };
    let Part::Done(done) = &list.part else { return Vec::new() };
    let text = Secret::new(done.commands.join(" && "));
    vec![Effect::Copy(Copy { what: String::from("command"), text })]
}

/// Leaves what is open of the list; answers whether something was.
pub(super) fn back(model: &mut Model) -> bool {
    let Some(list) = top(model) else { return false };
    match &list.part {
        Part::Diff(_) | Part::Message(_) => {
            list.part = Part::List;
            list.refused = None;
            true
        }
        // What came of it is told here.
        Part::Committing(_) => true,
        Part::List | Part::Done(_) => false,
    }
}

/// Something about a list is answered.
pub(super) fn answered(model: &mut Model, generation: Generation, answer: Result<ChangeAnswer, Why>) -> Vec<Effect> {
    if let Some(asked) = model.changes.answered(generation) {
        return beside(model, &asked, answer);
    }
    if let Some(layers) = model.changes.layers.as_mut().filter(|layers| layers.generation == generation) {
        layers.desk = match answer {
            Ok(ChangeAnswer::Desk(desk, _)) => Remote::Ready(*desk),
            Ok(_) => Remote::Idle,
            Err(why) => Remote::Failed(why),
        };
        return Vec::new();
    }
    match answer {
        Ok(ChangeAnswer::Desk(desk, live)) => edit::ready(model, generation, *desk, live),
        Ok(ChangeAnswer::Preview(changes, preview)) => {
            let Some(list) = of(model, generation) else { return Vec::new() };
            list.line = list.line.min(changes.len().saturating_sub(1));
            list.preview = Remote::Ready(*preview);
            let environment = list.environment;
            let project = project(model, environment);
            model.changes.know(&project, Ok(changes));
        }
        Ok(ChangeAnswer::List(changes)) => return taken(model, generation, changes),
        Err(why) => {
            if let Some(field) = edit::of(model, generation) {
                if field.filling == Filling::Keeping {
                    field.filling = Filling::Ready;
                    field.refused = Some(why);
                } else {
                    field.filling = Filling::Failed(why);
                }
            } else if let Some(list) = of(model, generation) {
                list.preview = Remote::Failed(why);
            }
        }
    }
    Vec::new()
}

/// What a field asked for is in the list.
fn taken(model: &mut Model, generation: Generation, changes: Vec<Change>) -> Vec<Effect> {
    let Some(field) = edit::of(model, generation) else {
        // It was left meanwhile; what was asked for is done all the same.
        let project = model.project().to_owned();
        model.changes.know(&project, Ok(changes));
        return renew(model);
    };
    let environment = field.environment;
    let whole = field.chosen().filter(|shelf| shelf.is_whole()).map(|shelf| shelf.file.clone());
    let key = whole.unwrap_or_else(|| field.key().to_owned());
    model.overlays.retain(|overlay| !matches!(overlay, Overlay::Edit(edit) if edit.job.generation == generation));
    let project = project(model, environment);
    model.changes.know(&project, Ok(changes));
    told(model, &format!("{key} is in the list"));
    renew(model)
}

fn beside(model: &mut Model, asked: &Asked, answer: Result<ChangeAnswer, Why>) -> Vec<Effect> {
    match answer {
        Ok(ChangeAnswer::List(changes)) => {
            model.changes.know(&asked.project, Ok(changes));
            if !asked.told.is_empty() {
                told(model, &asked.told);
            }
            return renew(model);
        }
        Ok(_) => {}
        Err(why) if asked.told.is_empty() => model.changes.know(&asked.project, Err(why)),
        Err(why) => model.notice = Some(with_hint(why)),
    }
    Vec::new()
}

fn told(model: &mut Model, what: &str) {
    let key = model.keymap.key(crate::console::action::Action::Changes);
    let count = pending(model).map(|pending| format!("; {pending}, {key} shows them")).unwrap_or_default();
    model.notice = Some(format!("{what}{count}"));
}

/// Works out anew what a commit would be, where the list is open.
fn renew(model: &mut Model) -> Vec<Effect> {
    let Some(Overlay::Changes(list)) = model.overlays.last() else { return Vec::new() };
    let environment = list.environment;
    let (job, effect) = ask(model, environment, ChangeAsk::Preview);
    let count = model.changes.of(model.project()).len();
    if let Some(list) = top(model) {
        list.job = job;
        list.line = list.line.min(count.saturating_sub(1));
        if let Remote::Ready(preview) = std::mem::replace(&mut list.preview, Remote::Loading { since: job.since }) {
            list.preview = Remote::Stale(preview);
        }
    }
    vec![effect]
}

/// A request ended without a reply.
pub(super) fn lost(model: &mut Model, generation: Generation, why: &Why) {
    answered(model, generation, Err(why.clone()));
    edit::generated(model, generation, Err(why.clone()));
    if of(model, generation).is_some_and(|list| matches!(list.part, Part::Committing(_))) {
        committed(model, generation, Err(why.clone()));
    }
}

/// Masks what was shown long enough.
pub(super) fn time(model: &mut Model) {
    let now = model.clock.now;
    for overlay in &mut model.overlays {
        let shown = match overlay {
            Overlay::Edit(edit) => &mut edit.shown,
            Overlay::Changes(list) => &mut list.shown,
            _ => continue,
        };
        *shown = shown.filter(|until| *until > now);
    }
}

/// The message of the commit, while it is typed.
pub(super) fn message(model: &mut Model) -> Option<&mut String> {
    match &mut top(model)?.part {
        Part::Message(message) => Some(message),
        _ => None,
    }
}
