//! The files of one commit.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Error, Repository, WORKTREE, worktree};

const DIRECTORY: i32 = 0o040_000;
const EXECUTABLE: i32 = 0o100_755;
const SYMLINK: i32 = 0o120_000;
const SUBMODULE: i32 = 0o160_000;

/// The files below one directory as they are at one commit, or as they were in the working tree when the snapshot was
/// taken. Paths are relative to that directory, with `/` between steps. Nothing in it follows symbolic links or
/// submodules. Cheap to clone.
#[derive(Clone)]
pub struct Snapshot {
    source: Source,
    commit: String,
    prefix: String,
    tree: Option<git2::Oid>,
    shallow: bool,
}

#[derive(Clone)]
enum Source {
    Repository(Repository),
    /// A handle whose object database also holds, in memory only, what a commit of the working tree would write.
    Memory(Arc<Mutex<git2::Repository>>),
}

/// A file's content, exactly as git stores it: no line ending is changed.
#[derive(Clone, PartialEq, Eq)]
pub struct Blob {
    /// The object id, 40 hex digits.
    pub id: String,
    /// The content.
    pub bytes: Vec<u8>,
}

/// One file of a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its path from the snapshot's directory.
    pub path: String,
    /// Its object id, 40 hex digits; of a submodule, the commit's.
    pub id: String,
    /// What it is.
    pub kind: EntryKind,
}

/// What an entry of a tree is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryKind {
    /// A file.
    File,
    /// A file that may be run.
    Executable,
    /// A symbolic link; its blob is the target's path.
    Symlink,
    /// A commit of another repository.
    Submodule,
}

impl Repository {
    /// The files below `prefix` (`""` for all, else like `apps/petshop`) at a ref or commit, or those of the working
    /// tree for [`WORKTREE`]: tracked ones and untracked ones that are not ignored, read once, now.
    ///
    /// A prefix that does not exist at that commit gives an empty snapshot: the project began later.
    pub fn snapshot(&self, reference: &str, prefix: &str) -> Result<Snapshot, Error> {
        let prefix = clean(prefix)?;
        let (commit, root, shallow) = {
            let git = self.git();
            let commit = self.commit_of(&git, reference)?;
            (commit.id().to_string(), commit.tree_id(), git.is_shallow())
        };
        let (source, root) = if reference == WORKTREE {
            let memory = self.another()?;
            let root = worktree::write_tree(&memory, &prefix)?;
            (Source::Memory(Arc::new(Mutex::new(memory))), root)
        } else {
            (Source::Repository(self.clone()), root)
        };
        let mut snapshot = Snapshot { source, commit, prefix: String::new(), tree: Some(root), shallow };
        if !prefix.is_empty() {
            snapshot.tree = match snapshot.find(&prefix)? {
                None => None,
                Some((id, DIRECTORY)) => Some(id),
                Some((_, mode)) => return Err(snapshot.not_a_file(&prefix, mode)),
            };
            snapshot.prefix = prefix;
        }
        Ok(snapshot)
    }
}

impl Repository {
    /// The content of a blob by its id, 40 hex digits, whatever commit has it.
    pub fn blob(&self, id: &str) -> Result<Vec<u8>, Error> {
        let read = |error: git2::Error| Error::reading(format!("the object {id}"), &error);
        let git = self.git();
        let id = git2::Oid::from_str(id).map_err(read)?;
        git.find_blob(id).map(|blob| blob.content().to_vec()).map_err(read)
    }
}

impl Snapshot {
    /// The commit's full id, 40 hex digits; of the working tree, HEAD's.
    #[must_use]
    pub fn commit(&self) -> &str {
        &self.commit
    }

    /// A file's content, or `None` when the commit does not have it.
    ///
    /// Fails with [`Error::NotAFile`] for directories, symbolic links and submodules, and with [`Error::Missing`] when
    /// the clone lacks the object.
    pub fn read(&self, path: &str) -> Result<Option<Blob>, Error> {
        let path = clean(path)?;
        let Some((id, mode)) = self.find(&path)? else { return Ok(None) };
        if matches!(mode, DIRECTORY | SYMLINK | SUBMODULE) {
            return Err(self.not_a_file(&path, mode));
        }
        let bytes = self.with(|git| git.find_blob(id).map(|blob| blob.content().to_vec()));
        let bytes = bytes.map_err(|error| self.lost(&path, id, &error))?;
        Ok(Some(Blob { id: id.to_string(), bytes }))
    }

