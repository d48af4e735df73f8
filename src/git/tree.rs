//! The id that git would give to files, without any repository: so that source that lies in a binary or in a directory
//! outside of git is named as a commit would name it.

use std::collections::BTreeMap;

use git2::{ObjectType, Oid};

use super::Error;

/// A file to be named.
#[derive(Debug, Clone, Copy)]
pub struct File<'a> {
    /// Its path, with `/` between steps.
    pub path: &'a str,
    /// What it holds, as git stores it.
    pub bytes: &'a [u8],
    /// Whether it may be executed.
    pub executable: bool,
}

/// The tree id, 40 hex digits, of exactly these files.
pub fn tree_id(files: &[File<'_>]) -> Result<String, Error> {
    let mut root = Node::default();
    for file in files {
        root.insert(file.path, file)?;
    }
    Ok(root.id()?.to_string())
}

#[derive(Default)]
struct Node {
    /// By the key that git sorts by: a directory's name counts as if it ended in `/`.
    entries: BTreeMap<Vec<u8>, Entry>,
}

enum Entry {
    File(&'static str, Oid),
    Directory(Node),
}

impl Node {
    fn insert(&mut self, path: &str, file: &File<'_>) -> Result<(), Error> {
        if let Some((directory, rest)) = path.split_once('/') {
            let key = format!("{directory}/").into_bytes();
            let entry = self.entries.entry(key).or_insert_with(|| Entry::Directory(Node::default()));
            // A key that ends in `/` is a directory's.
            return if let Entry::Directory(node) = entry { node.insert(rest, file) } else { Ok(()) };
        }
        let mode = if file.executable { "100755" } else { "100644" };
        let blob = hash(ObjectType::Blob, file.bytes, path)?;
        self.entries.insert(path.as_bytes().to_vec(), Entry::File(mode, blob));
        Ok(())
    }

    fn id(&self) -> Result<Oid, Error> {
        let mut bytes = Vec::new();
        for (key, entry) in &self.entries {
            let (mode, id) = match entry {
                Entry::File(mode, id) => (*mode, *id),
                Entry::Directory(node) => ("40000", node.id()?),
            };
            bytes.extend(mode.as_bytes());
            bytes.push(b' ');
            bytes.extend(key.strip_suffix(b"/").unwrap_or(key));
            bytes.push(0);
            bytes.extend(id.as_bytes());
        }
        hash(ObjectType::Tree, &bytes, "the tree")
    }
}

fn hash(kind: ObjectType, bytes: &[u8], what: &str) -> Result<Oid, Error> {
    Oid::hash_object(kind, bytes)
        .map_err(|error| Error::Read { what: what.to_owned(), reason: error.message().to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::git::testing::Fixture;

    #[test]
    fn it_is_the_id_that_git_gives() {
        let fixture = Fixture::new();
        // `a.b` sorts before the directory `a`, whose name counts as `a/`, and `a0` after it.
        let files = [("a/x", "1", false), ("a/y/z", "2", false), ("a.b", "", true), ("a0", "3", false)];
        for (path, text, executable) in files {
            fixture.write(path, text);
            let mode = if executable { 0o755 } else { 0o644 };
            let path = fixture.path().join(path);
            std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
        }
        fixture.git(&["add", "."]);
        let named = files.map(|(path, text, executable)| File { path, bytes: text.as_bytes(), executable });
        assert_eq!(tree_id(&named).unwrap(), fixture.git(&["write-tree"]));
    }
}
