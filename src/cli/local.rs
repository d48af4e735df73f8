//! `plumb local`: the local AWS account.

use std::io::Write;
use std::path::PathBuf;

use super::{Failed, Outcome, Shared, clean, say};
use crate::compare::Why;
use crate::ops::local::{self, Note, Running, Status, UpOptions};
use crate::ops::schema::time;

/// What to do with the local account.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// Start it, or find the one that runs; installs it the first time.
    Up {
        /// Check signatures and policies, as AWS does.
        #[arg(long)]
        enforce_iam: bool,
        /// Keep its content in this directory over a stop.
        #[arg(long, value_name = "DIR")]
        persist: Option<PathBuf>,
    },
    /// Whether it runs: exit code 0 when it does, 1 when not.
    Status,
    /// Empty it.
    Reset,
    /// Stop it.
    Down,
    /// Print exports for a shell: eval "$(plumb local env)".
    Env,
}

/// Runs `plumb local`.
pub(super) async fn run(shared: &Shared, command: &Command) -> Result<Outcome, Failed> {
    let paths = local::paths(shared.directories())?;
    let mut out = std::io::stdout();
    match command {
        Command::Up { enforce_iam, persist } => {
            let persist = persist.as_deref().map(std::path::absolute).transpose()?;
            let options = UpOptions { enforce_iam: *enforce_iam, persist, detached: true };
            let running = local::up(&paths, options, tell).await?;
            describe(&mut out, &running)?;
            say!("eval \"$(plumb local env)\" points a shell at it; plumb local down stops it");
            Ok(Outcome::Clean)
        }
        Command::Status => match local::status(&paths).await? {
            Status::Running(running) => {
                describe(&mut out, &running)?;
                Ok(Outcome::Clean)
            }
            Status::Stopped => {
                writeln!(out, "stopped")?;
                Ok(Outcome::Differences)
            }
            Status::Silent { pid, port } => {
                writeln!(out, "does not answer on port {port} (process {pid})")?;
                say!("try: plumb local down, then plumb local up");
                Ok(Outcome::Differences)
            }
            Status::Crashed { started_at, log } => {
                writeln!(out, "crashed; it was started {}", time(started_at))?;
                say!("its log: {}", log.display());
                Ok(Outcome::Differences)
            }
        },
        Command::Reset => {
            local::reset(&paths).await?;
            say!("the local account is empty");
            Ok(Outcome::Clean)
        }
        Command::Down => {
            let ended = local::down(&paths).await?;
            say!("{}", if ended { "the local account is stopped" } else { "the local account did not run" });
            Ok(Outcome::Clean)
        }
        Command::Env => match local::status(&paths).await? {
            Status::Running(running) => {
                write!(out, "{}", local::exports(&paths, &running))?;
                Ok(Outcome::Clean)
            }
            _ => Err(Why::new("the local account does not run").hint("plumb local up").into()),
        },
    }
}

fn tell(note: Note) {
    match note {
        Note::Waiting => say!("waiting for another plumb local"),
        Note::Installing(tool) => say!("installing it with {} (once)", clean(&tool)),
        Note::Retrying(why) => say!("{}", super::shared::lines(&why)),
        Note::Starting(port) => say!("starting on 127.0.0.1:{port}"),
        Note::Ready(port) => say!("ready on 127.0.0.1:{port}"),
        Note::Attached(port) => say!("it runs already, on 127.0.0.1:{port}"),
    }
}

fn describe(out: &mut impl Write, running: &Running) -> std::io::Result<()> {
    let iam = if running.enforce_iam { "enforced" } else { "not enforced" };
    writeln!(out, "endpoint  {}", running.endpoint_url)?;
    writeln!(out, "region    {}", running.region)?;
    writeln!(out, "account   {}", running.account)?;
    writeln!(out, "iam       {iam}")?;
    writeln!(out, "process   {}, since {}", running.pid, time(running.started_at))?;
    if let Some(persist) = &running.persist {
        writeln!(out, "content   {}", persist.display())?;
    }
    writeln!(out, "log       {}", running.log.display())
}
