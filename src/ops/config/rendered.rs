//! What a service reads in an environment: the global layer, with the environment's own over it; by git or by live.

use std::collections::BTreeMap;

use super::file::cannot;
use super::layer::{SECRETS, root};
use super::opener::{Opener, told};
use crate::aws::{Read, secretsmanager, ssm};
use crate::compare::Why;
use crate::config::mapping::{self, DocNode, MappingProblem, PlannedValue};
use crate::config::{Layers, Placeholder, Project, Settings, fill};
use crate::git::{Repository, Snapshot, Touch, WORKTREE};
use crate::ops::inspect::{doc_node, document};
use crate::ops::locate::line_of_keys;
use crate::ops::project;
use crate::ops::session::Session;
use crate::ops::{git_why, why};
use crate::secret::Secret;
use crate::sops::Node;

/// Where `{key}` stands in a name.
const KEY: &str = "{key}";

/// A service's values in an environment.
#[derive(Debug, Default)]
pub struct Rendered {
    /// The commit that says so; `None`: live does.
    pub commit: Option<String>,
    /// The values, by key.
    pub values: BTreeMap<String, Value>,
    /// What is in git, and cannot become what it should.
    pub problems: Vec<MappingProblem>,
    /// What of the project file in use does not count, and what of it does, where the commit's is another.
    pub notes: Vec<String>,
}

/// A value, and where it is from.
#[derive(Debug, Clone)]
pub struct Value {
    /// The value as it is pushed: objects and lists as JSON.
    pub text: Secret,
    /// The layer that wins.
    pub layer: String,
    /// Its file; of live the parameter's or secret's name.
    pub from: String,
    /// What is not seen for it.
    pub shadows: Vec<Shadow>,
    /// The line of the file where the key stands, from 1, as far as it can be told.
    pub line: Option<usize>,
    /// The commit that wrote this line.
    pub touch: Option<Touch>,
    path: Vec<String>,
    global: bool,
}

/// A value that another layer's stands before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shadow {
    /// The layer.
    pub layer: String,
    /// Its file; of live the parameter's name.
    pub from: String,
}

/// What a commit says: that of the environment's ref.
pub fn git(opener: &Opener, settings: &Settings, service: &str) -> Result<Rendered, Why> {
    let (reference, snapshot) = project::compared(&settings.environment, &root(settings)?)?;
    let project = merged(project::at(settings, &snapshot)?);
    let environment = &settings.environment.name;
    let entries = snapshot.list("").map_err(|error| git_why(&error))?;
    let listing: Vec<&str> = entries.iter().map(|entry| entry.path.as_str()).collect();
    let mut sorted = mapping::sort_files(&project, environment, &listing);
    let services: Vec<String> = sorted.config.iter().map(|each| each.service.clone()).collect();
    if service == SECRETS {
        sorted.config.clear();
    } else {
        sorted.secrets.clear();
        sorted.config.retain(|each| each.service == service);
    }
    let files = sorted.config.iter().map(|each| &each.file).chain(sorted.secrets.iter().map(|each| &each.file));
    let mut nodes: BTreeMap<String, Node> = BTreeMap::new();
    for file in files {
        if !nodes.contains_key(file) {
            nodes.insert(file.clone(), open(opener, &snapshot, file)?);
        }
    }
    if nodes.is_empty() {
        return Err(no_service(service, environment, services));
    }
    let documents: BTreeMap<&str, DocNode> = nodes.iter().map(|(file, node)| (file.as_str(), doc_node(node))).collect();
    let mapped = mapping::map(&project, &sorted, |file| documents.get(file));
    let commit = Some(snapshot.commit().to_owned());
    let mut rendered = Rendered {
        commit,
        problems: mapped.problems,
        notes: project::unlike(settings, &snapshot, &reference),
        ..Rendered::default()
    };
    for plan in mapped.parameters {
        let (PlannedValue::Text(text) | PlannedValue::Json(text)) = plan.value else { continue };
        let joiner = project.config.get(plan.tree_index).map_or("/", |tree| tree.joiner.as_str());
        let steps: Vec<&str> = plan.key_path.iter().map(String::as_str).collect();
        let hidden = sorted.config.iter().filter(|each| {
            each.file != plan.file && nodes.get(&each.file).is_some_and(|node| node.get(&steps).is_some())
        });
        let shadows = hidden.map(|each| Shadow { layer: each.layer.clone(), from: each.file.clone() }).collect();
        let key = plan.key_path.join(joiner);
        rendered.values.insert(key, Value { shadows, ..made(text, plan.layer, plan.file, plan.key_path) });
    }
    for plan in mapped.secrets {
        let (PlannedValue::Text(text) | PlannedValue::Json(text)) = plan.value else { continue };
        let key = if plan.key_path.is_empty() { plan.name } else { plan.key_path.join("/") };
        rendered.values.insert(key, made(text, environment.clone(), plan.file, plan.key_path));
    }
    Ok(rendered)
}

