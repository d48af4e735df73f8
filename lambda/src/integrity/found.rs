//! What a comparison finds, since an event may never come: code that is not what was rolled out, and drift.
//!
//! Pure. Code is compared as everywhere in Plumb: by the receipt's digest of the artifact that was built from git.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::state::Change;

/// As much of a stack's receipt as counts here.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct Receipt {
    items: BTreeMap<String, Item>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Item {
    code_sha256: Option<String>,
}

impl Receipt {
    /// Of a receipt's text, as `plumb deploy` writes it.
    pub fn parse(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// The logical ids of functions whose code it knows.
    pub fn functions(&self) -> impl Iterator<Item = &str> {
        self.items.iter().filter(|(_, item)| item.code_sha256.is_some()).map(|(id, _)| id.as_str())
    }
}

/// The code of a function that is live: of `$LATEST`, or of the version behind an alias.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// The function's logical id.
    pub logical_id: String,
    /// Its name, with the alias.
    pub name: String,
    /// SHA-256 of the artifact, as Lambda shows it.
    pub sha256: String,
    /// When it was made, in milliseconds; of an alias, which may point to something old since a moment ago, unknown.
    pub modified: Option<i64>,
}

/// The functions that run what was not rolled out. One that is younger than `grace` may be of a deployment whose receipt
/// is not written yet.
#[must_use]
pub fn code(receipt: &Receipt, live: &[Code], now: i64, grace: i64) -> Vec<Change> {
    let other = |code: &&Code| {
        let expected = receipt.items.get(&code.logical_id).and_then(|item| item.code_sha256.as_ref());
        expected.is_some_and(|expected| *expected != code.sha256) && now - code.modified.unwrap_or(0) >= grace
    };
    let found = live.iter().filter(other).map(|code| Change {
        what: format!("the code of function {} is not what was rolled out", code.name),
        who: String::new(),
        at: code.modified.unwrap_or(now),
        lasting: Some(format!("code {} {}", code.name, code.sha256)),
        seen: now,
    });
    found.collect()
}

/// Drift that CloudFormation found in a stack: what differs, by name, so that the same drift has the same name when it is
/// found again.
#[must_use]
pub fn drift(stack: &str, differences: impl IntoIterator<Item = String>, at: i64) -> Change {
    let differences: BTreeSet<String> = differences.into_iter().collect();
    let all = differences.into_iter().collect::<Vec<_>>().join(" ");
    // A name, and no list of a whole stack.
    let short: String = all.chars().take(400).collect();
    Change {
        what: format!("CloudFormation found drift in stack {stack}"),
        who: String::new(),
        at,
        lasting: Some(format!("drift {stack} {short}")),
        seen: at,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRACE: i64 = 300_000;

    #[test]
    fn code_is_another_when_its_digest_is_and_it_has_been_there_for_a_while() {
        let text =
            r#"{"schema": 1, "items": {"Fn": {"code_sha256": "abc", "version": "3"}, "Other": {"version": "1"}}}"#;
        let receipt = Receipt::parse(text).unwrap();
        assert_eq!(receipt.functions().collect::<Vec<_>>(), ["Fn"]);
        let live = |logical_id: &str, sha256: &str, age: i64| Code {
            logical_id: logical_id.into(),
            name: "checkout:live".into(),
            sha256: sha256.into(),
            modified: Some(1_000_000_000 - age),
        };
        let found = |live: Code| code(&receipt, &[live], 1_000_000_000, GRACE).len();
        assert_eq!(found(live("Fn", "xyz", GRACE)), 1);
        assert_eq!(found(live("Fn", "abc", GRACE)), 0, "as it was rolled out");
        assert_eq!(found(live("Fn", "xyz", GRACE - 1)), 0, "a deployment may be under way");
        assert_eq!(found(live("Other", "xyz", GRACE)), 0, "the receipt does not know its code");
    }

    #[test]
    fn the_same_drift_has_the_same_name_in_any_order() {
        let names = |list: [&str; 2]| drift("shop", list.map(str::to_owned), 5).lasting;
        assert_eq!(names(["Queue MODIFIED", "Fn /Timeout"]), names(["Fn /Timeout", "Queue MODIFIED"]));
        assert_ne!(names(["Queue MODIFIED", "Fn /Timeout"]), names(["Queue MODIFIED", "Fn /MemorySize"]));
    }
}
