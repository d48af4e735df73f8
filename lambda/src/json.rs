//! JSON as strictly as an API that guards keys must read it.
//!
//! serde's derived readers accept what two readers may understand in two ways (a name that stands twice in a map), quote
//! the input in their messages, and give up on a whole document for one wrong field. Here an object is a list of names
//! with their values still unread, so that each value is asked for by the type it must have, and an error says where it
//! is and never what stands there.

use std::fmt;

use serde::de::{Deserializer as _, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

/// Why a text is not what was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    /// It is no JSON.
    #[error("not JSON (line {line}, column {column})")]
    Syntax {
        /// From 1; 0 where the reader cannot say.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// It is JSON of another type.
    #[error("not {0}")]
    NotA(&'static str),
    /// A name stands twice.
    #[error("a name stands twice")]
    Twice,
    /// More names or elements than anything here has.
    #[error("more than {0} of them")]
    TooMany(usize),
}

/// The fields of an object, each with its unread value, in the order in which they stand.
pub(crate) type Fields<'a> = Vec<(Zeroizing<String>, &'a RawValue)>;

/// Reads an object of at most `most` fields.
pub(crate) fn object(text: &str, most: usize) -> Result<Fields<'_>, Fault> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let read = reader.deserialize_map(Object(most)).and_then(|fields| reader.end().map(|()| fields));
    let fields = read.map_err(|error| fault(text, &error, b'{', "an object", most))?;
    let mut names: Vec<&str> = fields.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    if names.windows(2).any(|pair| pair.first() == pair.last()) { Err(Fault::Twice) } else { Ok(fields) }
}

/// Reads an array of at most `most` elements.
pub(crate) fn array(text: &str, most: usize) -> Result<Vec<&RawValue>, Fault> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let read = reader.deserialize_seq(Array(most)).and_then(|elements| reader.end().map(|()| elements));
    read.map_err(|error| fault(text, &error, b'[', "an array", most))
}

/// Reads a text.
pub(crate) fn string(value: &RawValue) -> Result<Zeroizing<String>, Fault> {
    serde_json::from_str(value.get()).map(Zeroizing::new).map_err(|_| Fault::NotA("a text"))
}

/// Reads a number from 1 to 4294967295, written without fraction and exponent.
pub(crate) fn positive(value: &RawValue) -> Result<u32, Fault> {
    let digits = value.get();
    let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|number| plain && *number > 0).ok_or(Fault::NotA("a whole number from 1 to 4294967295"))
}

/// What went wrong, told without serde's words.
fn fault(text: &str, error: &serde_json::Error, opening: u8, expected: &'static str, most: usize) -> Fault {
    if error.to_string().starts_with(TOO_MANY) {
        return Fault::TooMany(most);
    }
    let begins = text.trim_start_matches([' ', '\t', '\r', '\n']).bytes().next();
    // Well-formed, and of another type: that is no mistake of syntax.
    if begins != Some(opening) && serde_json::from_str::<&RawValue>(text).is_ok() {
        return Fault::NotA(expected);
    }
    Fault::Syntax { line: error.line(), column: error.column() }
}

const TOO_MANY: &str = "too many";

struct Object(usize);

impl<'de> Visitor<'de> for Object {
    type Value = Fields<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            if fields.len() == self.0 {
                return Err(A::Error::custom(TOO_MANY));
            }
            fields.push((Zeroizing::new(name), map.next_value::<&RawValue>()?));
        }
        Ok(fields)
    }
}

struct Array(usize);

impl<'de> Visitor<'de> for Array {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = elements.next_element()? {
            if values.len() == self.0 {
                return Err(A::Error::custom(TOO_MANY));
            }
            values.push(value);
        }
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> &RawValue {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn each_mistake_is_told_by_its_kind() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        let cases = [
            ("nothing", "", Fault::Syntax { line: 1, column: 0 }),
            ("no JSON", "hunter2", Fault::Syntax { line: 1, column: 1 }),
            ("half an object", r#"{"a":"#, Fault::Syntax { line: 1, column: 5 }),
            ("something behind", "{} {}", Fault::Syntax { line: 1, column: 4 }),
            ("a text", r#""a""#, Fault::NotA("an object")),
            ("an array, however deep", &deep, Fault::NotA("an object")),
            ("a name twice", r#"{"a":1,"b":2,"a":3}"#, Fault::Twice),
            ("a name twice, once escaped", r#"{"a":1,"\u0061":3}"#, Fault::Twice),
            ("too many", r#"{"a":1,"b":2,"c":3,"d":4}"#, Fault::TooMany(3)),
        ];
        for (name, text, expected) in cases {
            assert_eq!(object(text, 3).unwrap_err(), expected, "{name}");
        }
        assert_eq!(array("[1,2]", 1).unwrap_err(), Fault::TooMany(1));
        assert_eq!(array("{}", 1).unwrap_err(), Fault::NotA("an array"));
    }

    #[test]
    fn a_number_is_a_version_or_nothing() {
        for text in ["0", "-1", "1.0", "1e0", "1e999", "4294967296", "99999999999999999999999999", "\"1\"", "true"] {
            assert!(positive(raw(text)).is_err(), "{text}");
        }
        assert_eq!(positive(raw("4294967295")), Ok(u32::MAX));
    }

    #[test]
    fn half_a_surrogate_is_no_text() {
        assert_eq!(string(raw(r#""\ud800""#)), Err(Fault::NotA("a text")));
        assert_eq!(string(raw(r#""\ud83d\ude00""#)).as_deref().map(String::as_str), Ok("😀"));
    }
}
