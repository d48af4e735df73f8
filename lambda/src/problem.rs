//! What went wrong, as RFC 9457 `application/problem+json`.

use serde_json::{Value, json};

use crate::envelope;
use crate::keyring::Unavailable;

/// An error answer. `kind` is stable: the problem's type is `urn:plumb:problem:<kind>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) status: u16,
    pub(crate) kind: &'static str,
    pub(crate) detail: String,
    /// For the log alone.
    pub(crate) reason: Option<String>,
}

impl Problem {
    pub(crate) fn new(status: u16, kind: &'static str, detail: impl Into<String>) -> Self {
        Self { status, kind, detail: detail.into(), reason: None }
    }

    pub(crate) fn body(&self, request_id: &str) -> Value {
        json!({
            "type": format!("urn:plumb:problem:{}", self.kind),
            "title": self.kind.replace('-', " "),
            "status": self.status,
            "detail": self.detail,
            "request_id": request_id,
        })
    }
}

impl From<envelope::Error> for Problem {
    fn from(error: envelope::Error) -> Self {
        match error {
            envelope::Error::Format => Self::new(422, "not-a-ciphertext", error.to_string()),
            envelope::Error::Refused => Self::new(422, "decryption-refused", error.to_string()),
            envelope::Error::Encrypt => Self::new(500, "internal", error.to_string()),
        }
    }
}

impl From<Unavailable> for Problem {
    fn from(error: Unavailable) -> Self {
        // Why is the operator's to read; the caller learns that waiting may help.
        let told = Self::new(503, "keyring-unavailable", "the keyring cannot be read right now");
        Self { reason: Some(error.reason), ..told }
    }
}
