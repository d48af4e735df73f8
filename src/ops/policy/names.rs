//! Names as IAM reads them in an ARN: `*` and `?` match anything there, and `$` begins a variable.

use std::collections::BTreeSet;

use crate::config::{self, Bindings, Placeholder};

/// A name that means itself and nothing else.
pub(super) fn exactly(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        if matches!(c, '*' | '?' | '$') {
            out.extend(["${", c.encode_utf8(&mut [0; 4]), "}"]);
        } else {
            out.push(c);
        }
    }
    out
}

/// A name up to its key; what else is not bound becomes `*`.
pub(super) fn start(pattern: &str, bindings: &Bindings) -> String {
    let before = pattern.split("{key}").next().unwrap_or_default();
    open(&config::fill(before, bindings))
}

/// `*` for each placeholder that nothing fills; all else means itself. (What was filled in holds no braces.)
pub(super) fn open(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, from)) = rest.split_once('{') {
        out.push_str(&exactly(before));
        let hole = Placeholder::ALL.iter().find_map(|hole| from.strip_prefix(hole.name())?.strip_prefix('}'));
        out.push(if hole.is_some() { '*' } else { '{' });
        rest = hole.unwrap_or(from);
    }
    out + &exactly(rest)
}

/// Leaves out what a shorter start covers.
pub(super) fn narrowest(starts: &BTreeSet<String>) -> Vec<&String> {
    let covers = |wide: &str, name: &str| wide.strip_suffix('*').is_some_and(|start| name.starts_with(start));
    starts.iter().filter(|name| !starts.iter().any(|wide| wide != *name && covers(wide, name))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_that_nothing_fills_are_wildcards_and_nothing_else_is() {
        assert_eq!(open("a-{account}-{region}"), "a-*-*");
        assert_eq!(open("plain"), "plain");
        assert_eq!(open("*/a?{x}$"), "${*}/a${?}{x}${$}");
        let starts = BTreeSet::from(["p-dev-*".to_owned(), "p-dev-api".to_owned(), "other".to_owned()]);
        assert_eq!(narrowest(&starts), ["other", "p-dev-*"]);
        let literal = BTreeSet::from([exactly("p-*"), "p-dev".to_owned()]);
        assert_eq!(narrowest(&literal).len(), 2, "a star in a name covers nothing");
    }
}
