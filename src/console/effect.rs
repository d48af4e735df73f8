//! What the console wants done.

use super::backend::{Fresh, Target};
use super::memory::Memory;
use super::message::Generation;
use crate::compare::Kind;

/// Work for the runtime; none of it writes anything to AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Compare an environment.
    Inspect(Generation, Target, Fresh),
    /// Read the values of one item.
    Reveal(Generation, Target, Kind, String),
    /// List the refs.
    Refs(Generation),
    /// Fetch the remote.
    Fetch(Generation, Target),
    /// Keep this for the next time.
    Remember(Memory),
    /// Abort a request.
    Cancel(Generation),
    /// Give the terminal back until the shell brings the console to the front again.
    Suspend,
    /// Leave.
    Quit,
}
