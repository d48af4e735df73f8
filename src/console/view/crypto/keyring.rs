//! The keyring: its versions, the newest first, and how it is rotated.

use ratatui::layout::Rect;

use super::super::ink::Ink;
use super::{head, is_open};
use crate::compare::Why;
use crate::console::model::Model;
use crate::console::page::crypto::Part;
use crate::console::remote::Remote;
use crate::console::text;
use crate::console::theme::Role;
use crate::ops::crypto::KeyVersion;
use crate::ops::crypto::keyring::{Keyring, Rotation};

/// A line of text.
type Line = (String, Role);

/// What it takes to show all of it, its head included.
pub(super) fn height(model: &Model, width: u16) -> u16 {
    let lines = match model.environment().crypto.keyring.value() {
        Some(keyring) => keyring.keys.versions.len() + rotation(model, keyring, width).len(),
        None => other(model, width, "").len(),
    };
    u16::try_from(lines + 1).unwrap_or(u16::MAX)
}

pub(super) fn draw(ink: &mut Ink<'_>, model: &Model, area: Rect, spin: &str) {
    let known = &model.environment().crypto;
    head(ink, model, area, Part::Keyring, "KEYRING", facts(model, ink, area, spin));
    if !is_open(area) {
        return;
    }
    let list = Rect { y: area.y + 1, height: area.height - 1, ..area };
    let Some(keyring) = known.keyring.value() else {
        return put(ink, list, other(model, area.width, spin));
    };
    let told = rotation(model, keyring, area.width);
    let foot = u16::try_from(told.len()).unwrap_or(0).min(list.height.saturating_sub(1));
    let versions = Rect { height: list.height - foot, ..list };
    let newest = keyring.keys.versions.iter().rev();
    for (y, version) in (versions.y..versions.bottom()).zip(newest) {
        draw_version(ink, model, Rect { y, height: 1, ..versions }, version);
    }
    let shown = keyring.keys.versions.len().min(usize::from(versions.height));
    let hidden = keyring.keys.versions.len() - shown;
    ink.more(Rect { height: 1, ..area }, hidden, false);
    let y = versions.y + u16::try_from(shown).unwrap_or(versions.height);
    put(ink, Rect { y, height: list.bottom().saturating_sub(y), ..list }, told);
}

/// What its head says: how many versions, and how old that is.
fn facts(model: &Model, ink: &Ink<'_>, area: Rect, spin: &str) -> Vec<Line> {
    let known = &model.environment().crypto;
    let mut facts = Vec::new();
    if let Some(Keyring { keys, rotation }) = known.keyring.value() {
        facts.push((count(keys.versions.len()), Role::Text));
        if let (Some(at), true) = (known.keyring_at, known.reading.is_none()) {
            let stale = if known.trouble.is_some() { ink.symbols().stale } else { "" };
            facts.push((format!("{stale}read {} ago", model.clock.age(at)), Role::Dim));
        }
        if !is_open(area) && rotation.as_ref().is_ok_and(|rotation| rotation.pending) {
            facts.push((String::from("! a rotation is pending"), Role::Notice));
        }
    } else if let (Remote::Failed(why), false) = (&known.keyring, is_open(area)) {
        facts.push((format!("? {}", why.reason), Role::Error));
    }
    if known.reading.is_some() {
        facts.push((format!("{spin} reading"), Role::Notice));
    }
    facts
}

fn count(versions: usize) -> String {
    if versions == 1 { String::from("1 version") } else { format!("{versions} versions") }
}

fn draw_version(ink: &mut Ink<'_>, model: &Model, line: Rect, version: &KeyVersion) {
    let (symbol, role) = match version.state.as_str() {
        "latest" => ("=", Role::InSync),
        "retired" => ("-", Role::Dim),
        _ => (" ", Role::Text),
    };
    ink.put(line.x + 3, line.y, 1, symbol, role);
    ink.put(line.x + 5, line.y, 8, &format!("key {}", version.version), Role::Strong);
    ink.put(line.x + 14, line.y, 9, &version.state, role);
    let date = version.created.get(..10).unwrap_or(&version.created);
    ink.put(line.x + 24, line.y, 10, date, Role::Dim);
    let read = model.environment().crypto.keyring_at.unwrap_or(model.clock.now);
    let age = version
        .age_seconds
        .and_then(|age| i64::try_from(age).ok())
        .map(|age| read.saturating_sub(age.saturating_mul(1000)));
    if let Some(at) = age {
        ink.put_right(line.x + 43, line.y, 8, &model.clock.age(at), Role::Text);
    }
}

/// How it is rotated, in as many lines as it takes.
fn rotation(model: &Model, keyring: &Keyring, width: u16) -> Vec<Line> {
    let known = &model.environment().crypto;
    let said = match &keyring.rotation {
        Ok(rotation) => scheduled(model, rotation),
        Err(why) => vec![(format!("? rotation: {}", why.reason), Role::Dim)],
    };
    let trouble = known.trouble.iter().map(|why| (format!("? not read again: {}", why.reason), Role::Error));
    wrapped(said.into_iter().chain(trouble), width)
}

fn scheduled(model: &Model, rotation: &Rotation) -> Vec<Line> {
    let ago = |at: i64| format!("last {} ago", model.clock.age(at));
    // An age of the other direction.
    let ahead = |at: i64| format!("next in {}", model.clock.age(model.clock.now - (at - model.clock.now)));
    let every = match (rotation.scheduled, rotation.every_days) {
        (false, _) => String::from("no schedule"),
        (true, Some(days)) => format!("rotates every {days} days"),
        (true, None) => String::from("rotates on a schedule"),
    };
    let next = rotation.next.filter(|next| *next > model.clock.now).map(ahead);
    let words: Vec<String> = std::iter::once(every).chain(rotation.last.map(ago)).chain(next).collect();
    let mut lines = vec![(format!("{}: {}", rotation.secret, words.join(", ")), Role::Dim)];
    if rotation.pending {
        lines.push((String::from("! a rotation is under way, or was left"), Role::Notice));
    }
    lines
}

/// What stands where the versions would.
fn other(model: &Model, width: u16, spin: &str) -> Vec<Line> {
    let lines = match &model.environment().crypto.keyring {
        Remote::Failed(Why { reason, hint, .. }) => {
            let hint = hint.iter().map(|hint| (format!("try: {hint}"), Role::Dim));
            std::iter::once((format!("? {reason}"), Role::Error)).chain(hint).collect()
        }
        Remote::Loading { .. } => vec![(format!("{spin} asking the API for its versions"), Role::Dim)],
        _ => vec![(String::from("not read: r reads it"), Role::Dim)],
    };
    wrapped(lines.into_iter(), width)
}

fn wrapped(lines: impl Iterator<Item = Line>, width: u16) -> Vec<Line> {
    let room = usize::from(width.saturating_sub(5));
    lines.flat_map(|(line, role)| text::wrap(&line, room).into_iter().map(move |line| (line, role))).collect()
}

fn put(ink: &mut Ink<'_>, area: Rect, lines: Vec<Line>) {
    for (y, (line, role)) in (area.y..area.bottom()).zip(lines) {
        ink.put(area.x + 3, y, area.width.saturating_sub(4), &line, role);
    }
}
