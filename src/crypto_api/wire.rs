//! The API's routes and types, as `lambda/openapi.yaml` states them.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::secret::Secret;

/// What can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// Encrypts a message, or many.
    Encrypt,
    /// Decrypts a message, or many.
    Decrypt,
    /// Encrypts what a ciphertext holds under the latest key version, without giving it out.
    Rewrap,
    /// The key versions.
    Keys,
    /// Whether the function runs and has its keyring.
    Health,
}

impl Route {
    /// Its name, which is also that of a direct call's operation.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Encrypt => "encrypt",
            Self::Decrypt => "decrypt",
            Self::Rewrap => "rewrap",
            Self::Keys => "keys",
            Self::Health => "health",
        }
    }

    /// Its method.
    #[must_use]
    pub fn method(self) -> &'static str {
        match self {
            Self::Encrypt | Self::Decrypt | Self::Rewrap => "POST",
            Self::Keys | Self::Health => "GET",
        }
    }

    /// Its path below the base URL.
    #[must_use]
    pub fn path(self) -> String {
        format!("/v1/{}", self.name())
    }
}

/// A message to encrypt.
#[derive(Clone, Serialize)]
pub struct Encrypt<'a> {
    /// Its bytes in base64.
    #[serde(serialize_with = "exposed")]
    pub plaintext: Secret,
    /// What it is bound to.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub context: &'a BTreeMap<String, String>,
    /// The version to encrypt under; `None`: the latest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_version: Option<u32>,
}

/// A ciphertext to decrypt or to rewrap.
#[derive(Debug, Clone, Serialize)]
pub struct Decrypt<'a> {
    /// `plumb:v1:…`.
    pub ciphertext: &'a str,
    /// What it is bound to.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub context: &'a BTreeMap<String, String>,
}

/// A message that was encrypted.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Encrypted {
    /// `plumb:v1:…`.
    pub ciphertext: String,
    /// The version that it is encrypted under.
    pub key_version: u32,
}

/// A message that was decrypted.
#[derive(Debug, Clone, Deserialize)]
pub struct Decrypted {
    /// Its bytes in base64.
    #[serde(deserialize_with = "secret")]
    pub plaintext: Secret,
    /// The version that it was encrypted under.
    pub key_version: u32,
}

/// A ciphertext under another key version.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Rewrapped {
    /// `plumb:v1:…`.
    pub ciphertext: String,
    /// The version that it is encrypted under now.
    pub key_version: u32,
    /// The one before.
    pub previous_key_version: u32,
}

/// The keyring.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Keys {
    /// The version that is encrypted under.
    pub latest: u32,
    /// Ciphertexts of earlier versions no longer open.
    pub min_decryption_version: u32,
    /// The versions, the oldest first.
    pub versions: Vec<KeyVersion>,
}

/// A version of the key.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct KeyVersion {
    /// Its number.
    pub version: u32,
    /// When it was made, RFC 3339.
    pub created: String,
    /// How long ago, by the function's clock.
    #[serde(default)]
    pub age_seconds: Option<u64>,
    /// `latest`, `decrypts`, `retired`.
    pub state: String,
}

/// That the function runs and has its keyring.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Health {
    /// `ok`.
    pub status: String,
    /// The latest key version.
    pub key_version: u32,
    /// The function's own version.
    pub version: String,
}

/// The payload that calls the function itself.
#[must_use]
pub fn direct(route: Route, body: &[u8]) -> Vec<u8> {
    let name = route.name();
    if body.is_empty() {
        return format!("{{\"operation\":\"{name}\"}}").into_bytes();
    }
    [format!("{{\"operation\":\"{name}\",\"body\":").as_bytes(), body, b"}"].concat()
}

#[derive(Deserialize)]
struct Direct<'a> {
    status: u16,
    #[serde(borrow)]
    body: &'a RawValue,
    request_id: Option<String>,
}

/// Status and body of what the function answers to that, and Lambda's id of the request; `None` when it is no such answer.
#[must_use]
pub fn direct_answer(payload: &[u8]) -> Option<(u16, Zeroizing<Vec<u8>>, Option<String>)> {
    let Direct { status, body, request_id } = serde_json::from_slice(payload).ok()?;
    Some((status, Zeroizing::new(body.get().as_bytes().to_vec()), request_id))
}

fn exposed<S: serde::Serializer>(secret: &Secret, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(secret.expose())
}

fn secret<'de, D: Deserializer<'de>>(from: D) -> Result<Secret, D::Error> {
    String::deserialize(from).map(Secret::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_direct_call_is_the_operation_and_its_body() {
        assert_eq!(direct(Route::Keys, b""), br#"{"operation":"keys"}"#);
        assert_eq!(direct(Route::Rewrap, br#"{"a":1}"#), br#"{"operation":"rewrap","body":{"a":1}}"#);
        let (status, body, id) =
            direct_answer(br#"{"status": 422, "body": {"type": "x"}, "request_id": "r"}"#).unwrap();
        assert_eq!((status, body.as_slice(), id.as_deref()), (422, br#"{"type": "x"}"#.as_slice(), Some("r")));
        assert!(direct_answer(br#"{"errorMessage": "x"}"#).is_none());
    }

    #[test]
    fn a_message_is_sent_and_nothing_of_it_is_shown() {
        let plaintext = Secret::new("AAE=");
        let context = BTreeMap::new();
        let request = Encrypt { plaintext, context: &context, key_version: None };
        assert_eq!(serde_json::to_string(&request).unwrap(), r#"{"plaintext":"AAE="}"#);
        let answer: Decrypted =
            serde_json::from_str(r#"{"plaintext": "AAE=", "text": "x", "key_version": 3}"#).unwrap();
        assert_eq!((answer.plaintext.expose(), answer.key_version), ("AAE=", 3));
        assert!(!format!("{answer:?}").contains("AAE"));
    }
}
