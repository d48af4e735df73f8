//! One line of JSON per decision, which CloudWatch makes metrics of.
//!
//! Of a message that is not well-formed the line has its size and its digest: enough to find it again, nothing to be misread.

use serde_json::{Value, json};

use super::event::Delivery;
use super::{Decision, Failure, Outcome};
use crate::digest::sha256;
use crate::record::metrics;

const NAMESPACE: &str = "Plumb/Pipeline";
const METRICS: [&str; 5] = ["Started", "Refused", "Waits", "Duplicates", "Failed"];

/// The line, without its end. `service` is the function's name.
#[must_use]
pub fn line(service: &str, request_id: &str, delivery: &Delivery, result: &Result<Outcome, Failure>) -> Value {
    let (decision, why) = match result {
        Ok(outcome) => (outcome.decision.word(), outcome.decision.why()),
        Err(Failure(why)) => ("failed", Some(why.as_str())),
    };
    let level = match decision {
        "failed" => "error",
        "refused" => "warn",
        _ => "info",
    };
    let is = |name: &str| u8::from(decision == name);
    let mut line = json!({
        "_aws": metrics(NAMESPACE, &[&["Service"]], &METRICS, false),
        "Service": service,
        "Started": is("started"),
        "Refused": is("refused"),
        "Waits": is("waits"),
        "Duplicates": is("duplicate"),
        "Failed": is("failed"),
        "level": level,
        "request_id": request_id,
        "job": delivery.id,
        "bytes": delivery.text.len(),
        "sha256": sha256(&[delivery.text.as_bytes()]),
        "decision": decision,
    });
    let Some(fields) = line.as_object_mut() else { return line };
    fields.extend(why.map(|why| ("why".to_owned(), why.into())));
    if let Ok(Outcome { job, decision }) = result {
        fields.extend(job.project.clone().map(|project| ("project".to_owned(), project.into())));
        if let Some(message) = &job.message {
            fields.insert("branch".to_owned(), message.branch.clone().into());
            fields.extend(message.commit.clone().map(|commit| ("commit".to_owned(), commit.into())));
            fields.extend(message.reason.clone().map(|reason| ("reason".to_owned(), reason.into())));
        }
        if let Decision::Started(build) = decision {
            fields.insert("build".to_owned(), build.clone().into());
        }
    }
    line
}
