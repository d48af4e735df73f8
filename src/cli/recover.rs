//! `plumb recover`: the way out of where a stack got stuck.

use clap_complete::ArgValueCandidates;
use serde::Serialize;

use super::consent::{Asks, Deed, How};
use super::deploy::{EndedJson, interruptible, looked_on, told};
use super::table::Table;
use super::{Failed, Outcome, Output, Shared, clean, print_json, say, values};
use crate::compare::Why;
use crate::ops::deploy::{self, Recovery, Wish};
use crate::ops::schema::VERSION;

/// Arguments of `plumb recover`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The stack.
    #[arg(value_name = "STACK", add = ArgValueCandidates::new(values::stacks))]
    // `stack` is the option that looks at one without a project.
    name: String,
    /// A resource that the rollback leaves as it is; CloudFormation then takes it to be as it should.
    #[arg(long, value_name = "RESOURCE", conflicts_with = "retain")]
    skip: Vec<String>,
    /// A resource that the deletion leaves behind.
    #[arg(long, value_name = "RESOURCE")]
    retain: Vec<String>,
    /// Delete the stack although it is protected from that.
    #[arg(long)]
    unprotect: bool,
    #[command(flatten)]
    how: How,
}

#[derive(Serialize)]
struct RecoverJson<'a> {
    version: u32,
    stack: &'a str,
    stuck: Option<&'a str>,
    way: Option<&'static str>,
    resources: Vec<HeldJson<'a>>,
    ended: Option<EndedJson<'a>>,
}

#[derive(Serialize)]
struct HeldJson<'a> {
    logical_id: &'a str,
    #[serde(rename = "type")]
    type_name: &'a str,
    status: &'a str,
    reason: Option<&'a str>,
}

/// Runs `plumb recover`.
pub(super) async fn run(shared: &Shared, args: &Args) -> Result<Outcome, Failed> {
    if !shared.names_environment() {
        return Err(Why::new("in which environment is the stack stuck?").hint("plumb recover STACK --env NAME").into());
    }
    let session = shared.session().await?;
    let stack = &args.name;
    let wish = Wish { skip: args.skip.clone(), retain: args.retain.clone(), unprotect: args.unprotect };
    let Some(recovery) = interruptible(deploy::recovery(&session, stack, &wish)).await?? else {
        say!("{} is not stuck", clean(stack));
        if args.how.output == Output::Json {
            let none = Vec::new();
            print_json(&RecoverJson { version: VERSION, stack, stuck: None, way: None, resources: none, ended: None })?;
        }
        return Ok(Outcome::Clean);
    };
    show(&recovery)?;
    let (_, way) = recovery.stuck.told();
    let ended = if args.how.dry_run {
        None
    } else {
        let does = format!("{way} of {stack}");
        let asks = if recovery.stuck.deletes() { Asks::Named(stack) } else { Asks::Always };
        let deed = Deed { command: "recover", does: &does, asks };
        let writer = interruptible(args.how.consent.obtain(&session, deed)).await??;
        let work = Box::pin(deploy::recover(&writer, &recovery, &told::progress));
        let (ended, untold) = looked_on(stack, work).await??;
        if let Some(why) = untold {
            say!("note: {}", clean(&why.reason));
        }
        Some(ended)
    };
    let log = told::log(&session, stack, ended.as_ref().and_then(|ended| ended.failure.as_ref())).await;
    if args.how.output == Output::Json {
        print_json(&RecoverJson {
            version: VERSION,
            stack,
            stuck: Some(&recovery.stack.status),
            way: Some(way),
            resources: held(&recovery),
            ended: ended.as_ref().map(|ended| EndedJson::of(&session, stack, ended, &log)),
        })?;
    }
    shared.stats(&session);
    let Some(ended) = ended else { return Ok(Outcome::Differences) };
    if recovery.stuck.is_left_by(&ended) {
        say!("{}: {}; plumb deploy {} goes on", clean(stack), clean(&ended.status), clean(stack));
        return Ok(Outcome::Clean);
    }
    if let Some(why) = ended.why(stack) {
        Failed::from(why).print();
    }
    Ok(Outcome::Problem)
}

fn held(recovery: &Recovery) -> Vec<HeldJson<'_>> {
    let held = recovery.resources.iter().map(|held| HeldJson {
        logical_id: &held.logical_id,
        type_name: &held.type_name,
        status: &held.status,
        reason: held.reason.as_deref(),
    });
    held.collect()
}

/// What is the matter, what holds the stack, and what would be done.
fn show(recovery: &Recovery) -> std::io::Result<()> {
    let (matter, way) = recovery.stuck.told();
    say!("{} is {}: {matter}", clean(&recovery.stack.name), clean(&recovery.stack.status));
    let mut table = Table::new();
    for held in &recovery.resources {
        let reason = held.reason.as_deref().map(clean).unwrap_or_default();
        table.row([clean(&held.logical_id), clean(&held.type_name), clean(&held.status), reason]);
    }
    table.print(&mut std::io::stderr().lock(), "  ")?;
    let but = [("without", &recovery.wish.skip), ("leaving behind", &recovery.wish.retain)];
    let but = but.iter().filter(|(_, names)| !names.is_empty());
    let but: Vec<String> = but.map(|(word, names)| format!(", {word} {}", clean(&names.join(", ")))).collect();
    say!("the way out: {way}{}", but.concat());
    Ok(())
}
