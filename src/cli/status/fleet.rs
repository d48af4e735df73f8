//! All environments at once: a line each, every failure in its place.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;

use futures::{StreamExt, stream};

use super::{Args, in_json, outcome, text, wish};
use crate::cli::table::Table;
use crate::cli::{Failed, Outcome, Output, Progress, Shared, clean, hold};
use crate::compare::{Kind, Why};
use crate::config::{self, Environment, Settings};
use crate::ops::inspect::{self, now};
use crate::ops::report::{Calls, Report};
use crate::ops::schema::{self, Place};
use crate::ops::session::Session;

/// How many environments are read at a time.
const AT_ONCE: usize = 4;

/// A project whose files were read, or why they were not.
struct Project {
    name: String,
    settings: Result<Arc<Settings>, Why>,
}

/// What was found in one environment.
struct Found {
    project: String,
    /// What the configuration says of the region, for when AWS says nothing.
    region: Option<String>,
    report: Report,
    calls: Calls,
    by_operation: BTreeMap<String, u64>,
}

/// Runs `plumb status --all-envs` and `--all-projects`.
pub(super) async fn run(shared: &Shared, args: &Args) -> Result<Outcome, Failed> {
    if shared.flags().env.is_some() {
        return Err(Why::new("--env names one environment, and all were asked for")
            .hint("leave out one of them")
            .into());
    }
    let projects = projects(shared, args)?;
    let environments = projects.iter().filter_map(|project| Some((project, project.settings.as_ref().ok()?)));
    let progress = Progress::begin();
    let work = environments.flat_map(|(project, settings)| {
        let tell = |name: &str, text: &str| progress.tell(&format!("{} / {name}: {text}", project.name));
        let one = move |environment| inspect(shared, args, &project.name, settings, environment, tell);
        settings.environments.iter().map(one)
    });
    // In the order of the files, whoever answers first.
    let found: Vec<Found> = stream::iter(work).buffered(AT_ONCE).collect().await;
    drop(progress);
    let unread: Vec<(&str, &Why)> =
        projects.iter().filter_map(|project| Some((project.name.as_str(), project.settings.as_ref().err()?))).collect();
    match args.output {
        Output::Json => json(shared, args, &found, &unread)?,
        Output::Text => print(&mut std::io::stdout().lock(), &found, &unread)?,
    }
    for (one, hold) in found.iter().filter_map(|one| Some((one, one.report.hold.as_ref()?))) {
        hold::tell(&format!("{} / {}", one.project, one.report.environment), hold);
    }
    stats(shared, &found);
    let worst = found.iter().map(|found| outcome(&found.report, args.strict)).max_by_key(|outcome| weight(*outcome));
    let worst = worst.unwrap_or(Outcome::Clean);
    Ok(if unread.is_empty() { worst } else { Outcome::Problem })
}

/// The order of the exit codes.
fn weight(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Clean => 0,
        Outcome::Differences => 1,
        Outcome::Problem => 2,
    }
}

/// The current project first, then those of the operator's config.
fn projects(shared: &Shared, args: &Args) -> Result<Vec<Project>, Failed> {
    let here = match shared.settings_of_any() {
        Ok(settings) => Some(settings),
        // The operator's projects can be asked about from anywhere.
        Err(_) if args.all_projects && !shared.is_in_project() => None,
        Err(failed) => return Err(failed),
    };
    let operator = match &here {
        Some(settings) => settings.operator.clone(),
        None => config::load_operator(&shared.environ)?.unwrap_or_default().0,
    };
    let places = if args.all_projects { shared.projects(&operator) } else { Vec::new() };
    let root = here.as_ref().and_then(|settings| settings.root.clone());
    let is_here = |place: &&crate::cli::Place| root.as_ref().is_some_and(|root| place.is(root));
    let name = places.iter().find(is_here).map(|place| place.name.clone());
    let mut projects: Vec<Project> = here
        .into_iter()
        .map(|settings| Project {
            name: name.clone().unwrap_or_else(|| settings.project.name.clone()),
            settings: Ok(Arc::new(settings)),
        })
        .collect();
    projects.extend(
        places
            .iter()
            .filter(|place| !is_here(place))
            .map(|place| Project { name: place.name.clone(), settings: shared.settings_at(place).map(Arc::new) }),
    );
    if projects.is_empty() {
        return Err(Why::new("no project: there is no plumb.toml here, and config.toml names none")
            .hint("[projects] in config.toml: petshop = \"~/src/petshop\"")
            .into());
    }
    Ok(projects)
}

async fn inspect(
    shared: &Shared,
    args: &Args,
    project: &str,
    settings: &Arc<Settings>,
    environment: &Environment,
    tell: impl Fn(&str, &str),
) -> Found {
    let own = Settings { environment: environment.clone(), ..Settings::clone(settings) };
    let (report, session) = match shared.session_of(own).await {
        Ok(session) => {
            let wish = wish(&session, &args.only, args.detect);
            let report = inspect::watched(&session, &wish, &|text| tell(&environment.name, text)).await;
            (report, Some(session))
        }
        Err(failed) => {
            let kinds: Vec<Kind> = if args.only.is_empty() {
                Kind::ALL.to_vec()
            } else {
                args.only.iter().map(|kind| (*kind).into()).collect()
            };
            (Report::failed(environment.name.clone(), &kinds, &failed.into_why(), now()), None)
        }
    };
    Found {
        project: project.to_owned(),
        region: environment.region.clone(),
        report,
        calls: session.as_ref().map(Session::calls).unwrap_or_default(),
        by_operation: session.map(|session| session.clients.calls_by_operation()).unwrap_or_default(),
    }
}

