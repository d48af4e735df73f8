//! Scalars: how CloudFormation reads unquoted ones, when two are the same, and the rows of a properties object.

use serde_json::{Map, Number, Value};
use sha2::{Digest as _, Sha256};

/// Key of the one-key object that stands for an unquoted YAML scalar whose reading is not certain.
///
/// CloudFormation reads YAML 1.1, where `0755` is 493 and `1:30` is 90, and it has been seen to turn
/// `012345678901` into `1.2345678901E10`. Two templates that write it alike ask for the same; more is not claimed.
pub(super) const AS_WRITTEN: &str = "Plumb::AsWritten";

/// An unquoted YAML scalar, as CloudFormation reads it.
pub(super) fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        // YAML 1.1 has more booleans than JSON; CloudFormation takes all but the single letters.
        "true" | "True" | "TRUE" | "yes" | "Yes" | "YES" | "on" | "On" | "ON" => Value::Bool(true),
        "false" | "False" | "FALSE" | "no" | "No" | "NO" | "off" | "Off" | "OFF" => Value::Bool(false),
        _ => number(text).unwrap_or_else(|| Value::String(text.to_owned())),
    }
}

/// A scalar with a core tag: `!!int 5`. `None`: the tag is not one of a scalar, or does not fit.
pub(super) fn typed(suffix: &str, text: &str) -> Option<Value> {
    let value = plain(text);
    let fits = match (&value, suffix) {
        (Value::Null, "null") | (Value::Bool(_), "bool") => true,
        (Value::Number(number), "int") => !number.to_string().contains('.'),
        (Value::Number(number), "float") => number.to_string().contains('.'),
        _ => false,
    };
    fits.then_some(value)
}

/// A number written in the one way that YAML 1.1, YAML 1.2 and JSON agree on; or a thing that only YAML 1.1 takes for
/// a number, as it is written; or `None`: text.
fn number(text: &str) -> Option<Value> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.' || c == '+') {
        return None;
    }
    let (whole, fraction) = digits.split_once('.').map_or((digits, None), |(whole, rest)| (whole, Some(rest)));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let canonical = all_digits(whole) && (whole == "0" || !whole.starts_with('0')) && fraction.is_none_or(all_digits);
    // Beyond 32 bits CloudFormation has been seen to write a number as text in the scientific notation.
    if canonical && whole.parse::<i32>().is_ok() {
        return text.parse::<Number>().ok().map(Value::Number);
    }
    is_number_of_yaml_1_1(digits).then(|| {
        let mut map = Map::new();
        map.insert(AS_WRITTEN.to_owned(), Value::String(text.to_owned()));
        Value::Object(map)
    })
}

/// Whether YAML 1.1 might take it for a number: `0755`, `0x1F`, `1_000`, `1:30`, `+5`, `.5`, `1e3`, `.inf`.
fn is_number_of_yaml_1_1(text: &str) -> bool {
    let text = text.strip_prefix('+').unwrap_or(text);
    if matches!(text, ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN") {
        return true;
    }
    if let Some(hex) = text.strip_prefix("0x") {
        return !hex.is_empty() && hex.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'_');
    }
    let text = text.strip_prefix("0b").unwrap_or(text);
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let is_mantissa = mantissa.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'_' | b':' | b'.'))
        && mantissa.bytes().any(|byte| byte.is_ascii_digit())
        && mantissa.matches('.').count() <= 1
        && !mantissa.ends_with(':');
    is_mantissa && !exponent.is_empty() && exponent.bytes().all(|byte| byte.is_ascii_digit())
}

