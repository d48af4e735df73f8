//! The worker as a process: a registry and a secret on loopback, a git server, and commands that succeed, fail, hang and
//! talk too much.
//!
//! There is no SSH server here: machines that build this need none. Which host keys are pinned is held at the level of functions,
//! in `src/worker/credentials.rs`; beside a real sshd the worker runs in `tests/suite/peers/ssh.rs` of Plumb's repository.

mod secrets;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::git_server::{GitServer, Repository};
use crate::http::{Response, serve};

/// Made up when the tests run, so that no secret is committed.
fn token() -> String {
    format!("ghp_{:x}-{:x}", std::process::id(), std::ptr::from_ref(&USED) as usize)
}

static USED: u8 = 0;

/// A project, its repository, and as much of AWS as the worker asks.
struct Place {
    directory: tempfile::TempDir,
    git: GitServer,
    repository: Repository,
    fields: Arc<Mutex<BTreeMap<String, String>>>,
    /// Where in Parameter Store they are.
    registry: Arc<Mutex<String>>,
    endpoint: String,
}

impl Place {
    /// The project `shop`, whose main and release/* may run `make-nothing` of its repository's root.
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let git = GitServer::start(&directory.path().join("git"));
        let repository = git.repository("shop");
        repository.commits(&[("README", "one"), ("infra/prod/name", "prod")]);
        let fields = Arc::<Mutex<BTreeMap<String, String>>>::default();
        let registry = Arc::new(Mutex::new("/plumb/pipeline".to_owned()));
        let (own, root) = (Arc::clone(&fields), Arc::clone(&registry));
        let address = serve(move |request| {
            if request.path == "/credentials" {
                return Some(Response::json(200, secrets::of_build()));
            }
            let asked: Value = serde_json::from_str(&request.body).unwrap();
            let answer = match request.header("x-amz-target").unwrap() {
                "AmazonSSM.GetParametersByPath" => {
                    let path = asked["Path"].as_str().unwrap();
                    let fields = own.lock().unwrap();
                    let fields = fields.iter().filter(|_| path == format!("{}/shop", root.lock().unwrap()));
                    let fields = fields.map(|(name, value)| json!({"Name": format!("{path}/{name}"), "Value": value}));
                    json!({"Parameters": fields.collect::<Vec<_>>()})
                }
                "secretsmanager.GetSecretValue" => {
                    assert_eq!(asked["SecretId"], "plumb/pipeline/git");
                    json!({"SecretString": json!({"token": token()}).to_string()})
                }
                other => panic!("{other}"),
            };
            Some(Response::json(200, answer))
        });
        let place = Self { directory, git, repository, fields, registry, endpoint: format!("http://{address}") };
        place.says("repository", &place.git.url("shop"));
        place.says("branches", "main,release/*");
        place.runs(&["true"]);
        place
    }

    fn says(&self, field: &str, value: &str) {
        self.fields.lock().unwrap().insert(field.into(), value.into());
    }

    fn runs(&self, command: &[&str]) {
        self.says("command", &json!(command).to_string());
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn worker(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plumb-worker"));
        command.args(arguments).arg("--result").arg(self.path("result.json")).env_clear();
        command.envs([
            ("AWS_ENDPOINT_URL", self.endpoint.as_str()),
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ACCESS_KEY_ID", "nobody"),
            ("AWS_SECRET_ACCESS_KEY", "nobodys-secret-key"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("PLUMB_LOCAL", "1"),
            ("PATH", "/usr/bin:/bin"),
        ]);
        command.env("HOME", self.directory.path()).env("OUT", self.directory.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn works(&self, arguments: &[&str]) -> Worked {
        let output = self.worker(arguments).output().unwrap();
        self.worked(output)
    }

    fn worked(&self, output: Output) -> Worked {
        let result = std::fs::read(self.path("result.json")).unwrap_or_default();
        Worked { output, result: serde_json::from_slice(&result).unwrap_or_default() }
    }

    /// Waits for a file that a command writes, and gives what it says.
    fn waits_for(&self, name: &str) -> String {
        let end = std::time::Instant::now() + std::time::Duration::from_mins(1);
        loop {
            match std::fs::read_to_string(self.path(name)) {
                Ok(text) if text.ends_with('\n') => return text.trim().to_owned(),
                _ => assert!(std::time::Instant::now() < end, "{name} was never written"),
            }
            std::thread::yield_now();
        }
    }
}

struct Worked {
    output: Output,
    result: Value,
}

impl Worked {
    fn code(&self) -> Option<i32> {
        self.output.status.code()
    }

    fn out(&self) -> String {
        String::from_utf8_lossy(&self.output.stdout).into_owned()
    }

    fn said(&self) -> String {
        String::from_utf8_lossy(&self.output.stderr).into_owned()
    }

    #[track_caller]
    fn is_refused(&self, why: &str) {
        assert_eq!((self.code(), &self.result["outcome"]), (Some(2), &json!("refused")), "{}", self.said());
        assert!(self.result["why"].as_str().unwrap().contains(why), "{}", self.result);
        assert_eq!(self.out(), "", "the command ran");
    }
}

const MAIN: [&str; 4] = ["--project", "shop", "--branch", "main"];

fn at(commit: &str) -> Vec<&str> {
    [&MAIN[..], &["--commit", commit]].concat()
}

fn is_running(process: &str) -> bool {
    // One that has ended and that nobody has waited for is a zombie.
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
}

#[test]
fn the_command_runs_on_the_branchs_tip_as_it_is_written_and_the_result_says_so() {
    let place = Place::new();
    let tip = place.repository.commits(&[("README", "two")]);
    place.says("directory", "infra/prod");
    place.runs(&[
        "sh",
        "-c",
        "cat name ../../README; echo; pwd; echo \"$1 $PLUMB_COMMIT\"; echo aside >&2",
        "-",
        "$(id) `id`",
    ]);
    let worked = place.works(&MAIN);
    assert_eq!(worked.code(), Some(0), "{}", worked.said());
    let out = worked.out();
    assert!(out.starts_with("prodtwo\n") && out.contains("/infra/prod\n"), "{out}");
    assert!(out.ends_with(&format!("$(id) `id` {tip}\n")), "{out}");
    assert!(worked.said().contains("aside\n") && worked.said().contains("the last commit alone"), "{}", worked.said());
    let expected = [("project", "shop"), ("branch", "main"), ("commit", &tip), ("outcome", "succeeded")];
    for (name, value) in expected {
        assert_eq!(worked.result[name], value, "{}", worked.result);
    }
    assert_eq!(worked.result["exit_code"], 0);
    for time in ["began", "ended"] {
        assert!(worked.result[time].as_str().unwrap().parse::<jiff::Timestamp>().is_ok());
    }
    assert_eq!((worked.result.get("why"), worked.result.get("job")), (None, None));
}

#[test]
fn a_build_is_asked_by_its_variables() {
    let place = Place::new();
    place.repository.git(&["checkout", "-q", "-b", "release/1"]);
    place.runs(&[
        "sh",
        "-c",
        "echo $PLUMB_PIPELINE_PROJECT $PLUMB_BRANCH $PLUMB_REASON $PLUMB_JOB ${PLUMB_PROJECT-none}",
    ]);
    let mut build = place.worker(&[]);
    build
        .env("PLUMB_PROJECT", "shop")
        .env("PLUMB_BRANCH", "release/1")
        .env("PLUMB_JOB", "9d-1")
        .env("PLUMB_REASON", "CI");
    let worked = place.worked(build.output().unwrap());
    assert_eq!((worked.code(), worked.out().as_str()), (Some(0), "shop release/1 CI 9d-1 none\n"), "{}", worked.said());
    assert_eq!(worked.result["job"], "9d-1");
}

#[test]
fn it_exits_with_the_commands_code() {
    let place = Place::new();
    for (script, code) in [("exit 7", 7), ("kill -9 $$", 137)] {
        place.runs(&["sh", "-c", script]);
        let worked = place.works(&MAIN);
        assert_eq!(worked.code(), Some(code), "{}", worked.said());
        assert_eq!((&worked.result["outcome"], &worked.result["exit_code"]), (&json!("failed"), &json!(code)));
    }
    place.says("shell", "true");
    place.says("command", "false; echo went on");
    let worked = place.works(&MAIN);
    assert_eq!((worked.code(), worked.out().as_str()), (Some(1), ""), "a shell's first failure ends it");
    place.says("shell", "false");
    place.runs(&["no-such-program"]);
    let worked = place.works(&MAIN);
    assert_eq!((worked.code(), &worked.result["outcome"]), (Some(1), &json!("failed")));
    assert!(worked.result["why"].as_str().unwrap().contains("no-such-program"), "{}", worked.result);
}

#[test]
fn a_command_that_takes_too_long_ends_with_all_that_it_started() {
    let place = Place::new();
    place.says("timeout", "1");
    // A grandchild that does not want to end, and a child that does.
    let script = "sh -c 'trap \"\" TERM; echo $$ > $OUT/deaf; while :; do sleep 1; done' & sleep 600 & echo $! > $OUT/child; wait";
    place.runs(&["sh", "-c", script]);
    let worked = place.works(&MAIN);
    assert_eq!((worked.code(), &worked.result["outcome"]), (Some(124), &json!("timed-out")), "{}", worked.said());
    assert_eq!(worked.result.get("exit_code"), None);
    for name in ["deaf", "child"] {
        let process = place.waits_for(name);
        assert!(!is_running(&process), "{name} runs on");
    }
}

#[test]
fn what_a_command_leaves_running_ends_with_it() {
    let place = Place::new();
    place.runs(&["sh", "-c", "sleep 600 & echo $! > $OUT/left; exit 3"]);
    let worked = place.works(&MAIN);
    assert_eq!(worked.code(), Some(3), "{}", worked.said());
    assert!(!is_running(&place.waits_for("left")));
}

#[test]
fn a_worker_that_is_told_to_end_ends_its_command_first() {
    let place = Place::new();
    place.runs(&["sh", "-c", "sleep 600 & echo $! > $OUT/child; wait"]);
    let started: Child = place.worker(&MAIN).spawn().unwrap();
    let child = place.waits_for("child");
    let told = Command::new("kill").args(["-TERM", &started.id().to_string()]).status().unwrap();
    assert!(told.success());
    let worked = place.worked(started.wait_with_output().unwrap());
    assert_eq!((worked.code(), &worked.result["outcome"]), (Some(143), &json!("failed")), "{}", worked.said());
    assert!(worked.result["why"].as_str().unwrap().contains("SIGTERM"));
    assert!(!is_running(&child));
}

#[test]
fn the_registry_is_where_the_stack_says() {
    let place = Place::new();
    *place.registry.lock().unwrap() = "/teams/billing/pipeline".to_owned();
    place.works(&MAIN).is_refused("not in the registry");
    let output = place.worker(&MAIN).env("PLUMB_REGISTRY", "/teams/billing/pipeline").output().unwrap();
    let worked = place.worked(output);
    assert_eq!(worked.code(), Some(0), "{}", worked.said());
}

#[test]
fn what_the_command_prints_is_seen_while_it_runs() {
    let place = Place::new();
    place.runs(&["sh", "-c", "echo begun; echo aside >&2; while [ ! -e $OUT/go ]; do sleep 0.05; done; echo ended"]);
    let mut worker = place.worker(&MAIN).spawn().unwrap();
    let mut out = BufReader::new(worker.stdout.take().unwrap());
    let mut line = String::new();
    out.read_line(&mut line).unwrap();
    assert_eq!(line, "begun\n");
    let aside = BufReader::new(worker.stderr.take().unwrap()).lines().map_while(Result::ok).any(|line| line == "aside");
    assert!(aside && worker.try_wait().unwrap().is_none());
    std::fs::write(place.path("go"), "").unwrap();
    line.clear();
    out.read_line(&mut line).unwrap();
    assert_eq!((line.as_str(), worker.wait().unwrap().code()), ("ended\n", Some(0)));
}

#[test]
fn a_commit_has_to_be_on_the_branch() {
    let place = Place::new();
    let first = place.repository.git(&["rev-parse", "HEAD"]);
    place.repository.git(&["checkout", "-q", "-b", "feature/x"]);
    let elsewhere = place.repository.commits(&[("README", "evil")]);
    place.repository.git(&["checkout", "-q", "main"]);
    let second = place.repository.commits(&[("README", "two")]);
    let third = place.repository.commits(&[("README", "three")]);
    place.runs(&["cat", "README"]);
    for (commit, text, how) in [(&third, "three", "alone"), (&second, "two", "history"), (&first, "one", "history")] {
        let worked = place.works(&at(commit));
        assert_eq!((worked.code(), worked.out().as_str()), (Some(0), text), "{}", worked.said());
        assert!(worked.said().contains(how), "{}", worked.said());
        assert_eq!(worked.result["commit"], **commit);
    }
    place.works(&at(&elsewhere)).is_refused("is not on branch main");
    place.works(&at(&"0".repeat(40))).is_refused("is not on branch main");
    place.works(&at(&"0".repeat(64))).is_refused("SHA-256");
    // What is told is what is there: of the tip alone one commit.
    place.runs(&["git", "rev-list", "--count", "HEAD"]);
    assert_eq!((place.works(&MAIN).out(), place.works(&at(&first)).out()), ("1\n".to_owned(), "1\n".to_owned()));
    assert_eq!(place.works(&at(&second)).out(), "2\n");
    // A server that would give any commit that it has is asked for the branch alone.
    place.repository.git(&["config", "uploadpack.allowAnySHA1InWant", "true"]);
    place.works(&at(&elsewhere)).is_refused("is not on branch main");
}

#[test]
fn what_the_registry_does_not_allow_is_not_run() {
    let place = Place::new();
    place.repository.git(&["branch", "feature/x"]);
    place.runs(&["echo", "ran"]);
    place.works(&["--project", "shop", "--branch", "feature/x"]).is_refused("does not allow branch");
    place.works(&["--project", "other", "--branch", "main"]).is_refused("not in the registry");
    place.works(&["--project", "shop", "--branch", "release/none"]).is_refused("has no branch");
    place.says("timeout", "soon");
    place.works(&MAIN).is_refused("`timeout`");
    place.says("timeout", "60");
    for (url, why) in [
        ("https://mara:hunter2@git.example/shop", "no https://"),
        ("ext::sh -c id", "no such URL"),
        ("http://git.example/shop", "without encryption"),
    ] {
        place.says("repository", url);
        place.works(&MAIN).is_refused(why);
    }
    place.says("repository", &place.git.url("shop"));
    let mut elsewhere = place.worker(&MAIN);
    let worked = place.worked(elsewhere.env_remove("PLUMB_LOCAL").output().unwrap());
    worked.is_refused("PLUMB_LOCAL");
    let misused = place.worker(&["--project", "../x", "--branch", "main"]).output().unwrap();
    assert_eq!(misused.status.code(), Some(2));
}

#[test]
fn the_command_runs_in_the_repository_or_nowhere() {
    let place = Place::new();
    for (name, target) in [("up", ".."), ("etc", "/etc"), ("hooks", ".git/hooks")] {
        std::os::unix::fs::symlink(target, place.repository.directory.join(name)).unwrap();
    }
    place.repository.commits(&[]);
    place.runs(&["pwd"]);
    for (directory, why) in [
        ("up", "leads out"),
        ("etc", "leads out"),
        ("hooks", "leads out"),
        (".git", "git's own"),
        ("nowhere", "is not in"),
        ("README", "no directory"),
        ("../..", "without .."),
        ("/etc", "without .."),
    ] {
        place.says("directory", directory);
        place.works(&MAIN).is_refused(why);
    }
}

#[test]
fn a_repository_of_this_machine_is_read_whole() {
    let place = Place::new();
    place.says("repository", &format!("file://{}", place.repository.directory.display()));
    place.runs(&["cat", "README"]);
    let worked = place.works(&MAIN);
    assert_eq!((worked.code(), worked.out().as_str()), (Some(0), "one"), "{}", worked.said());
    assert!(worked.said().contains("with its history"));
}

#[test]
fn help_says_how_it_is_asked() {
    let output = Command::new(env!("CARGO_BIN_EXE_plumb-worker")).arg("--help").output().unwrap();
    assert!(output.status.success() && String::from_utf8_lossy(&output.stdout).contains("PLUMB_LOCAL=1"));
    let unknown = Command::new(env!("CARGO_BIN_EXE_plumb-worker")).arg("--shell").env_clear().output().unwrap();
    assert_eq!(unknown.status.code(), Some(2));
}
