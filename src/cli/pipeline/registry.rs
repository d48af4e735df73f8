//! `plumb pipeline list|show|add|edit|remove|check`: the registered projects.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::{json, note};
use crate::cli::consent::{Asks, Deed, How};
use crate::cli::shared::lines;
use crate::cli::table::Table;
use crate::cli::{Failed, Outcome, Output, brief, clean, print_json, say};
use crate::compare::Why;
use crate::ops::pipeline::fields::{FIELDS, Finding, Standing};
use crate::ops::pipeline::own;
use crate::ops::pipeline::registry::{self, Plan, Project};
use crate::ops::schema::time;
use crate::ops::session::Session;

/// Arguments of `plumb pipeline add`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Its name: a-z, 0-9 and -.
    // --project is the project file.
    #[arg(id = "registered", value_name = "PROJECT")]
    project: String,
    #[command(flatten)]
    fields: Fields,
    #[command(flatten)]
    how: How,
}

/// Arguments of `plumb pipeline edit`.
#[derive(Debug, clap::Args)]
pub(crate) struct EditArgs {
    /// Its name.
    // --project is the project file.
    #[arg(id = "registered", value_name = "PROJECT")]
    project: String,
    #[command(flatten)]
    fields: Fields,
    /// Take this field away; may be said several times.
    #[arg(long, value_name = "FIELD")]
    unset: Vec<String>,
    #[command(flatten)]
    how: How,
}

/// The fields of a project.
#[derive(Debug, clap::Args)]
pub(crate) struct Fields {
    /// The repository's URL.
    #[arg(long, value_name = "URL")]
    repository: Option<String>,
    /// Globs of the branches that may be built: main,release/*
    #[arg(long, value_name = "GLOBS")]
    branches: Option<String>,
    /// A text for sh -ec, instead of a command without a shell.
    #[arg(long, value_name = "TEXT", conflicts_with = "command")]
    shell: Option<String>,
    /// The directory that the command runs in. Default: the repository's root.
    #[arg(long, value_name = "PATH")]
    directory: Option<String>,
    /// How long the command may take. Default: 1800.
    #[arg(long, value_name = "SECONDS")]
    timeout: Option<String>,
    /// The secret that opens the repository.
    #[arg(long, value_name = "SECRET")]
    credentials: Option<String>,
    /// How many of its builds may run at once. Default: 1.
    #[arg(long, value_name = "NUMBER")]
    concurrency: Option<String>,
    /// How many messages for it are taken in an hour. Default: 20.
    #[arg(long, value_name = "NUMBER")]
    rate: Option<String>,
    /// The command and its arguments, which no shell reads.
    #[arg(last = true, value_name = "COMMAND")]
    command: Vec<String>,
}

impl Fields {
    fn wanted(&self) -> Result<BTreeMap<String, Option<String>>, Failed> {
        let given = [
            ("repository", &self.repository),
            ("branches", &self.branches),
            ("directory", &self.directory),
            ("timeout", &self.timeout),
            ("credentials", &self.credentials),
            ("concurrency", &self.concurrency),
            ("rate", &self.rate),
        ];
        let stated = given.into_iter().filter_map(|(field, value)| Some((field.to_owned(), Some(value.clone()?))));
        let mut wanted: BTreeMap<String, Option<String>> = stated.collect();
        if let Some(text) = &self.shell {
            wanted.insert("command".to_owned(), Some(text.clone()));
            wanted.insert("shell".to_owned(), Some("true".to_owned()));
        }
        if !self.command.is_empty() {
            let words = serde_json::to_string(&self.command).map_err(|error| Why::new(error.to_string()))?;
            wanted.insert("command".to_owned(), Some(words));
            wanted.insert("shell".to_owned(), None);
        }
        Ok(wanted)
    }
}

pub(super) async fn list(session: &Session, output: Output) -> Result<Outcome, Failed> {
    let projects = registry::all(session).await?;
    if output == Output::Json {
        print_json(&json::registry(&projects, &BTreeMap::new()))?;
        return Ok(Outcome::Clean);
    }
    let mut out = io::stdout().lock();
    if projects.is_empty() {
        writeln!(out, "no project is registered in {}", clean(session.clients.region()))?;
        return Ok(Outcome::Clean);
    }
    let mut table = Table::new();
    for project in &projects {
        let field = |name: &str| project.field(name).unwrap_or("?").to_owned();
        let command = brief(&field("command"), 40);
        table.row([project.name.clone(), clean(&field("branches")), clean(&field("repository")), command]);
    }
    table.print(&mut out, "")?;
    Ok(Outcome::Clean)
}

pub(super) async fn show(session: &Session, name: Option<&str>, output: Output) -> Result<Outcome, Failed> {
    let name = name.map_or_else(|| own(session), |name| Ok(name.to_owned()))?;
    let project = registry::known(session, &name).await?;
    if output == Output::Json {
        print_json(&json::registry(std::slice::from_ref(&project), &BTreeMap::new()))?;
        return Ok(Outcome::Clean);
    }
    let mut table = Table::new();
    for (field, value) in sorted(&project) {
        table.row([field.to_owned(), clean(value)]);
    }
    let by = project.changed_by.as_deref().map(|by| format!(" by {}", clean(by))).unwrap_or_default();
    table.row(["changed".to_owned(), format!("{}{by}", time(project.changed_at))]);
    table.print(&mut io::stdout().lock(), "")?;
    Ok(Outcome::Clean)
}

