//! A real local account for tests: an emulator of our own, that ends with the test process whatever happens to that.
//!
//! One emulator serves the whole process. Each [`Account`] has its own 12-digit id, which is also its access key id: the
//! emulator keeps such accounts apart, so that tests run side by side. IAM is enforced by a second emulator.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use plumb::local::{self, Paths, Running, UpOptions};

use super::http::Caller;
use super::proxy::Proxy;

/// The region of every account of the tests.
pub const REGION: &str = "eu-central-1";

/// How to start an emulator.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Checks signatures and policies, as AWS does.
    pub enforce_iam: bool,
}

/// Who one is in an account, and where that is.
#[derive(Clone, Debug)]
pub struct Account {
    pub endpoint_url: String,
    pub region: String,
    /// 12 digits.
    pub id: String,
    pub access_key_id: String,
    pub secret_access_key: String,
    /// The emulator's supervisor.
    pub pid: u32,
}

impl Account {
    /// A fresh, empty account of the shared emulator; everything is allowed.
    pub fn fresh() -> Self {
        static SHARED: OnceLock<Emulator> = OnceLock::new();
        SHARED.get_or_init(|| Emulator::start(Options::default())).account()
    }

    /// A fresh account of the shared emulator that enforces IAM; these credentials are its root's.
    pub fn enforcing_iam() -> Self {
        static SHARED: OnceLock<Emulator> = OnceLock::new();
        SHARED.get_or_init(|| Emulator::start(Options { enforce_iam: true })).account()
    }

    /// What the SDK and the binary need to find it, and nothing of the machine's own AWS configuration.
    pub fn env(&self) -> Vec<(String, String)> {
        let variables = [
            ("AWS_ENDPOINT_URL", self.endpoint_url.as_str()),
            ("AWS_REGION", &self.region),
            ("AWS_ACCESS_KEY_ID", &self.access_key_id),
            ("AWS_SECRET_ACCESS_KEY", &self.secret_access_key),
            ("AWS_CONFIG_FILE", "/dev/null"),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ];
        variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
    }

    /// The same account, reached through a proxy that can break the way.
    pub fn behind_proxy(&self) -> (Self, Proxy) {
        let proxy = Proxy::start(&self.endpoint_url);
        (Self { endpoint_url: proxy.endpoint_url(), ..self.clone() }, proxy)
    }

    /// The same place under another access key. Where IAM is not enforced a key that is no account id belongs to the
    /// account `000000000000`, and the emulator's CloudTrail shows it as the user.
    pub fn with_key(&self, access_key_id: &str, secret_access_key: &str) -> Self {
        Self { access_key_id: access_key_id.into(), secret_access_key: secret_access_key.into(), ..self.clone() }
    }

    /// A user of this account, who may do what these policy statements say.
    ///
    /// # Panics
    /// When the emulator refuses to make the user.
    pub fn user(&self, name: &str, statements: &[serde_json::Value]) -> Self {
        let caller = self.caller();
        let iam = |action: &str, fields: &[(&str, &str)]| {
            let fields = [&[("UserName", name)], fields].concat();
            let reply = caller.query("iam", action, &fields).expect("the emulator answers");
            assert_eq!(reply.status, 200, "{action} {name}: {reply:?}");
            reply.text()
        };
        iam("CreateUser", &[]);
        let policy = serde_json::json!({ "Version": "2012-10-17", "Statement": statements }).to_string();
        iam("PutUserPolicy", &[("PolicyName", "story"), ("PolicyDocument", &policy)]);
        let key = iam("CreateAccessKey", &[]);
        self.with_key(&element(&key, "AccessKeyId"), &element(&key, "SecretAccessKey"))
    }

    /// A caller of plain HTTP; it does not sign, so not where IAM is enforced.
    pub fn caller(&self) -> Caller {
        Caller {
            endpoint_url: self.endpoint_url.clone(),
            region: self.region.clone(),
            access_key_id: self.access_key_id.clone(),
        }
    }
}

/// The text of the first element of this name.
fn element(xml: &str, name: &str) -> String {
    let rest = xml.split_once(&format!("<{name}>")).map(|(_, rest)| rest);
    let text = rest.and_then(|rest| rest.split_once("</")).map(|(text, _)| text);
    text.unwrap_or_else(|| panic!("no {name} in {xml}")).to_owned()
}

/// Starts an emulator for one test alone; it ends when the value is dropped.
pub fn start(options: Options) -> Emulator {
    Emulator::start(options)
}

/// A running emulator: the local account that the product itself installs and starts.
pub struct Emulator {
    running: Option<Running>,
    next: AtomicU64,
    place: Place,
}

impl Emulator {
    /// It is held by a pipe of this process, and so ends with it, however that comes about.
    fn start(options: Options) -> Self {
        let place = Place::new();
        let paths = Paths { data: below_target("local-account"), state: place.directory.join("state") };
        let options = UpOptions { enforce_iam: options.enforce_iam, ..UpOptions::default() };
        // Tests come with a runtime of their own, of any flavour, or with none.
        let up = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime to start the emulator in").block_on(local::up(&paths, options, |_| ()))
        });
        let running = up.join().expect("the start of the emulator does not panic").expect("the local account is up");
        Self { running: Some(running), next: AtomicU64::new(100_000_000_001), place }
    }

    fn running(&self) -> &Running {
        self.running.as_ref().expect("it runs until it is dropped")
    }

    /// A fresh account in it.
    pub fn account(&self) -> Account {
        let id = self.next.fetch_add(1, Ordering::Relaxed).to_string();
        Account {
            endpoint_url: self.running().endpoint_url.clone(),
            region: REGION.to_owned(),
            access_key_id: id.clone(),
            id,
            secret_access_key: "test".to_owned(),
            pid: self.running().pid,
        }
    }

    /// What it has logged, for a failure's message.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.running().log).unwrap_or_default()
    }
}

impl Drop for Emulator {
    fn drop(&mut self) {
        // The same way as when we are killed, so that this way is the tested one.
        drop(self.running.take());
        self.place.remove();
    }
}

/// A directory for one emulator, and the lock that says that somebody uses it.
struct Place {
    directory: PathBuf,
    _lock: File,
}

impl Place {
    fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let all = below_target("accounts");
        std::fs::create_dir_all(&all).expect("the target directory can be written to");
        // A lock that is made and not yet taken looks like one that was left.
        let turn = File::create(all.join("turn")).expect("the target directory can be written to");
        turn.lock().expect("a file can be locked");
        sweep(&all);
        let name = format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let lock = File::create(all.join(format!("{name}.lock"))).expect("the target directory can be written to");
        lock.lock().expect("a file can be locked");
        Self { directory: all.join(name), _lock: lock }
    }

    fn remove(&self) {
        let _ = std::fs::remove_dir_all(&self.directory);
        let _ = std::fs::remove_file(self.directory.with_extension("lock"));
    }
}

/// Removes what test processes that are gone have left: what a shared emulator used is dropped by nobody.
fn sweep(all: &Path) {
    for entry in std::fs::read_dir(all).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.extension().is_none_or(|extension| extension != "lock") {
            continue;
        }
        let Ok(file) = File::open(&path) else { continue };
        if !matches!(file.try_lock(), Err(TryLockError::WouldBlock)) {
            let _ = std::fs::remove_dir_all(path.with_extension(""));
            let _ = std::fs::remove_file(&path);
        }
    }
}

/// Shared by all tests, those of other processes too.
fn below_target(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(name)
}
