//! Texts of every kind keep to their columns, also on a terminal that draws character by character.

use std::cell::RefCell;
use std::num::NonZeroU16;
use std::path::Path;
use std::rc::Rc;

use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::layout::Rect;

use super::*;
use crate::console::theme::{Role, Theme};
use crate::console::view::Ink;

/// Names and values that have broken columns somewhere, each with how it is drawn.
const HARD: [(&str, &str); 21] = [
    ("a\u{1b}[31mb\r\n\t", "a␛[31mb␍␊␉"),
    ("evil\u{202e}txt", "evil▯txt"),
    ("日本語", "日本語"),
    ("cafe\u{301}", "cafe\u{301}"),
    ("\u{301}lonely", "▯lonely"),
    ("\u{a82c}\u{2d7f}", "▯▯"),
    ("zero\u{200b}width", "zero▯width"),
    ("soft\u{ad}hyphen", "soft▯hyphen"),
    ("👨\u{200d}👩\u{200d}👧", "👨▯👩▯👧"),
    ("👍🏽", "👍▯"),
    ("♻\u{fe0f} refactor", "♻ refactor"),
    ("❤\u{fe0f}", "❤"),
    ("1\u{fe0f}\u{20e3}", "1\u{20e3}"),
    ("a\u{fe0f}b", "a▯b"),
    ("🇩🇪 Berlin", "🇩🇪 Berlin"),
    ("🏴\u{e0067}\u{e007f}", "🏴▯▯"),
    ("שלום", "שלום"),
    ("مرحبا", "مرحبا"),
    ("क्षि", "क्षि"),
    ("\u{1112}\u{1161}\u{11ab}", "\u{1112}\u{1161}\u{11ab}"),
    ("\u{3164}\u{115f}", "▯▯"),
];

#[test]
fn every_hard_text_has_its_look() {
    for (text, expected) in HARD {
        assert_eq!(clean(text, false), expected, "{text:?}");
    }
    assert_eq!(clean("naïve 日\u{1b}", true), "na?ve ???");
    assert!(matches!(clean("plain", false), Cow::Borrowed(_)));
}

#[test]
fn wide_glyphs_count_two_cells() {
    assert_eq!(width("日本"), 4);
    assert_eq!(fit("日本語", 4, "…"), "日…");
    assert_eq!(fit_end("/checkout/prod/db", 8, "…"), "…prod/db");
}

/// The glyphs in the console's own sources, without comments and tests.
fn glyphs(directory: &Path) -> Vec<(String, char)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let told = name.starts_with("test") || name.ends_with("tests.rs") || name.starts_with("fixture");
        if told {
            continue;
        }
        if path.is_dir() {
            found.extend(glyphs(&path));
        } else {
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
            let chars = lines.flat_map(str::chars).filter(|c| !c.is_ascii());
            found.extend(chars.map(|c| (name.clone(), c)));
        }
    }
    found
}

#[test]
fn every_glyph_that_the_console_draws_has_one_in_ascii() {
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/console");
    let found = glyphs(&sources);
    assert!(found.iter().any(|(_, c)| *c == '…'), "no glyph found below {}", sources.display());
    // The spinner's are pictures, and the ASCII symbols have a spinner of their own.
    let spinner = '\u{2800}'..='\u{28ff}';
    for (file, c) in found {
        assert!(spinner.contains(&c) || plain(c).is_some(), "{c:?} of {file} has no ASCII: give it one in `plain`");
    }
}

/// Strings of letters, marks, joiners, emoji, right-to-left letters, escape sequences.
fn strange() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        3 => any::<char>().prop_map(String::from),
        3 => proptest::sample::select(HARD.map(|(text, _)| text).to_vec()).prop_map(String::from),
        2 => "[a-z0-9/ .]{1,6}",
        1 => "\\p{M}{1,3}",
        1 => "\\p{Emoji}{1,3}",
        1 => "[\\p{Hebrew}\\p{Arabic}]{1,4}",
        1 => "[\u{200b}-\u{200f}\u{fe00}-\u{fe0f}\u{1f3fb}-\u{1f3ff}\u{1f1e6}-\u{1f1ff}]{1,3}",
    ];
    proptest::collection::vec(pieces, 0..8).prop_map(|pieces| pieces.concat())
}

const LINE: u16 = 60;
const AT: u16 = 3;

