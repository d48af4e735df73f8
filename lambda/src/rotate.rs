//! Rotation: the four steps that Secrets Manager asks for, and raising the minimum.
//!
//! Each step may be asked for twice, or again after a failure, and then changes nothing more. The keyring's next value is
//! always the current one with one version more, and it takes the current one's place only if that is still what it was
//! made from: two writers cannot lose each other's keys.
//!
//! Invoked directly with `{"operation": "set-minimum", "min_decryption_version": N}`, it sets what `crypto` still
//! decrypts. Material is never deleted, so a minimum can be taken back.

mod steps;

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::keyring::{Keyring, Store, Unavailable};

pub use steps::Step;

/// One version of the secret.
pub struct Stored {
    /// Secrets Manager's id of it.
    pub id: String,
    /// The keyring's text.
    pub text: Zeroizing<String>,
}

/// The secret, with the versions and labels that a rotation moves.
pub trait Versions: Store {
    /// The version that is labelled `AWSCURRENT`; `None` before the first key.
    fn current(&self) -> impl Future<Output = Result<Option<Stored>, Unavailable>> + Send;
    /// The value of a version; `None` when there is no such version, or it has no value yet.
    fn version(&self, id: &str) -> impl Future<Output = Result<Option<Zeroizing<String>>, Unavailable>> + Send;
    /// Writes a version under a label of its own choice. When this id has a value already, that one stays.
    fn put(&self, id: &str, text: &str, label: &str) -> impl Future<Output = Result<(), Unavailable>> + Send;
    /// Moves `AWSCURRENT` to a version; fails when it is not on `from`.
    fn promote(&self, id: &str, from: &str) -> impl Future<Output = Result<(), Unavailable>> + Send;
    /// Takes a label off a version.
    fn unlabel(&self, id: &str, label: &str) -> impl Future<Output = Result<(), Unavailable>> + Send;
    /// The secret's name or ARN, as it was configured.
    fn name(&self) -> &str;
}

/// What is asked.
#[derive(Deserialize)]
#[serde(untagged)]
enum Event {
    Step {
        #[serde(rename = "Step")]
        step: Step,
        #[serde(rename = "SecretId")]
        secret: String,
        #[serde(rename = "ClientRequestToken")]
        token: String,
    },
    Direct {
        operation: Operation,
        min_decryption_version: u32,
    },
}

#[derive(Deserialize)]
enum Operation {
    #[serde(rename = "set-minimum")]
    SetMinimum,
}

/// What was done, for who invoked and for the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// What was asked for.
    pub step: &'static str,
    /// What came of it: `done`, or `unchanged` when it had been done before.
    pub outcome: &'static str,
    /// The keyring's latest version, of the value that the step was about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latest: Option<u32>,
    /// Its minimum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_decryption_version: Option<u32>,
}

impl Report {
    fn new(step: &'static str, changed: bool, ring: Option<&Keyring>) -> Self {
        Self {
            step,
            outcome: if changed { "done" } else { "unchanged" },
            latest: ring.map(|ring| ring.latest),
            min_decryption_version: ring.map(|ring| ring.min_decryption_version),
        }
    }
}

/// Why a rotation stopped. Secrets Manager tries again later; nothing is lost meanwhile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The event is none that is known here.
    #[error("the event is neither a rotation step nor `set-minimum`")]
    Event,
    /// The function may do this for its own secret alone.
    #[error("the event is about another secret than the one in KEYRING_SECRET")]
    OtherSecret,
    /// The secret could not be read or written.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
    /// The version that the step is about has no value.
    #[error("the pending version has no value: createSecret has not been done for it")]
    NothingPending,
    /// The keyring was changed while this rotation was under way.
    #[error(
        "the keyring has changed since this rotation began; its pending version was given up, and the next one begins anew"
    )]
    Overtaken,
    /// The new key does not encrypt and decrypt.
    #[error("the pending keyring's latest key does not open what it encrypts")]
    Broken,
    /// There is no keyring to set a minimum of.
    #[error("there is no keyring yet")]
    NoKeyring,
    /// The minimum is not one of the keyring's versions.
    #[error("{0}")]
    Minimum(String),
}

/// Does what an event asks for.
pub async fn handle<S: Versions>(secret: &S, event: &str) -> Result<Report, Error> {
    match serde_json::from_str(event).map_err(|_| Error::Event)? {
        Event::Step { step, secret: asked, token } => {
            if !same_secret(secret.name(), &asked) {
                return Err(Error::OtherSecret);
            }
            steps::run(secret, step, &token).await
        }
        Event::Direct { operation: Operation::SetMinimum, min_decryption_version } => {
            set_minimum(secret, min_decryption_version).await
        }
    }
}

/// Whether both name one secret: equal, or an ARN and the name in it, which AWS ends with six characters of its own.
pub(crate) fn same_secret(configured: &str, asked: &str) -> bool {
    let tail = |arn: &str| arn.split_once(":secret:").map(|(_, name)| name.to_owned());
    let fits = |arn: &str, name: &str| {
        tail(arn).is_some_and(|tail| {
            tail.strip_prefix(name).is_some_and(|rest| rest.is_empty() || (rest.len() == 7 && rest.starts_with('-')))
        })
    };
    configured == asked || fits(asked, configured) || fits(configured, asked)
}

/// The label of a version that is to become current without a rotation.
const NEXT: &str = "PLUMBNEXT";

async fn set_minimum<S: Versions>(secret: &S, minimum: u32) -> Result<Report, Error> {
    let step = "set-minimum";
    let current = secret.current().await?.ok_or(Error::NoKeyring)?;
    let ring = Keyring::parse(&current.text)?;
    if ring.min_decryption_version == minimum {
        return Ok(Report::new(step, false, Some(&ring)));
    }
    let ring = ring.with_minimum(minimum).map_err(|error| Error::Minimum(error.reason))?;
    // The id says what the version is and what it was made from, so that a retry finds it.
    let id = format!("minimum-{minimum:010}-of-{:.40}", current.id);
    secret.put(&id, &ring.text()?, NEXT).await?;
    secret.promote(&id, &current.id).await?;
    secret.unlabel(&id, NEXT).await?;
    Ok(Report::new(step, true, Some(&ring)))
}

#[cfg(test)]
mod tests;
