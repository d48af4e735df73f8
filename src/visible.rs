//! What no terminal should be sent, in a form that can be seen: one rule for the commands and the console.
//!
//! Control characters would move the cursor or change its colours; what is invisible would make two names that differ
//! look the same, and what reorders text would show it in an order that nobody wrote.

use std::borrow::Cow;

use unicode_width::UnicodeWidthStr;

/// Stands for what cannot be shown. Not U+FFFD, which some terminals drop.
pub(crate) const STAND_IN: char = '▯';

/// The text with every invisible character as a visible one.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut last = None;
    for c in text.chars() {
        match c {
            // The control pictures of Unicode: ␀ to ␟, and ␡.
            '\u{0}'..='\u{1f}' => out.push(char::from_u32(0x2400 + u32::from(c)).unwrap_or(STAND_IN)),
            '\u{7f}' => out.push('\u{2421}'),
            // Asks for the coloured picture or the plain one, which a terminal may not have: it changes widths, not
            // what is meant. Elsewhere it is a way to hide something.
            '\u{fe0e}' | '\u{fe0f}' if last.is_some_and(has_pictures) => {}
            _ if is_hidden(c) => out.push(STAND_IN),
            _ => out.push(c),
        }
        last = Some(c);
    }
    Cow::Owned(out)
}

/// The text with at most so many characters, the last of them an ellipsis where something is missing.
pub(crate) fn cut(text: &str, most: usize) -> Cow<'_, str> {
    if text.chars().nth(most).is_none() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().take(most.saturating_sub(1)).chain(['…']).collect())
}

/// What has no look of its own: controls, formats, joiners, fillers, selectors, tags (Unicode's
/// `Default_Ignorable_Code_Point`, the two separators, the annotations, and what already stands for something else).
pub(crate) fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
                | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffd}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// Whether a character is an emoji, or a key's digit that can become one.
fn has_pictures(c: char) -> bool {
    let mut with = String::from(c);
    with.push('\u{fe0f}');
    with.width() == 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_long_is_cut_and_what_fits_is_not() {
        assert_eq!(cut("äbc", 3), "äbc");
        assert_eq!(cut("äbcd", 3), "äb…");
        assert_eq!(cut("", 0), "");
    }

    #[test]
    fn what_a_terminal_would_act_on_or_hide_is_seen() {
        for (text, seen) in [
            ("plain, é and 日本", "plain, é and 日本"),
            ("a\u{1b}[31mb\n\u{7f}", "a␛[31mb␊␡"),
            ("a\u{9b}b", "a▯b"),
            ("a\u{200b}b\u{2060}c\u{200f}d\u{ad}", "a▯b▯c▯d▯"),
            ("\u{202e}evil\u{2066}", "▯evil▯"),
            ("\u{2764}\u{fe0f} a\u{fe0f}", "\u{2764} a▯"),
        ] {
            assert_eq!(visible(text), seen, "{text:?}");
        }
    }
}
