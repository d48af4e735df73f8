//! The functions that Plumb deploys.
//!
//! `crypto` encrypts and decrypts for callers that must not hold a key: [`envelope`] is the format and its
//! cryptography, [`keyring`] the keys and how long they are kept, [`api`] what is asked and answered. `rotate` gives the
//! keyring its next key, when Secrets Manager says so. Handlers are plain async functions of (state, event); only
//! `src/bin` knows of a Lambda runtime, and only [`secrets_manager`] of AWS.
//!
//! Never logged and never part of an error: a plaintext, a context, a ciphertext, a key.

pub mod api;
pub mod envelope;
mod event;
mod json;
pub mod keyring;
mod problem;
mod record;
pub mod rotate;
pub mod runtime;
pub mod secrets_manager;

pub use event::BODY_LIMIT;
pub use problem::Kind;
pub use record::NAMESPACE;
