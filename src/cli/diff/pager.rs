//! The operator's pager.

use std::io::{ErrorKind, Write};
use std::process::Stdio;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::cli::say;

/// Where none is named: quits when all fits on the screen, passes colours through, leaves the text there.
const DEFAULT: [&str; 2] = ["less", "-FRX"];

/// Shows a text in the pager; without one, or when it cannot be started, writes it to stdout.
///
/// `named` is a command line for a shell; empty: none is wanted.
pub(super) async fn show(text: &[u8], named: Option<&str>) -> std::io::Result<()> {
    let mut command = match named {
        Some("" | "cat") => return std::io::stdout().lock().write_all(text),
        Some(line) => {
            let mut command = Command::new("sh");
            command.args(["-c", line]);
            command
        }
        None => {
            let mut command = Command::new(DEFAULT[0]);
            command.arg(DEFAULT[1]);
            command
        }
    };
    // What was searched for may be a secret: less would keep it in a file.
    command.env("LESSHISTFILE", "-").stdin(Stdio::piped());
    let Ok(mut pager) = command.spawn() else { return std::io::stdout().lock().write_all(text) };
    if let Some(mut stdin) = pager.stdin.take() {
        // Who quits before the end has seen enough.
        match stdin.write_all(text).await {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => return Err(error),
            _ => {}
        }
    }
    let ended = pager.wait().await?;
    // What a shell says of a program that it does not find, or may not run.
    if matches!(ended.code(), Some(126 | 127)) {
        say!("note: the pager was not found: it is named by PLUMB_PAGER, PAGER or `pager` of config.toml");
        return std::io::stdout().lock().write_all(text);
    }
    Ok(())
}
