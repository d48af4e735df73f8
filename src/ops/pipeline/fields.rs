//! The fields of a registered project, one parameter each, and what is a right value of each.
//!
//! Pure. The worker and the function read the same fields by the same rules: `lambda/tests/reference/projects.json` has values
//! that both sides' tests hold to them.

use std::collections::BTreeMap;
use std::path::{Component, Path};

use globset::GlobBuilder;

use super::message::branch;

/// The fields, in the order in which they are shown.
pub const FIELDS: [&str; 9] =
    ["repository", "branches", "command", "shell", "directory", "timeout", "credentials", "concurrency", "rate"];

/// More globs or arguments no project has.
const MOST_ENTRIES: usize = 100;

/// Those without which nothing is built.
const NEEDED: [&str; 3] = ["repository", "branches", "command"];

/// What something checked turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The field that it is about; `None`: all of the project.
    pub field: Option<String>,
    /// How it stands.
    pub standing: Standing,
    /// In words.
    pub text: String,
}

/// How something checked stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// As it should be.
    Right,
    /// Nobody can tell.
    Unknown,
    /// Not as it should be.
    Wrong,
}

impl Standing {
    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Unknown => "unknown",
            Self::Wrong => "wrong",
        }
    }
}

impl Finding {
    pub(super) fn new(field: &str, standing: Standing, text: impl Into<String>) -> Self {
        Self { field: Some(field.to_owned()), standing, text: text.into() }
    }
}

/// What is wrong with a project's fields; `local`: where builds run on this machine.
#[must_use]
pub fn check(fields: &BTreeMap<String, String>, local: bool) -> Vec<Finding> {
    let wrong = |field: &str, text: String| Finding::new(field, Standing::Wrong, text);
    let mut found: Vec<Finding> = Vec::new();
    for needed in NEEDED.iter().filter(|needed| !fields.contains_key(**needed)) {
        found.push(wrong(needed, "is missing".to_owned()));
    }
    let in_shell = fields.get("shell").is_some_and(|shell| shell.trim() == "true");
    for (field, value) in fields {
        if let Err(text) = value_of(field, value, in_shell, local) {
            found.push(wrong(field, text));
        }
    }
    found
}

/// Whether a field may have this value; else what is wrong with it.
fn value_of(field: &str, value: &str, in_shell: bool, local: bool) -> Result<(), String> {
    let value = value.trim();
    match field {
        "repository" => repository(value, local),
        "branches" => branches(value).map(drop),
        "command" if in_shell => script(value),
        "command" => command(value).map(drop),
        "shell" if matches!(value, "true" | "false") => Ok(()),
        "shell" => Err(format!("{value:?} is neither true nor false")),
        "directory" => directory(value),
        "timeout" => number(value, 1, 28_800),
        "concurrency" => number(value, 1, 100),
        "rate" => number(value, 1, 1000),
        "credentials" => credentials(value),
        _ => Err(format!("is no field of a project; there are {}", FIELDS.join(", "))),
    }
}

/// The globs of a project's branches: a JSON array, or a list with commas.
pub fn branches(value: &str) -> Result<Vec<String>, String> {
    let globs: Vec<String> = if value.trim_start().starts_with('[') {
        serde_json::from_str(value).map_err(|_| "is no JSON array of texts".to_owned())?
    } else {
        value.split(',').map(|glob| glob.trim().to_owned()).collect()
    };
    for glob in &globs {
        // A star may stand for text, and a question mark for a letter; what is left has to be a branch's name.
        if branch(&glob.replace(['*', '?'], "x")).is_err() {
            return Err(format!("{glob:?} is no glob of branches: a branch's name, and * ? for some of it"));
        }
    }
    match globs.len() {
        0 => Err("names no branch".to_owned()),
        1..=MOST_ENTRIES => Ok(globs),
        _ => Err(format!("has more than {MOST_ENTRIES} globs")),
    }
}

