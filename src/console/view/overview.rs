//! All environments, and what needs the operator in the current one.

use ratatui::layout::Rect;

use super::header::spinner;
use super::ink::Ink;
use super::list::{ChangedColumns, foreign};
use crate::compare::{Item, Kind, Verdict, Why};
use crate::console::layout::halves;
use crate::console::model::{EnvState, Model};
use crate::console::needs::Need;
use crate::console::page::ItemId;
use crate::console::page::overview::Half;
use crate::console::text;
use crate::console::theme::Role;

/// Draws the page; returns how many lines there are below what is seen.
pub(super) fn draw(ink: &mut Ink<'_>, model: &Model, body: Rect) -> usize {
    let (table, needs) = halves(model, body);
    super::fleet::draw(ink, model, table);
    let below = draw_needs(ink, model, needs);
    super::fleet::more(ink, model, table, Rect { height: 1, ..needs });
    below
}

/// Says how many environments there are above those that are seen.
pub(super) fn above(ink: &mut Ink<'_>, model: &Model, body: Rect, tabs: Rect) {
    super::fleet::above(ink, model, halves(model, body).0, tabs);
}

fn draw_needs(ink: &mut Ink<'_>, model: &Model, area: Rect) -> usize {
    let env = model.environment();
    let state = &model.overview;
    let x = ink.put(area.x + 1, area.y, area.width, "NEEDS YOU", Role::Heading) + 2;
    let mut x = ink.put(x, area.y, area.width, env.name(), Role::Strong) + 2;
    if env.wrong_account().is_some() {
        x = ink.put(x, area.y, area.right().saturating_sub(x), &foreign(env), Role::Loud) + 2;
    }
    if !state.filter.text.is_empty() {
        ink.put(x, area.y, area.width, &format!("/{}", state.filter.text), Role::Dim);
    }
    ink.rule(area.x, area.y + 1, area.width);
    ink.more(Rect { y: area.y + 1, height: 1, ..area }, state.offset, true);
    let list = Rect { y: area.y + 2, height: area.height.saturating_sub(2), ..area };
    if state.needs.is_empty() {
        let (text, role) = quiet(model, env, ink);
        ink.put(list.x + 3, list.y, list.width.saturating_sub(4), &text, role);
        return 0;
    }
    let columns = NeedColumns::of(model, list);
    for (index, (y, need)) in (list.y..list.bottom()).zip(state.needs.iter().skip(state.offset)).enumerate() {
        let line = Rect { y, height: 1, ..list };
        match need {
            Need::Item { more, .. } => {
                if let Some(item) = need.item(env) {
                    draw_item(ink, model, line, item, *more, &columns);
                }
            }
            Need::Kind(kind) => {
                if let Some(why) = env.why_failed(*kind) {
                    failure(ink, line, kind.code(), "", why, &columns);
                }
            }
            Need::Problem { kind, index } => {
                let problem = env.section(*kind).value().and_then(|section| section.problems.get(*index));
                if let Some(problem) = problem {
                    failure(ink, line, short_kind(*kind), &problem.subject, &problem.why, &columns);
                }
            }
        }
        if !matches!(need, Need::Kind(_)) && env.remembered.contains_key(&need.kind()) {
            ink.fade(line);
        }
        if is_stale(env, need) {
            ink.put(line.x + 2, y, 1, ink.symbols().stale, Role::Notice);
        }
        if env.wrong_account().is_some() {
            ink.dim(line);
        }
        if index + state.offset == state.line {
            ink.select(line, state.half == Half::Needs);
        }
    }
    state.needs.len().saturating_sub(state.offset + usize::from(list.height))
}

/// Whether it is older than the last attempt to read it.
fn is_stale(env: &EnvState, need: &Need) -> bool {
    match need.item(env) {
        Some(item) => env.times.item_missed(&ItemId::of(item)).is_some(),
        None => !matches!(need, Need::Kind(_)) && env.times.is_stale(need.kind()),
    }
}

fn quiet(model: &Model, env: &EnvState, ink: &Ink<'_>) -> (String, Role) {
    if env.inspecting.is_some() {
        let progress = env.progress.values().next().cloned().unwrap_or_else(|| String::from("reading"));
        (format!("{} {progress}", spinner(model, ink)), Role::Dim)
    } else if !model.overview.filter.text.is_empty() {
        (String::from("nothing of that name needs you"), Role::Dim)
    } else if env.blocked().is_some() {
        (String::from("? nobody knows: nothing could be read"), Role::Unknown)
    } else if let (Some((expected, actual)), Some(_)) = (env.wrong_account(), env.read_at) {
        (format!("? nothing differs, but {actual} was read: it says nothing of {expected}"), Role::Unknown)
    } else if env.read_at.is_some() {
        (String::from("= nothing: live is what git says"), Role::InSync)
    } else {
        (String::from("not read yet: r reads"), Role::Dim)
    }
}