/// Adds the line of each value, and the commit that wrote it. A value of uncommitted files has none.
pub fn explain(settings: &Settings, rendered: &mut Rendered) -> Result<(), Why> {
    let root = root(settings)?;
    let (reference, snapshot) = project::compared(&settings.environment, &root)?;
    let repository = Repository::discover(&root).map_err(|error| git_why(&error))?;
    let prefix = repository.prefix_of(&root).map_err(|error| git_why(&error))?;
    for value in rendered.values.values_mut() {
        let Some(blob) = snapshot.read(&value.from).map_err(|error| git_why(&error))? else { continue };
        let keys: Vec<&str> = value.path.iter().map(String::as_str).collect();
        value.line = line_of_keys(&String::from_utf8_lossy(&blob.bytes), &keys);
        let path = if prefix.is_empty() { value.from.clone() } else { format!("{prefix}/{}", value.from) };
        if let Some(line) = value.line.filter(|_| reference != WORKTREE) {
            value.touch = repository.blame_line(&reference, &path, line).map_err(|error| git_why(&error))?;
        }
    }
    Ok(())
}

/// What AWS answers now: the parameters of both layers below the service's names, or the environment's secrets.
pub async fn live(session: &Session, service: &str) -> Result<Rendered, Why> {
    let bindings = session.bindings().await.with(Placeholder::Service, service);
    let environment = &session.environment().name;
    let (project, notes) = named(session);
    let mut rendered = Rendered { notes, ..Rendered::default() };
    if service == SECRETS {
        let patterns: Vec<String> = project.secrets.iter().map(|each| fill(&each.name, &bindings)).collect();
        let found = secretsmanager::list(&session.clients, &starts(&patterns)).await.map_err(|error| why(&error))?;
        let keys = keys_of(found.into_iter().map(|each| each.name), &patterns);
        let names: Vec<String> = keys.keys().cloned().collect();
        for (name, read) in secretsmanager::values(&session.clients, &names).await {
            add(&mut rendered, &keys, &name, read.map(|each| each.value), environment, false)?;
        }
        return Ok(rendered);
    }
    for tree in &project.config {
        let layers: &[(&str, bool)] = match tree.layers {
            Layers::Merged => &[(environment, false)],
            Layers::Separate => &[(&tree.global, true), (environment, false)],
        };
        for (layer, global) in layers {
            let pattern = vec![fill(&tree.parameter, &bindings.clone().with(Placeholder::Layer, *layer))];
            let found = ssm::describe(&session.clients, &starts(&pattern)).await.map_err(|error| why(&error))?;
            let keys = keys_of(found.into_iter().map(|each| each.name), &pattern);
            let names: Vec<String> = keys.keys().cloned().collect();
            for (name, read) in ssm::values(&session.clients, &names).await {
                add(&mut rendered, &keys, &name, read.map(|each| each.value), layer, *global)?;
            }
        }
        override_global(&mut rendered.values, &tree.joiner);
    }
    Ok(rendered)
}

/// The project whose names are asked for: the commit's, as everywhere; without a commit the one in use.
fn named(session: &Session) -> (Project, Vec<String>) {
    let of_commit = || {
        let (reference, snapshot) = project::compared(session.environment(), &session.root)?;
        let project = project::at(&session.settings, &snapshot)?;
        Ok::<_, Why>((project, project::unlike(&session.settings, &snapshot, &reference)))
    };
    of_commit().unwrap_or_else(|why| {
        let file = &session.settings.file;
        (session.project().clone(), vec![format!("{file} here says the names, since no commit does: {}", why.reason)])
    })
}

