//! `plumb intake`: records posted, read, counted, and looked on at as they come in.

mod tail;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;
use serde_json::value::RawValue;

use super::consent::{Asks, Consent, Deed};
use super::table::Table;
use super::{Failed, Outcome, Output, Progress, Shared, clean, input, print_json, say};
use crate::compare::Why;
use crate::ops::hold::parse_length;
use crate::ops::inspect::now;
use crate::ops::intake::count::{self, Count, by_source};
use crate::ops::intake::post::{self, Draft, Posted};
use crate::ops::intake::{Intake, Record, pretty};
use crate::ops::patience;
use crate::ops::schema::{VERSION, time};
use crate::ops::session::Session;

/// What to do with the intake.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Post a record: one JSON object, from a file or stdin. The same request again stores nothing and answers the same id.
    Post {
        /// The file; - or none: stdin.
        #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
        file: Option<PathBuf>,
        /// What makes the same request the same, instead of its content: at most 128 printable characters.
        #[arg(long, value_name = "KEY")]
        key: Option<String>,
        /// Who sends it, instead of the name of whoever's credentials sign it.
        #[arg(long, value_name = "NAME")]
        source: Option<String>,
        /// After how long it may be deleted: 90s, 15m, 2h, 30d.
        #[arg(long, value_name = "TIME", value_parser = parse_length)]
        expires_in: Option<Duration>,
        #[command(flatten)]
        consent: Consent,
        /// Text or JSON.
        #[arg(long, short, value_enum, default_value_t = Output::Text)]
        output: Output,
    },
    /// One record, every digit of it as it came.
    Get {
        /// Its id.
        #[arg(value_name = "ID")]
        id: String,
        /// The record alone, or JSON with what is known of it.
        #[arg(long, short, value_enum, default_value_t = Output::Text)]
        output: Output,
    },
    /// How many records there are, by day and source.
    Count {
        /// Since when: 90s, 15m, 2h, 7d.
        #[arg(long, value_name = "TIME", default_value = "7d", value_parser = parse_length)]
        since: Duration,
        /// Count days alone, which moves less.
        #[arg(long)]
        days: bool,
        /// Text or JSON.
        #[arg(long, short, value_enum, default_value_t = Output::Text)]
        output: Output,
    },
    /// The last records, the newest last.
    Tail(tail::Args),
}

/// Runs `plumb intake`.
pub(super) async fn run(shared: &Shared, command: &Command) -> Result<Outcome, Failed> {
    let session = shared.session().await?;
    match command {
        Command::Post { file, key, source, expires_in, consent, output } => {
            let body = input::read(file.as_deref()).await?;
            let body = std::str::from_utf8(&body).map_err(|_| Why::new("the record is no JSON: it is not UTF-8"))?;
            let (key, source) = (key.clone(), source.clone());
            let record = Draft { body: body.to_owned(), key, source, expires_in: *expires_in };
            show_posted(&post(&session, record, consent).await?, *output)?;
        }
        Command::Get { id, output } => {
            let found = Intake::open(&session).await?.get(id).await?;
            let none = || Why::new(format!("there is no record {}: it never was, or has expired", clean(id)));
            show(&found.ok_or_else(none)?, *output)?;
        }
        Command::Count { since, days, output } => {
            let since = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
            let ask = count::Ask { from: now().saturating_sub(since).max(0), sources: !days, most: None };
            let progress = Progress::begin();
            let intake = Intake::open(&session).await?;
            let counts = patience::wait(&session, &|text| progress.tell(text), intake.count(ask)).await??;
            drop(progress);
            show_counts(&counts, ask, *output)?;
        }
        Command::Tail(args) => tail::run(&session, args).await?,
    }
    shared.stats(&session);
    Ok(Outcome::Clean)
}

async fn post(session: &Session, record: Draft, consent: &Consent) -> Result<Posted, Failed> {
    let plan = post::plan(session, record).await?;
    let does = format!("post a record to {}", plan.stack);
    let deed = Deed { command: "intake post", does: &does, asks: Asks::Protected };
    let writer = consent.obtain(session, deed).await?;
    Ok(Box::pin(post::post(&writer, &plan)).await?)
}

#[derive(Serialize)]
struct PostedJson<'a> {
    version: u32,
    id: &'a str,
    received: &'a str,
    source: &'a str,
    duplicate: bool,
}

fn show_posted(posted: &Posted, output: Output) -> Result<(), Failed> {
    if let Some(why) = &posted.untold {
        say!("note: {}", clean(&why.reason));
    }
    let Posted { id, received, source, duplicate, untold: _ } = posted;
    if output == Output::Json {
        return print_json(&PostedJson { version: VERSION, id, received, source, duplicate: *duplicate });
    }
    say!("{} {} of {}", if *duplicate { "there since" } else { "received" }, clean(received), clean(source));
    Ok(writeln!(std::io::stdout().lock(), "{}", clean(id))?)
}

/// A record as scripts read it.
#[derive(Serialize)]
struct RecordJson<'a> {
    version: u32,
    id: &'a str,
    received: &'a str,
    source: &'a str,
    bytes: u64,
    expires: Option<String>,
    record: Option<&'a RawValue>,
}

impl<'a> RecordJson<'a> {
    fn of(record: &'a Record) -> Self {
        Self {
            version: VERSION,
            id: &record.id,
            received: &record.received,
            source: &record.source,
            bytes: record.bytes,
            expires: record.expires.map(|at| time(at.saturating_mul(1000))),
            record: record.json(),
        }
    }
}

fn show(record: &Record, output: Output) -> Result<(), Failed> {
    if output == Output::Json {
        return print_json(&RecordJson::of(record));
    }
    let mut out = std::io::stdout().lock();
    for line in pretty::lines(&record.body) {
        writeln!(out, "{}", clean(&line))?;
    }
    Ok(())
}

#[derive(Serialize)]
struct CountsJson<'a> {
    version: u32,
    from: String,
    records: u64,
    days: Vec<DayJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sources: Option<BTreeMap<&'a str, u64>>,
}

#[derive(Serialize)]
struct DayJson<'a> {
    day: String,
    records: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    sources: Option<&'a BTreeMap<String, u64>>,
}

impl<'a> DayJson<'a> {
    fn of(count: &'a Count, ask: count::Ask) -> Self {
        let Count { day, records, sources, whole: _ } = count;
        Self { day: day.to_string(), records: *records, sources: ask.sources.then_some(sources) }
    }
}

fn show_counts(counts: &[Count], ask: count::Ask, output: Output) -> Result<(), Failed> {
    let total = counts.iter().map(|count| count.records).sum();
    let sources = by_source(counts);
    if output == Output::Json {
        return print_json(&CountsJson {
            version: VERSION,
            from: time(ask.from),
            records: total,
            days: counts.iter().map(|count| DayJson::of(count, ask)).collect(),
            sources: ask.sources.then(|| sources.into_iter().collect()),
        });
    }
    let mut table = Table::new();
    let widest = total.to_string().len();
    for count in counts {
        let of_day = by_source(std::slice::from_ref(count));
        let words = of_day.iter().map(|(source, records)| format!("{} {records}", clean(source)));
        table.row([count.day.to_string(), format!("{:>widest$}", count.records), words.collect::<Vec<_>>().join(", ")]);
    }
    let words = sources.iter().map(|(source, records)| format!("{} {records}", clean(source)));
    table.row([String::from("together"), total.to_string(), words.collect::<Vec<_>>().join(", ")]);
    Ok(table.print(&mut std::io::stdout().lock(), "")?)
}
