//! The deploy page: the stacks, and below them what is under way with the selected one, its functions and its past.

use ratatui::layout::Rect;

use super::header::{caller, spinner};
use super::ink::{Ink, Row};
use crate::compare::Why;
use crate::console::model::Model;
use crate::console::page::deploy::{Choice, Run, choices, selected};
use crate::console::remote::Remote;
use crate::console::text;
use crate::console::theme::Role;
use crate::ops::deploy::{Happened, Standing};
use crate::ops::journal::{Entry, State};

/// How wide the bar of progress is.
const BAR: usize = 20;

/// How many of the last events are shown while something goes on.
const EVENTS: usize = 12;

/// Where both parts are.
fn places(model: &Model, body: Rect) -> (Rect, Rect) {
    let rows = model.environment().deploys.standings().len().max(1) + 1;
    let height = u16::try_from(rows).unwrap_or(u16::MAX).min(body.height / 2).max(2);
    let top = Rect { height, ..body };
    let y = body.y + height + 1;
    (top, Rect { y, height: body.bottom().saturating_sub(y), ..body })
}

/// Draws the page; returns how many lines there are below what is seen.
pub(super) fn draw(ink: &mut Ink<'_>, model: &Model, body: Rect) -> (Rect, usize) {
    let (top, below) = places(model, body);
    let spin = spinner(model, ink);
    stacks(ink, model, top, spin);
    let Some(standing) = selected(model) else { return (below, 0) };
    let title = (format!("{}  ", standing.name), if model.deploy.below { Role::Heading } else { Role::Dim });
    ink.row(below, &Row::default().flow(1, below.width, [title]).ruled());
    let area = Rect { y: below.y + 1, height: below.height.saturating_sub(1), ..below };
    let lines: Vec<Row> = lines(model, standing, area.width, spin).into_iter().map(|(row, _)| row).collect();
    ink.rows(area, &lines, model.deploy.offset);
    (area, lines.len().saturating_sub(model.deploy.offset + usize::from(area.height)))
}

/// The line of what is selected in the lower part, how many lines there are, and how many are seen.
pub(in crate::console) fn heights(model: &Model, body: Rect) -> (usize, usize, usize) {
    let (_, below) = places(model, body);
    let Some(standing) = selected(model) else { return (0, 0, 0) };
    let lines = lines(model, standing, below.width, "");
    let line = lines.iter().position(|(_, choice)| model.deploy.below && *choice == Some(model.deploy.line));
    (line.unwrap_or(0), lines.len(), usize::from(below.height.saturating_sub(1)))
}

fn stacks(ink: &mut Ink<'_>, model: &Model, area: Rect, spin: &str) {
    let known = &model.environment().deploys;
    let mut facts = vec![(String::from("STACKS"), if model.deploy.below { Role::Dim } else { Role::Heading })];
    if known.reading.is_some() {
        facts.push((format!("{spin} reading"), Role::Notice));
    } else if let Some(at) = known.read_at {
        let stale = if known.trouble.is_some() { ink.symbols().stale } else { "" };
        facts.push((format!("{stale}read {} ago", model.clock.age(at)), Role::Dim));
    }
    facts.extend(known.trouble.iter().map(|why| (format!("? {}", why.reason), Role::Error)));
    ink.row(area, &Row::default().flow(1, area.width, facts).ruled());
    let list = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    let rows: Vec<Row> = match &known.stacks {
        Remote::Failed(why) => failed(why, area.width),
        _ if known.standings().is_empty() => {
            vec![Row::default().piece(3, area.width, format!("{spin} asking for the stacks"), Role::Dim)]
        }
        _ => known.standings().iter().enumerate().map(|(at, it)| stack(model, it, at, area.width, spin)).collect(),
    };
    let first = (model.deploy.row + 1).saturating_sub(usize::from(list.height));
    ink.rows(list, &rows, first);
}

fn failed(why: &Why, width: u16) -> Vec<Row> {
    let room = usize::from(width.saturating_sub(5));
    let hint = why.hint.iter().map(|hint| (format!("try: {hint}"), Role::Dim));
    let lines = std::iter::once((format!("? {}", why.reason), Role::Error)).chain(hint);
    let row = |(line, role): (String, Role)| {
        text::wrap(&line, room).into_iter().map(move |line| Row::default().piece(3, width, line, role))
    };
    lines.flat_map(row).collect()
}

