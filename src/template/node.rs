//! The tree that both spellings are read into, each key with its line.

use serde_json::{Map, Value};

use super::Error;

/// Deeper nesting than any template has; keeps recursion from exhausting the stack.
pub(super) const MAX_DEPTH: usize = 100;

/// A value with the line on which it begins.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) line: usize,
    pub(super) kind: Kind,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    Scalar(Value),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) key: String,
    pub(super) line: usize,
    pub(super) node: Node,
}

impl Node {
    pub(super) fn scalar(line: usize, value: Value) -> Self {
        Self { line, kind: Kind::Scalar(value) }
    }

    /// `{name: self}`: the long form of a tagged node.
    pub(super) fn wrapped(self, name: impl Into<String>) -> Self {
        let line = self.line;
        Self { line, kind: Kind::Map(vec![Entry { key: name.into(), line, node: self }]) }
    }

    pub(super) fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.kind {
            Kind::Map(entries) => entries.iter().find(|entry| entry.key == key),
            Kind::Scalar(_) | Kind::List(_) => None,
        }
    }

    /// How many nodes it is made of, itself included.
    pub(super) fn size(&self) -> usize {
        1 + match &self.kind {
            Kind::Scalar(_) => 0,
            Kind::List(items) => items.iter().map(Self::size).sum(),
            Kind::Map(entries) => entries.iter().map(|entry| entry.node.size()).sum(),
        }
    }

    /// The plain value, `Fn::GetAtt` always as a list of resource and attribute.
    pub(super) fn into_value(self) -> Value {
        match self.kind {
            Kind::Scalar(value) => value,
            Kind::List(items) => Value::Array(items.into_iter().map(Self::into_value).collect()),
            Kind::Map(entries) => {
                let single = entries.len() == 1;
                let mut map = Map::new();
                for Entry { key, node, .. } in entries {
                    let value = match node.into_value() {
                        Value::String(text) if single && key == "Fn::GetAtt" => attribute(text),
                        value => value,
                    };
                    map.insert(key, value);
                }
                Value::Object(map)
            }
        }
    }
}

fn attribute(dotted: String) -> Value {
    match dotted.split_once('.') {
        Some((resource, attribute)) => Value::Array(vec![resource.into(), attribute.into()]),
        None => Value::String(dotted),
    }
}

/// Adds an entry, or says where its key already is.
pub(super) fn insert(name: &str, entries: &mut Vec<Entry>, entry: Entry) -> Result<(), Error> {
    if let Some(first) = entries.iter().find(|other| other.key == entry.key) {
        let first = first.line;
        return Err(Error::DuplicateKey { name: name.to_owned(), line: entry.line, key: entry.key, first });
    }
    entries.push(entry);
    Ok(())
}
