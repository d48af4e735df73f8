//! The names that git knows, for a shell that completes them. Documents stay encrypted, and nothing but git is read.

use std::collections::BTreeSet;
use std::path::Path;

use super::map::{Map, bindings, documents};
use super::{git_why, project};
use crate::compare::{Kind, Why};
use crate::config::mapping;
use crate::config::{Environment, Settings};
use crate::git::Repository;
use crate::template::Template;

/// The items of one environment on git's side, as far as their names can be told without AWS.
///
/// `root` is the project's directory. What cannot be parsed has no names.
pub fn items(settings: &Settings, environment: &Environment, root: &Path) -> Result<Vec<(Kind, String)>, Why> {
    let (_, snapshot) = project::compared(environment, root)?;
    let entries = snapshot.list("").map_err(|error| git_why(&error))?;
    let listing: Vec<String> = entries.into_iter().map(|entry| entry.path).collect();
    let project = &project::at(settings, &snapshot)?;
    let mut map = Map::default();
    documents(project, &snapshot, &mapping::sort_files(project, &environment.name, &listing), &mut map);
    let mut names = Vec::new();
    for file in map.files {
        names.extend(file.parameters.into_iter().map(|name| (Kind::Parameter, name)));
        names.extend(file.secrets.into_iter().map(|name| (Kind::Secret, name)));
    }
    for stack in mapping::stacks(project, &bindings(environment), &listing).0 {
        let text = snapshot.read(&stack.template).ok().flatten();
        let template =
            text.and_then(|blob| Template::parse(&stack.template, &String::from_utf8_lossy(&blob.bytes)).ok());
        let resources = template.iter().flat_map(Template::resources);
        names.extend(resources.map(|resource| (Kind::Stack, format!("{}/{}", stack.name, resource.logical_id))));
        let functions = stack.functions.iter();
        names.extend(functions.map(|function| (Kind::Code, format!("{}/{}", stack.name, function.resource))));
        names.push((Kind::Stack, stack.name));
    }
    Ok(names)
}

/// What is rolled out together and can be pushed alone: the services of the environment, and `secrets`.
pub fn services(settings: &Settings, root: &Path) -> Result<BTreeSet<String>, Why> {
    let repository = Repository::discover(root).map_err(|error| git_why(&error))?;
    let prefix = repository.prefix_of(root).map_err(|error| git_why(&error))?;
    let reference = settings.environment.git_ref.clone().unwrap_or_else(|| repository.default_ref());
    let snapshot = repository.snapshot(&reference, &prefix).map_err(|error| git_why(&error))?;
    let entries = snapshot.list("").map_err(|error| git_why(&error))?;
    let listing: Vec<&str> = entries.iter().map(|entry| entry.path.as_str()).collect();
    let sorted = mapping::sort_files(&settings.project, &settings.environment.name, &listing);
    let secrets = (!sorted.secrets.is_empty()).then(|| "secrets".to_owned());
    Ok(sorted.config.into_iter().map(|file| file.service).chain(secrets).collect())
}

/// Branches and tags.
pub fn refs(root: &Path) -> Result<Vec<String>, Why> {
    let repository = Repository::discover(root).map_err(|error| git_why(&error))?;
    let refs = repository.refs().map_err(|error| git_why(&error))?;
    Ok(refs.into_iter().map(|found| found.name).collect())
}
