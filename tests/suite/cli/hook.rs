//! `plumb hook`: the user's own git, with the real binary as its hook and drivers.

use std::process::{Command, Output};

use super::config::{DEV, GLOBAL, SECRETS, Vault, secret};
use plumb::sops::generate_age_key;

impl Vault {
    /// Git as the operator runs it, with the keys in its environment.
    fn git(&self, arguments: &[&str]) -> Output {
        let mut git = Command::new("git");
        git.current_dir(self.shop.root()).env_clear().env("PATH", std::env::var_os("PATH").expect("a path"));
        git.args(["-c", "user.name=a", "-c", "user.email=a@example.com"]).args(arguments);
        git.env("HOME", self.shop.directory.path()).env("GIT_CONFIG_NOSYSTEM", "1").envs(self.shop.env.iter().cloned());
        git.output().expect("git runs")
    }

    fn says(&self, arguments: &[&str]) -> (bool, String) {
        let output = self.git(arguments);
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(text).expect("UTF-8"))
    }

    fn git_does(&self, arguments: &[&str]) -> String {
        let (well, text) = self.says(arguments);
        assert!(well, "git {arguments:?}: {text}");
        text
    }

    fn installed() -> Self {
        let vault = Self::new();
        vault.shop.plumb(&["hook", "install"]).ended(0).complained(&["git diff and git merge", "is refused"]);
        vault
    }
}

#[test]
fn a_commit_with_plain_text_is_refused_by_what_is_staged_and_not_by_what_lies_there() {
    let vault = Vault::installed();
    let sealed = vault.read(GLOBAL);
    vault.shop.write(GLOBAL, "{\"currency\": \"EUR\"}\n");
    vault.git_does(&["add", "-A"]);
    // Encrypted again in the working tree, and still in clear in the index.
    vault.shop.write(GLOBAL, &sealed);
    let (well, text) = vault.says(&["commit", "-qm", "Leak"]);
    assert!(
        !well && text.contains(&format!("! {GLOBAL}: it is not encrypted")) && text.contains("is refused"),
        "{text}"
    );
    vault.git_does(&["add", "-A"]);
    vault.git_does(&["commit", "-q", "--allow-empty", "-m", "None"]);

    // One value by hand into an encrypted document, git's marks, and a broken one.
    let before = vault.read(DEV);
    let hidden = secret();
    vault.shop.write(
        DEV,
        &before.replacen("  \"url\": \"", &format!("  \"leak\": {{ \"a\": \"{hidden}\" }},\n  \"url\": \""), 1),
    );
    vault.shop.write(SECRETS, &format!("<<<<<<< ours\n{}", vault.read(SECRETS)));
    vault.git_does(&["add", "-A"]);
    let (well, text) = vault.says(&["commit", "-qm", "Leak"]);
    assert!(!well && text.contains("not encrypted in it: leak.a") && text.contains("secrets/dev.json:1:1"), "{text}");
    assert!(!text.contains(&hidden), "{text}");

    // Secrets need no rule to be secret; what neither covers is nobody's business.
    vault.git_does(&["checkout", "-q", "HEAD", "--", "."]);
    vault.shop.write(".sops.yaml", "creation_rules:\n  - path_regex: ^config/\n    age: age1x\n");
    vault.shop.write(SECRETS, "{\"stripe\": \"sk\"}\n");
    vault.shop.write("README.md", "hello\n");
    vault.git_does(&["add", "-A"]);
    let (well, text) = vault.says(&["commit", "-qm", "Leak"]);
    assert!(!well && text.contains(SECRETS) && !text.contains("README"), "{text}");
    vault.git_does(&["rm", "-q", "--cached", SECRETS]);
    vault.git_does(&["commit", "-qm", "Remove it"]);
}

#[test]
fn a_hook_of_somebody_else_s_stays_and_installing_again_changes_nothing() {
    let vault = Vault::new();
    let hook = vault.shop.root().join(".git/hooks/pre-commit");
    std::fs::write(&hook, "#!/bin/sh\ntrue\n").expect("written");
    let attributes = vault.shop.root().join(".git/info/attributes");
    std::fs::write(&attributes, "*.png binary").expect("written");
    let done = vault.shop.plumb(&["hook", "install"]);
    done.ended(2).complained(&["pre-commit is there already and was not touched", "hook run || exit 1"]);
    assert_eq!(std::fs::read_to_string(&hook).expect("there"), "#!/bin/sh\ntrue\n");
    std::fs::remove_file(&hook).expect("removed");
    vault.shop.plumb(&["hook", "install"]).ended(0);
    let once = std::fs::read_to_string(&attributes).expect("there");
    assert!(
        once.starts_with("*.png binary\n") && once.contains("/config/*/*/config.json diff=plumb merge=plumb"),
        "{once}"
    );
    vault.shop.plumb(&["hook", "install"]).ended(0);
    assert_eq!(std::fs::read_to_string(&attributes).expect("there"), once);
}

