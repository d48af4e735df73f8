//! The branch's commit on this machine: fetched by libgit2 itself, so that no program, no configuration of a program and no
//! file with a key is between.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use git2::build::CheckoutBuilder;
use git2::{
    AutotagOption, CertificateCheckStatus, Config, ConfigLevel, Cred, CredentialType, Error, ErrorCode, FetchOptions,
    Oid, ProxyOptions, RemoteCallbacks, RemoteRedirect, Repository,
};

use super::Stopped;
use super::credentials::{Credentials, is_pinned};
use super::place::{Place, Way};

/// Where the branch's tip is kept here.
const TIP: &str = "refs/plumb/tip";

/// What is fetched.
pub(super) struct Wanted {
    pub(super) place: Place,
    pub(super) credentials: Option<Arc<Credentials>>,
    pub(super) branch: String,
    pub(super) commit: Option<String>,
    /// An empty directory.
    pub(super) into: PathBuf,
    /// Set when nobody waits for it any more.
    pub(super) cancelled: Arc<AtomicBool>,
}

/// What was checked out.
#[derive(Debug)]
pub(super) struct Fetched {
    pub(super) root: PathBuf,
    pub(super) commit: String,
    pub(super) shallow: bool,
}

/// Fetches the branch and checks out its tip, or the commit of it that is wanted. The tip alone where that is enough and the
/// way to the repository can; its whole history where a commit has to be found in it.
pub(super) fn fetch(wanted: &Wanted) -> Result<Fetched, Stopped> {
    let oid = match &wanted.commit {
        None => None,
        Some(commit) if commit.len() != 40 => {
            return Err(Stopped::Refused(
                "the worker reads repositories of SHA-1, and the commit is of SHA-256".to_owned(),
            ));
        }
        Some(commit) => Some(Oid::from_str(commit).map_err(|error| failed(wanted, error.message()))?),
    };
    if wanted.place.way != Way::File {
        let root = wanted.into.join("tip");
        match tip(wanted, &root, true) {
            Ok((repository, tip)) if oid.is_none_or(|oid| oid == tip) => {
                return checked_out(wanted, &repository, root, tip);
            }
            // The commit is elsewhere on the branch, or nowhere.
            Ok(_) => {}
            // A server that cannot give a part gives the whole.
            Err(Stopped::Failed(why)) if why.contains("shallow") => {}
            Err(stopped) => return Err(stopped),
        }
    }
    let root = wanted.into.join("whole");
    let (repository, tip) = tip(wanted, &root, false)?;
    let oid = oid.unwrap_or(tip);
    let on_branch = oid == tip || repository.graph_descendant_of(tip, oid).is_ok_and(|is| is);
    if !on_branch {
        return Err(Stopped::Refused(format!("commit {oid} is not on branch {}", wanted.branch)));
    }
    checked_out(wanted, &repository, root, oid)
}

/// A repository with the branch's tip in it.
fn tip(wanted: &Wanted, root: &Path, shallow: bool) -> Result<(Repository, Oid), Stopped> {
    // Why a host is not trusted: libgit2 has words of its own for that, which say less.
    let distrusted = OnceLock::<&'static str>::new();
    let failed = |error: Error| match distrusted.get() {
        None => failed(wanted, error.message()),
        Some(why) => failed(wanted, why),
    };
    let repository = Repository::init(root).map_err(failed)?;
    // The configuration of this machine may say `url.….insteadOf`, and the token would go where nobody has looked.
    let config = own_configuration(&repository).map_err(failed)?;
    repository.set_config(&config).map_err(failed)?;
    {
        let mut remote = repository.remote_anonymous(&wanted.place.url).map_err(failed)?;
        let mut proxy = ProxyOptions::new();
        proxy.auto();
        let mut options = FetchOptions::new();
        options
            .remote_callbacks(callbacks(wanted, &distrusted))
            .proxy_options(proxy)
            .download_tags(AutotagOption::None);
        // Where a server sends one elsewhere, the token would go there too.
        options.follow_redirects(RemoteRedirect::None);
        if shallow {
            options.depth(1);
        }
        let refspec = format!("+refs/heads/{}:{TIP}", wanted.branch);
        remote.fetch(&[refspec], Some(&mut options), None).map_err(failed)?;
    }
    let tip = match repository.refname_to_id(TIP) {
        Ok(tip) => tip,
        Err(error) if error.code() == ErrorCode::NotFound => {
            return Err(Stopped::Refused(format!("the repository has no branch {}", wanted.branch)));
        }
        Err(error) => return Err(failed(error)),
    };
    Ok((repository, tip))
}

/// A repository's own configuration, and no other.
fn own_configuration(repository: &Repository) -> Result<Config, Error> {
    let mut config = Config::new()?;
    config.add_file(&repository.path().join("config"), ConfigLevel::Local, false)?;
    Ok(config)
}

fn callbacks<'a>(wanted: &'a Wanted, distrusted: &'a OnceLock<&'static str>) -> RemoteCallbacks<'a> {
    let mut callbacks = RemoteCallbacks::new();
    let mut asked = false;
    callbacks.credentials(move |_, username, allowed| {
        // SSH asks for a name alone first, where the URL has none.
        if allowed.contains(CredentialType::USERNAME) {
            return Cred::username("git");
        }
        // Who is asked again was not believed.
        if std::mem::replace(&mut asked, true) {
            return Err(Error::from_str("the server does not accept the credentials"));
        }
        match wanted.credentials.as_deref() {
            None => Err(Error::from_str("the server wants credentials, and the registry names none")),
            Some(Credentials::Token { token, username }) => Cred::userpass_plaintext(username, token),
            Some(Credentials::Key { private_key, .. }) => {
                Cred::ssh_key_from_memory(username.unwrap_or("git"), None, private_key, None)
            }
        }
    });
    callbacks.certificate_check(|certificate, _| {
        let Way::Ssh { host, port } = &wanted.place.way else {
            // TLS: by the machine's own authorities.
            return Ok(CertificateCheckStatus::CertificatePassthrough);
        };
        let key = certificate.as_hostkey().and_then(|key| key.hostkey());
        let untrusted = |why: &'static str| {
            let _ = distrusted.set(why);
            Error::from_str(why)
        };
        let key = key.ok_or_else(|| untrusted("the server showed no host key"))?;
        let Some(Credentials::Key { known_hosts, .. }) = wanted.credentials.as_deref() else {
            return Err(untrusted("a server is reached by ssh only with `known_hosts` in the secret"));
        };
        is_pinned(known_hosts, host, *port, key).map_err(untrusted)?;
        Ok(CertificateCheckStatus::CertificateOk)
    });
    callbacks.transfer_progress(|_| !wanted.cancelled.load(Ordering::Relaxed));
    callbacks.sideband_progress(|_| !wanted.cancelled.load(Ordering::Relaxed));
    callbacks
}

fn checked_out(wanted: &Wanted, repository: &Repository, root: PathBuf, oid: Oid) -> Result<Fetched, Stopped> {
    let failed = |error: Error| failed(wanted, error.message());
    repository.set_head_detached(oid).map_err(failed)?;
    let mut checkout = CheckoutBuilder::new();
    repository.checkout_head(Some(checkout.force())).map_err(failed)?;
    Ok(Fetched { root, commit: oid.to_string(), shallow: repository.is_shallow() })
}

/// What libgit2 says; of a token it knows nothing that it could say.
fn failed(wanted: &Wanted, why: &str) -> Stopped {
    Stopped::Failed(format!("branch {} of {} cannot be fetched: {why}", wanted.branch, wanted.place))
}
