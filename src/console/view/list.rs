//! The list of a page: units, items, and one line for what is equal.

use std::borrow::Cow;

use ratatui::layout::Rect;

use super::header::{caller, spinner};
use super::ink::{Ink, Row};
use crate::compare::{Item, Kind, Verdict, Why};
use crate::console::model::{EnvState, Model};
use crate::console::page::list::Line;
use crate::console::page::{ItemId, Pane};
use crate::console::remote::Remote;
use crate::console::text;
use crate::console::theme::Role;
use crate::ops::report::Unit;

/// Widths of the columns, as far as there is room for them.
struct Columns {
    name: u16,
    kind: Option<u16>,
    changed: Option<u16>,
}

pub(super) fn draw(ink: &mut Ink<'_>, model: &Model, area: Rect) {
    let (env, state) = (model.environment(), model.list());
    if state.lines.is_empty() {
        let (text, role) = quiet(model, env, ink);
        ink.put(area.x + 3, area.y, area.width.saturating_sub(4), &text, role);
        return;
    }
    let visible = || state.lines.iter().enumerate().skip(state.offset).take(usize::from(area.height));
    let items = || visible().filter_map(|(_, line)| env.item_at(line));
    let names = visible().filter_map(|(_, line)| env.item_at(line).map(|item| text::width(&name(item, more_of(line)))));
    let longest = names.max().unwrap_or(0);
    let kinds = items().map(|item| text::width(short_type(item))).max().unwrap_or(0);
    let columns = Columns {
        name: u16::try_from(longest).unwrap_or(u16::MAX).clamp(12, (area.width * 2 / 5).max(12)) + 2,
        kind: (area.width >= 100 && kinds > 0).then(|| u16::try_from(kinds).unwrap_or(0).min(26) + 2),
        changed: (area.width >= 80).then_some(if area.width >= 100 { 24 } else { 7 }),
    };
    for (y, (index, line)) in (area.y..area.bottom()).zip(visible()) {
        let at = Rect { y, height: 1, ..area };
        match line {
            Line::Unit { kind, name, items } => {
                let stale = ink.symbols().stale;
                ink.row(at, &unit(model, env, (*kind, name), *items, area.width, stale));
            }
            Line::Kind { kind } => kind_state(ink, model, env, *kind, at),
            Line::Problem { kind, index } => {
                let problem = env.section(*kind).value().and_then(|section| section.problems.get(*index));
                if let Some(problem) = problem {
                    failure(ink, at, &problem.subject, &problem.why);
                }
            }
            Line::Item { more, .. } => {
                if let Some(item) = env.item_at(line) {
                    draw_item(ink, model, at, item, *more, &columns);
                    if env.times.is_item_stale(&ItemId::of(item)) {
                        ink.put(at.x + 2, y, 1, ink.symbols().stale, Role::Notice);
                    }
                }
            }
            Line::More { verdict, count } => more(ink, model, at, verdict, *count),
        }
        if index == state.line && state.cursor.is_some() {
            ink.select(at, state.pane == Pane::List);
        }
    }
}

fn quiet(model: &Model, env: &EnvState, ink: &Ink<'_>) -> (String, Role) {
    if env.inspecting.is_some() {
        (format!("{} reading", spinner(model, ink)), Role::Dim)
    } else if !model.list().filter.text.is_empty() {
        (String::from("nothing has such a name: esc clears the filter"), Role::Dim)
    } else if env.read_at.is_some() {
        (String::from("there is nothing of this kind, neither in git nor live"), Role::Dim)
    } else {
        (String::from("not read yet: r reads"), Role::Dim)
    }
}

/// What a unit is and how it fares, as the head of its items.
fn unit(model: &Model, env: &EnvState, (kind, name): (Kind, &str), items: usize, width: u16, stale: &str) -> Row {
    let facts = env.unit(kind, name);
    let noun = match kind {
        Kind::Stack => "resources",
        Kind::Code => "functions",
        Kind::Parameter => "parameters",
        Kind::Secret => "secrets",
    };
    let mut pieces = vec![(name.to_owned(), Role::Strong)];
    if env.times.is_stale(kind)
        && let Some(at) = env.times.of(kind)
    {
        pieces.push((format!("{stale} stale, read {} ago", model.clock.age(at)), Role::Notice));
    }
    if let Some(facts) = facts {
        pieces.push((status(model, facts), Role::Text));
        if let Some(failure) = &facts.last_failure {
            pieces.push((failure.clone(), Role::Error));
        }
    }
    pieces.push((format!("{items} {}", if items == 1 { noun.trim_end_matches('s') } else { noun }), Role::Dim));
    if let Some(facts) = facts {
        pieces.push((runs(model, facts), Role::Dim));
        if kind == Kind::Stack || kind == Kind::Code {
            let drift = facts.drift_checked_at.map(|at| format!("drift check {} ago", model.clock.age(at)));
            pieces.push((drift.unwrap_or_else(|| String::from("drift never checked")), Role::Dim));
        }
    }
    Row::default().flow(1, width.saturating_sub(1), pieces).ruled()
}

fn status(model: &Model, unit: &Unit) -> String {
    match (unit.status.as_str(), unit.changed_at) {
        ("", _) => String::new(),
        (status, Some(at)) => format!("{status} {}", model.clock.moment(at)),
        (status, None) => status.to_owned(),
    }
}

