//! The screen behind the terminal: `vt100`, plus the answers and the notes that it leaves to its owner.

use std::num::NonZeroU16;

/// A screen that is fed with what a program writes.
pub(super) struct Emulator {
    parser: vt100::Parser<Notes>,
}

/// What the program asked for beyond the cells.
#[derive(Default)]
struct Notes {
    reply: Vec<u8>,
    clipboard: Vec<Vec<u8>>,
    titles: Vec<String>,
    /// Private modes that `vt100` does not keep: focus events, synchronised updates.
    modes: Vec<u16>,
    /// Depth of the keyboard protocol's stack (`CSI > u`, `CSI < u`).
    keyboard: i32,
    /// Whether right-to-left text is shown as it is written (`CSI 8 l`), cell by cell, and not reordered.
    explicit: bool,
    /// Depth of the stack of titles (`CSI 22 t`, `CSI 23 t`).
    kept_titles: i32,
    /// The colour that everything is drawn on, as X11 writes it.
    background: &'static str,
}

impl Emulator {
    pub(super) fn new(columns: NonZeroU16, rows: NonZeroU16, background: &'static str) -> Self {
        let notes = Notes { background, ..Notes::default() };
        Self { parser: vt100::Parser::new_with_callbacks(rows, columns, 0, notes) }
    }

    /// Takes what the program wrote; gives what a terminal would answer.
    pub(super) fn process(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.parser.process(bytes);
        std::mem::take(&mut self.parser.callbacks_mut().reply)
    }

    pub(super) fn resize(&mut self, columns: NonZeroU16, rows: NonZeroU16) {
        self.parser.set_size(rows, columns);
    }

    pub(super) fn screen(&self) -> &vt100::Screen {
        self.parser.screen()
    }

    pub(super) fn clipboard(&self) -> &[Vec<u8>] {
        &self.parser.callbacks().clipboard
    }

    pub(super) fn titles(&self) -> &[String] {
        &self.parser.callbacks().titles
    }

    /// Whether each character is shown in the cell that it was written to, whatever its script.
    pub(super) fn keeps_order(&self) -> bool {
        self.parser.callbacks().explicit
    }

    /// Modes still on that a program must take back before it ends.
    pub(super) fn left_behind(&self) -> Vec<String> {
        let notes = self.parser.callbacks();
        let mut left: Vec<_> = notes.modes.iter().map(|mode| format!("private mode {mode} is on")).collect();
        if notes.keyboard > 0 {
            left.push("the keyboard protocol is not popped".to_owned());
        }
        if notes.explicit {
            left.push("right-to-left text is not reordered any more".to_owned());
        }
        if notes.kept_titles != 0 {
            left.push(format!("the title is not given back: {}", notes.kept_titles));
        }
        left
    }
}

impl vt100::Callbacks for Notes {
    fn set_window_title(&mut self, _: &mut vt100::Screen, title: &[u8]) {
        self.titles.push(String::from_utf8_lossy(title).into_owned());
    }

    fn copy_to_clipboard(&mut self, _: &mut vt100::Screen, _: &[u8], data: &[u8]) {
        self.clipboard.push(data.to_vec());
    }

    fn unhandled_osc(&mut self, _: &mut vt100::Screen, params: &[&[u8]]) {
        if let [b"11", b"?"] = params {
            self.reply.extend_from_slice(format!("\x1b]11;rgb:{}\x1b\\", self.background).as_bytes());
        }
    }

    fn unhandled_csi(
        &mut self,
        screen: &mut vt100::Screen,
        first: Option<u8>,
        _: Option<u8>,
        params: &[&[u16]],
        letter: char,
    ) {
        let param = params.first().and_then(|param| param.first()).copied().unwrap_or_default();
        match (first, letter, param) {
            // Primary device attributes: a VT220 with colour.
            (None, 'c', 0) => self.reply.extend_from_slice(b"\x1b[?62;22c"),
            (None, 'n', 5) => self.reply.extend_from_slice(b"\x1b[0n"),
            (None, 'n', 6) => {
                let (row, column) = screen.cursor_position();
                self.reply.extend_from_slice(format!("\x1b[{};{}R", row + 1, column + 1).as_bytes());
            }
            (None, 'l', 8) => self.explicit = true,
            (None, 'h', 8) => self.explicit = false,
            (None, 't', 22) => self.kept_titles += 1,
            (None, 't', 23) => self.kept_titles -= 1,
            (Some(b'?'), 'h', _) => {
                self.modes.extend(params.iter().filter_map(|param| param.first()).filter(|mode| kept_here(**mode)));
            }
            (Some(b'?'), 'l', _) => self.modes.retain(|mode| !params.iter().any(|param| param.first() == Some(mode))),
            (Some(b'>'), 'u', _) => self.keyboard += 1,
            (Some(b'<'), 'u', count) => self.keyboard -= i32::from(count.max(1)),
            _ => {}
        }
    }
}

/// Focus events, and the mouse encodings that `vt100` does not know.
fn kept_here(mode: u16) -> bool {
    matches!(mode, 1004 | 1015 | 2026)
}
