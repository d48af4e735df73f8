//! Who changed a file, and when.

use std::collections::{BinaryHeap, HashSet};
use std::path::Path;

use super::commit::{author, subject};
use super::snapshot::clean;
use super::{Error, Repository};

/// A commit that touched something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Touch {
    /// The full id, 40 hex digits.
    pub id: String,
    /// First line of the message.
    pub subject: String,
    /// Author's name.
    pub author: String,
    /// Author's time, milliseconds since the Unix epoch.
    pub at: i64,
    /// Whether a shallow clone ends at this commit: then the change may be an older one's.
    pub boundary: bool,
}

impl Repository {
    /// The newest `limit` commits, seen from a ref, that changed a file or anything in a directory. `path` is from the
    /// repository's root. As `git log -- PATH` does, a merge that took one side whole leads only to that side.
    /// Renames are not followed.
    pub fn history(&self, reference: &str, path: &str, limit: usize) -> Result<Vec<Touch>, Error> {
        let path = clean(path)?;
        let git = self.git();
        let start = self.commit_of(&git, reference)?;
        let read = |error: git2::Error| Error::reading(format!("the history of {path}"), &error);
        let boundaries = boundaries(&git);
        let mut waiting = BinaryHeap::from([(start.time().seconds(), start.id())]);
        let mut seen = HashSet::from([start.id()]);
        let mut touches = Vec::new();
        while let Some((_, id)) = waiting.pop() {
            if touches.len() >= limit {
                break;
            }
            let commit = git.find_commit(id).map_err(read)?;
            let here = object_at(&git, &commit, &path).map_err(read)?;
            let boundary = boundaries.contains(&id);
            let parents: Vec<_> = if boundary { Vec::new() } else { commit.parent_ids().collect() };
            let mut same = None;
            for parent in &parents {
                let parent = git.find_commit(*parent).map_err(|error| {
                    Error::object(&format!("a parent of commit {id}"), *parent, git.is_shallow(), &error)
                })?;
                if object_at(&git, &parent, &path).map_err(read)? == here {
                    same = Some(parent.id());
                    break;
                }
            }
            if same.is_none() && (here.is_some() || !parents.is_empty()) {
                touches.push(touch(&commit, boundary));
            }
            for parent in same.map_or(parents, |same| vec![same]) {
                if seen.insert(parent) {
                    waiting.push((git.find_commit(parent).map_err(read)?.time().seconds(), parent));
                }
            }
        }
        Ok(touches)
    }

    /// The commit that last changed a line (counted from 1) of a file as it is at a ref; `None` when the file has
    /// fewer lines or does not exist there. `path` is from the repository's root.
    pub fn blame_line(&self, reference: &str, path: &str, line: usize) -> Result<Option<Touch>, Error> {
        let path = clean(path)?;
        let git = self.git();
        let start = self.commit_of(&git, reference)?;
        let read = |error: git2::Error| Error::reading(format!("who changed {path}"), &error);
        let Some(id) = object_at(&git, &start, &path).map_err(read)? else { return Ok(None) };
        let Ok(blob) = git.find_blob(id) else { return Ok(None) };
        if line == 0 || line > lines(blob.content()) {
            return Ok(None);
        }
        let mut options = git2::BlameOptions::new();
        options.newest_commit(start.id()).min_line(line).max_line(line);
        let blame = git.blame_file(Path::new(&path), Some(&mut options)).map_err(read)?;
        let Some(hunk) = blame.get_line(line) else { return Ok(None) };
        let commit = git.find_commit(hunk.final_commit_id()).map_err(read)?;
        let boundary = boundaries(&git).contains(&commit.id());
        Ok(Some(touch(&commit, boundary)))
    }
}

fn touch(commit: &git2::Commit<'_>, boundary: bool) -> Touch {
    Touch {
        id: commit.id().to_string(),
        subject: subject(commit),
        author: author(commit),
        at: commit.author().when().seconds() * 1000,
        boundary,
    }
}

