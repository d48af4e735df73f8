//! `plumb config`: encrypted config, read and changed by the real binary, with keys and secrets made at run time.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use plumb::secret::Secret;
use plumb::sops::generate_age_key;
use serde_json::{Value, json};

use super::shop::{Done, PROJECT, Shop, put};
use crate::support::account::Account;
use crate::support::terminal::{Program, Terminal};

pub const DEV: &str = "config/billing/dev/config.json";
pub const GLOBAL: &str = "config/billing/global/config.json";
pub const SECRETS: &str = "secrets/dev.json";

/// A shop whose documents are encrypted for a key of its own.
pub struct Vault {
    pub shop: Shop,
    recipient: String,
}

/// A text that is in no source.
pub fn secret() -> String {
    format!("s-{}", &generate_age_key().1.expose()[20..40])
}

fn rules(recipient: &str) -> String {
    format!(
        "creation_rules:\n  - path_regex: ^(config|secrets)/\n    age: {recipient}\nstores:\n  json:\n    indent: 2\n"
    )
}

impl Vault {
    pub fn new() -> Self {
        let (recipient, identity) = generate_age_key();
        let mut shop = Shop::with_project(PROJECT);
        shop.env.push(("SOPS_AGE_KEY".to_owned(), identity.expose().to_owned()));
        shop.write(".sops.yaml", &rules(&recipient));
        shop.write(
            DEV,
            "{\n  \"db\": {\n    \"pool\": 20,\n    \"host\": \"db.dev\"\n  },\n  \"url\": \"https://dev\"\n}\n",
        );
        shop.write(GLOBAL, "{\n  \"currency\": \"EUR\",\n  \"url\": \"https://all\"\n}\n");
        shop.write(SECRETS, "{\n  \"stripe\": \"sk\"\n}\n");
        let vault = Self { shop, recipient };
        for file in [DEV, GLOBAL, SECRETS] {
            vault.does(&["encrypt", "--in-place", file]);
        }
        vault.shop.commit();
        vault
    }

    pub fn run(&self, arguments: &[&str]) -> Done {
        self.shop.plumb(&[&["config"], arguments].concat())
    }

    pub fn does(&self, arguments: &[&str]) -> Done {
        let done = self.run(arguments);
        done.ended(0);
        done
    }

    /// With this on stdin.
    pub fn given(&self, input: &str, arguments: &[&str]) -> Done {
        let mut command = self.shop.command(&[&["config"], arguments].concat());
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starts");
        child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("is read");
        Done::of(&child.wait_with_output().expect("ends"))
    }

    pub fn at_terminal(&self, arguments: &[&str]) -> Terminal {
        let (home, env) = (self.shop.directory.path(), self.shop.env.iter().cloned());
        let program = Program::plumb().dir(self.shop.root()).env("HOME", home).envs(env);
        program.args(["config"]).args(arguments.iter().copied()).start()
    }

    pub fn read(&self, file: &str) -> String {
        std::fs::read_to_string(self.shop.root().join(file)).expect("there")
    }

    fn get(&self) -> Value {
        self.does(&["get", "billing", "dev", "--ref", "WORKTREE"]).json()
    }

    /// An editor that does this with the file `$1`.
    pub fn editor(&mut self, script: &str) -> PathBuf {
        let path = self.shop.directory.path().join("editor.sh");
        std::fs::write(&path, script).expect("written");
        self.shop.env.retain(|(name, _)| name != "SOPS_EDITOR");
        self.shop.env.push(("SOPS_EDITOR".to_owned(), format!("sh {}", path.display())));
        path
    }
}

/// Whether one value changed, and beside it the MAC and, unless it is still the same second, the time.
fn is_one_change(before: &str, after: &str) -> bool {
    let only = |one: &str, other: &str| one.lines().filter(|line| !other.lines().any(|each| each == *line)).count();
    matches!((only(before, after), only(after, before)), (2, 2) | (3, 3))
}

