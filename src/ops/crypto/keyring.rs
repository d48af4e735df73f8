//! The keyring as its owner sees it: the versions that the API tells, and how Secrets Manager rotates it.

use super::{Crypto, Keys, Via, locate};
use crate::aws::secretsmanager::{self, CURRENT, SecretMeta};
use crate::compare::Why;
use crate::ops::why;

/// What is known of the keyring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keyring {
    /// Its versions.
    pub keys: Keys,
    /// How it is rotated, or why that is not known.
    pub rotation: Result<Rotation, Why>,
}

/// How a keyring is rotated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rotation {
    /// Its secret.
    pub secret: String,
    /// Whether it has a schedule.
    pub scheduled: bool,
    /// Days between two rotations, where the schedule is in days.
    pub every_days: Option<i64>,
    /// Milliseconds since the Unix epoch.
    pub last: Option<i64>,
    /// Milliseconds since the Unix epoch.
    pub next: Option<i64>,
    /// Whether a new version is there that is not the current one: a rotation is under way, or was left.
    pub pending: bool,
}

impl From<SecretMeta> for Rotation {
    fn from(meta: SecretMeta) -> Self {
        let pending = |stages: &Vec<String>| {
            stages.iter().any(|stage| stage == "AWSPENDING") && !stages.iter().any(|stage| stage == CURRENT)
        };
        Self {
            secret: meta.name,
            scheduled: meta.rotation_enabled,
            every_days: meta.rotation_days,
            last: meta.last_rotated_at,
            next: meta.next_rotation_at,
            pending: meta.stages.values().any(pending),
        }
    }
}

impl Crypto {
    /// The versions, and how they come about. Who may not look at the secret still learns the versions.
    pub async fn keyring(&self) -> Result<Keyring, Why> {
        let (keys, rotation) = futures::join!(self.keys(), self.rotation());
        Ok(Keyring { keys: keys?, rotation })
    }

    async fn rotation(&self) -> Result<Rotation, Why> {
        let secret = match self.place.keyring() {
            Ok(secret) => secret,
            // A URL alone says nothing of the stack behind it.
            Err(_) => locate::locate(&self.session, Via::Function).await?.keyring()?,
        };
        let meta = secretsmanager::describe(&self.session.clients, &secret).await.map_err(|error| why(&error))?;
        meta.map(Rotation::from).ok_or_else(|| Why::new(format!("there is no secret {secret}")))
    }
}
