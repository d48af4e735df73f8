//! Which file of the working tree is a service's layer, and whom a new file is encrypted for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::file::cannot;
use super::opener::told;
use crate::compare::Why;
use crate::config::mapping;
use crate::config::{Bindings, Pattern, Settings};
use crate::git::{Repository, Snapshot, WORKTREE};
use crate::ops::git_why;
use crate::sops::{CreationRule, CreationRules};

/// The name that stands for the project's secrets where else a service is named.
pub const SECRETS: &str = "secrets";

/// What joins the keys of secrets.
const JOINER: &str = "/";

/// One document of the working tree: a service's in one layer, or the secrets of an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// The service, or `secrets`.
    pub service: String,
    /// The layer: the global one, or an environment.
    pub layer: String,
    /// Its path from the project's root.
    pub file: String,
    /// Where it lies.
    pub path: PathBuf,
    /// What joins nested keys.
    pub joiner: String,
    /// Whether the file is there.
    pub exists: bool,
}

impl Layer {
    /// The document of a service and layer. One that is not there yet is named by the pattern, where the service has
    /// another layer already.
    pub fn find(settings: &Settings, service: &str, layer: &str) -> Result<Self, Why> {
        let (root, snapshot) = worktree(settings)?;
        let entries = snapshot.list("").map_err(|error| git_why(&error))?;
        let listing: Vec<String> = entries.into_iter().map(|entry| entry.path).collect();
        let project = &settings.project;
        let globals: BTreeSet<&str> = project.config.iter().map(|tree| tree.global.as_str()).collect();
        let environments: Vec<&str> = settings.environments.iter().map(|each| each.name.as_str()).collect();
        let known = environments.iter().chain(&globals).copied().collect::<Vec<_>>();
        if !known.contains(&layer) {
            return Err(Why::new(format!("there is no layer \"{layer}\"")).hint(format!("one of {}", known.join(", "))));
        }
        // Any environment inherits the global layer.
        let env = if environments.contains(&layer) { layer } else { &settings.environment.name };
        let sorted = mapping::sort_files(project, env, &listing);
        let mut found: Vec<(String, String)> = if service == SECRETS {
            sorted.secrets.iter().map(|each| (each.file.clone(), JOINER.to_owned())).collect()
        } else {
            let mine = sorted.config.iter().filter(|each| each.service == service && each.layer == layer);
            mine.filter_map(|each| Some((each.file.clone(), project.config.get(each.tree_index)?.joiner.clone())))
                .collect()
        };
        found.dedup_by(|one, other| one.0 == other.0);
        let (file, joiner) = match found.as_slice() {
            [one] => one.clone(),
            [] => new_file(settings, &listing, service, layer)?,
            several => {
                let names: Vec<&str> = several.iter().map(|(file, _)| file.as_str()).collect();
                return Err(Why::new(format!("{service} has several files in {layer}: {}", names.join(", ")))
                    .hint("plumb config decrypt and encrypt take a file's name"));
            }
        };
        let path = root.join(&file);
        let exists = path.exists();
        Ok(Self { service: service.to_owned(), layer: layer.to_owned(), file, path, joiner, exists })
    }
}

/// The project's directory and the files of its working tree, committed or not.
fn worktree(settings: &Settings) -> Result<(PathBuf, Snapshot), Why> {
    let root = root(settings)?;
    let repository = Repository::discover(&root).map_err(|error| git_why(&error))?;
    let prefix = repository.prefix_of(&root).map_err(|error| git_why(&error))?;
    let snapshot = repository.snapshot(WORKTREE, &prefix).map_err(|error| git_why(&error))?;
    Ok((root, snapshot))
}

/// The project's directory.
pub(super) fn root(settings: &Settings) -> Result<PathBuf, Why> {
    settings.root.clone().ok_or_else(|| Why::new("there is no project").hint("plumb init --minimal"))
}

/// Where a layer that has no file yet would have it.
fn new_file(settings: &Settings, listing: &[String], service: &str, layer: &str) -> Result<(String, String), Why> {
    let project = &settings.project;
    let bindings =
        Bindings { layer: Some(layer.to_owned()), service: Some(service.to_owned()), ..Bindings::env(layer) };
    let filled = |pattern: &str| Pattern::parse(pattern).ok()?.fill(&bindings).ok();
    if service == SECRETS {
        let file = project.secrets.first().and_then(|secret| filled(&secret.file));
        return file
            .map(|file| (file, JOINER.to_owned()))
            .ok_or_else(|| Why::new("the project has no secrets").hint("[[secrets]] in plumb.toml"));
    }
    // A service that has no file in this layer may have one in another.
    let everywhere =
        settings.environments.iter().flat_map(|each| mapping::sort_files(project, &each.name, listing).config);
    let services: BTreeMap<String, usize> = everywhere.map(|each| (each.service, each.tree_index)).collect();
    let tree = services.get(service).and_then(|index| project.config.get(*index));
    let file = tree.and_then(|tree| Some((filled(tree.files.first()?)?, tree.joiner.clone())));
    file.ok_or_else(|| {
        let known: Vec<&str> = services.keys().map(String::as_str).filter(|name| !name.is_empty()).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        Why::new(format!("there is no service \"{service}\" in the working tree")).hint(format!(
            "the services here are {known}, and \"{SECRETS}\" stands for the secrets; plumb config encrypt makes a first file"
        ))
    })
}

/// The creation rule for a file: of the `.sops.yaml` that lies nearest above it.
pub(super) fn rule_for(path: &Path, name: &str) -> Result<CreationRule, Why> {
    let none = || {
        Why::new(format!("no .sops.yaml lies above {name}, so nothing says whom it is encrypted for"))
            .hint("write one, with creation_rules: https://github.com/getsops/sops#using-sops-yaml-conf")
    };
    find_rule(path, name)?.ok_or_else(none)
}

/// The same; `None`: there are no rules at all.
pub(super) fn find_rule(path: &Path, name: &str) -> Result<Option<CreationRule>, Why> {
    let absolute = std::path::absolute(path).map_err(|error| cannot("find", name, &error))?;
    for directory in absolute.ancestors().skip(1) {
        let rules = directory.join(".sops.yaml");
        let text = match std::fs::read_to_string(&rules) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(cannot("read", &rules.display().to_string(), &error)),
        };
        let shown = rules.display().to_string();
        let rules = CreationRules::parse(&shown, &text).map_err(|error| told(&error))?;
        let within = absolute.strip_prefix(directory).unwrap_or(&absolute);
        let within = within.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/");
        return rules.matching(&within).map(|rule| Some(rule.clone())).map_err(|error| told(&error));
    }
    Ok(None)
}
