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

/// The container file that Plumb carries.
const CONTAINERFILE: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/lambda/worker.Containerfile"));

/// How the worker's executable is named where `plumb lambda build --worker` leaves it.
const WORKER: &str = "plumb-worker-";

/// What is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// The worker's executable. The directory that it lies in is what the container file copies from.
    pub worker: PathBuf,
    /// The container file; `None`: Plumb's own.
    pub file: Option<PathBuf>,
    /// The image's name and tag.
    pub image: String,
}

/// An image that was pushed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pushed {
    /// Where it is, by its tag.
    pub tagged: String,
    /// The same by its digest, which is what a build runs; or why that is not known.
    pub exact: Result<String, Why>,
    /// Why the journal does not hold it, if so.
    pub untold: Option<Why>,
}

/// The worker's executable in a directory, where there is one and no other.
pub fn worker(directory: &Path) -> Result<PathBuf, Why> {
    let place = directory.display();
    let build = "plumb lambda build --worker builds it; --worker FILE names another";
    let none = |why: String| Why::new(format!("there is no worker in {place}{why}")).hint(build);
    let entries = std::fs::read_dir(directory).map_err(|error| none(format!(": {error}")))?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let is_worker = |path: &PathBuf| path.is_file() && name(path).is_some_and(|name| name.starts_with(WORKER));
    let mut found: Vec<PathBuf> = paths.filter(is_worker).collect();
    found.sort();
    match (found.pop(), found.len()) {
        (Some(worker), 0) => Ok(worker),
        (Some(_), others) => {
            let why = Why::new(format!("there are {} workers in {place}, and only one can be meant", others + 1));
            Err(why.hint("--worker FILE"))
        }
        (None, _) => Err(none(String::new())),
    }
}

/// The repository that an image is pushed to unless another is named: it begins as everything of the pipeline does.
pub async fn repository(session: &Session) -> Result<String, Why> {
    Ok(format!("{}-worker", super::stack(session).await?.to_lowercase()))
}

fn name(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()
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
    for path in [Some(&build.worker), build.file.as_ref()].into_iter().flatten() {
        if !path.is_file() {
            let why = Why::new(format!("{} is no file", path.display()));
            return Err(
                why.hint("plumb lambda build --worker builds the worker; lambda eject writes the container file")
            );
        }
    }
    // It stands in an instruction of the container file, where some letters mean something.
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    let worker = name(&build.worker).filter(|name| name.bytes().all(plain));
    let worker = worker.ok_or_else(|| {
        Why::new(format!("refused: {} has a name that no container file can copy", build.worker.display()))
            .hint("letters, digits, . _ and -")
    })?;
    let context = build.worker.parent().filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut command = Command::new(tool()?);
    command.args(["build", "--tag", &build.image, "--build-arg", &format!("WORKER={worker}"), "--file"]);
    let (file, input) = match &build.file {
        Some(file) => (file.as_path(), None),
        None => (Path::new("-"), Some(CONTAINERFILE)),
    };
    command.arg(file).arg("--").arg(context);
    run(command, input, "build the image").await
}

/// Logs in at the account's registry, and pushes an image there under a repository's name.
pub async fn push(session: &Session, image: &str, repository: &str) -> Result<Pushed, Why> {
    check(image)?;
    let tool = tool()?;
    let (session, writer) = session.for_writing().await?;
    let suffix = if session.clients.region().starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    let registry = format!("{}.dkr.ecr.{}.{suffix}", writer.account, session.clients.region());
    let (_, tag) = split(image);
    let tagged = format!("{registry}/{repository}:{tag}");
    check(&tagged)?;
    let work = async {
        let password = ecr::password(&session.clients).await.map_err(|error| why(&error))?;
        let mut login = Command::new(tool);
        login.args(["login", "--username", "AWS", "--password-stdin", &registry]);
        run(login, Some(password.expose()), "log in at the registry").await?;
        let mut named = Command::new(tool);
        named.args(["tag", image, &tagged]);
        run(named, None, "tag the image").await?;
        let mut push = Command::new(tool);
        push.args(["push", &tagged]);
        let pushed = run(push, None, "push the image").await;
        let mut logout = Command::new(tool);
        logout.args(["logout", &registry]);
        // A login that stays is good for twelve hours; that the image is pushed does not depend on it.
        let _ = run(logout, None, "log out").await;
        pushed
    };
    let intent = Intent::new(Action::Image, vec![tagged.clone()]);
    let ((), untold) = Box::pin(noted(&session, &writer, intent, work, |()| None)).await?;
    let digest = ecr::digest(&session.clients, repository, tag).await.map_err(|error| why(&error));
    Ok(Pushed { tagged, exact: digest.map(|digest| format!("{registry}/{repository}@{digest}")), untold })
}

/// An image's name and its tag; a colon before a slash is of a port.
fn split(image: &str) -> (&str, &str) {
    image.rsplit_once(':').filter(|(_, tag)| !tag.contains('/')).unwrap_or((image, "latest"))
}

/// An image's name is an argument of the tool, and must not be an option of it.
fn check(image: &str) -> Result<(), Why> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._/:-".contains(&byte);
    let (name, tag) = split(image);
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
        // A tool that ends before it has read it all says why by itself.
        let _ = stdin.write_all(input.as_bytes()).await;
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

    #[test]
    fn the_only_worker_of_a_directory_is_meant() {
        let directory = tempfile::tempdir().unwrap();
        let none = worker(directory.path()).unwrap_err();
        assert!(none.reason.contains("there is no worker in") && none.hint.unwrap().contains("lambda build --worker"));
        for other in ["trigger-abc.zip", "pipeline.yaml"] {
            std::fs::write(directory.path().join(other), "").unwrap();
        }
        let own = directory.path().join("plumb-worker-0a");
        std::fs::write(&own, "").unwrap();
        assert_eq!(worker(directory.path()), Ok(own));
        std::fs::write(directory.path().join("plumb-worker-0b"), "").unwrap();
        assert!(worker(directory.path()).unwrap_err().reason.contains("there are 2 workers"));
        assert!(worker(&directory.path().join("dist")).unwrap_err().reason.contains("no worker"));
    }

    #[test]
    fn a_port_is_no_tag() {
        assert_eq!(split("localhost:5000/worker"), ("localhost:5000/worker", "latest"));
        assert_eq!(split("localhost:5000/worker:1"), ("localhost:5000/worker", "1"));
    }
}
