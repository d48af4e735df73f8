//! What Plumb needs to work, looked at piece by piece. Every call only reads.

mod account;
pub mod integrity;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::inspect::document;
use super::keys::{Keyring, Keys, Kms, keyring};
use super::session::{Access, Session};
use super::{map, project};
use crate::compare::Why;
use crate::config::{Depth, Environ, PROJECT_FILE, Settings};
use crate::git::Repository;
use crate::sops::{self, Document, MacPolicy, Recipient};
use crate::visible::cut;

/// How one thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// As it should be.
    Ok,
    /// It could not be looked at, or matters to some only; no reason to fail.
    Note,
    /// Something does not work.
    Problem,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// `git`, `config`, `keys`, `account`, `permissions` or `terminal`.
    pub area: &'static str,
    /// What: a file, a permission, a variable.
    pub subject: String,
    /// How it is.
    pub health: Health,
    /// What was found.
    pub found: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Check {
    fn new(area: &'static str, subject: impl Into<String>, health: Health, found: impl Into<String>) -> Self {
        Self { area, subject: subject.into(), health, found: found.into(), hint: None }
    }

    fn ok(area: &'static str, subject: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(area, subject, Health::Ok, found)
    }

    fn note(area: &'static str, subject: impl Into<String>, found: impl Into<String>) -> Self {
        Self::new(area, subject, Health::Note, found)
    }

    fn problem(area: &'static str, subject: impl Into<String>, why: &Why) -> Self {
        Self { hint: why.hint.clone(), ..Self::new(area, subject, Health::Problem, &*why.reason) }
    }

    fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }
}

/// What of the terminal has to be told, since only the command knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Terminal {
    /// Whether there is one.
    pub present: bool,
    /// Columns and rows, when they are known.
    pub size: Option<(u16, u16)>,
    /// Whether colours are wanted.
    pub colour: bool,
}

/// Looks at git, the project's files, and the keys that open them. Of AWS it asks KMS alone, about documents that no
/// age identity opens.
pub async fn local(settings: &Settings, root: &Path, keys: Arc<Keys>, access: &Access) -> Vec<Check> {
    let keyring = keyring(&keys, Kms::new(access.options(&settings.environment), None));
    let mut checks = vec![git_binary().await];
    let (settings, root): (Settings, PathBuf) = (settings.clone(), root.to_owned());
    let rest = tokio::task::spawn_blocking(move || {
        let mut checks = repository(&settings, &root);
        checks.extend(config(&settings, &root));
        checks.extend(documents(&settings, &root, &keys, &keyring));
        checks
    });
    match rest.await {
        Ok(found) => checks.extend(found),
        Err(error) => {
            checks.push(Check::new("git", "repository", Health::Problem, format!("an internal task failed: {error}")));
        }
    }
    checks
}

/// Looks at credentials, account, region, clock, and each permission that reading needs.
pub async fn account(session: &Session) -> Vec<Check> {
    Box::pin(account::checks(session)).await
}

/// What a check says when the account cannot be asked at all.
#[must_use]
pub fn no_account(subject: &str, why: &Why) -> Check {
    Check::problem("account", subject, why)
}

/// The check of a configuration that cannot be used.
#[must_use]
pub fn bad_config(error: &crate::config::Error) -> Check {
    Check { hint: error.hint(), ..Check::new("config", PROJECT_FILE, Health::Problem, error.to_string()) }
}

/// The user's own git, which fetches.
pub async fn git_binary() -> Check {
    let asked = tokio::process::Command::new("git").arg("--version").stdin(std::process::Stdio::null()).output().await;
    match asked {
        Ok(output) if output.status.success() => {
            Check::ok("git", "git", String::from_utf8_lossy(&output.stdout).trim().to_owned())
        }
        Ok(output) => Check::new("git", "git", Health::Problem, format!("it ended with {}", output.status))
            .hint("install git: fetching and committing are done by it"),
        Err(error) => Check::new("git", "git", Health::Problem, format!("cannot be run: {error}"))
            .hint("install git: fetching and committing are done by it"),
    }
}

fn told(error: &crate::git::Error) -> Why {
    Why { hint: error.hint(), ..super::failed(error) }
}

