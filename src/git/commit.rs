//! Commits by name: what a ref stands for, and which refs there are.

use super::{Error, Repository, WORKTREE};

/// The commit that a ref stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommitInfo {
    /// The ref as asked for: `origin/main`, `HEAD`, `WORKTREE`, `v1.2`, `3f2a91c`.
    pub reference: String,
    /// The full id, 40 hex digits; for `WORKTREE` that of HEAD.
    pub id: String,
    /// First line of the message.
    pub subject: String,
    /// Author's name.
    pub author: String,
    /// Author's time, milliseconds since the Unix epoch.
    pub at: i64,
    /// Commits that HEAD has and the ref has not.
    pub ahead: usize,
    /// Commits that the ref has and HEAD has not.
    pub behind: usize,
    /// Whether the working tree, its untracked files included, differs from HEAD, or cannot be read.
    pub dirty: bool,
    /// When a remote was last fetched, milliseconds since the Unix epoch; `None`: never, or no remote.
    pub fetched_at: Option<i64>,
}

/// A name that the ref picker offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefName {
    /// The short name: `main`, `origin/main`, `v1.2`.
    pub name: String,
    /// What sort of ref it is.
    pub kind: RefKind,
    /// The full id of its commit, 40 hex digits.
    pub commit: String,
    /// First line of the commit's message.
    pub subject: String,
    /// Commit time, milliseconds since the Unix epoch.
    pub at: i64,
    /// Whether HEAD is on this branch.
    pub current: bool,
}

/// What sort of ref a name is, in the order in which they are offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RefKind {
    /// A branch of this clone.
    Branch,
    /// A branch of a remote, as last fetched.
    Remote,
    /// A tag.
    Tag,
}

impl RefName {
    /// The first seven digits of the commit id.
    #[must_use]
    pub fn short(&self) -> &str {
        self.commit.get(..7).unwrap_or(&self.commit)
    }
}

impl Repository {
    /// The ref that is compared when none is named: the upstream of the current branch (`origin/main`), else `HEAD`.
    #[must_use]
    pub fn default_ref(&self) -> String {
        let git = self.git();
        upstream(&git).unwrap_or_else(|| "HEAD".into())
    }

    /// What a ref stands for. [`WORKTREE`] is answered with HEAD's commit.
    ///
    /// Fails with [`Error::UnknownRef`], which names similar refs, with [`Error::Unborn`] when HEAD has no commit, and
    /// with [`Error::NoWorkTree`] for [`WORKTREE`] of a bare repository.
    pub fn resolve(&self, reference: &str) -> Result<CommitInfo, Error> {
        let fetched_at = self.fetched_at();
        let git = self.git();
        let commit = self.commit_of(&git, reference)?;
        let head = git.head().ok().and_then(|head| head.peel_to_commit().ok());
        let (ahead, behind) = match head {
            // Where a shallow clone ends, the counts cannot be known.
            Some(head) => git.graph_ahead_behind(head.id(), commit.id()).unwrap_or((0, 0)),
            None => (0, 0),
        };
        let dirty = match is_dirty(&git) {
            // A working tree that cannot be read must not hide a commit that can.
            Err(_) if reference != WORKTREE => true,
            dirty => dirty?,
        };
        Ok(CommitInfo {
            reference: reference.into(),
            id: commit.id().to_string(),
            subject: subject(&commit),
            author: author(&commit),
            at: commit.author().when().seconds() * 1000,
            ahead,
            behind,
            dirty,
            fetched_at,
        })
    }

    /// Whether a commit is in the history of a ref, the commit of the ref itself included.
    ///
    /// Fails when one of them is not there; where a shallow clone ends, what is older is in no history.
    pub fn contains(&self, reference: &str, commit: &str) -> Result<bool, Error> {
        let git = self.git();
        let (tip, wanted) = (self.commit_of(&git, reference)?.id(), self.commit_of(&git, commit)?.id());
        let below = |error: git2::Error| Error::reading(format!("the history of {reference}"), &error);
        Ok(tip == wanted || git.graph_descendant_of(tip, wanted).map_err(below)?)
    }

