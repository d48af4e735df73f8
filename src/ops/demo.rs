//! A project that has really drifted: a git repository, rolled out to a local account, and the night after.
//!
//! Everything is done for real: commits by git, documents by sops under an age key made on the spot, a stack and its
//! functions by change set, and the night by ordinary AWS calls under other people's access keys.

mod bootstrap;
mod history;
mod night;
mod sample;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::journal::Journal;
use super::keys::{KeySources, Keys};
use super::session::{Access, Session, Unlock};
use super::{deploy, failed, push};
use crate::aws;
use crate::compare::{Fingerprinter, Why};
use crate::config::{self, Environ, Flags, Protection};
use crate::local::{self, Running};
use crate::secret::Secret;
use crate::sops::generate_age_key;

use self::history::History;

/// The environment that the night happens to.
pub const ENVIRONMENT: &str = "prod";

/// The project's file of age keys, beside the repository and never in it.
const AGE_KEYS: &str = "age-keys.txt";

/// How long the first rollout may write to the environment that is read-only by its name.
const ROLLOUT: Duration = Duration::from_mins(15);

/// A demo that stands.
#[derive(Debug)]
pub struct Demo {
    /// The repository.
    pub project_dir: PathBuf,
    /// The age identities that open its documents.
    pub age_key_file: PathBuf,
    /// The local account; it ends with this value unless it was started to stay.
    pub account: Running,
}

/// How a demo is made.
#[derive(Debug, Clone)]
pub struct Options {
    /// An empty directory for the repository and its keys.
    pub directory: PathBuf,
    /// Where the local account keeps its things.
    pub paths: local::Paths,
    /// Where the writes of the demo are noted.
    pub journal: Journal,
    /// Whether the account stays when this process ends.
    pub stay: bool,
}

/// Makes a demo. `progress` hears one line per step.
pub async fn make(options: &Options, progress: &(dyn Fn(String) + Send + Sync)) -> Result<Demo, Why> {
    let bootstrap = bootstrap::find(progress).await?;
    let up = local::UpOptions { detached: options.stay, ..local::UpOptions::default() };
    let account = local::up(&options.paths, up, |note| {
        if let Some(line) = said(&note) {
            progress(line);
        }
    })
    .await
    .map_err(|error| Why { hint: error.hint().map(str::to_owned), ..failed(&error) })?;
    let project_dir = options.directory.join("petshop");
    let age_key_file = options.directory.join(AGE_KEYS);
    let (recipient, identity) = generate_age_key();
    write_private(&age_key_file, &identity)?;
    let keys = Keys::find(&KeySources { file: Some(age_key_file.clone()), ..KeySources::default() });
    progress("writing the petshop's history".to_owned());
    let markers = BTreeMap::from([
        ("age_recipient", recipient.clone()),
        ("endpoint_url", account.endpoint_url.clone()),
        ("region", account.region.clone()),
        ("account", account.account.clone()),
    ]);
    let mut history = History::begin(&project_dir, markers.clone(), recipient, keys)?;
    history.write_until_rolled_out().await?;
    place(&bootstrap, &project_dir)?;
    let demo = Demo { project_dir, age_key_file, account };
    for environment in ["dev", "qa", "uat", ENVIRONMENT] {
        demo.roll_out(environment, &options.journal, progress).await?;
    }
    let dev = demo.session("dev", &options.journal).await?;
    let untold = sample::register(&options.directory.join("demo"), &markers, &dev).await?;
    if let Some(why) = untold {
        progress(why.reason);
    }
    history.write_rest().await?;
    if options.stay {
        super::local::note_keys(&options.paths, &demo.account, &demo.age_key_file)?;
    }
    progress("letting the night happen".to_owned());
    night::happen(&demo, ENVIRONMENT).await?;
    Ok(demo)
}

impl Demo {
    /// The keys of the account's root.
    #[must_use]
    pub fn credentials(&self) -> aws::Keys {
        aws::Keys {
            access_key_id: self.account.access_key_id.clone(),
            secret_access_key: Secret::new(self.account.secret_access_key.clone()),
            session_token: None,
        }
    }

    async fn roll_out(
        &self,
        environment: &str,
        journal: &Journal,
        progress: &(dyn Fn(String) + Send + Sync),
    ) -> Result<(), Why> {
        let session = self.session(environment, journal).await?;
        for stack in session.project().stacks.clone() {
            progress(format!("deploying the stack of {environment}"));
            let deployed = deploy::deploy(&session, &stack, "HEAD", &|_| {}).await?;
            deployed.untold.iter().for_each(|why| progress(why.reason.clone()));
        }
        progress(format!("pushing the config of {environment}"));
        let pushed = push::push(&session, "HEAD").await?;
        pushed.untold.iter().for_each(|why| progress(why.reason.clone()));
        match pushed.failed.into_iter().next() {
            Some((name, why)) => Err(Why::new(format!("cannot push {name}: {}", why.reason))),
            None => Ok(()),
        }
    }

    async fn session(&self, environment: &str, journal: &Journal) -> Result<Session, Why> {
        let flags = Flags {
            env: Some(environment.to_owned()),
            project: Some(self.project_dir.display().to_string()),
            ..Flags::default()
        };
        let settings = config::load(&flags, &Environ(BTreeMap::new()), &self.project_dir).map_err(|e| failed(&e))?;
        let keys = Arc::new(Keys::find(&KeySources { file: Some(self.age_key_file.clone()), ..KeySources::default() }));
        let access =
            Access { credentials: Some(self.credentials()), journal: Some(journal.clone()), ..Access::default() };
        // Nothing is shown from here, so any fingerprint key will do.
        let session = Session::open(settings, &self.project_dir, keys, Fingerprinter::new([0; 32]), access).await?;
        Ok(match session.environment().protection {
            Protection::ReadOnly => {
                let reason = String::from("the demo's first rollout");
                session.unlocked(Unlock { until: Instant::now() + ROLLOUT, reason })
            }
            Protection::Open | Protection::Confirm => session,
        })
    }
}

fn said(note: &local::Note) -> Option<String> {
    match note {
        local::Note::Waiting => Some("waiting for another plumb that starts or stops the local account".to_owned()),
        local::Note::Installing(tool) => Some(format!("installing the local account with {tool}, once")),
        local::Note::Retrying(why) => Some(why.clone()),
        local::Note::Starting(_) => Some("starting the local account".to_owned()),
        local::Note::Ready(_) | local::Note::Attached(_) => None,
    }
}

/// Puts the function's binary where the petshop's build looks for it.
fn place(bootstrap: &Path, project: &Path) -> Result<(), Why> {
    let folder = project.join("build/crypto");
    let target = folder.join("bootstrap");
    std::fs::create_dir_all(&folder)
        .and_then(|()| std::fs::copy(bootstrap, &target))
        .map(drop)
        .map_err(|error| Why::new(format!("cannot copy {} to {}: {error}", bootstrap.display(), target.display())))
}

fn write_private(path: &Path, secret: &Secret) -> Result<(), Why> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;

    let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    file.and_then(|mut file| writeln!(file, "{}", secret.expose()))
        .map_err(|error| Why::new(format!("cannot write {}: {error}", path.display())))
}
