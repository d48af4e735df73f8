//! Two texts line by line, with what differs within a line marked.

use std::fmt;
use std::ops::Range;

use similar::{Algorithm, DiffOp, capture_diff_slices};

/// One row of two texts side by side. A unified view draws `left` and then `right` of each row that is not equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextRow<'a> {
    /// The old text's line; `None`: the line was added.
    pub left: Option<Line<'a>>,
    /// The new text's line; `None`: the line was removed.
    pub right: Option<Line<'a>>,
    /// Whether both lines are there and the same, their ends included.
    pub equal: bool,
}

/// A line of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line<'a> {
    /// Its number in its text, counted from 1.
    pub number: usize,
    /// Its content without the `\n` at its end; a `\r` before that belongs to it.
    pub segments: Vec<Segment<'a>>,
    /// Whether it ends in `\n`; only a text's last line may not.
    pub newline: bool,
}

/// A part of a line.
#[derive(Clone, PartialEq, Eq)]
pub struct Segment<'a> {
    /// The text, borrowed, so that a secret is not copied.
    pub text: &'a str,
    /// Whether the other side's line does not have it.
    pub emphasised: bool,
}

/// The lines of two texts, aligned. Lines that replace each other stand in one row.
#[must_use]
pub fn text_rows<'a>(a: &'a str, b: &'a str) -> Vec<TextRow<'a>> {
    let old: Vec<&str> = a.split_inclusive('\n').collect();
    let new: Vec<&str> = b.split_inclusive('\n').collect();
    let mut rows = Vec::new();
    for op in capture_diff_slices(Algorithm::Myers, &old, &new) {
        let equal = matches!(op, DiffOp::Equal { .. });
        let (left, right) = (op.old_range(), op.new_range());
        for at in 0..left.len().max(right.len()) {
            let left = numbered(&old, &left, at);
            let right = numbered(&new, &right, at);
            rows.push(row(left, right, equal));
        }
    }
    rows
}

fn numbered<'a>(lines: &[&'a str], range: &Range<usize>, at: usize) -> Option<(usize, &'a str)> {
    let index = range.clone().nth(at)?;
    lines.get(index).map(|line| (index + 1, *line))
}

fn row<'a>(left: Option<(usize, &'a str)>, right: Option<(usize, &'a str)>, equal: bool) -> TextRow<'a> {
    let plain = |line: Option<(usize, &'a str)>, emphasised| {
        line.map(|(number, text)| {
            let (content, newline) = without_newline(text);
            let segments = if content.is_empty() { Vec::new() } else { vec![Segment { text: content, emphasised }] };
            Line { number, segments, newline }
        })
    };
    let (Some((_, a)), Some((_, b)), false) = (left, right, equal) else {
        return TextRow { left: plain(left, !equal), right: plain(right, !equal), equal };
    };
    let (a, b) = within(without_newline(a).0, without_newline(b).0);
    let marked = |line: Option<Line<'a>>, segments| line.map(|line| Line { segments, ..line });
    TextRow { left: marked(plain(left, false), a), right: marked(plain(right, false), b), equal }
}

fn without_newline(line: &str) -> (&str, bool) {
    line.strip_suffix('\n').map_or((line, false), |content| (content, true))
}

/// What differs within two lines, in words; lines that share no word are emphasised whole.
fn within<'a>(a: &'a str, b: &'a str) -> (Vec<Segment<'a>>, Vec<Segment<'a>>) {
    let (old, new) = (words(a), words(b));
    let (mut left, mut right) = (Side::new(a), Side::new(b));
    for op in capture_diff_slices(Algorithm::Myers, &old, &new) {
        let emphasised = !matches!(op, DiffOp::Equal { .. });
        left.take(&old[op.old_range()], emphasised);
        right.take(&new[op.new_range()], emphasised);
    }
    (left.segments, right.segments)
}

struct Side<'a> {
    text: &'a str,
    segments: Vec<Segment<'a>>,
}

impl<'a> Side<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, segments: Vec::new() }
    }

    fn take(&mut self, words: &[&str], emphasised: bool) {
        let length = words.iter().map(|word| word.len()).sum();
        let (taken, rest) = self.text.split_at(length);
        self.text = rest;
        if !taken.is_empty() {
            self.segments.push(Segment { text: taken, emphasised });
        }
    }
}

