//! What a record may be: any JSON object that every reader reads the same way.
//!
//! Numbers of any length and any number of fields are fine. Not taken are a name that stands twice in one object (of two
//! readers each may see another value), a text with half a surrogate pair (no Unicode, and many readers fail on it), and
//! nesting beyond [`DEPTH`]. No value of serde_json is made of a record: that gives some names a meaning of its own.

use serde_json::value::RawValue;
use serde_json::{Map, Number, Value};

use crate::json::{self, Fault, Fields};

/// Objects and arrays may be nested so deep, the record itself among them.
pub const DEPTH: usize = 64;

/// Why a record is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Flaw {
    #[error("a name stands twice in one of its objects")]
    Twice,
    #[error("one of its texts is no Unicode: it has half a surrogate pair")]
    Surrogate,
    #[error("it is nested deeper than {DEPTH} levels")]
    Deep,
}

/// Checks a record that is known to be JSON.
pub(crate) fn check(raw: &RawValue) -> Result<(), Flaw> {
    check_at(raw, 0)
}

fn check_at(raw: &RawValue, depth: usize) -> Result<(), Flaw> {
    match raw.get().as_bytes().first() {
        Some(b'{' | b'[') if depth == DEPTH => Err(Flaw::Deep),
        Some(b'{') => fields(raw)?.into_iter().try_for_each(|(_, value)| check_at(value, depth + 1)),
        Some(b'[') => elements(raw).into_iter().try_for_each(|value| check_at(value, depth + 1)),
        Some(b'"') => json::string(raw).map(drop).map_err(|_| Flaw::Surrogate),
        _ => Ok(()),
    }
}

/// The fields of an object that is known to be JSON: then only its names can be wrong.
fn fields(raw: &RawValue) -> Result<Fields<'_>, Flaw> {
    json::object(raw.get(), usize::MAX)
        .map_err(|fault| if fault == Fault::Twice { Flaw::Twice } else { Flaw::Surrogate })
}

fn elements(raw: &RawValue) -> Vec<&RawValue> {
    json::array(raw.get(), usize::MAX).unwrap_or_default()
}

/// The same for readers that want serde_json's values: each number as it is written. It was checked before.
pub(crate) fn value(raw: &RawValue) -> Value {
    match raw.get().as_bytes().first() {
        Some(b'{') => {
            let pairs = fields(raw).unwrap_or_default().into_iter();
            Value::Object(pairs.map(|(name, inner)| (name.to_string(), value(inner))).collect::<Map<_, _>>())
        }
        Some(b'[') => elements(raw).into_iter().map(value).collect(),
        Some(b'"') => json::string(raw).map_or(Value::Null, |text| Value::String(text.to_string())),
        Some(b't') => Value::Bool(true),
        Some(b'f') => Value::Bool(false),
        Some(b'n') | None => Value::Null,
        Some(_) => raw.get().parse::<Number>().map_or(Value::Null, Value::Number),
    }
}

/// Tells `visit` each field of a record and of the objects in it, by its dotted path, with the text of a number. What is
/// in arrays is not looked at. Fails with what is no such record.
pub(crate) fn walk(text: &str, visit: &mut impl FnMut(&str, Option<&str>)) -> Result<(), Fault> {
    let mut path = String::new();
    for (name, value) in json::object(text, usize::MAX)? {
        step(&mut path, &name, value, 1, visit)?;
    }
    Ok(())
}

fn step(
    path: &mut String,
    name: &str,
    value: &RawValue,
    depth: usize,
    visit: &mut impl FnMut(&str, Option<&str>),
) -> Result<(), Fault> {
    let before = path.len();
    if before > 0 {
        path.push('.');
    }
    path.push_str(name);
    let first = value.get().as_bytes().first();
    let number = first.is_some_and(|byte| byte.is_ascii_digit() || *byte == b'-').then(|| value.get());
    visit(path, number);
    if first == Some(&b'{') && depth < DEPTH {
        for (name, inner) in json::object(value.get(), usize::MAX)? {
            step(path, &name, inner, depth + 1, visit)?;
        }
    }
    path.truncate(before);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        serde_json::from_str(text).unwrap()
    }

    fn nested(depth: usize) -> String {
        format!("{}{}", "{\"a\":".repeat(depth - 1) + "{", "}".repeat(depth))
    }

    #[test]
    fn what_two_readers_could_read_in_two_ways_is_not_taken() {
        let keys = (0..10_000).map(|number| format!("\"k{number}\":{number},")).collect::<Vec<_>>().concat();
        for (name, text, expected) in [
            ("nothing in it", "{}".to_owned(), Ok(())),
            ("a number of forty digits", format!("{{\"a\":{}.5e-300}}", "9".repeat(40)), Ok(())),
            ("ten thousand names", format!("{{{keys}\"last\":1}}"), Ok(())),
            (
                "names that others reserve",
                r#"{"id":1,"slot":2,"key":{"S":"x"},"__proto__":{},"":0}"#.to_owned(),
                Ok(()),
            ),
            (
                "serde's own names",
                r#"{"$serde_json::private::Number":"x","$serde_json::private::RawValue":"["}"#.to_owned(),
                Ok(()),
            ),
            ("a whole surrogate pair", r#"{"a":"\ud83d\ude00"}"#.to_owned(), Ok(())),
            ("half a surrogate pair", r#"{"a":["x","\ud83d"]}"#.to_owned(), Err(Flaw::Surrogate)),
            ("the other half, in a name", r#"{"a":{"\ude00":1}}"#.to_owned(), Err(Flaw::Surrogate)),
            ("a name twice", r#"{"a":1,"b":2,"a":1}"#.to_owned(), Err(Flaw::Twice)),
            ("a name twice, once escaped, inside", r#"{"x":[{"a":1,"\u0061":2}]}"#.to_owned(), Err(Flaw::Twice)),
            ("as deep as it may be", nested(DEPTH), Ok(())),
            ("one deeper", nested(DEPTH + 1), Err(Flaw::Deep)),
            ("very deep arrays", format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000)), Err(Flaw::Deep)),
        ] {
            assert_eq!(check(&raw(&text)), expected, "{name}");
        }
    }

    #[test]
    fn a_walk_tells_paths_and_numbers_as_they_are_written() {
        let mut told = Vec::new();
        let text = r#"{"a": 1, "b": {"c": -2.50, "d": {"e": "5"}}, "f": [{"g": 1}], "n": null, "$serde_json::private::Number": "7"}"#;
        walk(text, &mut |path, number| told.push(format!("{path}={}", number.unwrap_or("")))).unwrap();
        assert_eq!(told, ["a=1", "b=", "b.c=-2.50", "b.d=", "b.d.e=", "f=", "n=", "$serde_json::private::Number="]);
        assert!(walk("[]", &mut |_, _| ()).is_err());
    }

    #[test]
    fn a_value_is_what_the_text_says() {
        let text = r#"{"a":[1.10,true,false,null,"x"],"$serde_json::private::Number":"7"}"#;
        assert_eq!(value(&raw(text)).to_string(), text);
    }
}
