//! The commands as a shell sees them: the real binary, its exit code, and what goes to stdout and to stderr.

mod consent;

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::support::account::{Account, REGION};
use crate::support::proxy::Fault;

const PROJECT: &str = r#"name = "petshop"
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
struct Shop {
    directory: tempfile::TempDir,
    env: Vec<(String, String)>,
}

/// What the binary did.
struct Done {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Shop {
    fn empty() -> Self {
        let shop = Self { directory: tempfile::tempdir().unwrap(), env: Vec::new() };
        std::fs::create_dir_all(shop.root()).unwrap();
        shop.git(&["init", "-q", "-b", "main"]);
        shop
    }

    fn new() -> Self {
        Self::with_project(PROJECT)
    }

    fn with_project(project: &str) -> Self {
        let shop = Self::empty();
        shop.write("plumb.toml", project);
        shop.write("config/billing/dev/config.json", "{\"db\": {\"pool\": 20}, \"url\": \"https://dev\"}\n");
        shop.write("config/billing/global/config.json", "{\"currency\": \"EUR\"}\n");
        shop.commit();
        shop
    }

    /// In this account, which gets the state bucket.
    fn at(mut self, account: &Account) -> Self {
        let bucket = format!("/petshop-plumb-{}-{REGION}", account.id);
        let place = format!(
            "<CreateBucketConfiguration><LocationConstraint>{REGION}</LocationConstraint></CreateBucketConfiguration>"
        );
        let reply = account.caller().send("s3", "PUT", &bucket, &[], place.as_bytes()).unwrap();
        assert_eq!(reply.status, 200, "{reply:?}");
        self.env = account.env();
        self
    }

    fn root(&self) -> std::path::PathBuf {
        self.directory.path().join("petshop")
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.root().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn commit(&self) {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "-m", "Change"]);
    }

    fn git(&self, arguments: &[&str]) {
        let mut git = Command::new("git");
        git.current_dir(self.root()).args(["-c", "user.name=a", "-c", "user.email=a@example.com"]).args(arguments);
        git.env("HOME", self.directory.path()).env("GIT_CONFIG_NOSYSTEM", "1");
        let output = git.output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plumb"));
        command.args(arguments).current_dir(self.root()).env_clear();
        command.env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", self.directory.path());
        command.env("AWS_EC2_METADATA_DISABLED", "true").envs(self.env.iter().cloned());
        command
    }

    fn plumb(&self, arguments: &[&str]) -> Done {
        Done::of(&self.command(arguments).output().unwrap())
    }
}

impl Done {
    fn of(output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap(),
            stdout: String::from_utf8(output.stdout.clone()).unwrap(),
            stderr: String::from_utf8(output.stderr.clone()).unwrap(),
        }
    }

    /// What a script would read: one JSON document, and nothing beside it.
    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self}"))
    }

    fn ended(&self, code: i32) -> &Self {
        assert_eq!(self.code, code, "{self}");
        self
    }

    fn complained(&self, parts: &[&str]) -> &Self {
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

fn put(account: &Account, name: &str, value: &str) {
    put_as(account, "String", name, value);
}

fn put_as(account: &Account, type_name: &str, name: &str, value: &str) {
    let body = serde_json::json!({ "Name": name, "Value": value, "Type": type_name, "Overwrite": true });
    let reply = account.caller().json("ssm", "AmazonSSM.PutParameter", &body).unwrap();
    assert_eq!(reply.status, 200, "{reply:?}");
}

fn item<'a>(json: &'a Value, name: &str) -> &'a Value {
    let items = json["items"].as_array().unwrap();
    items.iter().find(|item| item["name"] == name).unwrap_or_else(|| panic!("no {name} in {json:#}"))
}

