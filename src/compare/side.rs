//! What one side says about one item.

use std::fmt;

/// One side of a comparison: git's or AWS's answer for one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Side<T> {
    /// The side was read completely, and the item is not in it.
    Absent,
    /// What the side says.
    Value(T),
    /// The side could not be read; nothing may be concluded from it.
    Unreadable(Why),
}

/// The applied side: git's value at the commit that was last rolled out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Applied<T> {
    /// No receipt covers the item's unit.
    Unrecorded,
    /// A receipt covers the unit, and this is what git said at its commit.
    Recorded(Side<T>),
}

/// Why something is not known, and what the operator can do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why {
    /// What failed, on what, and why; one line.
    pub reason: String,
    /// What to try; one line.
    pub hint: Option<String>,
}

impl Why {
    /// A reason without a remedy.
    #[must_use]
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), hint: None }
    }

    /// Adds what to try.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl<T> Side<T> {
    /// Translates the value and keeps absence and unreadability.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Side<U> {
        match self {
            Self::Absent => Side::Absent,
            Self::Value(value) => Side::Value(change(value)),
            Self::Unreadable(why) => Side::Unreadable(why),
        }
    }

    /// The value, when the side was read and has one.
    pub fn value(&self) -> Option<&T> {
        match self {
            Self::Value(value) => Some(value),
            Self::Absent | Self::Unreadable(_) => None,
        }
    }
}

impl<T> From<Option<T>> for Side<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Absent, Self::Value)
    }
}
