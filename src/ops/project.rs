//! Which project file counts: that of the commit says what is compared, the one in use says how it is reached.
//!
//! A commit asks for its names by its own project file; an uncommitted edit of it says nothing yet. The environments, the
//! project's name and its state bucket are not compared with anything: they say where to ask and where receipts lie, for
//! every commit alike.

use std::path::Path;

use super::session::Session;
use super::{failed, git_why};
use crate::compare::Why;
use crate::config::{Environment, Project, Settings, Stack, mapping, parse_project};
use crate::git::{Repository, Snapshot, WORKTREE};

/// The project as a commit describes it, reached as the one in use says. A commit without a project file is read by the
/// one in use.
pub(super) fn at(settings: &Settings, snapshot: &Snapshot) -> Result<Project, Why> {
    let in_use = &settings.project;
    Ok(committed(settings, snapshot)?.map_or_else(|| in_use.clone(), |committed| reached_by(in_use, committed)))
}

/// The environment's stacks as a commit describes them, every placeholder filled in.
pub(super) async fn stacks(session: &Session, reference: &str) -> Result<Vec<Stack>, Why> {
    let repository = session.repository.clone()?;
    let snapshot = repository.snapshot(reference, &session.prefix).map_err(|error| failed(&error))?;
    let entries = snapshot.list("").map_err(|error| failed(&error))?;
    let listing: Vec<&str> = entries.iter().map(|entry| entry.path.as_str()).collect();
    let project = at(&session.settings, &snapshot)?;
    Ok(mapping::stacks(&project, &session.bindings().await, &listing).0)
}

/// The ref that an environment is compared with, and its files; `root` is the project's directory.
pub(super) fn compared(environment: &Environment, root: &Path) -> Result<(String, Snapshot), Why> {
    let repository = Repository::discover(root).map_err(|error| git_why(&error))?;
    let prefix = repository.prefix_of(root).map_err(|error| git_why(&error))?;
    let reference = environment.git_ref.clone().unwrap_or_else(|| repository.default_ref());
    let snapshot = repository.snapshot(&reference, &prefix).map_err(|error| git_why(&error))?;
    Ok((reference, snapshot))
}

/// What of the project file in use the commit does not say, for whoever wonders which of the two counts.
pub(super) fn unlike(settings: &Settings, snapshot: &Snapshot, reference: &str) -> Vec<String> {
    let file = &settings.file;
    let in_use = &settings.project;
    let committed = match committed(settings, snapshot) {
        // That it cannot be read is told as what fails for it.
        Err(_) => return Vec::new(),
        Ok(None) => return vec![format!("{file} is not in {reference}: the one here is in use")],
        Ok(Some(committed)) => committed,
    };
    let mut notes = Vec::new();
    if reached_by(in_use, committed.clone()) != committed {
        notes.push(format!(
            "{file} here and in {reference} differ in how AWS is reached (environments, name, state bucket): the one here \
             is in use"
        ));
    }
    if reached_by(in_use, committed) != *in_use {
        notes.push(format!(
            "{file} here says something else than in {reference}, which says what is compared; --ref {WORKTREE} compares \
             what is here"
        ));
    }
    notes
}

/// What one project file says is compared, and another how it is reached.
fn reached_by(in_use: &Project, compared: Project) -> Project {
    let Project { name, state_bucket, environments, .. } = in_use.clone();
    Project { name, state_bucket, environments, ..compared }
}

fn committed(settings: &Settings, snapshot: &Snapshot) -> Result<Option<Project>, Why> {
    let file = &settings.file;
    let Some(blob) = snapshot.read(file).map_err(|error| failed(&error))? else { return Ok(None) };
    let text = String::from_utf8(blob.bytes).map_err(|_| Why::new(format!("{file} is not UTF-8")))?;
    let (project, _) = parse_project(file, &text).map_err(|error| failed(&error))?;
    Ok(Some(project))
}
