//! The change list of the console, over a real repository: taken in, kept, and committed by the user's own git - or not,
//! with nothing lost and nothing left behind.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;
use std::sync::Arc;

use plumb::compare::{Kind, Why};
use plumb::config::{self, Bindings, Environ, Flags, Settings};
use plumb::ops::config::changes::{self, Change, Kept, Proposal, Staged, Standing, Subject};
use plumb::ops::config::{Input, Opener};
use plumb::ops::keys::{KeySources, Keys};
use plumb::ops::session::Access;
use plumb::secret::Secret;

use super::config::{DEV, GLOBAL, Vault, secret};
use super::shop::PROJECT;

/// A project, and everything that works on its list.
struct Desk {
    vault: Vault,
    settings: Settings,
    opener: Opener,
    kept: Kept,
    _state: tempfile::TempDir,
    _runtime: tokio::runtime::Runtime,
}

impl Desk {
    /// On a branch that no environment is compared with.
    fn new() -> Self {
        let desk = Self::on_main();
        desk.vault.shop.git(&["checkout", "-q", "-b", "fix"]);
        desk
    }

    fn on_main() -> Self {
        let vault = Vault::new();
        for (key, value) in [("user.name", "Ann"), ("user.email", "ann@example.com")] {
            vault.shop.git(&["config", key, value]);
        }
        let settings = settings(&vault);
        let identity = vault.shop.env.iter().find(|(name, _)| name == "SOPS_AGE_KEY").unwrap().1.clone();
        let keys = Arc::new(Keys::find(&KeySources { key: Some(Secret::new(identity)), ..KeySources::default() }));
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let opener = runtime.block_on(async { Opener::new(&keys, &Access::default(), None, false) });
        let state = tempfile::tempdir().unwrap();
        let kept = Kept::of(state.path(), &vault.shop.root());
        Self { vault, settings, opener, kept, _state: state, _runtime: runtime }
    }

    fn propose(&self, proposal: &Proposal) -> Result<Vec<Change>, Why> {
        changes::propose(&self.opener, &self.settings, &Bindings::env("dev"), &self.kept, proposal)
    }

    fn item(&self, name: &str, value: Option<&str>) -> Result<Vec<Change>, Why> {
        let kind = if name.starts_with('/') { Kind::Parameter } else { Kind::Secret };
        let unit = if kind == Kind::Parameter { "billing" } else { "secrets" };
        let subject = Subject::Item { kind, unit: unit.to_owned(), name: name.to_owned() };
        let value = value.map(|value| Input::Text(Secret::new(value)));
        self.propose(&Proposal { subject, shelf: None, key: String::new(), value })
    }

    fn stage(&self) -> Result<Staged, Why> {
        changes::stage(&self.opener, &self.settings, &self.kept, "Change the pool")
    }

    fn refused(&self) -> String {
        match self.stage() {
            Ok(_) => panic!("it is prepared"),
            Err(why) => format!("{} | {}", why.reason, why.hint.unwrap_or_default()),
        }
    }

    fn git(&self, arguments: &[&str]) -> String {
        let mut git = Command::new("git");
        git.current_dir(self.vault.shop.root()).args(arguments);
        git.env("HOME", self.vault.shop.directory.path()).env("GIT_CONFIG_NOSYSTEM", "1");
        String::from_utf8(git.output().unwrap().stdout).unwrap().trim_end().to_owned()
    }

    fn standings(&self) -> Vec<Standing> {
        changes::preview(&self.opener, &self.settings, &self.kept.load().unwrap()).unwrap().standings
    }

