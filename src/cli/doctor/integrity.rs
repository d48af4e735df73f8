//! `plumb doctor loop`: each hop from a change to the redeploy that puts it back, and a canary through all of them.

use std::io::Write;

use serde::Serialize;

use super::{CheckJson, json, text};
use crate::cli::{Failed, Outcome, Output, Progress, Shared, clean, print_json};
use crate::compare::Why;
use crate::ops::doctor::Health;
use crate::ops::doctor::integrity::{self, Canary, Loop};
use crate::ops::patience;
use crate::ops::schema::VERSION;

/// Arguments of `plumb doctor loop`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The loop's stack. Default: PROJECT-ENVIRONMENT-loop.
    // Not `stack`, which is the global flag's own id.
    #[arg(value_name = "STACK")]
    named: Option<String>,
    /// Let a canary go, and tell when it came by each hop. It starts a run that ends at once, and never a redeploy.
    #[arg(long)]
    canary: bool,
    /// Text or JSON.
    #[arg(long, short, value_enum, default_value_t = Output::Text)]
    output: Output,
}

#[derive(Serialize)]
struct LoopJson<'a> {
    version: u32,
    ok: bool,
    checks: Vec<CheckJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    canary: Option<CanaryJson<'a>>,
}

#[derive(Serialize)]
struct CanaryJson<'a> {
    id: &'a str,
    hops: Vec<HopJson<'a>>,
    lost: Option<&'a str>,
}

#[derive(Serialize)]
struct HopJson<'a> {
    name: &'a str,
    milliseconds: i64,
    found: &'a str,
}

/// Runs `plumb doctor loop`.
pub(super) async fn run(shared: &Shared, args: &Args) -> Result<Outcome, Failed> {
    if args.canary && !shared.names_environment() {
        let why = Why::new("the loop of which environment is meant?");
        return Err(why.hint("plumb doctor loop --canary --env NAME").into());
    }
    let session = shared.session().await?;
    let stack = args.named.clone().unwrap_or_else(|| Loop::usual_stack(&session));
    let progress = Progress::begin();
    let work = Box::pin(integrity::checks(&session, &stack));
    let (found, checks) = patience::wait(&session, &|text| progress.tell(text), work).await?;
    drop(progress);
    if args.output == Output::Text {
        text(&checks)?;
    }
    let canary = match (&found, args.canary) {
        (Some(found), true) => Some(Box::pin(integrity::send(&session, found)).await?),
        _ => None,
    };
    let is_healthy = checks.iter().all(|check| check.health != Health::Problem)
        && canary.as_ref().is_none_or(|canary| canary.lost.is_none());
    match args.output {
        Output::Json => {
            let checks = checks.iter().map(json).collect();
            let canary = canary.as_ref().map(CanaryJson::of);
            print_json(&LoopJson { version: VERSION, ok: is_healthy, checks, canary })?;
        }
        Output::Text => canary.as_ref().map_or(Ok(()), flown)?,
    }
    shared.stats(&session);
    Ok(if is_healthy { Outcome::Clean } else { Outcome::Problem })
}

/// When the canary came by where.
fn flown(canary: &Canary) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\ncanary {}", clean(&canary.id))?;
    for hop in &canary.hops {
        let (seconds, millis) = (hop.after / 1000, hop.after % 1000);
        writeln!(out, "  = {seconds:>4}.{millis:03} s  {}: {}", hop.name, clean(&hop.found))?;
    }
    if let Some(why) = &canary.lost {
        let hint = why.hint.as_ref().map(|hint| format!("\n             try: {}", clean(hint))).unwrap_or_default();
        writeln!(out, "  ! lost    {}{hint}", clean(&why.reason))?;
    }
    Ok(())
}

impl<'a> CanaryJson<'a> {
    fn of(canary: &'a Canary) -> Self {
        let hop = |hop: &'a integrity::Hop| HopJson { name: hop.name, milliseconds: hop.after, found: &hop.found };
        Self {
            id: &canary.id,
            hops: canary.hops.iter().map(hop).collect(),
            lost: canary.lost.as_ref().map(|why| why.reason.as_str()),
        }
    }
}
