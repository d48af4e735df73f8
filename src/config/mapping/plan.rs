//! What the keys of a document become.

use std::collections::{BTreeMap, BTreeSet};

use super::document::{DocNode, ScalarKind, json};
use super::name::{parameter_refused, secret_refused};
use crate::config::pattern::{Bindings, Pattern, Placeholder};
use crate::config::project::{ConfigTree, ParameterType, SecretFile, SecretShape, Tier};
use crate::secret::Secret;

/// A parameter or secret that a document asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// Its full name.
    pub name: String,
    /// The keys from the document's root; empty for a whole document.
    pub key_path: Vec<String>,
    /// What it is to be.
    pub value: PlannedValue,
}

/// What a parameter or secret is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlannedValue {
    /// A leaf's text (its ciphertext, when the document is still encrypted).
    Text(Secret),
    /// An object or array as JSON text (with the ciphertexts of its leaves, when it is still encrypted).
    Json(Secret),
    /// It cannot be pushed, and why; also in the list of problems.
    Refused(String),
}

impl PlannedValue {
    /// The text to push; `None`: it cannot be pushed.
    #[must_use]
    pub fn secret(&self) -> Option<&Secret> {
        match self {
            Self::Text(text) | Self::Json(text) => Some(text),
            Self::Refused(_) => None,
        }
    }
}

/// A key that cannot become what it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The keys from the document's root; empty: the document as a whole.
    pub key_path: Vec<String>,
    /// Why, and what to do about it.
    pub why: String,
}

/// The parameters that one document of a config tree asks for, in the order of the document.
///
/// `bindings` hold what the parameter pattern needs but `{key}`. A key whose name AWS refuses is a problem and no
/// parameter; all other keys but those of `null` are parameters.
#[must_use]
pub fn parameters(tree: &ConfigTree, bindings: &Bindings, doc: &DocNode) -> (Vec<Planned>, Vec<Problem>) {
    match leaves(tree.depth, doc) {
        Ok(leaves) => from_leaves(tree, bindings, &leaves),
        Err(problem) => (Vec::new(), vec![problem]),
    }
}

/// The secrets that a file asks for.
///
/// `bindings` hold what the name's pattern needs but `{key}`. In a whole document `null`s stay in the JSON text.
#[must_use]
pub fn secrets(file: &SecretFile, bindings: &Bindings, doc: &DocNode) -> (Vec<Planned>, Vec<Problem>) {
    let entries: Vec<(Vec<String>, &DocNode)> = match (file.shape, doc) {
        (SecretShape::Document, _) => vec![(Vec::new(), doc)],
        (SecretShape::Key, DocNode::Map(entries)) => entries
            .iter()
            .filter(|(_, node)| *node != DocNode::Null)
            .map(|(key, node)| (vec![key.clone()], node))
            .collect(),
        (SecretShape::Key, _) => return (Vec::new(), vec![no_object()]),
    };
    let name = |keys: &[String]| {
        let bindings =
            keys.first().map_or_else(|| bindings.clone(), |key| bindings.clone().with(Placeholder::Key, key));
        named(&file.name, &bindings)
    };
    let value = |node: &DocNode| match node {
        node if node.is_empty_text() => PlannedValue::Refused("an empty text; Secrets Manager refuses it".into()),
        DocNode::Scalar { text, .. } if file.shape == SecretShape::Key => PlannedValue::Text(text.clone()),
        node => PlannedValue::Json(json(node)),
    };
    planned(entries, &name, &value, &secret_refused)
}

/// Why AWS would refuse a plain value for its length; `None`: it accepts it. (Ciphertext is longer: ask only for
/// decrypted values.)
///
/// Parameters: 8 KB, the limit of the advanced tier; secrets: 65,536 bytes.
#[must_use]
pub fn value_refused(kind: Store, value: &Secret) -> Option<String> {
    let length = value.expose().len();
    let (service, limit) = match kind {
        Store::Parameter => ("Parameter Store", 8 * 1024),
        Store::Secret => ("Secrets Manager", 65_536),
    };
    (length > limit).then(|| format!("{length} bytes; {service} allows {limit}"))
}

