//! The deploy page: the stacks, and below them what is under way with the selected one, its functions and its past.

mod progress;

use ratatui::layout::{Position, Rect};

use super::header::{caller, spinner};
use super::ink::{Ink, Row};
use super::said::{said, told, wrapped};
use crate::console::action::Action;
use crate::console::ages::span;
use crate::console::model::Model;
use crate::console::overlay::{PIPELINE, WORKFLOW};
use crate::console::page::deploy::{Choice, choices, selected};
use crate::console::pointer::Spot;
use crate::console::remote::Remote;
use crate::console::text;
use crate::console::theme::{Role, Symbols, UNICODE};
use crate::ops::deploy::Standing;
use crate::ops::journal::{Entry, State};

/// What the lower part is drawn with.
struct Pen<'a> {
    model: &'a Model,
    width: u16,
    /// How many lines are seen.
    height: u16,
    spin: &'a str,
    symbols: &'a Symbols,
}

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
    let standing = selected(model);
    let Some(name) = subject(model, standing) else { return (below, 0) };
    let title = (format!("{name}  "), if model.deploy.below { Role::Heading } else { Role::Dim });
    ink.row(below, &Row::default().flow(1, below.width, [title]).ruled());
    let area = Rect { y: below.y + 1, height: below.height.saturating_sub(1), ..below };
    let symbols = *ink.symbols();
    let pen = Pen { model, width: area.width, height: area.height, spin, symbols: &symbols };
    let lines: Vec<Row> = lines(&pen, standing).into_iter().map(|(row, _)| row).collect();
    ink.rows(area, &lines, model.deploy.offset);
    (area, lines.len().saturating_sub(model.deploy.offset + usize::from(area.height)))
}

/// What the lower part is about: the selected stack; where there is none, who else was asked.
fn subject<'m>(model: &'m Model, standing: Option<&'m Standing>) -> Option<&'m str> {
    let known = &model.environment().deploys;
    let asked = || [WORKFLOW, PIPELINE].into_iter().find(|name| known.runs.contains_key(*name));
    standing.map(|standing| standing.name.as_str()).or_else(asked)
}

/// What of the page lies at a place.
pub(in crate::console) fn spot_at(model: &Model, body: Rect, here: Position) -> Option<Spot> {
    let (top, below) = places(model, body);
    let list = Rect { y: top.y + 1, height: top.height.saturating_sub(1), ..top };
    if list.contains(here) {
        let first = (model.deploy.row + 1).saturating_sub(usize::from(list.height));
        let row = first + usize::from(here.y - list.y);
        return (row < model.environment().deploys.standings().len()).then_some(Spot::Stack(row));
    }
    let area = Rect { y: below.y + 1, height: below.height.saturating_sub(1), ..below };
    if !area.contains(here) {
        return None;
    }
    let pen = Pen { model, width: area.width, height: area.height, spin: "", symbols: &UNICODE };
    let lines = lines(&pen, selected(model));
    let line = lines.get(model.deploy.offset + usize::from(here.y - area.y)).and_then(|(_, choice)| *choice);
    Some(Spot::Deployed(line))
}

/// The line of what is selected in the lower part, how many lines there are, and how many are seen.
pub(in crate::console) fn heights(model: &Model, body: Rect) -> (usize, usize, usize) {
    let (_, below) = places(model, body);
    let height = below.height.saturating_sub(1);
    let lines = lines(&Pen { model, width: below.width, height, spin: "", symbols: &UNICODE }, selected(model));
    let line = lines.iter().position(|(_, choice)| model.deploy.below && *choice == Some(model.deploy.line));
    (line.unwrap_or(0), lines.len(), usize::from(height))
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
        Remote::Failed(why) => told(why, area.width),
        _ if known.standings().is_empty() => {
            vec![Row::default().piece(3, area.width, format!("{spin} asking for the stacks"), Role::Dim)]
        }
        _ => {
            let longest = |text: fn(&Standing) -> &str| {
                known.standings().iter().map(|standing| text::width(text(standing))).max().unwrap_or(0)
            };
            let widths = (longest(|standing| &standing.name).min(32), longest(status));
            let row = |(at, standing)| stack(model, standing, at, (area.width, widths), spin);
            known.standings().iter().enumerate().map(row).collect()
        }
    };
    let first = (model.deploy.row + 1).saturating_sub(usize::from(list.height));
    ink.rows(list, &rows, first);
}

fn status(standing: &Standing) -> &str {
    standing.status.as_deref().unwrap_or(if standing.problems.is_empty() { "not there" } else { "unknown" })
}

