//! One line of JSON per decision, which CloudWatch makes metrics of.

use serde_json::{Value, json};

use super::event::{Event, What};
use super::{Failure, Outcome, Settings, judge};
use crate::integrity::state::Mode;
use crate::record::metrics;

/// The metrics' namespace.
const NAMESPACE: &str = "Plumb/Integrity";
const METRICS: [&str; 5] = ["Redeploys", "Notices", "BreakerOpened", "InVain", "HoldChanges"];

/// The line, without its end. `service` is the function's name.
#[must_use]
pub fn line(
    settings: &Settings,
    service: &str,
    request_id: &str,
    event: &Event,
    result: &Result<Outcome, Failure>,
) -> Value {
    let (decision, reason, change, failed) = match result {
        Ok(outcome) => (outcome.decision, outcome.reason.clone(), outcome.change.as_ref(), outcome.failed.as_ref()),
        Err(failure) => ("failed", failure.to_string(), None, None),
    };
    let level = match if failed.is_some() { "failed" } else { decision } {
        "failed" => "error",
        "breaker-opened" | "broken" | "in-vain" | "hold-changed" | "unsure" => "warn",
        _ => "info",
    };
    let is = |name: &str| u8::from(decision == name);
    // One call may delete the hold and what it held: then it is told as the change that it is.
    let of_hold =
        matches!(&event.what, What::Call(call) if change.is_some() && judge::touches_hold(call, &settings.flow));
    let mut line = json!({
        "_aws": metrics(NAMESPACE, &[&["Service"]], &METRICS, false),
        "Service": service,
        "Redeploys": is("redeploy"),
        "Notices": is("notified"),
        "BreakerOpened": is("breaker-opened"),
        "InVain": is("in-vain"),
        "HoldChanges": u8::from(of_hold),
        "level": level,
        "request_id": request_id,
        "event_id": event.id,
        "mode": if settings.limits.mode == Mode::Heal { "heal" } else { "notify-only" },
        "decision": decision,
        "reason": reason,
    });
    let Some(fields) = line.as_object_mut() else { return line };
    if let Some(failure) = failed {
        fields.insert("failure".to_owned(), failure.to_string().into());
    }
    if let Some(change) = change {
        fields.insert("what".to_owned(), change.what.clone().into());
    }
    if let What::Call(call) = &event.what {
        fields.insert("service".to_owned(), call.service.source.into());
        fields.insert("operation".to_owned(), call.operation.clone().into());
        fields.insert("resources".to_owned(), call.resources.clone().into());
        fields.insert("who".to_owned(), call.who.arn.clone().into());
        fields.insert("role".to_owned(), call.who.issuer.clone().into());
        fields.insert("invoked_by".to_owned(), call.who.invoked_by.clone().into());
    }
    line
}
