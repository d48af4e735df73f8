//! One value of a layer, set or taken out: a difference of three lines, whatever else the file holds.

use super::file::{self, File};
use super::keys;
use super::layer::{Layer, rule_for};
use super::opener::{Opener, now, told};
use crate::compare::Why;
use crate::secret::Secret;
use crate::sops::{self, Document, Format, Leaf, Node};

/// A value as it was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// Text. Where a number or a boolean stands already, and the text is one, it stays what it was.
    Text(Secret),
    /// JSON: a number, an object, `null`.
    Json(Secret),
}

/// Sets one value, and makes the file where the layer has none. `false`: it is so already.
pub fn set(opener: &Opener, layer: &Layer, key: &str, input: &Input) -> Result<bool, Why> {
    if !layer.exists {
        let mut node = Node::Map(Vec::new());
        let path = keys::path_of(&node, key, &layer.joiner);
        let value = value(input, None)?;
        keys::put(&mut node, &path, value)?;
        let rule = rule_for(&layer.path, &layer.file)?;
        let bytes =
            sops::encrypt_node(&layer.file, &node, &rule, opener.keys(), &now()).map_err(|error| told(&error))?;
        file::create(&layer.path, &layer.file, &bytes)?;
        return Ok(true);
    }
    change(opener, layer, |node| {
        let path = keys::path_of(node, key, &layer.joiner);
        let steps: Vec<&str> = path.iter().map(String::as_str).collect();
        let value = value(input, node.get(&steps))?;
        keys::put(node, &path, value).map_err(|why| Why { reason: format!("cannot set {key}: {}", why.reason), ..why })
    })
}

/// Takes one value, or all below a key, out.
pub fn unset(opener: &Opener, layer: &Layer, key: &str) -> Result<bool, Why> {
    let absent =
        || Why::new(format!("{} has no {key}", layer.file)).hint("plumb config list --keys names what is there");
    if !layer.exists {
        return Err(absent());
    }
    change(opener, layer, |node| {
        let path = keys::path_of(node, key, &layer.joiner);
        if keys::take(node, &path) { Ok(()) } else { Err(absent()) }
    })
}

/// Changes the tree of a document, and writes what comes of it. `false`: nothing does.
pub(super) fn change(
    opener: &Opener,
    layer: &Layer,
    work: impl FnOnce(&mut Node) -> Result<(), Why>,
) -> Result<bool, Why> {
    let file = File::read(&layer.path, &layer.file)?;
    let document = file.document(None)?;
    let unlocked = opener.open(&document)?;
    let mut node = unlocked.node().map_err(|error| told(&error))?.clone();
    work(&mut node)?;
    let bytes = unlocked.replace(&node, &now()).map_err(|error| told(&error))?;
    file.replace(&bytes)
}

/// The value as a node; `before` is what stands there.
pub(super) fn value(input: &Input, before: Option<&Node>) -> Result<Node, Why> {
    match input {
        Input::Json(text) => json(text),
        Input::Text(text) => {
            let same_kind = match before {
                Some(Node::Leaf(Leaf::Number(_))) => {
                    json(text).ok().filter(|node| matches!(node, Node::Leaf(Leaf::Number(_))))
                }
                Some(Node::Leaf(Leaf::Bool(_))) => {
                    json(text).ok().filter(|node| matches!(node, Node::Leaf(Leaf::Bool(_))))
                }
                _ => None,
            };
            Ok(same_kind.unwrap_or_else(|| Node::Leaf(Leaf::Text(text.clone()))))
        }
    }
}

/// A JSON text as a node. What is wrong with it is told without it.
pub(super) fn json(text: &Secret) -> Result<Node, Why> {
    let whole = Secret::new(format!("{{\"value\":{}\n}}", text.expose()));
    let wrong = || Why::new("the value is not JSON").hint("a text in JSON has quotes; without --json it needs none");
    let document = Document::parse_as("value", whole.expose().as_bytes(), Format::Json).map_err(|_| wrong())?;
    let node = document.plain().ok_or_else(wrong)?;
    match &node {
        Node::Map(members) if members.len() == 1 => node.get(&["value"]).cloned().ok_or_else(wrong),
        _ => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(text: &str, before: Option<&Node>) -> Node {
        value(&Input::Text(Secret::new(text)), before).unwrap()
    }

    #[test]
    fn a_text_stays_what_stood_there_only_where_it_can() {
        let (boolean, text, number) = (Node::Leaf(Leaf::Bool(true)), Node::text("10"), Node::number("10"));
        assert_eq!(made("20", None), Node::text("20"));
        assert_eq!(made("20", Some(&text)), Node::text("20"));
        assert_eq!(made("20", Some(&number)), Node::number("20"));
        assert_eq!(made("twenty", Some(&number)), Node::text("twenty"));
        assert_eq!(made("false", Some(&boolean)), Node::Leaf(Leaf::Bool(false)));
        assert_eq!(made("20", Some(&boolean)), Node::text("20"));
    }

    #[test]
    fn json_is_one_value_and_its_text_is_never_told() {
        let read = |text: &str| json(&Secret::new(text));
        assert_eq!(read("1.50").unwrap(), Node::number("1.50"));
        assert_eq!(read("[\"a\"]").unwrap(), Node::List(vec![Node::text("a")]));
        for wrong in ["geheim", "1,\"b\":2", "1}", ""] {
            let why = read(wrong).unwrap_err();
            assert!(why.reason == "the value is not JSON", "{wrong}: {why}");
        }
    }
}