fn repository(settings: &Settings, root: &Path) -> Vec<Check> {
    let repository = match Repository::discover(root) {
        Ok(repository) => repository,
        Err(error) => return vec![Check::problem("git", "repository", &told(&error))],
    };
    let shallow = if repository.is_shallow() { ", shallow" } else { "" };
    let mut checks = vec![Check::ok("git", "repository", format!("{}{shallow}", repository.root().display()))];
    let reference = settings.environment.git_ref.clone().unwrap_or_else(|| repository.default_ref());
    match repository.resolve(&reference) {
        Err(error) => checks.push(Check::problem("git", format!("ref {reference}"), &told(&error))),
        Ok(commit) => {
            let short = commit.id.get(..7).unwrap_or(&commit.id);
            let dirty = if commit.dirty { "; the working tree has changes" } else { "" };
            checks.push(Check::ok(
                "git",
                format!("ref {reference}"),
                format!("{short} \"{}\"{dirty}", cut(&commit.subject, SUBJECT)),
            ));
            checks.push(fetched(&repository, &reference, commit.fetched_at));
        }
    }
    checks
}

/// Characters of a commit's subject that are worth a line.
const SUBJECT: usize = 100;

/// A day, in milliseconds: what is older is worth a word.
const OLD: i64 = 24 * 3600 * 1000;

fn fetched(repository: &Repository, reference: &str, at: Option<i64>) -> Check {
    let Some(remote) = repository.remote_of(reference) else {
        return Check::ok("git", "fetch", format!("{reference} is no remote's, nothing to fetch"));
    };
    match at {
        None => Check::note("git", "fetch", format!("{remote} was never fetched")).hint(format!("git fetch {remote}")),
        Some(at) => {
            let age = super::inspect::now().saturating_sub(at);
            let said = format!("{remote} was fetched {}", ago(age));
            if age > OLD {
                Check::note("git", "fetch", said).hint(format!("git fetch {remote}"))
            } else {
                Check::ok("git", "fetch", said)
            }
        }
    }
}

fn ago(milliseconds: i64) -> String {
    let seconds = milliseconds / 1000;
    match seconds {
        ..60 => format!("{seconds} s ago"),
        60..3600 => format!("{} min ago", seconds / 60),
        3600..86_400 => format!("{} h ago", seconds / 3600),
        _ => format!("{} days ago", seconds / 86_400),
    }
}

fn config(settings: &Settings, root: &Path) -> Vec<Check> {
    if settings.adhoc.is_some() {
        return vec![Check::note("config", PROJECT_FILE, "not used: --stack or --path was given")];
    }
    let environment = &settings.environment.name;
    let found = format!("project {}, environment {environment}", settings.project.name);
    let mut checks = vec![Check::ok("config", PROJECT_FILE, found)];
    // What is wrong with the ref is told among git's own.
    let Ok(maps) = map::map(settings, root, false) else { return checks };
    for map in maps {
        let names = |file: &map::MappedFile| file.parameters.len() + file.secrets.len();
        let items: usize = map.files.iter().map(names).sum();
        let found = format!("{}, {}", counted(map.files.len(), "file"), counted(items, "name"));
        checks.push(Check::ok("config", "files", found));
        let unmatched = map.unmatched.iter().map(|each| Check::note("config", &each.file, &each.why));
        checks.extend(unmatched);
        if let Some(last) = checks.last_mut().filter(|_| !map.unmatched.is_empty()) {
            last.hint = Some("plumb map lists what each pattern matches".to_owned());
        }
        checks.extend(map.notes.iter().map(|note| Check::note("config", &settings.file, note)));
        for each in &map.problems {
            let subject = if each.key.is_empty() { each.file.clone() } else { format!("{}: {}", each.file, each.key) };
            checks.push(Check::new("config", subject, Health::Problem, &each.why));
        }
    }
    if settings.project.state_bucket.is_none() {
        checks.push(
            Check::note("config", "state bucket", "none is named, so nothing can be recorded")
                .hint("[state] bucket in plumb.toml"),
        );
    }
    checks
}

