//! The table of environments, project by project.

use ratatui::layout::Rect;

use super::counts::{self, Counts, fit};
use super::header::{account, spinner};
use super::ink::Ink;
use crate::compare::{Kind, Tally, Verdict, Why, WhyKind};
use crate::console::layout::environments_offset;
use crate::console::model::{EnvState, Model, Project};
use crate::console::page::overview::{self, Half, Row};
use crate::console::remote::Remote;
use crate::console::text;
use crate::console::theme::Role;
use crate::ops::crypto::last::Standing;

/// What a kind's column needs at least while there is a column of less weight.
const KIND: u16 = 11;

/// What the crypto API's column needs: a sign, a word and an age.
const CRYPTO: u16 = 10;

/// Left edges of the table's columns.
struct Columns {
    runs: Option<u16>,
    kinds: [u16; 4],
    width: u16,
    crypto: Option<u16>,
    account: Option<u16>,
    region: Option<u16>,
    read: u16,
}

impl Columns {
    /// The columns for which there is room: the account is kept longer than the region, and the commit that runs
    /// longer than both.
    fn of(model: &Model, area: Rect) -> Self {
        let longest = model.environments.iter().map(|env| text::width(env.name())).max().unwrap_or(0);
        let name = 3 + u16::try_from(longest).unwrap_or(12).clamp(5, 12) + 2;
        let regions = model.environments.iter().map(|env| text::width(region(env))).max().unwrap_or(0);
        let regions = u16::try_from(regions).unwrap_or(14).clamp(6, 14) + 2;
        let read = area.width.saturating_sub(8);
        let mut room = read.saturating_sub(name);
        let mut take = |wanted: u16, least: u16| {
            let fits = room >= wanted + least * 4;
            room -= if fits { wanted } else { 0 };
            fits
        };
        let runs = take(12, KIND - 1);
        let crypto = model.environments.iter().any(EnvState::has_crypto) && take(CRYPTO, KIND - 1);
        let account = take(11, KIND);
        let region = take(regions, KIND);
        let region = region.then(|| read - regions);
        let account = account.then(|| region.unwrap_or(read) - 11);
        let crypto = crypto.then(|| account.or(region).unwrap_or(read) - CRYPTO);
        let end = crypto.or(account).or(region).unwrap_or(read);
        let first = if runs { name + 12 } else { name };
        let width = end.saturating_sub(first) / 4;
        let kinds = [0, 1, 2, 3].map(|index| first + width * index);
        Self { runs: runs.then_some(name), kinds, width, crypto, account, region, read }
    }
}

pub(super) fn draw(ink: &mut Ink<'_>, model: &Model, area: Rect) {
    let columns = Columns::of(model, area);
    titles(ink, &columns, area);
    let rows = overview::rows(model);
    let focused = model.overview.half == Half::Environments;
    let offset = environments_offset(model, &rows, area);
    let cells = Cells::of(model, usize::from(columns.width.saturating_sub(1)));
    for (y, row) in (area.y + 1..area.bottom()).zip(rows.iter().skip(offset)) {
        let line = Rect { y, height: 1, ..area };
        match *row {
            Row::Project(index) => head(ink, model, &model.fleet.projects[index], line),
            Row::Environment(index) => {
                environment(ink, model, index, &columns, &cells, line);
                if index == model.current {
                    ink.select(line, focused);
                }
            }
        }
    }
}

/// Says at the right end of a line how many rows of the table there are below what is seen, and whether something is
/// wrong with any of them: what cannot be seen must not be taken for calm.
pub(super) fn more(ink: &mut Ink<'_>, model: &Model, table: Rect, line: Rect) {
    let rows = overview::rows(model);
    let seen = environments_offset(model, &rows, table) + usize::from(table.height.saturating_sub(1));
    let hidden = rows.get(seen..).unwrap_or_default();
    let is_wrong = |row: &&Row| match row {
        Row::Project(index) => matches!(model.fleet.projects[*index].files, Remote::Failed(_)),
        Row::Environment(index) => {
            let env = &model.environments[*index];
            Kind::ALL.into_iter().any(|kind| env.why_failed(kind).is_some()) || env.wrong_account().is_some()
        }
    };
    let wrong = hidden.iter().filter(is_wrong).count();
    if wrong == 0 {
        return ink.more(line, hidden.len(), false);
    }
    let text = format!(" {} {} more, {wrong} not read ", ink.symbols().down, hidden.len());
    let room = u16::try_from(text::width(&text)).unwrap_or(line.width);
    ink.put_right(line.right().saturating_sub(1), line.y, room, &text, Role::Error);
}

