//! Regular expressions as Go reads them.
//!
//! sops uses Go's `regexp`. There `\d`, `\w`, `\s` and `\b` know ASCII only, and inside brackets `[`, `&&`, `--` and
//! `~~` mean themselves; in Rust's `regex` they do not. A difference would encrypt other values than sops expects, so
//! the expression is translated.

use std::iter::Peekable;
use std::str::Chars;

use regex::Regex;

/// A compiled expression that remembers its text.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    regex: Regex,
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

impl Pattern {
    /// Compiles an expression in Go's syntax. The error says what is wrong with it.
    pub fn new(text: &str) -> Result<Self, String> {
        let regex = Regex::new(&translate(text)).map_err(|error| {
            let message = error.to_string();
            message.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
        })?;
        Ok(Self { text: text.to_owned(), regex })
    }

    /// The expression as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it matches anywhere in a text.
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

fn translate(go: &str) -> String {
    let mut out = String::with_capacity(go.len());
    let mut chars = go.chars().peekable();
    while let Some(next) = chars.next() {
        match next {
            '\\' => escape(&mut chars, &mut out, false),
            '[' => class(&mut chars, &mut out),
            _ => out.push(next),
        }
    }
    out
}

fn class(chars: &mut Peekable<Chars<'_>>, out: &mut String) {
    out.push('[');
    if let Some(negation) = chars.next_if_eq(&'^') {
        out.push(negation);
    }
    let mut first = true;
    while let Some(next) = chars.next() {
        match next {
            ']' if !first => return out.push(']'),
            '\\' => escape(chars, out, true),
            '[' if chars.peek() == Some(&':') => posix(chars, out),
            '[' | ']' | '&' | '~' => out.extend(['\\', next]),
            '-' if chars.peek() == Some(&'-') => out.push_str("\\-"),
            _ => out.push(next),
        }
        first = false;
    }
}

/// `[:alpha:]` inside brackets, which both know.
fn posix(chars: &mut Peekable<Chars<'_>>, out: &mut String) {
    out.push('[');
    for next in chars.by_ref() {
        out.push(next);
        if next == ']' {
            return;
        }
    }
}

fn escape(chars: &mut Peekable<Chars<'_>>, out: &mut String, in_class: bool) {
    let Some(code) = chars.next() else {
        return out.push('\\');
    };
    let set = match code {
        'd' => Some(("0-9", false)),
        'D' => Some(("0-9", true)),
        'w' => Some(("0-9A-Za-z_", false)),
        'W' => Some(("0-9A-Za-z_", true)),
        's' => Some(("\\t\\n\\x0C\\r ", false)),
        'S' => Some(("\\t\\n\\x0C\\r ", true)),
        _ => None,
    };
    match (set, code) {
        (Some((set, false)), _) if in_class => out.push_str(set),
        (Some((set, false)), _) => out.extend(["[", set, "]"]),
        (Some((set, true)), _) => out.extend(["[^", set, "]"]),
        (None, 'b') if !in_class => out.push_str("(?-u:\\b)"),
        (None, 'Q') if !in_class => literal(chars, out),
        (None, _) => out.extend(['\\', code]),
    }
}

/// `\Q…\E`, which Rust's engine does not know.
fn literal(chars: &mut Peekable<Chars<'_>>, out: &mut String) {
    let rest: String = chars.by_ref().collect();
    let (quoted, after) = rest.split_once("\\E").unwrap_or((&rest, ""));
    out.push_str(&regex::escape(quoted));
    out.push_str(&translate(after));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_mean_what_they_mean_in_go() {
        // Each row was checked with Go's regexp.MatchString.
        let rows = [
            (r"^\w+$", "password", true),
            (r"^\w+$", "пароль", false),
            (r"^\d$", "٣", false),
            (r"^[\w-]+$", "a-b", true),
            (r"^[\W]$", "é", true),
            (r"^[^\s]$", "\u{a0}", true),
            (r"^[[]$", "[", true),
            (r"^[a&&b]$", "&", true),
            (r"^[]a]$", "]", true),
            (r"^[[:alpha:]]+$", "abc", true),
            (r"\bkey\b", "the key", true),
            (r"\bkey\b", "ékey", true),
            (r"^\Qa.b\E+$", "a.bb", true),
            (r"^\Qa.b\E$", "axb", false),
            (r"(?i)^SECRET", "secret_x", true),
            (r"^é.$", "éé", true),
            (r"\.json$", "a.json", true),
        ];
        for (pattern, text, expected) in rows {
            assert_eq!(Pattern::new(pattern).expect("valid").is_match(text), expected, "{pattern} on {text}");
        }
        assert!(Pattern::new("(").is_err());
    }
}
