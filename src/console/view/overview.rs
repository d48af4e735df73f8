//! All environments, and what needs the operator in the current one.

use ratatui::layout::Rect;

use super::header::spinner;
use super::ink::Ink;
use super::list::{ChangedColumns, foreign};
use crate::compare::{Item, Kind, Tally, Verdict, Why};
use crate::console::layout::halves;
use crate::console::model::{EnvState, Model};
use crate::console::needs::Need;
use crate::console::page::overview::Half;
use crate::console::remote::Remote;
use crate::console::text;
use crate::console::theme::Role;

/// Draws the page; returns how many lines there are below what is seen.
pub(super) fn draw(ink: &mut Ink<'_>, model: &Model, body: Rect) -> usize {
    let (table, needs) = halves(model, body);
    environments(ink, model, table);
    draw_needs(ink, model, needs)
}

/// Left edges of the table's columns.
struct Columns {
    runs: Option<u16>,
    kinds: [u16; 4],
    width: u16,
    read: u16,
}

impl Columns {
    fn of(model: &Model, area: Rect) -> Self {
        let longest = model.environments.iter().map(|env| text::width(env.name())).max().unwrap_or(0);
        let name = u16::try_from(longest).unwrap_or(12).clamp(5, 12) + 2;
        let runs = (area.width >= 80).then_some(3 + name);
        let first = runs.map_or(3 + name, |at| at + 12);
        let read = area.width.saturating_sub(8);
        let width = read.saturating_sub(first) / 4;
        let kinds = [0, 1, 2, 3].map(|index| first + width * index);
        Self { runs, kinds, width, read }
    }
}

fn environments(ink: &mut Ink<'_>, model: &Model, area: Rect) {
    let columns = Columns::of(model, area);
    let mut head = |x: u16, text: &str| {
        ink.put(area.x + x, area.y, columns.width.max(5), text, Role::Heading);
    };
    head(3, "ENV");
    if let Some(at) = columns.runs {
        head(at, "RUNS");
    }
    let parameters = if columns.width > 11 { "PARAMETERS" } else { "PARAMS" };
    for (at, title) in columns.kinds.into_iter().zip(["STACKS", "CODE", parameters, "SECRETS"]) {
        head(at, title);
    }
    head(columns.read, "READ");

    let height = usize::from(area.height.saturating_sub(1));
    let focused = model.overview.half == Half::Environments;
    let here = if focused { model.overview.environment } else { model.current };
    let offset = (here + 1).saturating_sub(height);
    for (y, (index, env)) in (area.y + 1..area.bottom()).zip(model.environments.iter().enumerate().skip(offset)) {
        let line = Rect { y, height: 1, ..area };
        let role = if index == model.current { Role::Strong } else { Role::Text };
        ink.put(area.x + 3, y, 12, env.name(), role);
        if let Some(at) = columns.runs {
            let (text, role) = runs(env);
            ink.put(area.x + at, y, columns.kinds[0] - at - 1, &text, role);
        }
        for (at, kind) in columns.kinds.into_iter().zip(Kind::ALL) {
            counts(ink, model, env, kind, Rect { x: area.x + at, width: columns.width.saturating_sub(1), ..line });
        }
        if env.wrong_account().is_some() {
            ink.dim(line);
            ink.put(area.x + 1, y, 2, " !", Role::Loud);
        }
        let (text, role) = read(model, env, ink);
        ink.put(area.x + columns.read, y, 8, &text, role);
        if index == here {
            ink.select(line, focused);
        }
    }
}

