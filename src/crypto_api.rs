//! The crypto API from outside: what goes over the wire, and one HTTP request at a time.
//!
//! A leaf room that knows no AWS: whoever calls brings the headers that sign a request. Nothing is sent to where others
//! could read it: TLS, or this machine. Plaintexts leave only as [`crate::secret::Secret`].

mod http;
mod wire;

pub use http::{Connection, Error, Reply, Signature};
pub use wire::{
    Decrypt, Decrypted, Encrypt, Encrypted, Health, KeyVersion, Keys, Problem, Rewrapped, Route, direct, direct_answer,
};
