//! The ways to a dispatch, and away from one: a commit by its id, a smoke test, a login with `gh`, an interruption.

use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use plumb::ops::crypto::last::{Last, Place};
use serde_json::{Value, json};

use super::github::{GitHub, RUN, State};
use super::{WELL, journal, redeploy, shop};
use crate::cli::shop::{Done, Shop};
use crate::support::account::Account;

#[test]
fn a_commit_by_its_id_goes_as_an_input_to_the_environments_own_branch() {
    let github = GitHub::start(State { names_runs: true, looks: WELL.to_vec(), ..State::default() });
    let shop = shop(&Account::fresh(), &github, "");
    let first = shop.git_text(&["rev-parse", "HEAD"]);
    shop.write("config/billing/global/config.json", "{\"currency\": \"CHF\"}\n");
    shop.commit();
    shop.git(&["push", "-q"]);
    redeploy(&shop, &["--ref", &first, "--yes"]).ended(0).complained(&["workflow Deploy on main"]);
    let sent = github.sent("/dispatches");
    assert_eq!((&sent[0]["ref"], &sent[0]["inputs"]["commit"]), (&json!("main"), &json!(first)), "{sent:#?}");
    // Where the project says which branch that is, it is that one, whatever is checked out.
    let text = std::fs::read_to_string(shop.root().join("plumb.toml")).unwrap();
    shop.write("plumb.toml", &text.replace("[environments.dev]", "[environments.dev]\nref = \"origin/live\""));
    shop.commit();
    shop.git(&["push", "-q", "origin", "main", "main:live"]);
    redeploy(&shop, &["--ref", &first, "--yes"]).ended(0).complained(&["workflow Deploy on live"]);
    assert_eq!(github.sent("/dispatches")[1]["ref"], "live");
}

/// The last smoke test as `plumb crypto smoke` keeps it.
fn smoked(shop: &Shop, environment: &str, commit: &str, word: &str, minutes_ago: i64) {
    let endpoint = shop.env.iter().find(|(name, _)| name == "AWS_ENDPOINT_URL").map(|(_, url)| url.clone());
    let place = Place::new(&shop.root(), "petshop".to_owned(), environment.to_owned(), endpoint);
    let last: Last = serde_json::from_value(json!({
        "schema": 1, "place": place, "at": jiff::Timestamp::now().as_millisecond() - minutes_ago * 60_000,
        "commit": commit, "safe": false, "key_version": 1, "p50_ms": null, "p95_ms": null, "checks": [["round", word]],
    }))
    .unwrap();
    last.keep(&shop.directory.path().join(".local/state/plumb")).unwrap();
}

#[test]
fn what_no_smoke_test_vouches_for_is_not_dispatched() {
    let github = GitHub::start(State { names_runs: true, looks: WELL.to_vec(), ..State::default() });
    let shop = shop(&Account::fresh(), &github, "");
    let commit = shop.git_text(&["rev-parse", "HEAD"]);
    redeploy(&shop, &["--if-smoke", "--yes"]).ended(2).complained(&["refused: no smoke test of dev is known here"]);
    for (commit, word, ago, why) in [
        ("0123456", "passed", 1, "was of commit 0123456"),
        (&*commit, "failed", 1, "did not pass: 1 failed"),
        (&*commit, "passed", 61, "is not of the last 60 minutes"),
    ] {
        smoked(&shop, "dev", commit, word, ago);
        for way in ["github", "change-set"] {
            redeploy(&shop, &["--if-smoke", "--yes", "--via", way]).ended(2).complained(&["refused: ", why]);
        }
    }
    assert_eq!(github.sent("/dispatches"), [Value::Null; 0]);
    smoked(&shop, "prod", &commit, "passed", 1);
    redeploy(&shop, &["--if-smoke", "--yes"]).ended(2).complained(&["is not of the last"]);
    redeploy(&shop, &["--if-smoke=prod", "--yes"]).ended(0);
    smoked(&shop, "dev", &commit, "passed", 1);
    redeploy(&shop, &["--if-smoke", "--yes"]).ended(0);
    assert_eq!(github.sent("/dispatches").len(), 2);
}

/// A `gh` that is logged in at one server.
fn with_gh(shop: &mut Shop, script: &str) {
    let tools = shop.directory.path().join("tools");
    std::fs::create_dir_all(&tools).unwrap();
    let gh = tools.join("gh");
    std::fs::write(&gh, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&gh, PermissionsExt::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap());
    shop.env.retain(|(name, _)| name != "PATH");
    shop.env.push(("PATH".into(), path));
}

