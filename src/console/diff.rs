//! Git and live, line by line.
//!
//! Works on what may be shown: a masked side is one line with its mask, never its text.

use similar::{DiffOp, TextDiff};

use super::model::Model;
use super::view::facet_text;
use crate::compare::{Facet, Item, Sides};

/// Lines around a change that are shown although they are equal.
const CONTEXT: usize = 3;

/// Git and live beside each other.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Comparison {
    /// The lines, top down.
    pub(super) lines: Vec<DiffLine>,
}

/// One line of a comparison.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum DiffLine {
    /// The property that follows.
    Head(String),
    /// On both sides.
    Equal(String),
    /// Equal lines that are left out.
    Skipped(usize),
    /// Different: git's line, live's line; one of them may be missing.
    Changed(Option<String>, Option<String>),
}

impl Comparison {
    /// The lines at which a run of changes begins.
    pub(super) fn starts(&self) -> Vec<usize> {
        let changed = |at: usize| matches!(self.lines.get(at), Some(DiffLine::Changed(..)));
        (0..self.lines.len()).filter(|&at| changed(at) && (at == 0 || !changed(at - 1))).collect()
    }

    fn add(&mut self, git: &str, live: &str) {
        let (git, live) = if is_document(git) && is_document(live) {
            (pretty(git).unwrap_or_else(|| git.to_owned()), pretty(live).unwrap_or_else(|| live.to_owned()))
        } else {
            (git.to_owned(), live.to_owned())
        };
        let (git, live) = (end_seen(&git, &live), end_seen(&live, &git));
        let diff = TextDiff::from_lines(git.as_str(), live.as_str());
        let old = |at: usize| diff.old_slice(at).map(unterminated);
        let new = |at: usize| diff.new_slice(at).map(unterminated);
        let ops = diff.ops();
        for (at, op) in ops.iter().enumerate() {
            match *op {
                DiffOp::Equal { old_index, len, .. } => {
                    let before = if at == 0 { 0 } else { CONTEXT };
                    let after = if at + 1 == ops.len() { 0 } else { CONTEXT };
                    self.add_equal((old_index..old_index + len).filter_map(old).collect(), before, after);
                }
                DiffOp::Delete { old_index, old_len, .. } => {
                    self.lines.extend((old_index..old_index + old_len).map(|i| DiffLine::Changed(old(i), None)));
                }
                DiffOp::Insert { new_index, new_len, .. } => {
                    self.lines.extend((new_index..new_index + new_len).map(|i| DiffLine::Changed(None, new(i))));
                }
                DiffOp::Replace { old_index, old_len, new_index, new_len } => {
                    self.lines.extend((0..old_len.max(new_len)).map(|i| {
                        let left = (i < old_len).then(|| old(old_index + i)).flatten();
                        let right = (i < new_len).then(|| new(new_index + i)).flatten();
                        DiffLine::Changed(left, right)
                    }));
                }
            }
        }
    }

    fn add_equal(&mut self, mut lines: Vec<String>, before: usize, after: usize) {
        // A line that says that one line is left out would be longer than that line.
        if lines.len() <= before + after + 1 {
            self.lines.extend(lines.into_iter().map(DiffLine::Equal));
            return;
        }
        let tail = lines.split_off(lines.len() - after);
        let skipped = lines.len() - before;
        lines.truncate(before);
        self.lines.extend(lines.into_iter().map(DiffLine::Equal));
        self.lines.push(DiffLine::Skipped(skipped));
        self.lines.extend(tail.into_iter().map(DiffLine::Equal));
    }
}

/// The comparison of the selected item, as far as it may be shown.
pub(super) fn of_selected(model: &Model) -> Comparison {
    model.shown().map_or_else(Comparison::default, |item| of(model, item))
}

fn of(model: &Model, item: &Item) -> Comparison {
    let mut comparison = Comparison::default();
    let text = |facet: &Facet| match facet {
        Facet::Absent => String::new(),
        other => facet_text(model, other),
    };
    let mut add = |sides: &Sides| comparison.add(&text(&sides.git), &text(&sides.live));
    if item.rows.is_empty() {
        add(&item.sides);
        return comparison;
    }
    for row in item.rows.iter().filter(|row| row.verdict.needs_attention()) {
        comparison.lines.push(DiffLine::Head(row.path.clone()));
        comparison.add(&text(&row.sides.git), &text(&row.sides.live));
    }
    comparison
}

/// A line end that only one side has at its end is made visible; it would not be seen otherwise.
fn end_seen(text: &str, other: &str) -> String {
    match text.strip_suffix('\n') {
        Some(rest) if !other.ends_with('\n') => format!("{rest}\u{240a}"),
        _ => text.to_owned(),
    }
}

/// Objects and arrays are easier to compare with one key a line.
fn is_document(text: &str) -> bool {
    text.trim_start().starts_with(['{', '[']) && pretty(text).is_some()
}

fn pretty(text: &str) -> Option<String> {
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    serde_json::to_string_pretty(&value).ok()
}

fn unterminated(line: &str) -> String {
    line.strip_suffix('\n').unwrap_or(line).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(git: &str, live: &str) -> Vec<DiffLine> {
        let mut comparison = Comparison::default();
        comparison.add(git, live);
        comparison.lines
    }

    fn changed(git: &str, live: &str) -> DiffLine {
        DiffLine::Changed(Some(git.to_owned()), Some(live.to_owned()))
    }

    #[test]
    fn a_changed_key_of_a_document_is_one_changed_line() {
        let lines = compare(r#"{"a":1,"b":2}"#, "{\"a\": 1, \"b\": 3}");
        let expected = vec![
            DiffLine::Equal("{".into()),
            DiffLine::Equal("  \"a\": 1,".into()),
            changed("  \"b\": 2", "  \"b\": 3"),
            DiffLine::Equal("}".into()),
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn equal_lines_far_from_a_change_are_left_out() {
        use std::fmt::Write as _;
        let git = (0..20).fold(String::new(), |mut text, n| {
            let _ = writeln!(text, "{n}");
            text
        });
        let lines = compare(&git, &git.replace("19\n", "x\n"));
        assert_eq!(lines[0], DiffLine::Skipped(16));
        assert_eq!(lines.last(), Some(&changed("19", "x")));
        assert_eq!(lines.len(), 5);
    }

    #[test]
    fn a_line_end_that_only_one_side_has_is_seen() {
        assert_eq!(compare("a", "a\n"), [changed("a", "a\u{240a}")]);
    }

    #[test]
    fn what_is_absent_has_no_line() {
        assert_eq!(compare("", "a"), [DiffLine::Changed(None, Some(String::from("a")))]);
    }
}
