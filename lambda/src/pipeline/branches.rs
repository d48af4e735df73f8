//! Which branches a project's globs allow.
//!
//! `*` is any text within one step of a name, `?` one character of it, and `**` as a whole step any number of steps; all
//! else is itself. That is what globset makes of the same patterns, a test says; its regular expressions would be a third
//! of the function's executable.

use super::names::is_branch;

/// Whether a text is a pattern that some branch could match.
#[must_use]
pub fn is_pattern(text: &str) -> bool {
    // A star may stand for text, and a question mark for a letter; what is left has to be a branch's name.
    is_branch(&text.replace(['*', '?'], "x"))
}

/// Whether one of the patterns allows the branch. A text that is no branch's name is never allowed.
#[must_use]
pub fn allow<P: AsRef<str>>(patterns: &[P], branch: &str) -> bool {
    let name: Vec<&str> = branch.split('/').collect();
    let fits = |pattern: &str| {
        let steps: Vec<&str> = pattern.split('/').collect();
        is_pattern(pattern) && steps_fit(&steps, &name)
    };
    is_branch(branch) && patterns.iter().any(|pattern| fits(pattern.as_ref()))
}

fn steps_fit(pattern: &[&str], name: &[&str]) -> bool {
    match pattern {
        [] => name.is_empty(),
        ["**"] => !name.is_empty(),
        ["**", rest @ ..] => (0..=name.len()).any(|skipped| steps_fit(rest, name.get(skipped..).unwrap_or_default())),
        [first, rest @ ..] => {
            name.split_first().is_some_and(|(step, others)| step_fits(first, step) && steps_fit(rest, others))
        }
    }
}

/// One step. After a star that took too little, the last star alone takes one more: what stood before it is settled.
fn step_fits(pattern: &str, step: &str) -> bool {
    let (pattern, step) = (pattern.as_bytes(), step.as_bytes());
    let (mut at, mut read, mut star) = (0, 0, None);
    while let Some(letter) = step.get(read) {
        match pattern.get(at) {
            Some(b'*') => {
                star = Some((at, read));
                at += 1;
            }
            Some(expected) if *expected == b'?' || expected == letter => {
                at += 1;
                read += 1;
            }
            _ => {
                let Some((star_at, taken)) = star else { return false };
                star = Some((star_at, taken + 1));
                at = star_at + 1;
                read = taken + 1;
            }
        }
    }
    pattern.get(at..).is_some_and(|rest| rest.iter().all(|byte| *byte == b'*'))
}

#[cfg(test)]
mod tests {
    use globset::GlobBuilder;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_glob_allows_what_it_says() {
        let cases = [
            ("main", "main", true),
            ("main", "mainly", false),
            ("main", "Main", false),
            ("main", "x/main", false),
            ("release/*", "release/1.2", true),
            ("release/*", "release/1/2", false),
            ("release/*", "release", false),
            ("release/**", "release/1/2", true),
            ("release/**", "release", false),
            ("**/hotfix", "hotfix", true),
            ("**/hotfix", "a/b/hotfix", true),
            ("a/**/b", "a/b", true),
            ("a/**/b", "a/x/y/b", true),
            ("v?.*", "v1.20", true),
            ("v?.*", "v10.2", false),
            ("*", "main", true),
            ("*", "a/b", false),
            ("**", "a/b/c", true),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b*", "xxbxxaxx", false),
            ("", "main", false),
            ("[m]ain", "main", false),
            ("{main}", "main", false),
        ];
        for (pattern, branch, expected) in cases {
            assert_eq!(allow(&[pattern], branch), expected, "{pattern} and {branch}");
        }
        assert!(allow(&["main", "release/*"], "release/1") && !allow::<&str>(&[], "main"));
        assert!(!allow(&["*", "**"], "--upload-pack") && !allow(&["**"], "a/../b"), "whatever the globs say");
    }

    #[test]
    fn a_pattern_that_asks_for_much_is_answered_at_once() {
        let pattern = "*a".repeat(60);
        assert!(!allow(&[pattern], &format!("{}b", "a".repeat(190))));
    }

    proptest! {
        #[test]
        fn it_is_what_globset_says(
            pattern in "([ab*?]{1,4}|\\*\\*)(/([ab*?]{1,4}|\\*\\*)){0,3}",
            branch in "[ab]{1,3}(/[ab]{1,3}){0,3}",
        ) {
            // Two stars beside something else are one to us and, with a separator that counts, to globset.
            let other = GlobBuilder::new(&pattern).literal_separator(true).build().unwrap().compile_matcher();
            prop_assert_eq!(allow(&[&pattern], &branch), other.is_match(&branch), "{} and {}", pattern, branch);
        }
    }
}
