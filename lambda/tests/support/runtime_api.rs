//! Lambda's Runtime API on loopback, and a real `bootstrap` that runs against it: an event in, what the function made of
//! it out, and what it cost.

use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::http::{Request, Response, serve};

/// What became of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The function's answer.
    Answered(String),
    /// The function said that it failed.
    Failed(String),
    /// It gave no answer in the time that it had, and was ended, as Lambda does.
    TimedOut,
    /// Its process ended.
    Crashed(ExitStatus),
}

impl Outcome {
    /// The answer; anything else is a failure of the test.
    #[track_caller]
    pub fn answer(self) -> serde_json::Value {
        match self {
            Self::Answered(text) => serde_json::from_str(&text).expect("an answer in JSON"),
            other => panic!("{other:?}"),
        }
    }
}

#[derive(Default)]
struct State {
    next: u64,
    waiting: VecDeque<(String, String)>,
    done: HashMap<String, Outcome>,
    ended: bool,
}

type Shared = Arc<(Mutex<State>, Condvar)>;

/// A function's process; ended with the value.
pub struct Function {
    child: Mutex<Child>,
    shared: Shared,
    timeout: Duration,
    log: Arc<Mutex<Vec<u8>>>,
}

impl Function {
    /// Starts a bootstrap with this environment and no other.
    pub fn start(binary: &Path, timeout: Duration, environment: &[(String, String)]) -> Self {
        let shared = Shared::default();
        let (own, deadline) = (Arc::clone(&shared), timeout);
        let address = serve(move |request| answer(&own, &request, deadline));
        let mut command = Command::new(binary);
        command.env_clear().env("AWS_LAMBDA_RUNTIME_API", address.to_string());
        command.envs([
            ("AWS_LAMBDA_FUNCTION_NAME", "crypto"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/crypto"),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "stream"),
        ]);
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap_or_else(|error| panic!("{}: {error}", binary.display()));
        let log = Arc::new(Mutex::new(Vec::new()));
        collect(child.stdout.take(), &log);
        collect(child.stderr.take(), &log);
        Self { child: Mutex::new(child), shared, timeout, log }
    }

    /// Sends an event and waits for what becomes of it.
    pub fn invoke(&self, event: &str) -> Outcome {
        let (state, changed) = &*self.shared;
        let mut state = state.lock().expect("no panic while it is held");
        state.next += 1;
        let id = format!("00000000-0000-4000-8000-{:012}", state.next);
        state.waiting.push_back((id.clone(), event.to_owned()));
        changed.notify_all();
        let end = Instant::now() + self.timeout;
        loop {
            if let Some(outcome) = state.done.remove(&id) {
                return outcome;
            }
            if let Ok(Some(status)) = self.child.lock().expect("no panic while it is held").try_wait() {
                return Outcome::Crashed(status);
            }
            if Instant::now() >= end {
                drop(state);
                self.end();
                return Outcome::TimedOut;
            }
            // A process that ends tells nobody, so this looks now and then.
            (state, _) = changed.wait_timeout(state, Duration::from_millis(20)).expect("no panic while it is held");
        }
    }

    /// Everything that it has written, once this text is in it: what it wrote before an answer may arrive after it.
    #[track_caller]
    pub fn log_with(&self, text: &str) -> String {
        let end = Instant::now() + self.timeout;
        loop {
            let log = self.log();
            if log.contains(text) {
                return log;
            }
            assert!(Instant::now() < end, "waited in vain for {text} in\n{log}");
            std::thread::yield_now();
        }
    }

    /// Everything that it has written.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&self.log.lock().expect("no panic while it is held")).into_owned()
    }

    /// The most memory that it has had, in KiB.
    pub fn peak_memory(&self) -> u64 {
        let pid = self.child.lock().expect("no panic while it is held").id();
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("Linux");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("a running process");
        line.trim().trim_end_matches(" kB").parse().expect("a number")
    }

    fn end(&self) {
        let (state, changed) = &*self.shared;
        if let Ok(mut state) = state.lock() {
            state.ended = true;
            changed.notify_all();
        }
        let mut child = self.child.lock().expect("no panic while it is held");
        let _ = child.kill();
        let _ = child.wait();
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        self.end();
    }
}

fn collect(pipe: Option<impl std::io::Read + Send + 'static>, log: &Arc<Mutex<Vec<u8>>>) {
    let (mut pipe, log) = (pipe.expect("a pipe"), Arc::clone(log));
    std::thread::spawn(move || {
        let mut part = [0; 8192];
        while let Ok(length @ 1..) = pipe.read(&mut part) {
            log.lock().expect("no panic while it is held").extend_from_slice(&part[..length]);
        }
    });
}

/// The API: the next event, held until there is one, and the outcome of one.
fn answer(shared: &Shared, request: &Request, timeout: Duration) -> Option<Response> {
    let path = request.path.strip_prefix("/2018-06-01/runtime/")?;
    let (state, changed) = &**shared;
    let mut state = state.lock().ok()?;
    if (request.method.as_str(), path) == ("GET", "invocation/next") {
        let (id, event) = loop {
            if state.ended {
                return None;
            }
            if let Some(next) = state.waiting.pop_front() {
                break next;
            }
            state = changed.wait(state).ok()?;
        };
        let deadline = SystemTime::now().duration_since(UNIX_EPOCH).ok()? + timeout;
        let mut response = Response::json(200, event);
        response.headers.extend([
            ("lambda-runtime-aws-request-id", id),
            ("lambda-runtime-deadline-ms", deadline.as_millis().to_string()),
            ("lambda-runtime-trace-id", "Root=1-00000000-000000000000000000000000".to_owned()),
            (
                "lambda-runtime-invoked-function-arn",
                "arn:aws:lambda:eu-central-1:000000000000:function:crypto".to_owned(),
            ),
        ]);
        return Some(response);
    }
    let (id, kind) = path.strip_prefix("invocation/")?.split_once('/')?;
    let outcome = match kind {
        "response" => Outcome::Answered(request.body.clone()),
        _ => Outcome::Failed(request.body.clone()),
    };
    state.done.insert(id.to_owned(), outcome);
    changed.notify_all();
    Some(Response::json(202, "{}"))
}
