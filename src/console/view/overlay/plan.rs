//! A plan: where to, what, and how it is confirmed.

use ratatui::layout::Rect;

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

/// Draws a plan over the page.
pub(super) fn draw(ink: &mut Ink<'_>, model: &Model, area: Rect, plan: &Plan) {
    let Some(env) = model.environments.get(plan.environment) else { return };
    ink.fill(area, Role::Text);
    ink.row(area, &Row::default().flow(1, area.width, [(String::from(plan.title()), Role::Heading)]).ruled());
    let sheet = plan.prepared().map(|prepared| Sheet::of(prepared, env)).unwrap_or_default();
    let mut y = area.y + 1;
    for (word, facts) in facts(model, env, plan, &sheet) {
        let row = Row::default().piece(3, FACT - 4, word, Role::Dim).flow(FACT, area.width, facts);
        ink.row(Rect { y, ..area }, &row);
        y += 1;
    }
    // Which environment, and how it is confirmed, stands even where the rows do not.
    let foot = area.bottom().saturating_sub(1);
    let rows = Rect { y: y + 1, height: foot.saturating_sub(y + 1), ..area };
    let lines = lines(&sheet, area.width);
    ink.rows(rows, &lines, plan.scroll);
    let below = lines.len().saturating_sub(plan.scroll + usize::from(rows.height));
    ink.more(Rect { y: area.bottom(), height: 1, ..area }, below, false);
    let foot = Rect { y: foot, height: 1, ..area };
    ink.fill(foot, Role::Text);
    question(ink, model, env, plan, &sheet, foot);
}

/// The facts that every plan begins with, then its own.
fn facts(model: &Model, env: &EnvState, plan: &Plan, sheet: &Sheet) -> Vec<(&'static str, Vec<(String, Role)>)> {
    let mode = match env.mode(model.clock.now) {
        Mode::Unlocked(_) => String::from("unlocked"),
        Mode::Read | Mode::Write => format!("protection: {}", env.protection().word()),
    };
    let mut to = vec![(env.name().to_owned(), Role::Strong)];
    let mut by = Vec::new();
    if let Some(prepared) = plan.prepared() {
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
    }
    let own = sheet.facts.iter().map(|(word, fact)| (*word, vec![(fact.clone(), Role::Text)]));
    [("to", to), ("as", by)].into_iter().filter(|(_, facts)| !facts.is_empty()).chain(own).collect()
}

/// How many lines can be scrolled through.
pub(in crate::console) fn length(model: &Model, plan: &Plan) -> usize {
    let (Some(env), Some(prepared)) = (model.environments.get(plan.environment), plan.prepared()) else { return 0 };
    lines(&Sheet::of(prepared, env), model.size.0).len()
}

fn lines(sheet: &Sheet, width: u16) -> Vec<Row> {
    let mut lines = Vec::new();
    if let Some((word, text)) = &sheet.whole {
        let room = width.saturating_sub(FACT + 1);
        for (index, part) in text::wrap(text, usize::from(room)).into_iter().enumerate() {
            let word = if index == 0 { *word } else { "" };
            lines.push(Row::default().piece(3, FACT - 4, word, Role::Dim).piece(FACT, room, part, Role::Strong));
        }
        lines.push(Row::default());
    }
    let (first, second) = (width.saturating_sub(8) * 2 / 5, 14);
    let columns = |row: Row, cells: [&str; 3], role: Role| {
        row.piece(5, first, cells[0], role).piece(6 + first, second, cells[1], Role::Text).piece(
            7 + first + second,
            width.saturating_sub(8 + first + second),
            cells[2],
            Role::Text,
        )
    };
    if !sheet.rows.is_empty() {
        let head = columns(Row::default(), sheet.heads, Role::Heading);
        let heading = head
            .pieces
            .into_iter()
            .fold(Row::default(), |row, piece| row.piece(piece.at, piece.room, piece.text, Role::Heading));
        lines.push(heading);
    }
    lines.extend(sheet.rows.iter().map(|(sign, cells)| {
        let row = Row::default().piece(3, 1, sign.to_string(), sign_role(*sign));
        columns(row, [&cells[0], &cells[1], &cells[2]], Role::Strong)
    }));
    if !sheet.rows.is_empty() {
        lines.push(Row::default());
    }
    lines.extend(sheet.notes.iter().map(|(sign, note)| {
        let row = Row::default().piece(3, 1, sign.to_string(), sign_role(*sign));
        row.piece(5, width.saturating_sub(6), note, Role::Text)
    }));
    lines
}