/// Whether a branch matches one of the globs. A `*` stops at a `/`, `**` does not.
#[must_use]
pub fn allows(globs: &[String], branch: &str) -> bool {
    globs.iter().any(|glob| {
        let glob = GlobBuilder::new(glob).literal_separator(true).build();
        glob.is_ok_and(|glob| glob.compile_matcher().is_match(branch))
    })
}

/// The arguments of a command that no shell reads.
pub fn command(value: &str) -> Result<Vec<String>, String> {
    let words: Vec<String> = serde_json::from_str(value)
        .map_err(|_| "is no JSON array of texts; with shell = true it is one text".to_owned())?;
    match words.first() {
        _ if words.len() > MOST_ENTRIES => Err(format!("has more than {MOST_ENTRIES} arguments")),
        Some(program) if !program.is_empty() && words.iter().all(|word| !word.contains('\0')) => Ok(words),
        _ => Err("names no program".to_owned()),
    }
}

/// What a shell reads: as it is, or as the one text that a JSON array or a JSON text holds.
fn script(value: &str) -> Result<(), String> {
    let alone = || serde_json::from_str::<[String; 1]>(value).ok().map(|[text]| text);
    let text = serde_json::from_str::<String>(value).ok().or_else(alone).unwrap_or_else(|| value.to_owned());
    if text.trim().is_empty() || text.contains('\0') { Err("is empty".to_owned()) } else { Ok(()) }
}

fn repository(url: &str, local: bool) -> Result<(), String> {
    let plain = (1..=1000).contains(&url.len()) && url.bytes().all(|byte| byte.is_ascii_graphic());
    if !plain || url.starts_with('-') || url.contains(['?', '#', '\\', '%', '\'', '"']) {
        return Err("is no URL of a repository, which has none of ? # % \\ ' \" and no spaces".to_owned());
    }
    let none = || Err("names no repository on its server".to_owned());
    let (scheme, rest) = url.split_once("://").map_or((None, url), |(scheme, rest)| (Some(scheme), rest));
    let (authority, path) = rest.split_once(if scheme.is_some() { '/' } else { ':' }).unwrap_or((rest, ""));
    let (user, host) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
    if user.is_some_and(|user| user.contains(':')) {
        return Err("holds a password, and everybody who may look reads it: name a secret in credentials".to_owned());
    }
    let here = || if local { Ok(()) } else { Err("is of this machine, and builds run on another".to_owned()) };
    let (name, port) = host.split_once(':').unwrap_or((host, "22"));
    let is_host = is_name(name) && port.parse::<u16>().is_ok();
    match (scheme, user) {
        (Some("https"), Some(_)) => {
            Err("holds a user's name, which may be a token: name a secret in credentials".to_owned())
        }
        (Some("https"), None) if is_host && !path.is_empty() && !path.contains('@') => Ok(()),
        (Some("ssh"), _) if is_host && user.is_none_or(is_name) && rest.contains('/') => Ok(()),
        (Some("https" | "ssh"), _) => none(),
        (Some("http"), None) if name == "127.0.0.1" => {
            if is_host && !path.is_empty() && !path.contains('@') {
                here()
            } else {
                none()
            }
        }
        (Some("file"), _) => {
            if rest.starts_with('/') {
                here()
            } else {
                none()
            }
        }
        // git's short form of SSH.
        (None, Some(user)) if is_name(user) && is_name(host) => {
            if path.is_empty() || path.starts_with(['-', '/', ':']) { none() } else { Ok(()) }
        }
        _ => Err("is reached by none of https://, ssh:// and git@host:path".to_owned()),
    }
}

/// The name of a host, or of a user on one.
fn is_name(text: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    !text.is_empty() && !text.starts_with('-') && text.bytes().all(inside)
}

fn directory(path: &str) -> Result<(), String> {
    let inside = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    let is_plain = !path.contains('\\') && !path.chars().any(char::is_control) && (1..=500).contains(&path.len());
    if is_plain && Path::new(path).components().all(inside) {
        return Ok(());
    }
    Err(format!("{path:?} is no path from the repository's root, without .."))
}

