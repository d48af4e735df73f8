//! The crypto page: a playground that keeps nothing, the keyring, and the smoke test.

use std::time::Duration;

use crate::compare::Why;
use crate::console::model::{Job, Model};
use crate::console::page::Page;
use crate::console::remote::Remote;
use crate::console::typed::Typed;
use crate::ops::crypto::keyring::Keyring;
use crate::ops::crypto::last::{Last, Standing};
use crate::ops::crypto::play::{Form, Played};
use crate::ops::crypto::smoke::{Check, Line, Step, chosen};

/// The parts of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Part {
    /// Where something is tried.
    #[default]
    Playground,
    /// The key versions.
    Keyring,
    /// The checks of the smoke test.
    Checks,
}

impl Part {
    /// The next one.
    pub(in crate::console) fn next(self) -> Self {
        match self {
            Self::Playground => Self::Keyring,
            Self::Keyring => Self::Checks,
            Self::Checks => Self::Playground,
        }
    }
}

/// What can be typed into the playground.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Field {
    /// A message or a ciphertext.
    #[default]
    Input,
    /// What it is bound to.
    Context,
    /// The key version to encrypt under.
    Version,
}

impl Field {
    /// All of them, from top to bottom.
    pub const ALL: [Self; 3] = [Self::Input, Self::Context, Self::Version];
}

/// What the page remembers while it is looked at. It is dropped, and so wiped, when the page or the environment is left.
#[derive(Debug, Default)]
pub struct State {
    /// The environment's index that all of this is about.
    pub environment: usize,
    /// Which part hears the movement keys.
    pub part: Part,
    /// Which field is selected.
    pub field: Field,
    /// Whether keys go into it.
    pub editing: bool,
    /// The fields, in the order of [`Field::ALL`].
    pub typed: [Typed; 3],
    /// How the input is read when it is a message.
    pub form: Form,
    /// How a message is shown.
    pub shown_as: Form,
    /// What is being tried.
    pub playing: Option<Job>,
    /// In a word: `encrypting`.
    pub doing: &'static str,
    /// What came of it.
    pub outcome: Option<Outcome>,
    /// Until when input and message are shown, milliseconds since the Unix epoch.
    pub shown_until: Option<i64>,
    /// The selected check.
    pub row: usize,
    /// The first line drawn of the checks.
    pub offset: usize,
    /// Whether it was just said what the whole smoke test may do here.
    pub warned: bool,
}

/// What came of a try.
#[derive(Debug)]
pub enum Outcome {
    /// It was never sent, for this reason.
    Refused(String),
    /// The API refused it, or did not answer.
    Failed(Why),
    /// It was done.
    Done(Box<Played>),
}

impl State {
    /// A field's text.
    #[must_use]
    pub fn text(&self, field: Field) -> &str {
        self.typed[field as usize].text()
    }

    pub(in crate::console) fn field_mut(&mut self) -> &mut Typed {
        &mut self.typed[self.field as usize]
    }

    /// Whether the input looks like a ciphertext, which is no secret.
    #[must_use]
    pub fn is_ciphertext(&self) -> bool {
        self.text(Field::Input).trim_start().starts_with("plumb:v")
    }

    /// What was done last.
    #[must_use]
    pub fn played(&self) -> Option<&Played> {
        match &self.outcome {
            Some(Outcome::Done(played)) => Some(played),
            _ => None,
        }
    }
}

/// What is known of the crypto API of an environment.
#[derive(Debug, Default)]
pub struct Known {
    /// Its keyring.
    pub keyring: Remote<Keyring>,
    /// When that was read, milliseconds since the Unix epoch.
    pub keyring_at: Option<i64>,
    /// Why it could not be read again, if so.
    pub trouble: Option<Why>,
    /// The request for it.
    pub reading: Option<Job>,
    /// Whether it is to be read, whatever page is looked at.
    pub wanted: bool,
    /// The smoke test of this session.
    pub smoke: Smoke,
    /// How the last one went, of this session or before.
    pub last: Option<Last>,
}

/// A smoke test.
#[derive(Debug, Default)]
pub struct Smoke {
    /// While it is under way.
    pub job: Option<Job>,
    /// Whether it is the safe subset alone.
    pub safe: bool,
    /// Its checks.
    pub rows: Vec<Row>,
    /// What a check that takes long is doing.
    pub doing: Option<String>,
    /// Why it could not begin.
    pub failed: Option<Why>,
    /// When it ended, milliseconds since the Unix epoch.
    pub ended_at: Option<i64>,
}

/// A check, and how far it is.
#[derive(Debug, Clone, PartialEq)]
pub enum Row {
    /// It waits for others.
    Waiting(Check),
    /// It goes on.
    Running(Check),
    /// It was cancelled.
    Cancelled(Check),
    /// It is done.
    Done(Line),
    /// It was done before this session: its name and its word.
    Before(String, String),
}

impl Row {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Waiting(check) | Self::Running(check) | Self::Cancelled(check) => check.name(),
            Self::Done(line) => line.check.name(),
            Self::Before(name, _) => name,
        }
    }

    /// Whether it says that something is not as it should be, or not known.
    #[must_use]
    pub fn needs_attention(&self) -> bool {
        match self {
            Self::Waiting(_) | Self::Running(_) => false,
            Self::Cancelled(_) => true,
            Self::Done(line) => line.verdict.word() != "passed",
            Self::Before(_, word) => word != "passed",
        }
    }
}

impl Smoke {
    pub(in crate::console) fn begun(job: Job, safe: bool) -> Self {
        let rows = chosen(safe, false).into_iter().map(Row::Waiting).collect();
        Self { job: Some(job), safe, rows, ..Self::default() }
    }

