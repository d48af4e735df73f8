//! What a frame is written on: nothing of it reaches the terminal before all of it is there.
//!
//! Ratatui flushes in the middle, as after it has cleared a terminal that was resized; seen by itself that is a flash
//! of nothing. Here the frame goes out in one piece, and between the two marks of a *synchronized update* (`CSI ? 2026 h`
//! and `l`), which make the terminal show it in one step, however it was torn up on the way. The marks are always sent:
//! a terminal that does not know a private mode ignores it.

use std::io::{self, Write};

use crossterm::queue;
use crossterm::terminal::{BeginSynchronizedUpdate, EndSynchronizedUpdate};
use ratatui::backend::{Backend, CrosstermBackend};

const END: &[u8] = b"\x1b[?2026l";

/// A writer that keeps what is between the marks until the second one was flushed.
pub(super) struct Sheet<W> {
    out: W,
    pending: Vec<u8>,
    framed: bool,
}

impl<W: Write> Sheet<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out, pending: Vec::new(), framed: false }
    }
}

impl<W: Write> Write for Sheet<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.pending.is_empty() {
            self.framed = bytes == b"\x1b[?2026h";
        }
        self.pending.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.framed && !self.pending.ends_with(END) {
            return Ok(());
        }
        self.out.write_all(&self.pending)?;
        self.pending.clear();
        self.out.flush()
    }
}

/// A backend on which a frame has a beginning and an end.
pub(super) trait Framed: Backend {
    /// What follows belongs to one frame.
    fn begin(&mut self) -> Result<(), Self::Error>;

    /// The frame is whole: it is shown.
    fn end(&mut self) -> Result<(), Self::Error>;
}

impl<W: Write> Framed for CrosstermBackend<W> {
    fn begin(&mut self) -> io::Result<()> {
        queue!(self, BeginSynchronizedUpdate)
    }

    fn end(&mut self) -> io::Result<()> {
        queue!(self, EndSynchronizedUpdate)?;
        Write::flush(self)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use ratatui::layout::Rect;
    use ratatui::{Terminal, TerminalOptions, Viewport};

    use super::*;

    /// Each write that reaches the terminal.
    #[derive(Clone, Default)]
    struct Wire(Rc<RefCell<Vec<Vec<u8>>>>);

    impl Write for Wire {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.borrow_mut().push(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_resized_screen_reaches_the_terminal_in_one_piece_between_the_marks() {
        let wire = Wire::default();
        let options = |width| TerminalOptions { viewport: Viewport::Fixed(Rect::new(0, 0, width, 2)) };
        let backend = CrosstermBackend::new(Sheet::new(wire.clone()));
        let mut screen = Terminal::with_options(backend, options(20)).unwrap();
        screen.backend_mut().begin().unwrap();
        // It clears the terminal, and flushes that.
        screen.resize(Rect::new(0, 0, 10, 2)).unwrap();
        screen.draw(|frame| frame.buffer_mut().set_string(0, 0, "plumb", ratatui::style::Style::new())).unwrap();
        assert!(wire.0.borrow().is_empty(), "{:?}", wire.0.borrow());
        screen.backend_mut().end().unwrap();
        let writes = wire.0.borrow();
        let [write] = writes.as_slice() else { panic!("{} writes", writes.len()) };
        let text = String::from_utf8(write.clone()).unwrap();
        assert!(text.starts_with("\u{1b}[?2026h") && text.ends_with("\u{1b}[?2026l"), "{text:?}");
        assert!(text.contains("\u{1b}[2J") && text.contains("plumb"), "{text:?}");
    }

    #[test]
    fn what_is_no_frame_is_written_when_it_is_flushed() {
        let wire = Wire::default();
        let mut sheet = Sheet::new(wire.clone());
        sheet.write_all(b"\x1b[?25l").unwrap();
        sheet.flush().unwrap();
        assert_eq!(wire.0.borrow().concat(), b"\x1b[?25l");
    }
}
