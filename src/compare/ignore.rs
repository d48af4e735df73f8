//! Differences that the project says do not count.

use globset::{GlobBuilder, GlobMatcher};

use super::{Kind, Rule};

/// One ignore rule as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct IgnorePattern {
    /// The kind of item; `None`: any.
    pub kind: Option<Kind>,
    /// Glob over the item's whole name: `*` stays between two slashes, `**` crosses them.
    pub name: String,
    /// Path of a property, steps joined by `.`, where `*` is any one step and `**` any number of them; what lies below
    /// it belongs to it. `None`: the whole item.
    pub path: Option<String>,
    /// Why; shown beside the item in place of the pattern.
    pub reason: Option<String>,
}

/// Ignore rules, ready to be asked.
#[derive(Debug, Clone, Default)]
pub struct IgnoreRules {
    rules: Vec<Compiled>,
}

/// Why a rule cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("ignore rule {number} has a bad {field} {text:?}: {reason}")]
pub struct IgnoreError {
    /// The rule's place in the list, counted from 1.
    pub number: usize,
    /// `name` or `path`.
    pub field: &'static str,
    /// What is written there.
    pub text: String,
    /// Why it cannot be used.
    pub reason: String,
}

#[derive(Debug, Clone)]
struct Compiled {
    kind: Option<Kind>,
    name: GlobMatcher,
    path: Option<Vec<String>>,
    rule: Rule,
}

impl IgnoreRules {
    /// Checks and compiles rules. Fails with the first that is no glob or has an empty step in its path.
    pub fn compile(patterns: &[IgnorePattern]) -> Result<Self, IgnoreError> {
        let compiled = patterns.iter().enumerate().map(|(at, pattern)| Compiled::new(at + 1, pattern));
        Ok(Self { rules: compiled.collect::<Result<_, _>>()? })
    }

    /// The first rule that covers an item, or a property of it when `path` is given. A rule without a path covers the
    /// item and all of its properties; a rule with one never covers the whole item.
    #[must_use]
    pub fn rule_for(&self, kind: Kind, name: &str, path: Option<&str>) -> Option<Rule> {
        self.rules.iter().find(|rule| rule.covers(kind, name, path)).map(|rule| rule.rule.clone())
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}

impl Compiled {
    fn new(number: usize, pattern: &IgnorePattern) -> Result<Self, IgnoreError> {
        let bad = |field, text: &str, reason: String| IgnoreError { number, field, text: text.into(), reason };
        if pattern.name.is_empty() {
            return Err(bad("name", "", "it is empty; `**` means every name".into()));
        }
        let name = GlobBuilder::new(&pattern.name)
            .literal_separator(true)
            .build()
            .map_err(|error| bad("name", &pattern.name, error.kind().to_string()))?
            .compile_matcher();
        let steps = |path: &String| path.split('.').map(str::to_owned).collect::<Vec<_>>();
        let path = pattern.path.as_ref().map(steps);
        if path.as_ref().is_some_and(|steps| steps.iter().any(String::is_empty)) {
            return Err(bad("path", pattern.path.as_deref().unwrap_or_default(), "it has an empty step".into()));
        }
        let text = pattern.reason.clone().unwrap_or_else(|| {
            let kind = pattern.kind.map(Kind::code);
            kind.into_iter().chain([pattern.name.as_str()]).chain(pattern.path.as_deref()).collect::<Vec<_>>().join(" ")
        });
        Ok(Self { kind: pattern.kind, name, path, rule: Rule::Project(text) })
    }

