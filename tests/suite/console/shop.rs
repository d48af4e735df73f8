//! One demo for all tests of the console: made once by the real binary, gone when the test process is.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use portable_pty::CommandBuilder;
use serde_json::{Value, json};

use crate::support::http::Caller;
use crate::support::terminal::{Program, Terminal};

/// The demo's project and its account. Tests read of it what they like; each that changes something changes an item of
/// an environment that no other test looks at, and puts it back.
pub(super) struct Shop {
    pub(super) project: PathBuf,
    age_keys: PathBuf,
    pub(super) endpoint_url: String,
    region: String,
    access_key_id: String,
    secret_access_key: String,
    /// The commits' ids, the oldest first.
    pub(super) commits: Vec<String>,
    /// A time some hours after the night, in milliseconds: ages that are told in hours are then the same however long
    /// the demo took to make.
    pub(super) morning: i64,
}

/// Ends the account and removes the directory as soon as our side of the pipe ends, however that comes about.
const CARETAKER: &str = r#"
trap '' INT HUP TERM
cat >/dev/null
"$1" local down >/dev/null 2>&1
rm -rf "$2"
"#;

/// From the night to the morning, in milliseconds. With the ages of `demo/commits.json` no age is near to a full hour or
/// day, as long as the demo is made within a quarter of an hour.
const MORNING: i64 = (6 * 60 + 20) * 60_000;

/// The shared demo.
pub(super) fn shop() -> &'static Shop {
    static SHOP: OnceLock<Shop> = OnceLock::new();
    SHOP.get_or_init(Shop::make)
}

/// Where the local account's software is, once for all tests.
pub(super) fn data() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("local-account")
}

/// The demo's function, built beside the tests by `cargo test --workspace`.
///
/// # Panics
/// When it is not there.
pub(super) fn crypto() -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_plumb")).with_file_name("crypto");
    assert!(path.is_file(), "{} is missing: cargo build -p plumb-lambda --bin crypto", path.display());
    path
}

impl Shop {
    fn make() -> Self {
        let plumb = env!("CARGO_BIN_EXE_plumb");
        let directory = tempfile::Builder::new().prefix("plumb-tests-").tempdir().expect("a directory").keep();
        let variables = [("PLUMB_DATA_DIR", data()), ("PLUMB_STATE_DIR", directory.join("state"))];
        let mut caretaker = Command::new("/bin/sh");
        caretaker.args(["-c", CARETAKER, "sh", plumb]).arg(&directory).envs(variables.clone());
        caretaker.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut caretaker = caretaker.spawn().expect("a shell");
        // Its input ends with this process, and only then does it.
        std::mem::forget(caretaker.stdin.take());
        std::thread::spawn(move || caretaker.wait());

        let mut demo = Command::new(plumb);
        demo.args(["demo", "--script", "--output", "json"]).env_clear().envs(variables);
        demo.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", &directory);
        demo.env("PLUMB_CRYPTO_BOOTSTRAP", crypto()).env("TMPDIR", &directory).stdin(Stdio::null());
        let made = demo.output().expect("the real binary starts");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let said: Value = serde_json::from_slice(&made.stdout).expect("the demo says where it is");
        let text = |key: &str| said[key].as_str().unwrap_or_else(|| panic!("no {key} in {said}")).to_owned();
        let project = PathBuf::from(text("project_dir"));
        let log = Command::new("git").args(["log", "--reverse", "--format=%H"]).current_dir(&project).output();
        let log = String::from_utf8(log.expect("git runs").stdout).expect("ids are ASCII");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("the clock is right").as_millis();
        Self {
            commits: log.lines().map(str::to_owned).collect(),
            morning: i64::try_from(now).expect("the clock is right") + MORNING,
            project,
            age_keys: text("age_key_file").into(),
            endpoint_url: text("endpoint_url"),
            region: text("region"),
            access_key_id: text("access_key_id"),
            secret_access_key: text("secret_access_key"),
        }
    }

