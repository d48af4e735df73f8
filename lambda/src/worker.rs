//! The worker that runs in a build: from a project's name to its deploy command's exit code.
//!
//! It trusts nothing that it was started with: project and branch are held to the closed sets of [`crate::pipeline::names`] and
//! to the registry again, and a commit has to be on the branch. What is run is the registry's alone. The same on a laptop:
//! `plumb-worker --project demo --branch main`.
//!
//! A secret never leaves it: it is in no argument, no variable, no file and no error, and in what the command prints it is
//! replaced. The command gets the worker's environment, AWS credentials among it, since deploying is what it is for.

pub mod ask;
mod credentials;
mod fetch;
mod live;
pub mod mask;
mod outcome;
mod place;
mod run;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::pipeline::branches;
use crate::pipeline::registry::Project;
use ask::Asked;
use credentials::Credentials;
use outcome::{Ended, Outcome};
use place::Place;
use run::End;

/// Longer no repository may take to fetch.
const FETCHING: Duration = Duration::from_mins(15);

/// Why the command was not run.
#[derive(Debug, thiserror::Error)]
enum Stopped {
    /// It may not be: asking again would not help.
    #[error("{0}")]
    Refused(String),
    /// Something could not be asked or done.
    #[error("{0}")]
    Failed(String),
}

/// Ends a program or a fetch.
struct Stop {
    term: Signal,
    int: Signal,
}

impl Stop {
    fn new() -> std::io::Result<Self> {
        Ok(Self { term: signal(SignalKind::terminate())?, int: signal(SignalKind::interrupt())? })
    }

    /// Comes back with the signal's number when the worker is told to end.
    async fn asked(&mut self) -> i32 {
        tokio::select! {
            _ = self.term.recv() => 15,
            _ = self.int.recv() => 2,
        }
    }
}

/// Does what was asked, tells it, and gives the exit code: the command's, 124 when it took too long, 2 when it may not be run.
pub async fn work(asked: &Asked) -> u8 {
    let began = Timestamp::now();
    let mut outcome = Outcome::new(asked, began);
    let ended = match deploy(asked, &mut outcome).await {
        Ok(ended) => ended,
        Err(Stopped::Refused(why)) => Ended::Refused(why),
        Err(Stopped::Failed(why)) => Ended::Failed { code: None, why: Some(why) },
    };
    outcome.end(ended, Timestamp::now());
    outcome.tell();
    match &asked.result {
        Some(path) => outcome.write(path).map_or_else(
            |error| {
                outcome::say(&format!("the result cannot be written to {}: {error}", path.display()));
                outcome.exit_code().max(1)
            },
            |()| outcome.exit_code(),
        ),
        None => outcome.exit_code(),
    }
}

async fn deploy(asked: &Asked, outcome: &mut Outcome) -> Result<Ended, Stopped> {
    let mut stop = Stop::new().map_err(|error| Stopped::Failed(format!("signals cannot be heard: {error}")))?;
    let (Prepared { project, place, credentials }, mut secrets) = tokio::select! {
        read = prepare(asked) => read?,
        signal = stop.asked() => return Ok(stopped(signal)),
    };
    let folder = tempfile::Builder::new().prefix("plumb-worker-").tempdir();
    let folder = folder.map_err(|error| Stopped::Failed(format!("there is no place for the repository: {error}")))?;
    outcome::say(&format!("fetching {} of {place}", asked.message.branch));
    let wanted = fetch::Wanted {
        place,
        credentials: credentials.clone(),
        branch: asked.message.branch.clone(),
        commit: asked.message.commit.clone(),
        into: folder.path().to_owned(),
        cancelled: Arc::new(AtomicBool::new(false)),
    };
    let cancelled = Arc::clone(&wanted.cancelled);
    let fetching = tokio::task::spawn_blocking(move || fetch::fetch(&wanted));
    let fetched = tokio::select! {
        fetched = tokio::time::timeout(FETCHING, fetching) => fetched,
        signal = stop.asked() => {
            cancelled.store(true, Ordering::Relaxed);
            return Ok(stopped(signal));
        }
    };
    let fetched = match fetched {
        Ok(Ok(fetched)) => fetched?,
        Ok(Err(error)) => return Err(Stopped::Failed(format!("the fetch ended early: {error}"))),
        Err(_) => {
            cancelled.store(true, Ordering::Relaxed);
            let minutes = FETCHING.as_secs() / 60;
            return Err(Stopped::Failed(format!("the repository was not there within {minutes} minutes")));
        }
    };
    outcome.commit = Some(fetched.commit.clone());
    let directory = inside(&fetched.root, &project.directory)?;
    let how = if fetched.shallow { "the last commit alone" } else { "with its history" };
    outcome::say(&format!("{} is checked out ({how}), and its command runs", fetched.commit));
    secrets.extend(credentials.as_ref().map(Credentials::secrets).unwrap_or_default());
    secrets.extend(mask::of_environment());
    let job = run::Job {
        command: &project.command,
        directory: &directory,
        variables: asked.variables(&fetched.commit),
        timeout: Duration::from_secs(project.timeout),
        secrets,
    };
    Ok(match run::run(job, &mut stop).await.map_err(Stopped::Failed)? {
        End::Exited(0) => Ended::Succeeded,
        End::Exited(code) => Ended::Failed { code: Some(code), why: None },
        End::TooLong => Ended::TimedOut(project.timeout),
        End::Stopped(signal) => stopped(signal),
    })
}