#[test]
fn every_command_explains_itself() {
    let shop = Shop::empty();
    let commands: [&[&str]; 12] = [
        &[],
        &["status"],
        &["diff"],
        &["record"],
        &["map"],
        &["config"],
        &["config", "sources"],
        &["init"],
        &["policy"],
        &["doctor"],
        &["local"],
        &["local", "up"],
    ];
    for command in commands {
        let done = shop.plumb(&[command, &["--help"]].concat());
        done.ended(0);
        assert!(done.stdout.contains("Usage: plumb"), "{command:?}: {done}");
        assert!(done.stderr.is_empty(), "{command:?}: {done}");
    }
    for wrong in [&["stauts"][..], &["status", "--outptu", "json"], &["policy"], &["init"], &["diff", "-u", "-s"]] {
        let done = shop.plumb(wrong);
        done.ended(2);
        assert!(done.stdout.is_empty() && !done.stderr.is_empty(), "{wrong:?}: {done}");
    }
}

#[test]
fn a_broken_project_file_is_told_by_file_line_key_and_the_nearest_name() {
    let shop = Shop::with_project(&PROJECT.replace("files =", "filse ="));
    for command in [&["status"][..], &["map"], &["config", "sources"], &["policy", "read"], &["diff", "-o", "json"]] {
        let done = shop.plumb(&[command, &["--env", "dev"]].concat());
        done.ended(2).complained(&["plumb.toml:5", "filse", "files"]);
        assert!(done.stdout.is_empty(), "{done}");
    }
    let done = shop.plumb(&["doctor", "--env", "dev"]);
    done.ended(2);
    assert!(
        done.stdout.contains("! problem  plumb.toml: ")
            && done.stdout.contains("plumb.toml:5")
            && done.stdout.contains("terminal"),
        "{done}"
    );
}

#[test]
fn without_a_project_the_ways_out_are_named() {
    let done = Shop::empty().plumb(&["status"]);
    done.ended(2).complained(&["no plumb.toml in", "try: `plumb init --minimal`"]);
}

#[test]
fn a_bare_repository_has_its_project_in_its_commit() {
    let shop = Shop::new();
    shop.git(&["clone", "-q", "--bare", ".", "../bare.git"]);
    let bare = shop.directory.path().join("bare.git");
    let from = |directory: &Path, arguments: &[&str]| {
        Done::of(&shop.command(arguments).current_dir(directory).output().unwrap())
    };
    let map = ["map", "--env", "dev", "-o", "json"];
    let inside = from(&bare, &map);
    assert_eq!(inside.ended(0).json()["environments"][0]["files"].as_array().unwrap().len(), 2, "{inside}");
    from(&shop.root(), &[&map[..], &["--project", "../bare.git"]].concat()).ended(0);
    let sources = from(&bare, &["config", "sources", "--env", "dev"]);
    assert!(sources.ended(0).stdout.contains("HEAD:plumb.toml:1"), "{sources}");
    from(&bare, &["map", "--env", "dev", "--ref", "nowhere"]).ended(2).complained(&["nowhere"]);
}

#[test]
fn wrong_keys_are_told_with_their_lines_and_right_ones_are_among_the_sources() {
    let shop = Shop::new();
    let config = shop.directory.path().join("own");
    std::fs::create_dir_all(&config).unwrap();
    std::fs::write(config.join("config.toml"), "[keys]\nrefrsh = \"x\"\nhelp = \"r\"\n").unwrap();
    let with =
        |arguments: &[&str]| Done::of(&shop.command(arguments).env("PLUMB_CONFIG_DIR", &config).output().unwrap());
    with(&["--env", "dev"]).ended(2).complained(&["config.toml:2: keys.refrsh", "config.toml:3: keys.help"]);
    let sources = with(&["config", "sources", "--env", "dev"]);
    assert!(sources.ended(0).stdout.lines().any(|line| line.starts_with("keys.help")), "{sources}");
}

#[test]
fn a_reader_that_goes_away_is_not_called_a_success() {
    let shop = Shop::new();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let status = shop.command(&["map", "--env", "dev"]).stdout(writer).status().unwrap();
    assert_eq!(status.code(), Some(141));
}

#[test]
fn an_environment_has_to_be_known_and_named() {
    let shop = Shop::with_project(&PROJECT.replace("environments.dev", "environments.live"));
    shop.plumb(&["map"]).ended(2).complained(&["which environment?", "live, prod", "try: name one: --env NAME"]);
    shop.plumb(&["map", "--env", "prd"]).ended(2).complained(&["prd", "prod"]);
    shop.plumb(&["record"]).ended(2).complained(&["which environment is to be recorded?"]);
}

