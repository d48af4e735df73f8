//! What the registry says of a project: `/plumb/pipeline/<project>/<field>`, one plain parameter per field. A stack may have a
//! registry of its own elsewhere.
//!
//! Read the same by the function, which asks whether a branch may be built, and by the worker, which asks again: what a
//! build was started with is trusted by neither.

use std::collections::BTreeMap;
use std::path::{Component, PathBuf};

use serde_json::value::RawValue;

use super::branches::is_pattern;
use crate::json;

/// Where the projects of a stack lie that says nothing else; a project's fields are below its name.
pub const ROOT: &str = "/plumb/pipeline";
/// A command that says nothing else is given half an hour.
const TIMEOUT: u64 = 1800;
/// The longest that a command may take, in seconds.
const LONGEST: u64 = 28_800;
/// Builds an hour of a project that says nothing else.
const RATE: usize = 20;
/// More builds an hour nobody means.
const MOST_AN_HOUR: usize = 1000;
/// More at once neither.
const MOST_AT_ONCE: usize = 100;
/// More branches or arguments no project has.
const MOST_ENTRIES: usize = 100;

/// The fields of a project, unread.
pub type Fields = BTreeMap<String, String>;

/// A project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// Its repository's URL.
    pub repository: String,
    /// Globs of the branches that may be built.
    pub branches: Vec<String>,
    /// What deploys it.
    pub command: Command,
    /// Where the command runs, below the repository's root.
    pub directory: PathBuf,
    /// How long the command may take, in seconds.
    pub timeout: u64,
    /// The secret that opens the repository: its name or ARN.
    pub credentials: Option<String>,
    /// How many of its builds may run at once.
    pub concurrency: usize,
    /// How many of its builds an hour may begin with.
    pub rate: usize,
}

/// What is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// A program and its arguments, as they are.
    Arguments(Vec<String>),
    /// A text for `sh -ec`.
    Shell(String),
}

/// A project that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the registry's `{field}` of the project is {problem}")]
pub struct Unfit {
    field: &'static str,
    problem: &'static str,
}

impl Project {
    /// Reads the fields. One that is not known is nobody's here; `plumb pipeline check` tells it.
    pub fn read(fields: &Fields) -> Result<Self, Unfit> {
        let given = |field: &'static str| fields.get(field).map(|text| text.trim()).filter(|text| !text.is_empty());
        let stated = |field: &'static str| given(field).ok_or(Unfit { field, problem: "not there" });
        let number = |field: &'static str, default: u64, most: u64, problem: &'static str| match given(field) {
            None => Ok(default),
            Some(text) => {
                let plain = text.bytes().all(|byte| byte.is_ascii_digit());
                let number = text.parse().ok().filter(|number| plain && (1..=most).contains(number));
                number.ok_or(Unfit { field, problem })
            }
        };
        let count = |field, default: usize, most: usize, problem| {
            number(field, default as u64, most as u64, problem).map(|number| usize::try_from(number).unwrap_or(default))
        };
        let shell = match given("shell") {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => return Err(Unfit { field: "shell", problem: "neither true nor false" }),
        };
        Ok(Self {
            repository: stated("repository")?.to_owned(),
            branches: branches(stated("branches")?)?,
            command: command(stated("command")?, shell)?,
            directory: directory(given("directory").unwrap_or("."))?,
            timeout: number("timeout", TIMEOUT, LONGEST, "not a number of seconds from 1 to 28800")?,
            credentials: given("credentials").map(str::to_owned),
            concurrency: count("concurrency", 1, MOST_AT_ONCE, "not a number from 1 to 100")?,
            rate: count("rate", RATE, MOST_AN_HOUR, "not a number from 1 to 1000")?,
        })
    }
}

/// Globs as a JSON array, or with commas between them.
fn branches(text: &str) -> Result<Vec<String>, Unfit> {
    let unfit = |problem| Unfit { field: "branches", problem };
    let globs = if text.starts_with('[') {
        texts(text).ok_or_else(|| unfit("not a JSON array of texts"))?
    } else {
        text.split(',').map(|glob| glob.trim().to_owned()).collect()
    };
    let fit = !globs.is_empty() && globs.len() <= MOST_ENTRIES && globs.iter().all(|glob| is_pattern(glob));
    if fit { Ok(globs) } else { Err(unfit("not a list of globs like main,release/*")) }
}