/// The list's columns; the same on every line, so that the eye can run down.
struct NeedColumns {
    name: u16,
    name_room: u16,
    /// Where it was changed and by whom.
    at: u16,
    changed: ChangedColumns,
    reason: u16,
}

impl NeedColumns {
    fn of(model: &Model, list: Rect) -> Self {
        /// What of a reason still tells something.
        const SHORTEST: u16 = 14;
        let env = model.environment();
        let visible = || model.overview.needs.iter().skip(model.overview.offset).take(usize::from(list.height));
        let names = visible().filter_map(|need| match need {
            Need::Item { more, .. } => need.item(env).map(|item| text::width(&name(item, *more))),
            Need::Kind(_) | Need::Problem { .. } => None,
        });
        let longest = u16::try_from(names.max().unwrap_or(0)).unwrap_or(u16::MAX);
        let known = visible().filter_map(|need| need.item(env)?.changed.as_ref()).collect::<Vec<_>>();
        let name = list.x + 23;
        let name_room = longest.clamp(12, (list.width * 2 / 5).max(12));
        let at = name + name_room + 2;
        let changed_items = visible().filter_map(|need| need.item(env)).filter(|item| item.changed.is_some());
        let reasons = changed_items.map(|item| text::width(&item.reason)).max().unwrap_or(0);
        let reasons = u16::try_from(reasons).unwrap_or(u16::MAX).min(SHORTEST);
        let beside = |reasons| {
            let room = list.right().saturating_sub(at + 1 + reasons);
            ChangedColumns::of(model, known.iter().copied(), room)
        };
        // Who moved it is asked before the reason, which the verdict nearly says; when is not.
        let changed = match (beside(reasons), beside(0)) {
            (kept, alone) if kept.who == 0 && alone.who > 0 => ChangedColumns { when: 0, ..alone },
            (kept, _) => kept,
        };
        Self { name, name_room, at, reason: at + changed.width(), changed }
    }
}

fn name(item: &Item, more: usize) -> String {
    if more == 0 { item.name.clone() } else { format!("{}  +{more}", item.name) }
}

fn draw_item(ink: &mut Ink<'_>, model: &Model, line: Rect, item: &Item, more: usize, columns: &NeedColumns) {
    let (x, y, right) = (line.x, line.y, line.right().saturating_sub(1));
    verdict(ink, x + 3, y, &item.verdict);
    ink.put(x + 15, y, 7, short_kind(item.kind), Role::Dim);
    let name = name(item, more);
    let shown = text::fit_end(&name, usize::from(columns.name_room), ink.symbols().ellipsis);
    ink.put(columns.name, y, columns.name_room, &shown, Role::Strong);
    if let Some(changed) = &item.changed {
        columns.changed.draw(ink, model, (columns.at, y), changed);
    }
    // Nobody's name is the reason's room: what is unknown needs it most.
    let nobody = item.changed.as_ref().is_none_or(|changed| changed.by.is_none());
    let nothing = item.changed.as_ref().is_none_or(|changed| changed.at.is_none());
    let reason = match (nothing, nobody) {
        (true, true) => columns.at,
        (false, true) => columns.at + columns.changed.when,
        _ => columns.reason,
    };
    ink.put(reason, y, right.saturating_sub(reason), &item.reason, Role::Dim);
}

fn failure(ink: &mut Ink<'_>, line: Rect, kind: &str, subject: &str, why: &Why, columns: &NeedColumns) {
    let (x, y, right) = (line.x, line.y, line.right().saturating_sub(1));
    verdict(ink, x + 3, y, &Verdict::Unknown(why.clone()));
    ink.put(x + 15, y, 7, kind, Role::Dim);
    let mut at = columns.name;
    if !subject.is_empty() {
        at = (ink.put(at, y, line.width / 3, subject, Role::Strong) + 2).max(columns.at);
    }
    ink.put(at, y, right.saturating_sub(at), &why.reason, Role::Error);
}

/// Symbol, word and colour of a verdict.
pub(super) fn verdict(ink: &mut Ink<'_>, x: u16, y: u16, verdict: &Verdict) {
    ink.put(x, y, 11, &format!("{} {}", verdict.symbol(), verdict.word()), Role::from(verdict));
}

fn short_kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Parameter => "param",
        other => other.code(),
    }
}
