//! Other programs: in the terminal while the console steps aside, or in the background.
//!
//! What is shown goes through a pipe; no plaintext reaches a file, an argument or the environment.

use std::io::ErrorKind;
use std::process::{ExitStatus, Stdio};

use futures::{Stream, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};
use zeroize::Zeroizing;

use super::terminal::stop;
use super::{Ending, Signal};
use crate::compare::Why;
use crate::config::{Output, Protection};
use crate::console::EnvironmentInfo;
use crate::console::home::{self, Home, Outside};
use crate::console::programs::{editor_arguments, not_run, pager, tame};

/// What names the programs.
const EDITORS: &str = "PLUMB_EDITOR, VISUAL, EDITOR or `editor` of config.toml";
const PAGERS: &str = "PLUMB_PAGER, PAGER or `pager` of config.toml";

/// Bytes of a command's output that are kept.
const KEPT: u64 = 4 << 20;

/// Refuses what writes unless it was confirmed as its environment wants, whatever the console asked before.
pub(super) fn permitted(command: &home::Command, environments: &[EnvironmentInfo]) -> Result<(), Why> {
    if !command.writes {
        return Ok(());
    }
    let environment = environments.iter().find(|info| info.name == command.environment);
    let wanted = match environment.map(|info| info.protection) {
        Some(Protection::Open) => "y",
        Some(Protection::Confirm) => command.environment.as_str(),
        Some(Protection::ReadOnly) | None => {
            return Err(Why::new(format!("refused: {} is read-only", command.environment)));
        }
    };
    if command.confirmed.as_deref() == Some(wanted) {
        return Ok(());
    }
    Err(Why::new(format!("refused: {} was not confirmed", command.id)))
}

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
        Outside::Command(command) => custom(command, home, signals).await,
    }
}

async fn page(
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

async fn custom(
    custom: &home::Command,
    home: &Home,
    signals: &mut (impl Stream<Item = Signal> + Unpin),
) -> Result<Returned, Ended> {
    let Some((program, arguments)) = custom.argv.split_first() else { return Ok(Ok(None)) };
    let mut command = Command::new(program);
    command.args(arguments);
    if custom.output == Output::None {
        let status = foreground(command, program, None, signals).await?;
        ask_for_enter(signals).await?.ok();
        let returned = status.and_then(|status| ended(program, status));
        return Ok(returned.map(|()| Some(format!("{} has ended", custom.id))));
    }
    command.stdout(Stdio::piped()).kill_on_drop(true);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return Ok(Err(not_started(program, &error))),
    };
    let output = gather(&mut child);
    let gathered = with_signals(output, signals).await?;
    let (status, output) = match gathered {
        Ok(gathered) => gathered,
        Err(error) => return Ok(Err(Why::new(format!("{}: {error}", custom.id)))),
    };
    let said = Zeroizing::new(tame(&String::from_utf8_lossy(&output)));
    if custom.output == Output::Pager && !said.trim().is_empty() {
        let paged = page(said.as_bytes(), false, home, signals).await?;
        return Ok(ended(&custom.id, status).and(paged));
    }
    Ok(ended(&custom.id, status).map(|()| Some(notice(&custom.id, &said))))
}

/// Runs a command in the background; its first line.
pub(super) async fn in_background(custom: &home::Command) -> Result<String, Why> {
    let Some((program, arguments)) = custom.argv.split_first() else { return Ok(String::new()) };
    let mut command = Command::new(program);
    // In a group of its own: what the terminal's keys end is the console's matter.
    command.args(arguments).process_group(0).kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| not_started(program, &error))?;
    let errors = child.stderr.take();
    let complaint = tokio::spawn(async move {
        let mut said = Vec::new();
        if let Some(errors) = errors {
            // Nothing more than its beginning is told; the rest is read so that the program does not wait.
            let mut errors = errors.take(16 << 10);
            let _ = errors.read_to_end(&mut said).await;
            let _ = tokio::io::copy(&mut errors.into_inner(), &mut tokio::io::sink()).await;
        }
        said
    });
    let (status, output) = gather(&mut child).await.map_err(|error| Why::new(format!("{}: {error}", custom.id)))?;
    let said = Zeroizing::new(tame(&String::from_utf8_lossy(&output)));
    if !status.success() {
        let complaint = complaint.await.unwrap_or_default();
        let complaint = tame(&String::from_utf8_lossy(&complaint));
        let why = complaint.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
        let why = if why.is_empty() { String::new() } else { format!(": {why}") };
        return Err(Why::new(format!("{} ended with {status}{why}", custom.id)));
    }
    Ok(match custom.output {
        Output::Notice | Output::Pager => notice(&custom.id, &said),
        Output::None => format!("{} has ended", custom.id),
    })
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