#[test]
fn a_ref_that_does_not_exist_is_told_with_those_that_do() {
    let shop = Shop::new();
    shop.plumb(&["map", "--env", "dev", "--ref", "mian"]).ended(2).complained(&["mian", "main"]);
    let account = Account::fresh();
    let shop = shop.at(&account);
    let done = shop.plumb(&["status", "--env", "dev", "--ref", "mian"]);
    done.ended(2);
    assert!(done.stdout.contains("mian") && done.stdout.contains("main"), "{done}");
    shop.plumb(&["record", "--env", "dev", "--at", "mian"]).ended(2).complained(&["mian"]);
}

#[test]
fn the_map_names_parameters_and_secrets_without_any_aws() {
    let shop = Shop::new();
    shop.write("config/billing/staging/config.json", "{}\n");
    shop.write("config/README.md", "what is here\n");
    shop.commit();
    let done = shop.plumb(&["map", "--env", "dev", "--output", "json"]);
    done.ended(0);
    let json = done.json();
    let dev = &json["environments"][0];
    assert_eq!(json["version"], 1);
    assert_eq!(dev["environment"], "dev");
    let names: Vec<_> =
        dev["files"].as_array().unwrap().iter().flat_map(|file| file["parameters"].as_array().unwrap()).collect();
    assert_eq!(names, ["/billing/dev/db/pool", "/billing/dev/url", "/billing/global/currency"]);
    let unmatched: Vec<_> = dev["unmatched"].as_array().unwrap().iter().map(|each| &each["file"]).collect();
    assert_eq!(unmatched, ["config/README.md", "config/billing/staging/config.json"]);
    let all = shop.plumb(&["map", "--all", "--output", "json"]).json();
    assert_eq!(all["environments"].as_array().unwrap().len(), 2);
    shop.write("docs/a.md", "a\n");
    shop.write("docs/deep/b.md", "b\n");
    shop.write("LICENSE", "c\n");
    shop.commit();
    let elsewhere = shop.plumb(&["map", "--env", "dev", "-o", "json"]).json();
    let elsewhere = elsewhere["environments"][0]["unmatched_elsewhere"].clone();
    assert_eq!(elsewhere, serde_json::json!(["LICENSE", "docs/a.md", "docs/deep/b.md"]));
    let text = shop.plumb(&["map", "--env", "dev", "--all-files"]);
    assert!(text.stdout.contains("docs/deep/b.md") && !text.stdout.contains("match nothing"), "{text}");
    let text = shop.plumb(&["map", "--env", "dev"]);
    assert!(text.stdout.contains("2 files under docs/ match nothing"), "{text}");
    assert!(text.stdout.contains("1 file at the top matches nothing"), "{text}");
    assert!(text.stdout.contains("parameter  /billing/dev/db/pool"), "{text}");
}

#[test]
fn what_cannot_be_pushed_is_a_problem_with_its_file_and_key() {
    let shop = Shop::new();
    shop.write("config/billing/dev/config.json", "{\"empty\": \"\", \"a\": 1, \"a/b\": 2}\n");
    shop.write("config/storefront/dev/config.json", "{ no json\n");
    shop.commit();
    let done = shop.plumb(&["map", "--env", "dev"]);
    done.ended(2);
    assert!(done.stdout.contains("! config/billing/dev/config.json: empty: "), "{done}");
    assert!(done.stdout.contains("! config/storefront/dev/config.json: "), "{done}");
}

