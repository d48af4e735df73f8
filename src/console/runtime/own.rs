//! Commands of the operator's own: on the terminal or in the background, ended there with all that they have started.
//!
//! One that writes comes with a [`Permit`]: the journal holds it before it is started, and hears how it went as soon as it
//! has ended. Nothing that a command wrote goes there: it may be a value.

use std::io::Error;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use futures::{FutureExt, Stream};
use rustix::process::{Pid, Signal as Kill, kill_process_group, test_kill_process_group};
use tokio::io::AsyncReadExt;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};
use zeroize::Zeroizing;

use super::Signal;
use super::outside::{self, Ended, Returned, ask_for_enter, page, with_signals};
use crate::compare::Why;
use crate::config::Output;
use crate::console::backend::Permit;
use crate::console::home::{self, Home};
use crate::console::programs::tame;
use crate::ops::journal::Outcome;

/// Bytes of a command's output that are kept.
const KEPT: u64 = 4 << 20;

/// Bytes of its complaints.
const COMPLAINT: u64 = 16 << 10;

/// How long a command in the background may take to end when it is told to. Less than the console takes to be left.
const GRACE: Duration = Duration::from_secs(2);

/// How often one looks whether the last of its processes is gone.
const POLL: Duration = Duration::from_millis(20);

/// Why a command in the background is ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// The operator said so.
    Asked,
    /// The console is left.
    Left,
}

impl Ending {
    fn word(self) -> &'static str {
        match self {
            Self::Asked => "ended by the operator",
            Self::Left => "ended, since the console was left",
        }
    }
}

/// How a command went.
enum Went {
    NotStarted(Error),
    /// It was not started, since it was to be ended already.
    Unwanted(Ending),
    Done(ExitStatus),
    Stopped(Ending),
    /// It was started, and then not heard of any more.
    Lost(Error),
}

impl Went {
    /// As the journal says it.
    fn noted(&self) -> (Outcome, Option<String>) {
        match self {
            Self::Done(status) if status.success() => (Outcome::Ok, None),
            Self::Done(status) => (Outcome::Failed, Some(status.to_string())),
            Self::NotStarted(error) => (Outcome::Failed, Some(format!("it cannot be started: {error}"))),
            Self::Unwanted(ending) => (Outcome::Failed, Some(format!("{} before it was started", ending.word()))),
            Self::Stopped(ending) => {
                (Outcome::Unknown, Some(format!("{}: how far it came is not known", ending.word())))
            }
            Self::Lost(error) => (Outcome::Unknown, Some(error.to_string())),
        }
    }

    /// As the operator is told of it.
    fn told(&self, custom: &home::Command) -> Result<(), Why> {
        let id = &custom.id;
        match self {
            Self::Done(status) => outside::ended(id, *status),
            Self::NotStarted(error) => Err(outside::not_started(custom.argv.first().map_or(id, |name| name), error)),
            Self::Unwanted(_) | Self::Stopped(_) => Err(Why::new(format!("{id} was ended"))),
            Self::Lost(error) => Err(Why::new(format!("{id}: {error}"))),
        }
    }

    /// Tells the journal, where it holds the command; answers why it does not hold that, if so.
    async fn settle(&self, permit: Option<Permit>) -> Option<Why> {
        let (outcome, error) = self.noted();
        permit?.note.settle(outcome, error).await
    }
}

/// Runs a command on the terminal until it ends. The inner result is for the operator.
pub(super) async fn on_the_terminal(
    custom: &home::Command,
    permit: Option<Permit>,
    home: &Home,
    signals: &mut (impl Stream<Item = Signal> + Unpin),
) -> Result<Returned, Ended> {
    let mut command = prepared(custom, permit.as_ref());
    if custom.output != Output::None {
        command.stdout(Stdio::piped());
    }
    let (went, output) = match command.spawn() {
        Err(error) => (Went::NotStarted(error), Zeroizing::default()),
        Ok(mut child) => match with_signals(gather(&mut child), signals).await? {
            Ok((status, output)) => (Went::Done(status), output),
            Err(error) => (Went::Lost(error), Zeroizing::default()),
        },
    };
    // Before anything of it is read, which takes as long as the reader likes.
    let untold = with_signals(went.settle(permit), signals).await?;
    let said = Zeroizing::new(tame(&String::from_utf8_lossy(&output)));
    let read = match custom.output {
        Output::None if !matches!(went, Went::NotStarted(_)) => ask_for_enter(signals).await?,
        Output::Pager if !said.trim().is_empty() => page(said.as_bytes(), false, home, signals).await?,
        Output::None | Output::Pager | Output::Notice => Ok(None),
    };
    let said = if custom.output == Output::Notice { &said } else { "" };
    Ok(told(went.told(custom).and(read).map(|_| notice(&custom.id, said)), untold).map(Some))
}

/// Notes that a command was not run after all, and hands back why.
pub(super) async fn not_begun(permit: Permit, why: &Why) -> Returned {
    let untold = permit.note.settle(Outcome::Failed, Some(format!("it was not started: {}", why.reason))).await;
    told(Err(why.clone()), untold).map(Some)
}

