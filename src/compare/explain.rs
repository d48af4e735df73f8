//! Differences that look like none: what two texts differ in when they mean nearly the same.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use serde_json::Value;
use zeroize::Zeroizing;

/// The one thing in which two texts differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Only {
    /// `\r\n` against `\n`.
    LineEndings,
    /// Line ends at the very end.
    TrailingNewline,
    /// White space before or after.
    SurroundingWhitespace,
    /// Upper and lower case.
    LetterCase,
    /// The same number written differently: `1`, `1.0`, `1e0`.
    NumberFormat,
    /// The same JSON value: white space, order of members, escapes.
    JsonFormatting,
    /// One is the base64 of the other.
    Base64,
}

/// What two texts differ in when that is one thing only; `None` when they are equal, or differ in more.
///
/// The first that fits is told, in the order of [`Only`]. It is always true: undoing it makes the texts equal.
#[must_use]
pub fn differs_only_in(a: &str, b: &str) -> Option<Only> {
    if a == b {
        return None;
    }
    let checks: [(Only, Check); 7] = [
        (Only::LineEndings, |a, b| line_contents(a).eq(line_contents(b))),
        (Only::TrailingNewline, |a, b| a.trim_end_matches(['\r', '\n']) == b.trim_end_matches(['\r', '\n'])),
        (Only::SurroundingWhitespace, |a, b| a.trim() == b.trim()),
        (Only::LetterCase, |a, b| a.chars().flat_map(char::to_lowercase).eq(b.chars().flat_map(char::to_lowercase))),
        (Only::NumberFormat, |a, b| number(a).is_some_and(|number_of_a| Some(number_of_a) == number(b))),
        (Only::JsonFormatting, |a, b| document(a).is_some_and(|value_of_a| Some(value_of_a) == document(b))),
        (Only::Base64, |a, b| is_base64_of(a, b) || is_base64_of(b, a)),
    ];
    checks.into_iter().find(|(_, holds)| holds(a, b)).map(|(only, _)| only)
}

type Check = fn(&str, &str) -> bool;

/// The lines, each with whether it is ended; a `\r` that no `\n` follows is content.
fn line_contents(text: &str) -> impl Iterator<Item = (&str, bool)> {
    text.split_inclusive('\n').map(|line| match line.strip_suffix('\n') {
        Some(line) => (line.strip_suffix('\r').unwrap_or(line), true),
        None => (line, false),
    })
}

/// A number of JSON's grammar as sign, digits without zeros at either end, and exponent; exact, unlike a float.
/// Leading zeros are not JSON's: `007` is a name rather than a number.
fn number(text: &str) -> Option<(bool, String, i64)> {
    let (negative, rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent_of(exponent)?),
        None => (rest, 0),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (mantissa, ""),
    };
    let digits_only = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || (whole.len() > 1 && whole.starts_with('0')) || !digits_only(whole) || !digits_only(fraction)
    {
        return None;
    }
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_end_matches('0');
    if significant.is_empty() {
        return Some((negative, String::new(), 0));
    }
    let dropped = i64::try_from(digits.len() - significant.len()).ok()?;
    let exponent = exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?.checked_add(dropped)?;
    Some((negative, significant.trim_start_matches('0').to_owned(), exponent))
}

fn exponent_of(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

/// A JSON document that says each thing once; `None` for anything else.
#[must_use]
pub fn document(text: &str) -> Option<Value> {
    let value: Value = serde_json::from_str(text).ok()?;
    // Of a repeated key the parser keeps the last one only, and readers differ in what they take; then nothing can be
    // said. Each member has exactly one colon outside of strings.
    (colons(text) == members(&value)).then_some(value)
}

fn colons(text: &str) -> usize {
    let (mut count, mut in_string, mut escaped) = (0, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b':' if !in_string => count += 1,
            _ => {}
        }
    }
    count
}

fn members(value: &Value) -> usize {
    match value {
        Value::Array(elements) => elements.iter().map(members).sum(),
        Value::Object(object) => object.len() + object.values().map(members).sum::<usize>(),
        _ => 0,
    }
}

fn is_base64_of(encoded: &str, plain: &str) -> bool {
    // `base64` breaks lines and ends with one.
    let encoded: Zeroizing<String> = Zeroizing::new(encoded.chars().filter(|c| !matches!(c, '\r' | '\n')).collect());
    if encoded.is_empty() {
        return false;
    }
    [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD].iter().any(|engine| {
        let decoded = engine.decode(encoded.as_bytes()).map(Zeroizing::new);
        decoded.is_ok_and(|decoded| decoded.as_slice() == plain.as_bytes())
    })
}

