//! What is told below an item's sides: who changed it, where git says it, and how old all this is.

use crate::compare::{Changed, Item, Kind};
use crate::console::model::Model;
use crate::console::page::ItemId;
use crate::console::remote::Remote;
use crate::console::view::list::who as named;
use crate::console::view::overlay::value_told;

/// The facts, each with its title.
pub(super) fn of(model: &Model, item: &Item) -> Vec<(&'static str, String)> {
    let mut facts = Vec::new();
    if let Some(changed) = &item.changed {
        facts.push(("changed", who(model, changed)));
    }
    if let Some(file) = &item.file {
        facts.push(("file", file.clone()));
    }
    facts.extend(layers(model, item));
    if let Some(arn) = item.physical_id.as_ref().filter(|id| *id != &item.name) {
        facts.push((if item.kind == Kind::Secret { "arn" } else { "id" }, arn.clone()));
    }
    facts.extend(ages(model, item));
    facts
}

/// The layers that have the key at HEAD, the one that a service reads first. Read once the item is open.
fn layers(model: &Model, item: &Item) -> Vec<(&'static str, String)> {
    let read = model.changes.layers.as_ref();
    let read = read.filter(|read| read.environment == model.current && read.id.is(item));
    let desk = match read.map(|read| &read.desk) {
        Some(Remote::Ready(desk) | Remote::Stale(desk)) => desk,
        Some(Remote::Failed(why)) => return vec![("layer", format!("? {}", why.reason))],
        Some(Remote::Loading { .. } | Remote::Idle) | None => return Vec::new(),
    };
    let mut told = Vec::new();
    for shelf in &desk.shelves {
        let value = match &shelf.standing {
            Ok(None) => continue,
            Ok(Some(value)) => value_told(model, Some(value), model.is_revealed()).0,
            Err(why) => format!("? {}", why.reason),
        };
        // The environment's own layer comes first, and is what a service reads.
        let title = if told.is_empty() { "layer" } else { "shadows" };
        told.push((title, format!("{}  {value}  {}", shelf.layer, shelf.file)));
    }
    told
}

/// How old each side is: when live was read, when it was rolled out, and when git was fetched.
fn ages(model: &Model, item: &Item) -> Option<(&'static str, String)> {
    let (env, id) = (model.environment(), ItemId::of(item));
    let age = |at: i64| format!("{} ago", model.clock.age(at));
    let unit = env.unit(item.kind, &item.unit);
    let read = env.times.of_item(&id).map(|at| {
        let stale = env.times.item_missed(&id);
        let stale = stale.map(|how| format!(", stale: {}", how.word())).unwrap_or_default();
        format!("live read {}{stale}", age(at))
    });
    let checked = unit.filter(|_| item.kind == Kind::Stack).and_then(|unit| unit.drift_checked_at);
    let parts = [
        read,
        checked.map(|at| format!("drift checked {}", age(at))),
        unit.and_then(|unit| unit.rolled_out_at).map(|at| format!("rolled out {}", age(at))),
        env.commit.value().and_then(|commit| commit.fetched_at).map(|at| format!("git fetched {}", age(at))),
    ];
    let text = parts.into_iter().flatten().collect::<Vec<_>>().join("   ");
    (!text.is_empty()).then_some(("age", text))
}

fn who(model: &Model, changed: &Changed) -> String {
    let at = changed.at.map(|at| format!("{}, {} ago", model.clock.moment(at), model.clock.age(at)));
    let by = changed.by.as_ref().map(|by| format!("by {}", named(by)));
    let key = changed.access_key.as_deref().map(|key| format!("key {}", short_key(key)));
    let event = changed.event.as_ref().map(|event| format!("({event})"));
    at.into_iter().chain(by).chain(key).chain(event).collect::<Vec<_>>().join("  ")
}

/// `AKIA…7Q2F`: enough to find it, not enough to be copied from a screenshot.
fn short_key(key: &str) -> String {
    if key.len() > 12 && key.is_ascii() { format!("{}…{}", &key[..4], &key[key.len() - 4..]) } else { key.to_owned() }
}