    /// Branches, branches of remotes, and tags; within each, the newest first. Tags of anything but a commit are left
    /// out, and so are refs whose commit a shallow clone lacks.
    pub fn refs(&self) -> Result<Vec<RefName>, Error> {
        let git = self.git();
        let mut names = Vec::new();
        for reference in git.references().map_err(|error| Error::reading("the refs", &error))? {
            // One broken ref must not hide the others.
            let Ok(reference) = reference else { continue };
            let kind = match () {
                () if reference.is_branch() => RefKind::Branch,
                () if reference.is_remote() => RefKind::Remote,
                () if reference.is_tag() => RefKind::Tag,
                () => continue,
            };
            if reference.kind() == Some(git2::ReferenceType::Symbolic) {
                continue;
            }
            let Ok(commit) = reference.peel_to_commit() else { continue };
            names.push(RefName {
                name: String::from_utf8_lossy(reference.shorthand_bytes()).into_owned(),
                kind,
                commit: commit.id().to_string(),
                subject: subject(&commit),
                at: commit.time().seconds() * 1000,
                current: git.head().is_ok_and(|head| head.name_bytes() == reference.name_bytes()),
            });
        }
        names.sort_by(|a, b| (a.kind, -a.at, &a.name).cmp(&(b.kind, -b.at, &b.name)));
        Ok(names)
    }

    /// The commit that a ref stands for, with libgit2's error told apart.
    pub(super) fn commit_of<'a>(&self, git: &'a git2::Repository, reference: &str) -> Result<git2::Commit<'a>, Error> {
        if reference == WORKTREE && git.is_bare() {
            return Err(Error::NoWorkTree { root: self.root().into() });
        }
        let name = if reference == WORKTREE { "HEAD" } else { reference };
        if name == "HEAD"
            && let Err(error) = git.head()
            && error.code() == git2::ErrorCode::UnbornBranch
        {
            return Err(Error::Unborn { branch: unborn_branch(git) });
        }
        let object = git.revparse_single(name).map_err(|error| match error.code() {
            git2::ErrorCode::Ambiguous => Error::Ambiguous { reference: reference.into() },
            git2::ErrorCode::NotFound | git2::ErrorCode::InvalidSpec => self.unknown(git, reference),
            _ => Error::reading(reference, &error),
        })?;
        let id = object.id();
        object.peel_to_commit().map_err(|error| match error.code() {
            git2::ErrorCode::NotFound => Error::object(reference, id, git.is_shallow(), &error),
            _ => self.unknown(git, reference),
        })
    }

    #[expect(clippy::unused_self, reason = "reads as a question to the repository")]
    fn unknown(&self, git: &git2::Repository, reference: &str) -> Error {
        let mut near: Vec<(f64, String)> = Vec::new();
        let wanted = reference.to_lowercase();
        for known in git.references().into_iter().flatten().flatten() {
            if known.kind() == Some(git2::ReferenceType::Symbolic)
                || !(known.is_branch() || known.is_remote() || known.is_tag())
            {
                continue;
            }
            let name = String::from_utf8_lossy(known.shorthand_bytes()).into_owned();
            let last = name.rsplit('/').next().unwrap_or(&name).to_lowercase();
            let likeness =
                strsim::jaro_winkler(&wanted, &name.to_lowercase()).max(strsim::jaro_winkler(&wanted, &last));
            // Below this, names only share a few letters.
            if likeness > 0.8 {
                near.push((likeness, name));
            }
        }
        near.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        near.truncate(3);
        let near = near.into_iter().map(|(_, name)| name).collect();
        Error::UnknownRef { reference: reference.into(), near, shallow: git.is_shallow() }
    }
}

