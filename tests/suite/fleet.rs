//! Two projects in two accounts, side by side: in one command, and in the console.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::support::account::Account;
use crate::support::proxy::{Fault, Proxy};
use crate::support::terminal::Program;

/// Two repositories, each with an account of its own behind a proxy, and an operator who has both in the config.
struct Fleet {
    home: tempfile::TempDir,
    accounts: [Account; 2],
    proxy: Proxy,
}

const NAMES: [&str; 2] = ["shop", "orders"];
const REGIONS: [&str; 2] = ["eu-central-1", "eu-west-1"];

impl Fleet {
    /// Both with `dev` and `prod`, where live says what git says.
    fn new() -> Self {
        let first = Account::fresh();
        let proxy = Proxy::start(&first.endpoint_url);
        let fleet = Self { home: tempfile::tempdir().unwrap(), accounts: [first.clone(), Account::fresh()], proxy };
        let mut profiles = String::new();
        for (index, name) in NAMES.iter().enumerate() {
            let account = &fleet.accounts[index];
            writeln!(
                profiles,
                "[profile {name}-ro]\naws_access_key_id = {}\naws_secret_access_key = {}",
                account.access_key_id, account.secret_access_key
            )
            .unwrap();
            let environment = format!("profile = \"{name}-ro\"\nregion = \"{}\"\n", REGIONS[index]);
            let project = format!(
                "name = \"{name}\"\n[[config]]\nfiles = \"config/{{service}}/{{env}}/config.json\"\ntype = \"String\"\n\
                 [environments.dev]\n{environment}[environments.prod]\n{environment}"
            );
            fleet.write(&format!("{name}/plumb.toml"), &project);
            for env in ["dev", "prod"] {
                fleet.write(&format!("{name}/config/billing/{env}/config.json"), "{\"pool\": 20}\n");
                fleet.put(index, env, "20");
            }
            fleet.git(name, &["init", "-q", "-b", "main"]);
            fleet.git(name, &["add", "-A"]);
            fleet.git(name, &["commit", "-q", "-m", "Begin"]);
        }
        fleet.write("aws", &profiles);
        fleet.write("config/config.toml", "[projects]\norders = \"~/orders\"\n");
        fleet
    }

    fn path(&self, file: &str) -> PathBuf {
        self.home.path().join(file)
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.path(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn git(&self, project: &str, arguments: &[&str]) {
        let mut git = Command::new("git");
        git.current_dir(self.path(project))
            .args(["-c", "user.name=a", "-c", "user.email=a@example.com"])
            .args(arguments);
        git.env("HOME", self.home.path()).env("GIT_CONFIG_NOSYSTEM", "1");
        assert!(git.status().unwrap().success(), "{arguments:?}");
    }

    /// Puts the one parameter of an environment by hand.
    fn put(&self, project: usize, env: &str, value: &str) {
        let name = format!("/billing/{env}/pool");
        let body = serde_json::json!({ "Name": name, "Value": value, "Type": "String", "Overwrite": true });
        let mut caller = self.accounts[project].caller();
        REGIONS[project].clone_into(&mut caller.region);
        let reply = caller.json("ssm", "AmazonSSM.PutParameter", &body).unwrap();
        assert_eq!(reply.status, 200, "{reply:?}");
    }

    fn variables(&self) -> Vec<(&'static str, PathBuf)> {
        vec![
            ("HOME", self.home.path().to_owned()),
            ("PLUMB_CONFIG_DIR", self.path("config")),
            ("PLUMB_STATE_DIR", self.path("state")),
            ("AWS_CONFIG_FILE", self.path("aws")),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null".into()),
            ("AWS_EC2_METADATA_DISABLED", "true".into()),
            ("AWS_ENDPOINT_URL", self.proxy.endpoint_url().into()),
        ]
    }

    fn plumb(&self, directory: &Path, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plumb"));
        command.args(arguments).current_dir(directory).env_clear().envs(self.variables());
        command.env("PATH", std::env::var_os("PATH").unwrap());
        command.output().unwrap()
    }

    /// `plumb status` of everything, from the first project.
    fn status(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.plumb(&self.path("shop"), &[&["status"], arguments].concat());
        let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        assert_eq!(output.status.code(), Some(code), "{out}\n{err}");
        out
    }

    fn console(&self) -> crate::support::terminal::Terminal {
        Program::plumb().dir(self.path("shop")).envs(self.variables()).args(["--env", "dev"]).start()
    }
}

fn line<'a>(text: &'a str, words: &[&str]) -> &'a str {
    let line = text.lines().find(|line| words.iter().all(|word| line.contains(word)));
    line.unwrap_or_else(|| panic!("no line with {words:?} in\n{text}"))
}

#[test]
fn one_command_tells_all_environments_and_ends_with_the_worst_of_them() {
    let fleet = Fleet::new();
    let text = fleet.status(0, &["--all-envs"]);
    assert!(line(&text, &["shop", "dev"]).contains("= 1") && line(&text, &["shop", "prod"]).contains("= 1"), "{text}");
    assert!(!text.contains("orders"), "{text}");

    fleet.put(1, "prod", "21");
    fleet.status(0, &["--all-envs"]);
    let text = fleet.status(1, &["--all-projects"]);
    let places: Vec<usize> = [["shop", "dev"], ["shop", "prod"], ["orders", "dev"], ["orders", "prod"]]
        .iter()
        .map(|words| text.find(line(&text, words)).unwrap())
        .collect();
    assert!(places.is_sorted(), "in the order of the files:\n{text}");
    let drifted = line(&text, &["orders", "prod"]);
    assert!(
        drifted.contains("* 1") && drifted.contains(&fleet.accounts[1].id) && drifted.contains("eu-west-1"),
        "{text}"
    );

    // A failure in one place leaves the others as they are, and is the worst.
    fleet.write("config/config.toml", "[projects]\norders = \"~/orders\"\ngone = \"~/gone\"\n");
    let text = fleet.status(2, &["--all-projects"]);
    assert!(line(&text, &["shop", "dev"]).contains("= 1"), "{text}");
    assert!(line(&text, &["? gone: cannot read"]).contains("~/gone"), "{text}");
    fleet.status(2, &["--all-envs", "--env", "dev"]);
}

