//! The change list between sessions: encrypted, in the state directory, for a key that this user of this machine has.
//!
//! A change of it is on the disk before anybody is told that it was taken. Several consoles may share a list: each change
//! is made to what lies there, under a lock.

use std::fs::File as Handle;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::{Change, Place, Value};
use crate::compare::Why;
use crate::ops::config::file::{self, File, cannot};
use crate::ops::config::opener::{now, told};
use crate::ops::hex;
use crate::secret::Secret;
use crate::sops::{self, AgeIdentities, CreationRule, Document, Leaf, MacPolicy, Node, Rules};

const SCHEMA: &str = "1";
const FORMAT: &str = "list.json";

/// The list of one project.
#[derive(Debug, Clone)]
pub struct Kept {
    directory: PathBuf,
    path: PathBuf,
}

impl Kept {
    /// The list of the project that lies there.
    #[must_use]
    pub fn of(state: &Path, project: &Path) -> Self {
        let directory = state.join("changes");
        let name = hex(&Sha256::digest(project.as_os_str().as_encoded_bytes())[..8]);
        Self { path: directory.join(format!("{name}.json")), directory }
    }

    /// What is kept; nothing where nothing is.
    pub fn load(&self) -> Result<Vec<Change>, Why> {
        self.read().map(|found| found.map(|(_, changes)| changes).unwrap_or_default())
    }

    /// Changes the list; comes back when it is on the disk.
    pub fn change<T>(&self, work: impl FnOnce(&mut Vec<Change>) -> T) -> Result<(Vec<Change>, T), Why> {
        let _lock = self.lock()?;
        let found = self.read()?;
        let (file, mut changes) = found.map_or((None, Vec::new()), |(file, changes)| (Some(file), changes));
        let done = work(&mut changes);
        match file {
            Some(file) if changes.is_empty() => {
                std::fs::remove_file(&self.path).map_err(|error| cannot("remove", &file.name, &error))?;
            }
            Some(file) => drop(file.replace(&self.sealed(&changes)?)?),
            None if changes.is_empty() => {}
            None => file::create(&self.path, &self.name(), &self.sealed(&changes)?)?,
        }
        Ok((changes, done))
    }

    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn read(&self) -> Result<Option<(File, Vec<Change>)>, Why> {
        if self.path.symlink_metadata().is_err() {
            return Ok(None);
        }
        let failed = |why: Why| {
            let reason = format!("the change list that was kept cannot be opened: {}", why.reason);
            Why::new(reason)
                .hint(format!("it stays as {}; once that is moved away a new one begins", self.path.display()))
        };
        let file = File::read(&self.path, &self.name()).map_err(failed)?;
        let document = Document::parse(FORMAT, &file.bytes).map_err(|error| failed(told(&error)))?;
        let node = document.open(&self.identities().map_err(failed)?, MacPolicy::Verify);
        let node = node.map_err(|error| failed(told(&error)))?;
        let changes = changes(&node).ok_or_else(|| failed(Why::new("it is of another plumb")))?;
        Ok(Some((file, changes)))
    }

    fn sealed(&self, changes: &[Change]) -> Result<Vec<u8>, Why> {
        let identities = self.identities()?;
        let rule = CreationRule::for_age(&identities.recipients(), Rules::default());
        sops::encrypt_node(FORMAT, &node(changes), &rule, &identities, &now()).map_err(|error| told(&error))
    }

    fn key_path(&self) -> PathBuf {
        self.directory.join("key.txt")
    }

    /// The key of this machine's lists.
    fn identities(&self) -> Result<AgeIdentities, Why> {
        let path = self.key_path();
        let shown = path.display().to_string();
        let text =
            std::fs::read_to_string(&path).map(Zeroizing::new).map_err(|error| cannot("read", &shown, &error))?;
        AgeIdentities::parse(&text).map_err(|error| told(&error))
    }

    /// Waits for whoever else changes a list here; makes the directory and the key where there is none.
    fn lock(&self) -> Result<Handle, Why> {
        let shown = self.directory.display().to_string();
        let failed = |error: &std::io::Error| cannot("write to", &shown, error);
        std::fs::create_dir_all(&self.directory).map_err(|error| failed(&error))?;
        let lock = private(&self.directory.join("lock"), false).map_err(|error| failed(&error))?;
        flock(&lock, FlockOperation::LockExclusive).map_err(|error| failed(&error.into()))?;
        if self.key_path().symlink_metadata().is_err() && self.path.symlink_metadata().is_err() {
            let (_, identity) = sops::generate_age_key();
            let mut file = private(&self.key_path(), true).map_err(|error| failed(&error))?;
            let written = writeln!(file, "{}", identity.expose()).and_then(|()| file.sync_all());
            written.map_err(|error| failed(&error))?;
        }
        Ok(lock)
    }
}

/// A file for its owner alone.
fn private(path: &Path, new: bool) -> std::io::Result<Handle> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).create_new(new).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;

        options.mode(0o600);
    }
    options.open(path)
}

