//! Which values of a document are encrypted: one rule, tried on every key, or on the comments, from the root to the
//! value.

use super::pattern::Pattern;
use super::raw::Remark;

/// The rule of a document (sops: `unencrypted_suffix` and its five siblings; at most one is set).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selector {
    /// Encrypted unless a key ends in this.
    UnencryptedSuffix(String),
    /// Encrypted only where a key ends in this.
    EncryptedSuffix(String),
    /// Encrypted unless a key matches.
    UnencryptedRegex(Pattern),
    /// Encrypted only where a key matches.
    EncryptedRegex(Pattern),
    /// Encrypted unless a comment before it, or before a key around it, matches. Without comments everything is.
    UnencryptedCommentRegex(Pattern),
    /// Encrypted only behind such a comment. Without comments nothing is.
    EncryptedCommentRegex(Pattern),
}

/// Whether a key or comment on the way down matched.
#[derive(Clone, Copy)]
pub(super) struct Hit(bool);

impl Hit {
    pub(super) fn none() -> Self {
        Self(false)
    }
}

/// The names of the rules in metadata and in creation rules.
pub(super) const FIELDS: [&str; 6] = [
    "unencrypted_suffix",
    "encrypted_suffix",
    "unencrypted_regex",
    "encrypted_regex",
    "unencrypted_comment_regex",
    "encrypted_comment_regex",
];

impl Default for Selector {
    /// What sops takes when nothing is said.
    fn default() -> Self {
        Self::UnencryptedSuffix("_unencrypted".to_owned())
    }
}

impl Selector {
    /// Makes the rule out of metadata or a creation rule; `read` gives the text of a field of [`FIELDS`].
    pub(super) fn read<'a>(read: impl Fn(&str) -> Option<&'a str>) -> Result<Option<Self>, String> {
        let set: Vec<_> = FIELDS
            .iter()
            .filter_map(|field| read(field).filter(|text| !text.is_empty()).map(|text| (*field, text)))
            .collect();
        match set.as_slice() {
            [] => Ok(None),
            [(field, text)] => Self::of(field, text).map(Some),
            [(one, _), (other, _), ..] => Err(format!("it has both {one} and {other}, of which only one may be set")),
        }
    }

    fn of(field: &str, text: &str) -> Result<Self, String> {
        let pattern = || Pattern::new(text).map_err(|why| format!("{field} is no regular expression: {why}"));
        Ok(match field {
            "encrypted_suffix" => Self::EncryptedSuffix(text.to_owned()),
            "unencrypted_regex" => Self::UnencryptedRegex(pattern()?),
            "encrypted_regex" => Self::EncryptedRegex(pattern()?),
            "unencrypted_comment_regex" => Self::UnencryptedCommentRegex(pattern()?),
            "encrypted_comment_regex" => Self::EncryptedCommentRegex(pattern()?),
            _ => Self::UnencryptedSuffix(text.to_owned()),
        })
    }

    /// Its name and text in the metadata.
    pub(super) fn field(&self) -> (&'static str, &str) {
        match self {
            Self::UnencryptedSuffix(suffix) => (FIELDS[0], suffix),
            Self::EncryptedSuffix(suffix) => (FIELDS[1], suffix),
            Self::UnencryptedRegex(pattern) => (FIELDS[2], pattern.as_str()),
            Self::EncryptedRegex(pattern) => (FIELDS[3], pattern.as_str()),
            Self::UnencryptedCommentRegex(pattern) => (FIELDS[4], pattern.as_str()),
            Self::EncryptedCommentRegex(pattern) => (FIELDS[5], pattern.as_str()),
        }
    }

    /// One key deeper, with the comments that stand before it in its map.
    pub(super) fn below(&self, above: Hit, key: &str, before: &[Remark]) -> Hit {
        let key_hits = match self {
            Self::UnencryptedSuffix(suffix) | Self::EncryptedSuffix(suffix) => key.ends_with(suffix.as_str()),
            Self::UnencryptedRegex(pattern) | Self::EncryptedRegex(pattern) => pattern.is_match(key),
            Self::UnencryptedCommentRegex(_) | Self::EncryptedCommentRegex(_) => false,
        };
        Hit(self.item(above, before).0 || key_hits)
    }

    /// An item of a list, with the comments that stand before it there.
    pub(super) fn item(&self, above: Hit, before: &[Remark]) -> Hit {
        Hit(above.0 || self.by_comment().is_some_and(|pattern| any(pattern, before)))
    }

    /// The last of some comments that follow each other in a map or list. A comment can leave itself clear, but never
    /// encrypts itself, only what follows.
    pub(super) fn remark(&self, above: Hit, upto: &[Remark]) -> Hit {
        Hit(above.0
            || match (self, upto) {
                (Self::UnencryptedCommentRegex(pattern), _) => any(pattern, upto),
                (Self::EncryptedCommentRegex(pattern), [earlier @ .., _]) => any(pattern, earlier),
                _ => false,
            })
    }

    /// The expression, where comments decide.
    pub(super) fn by_comment(&self) -> Option<&Pattern> {
        match self {
            Self::UnencryptedCommentRegex(pattern) | Self::EncryptedCommentRegex(pattern) => Some(pattern),
            _ => None,
        }
    }

    pub(super) fn encrypts(&self, hit: Hit) -> bool {
        match self {
            Self::UnencryptedSuffix(_) | Self::UnencryptedRegex(_) | Self::UnencryptedCommentRegex(_) => !hit.0,
            Self::EncryptedSuffix(_) | Self::EncryptedRegex(_) | Self::EncryptedCommentRegex(_) => hit.0,
        }
    }
}

fn any(pattern: &Pattern, remarks: &[Remark]) -> bool {
    remarks.iter().any(|remark| pattern.is_match(remark.text.expose()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encrypts(field: &str, text: &str, path: &[&str]) -> bool {
        let selector = Selector::of(field, text).expect("a valid rule");
        selector.encrypts(path.iter().fold(Hit::none(), |hit, key| selector.below(hit, key, &[])))
    }

    #[test]
    fn each_rule_looks_at_every_key_on_the_way() {
        let rows = [
            ("a suffix on the key itself leaves it clear", "unencrypted_suffix", "_u", &["a_u"] as &[_], false),
            ("a suffix on an ancestor leaves it clear", "unencrypted_suffix", "_u", &["a_u", "b"], false),
            ("no suffix, so encrypted", "unencrypted_suffix", "_u", &["a", "b"], true),
            ("an encrypted suffix on an ancestor encrypts", "encrypted_suffix", "_s", &["a_s", "b"], true),
            ("no encrypted suffix, so clear", "encrypted_suffix", "_s", &["a", "b"], false),
            ("an expression may match anywhere in a key", "unencrypted_regex", "ub", &["public"], false),
            ("an anchored expression", "encrypted_regex", "^(user|pass)$", &["db", "pass"], true),
            ("an anchored expression that does not fit", "encrypted_regex", "^(user|pass)$", &["db", "passes"], false),
            ("without comments all is encrypted", "unencrypted_comment_regex", "x", &["x"], true),
            ("without comments all is clear", "encrypted_comment_regex", "x", &["x"], false),
        ];
        for (name, field, text, path, expected) in rows {
            assert_eq!(encrypts(field, text, path), expected, "{name}");
        }
    }
}
