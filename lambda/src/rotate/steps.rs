//! `createSecret`, `setSecret`, `testSecret`, `finishSecret`.

use serde::Deserialize;

use super::{Error, Report, Versions};
use crate::envelope::{self, Context};
use crate::keyring::Keyring;

/// The label of the version that a rotation makes.
const PENDING: &str = "AWSPENDING";

/// A step, by Secrets Manager's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Step {
    /// Writes the next keyring, as pending.
    #[serde(rename = "createSecret")]
    Create,
    /// There is no other place that has to learn of the key.
    #[serde(rename = "setSecret")]
    Set,
    /// The pending keyring is whole, and its new key works.
    #[serde(rename = "testSecret")]
    Test,
    /// The pending keyring becomes the current one.
    #[serde(rename = "finishSecret")]
    Finish,
}

pub(super) async fn run<S: Versions>(secret: &S, step: Step, token: &str) -> Result<Report, Error> {
    match step {
        Step::Create => create(secret, token).await,
        Step::Set => match pending(secret, token).await? {
            Some(ring) => Ok(Report::new("setSecret", false, Some(&ring))),
            None => Err(Error::NothingPending),
        },
        Step::Test => test(secret, token).await,
        Step::Finish => finish(secret, token).await,
    }
}

async fn pending<S: Versions>(secret: &S, token: &str) -> Result<Option<Keyring>, Error> {
    match secret.version(token).await? {
        Some(text) => Ok(Some(Keyring::parse(&text)?)),
        None => Ok(None),
    }
}

async fn create<S: Versions>(secret: &S, token: &str) -> Result<Report, Error> {
    if let Some(ring) = pending(secret, token).await? {
        return Ok(Report::new("createSecret", false, Some(&ring)));
    }
    let current = if let Some(current) = secret.current().await? {
        current
    } else {
        // The first key is made as `crypto` would make it, so that whichever of them is first is believed.
        secret.create(&Keyring::generate()?.text()?).await?;
        secret.current().await?.ok_or(Error::NoKeyring)?
    };
    let next = Keyring::parse(&current.text)?.successor()?;
    secret.put(token, &next.text()?, PENDING).await?;
    Ok(Report::new("createSecret", true, Some(&next)))
}

/// Also asked for alone, when a schedule is set up without a rotation: then the pending version is a copy of the current
/// one, or both have no value yet.
async fn test<S: Versions>(secret: &S, token: &str) -> Result<Report, Error> {
    let current = secret.current().await?.map(|current| Keyring::parse(&current.text)).transpose()?;
    let (current, next) = match (current, pending(secret, token).await?) {
        (None, None) => return Ok(Report::new("testSecret", false, None)),
        (Some(current), Some(next)) => (current, next),
        _ => return Err(Error::NothingPending),
    };
    if !next.succeeds(&current) && !next.equals(&current) {
        return Err(Error::Overtaken);
    }
    let works = |key: envelope::Key<'_>| {
        let message = b"rotation";
        let text = envelope::encrypt(&key, message, &Context::new()).ok()?;
        let opened = envelope::decrypt(&key, &text, &Context::new()).ok()?;
        (&*opened == message).then_some(())
    };
    next.latest().and_then(works).ok_or(Error::Broken)?;
    Ok(Report::new("testSecret", false, Some(&next)))
}

async fn finish<S: Versions>(secret: &S, token: &str) -> Result<Report, Error> {
    let current = secret.current().await?.ok_or(Error::NoKeyring)?;
    let ring = Keyring::parse(&current.text)?;
    if current.id == token {
        return Ok(Report::new("finishSecret", false, Some(&ring)));
    }
    let next = pending(secret, token).await?.ok_or(Error::NothingPending)?;
    if !next.succeeds(&ring) {
        // With the label on it every later rotation would take up this one again, and fail again.
        secret.unlabel(token, PENDING).await?;
        return Err(Error::Overtaken);
    }
    secret.promote(token, &current.id).await?;
    Ok(Report::new("finishSecret", true, Some(&next)))
}