/// Says how many rows there are above: in the air over the table, or else in its margin.
pub(super) fn above(ink: &mut Ink<'_>, model: &Model, table: Rect, tabs: Rect) {
    let offset = environments_offset(model, &overview::rows(model), table);
    if table.y > tabs.bottom() {
        ink.more(Rect { y: table.y - 1, height: 1, ..table }, offset, true);
    } else if offset > 0 {
        ink.put(table.x, table.y, 1, ink.symbols().up, Role::Text);
    }
}

/// The counts of every environment, and how those of each kind stand.
struct Cells {
    counts: Vec<[Counts; 4]>,
    gaps: [u16; 4],
}

impl Cells {
    fn of(model: &Model, room: usize) -> Self {
        let counts: Vec<[Counts; 4]> =
            model.environments.iter().map(|env| Kind::ALL.map(|kind| counts(env, kind))).collect();
        let gaps = [0, 1, 2, 3].map(|kind: usize| counts::gap(counts.iter().map(|cells| &cells[kind]), room));
        Self { counts, gaps }
    }
}

/// The verdicts on a kind, those that matter first; none while nothing of it is known.
fn counts(env: &EnvState, kind: Kind) -> Counts {
    let Some(section) = env.section(kind).value() else { return Vec::new() };
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
    parts
}

fn titles(ink: &mut Ink<'_>, columns: &Columns, area: Rect) {
    let mut head = |x: Option<u16>, room: u16, text: &str| {
        if let Some(x) = x {
            ink.put(area.x + x, area.y, room, text, Role::Heading);
        }
    };
    head(Some(3), 5, "ENV");
    head(columns.runs, 11, "RUNS");
    let parameters = if columns.width > 11 { "PARAMETERS" } else { "PARAMS" };
    for (at, title) in columns.kinds.into_iter().zip(["STACKS", "CODE", parameters, "SECRETS"]) {
        head(Some(at), columns.width.max(5), title);
    }
    head(columns.crypto, CRYPTO - 1, "CRYPTO");
    head(columns.account, 10, "ACCOUNT");
    head(columns.region, 14, "REGION");
    head(Some(columns.read), 8, "READ");
}

/// A project's name, and what there is to say while it has no environments.
fn head(ink: &mut Ink<'_>, model: &Model, project: &Project, line: Rect) {
    let x = ink.put(line.x + 1, line.y, line.width / 2, &project.name, Role::Heading) + 2;
    let room = line.right().saturating_sub(x + 1);
    match &project.files {
        Remote::Loading { .. } => {
            ink.put(x, line.y, room, &format!("{} {}", spinner(model, ink), project.place), Role::Dim);
        }
        Remote::Failed(why) => {
            let hint = why.hint.as_ref().map(|hint| format!("  try: {hint}")).unwrap_or_default();
            ink.put(x, line.y, room, &format!("? {}{hint}", why.reason), Role::Error);
        }
        Remote::Idle | Remote::Ready(()) | Remote::Stale(()) => {}
    }
}

fn environment(ink: &mut Ink<'_>, model: &Model, index: usize, columns: &Columns, cells: &Cells, line: Rect) {
    let (env, y) = (&model.environments[index], line.y);
    let role = if index == model.current { Role::Strong } else { Role::Text };
    ink.put(line.x + 3, y, 12, env.name(), role);
    if let Some(at) = columns.runs {
        let (text, role) = runs(env);
        ink.put(line.x + at, y, columns.kinds[0].saturating_sub(at + 1), &text, role);
    }
    for (column, (at, kind)) in columns.kinds.into_iter().zip(Kind::ALL).enumerate() {
        let cell = Rect { x: line.x + at, width: columns.width.saturating_sub(1), ..line };
        let counts = cells.counts.get(index).map(|cells| cells[column].clone()).unwrap_or_default();
        draw_counts(ink, model, env, kind, cell, (counts, cells.gaps[column]));
        if env.remembered.contains_key(&kind) {
            ink.fade(cell);
        }
    }
    // The numbers of another account are no verdict on this environment.
    if env.wrong_account().is_some() {
        ink.dim(line);
        ink.put(line.x + 2, y, 1, "!", Role::Loud);
    }
    if let Some(at) = columns.crypto.filter(|_| env.has_crypto()) {
        let (text, role) = smoke(model, env, ink);
        ink.put(line.x + at, y, CRYPTO - 1, &text, role);
    }
    if let Some(at) = columns.account {
        let (text, role) = whose(env, ink.symbols().stale);
        ink.put(line.x + at, y, 10, &text, role);
    }
    if let Some(at) = columns.region {
        ink.put(line.x + at, y, 14, region(env), Role::Text);
    }
    let (text, role) = read(model, env, ink);
    ink.put(line.x + columns.read, y, 8, &text, role);
}

