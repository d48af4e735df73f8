//! One line of JSON per request: what an operator reads, and in CloudWatch's embedded metric format what becomes metrics.
//!
//! Never in it: a body, a context, a ciphertext, a key, a path that is no route. Source of the format: "Specification:
//! Embedded metric format", Amazon CloudWatch User Guide.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::event::Event;
use crate::problem::Problem;

/// What is to be said of one request.
pub(crate) struct Record {
    /// Of the metrics.
    namespace: &'static str,
    pub(crate) items: usize,
    pub(crate) failed: usize,
    pub(crate) bytes_out: usize,
    /// The crypto function's: under which versions it worked.
    pub(crate) key_versions: BTreeSet<u32>,
    /// The intake's: how many records were there already. A metric too.
    pub(crate) duplicates: Option<usize>,
}

impl Record {
    pub(crate) fn new(namespace: &'static str) -> Self {
        Self { namespace, items: 0, failed: 0, bytes_out: 0, key_versions: BTreeSet::new(), duplicates: None }
    }

    /// The line, without its end.
    pub(crate) fn line<R>(
        &self,
        service: &str,
        request_id: &str,
        event: &Event<'_, R>,
        status: u16,
        problem: Option<&Problem>,
        took: Duration,
    ) -> Value {
        let level = match status {
            500.. => "error",
            400.. => "warn",
            _ => "info",
        };
        let counts = ["Requests", "Items", "Refused", "Faults", "Duplicates"];
        let counts = &counts[..if self.duplicates.is_some() { 5 } else { 4 }];
        let mut line = json!({
            "_aws": metrics(self.namespace, &[&["Service"], &["Service", "Route"]], counts, true),
            "Service": service,
            "Route": event.operation,
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
        });
        if let Some(count) = self.duplicates {
            line["Duplicates"] = count.into();
        } else {
            line["key_versions"] = json!(self.key_versions);
        }
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

/// The part of a line that makes metrics of its members: `counts`, and `Latency` in milliseconds where a line has it.
pub(crate) fn metrics(namespace: &str, dimensions: &[&[&str]], counts: &[&str], latency: bool) -> Value {
    let count = |name: &&str| json!({"Name": name, "Unit": "Count"});
    let latency = latency.then(|| json!({"Name": "Latency", "Unit": "Milliseconds"}));
    json!({
        "Timestamp": jiff::Timestamp::now().as_millisecond(),
        "CloudWatchMetrics": [{
            "Namespace": namespace,
            "Dimensions": dimensions,
            "Metrics": counts.iter().map(count).chain(latency).collect::<Vec<_>>(),
        }],
    })
}
