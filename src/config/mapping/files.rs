//! Which files of a commit are config documents and secrets of one environment.

use std::collections::BTreeSet;

use super::whole::MappingProblem;
use crate::config::pattern::{Bindings, Pattern, Placeholder};
use crate::config::project::Project;

/// A config document of an environment, or of the global layer that it inherits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFile {
    /// Its path.
    pub file: String,
    /// Which of the project's config trees it belongs to.
    pub tree_index: usize,
    /// Its service; empty when the tree knows none.
    pub service: String,
    /// Its layer: the global one's name, or the environment's.
    pub layer: String,
    /// Whether that is the global one.
    pub global: bool,
    /// The same, bound for the patterns; `{env}` is the environment, in the global layer too.
    pub bindings: Bindings,
}

/// A document that secrets come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretDocument {
    /// Its path.
    pub file: String,
    /// Which of the project's secret files it belongs to.
    pub secret_index: usize,
    /// The environment, and the service where the pattern tells one.
    pub bindings: Bindings,
}

/// A file that lies where the project's documents lie, and is none of any environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmatched {
    /// Its path.
    pub file: String,
    /// Why: no pattern matches, or there is no environment of that name.
    pub why: String,
}

/// The files of a commit, sorted for one environment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sorted {
    /// The config documents, in the order of the listing; a file may belong to several trees.
    pub config: Vec<ConfigFile>,
    /// The documents of secrets, likewise.
    pub secrets: Vec<SecretDocument>,
    /// Files that look as if they were meant, and are not.
    pub unmatched: Vec<Unmatched>,
    /// Patterns that cannot be used, and files that can be read in two ways.
    pub problems: Vec<MappingProblem>,
}

/// Sorts a listing of paths, from the project's root, for one environment.
pub fn sort_files(project: &Project, env: &str, listing: &[impl AsRef<str>]) -> Sorted {
    let mut sorted = Sorted::default();
    let environments: Vec<&str> = project.environments.iter().map(|environment| environment.name.as_str()).collect();
    let sources = sources(project, &environments, &mut sorted.problems);
    for file in listing {
        sort(&sources, env, file.as_ref(), &mut sorted);
    }
    sorted
}

/// One file pattern of the project.
struct Source<'p> {
    pattern: Pattern,
    of: Of<'p>,
    /// The names that `{env}` may stand for.
    layers: BTreeSet<&'p str>,
}

#[derive(Clone, Copy, PartialEq)]
enum Of<'p> {
    Config { tree_index: usize, global: &'p str },
    Secret { secret_index: usize },
}

