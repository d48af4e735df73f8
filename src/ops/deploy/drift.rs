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

/// What of the drift that was last found a deployment overwrites.
pub(super) fn met(drifts: &[ResourceDrift], changes: &[Change], reverts: bool) -> Vec<Drifted> {
    let mut met = Vec::new();
    for drift in drifts {
        let change = changes.iter().find(|change| change.logical_id == drift.logical_id);
        let of = |path: &str| match change {
            _ if reverts => What::Overwritten,
            None => What::Kept,
            Some(change) if change.act == Act::Remove || change.touches(path) => What::Overwritten,
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
        if drift.status == DriftStatus::Deleted {
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