#[test]
fn each_setting_says_where_it_is_from() {
    let shop = Shop::new();
    let mut command = shop.command(&["config", "sources", "--env", "dev", "--output", "json"]);
    let done = Done::of(&command.env("AWS_REGION", "eu-west-3").env("NO_COLOR", "1").output().unwrap());
    done.ended(0);
    let json = done.json();
    let source = |key: &str| {
        let all = json["sources"].as_array().unwrap();
        let found = all.iter().find(|line| line["key"] == key).unwrap_or_else(|| panic!("{key} in {json:#}"));
        (found["value"].as_str().unwrap().to_owned(), found["origin"].as_str().unwrap().to_owned())
    };
    assert_eq!(source("environment"), ("dev".into(), "flag --env".into()));
    assert_eq!(source("region"), ("eu-west-3".into(), "environment AWS_REGION".into()));
    assert_eq!(source("color").1, "environment NO_COLOR");
    assert_eq!(source("name"), ("petshop".into(), "plumb.toml:1".into()));
}

#[test]
fn a_first_project_file_is_guessed_once_and_never_overwritten() {
    let shop = Shop::empty();
    shop.write("config/billing/dev/config.json", "{\"a\": 1}\n");
    for file in ["billing/prod", "storefront/dev", "storefront/prod"] {
        shop.write(&format!("config/{file}/config.json"), "{\"a\": 1}\n");
    }
    shop.commit();
    let done = shop.plumb(&["init", "--minimal"]);
    done.ended(0).complained(&["wrote ", "plumb.toml"]);
    let written = std::fs::read_to_string(shop.root().join("plumb.toml")).unwrap();
    assert_eq!(done.stdout, written);
    assert!(written.contains("config/{service}/{env}/config.json"), "{written}");
    shop.plumb(&["map", "--all"]).ended(0);

    shop.write("plumb.toml", PROJECT);
    let done = shop.plumb(&["init", "--minimal", "."]);
    done.ended(2).complained(&["is there already and was not touched"]);
    assert!(done.stdout.contains("\n-[[secrets]]") && done.stdout.contains("\n+# Guessed by"), "{done}");
    assert_eq!(std::fs::read_to_string(shop.root().join("plumb.toml")).unwrap(), PROJECT);

    let nowhere = tempfile::tempdir().unwrap();
    let path = nowhere.path().to_str().unwrap();
    shop.plumb(&["init", "--minimal", path]).ended(2).complained(&[path, "try: "]);
    assert!(!Path::new(path).join("plumb.toml").exists());
}

#[test]
fn the_policy_is_json_that_iam_takes_and_grows_only_by_what_writing_needs() {
    let shop = Shop::with_project(
        &PROJECT
            .replace("[environments.dev]", "[environments.dev]\naccount = \"471100004201\"\nregion = \"eu-central-1\""),
    );
    let actions = |need: &str, env: &str| {
        let done = shop.plumb(&["policy", need, "--env", env]);
        done.ended(0);
        let json = done.json();
        assert_eq!(json["Version"], "2012-10-17");
        let statements = json["Statement"].as_array().unwrap().clone();
        for statement in &statements {
            assert_eq!(statement["Effect"], "Allow");
            assert!(statement["Sid"].as_str().unwrap().chars().all(|char| char.is_ascii_alphanumeric()), "{statement}");
            assert!(!statement["Resource"].as_array().is_some_and(Vec::is_empty), "{statement}");
        }
        (done, statements)
    };
    let (read, statements) = actions("read", "dev");
    read.complained(&["this is for the environment dev alone"]);
    assert_eq!(shop.plumb(&["policy", "read", "--env", "dev", "--output", "json"]).stdout, read.stdout);
    assert!(!read.stdout.contains("Put") && !read.stdout.contains("Create"), "{read}");
    assert!(!read.stdout.contains("{env}") && !read.stdout.contains("{account}"), "{read}");
    let parameters = statements.iter().find(|one| one["Sid"] == "PlumbReadParameters").unwrap();
    assert_eq!(
        parameters["Resource"],
        serde_json::json!([
            "arn:aws:ssm:eu-central-1:471100004201:parameter/billing/dev/*",
            "arn:aws:ssm:eu-central-1:471100004201:parameter/billing/global/*"
        ])
    );
    let (write, more) = actions("write", "dev");
    assert!(more.len() > statements.len() && write.stdout.contains("ssm:PutParameter"), "{write}");
    actions("read", "prod").0.complained(&["note: no account is configured"]);
}

