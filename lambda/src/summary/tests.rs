//! Weeks over a table and a bucket in memory: what is written, what is written again, and what happens when something
//! fails in the middle.

mod memory;
mod template;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::sync::Notify;

use super::*;
use crate::digest;
use crate::ulid::Ulids;
use memory::{DAY, Item, MONDAY, Memory};

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
    assert_eq!(serde_json::to_value(&again).unwrap()["files"], world.json(MANIFEST)["files"]);
    // Pages of other sizes are the same week.
    let other = Memory { page: 1000, slots: Mutex::new(world.slots.lock().unwrap().clone()), ..Memory::new() };
    let _ = tokio::join!(other.runs(), other.runs());
    assert_eq!(other.contents(), world.contents(), "nor does it matter that two make it at once");
    assert_eq!(other.named(), 200);

    // What somebody writes over a file, however long it is, is not what the manifest names; and a run puts it right.
    let right = world.contents();
    for cut in [0, 1] {
        let mut bytes = world.object(RECORDS).unwrap();
        bytes.truncate(bytes.len() - cut);
        bytes[20] ^= 1;
        world.covers(RECORDS, bytes);
        assert_eq!(world.named(), 200, "what it names is still there");
        let checked = handle(&world, r#"{"week":"2026-W47","write":false}"#).await.unwrap();
        assert_eq!((checked.written, checked.unchanged), (false, false), "it is noticed");
        assert!(world.runs().await.written);
        assert_eq!(world.contents(), right, "and made anew");
    }
    assert!(before.iter().all(|(key, versions)| world.objects.lock().unwrap()[key].starts_with(versions)));
    let report = handle(&Memory::new().with(spread(3), amounts), r#"{"week":"2026-W47","write":false}"#).await.unwrap();
    assert_eq!((report.records, report.written, report.unchanged), (3, false, false));
}

#[tokio::test]
async fn what_comes_and_what_expires_while_a_run_goes_on_does_not_fail_it() {
    // A week that is not over, of which each count finds another record; one whose records expire while it is read.
    let now = MONDAY - 2 * DAY;
    let more = move |slots: &mut BTreeMap<String, Vec<Item>>| {
        let id = Ulids::default().next(now - 1000).unwrap();
        let row =
            Row { id: id.to_string(), received: crate::intake::received(id), source: "web".into(), body: "{}".into() };
        slots.entry(crate::intake::slot(id)).or_default().push(Item { row, expires: None });
    };
    let going = Memory { now, meanwhile: Some(Box::new(more)), ..Memory::new().with(spread(70), amounts) };
    let report = going.runs().await;
    let read = spread(70).filter(|(time, _)| *time < now - 60_000).count();
    assert_eq!((report.records, report.written), (u64::try_from(read).unwrap(), true));
    assert_eq!(going.json(MANIFEST)["until"], "2026-11-21T02:59:00Z");

    let soon = MONDAY / 1000 + 600;
    let gone = move |slots: &mut BTreeMap<String, Vec<Item>>| {
        for items in slots.values_mut() {
            items.retain(|item| item.expires != Some(soon));
        }
    };
    let mixed = spread(70).zip([None, Some(soon)].into_iter().cycle()).map(|((time, _), expires)| (time, expires));
    let world = Memory { meanwhile: Some(Box::new(gone)), ..Memory::new().with(mixed, amounts) };
    assert_eq!((world.runs().await.records, &world.json(MANIFEST)["until"]), (35, &Value::Null));
}

#[tokio::test]
async fn a_week_never_loses_records_unless_that_is_asked_for() {
    let world = Memory::new().with(spread(50), amounts);
    world.runs().await;
    let before = world.objects.lock().unwrap().clone();
    world.slots.lock().unwrap().values_mut().for_each(|items| items.truncate(0));
    let writes = world.writes.load(Ordering::SeqCst);
    let failure = handle(&world, r#"{"week":"2026-W47"}"#).await.unwrap_err();
    assert_eq!(failure, Failure::Shrinks { week: Week::parse("2026-W47").unwrap(), named: 50, found: 0 });
    assert!(failure.to_string().contains("50 records") && failure.to_string().contains("has 0"), "{failure}");
    // The schedule, which may fire twice, leaves it as it is.
    let kept = handle(&world, r#"{"time":"2026-11-23T15:00:00Z"}"#).await.unwrap();
    assert_eq!((kept.kept, kept.written, kept.unchanged, kept.records), (true, false, false, 0));
    let checked = handle(&world, r#"{"week":"2026-W47","write":false}"#).await.unwrap();
    assert_eq!((checked.records, checked.unchanged), (0, false));
    assert_eq!((&before, writes), (&*world.objects.lock().unwrap(), world.writes.load(Ordering::SeqCst)));
    assert!(handle(&world, r#"{"week":"2026-W47","shrink":true}"#).await.unwrap().written);
    assert_eq!(world.named(), 0);

    // What was made of a week that was not over is replaced by whatever there is in the end.
    let going = Memory { now: MONDAY - DAY, ..Memory::new().with(spread(50), amounts) };
    assert!(going.runs().await.records > 40);
    going.slots.lock().unwrap().values_mut().for_each(|items| items.truncate(1));
    let over = Memory { now: MONDAY, ..going };
    let last = handle(&over, r#"{"time":"2026-11-23T15:00:00Z"}"#).await.unwrap();
    assert!(last.written && last.records < 40);
    assert_eq!(over.json(MANIFEST)["until"], Value::Null);
}

#[tokio::test]
async fn of_two_who_write_one_manifest_stands_and_names_its_own_files() {
    let world = Memory::new().with(spread(20), amounts);
    world.runs().await;
    let first = world.object(MANIFEST).unwrap();
    // One that says the same was faster.
    let again = Memory { rival: Mutex::new(Some(first.clone())), ..Memory::new().with(spread(0), amounts) };
    *again.slots.lock().unwrap() = world.slots.lock().unwrap().clone();
    for name in [RECORDS, SUMMARY] {
        again.covers(name, world.object(name).unwrap());
    }
    let report = again.runs().await;
    assert_eq!((report.written, report.unchanged, again.named()), (false, true, 20));
    // One of other records was faster: it stands.
    let world = Memory { rival: Mutex::new(Some(first.clone())), ..Memory::new().with(spread(30), amounts) };
    let failure = handle(&world, r#"{"week":"2026-W47"}"#).await.unwrap_err();
    assert_eq!((failure.name(), world.object(MANIFEST).unwrap()), ("SummaryOvertaken", first));
    assert!(world.runs().await.written, "and the next run sees it");
    assert_eq!(world.named(), 30);
}

#[tokio::test]
async fn a_manifest_that_nobody_can_read_is_replaced_and_one_of_a_newer_format_is_not() {
    let world = Memory::new().with(spread(5), amounts);
    world.covers(MANIFEST, b"{".to_vec());
    assert!(world.runs().await.written);
    assert_eq!(world.named(), 5);
    let newer = String::from_utf8(world.object(MANIFEST).unwrap()).unwrap().replace(FORMAT, "plumb-summary/2");
    world.covers(MANIFEST, newer.into_bytes());
    let failure = handle(&world, r#"{"week":"2026-W47"}"#).await.unwrap_err();
    assert!(failure.name() == "SummaryRefused" && failure.to_string().contains("plumb-summary/2"), "{failure}");
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
async fn what_expires_within_an_hour_of_the_run_does_not_count() {
    let end = MONDAY / 1000 + 3600;
    let times = [
        (MONDAY - DAY, Some(end - 1)),
        (MONDAY - DAY + 1, Some(end)),
        (MONDAY - DAY + 2, Some(end + 1)),
        (MONDAY - DAY + 3, None),
    ];
    let world = Memory::new().with(times, amounts);
    assert_eq!(world.runs().await.records, 2);
    let before = world.contents();
    // DynamoDB removes what has expired whenever it likes.
    let remains = |item: &Item| item.expires.is_none_or(|it| it > end);
    world.slots.lock().unwrap().values_mut().for_each(|items| items.retain(remains));
    assert!(world.runs().await.unchanged);
    assert_eq!(world.contents(), before);
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
async fn whichever_write_fails_or_is_the_last_what_is_named_stays_and_the_next_run_is_whole() {
    // Enough for two parts and a rest.
    let whole = Memory::new().with(spread(60), noise);
    whole.runs().await;
    let right = whole.contents();
    let writes = whole.writes.load(Ordering::SeqCst);
    assert!(writes >= 6, "three parts, their completion, the summary and the manifest: {writes}");
    // Of a week that has no manifest, and of one that has: of fewer records.
    let fewer = Memory::new().with(spread(10), noise);
    fewer.runs().await;
    let before = [BTreeMap::new(), fewer.objects.lock().unwrap().clone()];
    for (number, killed, before) in
        (1..=writes).flat_map(|number| [0, 1, 2, 3].map(|row| (number, row > 1, &before[row % 2])))
    {
        let slots = Mutex::new(whole.slots.lock().unwrap().clone());
        let stop = killed.then(Notify::new);
        let world = Memory {
            slots,
            objects: Mutex::new(before.clone()),
            fails: AtomicUsize::new(number),
            killed: stop,
            page: 100,
            ..Memory::new()
        };
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
        if before.is_empty() {
            assert!(world.object(MANIFEST).is_none(), "write {number}");
        } else {
            assert_eq!((world.named(), world.object(MANIFEST)), (10, fewer.object(MANIFEST)), "write {number}");
        }
        assert!(world.runs().await.written);
        assert_eq!((world.contents(), world.named()), (right.clone(), 60), "write {number}");
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
        (r#"{"week":"2026-W47","shrink":1}"#, "`shrink`"),
        (r#"{"week":"2026-W49"}"#, "has not begun"),
    ] {
        let failure = handle(&Memory::new(), event).await.unwrap_err();
        assert!(failure.to_string().contains(said), "{event}: {failure}");
        assert_eq!(failure.name(), "SummaryRefused");
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
    let failed =
        line("summary", "r", &Err(Failure::Failed("bucket b: NoSuchBucket".to_owned())), Duration::from_secs(1));
    assert_eq!(
        (&failed["Faults"], &failed["level"], &failed["error"], &failed["error_type"]),
        (&json!(1), &json!("error"), &json!("bucket b: NoSuchBucket"), &json!("SummaryFailed"))
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
        kept: false,
    };
    let told = line("summary", "r", &Ok(report), Duration::from_secs(1));
    assert_eq!((&told["Records"], &told["Weeks"], &told["report"]["week"]), (&json!(3), &json!(1), &json!("w")));
}