impl fmt::Display for Only {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("differs only in ")?;
        f.write_str(match self {
            Self::LineEndings => "line endings",
            Self::TrailingNewline => "trailing newlines",
            Self::SurroundingWhitespace => "surrounding whitespace",
            Self::LetterCase => "letter case",
            Self::NumberFormat => "number format",
            Self::JsonFormatting => "JSON formatting",
            Self::Base64 => "base64 encoding",
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn near_equality_is_explained() {
        use Only::*;
        for (a, b, expected) in [
            ("x", "x", None),
            ("x", "y", None),
            ("a\r\nb", "a\nb", Some(LineEndings)),
            ("a\r\n", "a\n", Some(LineEndings)),
            ("a\rb", "ab", None),
            ("a\r", "a", Some(TrailingNewline)),
            ("x\n", "x", Some(TrailingNewline)),
            ("x\n\n", "x\n", Some(TrailingNewline)),
            (" x", "x", Some(SurroundingWhitespace)),
            ("x \n", "x", Some(SurroundingWhitespace)),
            ("a b", "ab", None),
            ("", " ", Some(SurroundingWhitespace)),
            ("True", "true", Some(LetterCase)),
            ("GRÖSSE", "grösse", Some(LetterCase)),
            ("GRÖSSE", "größe", None),
            ("1.0", "1", Some(NumberFormat)),
            ("1e3", "1000", Some(NumberFormat)),
            ("1E+3", "1000.00", Some(NumberFormat)),
            ("-0.5", "-5e-1", Some(NumberFormat)),
            ("1", "-1", None),
            ("0", "-0", None),
            ("0.0", "0", Some(NumberFormat)),
            ("9007199254740993", "9007199254740992.0", None),
            ("0.1", "0.10000000000000000001", None),
            ("1e999", "1e998", None),
            ("007", "7", None),
            ("1.", "1", None),
            ("1e99999999999999999999", "1", None),
            (r#"{"a":1,"b":[2]}"#, "{ \"b\": [2],\n \"a\": 1 }", Some(JsonFormatting)),
            (r#"["\u0041"]"#, r#"["A"]"#, Some(JsonFormatting)),
            (r#"{"a":1}"#, r#"{"a":1.0}"#, None),
            ("[1,2]", "[2,1]", None),
            (r#"{"a":1,"a":2}"#, r#"{"a":2}"#, None),
            (r#"{"a":":\"{"}"#, r#"{ "a":":\"{"}"#, Some(JsonFormatting)),
            (r#"[{"$serde_json::private::Number":"1"}]"#, "[1]", None),
            ("aGk=", "hi", Some(Base64)),
            ("hi", "aGk", Some(Base64)),
            ("aGk=\n", "hi", Some(Base64)),
            ("_-8", "\u{fffd}", None),
            ("", "aGk=", None),
        ] {
            assert_eq!(differs_only_in(a, b), expected, "{a:?} {b:?}");
            assert_eq!(differs_only_in(b, a), expected, "{b:?} {a:?}");
        }
    }

    #[test]
    fn an_explanation_reads_as_a_sentence() {
        assert_eq!(Only::LetterCase.to_string(), "differs only in letter case");
        assert_eq!(Only::JsonFormatting.to_string(), "differs only in JSON formatting");
    }

    /// Undoes a difference in ways of its own, and says whether nothing is left.
    fn undone(only: Only, a: &str, b: &str) -> bool {
        let by = |undo: &dyn Fn(&str) -> String| undo(a) == undo(b);
        match only {
            Only::LineEndings => by(&|text| text.replace("\r\n", "\n")),
            Only::TrailingNewline => by(&|text| {
                let mut text = text.to_owned();
                while text.ends_with('\n') || text.ends_with('\r') {
                    text.pop();
                }
                text
            }),
            Only::SurroundingWhitespace => by(&|text| text.trim_start().trim_end().to_owned()),
            Only::LetterCase => by(&|text| text.chars().map(|c| c.to_lowercase().to_string()).collect()),
            // The generated numbers are small enough to be exact in hundredths.
            Only::NumberFormat => by(&|text| format!("{:.6}", text.parse::<f64>().unwrap())),
            Only::JsonFormatting => by(&|text| {
                let mut value: Value = serde_json::from_str(text).unwrap();
                value.sort_all_objects();
                value.to_string()
            }),
            Only::Base64 => [(a, b), (b, a)].into_iter().any(|(encoded, plain)| {
                let bare = encoded.trim_end_matches(['=', '\n', '\r']).replace('-', "+").replace('_', "/");
                STANDARD_NO_PAD.encode(plain) == bare.replace(['\n', '\r'], "")
            }),
        }
    }

    fn near(text: &str, how: usize) -> String {
        match how {
            0 => text.replace('\n', "\r\n"),
            1 => format!("{text}\n"),
            2 => format!(" {text}\t"),
            3 => text.to_uppercase(),
            4 => STANDARD.encode(text),
            5 => URL_SAFE_NO_PAD.encode(text),
            6 => serde_json::from_str::<Value>(text).map_or(text.into(), |value| format!("{value:#}")),
            7 => text.replace('1', "1.0"),
            _ => text.replace('a', "b"),
        }
    }

    proptest! {
        #[test]
        fn what_is_claimed_is_true(
            text in r#"[aAß1 \n]{0,6}|-?[1-9]{1,2}(\.[0-9]{1,2})?(e[0-2])?|\[1,"a",\{"a":1,"b":\[\]\}\]"#,
            first in 0..9_usize,
            second in 0..9_usize,
        ) {
            let other = near(&near(&text, first), second);
            match differs_only_in(&text, &other) {
                Some(only) => prop_assert!(text != other && undone(only, &text, &other), "{text:?} {other:?} {only:?}"),
                None if text != other => {
                    for only in [Only::LineEndings, Only::TrailingNewline, Only::SurroundingWhitespace, Only::LetterCase] {
                        prop_assert!(!undone(only, &text, &other), "{text:?} {other:?} {only:?}");
                    }
                }
                None => {}
            }
        }

        #[test]
        fn arbitrary_texts_are_never_called_equal_falsely(a in "\\PC{0,4}", b in "\\PC{0,4}") {
            if let Some(only) = differs_only_in(&a, &b) {
                prop_assert!(a != b && undone(only, &a, &b), "{a:?} {b:?} {only:?}");
            }
        }
    }
}
