//! Short stand-ins for values that are not shown.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Tells equal values from different ones without showing them.
#[derive(Clone)]
pub(super) struct Fingerprinter {
    key: [u8; 32],
}

impl Fingerprinter {
    /// Fingerprints are comparable under the same key only, so that they cannot be looked up elsewhere.
    pub(super) fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// The same key for documents, whose fingerprints are those of the commands.
    pub(super) fn of_documents(&self) -> crate::compare::Fingerprinter {
        crate::compare::Fingerprinter::new(self.key)
    }

    /// Four hexadecimal digits of the value's HMAC-SHA-256.
    pub(super) fn fingerprint(&self, value: &str) -> String {
        use std::fmt::Write as _;

        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else { return String::from("????") };
        mac.update(value.as_bytes());
        let mut hex = String::with_capacity(4);
        for byte in mac.finalize().into_bytes().iter().take(2) {
            let _ = write!(hex, "{byte:02x}");
        }
        hex
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_share_a_fingerprint_and_another_key_gives_another() {
        let (one, two) = (Fingerprinter::new([1; 32]), Fingerprinter::new([2; 32]));
        assert_eq!(one.fingerprint("value"), one.fingerprint("value"));
        assert_ne!(one.fingerprint("value"), one.fingerprint("valve"));
        assert_ne!(one.fingerprint("value"), two.fingerprint("value"));
        assert_eq!(one.fingerprint("value").len(), 4);
    }
}
