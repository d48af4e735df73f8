//! `plumb config` and `plumb promote` on what is broken, huge, or in the middle of something: a clear error, and nothing
//! lost.

use std::collections::HashSet;
use std::os::unix::fs::PermissionsExt as _;

use plumb::sops::generate_age_key;
use serde_json::{Map, Value, json};

use super::config::{DEV, Vault, secret};

const CHECK: &[&str] = &["check"];

/// Each command that opens a document, and what it reads from stdin.
fn commands() -> Vec<(Vec<&'static str>, &'static str)> {
    let on_layer = |command: &[&'static str], more: &[&'static str]| [command, &["billing", "dev"], more].concat();
    vec![
        (on_layer(&["get"], &["--ref", "WORKTREE"]), ""),
        (on_layer(&["set"], &["url", "--value-stdin"]), "typed"),
        (on_layer(&["unset"], &["url"]), ""),
        (on_layer(&["edit"], &[]), ""),
        (on_layer(&["export"], &[]), ""),
        (on_layer(&["import"], &[]), "{\"a\": \"typed\"}"),
        (vec!["decrypt", DEV], ""),
        (vec!["rotate", DEV], ""),
        (vec!["updatekeys", DEV], ""),
        (CHECK.to_vec(), ""),
    ]
}

#[test]
fn a_document_that_cannot_be_used_is_named_with_what_is_wrong_and_stays_as_it_is() {
    type Row = (&'static str, fn(&str) -> Vec<u8>, &'static str);
    let rows: [Row; 8] = [
        ("truncated", |text| text.as_bytes()[..text.len() / 2].to_vec(), "cannot read config/billing/dev/config.json:"),
        ("empty", |_| Vec::new(), DEV),
        ("no document", |_| b"hello\n".to_vec(), "cannot read config/billing/dev/config.json:1"),
        ("a picture", |_| b"\x89PNG\r\n\x1a\n\0\0".to_vec(), "not UTF-8"),
        (
            "a key twice",
            |text| {
                let line = text.lines().find(|line| line.contains("\"url\"")).expect("a line");
                text.replacen(line, &format!("{line}\n{line}"), 1).into_bytes()
            },
            "the key \"url\" is there twice",
        ),
        (
            "a byte that is no text",
            |text| [b"{\n  \"odd\": \"\xff\",".as_slice(), &text.as_bytes()[1..]].concat(),
            "a byte that is not UTF-8",
        ),
        ("a value moved", |text| text.replacen("\"pool\"", "\"size\"", 1).into_bytes(), "size"),
        (
            "a wrong MAC",
            |text| text.replacen("\n  \"sops\"", "\n  \"added_unencrypted\": \"by hand\",\n  \"sops\"", 1).into_bytes(),
            "the MAC of config/billing/dev/config.json is wrong",
        ),
    ];
    let mut vault = Vault::new();
    let opened = vault.shop.directory.path().join("opened");
    vault.editor(&format!("touch {}", opened.display()));
    let whole = vault.read(DEV);
    for (story, breaks, says) in rows {
        let broken = breaks(&whole);
        assert_ne!(broken, whole.as_bytes(), "{story}");
        refuses(&vault, story, &broken, says);
        assert!(!opened.exists(), "{story}: nothing is edited");
    }
    // The same file under another key.
    vault.shop.env[0].1 = generate_age_key().1.expose().to_owned();
    refuses(&vault, "a wrong key", whole.as_bytes(), "none of 1 age keys fits");
    assert!(!opened.exists());
}

fn refuses(vault: &Vault, story: &str, broken: &[u8], says: &str) {
    let path = vault.shop.root().join(DEV);
    std::fs::write(&path, broken).expect("written");
    for (arguments, input) in commands() {
        let done = vault.given(input, &arguments);
        done.ended(2);
        let told = format!("{}{}", done.stdout, done.stderr);
        assert!(told.contains(says) && told.contains(DEV), "{story}: {arguments:?} does not say {says:?}: {done}");
        assert!(!told.contains("db.dev") && !told.contains("typed"), "{story}: {done}");
        assert_eq!(std::fs::read(&path).expect("there"), broken, "{story}: {arguments:?}");
        let beside = std::fs::read_dir(path.parent().expect("a directory")).expect("readable").count();
        assert_eq!(beside, 1, "{story}: {arguments:?}");
    }
}

#[test]
fn a_document_in_plain_text_is_said_to_be_one() {
    let vault = Vault::new();
    vault.shop.write(DEV, "{\"url\": \"https://plain\"}\n");
    let says = |done: &super::shop::Done| format!("{}{}", done.stdout, done.stderr).contains("not encrypted");
    for (arguments, input) in commands() {
        if ["get", "export"].contains(&arguments[0]) {
            vault.given(input, &arguments).ended(0);
            continue;
        }
        let done = vault.given(input, &arguments);
        done.ended(2);
        assert!(says(&done), "{arguments:?}: {done}");
        assert_eq!(vault.read(DEV), "{\"url\": \"https://plain\"}\n");
    }
}

