//! What the worker is asked: its arguments or, without any, the variables that the build was started with.

use std::path::PathBuf;

use crate::pipeline::message::Message;
use crate::pipeline::names::{is_branch, is_commit, is_project, is_reason};

/// How it is asked.
pub const USAGE: &str = "plumb-worker --project NAME --branch BRANCH [--commit ID] [--result FILE]

Fetches the branch of a project of the registry and runs its deploy command. Without --project and --branch it takes
PLUMB_PROJECT, PLUMB_BRANCH, PLUMB_COMMIT, PLUMB_REASON and PLUMB_JOB. With PLUMB_LOCAL=1 the repository may be a file:// or
a loopback http:// URL. PLUMB_REGISTRY names another path of Parameter Store than /plumb/pipeline. AWS is reached as the AWS CLI
would reach it.

Exits with the command's code; 124 when it took too long, 2 when it may not be run, 1 when something could not be asked.
";

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// Project, branch, commit and reason; well-formed, and no more is known of them yet.
    pub message: Message,
    /// The message's id, in a build.
    pub job: Option<String>,
    /// Where the result is written.
    pub result: Option<PathBuf>,
    /// Whether the repository may be one of this machine.
    pub local: bool,
}

impl Asked {
    /// Reads arguments and variables. What is wrong is told by its name, never by what stands there.
    pub fn read(
        arguments: impl IntoIterator<Item = String>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, String> {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let (mut project, mut branch, mut commit, mut result) = (None, None, None, None);
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let place = match argument.as_str() {
                "--project" => &mut project,
                "--branch" => &mut branch,
                "--commit" => &mut commit,
                "--result" => &mut result,
                _ => return Err("an argument is not known".to_owned()),
            };
            if place.is_some() {
                return Err(format!("{argument} stands twice"));
            }
            *place = Some(arguments.next().ok_or_else(|| format!("{argument} has no value"))?);
        }
        let (mut reason, mut job) = (None, None);
        if project.is_none() && branch.is_none() && commit.is_none() {
            (project, branch, commit) = (variable("PLUMB_PROJECT"), variable("PLUMB_BRANCH"), variable("PLUMB_COMMIT"));
            (reason, job) = (variable("PLUMB_REASON"), variable("PLUMB_JOB"));
        }
        let held = |name: &str, value: Option<String>, is: fn(&str) -> bool| match value {
            Some(text) if !is(&text) => Err(format!("the {name} is not well-formed")),
            other => Ok(other),
        };
        let project = held("project", project, is_project)?.ok_or("the project is missing")?;
        let branch = held("branch", branch, is_branch)?.ok_or("the branch is missing")?;
        let message = Message {
            project,
            branch,
            commit: held("commit", commit, is_commit)?,
            reason: held("reason", reason, is_reason)?,
        };
        let is_id =
            |text: &str| text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let local = variable("PLUMB_LOCAL").as_deref() == Some("1");
        Ok(Self { message, job: held("job", job, is_id)?, result: result.map(PathBuf::from), local })
    }

    /// What the command is told, whatever the worker's own variables said. `PLUMB_PROJECT` is taken away: to a command that is
    /// Plumb it names a plumb.toml.
    pub(super) fn variables(&self, commit: &str) -> Vec<(&'static str, Option<String>)> {
        vec![
            ("PLUMB_PROJECT", None),
            ("PLUMB_PIPELINE_PROJECT", Some(self.message.project.clone())),
            ("PLUMB_BRANCH", Some(self.message.branch.clone())),
            ("PLUMB_COMMIT", Some(commit.to_owned())),
            ("PLUMB_REASON", self.message.reason.clone()),
            ("PLUMB_JOB", self.job.clone()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Pairs<'a> = &'a [(&'a str, &'a str)];

    fn read(arguments: &[&str], variables: Pairs<'_>) -> Result<Asked, String> {
        let own = |name: &str| variables.iter().find(|(own, _)| *own == name).map(|(_, value)| (*value).to_owned());
        Asked::read(arguments.iter().map(|argument| (*argument).to_owned()), own)
    }

    #[test]
    fn arguments_come_first_and_variables_are_a_builds() {
        let build = [("PLUMB_PROJECT", "shop"), ("PLUMB_BRANCH", "main"), ("PLUMB_JOB", "7"), ("PLUMB_REASON", "CI")];
        let asked = read(&["--result", "/tmp/r"], &build).unwrap();
        assert_eq!((asked.job.as_deref(), asked.result), (Some("7"), Some(PathBuf::from("/tmp/r"))));
        assert_eq!(asked.message.reason.as_deref(), Some("CI"));
        let asked = read(&["--project", "demo", "--branch", "dev"], &build).unwrap();
        assert_eq!((asked.message.project.as_str(), asked.job), ("demo", None));
        assert!(read(&[], &[("PLUMB_PROJECT", "shop"), ("PLUMB_BRANCH", "main"), ("PLUMB_COMMIT", "")]).is_ok());
    }

    #[test]
    fn what_is_no_name_is_refused_and_not_repeated() {
        let cases: [(&[&str], Pairs<'_>, &str); 9] = [
            (&[], &[], "project is missing"),
            (&["--project", "shop"], &[("PLUMB_BRANCH", "main")], "branch is missing"),
            (&["--project"], &[], "has no value"),
            (&["--project", "a", "--project", "b"], &[], "twice"),
            (&["--upload-pack=hunter2"], &[], "not known"),
            (&["--project", "../hunter2", "--branch", "main"], &[], "project is not well-formed"),
            (&["--project", "shop", "--branch", "-hunter2"], &[], "branch is not well-formed"),
            (&["--project", "shop", "--branch", "main", "--commit", "hunter2"], &[], "commit is not well-formed"),
            (&[], &[("PLUMB_PROJECT", "shop"), ("PLUMB_BRANCH", "main"), ("PLUMB_JOB", "hunter2\n")], "job is not"),
        ];
        for (arguments, variables, expected) in cases {
            let why = read(arguments, variables).unwrap_err();
            assert!(why.contains(expected) && !why.contains("hunter2"), "{arguments:?}: {why}");
        }
    }
}