    fn covers(&self, kind: Kind, name: &str, path: Option<&str>) -> bool {
        self.kind.is_none_or(|wanted| wanted == kind)
            && self.name.is_match(name)
            && match (&self.path, path) {
                (None, _) => true,
                (Some(_), None) => false,
                (Some(pattern), Some(path)) => leads_to(pattern, &path.split('.').collect::<Vec<_>>()),
            }
    }
}

/// Whether a pattern matches the steps or a beginning of them.
fn leads_to(pattern: &[String], steps: &[&str]) -> bool {
    match (pattern.split_first(), steps.split_first()) {
        (None, _) => true,
        (Some((any, rest)), step) if any == "**" => {
            leads_to(rest, steps) || step.is_some_and(|(_, steps)| leads_to(pattern, steps))
        }
        (Some(_), None) => false,
        (Some((wanted, rest)), Some((step, steps))) => (wanted == "*" || wanted == step) && leads_to(rest, steps),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(kind: Option<Kind>, name: &str, path: Option<&str>) -> IgnorePattern {
        IgnorePattern { kind, name: name.into(), path: path.map(str::to_owned), reason: None }
    }

    #[test]
    fn names_match_as_globs_that_know_slashes() {
        for (glob, name, expected) in [
            ("/billing/*/build", "/billing/dev/build", true),
            ("/billing/*/build", "/billing/dev/x/build", false),
            ("/billing/*/build", "/billing//build", true),
            ("/billing/**/build", "/billing/dev/x/build", true),
            ("/billing/**/build", "/billing/build", true),
            ("/billing/**", "/billing/dev/x", true),
            ("/billing/**", "/billing-2/dev", false),
            ("/billing/*", "/billing/dev/x", false),
            ("**", "/anything/at/all", true),
            ("*", "plain", true),
            ("petshop-{dev,qa}/*", "petshop-qa/Queue", true),
            ("petshop-{dev,qa}/*", "petshop-prod/Queue", false),
            ("/a/v[0-9]", "/a/v7", true),
            ("/A/b", "/a/b", false),
            ("/a/b", "/a/b/c", false),
        ] {
            let rules = IgnoreRules::compile(&[pattern(None, glob, None)]).unwrap();
            assert_eq!(rules.rule_for(Kind::Parameter, name, None).is_some(), expected, "{glob} {name}");
        }
    }

    #[test]
    fn paths_match_by_steps_and_cover_what_is_below() {
        for (wanted, path, expected) in [
            ("Tags", "Tags", true),
            ("Tags", "Tags.0.Value", true),
            ("Tags", "TagsX", false),
            ("Tags.0.Value", "Tags", false),
            ("Environment.Variables.*", "Environment.Variables.BUILD", true),
            ("Environment.Variables.*", "Environment.Variables", false),
            ("Environment.*.BUILD", "Environment.Variables.BUILD", true),
            ("Environment.*.BUILD", "Environment.A.B.BUILD", false),
            ("**.Arn", "A.B.Arn", true),
            ("**.Arn", "Arn", true),
            ("**.Arn", "A.B.Arn.C", true),
            ("**.Arn", "A.Arns", false),
            ("A.**.D", "A.D", true),
            ("A.**.D", "A.B.C.D", true),
            ("A.**.D", "B.D", false),
            ("**", "A", true),
        ] {
            let rules = IgnoreRules::compile(&[pattern(None, "**", Some(wanted))]).unwrap();
            assert_eq!(rules.rule_for(Kind::Stack, "s/R", Some(path)).is_some(), expected, "{wanted} {path}");
            assert_eq!(rules.rule_for(Kind::Stack, "s/R", None), None, "{wanted} is not the whole item");
        }
    }

    #[test]
    fn the_first_rule_that_fits_is_told_by_its_reason_or_its_text() {
        let reasoned = IgnorePattern { reason: Some("set by the build".into()), ..pattern(None, "/b/*/build", None) };
        let patterns = [
            pattern(Some(Kind::Secret), "/b/**", None),
            pattern(Some(Kind::Stack), "*/Fn", Some("Tags")),
            reasoned,
            pattern(None, "/b/**", None),
        ];
        let rules = IgnoreRules::compile(&patterns).unwrap();
        let rule = |kind, name, path| rules.rule_for(kind, name, path).map(|rule| rule.to_string());
        assert_eq!(rule(Kind::Parameter, "/b/dev/build", None).as_deref(), Some("set by the build"));
        assert_eq!(rule(Kind::Secret, "/b/dev/build", None).as_deref(), Some("secret /b/**"));
        assert_eq!(rule(Kind::Stack, "petshop/Fn", Some("Tags.0")).as_deref(), Some("stack */Fn Tags"));
        assert_eq!(rule(Kind::Stack, "petshop/Fn", Some("Timeout")), None);
        assert_eq!(rule(Kind::Parameter, "/b/x", Some("any")).as_deref(), Some("/b/**"));
        assert_eq!(rule(Kind::Parameter, "/c", None), None);
        assert!(!rules.is_empty() && IgnoreRules::default().is_empty());
    }

    #[test]
    fn a_bad_rule_is_named() {
        for (bad, message) in [
            (
                pattern(None, "/a/[", None),
                "ignore rule 2 has a bad name \"/a/[\": unclosed character class; missing ']'",
            ),
            (pattern(None, "", None), "ignore rule 2 has a bad name \"\": it is empty; `**` means every name"),
            (pattern(None, "x", Some("A..B")), "ignore rule 2 has a bad path \"A..B\": it has an empty step"),
            (pattern(None, "x", Some("")), "ignore rule 2 has a bad path \"\": it has an empty step"),
        ] {
            let error = IgnoreRules::compile(&[pattern(None, "x", None), bad]).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
    }
}
