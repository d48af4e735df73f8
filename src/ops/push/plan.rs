//! What a write of values would do, worked out by reading alone: of a push, of an undo, of a rollback.

use std::collections::{BTreeMap, BTreeSet};

use super::units::Units;
use crate::compare::{Changed, Facet, Only, Verdict, Why, differs_only_in};
use crate::ops::journal::{Act, Action, Step, Thing};
use crate::ops::readers::Reader;
use crate::ops::report::{Commit, Identity, Problem};
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
    pub(super) fn new(action: Action, reference: String, writer: Identity) -> Self {
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

    /// How many items would be created, updated (or restored) and deleted.
    #[must_use]
    pub fn counts(&self) -> (usize, usize, usize) {
        let count = |acts: &[Act]| self.changes.iter().filter(|change| acts.contains(&change.step.act)).count();
        (count(&[Act::Create]), count(&[Act::Update, Act::Restore]), count(&[Act::Delete]))
    }

    /// The same without the changes that `wanted` leaves out; they are among what is kept.
    #[must_use]
    pub fn only(&self, wanted: impl Fn(&Change) -> bool) -> Self {
        let (changes, left): (Vec<Change>, Vec<Change>) = self.changes.iter().cloned().partition(wanted);
        let left_out = |change: Change| Kept {
            kind: change.step.kind,
            name: change.step.name,
            why: Why::new("left out by whoever confirms"),
        };
        let kept = self.kept.iter().cloned().chain(left.into_iter().map(left_out)).collect();
        Self { changes, kept, ..self.clone() }
    }
}

impl Change {
    /// The value that will be.
    pub(super) fn value(&self) -> Option<Secret> {
        text_of(&self.after)
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
