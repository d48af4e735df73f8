//! `plumb summary`: the weekly summaries listed, shown, made and proven.

mod show;

use std::io::Write;

use serde::Serialize;

use super::consent::{Asks, Consent, Deed};
use super::table::Table;
use super::{Failed, Outcome, Output, Progress, Shared, clean, print_json, say};
use crate::ops::intake::Intake;
use crate::ops::patience;
use crate::ops::schema::{VERSION, time};
use crate::ops::session::Session;
use crate::ops::summary::run::{self, Made};
use crate::ops::summary::verify::{Recomputed, Standing, Stored, Verified};
use crate::ops::summary::{File, Row, Week};

/// What to do with the summaries.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// The weeks that have one, the newest first.
    List {
        /// Text or JSON.
        #[arg(long, short, value_enum, default_value_t = Output::Text)]
        output: Output,
    },
    /// What a week's summary says.
    Show {
        /// The week, as 2026-W47; default: the newest that has one.
        #[arg(long, value_name = "WEEK")]
        week: Option<Week>,
        /// Text or JSON.
        #[arg(long, short, value_enum, default_value_t = Output::Text)]
        output: Output,
    },
    /// Make a week's summary, or make it again: the same records give the same bytes.
    Run {
        /// The week, as 2026-W47.
        #[arg(long, value_name = "WEEK")]
        week: Week,
        /// Replace it even by fewer records: those that have expired since are lost with the old files.
        #[arg(long)]
        shrink: bool,
        #[command(flatten)]
        consent: Consent,
        /// Text or JSON.
        #[arg(long, short, value_enum, default_value_t = Output::Text)]
        output: Output,
    },
    /// Prove a week's summary: that the stored files are what its manifest names, and that the table says the same.
    Verify {
        /// The week, as 2026-W47; default: the newest that has one.
        #[arg(long, value_name = "WEEK")]
        week: Option<Week>,
        /// Prove the stored files alone: the function is not asked to make it anew.
        #[arg(long)]
        stored: bool,
        /// Text or JSON.
        #[arg(long, short, value_enum, default_value_t = Output::Text)]
        output: Output,
    },
}

/// Runs `plumb summary`.
pub(super) async fn run(shared: &Shared, command: &Command) -> Result<Outcome, Failed> {
    let session = shared.session().await?;
    let mut outcome = Outcome::Clean;
    let progress = Progress::begin();
    let tell = |text: &str| progress.tell(text);
    match command {
        Command::List { output } => {
            let intake = Intake::open(&session).await?;
            let rows = Box::pin(patience::wait(&session, &tell, intake.weeks())).await??;
            drop(progress);
            list(&rows, *output)?;
        }
        Command::Show { week, output } => {
            let (intake, week) = chosen(&session, *week).await?;
            let (manifest, summary) = Box::pin(patience::wait(&session, &tell, intake.summary(week))).await??;
            drop(progress);
            show::show(&manifest, &summary, *output)?;
        }
        Command::Run { week, shrink, consent, output } => {
            let plan = run::Plan { shrink: *shrink, ..run::plan(&session, *week).await? };
            let does = format!("write the summary of {week} to {}", plan.place);
            let deed = Deed { command: "summary run", does: &does, asks: Asks::Protected };
            let writer = consent.obtain(&session, deed).await?;
            let made = Box::pin(patience::watch(&writer, &tell, run::run(&writer, &plan))).await??;
            drop(progress);
            show_made(&made, &plan.place, *output)?;
        }
        Command::Verify { week, stored, output } => {
            let (intake, week) = chosen(&session, *week).await?;
            let verified = Box::pin(patience::watch(&session, &tell, intake.verify(week, !stored))).await??;
            drop(progress);
            show_verified(&verified, *output)?;
            outcome = match verified.standing() {
                Standing::Proven => Outcome::Clean,
                Standing::Differs => Outcome::Differences,
                Standing::Unknown => Outcome::Problem,
            };
        }
    }
    shared.stats(&session);
    Ok(outcome)
}

async fn chosen(session: &Session, week: Option<Week>) -> Result<(Intake, Week), Failed> {
    let intake = Intake::open(session).await?;
    let week = match week {
        Some(week) => week,
        None => intake.newest().await?,
    };
    Ok((intake, week))
}

#[derive(Serialize)]
struct ListJson {
    version: u32,
    weeks: Vec<WeekJson>,
}

