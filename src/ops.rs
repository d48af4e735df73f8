//! The use cases, shared by the commands and the console.
//!
//! Nothing here prints, draws or asks; everything that has to be shown or confirmed is returned as a value.
//! Errors are [`Why`]s: what failed, on what, why, and what to try.

pub mod artifact;
mod call;
pub mod command;
pub mod config;
pub mod crypto;
pub mod demo;
pub mod deploy;
pub mod doctor;
pub mod history;
pub mod hold;
pub mod init;
pub mod inspect;
pub mod intake;
pub mod journal;
mod kept;
pub mod keys;
pub mod lambda;
pub mod local;
pub mod locate;
pub mod map;
mod moves;
pub mod names;
mod outputs;
pub mod patience;
pub mod permissions;
pub mod pipeline;
pub mod policy;
mod project;
pub mod promote;
pub mod push;
pub mod readers;
pub mod receipt;
pub mod record;
pub mod redeploy;
pub mod report;
pub mod restart;
pub mod schema;
pub mod session;
pub mod snapshot;
pub mod summary;
pub mod unlock;

use crate::aws;
use crate::compare::{Why, WhyKind};
use crate::git;

/// An AWS error as an operator reads it.
pub(crate) fn why(error: &aws::Error) -> Why {
    let kind = match error.kind {
        aws::ErrorKind::AccessDenied => WhyKind::Denied,
        aws::ErrorKind::Expired { .. } => WhyKind::Expired,
        aws::ErrorKind::NoCredentials => WhyKind::NoCredentials,
        aws::ErrorKind::NotFound => WhyKind::Missing,
        aws::ErrorKind::Throttled => WhyKind::Throttled,
        aws::ErrorKind::Network | aws::ErrorKind::Timeout => WhyKind::Network,
        aws::ErrorKind::Unreadable | aws::ErrorKind::Other if error.passes() => WhyKind::Service,
        aws::ErrorKind::NoRegion | aws::ErrorKind::Conflict | aws::ErrorKind::Unreadable | aws::ErrorKind::Other => {
            WhyKind::Other
        }
    };
    Why { hint: error.hint(), ..failed(error).kind(kind) }
}

/// Bytes in hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;

    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// What is rolled out or recorded must be a commit: a receipt of uncommitted files would lie as soon as they change.
pub(crate) fn refuse_worktree(reference: &str) -> Result<(), Why> {
    if reference == crate::git::WORKTREE {
        return Err(Why::new(
            "refused: the working tree is no commit, and only a commit can be rolled out or recorded",
        )
        .hint("commit first"));
    }
    Ok(())
}

/// What was planned for one account is not written to another.
pub(crate) fn refuse_elsewhere(planned: &report::Identity, here: &report::Identity) -> Result<(), Why> {
    if (&planned.account, &planned.region) == (&here.account, &here.region) {
        return Ok(());
    }
    Err(Why::new(format!(
        "refused: the plan is for account {} in {}, and {} in {} would write",
        planned.account, planned.region, here.account, here.region
    )))
}

/// A git error as an operator reads it.
pub(crate) fn git_why(error: &crate::git::Error) -> Why {
    Why { hint: error.hint(), ..failed(error) }
}

/// A project file that only a commit has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommittedProject {
    /// The repository.
    pub root: std::path::PathBuf,
    /// The name by which git knows the file: `HEAD:plumb.toml`.
    pub name: String,
    /// What it says.
    pub text: String,
}

/// The project file of a bare repository, at a ref or else at its default one. `None`: `start` is not in a bare
/// repository, or the commit has no such file.
///
/// Fails when there is no such ref, or the file cannot be read.
pub fn project_file(start: &std::path::Path, reference: Option<&str>) -> Result<Option<CommittedProject>, Why> {
    let Ok(repository) = git::Repository::discover(start) else { return Ok(None) };
    if !repository.is_bare() {
        return Ok(None);
    }
    let told = |error: git::Error| Why { hint: error.hint(), ..failed(&error) };
    let reference = reference.map_or_else(|| repository.default_ref(), str::to_owned);
    let snapshot = repository.snapshot(&reference, "").map_err(told)?;
    let Some(blob) = snapshot.read(crate::config::PROJECT_FILE).map_err(told)? else { return Ok(None) };
    let name = format!("{reference}:{}", crate::config::PROJECT_FILE);
    let text = String::from_utf8(blob.bytes).map_err(|_| Why::new(format!("{name} is not UTF-8")))?;
    Ok(Some(CommittedProject { root: repository.root().to_owned(), name, text }))
}

/// Any other error as an operator reads it.
pub(crate) fn failed(error: &impl std::fmt::Display) -> Why {
    Why::new(error.to_string())
}
