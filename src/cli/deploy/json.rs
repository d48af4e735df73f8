//! A deployment for scripts. No value that is masked is in it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Done;
use crate::compare::{Fingerprinter, Tally, Why};
use crate::ops::deploy::{Ask, Change, Drifted, Ended, Failure, Plan, Property, PutBack};
use crate::ops::schema::{FacetJson, VERSION, masked, time};
use crate::ops::session::Session;
use crate::secret::Secret;

#[derive(Serialize)]
pub(super) struct DeployJson<'a> {
    version: u32,
    environment: &'a str,
    region: &'a str,
    #[serde(rename = "ref")]
    reference: String,
    stacks: Vec<StackJson<'a>>,
    /// Of a redeploy: that it was by change set, and what was live after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    via: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    differences: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unknown: Option<usize>,
}

#[derive(Serialize)]
struct StackJson<'a> {
    name: &'a str,
    /// `planned`, `deployed`, `failed`, or `refused` where it came to no plan or was not confirmed.
    state: &'static str,
    account: Option<&'a str>,
    by: Option<&'a str>,
    commit: Option<&'a str>,
    runs: Option<&'a str>,
    creates: Option<bool>,
    changes: Vec<ChangeJson<'a>>,
    losses: Vec<LossJson>,
    widened: Vec<WideningJson<'a>>,
    drift: Vec<DriftJson<'a>>,
    put_back: Vec<PutBackJson<'a>>,
    warnings: &'a [String],
    id: Option<&'a str>,
    status: Option<&'a str>,
    milliseconds: Option<i64>,
    outputs: BTreeMap<&'a str, &'a str>,
    functions: BTreeMap<&'a str, &'a str>,
    recorded: bool,
    notes: &'a [String],
    problems: Vec<ProblemJson<'a>>,
    failure: Option<FailureJson<'a>>,
}

#[derive(Serialize)]
struct ChangeJson<'a> {
    act: &'static str,
    logical_id: &'a str,
    #[serde(rename = "type")]
    type_name: &'a str,
    physical_id: Option<&'a str>,
    replacement: &'static str,
    destroys: bool,
    loss: Option<String>,
    properties: Vec<PropertyJson<'a>>,
}

#[derive(Serialize)]
struct PropertyJson<'a> {
    path: &'a str,
    before: FacetJson,
    after: FacetJson,
    recreates: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    because: Option<&'a str>,
}

#[derive(Serialize)]
struct LossJson {
    destroys: bool,
    what: String,
}

#[derive(Serialize)]
struct WideningJson<'a> {
    logical_id: &'a str,
    #[serde(rename = "type")]
    type_name: &'a str,
    what: &'a str,
}

#[derive(Serialize)]
struct DriftJson<'a> {
    logical_id: &'a str,
    path: &'a str,
    live: FacetJson,
    expected: FacetJson,
    what: &'static str,
}

#[derive(Serialize)]
struct PutBackJson<'a> {
    logical_id: &'a str,
    #[serde(rename = "type")]
    type_name: &'a str,
    physical_id: &'a str,
    /// None of them: all of it, since it was deleted.
    properties: &'a [String],
}

#[derive(Serialize)]
struct ProblemJson<'a> {
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
}

#[derive(Serialize)]
struct FailureJson<'a> {
    name: String,
    #[serde(rename = "type")]
    type_name: &'a str,
    status: &'a str,
    reason: Option<&'a str>,
    at: String,
    /// The last lines of the function that is its cause.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    log: Vec<&'a str>,
}

#[derive(Serialize)]
pub(in crate::cli) struct EndedJson<'a> {
    version: u32,
    environment: &'a str,
    stack: &'a str,
    status: &'a str,
    succeeded: bool,
    milliseconds: i64,
    failure: Option<FailureJson<'a>>,
}

/// What was planned and what came of it.
pub(super) fn of<'a>(session: &'a Session, ask: &Ask, all: &'a [Done], live: Option<&Tally>) -> DeployJson<'a> {
    DeployJson {
        version: VERSION,
        environment: &session.environment().name,
        region: session.clients.region(),
        reference: ask.reference.clone().unwrap_or_else(|| session.reference()),
        stacks: all.iter().map(|done| StackJson::of(done, &session.fingerprinter)).collect(),
        via: live.map(|_| "change-set"),
        differences: live.map(Tally::differences),
        unknown: live.map(|tally| tally.unknown),
    }
}

impl<'a> EndedJson<'a> {
    /// How an operation of whomever ended.
    pub(in crate::cli) fn of(session: &'a Session, stack: &'a str, ended: &'a Ended, log: &'a [Secret]) -> Self {
        Self {
            version: VERSION,
            environment: &session.environment().name,
            stack,
            status: &ended.status,
            succeeded: ended.succeeded(),
            milliseconds: ended.took,
            failure: ended.failure.as_ref().map(|failure| FailureJson::of(failure, log)),
        }
    }
}

