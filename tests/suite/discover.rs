//! What tells of Plumb outside of the console: `plumb keys`, the manual pages, and what a shell completes.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::{Value, json};

/// `plumb` in a directory, with nothing of this machine's in its environment.
fn plumb(dir: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> Output {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut command = Command::new(env!("CARGO_BIN_EXE_plumb"));
    command.args(arguments).current_dir(dir).env_clear().env("PATH", path).env("HOME", dir);
    // Nothing answers there: whoever asked AWS would fail.
    command.env("AWS_ENDPOINT_URL", "http://127.0.0.1:9").envs(variables.iter().copied());
    command.output().unwrap()
}

fn text(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// What the shell is offered for the last of these words.
fn completed(dir: &Path, words: &[&str]) -> Vec<String> {
    let index = (words.len() - 1).to_string();
    let variables = [("PLUMB_COMPLETE", "bash"), ("_CLAP_COMPLETE_INDEX", index.as_str()), ("_CLAP_IFS", "\n")];
    let arguments: Vec<&str> = std::iter::once("--").chain(words.iter().copied()).collect();
    let output = plumb(dir, &variables, &arguments);
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    text(&output).lines().map(str::to_owned).collect()
}

fn git(dir: &Path, arguments: &[&str]) {
    let identity = ["-c", "user.name=ann", "-c", "user.email=ann@petshop.example", "-c", "init.defaultBranch=main"];
    let output = Command::new("git").args(identity).args(arguments).current_dir(dir).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The petshop's project file and template, and documents whose values nobody can read: names are all that is asked.
fn petshop() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let shop = Path::new(env!("CARGO_MANIFEST_DIR")).join("demo/petshop");
    let write = |name: &str, content: &str| {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    };
    let project = std::fs::read_to_string(shop.join("plumb.toml")).unwrap();
    let filled = [("region", "eu-central-1"), ("account", "471100004242"), ("endpoint_url", "http://127.0.0.1:9")];
    let project = filled.iter().fold(project, |text, (key, value)| text.replace(&format!("{{{{{key}}}}}"), value));
    write("plumb.toml", &project);
    write("stack/template.yaml", &std::fs::read_to_string(shop.join("stack/template.yaml")).unwrap());
    let cipher = "ENC[AES256_GCM,data:AAAA,iv:AAAAAAAAAAAAAAAAAAAAAA==,tag:AAAAAAAAAAAAAAAAAAAAAA==,type:str]";
    let age = json!({ "recipient": "age1nobody", "enc": "-----BEGIN AGE ENCRYPTED FILE-----" });
    let sealed = |key: &str| {
        let sops = json!({ "age": [age], "lastmodified": "2026-03-14T02:41:19Z", "mac": cipher, "version": "3.13.0" });
        json!({ key: cipher, "sops": sops }).to_string()
    };
    for (service, env, key) in
        [("billing", "prod", "pool_size"), ("checkout", "prod", "url"), ("billing", "dev", "only_dev")]
    {
        write(&format!("config/{service}/{env}/config.json"), &sealed(key));
    }
    git(dir.path(), &["init", "-q"]);
    git(dir.path(), &["add", "-A"]);
    git(dir.path(), &["commit", "-qm", "Open the shop"]);
    git(dir.path(), &["tag", "v1.0.0"]);
    git(dir.path(), &["branch", "refunds"]);
    // The working tree counts as little as it does for the console.
    write("config/billing/prod/config.json", &sealed("not_committed"));
    dir
}

#[test]
fn a_shell_completes_commands_environments_refs_and_names_from_git() {
    let shop = petshop();
    let dir = shop.path();
    assert!(completed(dir, &["plumb", "sta"]).contains(&"status".to_owned()));
    assert_eq!(completed(dir, &["plumb", "status", "--env", ""]), ["dev", "qa", "uat", "prod"]);
    assert_eq!(completed(dir, &["plumb", "--env", "p"]), ["prod"]);
    assert_eq!(completed(dir, &["plumb", "--ref", ""]), ["main", "refunds", "v1.0.0", "HEAD", "WORKTREE"]);
    assert_eq!(completed(dir, &["plumb", "record", "--at", "v"]), ["v1.0.0"]);
    assert_eq!(completed(dir, &["plumb", "record", "--at", ""]), ["main", "refunds", "v1.0.0", "HEAD"]);
    assert_eq!(
        completed(dir, &["plumb", "--theme", "plumb-c"]),
        ["plumb-colour-blind", "plumb-colour-blind-light", "plumb-catppuccin"]
    );
    assert_eq!(completed(dir, &["plumb", "diff", "par"]), ["parameter"]);
    let parameters = completed(dir, &["plumb", "diff", "parameter", "--env", "prod", ""]);
    let parameters: Vec<&String> = parameters.iter().filter(|name| name.starts_with('/')).collect();
    assert_eq!(parameters, ["/billing/prod/pool_size", "/checkout/prod/url"]);
    assert_eq!(completed(dir, &["plumb", "diff", "parameter", "/billing/d"]), ["/billing/dev/only_dev"]);
    assert!(
        completed(dir, &["plumb", "diff", "--env", "prod", "stack", "petshop-prod/Or"])
            .contains(&"petshop-prod/OrdersTable".to_owned())
    );
    assert_eq!(completed(dir, &["plumb", "--env", "prod", "--path", "/ch"]), ["/checkout", "/checkout/prod"]);
    assert!(completed(dir, &["plumb", "--env", "prod", "--stack", "petshop-p"]).contains(&"petshop-prod".to_owned()));
}

#[test]
fn a_shell_hears_nothing_where_there_is_nothing_to_complete() {
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(completed(empty.path(), &["plumb", "--env", ""]), [""; 0]);
    assert_eq!(completed(empty.path(), &["plumb", "--ref", ""]), [""; 0]);
    assert_eq!(completed(empty.path(), &["plumb", "diff", "parameter", "/"]), [""; 0]);
    std::fs::write(empty.path().join("plumb.toml"), "name = ").unwrap();
    assert_eq!(completed(empty.path(), &["plumb", "--env", ""]), [""; 0]);
    let output = plumb(empty.path(), &[("PLUMB_COMPLETE", "tcsh")], &["--", "plumb", ""]);
    assert!(output.status.success() && output.stdout.is_empty() && output.stderr.is_empty());
}

#[test]
fn every_shell_gets_its_script() {
    let dir = tempfile::tempdir().unwrap();
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let script = text(&plumb(dir.path(), &[], &["completions", shell]));
        assert!(script.contains("PLUMB_COMPLETE") && script.contains("plumb"), "{shell}: {script}");
    }
    assert_eq!(plumb(dir.path(), &[], &["completions", "tcsh"]).status.code(), Some(2));
}

/// Through bash itself, as a person's tab does it.
#[test]
fn bash_completes_with_the_script_that_it_was_given() {
    let shop = petshop();
    let bin = Path::new(env!("CARGO_BIN_EXE_plumb")).parent().unwrap();
    let path = std::env::join_paths(
        std::iter::once(bin.to_owned()).chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    );
    let script = "source <(plumb completions bash) || exit 9
        COMP_WORDS=(plumb status --env p); COMP_CWORD=3; COMP_LINE='plumb status --env p'; COMP_POINT=20
        $(complete -p plumb | sed -n 's/.*-F \\([^ ]*\\).*/\\1/p') plumb p --env
        printf '%s\\n' \"${COMPREPLY[@]}\"";
    let output = Command::new("bash")
        .args(["--norc", "-c", script])
        .current_dir(shop.path())
        .env("PATH", path.unwrap())
        .env("HOME", shop.path())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "prod", "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_keys_are_listed_with_the_operator_s_own() {
    let home = tempfile::tempdir().unwrap();
    let keys = text(&plumb(home.path(), &[], &["keys"]));
    assert!(
        keys.starts_with("On every page\n")
            && keys.contains("Refresh what you are on: everything, a page, an item  (refresh)"),
        "{keys}"
    );
    std::fs::write(home.path().join("config.toml"), "[keys]\nrefresh = [\"f5\"]\nactions = [\"w\"]\n").unwrap();
    let config = home.path().to_str().unwrap();
    let json = text(&plumb(home.path(), &[("PLUMB_CONFIG_DIR", config)], &["keys", "--output", "json"]));
    let json: Value = serde_json::from_str(&json).unwrap();
    let row = |id: &str| json["keys"].as_array().unwrap().iter().find(|row| row["id"] == id).unwrap().clone();
    assert_eq!(row("refresh")["keys"], serde_json::json!(["f5"]));
    assert_eq!(row("neighbours")["keys"], serde_json::json!(["w n"]), "a menu moves with the key that opens it");
    assert_eq!(row("reveal")["reveals"], true);
    std::fs::write(home.path().join("config.toml"), "[keys]\nrefersh = [\"f5\"]\n").unwrap();
    let told = || {
        let wrong = plumb(home.path(), &[("PLUMB_CONFIG_DIR", config)], &["keys"]);
        assert_eq!(wrong.status.code(), Some(2));
        String::from_utf8(wrong.stderr).unwrap()
    };
    let wrong = told();
    assert!(wrong.contains("config.toml:2: keys.refersh: ") && wrong.contains("did you mean refresh?"), "{wrong}");
    let action = |key: &str| {
        let text =
            format!("[[actions]]\nid = \"tail\"\ntitle = \"Follow the log\"\nkey = \"{key}\"\ncommand = [\"true\"]\n");
        std::fs::write(home.path().join("config.toml"), text).unwrap();
    };
    action("ctrl-l");
    let keys = text(&plumb(home.path(), &[("PLUMB_CONFIG_DIR", config)], &["keys"]));
    assert!(keys.contains("\nYour own\n  ^l") && keys.contains("  Follow the log  (tail)"), "{keys}");
    action("v");
    let wrong = told();
    assert!(wrong.contains("config.toml:4: actions[0].key: the key v is wanted by both reveal and tail"), "{wrong}");
    std::fs::create_dir(home.path().join("themes")).unwrap();
    std::fs::write(home.path().join("themes/mine.toml"), "").unwrap();
    let variables = [("PLUMB_COMPLETE", "bash"), ("_CLAP_COMPLETE_INDEX", "2"), ("PLUMB_CONFIG_DIR", config)];
    let themes = text(&plumb(home.path(), &variables, &["--", "plumb", "--theme", "m"]));
    assert_eq!(themes, "mine");
}

#[test]
fn the_manual_has_a_page_for_every_command() {
    let dir = tempfile::tempdir().unwrap();
    let page = text(&plumb(dir.path(), &[], &["man"]));
    assert!(page.contains(".TH plumb 1") && page.contains("plumb\\-status(1)"), "{page}");
    assert!(text(&plumb(dir.path(), &[], &["man", "local", "up"])).contains("plumb local up"));
    let pages = dir.path().join("man1");
    text(&plumb(dir.path(), &[], &["man", "--directory", pages.to_str().unwrap()]));
    for name in ["plumb.1", "plumb-status.1", "plumb-local-up.1", "plumb-completions.1"] {
        assert!(pages.join(name).is_file(), "{name}");
    }
    let wrong = plumb(dir.path(), &[], &["man", "stauts"]);
    assert_eq!(wrong.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("there is no command plumb stauts"));
}
