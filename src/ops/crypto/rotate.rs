//! A new key version: asked for, and waited for.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};

use super::keyring::Rotation;
use super::{Crypto, Tell, Via, locate};
use crate::aws::secretsmanager;
use crate::compare::Why;
use crate::ops::hex;
use crate::ops::journal::{self, Action, Intent};
use crate::ops::report::Identity;
use crate::ops::session::Session;
use crate::ops::why;

/// Secrets Manager begins a rotation within seconds; its four steps are four calls of a function.
const LONGEST: Duration = Duration::from_mins(3);

/// Functions keep a keyring for five minutes.
pub const CACHED: Duration = Duration::from_mins(5);

const LOOK: Duration = Duration::from_secs(1);

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotated {
    /// The keyring's secret.
    pub secret: String,
    /// Secrets Manager's id of its new version.
    pub version_id: String,
    /// Why the journal does not hold it, if so.
    pub untold: Option<Why>,
}

/// A rotation that is going to be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The keyring's secret.
    pub secret: String,
    /// Its current version, which the new one is made from.
    pub current: Option<String>,
    /// Whether another rotation is under way, or was left.
    pub pending: bool,
}

/// Works out what a rotation would be of. Reads only.
pub async fn plan(session: &Session) -> Result<Plan, Why> {
    let secret = locate::locate(session, Via::Function).await?.keyring()?;
    let meta = secretsmanager::describe(&session.clients, &secret).await.map_err(|error| why(&error))?;
    let meta = meta.ok_or_else(|| Why::new(format!("there is no secret {secret}")))?;
    let current = meta.current_version.clone();
    Ok(Plan { secret, current, pending: Rotation::from(meta).pending })
}

/// Has Secrets Manager rotate the keyring, and waits until the new version is the secret's current one. Functions that
/// hold the keyring take it up within [`CACHED`].
pub async fn rotate(session: &Session, tell: Tell<'_>) -> Result<Rotated, Why> {
    let (session, writer) = session.for_writing().await?;
    let secret = locate::locate(&session, Via::Function).await?.keyring()?;
    noted(&session, &writer, secret, tell).await
}

/// Does what was planned; refused when the keyring is no longer what it was then.
pub async fn write(session: &Session, planned: &Plan, tell: Tell<'_>) -> Result<Rotated, Why> {
    let (session, writer) = session.for_writing().await?;
    if plan(&session).await? != *planned {
        let secret = &planned.secret;
        return Err(Why::new(format!("refused: {secret} has changed since this was planned")).hint("plan it anew"));
    }
    noted(&session, &writer, planned.secret.clone(), tell).await
}

async fn noted(session: &Session, writer: &Identity, secret: String, tell: Tell<'_>) -> Result<Rotated, Why> {
    let intent = Intent::new(Action::Rotate, vec![secret.clone()]);
    let work = ask_and_wait(session, &secret, tell);
    let (version_id, untold) = journal::noted(session, writer, intent, work, |_| None).await?;
    Ok(Rotated { secret, version_id, untold })
}

async fn ask_and_wait(session: &Session, secret: &str, tell: Tell<'_>) -> Result<String, Why> {
    let mut token = [0_u8; 16];
    getrandom::fill(&mut token).map_err(|error| Why::new(format!("the system gives no random numbers: {error}")))?;
    let id = hex(&token);
    secretsmanager::rotate(&session.clients, secret, &id).await.map_err(|error| why(&error))?;
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let began = Instant::now();
    loop {
        look.tick().await;
        let meta = secretsmanager::describe(&session.clients, secret).await.map_err(|error| why(&error))?;
        if meta.is_some_and(|meta| meta.current_version.as_deref() == Some(id.as_str())) {
            return Ok(id);
        }
        if began.elapsed() > LONGEST {
            return Err(Why::new(format!(
                "{secret} was asked to rotate, and after {} s its new version {id} is not the current one",
                LONGEST.as_secs()
            ))
            .hint("the rotation function's log; Secrets Manager tries again by itself"));
        }
        tell(&format!("waiting for the rotation of {secret}"));
    }
}

impl Crypto {
    /// Encrypts nothing, again and again, until that is done under a later key version than `before` or functions can no
    /// longer hold the keyring from before; answers the version of the last one.
    pub(super) async fn until_later_than(&self, before: u32) -> Result<u32, Why> {
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let began = Instant::now();
        loop {
            look.tick().await;
            let sealed = self.encrypt(&[], &super::Context::new(), None).await?;
            if sealed.key_version > before || began.elapsed() > CACHED + LONGEST {
                return Ok(sealed.key_version);
            }
        }
    }
}