    /// All files below a directory (`""` for all), in the order of their paths; one entry when `under` is itself a
    /// file, none when it does not exist. A byte of a name that is not UTF-8 shows as `U+FFFD`.
    pub fn list(&self, under: &str) -> Result<Vec<Entry>, Error> {
        let under = clean(under)?;
        let mut entries = Vec::new();
        let Some((id, mode)) = self.find(&under)? else { return Ok(entries) };
        if mode == DIRECTORY {
            self.walk(id, &under, &mut entries)?;
        } else {
            entries.push(entry(under, id, mode));
        }
        // Git's own order sorts directories as if their names ended in `/`; paths sort the same way only by luck.
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(entries)
    }

    /// The object id of a file or directory (`""`: the snapshot's own directory), 40 hex digits; `None` when the
    /// commit does not have it. Equal ids mean equal content, and nothing below is read to know it.
    pub fn tree_id(&self, path: &str) -> Result<Option<String>, Error> {
        Ok(self.find(&clean(path)?)?.map(|(id, _)| id.to_string()))
    }

    /// Object and mode of a path below the snapshot's directory.
    fn find(&self, path: &str) -> Result<Option<(git2::Oid, i32)>, Error> {
        let Some(mut id) = self.tree else { return Ok(None) };
        let mut mode = DIRECTORY;
        let mut seen = String::new();
        for step in path.split('/').filter(|step| !step.is_empty()) {
            // Below a file, a symbolic link or a submodule the commit has nothing.
            if mode != DIRECTORY {
                return Ok(None);
            }
            let next = self.with(|git| {
                let tree = git.find_tree(id)?;
                Ok(tree.get_name_bytes(step.as_bytes()).map(|entry| (entry.id(), kind_bits(entry.filemode()))))
            });
            match next.map_err(|error| self.lost(if seen.is_empty() { "the root" } else { &seen }, id, &error))? {
                Some(found) => (id, mode) = found,
                None => return Ok(None),
            }
            seen = join(&seen, step);
        }
        Ok(Some((id, mode)))
    }

    fn walk(&self, id: git2::Oid, path: &str, entries: &mut Vec<Entry>) -> Result<(), Error> {
        let children: Result<Vec<_>, _> = self.with(|git| {
            let tree = git.find_tree(id)?;
            let child = |entry: git2::TreeEntry<'_>| {
                (String::from_utf8_lossy(entry.name_bytes()).into_owned(), entry.id(), kind_bits(entry.filemode()))
            };
            Ok(tree.iter().map(child).collect())
        });
        for (name, id, mode) in children.map_err(|error| self.lost(path, id, &error))? {
            let path = join(path, &name);
            if mode == DIRECTORY {
                self.walk(id, &path, entries)?;
            } else {
                entries.push(entry(path, id, mode));
            }
        }
        Ok(())
    }

    fn with<T>(&self, read: impl FnOnce(&git2::Repository) -> Result<T, git2::Error>) -> Result<T, git2::Error> {
        let lock: MutexGuard<'_, git2::Repository> = match &self.source {
            Source::Repository(repository) => repository.git(),
            Source::Memory(handle) => handle.lock().unwrap_or_else(PoisonError::into_inner),
        };
        read(&lock)
    }

    fn lost(&self, path: &str, id: git2::Oid, error: &git2::Error) -> Error {
        Error::object(&join(&self.prefix, path), id, self.shallow, error)
    }

    fn not_a_file(&self, path: &str, mode: i32) -> Error {
        let what = match mode {
            DIRECTORY => "a directory",
            SYMLINK => "a symbolic link",
            SUBMODULE => "a submodule",
            _ => "a file",
        };
        Error::NotAFile { path: join(&self.prefix, path), what, commit: self.commit.clone() }
    }
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Snapshot").field("commit", &self.commit).field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Blob {
    // What a file holds may be a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Blob").field("id", &self.id).field("bytes", &self.bytes.len()).finish()
    }
}

/// A path without empty and `.` steps; one that leaves the tree is refused.
pub(super) fn clean(path: &str) -> Result<String, Error> {
    let bad = |reason| Error::BadPath { path: path.into(), reason };
    if path.starts_with('/') {
        return Err(bad("it is absolute"));
    }
    let mut steps = Vec::new();
    for step in path.split('/') {
        match step {
            "" | "." => {}
            ".." => return Err(bad("it leads upwards")),
            step if step.contains('\0') => return Err(bad("it holds a NUL")),
            step => steps.push(step),
        }
    }
    Ok(steps.join("/"))
}