#[test]
fn one_value_is_set_and_taken_out_and_all_else_keeps_its_ciphertext() {
    let vault = Vault::new();
    let before = vault.read(DEV);
    assert!(!before.contains("db.dev"), "{before}");
    let new = secret();
    let set = vault.given(&format!("{new}\n"), &["set", "billing", "dev", "db/host", "--value-stdin"]);
    set.ended(0).complained(&["set db/host in config/billing/dev/config.json"]);
    let after = vault.read(DEV);
    assert!(is_one_change(&before, &after), "{before}{after}");
    assert!(!after.contains(&new) && !set.stderr.contains(&new) && set.stdout.is_empty(), "{set}");
    assert_eq!(vault.get()["db/host"], json!(new));

    // A number stays one, a key below a new one is made, and what is so already is no change.
    vault.given("30", &["set", "billing", "dev", "db/pool", "--value-stdin"]).ended(0);
    vault.given("[1, 2]", &["set", "billing", "dev", "new/list", "--value-stdin", "--json"]).ended(0);
    let plain: Value = serde_json::from_str(&vault.does(&["decrypt", DEV]).stdout).expect("JSON");
    assert_eq!((&plain["db"]["pool"], &plain["new"]["list"]), (&json!(30), &json!([1, 2])));
    let before = vault.read(DEV);
    vault.given("30", &["set", "billing", "dev", "db/pool", "--value-stdin"]).ended(0).complained(&["unchanged"]);
    assert_eq!(vault.read(DEV), before);

    vault.does(&["unset", "billing", "dev", "new"]).complained(&["removed new from"]);
    vault.run(&["unset", "billing", "dev", "new"]).ended(2).complained(&["has no new", "try: "]);
    vault.given("x", &["set", "billing", "dev", "url/x", "--value-stdin"]).ended(2).complained(&["cannot set url/x"]);
    assert_eq!(vault.get()["url"], "https://dev");
}

#[test]
fn a_value_has_a_place_and_a_way_in_or_it_is_refused() {
    let vault = Vault::new();
    let rows: [(&[&str], &[&str]); 4] = [
        (&["set", "billing", "staging", "a", "--value-stdin"], &["no layer \"staging\"", "dev, prod, global"]),
        (&["set", "biling", "dev", "a", "--value-stdin"], &["no service \"biling\"", "billing"]),
        (&["set", "billing", "dev", "a"], &["no terminal", "--value-stdin"]),
        (&["set", "billing", "dev", "a", "--value-stdin", "--json"], &["the value is not JSON"]),
    ];
    for (arguments, says) in rows {
        let typed = secret();
        let done = vault.given(&typed, arguments);
        done.ended(2).complained(says);
        assert!(!done.stderr.contains(&typed), "{done}");
    }
    // A layer without a file gets one, by the pattern and under the rule; secrets have their own.
    vault.given("1", &["set", "billing", "prod", "db/pool", "--value-stdin"]).ended(0);
    let made = vault.read("config/billing/prod/config.json");
    assert!(made.contains(&vault.recipient) && made.contains("ENC["), "{made}");
    vault.given("x", &["set", "secrets", "dev", "stripe", "--value-stdin"]).ended(0);
    assert_eq!(vault.does(&["get", "secrets", "dev", "--ref", "WORKTREE"]).json(), json!({ "stripe": "x" }));
    // What lies in clear is not made half encrypted.
    vault.shop.write(GLOBAL, "{\"a\": \"b\"}\n");
    vault.given("x", &["set", "billing", "global", "a", "--value-stdin"]).ended(2).complained(&["not encrypted"]);
}

#[test]
fn what_a_service_reads_is_printed_for_every_reader_and_says_where_it_is_from() {
    let vault = Vault::new();
    let get = |more: &[&str]| vault.does(&[&["get", "billing", "dev"], more].concat());
    let expected = json!({ "currency": "EUR", "db/host": "db.dev", "db/pool": "20", "url": "https://dev" });
    assert_eq!(get(&[]).json(), expected);
    assert!(get(&["-o", "yaml"]).stdout.contains("\"db/pool\": \"20\"\n"));
    assert_eq!(get(&["-o", "dotenv"]).stdout, "CURRENCY=EUR\nDB_HOST=db.dev\nDB_POOL=20\nURL=https://dev\n");
    assert!(get(&["-o", "shell"]).stdout.contains("export URL='https://dev'\n"));

    let text = get(&["--explain"]).stdout;
    let line = text.lines().find(|line| line.starts_with("url ")).expect("a line");
    assert!(
        line.contains("config/billing/dev/config.json:6") && line.contains("before config/billing/global"),
        "{text}"
    );
    assert!(!text.contains("https://dev"), "no value: {text}");
    let explained = get(&["--explain", "-o", "json"]).json();
    let keys = explained["keys"].as_array().expect("keys");
    let pool = keys.iter().find(|key| key["key"] == "db/pool").expect("a key");
    assert_eq!((&pool["layer"], &pool["line"], &pool["author"]), (&json!("dev"), &json!(3), &json!("a")));
    assert_eq!(pool["commit"], explained["commit"]);
    vault.run(&["get", "shop", "dev"]).ended(2).complained(&["no file of \"shop\"", "billing, secrets"]);

    // What is not committed is not what git says, and without the key nothing is said.
    vault.given("5", &["set", "billing", "dev", "db/pool", "--value-stdin"]).ended(0);
    assert_eq!(get(&[]).json(), expected);
    let mut other = vault.shop.command(&["config", "get", "billing", "dev"]);
    let done = Done::of(&other.env("SOPS_AGE_KEY", generate_age_key().1.expose()).output().expect("runs"));
    done.ended(2).complained(&[&vault.recipient, "none of 1 age keys fits"]);
    assert!(done.stdout.is_empty(), "{done}");
}

