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
    /// What to make of it, where that decides what is done.
    pub kind: WhyKind,
}

/// What a [`Why`] means, for whoever must not guess it from words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WhyKind {
    /// The session of whoever asks has ended.
    Expired,
    /// There are no credentials, or AWS does not know them.
    NoCredentials,
    /// The caller lacks a permission.
    Denied,
    /// What was asked about is not there.
    Missing,
    /// Too many requests, still after all retries.
    Throttled,
    /// No connection, or no answer in time.
    Network,
    /// The service itself failed, or what came was no answer of it: it may answer when it is asked again.
    Service,
    /// Anything else.
    #[default]
    Other,
}

impl WhyKind {
    /// Whether it is about who asks, and so about everything that is asked.
    #[must_use]
    pub fn is_of_credentials(self) -> bool {
        matches!(self, Self::Expired | Self::NoCredentials)
    }
}

impl Why {
    /// A reason without a remedy.
    #[must_use]
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), hint: None, kind: WhyKind::Other }
    }

    /// Says what to make of it.
    #[must_use]
    pub fn kind(mut self, kind: WhyKind) -> Self {
        self.kind = kind;
        self
    }

    /// Whether it is about everything that is asked, so that once is enough to tell it.
    #[must_use]
    pub fn is_of_everything(&self) -> bool {
        self.kind.is_of_credentials() || self.kind == WhyKind::Network
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
