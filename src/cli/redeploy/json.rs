//! A redeploy as JSON.

use serde::Serialize;

use super::Verdicts;
use crate::ops::redeploy::{Job, Plan, Run, Sent};
use crate::ops::schema::VERSION;
use crate::ops::session::Session;

#[derive(Serialize)]
pub(super) struct RedeployJson<'a> {
    version: u32,
    environment: &'a str,
    via: &'static str,
    repository: &'a str,
    workflow: Option<&'a str>,
    #[serde(rename = "ref")]
    reference: Option<&'a str>,
    commit: &'a str,
    /// `null`: it was sent, and nobody knows whether it was taken.
    dispatched: Option<bool>,
    nonce: Option<&'a str>,
    run: Option<RunJson<'a>>,
    jobs: Vec<JobJson<'a>>,
    differences: Option<usize>,
    unknown: Option<usize>,
}

#[derive(Serialize)]
pub(super) struct RunJson<'a> {
    id: u64,
    url: Option<&'a str>,
    title: Option<&'a str>,
    status: Option<&'a str>,
    conclusion: Option<&'a str>,
}

#[derive(Serialize)]
struct JobJson<'a> {
    name: &'a str,
    url: Option<&'a str>,
    status: &'a str,
    conclusion: Option<&'a str>,
    steps: Vec<StepJson<'a>>,
}

#[derive(Serialize)]
struct StepJson<'a> {
    number: u64,
    name: &'a str,
    status: &'a str,
    conclusion: Option<&'a str>,
}

impl<'a> RunJson<'a> {
    pub(super) fn of(run: &'a Run) -> Self {
        let conclusion = run.conclusion.as_deref();
        let (url, title, status) = (Some(run.url.as_str()), Some(run.title.as_str()), Some(run.status.as_str()));
        Self { id: run.id, url, title, status, conclusion }
    }

    /// One that could not be looked at.
    pub(super) fn unseen(id: u64) -> Self {
        Self { id, url: None, title: None, status: None, conclusion: None }
    }
}

pub(super) fn of<'a>(
    session: &'a Session,
    plan: &'a Plan,
    run: Option<&'a Run>,
    jobs: &'a [Job],
    verdicts: Verdicts,
) -> RedeployJson<'a> {
    RedeployJson {
        version: VERSION,
        environment: &session.environment().name,
        via: "github",
        repository: &plan.repository,
        workflow: plan.workflow.as_ref().map(|workflow| workflow.name.as_str()),
        reference: plan.reference.as_deref(),
        commit: &plan.commit,
        dispatched: match plan.sent() {
            Sent::No => Some(false),
            Sent::Perhaps => None,
            Sent::Yes => Some(true),
        },
        nonce: (plan.sent() != Sent::No).then_some(plan.nonce.as_str()),
        run: run.map(RunJson::of),
        jobs: jobs.iter().map(job).collect(),
        differences: verdicts.as_ref().map(crate::compare::Tally::differences),
        unknown: verdicts.as_ref().map(|tally| tally.unknown),
    }
}

fn job(job: &Job) -> JobJson<'_> {
    let steps = job.steps.iter().map(|step| StepJson {
        number: step.number,
        name: &step.name,
        status: &step.status,
        conclusion: step.conclusion.as_deref(),
    });
    JobJson {
        name: &job.name,
        url: job.url.as_deref(),
        status: &job.status,
        conclusion: job.conclusion.as_deref(),
        steps: steps.collect(),
    }
}
