//! The keys: a keyring in one secret, which `cache` keeps for a while.
//!
//! The secret's text is JSON:
//! `{"id", "latest", "min_decryption_version", "versions": {"1": {"key": base64 of 32 bytes, "created": RFC 3339}}}`.
//!
//! A keyring only grows: its successor has every version that it had, unchanged, and one more. Nothing here ever shows
//! material: neither `Debug` nor an error.

mod cache;

use std::collections::BTreeMap;
use std::fmt;

use base64_simd::STANDARD;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize, Zeroizing};

use crate::envelope::{KEY_LENGTH, Key};

pub use cache::{CACHE, Keys};

/// What Secrets Manager takes as a secret, in bytes.
const SECRET_LIMIT: usize = 65_536;

/// Where the keyring's text is kept.
pub trait Store: Send + Sync {
    /// The current text; `None` when the secret is there and has no value yet.
    fn read(&self) -> impl Future<Output = Result<Option<Zeroizing<String>>, Unavailable>> + Send;
    /// Writes the first text. When another one was first, that one stays.
    fn create(&self, text: &str) -> impl Future<Output = Result<(), Unavailable>> + Send;
}

/// The keys cannot be had right now. The reason is for the log and holds no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the keyring is not available: {reason}")]
pub struct Unavailable {
    /// Why.
    pub reason: String,
}

impl Unavailable {
    pub(crate) fn new(reason: impl fmt::Display) -> Self {
        Self { reason: reason.to_string() }
    }
}

/// A keyring as it was read.
#[derive(Serialize, Deserialize)]
pub struct Keyring {
    /// Random; a message's key is bound to it.
    pub id: String,
    /// The version that encrypts.
    pub latest: u32,
    /// Messages of earlier versions are refused.
    pub min_decryption_version: u32,
    versions: BTreeMap<u32, Version>,
}

#[derive(Serialize, Deserialize)]
struct Version {
    key: Material,
    created: String,
}

struct Material([u8; KEY_LENGTH]);

impl Drop for Material {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl Serialize for Material {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&Zeroizing::new(STANDARD.encode_to_string(self.0)))
    }
}

impl<'de> Deserialize<'de> for Material {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        // A message of serde would quote the text.
        let decoded = STANDARD.decode_to_vec(text.as_bytes()).map(Zeroizing::new);
        let key = decoded.ok().and_then(|bytes| bytes.as_slice().try_into().ok());
        key.map(Self).ok_or_else(|| serde::de::Error::custom("a key is not base64 of 32 bytes"))
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let versions: Vec<_> = self.versions.keys().collect();
        f.debug_struct("Keyring").field("id", &self.id).field("versions", &versions).finish_non_exhaustive()
    }
}

/// How a version may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It encrypts and decrypts.
    Latest,
    /// It decrypts.
    Decrypts,
    /// It is below the minimum, and does neither.
    Retired,
}

impl Keyring {
    /// A new keyring with one version.
    pub fn generate() -> Result<Self, Unavailable> {
        let mut id = [0; 16];
        getrandom::fill(&mut id).map_err(Unavailable::new)?;
        let id = id.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        Ok(Self { id, latest: 1, min_decryption_version: 1, versions: [(1, Version::generate()?)].into() })
    }

    /// This keyring with one version more, which encrypts from then on.
    pub fn successor(mut self) -> Result<Self, Unavailable> {
        let next =
            self.latest.checked_add(1).ok_or_else(|| Unavailable::new("there is no version after 4294967295"))?;
        self.versions.insert(next, Version::generate()?);
        self.latest = next;
        Ok(self)
    }

    /// Whether this is the other one with one version more and nothing else changed.
    #[must_use]
    pub fn succeeds(&self, other: &Self) -> bool {
        self.latest.checked_sub(1) == Some(other.latest)
            && self.versions.len() == other.versions.len() + 1
            && self.extends(other)
    }

    /// Whether both are the same in every part.
    #[must_use]
    pub fn equals(&self, other: &Self) -> bool {
        self.latest == other.latest && self.versions.len() == other.versions.len() && self.extends(other)
    }

    fn extends(&self, other: &Self) -> bool {
        self.id == other.id
            && self.min_decryption_version == other.min_decryption_version
            && other.versions.iter().all(|(number, version)| {
                let same =
                    |own: &Version| bool::from(own.key.0.ct_eq(&version.key.0)) && own.created == version.created;
                self.versions.get(number).is_some_and(same)
            })
    }

    /// This keyring with another minimum, from 1 to the latest version.
    pub fn with_minimum(mut self, minimum: u32) -> Result<Self, Unavailable> {
        if minimum == 0 || minimum > self.latest {
            return Err(Unavailable::new(format!("the minimum must be from 1 to {}, the latest version", self.latest)));
        }
        self.min_decryption_version = minimum;
        Ok(self)
    }

    /// Reads the secret's text. The error never quotes it.
    pub fn parse(text: &str) -> Result<Self, Unavailable> {
        let ring: Self = serde_json::from_str(text)
            .map_err(|error| Unavailable::new(format!("the secret is no keyring (line {})", error.line())))?;
        let newest = ring.versions.last_key_value().map(|(number, _)| *number);
        if newest != Some(ring.latest) || ring.versions.contains_key(&0) {
            Err(Unavailable::new("the keyring's latest version is not the newest that it has"))
        } else if ring.min_decryption_version > ring.latest {
            Err(Unavailable::new("the keyring's min_decryption_version is above its latest version"))
        } else {
            Ok(ring)
        }
    }

    /// The secret's text.
    pub fn text(&self) -> Result<Zeroizing<String>, Unavailable> {
        let text = serde_json::to_string(self).map(Zeroizing::new).map_err(Unavailable::new)?;
        if text.len() > SECRET_LIMIT {
            return Err(Unavailable::new(format!(
                "the keyring has {} versions and no longer fits into a secret of {SECRET_LIMIT} bytes",
                self.versions.len()
            )));
        }
        Ok(text)
    }

    /// The key that encrypts; `None` never, for a keyring that was parsed or generated.
    #[must_use]
    pub fn latest(&self) -> Option<Key<'_>> {
        self.key(self.latest)
    }

    /// The key of a version that may still be used; `None` when there is none or it is below the minimum.
    #[must_use]
    pub fn usable(&self, version: u32) -> Option<Key<'_>> {
        (version >= self.min_decryption_version).then(|| self.key(version)).flatten()
    }

    /// Versions with the time they were made, RFC 3339, and how they may be used; oldest first.
    pub fn versions(&self) -> impl Iterator<Item = (u32, &str, State)> {
        self.versions.iter().map(|(number, version)| {
            let state = match *number {
                number if number < self.min_decryption_version => State::Retired,
                number if number == self.latest => State::Latest,
                _ => State::Decrypts,
            };
            (*number, version.created.as_str(), state)
        })
    }

    fn key(&self, version: u32) -> Option<Key<'_>> {
        let material = &self.versions.get(&version)?.key.0;
        Some(Key { keyring: &self.id, version, material })
    }
}

impl Version {
    fn generate() -> Result<Self, Unavailable> {
        let mut key = Material([0; KEY_LENGTH]);
        getrandom::fill(&mut key.0).map_err(Unavailable::new)?;
        Ok(Self { key, created: jiff::Timestamp::now().to_string() })
    }
}

#[cfg(test)]
pub(crate) mod tests;
