//! `plumb pipeline`: the deploy pipeline's projects, its jobs, and asking for one.

mod image;
mod jobs;
mod json;
mod letters;
mod registry;
mod told;
mod trigger;

use std::io::Write;
use std::path::PathBuf;

use super::consent::How;
use super::{Failed, Outcome, Output, Shared, clean, print_json, say};
use crate::compare::Why;
use crate::ops::pipeline::{Pipeline, script};
use crate::ops::session::Session;

pub(super) use self::told::followed;
pub(super) use self::trigger::outcome;

/// What to do with the pipeline.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// The registered projects.
    List(Reading),
    /// One of them, field by field.
    Show {
        /// Its name. Default: this repository's.
        // --project is the project file.
        #[arg(id = "registered", value_name = "PROJECT")]
        project: Option<String>,
        #[command(flatten)]
        reading: Reading,
    },
    /// Register a project.
    Add(registry::Args),
    /// Change fields of a registered project.
    Edit(registry::EditArgs),
    /// Take a project out of the registry. What runs goes on.
    Remove {
        /// Its name.
        // --project is the project file.
        #[arg(id = "registered", value_name = "PROJECT")]
        project: String,
        #[command(flatten)]
        how: How,
    },
    /// Check registered projects: their fields, repositories and credentials.
    Check {
        /// Their names. Default: all.
        projects: Vec<String>,
        #[command(flatten)]
        reading: Reading,
    },
    /// Ask for a job.
    Trigger(trigger::Args),
    /// What was asked for, and what came of it.
    Jobs(jobs::Args),
    /// The log of a job.
    Logs(jobs::LogArgs),
    /// Ask a job's build to end.
    Stop(jobs::OneArgs),
    /// Start a job's build again, with the variables that it had.
    Retry(jobs::OneArgs),
    /// Dead letters: list them, open one, publish one again.
    Letters(letters::Args),
    /// The policy of whoever may ask for jobs and do nothing else.
    Policy(Reading),
    /// Write trigger_job.sh, which asks for a job from any CI.
    Script {
        /// Where to; - is stdout.
        #[arg(value_name = "FILE", default_value = "trigger_job.sh", value_hint = clap::ValueHint::FilePath)]
        file: PathBuf,
        /// Replace what is there.
        #[arg(long)]
        force: bool,
    },
    /// The worker as a container image.
    #[command(subcommand)]
    Image(image::Command),
}

/// How what is read is printed.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Reading {
    /// Text or JSON.
    #[arg(long, short, value_enum, default_value_t = Output::Text)]
    output: Output,
}

impl Command {
    /// Whether it ends by itself what it has begun when it is interrupted.
    pub(super) fn takes_signals(&self) -> bool {
        matches!(self, Self::Add(_) | Self::Edit(_) | Self::Remove { .. })
    }
}

/// Runs `plumb pipeline`.
pub(super) async fn run(shared: &Shared, command: &Command) -> Result<Outcome, Failed> {
    if let Command::Image(image::Command::Build(args)) = command {
        return image::build(args).await;
    }
    let session = shared.session().await?;
    let outcome = match command {
        Command::List(reading) => registry::list(&session, reading.output).await,
        Command::Show { project, reading } => registry::show(&session, project.as_deref(), reading.output).await,
        Command::Add(args) => registry::add(&session, args).await,
        Command::Edit(args) => registry::edit(&session, args).await,
        Command::Remove { project, how } => registry::remove(&session, project, how).await,
        Command::Check { projects, reading } => registry::check(&session, projects, reading.output).await,
        Command::Trigger(args) => Box::pin(trigger::run(&session, args)).await,
        Command::Jobs(args) => jobs::list(&session, args).await,
        Command::Logs(args) => jobs::logs(&session, args).await,
        Command::Stop(args) => Box::pin(jobs::stop(&session, args)).await,
        Command::Retry(args) => Box::pin(jobs::retry(&session, args)).await,
        Command::Letters(args) => Box::pin(letters::run(&session, args)).await,
        Command::Policy(_) => policy(&session).await,
        Command::Script { file, force } => write_script(&session, file, *force).await,
        Command::Image(image::Command::Build(args)) => image::build(args).await,
        Command::Image(image::Command::Push(args)) => Box::pin(image::push(&session, args)).await,
    }?;
    shared.stats(&session);
    Ok(outcome)
}

/// The document on stdout; that the account has it already is told on stderr.
async fn policy(session: &Session) -> Result<Outcome, Failed> {
    let pipeline = Pipeline::open(session).await?;
    print_json(&pipeline.publisher()?)?;
    if let Ok(arn) = pipeline.publisher_arn() {
        say!("note: the stack has made it already, to be attached to a CI's role: {}", clean(arn));
    }
    Ok(Outcome::Clean)
}

async fn write_script(session: &Session, file: &std::path::Path, force: bool) -> Result<Outcome, Failed> {
    let script = Pipeline::open(session).await?.script()?;
    if file.as_os_str() == "-" {
        std::io::stdout().lock().write_all(script.as_bytes())?;
        return Ok(Outcome::Clean);
    }
    let is_new = script::write(file, &script, force)?;
    let name = clean(&file.display().to_string());
    say!("{name} {}", if is_new { "is written: sh trigger_job.sh PROJECT BRANCH" } else { "says so already" });
    Ok(Outcome::Clean)
}

/// Tells that the journal does not hold something.
fn note(untold: Option<&Why>) {
    if let Some(why) = untold {
        say!("note: {}", clean(&why.reason));
    }
}
