//! Where a value may be put, and what stands there at HEAD.

use std::collections::{BTreeMap, BTreeSet};

use super::base::Base;
use super::{Place, Subject, Value, value_at};
use crate::compare::{Kind, Why};
use crate::config::mapping::{self, DocNode, Sorted, Store};
use crate::config::{Bindings, Layers, Pattern, Placeholder, SecretFile, SecretShape, Settings, fill};
use crate::ops::config::layer::SECRETS;
use crate::ops::config::opener::Opener;
use crate::ops::inspect::doc_node;

/// What is needed to change a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desk {
    /// The branch that is checked out, or why no commit can be made now.
    pub branch: Result<String, Why>,
    /// Where the value may be put.
    pub shelves: Vec<Shelf>,
    /// Which of them holds it, or would by its name.
    pub chosen: usize,
    /// The item's key; of none, empty.
    pub key: String,
}

/// One layer of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shelf {
    /// The service, or `secrets`.
    pub service: String,
    /// The layer: the global one, or an environment.
    pub layer: String,
    /// Its file, from the project's root.
    pub file: String,
    /// Whether HEAD has the file.
    pub exists: bool,
    /// Where its values are rolled out to.
    pub store: Store,
    /// What joins nested keys.
    pub joiner: String,
    /// The names that its values have there; `{key}` stands for the key.
    pub name: String,
    /// The environments that read it.
    pub reaches: Vec<String>,
    /// Where the item's key stands in the document; none: it is found by its name.
    pub path: Vec<String>,
    /// What stands there; only of an item.
    pub standing: Result<Option<Value>, Why>,
}

/// An item as its documents have it.
struct Known {
    source: usize,
    service: String,
    file: String,
    path: Vec<String>,
}

/// Finds where a subject's value may be put. `bindings` are those of the environment.
pub fn desk(opener: &Opener, settings: &Settings, bindings: &Bindings, subject: &Subject) -> Result<Desk, Why> {
    let base = Base::open(settings)?;
    on(&base, opener, settings, bindings, subject)
}

pub(super) fn on(
    base: &Base,
    opener: &Opener,
    settings: &Settings,
    bindings: &Bindings,
    subject: &Subject,
) -> Result<Desk, Why> {
    let listing = base.listing()?;
    let finder = Finder { settings, bindings, sorted: sort(settings, &listing) };
    let mut desk = match subject {
        Subject::Key => finder.everything(&base.branch)?,
        Subject::Place(place) => finder.place(&base.branch, place)?,
        Subject::Item { kind, unit, name } => finder.item(base, *kind, unit, name)?,
    };
    for shelf in &mut desk.shelves {
        shelf.exists = listing.contains(&shelf.file);
        if desk.key.is_empty() && shelf.path.is_empty() && shelf.name.contains("{key}") {
            continue;
        }
        shelf.standing = base.node(opener, &shelf.file).map(|node| {
            let node = node?;
            if shelf.path.is_empty() && !desk.key.is_empty() {
                shelf.path = super::super::keys::path_of(&node, &desk.key, &shelf.joiner);
            }
            value_at(&node, &shelf.path)
        });
    }
    Ok(desk)
}

fn sort(settings: &Settings, listing: &[String]) -> Sorted {
    mapping::sort_files(&settings.project, &settings.environment.name, listing)
}

struct Finder<'s> {
    settings: &'s Settings,
    bindings: &'s Bindings,
    sorted: Sorted,
}