/// First line of a commit's message.
pub(super) fn subject(commit: &git2::Commit<'_>) -> String {
    String::from_utf8_lossy(commit.summary_bytes().unwrap_or_default()).into_owned()
}

/// Name of a commit's author.
pub(super) fn author(commit: &git2::Commit<'_>) -> String {
    String::from_utf8_lossy(commit.author().name_bytes()).into_owned()
}

fn upstream(git: &git2::Repository) -> Option<String> {
    let head = git.head().ok()?;
    if !head.is_branch() {
        return None;
    }
    let upstream = git2::Branch::wrap(head).upstream().ok()?;
    upstream.get().shorthand().ok().map(str::to_owned)
}

fn unborn_branch(git: &git2::Repository) -> String {
    let head = git.find_reference("HEAD");
    let target = head.as_ref().ok().and_then(|head| head.symbolic_target().ok().flatten());
    target.map_or_else(|| "HEAD".into(), |name| name.trim_start_matches("refs/heads/").to_owned())
}

fn is_dirty(git: &git2::Repository) -> Result<bool, Error> {
    if git.is_bare() {
        return Ok(false);
    }
    let mut options = git2::StatusOptions::new();
    options.include_untracked(true).include_ignored(false);
    let statuses =
        git.statuses(Some(&mut options)).map_err(|error| Error::reading("the working tree's status", &error))?;
    Ok(!statuses.is_empty())
}

#[cfg(test)]
mod tests {
    use super::super::testing::{FIRST, Fixture};
    use super::*;

    #[test]
    fn a_commit_is_told_with_author_time_and_distance_from_head() {
        let fixture = Fixture::with_commit();
        fixture.git(&["branch", "old"]);
        fixture.commit("a.txt", "two\n", "Second\n\nWith a body.");
        fixture.commit("a.txt", "three\n", "Third");
        let old = fixture.open().resolve("old").unwrap();
        assert_eq!((old.ahead, old.behind), (2, 0));
        assert_eq!((old.reference.as_str(), old.subject.as_str(), old.author.as_str()), ("old", "First", "Ada"));
        assert_eq!(old.at, FIRST * 1000);
        assert_eq!(old.id, fixture.git(&["rev-parse", "old"]));
        assert_eq!(fixture.open().resolve("HEAD~1").unwrap().subject, "Second");
        fixture.git(&["checkout", "-q", "old"]);
        let main = fixture.open().resolve("main").unwrap();
        assert_eq!((main.ahead, main.behind), (0, 2));
    }

    #[test]
    fn every_way_to_name_a_commit_resolves_to_it() {
        let fixture = Fixture::with_commit();
        fixture.git(&["tag", "light"]);
        fixture.git(&["tag", "-a", "annotated", "-m", "A tag"]);
        let id = fixture.git(&["rev-parse", "HEAD"]);
        let repository = fixture.open();
        for name in ["HEAD", "main", "refs/heads/main", "light", "annotated", &id, &id[..7], "@", WORKTREE] {
            assert_eq!(repository.resolve(name).unwrap().id, id, "{name}");
        }
    }

    #[test]
    fn untracked_and_changed_files_make_the_working_tree_dirty_and_ignored_ones_do_not() {
        let fixture = Fixture::with_commit();
        fixture.commit(".gitignore", "*.log\n", "Ignore logs");
        fixture.write("x.log", "x");
        assert!(!fixture.open().resolve("HEAD").unwrap().dirty);
        fixture.write("a.txt", "changed");
        assert!(fixture.open().resolve("HEAD").unwrap().dirty);
        fixture.git(&["checkout", "-q", "a.txt"]);
        fixture.write("new", "");
        assert!(fixture.open().resolve("HEAD").unwrap().dirty);
    }