/// Draws a text between two marks.
fn draw(ink: &mut Ink<'_>, text: &str, room: u16) {
    ink.put(AT - 1, 0, 1, "|", Role::Text);
    ink.put(AT, 0, room, text, Role::Text);
    ink.put(AT + room, 0, 1, "|", Role::Text);
    ink.put_right(LINE, 1, room, text, Role::Text);
}

/// A terminal that knows of no clusters, and can still be looked at while it is drawn on.
#[derive(Clone)]
struct Simple(Rc<RefCell<vt100::Parser>>);

impl std::io::Write for Simple {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn parser() -> vt100::Parser {
    let cells = |count| NonZeroU16::new(count).unwrap();
    vt100::Parser::new(cells(2), cells(LINE), 0)
}

/// The terminal after these texts were drawn one after the other.
fn after(texts: &[&str], room: u16, theme: &Theme) -> Simple {
    let simple = Simple(Rc::new(RefCell::new(parser())));
    let viewport = ratatui::Viewport::Fixed(Rect::new(0, 0, LINE, 2));
    let options = ratatui::TerminalOptions { viewport };
    let mut screen = Terminal::with_options(CrosstermBackend::new(simple.clone()), options).unwrap();
    for text in texts {
        let drawn = screen.draw(|frame| {
            let area = frame.area();
            let mut ink = Ink::new(frame.buffer_mut(), theme);
            ink.fill(area, Role::Text);
            draw(&mut ink, text, room);
        });
        drawn.unwrap();
    }
    simple
}

proptest! {
    #[test]
    fn what_was_cut_fits_and_what_fits_is_not_cut(text in strange(), room in 0_usize..50) {
        prop_assert!(width(&fit(&text, room, "…")) <= room);
        prop_assert!(width(&fit_end(&text, room, "…")) <= room);
        if width(&text) <= room {
            prop_assert_eq!(fit(&text, room, "…"), clean(&text, false));
        }
    }

    #[test]
    fn nothing_that_moves_a_terminal_survives(text in any::<String>()) {
        prop_assert!(!clean(&text, false).chars().any(crate::visible::is_hidden));
        prop_assert!(clean(&text, true).is_ascii());
    }

    #[test]
    fn a_clean_text_is_as_wide_as_its_characters_and_as_its_ascii(text in strange()) {
        let clean = clean(&text, false);
        let apart: usize = clean.chars().map(|c| c.width().unwrap_or(0)).sum();
        prop_assert_eq!(apart, width(&text));
        prop_assert_eq!(super::clean(&clean, false), clean.as_ref());
        prop_assert_eq!(super::clean(&text, true).len(), width(&text));
    }

    #[test]
    fn wrapped_lines_fit_and_lose_nothing_but_spaces(text in strange(), room in 8_usize..30) {
        let lines = wrap(&text, room);
        prop_assert!(lines.iter().all(|line| width(line) <= room));
        let inked = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        prop_assert_eq!(inked(&lines.concat()), inked(&clean(&text, false)));
    }

    #[test]
    fn the_next_column_stays_in_its_place(first in strange(), text in strange(), room in 1_u16..40, ascii in any::<bool>()) {
        // The emulated terminal keeps so many bytes of a cell and drops the marks beyond.
        prop_assume!(clean(&text, false).graphemes(true).all(|grapheme| grapheme.len() <= 18));
        let theme = Theme::embedded("plumb-dark").unwrap();
        let theme = if ascii { theme.ascii() } else { theme };
        let terminal = after(&[&first, &text], room, &theme);
        let terminal = terminal.0.borrow();
        let screen = terminal.screen();
        let cell = |x: u16| screen.cell(0, x).map(vt100::Cell::contents).unwrap_or_default().to_owned();
        prop_assert_eq!(cell(AT - 1), "|");
        prop_assert_eq!(cell(AT + room), "|");
        let drawn: String = (AT..AT + room).map(cell).collect();
        let expected = fit(&text, usize::from(room), theme.symbols.ellipsis);
        let expected = if ascii { clean(&expected, true) } else { expected };
        prop_assert_eq!(drawn.trim_end(), expected.trim_end());
        prop_assert!((AT + room + 1..LINE).all(|x| cell(x).trim().is_empty()), "nothing beyond its room");
        // One that ends at the right edge leaves exactly the columns before it empty.
        let long = u16::try_from(width(&text)).unwrap_or(room).min(room);
        let before = (0..LINE - long).all(|x| screen.cell(1, x).is_none_or(|cell| cell.contents().trim().is_empty()));
        prop_assert!(before);
    }
}
