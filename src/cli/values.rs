//! What a shell is told when it asks for the values of an argument: names from the project file and from git.
//!
//! No network and no key is asked; where something cannot be read, there is nothing to complete.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::sync::OnceLock;

use clap::{CommandFactory, FromArgMatches};
use clap_complete::CompletionCandidate;

use super::{Cli, Global, Shared};
use crate::compare::Kind;
use crate::config::{Environ, Settings};
use crate::ops::names;

/// The environments of the project file.
pub(super) fn environments() -> Vec<CompletionCandidate> {
    let names = settings_of_any().map(|(_, settings)| settings.environments).unwrap_or_default();
    all(names.into_iter().map(|environment| environment.name))
}

/// What can be compared with: commits by their names, and the working tree.
pub(super) fn references() -> Vec<CompletionCandidate> {
    all(commit_names().into_iter().flat_map(|names| names.into_iter().chain([String::from("WORKTREE")])))
}

/// What can be recorded: the working tree is no commit.
pub(super) fn commits() -> Vec<CompletionCandidate> {
    all(commit_names().into_iter().flatten())
}

/// Branches, tags and HEAD; `None`: there is no project.
fn commit_names() -> Option<Vec<String>> {
    let (_, settings) = settings_of_any()?;
    let mut names = settings.root.and_then(|root| names::refs(&root).ok()).unwrap_or_default();
    names.push(String::from("HEAD"));
    Some(names)
}

/// The names of the console's themes, by the environment variables.
pub(super) type Themes = fn(&Environ) -> Vec<String>;

/// Who knows the themes: only the console does, and a shell asks before anything runs.
static THEMES: OnceLock<Themes> = OnceLock::new();

/// Says who knows the themes.
pub(super) fn tell(themes: Themes) {
    THEMES.get_or_init(|| themes);
}

/// The themes.
pub(super) fn themes() -> Vec<CompletionCandidate> {
    all(THEMES.get().map(|themes| themes(&Environ::of_process())).unwrap_or_default())
}

/// The stacks of the project.
pub(super) fn stacks() -> Vec<CompletionCandidate> {
    all(known(Some(Kind::Stack)).into_iter().filter(|name| !name.contains('/')))
}

/// The paths that parameters lie below: those of services, and further down.
pub(super) fn paths() -> Vec<CompletionCandidate> {
    let parameters = known(Some(Kind::Parameter));
    let above = |name: &String| {
        let ends = name.match_indices('/').map(|(at, _)| at).filter(|at| *at > 0);
        ends.map(|at| name[..at].to_owned()).collect::<Vec<_>>()
    };
    all(parameters.iter().flat_map(above).collect::<BTreeSet<_>>())
}

/// The services of the project, and its secrets.
pub(super) fn services() -> Vec<CompletionCandidate> {
    let Some((_, settings)) = settings_of_any() else { return Vec::new() };
    let Some(root) = settings.root.clone() else { return Vec::new() };
    all(names::services(&settings, &root).unwrap_or_default())
}

/// The kinds of items.
pub(super) fn kinds() -> Vec<CompletionCandidate> {
    all(Kind::ALL.map(|kind| kind.code().to_owned()))
}

/// The items of the kind that stands before; of every kind, when none does.
pub(super) fn items() -> Vec<CompletionCandidate> {
    let words = words();
    let kind = words.iter().find_map(|word| Kind::ALL.into_iter().find(|kind| word.to_str() == Some(kind.code())));
    all(known(kind))
}

fn all(names: impl IntoIterator<Item = String>) -> Vec<CompletionCandidate> {
    names.into_iter().map(CompletionCandidate::new).collect()
}

/// Names of git's side: of the environment that is named, else of all.
fn known(kind: Option<Kind>) -> Vec<String> {
    let Some((shared, any)) = settings_of_any() else { return Vec::new() };
    let Some(root) = any.root.clone() else { return Vec::new() };
    let environments = match shared.settings() {
        Ok(settings) => vec![settings.environment],
        Err(_) => any.environments.clone(),
    };
    let found = environments.iter().filter_map(|environment| names::items(&any, environment, &root).ok());
    let wanted = found.flatten().filter(|(of, _)| kind.is_none_or(|kind| kind == *of));
    wanted.map(|(_, name)| name).collect::<BTreeSet<_>>().into_iter().collect()
}

/// The settings that the flags typed so far lead to, with whichever environment they allow.
fn settings_of_any() -> Option<(Shared, Settings)> {
    let command = Cli::command().ignore_errors(true);
    let matches = command.try_get_matches_from(words()).ok()?;
    // With these there would be no project; and one of them may be what is being typed.
    let global = Global { stack: None, path: None, ..Global::from_arg_matches(&matches).ok()? }.without_blanks();
    let shared = Shared::new(global.clone());
    // The environment may be what is being typed.
    let settings = shared.settings_of_any().or_else(|_| Shared::new(Global { env: None, ..global }).settings_of_any());
    Some((shared, settings.ok()?))
}

/// The line that is being typed, as the shell hands it on: after `--`, with the command first.
fn words() -> Vec<OsString> {
    std::env::args_os().skip_while(|word| word != "--").skip(1).collect()
}
