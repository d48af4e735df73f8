//! CodeBuild: the builds of a project, and ending and repeating one, by signed requests: a few calls are not worth an SDK crate.

use serde::Deserialize;
use serde_json::json;

use super::limit::Service;
use super::raw::Json;
use super::{Clients, Error};

const CODEBUILD: Json = Json {
    service: Service::CodeBuild,
    content_type: "application/x-amz-json-1.1",
    variable: "CODEBUILD",
    host: "codebuild",
};

/// Builds that one request takes.
const BUILDS: usize = 100;

/// A build.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Build {
    /// `project:uuid`.
    pub id: String,
    /// `IN_PROGRESS`, `SUCCEEDED`, `FAILED`, `FAULT`, `TIMED_OUT`, `STOPPED`.
    #[serde(default)]
    pub build_status: String,
    /// What it is at: `QUEUED`, `BUILD`, `COMPLETED`.
    #[serde(default)]
    pub current_phase: String,
    /// Seconds since the Unix epoch.
    pub start_time: Option<f64>,
    /// The same.
    pub end_time: Option<f64>,
    /// Who started it: a role's session, a user.
    pub initiator: Option<String>,
    /// Its phases, in their order.
    #[serde(default)]
    pub phases: Vec<Phase>,
    #[serde(default)]
    logs: Logs,
    #[serde(default)]
    environment: Environment,
}

/// A phase of a build.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Phase {
    /// `PROVISIONING`.
    pub phase_type: String,
    /// `SUCCEEDED`; `None` while it goes on.
    pub phase_status: Option<String>,
    /// Seconds since the Unix epoch.
    pub start_time: Option<f64>,
    /// The same.
    pub end_time: Option<f64>,
    #[serde(default)]
    contexts: Vec<Context>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Context {
    message: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Logs {
    group_name: Option<String>,
    stream_name: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Environment {
    #[serde(default)]
    environment_variables: Vec<Variable>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Variable {
    name: String,
    #[serde(default)]
    value: String,
}

impl Build {
    /// Whether nothing more comes of it.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.build_status != "IN_PROGRESS"
    }

    /// Whether it did what it was to do.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.build_status == "SUCCEEDED"
    }

    /// The group and the stream of its log, once it has one.
    #[must_use]
    pub fn log(&self) -> Option<(&str, &str)> {
        self.logs.group_name.as_deref().zip(self.logs.stream_name.as_deref())
    }

    /// One of its variables.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&str> {
        let found = self.environment.environment_variables.iter().find(|variable| variable.name == name);
        found.map(|variable| variable.value.as_str())
    }

    /// When it began, milliseconds since the Unix epoch.
    #[must_use]
    pub fn began(&self) -> Option<i64> {
        self.start_time.and_then(millis)
    }

    /// When it ended, milliseconds since the Unix epoch.
    #[must_use]
    pub fn ended(&self) -> Option<i64> {
        self.end_time.and_then(millis)
    }
}

impl Phase {
    /// How long it took, milliseconds, once it has ended.
    #[must_use]
    pub fn took(&self) -> Option<i64> {
        Some(self.end_time.and_then(millis)? - self.start_time.and_then(millis)?)
    }

    /// When it began, milliseconds since the Unix epoch.
    #[must_use]
    pub fn began(&self) -> Option<i64> {
        self.start_time.and_then(millis)
    }

    /// What went wrong in it, in CodeBuild's words.
    #[must_use]
    pub fn trouble(&self) -> Option<&str> {
        self.contexts.iter().filter_map(|context| context.message.as_deref()).find(|message| !message.is_empty())
    }
}

/// Seconds of AWS as milliseconds; `None` for what is no time.
#[allow(clippy::cast_possible_truncation, reason = "the range is checked before")]
fn millis(seconds: f64) -> Option<i64> {
    let millis = (seconds * 1000.0).round();
    (millis.is_finite() && millis.abs() < 9e15).then_some(millis as i64)
}

#[derive(Deserialize)]
struct Ids {
    ids: Vec<String>,
}

#[derive(Deserialize)]
struct Builds {
    builds: Vec<Build>,
}

#[derive(Deserialize)]
struct One {
    build: Build,
}

/// The ids of the newest builds of a project, a hundred at most, the newest first.
pub async fn newest(clients: &Clients, project: &str) -> Result<Vec<String>, Error> {
    let operation = ("codebuild:ListBuildsForProject", "CodeBuild_20161006.ListBuildsForProject");
    let body = json!({ "projectName": project, "sortOrder": "DESCENDING" });
    let answer: Ids = CODEBUILD.ask(clients, operation, project, &body).await?;
    Ok(answer.ids)
}

/// The builds of these ids, those that there are.
pub async fn builds(clients: &Clients, ids: &[String]) -> Result<Vec<Build>, Error> {
    let operation = ("codebuild:BatchGetBuilds", "CodeBuild_20161006.BatchGetBuilds");
    let mut found = Vec::new();
    for some in ids.chunks(BUILDS) {
        let subject = if let [only] = some { only.clone() } else { format!("{} builds", some.len()) };
        let answer: Builds = CODEBUILD.ask(clients, operation, &subject, &json!({ "ids": some })).await?;
        found.extend(answer.builds);
    }
    Ok(found)
}

/// Asks a build to end.
pub async fn stop(clients: &Clients, id: &str) -> Result<Build, Error> {
    let operation = ("codebuild:StopBuild", "CodeBuild_20161006.StopBuild");
    let answer: One = CODEBUILD.ask(clients, operation, id, &json!({ "id": id })).await?;
    Ok(answer.build)
}

/// Starts a build with the same variables again. The token makes one of it, however often it is sent within five minutes.
pub async fn retry(clients: &Clients, id: &str, token: &str) -> Result<Build, Error> {
    let operation = ("codebuild:RetryBuild", "CodeBuild_20161006.RetryBuild");
    let body = json!({ "id": id, "idempotencyToken": token });
    let answer: One = CODEBUILD.ask(clients, operation, id, &body).await?;
    Ok(answer.build)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_is_read_as_codebuild_writes_it() {
        let text = r#"{"id":"p:1","buildStatus":"IN_PROGRESS","currentPhase":"BUILD","startTime":1763720000.25,
            "initiator":"x/mara","logs":{"groupName":"/aws/codebuild/p","streamName":"1"},
            "environment":{"type":"LINUX_CONTAINER","environmentVariables":[{"name":"PLUMB_JOB","value":"m","type":"PLAINTEXT"}]},
            "phases":[{"phaseType":"SUBMITTED","phaseStatus":"SUCCEEDED","startTime":1763720000.25,"endTime":1763720001.5,
              "contexts":[{"statusCode":"","message":""}]},{"phaseType":"BUILD","startTime":1763720002}]}"#;
        let build: Build = serde_json::from_str(text).unwrap();
        assert_eq!((build.began(), build.ended(), build.is_over()), (Some(1_763_720_000_250), None, false));
        assert_eq!((build.log(), build.variable("PLUMB_JOB")), (Some(("/aws/codebuild/p", "1")), Some("m")));
        let phases: Vec<_> = build.phases.iter().map(|phase| (phase.took(), phase.trouble())).collect();
        assert_eq!(phases, [(Some(1250), None), (None, None)]);
        let least: Build = serde_json::from_str(r#"{"id":"p:2","buildStatus":"FAILED"}"#).unwrap();
        assert!(least.is_over() && !least.succeeded() && least.log().is_none());
        assert_eq!((millis(f64::NAN), millis(1e30)), (None, None));
    }
}
