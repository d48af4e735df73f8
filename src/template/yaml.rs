//! YAML as CloudFormation reads it, with its short tags.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};
use serde_json::Value;

use super::Error;
use super::leaf::{plain, typed};
use super::node::{Entry, Kind, MAX_DEPTH, Node, insert};

/// More values than a template of 1 MB can spell; what exceeds it is a bomb of aliases.
const MAX_EXPANDED: usize = 500_000;

/// Functions with a short tag of their name; `!Ref` and `!Condition` have no `Fn::`. Those after `Transform` come with
/// the language extensions, those after `ToJsonString` with the rules section.
const SHORT: [&str; 24] = [
    "Base64",
    "Cidr",
    "FindInMap",
    "GetAtt",
    "GetAZs",
    "If",
    "ImportValue",
    "Join",
    "Select",
    "Split",
    "Sub",
    "And",
    "Equals",
    "Not",
    "Or",
    "Transform",
    "Length",
    "ToJsonString",
    "Contains",
    "EachMemberEquals",
    "EachMemberIn",
    "RefAll",
    "ValueOf",
    "ValueOfAll",
];

pub(super) fn parse(name: &str, text: &str) -> Result<Node, Error> {
    let mut builder = Builder { name, stack: Vec::new(), anchors: BTreeMap::new(), root: None, expanded: 0 };
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| Error::Syntax {
            name: name.to_owned(),
            line: error.marker().line(),
            column: error.marker().col() + 1,
            format: "YAML",
            reason: error.info().to_owned(),
        })?;
        builder.event(event, &span)?;
    }
    builder.root.ok_or_else(|| shape(name, 1, "the file is empty"))
}

/// A collection whose end has not come yet.
struct Frame {
    line: usize,
    anchor: usize,
    tag: Option<Tag>,
    open: Open,
}

enum Open {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, key: Option<(String, usize, bool)>, merged: Vec<Node> },
}

struct Builder<'a> {
    name: &'a str,
    stack: Vec<Frame>,
    anchors: BTreeMap<usize, Node>,
    root: Option<Node>,
    expanded: usize,
}

