//! The processes of a local account: starting them, telling them from others, ending them.

use std::fs;
use std::io::Write as _;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tokio::time::sleep;

use super::record::{self, Record};
use super::{ACCESS_KEY_ID, Error, Note, Paths, REGION, SECRET_ACCESS_KEY, UpOptions, health};

/// Runs in the virtual environment and ties the processes' lives together.
const SUPERVISOR: &str = include_str!("supervise.py");
/// A cold start on a slow disk reads some thousand Python files.
const START_LIMIT: Duration = Duration::from_secs(90);
/// The supervisor gives the emulator 5 s to end by itself.
const TERM_LIMIT: Duration = Duration::from_secs(10);
/// After SIGKILL only the kernel has work left.
const KILL_LIMIT: Duration = Duration::from_secs(5);
/// Longer than an orderly end takes.
const SETTLE_LIMIT: Duration = Duration::from_secs(12);
const POLL: Duration = Duration::from_millis(20);
/// A free port may be taken by another between finding and binding it.
const PORT_ATTEMPTS: usize = 5;
/// Lines of the log that an error shows.
const TAIL_LINES: usize = 15;

/// The pipe that keeps a local account alive: when it closes, by drop or by the end of this process, all ends.
#[derive(Debug)]
pub(super) struct Lease {
    pipe: std::process::ChildStdin,
}

impl Lease {
    /// Lets the local account live on without the pipe.
    pub(super) fn detach(mut self) -> std::io::Result<()> {
        self.pipe.write_all(b"d")
    }
}

/// Starts the emulator under its supervisor and waits until it answers.
pub(super) async fn start(
    paths: &Paths,
    python: &Path,
    options: &UpOptions,
    progress: &(impl Fn(Note) + Sync),
) -> Result<(Record, Lease), Error> {
    let mut attempt = 1;
    loop {
        match start_once(paths, python, options, progress).await {
            Err(Error::Died { tail, .. }) if attempt < PORT_ATTEMPTS && tail.contains("in use") => attempt += 1,
            result => return result,
        }
    }
}

async fn start_once(
    paths: &Paths,
    python: &Path,
    options: &UpOptions,
    progress: &(impl Fn(Note) + Sync),
) -> Result<(Record, Lease), Error> {
    let port = free_port().map_err(Error::io("find a free port on", Path::new("127.0.0.1")))?;
    progress(Note::Starting(port));
    let id = random_id().map_err(Error::io("read random bytes for", &paths.state))?;
    let mut supervisor = spawn(paths, python, options, port, &id)?;
    // Piped by `spawn`, so it is there; without it the supervisor would end at once, which is noticed below.
    let pipe = supervisor.stdin.take();
    let record = Record {
        id,
        supervisor: supervisor.id(),
        port,
        started_at: now(),
        enforce_iam: options.enforce_iam,
        persist: options.persist.clone(),
    };
    let begun = Instant::now();
    while !health::answers(port, &record.id).await {
        let log = record::log(paths);
        if pipe.is_none() || !matches!(supervisor.try_wait(), Ok(None)) {
            drop(pipe);
            reap(supervisor);
            end(&record).await?;
            return Err(Error::Died { tail: tail(&log), log });
        }
        if begun.elapsed() > START_LIMIT {
            drop(pipe);
            reap(supervisor);
            end(&record).await?;
            return Err(Error::Deaf { port, seconds: START_LIMIT.as_secs(), tail: tail(&log), log });
        }
        sleep(POLL).await;
    }
    reap(supervisor);
    match pipe {
        Some(pipe) => Ok((record, Lease { pipe })),
        None => Err(Error::NotRunning),
    }
}

