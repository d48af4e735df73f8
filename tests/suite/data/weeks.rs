//! Weeks: made, listed, shown, and proven or not.

use serde_json::{Value, json};

use super::{operated, operator, shop};
use crate::cli::shop::{Done, Shop};
use crate::intake::Intake;
use crate::intake::weeks::past;

const WEEK: &str = "2026-W10";

fn summary(shop: &Shop, arguments: &[&str]) -> Done {
    shop.plumb(&[&["summary"], arguments, &["--env", "dev"]].concat())
}

/// A week of three records.
fn filled(intake: &Intake) {
    past(
        intake,
        &[
            ("2026-03-02T00:00:00.000Z", "5", r#"{"amount":0.10,"who":{"age":30}}"#, None),
            ("2026-03-04T12:00:00.000Z", "2", r#"{"amount":9}"#, None),
            ("2026-03-08T23:59:59.999Z", "1", r#"{"amount":"none"}"#, None),
        ],
    );
}

fn key(name: &str) -> String {
    format!("summaries/{WEEK}/{name}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_week_is_made_once_and_proven_until_the_table_or_a_file_says_otherwise() {
    let intake = Intake::deploy().await;
    let shop = operator(&intake);
    summary(&shop, &["list"]).ended(0).complained(&["there is no summary yet: plumb summary run --week"]);
    summary(&shop, &["verify", "--week", WEEK]).ended(2).complained(&["2026-W10 has no manifest", "plumb summary run"]);
    filled(&intake);

    let made = summary(&shop, &["run", "--week", WEEK, "-o", "json"]);
    let made = made.ended(0).json();
    assert_eq!((&made["records"], &made["written"], &made["unchanged"]), (&json!(3), &json!(true), &json!(false)));
    let again = summary(&shop, &["run", "--week", WEEK]);
    assert!(again.ended(0).stdout.starts_with("2026-W10 unchanged: 3 records"), "{again}");
    let listed = summary(&shop, &["list", "-o", "json"]).ended(0).json();
    assert_eq!((&listed["weeks"][0]["week"], &listed["weeks"][0]["records"]), (&json!(WEEK), &json!(3)), "{listed}");
    let shown = summary(&shop, &["show", "-o", "json"]).ended(0).json();
    assert_eq!((&shown["week"], &shown["days"]["2026-03-04"]), (&json!(WEEK), &json!(1)), "{shown}");
    assert_eq!(shown["fields"]["amount"]["numbers"]["count"], 2);
    let text = summary(&shop, &["show", "--week", WEEK]);
    assert!(text.ended(0).stdout.contains("2 numbers  min 0.1"), "{text}");

    let proven = summary(&shop, &["verify"]);
    let said = &proven.ended(0).stdout;
    assert!(said.contains("= stored files are whole") && said.contains("= table says the same"), "{proven}");

    // A record that came late: the files are whole, and the table says something else.
    past(&intake, &[("2026-03-05T00:00:00.000Z", "6", r#"{"amount":1}"#, None)]);
    let late = summary(&shop, &["verify", "-o", "json"]);
    let late = late.ended(1).json();
    assert_eq!(
        (&late["stored"], &late["table"], &late["table_records"]),
        (&json!("whole"), &json!("differs"), &json!(4))
    );
    assert_eq!(summary(&shop, &["verify", "--stored", "-o", "json"]).ended(0).json()["table"], "not asked");
    assert_eq!(summary(&shop, &["run", "--week", WEEK, "-o", "json"]).ended(0).json()["records"], 4);
    summary(&shop, &["verify"]).ended(0);

    // Who writes over a file, or deletes it, changes nothing of the week: the manifest names versions. A run puts them back.
    let s3 = intake.s3().await;
    let bucket = &intake.outputs["SummaryBucket"];
    s3.put_object().bucket(bucket).key(key("summary.json")).body(b"{}".to_vec().into()).send().await.unwrap();
    s3.delete_object().bucket(bucket).key(key("records.jsonl.gz")).send().await.unwrap();
    summary(&shop, &["verify"]).ended(0);
    assert_eq!(summary(&shop, &["show", "-o", "json"]).ended(0).json()["records"], 4);
    assert_eq!(summary(&shop, &["run", "--week", WEEK, "-o", "json"]).ended(0).json()["written"], true);
    assert_eq!(intake.object(&key("summary.json")).await.unwrap().first(), Some(&b'{'));
    summary(&shop, &["run", "--week", WEEK]).ended(0);

    // Fewer records than before are an error that says how to want that.
    intake.table("DeleteItem", json!({"Key": {"id": {"S": shown["first"]["id"]}}}));
    let refused = summary(&shop, &["run", "--week", WEEK]);
    refused
        .ended(2)
        .complained(&["names 4 records, and the table has 3", "plumb summary run --week 2026-W10 --shrink"]);
    assert_eq!(summary(&shop, &["run", "--week", WEEK, "--shrink", "-o", "json"]).ended(0).json()["records"], 3);

    // A version that is gone for good, behind what somebody wrote; and a manifest that says what is not.
    let manifest: Value = serde_json::from_slice(&intake.object(&key("manifest.json")).await.unwrap()).unwrap();
    s3.put_object().bucket(bucket).key(key("summary.json")).body(b"{}".to_vec().into()).send().await.unwrap();
    for file in manifest["files"].as_array().unwrap() {
        let gone = s3.delete_object().bucket(bucket).key(key(file["name"].as_str().unwrap()));
        gone.version_id(file["version"].as_str().unwrap()).send().await.unwrap();
    }
    let versions = s3.list_object_versions().bucket(bucket).prefix(key("records")).send().await.unwrap();
    for version in versions.versions() {
        let gone = s3.delete_object().bucket(bucket).key(version.key().unwrap());
        gone.version_id(version.version_id().unwrap()).send().await.unwrap();
    }
    let broken = summary(&shop, &["verify", "-o", "json"]).ended(1).json();
    let verdicts = |json: &Value| -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let mut rows: Vec<(String, String)> = json["files"]
            .as_array()
            .unwrap()
            .iter()
            .map(|file| (text(&file["name"]), text(&file["verdict"])))
            .collect();
        rows.sort();
        rows
    };
    let row = |name: &str, verdict: &str| (name.to_owned(), verdict.to_owned());
    assert_eq!(verdicts(&broken), [row("records.jsonl.gz", "missing"), row("summary.json", "differs")]);
    assert_eq!((&broken["stored"], &broken["table"]), (&json!("differs"), &json!("same")), "{broken}");
    summary(&shop, &["show"]).ended(2).complained(&["is not what the manifest of 2026-W10 names", "summary verify"]);

    let journal = shop.plumb(&["journal", "-o", "json"]).ended(0).json();
    let made = journal["entries"].as_array().unwrap().iter().filter(|entry| entry["action"] == "summarise").count();
    assert_eq!(made, 7, "{journal}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_is_unknown_and_a_manifest_of_the_future_is_refused() {
    let intake = Intake::deploy().await;
    let all = operator(&intake);
    filled(&intake);
    summary(&all, &["run", "--week", WEEK]).ended(0);
    // Whoever may only read proves the files, and is told that the table was not asked.
    let reader = operated(&intake, shop(&intake), "reader", "read", &[]);
    let half = summary(&reader, &["verify"]);
    assert!(half.ended(2).stdout.contains("= stored files are whole"), "{half}");
    assert!(half.stdout.contains("? table could not be asked: cannot call"), "{half}");
    summary(&reader, &["run", "--week", WEEK]).ended(2).complained(&["lambda:InvokeFunction"]);
    summary(&reader, &["verify", "--week", "2026-W54"]).ended(2).complained(&["is no week"]);
    let refused = reader.plumb(&["summary", "run", "--week", WEEK, "--env", "prod"]);
    refused.ended(2).complained(&["refused: prod is read-only"]);

    let s3 = intake.s3().await;
    let newer = json!({"format": "plumb-summary/2", "week": WEEK}).to_string().into_bytes();
    let put = s3.put_object().bucket(&intake.outputs["SummaryBucket"]).key(key("manifest.json"));
    put.body(newer.into()).send().await.unwrap();
    summary(&reader, &["verify", "--week", WEEK]).ended(2).complained(&["has the format plumb-summary/2"]);
    let listed = summary(&reader, &["list", "-o", "json"]).ended(0).json();
    assert!(listed["weeks"][0]["reason"].as_str().unwrap().contains("plumb-summary/2"), "{listed}");
}
