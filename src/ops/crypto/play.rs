//! The playground: one message at a time, tried on the deployed API.
//!
//! What is typed is checked here before anything is sent, so that a mistake is told by its place, and never with what was
//! typed. Nothing is kept.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use base64::{DecodeError, alphabet, engine};
use zeroize::Zeroizing;

use super::{Context, Crypto, Decrypted};
use crate::compare::Why;
use crate::secret::Secret;

/// The most pairs that a message is bound to.
const PAIRS: usize = 16;

/// Salt, commitment and tag: what a ciphertext has beside its message.
const LEAST: usize = 80;

/// How bytes are typed and shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// As text.
    #[default]
    Text,
    /// In hexadecimal.
    Hex,
    /// In base64.
    Base64,
}

/// Something to be tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Play {
    /// Encrypt.
    Encrypt(Message),
    /// Encrypt, and decrypt what comes of it.
    RoundTrip(Message),
    /// Decrypt.
    Decrypt(Sealed),
    /// Encrypt again under the latest key version.
    Rewrap(Sealed),
}

/// A message to encrypt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its bytes in base64.
    pub plain: Secret,
    /// What it is bound to.
    pub context: Context,
    /// The version to encrypt under; `None`: the latest.
    pub key_version: Option<u32>,
}

/// A message that is encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// `plumb:v1:…`.
    pub ciphertext: String,
    /// What it is bound to.
    pub context: Context,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Played {
    /// `plumb:v1:…`, where something was encrypted.
    pub ciphertext: Option<String>,
    /// The message in base64, where something was decrypted.
    pub plain: Option<Secret>,
    /// The key version in use.
    pub key_version: u32,
    /// Of a rewrapped one, the version before.
    pub previous: Option<u32>,
    /// Of a round trip: whether the message came back as it was.
    pub same: Option<bool>,
    /// How long it took, all calls together.
    pub took: Duration,
}

impl Crypto {
    /// Tries it.
    pub async fn play(&self, play: &Play) -> Result<Played, Why> {
        let began = Instant::now();
        let played = |key_version| Played {
            ciphertext: None,
            plain: None,
            key_version,
            previous: None,
            same: None,
            took: began.elapsed(),
        };
        match play {
            Play::Encrypt(message) => {
                let sealed = self.seal(message).await?;
                Ok(Played { ciphertext: Some(sealed.ciphertext), ..played(sealed.key_version) })
            }
            Play::RoundTrip(message) => {
                let sealed = self.seal(message).await?;
                let Decrypted { plaintext, key_version } = self.decrypt(&sealed.ciphertext, &message.context).await?;
                let same = Some(plaintext == message.plain && key_version == sealed.key_version);
                let ciphertext = Some(sealed.ciphertext);
                Ok(Played { ciphertext, plain: Some(plaintext), same, ..played(key_version) })
            }
            Play::Decrypt(Sealed { ciphertext, context }) => {
                let Decrypted { plaintext, key_version } = self.decrypt(ciphertext, context).await?;
                Ok(Played { plain: Some(plaintext), ..played(key_version) })
            }
            Play::Rewrap(Sealed { ciphertext, context }) => {
                let wrapped = self.rewrap(ciphertext, context).await?;
                let (ciphertext, previous) = (Some(wrapped.ciphertext), Some(wrapped.previous_key_version));
                Ok(Played { ciphertext, previous, ..played(wrapped.key_version) })
            }
        }
    }

    async fn seal(&self, message: &Message) -> Result<super::Encrypted, Why> {
        let plain = bytes(&message.plain).ok_or_else(|| Why::new("what was to be sent is not base64"))?;
        self.encrypt(&plain, &message.context, message.key_version).await
    }
}

/// The bytes of what is in base64.
#[must_use]
pub fn bytes(base64: &Secret) -> Option<Zeroizing<Vec<u8>>> {
    STANDARD.decode(base64.expose()).ok().map(Zeroizing::new)
}

impl Form {
    /// Its name.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Text => "UTF-8",
            Self::Hex => "hex",
            Self::Base64 => "base64",
        }
    }

    /// The next one.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Text => Self::Hex,
            Self::Hex => Self::Base64,
            Self::Base64 => Self::Text,
        }
    }

    /// What is typed in this form, as base64; or what is wrong with it.
    pub fn read(self, typed: &str) -> Result<Secret, String> {
        let bytes = match self {
            Self::Text => return Ok(Secret::new(STANDARD.encode(typed))),
            Self::Hex => unhex(typed)?,
            Self::Base64 => unbase64(typed)?,
        };
        Ok(Secret::new(STANDARD.encode(bytes.as_slice())))
    }

    /// Bytes in this form; as text only where they are text.
    #[must_use]
    pub fn show(self, bytes: &[u8]) -> Option<Zeroizing<String>> {
        match self {
            Self::Text => std::str::from_utf8(bytes).ok().map(|text| Zeroizing::new(text.to_owned())),
            Self::Hex => Some(Zeroizing::new(crate::ops::hex(bytes))),
            Self::Base64 => Some(Zeroizing::new(STANDARD.encode(bytes))),
        }
    }
}

fn unhex(typed: &str) -> Result<Zeroizing<Vec<u8>>, String> {
    let mut digits = Zeroizing::new(Vec::with_capacity(typed.len()));
    for (at, c) in typed.chars().enumerate().filter(|(_, c)| !c.is_whitespace()) {
        let digit = c.to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        digits.push(digit.ok_or_else(|| format!("not hex: character {} is no digit of it", at + 1))?);
    }
    if digits.len() % 2 != 0 {
        return Err(format!("not hex: {} digits are no whole number of bytes", digits.len()));
    }
    Ok(Zeroizing::new(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()))
}

