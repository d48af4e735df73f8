//! A change is taken into the list: where it goes, what stands there now, and whether it can be what it is to be.

use super::base::Base;
use super::desk::{self, Shelf};
use super::{Change, Kept, Place, Proposal, Subject, Value, Verdict, value_at};
use crate::compare::Why;
use crate::config::mapping::{self, Sorted};
use crate::config::{Bindings, Settings};
use crate::ops::config::change::value;
use crate::ops::config::keys;
use crate::ops::config::layer::SECRETS;
use crate::ops::config::opener::Opener;
use crate::ops::inspect::doc_node;
use crate::sops::Node;

/// Takes a change into the list, in the place of an earlier one of the same value; answers the list, once it is on the
/// disk. A value that HEAD has already takes the earlier one back.
pub fn propose(
    opener: &Opener,
    settings: &Settings,
    bindings: &Bindings,
    kept: &Kept,
    proposal: &Proposal,
) -> Result<Vec<Change>, Why> {
    let base = Base::open(settings)?;
    let (settings, bindings) = &in_layer(settings, bindings, proposal);
    let desk = desk::on(&base, opener, settings, bindings, &proposal.subject)?;
    let shelf = match &proposal.shelf {
        None => desk.shelves.get(desk.chosen),
        Some((service, layer)) => desk.shelves.iter().find(|shelf| shelf.service == *service && shelf.layer == *layer),
    };
    let shelf = shelf.ok_or_else(|| {
        let (service, layer) = proposal.shelf.clone().unwrap_or_default();
        Why::new(format!("there is no layer {layer} of {service} at HEAD"))
    })?;
    let key = if desk.key.is_empty() { proposal.key.trim() } else { &desk.key };
    let change = change(&base, opener, settings, shelf, key, proposal)?;
    let is_news = change.after != change.before;
    let (changes, was_there) = kept.change(|list| {
        let at = list.iter().position(|other| other.place.is(&change.place));
        match (at, is_news) {
            (Some(at), true) => list[at] = change,
            (Some(at), false) => drop(list.remove(at)),
            (None, true) => list.push(change),
            (None, false) => {}
        }
        at.is_some()
    })?;
    if !is_news && !was_there {
        return Err(Why::new(format!("{} says so already at HEAD", shelf.file)));
    }
    Ok(changes)
}

/// A key's layer may be another environment's than the one that is looked at.
fn in_layer(settings: &Settings, bindings: &Bindings, proposal: &Proposal) -> (Settings, Bindings) {
    let (mut settings, mut bindings) = (settings.clone(), bindings.clone());
    let layer = proposal.shelf.as_ref().filter(|_| proposal.subject == Subject::Key).map(|(_, layer)| layer.clone());
    let other = settings.environments.iter().find(|each| Some(&each.name) == layer.as_ref());
    if let Some(other) = other.cloned() {
        bindings.env = Some(other.name.clone());
        settings.environment = other;
    }
    (settings, bindings)
}

fn change(
    base: &Base,
    opener: &Opener,
    settings: &Settings,
    shelf: &Shelf,
    key: &str,
    proposal: &Proposal,
) -> Result<Change, Why> {
    let found = base.node(opener, &shelf.file)?;
    let node = found.clone().unwrap_or_else(|| Node::Map(Vec::new()));
    let is_whole = shelf.is_whole();
    let path = match &shelf.path {
        path if is_whole || !path.is_empty() => path.clone(),
        _ => keys::path_of(&node, key, &shelf.joiner),
    };
    let before = found.as_ref().and_then(|node| value_at(node, &path));
    let service = if is_whole { SECRETS.to_owned() } else { shelf.service.clone() };
    let place = Place { service, layer: shelf.layer.clone(), file: shelf.file.clone(), path };
    let Some(input) = &proposal.value else {
        let absent = || Why::new(format!("HEAD has no {} in {}: there is nothing to remove", place.key(), place.file));
        // One that was to be added is no longer.
        return match before {
            None if proposal.shelf.is_none() => Err(absent()),
            before => Ok(Change { place, before, after: None }),
        };
    };
    if let Verdict::Refused(why) = shelf.verdict(key, input, before.as_ref()) {
        return Err(Why::new(why));
    }
    let structure = is_whole || before.as_ref().is_some_and(Value::is_structure);
    let steps: Vec<&str> = place.path.iter().map(String::as_str).collect();
    let after = match input {
        // What stands there is JSON, and so is what it becomes.
        super::Input::Text(text) if structure => super::json(text)?,
        input => value(input, node.get(&steps))?,
    };
    let mut changed = node.clone();
    keys::put(&mut changed, &place.path, after.clone())
        .map_err(|why| Why { reason: format!("cannot set {key}: {}", why.reason), ..why })?;
    fits(settings, shelf, &node, &changed)?;
    Ok(Change { place, before, after: Some(Value::of(&after)) })
}

/// Whether a document with a change can still become what it should: a key beside its own parts cannot.
fn fits(settings: &Settings, shelf: &Shelf, before: &Node, after: &Node) -> Result<(), Why> {
    let env = shelf.reaches.first().unwrap_or(&settings.environment.name);
    let sorted = mapping::sort_files(&settings.project, env, &[&shelf.file]);
    let problems = |node: &Node| mapped(settings, &sorted, node);
    let known = problems(before);
    match problems(after).into_iter().find(|problem| !known.contains(problem)) {
        Some((key, why)) => Err(Why::new(format!("{key}: {why}"))),
        None => Ok(()),
    }
}

fn mapped(settings: &Settings, sorted: &Sorted, node: &Node) -> Vec<(String, String)> {
    let document = doc_node(node);
    let mapped = mapping::map(&settings.project, sorted, |_| Some(&document));
    mapped.problems.into_iter().map(|problem| (problem.key, problem.why)).collect()
}
