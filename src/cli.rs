//! The commands: arguments in, use cases called, text or JSON out.
//!
//! What a script reads goes to stdout, everything else to stderr.

mod bootstrap;
mod clean;
mod completions;
mod config;
mod consent;
mod crypto;
mod demo;
mod deploy;
mod diff;
mod doctor;
mod history;
mod hold;
mod hook;
mod init;
mod input;
mod intake;
mod journal;
mod keys;
mod lambda;
mod local;
mod machine;
mod man;
mod map;
mod markdown;
mod pipeline;
mod policy;
mod print;
mod progress;
mod projects;
mod promote;
mod push;
mod record;
mod recover;
mod redeploy;
mod shared;
mod status;
mod summary;
mod table;
mod undo;
mod values;

use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use clap_complete::ArgValueCandidates;
use futures::future::BoxFuture;

pub use self::keys::{KeyRow, Rows};
use self::print::{print_json, print_json_line, say};
use self::progress::Progress;
pub(crate) use self::projects::Place;
pub use self::shared::{Failed, Shared};
pub(crate) use self::shared::{brief, clean};
use crate::config::Environ;

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
    /// The names of its themes, for a shell that completes them.
    pub themes: fn(&Environ) -> Vec<String>,
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
    #[arg(long, global = true, value_name = "NAME", add = ArgValueCandidates::new(values::themes))]
    theme: Option<String>,
    /// Tell how many AWS API calls were made, by operation.
    #[arg(long, global = true)]
    stats: bool,
}

impl Global {
    /// Without values of which nothing is typed yet.
    fn without_blanks(mut self) -> Self {
        let Self { env, git_ref, project, profile, region, endpoint_url, stack, path, theme, stats: _ } = &mut self;
        for value in [env, git_ref, project, profile, region, endpoint_url, stack, path, theme] {
            value.take_if(|value| value.trim().is_empty());
        }
        self
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    /// What differs between git and live.
    Status(status::Args),
    /// How git and live differ, value by value.
    Diff(diff::Args),
    /// Make parameters and secrets say what a commit says.
    Push(push::Args),
    /// Make stacks and their code what a commit says: a change set, shown first.
    Deploy(deploy::Args),
    /// Ask the project's own deploy flow to roll a commit out: a GitHub workflow, the pipeline, or a change set from here.
    Redeploy(redeploy::Args),
    /// Hold redeploys for a while: nothing is put back, neither by the loop nor by plumb redeploy.
    Hold(hold::Args),
    /// End a hold.
    Release(hold::ReleaseArgs),
    /// Lay what the project needs in an account: bucket, deploy role, keys, trail.
    Bootstrap(bootstrap::Args),
    /// Lead a stack out of where it got stuck.
    Recover(recover::Args),
    /// Delete a stack, after showing all that goes with it.
    Clean(clean::Args),
    /// Take the last push back, or another one of the journal.
    Undo(undo::Args),
    /// Go back: a parameter or secret to an earlier value of its own, stacks to an earlier commit, a function to its
    /// previous version.
    Rollback(undo::RollbackArgs),
    /// The past of a parameter or secret: git's commits and the live versions; or of a stack: its deployments.
    History(history::Args),
    /// Compare two environments in git, and take values from one to the other on a new branch.
    Promote(promote::Args),
    /// Write receipts for what is live already.
    Record(record::Args),
    /// What was written, by whom and how it went.
    Journal(journal::Args),
    /// Which file becomes which parameter or secret; asks no AWS.
    Map(map::Args),
    /// Config in git: read it, change it, check it, all of it encrypted; and the settings in use.
    #[command(subcommand)]
    Config(config::Command),
    /// Teach git to refuse plain text, and to show and merge encrypted documents by their values.
    #[command(subcommand)]
    Hook(hook::Command),
    /// Begin a project, in a new or an existing repository: plumb.toml, config, .sops.yaml, workflows, hooks.
    Init(init::Args),
    /// The IAM policy that Plumb needs.
    Policy(policy::Args),
    /// Check git, config, keys, credentials, permissions and terminal.
    Doctor(doctor::Args),
    /// The local AWS account, for trying things out.
    #[command(subcommand)]
    Local(local::Command),
    /// The functions that Plumb carries - crypto API, loop, intake, pipeline: their source, and their artifacts.
    #[command(subcommand)]
    Lambda(lambda::Command),
    /// The crypto API: encrypt, decrypt, its keys, and the proof that it works.
    #[command(subcommand)]
    Crypto(crypto::Command),
    /// The deploy pipeline that anybody with leave to publish may trigger: its projects, its jobs, their logs.
    #[command(subcommand)]
    Pipeline(pipeline::Command),
    /// The intake: post a record, read one, count them, look on as they come in.
    #[command(subcommand)]
    Intake(intake::Command),
    /// The weekly summaries of the intake: what there is, what is in one, making and proving one.
    #[command(subcommand)]
    Summary(summary::Command),
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

/// The exit code of a command that ^C ended: that of a process which SIGINT ended, 128 + 2.
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
            Some(Command::Push(args)) => Box::pin(push::run(&shared, args)).await,
            Some(Command::Deploy(args)) => Box::pin(deploy::run(&shared, args)).await,
            Some(Command::Redeploy(args)) => Box::pin(redeploy::run(&shared, args)).await,
            Some(Command::Hold(args)) => Box::pin(hold::run(&shared, args)).await,
            Some(Command::Release(args)) => Box::pin(hold::release(&shared, args)).await,
            Some(Command::Bootstrap(args)) => Box::pin(bootstrap::run(&shared, args)).await,
            Some(Command::Recover(args)) => Box::pin(recover::run(&shared, args)).await,
            Some(Command::Clean(args)) => Box::pin(clean::run(&shared, args)).await,
            Some(Command::Undo(args)) => Box::pin(undo::run(&shared, args)).await,
            Some(Command::Rollback(args)) => Box::pin(undo::rollback(&shared, args)).await,
            Some(Command::History(args)) => Box::pin(history::run(&shared, args)).await,
            Some(Command::Promote(args)) => promote::run(&shared, args).await,
            Some(Command::Record(args)) => Box::pin(record::run(&shared, args)).await,
            Some(Command::Journal(args)) => journal::run(&shared, args).await,
            Some(Command::Map(args)) => map::run(&shared, args).await,
            Some(Command::Config(command)) => Box::pin(config::run(&shared, command)).await,
            Some(Command::Hook(command)) => hook::run(&shared, command).await,
            Some(Command::Init(args)) => Box::pin(init::run(&shared, args)).await,
            Some(Command::Policy(args)) => policy::run(&shared, args).await,
            Some(Command::Doctor(args)) => Box::pin(doctor::run(&shared, args)).await,
            Some(Command::Local(command)) => local::run(&shared, command).await,
            Some(Command::Lambda(command)) => lambda::run(&shared, command).await,
            Some(Command::Crypto(command)) => Box::pin(crypto::run(&shared, command)).await,
            Some(Command::Pipeline(command)) => Box::pin(pipeline::run(&shared, command)).await,
            Some(Command::Intake(command)) => Box::pin(intake::run(&shared, command)).await,
            Some(Command::Summary(command)) => Box::pin(summary::run(&shared, command)).await,
            Some(Command::Keys(args)) => keys::run(&shared, args, console.keys, console.keys_markdown),
            Some(Command::Completions(args)) => completions::run(args),
            Some(Command::Man(args)) => man::run(args),
        }
    };
    // The console reads ^C as a key and takes the terminal's signals itself; an editor is asked to end first.
    let own = |command: &Command| match command {
        // A deployment takes its change set back first, or says that it goes on.
        Command::Demo(_)
        | Command::Deploy(_)
        | Command::Redeploy(_)
        | Command::Bootstrap(_)
        | Command::Rollback(_)
        | Command::Recover(_)
        | Command::Clean(_) => true,
        Command::Config(command) => command.takes_signals(),
        Command::Pipeline(command) => command.takes_signals(),
        _ => false,
    };
    let result = if cli.command.as_ref().is_none_or(own) {
        command.await
    } else {
        tokio::select! {
            result = command => result,
            _ = tokio::signal::ctrl_c() => return ExitCode::from(INTERRUPTED),
        }
    };
    ended(written(result))
}