#[test]
fn the_json_of_all_environments_says_where_each_is_and_what_failed() {
    let fleet = Fleet::new();
    fleet.put(0, "prod", "21");
    fleet.write("config/config.toml", "[projects]\ngone = \"~/gone\"\norders = \"~/orders\"\n");
    let second = fleet.accounts[1].id.clone();
    let key = second.clone();
    let denied = Fault::AccessDenied("not authorized to perform: ssm:DescribeParameters".into());
    fleet
        .proxy
        .on("ssm:DescribeParameters")
        .when(move |call| call.access_key_id.as_deref() == Some(&key))
        .reply(denied);
    let json: Value = serde_json::from_str(&fleet.status(2, &["--all-projects", "-o", "json"])).unwrap();
    assert_eq!(json["version"], 1);
    let environments = json["environments"].as_array().unwrap();
    let where_: Vec<String> =
        environments.iter().map(|one| format!("{}/{}", one["project"], one["environment"]).replace('"', "")).collect();
    assert_eq!(where_, ["shop/dev", "shop/prod", "orders/dev", "orders/prod"]);
    assert_eq!(environments[0]["summary"]["in_sync"], 1);
    assert_eq!(environments[1]["summary"]["differs"], 1);
    assert_eq!(environments[1]["items"][0]["name"], "/billing/prod/pool");
    assert_eq!(environments[2]["account"].as_str(), Some(second.as_str()));
    assert_eq!(environments[2]["summary"]["unknown"], 1);
    assert!(environments[2]["problems"][0]["reason"].as_str().unwrap().contains("AccessDenied"), "{json:#}");
    assert_eq!(json["problems"][0]["subject"], "gone");
}

#[test]
fn throttled_attempts_are_counted_though_the_retries_succeed() {
    let fleet = Fleet::new();
    let prod = |call: &crate::support::proxy::Call| call.body_contains("/billing/prod");
    fleet.proxy.on("ssm:DescribeParameters").when(prod).times(2).reply(Fault::Throttling);
    let json: Value = serde_json::from_str(&fleet.status(0, &["--all-envs", "-o", "json"])).unwrap();
    assert_eq!(json["environments"][0]["throttled_calls"], 0);
    assert_eq!(json["environments"][1]["throttled_calls"], 2);
    fleet.proxy.on("ssm:DescribeParameters").when(prod).times(1).reply(Fault::Throttling);
    let output = fleet.plumb(&fleet.path("shop"), &["status", "--all-envs", "--stats"]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains(" calls, 1 throttled"), "{told}");
}

#[test]
fn from_anywhere_the_operators_projects_are_told() {
    let fleet = Fleet::new();
    let output = fleet.plumb(fleet.home.path(), &["status", "--all-projects"]);
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("orders") && !text.contains("shop"), "{text}");
}

#[test]
fn the_console_shows_two_projects_in_two_accounts_and_goes_from_one_to_the_other() {
    let fleet = Fleet::new();
    fleet.put(1, "dev", "21");
    let console = fleet.console();
    let short = |account: &Account| format!("{}…{}", &account.id[..4], &account.id[8..]);
    console.sees("shop / dev").sees("eu-west-1").sees(&short(&fleet.accounts[1])).sees("*1");
    console.press("<Tab> j j").sees("orders / dev").sees("/billing/dev/pool").sees("NEEDS YOU  dev");
    console.press("3").sees("* differs").press("1 @").type_text("shop/prod").press("<Enter>").sees("shop / prod");
    console.sees("= nothing: live is what git says");
    console.press("q");
    assert_eq!(console.exit_code(), 0);
}

#[test]
fn outside_of_any_project_the_console_opens_on_the_first_of_the_operators() {
    let fleet = Fleet::new();
    let console = Program::plumb().dir(fleet.home.path()).envs(fleet.variables()).start();
    console.sees("orders / dev").sees("= nothing: live is what git says").press("q");
    assert_eq!(console.exit_code(), 0);
}

#[test]
fn keys_that_are_renewed_in_the_profile_are_taken_without_a_new_start() {
    let fleet = Fleet::new();
    fleet.put(0, "dev", "21");
    let console = fleet.console();
    console.sees("/billing/dev/pool").sees("live  read ").loses("reading").press("3").sees("* differs");
    let old = fleet.accounts[0].access_key_id.clone();
    fleet.proxy.on("*").when(move |call| call.access_key_id.as_deref() == Some(&old)).reply(Fault::ExpiredToken);
    console.press("r").sees("credentials of profile shop-ro expired: put new keys into profile shop-ro, then r");
    console.sees("/billing/dev/pool").sees("stale");
    // Another key, and so another account of the emulator's, which has no such parameter.
    let renewed = Account::fresh();
    let profiles = std::fs::read_to_string(fleet.path("aws")).unwrap();
    fleet.write("aws", &profiles.replace(&fleet.accounts[0].access_key_id, &renewed.access_key_id));
    console.press("r").loses("expired").loses("stale").sees("- git only");
    console.press("1 q");
    assert_eq!(console.exit_code(), 0);
}
