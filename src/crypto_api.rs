//! The crypto API from outside: what goes over the wire.
//!
//! A leaf room that knows no AWS and sends nothing. Plaintexts leave only as [`crate::secret::Secret`].

mod wire;

pub use wire::{
    Decrypt, Decrypted, Encrypt, Encrypted, Health, KeyVersion, Keys, Rewrapped, Route, direct, direct_answer,
};
