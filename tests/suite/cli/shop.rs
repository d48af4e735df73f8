//! A scratch project, and the real binary run in it.

use std::process::{Command, Output};

use serde_json::Value;

use crate::support::account::{Account, REGION};

pub const PROJECT: &str = r#"name = "petshop"
[state]
bucket = "petshop-plumb-{account}-{region}"
[[config]]
files = "config/{service}/{env}/config.json"
type = "String"
[[secrets]]
name = "{env}/petshop/{key}"
file = "secrets/{env}.json"
shape = "key"
[environments.dev]
[environments.prod]
"#;

/// A scratch repository with a home of its own; nothing of the machine's environment reaches the binary.
pub struct Shop {
    pub directory: tempfile::TempDir,
    pub env: Vec<(String, String)>,
}

/// What the binary did.
pub struct Done {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Shop {
    pub fn empty() -> Self {
        let shop = Self { directory: tempfile::tempdir().unwrap(), env: Vec::new() };
        std::fs::create_dir_all(shop.root()).unwrap();
        shop.git(&["init", "-q", "-b", "main"]);
        shop
    }

    pub fn new() -> Self {
        Self::with_project(PROJECT)
    }

    pub fn with_project(project: &str) -> Self {
        let shop = Self::empty();
        shop.write("plumb.toml", project);
        shop.write("config/billing/dev/config.json", "{\"db\": {\"pool\": 20}, \"url\": \"https://dev\"}\n");
        shop.write("config/billing/global/config.json", "{\"currency\": \"EUR\"}\n");
        shop.commit();
        shop
    }

    /// In this account, which gets the state bucket.
    pub fn at(mut self, account: &Account) -> Self {
        let bucket = format!("/petshop-plumb-{}-{REGION}", account.id);
        let place = format!(
            "<CreateBucketConfiguration><LocationConstraint>{REGION}</LocationConstraint></CreateBucketConfiguration>"
        );
        let reply = account.caller().send("s3", "PUT", &bucket, &[], place.as_bytes()).unwrap();
        assert_eq!(reply.status, 200, "{reply:?}");
        // Whole, as plumb makes it.
        let versions = "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>";
        let reply =
            account.caller().send("s3", "PUT", &format!("{bucket}?versioning"), &[], versions.as_bytes()).unwrap();
        assert_eq!(reply.status, 200, "{reply:?}");
        self.env = account.env();
        self
    }

    pub fn root(&self) -> std::path::PathBuf {
        self.directory.path().join("petshop")
    }

    pub fn write(&self, file: &str, text: &str) {
        let path = self.root().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn commit(&self) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", "Change"]);
    }

    pub fn git(&self, arguments: &[&str]) {
        let mut git = Command::new("git");
        git.current_dir(self.root()).args(["-c", "user.name=a", "-c", "user.email=a@example.com"]).args(arguments);
        git.env("HOME", self.directory.path()).env("GIT_CONFIG_NOSYSTEM", "1");
        let output = git.output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    pub fn git_text(&self, arguments: &[&str]) -> String {
        let output = Command::new("git").current_dir(self.root()).args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plumb"));
        command.args(arguments).current_dir(self.root()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", self.directory.path());
        command.env("AWS_EC2_METADATA_DISABLED", "true").envs(self.env.iter().cloned());
        command
    }

    pub fn plumb(&self, arguments: &[&str]) -> Done {
        Done::of(&self.command(arguments).output().unwrap())
    }
}

impl Done {
    pub fn of(output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout.clone()).unwrap(),
            stderr: String::from_utf8(output.stderr.clone()).unwrap(),
        }
    }

    /// What a script would read: one JSON document, and nothing beside it.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self}"))
    }

    pub fn ended(&self, code: i32) -> &Self {
        assert_eq!(self.code, code, "{self}");
        self
    }

    pub fn complained(&self, parts: &[&str]) -> &Self {
        for part in parts {
            assert!(self.stderr.contains(part), "{part:?} is missing:\n{self}");
        }
        self
    }
}

impl std::fmt::Display for Done {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "exit {}\n--- stdout\n{}\n--- stderr\n{}", self.code, self.stdout, self.stderr)
    }
}

pub fn put(account: &Account, name: &str, value: &str) {
    put_as(account, "String", name, value);
}

pub fn put_as(account: &Account, type_name: &str, name: &str, value: &str) {
    let body = serde_json::json!({ "Name": name, "Value": value, "Type": type_name, "Overwrite": true });
    let reply = account.caller().json("ssm", "AmazonSSM.PutParameter", &body).unwrap();
    assert_eq!(reply.status, 200, "{reply:?}");
}

pub fn item<'a>(json: &'a Value, name: &str) -> &'a Value {
    let items = json["items"].as_array().unwrap();
    items.iter().find(|item| item["name"] == name).unwrap_or_else(|| panic!("no {name} in {json:#}"))
}