fn credentials(name: &str) -> Result<(), String> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"/_+=.@:-".contains(&byte);
    if (1..=512).contains(&name.len()) && name.bytes().all(fits) {
        return Ok(());
    }
    Err(format!("{name:?} is neither a secret's name nor its ARN"))
}

fn number(value: &str, least: u32, most: u32) -> Result<(), String> {
    let number = value.parse().ok().filter(|number| (least..=most).contains(number));
    let plain = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    number.filter(|_| plain).map(drop).ok_or_else(|| format!("{value:?} is no number from {least} to {most}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn project(rows: &[(&str, &str)]) -> BTreeMap<String, String> {
        rows.iter().map(|(field, value)| ((*field).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn each_field_has_its_rule() {
        let least = [("repository", "https://git.example/a/b"), ("branches", "main"), ("command", r#"["make"]"#)];
        assert_eq!(check(&project(&least), false), []);
        let rows: [(&str, &str, &str); 22] = [
            ("repository", "git@git.example:a/b", ""),
            ("repository", "ssh://git@git.example:22/a/b", ""),
            ("repository", "https://user:pw@git.example/a", "holds a password"),
            ("repository", "https://ghp_token@git.example/a", "may be a token"),
            ("repository", "file:///srv/a", "is of this machine"),
            ("repository", "--upload-pack=id", "is no URL"),
            ("repository", "ext::sh -c id", "is no URL"),
            ("repository", "http://git.example/a", "is reached by none"),
            ("branches", r#"["main","release/*"]"#, ""),
            ("branches", "main,,x", "is no glob"),
            ("branches", "$(id)", "is no glob"),
            ("branches", "[]", "names no branch"),
            ("command", "make deploy", "is no JSON array"),
            ("command", "[]", "names no program"),
            ("shell", "yes", "neither true nor false"),
            ("directory", "a/../b", "is no path"),
            ("directory", "/etc", "is no path"),
            ("timeout", "28801", "is no number from 1 to 28800"),
            ("timeout", "+5", "is no number"),
            ("credentials", "petshop/git", ""),
            ("credentials", "a b", "is neither a secret's name"),
            ("comand", "x", "is no field of a project"),
        ];
        for (field, value, expected) in rows {
            let mut fields = project(&least);
            fields.insert(field.to_owned(), value.to_owned());
            let found = check(&fields, false);
            let texts: Vec<&str> = found.iter().map(|finding| finding.text.as_str()).collect();
            match expected {
                "" => assert_eq!(texts, [""; 0], "{field} = {value}"),
                _ => assert!(texts.len() == 1 && texts[0].contains(expected), "{field} = {value}: {texts:?}"),
            }
        }
        assert_eq!(check(&project(&[("repository", "file:///srv/a")]), true).len(), 2);
        let in_shell = [least[0], least[1], ("command", "make && make deploy"), ("shell", "true")];
        assert_eq!(check(&project(&in_shell), false), []);
    }

    #[test]
    fn a_branch_is_allowed_by_its_glob_alone() {
        let globs = branches("main, release/*").unwrap();
        for (branch, is_allowed) in
            [("main", true), ("release/1", true), ("release/1/2", false), ("mainly", false), ("Main", false)]
        {
            assert_eq!(allows(&globs, branch), is_allowed, "{branch}");
        }
    }

    /// What the function and the worker take or refuse of the same, by a test of theirs.
    #[test]
    fn a_value_is_right_here_where_the_function_and_the_worker_take_it() {
        let rows = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/lambda/tests/reference/projects.json"));
        let rows: Vec<serde_json::Value> = serde_json::from_str(rows).unwrap();
        for row in &rows {
            let usual = [("repository", "https://git.example/a"), ("branches", "main"), ("command", r#"["make"]"#)];
            let mut fields = project(&usual);
            let named = row["fields"].as_object().unwrap().iter();
            fields.extend(named.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())));
            let found = check(&fields, row["local"] == true);
            assert_eq!(found.is_empty(), row["right"] == true, "{row}: {found:?}");
        }
    }
}