#[test]
fn the_token_of_a_login_with_gh_is_that_of_the_projects_server() {
    let github = GitHub::start(State { names_runs: true, looks: WELL.to_vec(), ..State::default() });
    let mut shop = shop(&Account::fresh(), &github, "");
    shop.env.retain(|(name, _)| name != "GH_ENTERPRISE_TOKEN");
    shop.env.push(("THE_TOKEN".into(), github.token.clone()));
    let host = github.address.to_string();
    with_gh(&mut shop, &format!("[ \"$*\" = \"auth token --hostname {host}\" ] && echo \"$THE_TOKEN\""));
    let done = redeploy(&shop, &["--yes"]);
    done.ended(0).complained(&["token from gh auth token"]);
    assert!(!done.to_string().contains(&github.token));
    // One that is logged in nowhere, or prints nothing, has none.
    for script in ["echo \"no oauth token\" >&2; exit 1", "echo; exit 0"] {
        with_gh(&mut shop, script);
        redeploy(&shop, &["--yes"]).ended(2).complained(&["there is no token for", "gh auth login --hostname"]);
    }
    assert_eq!(github.sent("/dispatches").len(), 1);
}

#[test]
fn an_interruption_says_what_was_dispatched_and_by_which_word_it_is_found() {
    // GitHub takes it and names no run, and none is listed: it is looked for.
    let github = GitHub::start(State { looks: WELL.to_vec(), ..State::default() });
    let mut shop = shop(&Account::fresh(), &github, "");
    shop.env.retain(|(name, _)| name != "PLUMB_GITHUB_PATIENCE");
    let mut command = shop.command(&["redeploy", "--env", "dev", "--yes", "-o", "json"]);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = String::new();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    while !said.contains("looking for it by its nonce") {
        assert!(stderr.read_line(&mut said).unwrap() > 0, "{said}");
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    stderr.read_to_string(&mut said).unwrap();
    let mut stdout = String::new();
    child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    let done = Done { code: child.wait().unwrap().code().unwrap(), stdout, stderr: said };
    let json = done.ended(130).json();
    assert_eq!(json["dispatched"], true, "{done}");
    let nonce = json["nonce"].as_str().unwrap();
    done.complained(&["it was dispatched, and goes on", &format!("has {nonce} in its name")]);
    assert_eq!(github.sent("/dispatches")[0]["inputs"]["nonce"], nonce);
    assert_eq!(journal(&shop)[0][2], "ok", "it was taken");
}

#[test]
fn what_became_of_a_lost_dispatch_or_of_a_lost_cancel_is_called_unknown() {
    let lost = |path| vec![("POST", path, 0, Vec::new(), Value::Null)];
    let github = GitHub::start(State { looks: WELL.to_vec(), first: lost("/dispatches"), ..State::default() });
    let own = shop(&Account::fresh(), &github, "");
    let done = redeploy(&own, &["--yes", "-o", "json"]);
    let json = done.ended(2).json();
    done.complained(&["whether it was done is not known", "it may have been dispatched"]);
    assert_eq!((&json["dispatched"], json["nonce"].is_string()), (&Value::Null, true), "{json:#}");
    assert_eq!(journal(&own)[0][2], "unknown");

    let run = RUN.to_string();
    let cancel = |shop: &Shop| redeploy(shop, &["--cancel", &run, "--yes", "-o", "json"]);
    let github = GitHub::start(State { looks: WELL.to_vec(), first: lost("/cancel"), ..State::default() });
    let own = shop(&Account::fresh(), &github, "");
    cancel(&own).ended(2).complained(&["whether it was done is not known"]);
    assert_eq!(journal(&own)[0][2], "unknown", "it may be ending");

    // It was taken: that the run cannot be looked at then is no failure.
    let unseen = vec![("GET", "/runs/30433642", 404, Vec::new(), json!({"message": "Not Found"}))];
    let github = GitHub::start(State { looks: WELL.to_vec(), first: unseen, ..State::default() });
    let own = shop(&Account::fresh(), &github, "");
    let done = cancel(&own);
    let json = done.ended(0).json();
    done.complained(&["asked to end: run 30433642", "is not known: GitHub answered 404"]);
    assert_eq!((&json["id"], &json["status"]), (&json!(RUN), &Value::Null), "{json:#}");
    assert_eq!(journal(&own)[0][2], "ok");
}
