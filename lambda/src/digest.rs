//! SHA-256 as people read it.

use sha2::{Digest as _, Sha256};

/// The digest of these parts, one behind the other, in lower-case hexadecimal.
pub(crate) fn sha256(parts: &[&[u8]]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    finished(hasher)
}

/// The same of what was given to it bit by bit.
pub(crate) fn finished(hasher: Sha256) -> String {
    use std::fmt::Write as _;
    hasher.finalize().iter().fold(String::with_capacity(64), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