#[test]
fn live_is_read_as_git_is() {
    let account = Account::fresh();
    let mut vault = Vault::new();
    vault.shop.env.extend(account.env());
    for (name, value) in
        [("dev/url", "https://dev"), ("global/url", "https://all"), ("global/currency", "EUR"), ("dev/db/pool", "20")]
    {
        put(&account, &format!("/billing/{name}"), value);
    }
    put(&account, "/billing/development/x", "another layer");
    let live = vault.does(&["get", "billing", "dev", "--from", "live"]).json();
    assert_eq!(live, json!({ "currency": "EUR", "db/pool": "20", "url": "https://dev" }));
    let text = vault.does(&["get", "billing", "dev", "--from", "live", "--explain"]).stdout;
    assert!(text.contains("/billing/dev/url") && text.contains("before /billing/global/url"), "{text}");
}

#[test]
fn files_are_listed_without_any_key() {
    let mut vault = Vault::new();
    vault.shop.env.clear();
    let text = vault.does(&["list", "--keys"]).stdout;
    assert!(text.contains("db/pool") && text.contains("encrypted, 3 keys"), "{text}");
    let all = vault.does(&["list", "-o", "json"]).json();
    let files: Vec<&Value> = all["documents"].as_array().expect("documents").iter().map(|each| &each["file"]).collect();
    assert_eq!(files, [DEV, GLOBAL, SECRETS]);
    assert_eq!(all["documents"][0]["recipients"], json!([format!("age {}", vault.recipient)]));
    assert_eq!(vault.does(&["list", "secrets", "-o", "json"]).json()["documents"][0]["keys"], json!(["stripe"]));
    vault.run(&["list", "shop"]).ended(2);
}

#[test]
fn files_of_every_format_are_encrypted_and_decrypted_by_their_names_within_a_project_or_not() {
    let vault = Vault::new();
    let outside = tempfile::tempdir().expect("a directory");
    std::fs::write(outside.path().join(".sops.yaml"), format!("creation_rules:\n  - age: {}\n", vault.recipient))
        .expect("written");
    for (name, text) in [("a.yaml", "# said\nkey: value\n"), ("a.env", "KEY=value\n"), ("cert.pem", "any\nbytes\n")] {
        let path = outside.path().join(name);
        std::fs::write(&path, text).expect("written");
        let path = path.to_str().expect("UTF-8");
        let plumb = |arguments: &[&str]| {
            let mut command = vault.shop.command(&[&["config"], arguments].concat());
            let done = Done::of(&command.current_dir(outside.path()).output().expect("runs"));
            done.ended(0);
            done
        };
        let printed = plumb(&["encrypt", name]).stdout;
        assert!(printed.contains("ENC[") && !printed.contains("value"), "{printed}");
        assert_eq!(std::fs::read_to_string(path).expect("there"), text);
        plumb(&["encrypt", "--in-place", path]);
        assert_eq!(plumb(&["decrypt", name]).stdout, text);
        std::fs::copy(path, outside.path().join("other")).expect("copied");
        let kind = if name.ends_with("pem") { "binary" } else { name.rsplit('.').next().expect("an ending") };
        let kind = if kind == "env" { "dotenv" } else { kind };
        assert_eq!(plumb(&["decrypt", "--input-type", kind, "other"]).stdout, text);
        plumb(&["decrypt", "--in-place", name]);
        assert_eq!(std::fs::read_to_string(path).expect("there"), text);
    }
    vault.run(&["encrypt", DEV]).ended(2).complained(&["encrypted already"]);
    vault.shop.write("elsewhere.json", "{}\n");
    vault.run(&["encrypt", "elsewhere.json"]).ended(2).complained(&["no creation rule", "elsewhere.json"]);
    vault.run(&["decrypt", "--input-type", "toml", DEV]).ended(2).complained(&["toml"]);
}

