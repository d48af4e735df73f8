//! The age key service: X25519 identities, as `age-keygen` writes them.

use std::fmt;
use std::io::Read as _;
use std::str::FromStr as _;

use age::armor::ArmoredReader;
use age::secrecy::ExposeSecret as _;
use age::x25519::Identity;
use zeroize::Zeroizing;

use super::error::Error;
use super::key::{DataKey, KeyService, Recipient, WrappedKey};
use crate::secret::Secret;

/// Longer plaintexts are no data key; reading stops there.
const MAX_DATA_KEY: u64 = 1024;

/// Private age keys. `Debug` shows the public side only.
#[derive(Default)]
pub struct AgeIdentities {
    identities: Vec<Identity>,
    unusable: usize,
}

impl fmt::Debug for AgeIdentities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgeIdentities").field("recipients", &self.recipients()).finish_non_exhaustive()
    }
}

impl AgeIdentities {
    /// Reads the text of a keys file: an `AGE-SECRET-KEY-1…` a line (or several, as in a variable of the environment, with
    /// spaces or commas between), `#` begins a comment line. Identities of plugins
    /// and post-quantum ones are passed over (and mentioned when a file does not open); any other line is an error.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut keys = Self::default();
        for (at, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            for word in line.split(|next: char| next == ',' || next.is_whitespace()).filter(|word| !word.is_empty()) {
                match Identity::from_str(word) {
                    Ok(identity) => keys.identities.push(identity),
                    Err(_) if word.starts_with("AGE-PLUGIN-") || word.starts_with("AGE-SECRET-KEY-PQ-1") => {
                        keys.unusable += 1;
                    }
                    Err(_) => return Err(Error::Identity { line: at + 1 }),
                }
            }
        }
        Ok(keys)
    }

    /// The public sides, `age1…`.
    #[must_use]
    pub fn recipients(&self) -> Vec<String> {
        self.identities.iter().map(|identity| identity.to_public().to_string()).collect()
    }

    fn open(&self, enc: &str) -> Result<Zeroizing<Vec<u8>>, String> {
        let decryptor =
            age::Decryptor::new(ArmoredReader::new(enc.as_bytes())).map_err(|error| format!("no age file: {error}"))?;
        let reader = decryptor
            .decrypt(self.identities.iter().map(|identity| identity as &dyn age::Identity))
            .map_err(|error| self.explain(&error))?;
        let mut key = Zeroizing::new(Vec::with_capacity(64));
        reader.take(MAX_DATA_KEY).read_to_end(&mut key).map_err(|error| format!("a damaged age file: {error}"))?;
        Ok(key)
    }

    fn explain(&self, error: &age::DecryptError) -> String {
        match (error, self.identities.len(), self.unusable) {
            (age::DecryptError::NoMatchingKeys, 0, 0) => "there is no age key".to_owned(),
            (age::DecryptError::NoMatchingKeys, keys, 0) => format!("none of {keys} age keys fits"),
            (age::DecryptError::NoMatchingKeys, keys, unusable) => {
                format!("none of {keys} age keys fits; {unusable} of a kind that is not supported were not tried")
            }
            (error, ..) => error.to_string(),
        }
    }
}

impl KeyService for AgeIdentities {
    fn unwrap(&self, key: &WrappedKey) -> Option<Result<DataKey, String>> {
        match key.recipient {
            Recipient::Age(_) => Some(self.open(&key.enc)),
            Recipient::Kms { .. } | Recipient::Other { .. } => None,
        }
    }
}

/// Makes an age key pair: the recipient `age1…`, and the identity `AGE-SECRET-KEY-1…`.
#[must_use]
pub fn generate_age_key() -> (String, Secret) {
    let identity = Identity::generate();
    (identity.to_public().to_string(), Secret::new(identity.to_string().expose_secret()))
}

/// Wraps a data key for one recipient as an armored age file.
pub(super) fn wrap(recipient: &str, data_key: &[u8]) -> Result<String, Error> {
    let failed = |why: String| Error::Recipient { recipient: recipient.to_owned(), why };
    let parsed = age::x25519::Recipient::from_str(recipient)
        .map_err(|why| failed(format!("it is not an age X25519 recipient (age1…): {why}")))?;
    age::encrypt_and_armor(&parsed, data_key).map_err(|error| failed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_files_are_read_and_never_shown() {
        let (public, secret) = generate_age_key();
        let (other, another) = generate_age_key();
        let text = format!("# made by hand\n\n{}\r\n  {}\nAGE-PLUGIN-YUBIKEY-1QQ\n", secret.expose(), another.expose());
        let keys = AgeIdentities::parse(&text).expect("valid");
        assert_eq!(keys.recipients(), [public.clone(), other]);
        let shown = format!("{keys:?}");
        assert!(shown.contains(&public) && !shown.contains("SECRET"), "{shown}");
    }

    #[test]
    fn a_broken_line_is_named_by_number_only() {
        let error = AgeIdentities::parse("# x\nAGE-SECRET-KEY-1TYPO\n").err();
        assert_eq!(error, Some(Error::Identity { line: 2 }));
        assert!(!error.map(|error| error.to_string()).unwrap_or_default().contains("TYPO"));
    }

    #[test]
    fn a_wrapped_key_opens_with_its_own_identity_only() {
        let (public, secret) = generate_age_key();
        let (_, stranger) = generate_age_key();
        let key = WrappedKey { enc: wrap(&public, b"data key").expect("wraps"), recipient: Recipient::Age(public) };
        let open = |text: &Secret| AgeIdentities::parse(text.expose()).expect("valid").unwrap(&key).expect("its kind");
        assert_eq!(open(&secret).expect("fits").as_slice(), b"data key");
        assert_eq!(open(&stranger), Err("none of 1 age keys fits".to_owned()));
    }

    #[test]
    fn a_recipient_of_another_kind_is_refused() {
        assert!(matches!(wrap("ssh-ed25519 AAAA", b"x"), Err(Error::Recipient { .. })));
    }
}
