//! The list is committed by the user's own `git commit`, which may ask for a passphrase and runs the user's hooks.
//!
//! What is written for it is taken back when the commit is not made, so that a refused one leaves the checkout as it was.

use std::path::PathBuf;

use super::base::Base;
use super::files::{Standing, by_file, standings, write};
use super::{Change, Kept};
use crate::compare::Why;
use crate::config::{Protection, Settings};
use crate::git::{Aside, Program, Repository};
use crate::ops::config::file::{self, File, cannot};
use crate::ops::config::opener::{Opener, told};
use crate::ops::git_why;
use crate::ops::inspect::document;

/// A commit that is prepared: its files are written, and git is still to be run. Dropped, it takes them back.
pub struct Staged {
    /// The `git` to be run on the user's terminal.
    pub program: Program,
    place: Option<Where>,
    branch: String,
    /// The branch that a pull request would go to.
    target: String,
    changes: Vec<Change>,
    kept: Kept,
}

enum Where {
    /// In the user's own checkout.
    Here { repository: Repository, files: Vec<Replaced>, new: Vec<String> },
    /// On a new branch, in a work tree of its own.
    Aside(Aside, Repository),
}

/// A file of the checkout that has other bytes until it is committed.
struct Replaced {
    path: PathBuf,
    name: String,
    /// What to put back; `None`: there was no file.
    old: Option<Vec<u8>>,
    /// What lies there meanwhile; `None`: nothing.
    new: Option<Vec<u8>>,
}

/// A commit that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Committed {
    /// Its id.
    pub commit: String,
    /// The branch that it is on.
    pub branch: String,
    /// What brings a new branch to where it is reviewed, command by command; nothing on the branch that is checked out.
    pub commands: Vec<String>,
    /// What is left of the list.
    pub left: Vec<Change>,
}

/// The new branch that a commit has to be on, and why.
pub(super) fn aside(base: &Base, settings: &Settings, message: &str) -> Option<(String, String)> {
    let branch = base.branch.as_ref().ok()?;
    let main = base.repository.main_branch();
    let protects = settings.environments.iter().find(|environment| {
        let asks = environment.protection != Protection::Open;
        let own = match &environment.git_ref {
            Some(reference) => base.repository.branch_of(reference),
            // It follows whatever is checked out; what is merged into is not for a commit past everybody.
            None => main.clone(),
        };
        asks && own.as_ref() == Some(branch)
    })?;
    let why = format!(
        "{branch} is what {} is compared with, whose protection is {}",
        protects.name,
        protects.protection.word()
    );
    Some((free_name(&base.repository, message), why))
}

