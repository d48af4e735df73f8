//! The change list: values of encrypted config that are to be changed in git, together and by one commit.
//!
//! What is compared with, and what a commit begins with, is HEAD of the checkout. Nothing of it is live, and nothing is
//! in git before [`stage`]. The list is kept encrypted between sessions ([`Kept`]).

mod base;
mod check;
mod commit;
mod desk;
mod files;
mod generate;
mod kept;
mod propose;

pub use self::check::Verdict;
pub use self::commit::{Committed, Staged, stage};
pub use self::desk::{Desk, Shelf, desk};
pub use self::files::{DiffLine, Made, Preview, Standing, message, preview};
pub use self::generate::{Alphabet, LENGTHS, generate};
pub use self::kept::Kept;
pub use self::propose::propose;

use super::change::{Input, json};
use crate::compare::{Kind, Why};
use crate::secret::Secret;
use crate::sops::{Leaf, Node};

/// Where a value stands in git.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its service, or `secrets`.
    pub service: String,
    /// Its layer: the global one, or an environment.
    pub layer: String,
    /// Its file, from the project's root.
    pub file: String,
    /// The keys from the document's root; none: the document as a whole.
    pub path: Vec<String>,
}

impl Place {
    /// The key as it is told; of a document as a whole, its file.
    #[must_use]
    pub fn key(&self) -> String {
        if self.path.is_empty() { self.file.clone() } else { self.path.join("/") }
    }

    fn is(&self, other: &Self) -> bool {
        (&self.file, &self.path) == (&other.file, &other.path)
    }
}

/// A value of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// Its text; of what is none, JSON.
    pub text: Secret,
    /// Whether it is JSON: a number, a boolean, a list, an object, null.
    pub json: bool,
}

impl Value {
    fn of(node: &Node) -> Self {
        match node {
            Node::Leaf(Leaf::Text(text)) => Self { text: text.clone(), json: false },
            node => Self { text: node.to_json(), json: true },
        }
    }

    fn node(&self) -> Result<Node, Why> {
        if self.json { json(&self.text) } else { Ok(Node::Leaf(Leaf::Text(self.text.clone()))) }
    }

    /// Whether it is a list or an object, which only JSON can replace.
    #[must_use]
    pub fn is_structure(&self) -> bool {
        self.json && self.text.expose().starts_with(['{', '['])
    }
}

/// One value that is to be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Where.
    pub place: Place,
    /// What HEAD said when it was proposed; `None`: nothing.
    pub before: Option<Value>,
    /// What it is to say; `None`: nothing any more.
    pub after: Option<Value>,
}

impl Change {
    /// What is done, in a word.
    #[must_use]
    pub fn verb(&self) -> &'static str {
        match (&self.before, &self.after) {
            (None, _) => "add",
            (Some(_), Some(_)) => "change",
            (Some(_), None) => "remove",
        }
    }
}

/// What a change is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A parameter or secret of the environment.
    Item {
        /// Which of the two.
        kind: Kind,
        /// The unit that it is rolled out with.
        unit: String,
        /// Its full name.
        name: String,
    },
    /// A key that may not be there yet, of a service and layer that are still to be chosen.
    Key,
    /// A place that is in the list already.
    Place(Place),
}

/// A change that is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Of what.
    pub subject: Subject,
    /// Service and layer; `None`: those that hold the item.
    pub shelf: Option<(String, String)>,
    /// The key; of an item its own counts.
    pub key: String,
    /// The value; `None`: it is to be taken out.
    pub value: Option<Input>,
}

impl Proposal {
    /// A value for a key of a service's layer, whether or not it is there.
    #[must_use]
    pub fn set(service: &str, layer: &str, key: &str, value: Secret) -> Self {
        Self {
            subject: Subject::Key,
            shelf: Some((service.to_owned(), layer.to_owned())),
            key: key.to_owned(),
            value: Some(Input::Text(value)),
        }
    }
}

fn value_at(node: &Node, path: &[String]) -> Option<Value> {
    let steps: Vec<&str> = path.iter().map(String::as_str).collect();
    node.get(&steps).map(Value::of)
}