impl Builder<'_> {
    fn event(&mut self, event: Event<'_>, span: &Span) -> Result<(), Error> {
        let line = span.start.line();
        match event {
            Event::Scalar(text, style, anchor, tag) => self.scalar(&text, style, anchor, tag.as_deref(), line),
            Event::Alias(anchor) => {
                let node = self.anchors.get(&anchor).cloned();
                let node = node.ok_or_else(|| shape(self.name, line, "an alias inside of what it stands for"))?;
                self.expanded += node.size();
                if self.expanded > MAX_EXPANDED {
                    return Err(shape(self.name, line, "its aliases expand to more than a template can hold"));
                }
                self.put(node, 0, line)
            }
            Event::SequenceStart(anchor, tag) => {
                self.open(Open::List(Vec::new()), anchor, tag.map(std::borrow::Cow::into_owned), line)
            }
            Event::MappingStart(anchor, tag) => {
                let map = Open::Map { entries: Vec::new(), key: None, merged: Vec::new() };
                self.open(map, anchor, tag.map(std::borrow::Cow::into_owned), line)
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(),
            Event::DocumentStart(_) if self.root.is_some() => {
                Err(shape(self.name, line, "a second document begins here"))
            }
            Event::DocumentStart(_) | Event::DocumentEnd | Event::StreamStart | Event::StreamEnd | Event::Nothing => {
                Ok(())
            }
        }
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        anchor: usize,
        tag: Option<&Tag>,
        line: usize,
    ) -> Result<(), Error> {
        let is_plain = style == ScalarStyle::Plain;
        if let Some(Frame { open: Open::Map { key: key @ None, .. }, .. }) = self.stack.last_mut() {
            if let Some(tag) = tag.filter(|tag| !is_text(tag)) {
                return Err(self.unknown(tag, line));
            }
            *key = Some((text.to_owned(), line, is_plain && text == "<<"));
            if anchor > 0 {
                self.anchors.insert(anchor, Node::scalar(line, Value::String(text.to_owned())));
            }
            return Ok(());
        }
        let node = match tag {
            None if is_plain => Node::scalar(line, plain(text)),
            None => Node::scalar(line, Value::String(text.to_owned())),
            Some(tag) if tag.is_yaml_core_schema() && !is_text(tag) => {
                let value = typed(&tag.suffix, text).ok_or_else(|| self.unknown(tag, line))?;
                Node::scalar(line, value)
            }
            Some(tag) => self.tagged(tag, Node::scalar(line, Value::String(text.to_owned())))?,
        };
        self.put(node, anchor, line)
    }

    fn open(&mut self, open: Open, anchor: usize, tag: Option<Tag>, line: usize) -> Result<(), Error> {
        if let Some(Frame { open: Open::Map { key: None, .. }, .. }) = self.stack.last() {
            return Err(shape(self.name, line, "a list or mapping stands where a key should be"));
        }
        if self.stack.len() >= MAX_DEPTH {
            return Err(shape(self.name, line, "nested too deeply"));
        }
        self.stack.push(Frame { line, anchor, tag, open });
        Ok(())
    }

    fn close(&mut self) -> Result<(), Error> {
        let Some(Frame { line, anchor, tag, open }) = self.stack.pop() else { return Ok(()) };
        let kind = match open {
            Open::List(items) => Kind::List(items),
            Open::Map { mut entries, merged, .. } => {
                self.merge(&mut entries, merged)?;
                Kind::Map(entries)
            }
        };
        let mut node = Node { line, kind };
        if let Some(tag) = tag {
            let plain = tag.is_yaml_core_schema() && matches!(tag.suffix.as_str(), "map" | "seq");
            if !plain {
                node = self.tagged(&tag, node)?;
            }
        }
        self.put(node, anchor, line)
    }

    /// What is written in the mapping itself wins, then the first of the merged ones.
    fn merge(&self, entries: &mut Vec<Entry>, merged: Vec<Node>) -> Result<(), Error> {
        for node in merged {
            let sources = match node.kind {
                Kind::List(items) => items,
                kind => vec![Node { line: node.line, kind }],
            };
            for source in sources {
                let Kind::Map(inherited) = source.kind else {
                    return Err(shape(self.name, source.line, "`<<` merges mappings only"));
                };
                for entry in inherited {
                    if !entries.iter().any(|own| own.key == entry.key) {
                        entries.push(entry);
                    }
                }
            }
        }
        Ok(())
    }

    fn put(&mut self, node: Node, anchor: usize, line: usize) -> Result<(), Error> {
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.stack.last_mut().map(|frame| &mut frame.open) {
            None => self.root = Some(node),
            Some(Open::List(items)) => items.push(node),
            Some(Open::Map { entries, key, merged }) => match key.take() {
                Some((_, _, true)) => merged.push(node),
                Some((key, line, false)) => insert(self.name, entries, Entry { key, line, node })?,
                None => match node.kind {
                    Kind::Scalar(Value::String(text)) => *key = Some((text, line, false)),
                    _ => return Err(shape(self.name, line, "a list or mapping stands where a key should be")),
                },
            },
        }
        Ok(())
    }

    fn tagged(&self, tag: &Tag, node: Node) -> Result<Node, Error> {
        if is_text(tag) && matches!(node.kind, Kind::Scalar(_)) {
            return Ok(node);
        }
        match tag.suffix.as_str() {
            name @ ("Ref" | "Condition") if tag.handle == "!" => Ok(node.wrapped(name)),
            name if tag.handle == "!" && SHORT.contains(&name) => Ok(node.wrapped(format!("Fn::{name}"))),
            _ => Err(self.unknown(tag, node.line)),
        }
    }

    fn unknown(&self, tag: &Tag, line: usize) -> Error {
        Error::Tag { name: self.name.to_owned(), line, tag: tag.to_string() }
    }
}

/// `!!str`, and the bare `!` that means the same.
fn is_text(tag: &Tag) -> bool {
    (tag.is_yaml_core_schema() && tag.suffix == "str")
        || (tag.handle.is_empty() && tag.suffix == "!")
        || (tag.handle == "!" && tag.suffix.is_empty())
}

fn shape(name: &str, line: usize, reason: &str) -> Error {
    Error::Shape { name: name.to_owned(), line, reason: reason.to_owned() }
}
