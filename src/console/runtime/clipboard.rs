//! Copying by a command of the operator's.

use std::io::ErrorKind;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::compare::Why;
use crate::secret::Secret;

/// How long the command may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Hands a text to the standard input of a command line; the text is in no argument.
pub(super) async fn by_command(line: &str, text: &Secret) -> Result<(), Why> {
    let failed = |reason: &str| {
        Why::new(format!("not copied: {line}: {reason}")).hint("clipboard_command in config.toml names another")
    };
    let mut command = Command::new("sh");
    command.args(["-c", line]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| failed(&error.to_string()))?;
    let work = async {
        if let Some(mut stdin) = child.stdin.take() {
            match stdin.write_all(text.expose().as_bytes()).await {
                Err(error) if error.kind() != ErrorKind::BrokenPipe => return Err(error),
                _ => {}
            }
        }
        child.wait().await
    };
    match tokio::time::timeout(PATIENCE, work).await {
        Ok(Ok(status)) if status.success() => Ok(()),
        Ok(Ok(status)) => Err(failed(&status.to_string())),
        Ok(Err(error)) => Err(failed(&error.to_string())),
        Err(_) => Err(failed("it does not end")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_command_reads_the_text_from_its_input() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("clipboard");
        let text = Secret::new("a line\nand \"another\" $HOME");
        by_command(&format!("cat > '{}'", file.display()), &text).await.unwrap();
        assert_eq!(std::fs::read_to_string(file).unwrap(), text.expose());
    }

    #[tokio::test]
    async fn a_command_that_fails_is_told_without_the_text() {
        let why = by_command("exit 3", &Secret::new("hush".repeat(20_000))).await.unwrap_err();
        assert!(why.reason.starts_with("not copied: exit 3: exit status: 3"), "{}", why.reason);
        assert!(!why.reason.contains("hush"));
    }
}
