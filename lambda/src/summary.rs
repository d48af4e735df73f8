//! A week of the intake as files: its records, what can be counted of them, and a manifest that names both.
//!
//! `SUMMARY.md` is the format. The same records give the same bytes, so that a week can be made again at any time, by two
//! functions at once, and after one that was killed. Memory does not grow with the week: records are read in order, by
//! the page, and packed and uploaded as they come (`merge`, `archive`, `statistics`). The manifest comes last, and
//! only when a count of the table agrees with what was read: readers trust what a manifest names, and nothing else.

mod archive;
pub mod live;
mod merge;
mod sketch;
mod statistics;
mod week;

use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use archive::Archive;
use merge::Day;
use statistics::Statistics;
pub use week::Week;

use crate::record::metrics;

/// What all files begin with, and what readers know the format by.
const FORMAT: &str = "plumb-summary/1";
/// The metrics' namespace.
const NAMESPACE: &str = "Plumb/Summary";
/// The records, one in a line, packed.
pub const RECORDS: &str = "records.jsonl.gz";
/// What was counted.
pub const SUMMARY: &str = "summary.json";
/// What makes both of them count.
pub const MANIFEST: &str = "manifest.json";

/// Something could not be read or written, or is not what it must be. Lambda tries again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Failure(pub String);

/// One record, as it was stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Its ULID.
    pub id: String,
    /// When it came.
    pub received: String,
    /// Who sent it.
    pub source: String,
    /// Its JSON text.
    pub body: String,
}

/// Some records of a slot in the order of their ids, and where the next ones are.
#[derive(Debug, Default)]
pub struct Page {
    /// May be none even where there are more.
    pub rows: Vec<Row>,
    /// What to ask for next; nothing at the slot's end.
    pub next: Option<Value>,
}

/// The table, the bucket and the clock.
pub trait World: Sync {
    /// An object that is larger than this is uploaded in parts, each but the last at least as large.
    const PART: usize;

    /// Now, in milliseconds since 1970.
    fn now(&self) -> i64;
    /// Records of a slot that had not expired at `end` (in seconds), from `after` on.
    fn page(&self, slot: &str, end: i64, after: Option<&Value>) -> impl Future<Output = Result<Page, Failure>> + Send;
    /// How many there are.
    fn count(&self, slot: &str, end: i64) -> impl Future<Output = Result<u64, Failure>> + Send;
    /// A small object's text; nothing where it is not.
    fn text(&self, key: &str) -> impl Future<Output = Result<Option<String>, Failure>> + Send;
    /// An object's size; nothing where it is not.
    fn size(&self, key: &str) -> impl Future<Output = Result<Option<u64>, Failure>> + Send;
    /// Writes an object at once.
    fn put(&self, key: &str, bytes: &[u8]) -> impl Future<Output = Result<(), Failure>> + Send;
    /// Begins an object in parts, and gives the upload's id.
    fn begin(&self, key: &str) -> impl Future<Output = Result<String, Failure>> + Send;
    /// Uploads a part, from 1, and gives its tag.
    fn part(
        &self,
        key: &str,
        upload: &str,
        number: usize,
        bytes: &[u8],
    ) -> impl Future<Output = Result<String, Failure>> + Send;
    /// Makes the object of its parts.
    fn complete(&self, key: &str, upload: &str, tags: &[String]) -> impl Future<Output = Result<(), Failure>> + Send;
    /// Gives an upload up.
    fn abort(&self, key: &str, upload: &str) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Request {
    week: Week,
    write: bool,
}

/// A file of a week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Named {
    name: &'static str,
    bytes: u64,
    sha256: String,
}

/// What was made of a week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    week: String,
    from: String,
    to: String,
    records: u64,
    bytes: u64,
    files: Vec<Named>,
    /// Whether anything was written.
    written: bool,
    /// Whether the bucket has exactly this already.
    unchanged: bool,
}

/// The manifest: nothing in it says when it was written, so that the same week has the same bytes.
#[derive(Serialize)]
struct Manifest<'a> {
    format: &'static str,
    week: &'a str,
    from: &'a str,
    to: &'a str,
    records: u64,
    bytes: u64,
    files: &'a [Named],
}

/// A week that was read.
struct Made {
    report: Report,
    summary: String,
    manifest: String,
}

/// Does what an event asks for.
pub async fn handle<W: World>(world: &W, event: &str) -> Result<Report, Failure> {
    let Request { week, write } = read(event)?;
    if week.begins() > world.now() / 1000 {
        return Err(Failure(format!("week {week} has not begun")));
    }
    let known = world.text(&key(week, MANIFEST)).await?;
    // Where there is a manifest this week was made before, and mostly is the same: then nothing is uploaded.
    if known.is_some() || !write {
        let made = make(world, week, false).await?;
        let unchanged = known.as_ref() == Some(&made.manifest) && is_whole(world, week, &made.report.files).await?;
        if unchanged || !write {
            return Ok(Report { unchanged, ..made.report });
        }
    }
    let made = make(world, week, true).await?;
    world.put(&key(week, SUMMARY), made.summary.as_bytes()).await?;
    world.put(&key(week, MANIFEST), made.manifest.as_bytes()).await?;
    Ok(Report { written: true, ..made.report })
}

