//! What the console wants done.

use super::backend::{Ask, Target};
use super::memory::Memory;
use super::message::Generation;
use crate::compare::Kind;

/// Work for the runtime; none of it writes anything to AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Read the files of another project.
    Project(Generation, String),
    /// Compare an environment.
    Inspect(Generation, Target, Ask),
    /// Read the values of one item.
    Reveal(Generation, Target, Kind, String),
    /// List a project's refs.
    Refs(Generation, String),
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
