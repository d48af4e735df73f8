//! The one pen that reaches the buffer: whatever it writes is made harmless and fits.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use crate::console::text;
use crate::console::theme::{Role, Symbols, Theme};

/// Writes styled text into a buffer.
pub(in crate::console) struct Ink<'a> {
    buffer: &'a mut Buffer,
    theme: &'a Theme,
}

/// A piece of text at its place in a line.
#[derive(Debug, Clone)]
pub(in crate::console) struct Piece {
    /// Columns from the left edge.
    pub(super) at: u16,
    /// Columns it may take.
    pub(super) room: u16,
    /// The text, as it came.
    pub(super) text: String,
    /// What it means.
    pub(super) role: Role,
}

/// A line to be drawn.
#[derive(Debug, Clone, Default)]
pub(in crate::console) struct Row {
    /// Its pieces, left to right.
    pub(super) pieces: Vec<Piece>,
    /// Whether the rest of the line is a rule.
    pub(super) ruled: bool,
    /// Whether the cursor is on it.
    pub(super) selected: bool,
}

impl Row {
    /// Adds a piece.
    pub(super) fn piece(mut self, at: u16, room: u16, text: impl Into<String>, role: Role) -> Self {
        self.pieces.push(Piece { at, room, text: text.into(), role });
        self
    }

    /// Adds pieces one after the other, two columns apart, as many as fit.
    pub(super) fn flow(mut self, mut at: u16, right: u16, pieces: impl IntoIterator<Item = (String, Role)>) -> Self {
        for (text, role) in pieces.into_iter().filter(|(text, _)| !text.is_empty()) {
            let room = right.saturating_sub(at);
            if room < 4 {
                break;
            }
            let long = u16::try_from(text::width(&text)).unwrap_or(u16::MAX);
            self.pieces.push(Piece { at, room, text, role });
            at = at.saturating_add(long).saturating_add(2);
        }
        self
    }

    /// Lets a rule take the rest of the line.
    pub(super) fn ruled(mut self) -> Self {
        self.ruled = true;
        self
    }
}

impl<'a> Ink<'a> {
    pub(in crate::console) fn new(buffer: &'a mut Buffer, theme: &'a Theme) -> Self {
        Self { buffer, theme }
    }

    pub(super) fn symbols(&self) -> &'a Symbols {
        &self.theme.symbols
    }

    /// Clears an area in a role's style.
    pub(in crate::console) fn fill(&mut self, area: Rect, role: Role) {
        let area = area.intersection(*self.buffer.area());
        for y in area.y..area.bottom() {
            self.part_from_left(area.x, y);
        }
        for position in area.positions() {
            self.buffer[position].reset();
        }
        self.buffer.set_style(area, self.theme.ground().patch(self.theme.style(role)));
    }

    /// Writes a text into at most `room` columns; returns the column after it.
    pub(in crate::console) fn put(&mut self, x: u16, y: u16, room: u16, text: &str, role: Role) -> u16 {
        let area = *self.buffer.area();
        if y >= area.bottom() || x >= area.right() {
            return x;
        }
        let room = room.min(area.right() - x);
        let symbols = &self.theme.symbols;
        let fitted = text::fit(text, usize::from(room), symbols.ellipsis);
        let safe = if symbols.ascii { text::clean(&fitted, true) } else { fitted };
        self.part_from_left(x, y);
        self.buffer.set_stringn(x, y, &safe, usize::from(room), self.theme.style(role)).0
    }

    /// Writes a text that ends at a column.
    pub(in crate::console) fn put_right(&mut self, right: u16, y: u16, room: u16, text: &str, role: Role) {
        let long = u16::try_from(text::width(text)).unwrap_or(room).min(room);
        self.put(right.saturating_sub(long), y, long, text, role);
    }

    /// Takes away a wide glyph that reaches into a cell from the left: the terminal would keep it, and not show what is
    /// written over its second half.
    fn part_from_left(&mut self, x: u16, y: u16) {
        /// More cells than any cluster takes that a person would read.
        const WIDEST: u16 = 8;
        for back in 1..=WIDEST.min(x) {
            let cell = &mut self.buffer[(x - back, y)];
            if text::width(cell.symbol()) > usize::from(back) {
                cell.set_symbol(" ");
            }
        }
    }

    /// Draws a horizontal rule.
    pub(super) fn rule(&mut self, x: u16, y: u16, width: u16) {
        let rule = self.theme.symbols.rule.repeat(usize::from(width));
        self.put(x, y, width, &rule, Role::Rule);
    }

    /// Whether a rule is drawn there.
    pub(super) fn is_rule(&self, x: u16, y: u16) -> bool {
        self.buffer.cell((x, y)).is_some_and(|cell| cell.symbol() == self.theme.symbols.rule)
    }

    /// Says at the right end of a line how much more there is above or below it; nothing when there is none.
    pub(super) fn more(&mut self, line: Rect, count: usize, above: bool) {
        if count == 0 {
            return;
        }
        let symbol = if above { self.theme.symbols.up } else { self.theme.symbols.down };
        let text = format!(" {symbol} {count} more ");
        let room = u16::try_from(text::width(&text)).unwrap_or(line.width);
        self.put_right(line.right().saturating_sub(1), line.y, room, &text, Role::Notice);
    }

    /// Takes the colours from a line, whatever was written there.
    pub(super) fn dim(&mut self, area: Rect) {
        let area = area.intersection(*self.buffer.area());
        let style = self.theme.style(Role::Dim).remove_modifier(Modifier::BOLD);
        self.buffer.set_style(area, style);
    }

    /// Draws a vertical rule.
    pub(super) fn bar(&mut self, x: u16, y: u16, height: u16) {
        for line in y..y.saturating_add(height) {
            self.put(x, line, 1, self.theme.symbols.bar, Role::Rule);
        }
    }

    /// Marks a line as the selected one; `strong` when it hears the movement keys.
    pub(super) fn select(&mut self, area: Rect, strong: bool) {
        let area = area.intersection(*self.buffer.area());
        if strong {
            self.buffer.set_style(area, self.theme.style(Role::Selection));
        }
        self.put(area.x + 1, area.y, 1, self.theme.symbols.cursor, if strong { Role::Cursor } else { Role::Dim });
    }

    /// Takes the colours from an area: what it says may be so no longer.
    pub(super) fn fade(&mut self, area: Rect) {
        let area = area.intersection(*self.buffer.area());
        let dim = self.theme.ground().patch(self.theme.style(Role::Dim));
        for position in area.positions() {
            self.buffer[position].set_style(Style::reset().patch(dim));
        }
    }

    /// Draws a line at the top of an area.
    pub(super) fn row(&mut self, area: Rect, row: &Row) {
        let mut end = area.x;
        for piece in &row.pieces {
            let at = area.x + piece.at;
            let room = piece.room.min(area.right().saturating_sub(at));
            end = self.put(at, area.y, room, &piece.text, piece.role);
        }
        if row.ruled {
            let start = if row.pieces.is_empty() { end } else { end + 1 };
            self.rule(start, area.y, area.right().saturating_sub(start));
        }
        if row.selected {
            self.select(Rect { height: 1, ..area }, true);
        }
    }

    /// Draws lines from the top of an area, beginning with the one at `offset`.
    pub(super) fn rows(&mut self, area: Rect, rows: &[Row], offset: usize) {
        for (y, row) in (area.y..area.bottom()).zip(rows.iter().skip(offset)) {
            self.row(Rect { y, height: 1, ..area }, row);
        }
    }
}