fn stack(model: &Model, standing: &Standing, at: usize, width: u16, spin: &str) -> Row {
    let run = model.environment().deploys.runs.get(&standing.name).filter(|run| run.over.is_none());
    let status =
        standing.status.as_deref().unwrap_or(if standing.problems.is_empty() { "not there" } else { "unknown" });
    let (sign, role) = match (run.is_some() || standing.operation.is_some(), standing) {
        (true, _) => (spin, Role::Notice),
        (_, Standing { stuck: Some(_), .. }) => ("!", Role::Diverged),
        (_, Standing { status: None, problems, .. }) if problems.is_empty() => ("-", Role::GitOnly),
        (_, Standing { status: None, .. }) => ("?", Role::Unknown),
        (_, Standing { status: Some(status), .. }) if status.contains("FAILED") => ("!", Role::Diverged),
        _ => ("=", Role::InSync),
    };
    let runs = standing.runs.as_ref().map(|runs| format!("runs {}", text::short(runs)));
    let runs = runs.unwrap_or_else(|| String::from("no receipt"));
    let last = standing.past.entries.first().map(|entry| {
        let word = format!("{} {}", entry.action.word(), entry.state().word());
        format!("{word} {} ago, {}", model.clock.age(entry.at), caller(&entry.by))
    });
    let stuck = standing.stuck.map(|stuck| format!("stuck: {}", stuck.told().0)).unwrap_or_default();
    let problem = standing.problems.first().map(|why| format!("? {}", why.reason)).unwrap_or_default();
    let row = Row::default().piece(3, 1, sign, role).flow(
        5,
        width.saturating_sub(1),
        [
            (format!("{:<24}", standing.name), Role::Strong),
            (format!("{status:<26}"), role),
            (runs, Role::Text),
            (last.unwrap_or_default(), Role::Dim),
            (stuck, Role::Notice),
            (problem, Role::Error),
        ],
    );
    Row { selected: at == model.deploy.row, ..row }
}

/// What is drawn of the selected stack, and which of it can be selected.
fn lines(model: &Model, standing: &Standing, width: u16, spin: &str) -> Vec<(Row, Option<usize>)> {
    let mut lines: Vec<(Row, Option<usize>)> = Vec::new();
    if let Some(run) = model.environment().deploys.runs.get(&standing.name) {
        lines.extend(progress(model, run, width, spin).into_iter().map(|row| (row, None)));
        lines.push((Row::default(), None));
    }
    if let Some(stuck) = standing.stuck {
        let (matter, way) = stuck.told();
        lines.push((said(format!("! {matter}; the way out: {way}"), Role::Notice, width), None));
    }
    for problem in standing.problems.iter().chain(&standing.past.problems) {
        lines.push((said(format!("? {}", problem.reason), Role::Error, width), None));
    }
    let mut entries = false;
    for (at, choice) in choices(standing).into_iter().enumerate() {
        let row = match choice {
            Choice::Function(name) => Row::default().flow(
                3,
                width,
                [(String::from("function"), Role::Dim), (name.to_owned(), Role::Strong), (back(), Role::Dim)],
            ),
            Choice::Entry(entry) => {
                if !std::mem::replace(&mut entries, true) {
                    lines.push((Row::default().piece(3, width, "HISTORY", Role::Heading), None));
                }
                past(model, standing, entry, width)
            }
        };
        lines.push((Row { selected: model.deploy.below && model.deploy.line == at, ..row }, Some(at)));
    }
    if !entries {
        lines.push((said(String::from("nothing was deployed to it by plumb yet"), Role::Dim, width), None));
    }
    lines
}

fn back() -> String {
    String::from("its alias can serve the previous version again")
}

fn said(text: String, role: Role, width: u16) -> Row {
    Row::default().piece(3, width.saturating_sub(4), text, role)
}

fn past(model: &Model, standing: &Standing, entry: &Entry, width: u16) -> Row {
    let (sign, role) = match entry.state() {
        State::Ok => ("=", Role::InSync),
        State::Failed => ("!", Role::Diverged),
        State::UnderWay => (">", Role::Pending),
        State::Unknown => ("?", Role::Unknown),
    };
    let commit = entry.commit.as_ref().map(|commit| {
        let subject = standing.past.subjects.get(commit).map(|subject| format!(" \"{subject}\"")).unwrap_or_default();
        format!("{}{subject}", text::short(commit))
    });
    let took = entry.settled.as_ref().map(|settled| seconds(settled.at - entry.at)).unwrap_or_default();
    let error = entry.settled.as_ref().and_then(|settled| settled.error.clone()).unwrap_or_default();
    Row::default()
        .piece(3, 8, model.clock.moment(entry.at), Role::Dim)
        .piece(12, 11, format!("{sign} {}", entry.state().word()), role)
        .piece(24, 8, entry.action.word(), Role::Strong)
        .flow(
            33,
            width.saturating_sub(1),
            [
                (commit.unwrap_or_default(), Role::Text),
                (caller(&entry.by), Role::Dim),
                (took, Role::Dim),
                (error, Role::Error),
            ],
        )
}

