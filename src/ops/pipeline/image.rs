//! The worker as a container image: built by whatever container tool there is, and pushed to ECR. What CodeBuild runs by
//! default is the executable itself; an image is for those who want one.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::aws::ecr;
use crate::compare::Why;
use crate::ops::journal::{Action, Intent, noted};
use crate::ops::session::Session;
use crate::ops::why;

/// The tools that are looked for, the first one counts.
const TOOLS: [&str; 3] = ["docker", "podman", "finch"];

/// What is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// The container file.
    pub file: PathBuf,
    /// The directory that it copies from.
    pub context: PathBuf,
    /// The image's name and tag.
    pub image: String,
}

/// The container tool of this machine.
pub fn tool() -> Result<&'static str, Why> {
    let directories: Vec<PathBuf> =
        std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect()).unwrap_or_default();
    let is_there = |name: &&&str| directories.iter().any(|directory| is_program(&directory.join(name)));
    TOOLS.iter().find(is_there).copied().ok_or_else(|| {
        Why::new("none of docker, podman and finch is on this machine")
            .hint("the pipeline needs no image: its template runs the worker's executable")
    })
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;

    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// Builds the image; what the tool writes goes to stderr.
pub async fn build(build: &Build) -> Result<(), Why> {
    check(&build.image)?;
    for path in [&build.file, &build.context] {
        if !path.exists() {
            let why = Why::new(format!("{} is not there", path.display()));
            return Err(why.hint("plumb lambda eject pipeline writes the source; plumb lambda build the executable"));
        }
    }
    let mut command = Command::new(tool()?);
    command.args(["build", "--tag", &build.image, "--file"]).arg(&build.file).arg("--").arg(&build.context);
    run(command, None, "build the image").await
}

/// Logs in at the account's registry, and pushes an image there under a repository's name. Answers where it is, and why the
/// journal does not hold that, if so.
pub async fn push(session: &Session, image: &str, repository: &str) -> Result<(String, Option<Why>), Why> {
    check(image)?;
    let tool = tool()?;
    let (session, writer) = session.for_writing().await?;
    let suffix = if session.clients.region().starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    let registry = format!("{}.dkr.ecr.{}.{suffix}", writer.account, session.clients.region());
    let tag = image.rsplit_once(':').map_or("latest", |(_, tag)| tag);
    let target = format!("{registry}/{repository}:{tag}");
    check(&target)?;
    let work = async {
        let password = ecr::password(&session.clients).await.map_err(|error| why(&error))?;
        let mut login = Command::new(tool);
        login.args(["login", "--username", "AWS", "--password-stdin", &registry]);
        run(login, Some(password.expose()), "log in at the registry").await?;
        let mut tagged = Command::new(tool);
        tagged.args(["tag", image, &target]);
        run(tagged, None, "tag the image").await?;
        let mut push = Command::new(tool);
        push.args(["push", &target]);
        let pushed = run(push, None, "push the image").await;
        let mut logout = Command::new(tool);
        logout.args(["logout", &registry]);
        // A login that stays is good for twelve hours; that the image is pushed does not depend on it.
        let _ = run(logout, None, "log out").await;
        pushed
    };
    let intent = Intent::new(Action::Image, vec![target.clone()]);
    let ((), untold) = Box::pin(noted(&session, &writer, intent, work, |()| None)).await?;
    Ok((target, untold))
}

/// An image's name is an argument of the tool, and must not be an option of it.
fn check(image: &str) -> Result<(), Why> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._/:-".contains(&byte);
    let (name, tag) = image.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')).unwrap_or((image, "latest"));
    let tagged = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let is_right = (1..=255).contains(&name.len())
        && name.bytes().all(fits)
        && name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && (1..=128).contains(&tag.len())
        && tag.bytes().all(tagged);
    if is_right { Ok(()) } else { Err(Why::new(format!("refused: {image:?} is no image's name"))) }
}

async fn run(mut command: Command, input: Option<&str>, what: &str) -> Result<(), Why> {
    let failed = |how: &dyn std::fmt::Display| Why::new(format!("cannot {what}: {how}"));
    command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
    // What a script reads is ours alone.
    command.stdout(std::io::stderr()).kill_on_drop(true);
    let mut child = command.spawn().map_err(|error| failed(&error))?;
    if let (Some(input), Some(mut stdin)) = (input, child.stdin.take()) {
        stdin.write_all(input.as_bytes()).await.map_err(|error| failed(&error))?;
    }
    let status = child.wait().await.map_err(|error| failed(&error))?;
    if status.success() { Ok(()) } else { Err(failed(&format!("the tool ended with {status}"))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_s_name_is_no_option() {
        for image in ["plumb-worker", "plumb-worker:0.1.0", "471100004242.dkr.ecr.eu-central-1.amazonaws.com/w:A_1"] {
            assert!(check(image).is_ok(), "{image}");
        }
        for image in ["", "-v", "a b", "a:", "a:b c", "A", "a;b"] {
            assert!(check(image).is_err(), "{image}");
        }
    }
}
