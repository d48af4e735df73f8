//! The lists of the pipeline page: jobs, projects, dead letters.

use ratatui::layout::Rect;

use super::told;
use crate::console::ages::span;
use crate::console::model::Model;
use crate::console::page::pipeline::Part;
use crate::console::remote::Remote;
use crate::console::text;
use crate::console::theme::Role;
use crate::console::view::ink::{Ink, Row};
use crate::ops::pipeline::jobs::{Job, State};
use crate::ops::pipeline::letters::Letter;
use crate::ops::pipeline::registry::Project;

/// The first row that is drawn.
pub(super) fn first(model: &Model, area: Rect) -> usize {
    let room = usize::from(area.height.saturating_sub(1));
    (model.pipeline.row() + 1).saturating_sub(room)
}

pub(super) fn draw(ink: &mut Ink<'_>, model: &Model, area: Rect, spin: &str) {
    let (state, known) = (&model.pipeline, &model.environment().pipeline);
    let mut facts: Vec<(String, Role)> = Part::ALL
        .into_iter()
        .map(|part| {
            let count = known.count(part);
            let title = if count == 0 { String::from(part.title()) } else { format!("{} {count}", part.title()) };
            let role = match (part == state.part, part == Part::Letters && count > 0) {
                (true, _) if !state.below => Role::Heading,
                (true, _) => Role::Strong,
                (false, true) => Role::Notice,
                (false, false) => Role::Dim,
            };
            (title, role)
        })
        .collect();
    if known.reading.is_some() {
        facts.push((format!("{spin} reading"), Role::Notice));
    } else if let Some(at) = known.read_at {
        let old = if known.trouble.is_some() { ink.symbols().stale } else { "" };
        facts.push((format!("{old}read {} ago", model.clock.age(at)), Role::Dim));
    }
    facts.extend(known.trouble.iter().map(|why| (format!("? {}", why.reason), Role::Error)));
    ink.row(area, &Row::default().flow(1, area.width, facts).ruled());
    let list = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    ink.rows(list, &rows(model, list.width, spin), first(model, area));
}

fn rows(model: &Model, width: u16, spin: &str) -> Vec<Row> {
    let (state, known) = (&model.pipeline, &model.environment().pipeline);
    let mut rows: Vec<Row> = match &known.seen {
        Remote::Failed(why) => return told(why, width),
        Remote::Idle | Remote::Loading { .. } => {
            return vec![Row::default().piece(3, width, format!("{spin} asking for the pipeline"), Role::Dim)];
        }
        Remote::Ready(_) | Remote::Stale(_) => match state.part {
            Part::Jobs => {
                let widths = Widths::of(known.jobs());
                known.jobs().iter().map(|job| of_job(model, job, &widths, width, spin)).collect()
            }
            Part::Projects => known.projects().iter().map(|project| of_project(project, width)).collect(),
            Part::Letters => known.letters().iter().map(|letter| of_letter(model, letter, width)).collect(),
        },
    };
    if let Some(row) = rows.get_mut(state.row()) {
        row.selected = !state.below;
    }
    let none = rows.is_empty();
    rows.extend(known.troubles(state.part).into_iter().flat_map(|why| told(why, width)));
    if none && rows.is_empty() {
        let word = match state.part {
            Part::Jobs => "nothing was asked for yet",
            Part::Projects => "no project is registered: plumb pipeline add registers one",
            Part::Letters => "there are no dead letters",
        };
        rows.push(Row::default().piece(3, width.saturating_sub(4), word, Role::Dim));
    }
    rows
}

/// How wide the columns of the jobs are.
struct Widths {
    project: usize,
    branch: usize,
}

impl Widths {
    fn of(jobs: &[Job]) -> Self {
        let longest = |text: fn(&Job) -> &str, most: usize| {
            jobs.iter().map(|job| text::width(text(job))).max().unwrap_or(0).min(most)
        };
        Self {
            project: longest(|job| &job.project, 18),
            branch: longest(|job| job.branch.as_deref().unwrap_or_default(), 20),
        }
    }
}

fn of_job(model: &Model, job: &Job, widths: &Widths, width: u16, spin: &str) -> Row {
    let (sign, role) = match job.state {
        State::Claimed | State::Waiting | State::Queued | State::Running => (spin, Role::Notice),
        State::Succeeded => ("=", Role::InSync),
        State::Failed | State::TimedOut => ("!", Role::Diverged),
        State::Stopped | State::Refused => ("-", Role::Pending),
        State::Unknown => ("?", Role::Unknown),
    };
    let pad = |text: &str, room: usize| format!("{:<room$}", text::fit(text, room, "…"));
    let took = job.took(model.clock.now).map(span).unwrap_or_default();
    let commit = job.commit.as_deref().map(text::short).unwrap_or_default();
    // All of the ARN is told below.
    let who = job.by.as_deref().map(|by| by.rsplit(':').next().unwrap_or(by));
    let who = job.asked_by(who);
    let about = job.why.clone().or_else(|| job.reason.as_ref().map(|reason| format!("\"{reason}\"")));
    Row::default().piece(3, 1, sign, role).flow(
        5,
        width.saturating_sub(1),
        [
            (pad(job.state.word(), 9), role),
            (format!("{:>4}", model.clock.age(job.at)), Role::Dim),
            (format!("{took:>8}"), Role::Text),
            (pad(&job.project, widths.project), Role::Strong),
            (pad(job.branch.as_deref().unwrap_or("-"), widths.branch), Role::Text),
            (pad(&commit, 7), Role::Dim),
            (who, Role::Text),
            (about.unwrap_or_default(), if job.why.is_some() { Role::Error } else { Role::Dim }),
        ],
    )
}

fn of_project(project: &Project, width: u16) -> Row {
    let field = |name: &str| project.field(name).unwrap_or("?").to_owned();
    Row::default().flow(
        5,
        width.saturating_sub(1),
        [
            (format!("{:<16}", text::fit(&project.name, 24, "…")), Role::Strong),
            (format!("{:<16}", field("branches")), Role::Text),
            (field("repository"), Role::Dim),
        ],
    )
}

fn of_letter(model: &Model, letter: &Letter, width: u16) -> Row {
    let asked = letter.message().map(|message| format!("{} {}", message.project, message.branch));
    let age = letter.at.map(|at| format!("{} ago", model.clock.age(at))).unwrap_or_default();
    Row::default().piece(3, 1, "!", Role::Diverged).flow(
        5,
        width.saturating_sub(1),
        [
            (asked.unwrap_or_else(|| String::from("no message of the pipeline")), Role::Strong),
            (age, Role::Dim),
            (letter.id.clone(), Role::Dim),
            (letter.error.clone().unwrap_or_default(), Role::Error),
        ],
    )
}
