//! The real bootstraps of the intake and of the summary: a hundred thousand records in the memory of a few, and what each
//! does where its table refuses.

use std::path::Path;
use std::time::Duration;

use serde_json::json;

use crate::runtime_api::{Function, Outcome};
use crate::week::Week;

/// A debug build beside other tests is no measure of time; what is held here is the memory.
const PATIENCE: Duration = Duration::from_mins(10);

fn summary(week: &Week) -> Function {
    Function::start(Path::new(env!("CARGO_BIN_EXE_summary")), PATIENCE, &week.environment())
}

#[test]
fn a_hundred_thousand_records_need_no_more_memory_than_a_thousand() {
    let mut peaks = Vec::new();
    for records in [1000, 100_000] {
        let week = Week::start(records);
        let function = summary(&week);
        let report = function.invoke(r#"{"time":"2026-11-23T03:00:00Z"}"#).answer();
        assert_eq!(
            (&report["week"], &report["records"], &report["written"]),
            (&json!("2026-W47"), &json!(records), &json!(true))
        );
        let summed = week.object("summary.json").unwrap();
        assert_eq!((&summed["days"]["2026-11-18"], &summed["sources"]["web"]), (&json!(records), &json!(records)));
        assert_eq!(summed["fields"]["order"]["numbers"]["max"], json!(records - 1));
        let median = summed["fields"]["order"]["numbers"]["percentiles"]["50"].as_f64().unwrap();
        #[allow(clippy::cast_precision_loss)]
        let right = records as f64 / 2.0;
        assert!((median - right).abs() <= right * 0.01, "{median} and not {right}");
        assert_eq!(week.object("manifest.json").unwrap()["files"], report["files"]);
        if records == 100_000 {
            assert!(week.calls("UploadPart") > 1, "it is too large for one part");
            assert_eq!(
                (week.calls("CompleteMultipartUpload"), json!(week.parts())),
                (1, report["files"][0]["bytes"].clone())
            );
        }
        let again = function.invoke(r#"{"time":"2026-11-23T15:00:00Z"}"#).answer();
        assert_eq!(
            (&again["written"], &again["unchanged"], &again["files"]),
            (&json!(false), &json!(true), &report["files"])
        );
        peaks.push(function.peak_memory());
    }
    assert!(peaks[1] <= 64 * 1024, "{peaks:?} KiB");
}

#[test]
fn a_busy_table_is_asked_again_and_one_that_stays_busy_is_told() {
    let week = Week::start(50);
    week.throttle(3);
    let function = summary(&week);
    assert_eq!(function.invoke(r#"{"week":"2026-W47"}"#).answer()["records"], 50);
    week.throttle(usize::MAX);
    let Outcome::Failed(said) = function.invoke(r#"{"week":"2026-W47","write":false}"#) else {
        panic!("it did not fail")
    };
    let named: serde_json::Value = serde_json::from_str(&said).unwrap();
    assert_eq!(named["errorType"], "SummaryFailed", "{said}");
    assert!(said.contains("dynamodb:Query: ") && said.contains("Exception: Rate exceeded"), "{said}");
    function.log_with("Rate exceeded");
}
