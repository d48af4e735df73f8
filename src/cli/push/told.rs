//! How far a write is, on stderr: one line that is written over in a terminal, and a line every few seconds elsewhere.

use std::io::{IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::cli::clean;
use crate::ops::push::Progress;

/// How often a line is written where none can be written over.
const EVERY: Duration = Duration::from_secs(5);

/// Tells how far a write is. Dropped before its end, it says how to go on.
pub(in crate::cli) struct Telling {
    is_terminal: bool,
    state: Mutex<State>,
}

struct State {
    last: Option<Instant>,
    ended: bool,
}

impl Telling {
    pub(in crate::cli) fn new() -> Self {
        let state = State { last: None, ended: false };
        Self { is_terminal: std::io::stderr().is_terminal(), state: Mutex::new(state) }
    }

    pub(in crate::cli) fn tell(&self, progress: &Progress) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_last = progress.ended == progress.total;
        let is_due = state.last.is_none_or(|last| last.elapsed() >= EVERY);
        if !self.is_terminal && !is_due && !is_last {
            return;
        }
        state.last = Some(Instant::now());
        let line = line(progress);
        // Not `eprint`, which panics when the terminal is gone.
        let _ = if self.is_terminal {
            write!(std::io::stderr(), "\r\x1b[K{line}")
        } else {
            writeln!(std::io::stderr(), "{line}")
        };
    }

    /// The write came to its end.
    pub(in crate::cli) fn end(self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.ended = true;
        if self.is_terminal && state.last.is_some() {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        if !self.state.get_mut().unwrap_or_else(PoisonError::into_inner).ended {
            let _ = writeln!(std::io::stderr(), "\ncut off: plumb push --resume goes on, plumb undo takes it back");
        }
    }
}

fn line(progress: &Progress) -> String {
    let mut line = format!("{} of {}   {}", progress.ended, progress.total, clean(&progress.name));
    if progress.failed > 0 {
        line = format!("{line}   {} failed", progress.failed);
    }
    if progress.throttled > 0 {
        line = format!("{line}   AWS said slow down {} times", progress.throttled);
    }
    let seconds = progress.remaining.as_secs();
    match (seconds / 60, seconds % 60) {
        (0, 0) => line,
        (0, seconds) => format!("{line}   about {seconds} s left"),
        (minutes, seconds) => format!("{line}   about {minutes} m {seconds:02} s left"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_says_what_is_left() {
        let progress = Progress {
            ended: 12,
            failed: 1,
            total: 40,
            name: "/billing/dev/\u{1b}pool".into(),
            remaining: Duration::from_secs(75),
            throttled: 3,
        };
        let expected = "12 of 40   /billing/dev/␛pool   1 failed   AWS said slow down 3 times   about 1 m 15 s left";
        assert_eq!(line(&progress), expected);
        let quiet = Progress { failed: 0, throttled: 0, remaining: Duration::ZERO, ..progress };
        assert_eq!(line(&quiet), "12 of 40   /billing/dev/␛pool");
    }
}
