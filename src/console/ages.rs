//! Times as people read them. The present is always handed in.

use jiff::Timestamp;
use jiff::tz::{Offset, TimeZone};

/// The present, and how far from UTC its day is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Clock {
    /// Milliseconds since the Unix epoch.
    pub(super) now: i64,
    /// Seconds east of UTC.
    pub(super) offset: i32,
}

impl Clock {
    /// `12 s`, `4 m`, `3 h`, `2 d`: as coarse as it can be.
    pub(super) fn age(self, at: i64) -> String {
        let seconds = (self.now - at).max(0) / 1000;
        match seconds {
            0..60 => format!("{seconds} s"),
            60..3600 => format!("{} m", seconds / 60),
            3600..172_800 => format!("{} h", seconds / 3600),
            _ => format!("{} d", seconds / 86_400),
        }
    }

    /// Milliseconds until [`Clock::age`] reads differently.
    pub(super) fn next_age(self, at: i64) -> i64 {
        let age = (self.now - at).max(0);
        let step = match age {
            0..60_000 => 1000,
            60_000..3_600_000 => 60_000,
            _ => 3_600_000,
        };
        step - age % step
    }

    /// `02:41:07`.
    pub(super) fn time(self, at: i64) -> String {
        self.format(at, "%H:%M:%S")
    }

    /// `02:41` within a day, `Nov 20` within the year that ends now, else `2025-11-20`.
    pub(super) fn moment(self, at: i64) -> String {
        let days = (self.now - at) / 86_400_000;
        match days {
            0 => self.format(at, "%H:%M"),
            1..300 => self.format(at, "%b %d"),
            _ => self.format(at, "%Y-%m-%d"),
        }
    }

    fn format(self, at: i64, form: &str) -> String {
        let (Ok(time), Ok(offset)) = (Timestamp::from_millisecond(at), Offset::from_seconds(self.offset)) else {
            return String::from("--:--");
        };
        time.to_zoned(TimeZone::fixed(offset)).strftime(form).to_string()
    }
}

/// `12 s`, `4 m 05 s`, `1 h 04 m`: how long something took, in milliseconds.
pub(super) fn span(milliseconds: i64) -> String {
    let seconds = (milliseconds.max(0) + 500) / 1000;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} m {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} m", seconds / 3600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_coarse() {
        let clock = Clock { now: 10 * 86_400_000, offset: 0 };
        let rows =
            [(0, "0 s"), (59_999, "59 s"), (60_000, "1 m"), (3_600_000, "1 h"), (172_800_000, "2 d"), (-5, "0 s")];
        for (ago, text) in rows {
            assert_eq!(clock.age(clock.now - ago), text, "{ago} ms ago");
        }
        assert_eq!(clock.next_age(clock.now - 1_400), 600);
        assert_eq!(clock.next_age(clock.now - 61_000), 59_000);
    }

    #[test]
    fn spans_are_as_exact_as_a_deployment_is_long() {
        let rows = [(-5, "0 s"), (499, "0 s"), (59_400, "59 s"), (245_000, "4 m 05 s"), (3_840_000, "1 h 04 m")];
        for (milliseconds, text) in rows {
            assert_eq!(span(milliseconds), text);
        }
    }

    #[test]
    fn times_are_told_in_the_operators_zone() {
        let clock = Clock { now: 1_763_692_867_000, offset: 3600 };
        assert_eq!(clock.time(clock.now), "03:41:07");
        assert_eq!(clock.moment(clock.now - 28 * 60_000), "03:13");
        assert_eq!(clock.moment(clock.now - 3 * 86_400_000), "Nov 18");
    }
}
