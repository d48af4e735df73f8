//! The sops document format: parse, decrypt, encrypt, edit with a minimal change of ciphertext.
//!
//! Pure: no files, no AWS, no environment, no clock. Randomness (IVs, data keys) is the one thing taken from outside.
//! A data key is unwrapped by a [`KeyService`], so whoever holds keys decides what opens. Reads and writes what sops
//! 3.13 reads and writes (format taken from its sources: `sops.go`, `aes/cipher.go`, `stores/`), with one deliberate
//! difference: what sops would silently accept (duplicate keys, invalid expressions, lossy numbers) is an error here.
//!
//! The rooms: [`Document`] is a file as it lies in git, [`Node`] is its plaintext. A store (`json`) turns text into a
//! tree with the place of each value, and values into text; everything else knows no file format.

mod age_keys;
mod change;
mod cipher;
mod creation;
mod document;
mod dotenv;
mod error;
mod format;
mod json;
mod key;
mod merge;
mod metadata;
mod number;
mod open;
mod pattern;
mod raw;
mod recipients;
mod rewrite;
mod same;
mod seal;
mod selector;
mod shamir;
mod store;
mod text;
mod tree;
mod yaml;

#[cfg(test)]
mod bad_input_tests;
#[cfg(test)]
mod edit_tests;
#[cfg(test)]
mod fixture_tests;
#[cfg(test)]
mod keys_tests;
#[cfg(test)]
mod merge_tests;
#[cfg(test)]
mod property_tests;
#[cfg(test)]
mod store_tests;
#[cfg(test)]
mod yaml_tests;

pub use age_keys::{AgeIdentities, generate_age_key};
pub use change::{encrypt, encrypt_as, encrypt_node};
pub use creation::{CreationRule, CreationRules, Indents, Rules};
pub use document::{Document, MacPolicy, RawLeaf};
pub use error::Error;
pub use format::Format;
pub use key::{DataKey, KeyService, Recipient, Remembering, Services, WrappedKey};
pub use merge::{Conflict, Merged, merge};
pub use open::Opened;
pub use pattern::Pattern;
pub use selector::Selector;
pub use tree::{Leaf, Node};
