//! The documents of a project and their keys; nothing is decrypted.

use std::collections::BTreeMap;

use super::keys;
use super::layer::{SECRETS, root};
use crate::compare::Why;
use crate::config::{Settings, mapping};
use crate::git::{Repository, WORKTREE};
use crate::ops::git_why;
use crate::ops::inspect::document;

/// A document of the working tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Its service, or `secrets`.
    pub service: String,
    /// Its layer: the global one, or an environment.
    pub layer: String,
    /// Its path from the project's root.
    pub file: String,
    /// What it holds, or why that cannot be read.
    pub held: Result<Held, Why>,
}

/// What a document holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Whether it is encrypted.
    pub encrypted: bool,
    /// Who can open it.
    pub recipients: Vec<String>,
    /// The keys of its values.
    pub keys: Vec<String>,
}

/// Lists the documents of one service, or of all, in every environment.
pub fn list(settings: &Settings, service: Option<&str>) -> Result<Vec<Listed>, Why> {
    let root = root(settings)?;
    let repository = Repository::discover(&root).map_err(|error| git_why(&error))?;
    let prefix = repository.prefix_of(&root).map_err(|error| git_why(&error))?;
    let snapshot = repository.snapshot(WORKTREE, &prefix).map_err(|error| git_why(&error))?;
    let entries = snapshot.list("").map_err(|error| git_why(&error))?;
    let listing: Vec<&str> = entries.iter().map(|entry| entry.path.as_str()).collect();
    let project = &settings.project;
    let mut found: BTreeMap<(String, String, String), String> = BTreeMap::new();
    for environment in &settings.environments {
        let sorted = mapping::sort_files(project, &environment.name, &listing);
        for each in sorted.config {
            let joiner = project.config.get(each.tree_index).map_or("/", |tree| tree.joiner.as_str());
            found.insert((each.service, each.layer, each.file), joiner.to_owned());
        }
        for each in sorted.secrets {
            found.insert((SECRETS.to_owned(), environment.name.clone(), each.file), "/".to_owned());
        }
    }
    let wanted = found.into_iter().filter(|((name, ..), _)| service.is_none_or(|service| service == name));
    let listed = wanted.map(|((service, layer, file), joiner)| {
        let held = snapshot.read(&file).map_err(|error| git_why(&error)).and_then(|blob| {
            let document = document(&file, &blob.map(|blob| blob.bytes).unwrap_or_default())?;
            let keys = keys::all(&document.as_written(), &joiner);
            Ok(Held { encrypted: document.is_encrypted(), recipients: document.recipients(), keys })
        });
        Listed { service, layer, file, held }
    });
    let listed: Vec<Listed> = listed.collect();
    match service {
        Some(service) if listed.is_empty() => {
            Err(Why::new(format!("there is no service \"{service}\" in the working tree"))
                .hint("plumb config list, without a name, lists all"))
        }
        _ => Ok(listed),
    }
}
