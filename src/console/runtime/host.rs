//! What the loop does with the terminal beside drawing.

use std::io;

/// The terminal; in tests, whatever stands in for it.
pub(super) trait Host {
    /// Gives the terminal back, stops like any job of the shell, and takes the terminal again when continued.
    fn suspend(&mut self) -> io::Result<()>;

    /// Sends a sequence to the terminal: a title, a text for the clipboard.
    fn send(&mut self, sequence: &[u8]) -> io::Result<()>;

    /// Gives the terminal, its keys included, to another program.
    fn leave(&mut self) -> io::Result<()>;

    /// Takes it again.
    fn enter(&mut self) -> io::Result<()>;
}
