//! The verdict table.

use std::fmt;

use super::side::{Applied, Side, Why};

/// What the three sides of an item add up to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Live says what git says.
    InSync,
    /// Live moved away from what was rolled out; git did not move.
    Drifted,
    /// Git moved on, or dropped the item; live still is what was rolled out.
    Pending,
    /// Both moved, to different ends.
    Diverged,
    /// Live and git differ, and no receipt says which of them moved.
    Differs,
    /// In git and not live, and never rolled out as far as is known.
    GitOnly,
    /// Live, and never in git as far as is known.
    Unmanaged,
    /// A rule of the project says that the difference does not count.
    Ignored(Rule),
    /// At least one side that matters could not be read.
    Unknown(Why),
}

/// Why an item's difference is ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// An ignore rule of the project file, by its text.
    Project(String),
    /// The secret is rotated by AWS: its value is not git's to state.
    Rotation,
    /// It describes nothing that is live.
    NothingLive,
}

/// The verdict on one item; `None` when neither git nor live has it, and it is not listed.
///
/// First match wins:
///
/// | git | applied | live | verdict |
/// |---|---|---|---|
/// | ? | any | any | Unknown |
/// | any | any | ? | Unknown |
/// | ∅ | any | ∅ | not listed |
/// | g | any | l = g | InSync |
/// | g | ∅, ?, unrecorded | ∅ | GitOnly |
/// | ∅ | ∅, ?, unrecorded | l | Unmanaged |
/// | g | ?, unrecorded | l ≠ g | Differs |
/// | g | ∅ | l ≠ g | Diverged |
/// | g = a | a | l ≠ a or ∅ | Drifted |
/// | g ≠ a or ∅ | a | l = a | Pending |
/// | g ≠ a or ∅ | a | l ≠ a or ∅ | Diverged |
#[must_use]
pub fn verdict<T: PartialEq>(git: &Side<T>, applied: &Applied<T>, live: &Side<T>) -> Option<Verdict> {
    use Applied::{Recorded, Unrecorded};
    use Side::{Absent, Unreadable, Value};

    Some(match (git, applied, live) {
        (Unreadable(why), _, _) | (_, _, Unreadable(why)) => Verdict::Unknown(why.clone()),
        (Absent, _, Absent) => return None,
        (Value(g), _, Value(l)) if g == l => Verdict::InSync,
        (Value(_), Unrecorded | Recorded(Absent | Unreadable(_)), Absent) => Verdict::GitOnly,
        (Absent, Unrecorded | Recorded(Absent | Unreadable(_)), Value(_)) => Verdict::Unmanaged,
        (Value(_), Unrecorded | Recorded(Unreadable(_)), Value(_)) => Verdict::Differs,
        (Value(_), Recorded(Absent), Value(_)) => Verdict::Diverged,
        (git, Recorded(Value(a)), live) => {
            let git_moved = git.value() != Some(a);
            let live_moved = live.value() != Some(a);
            match (git_moved, live_moved) {
                (false, _) => Verdict::Drifted,
                (true, false) => Verdict::Pending,
                (true, true) => Verdict::Diverged,
            }
        }
    })
}

/// The verdict on a whole whose parts have these verdicts, such as a resource with several properties.
///
/// Parts that moved on different sides make a whole where both moved. An unknown part does not hide a
/// known difference, and a known equality does not hide an unknown part.
#[must_use]
pub fn combine<'a>(parts: impl IntoIterator<Item = &'a Verdict>) -> Verdict {
    let mut whole = Verdict::InSync;
    for part in parts {
        whole = match (whole, part) {
            (Verdict::Drifted, Verdict::Pending) | (Verdict::Pending, Verdict::Drifted) => Verdict::Diverged,
            (whole, part) if part.weight() > whole.weight() => part.clone(),
            (whole, _) => whole,
        };
    }
    whole
}

impl Verdict {
    /// The stable word of JSON output.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::InSync => "in_sync",
            Self::Drifted => "drifted",
            Self::Pending => "pending",
            Self::Diverged => "diverged",
            Self::Differs => "differs",
            Self::GitOnly => "git_only",
            Self::Unmanaged => "unmanaged",
            Self::Ignored(_) => "ignored",
            Self::Unknown(_) => "unknown",
        }
    }

    /// The word on screens.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::InSync => "in sync",
            Self::Drifted => "drifted",
            Self::Pending => "pending",
            Self::Diverged => "both",
            Self::Differs => "differs",
            Self::GitOnly => "git only",
            Self::Unmanaged => "unmanaged",
            Self::Ignored(_) => "ignored",
            Self::Unknown(_) => "unknown",
        }
    }

    /// The symbol that stands before the word, so that colour is never alone.
    #[must_use]
    pub fn symbol(&self) -> &'static str {
        match self {
            Self::InSync => "=",
            Self::Drifted => "~",
            Self::Pending => ">",
            Self::Diverged => "!",
            Self::Differs => "*",
            Self::GitOnly => "-",
            Self::Unmanaged => ".",
            Self::Ignored(_) => "i",
            Self::Unknown(_) => "?",
        }
    }

    /// Whether git and live are known to differ: what makes an exit code of 1.
    #[must_use]
    pub fn is_difference(&self) -> bool {
        matches!(self, Self::Drifted | Self::Pending | Self::Diverged | Self::Differs | Self::GitOnly)
    }

    /// Whether an operator should look at it: a difference, or something that could not be read.
    #[must_use]
    pub fn needs_attention(&self) -> bool {
        self.is_difference() || matches!(self, Self::Unknown(_))
    }

    /// Order in which things are shown, what needs the operator most first, and in which parts outweigh
    /// each other in [`combine`].
    #[must_use]
    pub fn weight(&self) -> u8 {
        match self {
            Self::Diverged => 8,
            Self::Drifted => 7,
            Self::Pending => 6,
            Self::Differs => 5,
            Self::GitOnly => 4,
            Self::Unknown(_) => 3,
            Self::Unmanaged => 2,
            Self::Ignored(_) => 1,
            Self::InSync => 0,
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Project(text) => f.write_str(text),
            Self::Rotation => f.write_str("rotated by Secrets Manager"),
            Self::NothingLive => f.write_str("there is nothing live behind it"),
        }
    }
}

#[cfg(test)]
mod tests;
