//! The commands: arguments in, use cases called, text or JSON out.
//!
//! What a script reads goes to stdout, everything else to stderr.

#![allow(clippy::print_stdout, reason = "printing is what commands are for")]

mod completions;
mod config;
mod demo;
mod diff;
mod doctor;
mod init;
mod journal;
mod keys;
mod lambda;
mod local;
mod man;
mod map;
mod policy;
mod projects;
mod record;
mod shared;
mod status;
mod table;
mod values;

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use clap_complete::ArgValueCandidates;
use futures::future::BoxFuture;

pub use self::keys::{KeyRow, Rows};
pub(crate) use self::projects::Place;
pub(crate) use self::shared::clean;
pub use self::shared::{Failed, Shared};

/// Opens the console and stays until it is closed.
pub type Open = fn(Shared) -> BoxFuture<'static, Result<Outcome, Failed>>;

/// The console, of which this room knows nothing else.
#[derive(Clone, Copy)]
pub struct Console {
    /// Opens it.
    pub open: Open,
    /// Its keys, the operator's own among them.
    pub keys: Rows,
    /// The page of its keys in Markdown.
    pub keys_markdown: fn() -> String,
}

/// A terminal operations console for GitOps on AWS serverless: what git says and what is live, side by side.
///
/// Without a command it opens the console.
#[derive(Debug, Parser)]
#[command(name = "plumb", version, about, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Option<Command>,
}

/// What every command understands.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Global {
    /// The environment.
    #[arg(long, short, global = true, value_name = "NAME", add = ArgValueCandidates::new(values::environments))]
    env: Option<String>,
    /// The commit to compare with: a branch, tag, commit, or WORKTREE.
    #[arg(long = "ref", global = true, value_name = "REF", add = ArgValueCandidates::new(values::references))]
    git_ref: Option<String>,
    /// The project: plumb.toml, or the directory that it lies in.
    #[arg(long, global = true, value_name = "PATH", value_hint = clap::ValueHint::AnyPath)]
    project: Option<String>,
    /// The AWS profile.
    #[arg(long, global = true, value_name = "NAME")]
    profile: Option<String>,
    /// The AWS region.
    #[arg(long, global = true, value_name = "REGION")]
    region: Option<String>,
    /// Where AWS requests go instead of AWS.
    #[arg(long, global = true, value_name = "URL")]
    endpoint_url: Option<String>,
    /// Look at this stack alone; needs no project.
    #[arg(long, global = true, value_name = "NAME", add = ArgValueCandidates::new(values::stacks))]
    stack: Option<String>,
    /// Look at the parameters below this path alone; needs no project.
    #[arg(long, global = true, value_name = "PREFIX", add = ArgValueCandidates::new(values::paths))]
    path: Option<String>,
    /// The colour theme.
    #[arg(long, global = true, value_name = "NAME")]
    theme: Option<String>,
    /// Tell how many AWS API calls were made, by operation.
    #[arg(long, global = true)]
    stats: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// What differs between git and live.
    Status(status::Args),
    /// How git and live differ, value by value.
    Diff(diff::Args),
    /// Write receipts for what is live already.
    Record(record::Args),
    /// What was written, by whom and how it went.
    Journal(journal::Args),
    /// Which file becomes which parameter or secret; asks no AWS.
    Map(map::Args),
    /// The configuration in use.
    #[command(subcommand)]
    Config(config::Command),
    /// Write a first plumb.toml, guessed from what is there.
    Init(init::Args),
    /// The IAM policy that Plumb needs.
    Policy(policy::Args),
    /// Check git, config, keys, credentials, permissions and terminal.
    Doctor(doctor::Args),
    /// The local AWS account, for trying things out.
    #[command(subcommand)]
    Local(local::Command),
    /// The crypto API's functions: their source, and their artifacts.
    #[command(subcommand)]
    Lambda(lambda::Command),
    /// A project that has really drifted, on the local account.
    Demo(demo::Args),
    /// Every key of the console.
    Keys(keys::Args),
    /// What makes a shell complete plumb: its commands, and names from the project and git.
    Completions(completions::Args),
    /// The manual pages.
    Man(man::Args),
}

/// How a command prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Output {
    /// For people.
    Text,
    /// For scripts.
    Json,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing differs, or all is done.
    Clean,
    /// There are differences.
    Differences,
    /// Something failed.
    Problem,
}

/// The exit code of a command that ^C ended.
const INTERRUPTED: u8 = 130;

/// The exit code when nobody reads the output any more: that of a process which SIGPIPE ended, 128 + 13.
const PIPE_CLOSED: u8 = 141;

/// Runs what the command line says.
///
/// `console` opens the console and tells of its keys.
pub async fn run(cli: Cli, console: Console) -> ExitCode {
    let open = console.open;
    let shared = Shared::new(cli.global);
    let command = async {
        match &cli.command {
            None => open(shared.clone()).await,
            Some(Command::Demo(args)) => demo::run(&shared, args, open).await,
            Some(Command::Status(args)) => status::run(&shared, args).await,
            Some(Command::Diff(args)) => Box::pin(diff::run(&shared, args)).await,
            Some(Command::Record(args)) => Box::pin(record::run(&shared, args)).await,
            Some(Command::Journal(args)) => journal::run(&shared, args).await,
            Some(Command::Map(args)) => map::run(&shared, args).await,
            Some(Command::Config(command)) => config::run(&shared, command),
            Some(Command::Init(args)) => init::run(args).await,
            Some(Command::Policy(args)) => policy::run(&shared, args).await,
            Some(Command::Doctor(args)) => Box::pin(doctor::run(&shared, args)).await,
            Some(Command::Local(command)) => local::run(&shared, command).await,
            Some(Command::Lambda(command)) => lambda::run(&shared, command).await,
            Some(Command::Keys(args)) => keys::run(&shared, args, console.keys, console.keys_markdown),
            Some(Command::Completions(args)) => completions::run(args),
            Some(Command::Man(args)) => man::run(args),
        }
    };
    // The console reads ^C as a key and takes the terminal's signals itself.
    let result = if matches!(cli.command, None | Some(Command::Demo(_))) {
        command.await
    } else {
        tokio::select! {
            result = command => result,
            _ = tokio::signal::ctrl_c() => return ExitCode::from(INTERRUPTED),
        }
    };
    match result {
        Ok(Outcome::Clean) => ExitCode::SUCCESS,
        Ok(Outcome::Differences) => ExitCode::from(1),
        Ok(Outcome::Problem) => ExitCode::from(2),
        // Whoever reads us has seen enough: `plumb status | head`. That says nothing about what was found.
        Err(Failed::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::from(PIPE_CLOSED),
        Err(Failed::Interrupted) => ExitCode::from(INTERRUPTED),
        Err(failed) => {
            failed.print();
            ExitCode::from(2)
        }
    }
}

/// Writes what a script reads.
fn print_json(value: &impl serde::Serialize) -> Result<(), Failed> {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, value).map_err(std::io::Error::from)?;
    writeln!(out)?;
    Ok(())
}

/// Reads the command line; `None`: a shell asked what may stand there, and has its answer.
#[must_use]
pub fn parse() -> Option<Cli> {
    if completions::answered() { None } else { Some(Cli::parse()) }
}