fn runs(model: &Model, unit: &Unit) -> String {
    let Some(commit) = &unit.runs else { return String::from("no record of a rollout") };
    let at = unit.rolled_out_at.map(|at| format!(", {} ago", model.clock.age(at))).unwrap_or_default();
    let by = unit.rolled_out_by.as_ref().map(|by| format!(" by {}", caller(by))).unwrap_or_default();
    format!("runs {}{at}{by}", text::short(commit))
}

fn plural(kind: Kind) -> &'static str {
    match kind {
        Kind::Stack => "stacks",
        Kind::Code => "code",
        Kind::Parameter => "parameters",
        Kind::Secret => "secrets",
    }
}

fn kind_state(ink: &mut Ink<'_>, model: &Model, env: &EnvState, kind: Kind, at: Rect) {
    if let Some(why) = env.why_failed(kind) {
        if why.is_of_everything() {
            super::overview::verdict(ink, at.x + 3, at.y, &Verdict::Unknown(why.clone()));
            ink.put(at.x + 15, at.y, at.width / 2, &format!("{}: not read", plural(kind)), Role::Dim);
            return;
        }
        let subject = if env.section(kind).value().is_some() { "not read again" } else { "not read" };
        return failure(ink, at, subject, why);
    }
    if let Remote::Loading { since } = env.section(kind) {
        let seconds = (model.clock.now - since).max(0) / 1000;
        let doing = env.progress.get(&kind).cloned().unwrap_or_else(|| format!("reading {}", plural(kind)));
        let text = format!("{} {doing}  {seconds} s", spinner(model, ink));
        ink.put(at.x + 3, at.y, at.width.saturating_sub(4), &text, Role::Dim);
    }
}

fn failure(ink: &mut Ink<'_>, at: Rect, subject: &str, why: &Why) {
    super::overview::verdict(ink, at.x + 3, at.y, &Verdict::Unknown(why.clone()));
    let x = ink.put(at.x + 15, at.y, at.width / 3, subject, Role::Strong) + 2;
    let hint = why.hint.as_ref().map(|hint| format!("  try: {hint}")).unwrap_or_default();
    let right = at.right().saturating_sub(1);
    ink.put(x, at.y, right.saturating_sub(x), &format!("{}{hint}", why.reason), Role::Error);
}

fn draw_item(ink: &mut Ink<'_>, model: &Model, line: Rect, item: &Item, more: usize, columns: &Columns) {
    let (y, right) = (line.y, line.right().saturating_sub(1));
    super::overview::verdict(ink, line.x + 3, y, &item.verdict);
    let mut at = line.x + 15;
    let room = columns.name.saturating_sub(2);
    ink.put(at, y, room, &text::fit_end(&name(item, more), usize::from(room), "…"), Role::Strong);
    at += columns.name;
    if let Some(width) = columns.kind {
        // Several have several types.
        let kind = if more == 0 { short_type(item) } else { "" };
        ink.put(at, y, width.saturating_sub(2), kind, Role::Dim);
        at += width;
    }
    // What nobody changed leaves its room to the reason.
    let width = columns.changed.filter(|_| item.changed.is_some());
    let end = width.map_or(right, |width| right.saturating_sub(width));
    ink.put(at, y, end.saturating_sub(at + 1), &item.reason, Role::Text);
    let Some(changed) = item.changed.as_ref().filter(|_| columns.changed.is_some()) else { return };
    let when = changed.at.map(|at| model.clock.moment(at)).unwrap_or_default();
    ink.put(end, y, 6, &when, Role::Dim);
    if let Some(by) = changed.by.as_deref().filter(|_| line.width >= 100) {
        ink.put(end + 7, y, right.saturating_sub(end + 7), by, Role::Text);
    }
}

fn more(ink: &mut Ink<'_>, model: &Model, line: Rect, verdict: &Verdict, count: usize) {
    super::overview::verdict(ink, line.x + 3, line.y, verdict);
    let filtered = if model.list().filter.text.is_empty() { "" } else { " match" };
    ink.put(line.x + 15, line.y, 24, &format!("{count} more{filtered}"), Role::Dim);
    let key = model.keymap.keys(crate::console::Action::Show).next().map(|key| key.to_string()).unwrap_or_default();
    let right = line.right().saturating_sub(1);
    ink.put_right(right, line.y, 16, &format!("{key} to show"), Role::Dim);
}

/// The item's name, and how many more its line stands for.
fn name(item: &Item, more: usize) -> Cow<'_, str> {
    let label = label(item);
    if more == 0 { Cow::Borrowed(label) } else { Cow::Owned(format!("{label}  +{more}")) }
}

fn more_of(line: &Line) -> usize {
    if let Line::Item { more, .. } = line { *more } else { 0 }
}

/// The name of an item below the head of its unit.
pub(super) fn label(item: &Item) -> &str {
    let below = item.name.strip_prefix(item.unit.as_str()).and_then(|rest| rest.strip_prefix('/'));
    below.filter(|rest| !rest.is_empty() && matches!(item.kind, Kind::Stack | Kind::Code)).unwrap_or(&item.name)
}

/// AWS's name of the type, as short as it stays clear.
pub(super) fn short_type(item: &Item) -> &str {
    match item.kind {
        Kind::Code => "function code",
        _ => item.type_name.strip_prefix("AWS::").unwrap_or(&item.type_name),
    }
}