#[test]
fn a_wrong_mac_is_refused_unless_it_is_ignored_aloud() {
    let vault = Vault::new();
    let text = vault.read(DEV);
    let cut: Vec<&str> = text.lines().filter(|line| !line.contains("\"host\"")).collect();
    let cut = cut.join("\n");
    vault.shop.write(DEV, &cut.replacen(",\n  },", "\n  },", 1));
    vault.run(&["decrypt", DEV]).ended(2).complained(&["the MAC of", DEV, "--ignore-mac"]);
    vault.run(&["check"]).ended(2);
    let done = vault.does(&["decrypt", "--ignore-mac", DEV]);
    done.complained(&["WARNING", "the MAC of", DEV]);
    assert!(done.stdout.contains("\"pool\": 20"), "{done}");
    vault.given("x", &["set", "billing", "dev", "url", "--value-stdin"]).ended(2);
    let mended = vault.given("x", &["set", "billing", "dev", "url", "--value-stdin", "--ignore-mac"]);
    mended.ended(0).complained(&["WARNING"]);
    vault.does(&["decrypt", DEV]);
}

#[test]
fn an_edit_lies_in_memory_for_its_owner_alone_and_is_gone_afterwards() {
    let mut vault = Vault::new();
    let seen = vault.shop.directory.path().join("seen");
    let new = secret();
    vault.editor(&format!(
        "printf '%s %s %s %s' \"$1\" \"$(stat -c %a \"$1\")\" \"$(stat -c %a \"$(dirname \"$1\")\")\" \
         \"$(stat -f -c %T \"$1\")\" > {}\nsed -i 's/db.dev/{new}/' \"$1\"\ncp \"$1\" \"$1~\"\n",
        seen.display()
    ));
    let before = vault.read(DEV);
    let done = vault.does(&["edit", "billing", "dev"]);
    done.complained(&["changed config/billing/dev/config.json"]);
    assert!(is_one_change(&before, &vault.read(DEV)));
    assert_eq!(vault.get()["db/host"], json!(new));
    let seen = std::fs::read_to_string(seen).expect("the editor ran");
    let [path, file, directory, kind] = seen.split(' ').collect::<Vec<_>>()[..] else { panic!("{seen}") };
    assert_eq!((file, directory, kind), ("600", "700", "tmpfs"), "{path}");
    assert!(path.ends_with("/config.json") && !Path::new(path).parent().expect("a directory").exists(), "{path}");

    vault.editor("true");
    let before = vault.read(DEV);
    vault.does(&["edit", "billing", "dev"]).complained(&["nothing changed in"]);
    vault.editor("exit 3");
    vault.run(&["edit", "billing", "dev"]).ended(2).complained(&["the editor failed", "nothing was changed"]);
    assert_eq!(vault.read(DEV), before);
}

