//! Weeks of a real table: their files, made twice, made for the past, empty, and made at once.

use std::io::Read as _;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::Intake;

/// Stores records as the intake does, of a time that is over: the intake itself knows only now.
pub(crate) fn past(intake: &Intake, records: &[(&str, &str, &str, Option<i64>)]) {
    for (number, (received, shard, body, expires)) in records.iter().enumerate() {
        let time: jiff::Timestamp = received.parse().unwrap();
        let mut item = json!({
            "id": {"S": ulid(time.as_millisecond(), number)}, "slot": {"S": format!("{}#{shard}", &received[..10])},
            "received": {"S": received}, "source": {"S": if number.is_multiple_of(2) { "web" } else { "app" }},
            "body": {"S": body}, "bytes": {"N": body.len().to_string()}, "digest": {"S": "x"}, "key": {"S": "x"},
        });
        if let Some(expires) = expires {
            item["expires"] = json!({"N": expires.to_string()});
        }
        intake.table("PutItem", json!({"Item": item}));
    }
}

fn ulid(time: i64, number: usize) -> String {
    let mut rest = u128::try_from(time).unwrap() << 80 | u128::try_from(number).unwrap();
    let mut text = vec!['0'; 26];
    for place in text.iter_mut().rev() {
        *place = char::from(b"0123456789ABCDEFGHJKMNPQRSTVWXYZ"[usize::try_from(rest % 32).unwrap()]);
        rest /= 32;
    }
    text.into_iter().collect()
}

const KEY: &str = "summaries/2026-W10";