fn stopped(signal: i32) -> Ended {
    let name = if signal == 2 { "SIGINT" } else { "SIGTERM" };
    Ended::Failed { code: Some(128 + signal), why: Some(format!("the worker was ended by {name}")) }
}

/// What the registry says of a project, and what opens its repository.
struct Prepared {
    project: Project,
    place: Place,
    credentials: Option<Arc<Credentials>>,
}

/// What the registry says, where it allows what is asked; and AWS's own secrets.
async fn prepare(asked: &Asked) -> Result<(Prepared, mask::Secrets), Stopped> {
    let world = live::Live::new().await.map_err(Stopped::Failed)?;
    let message = &asked.message;
    let fields = world.registry(&message.project).await.map_err(Stopped::Failed)?;
    if fields.is_empty() {
        return Err(Stopped::Refused(format!("project {} is not in the registry", message.project)));
    }
    let project = Project::read(&fields).map_err(|unfit| Stopped::Refused(unfit.to_string()))?;
    if !branches::allow(&project.branches, &message.branch) {
        return Err(Stopped::Refused(format!("the registry does not allow branch {}", message.branch)));
    }
    let place = Place::read(&project.repository, asked.local).map_err(|why| Stopped::Refused(why.to_owned()))?;
    let credentials = match &project.credentials {
        None => None,
        Some(secret) => {
            let text = world.secret(secret).await.map_err(Stopped::Failed)?;
            let read = Credentials::read(&text).map_err(|why| Stopped::Refused(format!("secret {secret}: {why}")))?;
            read.fits(&place).map_err(|why| Stopped::Refused(format!("secret {secret}: {why}")))?;
            Some(Arc::new(read))
        }
    };
    Ok((Prepared { project, place, credentials }, world.secrets()))
}

/// The directory that the command runs in. A link of the repository may point elsewhere; it may not lead there.
fn inside(root: &Path, directory: &Path) -> Result<PathBuf, Stopped> {
    let refused = |why: &str| Stopped::Refused(format!("the registry's `directory` {} {why}", directory.display()));
    if directory.components().any(|part| part.as_os_str().eq_ignore_ascii_case(".git")) {
        return Err(refused("is git's own"));
    }
    let unread = |error: std::io::Error| Stopped::Failed(format!("cannot read the checkout: {error}"));
    let root = root.canonicalize().map_err(unread)?;
    let found = root.join(directory).canonicalize().map_err(|_| refused("is not in the repository"))?;
    if !found.starts_with(&root) || found.starts_with(root.join(".git")) {
        return Err(refused("leads out of the repository"));
    }
    if found.is_dir() { Ok(found) } else { Err(refused("is no directory")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_runs_nowhere_but_in_the_repository() {
        let place = tempfile::tempdir().unwrap();
        let root = place.path().join("repository");
        std::fs::create_dir_all(root.join("infra/prod")).unwrap();
        std::fs::create_dir_all(root.join(".git/hooks")).unwrap();
        std::fs::write(root.join("file"), "").unwrap();
        for (name, target) in [("out", ".."), ("etc", "/etc"), ("hooks", ".git/hooks"), ("near", "infra/prod")] {
            std::os::unix::fs::symlink(target, root.join(name)).unwrap();
        }
        let cases = [
            (".", Ok("")),
            ("infra/prod", Ok("infra/prod")),
            ("near", Ok("infra/prod")),
            ("out", Err("leads out")),
            ("etc", Err("leads out")),
            ("hooks", Err("leads out")),
            (".git", Err("git's own")),
            ("infra/../.GIT", Err("git's own")),
            ("nowhere", Err("is not in")),
            ("file", Err("no directory")),
        ];
        for (directory, expected) in cases {
            match (inside(&root, Path::new(directory)), expected) {
                (Ok(found), Ok(wanted)) => assert_eq!(found, root.canonicalize().unwrap().join(wanted), "{directory}"),
                (Err(why), Err(wanted)) => assert!(why.to_string().contains(wanted), "{directory}: {why}"),
                (found, _) => panic!("{directory}: {found:?}"),
            }
        }
    }
}