fn join(parent: &str, name: &str) -> String {
    if parent.is_empty() { name.to_owned() } else { format!("{parent}/{name}") }
}

/// The mode without permission bits: files of any permissions are files.
fn kind_bits(mode: i32) -> i32 {
    mode & 0o170_000
}

fn entry(path: String, id: git2::Oid, mode: i32) -> Entry {
    let kind = match mode {
        SYMLINK => EntryKind::Symlink,
        SUBMODULE => EntryKind::Submodule,
        EXECUTABLE => EntryKind::Executable,
        _ => EntryKind::File,
    };
    Entry { path, id: id.to_string(), kind }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Fixture;
    use super::*;

    fn paths(snapshot: &Snapshot, under: &str) -> Vec<String> {
        snapshot.list(under).unwrap().into_iter().map(|entry| entry.path).collect()
    }

    #[test]
    fn a_snapshot_reads_the_commit_and_not_the_working_tree() {
        let fixture = Fixture::with_commit();
        fixture.write("a.txt", "not committed");
        fixture.write("b.txt", "untracked");
        let snapshot = fixture.open().snapshot("HEAD", "").unwrap();
        let blob = snapshot.read("a.txt").unwrap().unwrap();
        assert_eq!(blob.bytes, b"one\n");
        assert_eq!(blob.id, fixture.git(&["rev-parse", "HEAD:a.txt"]));
        assert_eq!(snapshot.read("b.txt").unwrap(), None);
        assert_eq!(snapshot.commit(), fixture.git(&["rev-parse", "HEAD"]));
        assert_eq!(snapshot.tree_id("").unwrap().unwrap(), fixture.git(&["rev-parse", "HEAD^{tree}"]));
    }

    #[test]
    fn a_snapshot_stays_at_its_commit_when_the_branch_moves() {
        let fixture = Fixture::with_commit();
        let snapshot = fixture.open().snapshot("main", "").unwrap();
        fixture.commit("a.txt", "two\n", "Second");
        assert_eq!(snapshot.read("a.txt").unwrap().unwrap().bytes, b"one\n");
    }

    #[test]
    fn line_endings_are_untouched() {
        let fixture = Fixture::new();
        fixture.git(&["config", "core.autocrlf", "false"]);
        fixture.commit("crlf.txt", "a\r\nb\r\n", "Windows");
        fixture.git(&["config", "core.autocrlf", "true"]);
        let snapshot = fixture.open().snapshot("HEAD", "").unwrap();
        assert_eq!(snapshot.read("crlf.txt").unwrap().unwrap().bytes, b"a\r\nb\r\n");
    }

    #[test]
    fn a_project_in_a_subfolder_sees_only_its_own_files() {
        let fixture = Fixture::with_commit();
        fixture.write("apps/petshop/config/x.json", "{}");
        fixture.commit("apps/petshop-2/y", "", "Petshop");
        let repository = fixture.open();
        let snapshot = repository.snapshot("HEAD", "apps/petshop").unwrap();
        assert_eq!(paths(&snapshot, ""), ["config/x.json"]);
        assert_eq!(snapshot.read("./config//x.json").unwrap().unwrap().bytes, b"{}");
        assert_eq!(
            snapshot.tree_id("config").unwrap().unwrap(),
            fixture.git(&["rev-parse", "HEAD:apps/petshop/config"])
        );
        let earlier = repository.snapshot("HEAD~1", "apps/petshop").unwrap();
        assert_eq!(paths(&earlier, ""), [""; 0]);
        assert_eq!((earlier.read("config/x.json").unwrap(), earlier.tree_id("").unwrap()), (None, None));
        assert!(matches!(repository.snapshot("HEAD", "a.txt"), Err(Error::NotAFile { what: "a file", .. })));
    }

    #[test]
    fn a_listing_is_recursive_sorted_and_takes_a_file_for_itself() {
        let fixture = Fixture::new();
        for path in ["a.b/x", "a/y", "a/c/z", "b"] {
            fixture.write(path, path);
        }
        fixture.commit("a-b", "", "Files");
        let snapshot = fixture.open().snapshot("HEAD", "").unwrap();
        assert_eq!(paths(&snapshot, ""), ["a-b", "a.b/x", "a/c/z", "a/y", "b"]);
        assert_eq!(paths(&snapshot, "a"), ["a/c/z", "a/y"]);
        assert_eq!(paths(&snapshot, "a/"), ["a/c/z", "a/y"]);
        assert_eq!(paths(&snapshot, "b"), ["b"]);
        assert_eq!(paths(&snapshot, "absent"), [""; 0]);
        assert_eq!(paths(&snapshot, "b/below"), [""; 0]);
    }

    #[cfg(unix)]
    #[test]
    fn symbolic_links_and_submodules_are_listed_and_not_followed() {
        let fixture = Fixture::with_commit();
        std::os::unix::fs::symlink("/etc", fixture.path().join("link")).unwrap();
        let commit = fixture.git(&["rev-parse", "HEAD"]);
        fixture.git(&["add", "link"]);
        fixture.git(&["update-index", "--add", "--cacheinfo", &format!("160000,{commit},vendor")]);
        fixture.git(&["commit", "-q", "-m", "Odd entries"]);
        for reference in ["HEAD", WORKTREE] {
            let snapshot = fixture.open().snapshot(reference, "").unwrap();
            let kinds: Vec<_> = snapshot.list("").unwrap().into_iter().map(|entry| (entry.path, entry.kind)).collect();
            let mut expected = vec![("a.txt".to_owned(), EntryKind::File), ("link".to_owned(), EntryKind::Symlink)];
            expected.push(("vendor".to_owned(), EntryKind::Submodule));
            if reference == WORKTREE {
                // The submodule's directory is not there.
                expected.pop();
            }
            assert_eq!(kinds, expected, "{reference}");
            assert!(matches!(snapshot.read("link"), Err(Error::NotAFile { what: "a symbolic link", .. })));
            assert_eq!(snapshot.read("link/hostname").unwrap(), None);
        }
        let snapshot = fixture.open().snapshot("HEAD", "").unwrap();
        let error = snapshot.read("vendor").unwrap_err();
        assert!(matches!(error, Error::NotAFile { what: "a submodule", .. }));
        assert_eq!(snapshot.tree_id("vendor").unwrap(), Some(commit));
    }

    #[test]
    fn paths_that_leave_the_tree_are_refused() {
        let fixture = Fixture::with_commit();
        let snapshot = fixture.open().snapshot("HEAD", "").unwrap();
        for path in ["/etc/passwd", "../a", "a/../../b", "a\0b"] {
            assert!(matches!(snapshot.read(path), Err(Error::BadPath { .. })), "{path:?}");
        }
    }

    #[test]
    fn a_missing_object_says_which_and_what_to_do() {
        let fixture = Fixture::with_commit();
        let id = fixture.git(&["rev-parse", "HEAD:a.txt"]);
        std::fs::remove_file(fixture.path().join(".git/objects").join(&id[..2]).join(&id[2..])).unwrap();
        let snapshot = fixture.open().snapshot("HEAD", "").unwrap();
        assert_eq!(paths(&snapshot, ""), ["a.txt"]);
        let error = snapshot.read("a.txt").unwrap_err();
        assert_eq!(error, Error::Missing { what: "a.txt".into(), id, shallow: false });
        assert!(error.hint().unwrap().contains("git fetch --refetch --no-filter"));
    }

    #[test]
    fn a_shallow_clone_reads_what_it_has_and_says_how_to_deepen() {
        let fixture = Fixture::with_commit();
        let first = fixture.git(&["rev-parse", "HEAD"]);
        fixture.commit("a.txt", "two\n", "Second");
        let url = format!("file://{}", fixture.path().display());
        let clone = fixture.clone_from(&url, "shallow", &["--depth=1"]);
        let repository = Repository::discover(&clone).unwrap();
        assert!(repository.is_shallow());
        assert_eq!(repository.snapshot("HEAD", "").unwrap().read("a.txt").unwrap().unwrap().bytes, b"two\n");
        for reference in [first.as_str(), "HEAD~1"] {
            let error = repository.snapshot(reference, "").unwrap_err();
            assert!(error.hint().unwrap().contains("git fetch --unshallow"), "{error:?}");
        }
        fixture.git_in(&clone, &["fetch", "-q", "--unshallow"]);
        assert_eq!(repository.snapshot(&first, "").unwrap().read("a.txt").unwrap().unwrap().bytes, b"one\n");
    }

    #[test]
    fn a_blob_does_not_print_its_content() {
        let blob = Blob { id: "1".into(), bytes: b"hunter2".to_vec() };
        assert_eq!(format!("{blob:?}"), "Blob { id: \"1\", bytes: 7 }");
    }
}
