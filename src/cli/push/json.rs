//! A plan of writes and what came of it, for scripts. No value is in it.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::compare::{Fingerprinter, Why};
use crate::ops::journal::Entry;
use crate::ops::push::{Change, Kept, Plan, Pushed, Race};
use crate::ops::readers::Reader;
use crate::ops::restart::Restart;
use crate::ops::schema::{FacetJson, VERSION, masked, time};
use crate::ops::session::Session;

#[derive(Serialize)]
pub(super) struct PushJson<'a> {
    version: u32,
    action: &'static str,
    environment: &'a str,
    account: &'a str,
    region: &'a str,
    by: &'a str,
    #[serde(rename = "ref")]
    reference: Option<&'a str>,
    commit: Option<&'a str>,
    written: bool,
    id: Option<&'a str>,
    changes: Vec<ChangeJson<'a>>,
    kept: Vec<KeptJson<'a>>,
    unknown: Vec<KeptJson<'a>>,
    untouched: usize,
    problems: Vec<KeptJson<'a>>,
    receipts: Vec<String>,
    warnings: &'a [String],
    restarts: Vec<RestartJson<'a>>,
    races: Vec<RaceJson<'a>>,
    failed: Vec<KeptJson<'a>>,
    notes: &'a [String],
}

/// A function that reads what is written.
#[derive(Serialize)]
struct RestartJson<'a> {
    function: &'a str,
    alias: Option<&'a str>,
    /// `planned`, `restarted`, `failed`, or `kept` where it is left as it is.
    state: &'static str,
    new_version: Option<&'a str>,
    reason: Option<&'a str>,
}

#[derive(Serialize)]
struct ChangeJson<'a> {
    kind: &'static str,
    name: &'a str,
    unit: &'a str,
    act: &'static str,
    verdict: Option<&'static str>,
    file: Option<&'a str>,
    before: FacetJson,
    after: FacetJson,
    #[serde(skip_serializing_if = "Option::is_none")]
    only: Option<String>,
    live_version: Option<&'a str>,
    changed_by: Option<&'a str>,
    changed_at: Option<String>,
    overwrites: bool,
    readers: Vec<ReaderJson<'a>>,
    notes: &'a [String],
    /// `written`, `failed`, or `planned` while nothing was done.
    state: &'static str,
    new_version: Option<&'a str>,
}

#[derive(Serialize)]
struct ReaderJson<'a> {
    function: &'a str,
    through: &'a str,
}

#[derive(Serialize)]
struct KeptJson<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    name: &'a str,
    reason: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
}

#[derive(Serialize)]
struct RaceJson<'a> {
    name: &'a str,
    told: &'a str,
    hint: &'a str,
}

impl<'a> KeptJson<'a> {
    fn named(name: &'a str, why: &'a Why) -> Self {
        Self { kind: None, name, reason: &why.reason, hint: why.hint.as_deref() }
    }

    fn of(kept: &'a Kept) -> Self {
        Self { kind: Some(kept.kind.kind().code()), ..Self::named(&kept.name, &kept.why) }
    }
}

impl<'a> ChangeJson<'a> {
    fn of(change: &'a Change, print: &Fingerprinter, done: Option<&'a Pushed>) -> Self {
        let step = &change.step;
        let written =
            done.and_then(|done| done.written.iter().find(|it| (it.kind, &it.name) == (step.kind, &step.name)));
        let changed = change.changed.as_ref();
        Self {
            kind: step.kind.kind().code(),
            name: &step.name,
            unit: &step.unit,
            act: step.act.word(),
            verdict: change.verdict.as_ref().map(crate::compare::Verdict::code),
            file: change.file.as_deref(),
            before: masked(&change.before, print),
            after: masked(&change.after, print),
            only: change.only.map(|only| only.to_string()),
            live_version: step.before.as_ref().map(|before| before.id.as_str()),
            changed_by: changed.and_then(|changed| changed.by.as_deref()),
            changed_at: changed.and_then(|changed| changed.at).map(time),
            overwrites: change.overwrites,
            readers: change.readers.iter().map(reader).collect(),
            notes: &change.notes,
            state: match (done, written) {
                (None, _) => "planned",
                (Some(_), Some(_)) => "written",
                (Some(_), None) => "failed",
            },
            new_version: written.and_then(|written| written.version.as_deref()),
        }
    }
}