#[test]
fn an_edit_that_cannot_be_taken_is_kept_encrypted() {
    let mut vault = Vault::new();
    let new = secret();
    vault.editor(&format!("printf '{{ \"broken\": \"{new}' > \"$1\""));
    let before = vault.read(DEV);
    let done = vault.run(&["edit", "billing", "dev"]);
    done.ended(2).complained(&[
        "cannot read config/billing/dev/config.json:1",
        "kept, encrypted, as",
        "try: plumb config edit billing dev --resume /",
    ]);
    assert!(!done.stderr.contains(&new), "{done}");
    assert_eq!(vault.read(DEV), before);
    let kept = done.stderr.split(" --resume ").nth(1).expect("a place").trim();
    assert!(!std::fs::read_to_string(kept).expect("there").contains(&new));
    assert_eq!(vault.does(&["decrypt", kept]).stdout, format!("{{ \"broken\": \"{new}"));

    // Gone on with it is mended; and it is not kept any longer.
    let kept = kept.to_owned();
    vault.editor("exit 3");
    vault.run(&["edit", "billing", "dev", "--resume", &kept]).ended(2).complained(&["nothing was changed"]);
    assert!(Path::new(&kept).exists());
    vault.editor("printf '\", \"url\": \"\" }' >> \"$1\"");
    vault.does(&["edit", "billing", "dev", "--resume", &kept]);
    assert_eq!(vault.does(&["export", "billing", "dev"]).json(), json!({ "broken": new, "url": "" }));
    assert!(!Path::new(&kept).exists());
    vault.shop.write(DEV, &before);

    // Somebody else writes the file meanwhile: neither version is lost.
    let theirs = before.replace("\"lastmodified\"", "\"lastmodified\" ");
    let path = vault.shop.root().join(DEV);
    vault.shop.write("theirs", &theirs);
    vault.editor(&format!(
        "sed -i s/db.dev/mine/ \"$1\"\ncp {} {}\n",
        vault.shop.root().join("theirs").display(),
        path.display()
    ));
    vault.run(&["edit", "billing", "dev"]).ended(2).complained(&["was changed meanwhile", "kept, encrypted, as"]);
    assert_eq!(vault.read(DEV), theirs);
}

#[test]
fn whoever_leaves_is_told_by_check_and_kept_out_by_updatekeys_and_rotate() {
    let vault = Vault::new();
    let done = vault.does(&["check"]);
    assert!(done.stdout.contains("3 files, 0 problems"), "{done}");
    let (second, identity) = generate_age_key();
    vault.shop.write(".sops.yaml", &rules(&second));
    let found = vault.run(&["check", "-o", "json"]);
    found.ended(2);
    let problems = found.json()["problems"].as_array().expect("problems").clone();
    assert_eq!(problems.len(), 3, "{found}");
    let reason = problems[0]["reason"].as_str().expect("a reason");
    assert!(reason.contains(&format!("age {second} missing, age {} too many", vault.recipient)), "{found}");
    assert_eq!(problems[0]["hint"], format!("plumb config updatekeys {DEV}"));

    let before = vault.read(DEV);
    let done = vault.does(&["updatekeys", DEV, GLOBAL, SECRETS]);
    done.complained(&[&format!("+ age {second}"), &format!("- age {}", vault.recipient), "plumb config rotate"]);
    let after = vault.read(DEV);
    let values = |text: &str| text.lines().filter(|line| line.contains("ENC[")).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(values(&before), values(&after));
    vault.run(&["decrypt", DEV]).ended(2);

    let mut vault = vault;
    vault.shop.env = vec![("SOPS_AGE_KEY".to_owned(), Secret::new(identity.expose()).expose().to_owned())];
    vault.does(&["check"]);
    vault.does(&["updatekeys", DEV]).complained(&["needs nothing"]);
    vault.does(&["rotate", DEV]).complained(&["has a new data key"]);
    let rotated = vault.read(DEV);
    assert!(values(&after).iter().all(|line| !rotated.contains(line.as_str())));
    assert_eq!(vault.get()["db/host"], "db.dev");
}

#[test]
fn check_finds_what_lies_in_clear_and_what_aws_would_refuse() {
    let vault = Vault::new();
    vault.shop.write(SECRETS, "{\"stripe\": \"sk\"}\n");
    vault.given("", &["set", "billing", "dev", "empty", "--value-stdin"]).ended(0);
    vault.given(&"x".repeat(9000), &["set", "billing", "dev", "large", "--value-stdin"]).ended(0);
    vault.given(&"x".repeat(5000), &["set", "billing", "dev", "long", "--value-stdin"]).ended(0);
    vault.given("x", &["set", "billing", "global", "a key", "--value-stdin"]).ended(0);
    let done = vault.run(&["check"]);
    done.ended(2);
    for part in [
        format!("! {SECRETS}: it is not encrypted"),
        format!("! {DEV}: empty: "),
        format!("! {DEV}: large: 9000 bytes"),
        format!("! {DEV}: long: 5000 bytes; the standard tier of Parameter Store allows 4096"),
        format!("! {GLOBAL}: a key: "),
    ] {
        assert!(done.stdout.contains(&part), "{part:?} is missing: {done}");
    }
    vault.shop.write("plumb.toml", &PROJECT.replace("type = \"String\"", "type = \"String\"\ntier = \"advanced\""));
    let agreed = vault.run(&["check"]);
    assert!(agreed.ended(2).stdout.contains("large: 9000 bytes") && !agreed.stdout.contains("long: "), "{agreed}");
    // The commit is as it was.
    vault.does(&["check", "--ref", "HEAD"]);
    vault.run(&["get", "billing", "dev", "--ref", "WORKTREE"]).ended(2).complained(&["left out", "empty"]);
}