/// Why a value is too long for a tier of Parameter Store, which takes longer ones in another; `None`: it is not.
#[must_use]
pub fn tier_refused(tier: Tier, value: &Secret) -> Option<String> {
    let length = value.expose().len();
    (tier == Tier::Standard && length > STANDARD)
        .then(|| format!("{length} bytes; the standard tier of Parameter Store allows {STANDARD}"))
}

/// Bytes that a parameter of the standard tier holds.
pub const STANDARD: usize = 4 * 1024;

/// Where a value is to be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Store {
    /// Parameter Store.
    Parameter,
    /// Secrets Manager.
    Secret,
}

/// A key of a document that becomes one parameter, or would if it were not `null`.
#[derive(Debug, Clone)]
pub(super) struct Leaf<'d> {
    pub(super) path: Vec<&'d str>,
    pub(super) node: &'d DocNode,
}

/// The keys of a document down to a depth: scalars, nulls, arrays, and the objects that are that deep.
pub(super) fn leaves(depth: Option<usize>, doc: &DocNode) -> Result<Vec<Leaf<'_>>, Problem> {
    let DocNode::Map(entries) = doc else { return Err(no_object()) };
    let mut leaves = Vec::new();
    open(depth, entries, &mut Vec::new(), &mut leaves);
    Ok(leaves)
}

fn open<'d>(
    depth: Option<usize>,
    entries: &'d [(String, DocNode)],
    path: &mut Vec<&'d str>,
    leaves: &mut Vec<Leaf<'d>>,
) {
    for (key, node) in entries {
        path.push(key);
        match node {
            DocNode::Map(entries) if depth.is_none_or(|depth| path.len() < depth) => open(depth, entries, path, leaves),
            node => leaves.push(Leaf { path: path.clone(), node }),
        }
        path.pop();
    }
}

