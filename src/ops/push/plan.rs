//! What a write of values would do, worked out by reading alone: of a push, of an undo, of a rollback.

use std::collections::{BTreeMap, BTreeSet};

use super::pace;
use super::units::Units;
use crate::compare::{Changed, Facet, Only, Verdict, Why, differs_only_in};
use crate::ops::journal::{Act, Action, Step, Thing};
use crate::ops::readers::Reader;
use crate::ops::report::{Commit, Identity, Problem};
use crate::ops::restart::{Restart, Restarted};
use crate::ops::schema;
use crate::secret::Secret;

/// What is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ask {
    /// The ref; `None`: the environment's own.
    pub reference: Option<String>,
    /// These services alone, and `secrets`; empty: all.
    pub services: Vec<String>,
    /// Whether what git no longer has is deleted.
    pub prune: bool,
    /// Whether the functions that read what is written are started anew.
    pub restart: bool,
}

/// A plan. Its values are masked by `Debug`.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// Push, undo or rollback.
    pub action: Action,
    /// The ref, as it was asked for.
    pub reference: String,
    /// The commit that is pushed; of an undo or rollback there is none.
    pub commit: Option<Commit>,
    /// Who would write, as far as whoever planned knows.
    pub writer: Identity,
    /// What would be written, by kind and name.
    pub changes: Vec<Change>,
    /// What stays as it is although it is not what git says, or not in git.
    pub kept: Vec<Kept>,
    /// What could not be compared, and so is not written.
    pub unknown: Vec<Kept>,
    /// How many items are what they should be.
    pub untouched: usize,
    /// Failures that are not one item's.
    pub problems: Vec<Problem>,
    /// What is started anew after the writes, if that was asked for; see [`Plan::restarting`].
    pub(crate) restarts: Vec<Restart>,
    /// What whoever confirms has to know of the whole.
    pub warnings: Vec<String>,
    /// The entry of the journal that an undo takes back.
    pub undoes: Option<String>,
    /// The commit that each unit runs so far; of an undo, the one that it ran before.
    pub(super) ran: BTreeMap<String, String>,
    pub(super) units: Units,
}

/// One write.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// What is done to what; goes into the journal.
    pub step: Step,
    /// How git and live stand; `None` where git was not asked.
    pub verdict: Option<Verdict>,
    /// The file that says the value.
    pub file: Option<String>,
    /// What is live now.
    pub before: Facet,
    /// What will be.
    pub after: Facet,
    /// The one thing in which the two differ.
    pub only: Option<Only>,
    /// Who changed the live value since it was rolled out.
    pub changed: Option<Changed>,
    /// Whether that change, or one that nobody can place, is overwritten.
    pub overwrites: bool,
    /// What reads it, where that is known.
    pub readers: Vec<Reader>,
    /// What else whoever confirms has to know.
    pub notes: Vec<String>,
    pub(super) target: Target,
}

/// How a value is stored where it is not there yet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Target {
    /// Of a parameter: its type.
    pub(super) type_name: String,
    /// The key that the project names for it; `None`: that of what is there, or the account's own.
    pub(super) key_id: Option<String>,
    /// Its tags.
    pub(super) tags: Vec<(String, String)>,
}

/// An item that is not written, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// What it is.
    pub kind: Thing,
    /// Its name.
    pub name: String,
    /// Why.
    pub why: Why,
}

/// What a write did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pushed {
    /// Its entry in the journal; empty when there was nothing to do.
    pub id: String,
    /// The commit.
    pub commit: String,
    /// Items written, and how.
    pub written: Vec<Written>,
    /// Items that were what they should be already.
    pub untouched: usize,
    /// Items that could not be compared or written.
    pub failed: Vec<(String, Why)>,
    /// What happened beside the push: writes of others that met its own.
    pub races: Vec<Race>,
    /// Functions that were started anew.
    pub restarted: Vec<Restarted>,
    /// Functions that were to be, and keep what they have read.
    pub stale: Vec<(String, Why)>,
    /// What else there is to say: no lock, no receipts.
    pub notes: Vec<String>,
    /// Why the journal does not hold how it went.
    pub untold: Option<Why>,
}

