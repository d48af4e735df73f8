//! A value as it is given: from stdin, or typed at the terminal without being seen. Never from the command line, which
//! everybody on the machine can read.

use std::io::{IsTerminal as _, Read as _, Write as _};

use crossterm::event::{self, DisableBracketedPaste, EnableBracketedPaste, Event, KeyCode, KeyEventKind, KeyModifiers};
use crossterm::terminal::{disable_raw_mode, enable_raw_mode};
use zeroize::Zeroizing;

use super::super::Failed;
use crate::compare::Why;
use crate::secret::Secret;

/// The value: with `from_stdin` all of stdin, of which one newline at the end is no part; else what is typed.
pub(in crate::cli) async fn value(from_stdin: bool, prompt: String) -> Result<Secret, Failed> {
    let asks = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    if !(from_stdin || asks) {
        return Err(Why::new("there is no terminal to type the value at")
            .hint("--value-stdin reads it from stdin")
            .into());
    }
    if from_stdin {
        return wait(all_of_stdin).await;
    }
    wait(move || hidden(&prompt)).await
}

/// All of stdin as text.
pub(super) async fn stdin() -> Result<Secret, Failed> {
    wait(text_of_stdin).await
}

/// Not on the runtime's own threads: what waits for a key would keep the command from ending.
async fn wait<T: Send + 'static>(work: impl FnOnce() -> Result<T, Failed> + Send + 'static) -> Result<T, Failed> {
    let (sender, answer) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        // Nobody listens any more once the command was interrupted.
        let _ = sender.send(work());
    });
    answer.await.map_err(|_| Why::new("nothing can be read"))?
}

fn all_of_stdin() -> Result<Secret, Failed> {
    let text = text_of_stdin()?;
    let text = text.expose();
    let text = text.strip_suffix('\n').map_or(text, |text| text.strip_suffix('\r').unwrap_or(text));
    Ok(Secret::new(text))
}

fn text_of_stdin() -> Result<Secret, Failed> {
    let mut bytes = Zeroizing::new(Vec::new());
    let read = std::io::stdin().lock().read_to_end(&mut bytes);
    read.map_err(|error| Why::new(format!("stdin cannot be read: {error}")))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| Why::new("what stdin says is not UTF-8"))?;
    Ok(Secret::new(text))
}

/// A terminal that shows nothing of what is typed, until this is dropped.
struct Silent;

impl Silent {
    fn begin() -> std::io::Result<Self> {
        enable_raw_mode()?;
        crossterm::execute!(std::io::stderr(), EnableBracketedPaste)?;
        Ok(Self)
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        // A terminal that is gone has nothing to be put back.
        let _ = crossterm::execute!(std::io::stderr(), DisableBracketedPaste);
        let _ = disable_raw_mode();
        let _ = writeln!(std::io::stderr());
    }
}

fn hidden(prompt: &str) -> Result<Secret, Failed> {
    let told =
        |error: std::io::Error| Failed::from(Why::new(format!("nothing can be read from the terminal: {error}")));
    // Before anybody is asked: what is pasted at once has its marks.
    let _silent = Silent::begin().map_err(told)?;
    let _ = write!(std::io::stderr(), "{prompt} (not shown): ");
    let _ = std::io::stderr().flush();
    let mut typed = Zeroizing::new(String::with_capacity(256));
    loop {
        match event::read().map_err(told)? {
            // With its newlines: a key or a certificate is pasted as a whole.
            Event::Paste(text) => typed.push_str(&Zeroizing::new(text)),
            Event::Key(key) if key.kind != KeyEventKind::Release => match key.code {
                KeyCode::Enter => return Ok(Secret::new(typed.as_str())),
                KeyCode::Char('c' | 'd') if key.modifiers.contains(KeyModifiers::CONTROL) => {
                    return Err(Failed::Interrupted);
                }
                KeyCode::Char('u') if key.modifiers.contains(KeyModifiers::CONTROL) => typed.clear(),
                // A newline of a terminal that does not mark what is pasted; no other such key is a character.
                KeyCode::Char('j') if key.modifiers.contains(KeyModifiers::CONTROL) => typed.push('\n'),
                KeyCode::Char(_) if key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) => {}
                KeyCode::Char(c) => typed.push(c),
                KeyCode::Backspace => drop(typed.pop()),
                _ => {}
            },
            _ => {}
        }
    }
}
