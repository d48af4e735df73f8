//! A command of the operator's own that changes something, before it is run.

use crate::console::home::Command;

/// What is asked before it is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// What the operator calls it.
    pub title: String,
    /// The command, with everything filled in.
    pub command: Command,
    /// Whether it gets the terminal.
    pub wait: bool,
    /// What has to be typed: `y`, or the environment's name where it is protected.
    pub wanted: String,
    /// What is typed.
    pub typed: String,
    /// There is one line alone.
    pub line: usize,
}