fn command(text: &str, shell: bool) -> Result<Command, Unfit> {
    let unfit = |problem| Unfit { field: "command", problem };
    let without_end = |texts: &[String]| texts.iter().any(|text| text.contains('\0'));
    if shell {
        // As it is, or as the one text that a JSON array or a JSON text holds.
        let quoted = || serde_json::from_str::<&RawValue>(text).ok().and_then(|value| json::string(value).ok());
        let alone = || texts(text).and_then(|mut texts| texts.pop().filter(|_| texts.is_empty()));
        let script = quoted().map(|text| text.to_string()).or_else(alone).unwrap_or_else(|| text.to_owned());
        return if script.trim().is_empty() { Err(unfit("empty")) } else { Ok(Command::Shell(script)) };
    }
    let words = texts(text).ok_or_else(|| unfit("not a JSON array of texts, and `shell` is not true"))?;
    if words.first().is_none_or(String::is_empty) || without_end(&words) {
        return Err(unfit("without a program"));
    }
    Ok(Command::Arguments(words))
}

fn directory(text: &str) -> Result<PathBuf, Unfit> {
    let path = PathBuf::from(text);
    let inside = path.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    let plain = !text.contains(['\0', '\\']) && text.len() <= 500;
    let unfit = Unfit { field: "directory", problem: "not a relative path without .." };
    if inside && plain { Ok(path) } else { Err(unfit) }
}

fn texts(array: &str) -> Option<Vec<String>> {
    let entries = json::array(array, MOST_ENTRIES).ok()?;
    entries.into_iter().map(|entry| json::string(entry).ok().map(|text| text.to_string())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(more: &[(&str, &str)]) -> Result<Project, Unfit> {
        let usual = [
            ("repository", "https://git.example/shop"),
            ("branches", "main,release/*"),
            ("command", r#"["make","-s"]"#),
        ];
        let fields = usual.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Project::read(&fields.collect())
    }

    #[test]
    fn a_project_says_little_and_the_rest_has_defaults() {
        let read = project(&[("unheard-of", "x")]).unwrap();
        assert_eq!(
            read,
            Project {
                repository: "https://git.example/shop".into(),
                branches: vec!["main".into(), "release/*".into()],
                command: Command::Arguments(vec!["make".into(), "-s".into()]),
                directory: ".".into(),
                timeout: 1800,
                credentials: None,
                concurrency: 1,
                rate: 20,
            }
        );
        let more = [
            ("branches", r#"["main", "v?"]"#),
            ("directory", "infra/./prod"),
            ("timeout", "28800"),
            ("credentials", " shop/git "),
            ("concurrency", "3"),
            ("rate", "1000"),
        ];
        let read = project(&more).unwrap();
        assert_eq!(read.branches, ["main", "v?"]);
        assert_eq!((read.credentials.as_deref(), read.concurrency, read.timeout), (Some("shop/git"), 3, 28_800));
    }

    #[test]
    fn with_a_shell_the_command_is_one_text_however_it_is_written() {
        for text in ["make && make deploy", r#""make && make deploy""#, r#"["make && make deploy"]"#] {
            let read = project(&[("shell", "true"), ("command", text)]).unwrap();
            assert_eq!(read.command, Command::Shell("make && make deploy".into()), "{text}");
        }
        let test = project(&[("shell", "true"), ("command", "[ -f Makefile ] && make")]).unwrap();
        assert_eq!(test.command, Command::Shell("[ -f Makefile ] && make".into()));
    }

    #[test]
    fn what_cannot_be_meant_is_told_by_its_field() {
        let cases = [
            ("repository", ""),
            ("branches", ""),
            ("branches", ","),
            ("branches", "[1]"),
            ("branches", "main, -x"),
            ("branches", "a b"),
            ("branches", "../*"),
            ("command", "make"),
            ("command", "[]"),
            ("command", r#"[""]"#),
            ("command", "[1]"),
            ("command", r#"["a\u0000b"]"#),
            ("shell", "yes"),
            ("directory", "/etc"),
            ("directory", "a/../../b"),
            ("directory", ".."),
            ("timeout", "0"),
            ("timeout", "28801"),
            ("timeout", "+5"),
            ("timeout", "1h"),
            ("concurrency", "0"),
            ("concurrency", "-1"),
            ("rate", "0"),
            ("rate", "1e3"),
        ];
        for (field, value) in cases {
            let unfit = project(&[(field, value)]).unwrap_err();
            assert_eq!(unfit.field, field, "{value}");
            assert!(value.len() < 4 || !unfit.to_string().contains(value), "{unfit}");
        }
        assert_eq!(Project::read(&Fields::new()).unwrap_err().field, "repository");
    }
}
