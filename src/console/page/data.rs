//! The data page: how much comes in, the last records, and the weekly summaries.

use std::collections::BTreeMap;

use crate::compare::Why;
use crate::console::message::Generation;
use crate::console::model::{EnvState, Job, Model};
use crate::console::page::Page;
use crate::console::remote::Remote;
use crate::ops::intake::Record;
use crate::ops::intake::count::Count;
use crate::ops::summary::verify::{Standing, Verified};
use crate::ops::summary::{Manifest, Row, Summary, Week};
use crate::secret::Secret;

/// The parts of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Part {
    /// The last records.
    #[default]
    Records,
    /// The weeks and their summaries.
    Weeks,
    /// How much came in, by day and by source.
    Rate,
}

impl Part {
    /// The next one.
    pub(in crate::console) fn next(self) -> Self {
        match self {
            Self::Records => Self::Weeks,
            Self::Weeks => Self::Rate,
            Self::Rate => Self::Records,
        }
    }
}

/// What lies under the mouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::console) enum Place {
    /// A part.
    Part(Part),
    /// A record of the list.
    Record(usize),
    /// A week of the list.
    Week(usize),
    /// What is open.
    Open,
}

/// What is open over the parts.
#[derive(Debug, Clone, PartialEq)]
pub enum Opened {
    /// A record, line by line.
    Record(Box<Record>, Text),
    /// A week.
    Week(Week),
}

/// The lines of a record. They are its sender's own, so `Debug` has their number alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Text(pub Vec<String>);

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Text").field("lines", &self.0.len()).finish_non_exhaustive()
    }
}

/// What the page remembers while it is looked at.
#[derive(Debug, Default)]
pub struct State {
    /// The environment's index that all of this is about.
    pub environment: usize,
    /// Which part hears the movement keys.
    pub part: Part,
    /// The selected record, which stays the selected one while others come in.
    pub record: Option<String>,
    /// The selected week.
    pub week: usize,
    /// The first record drawn.
    pub first_record: usize,
    /// The first week drawn.
    pub first_week: usize,
    /// What is open.
    pub open: Option<Opened>,
    /// The first line drawn of what is open, or of what comes in.
    pub scroll: usize,
    /// The record that is to be posted, as the editor left it; kept until it is confirmed.
    pub draft: Option<Secret>,
}

/// Something that was asked for, with its age.
#[derive(Debug)]
pub struct Asked<T> {
    /// What is known.
    pub found: Remote<T>,
    /// When that was read, milliseconds since the Unix epoch.
    pub read_at: Option<i64>,
    /// Why it could not be read again, if so.
    pub trouble: Option<Why>,
    /// The request for it.
    pub reading: Option<Job>,
}

impl<T> Default for Asked<T> {
    fn default() -> Self {
        Self { found: Remote::Idle, read_at: None, trouble: None, reading: None }
    }
}

impl<T> Asked<T> {
    pub(in crate::console) fn ask(&mut self, job: Job) {
        self.reading = Some(job);
        self.found.ask(job.since);
    }

    /// Whether that request is under way.
    pub(in crate::console) fn is_asked(&self, generation: Generation) -> bool {
        self.reading.is_some_and(|job| job.generation == generation)
    }

    pub(in crate::console) fn answer(&mut self, answer: Result<T, Why>, now: i64) {
        self.reading = None;
        if answer.is_ok() {
            self.read_at = Some(now);
        }
        self.trouble = self.found.answer(answer);
    }

    /// Nothing more is waited for.
    pub(in crate::console) fn give_up(&mut self) -> Option<Job> {
        let job = self.reading.take()?;
        self.found.give_up(&Why::new("cancelled").hint("r reads it"));
        Some(job)
    }
}

/// What is known of the intake of an environment.
#[derive(Debug, Default)]
pub struct Known {
    /// By day and source.
    pub counts: Asked<Vec<Count>>,
    /// The last records.
    pub records: Asked<Vec<Record>>,
    /// The weeks that have a summary.
    pub weeks: Asked<Vec<Row>>,
    /// What is in those that were opened.
    pub summaries: BTreeMap<Week, Asked<(Manifest, Summary)>>,
    /// What was proven in this session.
    pub proofs: BTreeMap<Week, Asked<Verified>>,
    /// Whether all of it is to be read.
    pub wanted: bool,
}

/// A line of the list of weeks.
#[derive(Debug, Clone, Copy)]
pub struct Line<'a> {
    /// The week.
    pub week: Week,
    /// What the bucket has of it; `None`: nothing, though it is over.
    pub row: Option<&'a Row>,
    /// What was proven of it, or is being.
    pub proof: Option<&'a Asked<Verified>>,
}

impl Line<'_> {
    /// How the proof stands; `None`: there is none.
    #[must_use]
    pub fn standing(&self) -> Option<Standing> {
        let proof = self.proof?;
        match &proof.found {
            Remote::Ready(verified) | Remote::Stale(verified) => Some(verified.standing()),
            Remote::Failed(_) => Some(Standing::Unknown),
            Remote::Idle | Remote::Loading { .. } => None,
        }
    }

    /// Whether it says that something is not as it should be, or not known.
    #[must_use]
    pub fn needs_attention(&self) -> bool {
        let unread = self.row.is_none_or(|row| row.manifest.is_err());
        unread || self.standing().is_some_and(|standing| standing != Standing::Proven)
    }
}