fn runs(env: &EnvState) -> (String, Role) {
    let mut commits: Vec<(&str, usize)> = Vec::new();
    let units = Kind::ALL.into_iter().filter_map(|kind| env.section(kind).value()).flat_map(|section| &section.units);
    let mut known = false;
    for unit in units {
        known = true;
        let Some(commit) = unit.runs.as_deref() else { continue };
        match commits.iter_mut().find(|(other, _)| *other == commit) {
            Some((_, count)) => *count += 1,
            None => commits.push((commit, 1)),
        }
    }
    commits.sort_by(|(a, m), (b, n)| n.cmp(m).then(a.cmp(b)));
    match commits.as_slice() {
        [] if known => (String::from("no record"), Role::Dim),
        [] => (String::new(), Role::Dim),
        [(commit, _)] => (text::short(commit), Role::Text),
        [(commit, _), rest @ ..] => (format!("{} +{}", text::short(commit), rest.len()), Role::Text),
    }
}

fn counts(ink: &mut Ink<'_>, model: &Model, env: &EnvState, kind: Kind, area: Rect) {
    let section = match env.section(kind) {
        Remote::Idle => return,
        Remote::Loading { .. } => {
            ink.put(area.x, area.y, area.width, spinner(model, ink), Role::Dim);
            return;
        }
        Remote::Failed(_) => {
            ink.put(area.x, area.y, area.width, "? not read", Role::Unknown);
            return;
        }
        Remote::Ready(section) | Remote::Stale(section) => section,
    };
    let tally = Tally::of(&section.items);
    let unknown = Verdict::Unknown(Why::new(""));
    let mut parts = vec![
        (Verdict::Diverged, tally.diverged),
        (Verdict::Drifted, tally.drifted),
        (Verdict::Pending, tally.pending),
        (Verdict::Differs, tally.differs),
        (Verdict::GitOnly, tally.git_only),
        (unknown, tally.unknown + section.problems.len()),
    ];
    parts.retain(|(_, count)| *count > 0);
    if parts.is_empty() {
        parts.push((Verdict::InSync, tally.in_sync));
    }
    if tally.unmanaged > 0 {
        parts.push((Verdict::Unmanaged, tally.unmanaged));
    }
    let room = usize::from(area.width);
    let fitted = fit(parts, room);
    let mut x = area.x;
    for (verdict, count) in &fitted.parts {
        let text = format!("{}{count:>pad$}", verdict.symbol(), pad = fitted.pad);
        let long = u16::try_from(text.len()).unwrap_or(u16::MAX);
        x = ink.put(x, area.y, long, &text, Role::from(verdict)) + fitted.gap;
    }
    if fitted.is_short {
        ink.put(x, area.y, 1, ink.symbols().ellipsis, Role::Strong);
    }
}

/// The counts that a cell has room for.
struct Fitted {
    parts: Vec<(Verdict, usize)>,
    pad: usize,
    gap: u16,
    /// Whether some had to be left out.
    is_short: bool,
}

/// A count is shown in full or not at all; what matters least goes first.
fn fit(mut parts: Vec<(Verdict, usize)>, room: usize) -> Fitted {
    let long = |parts: &[(Verdict, usize)], pad: usize, gap: u16| {
        let digits = |count: &usize| count.to_string().len().max(pad) + 1;
        parts.iter().map(|(_, count)| digits(count) + usize::from(gap)).sum::<usize>()
    };
    let looks = [(4, 2), (0, 2), (0, 1)];
    for (pad, gap) in looks.into_iter().filter(|(pad, _)| *pad == 0 || room >= 15) {
        if long(&parts, pad, gap) <= room + usize::from(gap) {
            return Fitted { parts, pad, gap, is_short: false };
        }
    }
    let rank = |verdict: &Verdict| match verdict {
        Verdict::Diverged | Verdict::Drifted => 0,
        Verdict::Unknown(_) => 1,
        Verdict::Pending | Verdict::Differs => 2,
        Verdict::GitOnly => 3,
        Verdict::InSync | Verdict::Unmanaged | Verdict::Ignored(_) => 4,
    };
    // The mark takes a column of its own.
    while long(&parts, 0, 1) + 1 > room
        && let Some(least) = (0..parts.len()).max_by_key(|at| (rank(&parts[*at].0), *at))
    {
        parts.remove(least);
    }
    Fitted { parts, pad: 0, gap: 1, is_short: true }
}

