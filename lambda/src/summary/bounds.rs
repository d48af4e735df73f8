//! Which records a run looks at: the same ones whenever it asks, whatever comes or is removed while it goes on.

use super::week::moment;
use super::{Failure, Week};
use crate::ulid::Ulid;

/// So long after its id's time a record may still come, in seconds: API Gateway waits 29 for an answer, the function's time
/// is 20, and the index needs a moment.
const SETTLES: i64 = 60;
/// Longer than a run may take, in seconds: what expires later is not removed while it goes on.
const RUN: i64 = 3600;

/// The records that count. DynamoDB removes a record whenever it likes after it has expired, never before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounds {
    /// Records that expire then or earlier do not count, in seconds since 1970.
    pub expired: i64,
    /// Nor do those with this id or a later one.
    pub before: String,
    /// The moment of that id, in seconds since 1970, where the week goes on after it.
    until: Option<i64>,
}

impl Bounds {
    /// Of a run of a week that begins now, in milliseconds since 1970.
    pub(super) fn of(week: Week, now: i64) -> Result<Self, Failure> {
        let now = now / 1000;
        if week.begins() > now {
            return Err(Failure::Refused(format!("week {week} has not begun")));
        }
        if (week.ends()..week.ends() + SETTLES).contains(&now) {
            let why = "has only just ended, and records may still come; a minute later it can be made";
            return Err(Failure::Failed(format!("week {week} {why}")));
        }
        let before = week.ends().min(now - SETTLES);
        Ok(Self {
            expired: week.ends().max(now + RUN),
            before: Ulid::first(before * 1000).to_string(),
            until: (before < week.ends()).then_some(before),
        })
    }

    /// Up to when a week was read that is not over.
    pub(super) fn told(&self) -> Option<String> {
        self.until.map(moment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_week_that_goes_on_is_read_up_to_a_minute_ago_and_one_that_is_over_to_its_end() {
        let week = Week::parse("2026-W47").unwrap();
        let end = week.ends();
        let bounds = |now: i64| Bounds::of(week, now * 1000);
        let over = bounds(end + 86_400).unwrap();
        assert_eq!((over.expired, over.told()), (end + 86_400 + RUN, None));
        assert_eq!(Ulid::parse(&over.before).unwrap().time(), end * 1000);
        let going = bounds(end - 7200).unwrap();
        assert_eq!((going.expired, going.told().as_deref()), (end, Some("2026-11-22T21:59:00Z")));
        assert_eq!(Ulid::parse(&going.before).unwrap().time(), (end - 7260) * 1000);
        for now in [end, end + SETTLES - 1] {
            assert_eq!(bounds(now).unwrap_err().name(), "SummaryFailed", "{now}");
        }
        assert!(bounds(end + SETTLES).unwrap().told().is_none() && bounds(end - 1).unwrap().told().is_some());
        assert_eq!(bounds(week.begins() - 1).unwrap_err().name(), "SummaryRefused");
        assert!(bounds(week.begins()).is_ok());
    }
}