/// What was printed is written to its last byte, or it is no success.
fn written(result: Result<Outcome, Failed>) -> Result<Outcome, Failed> {
    let outcome = result?;
    std::io::stdout().flush()?;
    Ok(outcome)
}

fn ended(result: Result<Outcome, Failed>) -> ExitCode {
    match result {
        Ok(Outcome::Clean) => ExitCode::SUCCESS,
        Ok(Outcome::Differences) => ExitCode::from(1),
        Ok(Outcome::Problem) => ExitCode::from(2),
        // Whoever reads us has seen enough: `plumb status | head`. That says nothing about what was found.
        Err(Failed::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => ExitCode::from(PIPE_CLOSED),
        Err(Failed::Interrupted) => ExitCode::from(INTERRUPTED),
        Err(failed) => {
            failed.print();
            ExitCode::from(if let Failed::Signal { code, .. } = failed { code } else { 2 })
        }
    }
}

/// Reads the command line; else the exit code: a shell that asked what may stand there has its answer, help was asked for,
/// or the line is wrong.
pub fn parse(console: Console) -> Result<Cli, ExitCode> {
    if completions::answered(console.themes) {
        return Err(ExitCode::SUCCESS);
    }
    Cli::try_parse().map_err(|asked| {
        let printed = asked.print().and_then(|()| std::io::stdout().flush());
        match printed {
            Err(error) if !asked.use_stderr() => ended(Err(error.into())),
            // A wrong line is wrong, whoever hears of it.
            _ => ExitCode::from(u8::try_from(asked.exit_code()).unwrap_or(2)),
        }
    })
}
