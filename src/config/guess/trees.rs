//! Config trees, guessed from paths alone: files that differ only in the name of an environment.

use std::collections::{BTreeMap, BTreeSet};

use crate::config::check;

const ENVIRONMENTS: [&str; 19] = [
    "dev",
    "develop",
    "development",
    "test",
    "testing",
    "qa",
    "int",
    "integration",
    "uat",
    "stage",
    "staging",
    "preprod",
    "sandbox",
    "demo",
    "prod",
    "production",
    "prd",
    "live",
    "local",
];
const SHARED: [&str; 6] = ["global", "common", "shared", "base", "default", "all"];

/// Files that look like one config tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Tree {
    /// Their pattern, with `{env}` and perhaps `{service}`.
    pub(super) pattern: String,
    /// One of them.
    pub(super) example: String,
    /// How many there are.
    pub(super) count: usize,
    /// The environments in their paths.
    pub(super) environments: BTreeSet<String>,
    /// The layer that looks shared.
    pub(super) global: Option<String>,
    /// Whether `.sops.yaml` means them.
    pub(super) encrypted: bool,
    /// Whether they were looked at, and are not encrypted.
    pub(super) plain: bool,
    /// Whether the path speaks of secrets.
    pub(super) secrets: bool,
}

impl Tree {
    pub(super) fn parameter_name(&self) -> &'static str {
        if self.pattern.contains("{service}") { "/{service}/{layer}/{key}" } else { "/{layer}/{key}" }
    }

    pub(super) fn secret_name(&self) -> String {
        if self.pattern.contains("{service}") { "{env}/{service}/{key}".into() } else { "{env}/{key}".into() }
    }
}

/// Whether a name can be an environment's, and is not one that layers have which all environments share.
pub(super) fn is_name(name: &str) -> bool {
    check::environment(name).is_ok() && !SHARED.contains(&name)
}

/// The trees among the files; `encrypted` are parts of paths that `.sops.yaml` speaks of.
pub(super) fn find(files: &[String], encrypted: &[String]) -> Vec<Tree> {
    let mut by_env: BTreeMap<String, BTreeMap<&str, &str>> = BTreeMap::new();
    for file in files.iter().filter(|file| is_document(file)) {
        if let Some((pattern, name)) = with_env(file) {
            by_env.entry(pattern).or_default().insert(name, file);
        }
    }
    let grouped = with_services(&by_env);
    let mut trees = Vec::new();
    for (pattern, members) in grouped {
        let names: BTreeSet<&str> = members.iter().map(|(name, _)| *name).collect();
        let environments: BTreeSet<String> =
            names.iter().filter(|name| ENVIRONMENTS.contains(name)).map(|name| (*name).to_owned()).collect();
        if names.len() < 2 || environments.is_empty() {
            continue;
        }
        let example = members.first().map(|(_, file)| (*file).to_owned()).unwrap_or_default();
        trees.push(Tree {
            encrypted: encrypted.iter().any(|part| example.contains(part)),
            plain: false,
            secrets: pattern.to_lowercase().contains("secret"),
            global: names.iter().find(|name| SHARED.contains(name)).map(|name| (*name).to_owned()),
            count: members.len(),
            example,
            environments,
            pattern,
        });
    }
    trees
}

/// Documents, but none of those that tools keep for themselves.
fn is_document(file: &str) -> bool {
    let document = [".json", ".yaml", ".yml"].iter().any(|ending| file.ends_with(ending));
    let foreign = file.split('/').any(|part| {
        part.starts_with('.')
            || ["node_modules", "cdk.out", "target", "vendor", "dist", "build", "test", "tests"].contains(&part)
    });
    document && !foreign && check::files(&[])(file).is_ok()
}

/// The path with `{env}` where it names a known environment as a whole part, or as a word of the file's name.
fn with_env(file: &str) -> Option<(String, &str)> {
    let known = |word: &str| ENVIRONMENTS.contains(&word) || SHARED.contains(&word);
    let mut at = 0;
    for part in file.split('/') {
        let mut inner = at;
        let last = at + part.len() == file.len();
        let words = if last { part.split(['.', '-', '_']).collect() } else { vec![part] };
        for word in words {
            if known(word) {
                return Some((format!("{}{{env}}{}", &file[..inner], &file[inner + word.len()..]), word));
            }
            inner += word.len() + 1;
        }
        at += part.len() + 1;
    }
    None
}

/// Joins patterns that differ in one directory only: that is the service's.
fn with_services<'f>(
    by_env: &BTreeMap<String, BTreeMap<&'f str, &'f str>>,
) -> BTreeMap<String, Vec<(&'f str, &'f str)>> {
    let mut candidates: BTreeMap<String, Vec<&String>> = BTreeMap::new();
    for pattern in by_env.keys() {
        let parts: Vec<&str> = pattern.split('/').collect();
        for index in 0..parts.len().saturating_sub(1) {
            if !parts[index].contains("{env}") {
                let mut general = parts.clone();
                general[index] = "{service}";
                candidates.entry(general.join("/")).or_default().push(pattern);
            }
        }
    }
    let mut order: Vec<_> = candidates.into_iter().filter(|(_, patterns)| patterns.len() > 1).collect();
    order.sort_by_key(|(_, patterns)| std::cmp::Reverse(patterns.len()));
    let mut used: BTreeSet<&String> = BTreeSet::new();
    let mut grouped: BTreeMap<String, Vec<(&str, &str)>> = BTreeMap::new();
    for (general, patterns) in &order {
        let free: Vec<&&String> = patterns.iter().filter(|pattern| !used.contains(*pattern)).collect();
        if free.len() > 1 {
            for pattern in free {
                used.insert(pattern);
                grouped
                    .entry(general.clone())
                    .or_default()
                    .extend(by_env[*pattern].iter().map(|(name, file)| (*name, *file)));
            }
        }
    }
    for (pattern, members) in by_env.iter().filter(|(pattern, _)| !used.contains(pattern)) {
        grouped.insert(pattern.clone(), members.iter().map(|(name, file)| (*name, *file)).collect());
    }
    grouped
}
