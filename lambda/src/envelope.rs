//! One message, encrypted: the format and its cryptography, as `ENVELOPE.md` has them byte by byte.
//!
//! Text: `plumb:v1:<key version>:<base64url without padding>` of
//!
//! ```text
//! salt (32) | commitment (32) | ciphertext (as long as the plaintext) | tag (16)
//! ```
//!
//! Pure but for the salt, which the operating system gives. Never panics, whatever it is handed, and says of a text
//! that does not open no more than that.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;

use aes_gcm::aead::{AeadInOut as _, KeyInit as _};
use aes_gcm::{Aes256Gcm, Nonce, Tag};
use base64_simd::URL_SAFE_NO_PAD;
use hkdf::Hkdf;
use sha2::Sha512;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// Key, salt and commitment are this long, in bytes.
pub const KEY_LENGTH: usize = 32;
/// What stands before the ciphertext: salt and commitment.
const HEADER: usize = 2 * KEY_LENGTH;
const TAG_LENGTH: usize = 16;
const FORMAT: u8 = 1;
const PREFIX: &str = "plumb:v1:";
const MESSAGE_KEY: &[u8] = b"plumb:v1:message-key:";
const COMMITMENT: &[u8] = b"plumb:v1:commitment:";

/// What a message is bound to, besides its key: names and values that the decrypting side must state again.
pub type Context = BTreeMap<String, String>;

/// Key material of one version of a keyring.
#[derive(Clone)]
pub struct Key<'a> {
    /// The keyring's id.
    pub keyring: &'a str,
    /// The version, from 1.
    pub version: u32,
    /// The material.
    pub material: &'a [u8; KEY_LENGTH],
}

impl fmt::Debug for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").field("keyring", &self.keyring).field("version", &self.version).finish_non_exhaustive()
    }
}

/// A message, decrypted: a sealed body whose ciphertext is plaintext now. Wiped when it is dropped.
pub struct Message(Vec<u8>);

impl Deref for Message {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.0.get(HEADER..self.0.len().saturating_sub(TAG_LENGTH)).unwrap_or_default()
    }
}

impl Drop for Message {
    fn drop(&mut self) {
        // `Vec::zeroize` stores byte by byte, which takes a fifth of a decryption.
        self.0.fill(0);
        zeroize::optimization_barrier(self.0.as_slice());
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message").finish_non_exhaustive()
    }
}

/// Why a message could not be encrypted or decrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text is not of this format. Says nothing about any key.
    #[error("not a ciphertext of this service")]
    Format,
    /// Altered, of another key, or of another context: deliberately one error for all.
    #[error("the ciphertext does not open")]
    Refused,
    /// The system gave no random bytes, or the message is longer than the format allows.
    #[error("the message could not be encrypted")]
    Encrypt,
}

/// The key version that a text says it needs; nothing of it is verified yet.
pub fn key_version(text: &str) -> Result<u32, Error> {
    split(text).map(|(version, _)| version)
}

/// Encrypts to the text form, under a fresh salt.
pub fn encrypt(key: &Key<'_>, plaintext: &[u8], context: &Context) -> Result<String, Error> {
    let mut salt = [0; KEY_LENGTH];
    getrandom::fill(&mut salt).map_err(|_| Error::Encrypt)?;
    seal(key, &salt, plaintext, context)
}

