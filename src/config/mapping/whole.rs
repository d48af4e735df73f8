//! All parameters and secrets of one environment.

use std::collections::{BTreeMap, BTreeSet};

use super::document::DocNode;
use super::files::{ConfigFile, Sorted};
use super::plan::{Leaf, Planned, PlannedValue, Problem, from_leaves, leaves, secrets};
use crate::config::pattern::Bindings;
use crate::config::project::{ConfigTree, Layers, Project};

/// All that one environment's files ask for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mapped {
    /// The parameters; no name comes twice.
    pub parameters: Vec<ParameterPlan>,
    /// The secrets; no name comes twice.
    pub secrets: Vec<SecretPlan>,
    /// Keys and files that cannot become what they should.
    pub problems: Vec<MappingProblem>,
}

/// A parameter that the files ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterPlan {
    /// Its full name.
    pub name: String,
    /// Its service; empty when the tree knows none.
    pub service: String,
    /// The layer of the file that says it.
    pub layer: String,
    /// The keys from the document's root.
    pub key_path: Vec<String>,
    /// The file that says it; of merged layers the one that wins.
    pub file: String,
    /// Which of the project's config trees it belongs to.
    pub tree_index: usize,
    /// What it is to be.
    pub value: PlannedValue,
}

/// A secret that a file asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretPlan {
    /// Its full name.
    pub name: String,
    /// The keys from the document's root; empty for a whole document.
    pub key_path: Vec<String>,
    /// The file that says it.
    pub file: String,
    /// Which of the project's secret files it belongs to.
    pub secret_index: usize,
    /// What it is to be.
    pub value: PlannedValue,
}

/// A key or a file that cannot become what it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappingProblem {
    /// The file.
    pub file: String,
    /// The keys from the document's root, joined by `.`; empty: the file as a whole.
    pub key: String,
    /// Why, and what to do about it.
    pub why: String,
}

impl MappingProblem {
    pub(super) fn new(file: &str, key_path: &[String], why: impl Into<String>) -> Self {
        Self { file: file.to_owned(), key: key_path.join("."), why: why.into() }
    }

    fn of(file: &str, problem: Problem) -> Self {
        Self::new(file, &problem.key_path, problem.why)
    }
}

/// Maps the sorted files of an environment, from their documents: all plain, or all still encrypted.
///
/// A document that cannot be had at all is `None`; its reader says why. With merged layers the parameters of its
/// service are then left out, and a problem says so: without all layers nobody knows which value wins.
pub fn map<'d>(project: &Project, sorted: &Sorted, document: impl Fn(&str) -> Option<&'d DocNode>) -> Mapped {
    let mut mapped = Mapped { problems: sorted.problems.clone(), ..Mapped::default() };
    for ((tree_index, _, _), files) in groups(project, sorted) {
        let tree = &project.config[tree_index];
        let mut group = Vec::new();
        let mut complete = true;
        for file in files {
            match document(&file.file) {
                Some(doc) => group.push((file, doc)),
                None if tree.layers == Layers::Merged => {
                    complete = false;
                    let why = "could not be read; without it nobody knows which layer's values win, so the service is left out";
                    mapped.problems.push(MappingProblem::new(&file.file, &[], why));
                }
                None => {}
            }
        }
        if complete {
            map_group(tree, &group, &mut mapped);
        }
    }
    for secret in &sorted.secrets {
        let Some(doc) = document(&secret.file) else { continue };
        let (plan, problems) = secrets(&project.secrets[secret.secret_index], &secret.bindings, doc);
        mapped.problems.extend(problems.into_iter().map(|problem| MappingProblem::of(&secret.file, problem)));
        mapped.secrets.extend(plan.into_iter().map(|Planned { name, key_path, value }| SecretPlan {
            name,
            key_path,
            file: secret.file.clone(),
            secret_index: secret.secret_index,
            value,
        }));
    }
    unique(&mut mapped.parameters, &mut mapped.problems);
    unique(&mut mapped.secrets, &mut mapped.problems);
    mapped
}

/// What is named together: the documents of one service, and with separate layers of one layer.
fn groups<'s>(project: &Project, sorted: &'s Sorted) -> BTreeMap<(usize, &'s str, &'s str), Vec<&'s ConfigFile>> {
    let mut groups: BTreeMap<_, Vec<&ConfigFile>> = BTreeMap::new();
    for file in &sorted.config {
        let Some(tree) = project.config.get(file.tree_index) else { continue };
        let layer = if tree.layers == Layers::Merged { "" } else { file.layer.as_str() };
        groups.entry((file.tree_index, file.service.as_str(), layer)).or_default().push(file);
    }
    groups
}