impl<'a> RestartJson<'a> {
    fn of(restart: &'a Restart, done: Option<&'a Pushed>) -> Self {
        let restarted = done.and_then(|done| done.restarted.iter().find(|it| it.name == restart.name));
        let kept = done.and_then(|done| done.stale.iter().find(|(name, _)| *name == restart.name));
        let way = restart.way.as_ref();
        let (state, reason) = match (way, done, restarted, kept) {
            (Err(why), ..) => ("kept", Some(why.reason.as_str())),
            (Ok(_), None, ..) => ("planned", None),
            (Ok(_), _, Some(_), _) => ("restarted", None),
            (Ok(_), _, _, Some((_, why))) => ("failed", Some(why.reason.as_str())),
            (Ok(_), ..) => ("kept", Some("nothing that it reads was written")),
        };
        Self {
            function: &restart.name,
            alias: way.ok().and_then(|way| way.alias.as_ref()).map(|served| served.alias.as_str()),
            state,
            new_version: restarted.and_then(|it| it.serves.as_ref()).map(|(_, version)| version.as_str()),
            reason,
        }
    }
}

fn reader(reader: &Reader) -> ReaderJson<'_> {
    ReaderJson { function: &reader.function, through: &reader.through }
}

fn races(done: Option<&Pushed>) -> Vec<RaceJson<'_>> {
    done.iter().flat_map(|done| &done.races).map(race).collect()
}

fn race(race: &Race) -> RaceJson<'_> {
    RaceJson { name: &race.name, told: &race.told, hint: &race.hint }
}

fn failed(done: Option<&Pushed>) -> Vec<KeptJson<'_>> {
    done.iter().flat_map(|done| &done.failed).map(|(name, why)| KeptJson::named(name, why)).collect()
}

/// A plan, and what came of it if it was carried out.
pub(super) fn of<'a>(session: &'a Session, plan: &'a Plan, done: Option<&'a Pushed>) -> PushJson<'a> {
    PushJson {
        version: VERSION,
        action: plan.action.word(),
        environment: &session.environment().name,
        account: &plan.writer.account,
        region: &plan.writer.region,
        by: &plan.writer.arn,
        reference: Some(&plan.reference),
        commit: plan.commit.as_ref().map(|commit| commit.id.as_str()),
        written: done.is_some(),
        id: done.map(|done| done.id.as_str()).filter(|id| !id.is_empty()),
        changes: plan.changes.iter().map(|change| ChangeJson::of(change, &session.fingerprinter, done)).collect(),
        kept: plan.kept.iter().map(KeptJson::of).collect(),
        unknown: plan.unknown.iter().map(KeptJson::of).collect(),
        untouched: plan.untouched,
        problems: plan.problems.iter().map(|problem| KeptJson::named(&problem.subject, &problem.why)).collect(),
        receipts: plan.records(),
        warnings: &plan.warnings,
        restarts: plan.restarting(&BTreeSet::new()).into_iter().map(|restart| RestartJson::of(restart, done)).collect(),
        races: races(done),
        failed: failed(done),
        notes: done.map(|done| done.notes.as_slice()).unwrap_or_default(),
    }
}

#[derive(Serialize)]
pub(super) struct ResumedJson<'a> {
    version: u32,
    action: &'static str,
    environment: &'a str,
    account: &'a str,
    region: &'a str,
    commit: Option<&'a str>,
    id: &'a str,
    written: Vec<WrittenJson<'a>>,
    races: Vec<RaceJson<'a>>,
    failed: Vec<KeptJson<'a>>,
    notes: &'a [String],
}

#[derive(Serialize)]
struct WrittenJson<'a> {
    kind: &'static str,
    name: &'a str,
    act: &'static str,
    version: Option<&'a str>,
}

/// What came of a write that was continued.
pub(super) fn of_done<'a>(session: &'a Session, entry: &'a Entry, done: &'a Pushed) -> ResumedJson<'a> {
    let written = done.written.iter().map(|written| WrittenJson {
        kind: written.kind.kind().code(),
        name: &written.name,
        act: written.act.word(),
        version: written.version.as_deref(),
    });
    ResumedJson {
        version: VERSION,
        action: entry.action.word(),
        environment: &session.environment().name,
        account: &entry.account,
        region: &entry.region,
        commit: entry.commit.as_deref(),
        id: &entry.id,
        written: written.collect(),
        races: races(Some(done)),
        failed: failed(Some(done)),
        notes: &done.notes,
    }
}
