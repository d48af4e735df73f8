//! Weeks over a table and a bucket in memory: what is written, what is written again, and what happens when something
//! fails in the middle.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::sync::Notify;

use super::*;
use crate::digest;
use crate::ulid::Ulids;

/// 2026-11-23T03:00:00Z, a Monday.
const MONDAY: i64 = 1_795_402_800_000;
const DAY: i64 = 86_400_000;

/// A stored item, and when it expires.
#[derive(Clone)]
struct Item {
    row: Row,
    expires: Option<i64>,
}

struct Memory {
    now: i64,
    slots: Mutex<BTreeMap<String, Vec<Item>>>,
    objects: Mutex<BTreeMap<String, Vec<u8>>>,
    uploads: Mutex<BTreeMap<String, Vec<Vec<u8>>>>,
    /// How many records a page looks at.
    page: usize,
    /// What the count says beyond the truth.
    miscount: u64,
    /// The write (put, part or completion) that fails, from 1.
    fails: AtomicUsize,
    /// Instead of failing it never comes back: that is where the function is killed.
    killed: Option<Notify>,
    writes: AtomicUsize,
    reads: AtomicUsize,
}

impl Memory {
    fn new() -> Self {
        Self {
            now: MONDAY,
            slots: Mutex::default(),
            objects: Mutex::default(),
            uploads: Mutex::default(),
            page: 7,
            miscount: 0,
            fails: AtomicUsize::new(0),
            killed: None,
            writes: AtomicUsize::new(0),
            reads: AtomicUsize::new(0),
        }
    }

    /// Stores records of these times, as the intake does.
    fn with(self, times: impl IntoIterator<Item = (i64, Option<i64>)>, body: impl Fn(usize) -> String) -> Self {
        let ulids = Ulids::default();
        for (number, (time, expires)) in times.into_iter().enumerate() {
            let id = ulids.next(time).unwrap();
            let source = if number.is_multiple_of(3) { "web" } else { "app" }.to_owned();
            let row = Row { id: id.to_string(), received: crate::intake::received(id), source, body: body(number) };
            self.slots.lock().unwrap().entry(crate::intake::slot(id)).or_default().push(Item { row, expires });
        }
        self
    }