#[test]
fn no_credentials_are_told_and_the_rest_is_shown() {
    let mut shop = Shop::new();
    shop.env = vec![("AWS_REGION".into(), REGION.into())];
    let done = shop.plumb(&["status", "--env", "dev", "--output", "json"]);
    done.ended(2);
    let json = done.json();
    assert_eq!(json["account"], Value::Null);
    assert!(json["commit"].as_str().is_some_and(|commit| commit.len() == 40), "{json:#}");
    let account = json["problems"].as_array().unwrap().iter().find(|problem| problem["subject"] == "account").unwrap();
    assert!(account["hint"].as_str().unwrap().contains("aws sso login"), "{json:#}");
    let doctor = shop.plumb(&["doctor", "--env", "dev"]);
    doctor.ended(2);
    assert!(
        doctor.stdout.contains("! problem  credentials: ") && doctor.stdout.contains("= ok       ref HEAD: "),
        "{doctor}"
    );

    shop.env.clear();
    shop.plumb(&["status", "--env", "dev"]).ended(2).complained(&["no region is configured", "try: set AWS_REGION"]);
}

#[test]
fn a_closed_port_is_no_network_and_nothing_is_called_in_sync() {
    let account = Account::fresh();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let shop = Shop::new().at(&account);
    let url = format!("http://{closed}");
    let done = shop.plumb(&["status", "--env", "dev", "--all", "--output", "json", "--endpoint-url", &url]);
    done.ended(2);
    let json = done.json();
    assert_eq!(json["summary"]["in_sync"], 0);
    let hints: Vec<_> = json["problems"].as_array().unwrap().iter().filter_map(|each| each["hint"].as_str()).collect();
    assert!(hints.contains(&"is there a network, a proxy, a VPN?"), "{json:#}");
}

#[test]
fn one_reason_for_everything_is_told_once_and_in_one_line() {
    let shop = Shop::new();
    let status = ["status", "--env", "dev", "--region", "eu-central-1"];
    let nobody = shop.plumb(&status);
    nobody.ended(2);
    // Once with what is unknown for it, and once with what to try.
    assert_eq!(nobody.stdout.matches("no AWS credentials were found").count(), 2, "{nobody}");
    assert!(nobody.stdout.contains("try: `aws sso login`, AWS_PROFILE, or --profile"), "{nobody}");
    assert!(nobody.stdout.lines().all(|line| line.len() < 140), "{nobody}");
    let mut closed = shop.command(&[&status[..], &["--endpoint-url", "http://127.0.0.1:9"]].concat());
    closed.env("AWS_ACCESS_KEY_ID", "a").env("AWS_SECRET_ACCESS_KEY", "b");
    let closed = Done::of(&closed.output().unwrap());
    let told = "cannot connect to http://127.0.0.1:9 (connection refused)";
    assert_eq!(closed.ended(2).stdout.matches(told).count(), 2, "{closed}");
}

#[test]
fn in_the_wrong_account_one_reads_and_does_not_record() {
    let account = Account::fresh();
    let project = PROJECT.replace("[environments.dev]", "[environments.dev]\naccount = \"999999999999\"");
    let shop = Shop::with_project(&project).at(&account);
    let done = shop.plumb(&["status", "--env", "dev"]);
    done.ended(2);
    assert!(done.stdout.contains("is not 999999999999"), "{done}");
    shop.plumb(&["record", "--env", "dev"]).ended(2).complained(&["refused", "999999999999", "try: another profile"]);
    let doctor = shop.plumb(&["doctor", "--env", "dev", "--output", "json"]);
    doctor.ended(2);
    let json = doctor.json();
    let checks = json["checks"].as_array().unwrap();
    assert!(checks.iter().any(|check| check["subject"] == "account" && check["health"] == "problem"), "{json:#}");
}

