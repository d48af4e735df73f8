//! What a plain word of YAML means to go-yaml 3, which is what sops encrypts it as.

use super::time::timestamp;
use crate::secret::Secret;
use crate::sops::number::{float_text, is_json_number};
use crate::sops::raw::Kind;

/// The value of a word that is not in quotes; the error says why sops could not encrypt it.
pub(super) fn resolve(word: &str) -> Result<Kind, &'static str> {
    let number = |text: &str| Ok(Kind::Number(Secret::new(text)));
    match word {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Kind::Null),
        "true" | "True" | "TRUE" => return Ok(Kind::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Kind::Bool(false)),
        ".nan" | ".NaN" | ".NAN" => return number("NaN"),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return number("+Inf"),
        "-.inf" | "-.Inf" | "-.INF" => return number("-Inf"),
        _ => {}
    }
    let text = || Ok(Kind::Text(Secret::new(word)));
    if !word.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first)) {
        return text();
    }
    if let Some(time) = timestamp(word) {
        return Ok(Kind::Time(Secret::new(time)));
    }
    // Underscores are for reading only, but not in a number that begins with its point.
    let plain = if word.starts_with('.') { word.to_owned() } else { word.replace('_', "") };
    match integer(&plain) {
        Some(Integer::Fits(_)) if is_json_number(word) => return number(word),
        Some(Integer::Fits(value)) => return number(&value.to_string()),
        Some(Integer::Unsigned) => return Err("a whole number above 9223372036854775807; write it as text"),
        None => {}
    }
    match float(&plain) {
        Some(_) if is_json_number(word) => number(word),
        Some(value) => {
            let written = float_text(value);
            // Without a point it would be taken for a whole number.
            number(&if written.contains('.') { written } else { format!("{written}.0") })
        }
        None => text(),
    }
}

enum Integer {
    Fits(i64),
    /// Go makes it a `uint64`, which sops cannot encrypt.
    Unsigned,
}

/// `strconv.ParseInt` with base 0: a prefix tells the base, and so does a leading zero.
fn integer(text: &str) -> Option<Integer> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let lower = digits.get(..2).map(str::to_ascii_lowercase);
    let (base, digits) = match lower.as_deref() {
        Some("0x") => (16, &digits[2..]),
        Some("0o") => (8, &digits[2..]),
        Some("0b") => (2, &digits[2..]),
        Some(_) if digits.starts_with('0') => (8, &digits[1..]),
        _ => (10, digits),
    };
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(base)) {
        return None;
    }
    let value = i128::from(u64::from_str_radix(digits, base).ok()?);
    let value = if negative { -value } else { value };
    match i64::try_from(value) {
        Ok(value) => Some(Integer::Fits(value)),
        Err(_) if negative || text.starts_with('+') => None,
        Err(_) => Some(Integer::Unsigned),
    }
}

/// A decimal number with a point or an exponent, or too many digits for a whole one.
fn float(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))),
        None => (unsigned, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let sound = digits(whole) && digits(fraction) && (!whole.is_empty() || !fraction.is_empty());
    if !sound || exponent.is_some_and(|exponent| exponent.is_empty() || !digits(exponent)) {
        return None;
    }
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_mean_what_they_mean_to_go_yaml() {
        // Each row as sops 3.13.2 reads it into its tree.
        let rows = [
            ("yes", "text yes"),
            ("on", "text on"),
            ("True", "bool true"),
            ("tRUE", "text tRUE"),
            ("~", "null"),
            ("nUll", "text nUll"),
            ("12", "number 12"),
            ("+12", "number 12"),
            ("-0", "number -0"),
            ("0o17", "number 15"),
            ("017", "number 15"),
            ("08", "number 8.0"),
            ("0x1F", "number 31"),
            ("-0X1f", "number -31"),
            ("0b11", "number 3"),
            ("1_000", "number 1000"),
            ("0o8", "text 0o8"),
            ("9223372036854775807", "number 9223372036854775807"),
            ("18446744073709551616", "number 18446744073709551616"),
            ("1.50", "number 1.50"),
            (".5", "number 0.5"),
            ("5.", "number 5.0"),
            ("1e3", "number 1e3"),
            ("+1e3", "number 1000.0"),
            ("1e400", "text 1e400"),
            ("-.5", "number -0.5"),
            (".5_0", "text .5_0"),
            (".", "text ."),
            ("-", "text -"),
            ("1e", "text 1e"),
            ("1.2.3", "text 1.2.3"),
            ("1:30", "text 1:30"),
            (".inf", "number +Inf"),
            ("-.INF", "number -Inf"),
            (".nan", "number NaN"),
            ("2026-01-31", "time 2026-01-31T00:00:00Z"),
            ("0x1p-2", "text 0x1p-2"),
            ("<<", "text <<"),
        ];
        for (word, expected) in rows {
            let shown = match resolve(word).expect("a value") {
                Kind::Null => "null".to_owned(),
                Kind::Bool(value) => format!("bool {value}"),
                Kind::Number(text) => format!("number {}", text.expose()),
                Kind::Text(text) => format!("text {}", text.expose()),
                Kind::Time(text) => format!("time {}", text.expose()),
                _ => panic!("{word}"),
            };
            assert_eq!(shown, expected, "{word}");
        }
        assert!(resolve("9223372036854775808").is_err(), "sops cannot encrypt it");
    }
}