    fn object(&self, name: &str) -> Option<Vec<u8>> {
        self.objects.lock().unwrap().get(&format!("summaries/2026-W47/{name}")).cloned()
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&self.object(name).unwrap()).unwrap()
    }

    fn lines(&self) -> Vec<Value> {
        let packed = self.object(RECORDS).unwrap();
        let mut text = String::new();
        flate2::read::GzDecoder::new(&packed[..]).read_to_string(&mut text).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    async fn write(&self) -> Result<(), Failure> {
        let number = self.writes.fetch_add(1, Ordering::SeqCst) + 1;
        if self.fails.load(Ordering::SeqCst) != number {
            return Ok(());
        }
        if let Some(killed) = &self.killed {
            killed.notify_one();
            std::future::pending::<()>().await;
        }
        Err(Failure("NoSuchBucket".to_owned()))
    }

    async fn runs(&self) -> Report {
        handle(self, r#"{"week":"2026-W47"}"#).await.unwrap()
    }
}

impl World for Memory {
    const PART: usize = 200_000;

    fn now(&self) -> i64 {
        self.now
    }

    async fn page(&self, slot: &str, end: i64, after: Option<&Value>) -> Result<Page, Failure> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        let from = after.map_or(0, |after| usize::try_from(after.as_u64().unwrap()).unwrap());
        let slots = self.slots.lock().unwrap();
        let all = slots.get(slot).map_or(&[][..], Vec::as_slice);
        let seen = all.get(from..(from + self.page).min(all.len())).unwrap_or_default();
        let counts = seen.iter().filter(|item| item.expires.is_none_or(|expires| expires > end));
        let next = (from + seen.len() < all.len()).then(|| json!(from + seen.len()));
        Ok(Page { rows: counts.map(|item| item.row.clone()).collect(), next })
    }

    async fn count(&self, slot: &str, end: i64) -> Result<u64, Failure> {
        let slots = self.slots.lock().unwrap();
        let all = slots.get(slot).map_or(&[][..], Vec::as_slice);
        let count = all.iter().filter(|item| item.expires.is_none_or(|expires| expires > end)).count();
        Ok(u64::try_from(count).unwrap() + if slot == "2026-11-22#0" { self.miscount } else { 0 })
    }

    async fn text(&self, key: &str) -> Result<Option<String>, Failure> {
        let objects = self.objects.lock().unwrap();
        Ok(objects.get(key).map(|bytes| String::from_utf8(bytes.clone()).unwrap()))
    }

    async fn size(&self, key: &str) -> Result<Option<u64>, Failure> {
        Ok(self.objects.lock().unwrap().get(key).map(|bytes| bytes.len().try_into().unwrap()))
    }

    async fn put(&self, key: &str, bytes: &[u8]) -> Result<(), Failure> {
        self.write().await?;
        self.objects.lock().unwrap().insert(key.to_owned(), bytes.to_vec());
        Ok(())
    }

    async fn begin(&self, key: &str) -> Result<String, Failure> {
        self.uploads.lock().unwrap().insert(key.to_owned(), Vec::new());
        Ok(key.to_owned())
    }

    async fn part(&self, _: &str, upload: &str, number: usize, bytes: &[u8]) -> Result<String, Failure> {
        self.write().await?;
        let mut uploads = self.uploads.lock().unwrap();
        let parts = uploads.get_mut(upload).unwrap();
        assert_eq!(parts.len() + 1, number);
        parts.push(bytes.to_vec());
        Ok(number.to_string())
    }

    async fn complete(&self, key: &str, upload: &str, tags: &[String]) -> Result<(), Failure> {
        self.write().await?;
        let parts = self.uploads.lock().unwrap().remove(upload).unwrap();
        assert_eq!(parts.len(), tags.len());
        assert!(parts.iter().rev().skip(1).all(|part| part.len() >= Self::PART), "S3 takes no smaller ones");
        self.objects.lock().unwrap().insert(key.to_owned(), parts.concat());
        Ok(())
    }

    async fn abort(&self, _: &str, upload: &str) -> Result<(), Failure> {
        self.uploads.lock().unwrap().remove(upload);
        Ok(())
    }
}

/// Moments from a week before the Monday on, evenly.
fn spread(count: i64) -> impl Iterator<Item = (i64, Option<i64>)> {
    let start = MONDAY - 7 * DAY - 3 * 3_600_000;
    (0..count).map(move |number| (start + number * (7 * DAY / count.max(1)), None))
}

fn amounts(number: usize) -> String {
    format!("{{\n \"amount\": {}, \"who\": {{\"country\": \"DE\"}}}}", number % 10)
}

