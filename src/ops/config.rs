//! Encrypted config in git: read, changed, checked, carried over.
//!
//! Whatever is written is ciphertext, put in its place as a whole. All of this blocks, as keys may have to be asked for:
//! callers go through [`blocking`]. Of AWS only [`live`] reads, and KMS where it holds a document's key.

mod carry;
mod change;
pub mod changes;
mod check;
mod crypt;
mod edit;
mod file;
mod form;
mod hook;
mod keys;
mod layer;
mod list;
mod opener;
mod recipients;
mod rendered;
mod room;

pub use self::carry::{Carried, Form, export, import};
pub use self::change::{Input, set, unset};
pub use self::check::{Checked, check};
pub use self::crypt::{Keyed, decrypt, decrypt_file, encrypt, encrypt_file, rotate, update_keys};
pub use self::edit::{CutOff, Draft, Rescued};
pub use self::form::{Values, dotenv, json, shell, variables, yaml};
pub(in crate::ops) use self::hook::git as run_git;
pub use self::hook::{Merging, Refused, Versions, guard, install, merge, readable};
pub use self::layer::{Layer, SECRETS};
pub use self::list::{Held, Listed, list};
pub use self::opener::Opener;
pub use self::recipients::{Readable, rotation_list};
pub use self::rendered::{Rendered, Shadow, Value, explain, git, live};
pub use self::room::{Room, memory_places, quiet_editor};
pub use super::inspect::blocking;
