//! Cheap truth: a verdict from versions and digests alone, before any value is read or decrypted.
//!
//! Versions of parameters and secrets are immutable, so a live version that is still the receipt's says that
//! live has not moved; a ciphertext digest that is still the receipt's says that git has not. What this
//! cannot settle is settled by [`super::verdict`] on the values; the two never disagree.

use super::Verdict;

/// What versions or digests say about one side, next to the receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// The item is certainly not on this side.
    Absent,
    /// Present, and certainly what the receipt recorded.
    Unmoved,
    /// Present, and not the version or digest that the receipt recorded, or there is no receipt to compare
    /// with. The value may be the same nevertheless.
    Moved,
}

/// Whether the receipt speaks of the item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Record {
    /// No receipt, or one that cannot be read.
    None,
    /// A receipt of the unit, and the item is not in it.
    Absent,
    /// A receipt of the unit, and the item is in it.
    Present,
}

/// What versions and digests come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// They settle the verdict; `None`: the item is on neither side, and not listed.
    Settled(Option<Verdict>),
    /// Values have to be compared.
    NeedsValues,
}

/// The verdict where versions and digests settle it.
#[must_use]
pub fn cheap(git: Evidence, record: Record, live: Evidence) -> Finding {
    use Evidence::{Absent, Moved, Unmoved};

    Finding::Settled(match (git, record, live) {
        (Absent, _, Absent) => None,
        (Unmoved, Record::Present, Unmoved) => Some(Verdict::InSync),
        (Unmoved, Record::Present, Absent) => Some(Verdict::Drifted),
        (Absent, Record::Present, Unmoved) => Some(Verdict::Pending),
        (Moved, Record::None | Record::Absent, Absent) => Some(Verdict::GitOnly),
        (Absent, Record::None | Record::Absent, Moved) => Some(Verdict::Unmanaged),
        _ => return Finding::NeedsValues,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::compare::{Applied, Side, verdict};

    fn side(value: Option<u8>) -> Side<u8> {
        value.into()
    }

    /// What versions could say about a side with this value; a moved version may carry an equal value.
    fn evidence(value: Option<u8>, applied: Option<u8>, rewritten: bool) -> Evidence {
        match value {
            None => Evidence::Absent,
            Some(_) if value == applied && !rewritten => Evidence::Unmoved,
            Some(_) => Evidence::Moved,
        }
    }

    proptest! {
        #[test]
        fn the_cheap_path_and_the_value_path_never_disagree(
            git in prop::option::of(0_u8..3),
            recorded in prop::option::of(prop::option::of(0_u8..3)),
            live in prop::option::of(0_u8..3),
            git_rewritten: bool,
            live_rewritten: bool,
        ) {
            let (record, applied) = match recorded {
                None => (Record::None, Applied::Unrecorded),
                Some(None) => (Record::Absent, Applied::Recorded(Side::Absent)),
                Some(Some(value)) => (Record::Present, Applied::Recorded(Side::Value(value))),
            };
            let base = recorded.flatten();
            let by_version = cheap(
                evidence(git, base, git_rewritten),
                record,
                evidence(live, base, live_rewritten),
            );
            if let Finding::Settled(by_version) = by_version {
                prop_assert_eq!(by_version, verdict(&side(git), &applied, &side(live)));
            }
        }
    }

    #[test]
    fn an_unchanged_item_needs_no_value() {
        assert_eq!(
            cheap(Evidence::Unmoved, Record::Present, Evidence::Unmoved),
            Finding::Settled(Some(Verdict::InSync))
        );
    }

    #[test]
    fn a_moved_version_needs_values_since_it_may_have_been_put_back() {
        assert_eq!(cheap(Evidence::Unmoved, Record::Present, Evidence::Moved), Finding::NeedsValues);
        assert_eq!(cheap(Evidence::Moved, Record::None, Evidence::Moved), Finding::NeedsValues);
    }
}
