//! A week of the intake as files: its records, what can be counted of them, and a manifest that names both.
//!
//! `SUMMARY.md` is the format. The same records give the same bytes, so that a week can be made again at any time, by two
//! functions at once, and after one that was killed. Memory does not grow with the week: records are read in order, by
//! the page, and packed and uploaded as they come (`merge`, `archive`, `statistics`). The manifest comes last, and
//! only when a count of the table agrees with what was read: readers trust what a manifest names, and nothing else.
//! What a run looks at does not change while it goes on ([`Bounds`]), and a week never loses records unless that is asked
//! for.

mod archive;
mod bounds;
mod failure;
pub mod live;
mod manifest;
mod merge;
mod sketch;
mod statistics;
mod week;

use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use archive::Archive;
pub use bounds::Bounds;
pub use failure::Failure;
pub use manifest::Named;
use manifest::{Known, Manifest};
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
    /// Records of a slot within the bounds, from `after` on.
    fn page(
        &self,
        slot: &str,
        bounds: &Bounds,
        after: Option<&Value>,
    ) -> impl Future<Output = Result<Page, Failure>> + Send;
    /// How many there are.
    fn count(&self, slot: &str, bounds: &Bounds) -> impl Future<Output = Result<u64, Failure>> + Send;
    /// A small object's text and its tag; nothing where it is not.
    fn text(&self, key: &str) -> impl Future<Output = Result<Option<(String, String)>, Failure>> + Send;
    /// The version of what lies under a key; nothing where there is none.
    fn version(&self, key: &str) -> impl Future<Output = Result<Option<String>, Failure>> + Send;
    /// Writes an object at once, and gives its version.
    fn put(&self, key: &str, bytes: &[u8]) -> impl Future<Output = Result<String, Failure>> + Send;
    /// Writes an object over the one of this tag, or where there is none; false where there is another.
    fn replace(
        &self,
        key: &str,
        bytes: &[u8],
        over: Option<&str>,
    ) -> impl Future<Output = Result<bool, Failure>> + Send;
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
    /// Makes the object of its parts, and gives its version.
    fn complete(
        &self,
        key: &str,
        upload: &str,
        tags: &[String],
    ) -> impl Future<Output = Result<String, Failure>> + Send;
    /// Gives an upload up.
    fn abort(&self, key: &str, upload: &str) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Request {
    week: Week,
    write: bool,
    /// A week may have fewer records than its manifest names.
    shrink: bool,
    /// Nobody waits for the answer, and the same may be asked twice.
    scheduled: bool,
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
    /// Whether the bucket's manifest names more records, and was left as it is.
    kept: bool,
}

impl Report {
    /// Of what a manifest says; nothing was written.
    fn of(manifest: Manifest) -> Self {
        let Manifest { week, from, to, records, bytes, files, .. } = manifest;
        Self { week, from, to, records, bytes, files, written: false, unchanged: false, kept: false }
    }
}

/// Does what an event asks for.
pub async fn handle<W: World>(world: &W, event: &str) -> Result<Report, Failure> {
    let asked = read(event)?;
    let bounds = Bounds::of(asked.week, world.now())?;
    let known = Known::find(world, asked.week).await?;
    let place = key(asked.week, RECORDS);
    let mut archive = Archive::new(world, asked.write.then_some(place.as_str()));
    let made = match collect(world, asked.week, &bounds, &mut archive).await {
        Ok(statistics) => make(world, asked, &bounds, known, (&statistics, &mut archive)).await,
        Err(failure) => Err(failure),
    };
    archive.give_up().await;
    made
}

/// The schedule's moment stands for the week before it; a week is named for a backfill.
fn read(event: &str) -> Result<Request, Failure> {
    let refused = |why: &str| Failure::Refused(why.to_owned());
    let event: Value = serde_json::from_str(event).map_err(|_| refused("the event is not JSON"))?;
    let text = |name: &str| event.get(name).and_then(Value::as_str);
    let week = match (text("week"), text("time")) {
        (Some(week), None) => Week::parse(week).ok_or("`week` must be an ISO week such as 2026-W47"),
        (None, Some(time)) => Week::before(time).ok_or("`time` must be a moment such as 2026-11-23T15:00:00Z"),
        _ => Err("the event must have either `week` or `time`"),
    };
    let flag = |name: &str, unsaid: bool| match event.get(name) {
        None => Ok(unsaid),
        Some(Value::Bool(said)) => Ok(*said),
        Some(_) => Err(Failure::Refused(format!("`{name}` must be true or false"))),
    };
    Ok(Request {
        week: week.map_err(refused)?,
        write: flag("write", true)?,
        shrink: flag("shrink", false)?,
        scheduled: text("time").is_some(),
    })
}