/// An item that was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// What it is.
    pub kind: Thing,
    /// Its name.
    pub name: String,
    /// What was done.
    pub act: Act,
    /// The version that came of it; a deletion leaves none.
    pub version: Option<String>,
}

/// Somebody else wrote the same item at the same time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Race {
    /// The item.
    pub name: String,
    /// What happened and who won.
    pub told: String,
    /// What to do about it.
    pub hint: String,
}

impl Plan {
    /// A plan without anything in it yet.
    pub(crate) fn new(action: Action, reference: String, writer: Identity) -> Self {
        Self {
            action,
            reference,
            commit: None,
            writer,
            changes: Vec::new(),
            kept: Vec::new(),
            unknown: Vec::new(),
            untouched: 0,
            problems: Vec::new(),
            restarts: Vec::new(),
            warnings: Vec::new(),
            undoes: None,
            ran: BTreeMap::new(),
            units: Units::default(),
        }
    }

    /// Whether there is anything to write: a value, or a receipt.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.units.is_settled()
    }

    /// The units whose receipts would be written although no value of theirs is.
    #[must_use]
    pub fn records(&self) -> Vec<String> {
        let written: BTreeSet<&str> = self.changes.iter().map(|change| change.step.unit.as_str()).collect();
        self.units.unsettled().into_iter().filter(|unit| !written.contains(unit.as_str())).collect()
    }

    /// The functions that read what would be written, without the changes at these places.
    #[must_use]
    pub fn readers(&self, left: &BTreeSet<usize>) -> BTreeSet<&str> {
        let wanted = self.changes.iter().enumerate().filter(|(at, _)| !left.contains(at));
        wanted.flat_map(|(_, change)| &change.readers).map(|reader| reader.function.as_str()).collect()
    }

    /// The same, where they are to be started anew: how, or why not.
    #[must_use]
    pub fn restarting(&self, left: &BTreeSet<usize>) -> Vec<&Restart> {
        let readers = self.readers(left);
        self.restarts.iter().filter(|restart| readers.contains(restart.name.as_str())).collect()
    }

    /// The functions that read what was written, and have the old values.
    pub(super) fn stale(&self, written: &[Written]) -> BTreeSet<&str> {
        let is_written =
            |change: &&Change| written.iter().any(|it| (it.kind, &it.name) == (change.step.kind, &change.step.name));
        let readers = self.changes.iter().filter(is_written).flat_map(|change| &change.readers);
        readers.map(|reader| reader.function.as_str()).collect()
    }

    /// How many writes it takes without the changes at these places, and how long, about: `3 writes, about 2 s`.
    #[must_use]
    pub fn pace(&self, left: &BTreeSet<usize>) -> String {
        let wanted = || self.changes.iter().enumerate().filter(|(at, _)| !left.contains(at));
        let count = |kind| wanted().filter(|(_, change)| change.step.kind == kind).count();
        pace::told(count(Thing::Parameter), count(Thing::Secret))
    }

    /// How many items would be created, updated (or restored) and deleted.
    #[must_use]
    pub fn counts(&self) -> (usize, usize, usize) {
        let count = |acts: &[Act]| self.changes.iter().filter(|change| acts.contains(&change.step.act)).count();
        (count(&[Act::Create]), count(&[Act::Update, Act::Restore]), count(&[Act::Delete]))
    }

    /// The same without the changes that `wanted` leaves out; they are among what is kept.
    #[must_use]
    pub fn only(&self, wanted: impl Fn(&Change) -> bool) -> Self {
        let places = self.changes.iter().enumerate();
        self.without(&places.filter(|(_, change)| !wanted(change)).map(|(at, _)| at).collect())
    }

    /// The same without the changes at these places; they are among what is kept.
    #[must_use]
    pub fn without(&self, left: &BTreeSet<usize>) -> Self {
        let mut plan = Self { changes: Vec::new(), ..self.clone() };
        for (at, change) in self.changes.iter().enumerate() {
            if left.contains(&at) {
                let (kind, name) = (change.step.kind, change.step.name.clone());
                plan.kept.push(Kept { kind, name, why: Why::new(LEFT_OUT) });
            } else {
                plan.changes.push(change.clone());
            }
        }
        plan
    }
}

