//! One message, encrypted: the format and its cryptography.
//!
//! Text: `plumb:v1:<key version>:<base64url without padding>` of
//!
//! ```text
//! salt (32) | commitment (32) | ciphertext (as long as the plaintext) | tag (16)
//! ```
//!
//! From the key version's material (32 bytes) and the salt, which is random for each message, HKDF-SHA-512 (RFC 5869)
//! derives two times 32 bytes. `info` is `plumb:v1:message-key:` for the message's AES-256 key and
//! `plumb:v1:commitment:` for the commitment, each followed by the keyring's id (32-bit length, bytes) and the key
//! version (32 bit). The message is AES-256-GCM (NIST SP 800-38D) under the message key with a nonce of twelve zero
//! bytes. The associated data are the byte 1, the key version (32 bit), and the encryption context: the number of
//! pairs, then, in the order of the keys' bytes, each key and value as length and bytes. All numbers are big-endian,
//! of 32 bit.
//!
//! The fixed nonce is sound because GCM asks that a nonce never repeats *under one key*, and each key here encrypts one
//! message: it is bound to 256 random bits. For the same reason there is no practical limit on messages per key
//! version, which random 96-bit nonces would have at 2^32.
//!
//! The commitment is compared, in constant time, before anything is decrypted: GCM alone lets a ciphertext be made
//! that opens under two keys (the committing suites of the AWS Encryption SDK answer the same problem the same way).

use std::collections::BTreeMap;
use std::fmt;

