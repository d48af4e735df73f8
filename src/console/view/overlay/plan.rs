//! A plan: where to, what, and how it is confirmed.
//!
//! Where it goes, in whose name, and how it is confirmed always stand. What lies between is wrapped, and scrolls where
//! there is no room for all of it; nothing of it is cut.

use ratatui::layout::Rect;

use crate::compare::Why;
use crate::console::mode::{Asks, Mode};
use crate::console::model::{EnvState, Model};
use crate::console::overlay::{Plan, Prepared, Sheet, Stage};
use crate::console::text;
use crate::console::theme::Role;
use crate::console::update::asks;
use crate::console::view::header::{caller, spinner};
use crate::console::view::ink::{Ink, Row};

/// Where the facts begin.
const FACT: u16 = 12;

/// A word, and what it is.
type Fact = (&'static str, Vec<(String, Role)>);

/// A plan on its place.
struct Layout {
    /// What always stands.
    head: Vec<Row>,
    /// What scrolls.
    rows: Vec<Row>,
    /// Where it does.
    area: Rect,
    question: Question,
}

/// The last lines: how it is confirmed, or why it cannot be, or how far it is.
struct Question {
    /// A key that stands before the text.
    key: &'static str,
    lines: Vec<String>,
    role: Role,
    /// What is typed, where something has to be, and the columns that it may take.
    typed: Option<(String, usize)>,
}

/// Draws a plan over the page; returns how many lines there are below what is seen.
pub(super) fn draw(ink: &mut Ink<'_>, model: &Model, area: Rect, plan: &Plan) -> usize {
    let Some(layout) = layout(model, area, plan, spinner(model, ink)) else { return 0 };
    ink.fill(area, Role::Text);
    ink.row(area, &Row::default().flow(1, area.width, [(String::from(plan.title()), Role::Heading)]).ruled());
    let offset = plan.scroll.min(layout.furthest());
    ink.more(Rect { height: 1, ..area }, offset, true);
    let below = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    ink.rows(below, &layout.head, 0);
    ink.rows(layout.area, &layout.rows, offset);
    layout.question.draw(ink, area);
    layout.furthest() - offset
}

/// How far a plan can be scrolled.
pub(in crate::console) fn furthest(model: &Model, area: Rect, plan: &Plan) -> usize {
    layout(model, area, plan, "*").map_or(0, |layout| layout.furthest())
}

fn layout(model: &Model, area: Rect, plan: &Plan, spinner: &str) -> Option<Layout> {
    let env = model.environments.get(plan.environment)?;
    let sheet = plan.prepared().map(|prepared| Sheet::of(prepared, env)).unwrap_or_default();
    let head: Vec<Row> = who(model, env, plan).into_iter().flat_map(|fact| told(fact, area.width)).collect();
    let question = Question::of(model, env, plan, &sheet, spinner).fit(area);
    let top = area.y + 1 + u16::try_from(head.len()).unwrap_or(area.height);
    let foot = area.bottom().saturating_sub(question.height());
    let area = Rect { y: top, height: foot.saturating_sub(top), ..area };
    Some(Layout { head, rows: rows(&sheet, area.width), area, question })
}

impl Layout {
    fn furthest(&self) -> usize {
        self.rows.len().saturating_sub(usize::from(self.area.height))
    }
}

/// Where it goes and in whose name.
fn who(model: &Model, env: &EnvState, plan: &Plan) -> Vec<Fact> {
    let mode = match env.mode(model.clock.now) {
        Mode::Unlocked(_) => String::from("unlocked"),
        Mode::Read | Mode::Write => format!("protection: {}", env.protection().word()),
    };
    let mut to = vec![(format!("{} / {}", env.project(), env.name()), Role::Strong)];
    let Some(prepared) = plan.prepared() else { return vec![("to", to)] };
    let mut by = Vec::new();
    match &prepared.writer {
        Ok(identity) => {
            to.push((format!("account {}", identity.account), Role::Strong));
            to.push((identity.region.clone(), Role::Text));
            by.push((caller(&identity.arn), Role::Strong));
        }
        Err(why) => by.push((format!("? {}", why.reason), Role::Error)),
    }
    by.push((mode, Role::Text));
    by.extend(env.write_profile().map(|profile| (format!("profile {profile}"), Role::Dim)));
    vec![("to", to), ("as", by)]
}

/// A fact in as many lines as it takes.
fn told((word, pieces): Fact, width: u16) -> Vec<Row> {
    let right = width.saturating_sub(1);
    let room = usize::from(right.saturating_sub(FACT)).max(1);
    let mut lines = vec![Row::default().piece(3, FACT - 4, word, Role::Dim)];
    let mut at = FACT;
    for (piece, role) in pieces {
        for part in text::wrap(&piece, room) {
            let long = u16::try_from(text::width(&part)).unwrap_or(right);
            if at > FACT && at.saturating_add(long) > right {
                lines.push(Row::default());
                at = FACT;
            }
            if let Some(line) = lines.pop() {
                lines.push(line.piece(at, long, part, role));
            }
            at = at.saturating_add(long).saturating_add(2);
        }
    }
    lines
}

fn rows(sheet: &Sheet, width: u16) -> Vec<Row> {
    let facts = sheet.facts.iter().map(|(word, fact)| (*word, vec![(fact.clone(), Role::Text)]));
    let mut parts: Vec<Vec<Row>> = vec![facts.flat_map(|fact| told(fact, width)).collect()];
    if let Some((word, text)) = &sheet.whole {
        let room = width.saturating_sub(FACT + 1);
        let lines = text::wrap(text, usize::from(room)).into_iter().enumerate();
        let word = |at| if at == 0 { *word } else { "" };
        let row =
            |at, line| Row::default().piece(3, FACT - 4, word(at), Role::Dim).piece(FACT, room, line, Role::Strong);
        parts.push(lines.map(|(at, line)| row(at, line)).collect());
    }
    if !sheet.rows.is_empty() {
        let head = cells(None, sheet.heads, [Role::Heading; 3], width);
        let rows = sheet.rows.iter().flat_map(|(sign, texts)| {
            cells(Some(*sign), texts.each_ref().map(String::as_str), [Role::Strong, Role::Text, Role::Text], width)
        });
        parts.push(head.into_iter().chain(rows).collect());
    }
    let notes = sheet.notes.iter().flat_map(|(sign, note)| {
        let lines = text::wrap(note, usize::from(width.saturating_sub(6)));
        let row = |line: String| Row::default().piece(5, width.saturating_sub(6), line, Role::Text);
        signed(lines.into_iter().map(row), *sign)
    });
    parts.push(notes.collect());
    // A blank line stands between what is, what will be, and what else is to be known.
    let mut rows = Vec::new();
    for part in parts.into_iter().filter(|part| !part.is_empty()) {
        if !rows.is_empty() {
            rows.push(Row::default());
        }
        rows.extend(part);
    }
    rows
}

/// Three columns, each in as many lines as it takes.
fn cells(sign: Option<char>, texts: [&str; 3], roles: [Role; 3], width: u16) -> Vec<Row> {
    let (first, second) = (width.saturating_sub(8) * 2 / 5, 14);
    let places = [(5, first), (6 + first, second), (7 + first + second, width.saturating_sub(8 + first + second))];
    let wrapped = [0, 1, 2].map(|column| text::wrap(texts[column], usize::from(places[column].1)));
    let height = wrapped.iter().map(Vec::len).max().unwrap_or(0);
    let line = |at: usize| {
        (0..3).fold(Row::default(), |row, column| {
            let (x, room) = places[column];
            wrapped[column].get(at).map_or(row.clone(), |text| row.piece(x, room, text, roles[column]))
        })
    };
    let lines = (0..height).map(line);
    match sign {
        Some(sign) => signed(lines, sign),
        None => lines.collect(),
    }
}

/// The lines with a sign before the first.
fn signed(lines: impl Iterator<Item = Row>, sign: char) -> Vec<Row> {
    let role = match sign {
        '=' => Role::InSync,
        '~' => Role::Drifted,
        '?' => Role::Unknown,
        '!' => Role::Diverged,
        _ => Role::Dim,
    };
    let with = |(at, row): (usize, Row)| if at == 0 { row.piece(3, 1, sign.to_string(), role) } else { row };
    lines.enumerate().map(with).collect()
}

impl Question {
    fn said(text: String, role: Role) -> Self {
        Self { key: "", lines: vec![text], role, typed: None }
    }

    fn of(model: &Model, env: &EnvState, plan: &Plan, sheet: &Sheet, spinner: &str) -> Self {
        let seconds = (model.clock.now - plan.job.since).max(0) / 1000;
        match &plan.stage {
            Stage::Reading => Self::said(
                format!("{spinner} working it out, {seconds} s; nothing is written   esc cancels"),
                Role::Dim,
            ),
            Stage::Doing(_) => {
                Self::said(format!("{spinner} on it, {seconds} s   esc leaves it to go on"), Role::Notice)
            }
            Stage::Failed(why) => Self::refusal(why),
            Stage::Ready(prepared) => match &sheet.refused {
                Some(why) => Self::refusal(why),
                None => Self::confirming(env, prepared, sheet, plan, model.clock.now),
            },
        }
    }

    fn confirming(env: &EnvState, prepared: &Prepared, sheet: &Sheet, plan: &Plan, now: i64) -> Self {
        let name = env.name();
        match asks(env, prepared, now) {
            Asks::Nothing => Self::said(format!("! {name} is read-only   first :unlock 15m \"why\""), Role::Error),
            Asks::Yes => Self { key: "y", ..Self::said(format!("to {}, or esc", sheet.verb), Role::Strong) },
            Asks::Name => {
                let text = format!("Type {name} to {}, or esc:", sheet.verb);
                let room = text::width(name).max(text::width(&plan.typed)) + 2;
                Self { typed: Some((plan.typed.clone(), room)), ..Self::said(text, Role::Strong) }
            }
        }
    }

    fn refusal(why: &Why) -> Self {
        let hint = why.hint.as_ref().map(|hint| format!("  try: {hint}")).unwrap_or_default();
        Self::said(format!("! {}{hint}", why.reason), Role::Error)
    }

    /// Wrapped, with a line of its own for what is typed where there is no room beside the text.
    fn fit(self, area: Rect) -> Self {
        let room = usize::from(area.width.saturating_sub(4 + u16::try_from(self.key.len()).unwrap_or(0))).max(1);
        let mut lines: Vec<String> = self.lines.iter().flat_map(|line| text::wrap(line, room)).collect();
        let last = lines.last().map_or(0, |line| text::width(line));
        if self.typed.as_ref().is_some_and(|(_, typed)| last + typed > room) {
            lines.push(String::new());
        }
        // The environment and at least a row stand above a long refusal.
        lines.truncate(usize::from(area.height / 2).max(1));
        Self { lines, ..self }
    }

    fn height(&self) -> u16 {
        u16::try_from(self.lines.len()).unwrap_or(1)
    }

    fn draw(&self, ink: &mut Ink<'_>, area: Rect) {
        let foot = Rect { y: area.bottom().saturating_sub(self.height()), height: self.height(), ..area };
        ink.fill(foot, Role::Text);
        let right = area.right().saturating_sub(1);
        let mut x = area.x + 3;
        if !self.key.is_empty() {
            x = ink.put(x, foot.y, right.saturating_sub(x), self.key, Role::Key) + 1;
        }
        let mut after = x;
        for (y, line) in (foot.y..foot.bottom()).zip(&self.lines) {
            after = ink.put(x, y, right.saturating_sub(x), line, self.role);
        }
        if let Some((typed, _)) = &self.typed {
            let y = foot.bottom().saturating_sub(1);
            let x = if after > x { after + 1 } else { after };
            let after = ink.put(x, y, right.saturating_sub(x + 1), typed, Role::Input);
            ink.put(after, y, 1, ink.symbols().caret, Role::Key);
        }
    }
}
