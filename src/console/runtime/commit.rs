//! The operator's own `git commit`, on the terminal: it may ask for a passphrase, and its hooks may talk.

use std::io::Write as _;
use std::process::Stdio;

use futures::Stream;
use tokio::io::AsyncReadExt;
use tokio::process::Command;

use super::Signal;
use super::outside::{Ended, ask_for_enter, not_started, with_signals};
use crate::compare::Why;
use crate::ops::config::blocking;
use crate::ops::config::changes::{Committed, Staged};

/// Lines of what git and its hooks said that are told in the console, too.
const TOLD: usize = 6;

/// Runs git and settles what came of it. What was prepared for a commit that is not made is taken back.
pub(super) async fn run(
    staged: Staged,
    signals: &mut (impl Stream<Item = Signal> + Unpin),
) -> Result<Result<Committed, Why>, Ended> {
    match with_signals(git(&staged), signals).await? {
        Ok(()) => Ok(blocking(move || staged.done()).await),
        Err(why) => {
            let taken_back = blocking(move || {
                drop(staged);
                Ok(())
            });
            let taken_back = taken_back.await;
            // Whoever wrote the hook has words for whoever reads the terminal.
            let _ = ask_for_enter(signals).await?;
            Ok(Err(taken_back.err().unwrap_or(why)))
        }
    }
}

async fn git(staged: &Staged) -> Result<(), Why> {
    let mut command = Command::new("git");
    command.args(&staged.program.arguments).stderr(Stdio::piped()).kill_on_drop(true);
    for inherited in staged.program.without {
        command.env_remove(inherited);
    }
    let failed = |error: std::io::Error| Why::new(format!("git commit: {error}"));
    let mut child = command.spawn().map_err(|error| not_started("git", &error))?;
    let mut said = Vec::new();
    if let Some(mut stderr) = child.stderr.take() {
        let mut part = vec![0_u8; 4096];
        loop {
            match stderr.read(&mut part).await.map_err(failed)? {
                0 => break,
                count => {
                    // A terminal that is gone is told by a signal.
                    let mut terminal = std::io::stderr().lock();
                    let _ = terminal.write_all(&part[..count]).and_then(|()| terminal.flush());
                    said.extend_from_slice(&part[..count]);
                }
            }
        }
    }
    let status = child.wait().await.map_err(failed)?;
    if status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&said);
    let lines: Vec<&str> = said.lines().map(str::trim_end).filter(|line| !line.trim().is_empty()).collect();
    let last = lines[lines.len().saturating_sub(TOLD)..].join("\n");
    let why = if last.is_empty() { format!("it ended with {status}") } else { last };
    Err(Why::new(format!("git refused the commit, and the list stays: {why}")))
}
