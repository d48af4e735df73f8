//! What the loop is allowed to do, and how patiently.

use serde::{Deserialize, Serialize};

/// What the loop does about a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Says so.
    #[default]
    NotifyOnly,
    /// Asks for a redeploy.
    Heal,
}

/// How patient it is. All times in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// What it does.
    pub mode: Mode,
    /// How long a redeploy takes, so that nothing further is asked for meanwhile.
    pub settle: i64,
    /// So many redeploys
    pub redeploys: usize,
    /// within this time open the breaker.
    pub window: i64,
    /// So long after it was found first, what may be of a deployment counts: less than between two comparisons.
    pub again: i64,
}

impl Limits {
    /// Whether so many redeploys, one after the other, ever lie within the window. One that cannot trip is no breaker.
    #[must_use]
    pub fn can_trip(&self) -> bool {
        let all = i64::try_from(self.redeploys).ok().and_then(|count| count.checked_mul(self.settle));
        self.redeploys > 0 && all.is_some_and(|all| all < self.window)
    }
}
