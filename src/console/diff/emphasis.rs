//! What differs within two lines that stand for each other.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

use super::align::{numbered, parts};

/// Longer lines are compared at their ends only, so that drawing them stays quick.
const LONG: usize = 8_000;

/// Words from this many letters on are compared letter by letter at their ends: keys, hashes, and scripts without spaces.
const LONG_WORD: usize = 13;

/// The parts of each line, as bytes, that the other one lacks. None where the lines have so little in common that the
/// marks would be noise.
pub(in crate::console) fn changed(old: &str, new: &str) -> (Vec<Range<usize>>, Vec<Range<usize>>) {
    if old.len() > LONG || new.len() > LONG {
        let (before, after) = ends(old, new);
        let middle = |text: &str| if before + after == 0 { Vec::new() } else { vec![before..text.len() - after] };
        return (kept(middle(old)), kept(middle(new)));
    }
    let (old_words, new_words) = (words(old), words(new));
    let (old_texts, new_texts) = (texts(old, &old_words), texts(new, &new_words));
    let [old_numbers, new_numbers] = numbered([&old_texts[..], &new_texts[..]]);
    let (mut left, mut right) = (Vec::new(), Vec::new());
    let mut shared = 0;
    for part in parts(&old_numbers, &new_numbers) {
        let (a, b) = (span(&old_words[part.old.clone()]), span(&new_words[part.new.clone()]));
        if part.equal {
            shared += old_texts[part.old].iter().map(|word| word.trim().len()).sum::<usize>();
            continue;
        }
        let (a_text, b_text) = (&old[a.clone()], &new[b.clone()]);
        let single = part.old.len() == 1 && part.new.len() == 1;
        let (before, after) = if single && is_long(a_text) && is_long(b_text) { ends(a_text, b_text) } else { (0, 0) };
        shared += before + after;
        left.push(a.start + before..a.end - after);
        right.push(b.start + before..b.end - after);
    }
    let solid = |text: &str| text.chars().filter(|c| !c.is_whitespace()).map(char::len_utf8).sum::<usize>();
    if shared * 4 < solid(old).max(solid(new)) {
        return (Vec::new(), Vec::new());
    }
    (kept(left), kept(right))
}

fn kept(ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.into_iter().filter(|range| !range.is_empty()).collect()
}

fn is_long(word: &str) -> bool {
    !word.is_ascii() || word.len() >= LONG_WORD
}

fn span(words: &[Range<usize>]) -> Range<usize> {
    match (words.first(), words.last()) {
        (Some(first), Some(last)) => first.start..last.end,
        _ => 0..0,
    }
}

fn texts<'a>(line: &'a str, words: &[Range<usize>]) -> Vec<&'a str> {
    words.iter().map(|word| &line[word.clone()]).collect()
}

/// Bytes that two texts have in common at their beginning and at their end, in whole letters as they are seen.
fn ends(old: &str, new: &str) -> (usize, usize) {
    let same = |(a, b): &(&str, &str)| a == b;
    let before: usize = old.graphemes(true).zip(new.graphemes(true)).take_while(same).map(|(a, _)| a.len()).sum();
    let (old, new) = (&old[before..], &new[before..]);
    let after = old.graphemes(true).rev().zip(new.graphemes(true).rev()).take_while(same).map(|(a, _)| a.len()).sum();
    (before, after)
}

/// Runs of letters and digits, runs of white space, and everything else one by one; a letter and its marks stay together.
fn words(line: &str) -> Vec<Range<usize>> {
    let class = |grapheme: &str| match grapheme.chars().next() {
        Some(c) if c.is_alphanumeric() || c == '_' => 1,
        Some(c) if c.is_whitespace() => 2,
        _ => 0,
    };
    let mut words: Vec<Range<usize>> = Vec::new();
    let mut before = 0;
    for (at, grapheme) in line.grapheme_indices(true) {
        let now = class(grapheme);
        match words.last_mut() {
            Some(word) if now == before && now != 0 => word.end = at + grapheme.len(),
            _ => words.push(at..at + grapheme.len()),
        }
        before = now;
    }
    words
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn drawn(old: &str, new: &str) -> (String, String) {
        let (a, b) = changed(old, new);
        let mark = |text: &str, ranges: &[Range<usize>]| {
            let mut out = text.to_owned();
            for range in ranges.iter().rev() {
                out.insert(range.end, ']');
                out.insert(range.start, '[');
            }
            out
        };
        (mark(old, &a), mark(new, &b))
    }

    #[test]
    fn the_changed_words_are_marked() {
        for (name, old, new, left, right) in [
            ("a word", "pool size 20", "pool size 50", "pool size [20]", "pool size [50]"),
            ("an added word", "a b", "a x b", "a b", "a [x ]b"),
            ("a part of a path", "/api/v1/pay", "/api/v2/pay", "/api/[v1]/pay", "/api/[v2]/pay"),
            ("nothing in common", "quail", "grebe", "quail", "grebe"),
            (
                "a long word",
                "sha256abcdef0123456789",
                "sha256abcdef9923456789",
                "sha256abcdef[01]23456789",
                "sha256abcdef[99]23456789",
            ),
            ("a script without spaces", "本番環境の料金", "本番環境の金額", "本番環境の[料金]", "本番環境の[金額]"),
            ("a letter with its mark", "cafe\u{301} 1 x", "cafe 1 x", "[cafe\u{301}] 1 x", "[cafe] 1 x"),
        ] {
            let expected = (left.to_owned(), right.to_owned());
            assert_eq!(drawn(old, new), expected, "{name}");
        }
    }

    #[test]
    fn a_very_long_line_is_compared_at_its_ends() {
        let old = "x".repeat(600_000) + "1" + &"y".repeat(600_000);
        let new = "x".repeat(600_000) + "2" + &"y".repeat(600_000);
        assert_eq!(changed(&old, &new), (vec![600_000..600_001], vec![600_000..600_001]));
    }

    proptest! {
        #[test]
        fn marks_are_in_order_and_what_is_unmarked_is_the_same(old in "[ab é日.]{0,30}", new in "[ab é日.]{0,30}") {
            let (a, b) = changed(&old, &new);
            let unmarked = |text: &str, ranges: &[Range<usize>]| {
                let mut at = 0;
                let mut out = String::new();
                for range in ranges {
                    out.push_str(&text[at..range.start]);
                    at = range.end;
                }
                out + &text[at..]
            };
            if !a.is_empty() || !b.is_empty() {
                prop_assert_eq!(unmarked(&old, &a), unmarked(&new, &b));
            }
        }
    }
}
