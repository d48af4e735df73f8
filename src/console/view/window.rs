//! The part of a long line that is seen, with marks where it goes on.

use unicode_segmentation::UnicodeSegmentation;

use super::ink::Row;
use crate::console::text;
use crate::console::theme::Role;

/// Where a line is drawn, and from which of its columns on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    /// Columns from the left edge.
    pub(super) at: u16,
    /// Columns that it may take.
    pub(super) room: u16,
    /// The first column of the line that is seen.
    pub(super) across: usize,
}

/// One cell's worth of text or more.
struct Cell<'a> {
    text: &'a str,
    width: usize,
    role: Role,
}

/// Adds the visible part of a line. Only what is seen is looked at letter by letter, as long as the line is ASCII.
pub(super) fn add(mut row: Row, window: Window, segments: &[(&str, Role)], ellipsis: &str) -> Row {
    let clean: Vec<_> = segments.iter().map(|(text, role)| (text::clean(text, false), *role)).collect();
    let room = usize::from(window.room);
    let mark = || Cell { text: ellipsis, width: text::width(ellipsis), role: Role::Dim };
    let mut cells: Vec<Cell<'_>> = Vec::new();
    let (mut column, mut used) = (0, 0);
    let is_cut = window.across > 0 && segments.iter().any(|(text, _)| !text.is_empty());
    'line: for (text, role) in &clean {
        let mut text: &str = text;
        if text.is_ascii() {
            let skipped = text.len().min(window.across.saturating_sub(column));
            column += skipped;
            text = &text[skipped..];
        }
        for grapheme in text.graphemes(true) {
            let width = text::width(grapheme);
            column += width;
            if column <= window.across {
                continue;
            }
            // The rest of a wide letter whose beginning is out of sight is blank.
            let seen = width.min(column - window.across);
            cells.push(Cell { text: if seen == width { grapheme } else { " " }, width: seen, role: *role });
            used += seen;
            if used > room {
                break 'line;
            }
        }
    }
    if used > room {
        while used + text::width(ellipsis) > room
            && let Some(cell) = cells.pop()
        {
            used -= cell.width;
        }
        cells.push(mark());
    }
    if is_cut {
        let mut freed = 0;
        while freed < text::width(ellipsis) && !cells.is_empty() {
            freed += cells.remove(0).width;
        }
        // Never half of a wide letter.
        for _ in text::width(ellipsis)..freed {
            cells.insert(0, Cell { text: " ", width: 1, role: Role::Dim });
        }
        cells.insert(0, mark());
    }
    let mut at = window.at;
    let mut run: Option<(u16, String, Role)> = None;
    for cell in cells {
        match &mut run {
            Some((_, text, role)) if *role == cell.role => text.push_str(cell.text),
            _ => {
                row = flush(row, run.take(), at);
                run = Some((at, cell.text.to_owned(), cell.role));
            }
        }
        at = at.saturating_add(u16::try_from(cell.width).unwrap_or(1));
    }
    flush(row, run, at)
}

fn flush(row: Row, run: Option<(u16, String, Role)>, end: u16) -> Row {
    match run {
        Some((start, text, role)) => row.piece(start, end.saturating_sub(start), text, role),
        None => row,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seen(line: &str, across: usize, room: u16, ellipsis: &str) -> String {
        let row = add(Row::default(), Window { at: 0, room, across }, &[(line, Role::Text)], ellipsis);
        row.pieces.iter().map(|piece| piece.text.as_str()).collect()
    }

    #[test]
    fn a_line_is_marked_where_it_goes_on() {
        for (line, across, room, expected) in [
            ("short", 0, 10, "short"),
            ("0123456789", 0, 10, "0123456789"),
            ("0123456789a", 0, 10, "012345678…"),
            ("0123456789a", 1, 10, "…23456789a"),
            ("0123456789abc", 1, 10, "…23456789…"),
            ("short", 8, 10, "…"),
            ("", 8, 10, ""),
            ("日本語です", 0, 5, "日本…"),
            ("日本語です", 1, 6, "…本語…"),
            ("a\u{1b}[31mb", 0, 10, "a␛[31mb"),
        ] {
            assert_eq!(seen(line, across, room, "…"), expected, "{line:?} from {across} in {room}");
        }
        for (line, across, room, expected) in [
            ("0123456789a", 0, 10, "01234567.."),
            ("0123456789a", 1, 10, "..3456789a"),
            ("0123456789abc", 1, 10, "..345678.."),
            ("日本語です", 1, 6, ".. .."),
            ("日本語です", 2, 9, "..語です"),
        ] {
            assert_eq!(seen(line, across, room, ".."), expected, "{line:?} from {across} in {room}");
        }
    }

    proptest! {
        #[test]
        fn what_is_seen_fits(line in "\\PC{0,30}", across in 0_usize..20, room in 4_u16..20, ascii: bool) {
            let shown = seen(&line, across, room, if ascii { ".." } else { "…" });
            prop_assert!(text::width(&shown) <= usize::from(room), "{shown:?}");
        }
    }
}