fn unbase64(typed: &str) -> Result<Zeroizing<Vec<u8>>, String> {
    let config = engine::GeneralPurposeConfig::new().with_decode_padding_mode(engine::DecodePaddingMode::Indifferent);
    let url = typed.contains(['-', '_']);
    let alphabet = if url { &alphabet::URL_SAFE } else { &alphabet::STANDARD };
    let plain: Zeroizing<String> = Zeroizing::new(typed.split_whitespace().collect());
    let decoded = engine::GeneralPurpose::new(alphabet, config).decode(plain.as_bytes());
    decoded.map(Zeroizing::new).map_err(|error| match error {
        DecodeError::InvalidByte(at, b'=') => format!("not base64: a = at character {}, before the end", at + 1),
        DecodeError::InvalidByte(at, _) => format!("not base64: character {} is not of its alphabet", at + 1),
        DecodeError::InvalidLength(length) => format!("not base64: {length} characters are no whole number of bytes"),
        DecodeError::InvalidLastSymbol { offset, .. } => {
            format!("not base64: character {}, the last one, has bits that no byte needs", offset + 1)
        }
        DecodeError::InvalidPadding => String::from("not base64: the number of = at its end is wrong"),
    })
}

/// A ciphertext as it was typed or pasted; or what it is instead.
pub fn sealed(typed: &str) -> Result<String, String> {
    let text = typed.trim();
    let foreign = [
        ("ENC[", "a value of sops: sops or plumb config decrypts it"),
        ("AQICAH", "a ciphertext of KMS: aws kms decrypt opens it"),
        ("AYAD", "a message of the AWS Encryption SDK"),
        ("vault:", "a ciphertext of Vault's transit engine"),
        ("age-encryption.org", "a file of age"),
        ("-----BEGIN", "a PEM or PGP block"),
        ("gAAAA", "a Fernet token"),
    ];
    if text.is_empty() {
        return Err(String::from("there is no ciphertext: the input is empty"));
    }
    if let Some((_, what)) = foreign.iter().find(|(start, _)| text.starts_with(start)) {
        return Err(format!("not a ciphertext of this API but {what}"));
    }
    let Some(rest) = text.strip_prefix("plumb:") else {
        return Err(String::from("not a ciphertext of this API: one begins with plumb:v1:"));
    };
    let mut parts = rest.split(':');
    let (format, version, body) = (parts.next(), parts.next(), parts.next());
    if format != Some("v1") {
        return Err(String::from("a ciphertext of another format than plumb:v1: is it of a newer API?"));
    }
    let (Some(version), Some(body), None) = (version, body, parts.next()) else {
        return Err(String::from("cut off or joined: a ciphertext is plumb:v1:VERSION:BODY"));
    };
    key_version(version).map_err(|why| format!("in the ciphertext: {why}"))?;
    let bytes = URL_SAFE_NO_PAD.decode(body).map_err(|error| match error {
        DecodeError::InvalidByte(at, _) => {
            let before = text.len() - body.len();
            format!("character {} of the ciphertext is not of base64url", before + at + 1)
        }
        _ => String::from("cut off: what follows the version is no whole base64url"),
    })?;
    if bytes.len() < LEAST {
        return Err(format!("cut off: a ciphertext has at least {LEAST} bytes, this one {}", bytes.len()));
    }
    Ok(text.to_owned())
}

/// A key version as it was typed; nothing is the latest.
pub fn wanted_version(typed: &str) -> Result<Option<u32>, String> {
    let typed = typed.trim();
    if typed.is_empty() { Ok(None) } else { key_version(typed).map(Some) }
}

fn key_version(typed: &str) -> Result<u32, String> {
    let wrong = || String::from("a key version is a number from 1");
    let digits = typed.bytes().all(|byte| byte.is_ascii_digit()) && !typed.starts_with('0') && !typed.is_empty();
    if !digits {
        return Err(wrong());
    }
    typed.parse().map_err(|_| format!("a key version is at most {}", u32::MAX))
}

/// Pairs as they were typed: `tenant=acme, order=4711`. A backslash takes the next character as it is.
pub fn context(typed: &str) -> Result<Context, String> {
    let mut context = Context::new();
    if typed.trim().is_empty() {
        return Ok(context);
    }
    for (at, (name, value)) in pairs(typed).into_iter().enumerate() {
        let at = at + 1;
        let Some(value) = value else { return Err(format!("pair {at} has no =: a pair is NAME=VALUE")) };
        let name = name.trim();
        if name.is_empty() {
            return Err(format!("pair {at} has no name: a pair is NAME=VALUE"));
        }
        if context.insert(name.to_owned(), value.trim().to_owned()).is_some() {
            return Err(format!("pair {at}: its name stands there twice"));
        }
    }
    if context.len() > PAIRS {
        return Err(format!("{} pairs, and {PAIRS} is the most", context.len()));
    }
    Ok(context)
}

fn pairs(typed: &str) -> Vec<(String, Option<String>)> {
    let mut pairs = vec![(String::new(), None)];
    let mut chars = typed.chars();
    while let Some(c) = chars.next() {
        if c == ',' {
            pairs.push((String::new(), None));
            continue;
        }
        let Some((name, value)) = pairs.last_mut() else { break };
        match (c, value) {
            ('=', value @ None) => *value = Some(String::new()),
            ('\\', value) => value.as_mut().unwrap_or(name).extend(chars.next()),
            (c, Some(value)) => value.push(c),
            (c, None) => name.push(c),
        }
    }
    pairs
}

#[cfg(test)]
mod tests;
