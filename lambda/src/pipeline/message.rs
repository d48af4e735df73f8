//! A message that asks for a build: one JSON object of two to four texts, and nothing else.
//!
//! What is wrong with a message is told by the field and the rule, never by what stands there: anyone who may publish writes
//! it, and it would reach the log.

use crate::json::{self, Fault};

use super::names::{is_branch, is_commit, is_project, is_reason};

/// The most bytes that a message may have.
pub const LARGEST: usize = 4096;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// A project's name.
    pub project: String,
    /// A branch's name.
    pub branch: String,
    /// The commit of that branch; without it, its last.
    pub commit: Option<String>,
    /// For people.
    pub reason: Option<String>,
}

/// A message that asks for nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    /// The project, where the message names one as it should.
    pub project: Option<String>,
    /// The rule that it breaks.
    pub why: Why,
}

/// What is wrong with a message.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// Its size in bytes.
    #[error("the message has {0} bytes, and {LARGEST} are allowed")]
    TooLong(usize),
    /// It is no object, or an ambiguous one.
    #[error("the message: {0}")]
    NoObject(String),
    /// A field that no message has.
    #[error("the message has a field that is none of project, branch, commit and reason")]
    Unknown,
    /// A field that every message has.
    #[error("`{0}` is missing")]
    Missing(&'static str),
    /// A field that is not as it should be.
    #[error("`{0}` is not {1}")]
    Not(&'static str, &'static str),
}

impl Message {
    /// Reads a message.
    pub fn read(text: &str) -> Result<Self, Malformed> {
        let alone = |why| Malformed { project: None, why };
        if text.len() > LARGEST {
            return Err(alone(Why::TooLong(text.len())));
        }
        let fields = json::object(text, 4).map_err(|fault: Fault| alone(Why::NoObject(fault.to_string())))?;
        let field = |name: &'static str, is: fn(&str) -> bool, rule: &'static str| -> Result<Option<String>, Why> {
            let Some((_, value)) = fields.iter().find(|(found, _)| found.as_str() == name) else { return Ok(None) };
            let text = json::string(value).map_err(|_| Why::Not(name, "a text"))?;
            if is(&text) { Ok(Some(text.to_string())) } else { Err(Why::Not(name, rule)) }
        };
        let project = field("project", is_project, "a project's name: a-z, 0-9 and -, up to 63").map_err(alone)?;
        let with = |why| Malformed { project: project.clone(), why };
        if fields.iter().any(|(name, _)| !["project", "branch", "commit", "reason"].contains(&name.as_str())) {
            return Err(with(Why::Unknown));
        }
        let branch = field("branch", is_branch, "a branch's name: A-Z, a-z, 0-9 and ._/-, up to 200").map_err(with)?;
        let commit = field("commit", is_commit, "a whole commit id in small hexadecimal digits").map_err(with)?;
        let reason =
            field("reason", is_reason, "a text of A-Z, a-z, 0-9, spaces and .,:_/#@+-=, up to 200").map_err(with)?;
        Ok(Self {
            branch: branch.ok_or_else(|| with(Why::Missing("branch")))?,
            project: project.ok_or_else(|| alone(Why::Missing("project")))?,
            commit,
            reason: reason.filter(|text| !text.is_empty()),
        })
    }

    /// What a build of it is told: names that are fixed, and values that have passed this reader.
    #[must_use]
    pub fn variables(&self, job: &str) -> Vec<(&'static str, String)> {
        let mut variables = vec![("PLUMB_PROJECT", self.project.clone()), ("PLUMB_BRANCH", self.branch.clone())];
        variables.extend(self.commit.clone().map(|commit| ("PLUMB_COMMIT", commit)));
        variables.extend(self.reason.clone().map(|reason| ("PLUMB_REASON", reason)));
        variables.push(("PLUMB_JOB", job.to_owned()));
        variables
    }
}

#[cfg(test)]
mod tests;
