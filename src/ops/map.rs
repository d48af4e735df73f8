//! Which file of a commit becomes which parameters and secrets. Reads git alone: neither AWS nor a key is asked.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::inspect::{doc_node, usable};
use super::{failed, project};
use crate::compare::Why;
use crate::config::mapping::{self, DocNode, Sorted};
use crate::config::{Bindings, Environment, Project, Settings, StackKind};
use crate::git::{Repository, Snapshot};
use crate::sops::Document;

/// The files of one environment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Map {
    /// The environment's name.
    pub environment: String,
    /// The ref that was read.
    pub reference: String,
    /// Its commit.
    pub commit: String,
    /// The files that a pattern matches, by path.
    pub files: Vec<MappedFile>,
    /// Files that lie where such files lie, and no pattern matches.
    pub unmatched: Vec<mapping::Unmatched>,
    /// All other files that belong to no environment: no pattern, template or source of a function covers them.
    pub unmatched_elsewhere: Vec<String>,
    /// The stacks with their templates.
    pub stacks: Vec<(String, String)>,
    /// Files and keys that cannot become what they should.
    pub problems: Vec<mapping::MappingProblem>,
    /// What to know about the project file.
    pub notes: Vec<String>,
}

/// A file with what it becomes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MappedFile {
    /// Its path from the project's root.
    pub file: String,
    /// Whether it is encrypted.
    pub encrypted: bool,
    /// Names of the parameters that it says.
    pub parameters: Vec<String>,
    /// Names of the secrets that it says.
    pub secrets: Vec<String>,
}

/// Maps the chosen environment, or all of them.
///
/// `root` is the project's directory. Fails when the repository or a ref cannot be read.
pub fn map(settings: &Settings, root: &Path, all: bool) -> Result<Vec<Map>, Why> {
    let repository = Repository::discover(root).map_err(|error| told(&error))?;
    let prefix = repository.prefix_of(root).map_err(|error| told(&error))?;
    let environments: Vec<&Environment> =
        if all { settings.environments.iter().collect() } else { vec![&settings.environment] };
    environments.into_iter().map(|environment| one(settings, &repository, &prefix, environment)).collect()
}

fn told(error: &crate::git::Error) -> Why {
    Why { hint: error.hint(), ..failed(error) }
}

fn one(settings: &Settings, repository: &Repository, prefix: &str, environment: &Environment) -> Result<Map, Why> {
    let reference = environment.git_ref.clone().unwrap_or_else(|| repository.default_ref());
    let snapshot = repository.snapshot(&reference, prefix).map_err(|error| told(&error))?;
    let project = &project::at(settings, &snapshot)?;
    let notes = project::unlike(settings, &snapshot, &reference);
    let listing: Vec<String> =
        snapshot.list("").map_err(|error| told(&error))?.into_iter().map(|entry| entry.path).collect();
    let sorted = mapping::sort_files(project, &environment.name, &listing);
    let mut map = Map {
        environment: environment.name.clone(),
        reference,
        commit: snapshot.commit().to_owned(),
        files: Vec::new(),
        unmatched: sorted.unmatched.clone(),
        unmatched_elsewhere: elsewhere(settings, project, &listing, &sorted),
        stacks: Vec::new(),
        problems: Vec::new(),
        notes,
    };
    documents(project, &snapshot, &sorted, &mut map);
    stacks(project, environment, &listing, &mut map);
    Ok(map)
}

/// What nothing covers in any environment, without what was told as a near miss.
fn elsewhere(settings: &Settings, project: &Project, listing: &[String], sorted: &Sorted) -> Vec<String> {
    let mut covered: BTreeSet<String> = sorted.unmatched.iter().map(|each| each.file.clone()).collect();
    covered.insert(settings.file.clone());
    let mut sources: Vec<String> = Vec::new();
    for environment in &settings.environments {
        let mine = mapping::sort_files(project, &environment.name, listing);
        covered.extend(mine.config.into_iter().map(|each| each.file));
        covered.extend(mine.secrets.into_iter().map(|each| each.file));
        for stack in mapping::stacks(project, &bindings(environment), listing).0 {
            covered.insert(stack.template);
            let paths =
                stack.functions.into_iter().flat_map(|function| [vec![function.source], function.also].concat());
            sources.extend(paths.map(|path| path.trim_start_matches("./").trim_end_matches('/').to_owned()));
        }
    }
    let within = |file: &str, source: &String| {
        matches!(source.as_str(), "" | ".")
            || file.strip_prefix(source.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    let is_free = |file: &&String| !covered.contains(*file) && !sources.iter().any(|source| within(file, source));
    let mut free: Vec<String> = listing.iter().filter(is_free).cloned().collect();
    free.sort();
    free
}

/// Reads the documents and says what they become; nothing is decrypted.
pub(super) fn documents(project: &Project, snapshot: &Snapshot, sorted: &Sorted, map: &mut Map) {
    let names: BTreeSet<&String> =
        sorted.config.iter().map(|each| &each.file).chain(sorted.secrets.iter().map(|each| &each.file)).collect();
    let mut files: BTreeMap<String, MappedFile> = BTreeMap::new();
    let mut nodes: BTreeMap<String, DocNode> = BTreeMap::new();
    for name in names {
        let mut mapped = MappedFile { file: name.clone(), ..MappedFile::default() };
        match read(snapshot, name) {
            Ok(document) => {
                mapped.encrypted = document.is_encrypted();
                nodes.insert(name.clone(), doc_node(&document.as_written()));
            }
            Err(why) => map.problems.push(problem(name, why)),
        }
        files.insert(name.clone(), mapped);
    }
    let mapped = mapping::map(project, sorted, |file| nodes.get(file));
    for plan in mapped.parameters.into_iter().filter(|plan| plan.value.secret().is_some()) {
        if let Some(file) = files.get_mut(&plan.file) {
            file.parameters.push(plan.name);
        }
    }
    for plan in mapped.secrets.into_iter().filter(|plan| plan.value.secret().is_some()) {
        if let Some(file) = files.get_mut(&plan.file) {
            file.secrets.push(plan.name);
        }
    }
    map.problems.extend(mapped.problems);
    map.files = files.into_values().collect();
}

fn read(snapshot: &Snapshot, file: &str) -> Result<Document, String> {
    let blob = snapshot.read(file).map_err(|error| error.to_string())?;
    let blob = blob.ok_or("it is listed and not there")?;
    // Whoever is told this is told the file beside it.
    let document = Document::parse(file, &blob.bytes).map_err(|error| error.in_place())?;
    usable(file, document).map_err(|why| why.to_string())
}

fn problem(file: &str, why: String) -> mapping::MappingProblem {
    mapping::MappingProblem { file: file.to_owned(), key: String::new(), why }
}

fn stacks(project: &Project, environment: &Environment, listing: &[String], map: &mut Map) {
    let bindings = bindings(environment);
    let (stacks, problems) = mapping::stacks(project, &bindings, listing);
    map.problems.extend(problems);
    for stack in stacks {
        // A synthesised template is usually not committed.
        if stack.kind != StackKind::Cdk && !listing.contains(&stack.template) {
            map.problems.push(problem(&stack.template, format!("the template of {} is not in the commit", stack.name)));
        }
        map.stacks.push((stack.name, stack.template));
    }
}

/// What an environment binds without asking AWS.
pub(super) fn bindings(environment: &Environment) -> Bindings {
    Bindings {
        env: Some(environment.name.clone()),
        account: environment.account.clone(),
        region: environment.region.clone(),
        ..Bindings::default()
    }
}
