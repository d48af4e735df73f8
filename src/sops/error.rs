//! What can go wrong with an encrypted document. No message holds a plaintext.

use std::fmt;

use super::format::Format;

/// Why a document, a key or a rule file could not be used. `name` is the document's name as the caller gave it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text is not what its format demands. Line and column (in characters) count from 1.
    #[error("cannot read {name}:{line}:{column}: {why}")]
    Syntax {
        /// The document.
        name: String,
        /// Line, from 1.
        line: usize,
        /// Column in characters, from 1.
        column: usize,
        /// What was found or missing.
        why: String,
    },
    /// The `sops` metadata lacks something or contradicts itself.
    #[error("cannot use the sops metadata of {name}: {why}")]
    Metadata {
        /// The document.
        name: String,
        /// What is wrong.
        why: String,
    },
    /// The document has no `sops` metadata, so it is not encrypted.
    #[error("{name} is not encrypted: as {format} it has no {}", if *.format == Format::Dotenv { "keys `sops_…`" } else { "top-level key `sops`" })]
    NotEncrypted {
        /// The document.
        name: String,
        /// What it was taken for.
        format: Format,
    },
    /// A plain document is asked for, and it is encrypted.
    #[error("{name} is encrypted already: it has metadata of sops")]
    Encrypted {
        /// The document.
        name: String,
    },
    /// A file of a format that is known by its name only.
    #[error("cannot read {name}: Plumb does not know sops's {format} files")]
    Format {
        /// The document.
        name: String,
        /// What it is.
        format: Format,
    },
    /// A YAML file has several documents where one tree is asked for.
    #[error("{name} has {count} documents: a single value cannot be named in it")]
    Several {
        /// The file.
        name: String,
        /// How many.
        count: usize,
    },
    /// What was written does not open to what was asked for; nothing of it was given out.
    #[error("cannot write {name}: {why}")]
    Unfaithful {
        /// The document.
        name: String,
        /// What differs, without values.
        why: String,
    },
    /// No key at hand opens the data key.
    #[error("cannot decrypt {name}: no key at hand opens it; it accepts {}{}", Listed(.accepts), Reasons(.tried))]
    NoKey {
        /// The document.
        name: String,
        /// Every key that the file would accept, such as `age age1…`; with several groups, prefixed by the group.
        accepts: Vec<String>,
        /// What was tried and why it failed.
        tried: Vec<String>,
    },
    /// The message authentication code does not fit: something was added, removed, reordered or altered.
    #[error(
        "the MAC of {name} is wrong: values were added, removed, reordered or altered without its key \
         (a merge by hand does this, too)"
    )]
    Mac {
        /// The document.
        name: String,
    },
    /// One value does not open: it was altered or moved, or is not encrypted although the file's rules say so.
    #[error("cannot decrypt {path} in {name}: {why}")]
    Value {
        /// The document.
        name: String,
        /// Keys from the root joined by `.`.
        path: String,
        /// Why, without the value.
        why: String,
    },
    /// A plaintext value cannot be written in this format.
    #[error("cannot encrypt {path}: {why}")]
    Plain {
        /// Keys from the root joined by `.`.
        path: String,
        /// Why, without the value.
        why: String,
    },
    /// A recipient cannot be encrypted to.
    #[error("cannot encrypt to {recipient}: {why}")]
    Recipient {
        /// The recipient as it was given.
        recipient: String,
        /// Why.
        why: String,
    },
    /// A text with age identities has a line that is none.
    #[error("cannot read the age keys: line {line} is not an age identity (AGE-SECRET-KEY-1…)")]
    Identity {
        /// Line, from 1. Its text is not shown, because it may be a mistyped key.
        line: usize,
    },
    /// A file of creation rules (`.sops.yaml`) is not usable.
    #[error("cannot use {name}: {why}")]
    Rules {
        /// The rule file.
        name: String,
        /// Why.
        why: String,
    },
    /// No creation rule matches a path.
    #[error("no creation rule in {name} matches {path}")]
    NoRule {
        /// The rule file.
        name: String,
        /// The path, relative to the rule file.
        path: String,
    },
    /// The operating system gave no random bytes, or a primitive refused its input.
    #[error("cannot encrypt: {0}")]
    Crypto(String),
}

impl Error {
    /// What is wrong, for where the document's name stands already.
    #[must_use]
    pub fn in_place(&self) -> String {
        match self {
            Self::Syntax { line, column, why, .. } => format!("line {line}, column {column}: {why}"),
            Self::Metadata { why, .. } => format!("its sops metadata cannot be used: {why}"),
            Self::NotEncrypted { .. } => "it is not encrypted: it has no top-level key `sops`".to_owned(),
            Self::NoKey { accepts, tried, .. } => {
                format!("no key at hand opens it; it accepts {}{}", Listed(accepts), Reasons(tried))
            }
            Self::Mac { .. } => "its MAC is wrong: values were added, removed, reordered or altered without its key \
                                 (a merge by hand does this, too)"
                .to_owned(),
            Self::Value { path, why, .. } => format!("cannot decrypt {path}: {why}"),
            other => other.to_string(),
        }
    }
}

struct Listed<'a>(&'a [String]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { f.write_str("no key at all") } else { f.write_str(&self.0.join(", ")) }
    }
}

struct Reasons<'a>(&'a [String]);

impl fmt::Display for Reasons<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, " ({})", self.0.join("; ")) }
    }
}

/// What is wrong with one value; the path is collected on the way up, innermost first.
pub(super) struct Misfit {
    path: Vec<String>,
    why: String,
}

impl Misfit {
    pub(super) fn new(why: impl Into<String>) -> Self {
        Self { path: Vec::new(), why: why.into() }
    }

    pub(super) fn under(mut self, step: impl fmt::Display) -> Self {
        self.path.push(step.to_string());
        self
    }

    /// Of a value that cannot be decrypted.
    pub(super) fn in_value(self, name: &str) -> Error {
        let (path, why) = self.into_parts();
        Error::Value { name: name.to_owned(), path, why }
    }

    /// Of a value that cannot be encrypted.
    pub(super) fn in_plain(self) -> Error {
        let (path, why) = self.into_parts();
        Error::Plain { path, why }
    }

    /// Keys from the root joined by `.`, and why.
    fn into_parts(mut self) -> (String, String) {
        self.path.reverse();
        let path = if self.path.is_empty() { "the document".to_owned() } else { self.path.join(".") };
        (path, self.why)
    }
}