fn key(week: Week, name: &str) -> String {
    format!("summaries/{week}/{name}")
}

async fn collect<W: World>(
    world: &W,
    week: Week,
    bounds: &Bounds,
    archive: &mut Archive<'_, W>,
) -> Result<Statistics, Failure> {
    let mut statistics = Statistics::default();
    for date in week.days() {
        let mut day = Day::new(world, &date, bounds);
        let mut read = 0_u64;
        while let Some(row) = day.next().await? {
            statistics.add(&date, &row)?;
            archive.add(&row).await?;
            read += 1;
        }
        statistics.day(&date, read);
        let counted = day.count().await?;
        if counted != read {
            return Err(Failure::Failed(format!(
                "{date}: {read} records were read, and the table counts {counted}; nothing names what was read, and it is tried again"
            )));
        }
    }
    Ok(statistics)
}

/// Compares what was read with what the bucket has, and replaces that only where it is another and no less.
async fn make<W: World>(
    world: &W,
    asked: Request,
    bounds: &Bounds,
    known: Option<Known>,
    (statistics, archive): (&Statistics, &mut Archive<'_, W>),
) -> Result<Report, Failure> {
    let week = asked.week;
    let summary = statistics.told(FORMAT, &week.to_string(), &week.from(), &week.to());
    let summary = summary.map_err(|error| Failure::Failed(error.to_string()))?;
    let files = vec![archive.seal()?, Named::of(SUMMARY, &summary)];
    let mut manifest = Manifest::new(week, bounds, (statistics.records, statistics.bytes), files);
    let there = known.as_ref().and_then(|known| known.manifest.as_ref());
    if let Some(there) = there.filter(|there| there.says(&manifest))
        && there.lies(world, week).await?
    {
        return Ok(Report { unchanged: true, ..Report::of(there.clone()) });
    }
    if !asked.write {
        return Ok(Report::of(manifest));
    }
    if let (Some(there), false) = (there, asked.shrink)
        && let Some(named) = there.shrinks_to(&manifest)
    {
        // A schedule that fires twice is no failure: the week has its summary. Versions that something covers go with time.
        if asked.scheduled && there.lies(world, week).await? {
            return Ok(Report { kept: true, ..Report::of(manifest) });
        }
        return Err(Failure::Shrinks { week, named, found: manifest.records });
    }
    let records = archive.store(&key(week, RECORDS)).await?;
    let summed = world.put(&key(week, SUMMARY), summary.as_bytes()).await?;
    for (file, version) in manifest.files.iter_mut().zip([records, summed]) {
        file.version = Some(version);
    }
    let text = manifest.text()?;
    let over = known.as_ref().map(|known| known.tag.as_str());
    if !world.replace(&key(week, MANIFEST), text.as_bytes(), over).await? {
        return overtaken(world, week, manifest, &text).await;
    }
    Ok(Report { written: true, ..Report::of(manifest) })
}

/// Another manifest was written since ours was begun. It may be ours, whose answer was lost, or say the same.
async fn overtaken<W: World>(world: &W, week: Week, own: Manifest, text: &str) -> Result<Report, Failure> {
    let Some(there) = Known::find(world, week).await? else { return Err(Failure::Overtaken { week }) };
    let written = there.text == text;
    match there.manifest.filter(|there| there.says(&own)) {
        Some(there) => Ok(Report { written, unchanged: !written, ..Report::of(there) }),
        None => Err(Failure::Overtaken { week }),
    }
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
        Err(failure) => {
            line["error"] = json!(failure.to_string());
            line["error_type"] = json!(failure.name());
        }
    }
    line
}

#[cfg(test)]
mod tests;
