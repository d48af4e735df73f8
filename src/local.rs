//! The local account: a pinned AWS emulator on loopback, for the demo and the tests.
//!
//! It is installed on first use into a private virtual environment (every file checked against a hash that this
//! binary carries), runs under a small supervisor (`local/supervise.py`) and is found again through a record in the
//! state directory. It never binds anything but 127.0.0.1, never sees the user's own AWS credentials or home, and
//! leaves no process behind: neither when it is stopped, nor when it, its supervisor or Plumb crashes.
//!
//! Knows nothing of projects or of AWS's own APIs: to everyone else it is an endpoint.

mod health;
mod install;
mod process;
mod record;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use record::Record;

/// The emulator's version, exactly.
pub const VERSION: &str = "1.5.33";
/// The region that the local account is asked in.
pub const REGION: &str = "eu-central-1";
/// The local account's id. Another twelve digits as access key id are another account.
pub const ACCOUNT: &str = "000000000000";
/// Access key id of the local account's root.
pub const ACCESS_KEY_ID: &str = "test";
/// Secret access key of the local account's root.
pub const SECRET_ACCESS_KEY: &str = "test";

/// Where the local account keeps its things. Two values with different `state` are two local accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    /// Directory of what is installed once and shared: the virtual environments.
    pub data: PathBuf,
    /// Directory of what runs: record, lock, log, temporary files. Made with mode 0700.
    pub state: PathBuf,
}

/// How the local account is started.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UpOptions {
    /// Enforce IAM: signatures and policies are checked, as on AWS.
    pub enforce_iam: bool,
    /// Directory that keeps the account's content over a stop; `None`: it is lost.
    pub persist: Option<PathBuf>,
    /// Let it run on after this process; otherwise it ends when the returned [`Running`] is dropped or this process
    /// dies in whatever way.
    pub detached: bool,
}

/// What is going on while the local account comes up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// Another process is bringing it up or down.
    Waiting,
    /// It is being installed, by the named tool.
    Installing(String),
    /// A tool failed; the next one is tried.
    Retrying(String),
    /// It is being started on this port.
    Starting(u16),
    /// It answers on this port.
    Ready(u16),
    /// It ran already, on this port.
    Attached(u16),
}

/// A local account that answers.
#[derive(Clone)]
pub struct Running {
    /// `http://127.0.0.1:PORT`.
    pub endpoint_url: String,
    /// Process id of the supervisor.
    pub pid: u32,
    /// The loopback port.
    pub port: u16,
    /// The region to ask in.
    pub region: String,
    /// The account's twelve digits.
    pub account: String,
    /// Access key id of its root.
    pub access_key_id: String,
    /// Secret access key of its root.
    pub secret_access_key: String,
    /// Whether IAM is enforced.
    pub enforce_iam: bool,
    /// Where its content is kept; `None`: nowhere.
    pub persist: Option<PathBuf>,
    /// The emulator's log.
    pub log: PathBuf,
    /// When it was started, milliseconds since the Unix epoch.
    pub started_at: i64,
    /// Held by who started it without detaching: when the last copy is dropped, it ends.
    lease: Option<Arc<process::Lease>>,
}

impl Running {
    fn of(record: &Record, paths: &Paths, lease: Option<Arc<process::Lease>>) -> Self {
        Self {
            endpoint_url: format!("http://127.0.0.1:{}", record.port),
            pid: record.supervisor,
            port: record.port,
            region: REGION.to_owned(),
            account: ACCOUNT.to_owned(),
            access_key_id: ACCESS_KEY_ID.to_owned(),
            secret_access_key: SECRET_ACCESS_KEY.to_owned(),
            enforce_iam: record.enforce_iam,
            persist: record.persist.clone(),
            log: record::log(paths),
            started_at: record.started_at,
            lease,
        }
    }

    /// Whether it ends together with this value.
    #[must_use]
    pub fn is_leased(&self) -> bool {
        self.lease.is_some()
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Running")
            .field("endpoint_url", &self.endpoint_url)
            .field("pid", &self.pid)
            .field("region", &self.region)
            .field("account", &self.account)
            .field("access_key_id", &self.access_key_id)
            .field("secret_access_key", &crate::secret::MASK)
            .field("enforce_iam", &self.enforce_iam)
            .field("leased", &self.is_leased())
            .finish_non_exhaustive()
    }
}