fn object_at(git: &git2::Repository, commit: &git2::Commit<'_>, path: &str) -> Result<Option<git2::Oid>, git2::Error> {
    if path.is_empty() {
        return Ok(Some(commit.tree_id()));
    }
    match git.find_tree(commit.tree_id())?.get_path(Path::new(path)) {
        Ok(entry) => Ok(Some(entry.id())),
        Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn lines(content: &[u8]) -> usize {
    content.split_inclusive(|byte| *byte == b'\n').count()
}

/// The commits whose parents a shallow clone lacks, from the file `shallow` (gitrepository-layout(5)).
fn boundaries(git: &git2::Repository) -> HashSet<git2::Oid> {
    let text = std::fs::read_to_string(git.commondir().join("shallow")).unwrap_or_default();
    text.lines().filter_map(|line| git2::Oid::from_str(line).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::{FIRST, Fixture};
    use super::*;

    fn subjects(touches: &[Touch]) -> Vec<&str> {
        touches.iter().map(|touch| touch.subject.as_str()).collect()
    }

    #[test]
    fn the_history_of_a_file_is_the_commits_that_changed_it() {
        let fixture = Fixture::with_commit();
        fixture.commit("dir/b.txt", "b", "Add b");
        fixture.commit("a.txt", "two\n", "Change a");
        fixture.commit("dir/b.txt", "c", "Change b");
        let repository = fixture.open();
        let history = repository.history("HEAD", "a.txt", 10).unwrap();
        assert_eq!(subjects(&history), ["Change a", "First"]);
        assert_eq!((history[1].at, history[1].author.as_str(), history[1].boundary), (FIRST * 1000, "Ada", false));
        assert_eq!(subjects(&repository.history("HEAD", "dir", 10).unwrap()), ["Change b", "Add b"]);
        assert_eq!(subjects(&repository.history("HEAD", "dir/b.txt", 1).unwrap()), ["Change b"]);
        assert_eq!(subjects(&repository.history("HEAD~1", "dir/b.txt", 10).unwrap()), ["Add b"]);
        assert_eq!(subjects(&repository.history("HEAD", "", 10).unwrap()).len(), 4);
        assert_eq!(repository.history("HEAD", "absent", 10).unwrap(), []);
    }

    #[test]
    fn a_deletion_and_a_return_are_touches() {
        let fixture = Fixture::with_commit();
        fixture.git(&["rm", "-q", "a.txt"]);
        fixture.git(&["commit", "-q", "-m", "Remove a"]);
        fixture.commit("a.txt", "one\n", "Bring a back");
        let history = fixture.open().history("HEAD", "a.txt", 10).unwrap();
        assert_eq!(subjects(&history), ["Bring a back", "Remove a", "First"]);
    }

    #[test]
    fn a_merge_is_told_as_git_log_tells_it() {
        let fixture = Fixture::with_commit();
        fixture.git(&["checkout", "-q", "-b", "side"]);
        fixture.commit("a.txt", "side\n", "Side changes a");
        fixture.git(&["checkout", "-q", "main"]);
        fixture.commit("other", "o", "Main changes another");
        fixture.git(&["merge", "-q", "--no-ff", "-m", "Merge", "side"]);
        for path in ["a.txt", "other", ""] {
            let expected = fixture.git(&["log", "--format=%s", "HEAD", "--", if path.is_empty() { "." } else { path }]);
            let history = fixture.open().history("HEAD", path, 10).unwrap();
            let mut seen = subjects(&history);
            let mut expected: Vec<_> = expected.lines().collect();
            if path.is_empty() {
                // `git log -- .` lists the merge only when it differs from every parent, as here.
                seen.sort_unstable();
                expected.sort_unstable();
            }
            assert_eq!(seen, expected, "{path:?}");
        }
    }

    #[test]
    fn a_merge_that_keeps_one_side_whole_hides_what_the_other_did() {
        let fixture = Fixture::with_commit();
        fixture.git(&["checkout", "-q", "-b", "side"]);
        fixture.commit("a.txt", "side\n", "Side changes a");
        fixture.git(&["checkout", "-q", "main"]);
        fixture.commit("a.txt", "main\n", "Main changes a");
        fixture.git(&["merge", "-q", "-s", "ours", "-m", "Merge", "side"]);
        let history = fixture.open().history("HEAD", "a.txt", 10).unwrap();
        assert_eq!(subjects(&history), ["Main changes a", "First"]);
        assert_eq!(fixture.git(&["log", "--format=%s", "--", "a.txt"]), "Main changes a\nFirst");
    }

    #[test]
    fn a_line_is_blamed_on_the_commit_that_wrote_it() {
        let fixture = Fixture::new();
        fixture.commit("f", "1\n2\n3\n", "All");
        fixture.commit("f", "1\ntwo\n3\n", "Two");
        fixture.commit("g", "g", "Another file");
        fixture.write("f", "0\n0\n0\n");
        let repository = fixture.open();
        let who = |line| repository.blame_line("HEAD", "f", line).unwrap().map(|touch| touch.subject);
        assert_eq!(who(1).as_deref(), Some("All"));
        assert_eq!(who(2).as_deref(), Some("Two"));
        assert_eq!(who(3).as_deref(), Some("All"));
        assert_eq!((who(0), who(4)), (None, None));
        assert_eq!(repository.blame_line("HEAD~1", "f", 2).unwrap().unwrap().subject, "Two");
        assert_eq!(repository.blame_line("HEAD~2", "f", 2).unwrap().unwrap().subject, "All");
        assert_eq!(repository.blame_line("HEAD", "absent", 1).unwrap(), None);
    }

    #[test]
    fn a_bare_repository_has_history_and_blame() {
        let fixture = Fixture::with_commit();
        let bare = Repository::discover(&fixture.clone_as("bare.git", &["--bare"])).unwrap();
        assert_eq!(subjects(&bare.history("main", "a.txt", 9).unwrap()), ["First"]);
        assert_eq!(bare.blame_line("main", "a.txt", 1).unwrap().unwrap().subject, "First");
    }

    #[test]
    fn where_a_shallow_clone_ends_the_answer_says_that_it_may_be_older() {
        let fixture = Fixture::with_commit();
        fixture.commit("b.txt", "b", "Add b");
        fixture.commit("b.txt", "c", "Change b");
        let url = format!("file://{}", fixture.path().display());
        let clone = Repository::discover(&fixture.clone_from(&url, "shallow", &["--depth=2"])).unwrap();
        let history = clone.history("HEAD", "b.txt", 9).unwrap();
        assert_eq!(history.iter().map(|touch| touch.boundary).collect::<Vec<_>>(), [false, true]);
        assert!(clone.history("HEAD", "a.txt", 9).unwrap()[0].boundary);
        assert!(clone.blame_line("HEAD", "a.txt", 1).unwrap().unwrap().boundary);
    }
}