/// The parameters of leaves that belong together: of one document, or of all that one service and layer has.
pub(super) fn from_leaves(tree: &ConfigTree, bindings: &Bindings, leaves: &[Leaf<'_>]) -> (Vec<Planned>, Vec<Problem>) {
    let pushed = leaves.iter().filter(|leaf| *leaf.node != DocNode::Null);
    let entries = pushed.map(|leaf| (leaf.path.iter().map(|key| (*key).to_owned()).collect(), leaf.node)).collect();
    let joined = |keys: &[String]| keys.join(&tree.joiner);
    let name = |keys: &[String]| named(&tree.parameter, &bindings.clone().with(Placeholder::Key, joined(keys)));
    let value = |node: &DocNode| parameter_value(tree.parameter_type, node);
    let (mut plan, mut problems) = planned(entries, &name, &value, &parameter_refused);
    refuse_nested(&mut plan, &mut problems, &tree.joiner);
    (plan, problems)
}

fn parameter_value(kind: ParameterType, node: &DocNode) -> PlannedValue {
    let empty = || PlannedValue::Refused("an empty text; Parameter Store refuses it (null means: not pushed)".into());
    match node {
        node if node.is_empty_text() => empty(),
        DocNode::Scalar { text, .. } => PlannedValue::Text(text.clone()),
        DocNode::List(list) if kind == ParameterType::StringList => {
            if list.is_empty() {
                return PlannedValue::Refused(
                    "an empty list; Parameter Store refuses it (null means: not pushed)".into(),
                );
            }
            string_list(list)
        }
        node if kind == ParameterType::StringList => {
            let what = if matches!(node, DocNode::Map(_)) { "an object" } else { "null" };
            PlannedValue::Refused(format!("a StringList cannot hold {what}"))
        }
        node => PlannedValue::Json(json(node)),
    }
}

fn string_list(list: &[DocNode]) -> PlannedValue {
    let mut texts = Vec::new();
    for node in list {
        match node {
            // The commas of a ciphertext say nothing about those of the text.
            DocNode::Scalar { text, kind } if *kind == ScalarKind::Encrypted || !text.expose().contains(',') => {
                texts.push(text.expose());
            }
            DocNode::Scalar { .. } => {
                return PlannedValue::Refused("an element of a StringList cannot hold a comma".into());
            }
            DocNode::List(_) | DocNode::Map(_) | DocNode::Null => {
                return PlannedValue::Refused("a StringList can hold texts, numbers and booleans only".into());
            }
        }
    }
    let joined = texts.join(",");
    if joined.is_empty() {
        return PlannedValue::Refused("a list of one empty text; Parameter Store refuses it".into());
    }
    PlannedValue::Text(Secret::new(joined))
}

fn planned(
    entries: Vec<(Vec<String>, &DocNode)>,
    name: &dyn Fn(&[String]) -> Result<String, String>,
    value: &dyn Fn(&DocNode) -> PlannedValue,
    refused: &dyn Fn(&str) -> Option<String>,
) -> (Vec<Planned>, Vec<Problem>) {
    let mut plan: Vec<Planned> = Vec::new();
    let mut problems = Vec::new();
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    for (key_path, node) in entries {
        let named = name(&key_path).and_then(|name| match refused(&name) {
            Some(why) => Err(format!("{}: {why}", visible(&name))),
            None => Ok(name),
        });
        let name = match named {
            Ok(name) => name,
            Err(why) => {
                problems.push(Problem { key_path, why });
                continue;
            }
        };
        if let Some(first) = taken.get(&name) {
            let why = format!("two keys become {name}");
            plan[*first].value = PlannedValue::Refused(why.clone());
            problems.push(Problem { key_path, why });
            continue;
        }
        taken.insert(name.clone(), plan.len());
        let value = value(node);
        if let PlannedValue::Refused(why) = &value {
            problems.push(Problem { key_path: key_path.clone(), why: why.clone() });
        }
        plan.push(Planned { name, key_path, value });
    }
    (plan, problems)
}

/// `a` beside `a/b`: whoever reads the parameters back cannot rebuild the document. It takes a key that holds the
/// joiner itself, or two documents of one layer.
fn refuse_nested(plan: &mut [Planned], problems: &mut Vec<Problem>, joiner: &str) {
    let keys: BTreeSet<String> = plan.iter().map(|each| each.key_path.join(joiner)).collect();
    let mut above: BTreeMap<String, String> = BTreeMap::new();
    for key in &keys {
        for (at, _) in key.match_indices(joiner) {
            if let Some(outer) = keys.get(&key[..at]) {
                above.insert(key.clone(), outer.clone());
            }
        }
    }
    for each in plan {
        let key = each.key_path.join(joiner);
        let why = match above.get(&key) {
            Some(outer) => format!("\"{key}\" stands beside \"{outer}\", which is a value already"),
            None if above.values().any(|outer| *outer == key) => format!("\"{key}\" is a value and has keys below it"),
            None => continue,
        };
        problems.push(Problem { key_path: each.key_path.clone(), why: why.clone() });
        each.value = PlannedValue::Refused(why);
    }
}

fn named(pattern: &str, bindings: &Bindings) -> Result<String, String> {
    Pattern::parse(pattern).map_err(|error| error.to_string())?.fill(bindings).map_err(|error| error.to_string())
}

fn visible(name: &str) -> String {
    name.chars().flat_map(|char| if char.is_control() { char.escape_default().collect() } else { vec![char] }).collect()
}

fn no_object() -> Problem {
    Problem { key_path: Vec::new(), why: "the document is no object: it has no keys to take names from".into() }
}

#[cfg(test)]
mod tests;
