//! Who can read what; and for a key that has leaked, every value that it could ever open, through all of history.

use std::collections::{BTreeMap, BTreeSet};

use super::hook::git;
use super::layer::root;
use crate::compare::Why;
use crate::config::Settings;
use crate::git::Repository;
use crate::ops::git_why;
use crate::sops::{Document, Format};

/// A value that a key could open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readable {
    /// Its file, from the repository's top.
    pub file: String,
    /// Its keys from the root, joined by `.`.
    pub key: String,
    /// How many versions of it the key could open.
    pub versions: usize,
    /// The commit of the first of them.
    pub first: String,
    /// The commit of the last.
    pub last: String,
    /// Whether the value at HEAD is one of them.
    pub current: bool,
}

/// One version of a file, as history has it.
struct Version {
    commit: String,
    file: String,
    blob: String,
}

/// Every value that a recipient could ever open: on any branch or tag, in any version. Whoever opened one version has its
/// data key, and so opens the later ones under the same key, although they may not name that recipient any more.
///
/// `None`: no version of any document ever named it.
pub fn rotation_list(settings: &Settings, recipient: &str) -> Result<Option<Vec<Readable>>, Why> {
    let repository = Repository::discover(&root(settings)?).map_err(|error| git_why(&error))?;
    if repository.is_shallow() {
        return Err(Why::new("the clone is shallow, and what it lacks cannot be searched")
            .hint("git fetch --unshallow gets all of its history"));
    }
    let mut opened: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut found: BTreeMap<(String, String), (BTreeSet<String>, String, String)> = BTreeMap::new();
    let mut named = false;
    for version in versions(&repository)? {
        let bytes = repository.blob(&version.blob).map_err(|error| git_why(&error))?;
        let Some((recipients, values)) = sealed(&version.file, &bytes) else { continue };
        let known = opened.entry(version.file.clone()).or_default();
        let names_it = recipients.iter().any(|each| is_meant(each, recipient));
        named |= names_it;
        if !names_it && !values.values().any(|text| known.contains(text)) {
            continue;
        }
        for (key, text) in values {
            known.insert(text.clone());
            let place = found.entry((version.file.clone(), key));
            let (texts, _, last) =
                place.or_insert_with(|| (BTreeSet::new(), version.commit.clone(), version.commit.clone()));
            if texts.insert(text) {
                last.clone_from(&version.commit);
            }
        }
    }
    let head = repository.snapshot("HEAD", "").map_err(|error| git_why(&error))?;
    let mut now: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for file in opened.keys() {
        let blob = head.read(file).map_err(|error| git_why(&error))?;
        let values = blob.and_then(|blob| sealed(file, &blob.bytes)).map(|(_, values)| values);
        now.insert(file.clone(), values.unwrap_or_default());
    }
    let list = found.into_iter().map(|((file, key), (texts, first, last))| {
        let current = now.get(&file).and_then(|values| values.get(&key)).is_some_and(|text| texts.contains(text));
        Readable { file, key, versions: texts.len(), first, last, current }
    });
    Ok(named.then(|| list.collect()))
}

/// Whether a recipient, such as `age age1…`, is the one that was typed, with its kind or without.
fn is_meant(recipient: &str, typed: &str) -> bool {
    recipient == typed || recipient.split_once(' ').is_some_and(|(_, id)| id == typed)
}

/// Who opens a document, and its encrypted values as they stand; `None`: it is none, or not encrypted.
fn sealed(file: &str, bytes: &[u8]) -> Option<(Vec<String>, BTreeMap<String, String>)> {
    // Most files of a repository are no documents, and not worth being parsed.
    let marked = bytes.windows(4).any(|word| word == b"ENC[") && bytes.windows(4).any(|word| word == b"sops");
    let document = Document::parse(file, bytes).ok().filter(|document| marked && document.is_encrypted())?;
    let leaves = document.leaves().into_iter().filter(|(_, leaf)| leaf.is_encrypted());
    let values = leaves.map(|(path, leaf)| {
        let key = if document.format() == Format::Binary { "the file".to_owned() } else { path.join(".") };
        (key, leaf.text().to_owned())
    });
    Some((document.recipients(), values.collect()))
}

/// Every version of every file on all branches and tags, the oldest first.
fn versions(repository: &Repository) -> Result<Vec<Version>, Why> {
    const BEGIN: &str = "commit ";
    let log =
        ["log", "--all", "HEAD", "--reverse", "--topo-order", "-m", "--root", "--raw", "--no-abbrev", "--no-renames"];
    let format = format!("--format={BEGIN}%H");
    let told = git(repository.root(), &[&log[..], &["-z", "--diff-filter=d", &format]].concat())?;
    let told = String::from_utf8_lossy(&told);
    let mut found = Vec::new();
    let mut commit = "";
    let mut blob = None;
    for part in told.split('\0').map(|part| part.trim_start_matches('\n')) {
        if let Some(file) = blob.take() {
            let (file, id): (&str, &str) = (part, file);
            found.push(Version { commit: commit.to_owned(), file: file.to_owned(), blob: id.to_owned() });
        } else if let Some(fields) = part.strip_prefix(':') {
            // Modes, then ids, then what was done; a submodule has no blob.
            let mut fields = fields.split(' ').skip(1);
            blob = match (fields.next(), fields.nth(1)) {
                (Some("160000") | None, _) => None,
                (_, id) => id,
            };
        } else if let Some(id) = part.strip_prefix(BEGIN) {
            commit = id.split('\n').next().unwrap_or(id);
        }
    }
    Ok(found)
}
