//! What a redeploy is about: the repository on GitHub, the commit, and the branch or tag that stands for it there.

use crate::compare::Why;
use crate::git;
use crate::github::Repository;
use crate::ops::session::{self, Session};
use crate::ops::{git_why, refuse_worktree};

pub(super) struct Ground {
    pub(super) commit: String,
    pub(super) subject: String,
    /// What a workflow can run on, or why nothing is known.
    pub(super) branch: Result<String, Why>,
}

pub(super) fn of(session: &Session, reference: Option<&str>) -> Result<Ground, Why> {
    let reference = reference.map_or_else(|| session.reference(), str::to_owned);
    refuse_worktree(&reference)?;
    let repository = session.repository.as_ref().map_err(Clone::clone)?;
    let commit = repository.resolve(&reference).map_err(|error| git_why(&error))?;
    let stated = session.project().redeploy.git_ref.as_deref();
    let branch = match stated {
        Some(stated) => Ok(stated.replace("{env}", &session.environment().name)),
        None => branch(repository, &reference).or_else(|why| {
            // A commit alone goes as an input: the workflow is that of the environment's own branch.
            let environment = &session.environment().name;
            let own = session.project().environments.iter().find(|own| own.name == *environment);
            let own = own.and_then(|own| own.git_ref.clone()).unwrap_or_else(|| repository.default_ref());
            branch(repository, &own).map_err(|_| why)
        }),
    };
    Ok(Ground { commit: commit.id, subject: commit.subject, branch })
}

/// GitHub runs a workflow on a branch or a tag of its own: `origin/main` is `main` there, and a commit's id is neither.
fn branch(repository: &git::Repository, reference: &str) -> Result<String, Why> {
    if let Some(remote) = repository.remote_of(reference)
        && let Some(name) =
            reference.strip_prefix("refs/remotes/").unwrap_or(reference).strip_prefix(&format!("{remote}/"))
    {
        return Ok(name.to_owned());
    }
    let refs = repository.refs().map_err(|error| git_why(&error))?;
    if refs.iter().any(|known| known.name == reference) {
        return Ok(reference.to_owned());
    }
    let why = Why::new(format!("{reference} is no branch and no tag, and a workflow runs on one of these"));
    Err(why.hint("`ref` of [redeploy] in plumb.toml; the commit itself is sent as an input"))
}

/// As the project file names it, or else a remote's URL: that of `origin` first.
pub(in crate::ops) fn repository(session: &Session) -> Result<Repository, Why> {
    let redeploy = &session.project().redeploy;
    let mut remotes = session::remotes(&session.root);
    remotes.sort_by_key(|(name, _)| name != "origin");
    let of_remote = remotes.iter().find_map(|(_, url)| Repository::of(url));
    let name = redeploy.repository.clone().or_else(|| of_remote.as_ref().map(|found| found.name.clone()));
    let name = name.ok_or_else(|| {
        Why::new("no remote's URL is a repository on GitHub").hint("`repository` of [redeploy] in plumb.toml")
    })?;
    let api = redeploy.api.clone().or_else(|| of_remote.map(|found| found.api));
    let api = api.unwrap_or_else(|| "https://api.github.com".to_owned());
    Repository::at(&api, &name).map_err(|why| Why::new(why).hint("[redeploy] in plumb.toml"))
}
