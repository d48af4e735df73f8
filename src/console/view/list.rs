//! The list of a page: units, items, and one line for what is equal.

use std::borrow::Cow;

use ratatui::layout::Rect;

use super::header::{caller, spinner};
use super::ink::{Ink, Row};
use crate::compare::{Changed, Item, Kind, Verdict, Why};
use crate::console::model::{EnvState, Model};
use crate::console::page::list::Line;
use crate::console::page::{ItemId, Page, Pane};
use crate::console::remote::Remote;
use crate::console::text;
use crate::console::theme::Role;
use crate::ops::report::Unit;

/// Columns before the name of an item.
const BEFORE: u16 = 15;

/// What of a reason still tells something.
const SHORTEST: u16 = 14;

/// Widths of the columns, as far as there is room for them.
struct Columns {
    name: u16,
    kind: Option<u16>,
    changed: ChangedColumns,
}

/// When an item was changed and by whom.
#[derive(Default)]
pub(super) struct ChangedColumns {
    pub(super) when: u16,
    pub(super) who: u16,
}

impl ChangedColumns {
    /// Both when there is room beside what has to stay; else by whom, which is asked first; else when.
    pub(super) fn of<'a>(model: &Model, changes: impl Iterator<Item = &'a Changed> + Clone, room: u16) -> Self {
        const LONGEST: u16 = 22;
        let long = |text: String| u16::try_from(text::width(&text)).unwrap_or(u16::MAX);
        let when = changes.clone().filter_map(|changed| changed.at).map(|at| long(model.clock.moment(at)) + 2);
        let who = changes.filter_map(|changed| changed.by.as_deref()).map(|by| long(who(by)).min(LONGEST) + 2);
        let (when, who) = (when.max().unwrap_or(0), who.max().unwrap_or(0));
        // A long name is cut before it is left out.
        let (cut, least) = (who.min(16), who.min(11));
        match room {
            _ if when + who <= room => Self { when, who },
            _ if when + cut <= room => Self { when, who: room - when },
            _ if least > 0 && least <= room => Self { when: 0, who: who.min(room) },
            _ if when <= room => Self { when, who: 0 },
            _ => Self::default(),
        }
    }

    pub(super) fn width(&self) -> u16 {
        self.when + self.who
    }

    /// Draws a change at these columns.
    pub(super) fn draw(&self, ink: &mut Ink<'_>, model: &Model, (x, y): (u16, u16), changed: &Changed) {
        if let Some(at) = changed.at.filter(|_| self.when > 0) {
            ink.put(x, y, self.when - 2, &model.clock.moment(at), Role::Dim);
        }
        if let Some(by) = changed.by.as_deref().filter(|_| self.who > 0) {
            ink.put(x + self.when, y, self.who - 2, &who(by), Role::Text);
        }
    }
}

impl Columns {
    fn of(model: &Model, lines: &[(usize, &Line)], width: u16) -> Self {
        let env = model.environment();
        let items = || lines.iter().filter_map(|(_, line)| env.item_at(line));
        let names = lines.iter().filter_map(|(_, line)| Some(text::width(&name(env.item_at(line)?, more_of(line)))));
        let longest = u16::try_from(names.max().unwrap_or(0)).unwrap_or(u16::MAX);
        let name = longest.clamp(12, (width * 2 / 5).max(12)) + 2;
        let left = width.saturating_sub(BEFORE + name + 1);
        let reason = |item: &Item| item.changed.as_ref().map(|_| text::width(&item.reason));
        let reasons = items().filter_map(reason).max().unwrap_or(0);
        let reasons = u16::try_from(reasons).unwrap_or(u16::MAX);
        let known = items().filter_map(|item| item.changed.as_ref());
        let changed = ChangedColumns::of(model, known, left.saturating_sub(reasons.min(SHORTEST)));
        let kinds = items().map(|item| text::width(short_type(item))).max().unwrap_or(0);
        let kind = u16::try_from(kinds).unwrap_or(0).min(26) + 2;
        let rest = left.saturating_sub(changed.width());
        let kind = (kinds > 0 && rest >= kind + reasons.clamp(SHORTEST, 30)).then_some(kind);
        Self { name, kind, changed }
    }
}