fn node(changes: &[Change]) -> Node {
    let text = |text: &str| Node::text(text);
    let value = |value: &Value| {
        Node::Map(vec![
            (String::from("text"), Node::Leaf(Leaf::Text(value.text.clone()))),
            (String::from("json"), Node::Leaf(Leaf::Bool(value.json))),
        ])
    };
    let one = |change: &Change| {
        let place = &change.place;
        let mut members = vec![
            (String::from("service"), text(&place.service)),
            (String::from("layer"), text(&place.layer)),
            (String::from("file"), text(&place.file)),
            (String::from("path"), Node::List(place.path.iter().map(|key| text(key)).collect())),
        ];
        members.extend(change.before.as_ref().map(|before| (String::from("before"), value(before))));
        members.extend(change.after.as_ref().map(|after| (String::from("after"), value(after))));
        Node::Map(members)
    };
    Node::Map(vec![
        (String::from("schema"), text(SCHEMA)),
        (String::from("changes"), Node::List(changes.iter().map(one).collect())),
    ])
}

fn changes(node: &Node) -> Option<Vec<Change>> {
    if text(node, "schema")? != Secret::new(SCHEMA) {
        return None;
    }
    let Node::List(items) = node.get(&["changes"])? else { return None };
    items.iter().map(one).collect()
}

fn one(node: &Node) -> Option<Change> {
    let plain = |key: &str| text(node, key).map(|text| text.expose().to_owned());
    let Node::List(keys) = node.get(&["path"])? else { return None };
    let keys = keys.iter().map(|key| match key {
        Node::Leaf(Leaf::Text(key)) => Some(key.expose().to_owned()),
        _ => None,
    });
    let value = |key: &str| match node.get(&[key]) {
        None => Some(None),
        Some(value) => {
            let is_json = value.get(&["json"])? == &Node::Leaf(Leaf::Bool(true));
            Some(Some(Value { text: text(value, "text")?, json: is_json }))
        }
    };
    Some(Change {
        place: Place {
            service: plain("service")?,
            layer: plain("layer")?,
            file: plain("file")?,
            path: keys.collect::<Option<_>>()?,
        },
        before: value("before")?,
        after: value("after")?,
    })
}

fn text(node: &Node, key: &str) -> Option<Secret> {
    match node.get(&[key])? {
        Node::Leaf(Leaf::Text(text)) => Some(text.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn change(key: &str, after: Option<&str>) -> Change {
        let value = |text: &str| Value { text: Secret::new(text), json: text.starts_with('[') };
        Change {
            place: Place {
                service: String::from("billing"),
                layer: String::from("dev"),
                file: String::from("config/billing/dev/config.json"),
                path: key.split('/').map(str::to_owned).collect(),
            },
            before: Some(value("[\"old\"]")),
            after: after.map(value),
        }
    }

    fn kept() -> (Kept, tempfile::TempDir) {
        let state = tempfile::tempdir().unwrap();
        (Kept::of(state.path(), Path::new("/projects/petshop")), state)
    }

    #[test]
    fn what_is_kept_comes_back_and_lies_there_encrypted_for_its_owner_alone() {
        let (kept, state) = kept();
        assert_eq!(kept.load().unwrap(), []);
        let value = generate();
        let changes = [change("db/pool", Some(&value)), change("gone", None), change("empty", Some(""))];
        kept.change(|list| list.extend(changes.clone())).unwrap();
        assert_eq!(Kept::of(state.path(), Path::new("/projects/petshop")).load().unwrap(), changes);
        for name in std::fs::read_dir(&kept.directory).unwrap() {
            let path = name.unwrap().path();
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(!text.contains(&value) && !text.contains("pool"), "{}", path.display());
        }
        let mode = std::fs::metadata(kept.key_path()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let other = Kept::of(state.path(), Path::new("/projects/orders"));
        assert_eq!(other.load().unwrap(), [], "each project has its own");
        kept.change(Vec::clear).unwrap();
        assert_eq!(kept.load().unwrap(), []);
        assert!(!kept.path.exists());
    }

    fn generate() -> String {
        super::super::generate(24, super::super::Alphabet::Letters).unwrap().expose().to_owned()
    }

    #[test]
    fn two_consoles_lose_nothing_of_each_other() {
        let (kept, _state) = kept();
        let add = |at: usize| {
            let kept = kept.clone();
            std::thread::spawn(move || kept.change(|list| list.push(change(&format!("key{at}"), Some("x")))).unwrap())
        };
        let threads: Vec<_> = (0..8).map(add).collect();
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(kept.load().unwrap().len(), 8);
    }

    #[test]
    fn a_list_that_cannot_be_opened_is_told_and_never_written_over() {
        let (kept, _state) = kept();
        kept.change(|list| list.push(change("db/pool", Some("x")))).unwrap();
        let bytes = std::fs::read(&kept.path).unwrap();
        std::fs::remove_file(kept.key_path()).unwrap();
        for why in [kept.load().unwrap_err(), kept.change(Vec::clear).unwrap_err()] {
            assert!(why.reason.contains("cannot be opened") && why.hint.is_some(), "{why}");
        }
        assert_eq!(std::fs::read(&kept.path).unwrap(), bytes);
        std::fs::write(&kept.path, &bytes[..bytes.len() / 2]).unwrap();
        assert!(kept.load().is_err());
    }
}