/// Runs of letters and digits, runs of white space, and everything else one by one.
fn words(line: &str) -> Vec<&str> {
    let class = |c: char| match c {
        c if c.is_alphanumeric() || c == '_' => 1,
        c if c.is_whitespace() => 2,
        _ => 0,
    };
    let mut words = Vec::new();
    let mut start = 0;
    let mut before = None;
    for (at, c) in line.char_indices() {
        let now = class(c);
        if before.is_some_and(|before| before != now || now == 0) {
            words.push(&line[start..at]);
            start = at;
        }
        before = Some(now);
    }
    if start < line.len() {
        words.push(&line[start..]);
    }
    words
}

impl fmt::Debug for Segment<'_> {
    // The text may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.text.chars().count(), if self.emphasised { "!" } else { "" })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn drawn(a: &str, b: &str) -> Vec<String> {
        let draw = |line: &Option<Line<'_>>| match line {
            None => String::new(),
            Some(line) => {
                let mark = |s: &Segment<'_>| if s.emphasised { format!("[{}]", s.text) } else { s.text.to_owned() };
                let text: String = line.segments.iter().map(mark).collect();
                format!("{} {text}{}", line.number, if line.newline { "" } else { "$" })
            }
        };
        let symbol = |row: &TextRow<'_>| if row.equal { "=" } else { "|" };
        text_rows(a, b).iter().map(|row| format!("{} {} {}", draw(&row.left), symbol(row), draw(&row.right))).collect()
    }

    #[test]
    fn lines_stand_side_by_side() {
        for (name, a, b, expected) in [
            ("nothing has no rows", "", "", vec![]),
            ("equal lines", "x\ny", "x\ny", vec!["1 x = 1 x", "2 y$ = 2 y$"]),
            ("a changed word", "a old c\n", "a new c\n", vec!["1 a [old] c | 1 a [new] c"]),
            ("an added line", "x\nz\n", "x\ny\nz\n", vec!["1 x = 1 x", " | 2 [y]", "2 z = 3 z"]),
            ("a removed line", "x\ny\n", "y\n", vec!["1 [x] | ", "2 y = 1 y"]),
            ("a newline at the end", "x", "x\n", vec!["1 x$ | 1 x"]),
            ("a carriage return", "x\r\n", "x\n", vec!["1 x[\r] | 1 x"]),
            ("several lines for one", "a\n", "b\nc\n", vec!["1 [a] | 1 [b]", " | 2 [c]"]),
            ("an empty line", "\n", "x\n", vec!["1  | 1 [x]"]),
            ("letters beyond ASCII", "größe 1\n", "größe 2\n", vec!["1 größe [1] | 1 größe [2]"]),
        ] {
            assert_eq!(drawn(a, b), expected, "{name}");
        }
    }

    #[test]
    fn a_row_prints_no_text() {
        let shown = format!("{:?}", text_rows("hunter2 x", "hunter3 x"));
        assert!(!shown.contains("hunter"), "{shown}");
        assert!(shown.contains("[7!, 2]"), "{shown}");
    }

    #[test]
    fn long_texts_are_compared() {
        let numbered =
            |word: &str, count: usize| (0..count).fold(String::new(), |text, n| text + word + &n.to_string() + "\n");
        let text = numbered("line", 100_000);
        assert!(text_rows(&text, &text.clone()).iter().all(|row| row.equal));
        let other = numbered("other", 10_000);
        assert_eq!(text_rows(&text, &other).len(), 100_000);
        let (wide, wider) = ("a b ".repeat(20_000), "a c ".repeat(20_000));
        assert_eq!(text_rows(&wide, &wider).len(), 1);
    }

    proptest! {
        #[test]
        fn each_side_joined_is_its_text(a in "[ab \r\n.é]{0,30}", b in "[ab \r\n.é]{0,30}") {
            let rows = text_rows(&a, &b);
            let joined = |side: for<'x> fn(&TextRow<'x>) -> Option<Line<'x>>| -> String {
                rows.iter().filter_map(side).map(|line| {
                    let text: String = line.segments.iter().map(|segment| segment.text).collect();
                    if line.newline { text + "\n" } else { text }
                }).collect()
            };
            prop_assert_eq!(joined(|row| row.left.clone()), a.clone());
            prop_assert_eq!(joined(|row| row.right.clone()), b.clone());
            prop_assert_eq!(rows.iter().all(|row| row.equal), a == b);
        }

        #[test]
        fn what_is_not_emphasised_is_the_same_on_both_sides(a in "[ab .]{1,20}", b in "[ab .]{1,20}") {
            for row in text_rows(&a, &b) {
                let kept = |line: Option<Line<'_>>| -> String {
                    let segments = line.into_iter().flat_map(|line| line.segments);
                    segments.filter(|segment| !segment.emphasised).map(|segment| segment.text.to_owned()).collect()
                };
                prop_assert_eq!(kept(row.left), kept(row.right));
            }
        }
    }
}
