//! All keys of one environment's own layer, each with its value and its place in a document.

use std::collections::BTreeMap;
use std::fmt;

use crate::compare::{Facet, Why};
use crate::config::mapping::{self, Planned};
use crate::config::{Bindings, Project, fill};
use crate::git::Snapshot;
use crate::ops::failed;
use crate::ops::inspect::{doc_node, document, locked};
use crate::sops::{Document, KeyService, MacPolicy, Node};

/// What one key is called in every environment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    /// Of a config tree, a service, and the keys from its document's root.
    Config(usize, String, Vec<String>),
    /// Of a file of secrets, with its service, and the keys from its document's root.
    Secret(usize, String, Vec<String>),
}

impl Key {
    /// The keys from the document's root.
    pub(super) fn path(&self) -> &[String] {
        match self {
            Self::Config(_, _, path) | Self::Secret(_, _, path) => path,
        }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, path) = match self {
            Self::Config(_, service, path) => (service.as_str(), path),
            Self::Secret(_, _, path) => ("secrets", path),
        };
        let steps = [first].into_iter().filter(|first| !first.is_empty()).chain(path.iter().map(String::as_str));
        f.write_str(&steps.collect::<Vec<_>>().join("/"))
    }
}

/// One environment's layer.
#[derive(Debug, Clone, Default)]
pub(super) struct Sheet {
    values: BTreeMap<Key, (String, Facet)>,
    /// The plaintexts, by path.
    pub(super) plain: BTreeMap<String, Node>,
    /// The documents as they lie in git, by path.
    pub(super) documents: BTreeMap<String, Document>,
    pub(super) problems: Vec<(String, Why)>,
    /// What fills the patterns of files.
    layer: String,
    config: Vec<String>,
    secrets: Vec<String>,
}

impl Sheet {
    /// Reads the documents of an environment's own layer, or of a global one by its name, and opens them; without
    /// `keys` only their names are told.
    pub(super) fn read(
        project: &Project,
        snapshot: &Snapshot,
        keys: Option<&dyn KeyService>,
        env: &str,
        global: Option<&str>,
    ) -> Result<Self, Why> {
        let entries = snapshot.list("").map_err(|error| failed(&error))?;
        let listing: Vec<&str> = entries.iter().map(|entry| entry.path.as_str()).collect();
        let sorted = mapping::sort_files(project, env, &listing);
        let first = |files: &Vec<String>| files.first().cloned().unwrap_or_default();
        let mut sheet = Self {
            layer: global.unwrap_or(env).to_owned(),
            config: project.config.iter().map(|tree| first(&tree.files)).collect(),
            secrets: project.secrets.iter().map(|file| file.file.clone()).collect(),
            ..Self::default()
        };
        let is_meant = |file: &&mapping::ConfigFile| file.global == global.is_some() && file.layer == sheet.layer;
        for file in sorted.config.iter().filter(is_meant).cloned().collect::<Vec<_>>() {
            let tree = &project.config[file.tree_index];
            let id = |path| Key::Config(file.tree_index, file.service.clone(), path);
            let plan = |doc: &_| mapping::parameters(tree, &bound(&file.bindings, &file.layer), doc).0;
            sheet.add(snapshot, keys, &file.file, id, plan);
        }
        for file in sorted.secrets.iter().filter(|_| global.is_none()) {
            let secret = &project.secrets[file.secret_index];
            let service = file.bindings.service.clone().unwrap_or_default();
            let id = |path| Key::Secret(file.secret_index, service.clone(), path);
            let plan = |doc: &_| mapping::secrets(secret, &file.bindings, doc).0;
            sheet.add(snapshot, keys, &file.file, id, plan);
        }
        Ok(sheet)
    }

