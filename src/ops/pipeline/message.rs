//! What is sent to the pipeline's topic, and the rules that it is read by. The function behind the topic has the same.

use serde::{Deserialize, Serialize};

use crate::compare::Why;

/// The most bytes of a message.
pub const LARGEST: usize = 4096;

/// What a job is asked for by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// The project's name in the registry.
    pub project: String,
    /// The branch.
    pub branch: String,
    /// The commit of it; `None`: its latest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Message {
    /// Whether the function would read it; else what is wrong with it.
    pub fn check(&self) -> Result<(), Why> {
        let wrong = |text: String| Why::new(format!("refused: {text}"));
        project(&self.project).map_err(wrong)?;
        branch(&self.branch).map_err(wrong)?;
        self.commit.as_deref().map_or(Ok(()), commit).map_err(wrong)?;
        self.reason.as_deref().map_or(Ok(()), reason).map_err(wrong)
    }

    /// As it is sent.
    pub fn text(&self) -> Result<String, Why> {
        self.check()?;
        serde_json::to_string(self).map_err(|error| crate::ops::failed(&error))
    }

    /// What a text says, if it is a message.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let message: Self = serde_json::from_str(text).ok().filter(|_| text.len() <= LARGEST)?;
        message.check().is_ok().then_some(message)
    }
}

/// A project's name.
pub fn project(name: &str) -> Result<(), String> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if (1..=63).contains(&name.len()) && name.bytes().all(fits) && !name.starts_with('-') {
        return Ok(());
    }
    Err(format!("{name:?} is no name of a project: at most 63 of a-z, 0-9 and -, and no - first"))
}

/// A branch's name: git's rules, and closer.
pub fn branch(name: &str) -> Result<(), String> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._/-".contains(&byte);
    let no_ends = !name.starts_with(['-', '/', '.']) && !name.ends_with(['/', '.']);
    let parts = |part: &str| {
        !part.is_empty() && !part.starts_with('.') && !part.ends_with('.') && part.strip_suffix(".lock").is_none()
    };
    let is_right = (1..=200).contains(&name.len())
        && name.bytes().all(fits)
        && no_ends
        && !name.contains("..")
        && name.split('/').all(parts);
    if is_right { Ok(()) } else { Err(format!("{name:?} is no branch that the pipeline takes")) }
}

/// A commit's whole id.
pub fn commit(id: &str) -> Result<(), String> {
    let fits = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if matches!(id.len(), 40 | 64) && id.bytes().all(fits) {
        return Ok(());
    }
    Err(format!("{id:?} is no commit: 40 or 64 lower-case hexadecimal digits"))
}

/// A reason.
pub fn reason(text: &str) -> Result<(), String> {
    if text.len() <= 200 && text.chars().all(is_of_reasons) {
        return Ok(());
    }
    Err("a reason is at most 200 of A-Z, a-z, 0-9, spaces and .,:_/#@+-=".to_owned())
}

fn is_of_reasons(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || " .,:_/#@+-=".contains(letter)
}

/// A reason that says who asks: SNS tells nobody who published. What no reason may have becomes `_`.
#[must_use]
pub fn signed(by: &str, words: Option<&str>) -> String {
    let text = words.map_or_else(|| format!("by {by}"), |words| format!("by {by}: {words}"));
    text.chars().take(200).map(|letter| if is_of_reasons(letter) { letter } else { '_' }).collect()
}

/// Who says to have asked, and the rest of a reason. It proves nothing: whoever may publish writes what they like.
#[must_use]
pub fn signature(reason: &str) -> (Option<&str>, Option<&str>) {
    match reason.strip_prefix("by ") {
        Some(rest) => match rest.split_once(": ") {
            Some((by, words)) => (Some(by), Some(words)),
            None => (Some(rest), None),
        },
        None => (None, Some(reason).filter(|reason| !reason.is_empty())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_function_takes_is_sent() {
        let sha = "0123456789abcdef0123456789abcdef01234567";
        for name in ["demo", "a", "9-lives", &"x".repeat(63)] {
            assert_eq!(project(name), Ok(()), "{name}");
        }
        for name in ["", "-a", "Demo", "a/b", "a b", "dem\u{43e}", &"x".repeat(64), "a;b", "../a"] {
            assert!(project(name).is_err(), "{name}");
        }
        for name in ["main", "release/1.2", "a-b_c.d", "feature/x-"] {
            assert_eq!(branch(name), Ok(()), "{name}");
        }
        for name in [
            "",
            "-x",
            "/x",
            "x/",
            "a//b",
            "a..b",
            "x.lock",
            "x.lock/y",
            "a b",
            "a$(id)",
            "\u{43c}ain",
            "a@{1}",
            ".x",
            "a./b",
        ] {
            assert!(branch(name).is_err(), "{name}");
        }
        assert!(commit(sha).is_ok() && commit(&"a".repeat(64)).is_ok());
        for id in ["main", &sha[1..], &sha.to_uppercase(), &format!("{}g", &sha[1..])] {
            assert!(commit(id).is_err(), "{id}");
        }
        assert!(reason("run #7: it is fine, a/b_c@d+e=f-g.").is_ok());
        assert!(reason("$(x)").is_err() && reason("`x`").is_err() && reason("a;b").is_err());
        assert!(reason("é").is_err() && reason("a\nb").is_err() && reason(&"x".repeat(201)).is_err());
    }

    #[test]
    fn a_message_is_read_as_it_was_written_and_no_other_way() {
        let message = Message { project: "demo".into(), branch: "main".into(), commit: None, reason: Some("x".into()) };
        let text = message.text().unwrap();
        assert_eq!(text, r#"{"project":"demo","branch":"main","reason":"x"}"#);
        assert_eq!(Message::read(&text), Some(message));
        for wrong in [
            r#"{"project":"demo"}"#,
            r#"{"project":"demo","branch":"main","shell":"id"}"#,
            r#"{"project":"demo","branch":"main","branch":"main"}"#,
            r#"{"project":"demo","branch":"-x"}"#,
            "[]",
        ] {
            assert_eq!(Message::read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_reason_says_who_asks() {
        let told = signed("user/mara", Some("the pöol: too small"));
        assert_eq!(told, "by user/mara: the p_ol: too small");
        assert_eq!(signature(&told), (Some("user/mara"), Some("the p_ol: too small")));
        assert_eq!(signature(&signed("user/mara", None)), (Some("user/mara"), None));
        assert_eq!(signature("nightly"), (None, Some("nightly")));
        assert_eq!(signature(""), (None, None));
        assert!(reason(&signed(&"x".repeat(300), None)).is_ok());
    }
}
