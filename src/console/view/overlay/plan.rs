//! A plan: where to, what, and how it is confirmed.
//!
//! Where it goes, in whose name, and how it is confirmed always stand. What lies between is wrapped, and scrolls where
//! there is no room for all of it; nothing of it is cut.

use ratatui::layout::Rect;

use crate::compare::Why;
use crate::console::action::Action;
use crate::console::mode::{Asks, Mode};
use crate::console::model::{EnvState, Model};
use crate::console::overlay::{EndedItems, Plan, Prepared, Sheet, SheetRow, Stage};
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
    /// The rows of the item that the cursor is on: the first, and the one after the last.
    cursor: Option<(usize, usize)>,
    /// Where it does.
    area: Rect,
    question: Question,
}

/// The last lines: how it is confirmed, or why it cannot be, or how far it is.
struct Question {
    /// A key that stands before the text.
    key: String,
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

/// What of a plan can be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::console) struct Sight {
    /// How many of its rows are seen at a time.
    pub(in crate::console) height: usize,
    /// How far it can be scrolled.
    pub(in crate::console) furthest: usize,
    /// The rows of the item that the cursor is on: the first, and the one after the last.
    pub(in crate::console) cursor: Option<(usize, usize)>,
}

/// What of a plan can be seen in an area.
pub(in crate::console) fn sight(model: &Model, area: Rect, plan: &Plan) -> Sight {
    let Some(layout) = layout(model, area, plan, "*") else { return Sight::default() };
    Sight { height: usize::from(layout.area.height), furthest: layout.furthest(), cursor: layout.cursor }
}

/// How far each item is, of a plan of values that is being carried out.
fn ended<'m>(model: &'m Model, plan: &Plan) -> Option<&'m EndedItems> {
    let sent = model.sent.iter().find(|sent| sent.job.generation == plan.job.generation)?;
    Some(&sent.ended)
}

fn layout(model: &Model, area: Rect, plan: &Plan, spinner: &str) -> Option<Layout> {
    let env = model.environments.get(plan.environment)?;
    let sheet = Sheet::of_plan(plan, env, ended(model, plan));
    let head: Vec<Row> = who(model, env, plan).into_iter().flat_map(|fact| told(fact, area.width)).collect();
    let question = Question::of(model, env, plan, &sheet, spinner).fit(area);
    let top = area.y + 1 + u16::try_from(head.len()).unwrap_or(area.height);
    let foot = area.bottom().saturating_sub(question.height());
    let area = Rect { y: top, height: foot.saturating_sub(top), ..area };
    let (rows, cursor) = rows(&sheet, area.width);
    Some(Layout { head, rows, cursor, area, question })
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

/// The rows that scroll, and which of them are the item's that the cursor is on.
fn rows(sheet: &Sheet, width: u16) -> (Vec<Row>, Option<(usize, usize)>) {
    let facts = sheet.facts.iter().map(|(word, fact)| (*word, vec![(fact.clone(), Role::Text)]));
    let mut cursor = None;
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
        let columns = Columns::of(sheet, width);
        let mut all = columns.cells(sheet.heads, [Role::Heading; 3]);
        for (at, row) in sheet.rows.iter().enumerate() {
            let first = all.len();
            all.extend(item(row, &columns));
            if sheet.cursor == Some(at) {
                cursor = Some((first, all.len()));
                if let Some(row) = all.get_mut(first) {
                    row.selected = true;
                }
            }
        }
        // What stands before this part is known: nothing but facts and what has to be read whole.
        let before: usize = parts.iter().filter(|part| !part.is_empty()).map(|part| part.len() + 1).sum();
        cursor = cursor.map(|(first, after)| (first + before, after + before));
        parts.push(all);
    }
    let notes = sheet.notes.iter().flat_map(|(sign, note)| remark(*sign, note, 3, width));
    parts.push(notes.collect());
    // A blank line stands between what is, what will be, and what else is to be known.
    let mut rows = Vec::new();
    for part in parts.into_iter().filter(|part| !part.is_empty()) {
        if !rows.is_empty() {
            rows.push(Row::default());
        }
        rows.extend(part);
    }
    (rows, cursor)
}

/// Where the three columns are, and where what stands before them.
struct Columns {
    /// Where the sign is.
    sign: u16,
    /// Where each begins, and how wide it is.
    places: [(u16, u16); 3],
    width: u16,
}

impl Columns {
    fn of(sheet: &Sheet, width: u16) -> Self {
        // What can be chosen has its box before the sign.
        let sign = if sheet.rows.iter().any(|row| row.mark.is_some()) { 7 } else { 3 };
        let first = width.saturating_sub(8) * 2 / 5;
        let left = sign + 2;
        let first = first.saturating_sub(left - 5);
        let second = if sheet.wide { (width.saturating_sub(8) * 3 / 10).min(30) } else { 14 };
        let last = left + first + second + 2;
        Self {
            sign,
            places: [(left, first), (left + 1 + first, second), (last, width.saturating_sub(last + 1))],
            width,
        }
    }

