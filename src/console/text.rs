//! Text on its way to the screen: made harmless, measured, cut.
//!
//! What comes from AWS, git or a file may hold escape sequences, so every text passes [`clean`] before it is
//! drawn, and its width is that of the terminal's cells, never that of its bytes or characters.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

/// The text with control and direction-changing characters as visible symbols; in ASCII every other character too.
pub(super) fn clean(text: &str, ascii: bool) -> Cow<'_, str> {
    let harmless = |c: char| if ascii { c == ' ' || c.is_ascii_graphic() } else { !is_unsafe(c) };
    if text.chars().all(harmless) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().map(|c| if harmless(c) { c } else { visible(c, ascii) }).collect())
}

fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{feff}' | '\u{2028}' | '\u{2029}')
        || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn visible(c: char, ascii: bool) -> char {
    match (c, ascii) {
        ('\u{0}'..='\u{1f}', false) => char::from_u32(0x2400 + u32::from(c)).unwrap_or('\u{fffd}'),
        ('\u{7f}', false) => '\u{2421}',
        (_, false) => '\u{fffd}',
        ('…', true) => '~',
        ('•', true) => '*',
        ('–' | '—', true) => '-',
        ('\u{240a}', true) => '$',
        (_, true) => '?',
    }
}

/// Width in cells.
pub(super) fn width(text: &str) -> usize {
    text.graphemes(true).map(grapheme_width).sum()
}

/// The same measure that ratatui takes of a symbol, so that what fits here fits there.
fn grapheme_width(grapheme: &str) -> usize {
    grapheme.width()
}

/// The text cut to a width in cells, with `ellipsis` at its end when something is missing.
pub(super) fn fit<'a>(text: &'a str, room: usize, ellipsis: &str) -> Cow<'a, str> {
    if width(text) <= room {
        return Cow::Borrowed(text);
    }
    let keep = room.saturating_sub(width(ellipsis));
    let mut out = String::new();
    let mut used = 0;
    for grapheme in text.graphemes(true) {
        let next = grapheme_width(grapheme);
        if used + next > keep {
            break;
        }
        used += next;
        out.push_str(grapheme);
    }
    if used + width(ellipsis) <= room {
        out.push_str(ellipsis);
    }
    Cow::Owned(out)
}

/// The text cut at its front, for paths whose end says most.
pub(super) fn fit_end<'a>(text: &'a str, room: usize, ellipsis: &str) -> Cow<'a, str> {
    if width(text) <= room {
        return Cow::Borrowed(text);
    }
    let keep = room.saturating_sub(width(ellipsis));
    let mut used = 0;
    let mut start = text.len();
    for (at, grapheme) in text.grapheme_indices(true).rev() {
        let next = grapheme_width(grapheme);
        if used + next > keep {
            break;
        }
        used += next;
        start = at;
    }
    Cow::Owned(format!("{ellipsis}{}", &text[start..]))
}

/// Breaks a text into lines of at most `room` cells, at spaces where there are any.
pub(super) fn wrap(text: &str, room: usize) -> Vec<String> {
    let room = room.max(1);
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split_word_bounds() {
        let long = width(word);
        if used > 0 && used + long > room {
            lines.push(String::new());
            used = 0;
            if word.trim().is_empty() {
                continue;
            }
        }
        for grapheme in word.graphemes(true) {
            let next = grapheme_width(grapheme);
            if used > 0 && used + next > room {
                lines.push(String::new());
                used = 0;
            }
            if let Some(line) = lines.last_mut() {
                line.push_str(grapheme);
            }
            used += next;
        }
    }
    lines
}

/// A short and readable id: the first seven digits of a commit.
pub(super) fn short(commit: &str) -> String {
    let is_hash = commit.len() > 12 && commit.chars().all(|c| c.is_ascii_hexdigit());
    if is_hash { commit.chars().take(7).collect() } else { commit.to_owned() }
}

/// The name that was perhaps meant, if one is near.
pub(super) fn nearest<'a>(text: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let far = |name: &str| strsim::damerau_levenshtein(text, name);
    names.map(|name| (far(name), name)).filter(|(far, name)| *far <= 3 && *far < name.len()).min().map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_escape_sequence_becomes_visible() {
        assert_eq!(clean("a\u{1b}[31mb\r\n", false), "a␛[31mb␍␊");
        assert_eq!(clean("evil\u{202e}txt", false), "evil\u{fffd}txt");
        assert_eq!(clean("naïve\u{1b}", true), "na?ve?");
        assert!(matches!(clean("plain", false), Cow::Borrowed(_)));
    }

    #[test]
    fn wide_glyphs_count_two_cells() {
        assert_eq!(width("日本"), 4);
        assert_eq!(fit("日本語", 4, "…"), "日…");
        assert_eq!(fit_end("/checkout/prod/db", 8, "…"), "…prod/db");
    }

    proptest! {
        #[test]
        fn what_was_cut_fits_and_what_fits_is_not_cut(text in "\\PC{0,40}", room in 0_usize..50) {
            prop_assert!(width(&fit(&text, room, "…")) <= room.max(width(&text).min(room)));
            if width(&text) <= room {
                prop_assert_eq!(fit(&text, room, "…"), text.as_str());
            }
        }

        #[test]
        fn nothing_that_moves_a_terminal_survives(text in any::<String>()) {
            prop_assert!(!clean(&text, false).chars().any(char::is_control));
            prop_assert!(clean(&text, true).is_ascii());
        }

        #[test]
        fn wrapped_lines_fit(text in "\\PC{0,60}", room in 8_usize..30) {
            prop_assert!(wrap(&text, room).iter().all(|line| width(line) <= room));
        }
    }
}