fn spawn(paths: &Paths, python: &Path, options: &UpOptions, port: u16, id: &str) -> Result<Child, Error> {
    let script = paths.state.join("supervise.py");
    record::private(&script)
        .and_then(|mut file| file.write_all(SUPERVISOR.as_bytes()))
        .map_err(Error::io("write", &script))?;
    let log = record::log(paths);
    let (said, wrong) =
        record::private(&log).and_then(|file| Ok((file.try_clone()?, file))).map_err(Error::io("write", &log))?;
    let (home, temporary) = (paths.state.join("home"), paths.state.join("tmp"));
    // The emulator never cleans up what it unpacks.
    if temporary.exists() {
        fs::remove_dir_all(&temporary).map_err(Error::io("empty", &temporary))?;
    }
    record::private_directory(&home)?;
    record::private_directory(&temporary)?;

    let mut command = Command::new(python);
    command.args(["-I".as_ref(), script.as_os_str(), "watch".as_ref(), id.as_ref()]);
    // A clean environment: the emulator takes AWS_ACCESS_KEY_ID for its root's, and hands its own environment and
    // home to the functions that it runs.
    command.env_clear();
    for inherited in ["PATH", "LANG", "LC_ALL", "LD_LIBRARY_PATH"] {
        if let Some(value) = std::env::var_os(inherited) {
            command.env(inherited, value);
        }
    }
    command
        .env("HOME", &home)
        .env("TMPDIR", &temporary)
        .env("PLUMB_LOCAL_ID", id)
        .env("MINISTACK_EDITION", health::edition(id))
        .env("BIND_HOST", "127.0.0.1")
        .env("GATEWAY_PORT", port.to_string())
        .env("MINISTACK_REGION", REGION)
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID)
        .env("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY)
        .env("CLOUDTRAIL_RECORDING", "1")
        // Its own 10,000 are used up by consoles that look on for some hours, and then nobody knows who moved what.
        .env("CLOUDTRAIL_MAX_EVENTS", "100000")
        // Listeners beside the one port, and the user's own containers, are none of ours.
        .env("SFTP_ENABLED", "0")
        .env("IOT_MTLS_ENABLED", "0")
        .env("DOCKER_HOST", format!("unix://{}", temporary.join("no-docker").display()))
        .env("S3_DATA_DIR", temporary.join("s3"));
    if options.enforce_iam {
        command.env("AUTH", "true");
    }
    if let Some(directory) = &options.persist {
        record::private_directory(directory)?;
        command
            .env("PERSIST_STATE", "1")
            .env("STATE_DIR", directory)
            .env("S3_PERSIST", "1")
            .env("S3_DATA_DIR", directory.join("s3"));
    }
    command.current_dir(&home).stdin(Stdio::piped()).stdout(said).stderr(wrong);
    command.spawn().map_err(Error::io("start", python))
}

/// Whether the recorded account answers, once it is clear that it does or that it is gone: one whose starter just ended
/// takes a moment to go.
pub(super) async fn settled(record: &Record) -> Result<bool, Error> {
    let deadline = Instant::now() + SETTLE_LIMIT;
    loop {
        if health::answers(record.port, &record.id).await {
            return Ok(true);
        }
        if !of(&record.id).contains(&record.supervisor) {
            return Ok(false);
        }
        if Instant::now() > deadline {
            return Err(Error::Silent { pid: record.supervisor, port: record.port });
        }
        sleep(POLL).await;
    }
}

/// Ends everything that belongs to the record. Whether there was anything.
///
/// Asks the supervisor, which ends the rest; without one, each process is asked. What is left is killed.
pub(super) async fn end(record: &Record) -> Result<bool, Error> {
    end_within(record, TERM_LIMIT).await
}

async fn end_within(record: &Record, patience: Duration) -> Result<bool, Error> {
    let found = of(&record.id);
    if found.is_empty() {
        return Ok(false);
    }
    let supervised = found.contains(&record.supervisor);
    for pid in found.iter().filter(|pid| !supervised || **pid == record.supervisor) {
        signal(*pid, Signal::TERM);
    }
    if !gone(&record.id, patience).await {
        let deadline = Instant::now() + KILL_LIMIT;
        loop {
            let left = of(&record.id);
            if left.is_empty() {
                break;
            }
            if Instant::now() > deadline {
                return Err(Error::Immortal { pids: left });
            }
            for pid in left {
                signal(pid, Signal::KILL);
            }
            sleep(POLL).await;
        }
    }
    Ok(true)
}