fn open(opener: &Opener, snapshot: &Snapshot, file: &str) -> Result<Node, Why> {
    let blob = snapshot.read(file).map_err(|error| git_why(&error))?;
    let gone = || cannot("read", file, &std::io::ErrorKind::NotFound.into());
    let document = document(file, &blob.ok_or_else(gone)?.bytes)?;
    if let Some(plain) = document.plain() {
        return Ok(plain);
    }
    opener.open(&document)?.node().cloned().map_err(|error| told(&error))
}

/// The project with layers that are merged, whichever way they are stored.
fn merged(mut project: Project) -> Project {
    for tree in &mut project.config {
        tree.layers = Layers::Merged;
    }
    project
}

fn no_service(service: &str, environment: &str, mut known: Vec<String>) -> Why {
    known.sort();
    known.dedup();
    known.retain(|name| !name.is_empty());
    known.push(SECRETS.to_owned());
    Why::new(format!("the commit has no file of \"{service}\" for {environment}"))
        .hint(format!("one of {}; --ref WORKTREE reads what is not committed", known.join(", ")))
}

fn made(text: Secret, layer: String, from: String, path: Vec<String>) -> Value {
    Value { text, layer, from, path, shadows: Vec::new(), line: None, touch: None, global: false }
}

/// What names begin with, up to the key.
fn starts(patterns: &[String]) -> Vec<String> {
    patterns.iter().map(|pattern| pattern.split(KEY).next().unwrap_or(pattern).to_owned()).collect()
}

/// The key in each name that a pattern fits; a pattern without a key is one name.
fn keys_of(names: impl Iterator<Item = String>, patterns: &[String]) -> BTreeMap<String, String> {
    let key = |name: &str| {
        patterns.iter().find_map(|pattern| match pattern.split_once(KEY) {
            Some((before, after)) => {
                let key = name.strip_prefix(before)?.strip_suffix(after)?;
                (!key.is_empty()).then(|| key.to_owned())
            }
            None => (name == pattern).then(|| name.to_owned()),
        })
    };
    names.filter_map(|name| key(&name).map(|key| (name, key))).collect()
}

fn add(
    rendered: &mut Rendered,
    keys: &BTreeMap<String, String>,
    name: &str,
    read: Read<Secret>,
    layer: &str,
    global: bool,
) -> Result<(), Why> {
    let (text, Some(key)) = (
        match read {
            Read::Found(text) => text,
            // Deleted since it was listed.
            Read::Missing => return Ok(()),
            Read::Failed(error) => return Err(why(&error)),
        },
        keys.get(name),
    ) else {
        return Ok(());
    };
    let mut value = Value { global, ..made(text, layer.to_owned(), name.to_owned(), Vec::new()) };
    if let Some(hidden) = rendered.values.remove(key) {
        value.shadows.push(Shadow { layer: hidden.layer, from: hidden.from });
    }
    rendered.values.insert(key.clone(), value);
    Ok(())
}

/// The environment's keys win above and below their place, too: what is one parameter is replaced as a whole.
fn override_global(values: &mut BTreeMap<String, Value>, joiner: &str) {
    let own: Vec<String> = values.iter().filter(|(_, value)| !value.global).map(|(key, _)| key.clone()).collect();
    let below = |key: &str, outer: &str| key.strip_prefix(outer).is_some_and(|rest| rest.starts_with(joiner));
    values.retain(|key, value| !value.global || !own.iter().any(|mine| below(key, mine) || below(mine, key)));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str, global: bool) -> Value {
        let layer = if global { "global" } else { "dev" };
        Value { global, ..made(Secret::new(text), layer.to_owned(), String::new(), Vec::new()) }
    }

    #[test]
    fn an_environment_s_key_takes_the_place_of_what_lies_above_and_below_it() {
        let rows = [("a", true), ("a/b", false), ("c", false), ("c/d", true), ("e", true), ("e2", false)];
        let mut values = rows.iter().map(|(key, global)| ((*key).to_owned(), value(key, *global))).collect();
        override_global(&mut values, "/");
        assert_eq!(values.keys().collect::<Vec<_>>(), ["a/b", "c", "e", "e2"]);
    }

    #[test]
    fn a_key_is_what_the_pattern_leaves_of_a_name() {
        let names = ["/billing/dev/db/pool", "/billing/dev/", "/billing/development/x", "whole"].map(str::to_owned);
        let keys = keys_of(names.into_iter(), &["/billing/dev/{key}".to_owned(), "whole".to_owned()]);
        let found: Vec<_> = keys.values().map(String::as_str).collect();
        assert_eq!(found, ["db/pool", "whole"]);
    }
}
