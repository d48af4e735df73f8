//! The dotenv store (sops, `stores/dotenv`): lines of `KEY=value`, comments, and the metadata as flat keys `sops_…`.
//!
//! A value is all behind the first `=`, quotes included; `\n` stands for a new line, and nothing else is escaped. A line
//! is never quoted in an error, because it may hold a secret.

use std::collections::HashSet;
use std::fmt::Write as _;
use zeroize::Zeroizing;

use super::error::Error;
use super::raw::{Held, Kind, Lines, Member, Parsed, Part, Raw, Remark};
use super::text::{syntax, utf8};
use super::tree::{Leaf, Node};
use crate::secret::Secret;

/// Begins the keys of the metadata.
pub(super) const PREFIX: &str = "sops_";

/// Lines of metadata; more are refused, since each looks for its place among the others.
const MAX_METADATA: usize = 5_000;

const MAP: &str = "__map_";
const LIST: &str = "__list_";

/// Parses a whole file; `name` is for the error.
pub(super) fn parse(name: &str, bytes: &[u8]) -> Result<Parsed, Error> {
    let text = utf8(name, bytes)?;
    let mut members: Vec<Member> = Vec::new();
    let mut metadata = Vec::new();
    let mut keys = HashSet::new();
    let mut remarks = Vec::new();
    let (mut at, mut lead) = (0, 0);
    for line in text.split_inclusive('\n') {
        let end = at + line.len();
        let content = line.strip_suffix('\n').unwrap_or(line);
        let value_end = at + content.len();
        if let Some(comment) = content.strip_prefix('#') {
            let text = Secret::new(comment);
            remarks.push(Remark { span: at + 1..value_end, text, as_item: false, aligned: true });
        } else if !content.is_empty() {
            let Some((key, value)) = content.split_once('=') else {
                return Err(syntax(name, text, at, "a line that is neither KEY=value nor a comment".to_owned()));
            };
            if !keys.insert(key) {
                return Err(syntax(name, text, at, format!("the key {key:?} is there twice")));
            }
            let lines = Lines { lead, body: at, end };
            let span = at + key.len() + 1..value_end;
            let value = sealed_before_return(value);
            let raw =
                Raw::new(span.start..span.start + value.len(), Kind::Text(Secret::new(value.replace("\\n", "\n"))));
            let member = Member { key: key.to_owned(), key_span: at..at + key.len(), value: raw };
            if key.starts_with(PREFIX) {
                metadata.push((member, lines));
            } else {
                let before = std::mem::take(&mut remarks);
                let value = Raw { lines: Some(lines), before, ..member.value };
                members.push(Member { value, ..member });
                lead = end;
            }
        }
        at = end;
    }
    let sops = held(name, text, &metadata, &members)?;
    let root = Raw { after: remarks, column: Some(0), ..Raw::new(0..text.len(), Kind::Map(members)) };
    Ok(Parsed { source: Zeroizing::new(text.to_owned()), parts: vec![Part { root, sops, end: text.len() }] })
}

/// An encrypted value without the return that a checkout with Windows lines puts behind it; sops overlooks it, too.
fn sealed_before_return(value: &str) -> &str {
    let bare = value.strip_suffix('\r').unwrap_or(value);
    if bare.starts_with("ENC[") && bare.ends_with(']') { bare } else { value }
}

fn held(name: &str, text: &str, flat: &[(Member, Lines)], members: &[Member]) -> Result<Option<Held>, Error> {
    let Some((_, last)) = flat.last() else {
        return Ok(None);
    };
    if flat.len() > MAX_METADATA {
        return Err(syntax(name, text, last.body, "more metadata than any document needs".to_owned()));
    }
    let mut root = Raw::new(0..0, Kind::Map(Vec::new()));
    for (member, _) in flat {
        place(&mut root, &steps(&member.key[PREFIX.len()..]), member)
            .map_err(|why| syntax(name, text, member.key_span.start, why.to_owned()))?;
    }
    let cuts: Vec<_> = flat.iter().map(|(_, lines)| lines.body..lines.end).collect();
    let behind = members.iter().find(|member| member.key_span.start > last.body);
    let before_key = behind.map(|member| member.key.clone());
    Ok(Some(Held { raw: root, text: cuts.clone(), cuts, before_key }))
}

