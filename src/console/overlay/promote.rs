//! Values of one environment beside those of another, in git, and which of them are taken over.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::compare::{Facet, Only, Why};
use crate::console::model::Job;
use crate::ops::promote::{Comparison, Promoted, State};

/// The comparison over the page.
#[derive(Debug, Clone, PartialEq)]
pub struct Promote {
    /// The project.
    pub project: String,
    /// The environment that values come from.
    pub from: String,
    /// The environment that they go to, or a layer that several share.
    pub to: String,
    /// The request under way, or the last one.
    pub job: Job,
    /// How far it is.
    pub stage: Stage,
    /// The row that the cursor is on, among those that are shown.
    pub line: usize,
    /// The rows that are taken, by their keys.
    pub chosen: BTreeSet<String>,
    /// Where values can go to, or come from.
    pub places: Vec<String>,
}

/// How far a comparison is.
#[derive(Debug, Clone, PartialEq)]
pub enum Stage {
    /// It is being made.
    Reading,
    /// It waits for what is to be taken.
    Ready(Box<Compared>),
    /// What is taken is being committed.
    Committing(Box<Compared>),
    /// It is committed.
    Done(Box<Promoted>),
    /// It could not be made, or committed.
    Failed(Why),
}

/// Two environments side by side.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// The ref and the commit that values come from.
    pub from: (String, String),
    /// The ref and the commit that the new branch begins at.
    pub to: (String, String),
    /// The keys.
    pub rows: Vec<Row>,
    /// Documents that nothing can be promoted into, and why.
    pub problems: Vec<(String, Why)>,
    /// The environments that the target's layer reaches.
    pub reaches: Vec<String>,
    /// The branch that it would be committed to.
    pub branch: String,
    /// The environments and shared layers of the project.
    pub places: Vec<String>,
    /// The comparison itself, for whoever commits it.
    pub held: Held,
}

/// A key on both sides.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// `billing/db/pool`.
    pub key: String,
    /// How the two stand.
    pub state: State,
    /// The value that would be taken.
    pub from: Facet,
    /// The value that is there.
    pub to: Facet,
    /// The one thing in which they differ.
    pub only: Option<Only>,
    /// The document that it would be written to.
    pub file: String,
    /// Environments with a value of their own, which are not reached.
    pub overridden: Vec<String>,
}

/// What the backend made and gets back.
#[derive(Debug, Clone, Default)]
pub struct Held(pub Option<Arc<Comparison>>);

impl PartialEq for Held {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(one), Some(two)) => Arc::ptr_eq(one, two),
            (one, two) => one.is_none() && two.is_none(),
        }
    }
}

impl Row {
    /// Whether it can be taken.
    pub(in crate::console) fn can_be_taken(&self) -> bool {
        matches!(self.state, State::Different | State::OnlyHere)
    }
}

impl Promote {
    pub(in crate::console) fn new(project: String, from: String, to: String, places: Vec<String>, job: Job) -> Self {
        Self { project, from, to, job, stage: Stage::Reading, line: 0, chosen: BTreeSet::new(), places }
    }

    /// What is known of it.
    pub(in crate::console) fn compared(&self) -> Option<&Compared> {
        match &self.stage {
            Stage::Ready(compared) | Stage::Committing(compared) => Some(compared),
            Stage::Reading | Stage::Done(_) | Stage::Failed(_) => None,
        }
    }

    /// The rows that are shown: whatever is not the same, what can be taken first.
    pub(in crate::console) fn rows(&self) -> Vec<&Row> {
        let rows = self.compared().map_or(&[][..], |compared| &compared.rows);
        let mut rows: Vec<&Row> = rows.iter().filter(|row| row.state != State::Same).collect();
        rows.sort_by_key(|row| !row.can_be_taken());
        rows
    }

    pub(in crate::console) fn step(&mut self, by: isize) {
        let last = self.rows().len().saturating_sub(1);
        self.line = self.line.saturating_add_signed(by).min(last);
    }

    /// Whether time changes how it looks.
    pub(in crate::console) fn moves(&self) -> bool {
        matches!(self.stage, Stage::Reading | Stage::Committing(_))
    }
}