    /// Three texts, each in as many lines as it takes.
    fn cells(&self, texts: [&str; 3], roles: [Role; 3]) -> Vec<Row> {
        let wrapped = [0, 1, 2].map(|column| text::wrap(texts[column], usize::from(self.places[column].1)));
        let height = wrapped.iter().map(Vec::len).max().unwrap_or(0);
        let line = |at: usize| {
            (0..3).fold(Row::default(), |row, column| {
                let (x, room) = self.places[column];
                wrapped[column].get(at).map_or(row.clone(), |text| row.piece(x, room, text, roles[column]))
            })
        };
        (0..height).map(line).collect()
    }
}

/// One item: whether it is chosen, its sign, its columns, and what is to be known of it.
fn item(row: &SheetRow, columns: &Columns) -> Vec<Row> {
    let roles = match (row.mark, row.sign) {
        (Some(false), _) => [Role::Dim; 3],
        // It belongs to the item above.
        (_, ' ') => [Role::Text; 3],
        _ => [Role::Strong, Role::Text, Role::Text],
    };
    let lines = columns.cells(row.texts.each_ref().map(String::as_str), roles);
    let mut lines = signed(lines.into_iter(), row.sign, columns.sign);
    if let (Some(mark), Some(first)) = (row.mark, lines.first_mut()) {
        let (text, role) = if mark { ("[x]", Role::Key) } else { ("[ ]", Role::Dim) };
        *first = std::mem::take(first).piece(3, 3, text, role);
    }
    let notes = row.notes.iter().flat_map(|(sign, note)| remark(*sign, note, columns.sign + 2, columns.width));
    lines.extend(notes);
    lines
}

/// A sentence with a sign before it.
fn remark(sign: char, note: &str, at: u16, width: u16) -> Vec<Row> {
    let room = width.saturating_sub(at + 3);
    let row = |line: String| Row::default().piece(at + 2, room, line, Role::Text);
    signed(text::wrap(note, usize::from(room)).into_iter().map(row), sign, at)
}

/// The lines with a sign before the first.
fn signed(lines: impl Iterator<Item = Row>, sign: char, at: u16) -> Vec<Row> {
    let role = match sign {
        '=' => Role::InSync,
        '~' | '-' => Role::Drifted,
        '>' | '+' => Role::Pending,
        '*' => Role::Differs,
        '?' => Role::Unknown,
        '!' => Role::Diverged,
        _ => Role::Dim,
    };
    let with = |(line, row): (usize, Row)| if line == 0 { row.piece(at, 1, sign.to_string(), role) } else { row };
    lines.enumerate().map(with).collect()
}

/// How far a write of values is.
fn progress(model: &Model, plan: &Plan) -> Option<String> {
    let sent = model.sent.iter().find(|sent| sent.job.generation == plan.job.generation)?;
    let progress = sent.progress.as_ref()?;
    let mut told = format!("{} of {}", progress.ended, progress.total);
    if progress.failed > 0 {
        told = format!("{told}   {} failed", progress.failed);
    }
    if progress.throttled > 0 {
        told = format!("{told}   AWS said slow down {} times", progress.throttled);
    }
    let seconds = progress.remaining.as_secs();
    Some(if seconds > 0 { format!("{told}   about {seconds} s left") } else { told })
}

impl Question {
    fn said(text: String, role: Role) -> Self {
        Self { key: String::new(), lines: vec![text], role, typed: None }
    }

    fn of(model: &Model, env: &EnvState, plan: &Plan, sheet: &Sheet, spinner: &str) -> Self {
        let seconds = (model.clock.now - plan.job.since).max(0) / 1000;
        match &plan.stage {
            Stage::Reading => Self::said(
                format!("{spinner} working it out, {seconds} s; nothing is written   esc cancels"),
                Role::Dim,
            ),
            Stage::Doing(_) => {
                let done = progress(model, plan).map(|done| format!("   {done}")).unwrap_or_default();
                Self::said(format!("{spinner} on it, {seconds} s{done}   esc leaves it to go on"), Role::Notice)
            }
            Stage::Done(_, pushed) if pushed.written.is_empty() => Self::said(String::from("esc leaves"), Role::Dim),
            Stage::Done(..) => Self {
                key: model.keymap.key(Action::Undo),
                ..Self::said(String::from("to take it back, or esc"), Role::Strong)
            },
            Stage::Failed(why) => Self::refusal(why),
            Stage::Ready(prepared) => match &sheet.refused {
                Some(why) => Self::refusal(why),
                None => Self::confirming(env, prepared, sheet, plan, model.clock.now),
            },
        }
    }

    fn confirming(env: &EnvState, prepared: &Prepared, sheet: &Sheet, plan: &Plan, now: i64) -> Self {
        let name = env.name();
        match asks(env, plan, prepared, now) {
            Asks::Nothing => Self::said(format!("! {name} is read-only   first :unlock 15m \"why\""), Role::Error),
            Asks::Yes => {
                Self { key: String::from("y"), ..Self::said(format!("to {}, or esc", sheet.verb), Role::Strong) }
            }
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
            x = ink.put(x, foot.y, right.saturating_sub(x), &self.key, Role::Key) + 1;
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
