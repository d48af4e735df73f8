//! A document as its file has it: every value with its place in the text, so that an edit touches nothing else.
//!
//! A store makes this tree; nothing behind it knows the text's grammar.

use std::ops::Range;

use zeroize::Zeroizing;

use super::tree::{Leaf, Node};
use crate::secret::Secret;

/// A parsed text: its documents, of which only YAML can have several.
#[derive(Clone)]
pub(super) struct Parsed {
    pub(super) source: Zeroizing<String>,
    pub(super) parts: Vec<Part>,
}

/// One document of a text.
#[derive(Clone)]
pub(super) struct Part {
    /// A map, without the metadata.
    pub(super) root: Raw,
    pub(super) sops: Option<Held>,
    /// Where this document ends: the text's end, or the mark before the next document.
    pub(super) end: usize,
}

/// The metadata of a document and the text that holds it.
#[derive(Clone)]
pub(super) struct Held {
    pub(super) raw: Raw,
    /// The text that new metadata replaces; in dotenv it may lie in several places.
    pub(super) text: Vec<Range<usize>>,
    /// What is cut out to leave a plain document: the same, with what joins it to its neighbours.
    pub(super) cuts: Vec<Range<usize>>,
    /// The key behind the metadata; `None` when it is the last, as sops writes it.
    pub(super) before_key: Option<String>,
}

/// One value and its place (byte offsets) in the text.
#[derive(Clone)]
pub(super) struct Raw {
    pub(super) span: Range<usize>,
    pub(super) kind: Kind,
    /// Comments of the map or list around it that stand before it, the one on its own line included.
    pub(super) before: Vec<Remark>,
    /// Comments inside this map or list behind its last value.
    pub(super) after: Vec<Remark>,
    /// Where its lines are, in a text of lines.
    pub(super) lines: Option<Lines>,
    /// The column of a map or list that is written in lines; `None` in brackets, and of a scalar.
    pub(super) column: Option<usize>,
}

/// The lines of one member of a map, or item of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lines {
    /// Where the empty lines and comments before it begin.
    pub(super) lead: usize,
    /// Where its key or dash stands.
    pub(super) body: usize,
    /// Behind its last line.
    pub(super) end: usize,
}

/// What stands there. Text is a [`Secret`], because in a plain document it is one.
#[derive(Clone)]
pub(super) enum Kind {
    Map(Vec<Member>),
    List(Vec<Raw>),
    Null,
    Bool(bool),
    Number(Secret),
    Text(Secret),
    Time(Secret),
    Bytes(Zeroizing<Vec<u8>>),
}

/// One key of a map with its value.
#[derive(Clone)]
pub(super) struct Member {
    pub(super) key: String,
    pub(super) key_span: Range<usize>,
    pub(super) value: Raw,
}

/// A comment.
#[derive(Clone)]
pub(super) struct Remark {
    /// What is replaced when it is encrypted or decrypted: all behind the `#`.
    pub(super) span: Range<usize>,
    pub(super) text: Secret,
    /// It stands there as an item of a list, which is how sops 3.13 writes an encrypted comment of a list (and cannot
    /// read it again). The span is then the whole item, and has no `#` before it.
    pub(super) as_item: bool,
    /// Whether sops is sure to see it at the same place; not so when it lines up with nothing around it.
    pub(super) aligned: bool,
}

impl Raw {
    pub(super) fn new(span: Range<usize>, kind: Kind) -> Self {
        Self { span, kind, before: Vec::new(), after: Vec::new(), lines: None, column: None }
    }

    pub(super) fn get(&self, key: &str) -> Option<&Raw> {
        match &self.kind {
            Kind::Map(members) => members.iter().find(|member| member.key == key).map(|member| &member.value),
            _ => None,
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) => Some(text.expose()),
            _ => None,
        }
    }

    pub(super) fn list(&self) -> Option<&[Raw]> {
        match &self.kind {
            Kind::List(items) => Some(items),
            _ => None,
        }
    }

    pub(super) fn map(&self) -> Option<&[Member]> {
        match &self.kind {
            Kind::Map(members) => Some(members),
            _ => None,
        }
    }

    /// The value of what is neither a map nor a list, as it stands.
    pub(super) fn leaf(&self) -> Option<Leaf> {
        Some(match &self.kind {
            Kind::Map(_) | Kind::List(_) => return None,
            Kind::Null => Leaf::Null,
            Kind::Bool(value) => Leaf::Bool(*value),
            Kind::Number(text) => Leaf::Number(text.clone()),
            Kind::Text(text) => Leaf::Text(text.clone()),
            Kind::Time(text) => Leaf::Time(text.clone()),
            Kind::Bytes(bytes) => Leaf::Bytes(bytes.clone()),
        })
    }

    /// The same tree without places, taking every text as it stands.
    pub(super) fn as_written(&self) -> Node {
        match &self.kind {
            Kind::Map(members) => {
                Node::Map(members.iter().map(|member| (member.key.clone(), member.value.as_written())).collect())
            }
            Kind::List(items) => Node::List(items.iter().map(Raw::as_written).collect()),
            _ => Node::Leaf(self.leaf().unwrap_or(Leaf::Null)),
        }
    }
}

/// The text of `place` with some ranges of it replaced. They lie in it, in order and apart from each other.
pub(super) fn splice(
    source: &str,
    place: Range<usize>,
    changes: impl IntoIterator<Item = (Range<usize>, impl AsRef<str>)>,
) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(place.len()));
    let mut at = place.start;
    for (range, new) in changes {
        text.push_str(&source[at..range.start]);
        text.push_str(new.as_ref());
        at = range.end;
    }
    text.push_str(&source[at..place.end]);
    text
}