#[derive(Serialize)]
struct WeekJson {
    week: String,
    written_at: Option<String>,
    from: Option<String>,
    to: Option<String>,
    records: Option<u64>,
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

fn list(rows: &[Row], output: Output) -> Result<(), Failed> {
    if output == Output::Json {
        let week = |row: &Row| {
            let manifest = row.manifest.as_ref().ok();
            WeekJson {
                week: row.week.to_string(),
                written_at: row.written_at.map(time),
                from: manifest.map(|manifest| manifest.from.clone()),
                to: manifest.map(|manifest| manifest.to.clone()),
                records: manifest.map(|manifest| manifest.records),
                bytes: manifest.map(|manifest| manifest.bytes),
                reason: row.manifest.as_ref().err().map(|why| why.reason.clone()),
            }
        };
        return print_json(&ListJson { version: VERSION, weeks: rows.iter().map(week).collect() });
    }
    let mut table = Table::new();
    let records = |row: &Row| row.manifest.as_ref().map(|manifest| manifest.records.to_string()).unwrap_or_default();
    let widest = rows.iter().map(|row| records(row).len()).max().unwrap_or(0);
    for row in rows {
        let written = row.written_at.map(|at| format!("written {}", time(at))).unwrap_or_default();
        match &row.manifest {
            Ok(manifest) => table.row([
                row.week.to_string(),
                format!("{:>widest$} records", manifest.records),
                format!("{} bytes", manifest.bytes),
                written,
            ]),
            Err(why) => table.row([row.week.to_string(), String::from("?"), String::new(), clean(&why.reason)]),
        }
    }
    if rows.is_empty() {
        say!("there is no summary yet: plumb summary run --week {}", Week::before(crate::ops::inspect::now()));
    }
    Ok(table.print(&mut std::io::stdout().lock(), "")?)
}

#[derive(Serialize)]
struct MadeJson<'a> {
    version: u32,
    week: &'a str,
    from: &'a str,
    to: &'a str,
    records: u64,
    bytes: u64,
    files: &'a [File],
    written: bool,
    unchanged: bool,
}

fn show_made(made: &Made, place: &str, output: Output) -> Result<(), Failed> {
    if let Some(why) = &made.untold {
        say!("note: {}", clean(&why.reason));
    }
    let Made { week, from, to, records, bytes, files, written, unchanged, untold: _ } = made;
    if output == Output::Json {
        let (written, unchanged) = (*written, *unchanged);
        let (records, bytes) = (*records, *bytes);
        return print_json(&MadeJson { version: VERSION, week, from, to, records, bytes, files, written, unchanged });
    }
    let how = if *unchanged { "unchanged" } else { "written" };
    let mut out = std::io::stdout().lock();
    writeln!(out, "{} {how}: {records} records, {bytes} bytes", clean(week))?;
    let mut table = Table::new();
    for file in files {
        table.row([format!("{place}{}", clean(&file.name)), format!("{} bytes", file.bytes)]);
    }
    Ok(table.print(&mut out, "  ")?)
}

#[derive(Serialize)]
struct VerifiedJson {
    version: u32,
    week: String,
    records: u64,
    stored: &'static str,
    files: Vec<FileJson>,
    table: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    table_records: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    table_files: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Serialize)]
struct FileJson {
    name: String,
    verdict: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// The word of a stored file, and what there is to say of it.
fn stored(stored: &Stored) -> (&'static str, String) {
    match stored {
        Stored::Whole => ("whole", String::new()),
        Stored::Differs(bytes, sha256) => ("differs", format!("it has {bytes} bytes, SHA-256 {sha256}")),
        Stored::Missing => ("missing", String::new()),
        Stored::Unknown(why) => ("unknown", clean(&why.reason)),
    }
}

fn show_verified(verified: &Verified, output: Output) -> Result<(), Failed> {
    let word = match verified.stored() {
        Standing::Proven => "whole",
        Standing::Differs => "differs",
        Standing::Unknown => "unknown",
    };
    let table = match &verified.table {
        None => "not asked",
        Some(Recomputed::Same) => "same",
        Some(Recomputed::Differs(..)) => "differs",
        Some(Recomputed::Unknown(_)) => "unknown",
    };
    if output == Output::Json {
        let file = |(name, how): &(String, Stored)| FileJson {
            name: name.clone(),
            verdict: stored(how).0,
            sha256: if let Stored::Differs(_, sha256) = how { Some(sha256.clone()) } else { None },
            reason: if let Stored::Unknown(why) = how { Some(why.reason.clone()) } else { None },
        };
        let (table_records, table_files, reason) = match &verified.table {
            Some(Recomputed::Differs(records, files)) => (Some(*records), Some(files.clone()), None),
            Some(Recomputed::Unknown(why)) => (None, None, Some(why.reason.clone())),
            Some(Recomputed::Same) | None => (None, None, None),
        };
        return print_json(&VerifiedJson {
            version: VERSION,
            week: verified.week.to_string(),
            records: verified.records,
            stored: word,
            files: verified.files.iter().map(file).collect(),
            table,
            table_records,
            table_files,
            reason,
        });
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}: {} records", verified.week, verified.records)?;
    let told = match word {
        "whole" => "= stored files are whole",
        "differs" => "! stored files are not what the manifest names",
        _ => "? stored files could not be read whole",
    };
    writeln!(out, "{told}")?;
    let mut rows = Table::new();
    for (name, how) in &verified.files {
        let (word, more) = stored(how);
        rows.row([clean(name), word.to_owned(), more]);
    }
    rows.print(&mut out, "    ")?;
    match &verified.table {
        None => {}
        Some(Recomputed::Same) => writeln!(out, "= table says the same")?,
        Some(Recomputed::Differs(records, files)) => {
            writeln!(out, "! table says something else: {records} records; {}", clean(&files.join(", ")))?;
        }
        Some(Recomputed::Unknown(why)) => writeln!(out, "? table could not be asked: {}", clean(&why.reason))?,
    }
    Ok(())
}