fn stack(model: &Model, standing: &Standing, at: usize, columns: (u16, (usize, usize)), spin: &str) -> Row {
    let (width, (names, statuses)) = columns;
    let run = model.environment().deploys.runs.get(&standing.name).filter(|run| run.over.is_none());
    let (sign, role) = match (run.is_some() || standing.operation.is_some(), standing) {
        (true, _) => (spin, Role::Notice),
        (_, Standing { stuck: Some(_), .. }) => ("!", Role::Diverged),
        (_, Standing { status: None, problems, .. }) if problems.is_empty() => ("-", Role::GitOnly),
        (_, Standing { status: None, .. }) => ("?", Role::Unknown),
        (_, Standing { status: Some(status), .. }) if status.contains("FAILED") => ("!", Role::Diverged),
        _ => ("=", Role::InSync),
    };
    let runs = standing.runs.as_ref().map(|runs| format!("runs {}", text::short(runs)));
    let last = standing.past.entries.first();
    let problem = standing.problems.first().map(|why| format!("? {}", why.reason)).unwrap_or_default();
    let row = Row::default().piece(3, 1, sign, role).flow(
        5,
        width.saturating_sub(1),
        [
            (format!("{:<names$}", text::fit(&standing.name, names, "…")), Role::Strong),
            (format!("{:<statuses$}", status(standing)), role),
            (runs.unwrap_or_else(|| String::from("no receipt ")), Role::Text),
            (standing.stuck.map(|_| String::from("stuck")).unwrap_or_default(), Role::Notice),
            (problem, Role::Error),
            (
                last.map(|last| format!("{} {}", last.action.word(), last.state().word())).unwrap_or_default(),
                Role::Text,
            ),
            (last.map(|last| format!("{} ago", model.clock.age(last.at))).unwrap_or_default(), Role::Dim),
            (last.map(|last| caller(&last.by)).unwrap_or_default(), Role::Dim),
        ],
    );
    Row { selected: at == model.deploy.row, ..row }
}

/// What is drawn of what the workflow does and of the selected stack, and which of it can be selected.
fn lines(pen: &Pen<'_>, standing: Option<&Standing>) -> Vec<(Row, Option<usize>)> {
    let (model, width) = (pen.model, pen.width);
    let mut lines: Vec<(Row, Option<usize>)> = Vec::new();
    let runs = &model.environment().deploys.runs;
    let names = [Some(WORKFLOW), Some(PIPELINE), standing.map(|standing| standing.name.as_str())];
    for run in names.into_iter().flatten().filter_map(|name| runs.get(name)) {
        lines.extend(progress::rows(pen, run).into_iter().map(|row| (row, None)));
        lines.push((Row::default(), None));
    }
    let Some(standing) = standing else { return lines };
    if let Some(stuck) = standing.stuck {
        let (matter, way) = stuck.told();
        let key = model.keymap.key(Action::DeployRecover);
        lines.extend(wrapped(&format!("! {matter}"), Role::Diverged, width).into_iter().map(|row| (row, None)));
        lines.push((said(format!("  the way out: {way}; {key} plans it"), Role::Notice, width), None));
    }
    for problem in standing.problems.iter().chain(&standing.past.problems) {
        lines.extend(told(problem, width).into_iter().map(|row| (row, None)));
    }
    let (mut functions, mut entries) = (false, false);
    for (at, choice) in choices(standing).into_iter().enumerate() {
        let (row, title, was_titled) = match choice {
            Choice::Function(name) => (function(name, width), "FUNCTIONS", &mut functions),
            Choice::Entry(entry) => (past(model, standing, entry, width), "HISTORY", &mut entries),
        };
        if !std::mem::replace(was_titled, true) {
            if at > 0 {
                lines.push((Row::default(), None));
            }
            lines.push((Row::default().piece(3, width, title, Role::Heading), None));
        }
        lines.push((Row { selected: model.deploy.below && model.deploy.line == at, ..row }, Some(at)));
    }
    if !entries {
        lines.push((said(String::from("plumb has deployed nothing to it yet"), Role::Dim, width), None));
    }
    lines
}

fn function(name: &str, width: u16) -> Row {
    let back = String::from("its alias can serve the previous version again");
    Row::default().flow(3, width, [(name.to_owned(), Role::Strong), (back, Role::Dim)])
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
    let is_well = matches!(entry.state(), State::Ok);
    let took = entry.settled.as_ref().filter(|_| is_well).map(|settled| span(settled.at - entry.at));
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
                (took.unwrap_or_default(), Role::Dim),
                (error, Role::Error),
            ],
        )
}