fn seconds(milliseconds: i64) -> String {
    format!("{} s", (milliseconds.max(0) + 500) / 1000)
}

/// What is done, or was done in this session: what failed first stands on top.
fn progress(model: &Model, run: &Run, width: u16, spin: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    if let Some(failure) = &run.failure {
        let event = &failure.event;
        let reason = event.reason.as_deref().unwrap_or("AWS says no reason");
        let line = format!("! failed first: {} {}: {reason}", event.name(), event.status);
        rows.extend(wrapped(&line, Role::Error, width));
    }
    match &run.log {
        Some(Ok(lines)) => rows.extend(
            lines.iter().flat_map(|line| wrapped(&format!("  log  {}", line.expose().trim_end()), Role::Text, width)),
        ),
        Some(Err(why)) => rows.push(said(format!("? its log: {}", why.reason), Role::Dim, width)),
        None => {}
    }
    match &run.over {
        None => rows.push(going(model, run, width, spin)),
        Some(Ok(over)) => {
            let status = over.status.as_deref().unwrap_or("nothing to change");
            let took = over.took.map(seconds).unwrap_or_default();
            let (sign, role) = if over.why.is_some() { ("!", Role::Diverged) } else { ("=", Role::InSync) };
            let pieces = [(format!("{sign} {status}"), role), (took, Role::Dim)];
            rows.push(Row::default().flow(3, width, pieces));
            rows.extend(over.why.iter().flat_map(|why| told(why, width)));
            rows.extend(over.notes.iter().flat_map(|note| wrapped(&format!("i {note}"), Role::Dim, width)));
            rows.extend(over.outputs.iter().map(|(name, value)| said(format!("{name} = {value}"), Role::Text, width)));
        }
        Some(Err(why)) => rows.extend(told(why, width)),
    }
    rows.extend(run.unanswered.iter().map(|why| {
        said(format!("? CloudFormation does not answer, and is asked again: {}", why.reason), Role::Notice, width)
    }));
    let skip = run.events.len().saturating_sub(EVENTS);
    if skip > 0 {
        rows.push(said(format!("{skip} earlier events"), Role::Dim, width));
    }
    rows.extend(run.events.iter().skip(skip).map(|happened| event(model, happened, width)));
    rows
}

fn told(why: &Why, width: u16) -> Vec<Row> {
    let mut rows = wrapped(&format!("? {}", why.reason), Role::Error, width);
    rows.extend(why.hint.iter().flat_map(|hint| wrapped(&format!("  try: {hint}"), Role::Dim, width)));
    rows
}

fn wrapped(line: &str, role: Role, width: u16) -> Vec<Row> {
    let room = usize::from(width.saturating_sub(5)).max(1);
    text::wrap(line, room).into_iter().map(|line| said(line, role, width)).collect()
}

fn going(model: &Model, run: &Run, width: u16, spin: &str) -> Row {
    let now = model.clock.now;
    let bar = run.share(now).map(|share| {
        let full = usize::try_from(share).unwrap_or(0) * BAR / 100;
        format!("[{}{}]", "#".repeat(full), ".".repeat(BAR - full))
    });
    let time = match run.last {
        Some(last) => format!("{} of about {}", seconds(now - run.since), seconds(last)),
        None => seconds(now - run.since),
    };
    let whose = run.whose.as_ref().map(|whose| format!("begun by {whose}")).unwrap_or_default();
    Row::default().flow(
        3,
        width.saturating_sub(1),
        [
            (format!("{spin} {}", run.doing), Role::Notice),
            (bar.unwrap_or_default(), Role::Strong),
            (time, Role::Text),
            (run.step.clone().unwrap_or_default(), Role::Text),
            (whose, Role::Dim),
            (String::from("leaving does not stop it"), Role::Dim),
        ],
    )
}

fn event(model: &Model, happened: &Happened, width: u16) -> Row {
    let role = match happened.status.as_str() {
        status if status.ends_with("_FAILED") => Role::Error,
        status if status.ends_with("_COMPLETE") => Role::InSync,
        _ => Role::Text,
    };
    let type_name = happened.type_name.strip_prefix("AWS::").unwrap_or(&happened.type_name);
    Row::default()
        .piece(3, 8, model.clock.time(happened.at), Role::Dim)
        .piece(12, 30, happened.status.clone(), role)
        .flow(
            43,
            width.saturating_sub(1),
            [
                (happened.name(), Role::Strong),
                (type_name.to_owned(), Role::Dim),
                (happened.reason.clone().unwrap_or_default(), Role::Text),
            ],
        )
}
