//! Plans as Markdown, for the comment of a pull request: a heading, and what a terminal would show, in a fence.

use clap::ValueEnum;

use super::{Failed, Output};
use crate::compare::Why;

/// How a command prints that can be shown in a pull request too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Form {
    /// For people.
    Text,
    /// For scripts.
    Json,
    /// For the comment of a pull request.
    Markdown,
}

impl From<Output> for Form {
    fn from(output: Output) -> Self {
        match output {
            Output::Text => Self::Text,
            Output::Json => Self::Json,
        }
    }
}

/// Refuses Markdown of what is not a dry run: whoever confirms has to see the plan first.
pub(super) fn of_dry_runs(form: Form, dry_run: bool) -> Result<(), Failed> {
    if form == Form::Markdown && !dry_run {
        return Err(Why::new("--output markdown is for a --dry-run").into());
    }
    Ok(())
}

/// Bytes of one plan: a comment on GitHub may have 65,536 characters, and holds several.
const LONGEST: usize = 24_000;

/// A section. What is cut says so; nothing in the text ends its fence.
pub(super) fn section(heading: &str, text: &str) -> String {
    let heading: String =
        heading.chars().map(|char| if "`*_<>[]|".contains(char) || char.is_control() { ' ' } else { char }).collect();
    let mut kept = text.trim_end();
    let mut rest = "";
    if kept.len() > LONGEST {
        let end = kept.floor_char_boundary(LONGEST);
        kept = kept.get(..end).and_then(|kept| kept.rsplit_once('\n')).map_or("", |(lines, _)| lines);
        rest = "\n*There is more of it: the log of the run, or the same command at hand, has all.*\n";
    }
    let longest = kept.split(|char| char != '`').map(str::len).max().unwrap_or_default();
    let fence = "`".repeat(longest.max(2) + 1);
    format!("### {heading}\n\n{fence}text\n{kept}\n{fence}\n{rest}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_its_fence_or_makes_a_heading_of_its_own() {
        let told = section("dev: <b>`1`</b>", "a ```` b\n```\n");
        assert_eq!(told, "### dev:  b  1  /b \n\n`````text\na ```` b\n```\n`````\n\n");
        let long = section("dev", &"a line of a plan, grüße\n".repeat(3000));
        assert!(
            long.len() < LONGEST + 200 && long.contains("There is more of it") && long.contains("\n```\n"),
            "{long}"
        );
    }
}
