//! The journal over the page: what was written, by whom, and how it went.

use crate::console::model::Job;
use crate::console::remote::Remote;
use crate::ops::journal::{Entry, Found};

/// The journal over the page.
#[derive(Debug, Clone, PartialEq)]
pub struct Journal {
    /// The environment's name.
    pub environment: String,
    /// The request for it.
    pub job: Job,
    /// What it holds.
    pub found: Remote<Found>,
    /// The selected entry.
    pub line: usize,
}

impl Journal {
    pub(in crate::console) fn new(environment: String, job: Job) -> Self {
        Self { environment, job, found: Remote::Loading { since: job.since }, line: 0 }
    }

    /// The selected entry.
    pub(in crate::console) fn selected(&self) -> Option<&Entry> {
        self.found.value()?.entries.get(self.line)
    }

    pub(in crate::console) fn step(&mut self, by: isize) {
        let last = self.found.value().map_or(0, |found| found.entries.len().saturating_sub(1));
        self.line = self.line.saturating_add_signed(by).min(last);
    }
}