    fn add(
        &mut self,
        snapshot: &Snapshot,
        keys: Option<&dyn KeyService>,
        file: &str,
        id: impl Fn(Vec<String>) -> Key,
        plan: impl Fn(&mapping::DocNode) -> Vec<Planned>,
    ) {
        let document = match parsed(snapshot, file) {
            Ok(document) => document,
            Err(why) => return self.problems.push((file.to_owned(), why)),
        };
        let clear = document.plain();
        let is_plain = clear.is_some();
        let opened = match (clear, keys) {
            (Some(node), _) => Ok(node),
            (None, Some(keys)) => document.open(keys, MacPolicy::Verify).map_err(|error| locked(&error)),
            (None, None) => Err(Why::new("it was not asked for")),
        };
        match opened {
            Ok(node) => {
                for planned in plan(&doc_node(&node)) {
                    let facet = match planned.value.secret() {
                        Some(text) if is_plain => Facet::Plain(text.expose().to_owned()),
                        Some(text) => Facet::Secret(text.clone()),
                        None => Facet::Unreadable(Why::new(format!("{file}: it cannot be pushed"))),
                    };
                    self.values.insert(id(planned.key_path), (file.to_owned(), facet));
                }
                self.plain.insert(file.to_owned(), node);
            }
            Err(why) => {
                for planned in plan(&doc_node(&document.as_written())) {
                    self.values.insert(id(planned.key_path), (file.to_owned(), Facet::Unreadable(why.clone())));
                }
                self.problems.push((file.to_owned(), why));
            }
        }
        self.documents.insert(file.to_owned(), document);
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &Key> {
        self.values.keys()
    }

    pub(super) fn has(&self, key: &Key) -> bool {
        self.values.contains_key(key)
    }

    pub(super) fn facet(&self, key: &Key) -> Facet {
        self.values.get(key).map_or(Facet::Absent, |(_, facet)| facet.clone())
    }

    /// The file that has a key.
    pub(super) fn file(&self, key: &Key) -> Option<&str> {
        self.values.get(key).map(|(file, _)| file.as_str())
    }

    /// The file that a key belongs to here: the one that has it, the one that its neighbours are in, or a new one.
    pub(super) fn file_for(&self, key: &Key) -> Option<String> {
        if let Some(file) = self.file(key) {
            return Some(file.to_owned());
        }
        let beside = |other: &&Key| match (key, *other) {
            (Key::Config(tree, service, _), Key::Config(other, name, _))
            | (Key::Secret(tree, service, _), Key::Secret(other, name, _)) => tree == other && service == name,
            _ => false,
        };
        if let Some(other) = self.values.keys().find(beside) {
            return self.file(other).map(str::to_owned);
        }
        let (pattern, service) = match key {
            Key::Config(tree, service, _) => (self.config.get(*tree)?, service),
            Key::Secret(file, service, _) => (self.secrets.get(*file)?, service),
        };
        let bindings = Bindings {
            env: Some(self.layer.clone()),
            layer: Some(self.layer.clone()),
            service: Some(service.clone()).filter(|service| !service.is_empty()),
            ..Bindings::default()
        };
        Some(fill(pattern, &bindings)).filter(|path| !path.contains(['{', '*']))
    }

    /// The plaintext of a key, with its type.
    pub(super) fn node(&self, key: &Key) -> Option<&Node> {
        let mut node = self.plain.get(self.file(key)?)?;
        for step in key.path() {
            let Node::Map(members) = node else { return None };
            node = &members.iter().find(|(name, _)| name == step)?.1;
        }
        Some(node)
    }

    /// Whether a key's value is encrypted where it is.
    pub(super) fn is_encrypted(&self, key: &Key) -> bool {
        let steps: Vec<&str> = key.path().iter().map(String::as_str).collect();
        let document = self.file(key).and_then(|file| self.documents.get(file));
        document.and_then(|document| document.subtree(&steps)).is_some_and(|leaf| leaf.is_encrypted())
    }
}

fn bound(bindings: &Bindings, layer: &str) -> Bindings {
    Bindings { layer: Some(layer.to_owned()), ..bindings.clone() }
}

fn parsed(snapshot: &Snapshot, file: &str) -> Result<Document, Why> {
    let blob = snapshot.read(file).map_err(|error| failed(&error))?;
    let blob = blob.ok_or_else(|| Why::new(format!("{file} is listed and not there")))?;
    document(file, &blob.bytes)
}