/// Draws the list; returns how many lines there are below what is seen.
pub(super) fn draw(ink: &mut Ink<'_>, model: &Model, area: Rect) -> usize {
    let (env, state) = (model.environment(), model.list());
    if state.lines.is_empty() {
        let (text, role) = quiet(model, env, ink);
        ink.put(area.x + 3, area.y, area.width.saturating_sub(4), &text, role);
        return 0;
    }
    let height = usize::from(area.height);
    let visible: Vec<(usize, &Line)> = state.lines.iter().enumerate().skip(state.offset).take(height).collect();
    let columns = Columns::of(model, &visible, area.width);
    for (y, (index, line)) in (area.y..area.bottom()).zip(&visible) {
        let at = Rect { y, height: 1, ..area };
        let old = is_old(env, model.page, line);
        match line {
            Line::Unit { kind, name, items } => {
                let mark = ink.symbols().stale;
                ink.row(at, &unit(model, env, (*kind, name), *items, area.width, mark));
            }
            Line::Kind { kind } => kind_state(ink, model, env, *kind, at),
            Line::Problem { kind, index } => {
                let problem = env.section(*kind).value().and_then(|section| section.problems.get(*index));
                if let Some(problem) = problem {
                    failure(ink, at, &problem.subject, &problem.why, columns.name);
                }
            }
            Line::Item { more, .. } => {
                if let Some(item) = env.item_at(line) {
                    draw_item(ink, model, at, item, *more, &columns);
                    if old {
                        ink.fade(at);
                    }
                    if state.marks.contains(&item.name) {
                        ink.put(at.x, y, 1, "x", Role::Key);
                    }
                    if env.times.item_missed(&ItemId::of(item)).is_some() {
                        ink.put(at.x + 2, y, 1, ink.symbols().stale, Role::Notice);
                    }
                }
            }
            Line::More { verdict, count } => more(ink, model, at, verdict, *count),
        }
        if old && !matches!(line, Line::Item { .. }) {
            ink.fade(at);
        }
        if env.wrong_account().is_some() && matches!(line, Line::Item { .. } | Line::More { .. }) {
            ink.dim(at);
        }
        if *index == state.line && state.cursor.is_some() {
            ink.select(at, state.pane == Pane::List);
        }
    }
    state.lines.len().saturating_sub(state.offset + height)
}

/// Says how many lines there are above the list: in the air over it, or else in its margin.
pub(super) fn above(ink: &mut Ink<'_>, model: &Model, area: Rect, tabs: Rect) {
    let offset = model.list().offset;
    if area.y > tabs.bottom() {
        ink.more(Rect { y: area.y - 1, height: 1, ..area }, offset, true);
    } else if offset > 0 {
        ink.put(area.x, area.y, 1, ink.symbols().up, Role::Text);
    }
}

/// Whose the values are, when they are not those of the expected account.
pub(super) fn foreign(env: &EnvState) -> String {
    env.wrong_account().map(|(_, actual)| format!("of account {actual}")).unwrap_or_default()
}

/// The user, role or service of a change, without what is the same for all of them.
pub(super) fn who(by: &str) -> String {
    let named = caller(by);
    let mut steps = by.splitn(6, ':').nth(5).unwrap_or_default().split('/');
    match (steps.next(), steps.next(), steps.next()) {
        // The session of a role is often the person.
        (Some("assumed-role"), Some(role), Some(session)) => format!("{role}/{session}"),
        _ => named.strip_prefix("user ").or_else(|| named.strip_prefix("role ")).unwrap_or(&named).to_owned(),
    }
}

