//! The local account for real: installed once under the build directory, started and ended per test.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use plumb::local::{Error, Note, Paths, Status, UpOptions, down, env_exports, reset, status, up};

/// Names the state directory to the process that `starter` becomes.
const STARTER: &str = "PLUMB_TEST_STARTER_STATE";
/// And another data directory than the shared one.
const STARTER_DATA: &str = "PLUMB_TEST_STARTER_DATA";

struct Place {
    paths: Paths,
    _directory: tempfile::TempDir,
}

/// An own state directory, and the installation that all tests share.
fn place() -> Place {
    let directory = tempfile::tempdir().unwrap();
    Place { paths: Paths { data: data(), state: directory.path().join("state") }, _directory: directory }
}

fn data() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("local-account")
}

fn detached() -> UpOptions {
    UpOptions { detached: true, ..UpOptions::default() }
}

/// Everything that was started for this state directory: its processes name it in their command or environment.
fn processes(state: &Path) -> Vec<u32> {
    let needle = state.to_str().unwrap().as_bytes();
    let names = |pid: &u32| {
        ["environ", "cmdline"].iter().any(|file| {
            std::fs::read(format!("/proc/{pid}/{file}"))
                .is_ok_and(|bytes| bytes.windows(needle.len()).any(|window| window == needle))
        })
    };
    let entries = std::fs::read_dir("/proc").unwrap().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| *pid != std::process::id()).filter(names).collect()
}

fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_mins(1), "waited 60 s and still not: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn kill(pid: u32) {
    let done = Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
    assert!(done.success());
}

/// The processes that this one started.
fn children(pid: u32) -> Vec<u32> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    text.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}