fn json(shared: &Shared, args: &Args, found: &[Found], unread: &[(&str, &Why)]) -> Result<(), Failed> {
    let print = shared.fingerprinter()?;
    let reports = found.iter().map(|found| {
        let place = Place { project: found.project.clone() };
        (place, schema::status(&found.report, &print, |item| in_json(args, item)))
    });
    crate::cli::print_json(&schema::fleet(reports.collect(), unread))
}

fn print(out: &mut impl Write, found: &[Found], unread: &[(&str, &Why)]) -> std::io::Result<()> {
    let mut table = Table::new();
    table.row(
        ["PROJECT", "ENV", "RUNS", "STACKS", "CODE", "PARAMETERS", "SECRETS", "ACCOUNT", "REGION", "READ"]
            .map(str::to_owned),
    );
    let now = now();
    for found in found {
        let report = &found.report;
        let [stacks, code, parameters, secrets] = Kind::ALL.map(|kind| cell(report, kind));
        let identity = report.identity.as_ref().ok();
        table.row([
            clean(&found.project),
            clean(&report.environment),
            runs(report),
            stacks,
            code,
            parameters,
            secrets,
            identity.map_or_else(|| "?".to_owned(), |identity| clean(&identity.account)),
            clean(identity.map(|identity| &identity.region).or(found.region.as_ref()).map_or("", String::as_str)),
            text::ago(report.read_at, now),
        ]);
    }
    for (name, _) in unread {
        let nothing = String::new;
        let unknown = || "?".to_owned();
        table.row([
            clean(name),
            unknown(),
            nothing(),
            unknown(),
            unknown(),
            unknown(),
            unknown(),
            unknown(),
            nothing(),
            nothing(),
        ]);
    }
    table.print(out, "  ")?;
    reasons(out, found, unread)
}

/// Why something could not be read, once for each reason.
fn reasons(out: &mut impl Write, found: &[Found], unread: &[(&str, &Why)]) -> std::io::Result<()> {
    let mut told: Vec<(String, Why)> = Vec::new();
    for found in found {
        let place = format!("{} / {}", found.project, found.report.environment);
        for (subject, why) in schema::failures(&found.report) {
            // Without credentials or a network all fails alike.
            let alike = |(other, known): &(String, Why)| {
                other.starts_with(&place) && (known == &why || (known.kind == why.kind && why.is_of_everything()))
            };
            if !told.iter().any(alike) {
                told.push((format!("{place}: {subject}"), why));
            }
        }
    }
    told.extend(unread.iter().map(|(name, why)| ((*name).to_owned(), (*why).clone())));
    for (index, (subject, why)) in told.iter().enumerate() {
        if index == 0 {
            writeln!(out)?;
        }
        writeln!(out, "  ? {}: {}", clean(subject), clean(&why.reason))?;
        if let Some(hint) = &why.hint {
            writeln!(out, "    try: {}", clean(hint))?;
        }
    }
    for found in found {
        for note in &found.report.notes {
            let place = format!("{} / {}", found.project, found.report.environment);
            writeln!(out, "  i {}: {}", clean(&place), clean(note))?;
        }
    }
    Ok(())
}

fn cell(report: &Report, kind: Kind) -> String {
    match report.sections.iter().find(|(of, _)| *of == kind) {
        Some((_, Ok(section))) => text::counts(section),
        Some((_, Err(_))) => "?".to_owned(),
        None => "-".to_owned(),
    }
}

/// The commit that most units run, and how many others there are.
fn runs(report: &Report) -> String {
    let sections = report.sections.iter().filter_map(|(_, section)| section.as_ref().ok());
    let mut commits: BTreeMap<&str, usize> = BTreeMap::new();
    for commit in sections.flat_map(|section| &section.units).filter_map(|unit| unit.runs.as_deref()) {
        *commits.entry(commit).or_default() += 1;
    }
    let Some((most, _)) = commits.iter().max_by_key(|(_, count)| **count) else { return String::new() };
    let short = clean(most.get(..7).unwrap_or(most));
    if commits.len() == 1 { short } else { format!("{short} +{}", commits.len() - 1) }
}

/// The calls of all of them together.
fn stats(shared: &Shared, found: &[Found]) {
    let mut calls = Calls::default();
    let mut by_operation: BTreeMap<String, u64> = BTreeMap::new();
    for found in found {
        calls += found.calls;
        for (operation, count) in &found.by_operation {
            *by_operation.entry(operation.clone()).or_default() += count;
        }
    }
    shared.print_stats(calls, &by_operation);
}