#[tokio::test]
async fn a_week_becomes_three_files_that_name_each_other() {
    let world = Memory::new().with(spread(500), amounts);
    let report = handle(&world, r#"{"time":"2026-11-23T03:00:00Z"}"#).await.unwrap();
    assert_eq!(
        (report.week.as_str(), report.records, report.written, report.unchanged),
        ("2026-W47", 500, true, false)
    );
    let lines = world.lines();
    assert_eq!(lines.len(), 500);
    assert!(lines.is_sorted_by(|one, other| one["id"].as_str() < other["id"].as_str()));
    assert_eq!(lines[7]["record"], json!({"amount": 7, "who": {"country": "DE"}}));
    let manifest = world.json(MANIFEST);
    assert_eq!((&manifest["format"], &manifest["records"]), (&json!("plumb-summary/1"), &json!(500)));
    assert_eq!((&manifest["from"], &manifest["to"]), (&json!("2026-11-16T00:00:00Z"), &json!("2026-11-23T00:00:00Z")));
    for file in manifest["files"].as_array().unwrap() {
        let bytes = world.object(file["name"].as_str().unwrap()).unwrap();
        assert_eq!(
            (file["bytes"].as_u64(), file["sha256"].as_str()),
            (Some(bytes.len() as u64), Some(&*digest::finished(Sha256::new_with_prefix(&bytes))))
        );
    }
    let summary = world.json(SUMMARY);
    assert_eq!(summary["days"].as_object().unwrap().len(), 7);
    assert_eq!(summary["sources"], json!({"app": 333, "web": 167}));
    assert_eq!(summary["fields"]["amount"]["numbers"]["percentiles"], json!({"50": 4, "90": 8, "99": 9}));
    assert_eq!((&summary["first"]["id"], &summary["last"]["id"]), (&lines[0]["id"], &lines[499]["id"]));
    assert_eq!(serde_json::to_value(&report).unwrap()["files"], manifest["files"]);
}

#[tokio::test]
async fn a_week_made_again_has_the_same_bytes_and_nothing_is_written() {
    let world = Memory::new().with(spread(200), amounts);
    world.runs().await;
    let (before, writes) = (world.objects.lock().unwrap().clone(), world.writes.load(Ordering::SeqCst));
    let again = world.runs().await;
    assert_eq!((again.written, again.unchanged), (false, true));
    assert_eq!(world.writes.load(Ordering::SeqCst), writes);
    // Pages of other sizes are the same week.
    let other = Memory { page: 1000, slots: Mutex::new(world.slots.lock().unwrap().clone()), ..Memory::new() };
    let _ = tokio::join!(other.runs(), other.runs());
    assert_eq!(*other.objects.lock().unwrap(), before, "nor does it matter that two make it at once");

    let key = "summaries/2026-W47/records.jsonl.gz".to_owned();
    world.objects.lock().unwrap().get_mut(&key).unwrap().pop();
    let checked = handle(&world, r#"{"week":"2026-W47","write":false}"#).await.unwrap();
    assert_eq!((checked.written, checked.unchanged), (false, false), "a file that was cut short is noticed");
    assert!(world.runs().await.written);
    assert_eq!(*world.objects.lock().unwrap(), before, "and made anew");
    let report = handle(&Memory::new().with(spread(3), amounts), r#"{"week":"2026-W47","write":false}"#).await.unwrap();
    assert_eq!((report.records, report.written, report.unchanged), (3, false, false));
}

#[tokio::test]
async fn an_empty_week_is_a_week() {
    let world = Memory::new();
    let report = world.runs().await;
    assert_eq!((report.records, report.bytes, report.written), (0, 0, true));
    assert_eq!(world.lines(), [] as [Value; 0]);
    let summary = world.json(SUMMARY);
    assert_eq!((&summary["first"], &summary["fields"]), (&Value::Null, &json!({})));
    assert_eq!(summary["days"].as_object().unwrap().values().collect::<Vec<_>>(), [&json!(0); 7]);
}

#[tokio::test]
async fn what_expired_before_the_weeks_end_does_not_count() {
    let end = (MONDAY - 3 * 3_600_000) / 1000;
    let times = [
        (MONDAY - DAY, Some(end - 1)),
        (MONDAY - DAY + 1, Some(end)),
        (MONDAY - DAY + 2, Some(end + 1)),
        (MONDAY - DAY + 3, None),
    ];
    let world = Memory::new().with(times, amounts);
    assert_eq!(world.runs().await.records, 2);
    let before = world.objects.lock().unwrap().clone();
    // DynamoDB removes what has expired whenever it likes.
    world
        .slots
        .lock()
        .unwrap()
        .values_mut()
        .for_each(|items| items.retain(|item| item.expires.is_none_or(|it| it > end)));
    assert!(world.runs().await.unchanged);
    assert_eq!(*world.objects.lock().unwrap(), before);
}

#[tokio::test]
async fn records_at_a_weeks_borders_are_in_exactly_one_week() {
    let start = MONDAY - 3 * 3_600_000 - 7 * DAY;
    let times = [start - 1, start, start + 7 * DAY - 1, start + 7 * DAY].map(|time| (time, None));
    let world = Memory { now: MONDAY + DAY, ..Memory::new().with(times, amounts) };
    let mut found = Vec::new();
    for week in ["2026-W46", "2026-W47", "2026-W48"] {
        found.push(handle(&world, &json!({"week": week, "write": false}).to_string()).await.unwrap().records);
    }
    assert_eq!(found, [1, 2, 1]);
}

#[tokio::test]
async fn a_count_that_does_not_agree_names_nothing() {
    let world = Memory { miscount: 1, ..Memory::new().with(spread(50), amounts) };
    let failure = handle(&world, r#"{"week":"2026-W47"}"#).await.unwrap_err().to_string();
    assert!(failure.contains("2026-11-22") && failure.contains("counts"), "{failure}");
    assert!(world.objects.lock().unwrap().is_empty() && world.uploads.lock().unwrap().is_empty());
}

/// A body that does not pack well, of about twenty kilobytes.
fn noise(number: usize) -> String {
    let mut state = u64::try_from(number).unwrap().wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let digits = (0..1200).map(|_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        format!("{state:016x}")
    });
    format!("{{\"noise\":\"{}\"}}", digits.collect::<String>())
}

#[tokio::test]
async fn whichever_write_fails_or_is_the_last_there_is_no_manifest_and_the_next_run_is_whole() {
    // Enough for two parts and a rest.
    let whole = Memory::new().with(spread(60), noise);
    whole.runs().await;
    let right = whole.objects.lock().unwrap().clone();
    let writes = whole.writes.load(Ordering::SeqCst);
    assert!(writes >= 6, "three parts, their completion, the summary and the manifest: {writes}");
    for (number, killed) in (1..=writes).flat_map(|number| [(number, false), (number, true)]) {
        let slots = Mutex::new(whole.slots.lock().unwrap().clone());
        let stop = killed.then(Notify::new);
        let world = Memory { slots, fails: AtomicUsize::new(number), killed: stop, page: 100, ..Memory::new() };
        let failed = async { handle(&world, r#"{"week":"2026-W47"}"#).await.unwrap_err().to_string() };
        if let Some(killed) = &world.killed {
            tokio::select! {
                failed = failed => panic!("write {number}: it failed before it was killed: {failed}"),
                () = killed.notified() => {}
            }
        } else {
            assert_eq!(failed.await, "NoSuchBucket");
            assert!(world.uploads.lock().unwrap().is_empty(), "write {number}: the upload was given up");
        }
        assert!(world.object(MANIFEST).is_none(), "write {number}");
        assert!(world.runs().await.written);
        assert_eq!(*world.objects.lock().unwrap(), right, "write {number}");
    }
}

#[tokio::test]
async fn what_cannot_be_asked_is_said_plainly() {
    for (event, said) in [
        ("{", "not JSON"),
        ("{}", "either `week` or `time`"),
        (r#"{"week":"2026-W47","time":"2026-11-23T03:00:00Z"}"#, "either `week` or `time`"),
        (r#"{"week":"2025-W53"}"#, "ISO week"),
        (r#"{"time":"Monday"}"#, "moment"),
        (r#"{"week":"2026-W47","write":"no"}"#, "`write`"),
        (r#"{"week":"2026-W49"}"#, "has not begun"),
    ] {
        let failure = handle(&Memory::new(), event).await.unwrap_err().to_string();
        assert!(failure.contains(said), "{event}: {failure}");
    }
}

#[tokio::test]
async fn records_out_of_order_are_an_error() {
    let world = Memory::new().with(spread(100), amounts);
    world.slots.lock().unwrap().values_mut().for_each(|items| items.reverse());
    let one_a_page = Memory { page: 50, ..world };
    one_a_page.slots.lock().unwrap().retain(|_, items| items.len() > 1);
    let failure = handle(&one_a_page, r#"{"week":"2026-W47"}"#).await.unwrap_err().to_string();
    assert!(failure.contains("order"), "{failure}");
}

#[tokio::test]
async fn slots_that_run_out_together_are_filled_together() {
    let world = Memory { page: 1000, ..Memory::new().with(spread(800), amounts) };
    world.runs().await;
    assert_eq!(world.reads.load(Ordering::SeqCst), 7 * 8, "a page of each slot, and none twice");
}

#[test]
fn a_log_line_says_what_was_made_or_why_not() {
    let failed = line("summary", "r", &Err(Failure("bucket b: NoSuchBucket".to_owned())), Duration::from_secs(1));
    assert_eq!(
        (&failed["Faults"], &failed["level"], &failed["error"]),
        (&json!(1), &json!("error"), &json!("bucket b: NoSuchBucket"))
    );
    let report = Report {
        week: "w".into(),
        from: "a".into(),
        to: "b".into(),
        records: 3,
        bytes: 1,
        files: Vec::new(),
        written: true,
        unchanged: false,
    };
    let told = line("summary", "r", &Ok(report), Duration::from_secs(1));
    assert_eq!((&told["Records"], &told["Weeks"], &told["report"]["week"]), (&json!(3), &json!(1), &json!("w")));
}