impl Known {
    /// The weeks that are listed, the newest first: those that the bucket has, and the last one that is over.
    #[must_use]
    pub fn lines(&self, now: i64) -> Vec<Line<'_>> {
        let Some(rows) = self.weeks.found.value() else { return Vec::new() };
        let last = Week::before(now);
        let line = |week: Week, row: Option<_>| Line { week, row, proof: self.proof(week, row) };
        let mut lines: Vec<Line<'_>> = rows.iter().map(|row| line(row.week, Some(row))).collect();
        if !rows.iter().any(|row| row.week == last) {
            let at = lines.iter().position(|line| line.week < last).unwrap_or(lines.len());
            lines.insert(at, line(last, None));
        }
        lines
    }

    /// What was proven of what is listed: a proof of another manifest says nothing of this one.
    fn proof(&self, week: Week, row: Option<&Row>) -> Option<&Asked<Verified>> {
        let listed = row.and_then(|row| row.manifest.as_ref().ok());
        let is_of_it = |proof: &&Asked<Verified>| match proof.found.value() {
            Some(verified) if proof.reading.is_none() => listed == Some(&verified.manifest),
            _ => true,
        };
        self.proofs.get(&week).filter(is_of_it)
    }

    /// Whether a manifest is the one that is listed.
    pub(in crate::console) fn lists(&self, week: Week, manifest: &Manifest) -> bool {
        let rows = self.weeks.found.value().map_or(&[][..], Vec::as_slice);
        rows.iter().any(|row| row.week == week && row.manifest.as_ref().ok() == Some(manifest))
    }

    /// What was read and proven of weeks that were made anew since is known no longer.
    pub(in crate::console) fn forget_remade(&mut self) {
        let (mut summaries, mut proofs) = (std::mem::take(&mut self.summaries), std::mem::take(&mut self.proofs));
        summaries.retain(|week, asked| {
            asked.reading.is_some() || asked.found.value().is_none_or(|(manifest, _)| self.lists(*week, manifest))
        });
        proofs.retain(|week, asked| {
            asked.reading.is_some() || asked.found.value().is_none_or(|proof| self.lists(*week, &proof.manifest))
        });
        (self.summaries, self.proofs) = (summaries, proofs);
    }

    /// The last records.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        self.records.found.value().map_or(&[], Vec::as_slice)
    }

    /// The requests under way.
    pub(in crate::console) fn jobs(&self) -> impl Iterator<Item = Job> {
        let own = [self.counts.reading, self.records.reading, self.weeks.reading];
        let summaries = self.summaries.values().map(|asked| asked.reading);
        let proofs = self.proofs.values().map(|asked| asked.reading);
        own.into_iter().chain(summaries).chain(proofs).flatten()
    }

    /// What was known is of another account.
    pub(in crate::console) fn forget(&mut self) {
        *self = Self::default();
    }
}

/// The place of the selected record among those that are known.
pub(in crate::console) fn record_at(model: &Model) -> usize {
    let known = model.environment().data.records();
    let is_here = |id: &String| known.iter().position(|record| record.id == *id);
    model.data.record.as_ref().and_then(is_here).unwrap_or(0)
}

/// The selected week.
pub(in crate::console) fn week(model: &Model) -> Option<Week> {
    match &model.data.open {
        Some(Opened::Week(week)) => Some(*week),
        Some(Opened::Record(..)) => None,
        None => {
            let lines = model.environment().data.lines(model.clock.now);
            Some(lines.get(model.data.week)?.week)
        }
    }
}

/// When something of the page changes by time alone, milliseconds since the Unix epoch.
pub(in crate::console) fn wake(model: &Model) -> Option<i64> {
    const SPINNER: i64 = 125;
    if model.page != Page::Data {
        return None;
    }
    let (now, known) = (model.clock.now, &model.environment().data);
    let spinner = known.jobs().next().map(|_| now + SPINNER);
    let read = [known.counts.read_at, known.records.read_at, known.weeks.read_at].into_iter().flatten();
    let received = known.records().iter().filter_map(Record::at);
    let written = known.weeks.found.value().into_iter().flatten().filter_map(|row| row.written_at);
    let ages = read.chain(received).chain(written).map(|at| now + model.clock.next_age(at));
    spinner.into_iter().chain(ages).min()
}

impl EnvState {
    /// Whether its project says where an intake is.
    #[must_use]
    pub fn has_intake(&self) -> bool {
        self.info.as_ref().is_some_and(|info| info.intake)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MONDAY: i64 = 1_764_028_800_000; // 2025-11-25T00:00:00Z

    fn row(week: &str) -> Row {
        let manifest = Err(Why::new("not read"));
        Row { week: week.parse().unwrap(), written_at: None, manifest }
    }

    #[test]
    fn the_last_week_that_is_over_is_listed_whether_it_has_a_summary_or_not() {
        let listed = |rows: &[&str]| {
            let mut known = Known::default();
            known.weeks.answer(Ok(rows.iter().map(|week| row(week)).collect()), 0);
            known.lines(MONDAY).iter().map(|line| line.week.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(Known::default().lines(MONDAY).len(), 0, "nothing is said before it was read");
        assert_eq!(listed(&[]), ["2025-W47"]);
        assert_eq!(listed(&["2025-W48", "2025-W46"]), ["2025-W48", "2025-W47", "2025-W46"]);
        assert_eq!(listed(&["2025-W47"]), ["2025-W47"]);
    }
}
