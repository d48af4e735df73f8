//! Two sides of one value as lines that belong together.

use serde_json::Value;

use crate::compare::{Facet, Fingerprinter, Line, masked, structural, text_rows};
use crate::secret::Secret;

/// Equal lines that are shown before and after a difference.
const CONTEXT: usize = 3;

/// A line of git beside one of live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Row {
    /// What the next lines are about: a path within the value, or lines that were left out.
    Heading(String),
    /// Both sides say this.
    Equal(String),
    /// They differ; `None`: the side has nothing here.
    Differs(Option<String>, Option<String>),
}

/// The rows of a value; what is secret stays masked unless it is to be revealed.
pub(super) fn rows(git: &Facet, live: &Facet, print: &Fingerprinter, reveal: bool) -> Vec<Row> {
    let (Some(a), Some(b)) = (text(git), text(live)) else {
        return vec![Row::Differs(Some(side(git, print, reveal)), Some(side(live, print, reveal)))];
    };
    if a == b {
        return vec![Row::Equal(side(git, print, reveal))];
    }
    let open = reveal || !(is_secret(git) || is_secret(live));
    if let (Some(a), Some(b)) = (document(a), document(b)) {
        let changes = structural(&a, &b);
        // Documents that mean the same differ in how they are written, and the text says how.
        if !changes.is_empty() {
            return changes.iter().flat_map(|change| member(change, print, open)).collect();
        }
    }
    if open && (a.contains('\n') || b.contains('\n')) {
        return lines(a, b);
    }
    vec![Row::Differs(Some(side(git, print, open)), Some(side(live, print, open)))]
}

/// One side on one line.
pub(super) fn side(facet: &Facet, print: &Fingerprinter, reveal: bool) -> String {
    match facet {
        Facet::Secret(secret) if reveal => secret.expose().to_owned(),
        Facet::Unread => "there, not read".to_owned(),
        Facet::Unreadable(why) => format!("unreadable: {why}"),
        other => masked(other, print),
    }
}

fn text(facet: &Facet) -> Option<&str> {
    match facet {
        Facet::Plain(text) => Some(text),
        Facet::Secret(secret) => Some(secret.expose()),
        Facet::Absent | Facet::Unrecorded | Facet::Unread | Facet::Masked { .. } | Facet::Unreadable(_) => None,
    }
}

fn is_secret(facet: &Facet) -> bool {
    matches!(facet, Facet::Secret(_))
}

/// A value that has members; single values are compared as they are written.
fn document(text: &str) -> Option<Value> {
    let begins = text.trim_start().starts_with(['{', '[']);
    begins.then(|| serde_json::from_str(text).ok()).flatten()
}

fn member(change: &crate::compare::Change, print: &Fingerprinter, open: bool) -> [Row; 2] {
    let shown = |value: &Option<Value>| {
        value.as_ref().map(|value| {
            let text = match value {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            if open { text } else { masked(&Facet::Secret(Secret::new(text)), print) }
        })
    };
    [Row::Heading(change.path.to_string()), Row::Differs(shown(&change.before), shown(&change.after))]
}

fn lines(a: &str, b: &str) -> Vec<Row> {
    let whole = |line: &Line<'_>| line.segments.iter().map(|segment| segment.text).collect::<String>();
    let found = text_rows(a, b);
    let near = |at: usize| {
        let around = at.saturating_sub(CONTEXT)..(at + CONTEXT + 1).min(found.len());
        found[around].iter().any(|row| !row.equal)
    };
    let mut rows = Vec::new();
    let mut hidden = 0;
    for (at, row) in found.iter().enumerate() {
        if !near(at) {
            hidden += 1;
            continue;
        }
        if hidden > 0 {
            rows.push(Row::Heading(format!("{hidden} equal lines")));
            hidden = 0;
        }
        let (left, right) = (row.left.as_ref().map(whole), row.right.as_ref().map(whole));
        rows.push(match (row.equal, left) {
            (true, Some(line)) => Row::Equal(line),
            (_, left) => Row::Differs(left, right),
        });
    }
    if hidden > 0 {
        rows.push(Row::Heading(format!("{hidden} equal lines")));
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn print() -> Fingerprinter {
        Fingerprinter::new([3; 32])
    }

    fn plain(text: &str) -> Facet {
        Facet::Plain(text.to_owned())
    }

    fn secret(text: &str) -> Facet {
        Facet::Secret(Secret::new(text))
    }

    fn differs(left: &str, right: &str) -> Row {
        Row::Differs(Some(left.to_owned()), Some(right.to_owned()))
    }

    #[test]
    fn members_of_documents_are_told_by_their_paths() {
        let rows = rows(&plain(r#"{"a":1,"b":[1,2]}"#), &plain(r#"{"b":[1,3],"a":1}"#), &print(), false);
        assert_eq!(rows, [Row::Heading("b.1".into()), differs("2", "3")]);
    }

    #[test]
    fn a_masked_document_shows_where_it_differs_and_no_value() {
        let shown =
            format!("{:?}", rows(&secret(r#"{"key":"hunter2"}"#), &secret(r#"{"key":"swordfish"}"#), &print(), false));
        assert!(shown.contains("key") && shown.contains("•••• fp") && shown.contains("len 9"), "{shown}");
        assert!(!shown.contains("hunter2") && !shown.contains("swordfish"));
    }

    #[test]
    fn a_masked_text_of_many_lines_stays_one_mask() {
        let rows = rows(&secret("a\nb\n"), &secret("a\nc\n"), &print(), false);
        assert!(matches!(&rows[..], [Row::Differs(Some(left), _)] if left.contains("len 4")), "{rows:?}");
    }

    #[test]
    fn one_secret_side_masks_both() {
        let shown = format!("{:?}", rows(&plain("visible"), &secret("hidden"), &print(), false));
        assert!(!shown.contains("hidden"), "{shown}");
    }

    #[test]
    fn lines_far_from_a_difference_are_counted() {
        let numbers: Vec<String> = (0..20).map(|line: u8| line.to_string()).collect();
        let old = numbers.join("\n") + "\n";
        let rows = rows(&plain(&old), &plain(&old.replace("10\n", "ten\n")), &print(), false);
        assert_eq!(rows.first(), Some(&Row::Heading("7 equal lines".into())));
        assert!(rows.contains(&differs("10", "ten")));
        assert_eq!(rows.last(), Some(&Row::Heading("6 equal lines".into())));
    }

    #[test]
    fn documents_that_mean_the_same_are_shown_as_they_are_written() {
        assert_eq!(rows(&plain("{}"), &plain("{ }"), &print(), false), [differs("{}", "{ }")]);
    }
}
