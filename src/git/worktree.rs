//! The working tree as the tree that a commit of it would have.
//!
//! Nothing reaches the disk: neither the index nor an object is written. Filters of `.gitattributes` that need another
//! program, such as LFS, are not run: a changed file under one of them gets another id than `git add` would give it.

use std::path::Path;

use super::Error;

/// Above libgit2's own backends (1 and 2), so that every object written goes here.
const FIRST: i32 = 1000;
/// Bit of an index entry's extended flags: a sparse checkout left the file out, and it is not deleted.
const SKIP_WORKTREE: u16 = 1 << 14;

/// Puts what is below `prefix` in the working tree into a tree object in memory, and gives its id; what is elsewhere
/// stays as it is in the index. The handle must be the caller's own: its object database is changed.
pub(super) fn write_tree(git: &git2::Repository, prefix: &str) -> Result<git2::Oid, Error> {
    let failed = |error: git2::Error| Error::reading("the working tree", &error);
    git.odb().and_then(|odb| odb.add_new_mempack_backend(FIRST).map(drop)).map_err(failed)?;
    let mut index = git.index().map_err(failed)?;

    let mut options = git2::DiffOptions::new();
    options.include_untracked(true).recurse_untracked_dirs(true).include_typechange(true).include_unreadable(true);
    if !prefix.is_empty() {
        options.disable_pathspec_match(true).pathspec(prefix);
    }
    let diff = git.diff_index_to_workdir(Some(&index), Some(&mut options)).map_err(failed)?;
    for delta in diff.deltas() {
        let Some(path) = delta.new_file().path().or_else(|| delta.old_file().path()) else { continue };
        let gone = || git.workdir().is_none_or(|root| root.join(path).symlink_metadata().is_err());
        match delta.status() {
            git2::Delta::Deleted => remove(&mut index, path)?,
            git2::Delta::Conflicted if gone() => remove(&mut index, path)?,
            _ => add(git, &mut index, path)?,
        }
    }
    drop(diff);
    index.write_tree().map_err(failed)
}

fn remove(index: &mut git2::Index, path: &Path) -> Result<(), Error> {
    if index.get_path(path, 0).is_some_and(|entry| entry.flags_extended & SKIP_WORKTREE != 0) {
        return Ok(());
    }
    index.remove_path(path).map_err(|error| Error::reading(path.to_string_lossy(), &error))
}

fn add(git: &git2::Repository, index: &mut git2::Index, path: &Path) -> Result<(), Error> {
    // A repository within the working tree, which is untracked, is nothing of ours.
    let nested = path.as_os_str().as_encoded_bytes().ends_with(b"/");
    if nested && git.workdir().is_some_and(|root| root.join(path).join(".git").symlink_metadata().is_ok()) {
        return Ok(());
    }
    index.add_path(path).map_err(|error| Error::reading(path.to_string_lossy(), &error))
}

#[cfg(test)]
mod tests {
    use super::super::testing::Fixture;
    use super::super::{Error, Snapshot, WORKTREE};

    fn worktree(fixture: &Fixture) -> Snapshot {
        fixture.open().snapshot(WORKTREE, "").unwrap()
    }

    /// What git itself would commit, by an index of its own.
    fn as_git_would(fixture: &Fixture) -> String {
        let index = fixture.beside("oracle-index");
        std::fs::copy(fixture.path().join(".git/index"), &index).unwrap();
        let with_index =
            |args: &[&str]| fixture.git_with(fixture.path(), &[("GIT_INDEX_FILE", index.to_str().unwrap())], args);
        with_index(&["add", "-A"]);
        with_index(&["write-tree"])
    }

    #[test]
    fn a_working_tree_has_the_ids_that_git_would_give_it() {
        let fixture = Fixture::with_commit();
        fixture.commit(".gitignore", "*.log\nnode_modules/\n", "Ignore");
        fixture.commit("gone.txt", "g", "Will be deleted");
        fixture.commit("dir/kept", "k", "Kept");
        assert_eq!(worktree(&fixture).tree_id("").unwrap().unwrap(), fixture.git(&["rev-parse", "HEAD^{tree}"]));
        fixture.write("a.txt", "changed");
        std::fs::remove_file(fixture.path().join("gone.txt")).unwrap();
        fixture.write("new/deep/file", "new");
        fixture.write("x.log", "ignored");
        fixture.write("node_modules/y", "ignored");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::os::unix::fs::symlink("a.txt", fixture.path().join("link")).unwrap();
            fixture.write("run.sh", "#!/bin/sh\n");
            let path = fixture.path().join("run.sh");
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        let snapshot = worktree(&fixture);
        assert_eq!(snapshot.tree_id("").unwrap().unwrap(), as_git_would(&fixture));
        assert_eq!(snapshot.read("a.txt").unwrap().unwrap().bytes, b"changed");
        assert_eq!(snapshot.read("new/deep/file").unwrap().unwrap().bytes, b"new");
        assert_eq!(snapshot.read("gone.txt").unwrap(), None);
        assert_eq!(snapshot.read("x.log").unwrap(), None);
        assert_eq!(snapshot.commit(), fixture.git(&["rev-parse", "HEAD"]));
    }