/// The schedule's moment stands for the week before it; a week is named for a backfill.
fn read(event: &str) -> Result<Request, Failure> {
    let event: Value = serde_json::from_str(event).map_err(|_| Failure("the event is not JSON".to_owned()))?;
    let text = |name: &str| event.get(name).and_then(Value::as_str);
    let week = match (text("week"), text("time")) {
        (Some(week), None) => Week::parse(week).ok_or("`week` must be an ISO week such as 2026-W47"),
        (None, Some(time)) => Week::before(time).ok_or("`time` must be a moment such as 2026-11-23T03:00:00Z"),
        _ => Err("the event must have either `week` or `time`"),
    };
    let write = match event.get("write") {
        None | Some(Value::Bool(true)) => true,
        Some(Value::Bool(false)) => false,
        Some(_) => return Err(Failure("`write` must be true or false".to_owned())),
    };
    Ok(Request { week: week.map_err(|error| Failure(error.to_owned()))?, write })
}

fn key(week: Week, name: &str) -> String {
    format!("summaries/{week}/{name}")
}

/// Whether the bucket has these files, as long as they must be.
async fn is_whole<W: World>(world: &W, week: Week, files: &[Named]) -> Result<bool, Failure> {
    for file in files {
        if world.size(&key(week, file.name)).await? != Some(file.bytes) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Reads a week, and uploads its records when they are wanted.
async fn make<W: World>(world: &W, week: Week, write: bool) -> Result<Made, Failure> {
    let place = key(week, RECORDS);
    let mut archive = Archive::new(world, write.then_some(place.as_str()));
    match collect(world, week, &mut archive).await {
        Ok(statistics) => {
            let records = archive.finish().await?;
            finished(week, &statistics, records)
        }
        Err(failure) => {
            archive.give_up().await;
            Err(failure)
        }
    }
}

async fn collect<W: World>(world: &W, week: Week, archive: &mut Archive<'_, W>) -> Result<Statistics, Failure> {
    let mut statistics = Statistics::default();
    for date in week.days() {
        let mut day = Day::new(world, &date, week.ends());
        let mut read = 0_u64;
        while let Some(row) = day.next().await? {
            statistics.add(&date, &row)?;
            archive.add(&row).await?;
            read += 1;
        }
        statistics.day(&date, read);
        let counted = day.count().await?;
        if counted != read {
            return Err(Failure(format!(
                "{date}: {read} records were read, and the table counts {counted}; nothing names what was read, and it is tried again"
            )));
        }
    }
    Ok(statistics)
}

fn finished(week: Week, statistics: &Statistics, (bytes, sha256): (u64, String)) -> Result<Made, Failure> {
    let failed = |error: serde_json::Error| Failure(error.to_string());
    let (name, from, to) = (week.to_string(), week.from(), week.to());
    let summary = statistics.told(FORMAT, &name, &from, &to).map_err(failed)?;
    let files = vec![
        Named { name: RECORDS, bytes, sha256 },
        Named {
            name: SUMMARY,
            bytes: u64::try_from(summary.len()).unwrap_or_default(),
            sha256: crate::digest::sha256(&[summary.as_bytes()]),
        },
    ];
    let (records, bytes) = (statistics.records, statistics.bytes);
    let manifest = Manifest { format: FORMAT, week: &name, from: &from, to: &to, records, bytes, files: &files };
    let manifest = serde_json::to_string(&manifest).map_err(failed)? + "\n";
    let report = Report { week: name, from, to, records, bytes, files, written: false, unchanged: false };
    Ok(Made { report, summary, manifest })
}

/// One line of JSON per run, in CloudWatch's embedded metric format. `service` is the function's name.
#[must_use]
pub fn line(service: &str, request_id: &str, result: &Result<Report, Failure>, took: Duration) -> Value {
    let mut line = json!({
        "_aws": metrics(NAMESPACE, &[&["Service"]], &["Weeks", "Records", "Faults"], true),
        "Service": service,
        "Weeks": u8::from(result.as_ref().is_ok_and(|report| report.written)),
        "Records": result.as_ref().map_or(0, |report| report.records),
        "Faults": u8::from(result.is_err()),
        "Latency": took.as_secs_f64() * 1000.0,
        "level": if result.is_ok() { "info" } else { "error" },
        "request_id": request_id,
    });
    match result {
        Ok(report) => line["report"] = json!(report),
        Err(failure) => line["error"] = json!(failure.to_string()),
    }
    line
}

#[cfg(test)]
mod tests;
