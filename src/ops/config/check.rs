//! Whether every document is what it should be: encrypted, unaltered, for whom the rules say, and such as AWS takes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::crypt::listed;
use super::layer::{find_rule, root};
use super::opener::Opener;
use crate::compare::Why;
use crate::config::mapping::{self, DocNode, PlannedValue, Sorted, Store, tier_refused, value_refused};
use crate::config::{ParameterType, Project, Settings};
use crate::git::{Repository, WORKTREE};
use crate::ops::git_why;
use crate::ops::inspect::{doc_node, document};
use crate::ops::project;
use crate::sops::{CreationRule, Document, Format, Recipient};

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Checked {
    /// The files that were looked at.
    pub files: Vec<String>,
    /// What is wrong, by file and key; the key is empty where it is the file as a whole.
    pub problems: BTreeMap<(String, String), Vec<Why>>,
}

impl Checked {
    fn add(&mut self, file: &str, key: &str, why: Why) {
        let known = self.problems.entry((file.to_owned(), key.to_owned())).or_default();
        if !known.contains(&why) {
            known.push(why);
        }
    }
}

/// Checks the documents of every environment: those of the working tree, or of a ref if one is given.
pub fn check(opener: &Opener, settings: &Settings, reference: Option<&str>) -> Result<Checked, Why> {
    let root = root(settings)?;
    let repository = Repository::discover(&root).map_err(|error| git_why(&error))?;
    let prefix = repository.prefix_of(&root).map_err(|error| git_why(&error))?;
    let snapshot = repository.snapshot(reference.unwrap_or(WORKTREE), &prefix).map_err(|error| git_why(&error))?;
    let entries = snapshot.list("").map_err(|error| git_why(&error))?;
    let listing: Vec<&str> = entries.iter().map(|entry| entry.path.as_str()).collect();
    // What a commit is checked for is what it says itself.
    let project = &project::at(settings, &snapshot)?;
    let all: Vec<Sorted> =
        settings.environments.iter().map(|each| mapping::sort_files(project, &each.name, &listing)).collect();
    let mut checked = Checked::default();
    let mut nodes: BTreeMap<String, DocNode> = BTreeMap::new();
    for (file, secret) in documents(project, &all) {
        checked.files.push(file.clone());
        let bytes = match snapshot.read(&file) {
            Ok(blob) => blob.map(|blob| blob.bytes).unwrap_or_default(),
            Err(error) => {
                checked.add(&file, "", git_why(&error));
                continue;
            }
        };
        match document(&file, &bytes) {
            Ok(document) => nodes.extend(one(opener, &root, &document, secret, &mut checked).map(|node| (file, node))),
            Err(why) => checked.add(&file, "", why),
        }
    }
    for sorted in &all {
        values(project, sorted, &nodes, &mut checked);
    }
    Ok(checked)
}

/// The files of all environments, and whether they hold what must not lie in clear whatever the rules say.
pub(super) fn documents(project: &Project, all: &[Sorted]) -> BTreeMap<String, bool> {
    let mut found = BTreeMap::new();
    for each in all.iter().flat_map(|sorted| &sorted.config) {
        let tree = project.config.get(each.tree_index);
        let secure = tree.is_some_and(|tree| tree.parameter_type == ParameterType::SecureString);
        *found.entry(each.file.clone()).or_default() |= secure;
    }
    for each in all.iter().flat_map(|sorted| &sorted.secrets) {
        found.insert(each.file.clone(), true);
    }
    found
}

/// One document, with its tree if it opens.
fn one(opener: &Opener, root: &Path, document: &Document, secret: bool, checked: &mut Checked) -> Option<DocNode> {
    let file = document.name().to_owned();
    let rule = find_rule(&root.join(&file), &file);
    if let Some(plain) = document.plain() {
        if secret || matches!(rule, Ok(Some(_))) {
            let hint = format!("plumb config encrypt --in-place {file}; what git has seen in clear is to be replaced");
            checked.add(&file, "", Why::new("it is not encrypted").hint(hint));
        }
        return Some(doc_node(&plain));
    }
    match rule {
        Ok(Some(rule)) => obeys(document, &rule, checked),
        Ok(None) => {}
        Err(why) => checked.add(&file, "", why),
    }
    match opener.open(document) {
        Ok(unlocked) => unlocked.node().ok().map(doc_node),
        Err(why) => {
            checked.add(&file, "", why);
            None
        }
    }
}

fn obeys(document: &Document, rule: &CreationRule, checked: &mut Checked) {
    let file = document.name();
    let set = |groups: &[Vec<Recipient>]| {
        groups
            .iter()
            .map(|group| listed(std::slice::from_ref(group)).into_iter().collect::<BTreeSet<_>>())
            .collect::<Vec<_>>()
    };
    let (is, should) = (document.groups(), &rule.groups);
    let threshold = rule.threshold.map_or(should.len(), usize::from);
    if set(&is) != set(should) || (should.len() > 1 && document.threshold() != threshold) {
        let (is, should) = (listed(&is), listed(should));
        let only = |one: &[String], other: &[String]| {
            let only: Vec<&str> = one.iter().filter(|each| !other.contains(each)).map(String::as_str).collect();
            if only.is_empty() { "none".to_owned() } else { only.join(", ") }
        };
        let why = format!(
            "its recipients are not those of its creation rule: {} missing, {} too many",
            only(&should, &is),
            only(&is, &should)
        );
        checked.add(file, "", Why::new(why).hint(format!("plumb config updatekeys {file}")));
    }
    let same = document.selector().is_none_or(|selector| *selector == rule.rules.selector);
    if !same && document.format() != Format::Binary {
        let why = Why::new("what of it is encrypted is not what its creation rule says");
        checked.add(file, "", why.hint(format!("plumb config decrypt --in-place {file}, then encrypt it again")));
    }
}

/// Names and values, as they would be pushed.
fn values(project: &Project, sorted: &Sorted, nodes: &BTreeMap<String, DocNode>, checked: &mut Checked) {
    let mapped = mapping::map(project, sorted, |file| nodes.get(file));
    for problem in mapped.problems {
        // Why a document is not there is told already.
        if nodes.contains_key(&problem.file) || !checked.problems.contains_key(&(problem.file.clone(), String::new())) {
            checked.add(&problem.file, &problem.key, Why::new(problem.why));
        }
    }
    let tier = |tree: usize| project.config.get(tree).map(|tree| tree.tier);
    let parameters = mapped.parameters.into_iter().map(|it| (tier(it.tree_index), it.file, it.key_path, it.value));
    let secrets = mapped.secrets.into_iter().map(|it| (None, it.file, it.key_path, it.value));
    for (tier, file, path, value) in parameters.chain(secrets) {
        let (PlannedValue::Text(text) | PlannedValue::Json(text)) = value else { continue };
        let store = if tier.is_some() { Store::Parameter } else { Store::Secret };
        let refused = value_refused(store, &text).map(Why::new);
        let refused = refused.or_else(|| {
            let why = tier_refused(tier?, &text)?;
            Some(Why::new(why).hint("tier = \"advanced\" in its [[config]] table, if it may cost that"))
        });
        if let Some(why) = refused {
            checked.add(&file, &path.join("."), why);
        }
    }
}
