//! Values into JSON text, in the words and the indentation of a file or of sops.

use std::fmt::Write as _;

use crate::sops::number::is_json_number;
use crate::sops::raw::Raw;
use crate::sops::tree::{Leaf, Node};

/// How a document is laid out: taken from its text, or as sops does it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sops) struct Style {
    newline: String,
    /// `None`: everything in one line.
    indent: Option<String>,
    colon: String,
}

impl Style {
    /// One tab a level, the default of sops.
    pub(in crate::sops) fn sops() -> Self {
        Self::indented("\t")
    }

    /// The layout of sops with another indentation.
    pub(in crate::sops) fn indented(indent: &str) -> Self {
        Self { newline: "\n".to_owned(), indent: Some(indent.to_owned()), colon: ": ".to_owned() }
    }

    /// Everything in one line.
    pub(in crate::sops) fn one_line() -> Self {
        Self { newline: String::new(), indent: None, colon: ": ".to_owned() }
    }

    /// Read off the first member of the root.
    pub(in crate::sops) fn of(source: &str, root: &Raw) -> Self {
        let Some([first, ..]) = root.map() else {
            return Self::sops();
        };
        let lead = &source[root.span.start + 1..first.key_span.start];
        Self {
            newline: if lead.contains("\r\n") { "\r\n" } else { "\n" }.to_owned(),
            indent: lead.rsplit_once('\n').map(|(_, indent)| indent.to_owned()),
            colon: source[first.key_span.end..first.value.span.start].to_owned(),
        }
    }

    /// A plain tree in this layout, `depth` levels below the root.
    pub(in crate::sops) fn render(&self, node: &Node, depth: usize) -> String {
        match node {
            Node::Map(members) => self
                .map(depth, members.iter().map(|(key, value)| (quote(key), self.render(value, depth + 1))).collect()),
            Node::List(items) => {
                let items: Vec<_> = items.iter().map(|item| self.render(item, depth + 1)).collect();
                self.list(depth, &items)
            }
            Node::Leaf(leaf) => leaf_text(leaf),
        }
    }

    /// What stands between two members of an object, `depth` levels below the root.
    pub(in crate::sops) fn between(&self, depth: usize) -> String {
        match &self.indent {
            None => (if self.colon.ends_with(' ') { ", " } else { "," }).to_owned(),
            Some(indent) => format!(",{}{}", self.newline, indent.repeat(depth + 1)),
        }
    }

    /// What stands between a bracket and the first member of an object, `depth` levels below the root.
    pub(in crate::sops) fn lead(&self, depth: usize) -> String {
        self.indent.as_ref().map_or_else(String::new, |indent| format!("{}{}", self.newline, indent.repeat(depth)))
    }

    /// A key with its colon.
    pub(in crate::sops) fn key(&self, key: &str) -> String {
        format!("{}{}", quote(key), self.colon)
    }

    /// An object whose keys (in quotes) and values are texts already.
    pub(in crate::sops) fn map(&self, depth: usize, members: Vec<(String, String)>) -> String {
        let lines: Vec<_> = members.into_iter().map(|(key, value)| format!("{key}{}{value}", self.colon)).collect();
        self.block('{', '}', depth, &lines)
    }

    /// A list whose items are texts already.
    pub(in crate::sops) fn list(&self, depth: usize, items: &[String]) -> String {
        self.block('[', ']', depth, items)
    }

    fn block(&self, open: char, close: char, depth: usize, lines: &[String]) -> String {
        if lines.is_empty() {
            return format!("{open}{close}");
        }
        let (inner, outer) = (self.lead(depth + 1), self.lead(depth));
        format!("{open}{inner}{}{outer}{close}", lines.join(&self.between(depth)))
    }
}

/// The value of one leaf as JSON text. What JSON has no word for (bytes, a time, infinity) is a text.
pub(in crate::sops) fn leaf_text(leaf: &Leaf) -> String {
    match leaf {
        Leaf::Null => "null".to_owned(),
        Leaf::Bool(value) => value.to_string(),
        Leaf::Number(text) if is_json_number(text.expose()) => text.expose().to_owned(),
        Leaf::Number(text) | Leaf::Text(text) | Leaf::Time(text) | Leaf::Comment(text) => quote(text.expose()),
        Leaf::Bytes(bytes) => quote(&crate::sops::cipher::base64(bytes)),
    }
}

/// A tree on one line without spaces.
pub(in crate::sops) fn compact(node: &Node) -> String {
    Style { newline: String::new(), indent: None, colon: ":".to_owned() }.render(node, 0)
}

/// A JSON string with the escapes of Go's `json.Marshal`, which also hides `<`, `>`, `&` and the line separators.
pub(in crate::sops) fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for next in text.chars() {
        match next {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(next));
            }
            _ => out.push(next),
        }
    }
    out.push('"');
    out
}
