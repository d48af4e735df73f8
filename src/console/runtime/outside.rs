//! Other programs in the terminal, while the console steps aside: the pager and the editor.
//!
//! What is shown goes through a pipe; no plaintext reaches a file, an argument or the environment.

use std::io::ErrorKind;
use std::process::{ExitStatus, Stdio};

use futures::{Stream, StreamExt};
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::terminal::stop;
use super::{Ending, Signal, own};
use crate::compare::Why;
use crate::console::home::{Home, Outside};
use crate::console::programs::{editor_arguments, not_run, pager};

/// What names the programs.
pub(super) const EDITORS: &str = "PLUMB_EDITOR, VISUAL, EDITOR or `editor` of config.toml";
const PAGERS: &str = "PLUMB_PAGER, PAGER or `pager` of config.toml";

/// How the time outside ended.
pub(super) type Returned = Result<Option<String>, Why>;

/// A signal that ends the console while another program has the terminal.
pub(super) struct Ended(pub(super) Ending);

/// Lets a program have the terminal until it ends. The inner result is for the operator.
pub(super) async fn run(
    outside: &Outside,
    home: &Home,
    signals: &mut (impl Stream<Item = Signal> + Unpin),
) -> Result<Returned, Ended> {
    match outside {
        Outside::Page { text, diff } => page(text.expose().as_bytes(), *diff, home, signals).await,
        Outside::Edit(place) => {
            let mut command = Command::new("sh");
            command.arg("-c").arg(format!("{} \"$@\"", home.editor)).arg("plumb");
            command.args(editor_arguments(&home.editor, place));
            let status = foreground(command, &home.editor, None, signals).await?;
            Ok(status.and_then(|status| of_shell(&home.editor, status, EDITORS)))
        }
        Outside::Command(command) => own::on_the_terminal(command, None, home, signals).await,
        Outside::Value { .. } => Ok(Err(Why::new("a value has an editor of its own"))),
    }
}

/// Shows a text in the pager.
pub(super) async fn page(
    text: &[u8],
    diff: bool,
    home: &Home,
    signals: &mut (impl Stream<Item = Signal> + Unpin),
) -> Result<Returned, Ended> {
    let pager = pager(home, diff);
    let mut command = Command::new("sh");
    command.args(["-c", &pager.line]);
    // What was searched for may be a secret: less would keep it in a file. And it shall stay until it is left.
    command.env("LESSHISTFILE", "-").env("LESS", &pager.less);
    let status = foreground(command, &pager.line, Some(text), signals).await?;
    let returned = status.and_then(|status| of_shell(&pager.line, status, PAGERS));
    if returned.is_ok() && !pager.waits {
        return ask_for_enter(signals).await;
    }
    Ok(returned)
}

/// Runs a program on the terminal, with a text on its standard input or else with the keyboard.
pub(super) async fn foreground(
    mut command: Command,
    name: &str,
    text: Option<&[u8]>,
    signals: &mut (impl Stream<Item = Signal> + Unpin),
) -> Result<Result<ExitStatus, Why>, Ended> {
    if text.is_some() {
        command.stdin(Stdio::piped());
    }
    let mut child = match command.kill_on_drop(true).spawn() {
        Ok(child) => child,
        Err(error) => return Ok(Err(not_started(name, &error))),
    };
    let work = async {
        if let (Some(mut stdin), Some(text)) = (child.stdin.take(), text) {
            // Who quits before the end has seen enough.
            match stdin.write_all(text).await {
                Err(error) if error.kind() != ErrorKind::BrokenPipe => return Err(error),
                _ => {}
            }
        }
        child.wait().await
    };
    Ok(with_signals(work, signals).await?.map_err(|error| Why::new(format!("{name}: {error}"))))
}

/// What a program wrote last is read before the console covers it.
pub(super) async fn ask_for_enter(signals: &mut (impl Stream<Item = Signal> + Unpin)) -> Result<Returned, Ended> {
    let mut command = Command::new("sh");
    command.args(["-c", "printf '\\n[plumb] press enter to go back '; read -r _; :"]);
    let status = foreground(command, "sh", None, signals).await?;
    Ok(status.and_then(|status| ended("sh", status)).map(|()| None))
}

/// Works until it is done, or a signal ends the console. The keys that interrupt and stop a program on the terminal reach
/// the console too: the one is the program's alone, the other stops both.
pub(super) async fn with_signals<T>(
    work: impl Future<Output = T>,
    signals: &mut (impl Stream<Item = Signal> + Unpin),
) -> Result<T, Ended> {
    tokio::pin!(work);
    loop {
        tokio::select! {
            biased;
            done = &mut work => return Ok(done),
            signal = signals.next() => match signal {
                Some(Signal::End(Ending::Interrupt | Ending::Quit)) => {}
                Some(Signal::End(ending)) => return Err(Ended(ending)),
                Some(Signal::Stop) => drop(stop()),
                None => return Err(Ended(Ending::Deaf)),
            },
        }
    }
}

/// Whether a program ended well; else how it did.
pub(super) fn ended(name: &str, status: ExitStatus) -> Result<(), Why> {
    if status.success() { Ok(()) } else { Err(Why::new(format!("{name} ended with {status}"))) }
}

/// How a command line for a shell ended; a program that is not there is told by its name.
pub(super) fn of_shell(line: &str, status: ExitStatus, named_by: &str) -> Returned {
    not_run(line, status, named_by).map_or_else(|| ended(line, status), Err).map(|()| None)
}

pub(super) fn not_started(program: &str, error: &std::io::Error) -> Why {
    Why::new(format!("{program} cannot be started: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn interrupting_a_program_is_the_program_s_matter_and_ending_is_ours() {
        let mut signals = futures::stream::iter([Signal::End(Ending::Interrupt), Signal::End(Ending::Terminate)]);
        let outcome = with_signals(futures::future::pending::<()>(), &mut signals).await;
        assert!(matches!(outcome, Err(Ended(Ending::Terminate))));
    }
}
