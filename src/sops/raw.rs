//! A document as its file has it: every value with its place in the text, so that an edit touches nothing else.
//!
//! A store (JSON today) makes this tree; nothing behind it knows which store it was.

use std::ops::Range;

use super::tree::{Leaf, Node};
use crate::secret::Secret;

/// One value and its place (byte offsets) in the text.
#[derive(Clone)]
pub(super) struct Raw {
    pub(super) span: Range<usize>,
    pub(super) kind: Kind,
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
}

/// One key of a map with its value.
#[derive(Clone)]
pub(super) struct Member {
    pub(super) key: String,
    pub(super) key_span: Range<usize>,
    pub(super) value: Raw,
}

impl Raw {
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

    /// The same tree without places, taking every text as it stands.
    pub(super) fn as_written(&self) -> Node {
        match &self.kind {
            Kind::Map(members) => {
                Node::Map(members.iter().map(|member| (member.key.clone(), member.value.as_written())).collect())
            }
            Kind::List(items) => Node::List(items.iter().map(Raw::as_written).collect()),
            Kind::Null => Node::Leaf(Leaf::Null),
            Kind::Bool(value) => Node::Leaf(Leaf::Bool(*value)),
            Kind::Number(text) => Node::Leaf(Leaf::Number(text.clone())),
            Kind::Text(text) => Node::Leaf(Leaf::Text(text.clone())),
        }
    }
}
