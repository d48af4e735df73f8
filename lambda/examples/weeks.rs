//! What a week costs: the summary function over 1,000, 10,000 and 100,000 records, each in a process of its own. Prints one
//! line of JSON per size, for `benches/run summary`.
//!
//! `weeks DIRECTORY`: the directory has the built `summary`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, reason = "a measurement")]
#![allow(missing_docs, dead_code, unreachable_pub, clippy::must_use_candidate, clippy::missing_panics_doc)]
#![allow(clippy::format_push_string, clippy::cast_precision_loss)]

#[path = "../tests/support/http.rs"]
mod http;
#[path = "../tests/support/runtime_api.rs"]
mod runtime_api;
#[path = "../tests/support/week.rs"]
mod week;

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;

use runtime_api::Function;
use week::Week;

fn main() {
    let directory = std::env::args().nth(1).expect("the directory of the bootstrap");
    for records in [1000, 10_000, 100_000] {
        let week = Week::start(records);
        let binary = Path::new(&directory).join("summary");
        let function = Function::start(&binary, Duration::from_mins(15), &week.environment());
        let began = Instant::now();
        let report = function.invoke(r#"{"week":"2026-W47"}"#).answer();
        let seconds = began.elapsed().as_secs_f64();
        assert_eq!(report["records"], records);
        println!(
            "{}",
            json!({
                "records": records, "seconds": seconds, "peak_kib": function.peak_memory(),
                "bytes": report["bytes"], "packed": report["files"][0]["bytes"],
            })
        );
    }
}
