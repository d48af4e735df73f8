//! What is done to a stack, or was done in this session: what failed first stands on top.

use super::{Pen, said, told, wrapped};
use crate::console::action::Action;
use crate::console::ages::span;
use crate::console::deploy::Over;
use crate::console::page::deploy::{Run, Stepped, Worker};
use crate::console::text;
use crate::console::theme::Role;
use crate::console::view::ink::Row;
use crate::ops::deploy::Happened;

/// How wide the bar of progress is.
const BAR: usize = 20;

/// How many of the last events are shown at least, and how many once it is over.
const FEWEST: usize = 4;

/// How many lines a function's log may take.
const LOG: usize = 8;

/// The columns that statuses have in terminals of at least so many; the longest that there are have 44.
const STATUSES: [(u16, u16); 3] = [(130, 44), (100, 30), (0, 24)];

pub(super) fn rows(pen: &Pen<'_>, run: &Run) -> Vec<Row> {
    let mut rows = match &run.over {
        None => going(pen, run),
        Some(Ok(over)) => ended(pen, run, over),
        Some(Err(why)) => [told(why, pen.width), log(pen, run)].concat(),
    };
    let room = usize::from(pen.height).saturating_sub(rows.len() + 1);
    let most = if run.over.is_none() { room.max(FEWEST) } else { FEWEST };
    let skip = run.events.len().saturating_sub(most);
    if skip > 0 {
        rows.push(said(format!("{} earlier events", skip + 1), Role::Dim, pen.width));
    }
    let skip = if skip > 0 { skip + 1 } else { 0 };
    rows.extend(run.events.iter().skip(skip).map(|happened| event(pen, happened)));
    rows.extend(run.steps.iter().map(|stepped| step(pen, stepped)));
    rows
}

fn going(pen: &Pen<'_>, run: &Run) -> Vec<Row> {
    let (model, width) = (pen.model, pen.width);
    let mut rows = Vec::new();
    if let Some(failure) = &run.failure {
        let event = &failure.event;
        let reason = event.reason.as_deref().unwrap_or("AWS says no reason");
        rows.extend(wrapped(
            &format!("! failed first: {} {}: {reason}", event.name(), event.status),
            Role::Error,
            width,
        ));
    }
    rows.extend(log(pen, run));
    let now = model.clock.now;
    let bar = run.share(now).map(|share| {
        let full = usize::try_from(share).unwrap_or(0) * BAR / 100;
        pen.symbols.full.repeat(full) + &pen.symbols.empty.repeat(BAR - full)
    });
    let time = match run.last {
        Some(last) => format!("{} of about {}", span(now - run.since), span(last)),
        None => span(now - run.since),
    };
    let counts = match run.counts() {
        (0, 0) => String::new(),
        (done, at_work) => format!("{done} done, {at_work} at work"),
    };
    let pieces = [
        (format!("{} {}", pen.spin, run.doing), Role::Notice),
        (bar.unwrap_or_default(), Role::Pending),
        (counts, Role::Text),
        (time, Role::Strong),
    ];
    rows.push(Row::default().flow(3, width.saturating_sub(1), pieces));
    rows.extend(run.step.iter().flat_map(|step| wrapped(&format!("  {step}"), Role::Text, width)));
    let whose = run.whose.as_ref().map(|whose| format!("begun by {whose}; ")).unwrap_or_default();
    let way = match (run.worker, &run.link) {
        (Worker::CloudFormation, _) => format!("; {} takes it back", model.keymap.key(Action::DeployCancel)),
        (Worker::GitHub, Some(link)) => format!(": {link}"),
        (Worker::GitHub | Worker::Pipeline, _) => String::new(),
    };
    rows.extend(wrapped(&format!("  {whose}leaving does not stop it{way}"), Role::Dim, width));
    rows.extend(run.unanswered.iter().flat_map(|why| {
        let line = format!("? {} does not answer, and is asked again: {}", run.worker.name(), why.reason);
        wrapped(&line, Role::Notice, width)
    }));
    rows
}

/// The reason that it ended with tells what failed first.
fn ended(pen: &Pen<'_>, run: &Run, over: &Over) -> Vec<Row> {
    let width = pen.width;
    let status = over.status.as_deref().unwrap_or("nothing to change");
    let took = over.took.map(span).unwrap_or_default();
    let (sign, role) = if over.why.is_some() { ("!", Role::Diverged) } else { ("=", Role::InSync) };
    let mut rows = vec![Row::default().flow(3, width, [(format!("{sign} {status}"), role), (took, Role::Dim)])];
    rows.extend(run.link.iter().flat_map(|link| wrapped(&format!("  {link}"), Role::Dim, width)));
    rows.extend(over.why.iter().flat_map(|why| told(why, width)));
    rows.extend(log(pen, run));
    rows.extend(over.notes.iter().flat_map(|note| wrapped(&format!("i {note}"), Role::Dim, width)));
    rows.extend(over.outputs.iter().map(|(name, value)| said(format!("{name} = {value}"), Role::Text, width)));
    rows.extend(over.receipt.iter().map(|receipt| said(format!("receipt {receipt}"), Role::Text, width)));
    rows
}

fn log(pen: &Pen<'_>, run: &Run) -> Vec<Row> {
    let rows: Vec<Row> = match &run.log {
        Some(Ok(lines)) if lines.is_empty() => {
            vec![said(String::from("? its log has no line of that time"), Role::Dim, pen.width)]
        }
        Some(Ok(lines)) => {
            let line = |text: &str| wrapped(&format!("  log  {}", text.trim_end()), Role::Text, pen.width);
            lines.iter().flat_map(|text| line(text.expose())).collect()
        }
        Some(Err(why)) => wrapped(&format!("? its log: {}", why.reason), Role::Dim, pen.width),
        None => Vec::new(),
    };
    let skip = rows.len().saturating_sub(LOG);
    rows.into_iter().skip(skip).collect()
}

fn step(pen: &Pen<'_>, stepped: &Stepped) -> Row {
    let role = match stepped.status.as_str() {
        "success" => Role::InSync,
        "skipped" | "neutral" => Role::Dim,
        "queued" | "in progress" | "waiting" | "pending" | "requested" => Role::Text,
        _ => Role::Error,
    };
    let (indent, name) = stepped.step.as_ref().map_or((3, &stepped.job), |step| (5, step));
    let weight = if stepped.step.is_none() { Role::Strong } else { Role::Text };
    Row::default().piece(indent, 14, stepped.status.clone(), role).flow(
        19,
        pen.width.saturating_sub(1),
        [(name.clone(), weight), (stepped.link.clone().unwrap_or_default(), Role::Dim)],
    )
}

fn event(pen: &Pen<'_>, happened: &Happened) -> Row {
    let role = match happened.status.as_str() {
        status if status.ends_with("_FAILED") => Role::Error,
        status if status.ends_with("_COMPLETE") => Role::InSync,
        _ => Role::Text,
    };
    let statuses = STATUSES.iter().find(|(width, _)| pen.width >= *width).map_or(24, |(_, statuses)| *statuses);
    let type_name = happened.type_name.strip_prefix("AWS::").unwrap_or(&happened.type_name);
    let status = text::fit(&happened.status, usize::from(statuses), pen.symbols.ellipsis);
    Row::default().piece(3, 8, pen.model.clock.time(happened.at), Role::Dim).piece(13, statuses, status, role).flow(
        15 + statuses,
        pen.width.saturating_sub(1),
        [
            (happened.name(), Role::Strong),
            (type_name.to_owned(), Role::Dim),
            (happened.reason.clone().unwrap_or_default(), Role::Text),
        ],
    )
}
