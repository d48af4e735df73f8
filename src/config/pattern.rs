//! Texts with placeholders: what fills them, and what of a path they stand for.

use std::fmt;

use super::near::nearest;

/// A placeholder of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Placeholder {
    /// The environment's name.
    Env,
    /// A service: the unit in which config is rolled out.
    Service,
    /// The layer of config: the global one's name, or the environment's.
    Layer,
    /// A key of a document.
    Key,
    /// The account's twelve digits.
    Account,
    /// The AWS region.
    Region,
}

impl Placeholder {
    /// All placeholders.
    pub const ALL: [Self; 6] = [Self::Env, Self::Service, Self::Layer, Self::Key, Self::Account, Self::Region];

    /// Its name between the braces.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Env => "env",
            Self::Service => "service",
            Self::Layer => "layer",
            Self::Key => "key",
            Self::Account => "account",
            Self::Region => "region",
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|placeholder| placeholder.name() == name)
    }
}

/// What placeholders stand for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Bindings {
    /// `{env}`.
    pub env: Option<String>,
    /// `{service}`.
    pub service: Option<String>,
    /// `{layer}`.
    pub layer: Option<String>,
    /// `{key}`.
    pub key: Option<String>,
    /// `{account}`.
    pub account: Option<String>,
    /// `{region}`.
    pub region: Option<String>,
}

impl Bindings {
    /// Nothing but the environment.
    #[must_use]
    pub fn env(name: impl Into<String>) -> Self {
        Self { env: Some(name.into()), ..Self::default() }
    }

    /// What a placeholder stands for.
    #[must_use]
    pub fn get(&self, placeholder: Placeholder) -> Option<&str> {
        match placeholder {
            Placeholder::Env => self.env.as_deref(),
            Placeholder::Service => self.service.as_deref(),
            Placeholder::Layer => self.layer.as_deref(),
            Placeholder::Key => self.key.as_deref(),
            Placeholder::Account => self.account.as_deref(),
            Placeholder::Region => self.region.as_deref(),
        }
    }

    /// The same with one placeholder bound anew.
    #[must_use]
    pub fn with(mut self, placeholder: Placeholder, value: impl Into<String>) -> Self {
        let slot = match placeholder {
            Placeholder::Env => &mut self.env,
            Placeholder::Service => &mut self.service,
            Placeholder::Layer => &mut self.layer,
            Placeholder::Key => &mut self.key,
            Placeholder::Account => &mut self.account,
            Placeholder::Region => &mut self.region,
        };
        *slot = Some(value.into());
        self
    }
}

/// Why a text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// A placeholder that does not exist, or not here.
    #[error("unknown placeholder {{{name}}}")]
    Unknown {
        /// What stands between the braces.
        name: String,
        /// The nearest that is valid here.
        nearest: Option<&'static str>,
        /// All that are valid here.
        valid: Vec<&'static str>,
    },
    /// A brace without its partner.
    #[error("a brace without its partner")]
    Brace,
    /// Two placeholders without a text between them.
    #[error("{{{0}}}{{{1}}}: nothing tells where the one ends and the other begins")]
    Adjacent(&'static str, &'static str),
}

/// A placeholder that nothing was bound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{{{}}} is not known here", .0.name())]
pub struct Unbound(pub Placeholder);

/// A text with placeholders: `config/{service}/{env}/config.json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Hole(Placeholder),
}