/// Why a change is kept that whoever confirms did not want.
pub const LEFT_OUT: &str = "left out by whoever confirms";

impl Change {
    /// The value that will be.
    pub(super) fn value(&self) -> Option<Secret> {
        text_of(&self.after)
    }

    /// The live version as it is told: `v4` of a parameter, the first eight digits of a secret's.
    #[must_use]
    pub fn version(&self) -> Option<String> {
        let id = &self.step.before.as_ref()?.id;
        match id.parse::<u64>() {
            Ok(number) => Some(format!("v{number}")),
            Err(_) => id.get(..8).map(str::to_owned),
        }
    }

    /// What is lost by it, where the item moved live.
    #[must_use]
    pub fn loss(&self) -> Option<String> {
        if !self.overwrites {
            return None;
        }
        let verb = if self.step.act == Act::Delete { "deletes" } else { "overwrites" };
        let unknown = format!("{verb} what no receipt knows");
        let Some(changed) = &self.changed else { return Some(unknown) };
        let told = match self.verdict {
            Some(Verdict::Differs) => unknown,
            _ => format!("{verb} a change made live"),
        };
        let at = changed.at.map(|at| format!(", {}", schema::time(at))).unwrap_or_default();
        let by = changed.by.as_ref().map(|by| format!(", by {by}")).unwrap_or_default();
        Some(format!("{told}{at}{by}"))
    }

    /// What reads it, the first few by name.
    #[must_use]
    pub fn read_by(&self) -> Option<String> {
        const NAMED: usize = 3;
        let named = self.readers.iter().take(NAMED).map(|reader| format!("{} ({})", reader.function, reader.through));
        let named = named.collect::<Vec<_>>().join(", ");
        match self.readers.len() {
            0 => None,
            1..=NAMED => Some(format!("read by {named}")),
            all => Some(format!("read by {named} and {} more", all - NAMED)),
        }
    }

    /// A change as the console's tests need it: of no value that is anybody's.
    #[cfg(test)]
    pub(crate) fn fake(step: Step, verdict: Option<Verdict>, before: Facet, after: Facet) -> Self {
        Self {
            step,
            verdict,
            file: None,
            only: only(&before, &after),
            before,
            after,
            changed: None,
            overwrites: false,
            readers: Vec::new(),
            notes: Vec::new(),
            target: Target::default(),
        }
    }
}

impl Pushed {
    /// Whether all of it was done, and met no write of somebody else's.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.failed.is_empty() && self.races.is_empty() && self.stale.is_empty()
    }
}

impl Written {
    /// What was done, in the past.
    #[must_use]
    pub fn past(&self) -> &'static str {
        match self.act {
            Act::Create => "created",
            Act::Update => "updated",
            Act::Delete => "deleted",
            Act::Restore => "restored",
        }
    }
}

/// The plaintext of a side.
pub(super) fn text_of(facet: &Facet) -> Option<Secret> {
    match facet {
        Facet::Secret(secret) => Some(secret.clone()),
        Facet::Plain(text) => Some(Secret::new(text.as_str())),
        _ => None,
    }
}

/// The one thing in which two sides differ.
pub(super) fn only(before: &Facet, after: &Facet) -> Option<Only> {
    differs_only_in(text_of(before)?.expose(), text_of(after)?.expose())
}
