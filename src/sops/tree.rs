//! The plaintext of a document, in document order.

use std::fmt;

use zeroize::Zeroizing;

use super::json;
use crate::secret::{MASK, Secret};

/// A document's tree, or a part of it, in document order. `Debug` shows keys, never values.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Node {
    /// Keys and values; the keys are distinct.
    Map(Vec<(String, Node)>),
    /// Values by position.
    List(Vec<Node>),
    /// One value.
    Leaf(Leaf),
}

/// One plaintext value. `Debug` shows its kind only.
#[derive(Clone, PartialEq, Eq)]
pub enum Leaf {
    /// `null`: never encrypted, never part of the MAC.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number: exactly as written in the file, or, where it was encrypted, as sops normalised it then (`1.50` is `1.5`).
    Number(Secret),
    /// A text.
    Text(Secret),
    /// Bytes that are no UTF-8 (type `bytes` of the first sops, or a `str` of its binary store).
    Bytes(Zeroizing<Vec<u8>>),
    /// A timestamp in RFC 3339, which only a YAML document could have brought.
    Time(Secret),
    /// A comment that was stored as a value.
    Comment(Secret),
}

impl fmt::Debug for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("Null"),
            Self::Bool(_) => write!(f, "Bool({MASK})"),
            Self::Number(_) => write!(f, "Number({MASK})"),
            Self::Text(_) => write!(f, "Text({MASK})"),
            Self::Bytes(_) => write!(f, "Bytes({MASK})"),
            Self::Time(_) => write!(f, "Time({MASK})"),
            Self::Comment(_) => write!(f, "Comment({MASK})"),
        }
    }
}

impl Node {
    /// A text leaf.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Leaf(Leaf::Text(Secret::new(text)))
    }

    /// A number leaf; `text` must be a JSON number, which [`super::encrypt`] and [`Opened::replace`](super::Opened::replace)
    /// check.
    #[must_use]
    pub fn number(text: impl Into<String>) -> Self {
        Self::Leaf(Leaf::Number(Secret::new(text)))
    }

    /// The part under a path of keys; in a list a component is the position in decimal digits.
    #[must_use]
    pub fn get(&self, path: &[&str]) -> Option<&Self> {
        let Some((first, rest)) = path.split_first() else {
            return Some(self);
        };
        match self {
            Self::Map(members) => members.iter().find(|(key, _)| key == first)?.1.get(rest),
            Self::List(items) => items.get(first.parse::<usize>().ok()?)?.get(rest),
            Self::Leaf(_) => None,
        }
    }

    /// Compact JSON of this part: no spaces, keys in document order, numbers as they are.
    #[must_use]
    pub fn to_json(&self) -> Secret {
        Secret::new(json::compact(self))
    }

    /// The whole as sops prints a decrypted JSON file: indented by tabs, one newline at the end.
    #[must_use]
    pub fn to_json_pretty(&self) -> Secret {
        let mut text = json::Style::sops().render(self, 0);
        text.push('\n');
        Secret::new(text)
    }
}

impl Leaf {
    /// The value as one would write it into a parameter: text bare, numbers and booleans as JSON writes them, bytes in
    /// base64; `None` for null.
    #[must_use]
    pub fn to_text(&self) -> Option<Secret> {
        match self {
            Self::Null => None,
            Self::Bool(value) => Some(Secret::new(value.to_string())),
            Self::Number(text) | Self::Text(text) | Self::Time(text) | Self::Comment(text) => Some(text.clone()),
            Self::Bytes(bytes) => Some(Secret::new(super::cipher::base64(bytes))),
        }
    }
}
