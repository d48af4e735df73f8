//! What came of it: one line for people, and a file for programs.

use std::io::Write as _;
use std::path::Path;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::ask::Asked;

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ended {
    Succeeded,
    /// The command's code, where it ran.
    Failed {
        code: Option<i32>,
        why: Option<String>,
    },
    /// After so many seconds.
    TimedOut(u64),
    Refused(String),
}

/// The result.
#[derive(Debug)]
pub(super) struct Outcome {
    project: String,
    branch: String,
    /// What was checked out or, before that, asked for.
    pub(super) commit: Option<String>,
    job: Option<String>,
    began: Timestamp,
    ended: Option<(Ended, Timestamp)>,
}

impl Outcome {
    pub(super) fn new(asked: &Asked, began: Timestamp) -> Self {
        let message = &asked.message;
        Self {
            project: message.project.clone(),
            branch: message.branch.clone(),
            commit: message.commit.clone(),
            job: asked.job.clone(),
            began,
            ended: None,
        }
    }

    pub(super) fn end(&mut self, ended: Ended, at: Timestamp) {
        self.ended = Some((ended, at));
    }

    /// The word, the command's code, the reason.
    fn parts(&self) -> (&'static str, Option<i32>, Option<String>) {
        match self.ended.as_ref().map(|(ended, _)| ended) {
            Some(Ended::Succeeded) => ("succeeded", Some(0), None),
            Some(Ended::Failed { code, why }) => ("failed", *code, why.clone()),
            Some(Ended::TimedOut(seconds)) => {
                ("timed-out", None, Some(format!("the command ran longer than {seconds} s")))
            }
            Some(Ended::Refused(why)) => ("refused", None, Some(why.clone())),
            None => ("failed", None, None),
        }
    }

    /// What the worker exits with.
    pub(super) fn exit_code(&self) -> u8 {
        let (word, code, _) = self.parts();
        match word {
            "timed-out" => 124,
            "refused" => 2,
            _ => code.map_or(1, |code| u8::try_from(code).unwrap_or(1)),
        }
    }

    /// Says it to people.
    pub(super) fn tell(&self) {
        let (word, code, why) = self.parts();
        let code = code.filter(|code| *code != 0).map_or_else(String::new, |code| format!(" with code {code}"));
        let why = why.map_or_else(String::new, |why| format!(": {why}"));
        say(&format!("{} {} {word}{code}{why}", self.project, self.branch));
    }

    /// Writes it where it is never seen half written.
    pub(super) fn write(&self, path: &Path) -> std::io::Result<()> {
        let (word, code, why) = self.parts();
        let ended = self.ended.as_ref().map_or(self.began, |(_, at)| *at);
        let commit = self.commit.clone().map_or(Value::Null, Value::from);
        let mut fields: Map<String, Value> = [
            ("project", self.project.clone().into()),
            ("branch", self.branch.clone().into()),
            ("commit", commit),
            ("outcome", word.into()),
            ("began", format!("{:.3}", self.began).into()),
            ("ended", format!("{ended:.3}").into()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into_iter()
        .collect();
        fields.extend(self.job.clone().map(|job| ("job".to_owned(), job.into())));
        fields.extend(code.map(|code| ("exit_code".to_owned(), code.into())));
        fields.extend(why.map(|why| ("why".to_owned(), why.into())));
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        writeln!(file, "{}", Value::Object(fields))?;
        file.persist(path).map(drop).map_err(|error| error.error)
    }
}

/// A line of the worker's own, among what the command prints.
pub(super) fn say(line: &str) {
    let plain: String = line.chars().map(|letter| if letter.is_control() { '?' } else { letter }).collect();
    // Where it cannot be written there is nowhere left to say so.
    let _ = writeln!(std::io::stderr().lock(), "plumb-worker: {plain}");
}
