//! A document with some values taken from another one, encrypted for its own readers.

use serde_json::Value;

use super::documents::{Key, Sheet};
use crate::compare::Why;
use crate::git::Snapshot;
use crate::ops::failed;
use crate::ops::inspect::locked;
use crate::sops::{self, CreationRules, Document, Format, KeyService, Leaf, MacPolicy, Node};

/// The rules for new documents.
const RULES: &str = ".sops.yaml";

/// The bytes of a document of the target with these keys as the source has them.
#[allow(clippy::too_many_arguments, reason = "each is a different thing, and no two belong together")]
pub(super) fn document(
    whole: &Snapshot,
    path: &str,
    keys: &dyn KeyService,
    here: &Sheet,
    there: &Sheet,
    file: &str,
    chosen: &[&Key],
    lastmodified: &str,
) -> Result<Vec<u8>, Why> {
    let old = there.documents.get(file);
    let mut node = match old {
        Some(_) => there.plain.get(file).cloned().ok_or_else(|| cannot_open(there, file))?,
        None => Node::Map(Vec::new()),
    };
    let is_secret = chosen.iter().any(|key| here.is_encrypted(key));
    for key in chosen {
        let value = here.node(key).ok_or_else(|| Why::new(format!("{key} is not in its document any more")))?;
        if key.path().is_empty() {
            node = value.clone();
        } else {
            set(&mut node, key.path(), value.clone()).map_err(|step| {
                Why::new(format!("{file}: {step} holds a value, so that {key} has no place below it"))
            })?;
        }
    }
    let bytes = match old {
        Some(document) if document.is_encrypted() => {
            let opened = document.unlock(keys, MacPolicy::Verify).map_err(|error| locked(&error))?;
            opened.replace(&node, lastmodified).map_err(|error| failed(&error))?
        }
        Some(_) if is_secret => {
            return Err(Why::new(format!("{file} is not encrypted, and what would be written to it is"))
                .hint("encrypt it first: sops encrypt --in-place"));
        }
        Some(_) => plain(file, &node)?,
        None => new(whole, path, keys, &node, is_secret, lastmodified)?,
    };
    let written = Document::parse(file, &bytes).map_err(|error| failed(&error))?;
    for key in chosen.iter().filter(|key| here.is_encrypted(key)) {
        let steps: Vec<&str> = key.path().iter().map(String::as_str).collect();
        if !written.subtree(&steps).is_some_and(|leaf| leaf.is_encrypted()) {
            return Err(Why::new(format!("by the rules of {file}, {key} would lie there in clear"))
                .hint("its selector (unencrypted_suffix and the like) decides what is encrypted"));
        }
    }
    Ok(bytes)
}

fn cannot_open(there: &Sheet, file: &str) -> Why {
    let known = there.problems.iter().find(|(of, _)| of == file).map(|(_, why)| why.clone());
    known.unwrap_or_else(|| Why::new(format!("{file} cannot be opened")))
}

/// Sets a value at a path, and makes the objects on the way. Fails with the step that is none.
fn set(node: &mut Node, path: &[String], value: Node) -> Result<(), String> {
    let Some((first, rest)) = path.split_first() else {
        *node = value;
        return Ok(());
    };
    let Node::Map(members) = node else { return Err(first.clone()) };
    let at = members.iter().position(|(name, _)| name == first).unwrap_or_else(|| {
        members.push((first.clone(), Node::Map(Vec::new())));
        members.len() - 1
    });
    let is_object = matches!(members[at].1, Node::Map(_));
    if !rest.is_empty() && !is_object {
        return Err(first.clone());
    }
    set(&mut members[at].1, rest, value)
}

/// A new document: by the creation rules where there are some, else in clear if its values were.
fn new(
    whole: &Snapshot,
    path: &str,
    keys: &dyn KeyService,
    node: &Node,
    is_secret: bool,
    lastmodified: &str,
) -> Result<Vec<u8>, Why> {
    let mut directory = path;
    while let Some((above, _)) = directory.rsplit_once('/').or((!directory.is_empty()).then_some(("", ""))) {
        directory = above;
        let name = if above.is_empty() { RULES.to_owned() } else { format!("{above}/{RULES}") };
        let Some(blob) = whole.read(&name).map_err(|error| failed(&error))? else { continue };
        let rules =
            CreationRules::parse(&name, &String::from_utf8_lossy(&blob.bytes)).map_err(|error| failed(&error))?;
        let relative = path.strip_prefix(above).unwrap_or(path).trim_start_matches('/');
        let rule = rules.matching(relative).map_err(|error| failed(&error))?;
        return sops::encrypt_node(path, node, rule, keys, lastmodified).map_err(|error| failed(&error));
    }
    if is_secret {
        return Err(Why::new(format!("{path} is not there yet, and no {RULES} says for whom it is encrypted"))
            .hint("make it by sops first, or commit the rules"));
    }
    plain(path, node)
}

/// A document in clear.
fn plain(file: &str, node: &Node) -> Result<Vec<u8>, Why> {
    if Format::of_path(file) != Format::Json {
        return Err(Why::new(format!("{file} is not encrypted and no JSON: its comments and layout would be lost"))
            .hint("edit it by hand"));
    }
    let mut bytes = serde_json::to_vec_pretty(&value(node)?).map_err(|error| failed(&error))?;
    bytes.push(b'\n');
    Ok(bytes)
}

fn value(node: &Node) -> Result<Value, Why> {
    Ok(match node {
        Node::Map(members) => {
            let members = members.iter().map(|(key, node)| Ok((key.clone(), value(node)?)));
            Value::Object(members.collect::<Result<_, Why>>()?)
        }
        Node::List(items) => Value::Array(items.iter().map(value).collect::<Result<_, Why>>()?),
        Node::Leaf(Leaf::Null) => Value::Null,
        Node::Leaf(Leaf::Bool(bool)) => Value::Bool(*bool),
        // Exactly as it is written.
        Node::Leaf(Leaf::Number(text)) => serde_json::from_str(text.expose()).map_err(|error| failed(&error))?,
        Node::Leaf(leaf) => leaf.to_text().map_or(Value::Null, |text| Value::String(text.expose().to_owned())),
    })
}