fn sources<'p>(project: &'p Project, environments: &[&'p str], problems: &mut Vec<MappingProblem>) -> Vec<Source<'p>> {
    let mut texts: Vec<(&str, Of<'p>)> = Vec::new();
    for (tree_index, tree) in project.config.iter().enumerate() {
        texts.extend(tree.files.iter().map(|text| (text.as_str(), Of::Config { tree_index, global: &tree.global })));
    }
    for (secret_index, secret) in project.secrets.iter().enumerate() {
        texts.push((&secret.file, Of::Secret { secret_index }));
    }
    let mut sources = Vec::new();
    for (text, of) in texts {
        let mut layers: BTreeSet<&str> = environments.iter().copied().collect();
        if let Of::Config { global, .. } = of {
            layers.insert(global);
        }
        match Pattern::parse(text) {
            Ok(pattern) => sources.push(Source { pattern, of, layers }),
            Err(error) => problems.push(MappingProblem::new(text, &[], error.to_string())),
        }
    }
    sources
}

fn sort(sources: &[Source<'_>], env: &str, file: &str, sorted: &mut Sorted) {
    let mut taken: Vec<(Of<'_>, Bindings)> = Vec::new();
    let mut stranger = None;
    for source in sources {
        let known = |hole: Placeholder, value: &str| match hole {
            Placeholder::Env | Placeholder::Layer => source.layers.contains(value),
            _ => true,
        };
        for reading in source.pattern.readings(file, &known) {
            let reading = (source.of, reading);
            if !taken.contains(&reading) {
                taken.push(reading);
            }
        }
        stranger = stranger.or_else(|| source.pattern.matches(file)?.env);
    }
    for (index, (of, bindings)) in taken.iter().enumerate() {
        if taken[..index].iter().any(|(other, _)| other == of) {
            let why = "the patterns can be read in two ways for this file; put a \"/\" between {service} and {env}";
            sorted.problems.push(MappingProblem::new(file, &[], why));
            continue;
        }
        match of {
            Of::Config { tree_index, global } => {
                sorted.config.extend(config_file(file, *tree_index, global, bindings, env));
            }
            Of::Secret { secret_index } => {
                if bindings.env.as_deref().is_none_or(|bound| bound == env) {
                    let bindings = Bindings { env: Some(env.to_owned()), ..bindings.clone() };
                    sorted.secrets.push(SecretDocument {
                        file: file.to_owned(),
                        secret_index: *secret_index,
                        bindings,
                    });
                }
            }
        }
    }
    if taken.is_empty() {
        let why = match stranger {
            Some(name) => Some(format!("there is no environment \"{name}\"")),
            None => {
                sources.iter().any(|source| is_near(&source.pattern, file)).then(|| "no pattern matches".to_owned())
            }
        };
        sorted.unmatched.extend(why.map(|why| Unmatched { file: file.to_owned(), why }));
    }
}

fn config_file(file: &str, tree_index: usize, global: &str, found: &Bindings, env: &str) -> Option<ConfigFile> {
    let bound = [found.env.as_deref(), found.layer.as_deref()].into_iter().flatten().next();
    // A tree without {env} in its files has one layer that all environments share.
    let layer = bound.unwrap_or(global);
    if layer != env && layer != global {
        return None;
    }
    let bindings = Bindings {
        env: Some(env.to_owned()),
        layer: Some(layer.to_owned()),
        service: found.service.clone(),
        ..Bindings::default()
    };
    Some(ConfigFile {
        file: file.to_owned(),
        tree_index,
        service: found.service.clone().unwrap_or_default(),
        layer: layer.to_owned(),
        global: layer == global,
        bindings,
    })
}

/// Whether a file lies where the pattern's files lie. Where that is the whole repository, only files that lie as deep
/// and end like the pattern's are worth a word.
fn is_near(pattern: &Pattern, file: &str) -> bool {
    let depth = |path: &str| path.matches('/').count();
    match pattern.directory() {
        "" => {
            !pattern.ending().is_empty()
                && file.ends_with(pattern.ending())
                && depth(file) == depth(&pattern.to_string())
        }
        directory => file.starts_with(directory),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::parse_project;

    const PROJECT: &str = "name = \"p\"\n[[config]]\nfiles = \"config/{service}/{env}/config.json\"\n[[secrets]]\n\
                           name = \"{env}/p/{key}\"\nfile = \"secrets/{env}.json\"\nshape = \"key\"\n[environments.dev]\n[environments.prod]\n";

    fn sorted(project: &str, files: &[&str]) -> Sorted {
        sort_files(&parse_project("plumb.toml", project).unwrap().0, "dev", files)
    }

    #[test]
    fn each_file_goes_where_it_belongs() {
        let files = [
            "README.md",
            "config/README.md",
            "config/billing/dev/config.json",
            "config/billing/global/config.json",
            "config/billing/prod/config.json",
            "config/billing/staging/config.json",
            "config/billing/dev/old.json",
            "secrets/dev.json",
            "secrets/prod.json",
            "secrets/global.json",
            "functions/index.js",
        ];
        let sorted = sorted(PROJECT, &files);
        let config: Vec<_> = sorted
            .config
            .iter()
            .map(|each| (each.file.as_str(), each.service.as_str(), each.layer.as_str(), each.global))
            .collect();
        assert_eq!(config, [(files[2], "billing", "dev", false), (files[3], "billing", "global", true)]);
        assert_eq!(sorted.config[1].bindings.env.as_deref(), Some("dev"));
        assert_eq!(
            sorted.secrets,
            [SecretDocument { file: files[7].into(), secret_index: 0, bindings: Bindings::env("dev") }]
        );
        let unmatched: Vec<_> = sorted.unmatched.iter().map(|each| (each.file.as_str(), each.why.as_str())).collect();
        assert_eq!(
            unmatched,
            [
                (files[1], "no pattern matches"),
                (files[5], "there is no environment \"staging\""),
                (files[6], "no pattern matches"),
                (files[9], "there is no environment \"global\""),
            ]
        );
        assert_eq!(sorted.problems, []);
    }

    #[test]
    fn a_file_that_can_be_read_in_two_ways_is_a_problem() {
        let project =
            "name = \"p\"\n[[config]]\nfiles = \"c/{service}-{env}.json\"\n[environments.dev]\n[environments.eu-dev]\n";
        let found = sorted(project, &["c/a-eu-dev.json", "c/a-dev.json"]);
        assert_eq!(found.problems.len(), 1);
        assert_eq!(found.problems[0].file, "c/a-eu-dev.json");
        assert!(found.config.iter().any(|each| each.file == "c/a-dev.json" && each.service == "a"));
    }

    #[test]
    fn a_pattern_at_the_root_says_nothing_about_the_rest_of_the_repository() {
        let project = "name = \"p\"\n[[config]]\nfiles = \"{service}/config.{env}.json\"\n[environments.dev]\n";
        let found = sorted(project, &["src/main.rs", "a/config.dev.json", "a/config.qa.json", "a/b/other.json"]);
        assert_eq!(found.config.len(), 1);
        assert_eq!(found.unmatched.iter().map(|each| each.file.as_str()).collect::<Vec<_>>(), ["a/config.qa.json"]);
    }

    #[test]
    fn files_without_an_environment_are_the_layer_that_all_share() {
        let project = "name = \"p\"\n[[config]]\nfiles = \"c/{service}.json\"\nparameter = \"/{service}/{key}\"\n[environments.dev]\n";
        let found = sorted(project, &["c/a.json"]);
        assert!(found.config[0].global && found.config[0].layer == "global");
    }
}