    #[test]
    fn a_ref_that_does_not_exist_names_near_ones() {
        let fixture = Fixture::with_commit();
        fixture.git(&["branch", "release/2026-04"]);
        fixture.git(&["tag", "v1.2.0"]);
        let clone = Repository::discover(&fixture.clone_as("clone", &[])).unwrap();
        let error = clone.resolve("origin/mian").unwrap_err();
        assert!(error.to_string().contains("origin/main"), "{error}");
        let error = clone.resolve("v1.2.1").unwrap_err();
        assert!(error.to_string().contains("v1.2.0"), "{error}");
        let error = clone.resolve("release/2026-04").unwrap_err();
        assert!(error.to_string().contains("origin/release/2026-04"), "{error}");
        let error = clone.resolve("zzz").unwrap_err();
        assert!(matches!(&error, Error::UnknownRef { near, .. } if near.is_empty()), "{error:?}");
    }

    #[test]
    fn a_tag_of_a_file_is_no_commit() {
        let fixture = Fixture::with_commit();
        fixture.git(&["tag", "blob", "HEAD:a.txt"]);
        assert!(matches!(fixture.open().resolve("blob"), Err(Error::UnknownRef { .. })));
        assert!(fixture.open().refs().unwrap().iter().all(|name| name.name != "blob"));
    }

    #[test]
    fn a_branch_without_a_commit_says_so() {
        let fixture = Fixture::new();
        let repository = fixture.open();
        assert_eq!(repository.default_ref(), "HEAD");
        for name in ["HEAD", WORKTREE] {
            assert_eq!(repository.resolve(name).unwrap_err(), Error::Unborn { branch: "main".into() });
        }
        assert_eq!(repository.refs().unwrap(), []);
    }

    #[test]
    fn a_commit_is_in_the_history_of_what_came_after_it() {
        let fixture = Fixture::with_commit();
        let first = fixture.git(&["rev-parse", "HEAD"]);
        fixture.git(&["branch", "old"]);
        fixture.commit("a.txt", "two\n", "Second");
        let repository = fixture.open();
        assert!(repository.contains("main", &first).unwrap() && repository.contains("main", "HEAD").unwrap());
        assert!(!repository.contains("old", "main").unwrap());
        assert!(repository.contains("old", "nowhere").is_err());
    }

    #[test]
    fn the_default_ref_is_the_upstream_unless_there_is_none() {
        let fixture = Fixture::with_commit();
        assert_eq!(fixture.open().default_ref(), "HEAD");
        let clone = fixture.clone_as("clone", &[]);
        assert_eq!(Repository::discover(&clone).unwrap().default_ref(), "origin/main");
        fixture.git_in(&clone, &["checkout", "-q", "--detach"]);
        assert_eq!(Repository::discover(&clone).unwrap().default_ref(), "HEAD");
        fixture.git_in(&clone, &["checkout", "-q", "--track", "-b", "local", "main"]);
        assert_eq!(Repository::discover(&clone).unwrap().default_ref(), "main");
        fixture.git_in(&clone, &["checkout", "-q", "main"]);
        fixture.git_in(&clone, &["update-ref", "-d", "refs/remotes/origin/main"]);
        assert_eq!(Repository::discover(&clone).unwrap().default_ref(), "HEAD");
    }

    #[test]
    fn the_picker_offers_branches_remote_branches_and_tags_but_no_symbolic_refs() {
        let fixture = Fixture::with_commit();
        fixture.git(&["tag", "-a", "v1", "-m", "Version 1"]);
        fixture.commit("a.txt", "two\n", "Second");
        let clone = fixture.clone_as("clone", &[]);
        let refs = Repository::discover(&clone).unwrap().refs().unwrap();
        let seen: Vec<_> =
            refs.iter().map(|name| (name.name.as_str(), name.kind, name.subject.as_str(), name.current)).collect();
        assert_eq!(
            seen,
            [
                ("main", RefKind::Branch, "Second", true),
                ("origin/main", RefKind::Remote, "Second", false),
                ("v1", RefKind::Tag, "First", false)
            ]
        );
        assert_eq!(refs[0].short(), &fixture.git(&["rev-parse", "HEAD"])[..7]);
    }
}
