//! The past of an item over the page: git's commits and the live versions on one line of time.

use crate::console::model::Job;
use crate::console::remote::Remote;
use crate::ops::history::{Event, Timeline, What};

/// The past of an item over the page.
#[derive(Debug, Clone, PartialEq)]
pub struct History {
    /// The item.
    pub name: String,
    /// The request for it.
    pub job: Job,
    /// What it holds.
    pub found: Remote<Box<Timeline>>,
    /// The selected event.
    pub line: usize,
}

impl History {
    pub(in crate::console) fn new(name: String, job: Job) -> Self {
        Self { name, job, found: Remote::Loading { since: job.since }, line: 0 }
    }

    pub(in crate::console) fn step(&mut self, by: isize) {
        let last = self.found.value().map_or(0, |found| found.events.len().saturating_sub(1));
        self.line = self.line.saturating_add_signed(by).min(last);
    }

    /// The selected event.
    pub(in crate::console) fn selected(&self) -> Option<&Event> {
        self.found.value()?.events.get(self.line)
    }

    /// The selected version, if it is one that can be given back.
    pub(in crate::console) fn version(&self) -> Result<&str, &'static str> {
        match self.selected().map(|event| &event.what) {
            Some(What::Version { live: true, .. }) => Err("this version is live"),
            Some(What::Version { id, .. }) => Ok(id),
            Some(What::Commit { .. }) => Err("a live version can be given back; what a commit says is pushed"),
            None => Err("nothing is selected"),
        }
    }
}
