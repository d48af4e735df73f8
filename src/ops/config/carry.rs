//! A layer's values out of a document and into it, in forms that other programs have.

use super::change::change;
use super::file::{self, File};
use super::form::{self, Values, variable};
use super::keys;
use super::layer::{Layer, rule_for};
use super::opener::{Opener, now, told};
use crate::compare::Why;
use crate::secret::Secret;
use crate::sops::{self, Document, Format, Leaf, Node};

/// How values are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One JSON object, a text for each key: chamber's.
    Json,
    /// Lines of `NAME=value`.
    Dotenv,
}

/// What an import did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Carried {
    /// Keys that were not there.
    pub added: usize,
    /// Keys that had another value.
    pub changed: usize,
    /// Keys that had this value already.
    pub same: usize,
}

/// The values of one layer alone.
pub fn export(opener: &Opener, layer: &Layer, form: Form) -> Result<Secret, Why> {
    let file = File::read(&layer.path, &layer.file)?;
    let document = file.document(None)?;
    let node = match document.plain() {
        Some(plain) => plain,
        None => opener.open(&document)?.node().map_err(|error| told(&error))?.clone(),
    };
    let mut values = Values::new();
    flatten(&node, "", &layer.joiner, &mut values)?;
    match form {
        Form::Json => Ok(form::json(&values)),
        Form::Dotenv => form::dotenv(&values),
    }
}

fn flatten(node: &Node, above: &str, joiner: &str, values: &mut Values) -> Result<(), Why> {
    let text = match node {
        Node::Map(members) => {
            return members.iter().try_for_each(|(key, value)| {
                let key = if above.is_empty() { key.clone() } else { format!("{above}{joiner}{key}") };
                flatten(value, &key, joiner, values)
            });
        }
        Node::List(_) => node.to_json(),
        Node::Leaf(leaf) => match leaf.to_text() {
            Some(text) => text,
            None => return Ok(()),
        },
    };
    match values.insert(above.to_owned(), text) {
        Some(_) => Err(Why::new(format!("two values would have the one key {above}"))),
        None => Ok(()),
    }
}

/// Puts values into a layer, and makes its file where there is none. Nothing is removed. A variable's name means the key
/// that has this variable, else the name in lower case.
pub fn import(opener: &Opener, layer: &Layer, text: &Secret, form: Form) -> Result<Carried, Why> {
    let values = match form {
        Form::Json => read_json(text)?,
        Form::Dotenv => form::read_dotenv(text.expose())?,
    };
    let mut carried = Carried::default();
    if layer.exists {
        change(opener, layer, |node| {
            carried = put_all(node, &values, form, &layer.joiner)?;
            Ok(())
        })?;
        return Ok(carried);
    }
    let mut node = Node::Map(Vec::new());
    carried = put_all(&mut node, &values, form, &layer.joiner)?;
    let rule = rule_for(&layer.path, &layer.file)?;
    let bytes = sops::encrypt_node(&layer.file, &node, &rule, opener.keys(), &now()).map_err(|error| told(&error))?;
    file::create(&layer.path, &layer.file, &bytes)?;
    Ok(carried)
}

fn put_all(node: &mut Node, values: &Values, form: Form, joiner: &str) -> Result<Carried, Why> {
    let known = keys::all(node, joiner);
    let mut carried = Carried::default();
    for (name, text) in values {
        let key = match form {
            Form::Json => name.clone(),
            Form::Dotenv => {
                known.iter().find(|key| variable(key) == *name).cloned().unwrap_or_else(|| name.to_lowercase())
            }
        };
        let path = keys::path_of(node, &key, joiner);
        let steps: Vec<&str> = path.iter().map(String::as_str).collect();
        match node.get(&steps) {
            Some(before) if shown(before).as_ref() == Some(text) => {
                carried.same += 1;
                continue;
            }
            Some(_) => carried.changed += 1,
            None => carried.added += 1,
        }
        let value = super::change::value(&super::Input::Text(text.clone()), node.get(&steps))?;
        keys::put(node, &path, value)
            .map_err(|why| Why { reason: format!("cannot set {key}: {}", why.reason), ..why })?;
    }
    Ok(carried)
}

/// A value as [`export`] writes it.
fn shown(node: &Node) -> Option<Secret> {
    match node {
        Node::Leaf(leaf) => leaf.to_text(),
        Node::List(_) => Some(node.to_json()),
        Node::Map(_) => None,
    }
}

/// One JSON object of texts; numbers and booleans are texts, too.
fn read_json(text: &Secret) -> Result<Values, Why> {
    let wrong = |why: &str| Why::new(format!("the input is no JSON object with a text for each key: {why}"));
    let document = Document::parse_as("the input", text.expose().as_bytes(), Format::Json);
    let document = document.map_err(|error| wrong(&error.to_string()))?;
    let Some(Node::Map(members)) = document.plain() else { return Err(wrong("it is encrypted")) };
    let text = |key: &str, value: &Node| {
        match value {
            Node::Leaf(leaf @ (Leaf::Text(_) | Leaf::Number(_) | Leaf::Bool(_))) => leaf.to_text(),
            _ => None,
        }
        .ok_or_else(|| wrong(&format!("{key} is another kind of value")))
    };
    members.into_iter().map(|(key, value)| Ok((key.clone(), text(&key, &value)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_finds_its_key_and_what_is_the_same_is_no_change() {
        let db = Node::Map(vec![("pool".to_owned(), Node::number("20")), ("host".to_owned(), Node::text("h"))]);
        let mut node = Node::Map(vec![("db".to_owned(), db)]);
        let values = form::read_dotenv("DB_POOL=30\nDB_HOST=h\nNEW_KEY=x\n").unwrap();
        let carried = put_all(&mut node, &values, Form::Dotenv, "/").unwrap();
        assert_eq!(carried, Carried { added: 1, changed: 1, same: 1 });
        assert_eq!(node.get(&["db", "pool"]), Some(&Node::number("30")));
        assert_eq!(node.get(&["new_key"]), Some(&Node::text("x")));
    }

    #[test]
    fn only_values_can_be_carried() {
        let read = |text: &str| read_json(&Secret::new(text));
        assert_eq!(read("{\"a\": \"x\", \"b\": 1.50, \"c\": true}").unwrap()["b"].expose(), "1.50");
        for wrong in ["[]", "{\"a\": null}", "{\"a\": {}}", "{", "{\"a\": 1, \"a\": 2}"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