#[test]
fn a_diff_shows_values_to_whoever_has_the_key_and_ciphertext_to_others() {
    let mut vault = Vault::installed();
    let new = secret();
    vault.given(&new, &["set", "billing", "dev", "db/host", "--value-stdin"]).ended(0);
    let text = vault.git_does(&["diff"]);
    assert!(
        text.contains("-    \"host\": \"db.dev\"") && text.contains(&format!("+    \"host\": \"{new}\"")),
        "{text}"
    );
    assert!(!text.contains("lastmodified") && !text.contains("ENC["), "{text}");
    vault.shop.env = vec![("SOPS_AGE_KEY".to_owned(), generate_age_key().1.expose().to_owned())];
    let text = vault.git_does(&["diff"]);
    assert!(text.contains("ENC[") && !text.contains(&new), "{text}");
    // No plain text in git's own database.
    assert_eq!(vault.git_does(&["config", "diff.plumb.cachetextconv"]).trim(), "false");
}

#[test]
fn two_branches_merge_key_by_key_and_a_conflict_is_one_of_its_key_alone() {
    let vault = Vault::installed();
    let set = |key: &str, value: &str| {
        vault.given(value, &["set", "billing", "dev", key, "--value-stdin"]).ended(0);
    };
    let commit = || vault.git_does(&["commit", "-qam", "Change"]);
    vault.git_does(&["checkout", "-qb", "side"]);
    set("db/host", "theirs");
    set("added", "by them");
    commit();
    vault.git_does(&["checkout", "-q", "main"]);
    set("db/pool", "30");
    commit();
    vault.git_does(&["merge", "-q", "--no-edit", "side"]);
    let merged = vault.does(&["get", "billing", "dev"]).json();
    assert_eq!(
        (&merged["db/host"], &merged["db/pool"], &merged["added"]),
        (&"theirs".into(), &"30".into(), &"by them".into())
    );
    vault.does(&["check"]);

    vault.git_does(&["checkout", "-qb", "other"]);
    set("url", "https://theirs");
    set("db/host", "both");
    commit();
    vault.git_does(&["checkout", "-q", "main"]);
    set("url", "https://ours");
    set("db/host", "both");
    commit();
    let (well, text) = vault.says(&["merge", "--no-edit", "other"]);
    assert!(!well && text.contains("  url: the other side changed it to another value"), "{text}");
    assert!(!text.contains("db.host") && !text.contains("https://"), "{text}");
    let file = vault.read(DEV);
    assert!(!file.contains("<<<<") && !file.contains("https://"), "{file}");
    vault.does(&["check"]);
    // Whoever has it settled adds it, and the hook has nothing against it.
    vault.git_does(&["add", DEV]);
    vault.git_does(&["commit", "-q", "--no-edit"]);
    assert_eq!(vault.does(&["get", "billing", "dev"]).json()["url"], "https://ours");
}

#[test]
fn without_the_key_a_merge_leaves_our_document_whole() {
    let mut vault = Vault::installed();
    vault.git_does(&["checkout", "-qb", "side"]);
    vault.given("theirs", &["set", "billing", "dev", "url", "--value-stdin"]).ended(0);
    vault.git_does(&["commit", "-qam", "Change"]);
    vault.git_does(&["checkout", "-q", "main"]);
    vault.given("ours", &["set", "billing", "dev", "db/host", "--value-stdin"]).ended(0);
    vault.git_does(&["commit", "-qam", "Change"]);
    let ours = vault.read(DEV);
    let keys = std::mem::take(&mut vault.shop.env);
    let (well, text) = vault.says(&["merge", "--no-edit", "side"]);
    assert!(!well && text.contains("no key at hand opens it"), "{text}");
    assert_eq!(vault.read(DEV), ours);
    vault.shop.env = keys;
    vault.does(&["decrypt", DEV]);
}