impl Pattern {
    /// Parses a pattern that may hold any placeholder.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        Self::parse_with(text, &Placeholder::ALL)
    }

    /// Parses a pattern that may hold certain placeholders only.
    pub fn parse_with(text: &str, allowed: &[Placeholder]) -> Result<Self, PatternError> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let (before, from) = rest.split_at(at);
            let inner = from.strip_prefix('{').ok_or(PatternError::Brace)?;
            let (name, after) = inner.split_once('}').ok_or(PatternError::Brace)?;
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            let hole = Placeholder::named(name).filter(|hole| allowed.contains(hole)).ok_or_else(|| {
                let valid: Vec<&str> = allowed.iter().map(|hole| hole.name()).collect();
                PatternError::Unknown { name: name.to_owned(), nearest: nearest(name, valid.iter().copied()), valid }
            })?;
            if let Some(Part::Hole(previous)) = parts.last() {
                return Err(PatternError::Adjacent(previous.name(), hole.name()));
            }
            parts.push(Part::Hole(hole));
            rest = after;
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        Ok(Self { parts })
    }

    /// Whether it holds a placeholder.
    #[must_use]
    pub fn has(&self, placeholder: Placeholder) -> bool {
        self.parts.contains(&Part::Hole(placeholder))
    }

    /// The pattern with its placeholders filled in.
    pub fn fill(&self, bindings: &Bindings) -> Result<String, Unbound> {
        let mut filled = String::new();
        for part in &self.parts {
            filled.push_str(match part {
                Part::Text(text) => text,
                Part::Hole(hole) => bindings.get(*hole).ok_or(Unbound(*hole))?,
            });
        }
        Ok(filled)
    }

    /// What the placeholders stand for in a path, each for a part of it without `/`; the first reading when
    /// there are several. See [`Pattern::readings`].
    #[must_use]
    pub fn matches(&self, path: &str) -> Option<Bindings> {
        self.readings(path, &|_, _| true).into_iter().next()
    }

    /// All ways to read a path as this pattern in which every placeholder's value is accepted. There is more
    /// than one only where placeholders share a part of a path: `{service}-{env}.json`.
    #[must_use]
    pub fn readings(&self, path: &str, accept: &dyn Fn(Placeholder, &str) -> bool) -> Vec<Bindings> {
        let mut readings = Vec::new();
        read(&self.parts, path, &Bindings::default(), accept, &mut readings);
        readings
    }

    /// The directory that all its paths lie in, with a trailing `/`; empty when that is the root.
    #[must_use]
    pub fn directory(&self) -> &str {
        match self.parts.first() {
            Some(Part::Text(text)) => text.rfind('/').map_or("", |slash| &text[..=slash]),
            _ => "",
        }
    }

    /// The text that all its paths end in; empty when it ends in a placeholder.
    #[must_use]
    pub fn ending(&self) -> &str {
        match self.parts.last() {
            Some(Part::Text(text)) => text,
            _ => "",
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.iter().try_for_each(|part| match part {
            Part::Text(text) => f.write_str(text),
            Part::Hole(hole) => write!(f, "{{{}}}", hole.name()),
        })
    }
}

/// Fills in the placeholders that are bound and leaves everything else as it is, other braces included:
/// for values such as `{{resolve:ssm:/name}}`, and for globs.
#[must_use]
pub fn fill(text: &str, bindings: &Bindings) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('{') {
        let (before, from) = rest.split_at(at);
        filled.push_str(before);
        let bound = Placeholder::ALL.into_iter().find_map(|hole| {
            let after = from[1..].strip_prefix(hole.name())?.strip_prefix('}')?;
            Some((bindings.get(hole)?, after))
        });
        let (value, after) = bound.unwrap_or_else(|| from.split_at(1));
        filled.push_str(value);
        rest = after;
    }
    filled.push_str(rest);
    filled
}

