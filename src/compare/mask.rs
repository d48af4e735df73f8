//! Values that are told apart without being seen.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use super::Facet;
use crate::secret::MASK;

/// Digits of a fingerprint on screens; JSON output has all eight.
const SHOWN: usize = 4;

/// Makes short keyed digests, so that equal secrets look equal and nobody can guess a value from what is printed
/// without this machine's key.
#[derive(Clone)]
pub struct Fingerprinter {
    key: Zeroizing<[u8; 32]>,
}

impl Fingerprinter {
    /// By a random key of this machine. Another key gives other fingerprints, so only those of one machine compare.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self { key: Zeroizing::new(key) }
    }

    /// The first eight hex digits, in lower case, of HMAC-SHA-256 over the text's UTF-8 bytes. Different values may
    /// share a fingerprint (one in four billion): it is for people, verdicts never rest on it.
    #[must_use]
    pub fn fingerprint(&self, text: &str) -> String {
        // `KeyInit::new` takes a key of the block size; ours is shorter, and HMAC fills it up with zeros.
        let mut block = Zeroizing::new([0; 64]);
        block[..32].copy_from_slice(&*self.key);
        let mut mac = Hmac::<Sha256>::new((&*block).into());
        mac.update(text.as_bytes());
        let digest = mac.finalize().into_bytes();
        let start = digest.first_chunk().copied().map_or(0, u32::from_be_bytes);
        format!("{start:08x}")
    }
}

impl fmt::Debug for Fingerprinter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprinter")
    }
}

/// One side as it may be seen by anyone: `•••• fp 8c21 len 4` for a secret of four characters.
#[must_use]
pub fn masked(facet: &Facet, fingerprinter: &Fingerprinter) -> String {
    match facet {
        Facet::Absent => "absent".into(),
        Facet::Unrecorded => "unrecorded".into(),
        Facet::Unread => "unread".into(),
        Facet::Unreadable(_) => "unreadable".into(),
        Facet::Plain(text) => text.clone(),
        Facet::Masked { fingerprint, chars } => format!("{MASK} fp {fingerprint} len {chars}"),
        Facet::Secret(secret) => {
            let fingerprint = fingerprinter.fingerprint(secret.expose());
            let shown = fingerprint.get(..SHOWN).unwrap_or_default();
            format!("{MASK} fp {shown} len {}", secret.chars())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::Why;
    use crate::secret::Secret;

    #[test]
    fn a_fingerprint_is_the_start_of_hmac_sha_256() {
        // Python: hmac.new(bytes(range(32)), "größe".encode(), "sha256").hexdigest()[:8]
        let key: [u8; 32] = std::array::from_fn(|at| u8::try_from(at).unwrap());
        assert_eq!(Fingerprinter::new(key).fingerprint("größe"), "2d325b6c");
    }

    #[test]
    fn another_machine_gives_other_fingerprints() {
        let (a, b) = (Fingerprinter::new([1; 32]), Fingerprinter::new([2; 32]));
        assert_eq!(a.fingerprint("true"), a.clone().fingerprint("true"));
        assert_ne!(a.fingerprint("true"), a.fingerprint("false"));
        assert_ne!(a.fingerprint("true"), b.fingerprint("true"));
        assert_eq!(format!("{a:?}"), "Fingerprinter");
    }

    #[test]
    fn every_facet_is_shown_without_a_secret() {
        let by = Fingerprinter::new([7; 32]);
        let secret = Facet::Secret(Secret::new("né½x"));
        let digits = by.fingerprint("né½x");
        assert_eq!(masked(&secret, &by), format!("•••• fp {} len 4", &digits[..4]));
        for (facet, shown) in [
            (Facet::Absent, "absent"),
            (Facet::Unrecorded, "unrecorded"),
            (Facet::Unread, "unread"),
            (Facet::Unreadable(Why::new("denied")), "unreadable"),
            (Facet::Plain("512".into()), "512"),
            (Facet::Masked { fingerprint: "8c21".into(), chars: 4 }, "•••• fp 8c21 len 4"),
        ] {
            assert_eq!(masked(&facet, &by), shown);
        }
    }
}
