//! From files of a commit to the names and values of parameters and secrets.
//!
//! Pure: reads no file and decrypts nothing. Documents come in as [`DocNode`]s, plain or still encrypted.
//!
//! **Names never depend on values**, with one exception: a key whose value is `null` is not pushed. So the same
//! functions name the parameters of a document whose leaves are still ciphertext, without a key to decrypt it, and
//! give the ciphertexts to be digested. The exception does no harm there: sops leaves `null` (and the empty string)
//! in clear. What cannot be pushed for its value keeps its name, as [`PlannedValue::Refused`].

mod document;
mod files;
mod plan;
mod stacks;
mod whole;

pub mod name;

pub use document::{DocNode, ScalarKind, json};
pub use files::{ConfigFile, SecretDocument, Sorted, Unmatched, sort_files};
pub use plan::{Planned, PlannedValue, Problem, STANDARD, Store, parameters, secrets, tier_refused, value_refused};
pub use stacks::stacks;
pub use whole::{Mapped, MappingProblem, ParameterPlan, SecretPlan, map};
