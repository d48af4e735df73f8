//! The selected item as a unified diff, for the pager.
//!
//! Works on what may be shown, as the page does: a masked side is its mask, never its text.

use std::fmt::Write as _;

use similar::TextDiff;

use super::model::Model;
use super::page::ItemId;
use super::text;
use super::view::facet_text;
use crate::compare::{Facet, Item, Sides};
use crate::secret::Secret;

/// Git against live of the selected item; `None`: none is selected. Like a secret, since it may be revealed.
pub(super) fn of_selected(model: &Model) -> Option<Secret> {
    let item = model.shown()?;
    let env = model.environment();
    let (git, live) = (side(model, item, &Half::Git), side(model, item, &Half::Live));
    let unknown = unknown(model, item);
    let name = text::clean(&item.name, false);
    let id = ItemId::of(item);
    let commit = env.times.commit_of_item(&id).map(text::short).unwrap_or_default();
    let read = env.times.of_item(&id).map(|at| model.clock.moment(at)).unwrap_or_default();
    let mut out = String::new();
    let verdict = format!("{}  {} {}", name, item.verdict.symbol(), item.verdict.word());
    let _ = writeln!(out, "{verdict}  {}", text::clean(&item.reason, false));
    let diff = TextDiff::from_lines(git.expose(), live.expose());
    let (old, new) = (format!("git {commit}\t{name}"), format!("live {read}\t{name}"));
    let unified = diff.unified_diff().context_radius(usize::MAX / 4).header(&old, &new).to_string();
    out.push_str(&unknown);
    if unified.is_empty() {
        // No difference to show, so what both say.
        out.push_str(git.expose());
    } else {
        out.push_str(&unified);
    }
    Some(Secret::new(out))
}

enum Half {
    Git,
    Live,
}

/// What is not known of either side, which makes it no difference: told before the lines that can be compared.
fn unknown(model: &Model, item: &Item) -> String {
    let mut out = String::new();
    for (path, sides) in parts(item).filter(|(_, sides)| !is_known(sides)) {
        let name = if path.is_empty() { String::new() } else { format!("{}: ", text::clean(path, false)) };
        for (word, facet) in [("git", &sides.git), ("live", &sides.live)] {
            if matches!(facet, Facet::Unread | Facet::Unreadable(_)) {
                let _ = writeln!(out, "? {name}{word} {}", text::clean(&facet_text(model, facet), false));
            }
        }
    }
    out
}

/// The item's properties, or its value under no name.
fn parts(item: &Item) -> impl Iterator<Item = (&str, &Sides)> {
    let whole = std::iter::once(("", &item.sides)).filter(|_| item.rows.is_empty());
    whole.chain(item.rows.iter().map(|row| (row.path.as_str(), &row.sides)))
}

/// Whether both sides can be compared.
fn is_known(sides: &Sides) -> bool {
    ![&sides.git, &sides.live].into_iter().any(|facet| matches!(facet, Facet::Unread | Facet::Unreadable(_)))
}

fn side(model: &Model, item: &Item, half: &Half) -> Secret {
    let mut out = String::new();
    for (path, sides) in parts(item).filter(|(_, sides)| is_known(sides)) {
        let facet = match half {
            Half::Git => &sides.git,
            Half::Live => &sides.live,
        };
        add(&mut out, path, facet, model);
    }
    Secret::new(out)
}

fn add(out: &mut String, path: &str, facet: &Facet, model: &Model) {
    // What is not there has no line; else an absent key would look like one with the value "absent".
    if matches!(facet, Facet::Absent) {
        return;
    }
    let shown = Secret::new(facet_text(model, facet));
    let document: Option<serde_json::Value> = shown
        .expose()
        .trim_start()
        .starts_with(['{', '['])
        .then(|| serde_json::from_str(shown.expose()).ok())
        .flatten();
    let pretty = document.and_then(|value| serde_json::to_string_pretty(&value).ok()).map(Secret::new);
    let shown = pretty.unwrap_or(shown);
    let mut lines = shown.expose().lines();
    let first = lines.next().unwrap_or_default();
    let start = if path.is_empty() { String::new() } else { format!("{}: ", text::clean(path, false)) };
    let _ = writeln!(out, "{start}{}", text::clean(first, false));
    for line in lines {
        let _ = writeln!(out, "{}{}", if path.is_empty() { "" } else { "  " }, text::clean(line, false));
    }
}