    pub(in crate::console) fn take(&mut self, step: Step) {
        let row = |rows: &mut Vec<Row>, check: Check, new: Row| match rows
            .iter_mut()
            .find(|row| row.name() == check.name())
        {
            Some(row) => *row = new,
            None => rows.push(new),
        };
        match step {
            Step::Begun(check) => row(&mut self.rows, check, Row::Running(check)),
            Step::Doing(text) => self.doing = Some(text),
            Step::Done(line) => {
                self.doing = None;
                row(&mut self.rows, line.check, Row::Done(line));
            }
        }
    }

    /// Nothing more comes of it.
    pub(in crate::console) fn give_up(&mut self) {
        self.job = None;
        self.doing = None;
        for row in &mut self.rows {
            if let Row::Waiting(check) | Row::Running(check) = row {
                *row = Row::Cancelled(*check);
            }
        }
    }

    /// How many checks have come to an end.
    #[must_use]
    pub fn done(&self) -> usize {
        self.rows.iter().filter(|row| matches!(row, Row::Done(_))).count()
    }
}

impl Known {
    /// The checks that are shown: those of this session, else those of before.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        if !self.smoke.rows.is_empty() {
            return self.smoke.rows.clone();
        }
        let before = self.last.iter().flat_map(|last| &last.checks);
        before.map(|(name, word)| Row::Before(name.clone(), word.clone())).collect()
    }

    /// How many checks have each verdict, those that matter first, and what they come to; `None`: nothing is known.
    #[must_use]
    pub fn tally(&self) -> Option<(Standing, Vec<(usize, Standing)>)> {
        let of = |row: &Row| match row {
            Row::Waiting(_) | Row::Running(_) => None,
            Row::Cancelled(_) => Some(Standing::Unproven),
            Row::Done(line) => Some(Standing::from(&line.verdict)),
            Row::Before(_, word) => Some(Standing::of(word)),
        };
        let standings: Vec<Standing> = self.rows().iter().filter_map(of).collect();
        let all = [Standing::Failed, Standing::Error, Standing::Unproven, Standing::Passed];
        let count = |standing: Standing| (standings.iter().filter(|own| **own == standing).count(), standing);
        let counts = all.map(count).into_iter().filter(|(count, _)| *count > 0).collect();
        Some((*standings.iter().max()?, counts))
    }

    /// When what is shown of the smoke test ended, milliseconds since the Unix epoch.
    #[must_use]
    pub fn ended_at(&self) -> Option<i64> {
        self.smoke.ended_at.or(self.last.as_ref().filter(|_| self.smoke.rows.is_empty()).map(|last| last.at))
    }

    /// What was known is of another account.
    pub(in crate::console) fn forget(&mut self) {
        self.keyring = Remote::Idle;
        self.keyring_at = None;
        self.trouble = None;
    }
}

/// When something of the page changes by time alone, milliseconds since the Unix epoch.
pub(in crate::console) fn wake(model: &Model) -> Option<i64> {
    const SPINNER: i64 = 125;
    let now = model.clock.now;
    let age = |at: i64| now + model.clock.next_age(at);
    if model.page == Page::Overview {
        return model.environments.iter().filter_map(|env| env.crypto.ended_at()).map(age).min();
    }
    if model.page != Page::Crypto {
        return None;
    }
    let (state, known) = (&model.crypto, &model.environment().crypto);
    let moves = state.playing.is_some() || known.reading.is_some() || known.smoke.job.is_some();
    let spinner = moves.then_some(now + SPINNER);
    let masks = state.shown_until.map(|until| until.min(now + 1000 - now.rem_euclid(1000)));
    let ages = [known.keyring_at, known.ended_at()].into_iter().flatten().map(age);
    spinner.into_iter().chain(masks).chain(ages).min()
}

/// `12.3 ms`, `1.24 s`: three digits are what a latency is good for.
pub(in crate::console) fn took(took: Duration) -> String {
    let millis = took.as_secs_f64() * 1000.0;
    match millis {
        ..100.0 => format!("{millis:.1} ms"),
        ..1000.0 => format!("{millis:.0} ms"),
        _ => format!("{:.2} s", millis / 1000.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::crypto::smoke::Verdict;

    fn line(check: Check, verdict: Verdict) -> Line {
        Line { check, verdict, took: Duration::ZERO, key_version: None, request_id: None, latency: None }
    }

    #[test]
    fn what_was_not_proven_is_never_passed() {
        let mut known = Known::default();
        assert_eq!(known.tally(), None);
        let job = Job { generation: 1, since: 0 };
        known.smoke = Smoke::begun(job, true);
        assert_eq!((known.tally(), known.smoke.rows.len()), (None, 6));
        known.smoke.take(Step::Begun(Check::Health));
        known.smoke.take(Step::Done(line(Check::Health, Verdict::Passed)));
        assert_eq!((known.tally().unwrap().0, known.smoke.done()), (Standing::Passed, 1));
        known.smoke.give_up();
        let (standing, counts) = known.tally().unwrap();
        assert_eq!((standing, counts), (Standing::Unproven, vec![(5, Standing::Unproven), (1, Standing::Passed)]));
    }

    #[test]
    fn latencies_have_three_digits() {
        let rows = [(840_u64, "0.8 ms"), (12_340, "12.3 ms"), (523_400, "523 ms"), (1_240_000, "1.24 s")];
        for (micros, text) in rows {
            assert_eq!(took(Duration::from_micros(micros)), text);
        }
    }
}