#[test]
fn status_and_diff_say_by_their_exit_code_what_they_found() {
    let account = Account::fresh();
    let shop = Shop::new().at(&account);
    let dev = ["--env", "dev", "--only", "parameter,secret"];
    let status = |more: &[&str]| shop.plumb(&[&["status"], &dev[..], more].concat());
    status(&[]).ended(1);
    put(&account, "/billing/dev/db/pool", "20");
    put(&account, "/billing/dev/url", "https://dev");
    put(&account, "/billing/global/currency", "EUR");
    status(&[]).ended(0);
    status(&["--strict"]).ended(0);
    put(&account, "/billing/dev/extra", "1");
    status(&[]).ended(0);
    status(&["--strict"]).ended(2);

    put(&account, "/billing/dev/url", "HTTPS://DEV");
    let done = status(&["--output", "json"]);
    done.ended(1);
    assert!(done.stderr.is_empty(), "{done}");
    let url = item(&done.json(), "/billing/dev/url").clone();
    assert_eq!(url["verdict"], "differs");
    assert_eq!(url["git"].get("value"), None);

    let diff = shop.plumb(&["diff", "parameter", "/billing/*/url", "--env", "dev"]);
    diff.ended(1);
    assert!(diff.stdout.contains("* differs   parameter /billing/dev/url"), "{diff}");
    assert!(diff.stdout.contains("letter case"), "{diff}");
    assert!(diff.stdout.contains("- https://dev") && diff.stdout.contains("+ HTTPS://DEV"), "{diff}");
    assert!(!diff.stdout.contains('\u{1b}'), "{diff}");
    shop.plumb(&["diff", "/billing/*/pool", "--env", "dev"]).ended(0);
    let revealed = shop.plumb(&["diff", "--env", "dev", "--only", "parameter", "--reveal", "--output", "json"]);
    assert_eq!(item(&revealed.ended(1).json(), "/billing/dev/url")["live"]["value"], "HTTPS://DEV");
    shop.plumb(&["diff", "params", "x", "--env", "dev"]).ended(2).complained(&["there is no kind \"params\""]);
    let typo = shop.plumb(&["diff", "paramter", "--env", "dev"]);
    typo.ended(2).complained(&["no item's name matches paramter; did you mean parameter?"]);
    assert!(typo.stdout.is_empty(), "{typo}");
    shop.plumb(&["diff", "/nothing/*", "--env", "dev"]).ended(2).complained(&["no item's name matches /nothing/*\n"]);
}

#[test]
fn secure_values_are_masked_until_they_are_revealed() {
    let account = Account::fresh();
    let shop = Shop::with_project(&PROJECT.replace("type = \"String\"\n", "")).at(&account);
    put_as(&account, "SecureString", "/billing/dev/url", "hunter2");
    let diff = |more: &[&str]| shop.plumb(&[&["diff", "parameter", "*url", "--env", "dev"], more].concat());
    let masked = diff(&[]);
    masked.ended(1);
    assert!(masked.stdout.contains("+ •••• fp ") && masked.stdout.contains(" len 7"), "{masked}");
    assert!(!masked.stdout.contains("hunter2"), "{masked}");
    assert!(!diff(&["--output", "json"]).stdout.contains("hunter2"));
    assert!(diff(&["--reveal"]).stdout.contains("+ hunter2"));
    let beside = diff(&["--reveal", "--side-by-side"]);
    assert!(beside.stdout.lines().any(|line| line.contains("https://dev") && line.contains(" | hunter2")), "{beside}");
}

#[test]
fn recording_tells_what_is_equal_and_what_is_not() {
    let account = Account::fresh();
    let shop = Shop::new().at(&account);
    put(&account, "/billing/dev/db/pool", "20");
    put(&account, "/billing/dev/url", "https://elsewhere");
    let record = |more: &[&str]| shop.plumb(&[&["record", "--env", "dev", "--output", "json"], more].concat());
    let dry = record(&["--dry-run"]);
    dry.ended(1);
    let json = dry.json();
    assert_eq!(json["equal"], serde_json::json!(["/billing/dev/db/pool"]));
    assert_eq!(json["different"], serde_json::json!(["/billing/dev/url"]));
    assert_eq!(json["absent"], serde_json::json!(["/billing/global/currency"]));
    assert_eq!(json["written"], false);
    assert_eq!(record(&[]).ended(1).json()["written"], true);
    put(&account, "/billing/dev/db/pool", "50");
    let json = shop.plumb(&["status", "--env", "dev", "--output", "json"]).json();
    assert_eq!(item(&json, "/billing/dev/db/pool")["verdict"], "drifted");
    let units = json["units"].as_array().unwrap();
    let billing = units.iter().find(|unit| unit["kind"] == "parameter").unwrap_or_else(|| panic!("{json:#}"));
    assert_eq!(billing["runs"], json["commit"], "{billing:#}");
    assert_eq!((&json["git"]["author"], &json["git"]["dirty"]), (&"a".into(), &false.into()), "{json:#}");
    assert!(json["git"]["fetched_at"].is_null() && json["git"]["time"].is_string(), "{json:#}");
    let diff = shop.plumb(&["diff", "*pool", "--env", "dev"]);
    assert!(diff.stdout.contains("last rolled out: what git says"), "{diff}");
}

