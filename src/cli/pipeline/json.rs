//! The pipeline as JSON: its registry, its jobs, its letters.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::compare::Why;
use crate::ops::pipeline::build::{Build, Phase};
use crate::ops::pipeline::fields::Finding;
use crate::ops::pipeline::jobs::{Job, Jobs};
use crate::ops::pipeline::letters::Letter;
use crate::ops::pipeline::registry::{Plan, Project};
use crate::ops::schema::{VERSION, time};

#[derive(Serialize)]
pub(super) struct RegistryJson<'a> {
    version: u32,
    projects: Vec<ProjectJson<'a>>,
}

#[derive(Serialize)]
struct ProjectJson<'a> {
    name: &'a str,
    fields: &'a BTreeMap<String, String>,
    changed: String,
    changed_by: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    findings: Option<Vec<FindingJson<'a>>>,
}

#[derive(Serialize)]
struct FindingJson<'a> {
    field: Option<&'a str>,
    standing: &'static str,
    text: &'a str,
}

impl<'a> From<&'a Finding> for FindingJson<'a> {
    fn from(finding: &'a Finding) -> Self {
        Self { field: finding.field.as_deref(), standing: finding.standing.word(), text: &finding.text }
    }
}

pub(super) fn registry<'a>(projects: &'a [Project], findings: &'a BTreeMap<String, Vec<Finding>>) -> RegistryJson<'a> {
    let project = |project: &'a Project| ProjectJson {
        name: &project.name,
        fields: &project.fields,
        changed: time(project.changed_at),
        changed_by: project.changed_by.as_deref(),
        findings: findings.get(&project.name).map(|findings| findings.iter().map(FindingJson::from).collect()),
    };
    RegistryJson { version: VERSION, projects: projects.iter().map(project).collect() }
}

#[derive(Serialize)]
pub(super) struct PlanJson<'a> {
    version: u32,
    project: &'a str,
    changes: Vec<ChangeJson<'a>>,
    findings: Vec<FindingJson<'a>>,
    written: bool,
}

#[derive(Serialize)]
struct ChangeJson<'a> {
    field: &'a str,
    before: Option<&'a str>,
    after: Option<&'a str>,
}

pub(super) fn plan(plan: &Plan, written: bool) -> PlanJson<'_> {
    let changes = plan.changes.iter().map(|change| ChangeJson {
        field: &change.field,
        before: change.before.as_deref(),
        after: change.after.as_deref(),
    });
    let findings = plan.findings.iter().map(FindingJson::from).collect();
    PlanJson { version: VERSION, project: &plan.project, changes: changes.collect(), findings, written }
}

#[derive(Serialize)]
pub(super) struct JobsJson<'a> {
    version: u32,
    jobs: Vec<JobJson<'a>>,
    troubles: Vec<&'a str>,
}

#[derive(Serialize)]
pub(super) struct JobJson<'a> {
    id: &'a str,
    project: &'a str,
    branch: Option<&'a str>,
    commit: Option<&'a str>,
    by: Option<&'a str>,
    /// Whether only the message says so.
    by_is_claim: bool,
    reason: Option<&'a str>,
    at: String,
    state: &'static str,
    why: Option<&'a str>,
    build: Option<&'a str>,
    began: Option<String>,
    ended: Option<String>,
    phases: Vec<PhaseJson<'a>>,
}

#[derive(Serialize)]
struct PhaseJson<'a> {
    name: &'a str,
    status: Option<&'a str>,
    milliseconds: Option<i64>,
}

impl<'a> From<&'a Job> for JobJson<'a> {
    fn from(job: &'a Job) -> Self {
        let build = job.build.as_ref();
        let phase = |phase: &'a Phase| PhaseJson {
            name: &phase.name,
            status: phase.status.as_deref(),
            milliseconds: phase.took,
        };
        Self {
            id: &job.id,
            project: &job.project,
            branch: job.branch.as_deref(),
            commit: job.commit.as_deref(),
            by: job.by.as_deref(),
            by_is_claim: job.by.is_some() && job.is_claim(),
            reason: job.reason.as_deref(),
            at: time(job.at),
            state: job.state.word(),
            why: job.why.as_deref(),
            build: build.map(|build| build.id.as_str()),
            began: build.and_then(|build| build.began).map(time),
            ended: build.and_then(|build| build.ended).map(time),
            phases: build.map(|build| build.phases.iter().map(phase).collect()).unwrap_or_default(),
        }
    }
}

pub(super) fn jobs(jobs: &Jobs) -> JobsJson<'_> {
    let troubles = jobs.troubles.iter().map(|why| why.reason.as_str()).collect();
    JobsJson { version: VERSION, jobs: jobs.jobs.iter().map(JobJson::from).collect(), troubles }
}

/// What was asked for, and what came of it so far.
#[derive(Serialize)]
pub(super) struct TriggerJson<'a> {
    pub(super) version: u32,
    pub(super) project: &'a str,
    pub(super) branch: &'a str,
    pub(super) commit: Option<&'a str>,
    pub(super) topic: &'a str,
    pub(super) message: Option<&'a str>,
    pub(super) job: Option<JobJson<'a>>,
}

#[derive(Serialize)]
pub(super) struct LettersJson<'a> {
    version: u32,
    letters: Vec<LetterJson<'a>>,
    troubles: Vec<&'a str>,
}

#[derive(Serialize)]
struct LetterJson<'a> {
    id: &'a str,
    message: Option<&'a str>,
    at: Option<String>,
    error: Option<&'a str>,
    text: Option<&'a str>,
    readable: bool,
    may_be_sent: bool,
}

impl<'a> From<&'a Letter> for LetterJson<'a> {
    fn from(letter: &'a Letter) -> Self {
        Self {
            id: &letter.id,
            message: letter.message_id.as_deref(),
            at: letter.at.map(time),
            error: letter.error.as_deref(),
            text: letter.text.as_deref(),
            readable: letter.message().is_some(),
            may_be_sent: letter.may_be_sent,
        }
    }
}

pub(super) fn letters<'a>(letters: &'a [Letter], troubles: &'a [Why]) -> LettersJson<'a> {
    let troubles = troubles.iter().map(|why| why.reason.as_str()).collect();
    LettersJson { version: VERSION, letters: letters.iter().map(LetterJson::from).collect(), troubles }
}

#[derive(Serialize)]
pub(super) struct BuildJson<'a> {
    version: u32,
    build: &'a str,
    status: &'a str,
}

pub(super) fn build(build: &Build) -> BuildJson<'_> {
    BuildJson { version: VERSION, build: &build.id, status: &build.status }
}
