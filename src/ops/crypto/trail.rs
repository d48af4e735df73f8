//! What a smoke test has sent, kept in memory to be looked for in the function's log.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use crate::ops::hex;

/// Shorter than this a text may stand in any log by chance.
const SHORTEST: usize = 16;

/// So much of a long one is looked for; a multiple of three, after which base64 goes on as if nothing followed.
const LONGEST: usize = 48;

/// Plaintexts, and the ids of requests that succeeded.
#[derive(Default)]
pub(super) struct Trail {
    sent: Mutex<Vec<Zeroizing<Vec<u8>>>>,
    asked: Mutex<BTreeSet<String>>,
}

impl Trail {
    /// A plaintext that is sent.
    pub(super) fn sends(&self, plain: &[u8]) {
        let plain = plain.get(..LONGEST).unwrap_or(plain);
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        if plain.len() >= SHORTEST && !sent.iter().any(|known| known.as_slice() == plain) {
            sent.push(Zeroizing::new(plain.to_vec()));
        }
    }

    /// A request that succeeded, by AWS's id.
    pub(super) fn asked(&self, id: &str) {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned());
    }

    /// The ids of the requests that succeeded.
    pub(super) fn requests(&self) -> BTreeSet<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Each plaintext in the forms in which a log could have it: as text, escaped as JSON does, in base64 and in hex.
    pub(super) fn forms(&self) -> Vec<Zeroizing<String>> {
        let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        let mut forms = BTreeSet::new();
        for plain in sent.iter() {
            let lower = hex(plain);
            forms.extend([lower.to_uppercase(), lower, STANDARD_NO_PAD.encode(plain), URL_SAFE_NO_PAD.encode(plain)]);
            // What was cut within a character is text up to there.
            let text = match std::str::from_utf8(plain) {
                Ok(text) => text,
                Err(error) => {
                    plain.get(..error.valid_up_to()).and_then(|part| std::str::from_utf8(part).ok()).unwrap_or("")
                }
            };
            if text.len() >= SHORTEST {
                forms.extend([text.to_owned(), escaped(text, false), escaped(text, true)]);
            }
        }
        forms.into_iter().map(Zeroizing::new).collect()
    }
}

/// As it stands within a string of JSON, with what is not ASCII escaped or as it is.
fn escaped(text: &str, ascii: bool) -> String {
    use std::fmt::Write as _;

    let quoted = serde_json::to_string(text).unwrap_or_default();
    let inner = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or_default();
    if !ascii {
        return inner.to_owned();
    }
    let mut out = String::new();
    for unit in inner.encode_utf16() {
        match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii() => out.push(char::from(byte)),
            // Writing into a String cannot fail.
            _ => drop(write!(out, "\\u{unit:04x}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plaintext_is_known_again_in_every_form_of_a_log() {
        let trail = Trail::default();
        let text = "\u{1f512} gr\u{fc}\u{df}e \"of\" mara";
        trail.sends(text.as_bytes());
        trail.sends(&[0xff; 1000]);
        trail.sends(b"short");
        let forms = trail.forms();
        let found = |line: &str| forms.iter().any(|form| line.contains(form.as_str()));
        let rows = [
            format!("got {text}"),
            format!("{{\"x\":{}}}", serde_json::to_string(text).unwrap()),
            "\\ud83d\\udd12 gr\\u00fc\\u00dfe \\\"of\\\" mara".to_owned(),
            STANDARD_NO_PAD.encode(text) + "==",
            URL_SAFE_NO_PAD.encode(text),
            hex(text.as_bytes()),
            hex(text.as_bytes()).to_uppercase(),
            STANDARD_NO_PAD.encode([0xff; 1000]),
            "ff".repeat(1000),
        ];
        for line in rows {
            assert!(found(&line), "{line}");
        }
        assert!(!found("a short line about 24 bytes"));
    }
}
