//! A week as ISO 8601 counts them: `2026-W47`, from Monday to Sunday, in UTC.

use jiff::civil::{ISOWeekDate, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// A week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Week {
    year: i16,
    week: i8,
}

impl Week {
    /// The last week that was over at a time, in milliseconds since the Unix epoch.
    #[must_use]
    pub fn before(at: i64) -> Self {
        let date = Timestamp::from_millisecond(at).unwrap_or_default().to_zoned(TimeZone::UTC).date();
        Self::of(date.checked_sub(7.days()).unwrap_or(date).iso_week_date())
    }

    /// The week before this one.
    #[must_use]
    pub fn previous(self) -> Self {
        let monday = ISOWeekDate::new(self.year, self.week, Weekday::Monday).map(ISOWeekDate::date);
        monday.and_then(|monday| monday.checked_sub(7.days())).map_or(self, |date| Self::of(date.iso_week_date()))
    }

    fn of(date: ISOWeekDate) -> Self {
        Self { year: date.year(), week: date.week() }
    }
}

impl std::fmt::Display for Week {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(&format!("{:04}-W{:02}", self.year, self.week))
    }
}

impl std::str::FromStr for Week {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("\"{text}\" is no week: write 2026-W47, as ISO 8601 counts them");
        let (year, week) = text.split_once("-W").ok_or_else(wrong)?;
        let digits = |text: &str, count| text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(year, 4) || !digits(week, 2) {
            return Err(wrong());
        }
        let (year, week) = year.parse().ok().zip(week.parse().ok()).ok_or_else(wrong)?;
        // A year has 52 weeks, or 53.
        ISOWeekDate::new(year, week, Weekday::Monday).map(Self::of).map_err(|_| wrong())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_are_those_of_iso_8601() {
        let before = |text: &str| Week::before(text.parse::<Timestamp>().unwrap().as_millisecond()).to_string();
        for (at, week) in [
            ("2026-11-22T23:59:59Z", "2026-W46"),
            ("2026-11-23T00:00:00Z", "2026-W47"),
            ("2021-01-04T00:00:00Z", "2020-W53"),
            ("2025-01-01T12:00:00Z", "2024-W52"),
        ] {
            assert_eq!(before(at), week, "{at}");
        }
        assert_eq!("2021-W01".parse::<Week>().unwrap().previous().to_string(), "2020-W53");
    }

    #[test]
    fn what_is_no_week_is_refused() {
        assert_eq!("2020-W53".parse::<Week>().map(|week| week.to_string()).as_deref(), Ok("2020-W53"));
        for wrong in ["2021-W53", "2026-W00", "2026-47", "2026-W7", "26-W07", "2026-W47/..", "", "２０２６-W47"] {
            assert!(wrong.parse::<Week>().is_err(), "{wrong}");
        }
    }
}