#[test]
fn a_stack_that_runs_what_git_says_is_recorded_by_its_own_name() {
    let account = Account::fresh();
    let project = format!("{PROJECT}[[stacks]]\nname = \"petshop-{{env}}\"\ntemplate = \"stack.json\"\n");
    let shop = Shop::with_project(&project).at(&account);
    shop.write("stack.json", "{\"Resources\":{\"Orders\":{\"Type\":\"AWS::SQS::Queue\"}}}");
    shop.commit();
    let template = "{\"Resources\":{\"Orders\":{\"Type\":\"AWS::SQS::Queue\"}}}";
    let fields = [("StackName", "petshop-dev"), ("TemplateBody", template)];
    let reply = account.caller().query("cloudformation", "CreateStack", &fields).unwrap();
    assert_eq!(reply.status, 200, "{reply:?}");
    let done = shop.plumb(&["record", "--env", "dev", "--dry-run", "--output", "json"]);
    assert_eq!(done.ended(1).json()["equal"], serde_json::json!(["petshop-dev"]), "{done}");
}

#[test]
fn the_doctor_finds_nothing_wrong_where_all_is_right_and_writes_nothing() {
    let account = Account::fresh();
    let (behind, proxy) = account.behind_proxy();
    let project = PROJECT.replace("[environments.dev]", &format!("[environments.dev]\naccount = \"{}\"", account.id));
    let shop = Shop::with_project(&project).at(&behind);
    proxy.forget();
    let done = shop.plumb(&["doctor", "--env", "dev"]);
    done.ended(0);
    for line in ["= ok       git: git version", "as expected", "= ok       ssm:GetParameters", "nothing is wrong"] {
        assert!(done.stdout.contains(line), "{line}: {done}");
    }
    let writes: Vec<_> = proxy
        .calls()
        .into_iter()
        .map(|call| call.operation)
        .filter(|operation| {
            ["Put", "Create", "Update", "Delete", "Execute", "Detect"].iter().any(|verb| operation.starts_with(verb))
        })
        .collect();
    assert!(writes.is_empty(), "{writes:?}");
}

#[test]
fn the_doctor_names_the_missing_permission_and_what_to_do() {
    let account = Account::fresh();
    let (behind, proxy) = account.behind_proxy();
    proxy.on("ssm:DescribeParameters").reply(Fault::AccessDenied("not authorized".into()));
    let shop = Shop::new().at(&behind);
    let done = shop.plumb(&["doctor", "--env", "dev"]);
    done.ended(2);
    assert!(done.stdout.contains("! problem  ssm:DescribeParameters: "), "{done}");
    assert!(done.stdout.contains("try: ssm:DescribeParameters is needed: `plumb policy read`"), "{done}");
    assert!(done.stdout.contains("= ok       ssm:GetParameters"), "{done}");
}

#[test]
fn the_local_account_is_down_until_it_is_up() {
    let shop = Shop::empty();
    let done = shop.plumb(&["local", "status"]);
    done.ended(1);
    assert_eq!(done.stdout, "stopped\n");
    shop.plumb(&["local", "env"]).ended(2).complained(&["the local account does not run", "try: plumb local up"]);
    shop.plumb(&["local", "reset"]).ended(2).complained(&["does not run"]);
    shop.plumb(&["local", "down"]).ended(0).complained(&["did not run"]);
}