#[test]
fn a_command_has_the_values_in_its_environment_and_nowhere_else() {
    let vault = Vault::new();
    let script = "printf '%s|%s|' \"$DB_POOL\" \"$URL\"; cat /proc/$$/cmdline; exit 7";
    let done = vault.run(&["exec", "billing", "dev", "--", "sh", "-c", script]);
    done.ended(7);
    assert!(done.stdout.starts_with("20|https://dev|sh") && !done.stdout.contains("db.dev"), "{done}");
    vault
        .run(&["exec", "billing", "dev", "--", "no-such-program"])
        .ended(2)
        .complained(&["cannot run no-such-program"]);
    vault.run(&["exec", "billing", "dev"]).ended(2);
}

#[test]
fn a_layer_goes_out_and_in_again_as_chamber_and_dotenv_have_it() {
    let vault = Vault::new();
    let out = vault.does(&["export", "billing", "dev"]);
    assert_eq!(out.json(), json!({ "db/host": "db.dev", "db/pool": "20", "url": "https://dev" }));
    let before = vault.read(DEV);
    vault.given(&out.stdout, &["import", "billing", "dev"]).ended(0).complained(&["0 added, 0 changed, 3 the same"]);
    assert_eq!(vault.read(DEV), before);

    let new = secret();
    let dotenv = vault.does(&["export", "billing", "dev", "--format", "dotenv"]).stdout;
    assert!(dotenv.contains("DB_POOL=20\n"), "{dotenv}");
    let input = format!("{}NEW_KEY={new}\n", dotenv.replace("DB_POOL=20", "DB_POOL=40"));
    let done = vault.given(&input, &["import", "billing", "dev", "-", "--format", "dotenv"]);
    done.ended(0).complained(&["1 added, 1 changed, 2 the same"]);
    let plain: Value = serde_json::from_str(&vault.does(&["decrypt", DEV]).stdout).expect("JSON");
    assert_eq!((&plain["db"]["pool"], &plain["new_key"]), (&json!(40), &json!(new)));
    assert!(!vault.read(DEV).contains(&new));

    vault.given("{\"a\": {}}", &["import", "billing", "dev"]).ended(2).complained(&["a is another kind"]);
    vault.given(&out.stdout, &["import", "billing", "prod"]).ended(0).complained(&["3 added"]);
    assert!(vault.read("config/billing/prod/config.json").contains("ENC["));
}