    /// The console on this shop's production, in a terminal of 120 by 40 cells, with a home of its own.
    pub(super) fn console(&self) -> Visit {
        self.console_in("prod")
    }

    /// The same, on another environment.
    pub(super) fn console_in(&self, env: &str) -> Visit {
        let home = tempfile::tempdir().expect("a home directory");
        let program = Program::plumb().dir(&self.project).envs([
            ("HOME", home.path().to_owned()),
            ("PLUMB_STATE_DIR", home.path().join("state")),
            ("SOPS_AGE_KEY_FILE", self.age_keys.clone()),
            ("AWS_REGION", self.region.clone().into()),
            ("AWS_ACCESS_KEY_ID", self.access_key_id.clone().into()),
            ("AWS_SECRET_ACCESS_KEY", self.secret_access_key.clone().into()),
            ("AWS_CONFIG_FILE", "/dev/null".into()),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null".into()),
            ("AWS_EC2_METADATA_DISABLED", "true".into()),
        ]);
        Visit { program: program.args(["--env", env]), home }
    }

    /// What an AWS tool needs in its environment to be the account's owner.
    pub(super) fn variables(&self) -> [(&'static str, String); 4] {
        [
            ("AWS_ENDPOINT_URL", self.endpoint_url.clone()),
            ("AWS_REGION", self.region.clone()),
            ("AWS_ACCESS_KEY_ID", self.access_key_id.clone()),
            ("AWS_SECRET_ACCESS_KEY", self.secret_access_key.clone()),
        ]
    }

    /// A profile of that name, in AWS's config file, for who owns the account.
    pub(super) fn profile(&self, name: &str) -> String {
        let Self { region, access_key_id, secret_access_key, .. } = self;
        format!(
            "[profile {name}]\nregion = {region}\naws_access_key_id = {access_key_id}\n\
             aws_secret_access_key = {secret_access_key}\n"
        )
    }

    /// Somebody with an access key of that name, who makes ordinary AWS calls.
    pub(super) fn somebody(&self, name: &str) -> Caller {
        Caller { endpoint_url: self.endpoint_url.clone(), region: self.region.clone(), access_key_id: name.to_owned() }
    }

    /// Where the crypto API of an environment is.
    pub(super) fn crypto_endpoint(&self, env: &str) -> String {
        let stack = format!("petshop-{env}");
        let reply = self.somebody("a-test").query("cloudformation", "DescribeStacks", &[("StackName", &stack)]);
        let said = reply.expect("an answer").text();
        let after = |text: &str, mark: &str| text.split_once(mark).map(|(_, rest)| rest.to_owned());
        let found =
            after(&said, "<OutputKey>CryptoEndpoint</OutputKey>").and_then(|rest| after(&rest, "<OutputValue>"));
        let found = found.and_then(|rest| Some(rest.split_once('<')?.0.to_owned()));
        found.unwrap_or_else(|| panic!("{said}"))
    }

    /// The value of a parameter as AWS has it now.
    pub(super) fn parameter(&self, name: &str) -> String {
        let body = json!({ "Name": name, "WithDecryption": true });
        let reply = self.somebody("a-test").json("ssm", "AmazonSSM.GetParameter", &body).expect("an answer");
        let value = reply.json()["Parameter"]["Value"].as_str().map(str::to_owned);
        value.unwrap_or_else(|| panic!("{name}: {reply:?}"))
    }

    /// Puts a parameter by hand.
    pub(super) fn put(&self, name: &str, value: &str) {
        let body = json!({ "Name": name, "Value": value, "Type": "SecureString", "Overwrite": true });
        let reply = self.somebody("a-hand").json("ssm", "AmazonSSM.PutParameter", &body).expect("an answer");
        assert_eq!(reply.status, 200, "{reply:?}");
    }

    /// The value of a secret as AWS has it now.
    pub(super) fn secret(&self, name: &str) -> String {
        let body = json!({ "SecretId": name });
        let caller = self.somebody("a-test");
        let reply = caller.json("secretsmanager", "secretsmanager.GetSecretValue", &body).expect("an answer");
        let value = reply.json()["SecretString"].as_str().map(str::to_owned);
        value.unwrap_or_else(|| panic!("{name}: {reply:?}"))
    }
}

/// A console that is about to be opened.
#[must_use = "a visit begins with `open`"]
pub(super) struct Visit {
    program: Program,
    home: tempfile::TempDir,
}

impl Visit {
    pub(super) fn with(mut self, change: impl FnOnce(Program) -> Program) -> Self {
        self.program = change(self.program);
        self
    }

