//! The pipeline page: one of its lists, and below it what is known of the selected row: of a job its phases and its log.

mod list;

use ratatui::layout::{Position, Rect};

use super::header::spinner;
use super::ink::{Ink, Row};
use super::said::{said, told};
use crate::console::ages::span;
use crate::console::layout::Areas;
use crate::console::model::Model;
use crate::console::page::pipeline::{Part, Place, job, letter};
use crate::console::text;
use crate::console::theme::Role;
use crate::ops::pipeline::build::Build;
use crate::ops::pipeline::fields::FIELDS;
use crate::ops::pipeline::jobs::Job;
use crate::ops::pipeline::letters::Letter;

/// Where facts stand, beside their words.
const AT: u16 = 15;

/// The list, the rule between, the phases of the job, and the rest.
struct Places {
    list: Rect,
    title: Rect,
    phases: Rect,
    below: Rect,
}

fn places(model: &Model, body: Rect) -> Places {
    let known = &model.environment().pipeline;
    let part = model.pipeline.part;
    let rows = known.count(part).max(2) + 1 + 2 * known.troubles(part).len();
    let most = if model.pipeline.below { (body.height / 3).max(3) } else { (body.height / 2).max(3) };
    let height = u16::try_from(rows).unwrap_or(u16::MAX).min(most);
    let list = Rect { height, ..body };
    let title = Rect { y: list.bottom() + 1, height: 1, ..body };
    let left = body.bottom().saturating_sub(title.bottom());
    let phases = u16::try_from(phases(model, body.width).len()).unwrap_or(u16::MAX).min(left / 3);
    let phases = Rect { y: title.bottom(), height: phases, ..body };
    Places { list, title, phases, below: Rect { y: phases.bottom(), height: left - phases.height, ..body } }
}

/// Draws the page; returns how many lines there are below what is seen, where there is a lower part.
pub(super) fn draw(ink: &mut Ink<'_>, model: &Model, body: Rect) -> Option<(Rect, usize)> {
    let places = places(model, body);
    let spin = spinner(model, ink);
    list::draw(ink, model, places.list, spin);
    let role = if model.pipeline.below { Role::Heading } else { Role::Dim };
    let facts = [(title(model)?, role)].into_iter().chain(hints(model, spin));
    ink.row(places.title, &Row::default().flow(1, body.width, facts).ruled());
    ink.rows(places.phases, &phases(model, body.width), 0);
    let area = places.below;
    let (head, total) = (head(model, area.width), total(model, area.width));
    let (first, height) = (model.pipeline.offset, usize::from(area.height));
    let rows: Vec<Row> = (first..total.min(first + height))
        .map(|at| head.get(at).cloned().unwrap_or_else(|| log_line(model, at - head.len(), area.width)))
        .collect();
    ink.rows(area, &rows, 0);
    Some((area, total.saturating_sub(first + height)))
}

/// How many lines the lower part has, and how many are seen.
pub(in crate::console) fn heights(model: &Model, body: Rect) -> (usize, usize) {
    (total(model, body.width), usize::from(places(model, body).below.height))
}

/// How many lines stand before the log of the selected job.
pub(in crate::console) fn log_begins(model: &Model) -> usize {
    Areas::of(model).map_or(0, |areas| head(model, areas.body.width).len())
}

/// What lies under the mouse.
pub(in crate::console) fn spot_at(model: &Model, body: Rect, here: Position) -> Option<Place> {
    let places = places(model, body);
    if places.list.contains(here) {
        let row = usize::from(here.y - places.list.y).checked_sub(1)? + list::first(model, places.list);
        let is_row = row < model.environment().pipeline.count(model.pipeline.part);
        return Some(if is_row { Place::Row(row) } else { Place::List });
    }
    let below = here.y >= places.title.y && title(model).is_some();
    below.then_some(Place::Below)
}