fn sign_role(sign: char) -> Role {
    match sign {
        '=' => Role::InSync,
        '~' => Role::Drifted,
        '?' => Role::Unknown,
        '!' => Role::Diverged,
        _ => Role::Dim,
    }
}

/// The last line: how it is confirmed, or why it cannot be, or how far it is.
fn question(ink: &mut Ink<'_>, model: &Model, env: &EnvState, plan: &Plan, sheet: &Sheet, area: Rect) {
    let (x, y, room) = (area.x + 3, area.y, area.width.saturating_sub(4));
    let name = env.name();
    let seconds = (model.clock.now - plan.job.since).max(0) / 1000;
    match &plan.stage {
        Stage::Reading => {
            let text = format!("{} working it out, {seconds} s; nothing is written   esc cancels", spinner(model, ink));
            ink.put(x, y, room, &text, Role::Dim);
        }
        Stage::Doing(_) => {
            let text = format!("{} on it, {seconds} s   esc leaves it to go on", spinner(model, ink));
            ink.put(x, y, room, &text, Role::Notice);
        }
        Stage::Failed(why) => refusal(ink, why, area),
        Stage::Ready(prepared) => {
            if let Some(why) = &sheet.refused {
                return refusal(ink, why, area);
            }
            ask(ink, (model, env, plan), prepared, sheet, (x, y, room), name);
        }
    }
}

fn ask(
    ink: &mut Ink<'_>,
    (model, env, plan): (&Model, &EnvState, &Plan),
    prepared: &Prepared,
    sheet: &Sheet,
    (x, y, room): (u16, u16, u16),
    name: &str,
) {
    match asks(env, prepared, model.clock.now) {
        Asks::Nothing => {
            let text = format!("! {name} is read-only   first :unlock 15m \"why\"");
            ink.put(x, y, room, &text, Role::Error);
        }
        Asks::Yes => {
            let after = ink.put(x, y, room, "y", Role::Key);
            ink.put(after + 1, y, room, &format!("to {}, or esc", sheet.verb), Role::Strong);
        }
        Asks::Name => {
            let text = format!("Type {name} to {}, or esc: ", sheet.verb);
            let after = ink.put(x, y, room, &text, Role::Strong);
            let left = (x + room).saturating_sub(after);
            let after = ink.put(after, y, left.saturating_sub(1), &plan.typed, Role::Input);
            ink.put(after, y, 1, ink.symbols().caret, Role::Key);
        }
    }
}

fn refusal(ink: &mut Ink<'_>, why: &crate::compare::Why, area: Rect) {
    let hint = why.hint.as_ref().map(|hint| format!("  try: {hint}")).unwrap_or_default();
    let said = format!("! {}{hint}", why.reason);
    // A reason may be longer than a line; the lines above it hold less than it does now.
    let width = usize::from(area.width.saturating_sub(4)).max(1);
    let lines = text::wrap(&said, width);
    let first = area.y.saturating_sub(u16::try_from(lines.len().saturating_sub(1)).unwrap_or(0).min(4));
    for (y, line) in (first..=area.y).zip(lines) {
        ink.fill(Rect { y, height: 1, ..area }, Role::Text);
        ink.put(area.x + 3, y, area.width.saturating_sub(4), &line, Role::Error);
    }
}