fn map_group(tree: &ConfigTree, group: &[(&ConfigFile, &DocNode)], mapped: &mut Mapped) {
    let mut all: Vec<(&ConfigFile, Leaf<'_>)> = Vec::new();
    for (file, doc) in group {
        match leaves(tree.depth, doc) {
            Ok(leaves) => all.extend(leaves.into_iter().map(|leaf| (*file, leaf))),
            Err(problem) => mapped.problems.push(MappingProblem::of(&file.file, problem)),
        }
    }
    if tree.layers == Layers::Merged {
        override_global(&mut all);
    }
    let Some(bindings) = bindings(tree, group) else { return };
    let only: Vec<Leaf<'_>> = all.iter().map(|(_, leaf)| leaf.clone()).collect();
    // A key that two documents of one layer have is named once and refused; its first file answers for it.
    let mut files: BTreeMap<Vec<String>, &ConfigFile> = BTreeMap::new();
    for (file, leaf) in &all {
        files.entry(leaf.path.iter().map(|key| (*key).to_owned()).collect()).or_insert(*file);
    }
    let origin = |path: &[String]| files.get(path).copied().unwrap_or(group[0].0);
    let (plan, problems) = from_leaves(tree, &bindings, &only);
    for problem in problems {
        mapped.problems.push(MappingProblem::of(&origin(&problem.key_path).file, problem));
    }
    for Planned { name, key_path, value } in plan {
        let file = origin(&key_path);
        mapped.parameters.push(ParameterPlan {
            name,
            service: file.service.clone(),
            layer: file.layer.clone(),
            file: file.file.clone(),
            tree_index: file.tree_index,
            key_path,
            value,
        });
    }
}

fn bindings(tree: &ConfigTree, group: &[(&ConfigFile, &DocNode)]) -> Option<Bindings> {
    let mut bindings = group.first()?.0.bindings.clone();
    if tree.layers == Layers::Merged {
        bindings.layer.clone_from(&bindings.env);
    }
    Some(bindings)
}

/// The environment's keys win over the global ones at the same place, above it and below it. What is one parameter
/// is replaced as a whole; an environment's `null` takes the global value away.
fn override_global(all: &mut Vec<(&ConfigFile, Leaf<'_>)>) {
    let own: BTreeSet<Vec<&str>> =
        all.iter().filter(|(file, _)| !file.global).map(|(_, leaf)| leaf.path.clone()).collect();
    all.retain(|(file, leaf)| {
        let below = || own.range(leaf.path.clone()..).next().is_some_and(|path| path.starts_with(&leaf.path));
        let above = || (1..leaf.path.len()).any(|length| own.contains(&leaf.path[..length]));
        !file.global || !(below() || above())
    });
}

/// Something with a name that AWS knows it by.
trait Named {
    fn parts(&mut self) -> (&str, &str, &[String], &mut PlannedValue);
}

impl Named for ParameterPlan {
    fn parts(&mut self) -> (&str, &str, &[String], &mut PlannedValue) {
        (&self.name, &self.file, &self.key_path, &mut self.value)
    }
}

impl Named for SecretPlan {
    fn parts(&mut self) -> (&str, &str, &[String], &mut PlannedValue) {
        (&self.name, &self.file, &self.key_path, &mut self.value)
    }
}

/// Drops what has a name that is taken already, refuses the first of that name, and says so.
fn unique<T: Named>(plans: &mut Vec<T>, problems: &mut Vec<MappingProblem>) {
    let mut kept: Vec<T> = Vec::new();
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    for mut plan in plans.drain(..) {
        let (name, file, key_path, _) = plan.parts();
        let Some(first) = taken.get(name).copied() else {
            taken.insert(name.to_owned(), kept.len());
            kept.push(plan);
            continue;
        };
        let (_, other, _, value) = kept[first].parts();
        let why = format!("{name} comes from {other} too");
        problems.push(MappingProblem::new(file, key_path, why.clone()));
        *value = PlannedValue::Refused(format!("{name} comes from {other} and {file}"));
    }
    *plans = kept;
}

#[cfg(test)]
mod tests;
