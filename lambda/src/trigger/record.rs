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
    let mut line = decided(service, request_id, decision, why);
    line["job"] = delivery.id.clone().into();
    line["bytes"] = delivery.text.len().into();
    line["sha256"] = sha256(&[delivery.text.as_bytes()]).into();
    let Some(fields) = line.as_object_mut() else { return line };
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

/// The line of an event that delivers nothing which could be decided about.
#[must_use]
pub fn odd(service: &str, request_id: &str, failure: &Failure) -> Value {
    decided(service, request_id, "failed", Some(&failure.0))
}

fn decided(service: &str, request_id: &str, decision: &str, why: Option<&str>) -> Value {
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
        "decision": decision,
    });
    if let Some(why) = why {
        line["why"] = why.into();
    }
    line
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use saphyr::{LoadableYamlNode as _, Yaml};

    use super::*;
    use crate::openapi::json_of;

    #[test]
    fn an_event_that_cannot_be_read_has_a_line_and_counts_as_failed() {
        let line = odd("pipeline-trigger", "r-1", &Failure("it is not JSON".into()));
        assert_eq!((&line["decision"], &line["why"]), (&"failed".into(), &"it is not JSON".into()));
        assert_eq!((&line["Failed"], &line["Refused"], &line["level"]), (&1.into(), &0.into(), &"error".into()));
    }

    #[test]
    fn what_the_templates_alarms_watch_is_in_each_line() {
        let line = odd("pipeline-trigger", "r-1", &Failure("x".into()));
        let told = &line["_aws"]["CloudWatchMetrics"][0];
        let namespace = told["Namespace"].as_str().unwrap();
        let metrics: BTreeSet<&str> =
            told["Metrics"].as_array().unwrap().iter().filter_map(|metric| metric["Name"].as_str()).collect();
        assert!(metrics.iter().all(|name| line[name].is_number()), "{line}");
        let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipeline.yaml");
        let template = std::fs::read_to_string(template).unwrap();
        let template = json_of(&Yaml::load_from_str(&template).unwrap()[0]);
        let of_lines = |alarm: &&Value| alarm["Properties"]["Namespace"] == *namespace;
        let resources = template["Resources"].as_object().unwrap().values();
        let alarms: Vec<&Value> =
            resources.filter(|one| one["Type"] == "AWS::CloudWatch::Alarm").filter(of_lines).collect();
        assert!(!alarms.is_empty());
        for alarm in alarms.iter().map(|alarm| &alarm["Properties"]) {
            assert!(metrics.contains(alarm["MetricName"].as_str().unwrap()), "no line has what is watched: {alarm}");
            let dimensions = alarm["Dimensions"].as_array().unwrap().iter();
            let dimensions: Vec<&Value> = dimensions.map(|dimension| &dimension["Name"]).collect();
            assert_eq!(json!([dimensions]), told["Dimensions"], "{alarm}");
        }
    }
}
