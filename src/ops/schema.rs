//! The JSON that `plumb status` and `plumb diff` print: stable, versioned, without a value in it.
//!
//! Documented in `docs/json.md`. A field may be added within a version; none is renamed or removed.

use serde::Serialize;

use super::hold;
use super::report::{Commit, Identity, Report, Section};
use crate::compare::Fingerprinter;
use crate::compare::{Facet, Item, Row, Sides, Tally, Verdict, Why};

/// Version of the format.
pub const VERSION: u32 = 1;

/// A whole inspection.
#[derive(Debug, Serialize)]
pub struct StatusJson {
    version: u32,
    environment: String,
    #[serde(rename = "ref")]
    reference: Option<String>,
    commit: Option<String>,
    git: Option<GitJson>,
    account: Option<String>,
    region: Option<String>,
    read_at: String,
    api_calls: u64,
    throttled_calls: u64,
    hold: HoldJson,
    summary: Summary,
    units: Vec<UnitJson>,
    items: Vec<ItemJson>,
    problems: Vec<ProblemJson>,
    notes: Vec<String>,
}

/// Whether redeploys are on hold: `none`, `held`, `unknown` (what cannot be read may be one), `unread`.
#[derive(Debug, Serialize)]
struct HoldJson {
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// Several environments.
#[derive(Debug, Serialize)]
pub struct FleetJson {
    version: u32,
    environments: Vec<EnvironmentJson>,
    problems: Vec<ProblemJson>,
}

/// One of several environments.
#[derive(Debug, Serialize)]
struct EnvironmentJson {
    #[serde(flatten)]
    place: Place,
    #[serde(flatten)]
    status: StatusJson,
}

/// Where an environment is one of several.
#[derive(Debug, Serialize)]
pub struct Place {
    /// The project's name.
    pub project: String,
}

/// More about the commit.
#[derive(Debug, Serialize)]
struct GitJson {
    author: String,
    time: String,
    ahead: usize,
    behind: usize,
    dirty: bool,
    fetched_at: Option<String>,
}

/// What is rolled out together.
#[derive(Debug, Serialize)]
struct UnitJson {
    name: String,
    kind: &'static str,
    status: String,
    runs: Option<String>,
    rolled_out_at: Option<String>,
    rolled_out_by: Option<String>,
    drift_checked_at: Option<String>,
}

#[derive(Debug, Serialize)]
struct Summary {
    total: usize,
    in_sync: usize,
    drifted: usize,
    pending: usize,
    diverged: usize,
    differs: usize,
    git_only: usize,
    unmanaged: usize,
    ignored: usize,
    unknown: usize,
}

#[derive(Debug, Serialize)]
struct ItemJson {
    kind: &'static str,
    name: String,
    #[serde(rename = "type", skip_serializing_if = "String::is_empty")]
    type_name: String,
    unit: String,
    verdict: &'static str,
    reason: String,
    git: FacetJson,
    applied: FacetJson,
    live: FacetJson,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    changed_by: Option<String>,
    changed_at: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    properties: Vec<PropertyJson>,
}

#[derive(Debug, Serialize)]
struct PropertyJson {
    path: String,
    verdict: &'static str,
    git: FacetJson,
    applied: FacetJson,
    live: FacetJson,
}

/// One side: its state, and where a value is known its keyed fingerprint.
#[derive(Debug, Serialize)]
pub struct FacetJson {
    state: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    fingerprint: Option<String>,
    /// The value itself; only when it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

#[derive(Debug, Serialize)]
struct ProblemJson {
    subject: String,
    reason: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

/// Whether JSON holds values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Values {
    /// Fingerprints stand for them.
    Masked,
    /// Each side that was read has a field `value`.
    Revealed,
}

/// Makes the sides.
#[derive(Clone, Copy)]
struct Show<'a> {
    print: &'a Fingerprinter,
    values: Values,
}

/// The report as JSON says it; `shown` picks the items.
#[must_use]
pub fn status(report: &Report, print: &Fingerprinter, shown: impl Fn(&Item) -> bool) -> StatusJson {
    with_values(report, print, Values::Masked, shown)
}

/// The same, with the values when they are asked for.
#[must_use]
pub fn with_values(
    report: &Report,
    print: &Fingerprinter,
    values: Values,
    shown: impl Fn(&Item) -> bool,
) -> StatusJson {
    let show = Show { print, values };
    let identity = report.identity.as_ref().ok();
    let commit = report.commit.as_ref().ok();
    StatusJson {
        version: VERSION,
        environment: report.environment.clone(),
        reference: commit.map(|commit| commit.reference.clone()),
        commit: commit.map(|commit| commit.id.clone()),
        git: commit.filter(|commit| !commit.id.is_empty()).map(git_json),
        account: identity.map(|identity| identity.account.clone()),
        region: identity.map(|identity| identity.region.clone()),
        read_at: time(report.read_at),
        api_calls: report.calls.made,
        throttled_calls: report.calls.throttled,
        hold: hold_json(report.hold.as_ref()),
        summary: report.tally().into(),
        units: units(report),
        items: report.items().filter(|item| shown(item)).map(|item| item_json(item, show)).collect(),
        problems: problems(report),
        notes: report.notes.clone(),
    }
}

/// Several reports, and the projects that could not be read.
#[must_use]
pub fn fleet(reports: Vec<(Place, StatusJson)>, unread: &[(&str, &Why)]) -> FleetJson {
    FleetJson {
        version: VERSION,
        environments: reports.into_iter().map(|(place, status)| EnvironmentJson { place, status }).collect(),
        problems: unread
            .iter()
            .map(|(subject, why)| ProblemJson {
                subject: (*subject).to_owned(),
                reason: why.reason.clone(),
                hint: why.hint.clone(),
            })
            .collect(),
    }
}

fn hold_json(found: Option<&hold::Found>) -> HoldJson {
    let bare = |state| HoldJson { state, until: None, by: None, reason: None };
    match found {
        None => bare("unread"),
        Some(Ok(None)) => bare("none"),
        Some(Ok(Some(hold))) => HoldJson {
            state: "held",
            until: Some(time(hold.until)),
            by: Some(hold.by.clone()),
            reason: Some(hold.reason.clone()),
        },
        Some(Err(why)) => HoldJson { reason: Some(why.reason.clone()), ..bare("unknown") },
    }
}

fn git_json(commit: &Commit) -> GitJson {
    GitJson {
        author: commit.author.clone(),
        time: time(commit.at),
        ahead: commit.ahead,
        behind: commit.behind,
        dirty: commit.dirty,
        fetched_at: commit.fetched_at.map(time),
    }
}

fn units(report: &Report) -> Vec<UnitJson> {
    let sections = report.sections.iter().filter_map(|(kind, section)| Some((kind, section.as_ref().ok()?)));
    sections
        .flat_map(|(kind, section)| section.units.iter().map(|unit| (*kind, unit)))
        .map(|(kind, unit)| UnitJson {
            name: unit.name.clone(),
            kind: kind.code(),
            status: unit.status.clone(),
            runs: unit.runs.clone(),
            rolled_out_at: unit.rolled_out_at.map(time),
            rolled_out_by: unit.rolled_out_by.clone(),
            drift_checked_at: unit.drift_checked_at.map(time),
        })
        .collect()
}

/// Everything that failed and is not one item's.
pub(crate) fn failures(report: &Report) -> Vec<(String, Why)> {
    let mut failures = Vec::new();
    if let Err(why) = &report.identity {
        failures.push(("account".to_owned(), why.clone()));
    }
    if let Ok(Identity { account, expected_account: Some(expected), .. }) = &report.identity {
        let why = Why::new(format!("account {account} is not {expected}, which the project expects"))
            .hint("another profile: --profile, or [environments] in plumb.toml");
        failures.push(("account".to_owned(), why));
    }
    if let Err(why) = &report.commit {
        failures.push(("git".to_owned(), why.clone()));
    }
    for (kind, section) in &report.sections {
        match section {
            Err(why) => failures.push((kind.code().to_owned(), why.clone())),
            Ok(Section { problems, .. }) => {
                failures.extend(problems.iter().map(|problem| (problem.subject.clone(), problem.why.clone())));
            }
        }
    }
    failures
}

fn problems(report: &Report) -> Vec<ProblemJson> {
    failures(report)
        .into_iter()
        .map(|(subject, why)| ProblemJson { subject, reason: why.reason, hint: why.hint })
        .collect()
}

/// One item as the report has it, without a value, indented for people.
#[must_use]
pub fn item(item: &Item, print: &Fingerprinter) -> String {
    let json = item_json(item, Show { print, values: Values::Masked });
    serde_json::to_string_pretty(&json).unwrap_or_default()
}

fn item_json(item: &Item, show: Show<'_>) -> ItemJson {
    let Sides { git, applied, live } = &item.sides;
    ItemJson {
        kind: item.kind.code(),
        name: item.name.clone(),
        type_name: item.type_name.clone(),
        unit: item.unit.clone(),
        verdict: item.verdict.code(),
        reason: reason(item),
        git: facet(git, show),
        applied: facet(applied, show),
        live: facet(live, show),
        version: item.version.clone(),
        file: item.file.clone(),
        changed_by: item.changed.as_ref().and_then(|changed| changed.by.clone()),
        changed_at: item.changed.as_ref().and_then(|changed| changed.at).map(time),
        properties: item.rows.iter().map(|row| property(row, show)).collect(),
    }
}

fn reason(item: &Item) -> String {
    match &item.verdict {
        Verdict::Unknown(why) if item.reason.is_empty() => why.reason.clone(),
        Verdict::Ignored(rule) if item.reason.is_empty() => rule.to_string(),
        _ => item.reason.clone(),
    }
}

fn property(row: &Row, show: Show<'_>) -> PropertyJson {
    let Sides { git, applied, live } = &row.sides;
    PropertyJson {
        path: row.path.clone(),
        verdict: row.verdict.code(),
        git: facet(git, show),
        applied: facet(applied, show),
        live: facet(live, show),
    }
}

fn facet(facet: &Facet, show: Show<'_>) -> FacetJson {
    let bare = |state| FacetJson { state, fingerprint: None, value: None, reason: None };
    let value = |text: &str| FacetJson {
        fingerprint: Some(show.print.fingerprint(text)),
        value: (show.values == Values::Revealed).then(|| text.to_owned()),
        ..bare("value")
    };
    match facet {
        Facet::Absent => bare("absent"),
        Facet::Unrecorded => bare("unrecorded"),
        Facet::Unread | Facet::Masked { .. } => bare("unread"),
        Facet::Unreadable(why) => FacetJson { reason: Some(why.reason.clone()), ..bare("unreadable") },
        Facet::Plain(text) => value(text),
        Facet::Secret(secret) => value(secret.expose()),
    }
}

/// One side without its value: its state, and where a value is known its fingerprint.
#[must_use]
pub fn masked(of: &Facet, print: &Fingerprinter) -> FacetJson {
    facet(of, Show { print, values: Values::Masked })
}

/// Milliseconds since the Unix epoch as RFC 3339 in UTC.
#[must_use]
pub fn time(milliseconds: i64) -> String {
    jiff::Timestamp::from_millisecond(milliseconds).map_or_else(|_| milliseconds.to_string(), |at| at.to_string())
}

impl From<Tally> for Summary {
    fn from(tally: Tally) -> Self {
        Self {
            total: tally.total(),
            in_sync: tally.in_sync,
            drifted: tally.drifted,
            pending: tally.pending,
            diverged: tally.diverged,
            differs: tally.differs,
            git_only: tally.git_only,
            unmanaged: tally.unmanaged,
            ignored: tally.ignored,
            unknown: tally.unknown,
        }
    }
}
