//! The branches of a repository, asked for by the operator's own git, which asks nobody anything.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::process::Command;

use super::message;
use crate::compare::Why;

/// How long a server may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// The most bytes of an answer: some hundred thousand branches.
const LARGEST: u64 = 32 * 1024 * 1024;

/// The names of the branches at a URL, those that the pipeline takes, sorted.
pub async fn branches(url: &str) -> Result<Vec<String>, Why> {
    let failed = |why: &str| {
        Why::new(format!("cannot list the branches of {url}: {why}"))
            .hint("git ls-remote asks with your own credentials; the worker has those of `credentials`")
    };
    let mut command = Command::new("git");
    // A command as a transport (`ext::`) would be run by git.
    command.env("GIT_ALLOW_PROTOCOL", "https:ssh:file:http").env("GIT_TERMINAL_PROMPT", "0");
    command.env("GCM_INTERACTIVE", "never").env("GIT_ASKPASS", "true").env("SSH_ASKPASS", "true");
    if std::env::var_os("GIT_SSH_COMMAND").is_none() {
        command.env("GIT_SSH_COMMAND", "ssh -o BatchMode=yes");
    }
    command.args(["ls-remote", "--heads", "--", url]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| failed(&format!("git cannot be started: {error}")))?;
    let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(failed("git cannot be heard"));
    };
    let work = async {
        let (mut listed, mut complaint) = (String::new(), String::new());
        let (mut stdout, mut stderr) = (stdout.take(LARGEST), stderr.take(16 * 1024));
        let (out, err) = tokio::join!(stdout.read_to_string(&mut listed), stderr.read_to_string(&mut complaint));
        let status = child.wait().await;
        (out.and(err), status, listed, complaint)
    };
    let answer = tokio::time::timeout(PATIENCE, work).await;
    let (read, status, listed, complaint) = answer.map_err(|_| failed("no answer within 30 s"))?;
    read.map_err(|error| failed(&error.to_string()))?;
    if !status.is_ok_and(|status| status.success()) {
        let line = complaint.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("git says nothing");
        return Err(failed(line.trim()));
    }
    Ok(names(&listed))
}

fn names(listed: &str) -> Vec<String> {
    let name = |line: &str| line.split_once('\t')?.1.strip_prefix("refs/heads/").map(str::to_owned);
    let mut names: Vec<String> = listed.lines().filter_map(name).filter(|name| message::branch(name).is_ok()).collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_branches_that_a_message_may_name_are_listed() {
        let listed = "1f\trefs/heads/main\n2f\trefs/heads/release/2\n3f\trefs/heads/it's\n4f\trefs/tags/v1\nx\n";
        assert_eq!(names(listed), ["main", "release/2"]);
    }

    #[tokio::test]
    async fn what_git_cannot_reach_is_told_in_its_words() {
        let why = branches("file:///nowhere/at/all").await.unwrap_err();
        assert!(why.reason.starts_with("cannot list the branches of file:///nowhere/at/all: "), "{why}");
        let why = branches("ext::sh -c true").await.unwrap_err();
        assert!(why.reason.contains("not allowed"), "{why}");
    }
}
