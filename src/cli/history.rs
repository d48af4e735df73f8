//! `plumb history`: the past of one parameter, secret or stack.

mod stack;

use std::io::{self, Write};

use clap_complete::ArgValueCandidates;
use serde::Serialize;

use super::table::Table;
use super::{Failed, Outcome, Output, Progress, Shared, clean, print_json, values};
use crate::compare::{Fingerprinter, masked};
use crate::ops::history::{self, Event, Timeline, What};
use crate::ops::patience;
use crate::ops::schema::{self, FacetJson, VERSION, time};

/// Arguments of `plumb history`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The parameter or secret, or a stack.
    #[arg(add = ArgValueCandidates::new(values::items))]
    key: String,
    /// At most so many commits, and so many live versions, or deployments, the newest.
    #[arg(long, default_value_t = 20, value_name = "NUMBER")]
    limit: usize,
    /// Text or JSON.
    #[arg(long, short, value_enum, default_value_t = Output::Text)]
    output: Output,
}

#[derive(Serialize)]
struct HistoryJson<'a> {
    version: u32,
    environment: &'a str,
    #[serde(rename = "ref")]
    reference: &'a str,
    kind: &'static str,
    name: &'a str,
    events: Vec<EventJson<'a>>,
    problems: Vec<ProblemJson<'a>>,
}

#[derive(Serialize)]
struct ProblemJson<'a> {
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
}

#[derive(Serialize)]
struct EventJson<'a> {
    time: String,
    /// `commit` or `version`.
    what: &'static str,
    id: &'a str,
    by: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    change: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stages: Option<&'a [String]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    live: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    commit: Option<&'a str>,
    value: FacetJson,
}

impl<'a> EventJson<'a> {
    fn of(event: &'a Event, print: &Fingerprinter) -> Self {
        let bare = Self {
            time: time(event.at),
            what: "commit",
            id: "",
            by: None,
            subject: None,
            change: None,
            stages: None,
            live: None,
            commit: None,
            value: schema::masked(&event.value, print),
        };
        match &event.what {
            What::Commit { id, subject, author, change } => Self {
                id,
                by: Some(author),
                subject: Some(subject),
                change: Some(change.map_or("older", history::Changed::word)),
                ..bare
            },
            What::Version { id, by, stages, live, commit } => Self {
                what: "version",
                id,
                by: by.as_deref(),
                stages: Some(stages),
                live: Some(*live),
                commit: commit.as_deref(),
                ..bare
            },
        }
    }
}

/// Runs `plumb history`.
pub(super) async fn run(shared: &Shared, args: &Args) -> Result<Outcome, Failed> {
    let session = shared.session().await?;
    if stack::is_meant(&session, &args.key).await {
        return stack::run(shared, &session, args).await;
    }
    let reference = session.reference();
    let progress = Progress::begin();
    let work = Box::pin(history::of(&session, &args.key, &reference, args.limit));
    let timeline = patience::wait(&session, &|text| progress.tell(text), work).await;
    drop(progress);
    let timeline = timeline??;
    match args.output {
        Output::Json => print_json(&HistoryJson {
            version: VERSION,
            environment: &session.environment().name,
            reference: &reference,
            kind: timeline.kind.kind().code(),
            name: &timeline.name,
            events: timeline.events.iter().map(|event| EventJson::of(event, &session.fingerprinter)).collect(),
            problems: timeline
                .problems
                .iter()
                .map(|why| ProblemJson { reason: &why.reason, hint: why.hint.as_deref() })
                .collect(),
        })?,
        Output::Text => text(&timeline, &session.fingerprinter)?,
    }
    shared.stats(&session);
    Ok(if timeline.problems.is_empty() { Outcome::Clean } else { Outcome::Problem })
}

fn text(timeline: &Timeline, print: &Fingerprinter) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if timeline.events.is_empty() && timeline.problems.is_empty() {
        writeln!(out, "neither git nor live knows of {}", clean(&timeline.name))?;
    }
    let mut table = Table::new();
    for event in &timeline.events {
        let (what, about) = told(event);
        table.row([time(event.at), what, clean(&masked(&event.value, print)), clean(&about)]);
    }
    table.print(&mut out, "")?;
    for why in &timeline.problems {
        writeln!(out, "? {}", clean(&why.reason))?;
    }
    Ok(())
}

/// What happened, and more about it.
fn told(event: &Event) -> (String, String) {
    let short = |id: &str| id.get(..7).unwrap_or(id).to_owned();
    match &event.what {
        What::Commit { id, subject, author, change } => {
            let change = change.map_or("as it was or", history::Changed::word);
            (format!("git  {}", short(id)), format!("{change} by {author}: \"{subject}\""))
        }
        What::Version { id, by, stages, live, commit } => {
            let name = if id.bytes().all(|byte| byte.is_ascii_digit()) { format!("v{id}") } else { short(id) };
            let mut about = Vec::new();
            about.extend(live.then(|| "current".to_owned()));
            about.extend(by.as_ref().map(|by| format!("by {by}")));
            about.extend((!stages.is_empty()).then(|| stages.join(", ")));
            about.extend(commit.as_ref().map(|commit| format!("rolled out from {}", short(commit))));
            (format!("live {name}"), about.join("   "))
        }
    }
}