/// A name for a branch that is not taken.
fn free_name(repository: &Repository, message: &str) -> String {
    let mut slug = String::new();
    for c in message.chars() {
        if c.is_ascii_alphanumeric() || c == '_' {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.ends_with('-') && !slug.is_empty() {
            slug.push('-');
        }
    }
    slug.truncate(48);
    let slug = slug.trim_end_matches('-');
    let slug = format!("config/{}", if slug.is_empty() { "changes" } else { slug });
    let mut names = std::iter::once(slug.clone()).chain((2..).map(|count| format!("{slug}-{count}")));
    names.find(|name| !repository.has_branch(name)).unwrap_or(slug)
}

/// Prepares the commit of a list. Refused, with nothing written, where HEAD has moved on under a change, where a file has
/// other changes that are not committed, and where no commit can be made now.
pub fn stage(opener: &Opener, settings: &Settings, kept: &Kept, message: &str) -> Result<Staged, Why> {
    if message.trim().is_empty() {
        return Err(Why::new("a commit needs a message"));
    }
    let base = Base::open(settings)?;
    let branch = base.branch.clone()?;
    let changes = kept.load()?;
    let standings = standings(&base, opener, &changes);
    let stands = |wanted: Standing| changes.iter().zip(&standings).filter(move |(_, each)| **each == wanted);
    let moved: Vec<String> = stands(Standing::Moved).map(|(change, _)| change.place.key()).collect();
    if !moved.is_empty() {
        return Err(Why::new(format!("HEAD says something else than before of {}", moved.join(", ")))
            .hint("e looks at it anew and takes what HEAD says now; - drops it"));
    }
    let wanted: Vec<Change> = changes
        .iter()
        .zip(&standings)
        .filter(|(_, each)| **each != Standing::Done)
        .map(|(one, _)| one.clone())
        .collect();
    if wanted.is_empty() {
        kept.change(Vec::clear)?;
        return Err(Why::new("HEAD says all of it already: there is nothing to commit, and the list is empty now"));
    }
    let mut files = Vec::new();
    for (file, changes) in by_file(&wanted) {
        files.push((file.to_owned(), write(&base, opener, file, &changes)?));
    }
    let paths: Vec<String> = files.iter().map(|(file, _)| base.in_repository(file)).collect();
    let aside = aside(&base, settings, message);
    let (program, place, on) = if let Some((name, _)) = aside {
        let aside = Aside::begin(&base.repository, &name, "HEAD").map_err(|error| git_why(&error))?;
        let (mut made, mut gone) = (Vec::new(), Vec::new());
        for (path, (_, written)) in paths.iter().cloned().zip(files) {
            match written.new {
                Some(bytes) => made.push((path, bytes)),
                None => gone.push(path),
            }
        }
        aside.add(&made).and_then(|()| aside.take(&gone)).map_err(|error| git_why(&error))?;
        let program = Program::commit(&aside.directory(), message, &paths);
        (program, Where::Aside(aside, base.repository.clone()), name)
    } else {
        base.repository.index_is_free().map_err(|error| git_why(&error))?;
        let mut replaced = Vec::new();
        for (name, written) in files {
            match replace(&base, opener, &name, written) {
                Ok(file) => replaced.push(file),
                Err(why) => {
                    replaced.iter().for_each(Replaced::put_back);
                    return Err(why);
                }
            }
        }
        let new: Vec<String> =
            replaced.iter().zip(&paths).filter(|(file, _)| file.old.is_none()).map(|(_, path)| path.clone()).collect();
        let place = Where::Here { repository: base.repository.clone(), files: replaced, new: new.clone() };
        let program = Program::commit(base.repository.root(), message, &paths);
        let staged =
            Staged { program, place: Some(place), branch: branch.clone(), target: branch, changes, kept: kept.clone() };
        base.repository.intend(&new).map_err(|error| git_why(&error))?;
        return Ok(staged);
    };
    Ok(Staged { program, place: Some(place), branch: on, target: branch, changes, kept: kept.clone() })
}

/// Puts the bytes of one file into the checkout, unless somebody works on it there.
fn replace(base: &Base, opener: &Opener, name: &str, written: super::files::Written) -> Result<Replaced, Why> {
    let path = base.root.join(name);
    let own = || {
        Why::new(format!("{name} has changes in the checkout that are not committed, and would be committed along"))
            .hint(format!("git diff {name}; commit or stash them first, the list stays"))
    };
    let replaced = |old, new| Replaced { path: path.clone(), name: name.to_owned(), old, new };
    let is_there = path.symlink_metadata().is_ok();
    let (old, new) = match (written.old, written.new) {
        (None, None) => return Ok(replaced(None, None)),
        (None, Some(_)) if is_there => return Err(own()),
        (None, Some(new)) => {
            file::create(&path, name, &new)?;
            return Ok(replaced(None, Some(new)));
        }
        // What an earlier try has removed is gone already.
        (Some(old), None) if !is_there => return Ok(replaced(Some(old), None)),
        (Some(old), None) => {
            if File::read(&path, name)?.bytes != old {
                return Err(own());
            }
            std::fs::remove_file(&path).map_err(|error| cannot("remove", name, &error))?;
            return Ok(replaced(Some(old), None));
        }
        (Some(old), Some(new)) => (old, new),
    };
    let file = File::read(&path, name)?;
    if file.bytes == old {
        file.replace(&new)?;
        return Ok(replaced(Some(old), Some(new)));
    }
    // What an earlier try has left behind when it was cut off is what is wanted.
    let lies = document(name, &file.bytes)?;
    let node = opener.open(&lies).and_then(|opened| opened.node().cloned().map_err(|error| told(&error)));
    if node.is_ok_and(|node| node == written.node) {
        return Ok(replaced(Some(old), Some(file.bytes)));
    }
    Err(own())
}

impl Replaced {
    /// Puts the old bytes back, unless somebody has written others meanwhile.
    fn put_back(&self) {
        let lies = File::read(&self.path, &self.name).ok();
        if lies.as_ref().map(|file| &file.bytes) != self.new.as_ref() {
            return;
        }
        // A disk that takes nothing any more leaves what `git diff` shows.
        let _ = match (lies, &self.old) {
            (Some(file), Some(old)) => file.replace(old).map(drop),
            (Some(_), None) => std::fs::remove_file(&self.path).map_err(|error| cannot("remove", &self.name, &error)),
            (None, Some(old)) => file::create(&self.path, &self.name, old),
            (None, None) => Ok(()),
        };
    }
}

impl Staged {
    /// The branch that the commit goes to.
    #[must_use]
    pub fn branch(&self) -> &str {
        &self.branch
    }

    /// Git has made the commit: what was committed leaves the list.
    pub fn done(mut self) -> Result<Committed, Why> {
        let (commit, commands) = match self.place.take() {
            Some(Where::Here { repository, .. }) => {
                (repository.resolve("HEAD").map_err(|error| git_why(&error))?.id, Vec::new())
            }
            Some(Where::Aside(aside, repository)) => {
                let commit = aside.keep().map_err(|error| git_why(&error))?;
                (commit, requests(&repository, &self.branch, &self.target))
            }
            None => return Err(Why::new("it was given up already")),
        };
        let committed = &self.changes;
        let (left, ()) = self.kept.change(|list| list.retain(|change| !committed.contains(change)))?;
        Ok(Committed { commit, branch: self.branch.clone(), commands, left })
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        match self.place.take() {
            Some(Where::Here { repository, files, new }) => {
                // What the index knows of a file that is gone is what `git status` would show.
                let _ = repository.unintend(&new);
                files.iter().for_each(Replaced::put_back);
            }
            Some(Where::Aside(aside, _)) => drop(aside),
            None => {}
        }
    }
}

/// What brings a branch to where it is reviewed.
fn requests(repository: &Repository, branch: &str, target: &str) -> Vec<String> {
    match repository.push_remote() {
        Some((remote, address)) => {
            let mut commands = vec![format!("git push --set-upstream {remote} {branch}")];
            if address.contains("github") {
                commands.push(format!("gh pr create --base {target} --head {branch} --fill"));
            }
            commands
        }
        None => vec![format!("git merge {branch}")],
    }
}