#[test]
fn ten_megabytes_go_in_and_out_and_are_told_to_be_too_large() {
    let mut vault = Vault::new();
    let large = "a line of some text\n".repeat(500_000);
    let large = large.trim_end();
    vault.given(large, &["set", "billing", "dev", "large", "--value-stdin"]).ended(0);
    assert!(vault.read(DEV).len() > 10_000_000);
    let done = vault.run(CHECK);
    done.ended(2);
    assert!(done.stdout.contains("large: 9999999 bytes; Parameter Store allows 8192"), "{done}");
    vault.editor("sed -i s/db.dev/db.new/ \"$1\"");
    vault.does(&["edit", "billing", "dev"]);
    let got = vault.does(&["get", "billing", "dev", "--ref", "WORKTREE"]).json();
    assert!(got["db/host"] == "db.new" && got["large"] == large);
    vault.does(&["unset", "billing", "dev", "large"]);
    assert!(vault.read(DEV).len() < 10_000);
}

#[test]
fn ten_thousand_keys_are_carried_and_one_of_them_is_one_change() {
    let mut vault = Vault::new();
    let all: Map<String, Value> =
        (0..10_000).map(|at| (format!("many/key{at}"), json!(format!("value {at}")))).collect();
    let done = vault.given(&Value::Object(all).to_string(), &["import", "billing", "dev"]);
    done.ended(0).complained(&["10000 added, 0 changed, 0 the same"]);
    let is_one_change = |before: &str, after: &str| {
        let (before, after): (HashSet<_>, HashSet<_>) = (before.lines().collect(), after.lines().collect());
        matches!((before.difference(&after).count(), after.difference(&before).count()), (2, 2) | (3, 3))
    };
    let before = vault.read(DEV);
    vault.given("another", &["set", "billing", "dev", "many/key5000", "--value-stdin"]).ended(0);
    assert!(is_one_change(&before, &vault.read(DEV)));
    let before = vault.read(DEV);
    vault.editor("sed -i 's/\"value 7000\"/\"edited\"/' \"$1\"");
    vault.does(&["edit", "billing", "dev"]);
    assert!(is_one_change(&before, &vault.read(DEV)));
    let got = vault.does(&["get", "billing", "dev", "--ref", "WORKTREE"]).json();
    assert_eq!((&got["many/key5000"], &got["many/key7000"]), (&json!("another"), &json!("edited")));
    assert_eq!(got.as_object().expect("an object").len(), 10_004);
    let listed = vault.does(&["list", "billing", "-o", "json"]).json();
    assert_eq!(listed["documents"][0]["keys"].as_array().expect("keys").len(), 10_003);
    vault.does(CHECK);
}

#[test]
fn what_aws_would_refuse_is_told_by_its_key_before_anything_is_pushed() {
    let vault = Vault::new();
    let sealed = |file: &str, text: &str| {
        vault.shop.write(file, text);
        vault.does(&["encrypt", "--in-place", file]);
    };
    sealed("config/aws/dev/config.json", "{\"x\": \"1\"}\n");
    sealed("config/ssm-tools/dev/config.json", "{\"x\": \"1\"}\n");
    vault.given("x", &["set", "billing", "dev", "two words", "--value-stdin"]).ended(0);
    vault.given("", &["set", "billing", "dev", "empty", "--value-stdin"]).ended(0);
    vault.given(&"x".repeat(8193), &["set", "billing", "dev", "long", "--value-stdin"]).ended(0);
    vault.given(&"x".repeat(65_537), &["set", "secrets", "dev", "long", "--value-stdin"]).ended(0);
    let done = vault.run(CHECK);
    done.ended(2);
    for part in [
        "! config/aws/dev/config.json: x: ",
        "! config/ssm-tools/dev/config.json: x: ",
        "! config/billing/dev/config.json: two words: ",
        "! config/billing/dev/config.json: empty: ",
        "! config/billing/dev/config.json: long: 8193 bytes; Parameter Store allows 8192",
        "! secrets/dev.json: long: 65537 bytes; Secrets Manager allows 65536",
    ] {
        assert!(done.stdout.contains(part), "{part:?} is missing: {done}");
    }
    // What is refused is left out and told; the rest is there.
    let got = vault.run(&["get", "billing", "dev", "--ref", "WORKTREE"]);
    got.ended(2).complained(&["left out: config/billing/dev/config.json: two words", "empty"]);
    assert_eq!(got.json()["url"], "https://dev");
    // `aws` further down is a name like any other.
    let vault = Vault::new();
    vault.given("x", &["set", "billing", "dev", "aws/region", "--value-stdin"]).ended(0);
    vault.does(CHECK);
}