/// Decrypts a text; the version is taken from it and must be the key's.
pub fn decrypt(key: &Key<'_>, text: &str, context: &Context) -> Result<Message, Error> {
    let (version, encoded) = split(text)?;
    if version != key.version {
        return Err(Error::Refused);
    }
    // Decrypted where it was decoded to, so that the message is in one buffer only, which is wiped.
    let mut opened = Message(URL_SAFE_NO_PAD.decode_to_vec(encoded).map_err(|_| Error::Format)?);
    let length = opened.0.len().checked_sub(HEADER + TAG_LENGTH).ok_or(Error::Format)?;
    let (salt, rest) = opened.0.split_first_chunk_mut::<KEY_LENGTH>().ok_or(Error::Format)?;
    let (stated, sealed) = rest.split_first_chunk_mut::<KEY_LENGTH>().ok_or(Error::Format)?;
    let (message, tag) = sealed.split_at_mut(length);
    let (message_key, commitment) = derive(key, salt).ok_or(Error::Refused)?;
    if !bool::from(commitment.as_slice().ct_eq(stated.as_slice())) {
        return Err(Error::Refused);
    }
    let cipher = Aes256Gcm::new_from_slice(message_key.as_slice()).map_err(|_| Error::Refused)?;
    let associated = associated_data(version, context).ok_or(Error::Refused)?;
    let tag = Tag::try_from(&*tag).map_err(|_| Error::Format)?;
    cipher.decrypt_inout_detached(&Nonce::default(), &associated, message.into(), &tag).map_err(|_| Error::Refused)?;
    Ok(opened)
}

fn seal(key: &Key<'_>, salt: &[u8; KEY_LENGTH], plaintext: &[u8], context: &Context) -> Result<String, Error> {
    let (message_key, commitment) = derive(key, salt).ok_or(Error::Encrypt)?;
    let cipher = Aes256Gcm::new_from_slice(message_key.as_slice()).map_err(|_| Error::Encrypt)?;
    let associated = associated_data(key.version, context).ok_or(Error::Encrypt)?;
    let mut body = Vec::with_capacity(HEADER + plaintext.len() + TAG_LENGTH);
    body.extend_from_slice(salt);
    body.extend_from_slice(commitment.as_slice());
    body.extend_from_slice(plaintext);
    let message = body.get_mut(HEADER..).ok_or(Error::Encrypt)?;
    let tag =
        cipher.encrypt_inout_detached(&Nonce::default(), &associated, message.into()).map_err(|_| Error::Encrypt)?;
    body.extend_from_slice(&tag);
    let mut text = format!("{PREFIX}{}:", key.version);
    URL_SAFE_NO_PAD.encode_append(body, &mut text);
    Ok(text)
}

/// The version and the encoded body. Only one way to write a version is taken, so that a message has one text.
fn split(text: &str) -> Result<(u32, &str), Error> {
    let (version, body) = text.strip_prefix(PREFIX).and_then(|rest| rest.split_once(':')).ok_or(Error::Format)?;
    let number: u32 = version.parse().map_err(|_| Error::Format)?;
    if number == 0 || number.to_string() != version {
        return Err(Error::Format);
    }
    Ok((number, body))
}

type Derived = Zeroizing<[u8; KEY_LENGTH]>;

/// The message key and the commitment; `None` when the keyring's id is longer than the format can say.
fn derive(key: &Key<'_>, salt: &[u8; KEY_LENGTH]) -> Option<(Derived, Derived)> {
    let kdf = Hkdf::<Sha512>::new(Some(salt), key.material);
    let mut tail = Vec::new();
    push(&mut tail, key.keyring.as_bytes())?;
    tail.extend(key.version.to_be_bytes());
    let expand = |label: &[u8]| {
        let mut output = Derived::default();
        kdf.expand(&[label, &tail].concat(), output.as_mut_slice()).ok()?;
        Some(output)
    };
    Some((expand(MESSAGE_KEY)?, expand(COMMITMENT)?))
}

fn associated_data(version: u32, context: &Context) -> Option<Vec<u8>> {
    let mut data = vec![FORMAT];
    data.extend(version.to_be_bytes());
    data.extend(u32::try_from(context.len()).ok()?.to_be_bytes());
    // A BTreeMap of strings is in the order of their bytes.
    for (name, value) in context {
        push(&mut data, name.as_bytes())?;
        push(&mut data, value.as_bytes())?;
    }
    Some(data)
}

fn push(data: &mut Vec<u8>, bytes: &[u8]) -> Option<()> {
    data.extend(u32::try_from(bytes.len()).ok()?.to_be_bytes());
    data.extend(bytes);
    Some(())
}

#[cfg(test)]
mod tests;
