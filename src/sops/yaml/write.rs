//! Values into YAML text that go-yaml and saphyr read alike.

use std::fmt::Write as _;

use super::scalar::resolve;
use crate::sops::cipher::base64;
use crate::sops::number::is_json_number;
use crate::sops::raw::Kind;
use crate::sops::tree::{Leaf, Node};

/// How a document is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sops) struct Layout {
    /// Spaces a level.
    pub(in crate::sops) step: usize,
    pub(in crate::sops) newline: &'static str,
}

impl Layout {
    /// The column of what is in lines below a column, as go-yaml has it: the next one that is a whole number of levels.
    fn below(self, column: usize) -> usize {
        (column / self.step + 1) * self.step
    }
}

/// Where a value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::sops) struct Place {
    /// The column of the map or list around it; `None` in brackets.
    pub(in crate::sops) column: Option<usize>,
    /// Something follows on its line, so that it must stay in one.
    pub(in crate::sops) followed: bool,
}

/// One value.
pub(in crate::sops) fn scalar_text(leaf: &Leaf, place: Place, layout: Layout) -> String {
    match leaf {
        Leaf::Null => "null".to_owned(),
        Leaf::Bool(value) => value.to_string(),
        Leaf::Number(text) => match text.expose() {
            "+Inf" => ".inf".to_owned(),
            "-Inf" => "-.inf".to_owned(),
            // Go would take more digits than it can hold for a whole number, too.
            text if text.bytes().all(|next| next.is_ascii_digit() || next == b'-') && text.parse::<i64>().is_err() => {
                format!("{text}.0")
            }
            text if is_json_number(text) => text.to_owned(),
            _ => ".nan".to_owned(),
        },
        Leaf::Time(text) => text.expose().to_owned(),
        Leaf::Bytes(bytes) => quote(&base64(bytes)),
        Leaf::Text(text) | Leaf::Comment(text) => match place {
            Place { column: Some(column), followed: false } if is_literal(text.expose()) => {
                literal(text.expose(), layout.below(column), layout.newline)
            }
            Place { column: Some(_), .. } if is_plain(text.expose()) => text.expose().to_owned(),
            _ => quote(text.expose()),
        },
    }
}

/// A key.
pub(in crate::sops) fn key(text: &str) -> String {
    if is_plain(text) { text.to_owned() } else { quote(text) }
}

/// A map or list in brackets on one line, or a value.
pub(in crate::sops) fn flow(node: &Node) -> String {
    match node {
        Node::Map(members) => {
            let members: Vec<_> =
                members.iter().map(|(key, value)| format!("{}: {}", quote(key), flow(value))).collect();
            format!("{{{}}}", members.join(", "))
        }
        Node::List(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Node::Leaf(leaf) => {
            let place = Place { column: None, followed: false };
            scalar_text(leaf, place, Layout { step: 2, newline: "\n" })
        }
    }
}

/// The lines of a map or list that stands at a column, the first one without its indentation, the last one without its
/// end. Empty ones are in brackets.
pub(in crate::sops) fn render_block(node: &Node, column: usize, layout: Layout) -> String {
    let between = format!("{}{}", layout.newline, " ".repeat(column));
    match node {
        Node::Map(members) if !members.is_empty() => {
            let lines: Vec<_> = members
                .iter()
                .map(|(name, value)| format!("{}:{}", key(name), value_part(value, column, layout)))
                .collect();
            lines.join(&between)
        }
        Node::List(items) if !items.is_empty() => {
            let lines: Vec<_> = items.iter().map(|item| item_text(item, column, layout)).collect();
            lines.join(&between)
        }
        _ => flow(node),
    }
}

/// An item of a list at a column, with its dash.
pub(in crate::sops) fn item_text(item: &Node, column: usize, layout: Layout) -> String {
    match item {
        Node::Leaf(leaf) => {
            format!("- {}", scalar_text(leaf, Place { column: Some(column), followed: false }, layout))
        }
        _ => format!("- {}", render_block(item, column + 2, layout)),
    }
}

/// What stands behind the colon of a key at a column: a value on the same line, or lines below.
pub(in crate::sops) fn value_part(value: &Node, column: usize, layout: Layout) -> String {
    let inner = layout.below(column);
    match value {
        Node::Leaf(leaf) => format!(" {}", scalar_text(leaf, Place { column: Some(column), followed: false }, layout)),
        Node::Map(members) if members.is_empty() => " {}".to_owned(),
        Node::List(items) if items.is_empty() => " []".to_owned(),
        _ => format!("{}{}{}", layout.newline, " ".repeat(inner), render_block(value, inner, layout)),
    }
}

/// Whether a text can stand there without quotes, for whoever reads it: go-yaml, and parsers to which `yes` is true.
fn is_plain(text: &str) -> bool {
    let Some(first) = text.chars().next() else { return false };
    // Of numbers only such as are none to any parser: versions.
    let version =
        text.matches('.').count() > 1 && text.chars().all(|next| next.is_alphanumeric() || ".-+".contains(next));
    let begins = first.is_alphabetic() || "_/^($\\".contains(first) || (first.is_ascii_digit() && version);
    let sound = text.chars().all(|next| next == ' ' || !(next.is_whitespace() || must_escape(next)));
    let mark = text.contains(" #") || text.contains(": ") || text.ends_with([' ', ':']);
    let taken = ["y", "n", "yes", "no", "on", "off"].iter().any(|other| text.eq_ignore_ascii_case(other));
    begins && sound && !mark && !taken && matches!(resolve(text), Ok(Kind::Text(_)))
}

/// Whether a text of several lines can stand there as it is.
fn is_literal(text: &str) -> bool {
    let body = text.strip_suffix('\n').unwrap_or(text);
    let sound = |line: &str| line.is_empty() || !line.trim_matches([' ', '\t']).is_empty();
    body.contains('\n')
        && !body.starts_with([' ', '\t', '\n'])
        && !body.ends_with('\n')
        && body.lines().all(sound)
        && body.chars().all(|next| next == '\n' || next == '\t' || !must_escape(next))
}

fn literal(text: &str, indent: usize, newline: &str) -> String {
    let (body, header) = text.strip_suffix('\n').map_or((text, "|-"), |body| (body, "|"));
    let mut out = header.to_owned();
    for line in body.split('\n') {
        out.push_str(newline);
        if !line.is_empty() {
            out.extend(std::iter::repeat_n(' ', indent));
            out.push_str(line);
        }
    }
    out
}

fn must_escape(next: char) -> bool {
    next.is_control() || "\u{2028}\u{2029}\u{feff}\u{fffe}\u{ffff}".contains(next)
}

/// A text in double quotes.
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
            next if must_escape(next) => {
                let _ = write!(out, "\\u{:04x}", u32::from(next));
            }
            _ => out.push(next),
        }
    }
    out.push('"');
    out
}