async fn gone(id: &str, limit: Duration) -> bool {
    let deadline = Instant::now() + limit;
    let mut unseen = 0;
    while Instant::now() < deadline {
        // While a process executes another program its environment is empty for a moment: it has to be gone twice.
        unseen = if of(id).is_empty() { unseen + 1 } else { 0 };
        if unseen == 2 {
            return true;
        }
        sleep(POLL).await;
    }
    false
}

/// The living processes that carry the id in the environment they were started with.
pub(super) fn of(id: &str) -> Vec<u32> {
    let mark = format!("PLUMB_LOCAL_ID={id}");
    if Path::new("/proc/self/environ").exists() { in_proc(&mark) } else { in_ps(&mark) }
}

fn in_proc(mark: &str) -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    // Another user's process cannot be read, and so is none of ours.
    pids.filter(|pid| {
        fs::read(format!("/proc/{pid}/environ"))
            .is_ok_and(|environ| environ.split(|byte| *byte == 0).any(|variable| variable == mark.as_bytes()))
    })
    .collect()
}

/// The same where there is no `/proc`: BSD's `ps -E` shows the environment behind the command.
fn in_ps(mark: &str) -> Vec<u32> {
    let listing = Command::new("ps").args(["-axEww", "-o", "pid=,command="]).stdin(Stdio::null()).output();
    let text = listing.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    text.lines()
        .filter(|line| line.contains(mark))
        .filter_map(|line| line.split_whitespace().next()?.parse().ok())
        .collect()
}

fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        // It may have ended by itself since it was seen; whether it is gone is looked at afterwards.
        let _ = kill_process(pid, signal);
    }
}

/// Waits for a child on the side, so that it does not stay a zombie.
fn reap(mut child: Child) {
    std::thread::spawn(move || child.wait());
}

fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn random_id() -> std::io::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(std::io::Error::other)?;
    Ok(bytes.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}")))
}

fn now() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

fn tail(log: &Path) -> String {
    let text = fs::read(log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: &str, supervisor: u32) -> Record {
        let id = id.to_owned();
        Record { id, supervisor, port: 1, started_at: 0, enforce_iam: false, persist: None }
    }

    #[tokio::test]
    async fn only_processes_that_carry_the_id_are_ended() {
        let id = random_id().unwrap();
        let mut stranger = Command::new("sleep").arg("600").spawn().unwrap();
        let mut stubborn = Command::new("sh")
            // It waits by itself: while a process executes another program its environment is empty for a moment.
            .args(["-c", "trap '' TERM; read line"])
            .env("PLUMB_LOCAL_ID", &id)
            .stdin(std::process::Stdio::piped())
            .spawn()
            .unwrap();
        // Until it is the shell, it has our environment.
        let deadline = Instant::now() + KILL_LIMIT;
        while of(&id) != [stubborn.id()] {
            assert!(Instant::now() < deadline, "{:?}", of(&id));
            sleep(POLL).await;
        }
        assert!(end_within(&record(&id, stranger.id()), Duration::from_millis(200)).await.unwrap());
        assert!(!stubborn.wait().unwrap().success());
        assert!(!end(&record(&id, stranger.id())).await.unwrap());
        assert_eq!(stranger.try_wait().unwrap(), None);
        stranger.kill().unwrap();
        stranger.wait().unwrap();
    }

    #[test]
    fn the_tail_of_a_log_is_its_last_lines() {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("log");
        let lines: Vec<String> = (0..40).map(|number| number.to_string()).collect();
        fs::write(&log, lines.join("\n")).unwrap();
        assert_eq!(tail(&log).lines().next(), Some("25"));
        assert_eq!(tail(&directory.path().join("none")), "");
    }
}