fn title(model: &Model) -> Option<String> {
    let known = &model.environment().pipeline;
    match model.pipeline.part {
        Part::Jobs => job(model).map(|job| job.id.clone()),
        Part::Projects => known.projects().get(model.pipeline.row()).map(|project| project.name.clone()),
        Part::Letters => letter(model).map(|letter| letter.id.clone()),
    }
}

/// What is said beside the title: how the log is read.
fn hints(model: &Model, spin: &str) -> Vec<(String, Role)> {
    let (log, find) = (&model.pipeline.log, &model.pipeline.find);
    if model.pipeline.part != Part::Jobs || log.build.is_none() {
        return Vec::new();
    }
    let mut said = Vec::new();
    if log.reading.is_some() {
        said.push((format!("{spin} reading"), Role::Notice));
    } else if log.follows && log.again.is_some() {
        said.push((String::from("following"), Role::Notice));
    }
    if !find.text.is_empty() {
        said.push((format!("/{}", find.text), Role::Input));
        said.push((format!("{} found", model.pipeline.hits()), Role::Dim));
    } else if find.editing {
        said.push((String::from("/ type what to look for"), Role::Input));
    }
    said
}

fn total(model: &Model, width: u16) -> usize {
    head(model, width).len() + if job(model).is_some() { model.pipeline.log.lines.len() } else { 0 }
}

/// The lines before the log, or all of them where there is none.
fn head(model: &Model, width: u16) -> Vec<Row> {
    let known = &model.environment().pipeline;
    match model.pipeline.part {
        Part::Jobs => job(model).map(|job| of_job(model, job, width)).unwrap_or_default(),
        Part::Projects => {
            let project = known.projects().get(model.pipeline.row());
            let Some(project) = project else { return Vec::new() };
            let stated = FIELDS.iter().filter_map(|field| Some((*field, project.field(field)?)));
            let others = project.fields.iter().filter(|(field, _)| !FIELDS.contains(&field.as_str()));
            let others = others.map(|(field, value)| (field.as_str(), value.as_str()));
            stated.chain(others).flat_map(|(field, value)| fact(field, value, Role::Text, width)).collect()
        }
        Part::Letters => letter(model).map(|letter| of_letter(model, letter, width)).unwrap_or_default(),
    }
}

fn of_job(model: &Model, job: &Job, width: u16) -> Vec<Row> {
    let branch = job.branch.clone().unwrap_or_default();
    let commit = job.commit.as_deref().unwrap_or("the latest");
    let asked = format!("{}  {}", model.clock.moment(job.at), job.asked_by(job.by.as_deref()));
    let mut rows = fact("asked", &asked, Role::Text, width);
    rows.extend(fact("branch", &format!("{branch}  {commit}"), Role::Text, width));
    rows.extend(job.reason.iter().flat_map(|reason| fact("reason", &format!("\"{reason}\""), Role::Text, width)));
    rows.extend(job.why.iter().flat_map(|why| fact("why", why, Role::Error, width)));
    let Some(build) = &job.build else { return rows };
    rows.extend(fact("build", &build.id, Role::Dim, width));
    let current = current(model, build);
    let troubles = current.phases.iter().filter_map(|phase| phase.trouble.as_deref());
    let troubles = troubles.filter(|trouble| job.why.as_deref() != Some(trouble));
    rows.extend(troubles.flat_map(|trouble| fact("", trouble, Role::Error, width)));
    rows.push(Row::default());
    let log = &model.pipeline.log;
    rows.extend(log.trouble.iter().flat_map(|why| told(why, width)));
    if log.dropped > 0 {
        rows.push(said(format!("{} earlier lines are not shown: plumb pipeline logs", log.dropped), Role::Dim, width));
    } else if log.lines.is_empty() && log.trouble.is_none() {
        let word = if current.is_over() { "the log is empty" } else { "the log has no lines yet" };
        rows.push(said(String::from(word), Role::Dim, width));
    }
    rows
}