/// A vault in a git repository that has an author, and whose prod has a layer.
fn promoting() -> Vault {
    let vault = Vault::new();
    vault.shop.git(&["config", "user.name", "Mara"]);
    vault.shop.git(&["config", "user.email", "mara@example.com"]);
    vault.given("https://prod", &["set", "billing", "prod", "url", "--value-stdin"]).ended(0);
    vault.shop.commit();
    vault
}

const PROMOTE: [&str; 7] = ["promote", "--from", "dev", "--to", "prod", "billing/url", "--branch"];

#[test]
fn whatever_git_is_in_the_middle_of_config_is_read_changed_and_promoted() {
    type Row = (&'static str, fn(&Vault));
    let rows: [Row; 3] = [
        ("a detached HEAD", |vault| vault.shop.git(&["checkout", "-q", "--detach"])),
        ("a locked index", |vault| vault.shop.write(".git/index.lock", "")),
        ("a rebase that waits for somebody", |vault| {
            vault.shop.git(&["checkout", "-qb", "side", "HEAD"]);
            vault.shop.write("README", "theirs\n");
            vault.shop.commit();
            vault.shop.git(&["checkout", "-q", "main"]);
            vault.shop.write("README", "ours\n");
            vault.shop.commit();
            let mut git = std::process::Command::new("git");
            git.current_dir(vault.shop.root()).env("HOME", vault.shop.directory.path()).args(["rebase", "side"]);
            assert!(!git.output().expect("runs").status.success());
            assert!(vault.shop.root().join(".git/rebase-merge").exists());
        }),
    ];
    for (story, happens) in rows {
        let vault = promoting();
        happens(&vault);
        let status = std::fs::read(vault.shop.root().join(".git/HEAD")).expect("there");
        let new = secret();
        assert_eq!(vault.does(&["get", "billing", "dev"]).json()["url"], "https://dev", "{story}");
        vault.given(&new, &["set", "billing", "dev", "url", "--value-stdin"]).ended(0);
        assert_eq!(vault.does(&["get", "billing", "dev", "--ref", "WORKTREE"]).json()["url"], json!(new), "{story}");
        vault.does(CHECK);
        vault.does(&["get", "billing", "dev", "--explain"]);
        let done = vault.shop.plumb(&[&PROMOTE[..], &["up"]].concat());
        done.ended(0);
        let promoted = vault.does(&["get", "billing", "prod", "--ref", "up"]).json();
        assert_eq!(promoted["url"], "https://dev", "{story}: what is committed, and not what lies about");
        assert_eq!(vault.does(&["get", "billing", "prod"]).json()["url"], "https://prod", "{story}");
        assert_eq!(std::fs::read(vault.shop.root().join(".git/HEAD")).expect("there"), status, "{story}");
        assert_eq!(vault.does(&["get", "billing", "dev", "--ref", "WORKTREE"]).json()["url"], json!(new), "{story}");
    }
}

#[test]
fn a_hook_that_refuses_the_commit_is_heard_and_leaves_nothing() {
    let vault = promoting();
    let hook = vault.shop.root().join(".git/hooks/pre-commit");
    vault.shop.write(".git/hooks/pre-commit", "#!/bin/sh\necho 'not on a Friday' >&2\nexit 1\n");
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).expect("set");
    let before = (vault.read(DEV), vault.read("config/billing/prod/config.json"));
    let done = vault.shop.plumb(&[&PROMOTE[..], &["up"]].concat());
    done.ended(2).complained(&["git commit", "not on a Friday"]);
    assert!(!vault.shop.root().join(".git/refs/heads/up").exists());
    assert_eq!((vault.read(DEV), vault.read("config/billing/prod/config.json")), before);
    // Once the hook agrees, the same command does it.
    std::fs::remove_file(&hook).expect("removed");
    vault.shop.plumb(&[&PROMOTE[..], &["up"]].concat()).ended(0);
    vault.shop.plumb(&[&PROMOTE[..], &["up"]].concat()).ended(2).complained(&["up"]);
    // A document of the target that cannot be opened is said beforehand, and nothing is promoted into it.
    let mut vault = vault;
    vault.shop.env[0].1 = generate_age_key().1.expose().to_owned();
    let done = vault.shop.plumb(&[&PROMOTE[..], &["again"]].concat());
    done.ended(2);
    assert!(!vault.shop.root().join(".git/refs/heads/again").exists(), "{done}");
}
