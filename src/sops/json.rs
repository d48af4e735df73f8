//! The JSON store: text into [`Raw`], values into text.
//!
//! An own parser because an edit needs the place of each value, because duplicate keys must be an error, and because
//! numbers must survive exactly as written.

mod parse;
mod write;

pub(super) use parse::parse;
pub(super) use write::{Style, compact, quote};
