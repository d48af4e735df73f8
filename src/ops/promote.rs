//! Takes values from one environment to another, in git: compared key by key, and committed to a new branch for whoever
//! reviews it. Asks no AWS; what is rolled out is what is pushed afterwards.

mod documents;
mod edit;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use globset::GlobBuilder;

use self::documents::{Key, Sheet};
use super::keys::{Keyring, Opener};
use super::{failed, git_why, project};
use crate::compare::{Facet, Only, Why, differs_only_in};
use crate::config::{Environment, Settings};
use crate::git::Repository;
use crate::secret::Secret;
use crate::sops::KeyService;

/// What is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The environment that values come from.
    pub from: String,
    /// The environment that they go to, or the name of the global layer.
    pub to: String,
}

/// Two environments' documents side by side.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// What was asked for.
    pub ask: Ask,
    /// The ref and the commit that values come from.
    pub from: (String, String),
    /// The ref and the commit that a new branch begins at.
    pub to: (String, String),
    /// Every key that one of the two has.
    pub rows: Vec<Row>,
    /// Documents that cannot be read or opened, by path, and why. Nothing can be promoted into one of them.
    pub problems: Vec<(String, Why)>,
    /// The environments that the target's layer reaches.
    pub reaches: Vec<String>,
    there: Sheet,
    here: Sheet,
    opens: Opens,
}

/// What opens, and writes, the documents of the target.
#[derive(Clone)]
struct Opens(Arc<Keyring>);

impl fmt::Debug for Opens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opens")
    }
}

/// A key, in both environments.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// `billing/db/pool`; of a secret `secrets/stripe`.
    pub key: String,
    /// How the two stand.
    pub state: State,
    /// The value that would be taken.
    pub from: Facet,
    /// The value that is there.
    pub to: Facet,
    /// The one thing in which they differ.
    pub only: Option<Only>,
    /// The document that it would be written to.
    pub file: String,
    /// Of the global layer: environments that have a value of their own for it, and so are not reached.
    pub overridden: Vec<String>,
    id: Key,
}

/// How a key stands in two environments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The same value.
    Same,
    /// Different values.
    Different,
    /// Only where values come from.
    OnlyHere,
    /// Only where values go to.
    OnlyThere,
    /// A value cannot be read.
    Unknown,
}

impl State {
    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Different => "different",
            Self::OnlyHere => "only here",
            Self::OnlyThere => "only there",
            Self::Unknown => "unknown",
        }
    }
}

/// A commit with promoted values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promoted {
    /// Its branch.
    pub branch: String,
    /// Its id.
    pub commit: String,
    /// The keys.
    pub keys: Vec<String>,
    /// The files that it changes.
    pub files: Vec<String>,
}

/// Puts two environments side by side, each at its own ref; the project file of the target's commit says which documents
/// there are. `root` is the project's directory. Reads the disk, may ask KMS, and may take a while: to be called where
/// blocking is allowed.
pub fn compare(settings: &Settings, root: &Path, opener: &Opener, ask: &Ask) -> Result<Comparison, Why> {
    let repository = Repository::discover(root).map_err(|error| git_why(&error))?;
    let prefix = repository.prefix_of(root).map_err(|error| git_why(&error))?;
    let from = environment(settings, &ask.from)?;
    let is_global = settings.project.config.iter().any(|tree| tree.global == ask.to);
    // The global layer is edited where the values come from.
    let to = if is_global { from } else { environment(settings, &ask.to)? };
    if !is_global && from.name == to.name {
        return Err(
            Why::new("both are the same environment").hint("--from and --to name two, or --to the global layer")
        );
    }
    let reference = |of: &Environment| of.git_ref.clone().unwrap_or_else(|| repository.default_ref());
    let at = |reference: String| -> Result<(String, String), Why> {
        let commit = repository.resolve(&reference).map_err(|error| git_why(&error))?.id;
        Ok((reference, commit))
    };
    let (from_ref, to_ref) = (at(reference(from))?, at(reference(to))?);
    let snapshot = |commit: &str| repository.snapshot(commit, &prefix).map_err(|error| git_why(&error));
    let project = &project::at(settings, &snapshot(&to_ref.1)?)?;
    let sheet = |commit: &str, keys: Option<&Keyring>, env: &str, global: Option<&str>| {
        Sheet::read(project, &snapshot(commit)?, keys.map(|keys| keys as &dyn KeyService), env, global)
    };
    let opens = |of: &Environment| opener.of(settings.environments.iter().find(|it| it.name == of.name).unwrap_or(of));
    let (opens_from, opens_to) = (opens(from), opens(to));
    let here = sheet(&from_ref.1, Some(&opens_from), &from.name, None)?;
    let there = sheet(&to_ref.1, Some(&opens_to), &to.name, is_global.then_some(ask.to.as_str()))?;
    let mut problems: BTreeMap<String, Why> = BTreeMap::new();
    problems.extend(here.problems.iter().cloned().chain(there.problems.iter().cloned()));
    let mut rows = rows(&here, &there);
    let mut reaches = vec![to.name.clone()];
    if is_global {
        reaches = project.environments.iter().map(|environment| environment.name.clone()).collect();
        for environment in &project.environments {
            let (_, commit) = at(reference(environment))?;
            let own = sheet(&commit, None, &environment.name, None)?;
            for row in rows.iter_mut().filter(|row| own.has(&row.id)) {
                row.overridden.push(environment.name.clone());
            }
        }
    }
    let problems = problems.into_iter().collect();
    Ok(Comparison {
        ask: ask.clone(),
        from: from_ref,
        to: to_ref,
        rows,
        problems,
        reaches,
        there,
        here,
        opens: Opens(opens_to),
    })
}

