//! ISO weeks in UTC: from Monday to Sunday, numbered in the year that has their Thursday.

use std::fmt;

use jiff::civil::{Date, ISOWeekDate, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

/// A week, by its Monday.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Week {
    monday: Date,
}

impl Week {
    /// Reads `2026-W47`; a week that the year does not have is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (year, week) = text.split_once("-W")?;
        let digits = |text: &str, count: usize| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(year, 4) || !digits(week, 2) {
            return None;
        }
        let monday = ISOWeekDate::new(year.parse().ok()?, week.parse().ok()?, Weekday::Monday).ok()?;
        Self::of(monday.date())
    }

    /// The week before the one of this moment.
    #[must_use]
    pub fn before(time: &str) -> Option<Self> {
        let time: Timestamp = time.parse().ok()?;
        Self::of(time.to_zoned(TimeZone::UTC).date().checked_sub(7.days()).ok()?)
    }

    /// The week of a day. Times before 1970 and after 9998 are nobody's.
    fn of(date: Date) -> Option<Self> {
        let monday = date.checked_sub(i64::from(date.weekday().to_monday_zero_offset()).days()).ok()?;
        (1970..=9998).contains(&monday.year()).then_some(Self { monday })
    }

    /// Its seven days, as `2026-11-16`.
    pub(super) fn days(self) -> Vec<String> {
        (0..7).filter_map(|number: i64| Some(self.monday.checked_add(number.days()).ok()?.to_string())).collect()
    }

    /// Its first moment, in seconds since 1970.
    pub(super) fn begins(self) -> i64 {
        self.monday.to_zoned(TimeZone::UTC).map_or(i64::MAX, |start| start.timestamp().as_second())
    }

    /// The first moment that is no longer in it.
    pub(super) fn ends(self) -> i64 {
        self.begins().saturating_add(7 * 86_400)
    }

    pub(super) fn from(self) -> String {
        moment(self.begins())
    }

    pub(super) fn to(self) -> String {
        moment(self.ends())
    }
}

pub(super) fn moment(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(|_| String::new(), |time| format!("{time:.0}"))
}

impl fmt::Display for Week {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let week = self.monday.iso_week_date();
        write!(f, "{:04}-W{:02}", week.year(), week.week())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_are_those_of_iso_8601() {
        for (text, from, to) in [
            ("2026-W47", "2026-11-16T00:00:00Z", "2026-11-23T00:00:00Z"),
            ("2026-W01", "2025-12-29T00:00:00Z", "2026-01-05T00:00:00Z"),
            ("2026-W53", "2026-12-28T00:00:00Z", "2027-01-04T00:00:00Z"),
            ("2020-W53", "2020-12-28T00:00:00Z", "2021-01-04T00:00:00Z"),
            ("2024-W09", "2024-02-26T00:00:00Z", "2024-03-04T00:00:00Z"),
        ] {
            let week = Week::parse(text).unwrap();
            assert_eq!((week.from().as_str(), week.to().as_str(), week.to_string().as_str()), (from, to, text));
            assert_eq!(week.days().len(), 7);
        }
        for text in
            ["2025-W53", "2026-W00", "2026-W54", "2026-W7", "26-W47", "2026W47", "2026-W4x", "1969-W10", "+026-W10"]
        {
            assert_eq!(Week::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_schedules_moment_stands_for_the_week_that_is_over() {
        for (time, expected) in [
            ("2026-11-23T03:00:00Z", "2026-W47"),
            ("2026-11-23T00:00:00Z", "2026-W47"),
            ("2026-11-22T23:59:59Z", "2026-W46"),
            ("2026-11-29T23:59:59.999Z", "2026-W47"),
            ("2027-01-04T03:00:00Z", "2026-W53"),
            // A Monday in Auckland that is still a Sunday in UTC.
            ("2026-11-23T03:00:00+13:00", "2026-W46"),
        ] {
            assert_eq!(Week::before(time).unwrap().to_string(), expected, "{time}");
        }
        assert_eq!(Week::before("yesterday"), None);
    }
}
