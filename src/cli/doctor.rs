//! `plumb doctor`: what works, what does not, and what to do about it.

mod integrity;

use std::io::{IsTerminal, Write};

use serde::Serialize;

use super::{Failed, Outcome, Output, Progress, Shared, clean, print_json, shared};
use crate::ops::doctor::{self, Check, Health, Terminal};
use crate::ops::patience;
use crate::ops::schema::VERSION;

/// Arguments of `plumb doctor`.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: Option<What>,
    /// Text or JSON.
    #[arg(long, short, value_enum, default_value_t = Output::Text)]
    output: Output,
}

/// What is looked at instead of everything.
#[derive(Debug, clap::Subcommand)]
enum What {
    /// The loop that keeps live true to git, hop by hop.
    Loop(integrity::Args),
}

#[derive(Serialize)]
struct DoctorJson<'a> {
    version: u32,
    ok: bool,
    checks: Vec<CheckJson<'a>>,
}

#[derive(Serialize)]
struct CheckJson<'a> {
    area: &'static str,
    subject: &'a str,
    health: &'static str,
    found: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'a str>,
}

/// Runs `plumb doctor`.
pub(super) async fn run(shared: &Shared, args: &Args) -> Result<Outcome, Failed> {
    if let Some(What::Loop(args)) = &args.what {
        return integrity::run(shared, args).await;
    }
    let checks = Box::pin(checks(shared)).await?;
    let healthy = checks.iter().all(|check| check.health != Health::Problem);
    match args.output {
        Output::Json => {
            let checks = checks.iter().map(json).collect();
            print_json(&DoctorJson { version: VERSION, ok: healthy, checks })?;
        }
        Output::Text => text(&checks)?,
    }
    Ok(if healthy { Outcome::Clean } else { Outcome::Problem })
}

async fn checks(shared: &Shared) -> Result<Vec<Check>, Failed> {
    let here = shared::here()?;
    let mut colour = true;
    let mut checks = Vec::new();
    let progress = Progress::begin();
    match shared.load(&shared.flags())? {
        // Without a configuration there is no environment to look at; the rest can be.
        Err(error) => {
            checks.push(doctor::git_binary().await);
            checks.push(doctor::bad_config(&error));
        }
        Ok(settings) => {
            colour = settings.color;
            let root = settings.root.clone().unwrap_or(here);
            let remote = async {
                match shared.session_of(settings.clone()).await {
                    Ok(session) => {
                        let work = Box::pin(doctor::account(&session));
                        let checks = patience::wait(&session, &|text| progress.tell(text), work).await;
                        shared.stats(&session);
                        Ok(checks.unwrap_or_else(|why| vec![doctor::no_account("AWS", &why)]))
                    }
                    Err(Failed::Why(why)) => Ok(vec![doctor::no_account("region", &why)]),
                    Err(failed) => Err(failed),
                }
            };
            let access = shared.access();
            let (local, remote) = tokio::join!(doctor::local(&settings, &root, shared.keys(), &access), remote);
            checks.extend(local);
            checks.extend(remote?);
        }
    }
    drop(progress);
    let present = std::io::stdout().is_terminal();
    let size = if present { crossterm::terminal::size().ok() } else { None };
    checks.extend(doctor::terminal(&shared.environ, Terminal { present, size, colour }));
    Ok(checks)
}

fn word(health: Health) -> (&'static str, &'static str) {
    match health {
        Health::Ok => ("=", "ok"),
        Health::Note => ("i", "note"),
        Health::Problem => ("!", "problem"),
    }
}

fn json(check: &Check) -> CheckJson<'_> {
    CheckJson {
        area: check.area,
        subject: &check.subject,
        health: word(check.health).1,
        found: &check.found,
        hint: check.hint.as_deref(),
    }
}

fn text(checks: &[Check]) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let mut area = "";
    for check in checks {
        if check.area != area {
            if !area.is_empty() {
                writeln!(out)?;
            }
            area = check.area;
            writeln!(out, "{area}")?;
        }
        let (symbol, word) = word(check.health);
        let found = shared::lines(&check.found).replace('\n', "\n             ");
        writeln!(out, "  {symbol} {word:<7}  {}: {found}", clean(&check.subject))?;
        if let Some(hint) = &check.hint {
            writeln!(out, "             try: {}", clean(hint))?;
        }
    }
    let problems = checks.iter().filter(|check| check.health == Health::Problem).count();
    match problems {
        0 => writeln!(out, "\nnothing is wrong"),
        1 => writeln!(out, "\n1 problem"),
        more => writeln!(out, "\n{more} problems"),
    }
}
