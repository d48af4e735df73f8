//! What the console did, by names alone, in a file.

use std::io::Write;
use std::sync::{Arc, Mutex};

use crate::cli::Shared;
use crate::console::LogSink;
use crate::ops::inspect::now;

/// Names of messages, one a line, into a file of the state directory; nothing when it cannot be opened.
pub(super) fn to_file(shared: &Shared) -> Option<LogSink> {
    let directory = shared.directories().state().ok()?;
    let path = directory.join("console.log");
    let file = std::fs::OpenOptions::new().create(true).append(true).open(path).ok()?;
    // A log that has grown over a megabyte is begun anew: it is for the last crash, not for history.
    if file.metadata().is_ok_and(|metadata| metadata.len() > 1 << 20) {
        file.set_len(0).ok()?;
    }
    let file = Mutex::new(file);
    Some(Arc::new(move |line: &str| {
        if let Ok(mut file) = file.lock() {
            // A full disk must not end the console.
            let _ = writeln!(file, "{} {line}", crate::ops::schema::time(now()));
        }
    }))
}