/// Runs a command in the background until it ends by itself or is ended; its first line.
pub(super) async fn in_background(
    custom: &home::Command,
    permit: Option<Permit>,
    end: impl Future<Output = Ending>,
) -> Result<String, Why> {
    let mut command = prepared(custom, permit.as_ref());
    // In a group of its own: what the terminal's keys end is the console's matter, and what it starts ends with it.
    command.process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    tokio::pin!(end);
    let (went, output, complaint) = match end.as_mut().now_or_never() {
        Some(ending) => (Went::Unwanted(ending), Zeroizing::default(), String::new()),
        None => match command.spawn() {
            Ok(child) => attend(child, end).await,
            Err(error) => (Went::NotStarted(error), Zeroizing::default(), String::new()),
        },
    };
    let untold = went.settle(permit).await;
    let said = Zeroizing::new(tame(&String::from_utf8_lossy(&output)));
    let said = if custom.output == Output::None { "" } else { &said };
    let outcome = went.told(custom).map(|()| notice(&custom.id, said));
    told(outcome.map_err(|why| Why { reason: format!("{}{complaint}", why.reason), ..why }), untold)
}

/// The command as it is started.
fn prepared(custom: &home::Command, permit: Option<&Permit>) -> Command {
    // The config lets none pass that names no program; an empty one cannot be started.
    let (program, arguments) = custom.argv.split_first().map_or(("", &[][..]), |(name, rest)| (name, rest));
    let mut command = Command::new(program);
    command.args(arguments).kill_on_drop(true);
    for (name, value) in permit.iter().flat_map(|permit| &permit.variables) {
        match value {
            Some(value) => command.env(name, value.expose()),
            None => command.env_remove(name),
        };
    }
    command
}

/// A command in a process group of its own. Dropped while it runs, the whole group is killed.
struct Group {
    child: Child,
    leader: Option<Pid>,
}

impl Group {
    fn of(child: Child) -> Self {
        let leader = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        Self { child, leader }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Only while it is not reaped is its number its own.
        if let (Some(leader), Some(_)) = (self.leader, self.child.id()) {
            let _ = kill_process_group(leader, Kill::KILL);
        }
    }
}

/// How it went, what it wrote, and for a failure the first line of its complaints.
async fn attend(mut child: Child, end: impl Future<Output = Ending>) -> (Went, Zeroizing<Vec<u8>>, String) {
    let errors = child.stderr.take();
    let complaint = tokio::spawn(async move {
        let mut said = Vec::new();
        if let Some(errors) = errors {
            // Nothing more than its beginning is told; the rest is read so that the program does not wait.
            let mut errors = errors.take(COMPLAINT);
            let _ = errors.read_to_end(&mut said).await;
            let _ = tokio::io::copy(&mut errors.into_inner(), &mut tokio::io::sink()).await;
        }
        said
    });
    let mut group = Group::of(child);
    let leader = group.leader;
    let work = gather(&mut group.child);
    tokio::pin!(work);
    let done = tokio::select! {
        biased;
        done = &mut work => done,
        ending = end => {
            if let Some(leader) = leader {
                stop(leader, work).await;
            }
            return (Went::Stopped(ending), Zeroizing::default(), String::new());
        }
    };
    match done {
        Ok((status, output)) if status.success() => (Went::Done(status), output, String::new()),
        Ok((status, output)) => {
            let said = complaint.await.unwrap_or_default();
            let said = tame(&String::from_utf8_lossy(&said));
            let first = said.lines().map(str::trim).find(|line| !line.is_empty());
            (Went::Done(status), output, first.map(|line| format!(": {line}")).unwrap_or_default())
        }
        Err(error) => (Went::Lost(error), Zeroizing::default(), String::new()),
    }
}

/// Ends a process group, by force when it takes too long; comes back when all of it is gone.
async fn stop<T>(leader: Pid, work: impl Future<Output = T>) {
    let _ = kill_process_group(leader, Kill::TERM);
    let gone = async {
        work.await;
        while test_kill_process_group(leader).is_ok() {
            sleep(POLL).await;
        }
    };
    if timeout(GRACE, gone).await.is_err() {
        let _ = kill_process_group(leader, Kill::KILL);
    }
}

/// All that a program writes, up to a limit, and how it ended.
async fn gather(child: &mut Child) -> std::io::Result<(ExitStatus, Zeroizing<Vec<u8>>)> {
    let mut output = Zeroizing::new(Vec::new());
    if let Some(stdout) = child.stdout.take() {
        let mut stdout = stdout.take(KEPT);
        stdout.read_to_end(&mut output).await?;
        tokio::io::copy(&mut stdout.into_inner(), &mut tokio::io::sink()).await?;
    }
    Ok((child.wait().await?, output))
}

fn notice(id: &str, said: &str) -> String {
    let first = said.lines().map(str::trim).find(|line| !line.is_empty());
    first.map_or_else(|| format!("{id} has ended"), |line| format!("{id}: {line}"))
}

/// The same with why the journal does not hold it, if so.
fn told(outcome: Result<String, Why>, untold: Option<Why>) -> Result<String, Why> {
    let Some(untold) = untold else { return outcome };
    match outcome {
        Ok(said) => Ok(format!("{said}, but {}", untold.reason)),
        Err(why) => Err(Why { reason: format!("{}, and {}", why.reason, untold.reason), ..why }),
    }
}

#[cfg(test)]
mod tests;
