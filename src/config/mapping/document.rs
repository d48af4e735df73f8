//! A config document, whatever format and encryption it comes in.

use crate::secret::Secret;

/// A document, or a part of one. The `sops` metadata and comments are not part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DocNode {
    /// An object, in the order of the file; no key comes twice.
    Map(Vec<(String, DocNode)>),
    /// An array.
    List(Vec<DocNode>),
    /// A leaf.
    Scalar {
        /// The text exactly as it is written: `1.50`, `true`, `a "b"` (unescaped), `ENC[AES256_GCM,…]`.
        text: Secret,
        /// What it is.
        kind: ScalarKind,
    },
    /// `null`.
    Null,
}

/// What a leaf is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ScalarKind {
    /// A text.
    Text,
    /// A number, as it is written.
    Number,
    /// `true` or `false`.
    Bool,
    /// Still ciphertext; its kind and value are not known.
    Encrypted,
}

impl DocNode {
    /// A leaf that is a text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Scalar { text: Secret::new(text), kind: ScalarKind::Text }
    }

    /// A leaf that is a number.
    #[must_use]
    pub fn number(text: impl Into<String>) -> Self {
        Self::Scalar { text: Secret::new(text), kind: ScalarKind::Number }
    }

    /// The empty text, which AWS refuses.
    pub(super) fn is_empty_text(&self) -> bool {
        matches!(self, Self::Scalar { text, kind: ScalarKind::Text } if text.expose().is_empty())
    }
}

/// A document as compact JSON text, in the order of its keys, numbers as they are written.
#[must_use]
pub fn json(node: &DocNode) -> Secret {
    let mut out = String::with_capacity(length(node));
    write(node, &mut out);
    Secret::new(out)
}

fn write(node: &DocNode, out: &mut String) {
    match node {
        DocNode::Null => out.push_str("null"),
        DocNode::Scalar { text, kind: ScalarKind::Number } if is_json_number(text.expose()) => {
            out.push_str(text.expose());
        }
        DocNode::Scalar { text, kind: ScalarKind::Bool } => out.push_str(text.expose()),
        // YAML knows numbers that JSON does not, such as 0x1F: they stay what they are as a text.
        DocNode::Scalar { text, .. } => quote(text.expose(), out),
        DocNode::List(list) => {
            out.push('[');
            for (index, each) in list.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(each, out);
            }
            out.push(']');
        }
        DocNode::Map(entries) => {
            out.push('{');
            for (index, (key, value)) in entries.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                quote(key, out);
                out.push(':');
                write(value, out);
            }
            out.push('}');
        }
    }
}

/// Enough room that the text is not moved while it grows, which would leave copies of secrets behind.
fn length(node: &DocNode) -> usize {
    match node {
        DocNode::Null => 4,
        DocNode::Scalar { text, .. } => escaped(text.expose()),
        DocNode::List(list) => 2 + list.iter().map(|each| 1 + length(each)).sum::<usize>(),
        DocNode::Map(entries) => 2 + entries.iter().map(|(key, value)| 2 + escaped(key) + length(value)).sum::<usize>(),
    }
}

fn escaped(text: &str) -> usize {
    2 + text
        .chars()
        .map(|char| if char < ' ' { 6 } else { char.len_utf8() + usize::from(char == '"' || char == '\\') })
        .sum::<usize>()
}

fn quote(text: &str, out: &mut String) {
    out.push('"');
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            char if char < ' ' => {
                out.push_str("\\u00");
                for nibble in [u32::from(char) >> 4, u32::from(char) & 15] {
                    out.extend(char::from_digit(nibble, 16));
                }
            }
            char => out.push(char),
        }
    }
    out.push('"');
}

/// The grammar of numbers in RFC 8259.
fn is_json_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|exponent| digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)))
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A plain JSON text as a document.
    pub(in crate::config::mapping) fn doc(text: &str) -> DocNode {
        from(&serde_json::from_str(text).unwrap())
    }

    fn from(value: &serde_json::Value) -> DocNode {
        use serde_json::Value;
        match value {
            Value::Null => DocNode::Null,
            Value::Bool(bool) => DocNode::Scalar { text: Secret::new(bool.to_string()), kind: ScalarKind::Bool },
            Value::Number(number) => DocNode::number(number.to_string()),
            Value::String(text) => DocNode::text(text.clone()),
            Value::Array(list) => DocNode::List(list.iter().map(from).collect()),
            Value::Object(map) => DocNode::Map(map.iter().map(|(key, value)| (key.clone(), from(value))).collect()),
        }
    }

    #[test]
    fn a_document_is_written_as_compact_json_with_its_numbers_untouched() {
        let text = r#"{"b":1.50,"a":[true,null,"x\"\\\n\u0001ä",1e+3],"c":{}}"#;
        let node = doc(text);
        assert_eq!(json(&node).expose(), text);
        assert!(json(&node).expose().len() <= length(&node));
    }

    #[test]
    fn a_number_that_json_does_not_know_is_written_as_a_text() {
        for (number, expected) in [
            ("0x1F", "\"0x1F\""),
            ("-0.5e+7", "-0.5e+7"),
            (".5", "\".5\""),
            ("01", "\"01\""),
            ("1.", "\"1.\""),
            ("-", "\"-\""),
        ] {
            assert_eq!(json(&DocNode::number(number)).expose(), expected);
        }
    }

    proptest! {
        #[test]
        fn any_text_survives_being_written(text in ".*", key in ".*") {
            let node = DocNode::Map(vec![(key, DocNode::List(vec![DocNode::text(text)]))]);
            let written = json(&node);
            prop_assert_eq!(doc(written.expose()), node.clone());
            prop_assert!(written.expose().len() <= length(&node));
        }
    }
}