/// How the last smoke test went, and how long ago; one that is not of this session stands there without colour.
fn smoke(model: &Model, env: &EnvState, ink: &Ink<'_>) -> (String, Role) {
    let known = &env.crypto;
    if known.smoke.job.is_some() {
        return (format!("{} {}/{}", spinner(model, ink), known.smoke.done(), known.smoke.rows.len()), Role::Dim);
    }
    if known.smoke.failed.is_some() {
        return (String::from("? error"), Role::Unknown);
    }
    let Some((standing, counts)) = known.tally() else { return (String::from("not run"), Role::Dim) };
    let (sign, role) = super::crypto_sign(standing);
    let age = known.ended_at().map(|at| model.clock.age(at).replace(' ', "")).unwrap_or_default();
    let word = match standing {
        Standing::Passed => String::from("ok"),
        _ => counts.first().map(|(count, _)| count.to_string()).unwrap_or_default(),
    };
    (format!("{sign} {word} {age}"), if known.smoke.rows.is_empty() { Role::Dim } else { role })
}

/// The account, as AWS says; marked when the project expects another, and when nobody has said it again.
fn whose(env: &EnvState, stale: &str) -> (String, Role) {
    match env.identity.value() {
        Some(identity) if identity.expected_account.is_some() => {
            (format!("!{}", account(&identity.account)), Role::Error)
        }
        Some(identity) if env.is_vouched() => (account(&identity.account), Role::Text),
        Some(identity) => (format!("{stale}{}", account(&identity.account)), Role::Dim),
        None if matches!(env.identity, Remote::Failed(_)) => (String::from("?"), Role::Unknown),
        None => (String::new(), Role::Dim),
    }
}

fn region(env: &EnvState) -> &str {
    let said = env.info.as_ref().and_then(|info| info.region.as_deref());
    env.identity.value().map(|identity| identity.region.as_str()).or(said).unwrap_or_default()
}

/// Why a cell has no numbers, in a word; the whole reason stands below when its environment is selected.
fn failed_word(why: &Why) -> &'static str {
    match why.kind {
        WhyKind::Expired => "? expired",
        WhyKind::NoCredentials => "? no login",
        WhyKind::Denied => "? denied",
        WhyKind::Throttled => "? throttled",
        WhyKind::Network => "? no network",
        WhyKind::Missing | WhyKind::Service | WhyKind::Other => "? not read",
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

fn draw_counts(ink: &mut Ink<'_>, model: &Model, env: &EnvState, kind: Kind, area: Rect, (counts, gap): (Counts, u16)) {
    match env.section(kind) {
        Remote::Idle => return,
        Remote::Loading { .. } => {
            ink.put(area.x, area.y, area.width, spinner(model, ink), Role::Dim);
            return;
        }
        Remote::Failed(why) => {
            ink.put(area.x, area.y, area.width, failed_word(why), Role::Unknown);
            return;
        }
        Remote::Ready(_) | Remote::Stale(_) => {}
    }
    if env.times.is_stale(kind) {
        // Before the numbers, where it is not cut off.
        ink.put(area.x.saturating_sub(1), area.y, 1, ink.symbols().stale, Role::Notice);
    }
    let fitted = fit(counts, usize::from(area.width), gap);
    let mut x = area.x;
    for (verdict, count) in &fitted.parts {
        let text = format!("{}{count}", verdict.symbol());
        let long = u16::try_from(text.len()).unwrap_or(u16::MAX);
        // Much that nobody can ever know stands here for good: it is told, and is not louder than a drift.
        let role = if matches!(verdict, Verdict::Unknown(_)) { Role::Text } else { Role::from(verdict) };
        x = ink.put(x, area.y, long, &text, role) + fitted.gap;
    }
    if fitted.is_short {
        ink.put(x, area.y, 1, ink.symbols().ellipsis, Role::Strong);
    }
}

/// The age of what is shown, and whether it is being read again.
fn read(model: &Model, env: &EnvState, ink: &Ink<'_>) -> (String, Role) {
    let age = env.times.oldest(&Kind::ALL).map(|at| model.clock.age(at));
    let text = match (env.inspecting, age) {
        (Some(_), age) => format!("{} {}", spinner(model, ink), age.unwrap_or_default()),
        (None, Some(age)) => age,
        (None, None) => String::from(if env.wanted.is_some() { "next" } else { "-" }),
    };
    (text, Role::Dim)
}
