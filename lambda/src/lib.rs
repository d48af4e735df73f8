//! The functions that Plumb deploys.
//!
//! `crypto` encrypts and decrypts for callers that must not hold a key: [`envelope`] is the format and its
//! cryptography, [`keyring`] the keys and where they come from, [`api`] what is asked and answered. Handlers are plain
//! async functions of (state, request); only `src/bin` knows of a Lambda runtime.
//!
//! Never logged and never part of an error: a plaintext, a context, a ciphertext, a key.

pub mod api;
pub mod envelope;
pub mod keyring;
mod problem;
mod secrets_manager;

pub use secrets_manager::SecretsManager;