/// How CloudFormation writes a scalar where a text is needed; `None` when that is not certain, such as for `1.10`.
pub(super) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(value) => Some(value.to_string()),
        Value::Number(number) => {
            let written = number.to_string();
            // Outside of these bounds Java's doubles are written with an exponent, and longer ones are rounded.
            let plain = if written.contains('.') {
                let size = number.as_f64().map_or(0.0, f64::abs);
                written.len() <= 10 && (1e-3..1e7).contains(&size)
            } else {
                written.parse::<i32>().is_ok()
            };
            (plain && canonical(number).as_ref() == Some(&written)).then_some(written)
        }
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Whether two properties are the same to CloudFormation, which hands scalars over as text: 512 is `"512"`, true is
/// `"true"`, 1.0 is 1. Lists keep their order; nothing is treated as a set, and a missing key is not null.
///
/// Reflexive and symmetric. A text is the same as a number only in the number's own or its shortest spelling, so that
/// two texts never become equal by way of a number.
#[must_use]
pub fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => {
            a == b || matches!((canonical(a), canonical(b)), (Some(a), Some(b)) if a == b)
        }
        (Value::Number(number), Value::String(text)) | (Value::String(text), Value::Number(number)) => {
            number.to_string() == *text || canonical(number).as_ref() == Some(text)
        }
        (Value::Bool(value), Value::String(text)) | (Value::String(text), Value::Bool(value)) => {
            *text == value.to_string()
        }
        (Value::Array(a), Value::Array(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len() && a.iter().all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        _ => a == b,
    }
}

/// The shortest plain decimal spelling, exact at any length; `None` when the exponent would make it absurdly long.
fn canonical(number: &Number) -> Option<String> {
    let text = number.to_string();
    let (sign, text) = text.strip_prefix('-').map_or(("", text.as_str()), |rest| ("-", rest));
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent: i32 = exponent.parse().ok().filter(|exponent: &i32| exponent.abs() <= 400)?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut whole: String = whole.to_owned();
    let mut fraction: String = fraction.to_owned();
    for _ in 0..exponent.unsigned_abs() {
        if exponent > 0 {
            whole.push(if fraction.is_empty() { '0' } else { fraction.remove(0) });
        } else {
            fraction.insert(0, whole.pop().unwrap_or('0'));
        }
    }
    let whole = whole.trim_start_matches('0');
    let fraction = fraction.trim_end_matches('0');
    Some(match (whole, fraction) {
        ("", "") => "0".to_owned(),
        (whole, "") => format!("{sign}{whole}"),
        ("", fraction) => format!("{sign}0.{fraction}"),
        (whole, fraction) => format!("{sign}{whole}.{fraction}"),
    })
}

/// The rows of a properties object: each leaf with its path, `Environment.Variables.API_KEY`.
///
/// Lists, functions such as `{"Ref": …}` and empty objects are leaves. A key with a dot, a quote or nothing in it is
/// quoted as in JSON, so that no two leaves share a path. A value that is itself a leaf has the empty path.
#[must_use]
pub fn flatten(value: &Value) -> Vec<(String, Value)> {
    let mut rows = Vec::new();
    descend("", value, &mut rows);
    rows
}

fn descend(path: &str, value: &Value, rows: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(map) if !map.is_empty() && function(value).is_none() => {
            for (key, value) in map {
                let step = step(key);
                let path = if path.is_empty() { step } else { format!("{path}.{step}") };
                descend(&path, value, rows);
            }
        }
        leaf => rows.push((path.to_owned(), leaf.clone())),
    }
}

/// A key as a step of a path.
pub(super) fn step(key: &str) -> String {
    if key.is_empty() || key.contains(['.', '"']) { Value::String(key.to_owned()).to_string() } else { key.to_owned() }
}

/// The name and argument, when the value is a function: an object of one key that CloudFormation evaluates.
pub(super) fn function(value: &Value) -> Option<(&str, &Value)> {
    let map = value.as_object().filter(|map| map.len() == 1)?;
    let (name, argument) = map.iter().next()?;
    (name == "Ref" || name.starts_with("Fn::") || name == AS_WRITTEN).then_some((name.as_str(), argument))
}

/// `{name: argument}`.
pub(super) fn call(name: &str, argument: Value) -> Value {
    let mut map = Map::new();
    map.insert(name.to_owned(), argument);
    Value::Object(map)
}

/// Stands for a text in a comparison without showing it.
pub(super) fn digest(text: &str) -> Value {
    format!("{:x?}", Sha256::digest(text).as_slice()).into()
}
