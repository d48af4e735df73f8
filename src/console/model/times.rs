//! When what is shown was read, with which commit it was compared, and whether a newer answer could not be had.

use std::collections::BTreeMap;

use crate::compare::Kind;
use crate::console::page::ItemId;

/// The ages of what is known of an environment; times are milliseconds since the Unix epoch.
#[derive(Debug, Default)]
pub struct Times {
    kinds: BTreeMap<Kind, Reading>,
    items: Vec<(ItemId, Reading)>,
    stale: BTreeMap<Kind, Missed>,
}

/// Why what is shown is older than the last attempt to read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missed {
    /// It failed, or was not answered.
    Failed,
    /// The operator cancelled it.
    Cancelled,
    /// Git is at another commit by now.
    Moved,
}

impl Missed {
    /// What happened since.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Failed => "the last attempt failed",
            Self::Cancelled => "the last attempt was cancelled",
            Self::Moved => "git has moved since",
        }
    }
}

/// One reading.
#[derive(Debug, Clone)]
pub(in crate::console) struct Reading {
    /// When.
    pub at: i64,
    /// The commit that live was compared with; `None`: with none.
    pub commit: Option<String>,
}

impl Times {
    /// A kind was read.
    pub(in crate::console) fn read(&mut self, kind: Kind, reading: Reading) {
        self.kinds.insert(kind, reading);
        self.items.retain(|(id, _)| id.kind != kind);
        self.stale.remove(&kind);
    }

    /// Nothing of a kind is shown any more.
    pub(in crate::console) fn forget(&mut self, kind: Kind) {
        self.kinds.remove(&kind);
        self.items.retain(|(id, _)| id.kind != kind);
        self.stale.remove(&kind);
    }

    /// One item was read.
    pub(in crate::console) fn read_one(&mut self, id: ItemId, reading: Reading) {
        self.items.retain(|(other, _)| *other != id);
        self.items.push((id, reading));
    }

    /// A kind was asked for, and there was no answer.
    pub(in crate::console) fn missed(&mut self, kind: Kind, how: Missed) {
        self.stale.insert(kind, how);
    }

    /// When a kind was read.
    #[must_use]
    pub fn of(&self, kind: Kind) -> Option<i64> {
        self.kinds.get(&kind).map(|reading| reading.at)
    }

    /// The commit that a kind was compared with.
    #[must_use]
    pub fn commit_of(&self, kind: Kind) -> Option<&str> {
        self.kinds.get(&kind)?.commit.as_deref()
    }

    /// The commit that an item was compared with.
    #[must_use]
    pub fn commit_of_item(&self, id: &ItemId) -> Option<&str> {
        self.reading(id)?.commit.as_deref()
    }

    fn reading(&self, id: &ItemId) -> Option<&Reading> {
        let own = self.items.iter().find(|(other, _)| other == id).map(|(_, reading)| reading);
        own.or_else(|| self.kinds.get(&id.kind))
    }

    /// When an item was read: by itself, or with its kind.
    #[must_use]
    pub fn of_item(&self, id: &ItemId) -> Option<i64> {
        self.reading(id).map(|reading| reading.at)
    }

    /// When the oldest of these kinds was read.
    #[must_use]
    pub fn oldest(&self, kinds: &[Kind]) -> Option<i64> {
        kinds.iter().filter_map(|kind| self.of(*kind)).min()
    }

    /// Whether what is shown of a kind is older than the last attempt to read it.
    #[must_use]
    pub fn is_stale(&self, kind: Kind) -> bool {
        self.stale.contains_key(&kind)
    }

    /// Whether an item is older than the last attempt to read it, and why; it may have been read by itself since.
    #[must_use]
    pub fn item_missed(&self, id: &ItemId) -> Option<Missed> {
        let own = self.items.iter().any(|(other, _)| other == id);
        self.stale.get(&id.kind).copied().filter(|_| !own)
    }
}