fn sorted(project: &Project) -> Vec<(&str, &str)> {
    let known = FIELDS.iter().filter_map(|field| Some((*field, project.field(field)?)));
    let others = project.fields.iter().filter(|(field, _)| !FIELDS.contains(&field.as_str()));
    known.chain(others.map(|(field, value)| (field.as_str(), value.as_str()))).collect()
}

pub(super) async fn add(session: &Session, args: &Args) -> Result<Outcome, Failed> {
    let plan = registry::plan(session, &args.project, &args.fields.wanted()?, true).await?;
    let does = format!("register {}", args.project);
    carry_out(session, &plan, &args.how, ("pipeline add", &does, Asks::Always)).await
}

pub(super) async fn edit(session: &Session, args: &EditArgs) -> Result<Outcome, Failed> {
    let mut wanted = args.fields.wanted()?;
    wanted.extend(args.unset.iter().map(|field| (field.clone(), None)));
    let plan = registry::plan(session, &args.project, &wanted, false).await?;
    let does = format!("change {}", args.project);
    carry_out(session, &plan, &args.how, ("pipeline edit", &does, Asks::Always)).await
}

pub(super) async fn remove(session: &Session, name: &str, how: &How) -> Result<Outcome, Failed> {
    let plan = registry::plan_removal(session, name).await?;
    let does = format!("take {name} out of the registry");
    carry_out(session, &plan, how, ("pipeline remove", &does, Asks::Named(name))).await
}

/// Shows a plan, has it confirmed, and writes it.
async fn carry_out(
    session: &Session,
    plan: &Plan,
    how: &How,
    (command, does, asks): (&str, &str, Asks<'_>),
) -> Result<Outcome, Failed> {
    let json = how.output == Output::Json;
    for change in &plan.changes {
        let value = |value: &Option<String>| value.as_deref().map_or_else(|| "(none)".to_owned(), clean);
        let (field, before, after) = (clean(&change.field), value(&change.before), value(&change.after));
        say!("{field:<12} {before}  ->  {after}");
    }
    told(&plan.findings);
    if plan.changes.is_empty() {
        say!("{} is so already, and nothing is written", clean(&plan.project));
    }
    let is_wrong = plan.findings.iter().any(|finding| finding.standing == Standing::Wrong);
    let written = if how.dry_run || plan.changes.is_empty() {
        false
    } else if is_wrong {
        return Err(Why::new(format!("refused: {} could not be built so", plan.project)).into());
    } else {
        let writer = how.consent.obtain(session, Deed { command, does, asks }).await?;
        // Half an edit is a project that nothing is built of, so ^C waits for the other half.
        let mut write = Box::pin(registry::write(&writer, plan));
        let written = tokio::select! {
            written = &mut write => written,
            _ = tokio::signal::ctrl_c() => {
                say!("what was begun is finished first");
                write.await
            }
        };
        let (count, untold) = written?;
        note(untold.as_ref());
        say!("{count} parameters below {}{} are written", registry::ROOT, clean(&plan.project));
        true
    };
    if json {
        print_json(&json::plan(plan, written))?;
    }
    Ok(match (is_wrong, written || plan.changes.is_empty()) {
        (true, _) => Outcome::Problem,
        (false, true) => Outcome::Clean,
        (false, false) => Outcome::Differences,
    })
}

fn told(findings: &[Finding]) {
    for finding in findings {
        say!("! {} {}", clean(finding.field.as_deref().unwrap_or_default()), clean(&finding.text));
    }
}

pub(super) async fn check(session: &Session, names: &[String], output: Output) -> Result<Outcome, Failed> {
    let mut projects = Vec::new();
    if names.is_empty() {
        projects = registry::all(session).await?;
    }
    for name in names {
        projects.push(registry::known(session, name).await?);
    }
    let mut findings: BTreeMap<String, Vec<Finding>> = BTreeMap::new();
    for project in &projects {
        findings.insert(project.name.clone(), registry::examine(session, project).await);
    }
    if output == Output::Json {
        print_json(&json::registry(&projects, &findings))?;
    } else {
        text(&findings)?;
    }
    let worst = findings.values().flatten().map(|finding| finding.standing).max();
    Ok(match worst {
        Some(Standing::Wrong) => Outcome::Differences,
        Some(Standing::Unknown) => Outcome::Problem,
        Some(Standing::Right) | None => Outcome::Clean,
    })
}

fn text(findings: &BTreeMap<String, Vec<Finding>>) -> io::Result<()> {
    let mut table = Table::new();
    for (project, findings) in findings {
        for finding in findings {
            let sign = match finding.standing {
                Standing::Right => "=",
                Standing::Unknown => "?",
                Standing::Wrong => "!",
            };
            let field = finding.field.clone().unwrap_or_default();
            table.row([project.clone(), sign.to_owned(), clean(&field), lines(&finding.text)]);
        }
    }
    table.print(&mut io::stdout().lock(), "")
}