use aes_gcm::aead::{Aead as _, KeyInit as _, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hkdf::Hkdf;
use sha2::Sha512;
use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// Key, salt and commitment are this long, in bytes.
pub const KEY_LENGTH: usize = 32;
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
pub fn decrypt(key: &Key<'_>, text: &str, context: &Context) -> Result<Zeroizing<Vec<u8>>, Error> {
    let (version, encoded) = split(text)?;
    if version != key.version {
        return Err(Error::Refused);
    }
    let body = URL_SAFE_NO_PAD.decode(encoded).map_err(|_| Error::Format)?;
    let (salt, rest) = body.split_first_chunk::<KEY_LENGTH>().ok_or(Error::Format)?;
    let (stated, sealed) = rest.split_first_chunk::<KEY_LENGTH>().ok_or(Error::Format)?;
    if sealed.len() < TAG_LENGTH {
        return Err(Error::Format);
    }
    let (message_key, commitment) = derive(key, salt).ok_or(Error::Refused)?;
    if !bool::from(commitment.as_slice().ct_eq(stated)) {
        return Err(Error::Refused);
    }
    let cipher = Aes256Gcm::new_from_slice(message_key.as_slice()).map_err(|_| Error::Refused)?;
    let associated = associated_data(version, context).ok_or(Error::Refused)?;
    let payload = Payload { msg: sealed, aad: &associated };
    cipher.decrypt(&Nonce::default(), payload).map(Zeroizing::new).map_err(|_| Error::Refused)
}

fn seal(key: &Key<'_>, salt: &[u8; KEY_LENGTH], plaintext: &[u8], context: &Context) -> Result<String, Error> {
    let (message_key, commitment) = derive(key, salt).ok_or(Error::Encrypt)?;
    let cipher = Aes256Gcm::new_from_slice(message_key.as_slice()).map_err(|_| Error::Encrypt)?;
    let associated = associated_data(key.version, context).ok_or(Error::Encrypt)?;
    let payload = Payload { msg: plaintext, aad: &associated };
    let sealed = cipher.encrypt(&Nonce::default(), payload).map_err(|_| Error::Encrypt)?;
    let body = [salt.as_slice(), commitment.as_slice(), &sealed].concat();
    Ok(format!("{PREFIX}{}:{}", key.version, URL_SAFE_NO_PAD.encode(body)))
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
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MATERIAL: [u8; 32] = *b"0123456789abcdefghijklmnopqrstuv";

    fn key(version: u32) -> Key<'static> {
        Key { keyring: "ring", version, material: &MATERIAL }
    }

    fn context(pairs: &[(&str, &str)]) -> Context {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_known_message_has_a_known_text() {
        // Made by an independent implementation: tests/reference/envelope.py.
        let text =
            seal(&key(7), b"abcdefghijklmnopqrstuvwxyzABCDEF", b"attack at dawn", &context(&[("b", "2"), ("a", "1")]));
        assert_eq!(text.unwrap(), include_str!("../tests/reference/known_answer.txt").trim());
    }

    #[test]
    fn texts_of_other_forms_are_told_from_those_that_do_not_open() {
        let whole = encrypt(&key(1), b"", &Context::new()).unwrap();
        let body = whole.rsplit(':').next().unwrap().to_owned();
        let cases = [
            ("an empty text", String::new(), Error::Format),
            ("a text of another service", "vault:v1:abcd".to_owned(), Error::Format),
            ("a later format", format!("plumb:v2:1:{body}"), Error::Format),
            ("version zero", format!("plumb:v1:0:{body}"), Error::Format),
            ("a version with a leading zero", format!("plumb:v1:01:{body}"), Error::Format),
            ("a version with a sign", format!("plumb:v1:+1:{body}"), Error::Format),
            ("a version beyond 32 bit", format!("plumb:v1:4294967296:{body}"), Error::Format),
            ("another version", format!("plumb:v1:2:{body}"), Error::Refused),
            ("padding", format!("plumb:v1:1:{body}="), Error::Format),
            ("a body that is too short", format!("plumb:v1:1:{}", &body[..100]), Error::Format),
            ("white space behind", format!("{whole} "), Error::Format),
        ];
        for (name, text, expected) in cases {
            assert_eq!(decrypt(&key(1), &text, &Context::new()).unwrap_err(), expected, "{name}");
        }
    }

    #[test]
    fn a_context_cannot_be_shifted_between_its_pairs() {
        let text = encrypt(&key(1), b"x", &context(&[("ab", "c")])).unwrap();
        for other in [context(&[("a", "bc")]), context(&[]), context(&[("ab", "c"), ("", "")]), context(&[("AB", "c")])]
        {
            assert_eq!(decrypt(&key(1), &text, &other).unwrap_err(), Error::Refused, "{other:?}");
        }
    }

    #[test]
    fn a_key_does_not_show_itself() {
        assert_eq!(format!("{:?}", key(1)), "Key { keyring: \"ring\", version: 1, .. }");
    }

    proptest! {
        #[test]
        fn what_is_encrypted_opens_again(plaintext: Vec<u8>, context: Context, version in 1..u32::MAX) {
            let text = encrypt(&key(version), &plaintext, &context).unwrap();
            prop_assert_eq!(key_version(&text), Ok(version));
            let opened = decrypt(&key(version), &text, &context).unwrap();
            prop_assert_eq!(opened.as_slice(), plaintext.as_slice());
        }

        #[test]
        fn no_flipped_bit_opens(plaintext: Vec<u8>, at: prop::sample::Index, bit in 0..8u8) {
            let text = encrypt(&key(1), &plaintext, &Context::new()).unwrap();
            let mut body = URL_SAFE_NO_PAD.decode(text.rsplit(':').next().unwrap()).unwrap();
            let at = at.index(body.len());
            body[at] ^= 1 << bit;
            let altered = format!("plumb:v1:1:{}", URL_SAFE_NO_PAD.encode(body));
            prop_assert_eq!(decrypt(&key(1), &altered, &Context::new()).unwrap_err(), Error::Refused);
        }

        #[test]
        fn no_other_material_keyring_or_version_opens(at in 0..32usize, keyring in "[a-z]{1,8}", version in 2..9u32) {
            let text = encrypt(&key(1), b"x", &Context::new()).unwrap();
            let mut other = MATERIAL;
            other[at] ^= 1;
            let keys = [
                Key { keyring: "ring", version: 1, material: &other },
                Key { keyring: &format!("{keyring}2"), version: 1, material: &MATERIAL },
            ];
            for key in &keys {
                prop_assert_eq!(decrypt(key, &text, &Context::new()).unwrap_err(), Error::Refused);
            }
            let moved = text.replace("plumb:v1:1:", &format!("plumb:v1:{version}:"));
            prop_assert_eq!(decrypt(&key(version), &moved, &Context::new()).unwrap_err(), Error::Refused);
        }

        #[test]
        fn any_text_is_answered_without_a_panic(text in "(plumb:v1:)?[0-9]{0,12}:?.*") {
            prop_assert!(decrypt(&key(1), &text, &Context::new()).is_err());
        }
    }
}