/// Whether a line is from before this session.
fn is_old(env: &EnvState, page: Page, line: &Line) -> bool {
    let old = |kind| env.remembered.contains_key(kind);
    match line {
        Line::Item { .. } => env.item_at(line).is_some_and(|item| env.is_remembered(item)),
        Line::Unit { kind, .. } | Line::Problem { kind, .. } => old(kind),
        Line::More { .. } => page.kinds().iter().any(old),
        Line::Kind { .. } => false,
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
    let mut pieces = vec![(name.to_owned(), Role::Strong), (foreign(env), Role::Loud)];
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
        return failure(ink, at, subject, why, 0);
    }
    if let Remote::Loading { since } = env.section(kind) {
        let seconds = (model.clock.now - since).max(0) / 1000;
        let doing = env.progress.get(&kind).cloned().unwrap_or_else(|| format!("reading {}", plural(kind)));
        let text = format!("{} {doing}  {seconds} s", spinner(model, ink));
        ink.put(at.x + 3, at.y, at.width.saturating_sub(4), &text, Role::Dim);
    }
}

/// What failed and why; the why stands below the other reasons where the name leaves it the room.
fn failure(ink: &mut Ink<'_>, at: Rect, subject: &str, why: &Why, name: u16) {
    super::overview::verdict(ink, at.x + 3, at.y, &Verdict::Unknown(why.clone()));
    let x = ink.put(at.x + BEFORE, at.y, at.width / 3, subject, Role::Strong) + 2;
    let x = x.max(at.x + BEFORE + name);
    let hint = why.hint.as_ref().map(|hint| format!("  try: {hint}")).unwrap_or_default();
    let right = at.right().saturating_sub(1);
    ink.put(x, at.y, right.saturating_sub(x), &format!("{}{hint}", why.reason), Role::Error);
}

fn draw_item(ink: &mut Ink<'_>, model: &Model, line: Rect, item: &Item, more: usize, columns: &Columns) {
    let (y, right) = (line.y, line.right().saturating_sub(1));
    super::overview::verdict(ink, line.x + 3, y, &item.verdict);
    let mut at = line.x + BEFORE;
    let room = columns.name.saturating_sub(2);
    ink.put(at, y, room, &text::fit_end(&name(item, more), usize::from(room), ink.symbols().ellipsis), Role::Strong);
    at += columns.name;
    if let Some(width) = columns.kind {
        // Several have several types.
        let kind = if more == 0 { short_type(item) } else { "" };
        ink.put(at, y, width.saturating_sub(2), kind, Role::Dim);
        at += width;
    }
    // What nobody changed leaves its room to the reason.
    let width = if item.changed.is_some() { columns.changed.width() } else { 0 };
    let mut end = right.saturating_sub(width);
    if more > 0 && item.verdict == Verdict::GitOnly {
        end = to_show(ink, model, line).saturating_sub(2);
    }
    ink.put(at, y, end.saturating_sub(at), &item.reason, Role::Text);
    if let Some(changed) = &item.changed {
        columns.changed.draw(ink, model, (end + 2, y), changed);
    }
}

fn more(ink: &mut Ink<'_>, model: &Model, line: Rect, verdict: &Verdict, count: usize) {
    super::overview::verdict(ink, line.x + 3, line.y, verdict);
    let filtered = if model.list().filter.text.is_empty() { "" } else { " match" };
    ink.put(line.x + 15, line.y, 24, &format!("{count} more{filtered}"), Role::Dim);
    to_show(ink, model, line);
}

/// Says how to see what a line stands for; returns the column where that begins.
fn to_show(ink: &mut Ink<'_>, model: &Model, line: Rect) -> u16 {
    let key = model.keymap.key(crate::console::Action::Show);
    let right = line.right().saturating_sub(1);
    let text = format!("{key} to show");
    ink.put_right(right, line.y, 16, &text, Role::Dim);
    right.saturating_sub(u16::try_from(text.len()).unwrap_or(16))
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

#[cfg(test)]
mod tests {
    use super::who;

    #[test]
    fn whoever_changed_something_is_named_as_shortly_as_it_stays_clear() {
        for (by, expected) in [
            ("ci-deploy", "ci-deploy"),
            ("arn:aws:iam::471100004242:user/team/ann", "ann"),
            ("arn:aws:sts::471100004242:assumed-role/deployer/mara", "deployer/mara"),
            ("arn:aws:iam::471100004242:root", "root"),
            ("lambda.amazonaws.com", "lambda.amazonaws.com"),
        ] {
            assert_eq!(who(by), expected);
        }
    }
}