fn environment<'s>(settings: &'s Settings, name: &str) -> Result<&'s Environment, Why> {
    let environments = &settings.project.environments;
    environments.iter().find(|environment| environment.name == name).ok_or_else(|| {
        let names: Vec<&str> = environments.iter().map(|environment| environment.name.as_str()).collect();
        Why::new(format!("there is no environment {name}")).hint(format!("one of {}", names.join(", ")))
    })
}

fn rows(here: &Sheet, there: &Sheet) -> Vec<Row> {
    let ids: BTreeSet<&Key> = here.keys().chain(there.keys()).collect();
    ids.into_iter()
        .filter_map(|id| {
            let (from, to) = (here.facet(id), there.facet(id));
            let text = |facet: &Facet| match facet {
                Facet::Secret(secret) => Some(secret.clone()),
                Facet::Plain(text) => Some(Secret::new(text.as_str())),
                _ => None,
            };
            let (one, two) = (text(&from), text(&to));
            let state = match (&from, &to) {
                (Facet::Unreadable(_), _) | (_, Facet::Unreadable(_)) => State::Unknown,
                (_, Facet::Absent) => State::OnlyHere,
                (Facet::Absent, _) => State::OnlyThere,
                _ if one == two => State::Same,
                _ => State::Different,
            };
            let only = one.zip(two).and_then(|(one, two)| differs_only_in(one.expose(), two.expose()));
            let file = there.file_for(id)?;
            Some(Row { key: id.to_string(), state, from, to, only, file, overridden: Vec::new(), id: id.clone() })
        })
        .collect()
}

impl Comparison {
    /// The rows whose keys fit one of these globs (`billing/db/*`), and would change something.
    pub fn choose(&self, wanted: &[String]) -> Result<Vec<&Row>, Why> {
        let mut chosen: BTreeMap<&str, &Row> = BTreeMap::new();
        for text in wanted {
            let glob = GlobBuilder::new(text).build().map_err(|error| failed(&error))?.compile_matcher();
            let fitting: Vec<&Row> =
                self.rows.iter().filter(|row| row.key == *text || glob.is_match(&row.key)).collect();
            if fitting.is_empty() {
                return Err(Why::new(format!("neither {} nor {} has a key {text}", self.ask.from, self.ask.to))
                    .hint("without KEYS all of them are listed"));
            }
            chosen.extend(fitting.into_iter().map(|row| (row.key.as_str(), row)));
        }
        let rows: Vec<&Row> = chosen.into_values().collect();
        if let Some(row) = rows.iter().find(|row| row.state == State::Unknown) {
            let why = [&row.from, &row.to].into_iter().find_map(|facet| match facet {
                Facet::Unreadable(why) => Some(why.clone()),
                _ => None,
            });
            let why = why.unwrap_or_else(|| Why::new("it cannot be read"));
            return Err(Why { reason: format!("{} cannot be promoted: {}", row.key, why.reason), ..why });
        }
        Ok(rows.into_iter().filter(|row| matches!(row.state, State::Different | State::OnlyHere)).collect())
    }

    /// The name of a branch for a promotion.
    #[must_use]
    pub fn branch(&self) -> String {
        let short = self.from.1.get(..7).unwrap_or(&self.from.1);
        format!("promote-{}-to-{}-{short}", self.ask.from, self.ask.to)
    }
}

/// Commits the chosen values to a new branch, which begins where the target's ref is. `lastmodified` is the time now, RFC
/// 3339 in whole seconds; each document's other values keep their ciphertexts.
pub fn commit(
    root: &Path,
    comparison: &Comparison,
    chosen: &[&Row],
    branch: &str,
    lastmodified: &str,
) -> Result<Promoted, Why> {
    let repository = Repository::discover(root).map_err(|error| git_why(&error))?;
    let prefix = repository.prefix_of(root).map_err(|error| git_why(&error))?;
    let whole = repository.snapshot(&comparison.to.1, "").map_err(|error| git_why(&error))?;
    let mut by_file: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in chosen {
        by_file.entry(&row.file).or_default().push(row);
    }
    let mut files = Vec::new();
    for (file, rows) in by_file {
        let path = if prefix.is_empty() { file.to_owned() } else { format!("{prefix}/{file}") };
        let ids: Vec<&Key> = rows.iter().map(|row| &row.id).collect();
        let keys = comparison.opens.0.as_ref();
        let bytes = edit::document(&whole, &path, keys, &comparison.here, &comparison.there, file, &ids, lastmodified)?;
        files.push((path, bytes));
    }
    let (from, to) = (&comparison.ask.from, &comparison.ask.to);
    let listed = chosen.iter().map(|row| row.key.as_str()).collect::<Vec<_>>().join("\n");
    let (_, commit) = &comparison.from;
    let subject = match chosen {
        [row] => format!("Promote {} from {from} to {to}", row.key),
        rows => format!("Promote {} values from {from} to {to}", rows.len()),
    };
    let message = format!("{subject}\n\nAs {from} has them at {}:\n\n{listed}\n", commit.get(..12).unwrap_or(commit));
    let id =
        repository.commit_on_new_branch(branch, &comparison.to.1, &files, &message).map_err(|error| git_why(&error))?;
    Ok(Promoted {
        branch: branch.to_owned(),
        commit: id,
        keys: chosen.iter().map(|row| row.key.clone()).collect(),
        files: files.into_iter().map(|(path, _)| path).collect(),
    })
}
