//! The change list over the page: what is to be changed in git, the files that this makes, and their commit.

use crate::compare::Why;
use crate::console::model::Job;
use crate::console::remote::Remote;
use crate::ops::config::changes::{Committed, Preview};

/// The list over the page.
#[derive(Debug, Clone, PartialEq)]
pub struct Changes {
    /// Index of the environment from which it was opened.
    pub environment: usize,
    /// The request under way.
    pub job: Job,
    /// What a commit would be.
    pub preview: Remote<Preview>,
    /// The selected change.
    pub line: usize,
    /// What of it is open.
    pub part: Part,
    /// Until when values are shown, milliseconds since the Unix epoch.
    pub shown: Option<i64>,
    /// Why nothing came of the last wish.
    pub refused: Option<Why>,
    /// Whether all of it is dropped when that is said once more.
    pub dropping: bool,
}

/// What of the list is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// The changes.
    List,
    /// What differs in the files, and the first line of it that is drawn.
    Diff(usize),
    /// The message of the commit.
    Message(String),
    /// Git is at it.
    Committing(String),
    /// What came of it.
    Done(Box<Committed>),
}

impl Changes {
    pub(in crate::console) fn new(environment: usize, job: Job) -> Self {
        Self {
            environment,
            job,
            preview: Remote::Loading { since: job.since },
            line: 0,
            part: Part::List,
            shown: None,
            refused: None,
            dropping: false,
        }
    }

    /// The lines of the diff.
    pub(in crate::console) fn lines(&self) -> usize {
        let files = self.preview.value().map_or(&[][..], |preview| preview.files.as_slice());
        files.iter().map(|(_, made)| made.as_ref().map_or(2, |made| made.lines.len() + 2)).sum()
    }

    pub(in crate::console) fn step(&mut self, by: isize, changes: usize) {
        let last = self.lines().saturating_sub(1);
        match &mut self.part {
            Part::List => self.line = self.line.saturating_add_signed(by).min(changes.saturating_sub(1)),
            Part::Diff(first) => *first = first.saturating_add_signed(by).min(last),
            Part::Message(_) | Part::Committing(_) | Part::Done(_) => {}
        }
    }
}