    pub(super) fn size(self, columns: u16, rows: u16) -> Self {
        self.with(|program| program.size(columns, rows))
    }

    pub(super) fn args<'a>(self, args: impl IntoIterator<Item = &'a str>) -> Self {
        self.with(|program| program.args(args))
    }

    pub(super) fn env(self, name: &str, value: &str) -> Self {
        self.with(|program| program.env(name, value))
    }

    /// What to start in a terminal of one's own; the home lasts as long as the second value.
    pub(super) fn command(self) -> (CommandBuilder, tempfile::TempDir) {
        (self.program.command(), self.home)
    }

    /// Opens it and does not wait for anything.
    pub(super) fn begin(self) -> Console {
        Console { terminal: self.program.start(), _home: self.home }
    }

    /// Opens it and waits until every environment has been read.
    pub(super) fn open(self) -> Console {
        let console = self.begin();
        console.is_read();
        console
    }
}

/// Whether a row of the overview has a spinner of ASCII: not before a number, unless that is an age.
fn waits_in_ascii(row: &str) -> bool {
    let words: Vec<&str> = row.trim_start_matches([' ', '►', '|']).split_whitespace().collect();
    let counts =
        |at: usize| words.get(at).is_some_and(|word| word.parse::<u32>().is_ok()) && words.get(at + 1) != Some(&"s");
    (0..words.len()).any(|at| matches!(words[at], "-" | "\\" | "|" | "/") && !counts(at + 1))
}

/// An open console.
pub(super) struct Console {
    terminal: Terminal,
    _home: tempfile::TempDir,
}

impl Deref for Console {
    type Target = Terminal;

    fn deref(&self) -> &Terminal {
        &self.terminal
    }
}

impl Console {
    /// Waits until nothing is being read any more, on the overview.
    pub(super) fn is_read(&self) -> &Self {
        self.wait_for("every environment read", |screen| {
            let text = screen.contents();
            let rows = ["dev", "qa", "uat", "prod"].map(|env| {
                let row = text.lines().find(|line| line.trim_start_matches([' ', '▸', '►', '|']).starts_with(env));
                row.is_some_and(|row| row.trim_end().ends_with(" s") && !waits_in_ascii(row))
            });
            let waits = text.lines().any(|line| line.chars().any(|c| "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏".contains(c)));
            rows.iter().all(|read| *read) && !waits
        });
        self
    }

    /// The line of the screen that has this text, once it is there.
    ///
    /// # Panics
    /// When it never is.
    pub(super) fn line(&self, text: &str) -> String {
        let screen = self.pictures(text).contents();
        let line = screen.lines().find(|line| line.contains(text));
        line.unwrap_or_else(|| panic!("no {text:?} on the screen\n{screen}")).to_owned()
    }

    /// Waits until the line of a text says each of these. Names of people come after the verdicts.
    ///
    /// # Panics
    /// When it never does.
    pub(super) fn line_says(&self, text: &str, parts: &[&str]) {
        self.wait_for(&format!("{text:?} with {parts:?}"), |screen| {
            let screen = screen.contents();
            let line = screen.lines().find(|line| line.contains(text));
            line.is_some_and(|line| parts.iter().all(|part| line.contains(part)))
        });
    }

    /// Quits by way of the overview, and holds that the terminal is as it was.
    pub(super) fn quit(&self) {
        self.press("1 q");
        assert_eq!(self.exit_code(), 0);
        self.is_restored();
    }
}
