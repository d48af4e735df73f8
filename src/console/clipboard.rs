//! Text on its way to the clipboard, as the terminal wants it.
//!
//! OSC 52 asks the terminal itself, which is the one that sits before the operator, over SSH too. A multiplexer in
//! between is asked to pass it on. tmux does so for its own commands; what a program within it asks for it drops, unless it
//! is configured otherwise.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::compare::Why;
use crate::secret::Secret;

/// Bytes of base64 that are sent at most: xterm and those that follow it cut what is longer.
const LONGEST: usize = 74_994;

/// Bytes of one piece through GNU screen, which drops strings of more than 768.
const PIECE: usize = 512;

/// Takes a text into tmux's buffers and has tmux hand it to the terminal, whatever `set-clipboard` says (tmux 3.2).
pub(super) const TMUX: &str = "tmux load-buffer -w -";

/// How a text left, as far as that can be known: no terminal tells whether it took it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sent {
    /// To the terminal.
    Terminal,
    /// To tmux, which took it and hands it to the terminal.
    Tmux,
    /// To tmux, which drops it unless it is configured to pass it on.
    PastTmux,
    /// To the operator's own command, which took it.
    Command,
}

impl Sent {
    /// What is told of so many characters of something.
    pub(super) fn told(self, what: &str, characters: usize) -> String {
        let length = if characters == 1 { String::from("1 character") } else { format!("{characters} characters") };
        match self {
            Self::Terminal => format!("{what} sent to the terminal's clipboard, {length}"),
            Self::Tmux => format!("{what} sent to the terminal's clipboard by tmux, {length}"),
            Self::PastTmux => format!("{what} sent, {length}; tmux passes it on with set-clipboard on"),
            Self::Command => format!("{what} copied, {length}"),
        }
    }
}

/// What stands between the console and the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Multiplexer {
    /// Nothing that is known.
    #[default]
    None,
    /// tmux.
    Tmux,
    /// GNU screen.
    Screen,
}

impl Multiplexer {
    /// By the variables that each of them sets; over SSH only the terminal's type is left of tmux.
    #[must_use]
    pub fn detect<'a>(variable: impl Fn(&str) -> Option<&'a str>) -> Self {
        let set = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
        if set("TMUX") || variable("TERM").is_some_and(|term| term.starts_with("tmux")) {
            Self::Tmux
        } else if set("STY") {
            Self::Screen
        } else {
            Self::None
        }
    }

    /// A sequence that reaches the terminal behind the multiplexer.
    pub(super) fn pass(self, sequence: &[u8]) -> Zeroizing<Vec<u8>> {
        let mut out = Zeroizing::new(Vec::with_capacity(sequence.len() * 2 + 64));
        match self {
            Self::None => out.extend_from_slice(sequence),
            Self::Tmux => {
                out.extend_from_slice(b"\x1bPtmux;");
                for &byte in sequence {
                    if byte == 0x1b {
                        out.push(0x1b);
                    }
                    out.push(byte);
                }
                out.extend_from_slice(b"\x1b\\");
            }
            Self::Screen => {
                for piece in sequence.chunks(PIECE) {
                    out.extend_from_slice(b"\x1bP");
                    out.extend_from_slice(piece);
                    out.extend_from_slice(b"\x1b\\");
                }
            }
        }
        out
    }
}

/// The sequence that puts a text into the clipboard (OSC 52), or why there is none.
///
/// In tmux it is sent twice: tmux takes the plain one with `set-clipboard on`, and passes the other one to the terminal
/// with `allow-passthrough on`.
pub(super) fn sequence(text: &Secret, through: Multiplexer) -> Result<Zeroizing<Vec<u8>>, Why> {
    let long = text.expose().len().div_ceil(3) * 4;
    if long > LONGEST {
        let why = format!("not copied: {} bytes are more than terminals take (56 kB)", text.expose().len());
        return Err(Why::new(why).hint("clipboard = \"command\" in config.toml copies what is longer"));
    }
    let encoded = Zeroizing::new(STANDARD.encode(text.expose()));
    let mut plain = Zeroizing::new(Vec::with_capacity(long + 8));
    plain.extend_from_slice(b"\x1b]52;c;");
    plain.extend_from_slice(encoded.as_bytes());
    plain.push(0x07);
    if through == Multiplexer::None {
        return Ok(plain);
    }
    let passed = through.pass(&plain);
    if through == Multiplexer::Screen {
        return Ok(passed);
    }
    let mut both = Zeroizing::new(Vec::with_capacity(plain.len() + passed.len()));
    both.extend_from_slice(&plain);
    both.extend_from_slice(&passed);
    Ok(both)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(text: &str, through: Multiplexer) -> String {
        String::from_utf8(sequence(&Secret::new(text), through).unwrap().to_vec()).unwrap()
    }

    #[test]
    fn a_text_goes_as_osc_52_and_through_multiplexers() {
        assert_eq!(text("hi", Multiplexer::None), "\x1b]52;c;aGk=\x07");
        assert_eq!(
            text("hi", Multiplexer::Tmux),
            "\x1b]52;c;aGk=\x07\x1bPtmux;\x1b\x1b]52;c;aGk=\x07\x1b\\",
            "plain for set-clipboard, wrapped for allow-passthrough"
        );
        assert_eq!(text("hi", Multiplexer::Screen), "\x1bP\x1b]52;c;aGk=\x07\x1b\\");
    }

    #[test]
    fn screen_gets_pieces_that_it_does_not_drop() {
        let long = text(&"x".repeat(3000), Multiplexer::Screen);
        let pieces: Vec<&str> = long.split_terminator("\x1b\\").collect();
        assert_eq!(pieces.len(), 8);
        assert!(pieces.iter().all(|piece| piece.starts_with("\x1bP") && piece.len() <= 514), "{pieces:?}");
    }

    #[test]
    fn what_terminals_would_cut_is_refused_and_its_text_is_not_told() {
        let most = LONGEST / 4 * 3;
        assert!(sequence(&Secret::new("m".repeat(most)), Multiplexer::None).is_ok());
        let why = sequence(&Secret::new("m".repeat(most + 1)), Multiplexer::None).unwrap_err();
        assert_eq!(why.reason, "not copied: 56245 bytes are more than terminals take (56 kB)");
    }

    #[test]
    fn the_multiplexer_is_known_by_its_variables() {
        let rows: [(&[(&str, &str)], Multiplexer); 6] = [
            (&[("TERM", "xterm-256color")], Multiplexer::None),
            (&[("TERM", "screen-256color"), ("TMUX", "/tmp/tmux-0/default,1,0")], Multiplexer::Tmux),
            (&[("TERM", "tmux-256color")], Multiplexer::Tmux),
            (&[("TERM", "screen"), ("STY", "123.pts-0.host")], Multiplexer::Screen),
            (&[("TERM", "screen")], Multiplexer::None),
            (&[("TMUX", ""), ("TERM", "xterm")], Multiplexer::None),
        ];
        for (variables, expected) in rows {
            let variable = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
            assert_eq!(Multiplexer::detect(variable), expected, "{variables:?}");
        }
    }

    proptest! {
        #[test]
        fn no_byte_of_the_text_can_end_the_sequence(given in any::<String>()) {
            let sent = sequence(&Secret::new(given.clone()), Multiplexer::None).unwrap();
            let inner = &sent[7..sent.len() - 1];
            prop_assert!(inner.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(byte)));
            prop_assert_eq!(STANDARD.decode(inner).unwrap(), given.as_bytes());
        }
    }
}
