//! One environment of one project, ready to be asked.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::journal::Journal;
use super::keys::{Keyring, Keys, Kms, keyring};
use super::receipt::{Shelf, Store};
use super::report::{Calls, Commit, Identity};
use super::{git_why, why};
pub use crate::aws::Keys as Credentials;
use crate::aws::{self, Clients, Timeouts, sts};
use crate::compare::Fingerprinter;
use crate::compare::Why;
use crate::config::{Bindings, Environment, Project, Protection, Settings};
use crate::git::{CommitInfo, Repository};
use crate::secret::Secret;

/// How AWS is reached, beside what the settings say.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// Fixed keys instead of the SDK's chain.
    pub credentials: Option<Credentials>,
    /// How long to wait.
    pub timeouts: Timeouts,
    /// Where every write is noted before it is sent; without one nothing is written.
    pub journal: Option<Journal>,
}

/// Leave to write to an environment that refuses it, for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unlock {
    /// When it ends. Monotonic, so that a clock that is put back does not prolong it.
    pub until: Instant,
    /// Why, in the operator's words; noted with every write.
    pub reason: String,
}

impl Access {
    /// How an environment is reached.
    pub(super) fn options(&self, environment: &Environment) -> aws::Options {
        aws::Options {
            profile: environment.profile.clone(),
            region: environment.region.clone(),
            endpoint_url: environment.endpoint.clone(),
            keys: self.credentials.clone(),
            timeouts: self.timeouts,
        }
    }
}

impl From<Option<Credentials>> for Access {
    fn from(credentials: Option<Credentials>) -> Self {
        Self { credentials, ..Self::default() }
    }
}

/// An environment variable for another program; `None`: it must not be there.
pub type Variable = (&'static str, Option<Secret>);

/// Everything that the use cases need: settings, repository, AWS clients, keys.
///
/// Cheap to clone; clones share the clients, their call counters and what was learnt about the account.
#[derive(Clone)]
pub struct Session {
    inner: Arc<Inner>,
    unlock: Option<Arc<Unlock>>,
    reason: Option<Arc<str>>,
}

/// The parts of a [`Session`].
pub struct Inner {
    /// The project, the chosen environment, and where each setting came from.
    pub settings: Settings,
    /// The project's directory: where `plumb.toml` lies.
    pub root: PathBuf,
    /// The repository; absent for a console over a bare stack or path.
    pub repository: Result<Repository, Why>,
    /// The project's folder within the repository; empty at its root.
    pub prefix: String,
    /// AWS.
    pub clients: Clients,
    /// The age identities that open encrypted documents.
    pub keys: Arc<Keys>,
    /// These and KMS: what documents are opened and written with, on a thread that may block.
    pub keyring: Arc<Keyring>,
    /// Makes the fingerprints that stand for masked values.
    pub fingerprinter: Fingerprinter,
    /// The receipts that were read before.
    pub shelf: Shelf,
    access: Access,
    identity: Mutex<Option<Result<Identity, Why>>>,
}

impl std::ops::Deref for Session {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.inner
    }
}

impl Session {
    /// Prepares an environment. Makes no AWS call; a missing repository is told where the git side would be.
    pub async fn open(
        settings: Settings,
        root: &Path,
        keys: Arc<Keys>,
        fingerprinter: Fingerprinter,
        access: impl Into<Access>,
    ) -> Result<Self, Why> {
        let access: Access = access.into();
        let environment = &settings.environment;
        let options = access.options(environment);
        let clients = Clients::connect(&options).await.map_err(|error| why(&error))?;
        let keyring = Arc::new(keyring(&keys, Kms::new(options, Some(clients.clone()))));
        let repository = Repository::discover(root).map_err(|error| git_why(&error));
        let prefix = match &repository {
            Ok(repository) => repository.prefix_of(root).map_err(|error| git_why(&error))?,
            Err(_) => String::new(),
        };
        let inner = Inner {
            root: root.to_owned(),
            repository,
            prefix,
            clients,
            keys,
            keyring,
            fingerprinter,
            shelf: Shelf::default(),
            access,
            identity: Mutex::default(),
            settings,
        };
        Ok(Self { inner: Arc::new(inner), unlock: None, reason: None })
    }

    /// The same environment, with leave to write to it although it is read-only. Whoever gives it has asked the operator.
    #[must_use]
    pub fn unlocked(&self, unlock: Unlock) -> Self {
        Self { unlock: Some(Arc::new(unlock)), ..self.clone() }
    }