    #[test]
    fn line_endings_are_normalised_as_a_commit_would() {
        let fixture = Fixture::with_commit();
        fixture.commit(".gitattributes", "*.txt text\n", "Attributes");
        fixture.write("crlf.txt", "a\r\nb\r\n");
        fixture.write("crlf.bin", "a\r\nb\r\n");
        let snapshot = worktree(&fixture);
        assert_eq!(snapshot.tree_id("").unwrap().unwrap(), as_git_would(&fixture));
        assert_eq!(snapshot.read("crlf.txt").unwrap().unwrap().bytes, b"a\nb\n");
        assert_eq!(snapshot.read("crlf.bin").unwrap().unwrap().bytes, b"a\r\nb\r\n");
    }

    #[test]
    fn a_working_tree_is_read_without_writing_to_the_repository() {
        let fixture = Fixture::with_commit();
        fixture.write("secret.txt", "not for the object database");
        let before = (fixture.git(&["count-objects"]), std::fs::read(fixture.path().join(".git/index")).unwrap());
        let snapshot = worktree(&fixture);
        let id = snapshot.read("secret.txt").unwrap().unwrap().id;
        let after = (fixture.git(&["count-objects"]), std::fs::read(fixture.path().join(".git/index")).unwrap());
        assert_eq!(before, after);
        assert!(!fixture.path().join(".git/objects").join(&id[..2]).join(&id[2..]).exists());
    }

    #[test]
    fn a_snapshot_of_the_working_tree_is_of_one_moment() {
        let fixture = Fixture::with_commit();
        fixture.write("a.txt", "now");
        let snapshot = worktree(&fixture);
        fixture.write("a.txt", "later");
        assert_eq!(snapshot.read("a.txt").unwrap().unwrap().bytes, b"now");
        assert_eq!(worktree(&fixture).read("a.txt").unwrap().unwrap().bytes, b"later");
    }

    #[test]
    fn a_prefix_leaves_the_rest_as_it_is_in_the_index() {
        let fixture = Fixture::with_commit();
        fixture.write("app/x", "1");
        fixture.write("other", "2");
        let snapshot = fixture.open().snapshot(WORKTREE, "app").unwrap();
        assert_eq!(snapshot.read("x").unwrap().unwrap().bytes, b"1");
        assert_eq!(snapshot.list("").unwrap().len(), 1);
    }

    #[test]
    fn a_conflicted_merge_is_read_as_it_lies_there() {
        let fixture = Fixture::with_commit();
        fixture.git(&["checkout", "-q", "-b", "side"]);
        fixture.commit("a.txt", "side\n", "Side");
        fixture.git(&["checkout", "-q", "main"]);
        fixture.commit("a.txt", "main\n", "Main");
        fixture.git_may_fail(&["merge", "-q", "side"]);
        let bytes = worktree(&fixture).read("a.txt").unwrap().unwrap().bytes;
        assert!(String::from_utf8(bytes).unwrap().contains("<<<<<<<"));
        std::fs::remove_file(fixture.path().join("a.txt")).unwrap();
        assert_eq!(worktree(&fixture).read("a.txt").unwrap(), None);
    }

    #[test]
    fn a_sparse_checkout_does_not_look_deleted() {
        let fixture = Fixture::with_commit();
        fixture.commit("far/away", "f", "Far");
        fixture.git(&["sparse-checkout", "set", "near"]);
        assert!(!fixture.path().join("far").exists());
        assert_eq!(worktree(&fixture).read("far/away").unwrap().unwrap().bytes, b"f");
    }

    #[test]
    fn a_submodule_is_at_the_commit_that_is_checked_out() {
        let other = Fixture::with_commit();
        let fixture = Fixture::with_commit();
        let url = other.path().to_str().unwrap();
        fixture.git(&["-c", "protocol.file.allow=always", "submodule", "add", "-q", url, "vendor"]);
        fixture.git(&["commit", "-q", "-m", "Add a submodule"]);
        let inside = fixture.path().join("vendor");
        fixture.git_in(&inside, &["commit", "-q", "--allow-empty", "-m", "Moved on"]);
        let snapshot = worktree(&fixture);
        assert_eq!(snapshot.tree_id("vendor").unwrap().unwrap(), fixture.git_in(&inside, &["rev-parse", "HEAD"]));
        assert_eq!(snapshot.tree_id("").unwrap().unwrap(), as_git_would(&fixture));
    }

    #[test]
    fn an_untracked_repository_within_is_left_out() {
        let fixture = Fixture::with_commit();
        std::fs::create_dir(fixture.path().join("nested")).unwrap();
        fixture.git_in(&fixture.path().join("nested"), &["init", "-q"]);
        fixture.write("nested/file", "n");
        assert_eq!(worktree(&fixture).list("").unwrap().len(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_cannot_be_read_is_an_error_that_names_it() {
        use std::os::unix::fs::PermissionsExt;
        let fixture = Fixture::with_commit();
        fixture.write("locked", "x");
        let path = fixture.path().join("locked");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o0)).unwrap();
        if std::fs::read(&path).is_ok() {
            // Root reads everything.
            return;
        }
        let error = fixture.open().snapshot(WORKTREE, "").unwrap_err();
        assert!(matches!(&error, Error::Read { what, .. } if what == "locked"), "{error:?}");
    }
}