/// The build as it was seen last.
fn current<'m>(model: &'m Model, build: &'m Build) -> &'m Build {
    model.pipeline.log.build.as_ref().filter(|known| known.id == build.id).unwrap_or(build)
}

/// The phases of the selected job's build, as many to a line as fit.
fn phases(model: &Model, width: u16) -> Vec<Row> {
    let Some(build) = job(model).and_then(|job| job.build.as_ref()) else { return Vec::new() };
    let phases = &current(model, build).phases;
    if phases.is_empty() {
        return Vec::new();
    }
    let mut rows = Vec::new();
    let (mut row, mut at) = (Row::default().piece(3, AT - 4, "phases", Role::Dim), AT);
    for phase in phases {
        let (sign, role) = match phase.status.as_deref() {
            Some("SUCCEEDED") => ("=", Role::InSync),
            Some(_) => ("!", Role::Diverged),
            None if phase.name == "COMPLETED" => ("=", Role::InSync),
            None => (">", Role::Notice),
        };
        let took = phase.took.or_else(|| phase.began.map(|began| model.clock.now - began));
        let took =
            took.filter(|_| phase.name != "COMPLETED").map(|took| format!(" {}", span(took))).unwrap_or_default();
        let text = format!("{sign} {}{took}", phase.name.to_lowercase().replace('_', " "));
        let long = u16::try_from(text::width(&text)).unwrap_or(u16::MAX);
        if at > AT && at.saturating_add(long) >= width {
            rows.push(std::mem::take(&mut row));
            at = AT;
        }
        row = row.piece(at, long.min(width.saturating_sub(at + 1)), text, role);
        at = at.saturating_add(long).saturating_add(2);
    }
    rows.push(row);
    rows
}

fn of_letter(model: &Model, letter: &Letter, width: u16) -> Vec<Row> {
    let mut rows = Vec::new();
    rows.extend(letter.at.iter().flat_map(|at| fact("arrived", &model.clock.moment(*at), Role::Text, width)));
    rows.extend(letter.message_id.iter().flat_map(|id| fact("message", id, Role::Dim, width)));
    rows.extend(letter.error.iter().flat_map(|error| fact("error", error, Role::Error, width)));
    if let Some(message) = letter.message() {
        rows.extend(fact("project", &message.project, Role::Strong, width));
        rows.extend(fact("branch", &message.branch, Role::Strong, width));
        rows.extend(message.commit.iter().flat_map(|commit| fact("commit", commit, Role::Text, width)));
        rows.extend(message.reason.iter().flat_map(|reason| fact("reason", reason, Role::Text, width)));
    } else {
        rows.push(said(String::from("this is no message that the pipeline reads:"), Role::Notice, width));
        let text = letter.text.as_deref().unwrap_or(&letter.body);
        rows.extend(text.lines().flat_map(|line| fact("", line, Role::Text, width)));
    }
    rows
}

fn log_line(model: &Model, at: usize, width: u16) -> Row {
    let Some(line) = model.pipeline.log.lines.get(at) else { return Row::default() };
    let text = line.text.expose().trim_end_matches(['\n', '\r']);
    let role = if model.pipeline.holds()(line) { Role::Input } else { Role::Text };
    let here = if model.pipeline.found == Some(at) { ">" } else { " " };
    Row::default().piece(1, 1, here, Role::Key).piece(3, width.saturating_sub(4), text, role)
}

fn fact(word: &str, value: &str, role: Role, width: u16) -> Vec<Row> {
    let room = usize::from(width.saturating_sub(AT + 2)).max(1);
    let mut lines = text::wrap(value, room).into_iter();
    let first = lines.next().unwrap_or_default();
    let long = u16::try_from(room).unwrap_or(u16::MAX);
    let mut rows = vec![Row::default().piece(3, AT - 4, word, Role::Dim).piece(AT, long, first, role)];
    rows.extend(lines.map(|line| Row::default().piece(AT, long, line, role)));
    rows
}
