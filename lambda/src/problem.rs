//! What went wrong, as RFC 9457 `application/problem+json`.
//!
//! One table of kinds: status, title and whether a caller may try again are of the kind, the detail of the case. A detail
//! names a field or a limit; it never repeats what was sent.

use serde::Serialize;

use crate::envelope;
use crate::json::Fault;
use crate::keyring::Unavailable;

/// What can go wrong. The problem's `type` is `urn:plumb:problem:` and the kind's name, which is stable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The body is no JSON.
    InvalidJson,
    /// The body is JSON, and not what the route takes.
    InvalidRequest,
    /// The ciphertext is not of this service's form.
    NotACiphertext,
    /// The ciphertext does not open: deliberately one kind for all reasons.
    DecryptionRefused,
    /// A version was named to encrypt under, and there is none.
    UnknownKeyVersion,
    /// There is no such path.
    NoSuchRoute,
    /// There is such a path, for another method.
    MethodNotAllowed,
    /// The body is not declared as JSON.
    UnsupportedMediaType,
    /// Something is larger than is taken.
    TooLarge,
    /// JSON, and no record that is taken.
    InvalidRecord,
    /// It does not fit the schema that was deployed.
    SchemaMismatch,
    /// The idempotency key belongs to another content.
    KeyReused,
    /// The keyring cannot be read.
    KeyringUnavailable,
    /// Nothing can be stored.
    StoreUnavailable,
    /// The function failed.
    Internal,
}

impl Kind {
    /// What both APIs may answer.
    pub const SHARED: [Self; 7] = [
        Self::InvalidJson,
        Self::InvalidRequest,
        Self::NoSuchRoute,
        Self::MethodNotAllowed,
        Self::UnsupportedMediaType,
        Self::TooLarge,
        Self::Internal,
    ];
    /// What the crypto API may answer besides.
    pub const CRYPTO: [Self; 4] =
        [Self::NotACiphertext, Self::DecryptionRefused, Self::UnknownKeyVersion, Self::KeyringUnavailable];
    /// What the intake may answer besides.
    pub const INTAKE: [Self; 4] = [Self::InvalidRecord, Self::SchemaMismatch, Self::KeyReused, Self::StoreUnavailable];

    /// Whether the same may be tried again in a moment.
    pub(crate) const fn may_pass(self) -> bool {
        matches!(self, Self::KeyringUnavailable | Self::StoreUnavailable)
    }

    const fn row(self) -> (u16, &'static str, &'static str) {
        match self {
            Self::InvalidJson => (400, "invalid-json", "The body is not JSON"),
            Self::InvalidRequest => (400, "invalid-request", "The request is not what this route takes"),
            Self::NotACiphertext => (422, "not-a-ciphertext", "Not a ciphertext of this service"),
            Self::DecryptionRefused => (422, "decryption-refused", "The ciphertext does not open"),
            Self::UnknownKeyVersion => (404, "unknown-key-version", "There is no such key version"),
            Self::NoSuchRoute => (404, "no-such-route", "There is no such route"),
            Self::MethodNotAllowed => (405, "method-not-allowed", "This route takes another method"),
            Self::UnsupportedMediaType => (415, "unsupported-media-type", "The body must be JSON"),
            Self::TooLarge => (413, "too-large", "The request is too large"),
            Self::InvalidRecord => (422, "invalid-record", "The record is not one that is taken"),
            Self::SchemaMismatch => (422, "schema-mismatch", "The record does not fit the schema"),
            Self::KeyReused => (422, "idempotency-key-reused", "The idempotency key belongs to another record"),
            Self::StoreUnavailable => (503, "store-unavailable", "Nothing can be stored right now"),
            Self::KeyringUnavailable => (503, "keyring-unavailable", "The keyring cannot be read right now"),
            Self::Internal => (500, "internal", "The function failed"),
        }
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(self) -> u16 {
        self.row().0
    }

    /// The last part of the problem's type.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.row().1
    }

    /// One sentence, the same for each problem of the kind.
    #[must_use]
    pub const fn title(self) -> &'static str {
        self.row().2
    }
}

/// One thing that went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) kind: Kind,
    pub(crate) detail: String,
    /// Of a wrong method: the right one.
    pub(crate) allow: Option<&'static str>,
    /// For the log alone.
    pub(crate) reason: Option<String>,
}

/// A problem as it is sent.
#[derive(Serialize)]
pub(crate) struct Body<'a> {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    /// Absent in the items of a batch, whose answer has it in its header.
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<&'a str>,
}

impl Problem {
    pub(crate) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), allow: None, reason: None }
    }

    /// What is wrong with a body as a whole.
    pub(crate) fn of_body(fault: &Fault) -> Self {
        match fault {
            Fault::Syntax { .. } => Self::new(Kind::InvalidJson, format!("the body is {fault}")),
            Fault::NotA(_) => Self::new(Kind::InvalidRequest, format!("the body is {fault}")),
            Fault::Twice => Self::new(Kind::InvalidRequest, "a name stands twice in the body"),
            Fault::TooMany(_) => Self::new(Kind::InvalidRequest, "the body has fields that this route does not take"),
        }
    }

    pub(crate) fn body<'a>(&'a self, request_id: Option<&'a str>) -> Body<'a> {
        let kind = format!("urn:plumb:problem:{}", self.kind.name());
        Body { kind, title: self.kind.title(), status: self.kind.status(), detail: &self.detail, request_id }
    }
}

impl From<envelope::Error> for Problem {
    fn from(error: envelope::Error) -> Self {
        let kind = match error {
            envelope::Error::Format => Kind::NotACiphertext,
            envelope::Error::Refused => Kind::DecryptionRefused,
            envelope::Error::Encrypt => Kind::Internal,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<Unavailable> for Problem {
    fn from(error: Unavailable) -> Self {
        // Why is the operator's to read; the caller learns that waiting may help.
        let told = Self::new(Kind::KeyringUnavailable, "try again in a few seconds; the function's log says why");
        Self { reason: Some(error.reason), ..told }
    }
}