/// How the local account is.
#[derive(Debug, Clone)]
pub enum Status {
    /// It does not run.
    Stopped,
    /// It runs and answers.
    Running(Box<Running>),
    /// Its processes are there but it does not answer: busy or stuck.
    Silent {
        /// Process id of the supervisor.
        pid: u32,
        /// The port it should answer on.
        port: u16,
    },
    /// It was started and is gone without having been stopped: a crash, or the machine went down.
    Crashed {
        /// When it had been started, milliseconds since the Unix epoch.
        started_at: i64,
        /// Its log.
        log: PathBuf,
    },
}

/// Why the local account is not to be had.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No usable Python.
    #[error("cannot install the local account: no Python 3.10 or newer found (tried {tried})")]
    NoPython {
        /// The names that were tried.
        tried: String,
    },
    /// Python without what makes virtual environments.
    #[error("cannot install the local account: {python} has no working `venv` module")]
    NoVenv {
        /// The interpreter.
        python: String,
    },
    /// A tool of the installation failed.
    #[error("cannot install the local account: {command} failed\n{output}")]
    Install {
        /// The command.
        command: String,
        /// The end of what it wrote.
        output: String,
    },
    /// The emulator ended before it answered.
    #[error("the local account ended while starting; the end of {}:\n{tail}", log.display())]
    Died {
        /// Its log.
        log: PathBuf,
        /// The log's last lines.
        tail: String,
    },
    /// The emulator did not answer in time.
    #[error("the local account did not answer on port {port} within {seconds} s; the end of {}:\n{tail}", log.display())]
    Deaf {
        /// The port.
        port: u16,
        /// How long it was waited for.
        seconds: u64,
        /// Its log.
        log: PathBuf,
        /// The log's last lines.
        tail: String,
    },
    /// It runs, but not as asked for.
    #[error("a local account runs already, but {difference}")]
    Different {
        /// What differs.
        difference: &'static str,
    },
    /// It runs and does not answer. It is not restarted unasked, since its content would be lost.
    #[error("a local account runs already (process {pid}), but does not answer on port {port}")]
    Silent {
        /// Process id of the supervisor.
        pid: u32,
        /// The port it should answer on.
        port: u16,
    },
    /// There is none to act on.
    #[error("the local account does not run")]
    NotRunning,
    /// It refused to be emptied.
    #[error("the local account on port {port} could not be reset: {reason}")]
    Reset {
        /// The port.
        port: u16,
        /// What it answered.
        reason: String,
    },
    /// Processes of it survived every signal.
    #[error("the local account's processes {pids:?} do not end")]
    Immortal {
        /// Their ids.
        pids: Vec<u32>,
    },
    /// A file or process could not be dealt with.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
}

impl Error {
    /// What to try, where there is something.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NoPython { .. } => {
                Some("install Python 3.10 or newer (Debian, Ubuntu: apt install python3 python3-venv), or uv")
            }
            Self::NoVenv { .. } => {
                Some("install Python's venv module (Debian, Ubuntu: apt install python3-venv), or install uv")
            }
            Self::Install { .. } => Some(
                "the package index must be reachable the first time: pip's and uv's own settings (PIP_*, UV_*) are used",
            ),
            Self::Died { .. } | Self::Deaf { .. } => Some("read the log named above; plumb local up tries again"),
            Self::Different { .. } | Self::Silent { .. } | Self::Immortal { .. } => {
                Some("plumb local down, then try again")
            }
            Self::NotRunning => Some("plumb local up"),
            Self::Reset { .. } => Some("plumb local down && plumb local up starts an empty one"),
            Self::Io { .. } => None,
        }
    }

    fn io(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }
}

/// Brings the local account up, or attaches to the one that runs.
///
/// Of several callers at once one starts it and the others attach. Dropping the future leaves nothing behind.
/// `progress` is called from this task, briefly and in order.
pub async fn up(paths: &Paths, options: UpOptions, progress: impl Fn(Note) + Send + Sync) -> Result<Running, Error> {
    // What is started gets a working directory of its own, where a relative path would mean another place.
    let paths = &Paths { data: absolute(&paths.data)?, state: absolute(&paths.state)? };
    let persist = options.persist.as_deref().map(absolute).transpose()?;
    let options = UpOptions { persist, ..options };
    record::prepare(paths)?;
    let _lock = record::lock(&paths.state.join("lock"), &progress).await?;
    if let Some(record) = Record::read(paths)? {
        if process::settled(&record).await? {
            return attach(&record, paths, &options, &progress);
        }
        process::end(&record).await?;
        Record::remove(paths)?;
    }
    let python = install::ensure(paths, &progress).await?;
    let (record, lease) = process::start(paths, &python, &options, &progress).await?;
    record.write(paths)?;
    progress(Note::Ready(record.port));
    if options.detached {
        lease.detach().map_err(Error::io("detach from", &python))?;
        return Ok(Running::of(&record, paths, None));
    }
    Ok(Running::of(&record, paths, Some(Arc::new(lease))))
}

