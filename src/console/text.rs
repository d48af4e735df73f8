//! Text as terminals show it: widths in cells, cutting, and the visible form of what no terminal should be sent.
//!
//! Terminals disagree about clusters: a family of emoji joined by zero-width joiners is two cells wide here, six
//! there. So that a column stays where it is on every one of them, only clusters are drawn whose width is that of their
//! characters, one by one; of any other the parts that make it so are shown by a visible stand-in. What is invisible is
//! shown as well: two names that differ by it must not look the same.
//!
//! Right-to-left text is drawn as it is, in the order in which it is stored, and the terminal is told not to reorder
//! (see `runtime::terminal`). Reordering it here would be undone by a terminal that reorders whatever it is told; marks
//! that isolate it are dropped by some terminals and drawn by others. Overrides and isolates within a text become
//! visible, so that nothing in a value can turn the rest of its line around.

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::visible::{STAND_IN, visible};

/// The text with every character visible and every cluster as wide as its characters; in ASCII, each other cluster is
/// replaced by one that takes as many cells.
pub(super) fn clean(text: &str, ascii: bool) -> Cow<'_, str> {
    if is_plain(text) {
        return Cow::Borrowed(text);
    }
    let seen = steady(visible(text));
    if ascii { Cow::Owned(seen.graphemes(true).map(in_ascii).collect()) } else { seen }
}

/// Whether the text is printable ASCII, as nearly all of it is.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())
}

fn steady(text: Cow<'_, str>) -> Cow<'_, str> {
    if text.graphemes(true).all(is_steady) {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    for grapheme in text.graphemes(true) {
        if is_steady(grapheme) {
            out.push_str(grapheme);
            continue;
        }
        for (at, c) in grapheme.chars().enumerate() {
            // A mark without a letter would be drawn on whatever stands before it.
            out.push(if at == 0 && c.width().unwrap_or(0) > 0 { c } else { STAND_IN });
        }
    }
    Cow::Owned(out)
}

/// Whether a terminal that knows clusters and one that does not put it into the same cells, none of them before its own.
fn is_steady(grapheme: &str) -> bool {
    let mut widths = grapheme.chars().map(|c| c.width().unwrap_or(0));
    let first = widths.next().unwrap_or(0);
    first > 0 && first + widths.sum::<usize>() == grapheme.width()
}

/// Cells of ASCII for one cluster.
fn in_ascii(grapheme: &str) -> Cow<'_, str> {
    if is_plain(grapheme) {
        return Cow::Borrowed(grapheme);
    }
    let mut chars = grapheme.chars();
    let alone = chars.next().filter(|_| chars.next().is_none()).and_then(plain);
    Cow::Owned(alone.map_or_else(|| "?".repeat(grapheme.width()), String::from))
}

/// What ASCII has for the glyphs that the console itself draws, and for some that look like one.
fn plain(c: char) -> Option<char> {
    Some(match c {
        '•' | '●' => '*',
        '▁' => '_',
        '…' | '·' | '░' | '▂' | '▃' => '.',
        '▄' | '▅' => ':',
        '–' | '—' | '─' | '━' => '-',
        '│' | '┃' | '▏' | '▸' | '►' | '▆' | '▇' => '|',
        '┌' | '┐' | '└' | '┘' | '├' | '┤' | '┬' | '┴' | '┼' | '╭' | '╮' | '╰' | '╯' => '+',
        '→' | '›' => '>',
        '←' | '‹' => '<',
        '↑' | '▲' | '▴' => '^',
        '↓' | '▼' | '▾' | '✓' => 'v',
        '×' | '✗' => 'x',
        '█' | '▓' | '▒' => '#',
        '“' | '”' | '„' => '"',
        '‘' | '’' => '\'',
        '°' => 'o',
        '\u{a0}' => ' ',
        '\u{240a}' => '$',
        STAND_IN => '?',
        _ => return None,
    })
}

/// Width in cells of the text as it is drawn.
pub(super) fn width(text: &str) -> usize {
    if is_plain(text) { text.len() } else { cells(&clean(text, false)) }
}

/// The same measure that ratatui takes of a symbol, so that what fits here fits there.
fn cells(clean: &str) -> usize {
    clean.graphemes(true).map(UnicodeWidthStr::width).sum()
}

/// The text as it is drawn, cut to a width in cells, with `ellipsis` at its end when something is missing.
pub(super) fn fit<'a>(text: &'a str, room: usize, ellipsis: &str) -> Cow<'a, str> {
    let text = clean(text, false);
    if cells(&text) <= room {
        return text;
    }
    let keep = room.saturating_sub(width(ellipsis));
    let mut out = String::new();
    let mut used = 0;
    for grapheme in text.graphemes(true) {
        let next = grapheme.width();
        if used + next > keep {
            break;
        }
        used += next;
        out.push_str(grapheme);
    }
    out.push_str(as_much(ellipsis, room - used));
    Cow::Owned(out)
}

/// As much of a mark of several cells as there is room for.
fn as_much(ellipsis: &str, room: usize) -> &str {
    let mut end = 0;
    for (at, grapheme) in ellipsis.grapheme_indices(true) {
        if cells(&ellipsis[..at + grapheme.len()]) > room {
            break;
        }
        end = at + grapheme.len();
    }
    &ellipsis[..end]
}

/// The text as it is drawn, cut at its front, for paths whose end says most.
pub(super) fn fit_end<'a>(text: &'a str, room: usize, ellipsis: &str) -> Cow<'a, str> {
    let text = clean(text, false);
    if cells(&text) <= room {
        return text;
    }
    let ellipsis = as_much(ellipsis, room);
    let keep = room - width(ellipsis);
    let mut used = 0;
    let mut start = text.len();
    for (at, grapheme) in text.grapheme_indices(true).rev() {
        let next = grapheme.width();
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
    let text = clean(text, false);
    for word in text.split_word_bounds() {
        let long = cells(word);
        if used > 0 && used + long > room {
            lines.push(String::new());
            used = 0;
            if word.trim().is_empty() {
                continue;
            }
        }
        for grapheme in word.graphemes(true) {
            let next = grapheme.width();
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
mod tests;
