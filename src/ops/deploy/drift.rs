//! What was changed by hand in a stack, and what a deployment makes of it.

use super::preview::{Act, Change};
use crate::aws::cloudformation::drift::{DriftStatus, ResourceDrift};
use crate::compare::Facet;
use crate::ops::inspect::shown;
use crate::template::is_stateful;

/// Something that is not as the stack's template says.
#[derive(Debug, Clone, PartialEq)]
pub struct Drifted {
    /// The resource.
    pub logical_id: String,
    /// Its type.
    pub type_name: String,
    /// The property; empty: the resource was deleted.
    pub path: String,
    /// What it is.
    pub live: Facet,
    /// What the deployed template says.
    pub expected: Facet,
    /// What the deployment makes of it.
    pub what: What,
}

/// What a deployment makes of drift.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// It is overwritten.
    Overwritten,
    /// It may be: the deployment changes something else of the same resource.
    Perhaps,
    /// It stays.
    Kept,
}

impl What {
    /// Its words.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Overwritten => "is overwritten",
            Self::Perhaps => "may be overwritten",
            Self::Kept => "stays",
        }
    }
}

impl Drifted {
    /// What becomes of a resource that was deleted, in words.
    #[must_use]
    pub fn deleted(&self) -> &'static str {
        match self.what {
            What::Kept => "and stays so",
            What::Perhaps => "and may be made anew",
            What::Overwritten if is_stateful(&self.type_name) => "and is made anew: what was in it does not come back",
            What::Overwritten => "and is made anew",
        }
    }
}

/// What of the drift that was last found a deployment overwrites. A drift-aware change set names what it puts back.
pub(super) fn met(drifts: &[ResourceDrift], changes: &[Change], is_aware: bool) -> Vec<Drifted> {
    let mut met = Vec::new();
    for drift in drifts {
        let change = changes.iter().find(|change| change.logical_id == drift.logical_id);
        let is_deleted = drift.status == DriftStatus::Deleted;
        let of = |path: &str| match change {
            None => What::Kept,
            Some(change) if is_aware && is_deleted && change.act != Act::Sync => What::Overwritten,
            Some(change) if change.overwrites(path) => What::Overwritten,
            Some(_) if is_aware => What::Kept,
            Some(_) => What::Perhaps,
        };
        let row = |path: String, live: Facet, expected: Facet, what: What| Drifted {
            logical_id: drift.logical_id.clone(),
            type_name: drift.type_name.clone(),
            path,
            live,
            expected,
            what,
        };
        if is_deleted {
            met.push(row(String::new(), Facet::Absent, Facet::Plain("there".to_owned()), of("")));
        }
        for difference in &drift.differences {
            let path = difference.path.trim_start_matches('/').replace('/', ".");
            let side = |value: &serde_json::Value| match value {
                serde_json::Value::Null => Facet::Absent,
                value => shown(&path, value),
            };
            let what = of(&path);
            met.push(row(path.clone(), side(&difference.actual), side(&difference.expected), what));
        }
    }
    met
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::preview::{Fate, Property, Replacement};
    use super::*;
    use crate::aws::cloudformation::drift::{Difference, DifferenceKind};

    fn changed(act: Act, id: &str, path: &str) -> Change {
        let (before, after) = (Facet::Unread, Facet::Unread);
        let property = Property { path: path.to_owned(), before, after, recreates: false, because: None };
        Change {
            act,
            logical_id: id.to_owned(),
            type_name: "AWS::SQS::Queue".to_owned(),
            physical_id: None,
            replacement: Replacement::No,
            fate: Fate::Kept,
            properties: if path.is_empty() { Vec::new() } else { vec![property] },
        }
    }

    fn drifted(id: &str, status: DriftStatus, paths: &[&str]) -> ResourceDrift {
        let (expected, actual, kind) = (Value::Null, Value::Null, DifferenceKind::NotEqual);
        let difference = |path: &&str| Difference {
            path: (*path).to_owned(),
            expected: expected.clone(),
            actual: actual.clone(),
            kind,
        };
        ResourceDrift {
            logical_id: id.to_owned(),
            physical_id: None,
            type_name: "AWS::SQS::Queue".to_owned(),
            status,
            status_reason: None,
            expected: None,
            actual: None,
            differences: paths.iter().map(difference).collect(),
            checked_at: 0,
        }
    }

    #[test]
    fn only_what_a_change_set_names_is_overwritten_by_it_also_by_one_that_looks_for_drift() {
        use What::{Kept, Overwritten, Perhaps};

        let drifts = [
            drifted("Named", DriftStatus::Modified, &["/VisibilityTimeout", "/DelaySeconds"]),
            drifted("Other", DriftStatus::Modified, &["/VisibilityTimeout"]),
            drifted("Noted", DriftStatus::Modified, &["/VisibilityTimeout"]),
            drifted("Gone", DriftStatus::Deleted, &[]),
        ];
        let changes = [
            changed(Act::Modify, "Named", "VisibilityTimeout"),
            changed(Act::Sync, "Noted", ""),
            changed(Act::Add, "Gone", ""),
        ];
        let met = |is_aware| met(&drifts, &changes, is_aware).into_iter().map(|row| row.what).collect::<Vec<_>>();
        assert_eq!(met(true), [Overwritten, Kept, Kept, Kept, Overwritten]);
        assert_eq!(met(false), [Overwritten, Perhaps, Kept, Perhaps, Perhaps]);
    }
}
