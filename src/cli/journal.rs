//! `plumb journal`: what was written, by whom, and how it went.

use std::io::{self, Write};

use serde::Serialize;

use super::table::Table;
use super::{Failed, Outcome, Output, Progress, Shared, clean, print_json, say};
use crate::ops::journal::{self, Entry, Found, Query};
use crate::ops::patience;
use crate::ops::schema::{VERSION, time};

/// Arguments of `plumb journal`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// At most so many entries, the newest.
    #[arg(long, default_value_t = 50, value_name = "NUMBER")]
    limit: usize,
    /// The team's journal of an environment, from the project's state bucket, instead of this machine's.
    #[arg(long)]
    team: bool,
    /// Every project that this machine has written to.
    #[arg(long, conflicts_with = "team")]
    all: bool,
    /// Text or JSON.
    #[arg(long, short, value_enum, default_value_t = Output::Text)]
    output: Output,
}

#[derive(Serialize)]
struct JournalJson<'a> {
    version: u32,
    entries: Vec<EntryJson<'a>>,
    unreadable: usize,
}

#[derive(Serialize)]
struct EntryJson<'a> {
    id: &'a str,
    time: String,
    project: &'a str,
    environment: &'a str,
    account: &'a str,
    region: &'a str,
    by: &'a str,
    action: &'static str,
    subjects: &'a [String],
    commit: Option<&'a str>,
    reason: Option<&'a str>,
    state: &'static str,
    settled_at: Option<String>,
    error: Option<&'a str>,
}

impl<'a> EntryJson<'a> {
    fn of(entry: &'a Entry) -> Self {
        let settled = entry.settled.as_ref();
        Self {
            id: &entry.id,
            time: time(entry.at),
            project: &entry.project,
            environment: &entry.environment,
            account: &entry.account,
            region: &entry.region,
            by: &entry.by,
            action: entry.action.word(),
            subjects: &entry.subjects,
            commit: entry.commit.as_deref(),
            reason: entry.reason.as_deref(),
            state: entry.state().word(),
            settled_at: settled.map(|settled| time(settled.at)),
            error: settled.and_then(|settled| settled.error.as_deref()),
        }
    }
}

/// Runs `plumb journal`.
pub(super) async fn run(shared: &Shared, args: &Args) -> Result<Outcome, Failed> {
    let found = if args.team {
        let session = shared.session().await?;
        let progress = Progress::begin();
        let work = Box::pin(journal::read_team(&session, args.limit));
        let found = patience::wait(&session, &|text| progress.tell(text), work).await??;
        drop(progress);
        shared.stats(&session);
        found
    } else {
        shared.journal()?.read(&query(shared, args)?)?
    };
    match args.output {
        Output::Json => {
            let entries = found.entries.iter().map(EntryJson::of).collect();
            print_json(&JournalJson { version: VERSION, entries, unreadable: found.unreadable })?;
        }
        Output::Text => text(&found)?,
    }
    if found.unreadable > 0 {
        say!("note: entries that cannot be read: {}, cut short by a crash or of a newer plumb", found.unreadable);
    }
    Ok(Outcome::Clean)
}

/// Of this project and, when one is named, of that environment alone.
fn query(shared: &Shared, args: &Args) -> Result<Query, Failed> {
    let limit = Some(args.limit);
    if args.all {
        return Ok(Query { limit, ..Query::default() });
    }
    let settings = shared.settings_of_any()?;
    let environment = shared.names_environment().then(|| settings.environment.name.clone());
    Ok(Query { project: Some(settings.project.name), environment, limit })
}

fn text(found: &Found) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if found.entries.is_empty() {
        return writeln!(out, "nothing was written");
    }
    let mut table = Table::new();
    for entry in &found.entries {
        let short = |commit: &String| clean(commit.get(..7).unwrap_or(commit));
        let mut about = subjects(entry);
        if let Some(reason) = &entry.reason {
            about = format!("{about}   \"{reason}\"");
        }
        if let Some(error) = entry.settled.as_ref().and_then(|settled| settled.error.as_ref()) {
            about = format!("{about}   {error}");
        }
        table.row([
            time(entry.at),
            entry.state().word().to_owned(),
            entry.action.word().to_owned(),
            clean(&format!("{}/{}", entry.project, entry.environment)),
            clean(&entry.account),
            entry.commit.as_ref().map(short).unwrap_or_default(),
            clean(&entry.by),
            clean(&about),
        ]);
    }
    table.print(&mut out, "")
}

/// The first few subjects, and how many more there are.
fn subjects(entry: &Entry) -> String {
    const SHOWN: usize = 3;
    let mut text = entry.subjects.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ");
    if entry.subjects.len() > SHOWN {
        text = format!("{text} and {} more", entry.subjects.len() - SHOWN);
    }
    text
}