    fn hook(&self, script: &str) {
        let hook = self.vault.shop.root().join(".git/hooks/pre-commit");
        std::fs::write(&hook, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
}

fn settings(vault: &Vault) -> Settings {
    let flags = Flags { env: Some("dev".into()), ..Flags::default() };
    config::load(&flags, &Environ::default(), &vault.shop.root()).unwrap()
}

/// Runs git as the console does; whether it made the commit.
fn runs(staged: &Staged) -> bool {
    let mut git = Command::new("git");
    git.args(&staged.program.arguments);
    for name in staged.program.without {
        git.env_remove(name);
    }
    git.output().unwrap().status.success()
}

#[test]
fn changes_of_several_layers_are_one_commit_of_three_lines_each() {
    let desk = Desk::new();
    desk.item("/billing/dev/db/pool", Some("50")).unwrap();
    desk.propose(&Proposal::set("billing", "global", "currency", Secret::new("CHF"))).unwrap();
    let list = desk.item("/billing/dev/url", None).unwrap();
    assert_eq!(list.iter().map(Change::verb).collect::<Vec<_>>(), ["change", "change", "remove"]);
    assert_eq!(desk.git(&["status", "--porcelain"]), "", "nothing is in git yet");
    let preview = changes::preview(&desk.opener, &desk.settings, &list).unwrap();
    assert_eq!((preview.branch.as_deref(), &preview.aside), (Ok("fix"), &None));
    let global = preview.files.iter().find(|(file, _)| file == GLOBAL).unwrap().1.as_ref().unwrap();
    // The time is whole seconds, and may be the same.
    assert!((2..=3).contains(&global.changed) && !global.new, "the value, the MAC and the time: {global:?}");
    let staged = desk.stage().unwrap();
    assert!(runs(&staged));
    let done = staged.done().unwrap();
    assert_eq!((done.branch.as_str(), done.commands.len(), done.left.len()), ("fix", 0, 0));
    assert_eq!(desk.git(&["log", "-1", "--format=%an %s"]), "Ann Change the pool");
    let lines = desk.git(&["show", "--numstat", "--format=", "HEAD", "--", GLOBAL]);
    assert!(["2\t2\t", "3\t3\t"].iter().any(|few| lines.starts_with(few)), "{lines}");
    assert_eq!(desk.git(&["status", "--porcelain"]), "");
    assert_eq!(desk.kept.load().unwrap(), []);
    let values = desk.vault.does(&["get", "billing", "dev", "--ref", "HEAD", "--output", "json"]).stdout;
    assert!(values.contains("\"50\"") && values.contains("CHF") && values.contains("https://all"), "{values}");
}

#[test]
fn a_protected_branch_gets_a_new_one_beside_it_with_the_command_to_review_it() {
    let desk = Desk::on_main();
    let list = desk.item("dev/petshop/stripe", Some("sk_new")).unwrap();
    desk.vault.shop.write("notes.txt", "mine\n");
    let preview = changes::preview(&desk.opener, &desk.settings, &list).unwrap();
    let (name, why) = preview.aside.unwrap();
    assert!(name == "config/change-stripe-of-secrets-in-dev" && why.contains("prod"), "{name}: {why}");
    let before = desk.git(&["rev-parse", "main"]);
    let staged = desk.stage().unwrap();
    assert!(runs(&staged));
    let done = staged.done().unwrap();
    assert_eq!(done.commands, ["git merge config/change-the-pool"], "there is no remote");
    assert_eq!(desk.git(&["rev-parse", "config/change-the-pool"]), done.commit);
    assert_eq!(desk.git(&["rev-parse", "main"]), before);
    assert_eq!(desk.git(&["status", "--porcelain"]), "?? notes.txt");
    assert_eq!(desk.git(&["worktree", "list"]).lines().count(), 1);
    desk.item("dev/petshop/stripe", Some("sk_other")).unwrap();
    desk.git(&["remote", "add", "origin", "git@github.com:petshop/petshop.git"]);
    let staged = desk.stage().unwrap();
    assert_eq!(staged.branch(), "config/change-the-pool-2");
    assert!(runs(&staged));
    assert_eq!(
        staged.done().unwrap().commands,
        [
            "git push --set-upstream origin config/change-the-pool-2",
            "gh pr create --base main --head config/change-the-pool-2 --fill"
        ]
    );
}

#[test]
fn a_refused_commit_leaves_the_checkout_and_the_list_as_they_were() {
    for desk in [Desk::new(), Desk::on_main()] {
        desk.hook("echo 'not on a Friday' >&2; exit 1");
        let list = desk.item("/billing/dev/db/pool", Some("50")).unwrap();
        desk.propose(&Proposal::set("billing", "prod", "db/pool", Secret::new("100"))).unwrap();
        let staged = desk.stage().unwrap();
        assert!(!runs(&staged));
        drop(staged);
        assert_eq!(desk.git(&["status", "--porcelain"]), "");
        assert!(!desk.vault.shop.root().join("config/billing/prod").join("config.json").exists());
        assert_eq!(desk.git(&["branch", "--list", "config/*"]), "");
        assert_eq!(desk.git(&["worktree", "list"]).lines().count(), 1);
        assert_eq!(desk.kept.load().unwrap()[..1], list);
        desk.hook("exit 0");
        let staged = desk.stage().unwrap();
        assert!(runs(&staged));
        assert_eq!(staged.done().unwrap().left, []);
    }
}

#[test]
fn what_stands_in_the_way_is_told_and_nothing_is_written() {
    let desk = Desk::new();
    let list = desk.item("/billing/dev/db/pool", Some("50")).unwrap();
    let lock = desk.vault.shop.root().join(".git/index.lock");
    std::fs::write(&lock, "").unwrap();
    assert!(desk.refused().contains("index.lock"));
    std::fs::remove_file(&lock).unwrap();
    desk.git(&["checkout", "-q", "--detach"]);
    assert!(desk.refused().starts_with("HEAD is detached at"));
    desk.git(&["checkout", "-q", "fix"]);
    desk.vault.shop.git(&["commit", "-q", "--allow-empty", "-m", "Another"]);
    desk.git(&["-c", "sequence.editor=sed -i s/pick/edit/", "rebase", "-q", "-i", "HEAD~1"]);
    assert!(desk.refused().starts_with("a rebase is under way"));
    desk.git(&["rebase", "--abort"]);
    // Somebody's own change of the file would be committed along.
    desk.vault.does(&["unset", "billing", "dev", "url"]);
    assert!(desk.refused().contains("changes in the checkout that are not committed"));
    desk.git(&["checkout", "-q", "--", DEV]);
    assert_eq!(desk.git(&["status", "--porcelain"]), "");
    assert_eq!(desk.kept.load().unwrap(), list, "the list stays");
    drop(desk.stage().unwrap());
    assert_eq!(desk.git(&["status", "--porcelain"]), "");
}

#[test]
fn a_value_that_was_changed_underneath_is_not_written_over() {
    let desk = Desk::new();
    desk.item("/billing/dev/db/pool", Some("50")).unwrap();
    desk.propose(&Proposal::set("billing", "dev", "new", Secret::new("x"))).unwrap();
    desk.vault.given("70", &["set", "billing", "dev", "db/pool", "--value-stdin"]);
    desk.vault.shop.commit();
    assert_eq!(desk.standings(), [Standing::Moved, Standing::Fresh]);
    assert!(desk.refused().starts_with("HEAD says something else than before of db/pool"));
    // Looked at anew, it is taken.
    desk.item("/billing/dev/db/pool", Some("50")).unwrap();
    assert_eq!(desk.standings(), [Standing::Fresh, Standing::Fresh]);
    // What a commit has that was cut off before it could be told is done.
    let staged = desk.stage().unwrap();
    assert!(runs(&staged));
    std::mem::forget(staged);
    assert_eq!(desk.standings(), [Standing::Done, Standing::Done]);
    assert!(desk.refused().contains("there is nothing to commit, and the list is empty now"));
    assert_eq!(desk.kept.load().unwrap(), []);
}

#[test]
fn a_commit_that_was_cut_off_goes_on_from_what_it_has_written() {
    let desk = Desk::new();
    desk.item("/billing/dev/db/pool", Some("50")).unwrap();
    // As by a kill between writing the files and git.
    std::mem::forget(desk.stage().unwrap());
    assert_eq!(desk.git(&["status", "--porcelain"]), format!(" M {DEV}"));
    let staged = desk.stage().unwrap();
    assert!(runs(&staged));
    staged.done().unwrap();
    assert_eq!(desk.git(&["status", "--porcelain"]), "");
}

#[test]
fn what_could_not_become_a_parameter_or_cannot_be_opened_is_refused_before_it_is_in_the_list() {
    let desk = Desk::new();
    let set = |key: &str, value: &str| {
        let refused = desk.propose(&Proposal::set("billing", "dev", key, Secret::new(value)));
        refused.err().unwrap_or_else(|| panic!("{key} is taken")).reason
    };
    assert!(set("a b", "x").contains("refuses ' '"));
    assert!(set("db/pool", "").contains("empty"));
    assert!(set("url/deep", "x").contains("it is a value, and has no keys below it"));
    assert!(set("long", &"x".repeat(9000)).contains("8192"));
    assert!(set("db/pool", "20").contains("says so already"));
    assert!(desk.item("/billing/dev/nothing", None).unwrap_err().reason.contains("nothing to remove"));
    assert!(desk.item("/elsewhere/x", Some("x")).unwrap_err().reason.contains("no pattern"));
    let stranger = Desk { opener: Desk::new().opener, ..Desk::new() };
    assert!(stranger.item("/billing/dev/db/pool", Some("50")).is_err(), "no key opens it");
    assert_eq!(desk.kept.load().unwrap(), []);
}

/// A document that is one secret as a whole.
const WHOLE: &str = "secrets/dev/billing/db.json";

/// A project that has such documents.
fn with_documents(mut desk: Desk) -> Desk {
    let table = "[[secrets]]\nname = \"{env}/{service}/db\"\nfile = \"secrets/{env}/{service}/db.json\"\n";
    let project = PROJECT.replace("[environments.dev]", &format!("{table}shape = \"document\"\n[environments.dev]"));
    desk.vault.shop.write("plumb.toml", &project);
    desk.vault.shop.commit();
    desk.settings = settings(&desk.vault);
    desk
}

#[test]
fn a_document_that_is_one_secret_is_added_as_a_whole() {
    let desk = with_documents(Desk::new());
    let add = |key: &str, value: &str| desk.propose(&Proposal::set(WHOLE, "dev", key, Secret::new(value)));
    assert!(add("", "heron").unwrap_err().reason.contains("JSON in braces"));
    assert!(add("user", "{}").unwrap_err().reason.contains("leave the key empty"));
    let value = secret();
    let list = add("", &format!("{{\"user\": \"{value}\"}}")).unwrap();
    assert_eq!(
        (list[0].verb(), list[0].place.key().as_str(), list[0].place.service.as_str()),
        ("add", WHOLE, "secrets")
    );
    let staged = desk.stage().unwrap();
    assert!(runs(&staged));
    assert_eq!(staged.done().unwrap().left, []);
    let text = desk.git(&["show", &format!("HEAD:{WHOLE}")]);
    assert!(text.contains("ENC[") && !text.contains(&value), "{text}");
    assert!(desk.vault.does(&["decrypt", WHOLE]).stdout.contains(&value));
    assert_eq!(desk.git(&["status", "--porcelain"]), "");
    // One that is there is edited, and not added.
    assert!(add("", "{\"user\": \"x\"}").unwrap_err().reason.contains("there is no layer dev"));
    assert_eq!(desk.item("dev/billing/db", Some("{\"user\": \"x\"}")).unwrap()[0].verb(), "change");
}

#[test]
fn a_document_that_is_one_secret_is_removed_as_a_whole_or_stays_where_the_commit_is_refused() {
    for (desk, is_aside) in [(Desk::new(), false), (Desk::on_main(), true)] {
        let desk = with_documents(desk);
        desk.vault.shop.write(WHOLE, "{\"user\": \"shop\"}\n");
        desk.vault.does(&["encrypt", "--in-place", WHOLE]);
        desk.vault.shop.commit();
        let bytes = std::fs::read(desk.vault.shop.root().join(WHOLE)).unwrap();
        let list = desk.item("dev/billing/db", None).unwrap();
        assert_eq!((list[0].verb(), list[0].place.key().as_str()), ("remove", WHOLE));
        let preview = changes::preview(&desk.opener, &desk.settings, &list).unwrap();
        assert!(preview.files[0].1.as_ref().unwrap().gone && preview.standings == [Standing::Fresh], "{preview:?}");
        assert_eq!(preview.message, format!("Remove {WHOLE} of secrets in dev"));

        desk.hook("exit 1");
        let staged = desk.stage().unwrap();
        assert!(!runs(&staged));
        drop(staged);
        assert_eq!(std::fs::read(desk.vault.shop.root().join(WHOLE)).unwrap(), bytes);
        assert_eq!(desk.git(&["status", "--porcelain"]), "");
        assert_eq!(desk.kept.load().unwrap().len(), 1, "the list stays");

        desk.hook("exit 0");
        let staged = desk.stage().unwrap();
        assert!(runs(&staged));
        let done = staged.done().unwrap();
        assert_eq!(done.commands.is_empty(), !is_aside);
        assert_eq!(desk.git(&["show", "--name-status", "--format=", &done.commit]), format!("D\t{WHOLE}"));
        assert_eq!(desk.git(&["status", "--porcelain"]), "");
        assert_eq!(desk.kept.load().unwrap(), []);
        assert_eq!(desk.vault.shop.root().join(WHOLE).exists(), is_aside);
    }
}

#[test]
fn a_change_that_is_taken_back_leaves_the_list() {
    let desk = Desk::new();
    assert_eq!(desk.item("/billing/dev/db/pool", Some("50")).unwrap().len(), 1);
    assert_eq!(desk.item("/billing/dev/db/pool", Some("60")).unwrap().len(), 1, "one change for each value");
    assert_eq!(desk.item("/billing/dev/db/pool", Some("20")).unwrap(), []);
}