impl Finder<'_> {
    /// Every service in its layers of this environment, the secrets that are keys of a document, and the documents that
    /// are one secret and not there yet.
    fn everything(&self, branch: &Result<String, Why>) -> Result<Desk, Why> {
        let services: BTreeSet<(usize, &str)> =
            self.sorted.config.iter().map(|each| (each.tree_index, each.service.as_str())).collect();
        let mut shelves: Vec<Shelf> =
            services.into_iter().flat_map(|(tree, service)| self.of_tree(tree, service, None)).collect();
        for (index, secret) in self.settings.project.secrets.iter().enumerate() {
            match secret.shape {
                SecretShape::Key => shelves.extend(self.of_secret(index, None)),
                SecretShape::Document => shelves.extend(self.documents(index)),
            }
        }
        if shelves.is_empty() {
            return Err(Why::new("HEAD has no config document of this environment that a key could be added to")
                .hint("plumb config encrypt makes a first file; commit it"));
        }
        Ok(Desk { branch: branch.clone(), shelves, chosen: 0, key: String::new() })
    }

    fn place(&self, branch: &Result<String, Why>, place: &Place) -> Result<Desk, Why> {
        // The layer may be another environment's than the one that is looked at.
        let mut settings = self.settings.clone();
        if let Some(other) = settings.environments.iter().find(|each| each.name == place.layer).cloned() {
            settings.environment = other;
        }
        let sorted = mapping::sort_files(&settings.project, &settings.environment.name, &[&place.file]);
        let bindings = Bindings { env: Some(settings.environment.name.clone()), ..self.bindings.clone() };
        let finder = Finder { settings: &settings, bindings: &bindings, sorted };
        let config = finder.sorted.config.first().map(|each| finder.of_tree(each.tree_index, &each.service, None));
        let mut shelves = match (config, finder.sorted.secrets.first()) {
            (Some(shelves), _) => shelves,
            (None, Some(secret)) => finder.of_secret(secret.secret_index, Some(&place.file)).into_iter().collect(),
            (None, None) => Vec::new(),
        };
        shelves.retain(|shelf| shelf.layer == place.layer);
        for shelf in &mut shelves {
            shelf.file.clone_from(&place.file);
            shelf.path.clone_from(&place.path);
        }
        if shelves.is_empty() {
            return Err(Why::new(format!("{} is no document of this project any more", place.file)));
        }
        Ok(Desk { branch: branch.clone(), key: joined(&place.path, &shelves[0].joiner), shelves, chosen: 0 })
    }

    fn item(&self, base: &Base, kind: Kind, unit: &str, name: &str) -> Result<Desk, Why> {
        let known = self.known(base, kind, unit, name)?;
        let is_parameter = kind == Kind::Parameter;
        let (mut shelves, key) = match &known {
            Some(known) if is_parameter => {
                let shelves = self.of_tree(known.source, &known.service, Some(&known.file));
                let key = joined(&known.path, &self.settings.project.config[known.source].joiner);
                (shelves, key)
            }
            Some(known) => {
                let shelves = self.of_secret(known.source, Some(&known.file)).into_iter().collect();
                (shelves, joined(&known.path, "/"))
            }
            None => self.by_name(kind, unit, name)?,
        };
        if let Some(known) = &known {
            for shelf in &mut shelves {
                shelf.path.clone_from(&known.path);
            }
        }
        let named = |shelf: &Shelf| shelf.name_of(&key) == name;
        let holds = |shelf: &Shelf| known.as_ref().is_some_and(|known| known.file == shelf.file);
        let chosen = shelves.iter().position(holds).or_else(|| shelves.iter().position(named)).unwrap_or(0);
        Ok(Desk { branch: base.branch.clone(), shelves, chosen, key })
    }

    /// The document that says what an item should be. Names need no key.
    fn known(&self, base: &Base, kind: Kind, unit: &str, name: &str) -> Result<Option<Known>, Why> {
        let mut sorted = self.sorted.clone();
        if kind == Kind::Parameter {
            sorted.secrets.clear();
            sorted.config.retain(|each| each.service == unit);
        } else {
            sorted.config.clear();
        }
        let files = sorted.config.iter().map(|each| &each.file).chain(sorted.secrets.iter().map(|each| &each.file));
        let mut nodes: BTreeMap<String, DocNode> = BTreeMap::new();
        for file in files {
            if let Some(document) = base.document(file)? {
                nodes.insert(file.clone(), doc_node(&document.as_written()));
            }
        }
        let mapped = mapping::map(&self.settings.project, &sorted, |file| nodes.get(file));
        let parameter = mapped.parameters.into_iter().find(|plan| plan.name == name).map(|plan| Known {
            source: plan.tree_index,
            service: plan.service,
            file: plan.file,
            path: plan.key_path,
        });
        let secret = mapped.secrets.into_iter().find(|plan| plan.name == name).map(|plan| Known {
            source: plan.secret_index,
            service: SECRETS.to_owned(),
            file: plan.file,
            path: plan.key_path,
        });
        Ok(parameter.or(secret))
    }

    /// An item that no document has, by what the patterns make of its name.
    fn by_name(&self, kind: Kind, unit: &str, name: &str) -> Result<(Vec<Shelf>, String), Why> {
        let shelves: Vec<Shelf> = if kind == Kind::Parameter {
            (0..self.settings.project.config.len()).flat_map(|tree| self.of_tree(tree, unit, None)).collect()
        } else {
            (0..self.settings.project.secrets.len()).filter_map(|index| self.of_secret(index, None)).collect()
        };
        let key = shelves.iter().find_map(|shelf| {
            let (before, after) = shelf.name.split_once("{key}")?;
            let key = name.strip_prefix(before)?.strip_suffix(after)?;
            (!key.is_empty()).then(|| key.to_owned())
        });
        let key = key.ok_or_else(|| {
            Why::new(format!("no document of HEAD has {name}, and no pattern of plumb.toml makes such a name"))
                .hint("a adds a key to a service that has a document")
        })?;
        Ok((shelves, key))
    }

    /// A service of a config tree in this environment's layer, and in the global one.
    fn of_tree(&self, index: usize, service: &str, held: Option<&str>) -> Vec<Shelf> {
        let Some(tree) = self.settings.project.config.get(index) else { return Vec::new() };
        let env = &self.settings.environment.name;
        let mut shelves = Vec::new();
        for layer in [env, &tree.global] {
            let mine: Vec<_> = self
                .sorted
                .config
                .iter()
                .filter(|each| each.tree_index == index && each.service == service && each.layer == *layer)
                .collect();
            let bound = Bindings {
                layer: Some(layer.clone()),
                service: Some(service.to_owned()).filter(|service| !service.is_empty()),
                ..Bindings::env(layer)
            };
            let by_pattern = || Pattern::parse(tree.files.first()?).ok()?.fill(&bound).ok();
            let file = mine.iter().find(|each| Some(each.file.as_str()) == held).or(mine.first());
            let Some(file) = file.map(|each| each.file.clone()).or_else(by_pattern) else { continue };
            let named = match tree.layers {
                Layers::Merged => env,
                Layers::Separate => layer,
            };
            let bindings = Bindings { env: Some(env.clone()), ..self.bindings.clone() }
                .with(Placeholder::Service, service)
                .with(Placeholder::Layer, named);
            let global = *layer == tree.global;
            let all = self.settings.environments.iter().map(|each| each.name.clone());
            shelves.push(Shelf {
                service: service.to_owned(),
                layer: layer.clone(),
                file,
                exists: false,
                store: Store::Parameter,
                joiner: tree.joiner.clone(),
                name: fill(&tree.parameter, &bindings),
                reaches: if global { all.collect() } else { vec![layer.clone()] },
                path: Vec::new(),
                standing: Ok(None),
            });
        }
        shelves
    }

    /// A file of secrets of this environment.
    fn of_secret(&self, index: usize, held: Option<&str>) -> Option<Shelf> {
        let secret = self.settings.project.secrets.get(index)?;
        let env = &self.settings.environment.name;
        let mut mine = self.sorted.secrets.iter().filter(|each| each.secret_index == index);
        let document = mine.find(|each| held.is_none_or(|held| held == each.file));
        let by_pattern = || Pattern::parse(&secret.file).ok()?.fill(&Bindings::env(env)).ok();
        let file = document.map(|each| each.file.clone()).or_else(by_pattern)?;
        let bound = document.map_or_else(|| Bindings::env(env), |each| each.bindings.clone());
        Some(self.shelf_of(secret, SECRETS, file, bound.service))
    }

    /// The documents of this environment that would each be one secret, and that nobody has made: one for each service
    /// where their names tell services apart. Their files are what they are chosen by.
    fn documents(&self, index: usize) -> Vec<Shelf> {
        let Some(secret) = self.settings.project.secrets.get(index) else { return Vec::new() };
        let Ok(pattern) = Pattern::parse(&secret.file) else { return Vec::new() };
        let env = &self.settings.environment.name;
        let services: BTreeSet<Option<String>> = if secret.file.contains("{service}") {
            self.sorted.config.iter().map(|each| Some(each.service.clone())).collect()
        } else {
            BTreeSet::from([None])
        };
        let free = |service: Option<String>| {
            let file = pattern.fill(&Bindings { service: service.clone(), ..Bindings::env(env) }).ok()?;
            let is_there = self.sorted.secrets.iter().any(|each| each.file == file);
            (!is_there).then(|| self.shelf_of(secret, &file, file.clone(), service))
        };
        services.into_iter().filter_map(free).collect()
    }

    fn shelf_of(&self, secret: &SecretFile, service: &str, file: String, bound: Option<String>) -> Shelf {
        let env = &self.settings.environment.name;
        let bindings = Bindings { service: bound, env: Some(env.clone()), ..self.bindings.clone() };
        Shelf {
            service: service.to_owned(),
            layer: env.clone(),
            file,
            exists: false,
            store: Store::Secret,
            joiner: String::from("/"),
            name: fill(&secret.name, &bindings),
            reaches: vec![env.clone()],
            path: Vec::new(),
            standing: Ok(None),
        }
    }
}

fn joined(path: &[String], joiner: &str) -> String {
    path.join(joiner)
}
