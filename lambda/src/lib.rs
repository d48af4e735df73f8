//! The functions that Plumb deploys.
//!
//! `crypto` encrypts and decrypts for callers that must not hold a key: [`envelope`] is the format and its
//! cryptography, [`keyring`] the keys and how long they are kept, [`api`] what is asked and answered. `rotate` gives the
//! keyring its next key, when Secrets Manager says so. [`integrity`] keeps live true to git. [`intake`] keeps what it is
//! sent, and [`summary`] makes a file of each week of it. Handlers are plain async functions of (state, event); only
//! `src/bin` knows of a Lambda runtime, and only [`secrets_manager`] and the modules `live` of AWS.
//!
//! Never logged and never part of an error: a plaintext, a context, a ciphertext, a key, a token, a record.

mod answer;
pub mod api;
mod aws;
mod digest;
pub mod envelope;
mod event;
mod http;
pub mod intake;
pub mod integrity;
mod json;
pub mod keyring;
#[cfg(test)]
#[path = "../tests/support/openapi.rs"]
#[allow(unreachable_pub, missing_docs, dead_code, reason = "shared with the tests that run the real bootstrap")]
mod openapi;
mod problem;
mod record;
pub mod rotate;
pub mod runtime;
pub mod secrets_manager;
pub mod summary;
pub mod ulid;

pub use event::BODY_LIMIT;
pub use problem::Kind;
