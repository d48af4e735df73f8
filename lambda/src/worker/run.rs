//! The command: run without a shell unless the registry says so, in a process group of its own, which ends as a whole.

use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::Child;
use tokio::time::{Instant, sleep, timeout};

use super::Stop;
use super::mask::{Mask, Secrets};
use crate::pipeline::registry::Command;

/// Between asking a group to end and ending it.
const GRACE: Duration = Duration::from_secs(5);
/// How often it is asked whether a group is gone: nothing tells of that.
const LOOK: Duration = Duration::from_millis(50);

/// What is run.
pub(super) struct Job<'a> {
    pub(super) command: &'a Command,
    pub(super) directory: &'a Path,
    /// Set or, without a value, taken away.
    pub(super) variables: Vec<(&'static str, Option<String>)>,
    pub(super) timeout: Duration,
    pub(super) secrets: Secrets,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// By itself, with this code; of a signal 128 and its number.
    Exited(i32),
    /// It took too long.
    TooLong,
    /// The worker was told to end, by this signal.
    Stopped(i32),
}

/// Runs it to its end.
pub(super) async fn run(job: Job<'_>, stop: &mut Stop) -> Result<End, String> {
    let (program, arguments): (&str, Vec<&str>) = match job.command {
        Command::Shell(text) => ("sh", vec!["-ec", text]),
        Command::Arguments(words) => match words.split_first() {
            Some((program, rest)) => (program, rest.iter().map(String::as_str).collect()),
            None => return Err("the command is empty".to_owned()),
        },
    };
    let mut command = tokio::process::Command::new(program);
    command.args(arguments).current_dir(job.directory).process_group(0);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for (name, value) in &job.variables {
        match value {
            Some(value) => command.env(name, value),
            None => command.env_remove(name),
        };
    }
    let mut child = command.spawn().map_err(|error| format!("the command cannot be run: {program}: {error}"))?;
    let group = Group::of(&child).ok_or("the command ended before it had a process group")?;
    let out = stream(child.stdout.take(), Mask::new(&job.secrets), Where::Out);
    let err = stream(child.stderr.take(), Mask::new(&job.secrets), Where::Err);
    let streams = tokio::spawn(async move { tokio::join!(out, err) });
    let end = tokio::select! {
        ended = timeout(job.timeout, child.wait()) => match ended {
            Ok(status) => End::Exited(code(status.map_err(|error| format!("the command is lost: {error}"))?)),
            Err(_) => End::TooLong,
        },
        signal = stop.asked() => End::Stopped(signal),
    };
    // What it left running goes too: nothing of a deployment that is over may still write.
    group.end(&mut child).await;
    // Only what has left the group holds the streams now, and is not waited for.
    let _ = timeout(GRACE, streams).await;
    Ok(end)
}

fn code(status: std::process::ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt as _;
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1)
}

/// The command's process group.
#[derive(Clone, Copy)]
struct Group(Pid);

impl Group {
    fn of(child: &Child) -> Option<Self> {
        let id = child.id().and_then(|id| i32::try_from(id).ok())?;
        Pid::from_raw(id).map(Self)
    }

    /// Asks all of it to end, and ends what has not within the grace.
    async fn end(self, child: &mut Child) {
        let _ = kill_process_group(self.0, Signal::TERM);
        let deadline = Instant::now() + GRACE;
        // The leader is waited for, so that it does not stay in its group as one that has ended.
        while test_kill_process_group(self.0).is_ok() && Instant::now() < deadline {
            let _ = timeout(LOOK, child.wait()).await;
            if child.id().is_none() {
                sleep(LOOK).await;
            }
        }
        let _ = kill_process_group(self.0, Signal::KILL);
        let _ = child.wait().await;
    }
}

#[derive(Clone, Copy)]
enum Where {
    Out,
    Err,
}

/// Passes a stream on as it comes, without secrets.
async fn stream(from: Option<impl AsyncRead + Unpin>, mut mask: Mask, to: Where) {
    let Some(mut from) = from else { return };
    let mut buffer = vec![0; 8192];
    loop {
        match from.read(&mut buffer).await {
            Ok(0) | Err(_) => break,
            Ok(length) => write(to, &mask.push(buffer.get(..length).unwrap_or_default())),
        }
    }
    write(to, &mask.finish());
}

fn write(to: Where, bytes: &[u8]) {
    // A log that is closed is no reason to stop a deployment half way.
    let _ = match to {
        Where::Out => {
            let mut out = std::io::stdout().lock();
            out.write_all(bytes).and_then(|()| out.flush())
        }
        Where::Err => std::io::stderr().lock().write_all(bytes),
    };
}
