//! Timestamps of YAML as go-yaml reads them, in the form in which sops keeps them.

/// RFC 3339 with the fraction that is needed; `None` where go-yaml sees no timestamp. It knows a date and a time with `T`
/// and a zone, the same with a space and without zone, and a date alone; months, days and hours may have one digit.
pub(super) fn timestamp(text: &str) -> Option<String> {
    let mut rest = Rest(text);
    let year = rest.digits(4, 4)?;
    rest.skip("-")?;
    let month = rest.digits(1, 2)?;
    rest.skip("-")?;
    let day = rest.digits(1, 2)?;
    if !(1..=12).contains(&month) || day < 1 || day > days(year, month) {
        return None;
    }
    let date = format!("{year:04}-{month:02}-{day:02}");
    if rest.0.is_empty() {
        return Some(format!("{date}T00:00:00Z"));
    }
    let zoned = rest.skip("T").or_else(|| rest.skip("t")).is_some();
    if !zoned {
        rest.skip(" ")?;
    }
    let (hour, minute, second) = (rest.digits(1, 2)?, rest.part()?, rest.part()?);
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let fraction = rest.fraction();
    let zone = if zoned { rest.zone()? } else { "Z".to_owned() };
    rest.0.is_empty().then(|| format!("{date}T{hour:02}:{minute:02}:{second:02}{fraction}{zone}"))
}

struct Rest<'a>(&'a str);

impl Rest<'_> {
    fn skip(&mut self, mark: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(mark)?;
        Some(())
    }

    fn digits(&mut self, least: usize, most: usize) -> Option<u32> {
        let count = self.0.bytes().take(most).take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        (count >= least).then(|| digits.parse().ok())?
    }

    /// Minutes or seconds.
    fn part(&mut self) -> Option<u32> {
        self.skip(":")?;
        self.digits(1, 2)
    }

    /// A fraction as Go prints it: nine digits at most, without trailing zeros, nothing for none.
    fn fraction(&mut self) -> String {
        let Some(behind) = self.0.strip_prefix(['.', ',']) else { return String::new() };
        let count = behind.bytes().take_while(u8::is_ascii_digit).count();
        if count == 0 {
            return String::new();
        }
        let (digits, rest) = behind.split_at(count);
        self.0 = rest;
        let kept = digits[..count.min(9)].trim_end_matches('0');
        if kept.is_empty() { String::new() } else { format!(".{kept}") }
    }

    fn zone(&mut self) -> Option<String> {
        if self.skip("Z").is_some() {
            return Some("Z".to_owned());
        }
        let sign = self.0.chars().next().filter(|sign| "+-".contains(*sign))?;
        self.0 = &self.0[1..];
        let hours = self.digits(2, 2)?;
        self.skip(":")?;
        let minutes = self.digits(2, 2)?;
        let plain = hours <= 23 && minutes <= 59;
        plain.then(|| if hours + minutes == 0 { "Z".to_owned() } else { format!("{sign}{hours:02}:{minutes:02}") })
    }
}

fn days(year: u32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::timestamp;

    #[test]
    fn timestamps_are_those_of_go_yaml() {
        // Each row as yaml.v3 decodes it and time.Time.MarshalText prints it; None is a text there.
        let rows = [
            ("2026-01-31", Some("2026-01-31T00:00:00Z")),
            ("2026-1-3", Some("2026-01-03T00:00:00Z")),
            ("2001-12-14t21:59:43.10-05:00", Some("2001-12-14T21:59:43.1-05:00")),
            ("2001-12-14 21:59:43.10", Some("2001-12-14T21:59:43.1Z")),
            ("2001-12-14 21:59:43.10 -5", None),
            ("2001-12-14T21:59:43Z", Some("2001-12-14T21:59:43Z")),
            ("2001-12-14T21:59:43", None),
            ("2001-12-14 21:59:43Z", None),
            ("2001-12-14T1:2:3Z", Some("2001-12-14T01:02:03Z")),
            ("2001-12-14T21:59:43.1234567891Z", Some("2001-12-14T21:59:43.123456789Z")),
            ("2001-12-14T21:59:43,5Z", Some("2001-12-14T21:59:43.5Z")),
            ("2001-12-14T21:59:43.000Z", Some("2001-12-14T21:59:43Z")),
            ("2001-12-14T21:59:43+00:00", Some("2001-12-14T21:59:43Z")),
            ("2001-02-29", None),
            ("2000-02-29", Some("2000-02-29T00:00:00Z")),
            ("1900-02-29", None),
            ("2001-13-01", None),
            ("2001-00-01", None),
            ("2001-01-32", None),
            ("2001-01-01T24:00:00Z", None),
            ("12001-01-01", None),
            ("2001-01", None),
            ("2001-01-01x", None),
        ];
        for (text, expected) in rows {
            assert_eq!(timestamp(text).as_deref(), expected, "{text}");
        }
    }
}
