//! Sentences of a page: text from its fourth column on, over as many lines as it takes.

use super::ink::Row;
use crate::compare::Why;
use crate::console::text;
use crate::console::theme::Role;

/// What went wrong, and what to try.
pub(super) fn told(why: &Why, width: u16) -> Vec<Row> {
    let mut rows = wrapped(&format!("? {}", why.reason), Role::Error, width);
    rows.extend(why.hint.iter().flat_map(|hint| wrapped(&format!("  try: {hint}"), Role::Dim, width)));
    rows
}

/// Text over as many lines as it takes.
pub(super) fn wrapped(line: &str, role: Role, width: u16) -> Vec<Row> {
    let room = usize::from(width.saturating_sub(5)).max(1);
    text::wrap(line, room).into_iter().map(|line| said(line, role, width)).collect()
}

/// Text on one line.
pub(super) fn said(text: String, role: Role, width: u16) -> Row {
    Row::default().piece(3, width.saturating_sub(4), text, role)
}
