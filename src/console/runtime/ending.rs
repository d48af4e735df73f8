//! The signals that the console hears, and how it ends when they say so.

/// A signal that concerns the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    /// It has to end.
    End(Ending),
    /// It has to stop until it is continued.
    Stop,
}

/// What ends the console from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// SIGINT, sent by another than the keyboard, which is read as a key.
    Interrupt,
    /// SIGQUIT.
    Quit,
    /// SIGTERM.
    Terminate,
    /// SIGHUP.
    HangUp,
    /// The terminal is gone, of which no signal tells.
    NoTerminal,
    /// Signals cannot be heard any more.
    Deaf,
}

impl Ending {
    /// The exit code, as a shell tells of a process that the signal ended: 128 and its number.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::HangUp | Self::NoTerminal => 128 + 1,
            Self::Interrupt => 128 + 2,
            Self::Quit => 128 + 3,
            Self::Terminate => 128 + 15,
            Self::Deaf => 2,
        }
    }
}

impl std::fmt::Display for Ending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Interrupt => "SIGINT",
            Self::Quit => "SIGQUIT",
            Self::Terminate => "SIGTERM",
            Self::HangUp => "SIGHUP",
            Self::NoTerminal => "the end of its terminal",
            Self::Deaf => "the end of signals",
        })
    }
}