fn read(model: &Model, env: &EnvState, ink: &Ink<'_>) -> (String, Role) {
    if let Some(job) = env.inspecting {
        let seconds = (model.clock.now - job.since).max(0) / 1000;
        return (format!("{} {seconds} s", spinner(model, ink)), Role::Dim);
    }
    match env.read_at {
        Some(at) => (model.clock.age(at), Role::Dim),
        None if env.wanted.is_some() => (String::from("next"), Role::Dim),
        None => (String::from("-"), Role::Dim),
    }
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
        if env.wrong_account().is_some() {
            ink.dim(line);
        }
        if index + state.offset == state.line {
            ink.select(line, state.half == Half::Needs);
        }
    }
    state.needs.len().saturating_sub(state.offset + usize::from(list.height))
}

fn quiet(model: &Model, env: &EnvState, ink: &Ink<'_>) -> (String, Role) {
    if env.inspecting.is_some() {
        let progress = env.progress.values().next().cloned().unwrap_or_else(|| String::from("reading"));
        (format!("{} {progress}", spinner(model, ink)), Role::Dim)
    } else if !model.overview.filter.text.is_empty() {
        (String::from("nothing of that name needs you"), Role::Dim)
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
        let changes = visible().filter_map(|need| need.item(env)?.changed.as_ref()).collect::<Vec<_>>();
        let name = list.x + 23;
        let name_room = longest.clamp(12, (list.width * 2 / 5).max(12));
        let at = name + name_room + 2;
        let changed_items = visible().filter_map(|need| need.item(env)).filter(|item| item.changed.is_some());
        let reasons = changed_items.map(|item| text::width(&item.reason)).max().unwrap_or(0);
        let reasons = u16::try_from(reasons).unwrap_or(u16::MAX).min(SHORTEST);
        let room = list.right().saturating_sub(at + 1 + reasons);
        let changed = ChangedColumns::of(model, changes.iter().copied(), room);
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
    let shown = text::fit_end(&name, usize::from(columns.name_room), "…");
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(counts: &[(Verdict, usize)], room: usize) -> String {
        let fitted = fit(counts.to_vec(), room);
        let gap = " ".repeat(usize::from(fitted.gap));
        let parts: Vec<String> = fitted
            .parts
            .iter()
            .map(|(verdict, count)| format!("{}{count:>1$}", verdict.symbol(), fitted.pad))
            .collect();
        format!("{}{}", parts.join(&gap), if fitted.is_short { format!("{gap}…") } else { String::new() })
    }

    #[test]
    fn a_count_is_shown_in_full_or_left_out_with_a_mark() {
        let unknown = Verdict::Unknown(Why::new("denied"));
        let counts = [(Verdict::Drifted, 3), (Verdict::Pending, 12), (Verdict::GitOnly, 240), (unknown, 1234)];
        for (room, expected) in [
            (40, "~   3  >  12  - 240  ?1234"),
            (21, "~3  >12  -240  ?1234"),
            (18, "~3 >12 -240 ?1234"),
            (16, "~3 >12 ?1234 …"),
            (11, "~3 ?1234 …"),
            (6, "~3 …"),
            (3, " …"),
        ] {
            assert_eq!(shown(&counts, room), expected, "{room}");
        }
    }

    proptest! {
        #[test]
        fn counts_fit(counts in prop::collection::vec(0_usize..100_000, 1..6), room in 2_usize..40) {
            let verdicts = [Verdict::Diverged, Verdict::Drifted, Verdict::Pending, Verdict::GitOnly, Verdict::Unmanaged];
            let counts: Vec<_> = verdicts.into_iter().zip(counts).collect();
            prop_assert!(text::width(&shown(&counts, room)) <= room);
        }
    }
}