enum Step<'a> {
    Key(&'a str),
    Item(usize),
}

/// `age__list_0__map_enc` is the key `enc` of item 0 of the key `age`.
fn steps(key: &str) -> Vec<Step<'_>> {
    let mut steps = Vec::new();
    for part in key.split(MAP) {
        let mut parts = part.split(LIST);
        steps.extend(parts.next().map(Step::Key));
        steps.extend(parts.map(|number| number.parse().map_or(Step::Key(number), Step::Item)));
    }
    steps
}

fn place(raw: &mut Raw, steps: &[Step<'_>], member: &Member) -> Result<(), &'static str> {
    let twice = "metadata that contradicts itself";
    let Some((first, rest)) = steps.split_first() else {
        *raw = member.value.clone();
        return Ok(());
    };
    let empty = || Raw::new(member.value.span.clone(), Kind::Null);
    if matches!(raw.kind, Kind::Null) {
        raw.kind = match first {
            Step::Key(_) => Kind::Map(Vec::new()),
            Step::Item(_) => Kind::List(Vec::new()),
        };
    }
    match (&mut raw.kind, first) {
        (Kind::Map(members), Step::Key(key)) => {
            let at = members.iter().position(|known| known.key == *key);
            let at = at.unwrap_or_else(|| {
                let key_span = member.key_span.clone();
                members.push(Member { key: (*key).to_owned(), key_span, value: empty() });
                members.len() - 1
            });
            place(&mut members[at].value, rest, member)
        }
        (Kind::List(items), Step::Item(number)) => {
            if *number == items.len() {
                items.push(empty());
            }
            place(items.get_mut(*number).ok_or("metadata with a list that is not complete")?, rest, member)
        }
        _ => Err(twice),
    }
}

/// A value as it stands behind its `=`. A backslash before an `n` is read again as a new line, by sops, too.
pub(super) fn value(leaf: &Leaf) -> String {
    leaf.to_text().map(|text| text.expose().replace('\n', "\\n")).unwrap_or_default()
}

/// What is read where a value was written.
pub(super) fn shown(leaf: &Leaf) -> Leaf {
    Leaf::Text(Secret::new(value(leaf).replace("\\n", "\n")))
}

/// Whether a value can be written.
pub(super) fn check(node: &Node) -> Result<(), &'static str> {
    match node {
        Node::Map(_) | Node::List(_) => Err("dotenv knows neither maps nor lists"),
        Node::Leaf(Leaf::Null) => Err("dotenv knows no null"),
        Node::Leaf(leaf) if value(leaf).matches("\\n").count() > leaf_lines(leaf) => {
            Err("a backslash before an n would be read as a new line there")
        }
        Node::Leaf(_) => Ok(()),
    }
}

fn leaf_lines(leaf: &Leaf) -> usize {
    leaf.to_text().map_or(0, |text| text.expose().matches('\n').count())
}

/// Whether a key can be written.
pub(super) fn check_key(key: &str) -> Result<(), &'static str> {
    if key.starts_with(PREFIX) {
        return Err("keys that begin with sops_ are reserved for the metadata");
    }
    if key.is_empty() || key.starts_with('#') || key.contains(['=', '\n']) {
        return Err("dotenv cannot have such a key");
    }
    Ok(())
}

/// Lines of the metadata.
pub(super) fn metadata(node: &Node) -> String {
    let mut text = String::new();
    flatten(node, PREFIX, &mut text);
    text
}

fn flatten(node: &Node, key: &str, text: &mut String) {
    match node {
        Node::Map(members) => {
            let joint = if key == PREFIX { "" } else { MAP };
            for (name, value) in members {
                flatten(value, &format!("{key}{joint}{name}"), text);
            }
        }
        Node::List(items) => {
            for (at, item) in items.iter().enumerate() {
                flatten(item, &format!("{key}{LIST}{at}"), text);
            }
        }
        // What is null (of KMS's context) counts as not there.
        Node::Leaf(Leaf::Null) => {}
        Node::Leaf(leaf) => {
            let _ = writeln!(text, "{key}={}", value(leaf));
        }
    }
}
