//! What is going on, on stderr, for whoever looks at a terminal and waits.

use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::brief;

/// What is over sooner needs no word.
const PATIENCE: Duration = Duration::from_secs(2);

/// One line that is written over and over, and taken away at the end.
pub(super) struct Progress {
    began: Instant,
    is_seen: bool,
    is_written: AtomicBool,
}

impl Progress {
    pub(super) fn begin() -> Self {
        Self { began: Instant::now(), is_seen: std::io::stderr().is_terminal(), is_written: AtomicBool::new(false) }
    }

    /// Says what is going on.
    pub(super) fn tell(&self, text: &str) {
        let waited = self.began.elapsed();
        if !self.is_seen || waited < PATIENCE {
            return;
        }
        let columns = crossterm::terminal::size().map_or(80, |(columns, _)| usize::from(columns));
        let line = brief(&format!("{} s: {text}", waited.as_secs()), columns.saturating_sub(1).max(1));
        // A terminal that is gone takes no message.
        let _ = write!(std::io::stderr(), "\r\u{1b}[K{line}").and_then(|()| std::io::stderr().flush());
        self.is_written.store(true, Ordering::Relaxed);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.is_written.load(Ordering::Relaxed) {
            let _ = write!(std::io::stderr(), "\r\u{1b}[K").and_then(|()| std::io::stderr().flush());
        }
    }
}