#[test]
fn a_file_keeps_its_mode() {
    let vault = Vault::new();
    let path = vault.shop.root().join(DEV);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("set");
    vault.given("1", &["set", "billing", "dev", "url", "--value-stdin"]).ended(0);
    assert_eq!(std::fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
    let names = std::fs::read_dir(path.parent().expect("a directory")).expect("readable");
    assert_eq!(names.count(), 1, "nothing is left beside it");
}

#[test]
fn a_key_that_leaked_has_a_list_of_all_that_it_could_ever_open() {
    let vault = Vault::new();
    let listed = vault.does(&["recipients", "-o", "json"]).json();
    assert_eq!(
        listed["recipients"],
        json!([{ "recipient": format!("age {}", vault.recipient), "files": [DEV, GLOBAL, SECRETS] }])
    );

    // On a branch nobody looks at; then the recipient is taken out without a new data key; then with one.
    vault.shop.git(&["checkout", "-qb", "side"]);
    vault.given("once", &["set", "billing", "dev", "gone", "--value-stdin"]).ended(0);
    vault.shop.commit();
    vault.shop.git(&["checkout", "-q", "main"]);
    let (second, identity) = generate_age_key();
    let both = format!("{}\n{}", vault.shop.env[0].1, identity.expose());
    let mut vault = vault;
    vault.shop.env[0].1 = both;
    vault.shop.write(".sops.yaml", &rules(&second));
    vault.does(&["updatekeys", DEV, GLOBAL]);
    vault.given("later", &["set", "billing", "dev", "url", "--value-stdin"]).ended(0);
    vault.shop.commit();
    vault.does(&["rotate", GLOBAL]);
    vault.given("new", &["set", "billing", "global", "fresh", "--value-stdin"]).ended(0);
    vault.shop.commit();

    let leaked = vault.does(&["recipients", "--leaked", &vault.recipient, "-o", "json"]).json();
    let values = leaked["values"].as_array().expect("values");
    let row = |file: &str, key: &str| {
        let found = values.iter().find(|each| each["file"] == file && each["key"] == key);
        found.map(|each| (each["versions"].as_u64().expect("a number"), each["current"].as_bool().expect("a truth")))
    };
    assert_eq!(row(DEV, "db.host"), Some((1, true)));
    assert_eq!(row(DEV, "gone"), Some((1, false)), "on another branch");
    assert_eq!(row(DEV, "url"), Some((2, true)), "under a data key that the leaked one has opened");
    assert_eq!(row(GLOBAL, "currency"), Some((1, false)), "rotated");
    assert_eq!(row(GLOBAL, "fresh"), None, "after the rotation");
    assert_eq!(row(SECRETS, "stripe"), Some((1, true)));
    let text = vault.does(&["recipients", "--leaked", &format!("age {}", vault.recipient)]);
    assert!(text.stdout.contains("replace it") && !text.stdout.contains("later"), "{text}");
    vault.run(&["recipients", "--leaked", "age1nobody"]).ended(2).complained(&["no document ever named age1nobody"]);
}

#[test]
fn a_value_that_is_typed_or_pasted_is_never_seen() {
    let vault = Vault::new();
    let (typed, pasted) = (secret(), format!("{}\n{}", secret(), secret()));
    let terminal = vault.at_terminal(&["set", "billing", "dev", "url"]);
    terminal.sees("url in dev (not shown): ").type_text(&typed).press("<Enter>");
    assert_eq!(terminal.exit_code(), 0);
    assert!(!String::from_utf8_lossy(&terminal.output()).contains(&typed));
    assert_eq!(vault.get()["url"], json!(typed));
    let terminal = vault.at_terminal(&["set", "billing", "dev", "url"]);
    terminal.sees("(not shown): ").paste(&pasted).press("<Enter>");
    assert_eq!(terminal.exit_code(), 0);
    assert_eq!(vault.get()["url"].as_str().expect("text").replace('\r', "\n"), pasted);
    let terminal = vault.at_terminal(&["set", "billing", "dev", "url"]);
    terminal.sees("(not shown): ").press("x ^c");
    assert_eq!(terminal.exit_code(), 130);
}

#[test]
fn an_edit_that_cannot_be_read_is_offered_again_with_what_was_typed() {
    let mut vault = Vault::new();
    vault.editor("if grep -q broken \"$1\"; then sed -i 's/broken//' \"$1\"; else sed -i 's/^{/broken{/; s/db.dev/mine/' \"$1\"; fi");
    let terminal = vault.at_terminal(&["edit", "billing", "dev"]);
    terminal.sees("Edit it again? [Y/n]").press("<Enter>");
    assert_eq!(terminal.exit_code(), 0);
    assert_eq!(vault.get()["db/host"], "mine");
}

#[test]
fn an_edit_that_is_ended_by_a_signal_leaves_nothing_in_clear_and_is_kept() {
    let mut vault = Vault::new();
    let new = secret();
    vault.editor(&format!("printf '{{ {new}' > \"$1\"; echo \"lies in $1 now\"; read line"));
    let before = vault.read(DEV);
    let terminal = vault.at_terminal(&["edit", "billing", "dev"]);
    terminal.sees("config.json now");
    let text = terminal.text().replace('\n', "");
    let path = text.split("lies in ").nth(1).and_then(|rest| rest.split(" now").next()).expect("a path").to_owned();
    assert!(Path::new(&path).exists(), "{path}");
    terminal.signal(rustix::process::Signal::TERM);
    assert_eq!(terminal.exit_code(), 2);
    assert!(!Path::new(&path).exists(), "{path}");
    assert_eq!(vault.read(DEV), before);
    let kept = std::fs::read_dir(vault.shop.directory.path().join(".local/state/plumb/edits")).expect("a directory");
    let kept: Vec<PathBuf> = kept.map(|entry| entry.expect("readable").path()).collect();
    assert_eq!(vault.does(&["decrypt", kept[0].to_str().expect("UTF-8")]).stdout, format!("{{ {new}"));
}
