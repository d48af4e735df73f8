//! `plumb history STACK`: its deployments and the ways back, by whom, and how each ended.

use std::io::{self, Write};

use serde::Serialize;

use super::Args;
use crate::cli::table::Table;
use crate::cli::{Failed, Outcome, Output, Shared, brief, clean, print_json, say};
use crate::ops::deploy::{self, Ask, Past};
use crate::ops::schema::{VERSION, time};
use crate::ops::session::Session;

/// The longest reason of a failure in a line.
const REASON: usize = 120;

#[derive(Serialize)]
struct PastJson<'a> {
    version: u32,
    environment: &'a str,
    stack: &'a str,
    deployments: Vec<EntryJson<'a>>,
    problems: Vec<&'a str>,
}

#[derive(Serialize)]
struct EntryJson<'a> {
    id: &'a str,
    time: String,
    action: &'static str,
    subject: &'a str,
    commit: Option<&'a str>,
    message: Option<&'a str>,
    by: &'a str,
    state: &'static str,
    milliseconds: Option<i64>,
    error: Option<&'a str>,
}

/// Whether a name is that of a stack of the project.
pub(super) async fn is_meant(session: &Session, name: &str) -> bool {
    if name.starts_with('/') || session.settings.adhoc.is_some() {
        return false;
    }
    let stacks = deploy::stacks(session, &Ask::default()).await.unwrap_or_default();
    stacks.iter().any(|stack| stack.name == name)
}

/// Shows the past of a stack.
pub(super) async fn run(shared: &Shared, session: &Session, args: &Args) -> Result<Outcome, Failed> {
    let past = deploy::history(session, &args.key, args.limit).await;
    match args.output {
        Output::Json => print_json(&json(session, &args.key, &past))?,
        Output::Text => text(&mut io::stdout().lock(), &args.key, &past)?,
    }
    for why in &past.problems {
        say!("? {}", clean(&why.reason));
    }
    shared.stats(session);
    Ok(if past.problems.is_empty() { Outcome::Clean } else { Outcome::Problem })
}

fn json<'a>(session: &'a Session, stack: &'a str, past: &'a Past) -> PastJson<'a> {
    let entries = past.entries.iter().map(|entry| EntryJson {
        id: &entry.id,
        time: time(entry.at),
        action: entry.action.word(),
        subject: entry.subjects.first().map(String::as_str).unwrap_or_default(),
        commit: entry.commit.as_deref(),
        message: entry.commit.as_ref().and_then(|commit| past.subjects.get(commit)).map(String::as_str),
        by: &entry.by,
        state: entry.state().word(),
        milliseconds: entry.settled.as_ref().map(|settled| settled.at - entry.at),
        error: entry.settled.as_ref().and_then(|settled| settled.error.as_deref()),
    });
    PastJson {
        version: VERSION,
        environment: &session.environment().name,
        stack,
        deployments: entries.collect(),
        problems: past.problems.iter().map(|why| why.reason.as_str()).collect(),
    }
}

fn text(out: &mut impl Write, stack: &str, past: &Past) -> io::Result<()> {
    if past.entries.is_empty() && past.problems.is_empty() {
        writeln!(out, "no plumb has deployed {}", clean(stack))?;
    }
    let mut table = Table::new();
    for entry in &past.entries {
        let commit = entry.commit.as_deref();
        let message = commit.and_then(|commit| past.subjects.get(commit));
        let message = message.map(|message| format!(" \"{}\"", brief(message, 50))).unwrap_or_default();
        let short = commit.map(|commit| commit.get(..7).unwrap_or(commit)).unwrap_or_default();
        let error = entry.settled.as_ref().and_then(|settled| settled.error.as_deref());
        table.row([
            time(entry.at),
            entry.action.word().to_owned(),
            format!("{}{message}", clean(short)),
            clean(&entry.by),
            entry.state().word().to_owned(),
            error.map(|error| brief(error, REASON)).unwrap_or_default(),
        ]);
    }
    table.print(out, "")
}