fn ended(name: &str, status: ExitStatus) -> Result<(), Why> {
    if status.success() { Ok(()) } else { Err(Why::new(format!("{name} ended with {status}"))) }
}

/// How a command line for a shell ended; a program that is not there is told by its name.
fn of_shell(line: &str, status: ExitStatus, named_by: &str) -> Returned {
    not_run(line, status, named_by).map_or_else(|| ended(line, status), Err).map(|()| None)
}

fn not_started(program: &str, error: &std::io::Error) -> Why {
    Why::new(format!("{program} cannot be started: {error}"))
}

/// Runs a program on the terminal, with a text on its standard input or else with the keyboard.
async fn foreground(
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
async fn ask_for_enter(signals: &mut (impl Stream<Item = Signal> + Unpin)) -> Result<Returned, Ended> {
    let mut command = Command::new("sh");
    command.args(["-c", "printf '\\n[plumb] press enter to go back '; read -r _; :"]);
    let status = foreground(command, "sh", None, signals).await?;
    Ok(status.and_then(|status| ended("sh", status)).map(|()| None))
}

/// Works until it is done, or a signal ends the console. The keys that interrupt and stop a program on the terminal reach
/// the console too: the one is the program's alone, the other stops both.
async fn with_signals<T>(
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

#[cfg(test)]
mod tests {
    use super::*;

    fn command(argv: &[&str], output: Output) -> home::Command {
        let argv = argv.iter().map(|&arg| arg.to_owned()).collect();
        let (id, environment) = (String::from("own"), String::from("prod"));
        home::Command { id, argv, output, writes: false, project: String::from("shop"), environment, confirmed: None }
    }

    #[test]
    fn what_writes_is_refused_unless_it_was_confirmed_as_its_environment_wants() {
        let info = |protection| {
            let (project, name) = (String::from("shop"), String::from("prod"));
            let (endpoint, remotes) = (None, Vec::new());
            let (profile, write_profile, region) = (None, None, None);
            vec![EnvironmentInfo { project, name, protection, profile, write_profile, region, endpoint, remotes }]
        };
        let rows = [
            (Protection::Open, Some("y"), true),
            (Protection::Open, None, false),
            (Protection::Confirm, Some("prod"), true),
            (Protection::Confirm, Some("y"), false),
            (Protection::Confirm, Some("prod "), false),
            (Protection::ReadOnly, Some("prod"), false),
        ];
        for (protection, confirmed, fine) in rows {
            let confirmed = confirmed.map(str::to_owned);
            let writes = home::Command { writes: true, confirmed, ..command(&["true"], Output::None) };
            assert_eq!(permitted(&writes, &info(protection)).is_ok(), fine, "{protection:?} {:?}", writes.confirmed);
            assert!(permitted(&writes, &[]).is_err(), "an environment that nobody knows");
        }
        assert!(permitted(&command(&["true"], Output::None), &info(Protection::ReadOnly)).is_ok());
    }

    #[tokio::test]
    async fn a_command_in_the_background_tells_its_first_line() {
        let shell = ["sh", "-c", "echo; echo \"$1\"; echo more", "sh", "a $b; c"];
        let said = in_background(&command(&shell, Output::Notice)).await;
        assert_eq!(said.unwrap(), "own: a $b; c", "an argument is an argument");
        assert_eq!(in_background(&command(&["true"], Output::Notice)).await.unwrap(), "own has ended");
        assert_eq!(in_background(&command(&["echo", "x"], Output::None)).await.unwrap(), "own has ended");
    }

    #[tokio::test]
    async fn its_failure_says_why() {
        let why = in_background(&command(&["sh", "-c", "echo fine; echo no access >&2; exit 4"], Output::Notice)).await;
        assert_eq!(why.unwrap_err().reason, "own ended with exit status: 4: no access");
        let why = in_background(&command(&["/nonexistent/program"], Output::Notice)).await.unwrap_err();
        assert!(why.reason.starts_with("/nonexistent/program cannot be started: "), "{}", why.reason);
    }

    #[tokio::test]
    async fn interrupting_a_program_is_the_program_s_matter_and_ending_is_ours() {
        let mut signals = futures::stream::iter([Signal::End(Ending::Interrupt), Signal::End(Ending::Terminate)]);
        let outcome = with_signals(futures::future::pending::<()>(), &mut signals).await;
        assert!(matches!(outcome, Err(Ended(Ending::Terminate))));
    }
}