fn attach(record: &Record, paths: &Paths, options: &UpOptions, progress: &impl Fn(Note)) -> Result<Running, Error> {
    if record.enforce_iam != options.enforce_iam {
        let difference = if record.enforce_iam { "it enforces IAM" } else { "it does not enforce IAM" };
        return Err(Error::Different { difference });
    }
    if record.persist != options.persist {
        return Err(Error::Different { difference: "it keeps its content elsewhere" });
    }
    progress(Note::Attached(record.port));
    Ok(Running::of(record, paths, None))
}

fn absolute(path: &Path) -> Result<PathBuf, Error> {
    std::path::absolute(path).map_err(Error::io("find", path))
}

/// How the local account is, without changing anything.
pub async fn status(paths: &Paths) -> Result<Status, Error> {
    let Some(record) = Record::read(paths)? else { return Ok(Status::Stopped) };
    if health::answers(record.port, &record.id).await {
        return Ok(Status::Running(Box::new(Running::of(&record, paths, None))));
    }
    if process::of(&record.id).contains(&record.supervisor) {
        return Ok(Status::Silent { pid: record.supervisor, port: record.port });
    }
    Ok(Status::Crashed { started_at: record.started_at, log: record::log(paths) })
}

/// Empties the local account, which runs on.
pub async fn reset(paths: &Paths) -> Result<(), Error> {
    match status(paths).await? {
        Status::Running(running) => health::reset(running.port).await,
        Status::Silent { port, .. } => Err(Error::Reset { port, reason: "it does not answer".to_owned() }),
        Status::Stopped | Status::Crashed { .. } => Err(Error::NotRunning),
    }
}

/// Ends the local account with all its processes, also those that a crash left. Whether there was anything to end.
pub async fn down(paths: &Paths) -> Result<bool, Error> {
    if !paths.state.exists() {
        return Ok(false);
    }
    let _lock = record::lock(&paths.state.join("lock"), &|_| ()).await?;
    let Some(record) = Record::read(paths)? else { return Ok(false) };
    let ended = process::end(&record).await?;
    Record::remove(paths)?;
    Ok(ended)
}

/// Lines for a POSIX shell that point every AWS tool at the local account.
#[must_use]
pub fn env_exports(running: &Running) -> String {
    format!(
        "unset AWS_PROFILE AWS_SESSION_TOKEN\n\
         export AWS_ENDPOINT_URL='{}'\n\
         export AWS_REGION='{region}'\n\
         export AWS_DEFAULT_REGION='{region}'\n\
         export AWS_ACCESS_KEY_ID='{}'\n\
         export AWS_SECRET_ACCESS_KEY='{}'\n",
        running.endpoint_url,
        running.access_key_id,
        running.secret_access_key,
        region = running.region,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn running() -> Running {
        Running {
            endpoint_url: "http://127.0.0.1:4711".to_owned(),
            pid: 42,
            port: 4711,
            region: REGION.to_owned(),
            account: ACCOUNT.to_owned(),
            access_key_id: "reader".to_owned(),
            secret_access_key: ["hunter", "2"].concat(),
            enforce_iam: false,
            persist: None,
            log: PathBuf::from("/tmp/log"),
            started_at: 0,
            lease: None,
        }
    }

    #[test]
    fn the_secret_key_is_masked_where_it_is_printed_for_debugging() {
        let shown = format!("{:?}", running());
        assert!(!shown.contains("hunter") && shown.contains("••••"), "{shown}");
    }

    #[test]
    fn the_exports_point_every_tool_at_the_local_account() {
        let expected = "unset AWS_PROFILE AWS_SESSION_TOKEN\nexport AWS_ENDPOINT_URL='http://127.0.0.1:4711'\n\
            export AWS_REGION='eu-central-1'\nexport AWS_DEFAULT_REGION='eu-central-1'\n\
            export AWS_ACCESS_KEY_ID='reader'\nexport AWS_SECRET_ACCESS_KEY='hunter2'\n";
        assert_eq!(env_exports(&running()), expected);
    }

    #[test]
    fn what_a_person_can_do_about_a_missing_python_names_the_package() {
        let missing = [Error::NoPython { tried: String::new() }, Error::NoVenv { python: "python3".to_owned() }];
        for error in missing {
            assert!(error.hint().is_some_and(|hint| hint.contains("apt install") && hint.contains("python3-venv")));
        }
    }
}