fn counted(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// Whether each encrypted file of the environment opens with the keys that are there.
fn documents(settings: &Settings, root: &Path, keys: &Keys, keyring: &Keyring) -> Vec<Check> {
    let mut checks: Vec<Check> = keys
        .problems()
        .iter()
        .map(|problem| Check::new("keys", "age", Health::Problem, problem).hint("correct or unset the variable"))
        .collect();
    let recipients = keys.recipients();
    // What is wrong with the ref is told among git's own.
    let Ok(encrypted) = encrypted(settings, root) else { return checks };
    let for_kms =
        |document: &Document| document.groups().iter().flatten().any(|key| matches!(key, Recipient::Kms { .. }));
    match (recipients.is_empty(), encrypted.iter().all(|(_, document)| for_kms(document))) {
        (true, true) => checks.push(Check::ok("keys", "age", "no identity, and no file needs one")),
        (true, false) => checks.push(
            Check::new("keys", "age", Health::Problem, "no identity found")
                .hint("SOPS_AGE_KEY_FILE names the file of age keys, or put them in ~/.config/sops/age/keys.txt"),
        ),
        (false, _) => checks.push(Check::ok("keys", "age", recipients.join(", "))),
    }
    let mut opened = 0;
    for (file, document) in &encrypted {
        match document.open(keyring, MacPolicy::Verify) {
            Ok(_) => opened += 1,
            Err(error) => {
                let check = Check::new("keys", file, Health::Problem, error.in_place());
                checks.push(Check { hint: remedy(&error, file), ..check });
            }
        }
    }
    if opened > 0 {
        checks.push(Check::ok("keys", "encrypted files", format!("{} opened", counted(opened, "file"))));
    }
    checks
}

/// What opens a document that does not open.
fn remedy(error: &sops::Error, file: &str) -> Option<String> {
    match error {
        sops::Error::NoKey { .. } => Some(format!(
            "SOPS_AGE_KEY_FILE names the file of age keys; who has such a key lets yours in by sops updatekeys {file}"
        )),
        sops::Error::Mac { .. } => {
            Some(format!("git log -p -- {file} shows what changed it; sops {file} writes it anew"))
        }
        _ => None,
    }
}

fn encrypted(settings: &Settings, root: &Path) -> Result<Vec<(String, Document)>, Why> {
    let (_, snapshot) = project::compared(&settings.environment, root)?;
    let maps = map::map(settings, root, false)?;
    let files: BTreeSet<&str> = maps.iter().flat_map(|map| &map.files).map(|file| file.file.as_str()).collect();
    let mut found = Vec::new();
    for file in files {
        let Some(blob) = snapshot.read(file).map_err(|error| told(&error))? else { continue };
        // What is no document at all is told with the config.
        if let Ok(document) = document(file, &blob.bytes)
            && document.is_encrypted()
        {
            found.push((file.to_owned(), document));
        }
    }
    Ok(found)
}

/// What the console can draw.
#[must_use]
pub fn terminal(environ: &Environ, terminal: Terminal) -> Vec<Check> {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| Some((name, environ.get(name)?)));
    let utf8 = |value: &str| value.to_ascii_lowercase().replace('-', "").contains("utf8");
    let mut checks = vec![match locale {
        Some((name, value)) if utf8(value) => Check::ok("terminal", "locale", format!("{name}={value}")),
        Some((name, value)) => {
            Check::note("terminal", "locale", format!("{name}={value} is not UTF-8: plain ASCII is drawn"))
                .hint("LC_ALL=C.UTF-8")
        }
        None => Check::note("terminal", "locale", "none is set: plain ASCII is drawn").hint("LC_ALL=C.UTF-8"),
    }];
    if !terminal.present {
        checks.push(Check::note("terminal", "terminal", "stdout is no terminal, and the console needs one"));
        return checks;
    }
    let colours = match (terminal.colour, Depth::detect(|name| environ.get(name).map(str::to_owned))) {
        (false, _) => "off, by NO_COLOR",
        (true, Depth::Rgb) => "16 million",
        (true, Depth::Palette) => "256",
        (true, Depth::Sixteen) => "16",
        (true, Depth::None) => "none",
    };
    checks.push(Check::ok("terminal", "colours", colours.to_owned()));
    checks.push(match terminal.size {
        Some((columns, rows)) if columns >= 60 && rows >= 16 => {
            Check::ok("terminal", "size", format!("{columns} x {rows}"))
        }
        Some((columns, rows)) => {
            Check::note("terminal", "size", format!("{columns} x {rows} is small")).hint("the console needs 60 x 16")
        }
        None => Check::note("terminal", "size", "the terminal does not tell its size"),
    });
    checks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environ(pairs: &[(&str, &str)]) -> Environ {
        Environ(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn the_terminal_is_judged_by_what_it_says() {
        let there = Terminal { present: true, size: Some((120, 40)), colour: true };
        let found = terminal(&environ(&[("LANG", "de_DE.utf8"), ("TERM", "xterm-256color")]), there);
        assert!(found.iter().all(|check| check.health == Health::Ok), "{found:#?}");
        assert_eq!(found[1].found, "256");
        let found = terminal(&environ(&[("LC_ALL", "C"), ("LANG", "C.UTF-8")]), Terminal::default());
        assert!(found[0].found.starts_with("LC_ALL=C is not UTF-8") && found[0].hint.is_some());
        let small = terminal(&environ(&[]), Terminal { size: Some((59, 40)), ..there });
        assert!(small[2].hint.is_some());
    }

    #[test]
    fn ages_are_told_in_what_one_counts_them_in() {
        for (seconds, said) in [(5, "5 s ago"), (120, "2 min ago"), (7200, "2 h ago"), (200_000, "2 days ago")] {
            assert_eq!(ago(seconds * 1000), said);
        }
    }
}