/// One call of Parameter Store's JSON protocol.
fn ask(port: u16, operation: &str, body: &str) -> String {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    let request = format!(
        "POST / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\nContent-Length: {}\r\n\
         Content-Type: application/x-amz-json-1.1\r\nX-Amz-Target: AmazonSSM.{operation}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn it_comes_up_is_attached_to_emptied_and_goes_down() {
    let place = place();
    let paths = &place.paths;
    assert!(matches!(status(paths).await.unwrap(), Status::Stopped));
    assert!(matches!(reset(paths).await, Err(Error::NotRunning)));
    assert!(!down(paths).await.unwrap(), "there is nothing to end yet");

    let notes = Mutex::new(Vec::new());
    let first = up(paths, detached(), |note| notes.lock().unwrap().push(note)).await.unwrap();
    assert_eq!(notes.lock().unwrap().last(), Some(&Note::Ready(first.port)));
    assert_eq!(first.endpoint_url, format!("http://127.0.0.1:{}", first.port));
    assert!(format!("{first:?}").contains("secret_access_key: \"••••\""));
    assert!(env_exports(&first).contains(&format!("export AWS_ENDPOINT_URL='{}'\n", first.endpoint_url)));

    let second = up(paths, detached(), |note| notes.lock().unwrap().push(note)).await.unwrap();
    assert_eq!((second.pid, second.port), (first.pid, first.port));
    assert_eq!(notes.lock().unwrap().last(), Some(&Note::Attached(first.port)));

    let other = up(paths, UpOptions { enforce_iam: true, ..detached() }, |_| ()).await;
    assert!(matches!(other, Err(Error::Different { .. })), "{other:?}");

    reset(paths).await.unwrap();
    assert!(matches!(status(paths).await.unwrap(), Status::Running(running) if running.pid == first.pid));
    assert!(down(paths).await.unwrap());
    assert!(!down(paths).await.unwrap(), "the second time there is nothing to end");
    assert_eq!(processes(&paths.state), [0_u32; 0]);
    assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, first.port)).is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn with_iam_enforced_it_comes_up_and_is_emptied_as_well() {
    let place = place();
    let running = up(&place.paths, UpOptions { enforce_iam: true, ..detached() }, |_| ()).await.unwrap();
    assert!(running.enforce_iam);
    reset(&place.paths).await.unwrap();
    assert!(down(&place.paths).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_at_once_one_starts_it_and_the_other_attaches() {
    let place = place();
    let notes = Mutex::new(Vec::new());
    let note = |note| notes.lock().unwrap().push(note);
    let (one, two) = tokio::join!(up(&place.paths, detached(), note), up(&place.paths, detached(), note));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!((one.pid, one.port), (two.pid, two.port));
    let notes = notes.into_inner().unwrap();
    assert_eq!(notes.iter().filter(|note| matches!(note, Note::Ready(_))).count(), 1, "{notes:?}");
    assert_eq!(notes.iter().filter(|note| matches!(note, Note::Attached(_))).count(), 1, "{notes:?}");
    assert!(down(&place.paths).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_is_for_the_user_alone_and_nothing_listens_beyond_loopback() {
    let place = place();
    let running = up(&place.paths, detached(), |_| ()).await.unwrap();
    for (name, mode) in [("local.json", 0o600), ("emulator.log", 0o600), ("supervise.py", 0o600), ("tmp", 0o700)] {
        let found = std::fs::metadata(place.paths.state.join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(found, mode, "{name}");
    }
    let tables: String =
        ["/proc/net/tcp", "/proc/net/tcp6"].map(|file| std::fs::read_to_string(file).unwrap()).concat();
    let port = format!(":{:04X}", running.port);
    let listening: Vec<&str> = tables
        .lines()
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            (fields.get(3) == Some(&"0A") && fields[1].ends_with(&port)).then_some(fields[1])
        })
        .collect();
    assert_eq!(listening, [format!("0100007F{port}")]);
    assert!(down(&place.paths).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_users_own_credentials_do_not_reach_it() {
    let place = place();
    let running = up(&place.paths, detached(), |_| ()).await.unwrap();
    for pid in processes(&place.paths.state) {
        let environ = String::from_utf8_lossy(&std::fs::read(format!("/proc/{pid}/environ")).unwrap()).into_owned();
        let home = environ.split('\0').find(|variable| variable.starts_with("HOME="));
        assert_eq!(home, Some(format!("HOME={}", place.paths.state.join("home").display()).as_str()));
        let names: Vec<&str> = environ.split('\0').filter_map(|variable| variable.split_once('=')?.0.into()).collect();
        assert!(!names.iter().any(|name| name.starts_with("CARGO")), "{names:?}");
    }
    assert!(processes(&place.paths.state).contains(&running.pid));
    assert!(down(&place.paths).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_of_a_process_that_is_another_by_now_is_stale_and_that_process_lives() {
    let place = place();
    let before = up(&place.paths, detached(), |_| ()).await.unwrap();
    let record = std::fs::read_to_string(place.paths.state.join("local.json")).unwrap();
    assert!(down(&place.paths).await.unwrap());

    let mut bystander = Command::new("sleep").arg("600").spawn().unwrap();
    let squatter = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let taken = squatter.local_addr().unwrap().port();
    let stale = record
        .replace(&format!("\"supervisor\": {}", before.pid), &format!("\"supervisor\": {}", bystander.id()))
        .replace(&format!("\"port\": {}", before.port), &format!("\"port\": {taken}"));
    assert_ne!(stale, record);
    std::fs::write(place.paths.state.join("local.json"), &stale).unwrap();
    std::thread::spawn(move || {
        for stream in squatter.incoming() {
            let _ = stream.unwrap().write_all(b"HTTP/1.1 200 OK\r\n\r\n{\"edition\": \"light\"}");
        }
    });
    assert!(matches!(status(&place.paths).await.unwrap(), Status::Crashed { .. }));

    let after = up(&place.paths, detached(), |_| ()).await.unwrap();
    assert_ne!(after.port, taken);
    assert_eq!(bystander.try_wait().unwrap(), None, "a stranger was ended");
    assert!(down(&place.paths).await.unwrap());
    bystander.kill().unwrap();
    bystander.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn it_ends_with_the_value_that_holds_it() {
    let place = place();
    let running = up(&place.paths, UpOptions::default(), |_| ()).await.unwrap();
    assert!(running.is_leased());
    drop(running.clone());
    assert!(matches!(status(&place.paths).await.unwrap(), Status::Running(_)), "a copy still holds it");
    drop(running);
    wait_until("no process is left", || processes(&place.paths.state).is_empty());
}

/// Not a test of its own: what others run in a process of its own, to kill it or to give it another environment.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "run by other tests, in a process of its own"]
async fn starter() {
    let Some(state) = std::env::var_os(STARTER) else { return };
    let data = std::env::var_os(STARTER_DATA).map_or_else(data, PathBuf::from);
    match up(&Paths { data, state: state.into() }, UpOptions::default(), |_| ()).await {
        Ok(_held) => std::future::pending::<()>().await,
        Err(error) => panic!("{error}\ntry: {}", error.hint().unwrap_or_default()),
    }
}

fn run_starter(state: &Path) -> Command {
    let path = module_path!().split_once("::").map_or("", |(_, path)| path);
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", &format!("{path}::starter")]).env(STARTER, state).stdout(Stdio::piped());
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn a_starter_that_is_killed_leaves_no_process() {
    let place = place();
    let mut child = run_starter(&place.paths.state).spawn().unwrap();
    let record = place.paths.state.join("local.json");
    wait_until("the starter has started it", || {
        assert_eq!(child.try_wait().unwrap(), None, "the starter ended by itself");
        record.exists()
    });
    assert!(!processes(&place.paths.state).is_empty());
    kill(child.id());
    assert_eq!(child.wait().unwrap().signal(), Some(9));
    wait_until("no process is left", || processes(&place.paths.state).is_empty());
    assert!(matches!(status(&place.paths).await.unwrap(), Status::Crashed { .. }));
    assert!(!down(&place.paths).await.unwrap());
}

#[test]
fn a_machine_that_lacks_something_is_told_what_to_install() {
    // Python 3 as Debian ships it without python3-venv, one that is too old, and none at all.
    let without_venv = "#!/bin/sh\ncase \"$*\" in *ensurepip*) exit 1;; *version_info*) exit 0;; esac\nexit 9\n";
    let too_old = "#!/bin/sh\nexit 1\n";
    let without_index = "#!/bin/sh\ncase \"$*\" in *'-m venv'*) echo no such index >&2; exit 1;; esac\nexit 0\n";
    let cases = [
        ("no Python", None, ["no Python 3.10 or newer found", "apt install python3 python3-venv"]),
        ("an old Python", Some(too_old), ["no Python 3.10 or newer found", "python3-venv"]),
        ("no venv module", Some(without_venv), ["python3 has no working `venv` module", "apt install python3-venv"]),
        ("a failing tool", Some(without_index), ["python3 -I -m venv venv failed\nno such index", "PIP_*"]),
    ];
    for (name, python, expected) in cases {
        let directory = tempfile::tempdir().unwrap();
        let bin = directory.path().join("bin");
        std::fs::create_dir(&bin).unwrap();
        if let Some(script) = python {
            std::fs::write(bin.join("python3"), script).unwrap();
            std::fs::set_permissions(bin.join("python3"), std::fs::Permissions::from_mode(0o755)).unwrap();
        }
        let mut starter = run_starter(&directory.path().join("state"));
        starter.env("PATH", &bin).env(STARTER_DATA, directory.path().join("data"));
        let output = starter.stderr(Stdio::piped()).output().unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        for words in expected {
            assert!(said.contains(words), "{name}: {said}");
        }
        let left: Vec<_> = std::fs::read_dir(directory.path().join("data")).unwrap().flatten().collect();
        assert_eq!(left.len(), 1, "{name}: only the lock file is left, not {left:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_emulator_or_its_supervisor_is_killed_all_of_it_goes() {
    for victim in ["the emulator", "the supervisor", "both"] {
        let place = place();
        let running = up(&place.paths, detached(), |_| ()).await.unwrap();
        let emulator = children(running.pid);
        assert_eq!(emulator.len(), 1, "{victim}");
        match victim {
            "the emulator" => kill(emulator[0]),
            "the supervisor" => kill(running.pid),
            _ => {
                kill(running.pid);
                let _ = Command::new("kill").args(["-9", &emulator[0].to_string()]).stderr(Stdio::null()).status();
            }
        }
        wait_until(victim, || processes(&place.paths.state).is_empty());
        let again = up(&place.paths, detached(), |_| ()).await.unwrap();
        assert_ne!(again.pid, running.pid, "{victim}");
        assert!(down(&place.paths).await.unwrap(), "{victim}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_stuck_is_told_from_one_that_is_gone_and_can_be_ended() {
    let place = place();
    let running = up(&place.paths, detached(), |_| ()).await.unwrap();
    let emulator = children(running.pid)[0].to_string();
    assert!(Command::new("kill").args(["-STOP", &emulator]).status().unwrap().success());
    assert!(matches!(status(&place.paths).await.unwrap(), Status::Silent { pid, .. } if pid == running.pid));
    assert!(down(&place.paths).await.unwrap());
    assert_eq!(processes(&place.paths.state), [0_u32; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_just_ending_is_waited_for() {
    let place = place();
    let first = up(&place.paths, UpOptions::default(), |_| ()).await.unwrap();
    let pid = first.pid;
    drop(first);
    let second = up(&place.paths, detached(), |_| ()).await.unwrap();
    // Either it was still up to the request, and is attached to until it is gone, or it is another.
    wait_until("the first has ended", || !processes(&place.paths.state).contains(&pid));
    if second.pid == pid {
        up(&place.paths, detached(), |_| ()).await.unwrap();
    }
    assert!(matches!(status(&place.paths).await.unwrap(), Status::Running(running) if running.pid != pid));
    assert!(down(&place.paths).await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_orphan_of_a_crash_is_ended_by_the_next_down() {
    let place = place();
    up(&place.paths, detached(), |_| ()).await.unwrap();
    let record = std::fs::read_to_string(place.paths.state.join("local.json")).unwrap();
    assert!(down(&place.paths).await.unwrap());
    std::fs::write(place.paths.state.join("local.json"), &record).unwrap();
    let id = record.split('"').skip_while(|word| *word != "id").nth(2).unwrap();
    let mut orphan = Command::new("sleep").arg("600").env("PLUMB_LOCAL_ID", id).spawn().unwrap();
    assert!(down(&place.paths).await.unwrap());
    assert_eq!(orphan.wait().unwrap().signal(), Some(15));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_persisted_is_there_after_a_restart() {
    let place = place();
    let kept = place.paths.state.join("kept");
    let options = UpOptions { persist: Some(kept.clone()), ..detached() };
    let before = up(&place.paths, options.clone(), |_| ()).await.unwrap();
    ask(before.port, "PutParameter", r#"{"Name":"/kept","Value":"yes","Type":"String"}"#);
    let without = up(&place.paths, detached(), |_| ()).await;
    assert!(matches!(without, Err(Error::Different { .. })), "{without:?}");
    assert!(down(&place.paths).await.unwrap());
    assert!(kept.is_dir());
    let after = up(&place.paths, options, |_| ()).await.unwrap();
    assert!(ask(after.port, "GetParameter", r#"{"Name":"/kept"}"#).contains("\"yes\""));
    assert!(down(&place.paths).await.unwrap());
}