fn read(
    parts: &[Part],
    path: &str,
    bound: &Bindings,
    accept: &dyn Fn(Placeholder, &str) -> bool,
    readings: &mut Vec<Bindings>,
) {
    let Some((part, later)) = parts.split_first() else {
        if path.is_empty() {
            readings.push(bound.clone());
        }
        return;
    };
    match part {
        Part::Text(text) => {
            if let Some(rest) = path.strip_prefix(text.as_str()) {
                read(later, rest, bound, accept, readings);
            }
        }
        Part::Hole(hole) => {
            if let Some(value) = bound.get(*hole) {
                if let Some(rest) = path.strip_prefix(value) {
                    read(later, rest, bound, accept, readings);
                }
                return;
            }
            let segment = path.split('/').next().unwrap_or_default();
            // A value with a brace in it would be taken for a placeholder wherever it is filled in.
            let chars = segment.char_indices().take_while(|(_, char)| !matches!(char, '{' | '}'));
            let ends = chars.map(|(at, char)| at + char.len_utf8());
            for end in ends {
                let value = &path[..end];
                if accept(*hole, value) {
                    read(later, &path[end..], &bound.clone().with(*hole, value), accept, readings);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bind(service: &str, env: &str) -> Bindings {
        Bindings::env(env).with(Placeholder::Service, service)
    }

    #[test]
    fn a_path_is_read_as_a_pattern() {
        for (pattern, path, expected) in [
            ("config/{service}/{env}/config.json", "config/billing/dev/config.json", Some(bind("billing", "dev"))),
            ("config/{service}/{env}/config.json", "config/billing/eu/dev/config.json", None),
            ("config/{service}/{env}/config.json", "config//dev/config.json", None),
            ("config/{service}/{env}/config.json", "config/billing/dev/config.json.orig", None),
            ("{env}/{service}/{env}.json", "dev/billing/dev.json", Some(bind("billing", "dev"))),
            ("{env}/{service}/{env}.json", "dev/billing/qa.json", None),
            ("config/{service}/{env}.json", "config/{account}/dev.json", None),
            ("plain.json", "plain.json", Some(Bindings::default())),
        ] {
            assert_eq!(Pattern::parse(pattern).unwrap().matches(path), expected, "{pattern} {path}");
        }
    }

    #[test]
    fn known_names_settle_what_the_path_leaves_open() {
        let pattern = Pattern::parse("{service}-{env}.json").unwrap();
        assert_eq!(pattern.matches("a-b-dev.json"), Some(bind("a", "b-dev")));
        let known = |hole: Placeholder, value: &str| hole != Placeholder::Env || ["dev", "qa"].contains(&value);
        assert_eq!(pattern.readings("a-b-dev.json", &known), [bind("a-b", "dev")]);
    }

    #[test]
    fn a_pattern_that_cannot_be_is_refused() {
        for (text, error) in [
            ("a/{service", "a brace without its partner"),
            ("a}b", "a brace without its partner"),
            ("{evn}/x", "unknown placeholder {evn}"),
            ("{service}{env}", "{service}{env}: nothing tells where the one ends and the other begins"),
        ] {
            assert_eq!(Pattern::parse(text).unwrap_err().to_string(), error, "{text}");
        }
    }

    #[test]
    fn free_text_keeps_the_braces_that_are_not_ours() {
        let bindings = bind("billing", "dev");
        for (text, expected) in [
            ("{env}-{service}", "dev-billing"),
            ("{{resolve:ssm:/{env}/x}}", "{{resolve:ssm:/dev/x}}"),
            ("{account} {name} {", "{account} {name} {"),
            ("/{a,b}/{env}", "/{a,b}/dev"),
        ] {
            assert_eq!(fill(text, &bindings), expected, "{text}");
        }
    }

    fn part() -> impl Strategy<Value = String> {
        "[a-z{}]{0,3}".prop_map(|text| text.replace(['{', '}'], "/"))
    }

    proptest! {
        #[test]
        fn what_was_filled_in_is_read_again(
            texts in proptest::collection::vec(part(), 1..5),
            holes in proptest::collection::vec(0..2_usize, 0..4),
            service in "[a-zäß_.-]{1,6}", env in "[a-z]{1,4}",
        ) {
            let mut text = String::new();
            for (index, literal) in texts.iter().enumerate() {
                text.push_str(literal);
                if let Some(hole) = holes.get(index).filter(|_| index + 1 < texts.len()) {
                    text.push_str(["{env}", "{service}"][*hole]);
                }
            }
            let Ok(pattern) = Pattern::parse(&text) else { return Ok(()) };
            prop_assert_eq!(pattern.to_string(), text);
            let bindings = bind(&service, &env);
            let path = pattern.fill(&bindings).unwrap();
            let mut expected = Bindings::default();
            for hole in [Placeholder::Env, Placeholder::Service] {
                if pattern.has(hole) {
                    expected = expected.with(hole, bindings.get(hole).unwrap());
                }
            }
            let readings = pattern.readings(&path, &|_, _| true);
            prop_assert!(readings.contains(&expected), "{readings:?}");
            for reading in readings {
                prop_assert_eq!(pattern.fill(&reading).unwrap(), path.clone());
            }
            prop_assert!(path.starts_with(pattern.directory()) && path.ends_with(pattern.ending()));
        }

        #[test]
        fn placeholders_in_parts_of_their_own_are_read_in_one_way(service in "[a-zäß_.-]{1,6}", env in "[a-z0-9-]{1,4}") {
            let pattern = Pattern::parse("c/{service}/{env}/x.json").unwrap();
            let bindings = bind(&service, &env);
            prop_assert_eq!(pattern.matches(&pattern.fill(&bindings).unwrap()), Some(bindings));
        }
    }
}
