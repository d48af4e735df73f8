//! One line of JSON per request: what an operator reads, and in CloudWatch's embedded metric format what becomes metrics.
//!
//! Never in it: a body, a context, a ciphertext, a key, a path that is no route.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::event::Event;
use crate::problem::Problem;

/// The metrics' namespace.
pub const NAMESPACE: &str = "Plumb/Crypto";
/// A batch may use as many versions as it has items; a log line names this many.
const VERSIONS: usize = 16;

/// What is to be said of one request.
#[derive(Default)]
pub(crate) struct Record {
    pub(crate) items: usize,
    pub(crate) failed: usize,
    pub(crate) bytes_out: usize,
    pub(crate) versions: BTreeSet<u32>,
}

impl Record {
    /// The line, without its end.
    pub(crate) fn line(
        &self,
        service: &str,
        request_id: &str,
        event: &Event<'_>,
        problem: Option<&Problem>,
        took: Duration,
    ) -> Value {
        let status = problem.map_or(200, |problem| problem.kind.status());
        let level = match status {
            500.. => "error",
            400.. => "warn",
            _ => "info",
        };
        let mut line = json!({
            "_aws": {
                "Timestamp": jiff::Timestamp::now().as_millisecond(),
                "CloudWatchMetrics": [{
                    "Namespace": NAMESPACE,
                    "Dimensions": [["Service"], ["Service", "Route"]],
                    "Metrics": [
                        {"Name": "Requests", "Unit": "Count"},
                        {"Name": "Items", "Unit": "Count"},
                        {"Name": "Refused", "Unit": "Count"},
                        {"Name": "Faults", "Unit": "Count"},
                        {"Name": "Latency", "Unit": "Milliseconds"},
                    ],
                }],
            },
            "Service": service,
            "Route": event.route.map_or("unknown", |route| route.name()),
            "Requests": 1,
            "Items": self.items,
            "Refused": if (400..500).contains(&status) { 1 } else { self.failed },
            "Faults": u8::from(status >= 500),
            "Latency": took.as_secs_f64() * 1000.0,
            "level": level,
            "request_id": request_id,
            "status": status,
            "outcome": problem.map_or("ok", |problem| problem.kind.name()),
            "bytes_in": event.body.len(),
            "bytes_out": self.bytes_out,
            "key_versions": self.versions.iter().take(VERSIONS).collect::<Vec<_>>(),
        });
        let more = [
            ("gateway_request_id", event.gateway_request_id.as_deref()),
            ("caller", event.caller.as_deref()),
            ("reason", problem.and_then(|problem| problem.reason.as_deref())),
        ];
        for (name, value) in more {
            if let (Some(value), Some(fields)) = (value, line.as_object_mut()) {
                fields.insert(name.to_owned(), value.into());
            }
        }
        line
    }
}
