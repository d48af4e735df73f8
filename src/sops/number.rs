//! Numbers the way Go's sops sees them: an integer when it fits 64 bits, else a float in its shortest decimal digits.

/// A number as sops stores it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Canonical {
    pub(super) is_int: bool,
    /// Digits without exponent: `strconv.Itoa`, or `strconv.FormatFloat(_, 'f', -1, 64)`.
    pub(super) text: String,
}

/// Normalises the text of a JSON number; `None` when it is beyond a 64-bit float or no number at all.
pub(super) fn canonical(written: &str) -> Option<Canonical> {
    if let Ok(int) = written.parse::<i64>() {
        return Some(Canonical { is_int: true, text: int.to_string() });
    }
    let float = written.parse::<f64>().ok().filter(|float| float.is_finite())?;
    Some(Canonical { is_int: false, text: float_text(float) })
}

/// Go's `'f', -1` form: `3`, `0.0000001`, `1000000000000000000000`, `+Inf`.
pub(super) fn float_text(float: f64) -> String {
    if float.is_infinite() { (if float > 0.0 { "+Inf" } else { "-Inf" }).to_owned() } else { float.to_string() }
}

/// Whether normalising changes the number itself and not just its notation.
pub(super) fn loses_digits(written: &str, canonical: &str) -> bool {
    decimal(written) != decimal(canonical)
}

/// Is this text what JSON calls a number? (RFC 8259, section 6)
pub(super) fn is_json_number(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent.strip_prefix(['+', '-']).unwrap_or(exponent))),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(digits)
}

/// Significant digits and the power of ten behind them, so that `1.50`, `15e-1` and `1.5` are equal.
fn decimal(text: &str) -> Option<(String, i64)> {
    let text = text.trim_start_matches('-');
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let kept = digits.trim_end_matches('0');
    if kept.trim_start_matches('0').is_empty() {
        return Some((String::new(), 0));
    }
    let power = exponent.parse::<i64>().ok()? - i64::try_from(fraction.len()).ok()?
        + i64::try_from(digits.len() - kept.len()).ok()?;
    Some((kept.trim_start_matches('0').to_owned(), power))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_normalised_as_go_does() {
        // Right-hand sides printed by strconv.FormatFloat(x, 'f', -1, 64) and strconv.Itoa.
        let rows = [
            ("an integer stays", "42", true, "42"),
            ("minus zero without a point is an integer", "-0", true, "0"),
            ("minus zero with a point keeps its sign", "-0.0", false, "-0"),
            ("the largest 64-bit integer", "9223372036854775807", true, "9223372036854775807"),
            ("one more is a float and loses digits", "9223372036854775808", false, "9223372036854776000"),
            ("a float without a fraction", "3.0", false, "3"),
            ("a trailing zero", "1.50", false, "1.5"),
            ("a large exponent is written out", "1e21", false, "1000000000000000000000"),
            ("a small exponent is written out", "1e-7", false, "0.0000001"),
            ("an exponent makes a float of an integer", "1e2", false, "100"),
        ];
        for (name, written, is_int, text) in rows {
            assert_eq!(canonical(written), Some(Canonical { is_int, text: text.to_owned() }), "{name}");
        }
        assert_eq!(canonical("1e400"), None, "beyond a float");
    }

    #[test]
    fn lost_digits_are_noticed_and_notation_is_not() {
        for (written, lossy) in [
            ("1.50", false),
            ("1e21", false),
            ("0.1", false),
            ("-0.0", false),
            ("100e-2", false),
            ("12345678901234567890", true),
            ("3.14159265358979323846", true),
        ] {
            let text = canonical(written).map(|canonical| canonical.text).unwrap_or_default();
            assert_eq!(loses_digits(written, &text), lossy, "{written} -> {text}");
        }
    }

    #[test]
    fn only_json_numbers_pass() {
        for good in ["0", "-1", "1.0", "1e5", "1E+5", "0.5e-3"] {
            assert!(is_json_number(good), "{good}");
        }
        for bad in ["", "-", "01", "1.", ".5", "+1", "1e", "NaN", "0x1", "1 "] {
            assert!(!is_json_number(bad), "{bad}");
        }
    }
}