    /// The same environment, for work that the operator gives a reason for: the journal notes it with every write.
    #[must_use]
    pub fn because(&self, reason: &str) -> Self {
        Self { reason: Some(reason.into()), ..self.clone() }
    }

    /// What the operator says that the work is for.
    pub(super) fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// Why writing was allowed, while it is.
    pub(super) fn unlocked_for(&self) -> Option<&str> {
        self.unlock.as_deref().filter(|unlock| Instant::now() < unlock.until).map(|unlock| unlock.reason.as_str())
    }

    /// Where writes are noted.
    pub fn journal(&self) -> Result<&Journal, Why> {
        self.access.journal.as_ref().ok_or_else(|| Why::new("refused: there is no journal to note a write in"))
    }

    /// The project.
    #[must_use]
    pub fn project(&self) -> &Project {
        &self.settings.project
    }

    /// The chosen environment.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        &self.settings.environment
    }

    /// The ref whose commit is the git side, unless another is asked for.
    #[must_use]
    pub fn reference(&self) -> String {
        match (&self.environment().git_ref, &self.repository) {
            (Some(reference), _) => reference.clone(),
            (None, Ok(repository)) => repository.default_ref(),
            (None, Err(_)) => "HEAD".to_owned(),
        }
    }

    /// By how much this machine's clock is ahead of AWS's, in milliseconds, as far as an answer has told.
    #[must_use]
    pub fn ahead(&self) -> i64 {
        self.clients.clock_skew().unwrap_or_default()
    }

    /// Now by AWS's clock as far as that is known, in milliseconds since the Unix epoch: what machines agree on by a time is
    /// agreed on by that.
    #[must_use]
    pub fn now(&self) -> i64 {
        super::inspect::now() - self.ahead()
    }

    /// Who is asking. STS is asked once, however many want to know at a time.
    pub async fn identity(&self) -> Result<Identity, Why> {
        let mut known = self.identity.lock().await;
        if let Some(known) = known.as_ref() {
            return known.clone();
        }
        let asked = self.ask_identity().await;
        *known = Some(asked.clone());
        asked
    }

    async fn ask_identity(&self) -> Result<Identity, Why> {
        let caller = sts::caller(&self.clients).await.map_err(|error| why(&error))?;
        let expected = self.environment().account.clone().filter(|expected| *expected != caller.account);
        Ok(Identity {
            account: caller.account,
            arn: caller.arn,
            region: self.clients.region().to_owned(),
            expected_account: expected,
        })
    }

    /// Lets STS be asked again where it failed: an expired token may be renewed meanwhile. Within one piece of work a
    /// failure stands, since each question to a service that hangs would take a minute.
    pub(super) async fn retry_identity(&self) {
        self.identity.lock().await.take_if(|known| known.is_err());
    }

    /// Lets STS be asked again whatever it said: who asks is as old as the rest of what an inspection tells.
    pub(super) async fn forget_identity(&self) {
        *self.identity.lock().await = None;
    }

    /// How long one request may take, with its retries.
    #[must_use]
    pub fn patience(&self) -> Duration {
        self.access.timeouts.operation
    }

    /// How much was asked of AWS so far.
    #[must_use]
    pub fn calls(&self) -> Calls {
        Calls { made: self.clients.calls(), throttled: self.clients.throttled() }
    }

    /// The same environment as whoever may write to it: with the write profile, where there is one.
    ///
    /// Refused for a read-only environment that is not unlocked, and while the account is not the one that the project
    /// expects.
    pub async fn for_writing(&self) -> Result<(Self, Identity), Why> {
        let name = &self.environment().name;
        if self.environment().protection == Protection::ReadOnly && self.unlocked_for().is_none() {
            return Err(Why::new(format!("refused: {name} is read-only")).hint(format!(
                "--unlock \"why\", in the console :unlock, or protection in [environments.{name}] of plumb.toml"
            )));
        }
        self.as_writer().await
    }

    /// The environment as whoever would write to it sees it. Nothing may be written with it: [`Self::for_writing`] says
    /// whether.
    pub async fn as_writer(&self) -> Result<(Self, Identity), Why> {
        let writer = match (&self.environment().write_profile, &self.access.credentials) {
            (Some(profile), None) => self.with_profile(profile).await?,
            _ => self.clone(),
        };
        let identity = writer.expected_identity().await?;
        Ok((writer, identity))
    }

    /// What another program's environment has to have so that it asks AWS where and as whom this session does. Where
    /// nothing names a profile it finds its credentials as this one did.
    #[must_use]
    pub fn variables(&self) -> Vec<Variable> {
        let plain = |text: &str| Some(Secret::new(text));
        let region = self.clients.region();
        let mut variables = vec![("AWS_REGION", plain(region)), ("AWS_DEFAULT_REGION", plain(region))];
        variables.extend(self.environment().endpoint.as_deref().map(|url| ("AWS_ENDPOINT_URL", plain(url))));
        let (keys, profile) = (&self.access.credentials, self.environment().profile.as_deref());
        if keys.is_none() && profile.is_none() {
            return variables;
        }
        let profile = profile.filter(|_| keys.is_none());
        // Each of these would win over a profile in some SDK or other.
        let others = ["AWS_DEFAULT_PROFILE", "AWS_SECURITY_TOKEN", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN"];
        variables.extend(others.map(|name| (name, None)));
        variables.push(("AWS_PROFILE", profile.and_then(plain)));
        variables.push(("AWS_ACCESS_KEY_ID", keys.as_ref().and_then(|keys| plain(&keys.access_key_id))));
        variables.push(("AWS_SECRET_ACCESS_KEY", keys.as_ref().map(|keys| keys.secret_access_key.clone())));
        variables.push(("AWS_SESSION_TOKEN", keys.as_ref().and_then(|keys| keys.session_token.clone())));
        variables
    }

    async fn with_profile(&self, profile: &str) -> Result<Self, Why> {
        let environment = Environment { profile: Some(profile.to_owned()), ..self.environment().clone() };
        let settings = Settings { environment, ..self.settings.clone() };
        let (keys, fingerprinter) = (Arc::clone(&self.keys), self.fingerprinter.clone());
        let writer = Self::open(settings, &self.root, keys, fingerprinter, self.access.clone()).await?;
        Ok(Self { unlock: self.unlock.clone(), reason: self.reason.clone(), ..writer })
    }

    async fn expected_identity(&self) -> Result<Identity, Why> {
        self.retry_identity().await;
        let identity = self.identity().await?;
        match &identity.expected_account {
            Some(expected) => Err(Why::new(format!(
                "refused: account {} is not {expected}, which the project expects for {}",
                identity.account,
                self.environment().name
            ))
            .hint("another profile: --profile, or [environments] in plumb.toml")),
            None => Ok(identity),
        }
    }

    /// Where receipts lie. The bucket's name may need the account, and so a call of STS.
    pub async fn receipts(&self) -> Result<Store, Why> {
        let bucket = match &self.project().state_bucket {
            Some(pattern) => Some(self.expand(pattern).await?),
            None => None,
        };
        Ok(Store { bucket, project: self.project().name.clone(), environment: self.environment().name.clone() })
    }

    /// What this environment binds in patterns. The account stays open while STS cannot be asked.
    pub async fn bindings(&self) -> Bindings {
        let account = self.identity().await.ok().map(|identity| identity.account);
        Bindings {
            env: Some(self.environment().name.clone()),
            account,
            region: Some(self.clients.region().to_owned()),
            ..Bindings::default()
        }
    }

    /// Fills the placeholders of this environment into a pattern.
    pub async fn expand(&self, pattern: &str) -> Result<String, Why> {
        let mut text = pattern
            .replace("{env}", &self.environment().name)
            .replace("{project}", &self.project().name)
            .replace("{region}", self.clients.region());
        if text.contains("{account}") {
            text = text.replace("{account}", &self.identity().await?.account);
        }
        Ok(text)
    }
}

/// The remotes of the repository that a directory lies in and their URLs, without passwords; none without a repository.
#[must_use]
pub fn remotes(root: &Path) -> Vec<(String, String)> {
    let Ok(repository) = Repository::discover(root) else { return Vec::new() };
    let names = repository.remotes().into_iter();
    names.filter_map(|name| repository.remote_url(&name).map(|url| (name, url))).collect()
}

impl From<CommitInfo> for Commit {
    fn from(info: CommitInfo) -> Self {
        Self {
            reference: info.reference,
            id: info.id,
            subject: info.subject,
            author: info.author,
            at: info.at,
            ahead: info.ahead,
            behind: info.behind,
            dirty: info.dirty,
            fetched_at: info.fetched_at,
        }
    }
}
