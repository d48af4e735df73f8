//! What the overlays with a text field have in common: the field, and matched letters in a line.

use std::borrow::Cow;

use ratatui::layout::Rect;
use unicode_segmentation::UnicodeSegmentation;

use crate::console::text;
use crate::console::theme::Role;
use crate::console::view::ink::{Ink, Row};

/// The head of an overlay.
pub(super) struct Place<'a> {
    /// What it is.
    pub(super) title: &'a str,
    /// What is typed.
    pub(super) text: &'a str,
    /// What may be typed, shown until something is.
    pub(super) hint: &'a str,
}

/// Draws the head and the field; returns the room for the lines below them.
pub(super) fn draw(ink: &mut Ink<'_>, area: Rect, place: &Place<'_>, count: &str) -> Rect {
    ink.fill(area, Role::Text);
    let head = [(place.title.to_owned(), Role::Heading), (count.to_owned(), Role::Dim)];
    ink.row(area, &Row::default().flow(1, area.width, head).ruled());
    let right = area.right().saturating_sub(1);
    let y = area.y + 1;
    // The end of a long text is what is being typed.
    let typed = text::fit_end(place.text, usize::from(area.width.saturating_sub(8)), ink.symbols().ellipsis);
    let mut x = ink.put(area.x + 3, y, area.width.saturating_sub(7), &typed, Role::Input);
    x = ink.put(x, y, 1, ink.symbols().caret, Role::Key);
    if place.text.is_empty() {
        ink.put(x + 1, y, right.saturating_sub(x + 1), place.hint, Role::Dim);
    }
    list(area)
}

/// The room for the lines below the head and the field.
pub(in crate::console) fn list(area: Rect) -> Rect {
    let air = u16::from(area.height >= 12);
    Rect { y: area.y + 2 + air, height: area.height.saturating_sub(2 + air), ..area }
}

/// How a text is cut that is too long.
pub(super) struct Cut<'a> {
    /// Columns that there are.
    pub(super) room: usize,
    pub(super) ellipsis: &'a str,
    /// Whether its beginning is cut off and not its end, as long as nothing that was looked for is lost.
    pub(super) end_says_most: bool,
}

impl Cut<'_> {
    /// The text as it fits, and its matched graphemes in what is left of it. What was looked for is not cut off while there
    /// is another way.
    pub(super) fn of<'t>(&self, text: &'t str, places: &[usize]) -> (Cow<'t, str>, Vec<usize>) {
        if text::width(text) <= self.room {
            return (Cow::Borrowed(text), places.to_vec());
        }
        let front = text::fit(text, self.room, self.ellipsis);
        let end = text::fit_end(text, self.room, self.ellipsis);
        let count = |text: &str| text.graphemes(true).count();
        let mark = count(self.ellipsis);
        // The places are those of the text as it came; where it is drawn otherwise nobody knows where they went.
        let whole = count(text);
        let places = if count(&text::clean(text, false)) == whole { places } else { &[] };
        let (in_front, hidden) = (count(&front).saturating_sub(mark), whole + mark - count(&end));
        let fits_front = places.iter().all(|place| *place < in_front);
        let fits_end = places.iter().all(|place| *place >= hidden);
        if if self.end_says_most { fits_front && !fits_end } else { fits_front || !fits_end } {
            let places = places.iter().copied().filter(|place| *place < in_front).collect();
            return (front, places);
        }
        (end, places.iter().filter(|place| **place >= hidden).map(|place| place - hidden + mark).collect())
    }
}

/// Adds a text whose matched graphemes stand out. One that does not fit is cut, and nothing stands out in it.
pub(super) fn marked(row: Row, at: u16, room: u16, text: &str, places: &[usize], role: Role) -> Row {
    if places.is_empty() || text::width(text) > usize::from(room) {
        return row.piece(at, room, text, role);
    }
    let mut row = row;
    let (mut x, mut run, mut matched) = (at, String::new(), false);
    for (index, grapheme) in text.graphemes(true).enumerate() {
        let is_match = places.binary_search(&index).is_ok();
        if is_match != matched && !run.is_empty() {
            let long = columns(&run);
            row = row.piece(x, long, std::mem::take(&mut run), if matched { Role::Key } else { role });
            x += long;
        }
        matched = is_match;
        run.push_str(grapheme);
    }
    let long = columns(&run);
    row.piece(x, long, run, if matched { Role::Key } else { role })
}

fn columns(text: &str) -> u16 {
    // As it will be drawn: a control character is a symbol there.
    u16::try_from(text::width(&text::clean(text, false))).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_is_cut_where_nothing_is_lost_that_was_looked_for() {
        let cut = |text: &'static str, places: &[usize], end_says_most: bool| {
            Cut { room: 10, ellipsis: "…", end_says_most }.of(text, places)
        };
        let rows = [
            ("Refresh it", &[0, 1][..], false, "Refresh it", &[0, 1][..]),
            ("Refresh what you are on", &[], false, "Refresh w…", &[]),
            ("Refresh what you are on", &[0, 8], false, "Refresh w…", &[0, 8]),
            ("Refresh what you are on", &[21, 22], false, "…ou are on", &[8, 9]),
            ("Refresh what you are on", &[0, 22], false, "Refresh w…", &[0]),
            ("/billing/prod/pool_size", &[], true, "…pool_size", &[]),
            ("/billing/prod/pool_size", &[14, 15], true, "…pool_size", &[1, 2]),
            ("/billing/prod/pool_size", &[1, 2], true, "/billing/…", &[1, 2]),
            ("/billing/prod/pool_size", &[1, 22], true, "…pool_size", &[9]),
            ("a\u{1b}\u{200d}b/billing/pool_size", &[1], true, "a␛▯b/bill…", &[1]),
        ];
        for (text, places, end_says_most, expected, left) in rows {
            let (shown, places) = cut(text, places, end_says_most);
            assert_eq!((&*shown, places.as_slice()), (expected, left), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_cut_fits(text in "\\PC{0,30}", places in prop::collection::btree_set(0_usize..30, 0..4), end: bool) {
            let places: Vec<usize> = places.into_iter().collect();
            let (shown, _) = Cut { room: 9, ellipsis: "..", end_says_most: end }.of(&text, &places);
            prop_assert!(text::width(&shown) <= 9);
        }

        #[test]
        fn marking_letters_changes_no_text(text in "\\PC{0,20}", places in prop::collection::btree_set(0_usize..25, 0..8)) {
            let places: Vec<usize> = places.into_iter().collect();
            let row = marked(Row::default(), 4, 80, &text, &places, Role::Text);
            let drawn: String = row.pieces.iter().map(|piece| piece.text.as_str()).collect();
            prop_assert_eq!(drawn, text);
        }
    }
}