impl<'a> StackJson<'a> {
    fn of(done: &'a Done, print: &Fingerprinter) -> Self {
        let (draft, plan) = (done.plan.as_ref().map(|(draft, _)| draft), done.plan.as_ref().map(|(_, plan)| plan));
        let deployed = done.deployed.as_ref();
        let failure = deployed.and_then(|deployed| deployed.failure.as_ref());
        let texts = |map: &'a BTreeMap<String, String>| map.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        Self {
            name: &done.stack,
            state: match (plan, deployed) {
                (_, Some(deployed)) if deployed.failed.is_some() => "failed",
                (_, Some(_)) => "deployed",
                (Some(_), None) => "planned",
                (None, None) => "refused",
            },
            account: draft.map(|draft| draft.writer.account.as_str()),
            by: draft.map(|draft| draft.writer.arn.as_str()),
            commit: draft.and_then(|draft| draft.commit.as_ref()).map(|commit| commit.id.as_str()),
            runs: plan.and_then(|plan| plan.runs.as_deref()),
            creates: plan.map(|plan| plan.creates),
            changes: plan.map(|plan| changes(plan, print)).unwrap_or_default(),
            losses: plan.map(Plan::losses).unwrap_or_default().into_iter().map(LossJson::of).collect(),
            widened: plan.map(widened).unwrap_or_default(),
            drift: plan.map(|plan| drift(&plan.drift, print)).unwrap_or_default(),
            put_back: plan.into_iter().flat_map(|plan| &plan.put_back).map(PutBackJson::of).collect(),
            warnings: plan.map(|plan| plan.warnings.as_slice()).unwrap_or_default(),
            id: deployed.map(|deployed| deployed.id.as_str()),
            status: deployed.and_then(|deployed| deployed.status.as_deref()),
            milliseconds: deployed.and_then(|deployed| deployed.took),
            outputs: deployed.map(|deployed| texts(&deployed.outputs)).unwrap_or_default(),
            functions: deployed.map(|deployed| texts(&deployed.functions)).unwrap_or_default(),
            recorded: deployed.is_some_and(|deployed| deployed.recorded),
            notes: deployed.map(|deployed| deployed.notes.as_slice()).unwrap_or_default(),
            problems: match (plan, deployed) {
                (_, Some(deployed)) => deployed.failed.iter().chain(&deployed.left).map(ProblemJson::of).collect(),
                (Some(plan), None) => plan.left.iter().map(ProblemJson::of).collect(),
                (None, None) => Vec::new(),
            },
            failure: failure.map(|failure| FailureJson::of(failure, &done.log)),
        }
    }
}

fn changes<'a>(plan: &'a Plan, print: &Fingerprinter) -> Vec<ChangeJson<'a>> {
    let property = |property: &'a Property| PropertyJson {
        path: &property.path,
        before: masked(&property.before, print),
        after: masked(&property.after, print),
        recreates: property.recreates,
        because: property.because.as_deref(),
    };
    let change = |change: &'a Change| ChangeJson {
        act: change.act.word(),
        logical_id: &change.logical_id,
        type_name: &change.type_name,
        physical_id: change.physical_id.as_deref(),
        replacement: change.replacement.word(),
        destroys: change.destroys(),
        loss: change.loss(),
        properties: change.properties.iter().map(property).collect(),
    };
    plan.changes.iter().map(change).collect()
}

fn widened(plan: &Plan) -> Vec<WideningJson<'_>> {
    plan.widened
        .iter()
        .map(|row| WideningJson { logical_id: &row.logical_id, type_name: &row.type_name, what: &row.what })
        .collect()
}

fn drift<'a>(drift: &'a [Drifted], print: &Fingerprinter) -> Vec<DriftJson<'a>> {
    let row = |row: &'a Drifted| DriftJson {
        logical_id: &row.logical_id,
        path: &row.path,
        live: masked(&row.live, print),
        expected: masked(&row.expected, print),
        what: row.what.word(),
    };
    drift.iter().map(row).collect()
}

impl<'a> PutBackJson<'a> {
    fn of(one: &'a PutBack) -> Self {
        Self {
            logical_id: &one.logical_id,
            type_name: &one.type_name,
            physical_id: &one.physical_id,
            properties: &one.properties,
        }
    }
}

impl LossJson {
    fn of((destroys, what): (bool, String)) -> Self {
        Self { destroys, what }
    }
}

impl<'a> ProblemJson<'a> {
    fn of(why: &'a Why) -> Self {
        Self { reason: &why.reason, hint: why.hint.as_deref() }
    }
}

impl<'a> FailureJson<'a> {
    fn of(failure: &'a Failure, log: &'a [Secret]) -> Self {
        let event = &failure.event;
        Self {
            name: event.name(),
            type_name: &event.type_name,
            status: &event.status,
            reason: event.reason.as_deref(),
            at: time(event.at),
            log: log.iter().map(|line| line.expose().trim_end()).collect(),
        }
    }
}
