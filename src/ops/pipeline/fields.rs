//! The fields of a registered project, one parameter each, and what is a right value of each.
//!
//! Pure. The worker and the function read the same fields by the same rules.

use std::collections::BTreeMap;

use globset::GlobBuilder;

/// The fields, in the order in which they are shown.
pub const FIELDS: [&str; 9] =
    ["repository", "branches", "command", "shell", "directory", "timeout", "credentials", "concurrency", "rate"];

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
    let in_shell = fields.get("shell").is_some_and(|shell| shell == "true");
    for (field, value) in fields {
        if let Err(text) = value_of(field, value, in_shell, local) {
            found.push(wrong(field, text));
        }
    }
    found
}

/// Whether a field may have this value; else what is wrong with it.
fn value_of(field: &str, value: &str, in_shell: bool, local: bool) -> Result<(), String> {
    match field {
        "repository" => repository(value, local),
        "branches" => branches(value).map(drop),
        "command" if in_shell => text(value),
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
        let fits = |letter: char| letter.is_ascii_alphanumeric() || "._/-*?".contains(letter);
        if glob.is_empty() || glob.len() > 200 || !glob.chars().all(fits) {
            return Err(format!("{glob:?} is no glob of branches: letters, digits, . _ / - and * ?"));
        }
    }
    if globs.is_empty() { Err("names no branch".to_owned()) } else { Ok(globs) }
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
        Some(program) if !program.is_empty() && words.iter().all(|word| !word.contains('\0')) => Ok(words),
        _ => Err("names no program".to_owned()),
    }
}

fn repository(url: &str, local: bool) -> Result<(), String> {
    if url.len() > 500
        || url.starts_with('-')
        || url.chars().any(|letter| letter.is_whitespace() || letter.is_control())
    {
        return Err("is no URL of a repository".to_owned());
    }
    let authority = url.split_once("://").map(|(_, rest)| rest.split('/').next().unwrap_or_default());
    if authority.and_then(|authority| authority.rsplit_once('@')).is_some_and(|(user, _)| user.contains(':')) {
        return Err("holds a password, and everybody who may look reads it: name a secret in credentials".to_owned());
    }
    if let Some(rest) = url.strip_prefix("https://") {
        let has_user = authority.is_some_and(|authority| authority.contains('@'));
        return match rest.split_once('/') {
            _ if has_user => Err("holds a user's name, which may be a token: name a secret in credentials".to_owned()),
            Some((host, path)) if !host.is_empty() && !path.is_empty() => Ok(()),
            _ => Err("names no repository on its server".to_owned()),
        };
    }
    let scp =
        url.split_once(':').is_some_and(|(host, path)| host.starts_with("git@") && host.len() > 4 && !path.is_empty());
    if url.starts_with("ssh://") || scp {
        return Ok(());
    }
    if ["file://", "http://127.0.0.1"].iter().any(|start| url.starts_with(start)) {
        return if local { Ok(()) } else { Err("is of this machine, and builds run on another".to_owned()) };
    }
    Err("is reached by none of https://, ssh:// and git@host:path".to_owned())
}

fn directory(path: &str) -> Result<(), String> {
    let parts = |part: &str| !part.is_empty() && part != "." && part != "..";
    if path.len() <= 500 && path.split('/').all(parts) && !path.chars().any(char::is_control) {
        return Ok(());
    }
    Err(format!("{path:?} is no path from the repository's root, without . and .."))
}

fn credentials(name: &str) -> Result<(), String> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"/_+=.@:-".contains(&byte);
    if (1..=512).contains(&name.len()) && name.bytes().all(fits) {
        return Ok(());
    }
    Err(format!("{name:?} is neither a secret's name nor its ARN"))
}

fn text(value: &str) -> Result<(), String> {
    if value.trim().is_empty() || value.contains('\0') { Err("is empty".to_owned()) } else { Ok(()) }
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
}