#[tokio::test(flavor = "multi_thread")]
async fn a_week_of_several_days_and_shards_is_the_same_bytes_each_time() {
    let intake = Intake::deploy().await;
    past(
        &intake,
        &[
            ("2026-03-01T23:59:59.999Z", "0", r#"{"n":-1}"#, None),
            ("2026-03-02T00:00:00.000Z", "5", r#"{"n":1,"who":{"age":30}}"#, None),
            ("2026-03-02T00:00:00.001Z", "2", "{\n\"n\": 2.50}", None),
            ("2026-03-04T12:00:00.000Z", "7", r#"{"n":"three"}"#, None),
            ("2026-03-04T12:00:00.000Z", "0", r#"{"n":4}"#, None),
            ("2026-03-08T23:59:59.999Z", "1", r#"{"n":5}"#, None),
            ("2026-03-08T23:59:59.999Z", "3", r#"{"n":6}"#, Some(1_772_900_000)),
            ("2026-03-09T00:00:00.000Z", "4", r#"{"n":7}"#, None),
        ],
    );
    let report = intake.sum(json!({"time": "2026-03-09T03:00:00Z"})).await.unwrap();
    assert_eq!(
        (&report["week"], &report["records"], &report["written"]),
        (&json!("2026-W10"), &json!(5), &json!(true))
    );
    let packed = intake.object(&format!("{KEY}/records.jsonl.gz")).await.unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(&packed[..]).read_to_string(&mut text).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let numbers: Vec<String> = lines.iter().map(|line| line["record"]["n"].to_string()).collect();
    assert_eq!(numbers, ["1", "2.50", "\"three\"", "4", "5"]);
    let manifest = intake.object(&format!("{KEY}/manifest.json")).await.unwrap();
    let named: Value = serde_json::from_slice(&manifest).unwrap();
    for file in named["files"].as_array().unwrap() {
        let bytes = intake.object(&format!("{KEY}/{}", file["name"].as_str().unwrap())).await.unwrap();
        let digest = Sha256::digest(&bytes).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
        assert_eq!(
            (file["bytes"].as_u64(), file["sha256"].as_str()),
            (Some(bytes.len() as u64), Some(digest.as_str()))
        );
    }
    let summary: Value = serde_json::from_slice(&intake.object(&format!("{KEY}/summary.json")).await.unwrap()).unwrap();
    assert_eq!((&summary["days"]["2026-03-02"], &summary["days"]["2026-03-03"]), (&json!(2), &json!(0)));
    assert_eq!(summary["fields"]["n"]["numbers"]["count"], 4);

    // Made again, and by two at once: nothing changes.
    let (one, other) = tokio::join!(intake.sum(json!({"week": "2026-W10"})), intake.sum(json!({"week": "2026-W10"})));
    for again in [one.unwrap(), other.unwrap()] {
        assert_eq!((&again["written"], &again["unchanged"]), (&json!(false), &json!(true)), "{again}");
    }
    assert_eq!(intake.object(&format!("{KEY}/records.jsonl.gz")).await.unwrap(), packed);
    let versions =
        intake.s3().await.list_object_versions().bucket(&intake.outputs["SummaryBucket"]).send().await.unwrap();
    assert_eq!(versions.versions().len(), 3, "each file was written once");
    let version = |name: &str| {
        named["files"].as_array().unwrap().iter().find(|file| file["name"] == name).unwrap()["version"].clone()
    };
    for found in versions.versions().iter().filter(|found| !found.key().unwrap().ends_with("manifest.json")) {
        let name = found.key().unwrap().rsplit('/').next().unwrap();
        assert_eq!(version(name), json!(found.version_id()), "the manifest names the version");
    }

    // A record that comes late to a week of the past is noticed, and a backfill makes it whole.
    past(&intake, &[("2026-03-05T00:00:00.000Z", "6", r#"{"n":8}"#, None)]);
    let checked = intake.sum(json!({"week": "2026-W10", "write": false})).await.unwrap();
    assert_eq!(
        (&checked["records"], &checked["written"], &checked["unchanged"]),
        (&json!(6), &json!(false), &json!(false))
    );
    assert_eq!(intake.object(&format!("{KEY}/manifest.json")).await.unwrap(), manifest);
    assert_eq!(intake.sum(json!({"week": "2026-W10"})).await.unwrap()["written"], true);
    let larger = intake.object(&format!("{KEY}/manifest.json")).await.unwrap();
    assert_ne!(larger, manifest);

    // Records that are gone from the table are in the files alone: they stay until somebody wants them gone.
    let id = lines[0]["id"].as_str().unwrap();
    intake.table("DeleteItem", json!({"Key": {"id": {"S": id}}}));
    let failed = intake.sum(json!({"week": "2026-W10"})).await.unwrap_err();
    assert!(failed.contains("SummaryWouldShrink") && failed.contains("names 6 records"), "{failed}");
    let kept = intake.sum(json!({"time": "2026-03-09T15:00:00Z"})).await.unwrap();
    assert_eq!((&kept["kept"], &kept["written"]), (&json!(true), &json!(false)));
    assert_eq!(intake.object(&format!("{KEY}/manifest.json")).await.unwrap(), larger);
    let shrunk = intake.sum(json!({"week": "2026-W10", "shrink": true})).await.unwrap();
    assert_eq!((&shrunk["records"], &shrunk["written"]), (&json!(5), &json!(true)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_week_of_what_was_posted_and_one_of_nothing() {
    let intake = Intake::deploy().await;
    // One that came just now, which may still be on its way, and one of two minutes ago.
    assert_eq!(intake.post("/post", r#"{"n":123}"#).0, 201);
    let before = (jiff::Timestamp::now() - jiff::SignedDuration::from_mins(2)).to_string();
    past(&intake, &[(&before, "3", r#"{"n":1}"#, None)]);
    let today = before.parse::<jiff::Timestamp>().unwrap().to_zoned(jiff::tz::TimeZone::UTC).date().iso_week_date();
    let week = format!("{:04}-W{:02}", today.year(), today.week());
    let report = intake.sum(json!({"week": week})).await.unwrap();
    let manifest = intake.object(&format!("summaries/{week}/manifest.json")).await.unwrap();
    assert!(String::from_utf8(manifest).unwrap().contains("\"until\""), "the week goes on");
    assert_eq!((&report["records"], &report["bytes"]), (&json!(1), &json!(7)), "{report}");
    let report = intake.sum(json!({"week": "2020-W53"})).await.unwrap();
    assert_eq!(
        (&report["records"], &report["written"], &report["to"]),
        (&json!(0), &json!(true), &json!("2021-01-04T00:00:00Z"))
    );
    assert!(intake.object("summaries/2020-W53/manifest.json").await.is_some());
    let failed = intake.sum(json!({"week": "2025-W53"})).await.unwrap_err();
    assert!(failed.contains("ISO week"), "{failed}");
}
