//! What is sent, and what is read of the answers. Names are those of GitHub's own description.

use serde_json::{Value, json};

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dispatch {
    /// Of what.
    pub event: Event,
    /// The workflow's inputs, or the payload's fields, in this order.
    pub inputs: Vec<(String, String)>,
}

/// How a workflow is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// One workflow, on a branch or a tag.
    Workflow {
        /// Its file's name.
        file: String,
        /// A branch or a tag.
        reference: String,
    },
    /// Whichever workflows listen for `repository_dispatch` with this type; they run on the default branch.
    Repository {
        /// The event's type.
        kind: String,
    },
}

impl Event {
    /// The event as a run has it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Workflow { .. } => "workflow_dispatch",
            Self::Repository { .. } => "repository_dispatch",
        }
    }
}

impl Dispatch {
    /// Path below the repository, and body. `details`: the answer shall name the run.
    pub(super) fn request(&self, details: bool) -> (String, Value) {
        let inputs: serde_json::Map<String, Value> =
            self.inputs.iter().map(|(name, value)| (name.clone(), json!(value))).collect();
        match &self.event {
            Event::Workflow { file, reference } => {
                let mut body = json!({"ref": reference, "inputs": inputs});
                if details {
                    body["return_run_details"] = json!(true);
                }
                (format!("/actions/workflows/{file}/dispatches"), body)
            }
            Event::Repository { kind } => {
                ("/dispatches".to_owned(), json!({"event_type": kind, "client_payload": inputs}))
            }
        }
    }
}

/// What came of a dispatch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dispatched {
    /// The run, where the answer named it.
    pub run: Option<u64>,
}

/// A workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workflow {
    /// Its name.
    pub name: String,
    /// `active`, or how it was disabled.
    pub state: String,
    /// Where a person looks at it.
    pub url: String,
}

/// A run of a workflow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Its number in the API.
    pub id: u64,
    /// What a person reads.
    pub title: String,
    /// Where a person looks at it.
    pub url: String,
    /// `queued`, `in_progress`, `completed` and others.
    pub status: String,
    /// How it ended.
    pub conclusion: Option<String>,
    /// The commit of the branch that it runs on.
    pub commit: String,
    /// When it was asked for, in milliseconds since the Unix epoch.
    pub began: i64,
    /// When it changed last; of one that is over, when it ended.
    pub changed: i64,
}

impl Run {
    /// Whether it is over.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.status == "completed"
    }

    /// Whether it is over and all went well.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.is_over() && self.conclusion.as_deref() == Some("success")
    }
}

/// A job of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// Its number in the API.
    pub id: u64,
    /// Its name.
    pub name: String,
    /// Where a person looks at it.
    pub url: Option<String>,
    /// How far it is.
    pub status: String,
    /// How it ended.
    pub conclusion: Option<String>,
    /// Its steps, in order.
    pub steps: Vec<Step>,
}

/// A step of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Counts from 1.
    pub number: u64,
    /// Its name.
    pub name: String,
    /// How far it is.
    pub status: String,
    /// How it ended.
    pub conclusion: Option<String>,
}

fn text(value: &Value, name: &'static str) -> Result<String, &'static str> {
    optional(value, name).ok_or(name)
}

fn optional(value: &Value, name: &'static str) -> Option<String> {
    value.get(name).and_then(Value::as_str).map(str::to_owned)
}

fn number(value: &Value, name: &'static str) -> Result<u64, &'static str> {
    value.get(name).and_then(Value::as_u64).ok_or(name)
}

fn time(value: &Value, name: &'static str) -> Result<i64, &'static str> {
    let time: jiff::Timestamp = text(value, name)?.parse().map_err(|_| name)?;
    Ok(time.as_millisecond())
}

/// Of a repository: whether the token's owner may write there.
pub(super) fn may_write(value: &Value) -> Option<bool> {
    value.get("permissions")?.get("push")?.as_bool()
}

/// The run that a dispatch's answer names; an older GitHub names none.
pub(super) fn dispatched(value: &Value) -> Dispatched {
    Dispatched { run: number(value, "workflow_run_id").ok() }
}

pub(super) fn workflow(value: &Value) -> Result<Workflow, &'static str> {
    Ok(Workflow { name: text(value, "name")?, state: text(value, "state")?, url: text(value, "html_url")? })
}

pub(super) fn run(value: &Value) -> Result<Run, &'static str> {
    let title = optional(value, "display_title").or_else(|| optional(value, "name"));
    Ok(Run {
        id: number(value, "id")?,
        title: title.unwrap_or_default(),
        url: text(value, "html_url")?,
        // GitHub describes it as possibly null, which is one that has not begun.
        status: optional(value, "status").unwrap_or_else(|| "queued".to_owned()),
        conclusion: optional(value, "conclusion"),
        commit: text(value, "head_sha")?,
        began: time(value, "created_at")?,
        changed: time(value, "updated_at")?,
    })
}

/// The one of a list whose title or name has a word.
pub(super) fn named(value: &Value, word: &str) -> Result<Option<Run>, &'static str> {
    let has = |run: &&Value| {
        ["display_title", "name"].iter().any(|key| run[*key].as_str().is_some_and(|text| text.contains(word)))
    };
    listed(value)?.iter().find(has).map(run).transpose()
}

pub(super) fn runs(value: &Value) -> Result<Vec<Run>, &'static str> {
    listed(value)?.iter().map(run).collect()
}

fn listed(value: &Value) -> Result<&Vec<Value>, &'static str> {
    value.get("workflow_runs").and_then(Value::as_array).ok_or("workflow_runs")
}

pub(super) fn jobs(value: &Value) -> Result<Vec<Job>, &'static str> {
    value.get("jobs").and_then(Value::as_array).ok_or("jobs")?.iter().map(job).collect()
}

fn job(value: &Value) -> Result<Job, &'static str> {
    let steps = value.get("steps").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let steps = steps.iter().map(|value| {
        Ok(Step {
            number: number(value, "number")?,
            name: text(value, "name")?,
            status: text(value, "status")?,
            conclusion: optional(value, "conclusion"),
        })
    });
    Ok(Job {
        id: number(value, "id")?,
        name: text(value, "name")?,
        url: optional(value, "html_url"),
        status: text(value, "status")?,
        conclusion: optional(value, "conclusion"),
        steps: steps.collect::<Result<_, &'static str>>()?,
    })
}
