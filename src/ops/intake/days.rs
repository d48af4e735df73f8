//! The days that records lie under, in UTC.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::SHARDS;

/// A day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(Date);

impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Day {
    /// The day of a time in milliseconds since the Unix epoch.
    #[must_use]
    pub fn of(at: i64) -> Self {
        Self(Timestamp::from_millisecond(at).unwrap_or_default().to_zoned(TimeZone::UTC).date())
    }

    /// Its first millisecond since the Unix epoch.
    #[must_use]
    pub fn begins(self) -> i64 {
        self.0.to_zoned(TimeZone::UTC).map_or(0, |begin| begin.timestamp().as_millisecond())
    }

    /// The day before.
    #[must_use]
    pub fn before(self) -> Self {
        Self(self.0.checked_sub(1.day()).unwrap_or(self.0))
    }

    /// The slots that its records are in.
    pub(super) fn slots(self) -> impl Iterator<Item = String> {
        (0..SHARDS).map(move |shard| format!("{self}#{shard}"))
    }
}

/// The days from one time to another, the first one first; both in milliseconds since the Unix epoch.
#[must_use]
pub fn days(from: i64, to: i64) -> Vec<Day> {
    let first = Day::of(from);
    let mut days: Vec<Day> =
        std::iter::successors(Some(Day::of(to)), |day| Some(day.before()).filter(|before| before < day))
            .take_while(|day| *day >= first)
            .collect();
    days.reverse();
    days
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_utc_from_the_first_to_the_last() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap().as_millisecond();
        let (from, to) = (at("2026-02-27T23:59:59.999Z"), at("2026-03-01T00:00:00Z"));
        let found: Vec<String> = days(from, to).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["2026-02-27", "2026-02-28", "2026-03-01"]);
        assert_eq!(Day::of(to).begins(), to);
        assert_eq!(Day::of(to).slots().last().as_deref(), Some("2026-03-01#7"));
        assert_eq!(days(to, from), []);
    }
}
