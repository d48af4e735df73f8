//! `plumb pipeline jobs|logs|stop|retry`: what was asked for, and what came of it.

use std::io::{self, Write};
use std::time::Duration;

use super::{json, note, told, trigger};
use crate::cli::consent::{Asks, Deed, How};
use crate::cli::table::Table;
use crate::cli::{Failed, Outcome, Output, clean, print_json, say};
use crate::compare::Why;
use crate::ops::inspect::now;
use crate::ops::pipeline::Pipeline;
use crate::ops::pipeline::build::Build;
use crate::ops::pipeline::follow::patiently;
use crate::ops::pipeline::jobs::{Job, Jobs};
use crate::ops::schema::time;
use crate::ops::session::Session;
use crate::visible::visible;

/// Between two looks at a log that goes on.
const LOOK: Duration = Duration::from_secs(2);

/// Arguments of `plumb pipeline jobs`.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Of this project. Default: of all.
    // --project is the project file.
    #[arg(id = "registered", value_name = "PROJECT")]
    project: Option<String>,
    /// At most so many, the newest.
    #[arg(long, value_name = "NUMBER", default_value_t = 20, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    /// Text or JSON.
    #[arg(long, short, value_enum, default_value_t = Output::Text)]
    output: Output,
}

/// Arguments of `plumb pipeline logs`.
#[derive(Debug, clap::Args)]
pub(crate) struct LogArgs {
    /// The job, by its id or the id's beginning. Default: the newest of this repository's project.
    job: Option<String>,
    /// Go on until the job ends; the exit code is 0 only when it succeeded.
    #[arg(long, short)]
    follow: bool,
}

/// Arguments of what is done with one job.
#[derive(Debug, clap::Args)]
pub(crate) struct OneArgs {
    /// The job, by its id or the id's beginning.
    job: String,
    #[command(flatten)]
    how: How,
}

pub(super) async fn list(session: &Session, args: &Args) -> Result<Outcome, Failed> {
    let found = Pipeline::open(session).await?.jobs(args.project.as_deref(), usize::from(args.limit)).await?;
    for trouble in &found.troubles {
        say!("? {}", clean(&trouble.reason));
    }
    match args.output {
        Output::Json => print_json(&json::jobs(&found))?,
        Output::Text => text(&found)?,
    }
    Ok(if found.troubles.is_empty() { Outcome::Clean } else { Outcome::Problem })
}

fn text(found: &Jobs) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if found.jobs.is_empty() {
        return writeln!(out, "nothing was asked for");
    }
    let mut table = Table::new();
    for job in &found.jobs {
        let branch = job.branch.as_deref().map(clean).unwrap_or_default();
        table.row([
            time(job.at),
            job.state.word().to_owned(),
            job.took(now()).map(told::took).unwrap_or_default(),
            clean(&job.project),
            branch,
            told::commit(job),
            clean(&job.asked_by(job.by.as_deref())),
            clean(&job.id),
            told::about(job),
        ]);
    }
    table.print(&mut out, "")
}

/// Writes a log as it is, and while it is followed as it comes.
pub(super) async fn logs(session: &Session, args: &LogArgs) -> Result<Outcome, Failed> {
    let pipeline = Pipeline::open(session).await?;
    let mut job = pipeline.find(args.job.as_deref()).await?;
    if args.follow && job.build.is_none() && job.may_go_on(now()) {
        say!("{} has no build yet", clean(&job.id));
        job = pipeline.until(&job.id, &told::followed, |job| job.build.is_some()).await?;
    }
    let Some(mut build) = job.build.clone() else {
        return if args.follow { Ok(trigger::outcome(&job)) } else { Err(unbuilt(&job).into()) };
    };
    let mut next = None;
    loop {
        let is_over = build.is_over();
        let read = if args.follow {
            patiently(&told::followed, || pipeline.log(&build, next.as_deref())).await?
        } else {
            pipeline.log(&build, None).await?
        };
        next = read.next;
        let mut out = io::stdout().lock();
        for line in &read.lines {
            writeln!(out, "{}", visible(line.text.expose().trim_end_matches(['\n', '\r'])))?;
        }
        out.flush()?;
        drop(out);
        // What is read after the end is the end of it.
        if is_over || !args.follow {
            break;
        }
        tokio::time::sleep(LOOK).await;
        build = patiently(&told::followed, || pipeline.build(&build.id)).await?.unwrap_or(build);
    }
    Ok(if args.follow { trigger::outcome(&job.built(build)) } else { Outcome::Clean })
}

fn unbuilt(job: &Job) -> Why {
    let why = job.why.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
    Why::new(format!("the job {} is {} and has no log{why}", job.id, job.state.word()))
}

pub(super) async fn stop(session: &Session, args: &OneArgs) -> Result<Outcome, Failed> {
    let pipeline = Pipeline::open(session).await?;
    let (job, build) = one(&pipeline, &args.job).await?;
    if build.is_over() {
        return Err(Why::new(format!("the job {} is {} already", job.id, job.state.word())).into());
    }
    let does = format!("stop {} of {}", job.id, job.project);
    let Some(writer) = agreed(session, args, ("pipeline stop", &does)).await? else { return Ok(Outcome::Differences) };
    let (build, untold) = pipeline.by(&writer).stop(&build.id).await?;
    note(untold.as_ref());
    done(&build, "asked to end", args.how.output)
}

pub(super) async fn retry(session: &Session, args: &OneArgs) -> Result<Outcome, Failed> {
    let pipeline = Pipeline::open(session).await?;
    let (job, build) = one(&pipeline, &args.job).await?;
    if !build.is_over() {
        let why = Why::new(format!("the job {} goes on", job.id));
        return Err(why.hint(format!("plumb pipeline stop {} ends it", job.id)).into());
    }
    let does = format!("start {} of {} again", job.id, job.project);
    let Some(writer) = agreed(session, args, ("pipeline retry", &does)).await? else { return Ok(Outcome::Differences) };
    let (build, untold) = pipeline.by(&writer).retry(&build.id).await?;
    note(untold.as_ref());
    done(&build, "started", args.how.output)
}

async fn one(pipeline: &Pipeline, id: &str) -> Result<(Job, Build), Failed> {
    let job = pipeline.find(Some(id)).await?;
    let why = job.why.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
    let Some(build) = job.build.clone() else {
        let why = Why::new(format!("the job {} is {} and has no build{why}", job.id, job.state.word()));
        return Err(why.hint("plumb pipeline trigger asks anew").into());
    };
    let branch = job.branch.as_deref().map(clean).unwrap_or_default();
    say!("job     {}   {} {branch}   {}", clean(&job.id), clean(&job.project), job.state.word());
    say!("build   {}", clean(&build.id));
    Ok((job, build))
}

/// The session that may do it; `None`: it was only to be shown.
async fn agreed(session: &Session, args: &OneArgs, (command, does): (&str, &str)) -> Result<Option<Session>, Failed> {
    if args.how.dry_run {
        return Ok(None);
    }
    let deed = Deed { command, does, asks: Asks::Protected };
    Ok(Some(args.how.consent.obtain(session, deed).await?))
}

fn done(build: &Build, what: &str, output: Output) -> Result<Outcome, Failed> {
    say!("{what}: {}   {}", clean(&build.id), clean(&build.status.to_lowercase()));
    if output == Output::Json {
        print_json(&json::build(build))?;
    }
    Ok(Outcome::Clean)
}
