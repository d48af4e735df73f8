//! Redeploying through GitHub, and holding that, as a shell sees it. GitHub is a stand-in on loopback that holds every
//! request to GitHub's own description.

pub mod github;
mod held;
mod ways;

use serde_json::{Value, json};

use self::github::{GitHub, RUN, State};
use super::shop::{Done, PROJECT, Shop};
use crate::support::account::Account;
use crate::support::terminal::Program;

/// What a run is at when it goes well.
const WELL: [(&str, Option<&str>); 4] =
    [("queued", None), ("in_progress", None), ("in_progress", None), ("completed", Some("success"))];

/// A project that is rolled out by a workflow of this GitHub.
fn shop(account: &Account, github: &GitHub, more: &str) -> Shop {
    let redeploy = format!(
        "[redeploy]\nmethod = \"github\"\nrepository = \"{}\"\nworkflow = \"deploy.yml\"\napi = \"{}\"\n{more}\n[[config]]",
        github::REPOSITORY,
        github.api()
    );
    let mut shop = Shop::with_project(&PROJECT.replacen("[[config]]", &redeploy, 1)).at(account);
    shop.env.push(("GH_ENTERPRISE_TOKEN".into(), github.token.clone()));
    shop.env.push(("PLUMB_GITHUB_PATIENCE".into(), "3".into()));
    let remote = shop.directory.path().join("remote.git").display().to_string();
    shop.git(&["init", "-q", "--bare", &remote]);
    shop.git(&["remote", "add", "origin", &remote]);
    shop.git(&["push", "-q", "-u", "origin", "main"]);
    shop
}

fn redeploy(shop: &Shop, more: &[&str]) -> Done {
    shop.plumb(&[&["redeploy", "--env", "dev"], more].concat())
}

fn journal(shop: &Shop) -> Vec<Value> {
    let found = shop.plumb(&["journal", "--env", "dev", "--output", "json"]).ended(0).json();
    let entries = found["entries"].as_array().unwrap().iter().rev();
    entries.map(|entry| json!([entry["action"], entry["subjects"], entry["state"]])).collect()
}

#[test]
fn a_commit_is_dispatched_followed_step_by_step_and_looked_at() {
    let (account, github) =
        (Account::fresh(), GitHub::start(State { names_runs: true, looks: WELL.to_vec(), ..State::default() }));
    let shop = shop(&account, &github, "");
    let planned = redeploy(&shop, &["--dry-run"]);
    planned.ended(1).complained(&[
        "via     shop/petshop   workflow Deploy on main",
        "token from GH_ENTERPRISE_TOKEN",
        "commit",
    ]);
    assert_eq!(github.sent("/dispatches"), [Value::Null; 0], "a dry run dispatches nothing");
    redeploy(&shop, &[]).ended(2).complained(&["no terminal to ask at"]);
    assert_eq!(github.sent("/dispatches"), [Value::Null; 0]);

    let done = redeploy(&shop, &["--yes", "--wait", "--reason", "undo $(x)", "-o", "json"]);
    done.ended(0).complained(&["queued", "deploy / 1 plumb deploy", "success", "/actions/runs/30433642", "live    "]);
    let json = done.json();
    assert_eq!((&json["run"]["id"], &json["run"]["conclusion"]), (&json!(RUN), &json!("success")), "{json:#}");
    assert_eq!(json["jobs"][0]["steps"][0]["conclusion"], "success");
    let sent = github.sent("/dispatches");
    let expected = json!({"ref": "main", "return_run_details": true, "inputs": {
        "environment": "dev", "commit": json["commit"], "reason": "undo ??x?", "nonce": json["nonce"],
    }});
    assert_eq!(sent, [expected]);
    let state = github.state.lock().unwrap();
    assert_eq!(state.looked, WELL.len());
    assert!(state.unchanged >= 2, "what has not changed costs no request: {}", state.unchanged);
    drop(state);
    assert_eq!(journal(&shop), [json!(["redeploy", ["shop/petshop: deploy.yml"], "ok"])]);
    assert!(!format!("{done}{planned}").contains(&github.token));
}

#[test]
fn the_console_has_the_workflow_roll_it_out_and_follows_its_run() {
    let looks = vec![("queued", None), ("in_progress", None), ("completed", Some("success"))];
    let (account, github) = (Account::fresh(), GitHub::start(State { names_runs: true, looks, ..State::default() }));
    let shop = shop(&account, &github, "");
    let program = Program::plumb().dir(shop.root()).args(["--env", "dev"]).env("HOME", shop.directory.path());
    let program = program.size(140, 45).envs(shop.env.iter().map(|(name, value)| (name, value)));
    let console = program.start();
    console.sees("1 OVERVIEW").press("D").sees("DEPLOY PLAN").sees("deploy.yml on main of shop/petshop");
    console.sees("GH_ENTERPRISE_TOKEN").press("<Esc>").loses("DEPLOY PLAN");
    assert_eq!(github.sent("/dispatches"), [Value::Null; 0], "a plan dispatches nothing");
    console.press("D").sees("DEPLOY PLAN").sees("shop/petshop").press("y").sees("= success");
    console.sees("plumb deploy").sees("/actions/runs/30433642").never_showed(&github.token);
    console.press("1").sees("1 OVERVIEW").press("q");
    assert_eq!(console.exit_code(), 0);
    assert_eq!(github.sent("/dispatches").len(), 1);
    assert_eq!(journal(&shop), [json!(["redeploy", ["shop/petshop: deploy.yml"], "ok"])]);
    shop.plumb(&["hold", "--env", "dev", "--for", "1h", "--reason", "a migration", "--yes"]).ended(0);
    let json = shop.plumb(&["status", "--env", "dev", "-o", "json"]).json();
    assert_eq!((&json["hold"]["state"], &json["hold"]["reason"]), (&json!("held"), &json!("a migration")), "{json:#}");
    let only = shop.plumb(&["status", "--env", "dev", "--only", "secret", "-o", "json"]).json();
    assert_eq!(only["hold"]["state"], "held", "{only:#}");
    let program = Program::plumb().dir(shop.root()).args(["--env", "dev"]).env("HOME", shop.directory.path());
    let console = program.size(140, 45).envs(shop.env.iter().map(|(name, value)| (name, value))).start();
    console.sees("1 OVERVIEW").press("D").sees("on hold").press("<Esc>").loses("DEPLOY PLAN").press("q");
    assert_eq!(console.exit_code(), 0);
    assert_eq!(github.sent("/dispatches").len(), 1);
    shop.plumb(&["release", "--env", "dev", "--yes"]).ended(0);
    let json = shop.plumb(&["status", "--env", "dev", "-o", "json"]).json();
    assert_eq!(json["hold"], json!({"state": "none"}), "{json:#}");
}

#[test]
fn a_run_that_github_does_not_name_is_found_by_its_nonce() {
    // A server that knows the wish and does not fulfil it; one that refuses it; one whose answer is lost.
    for (refuses_details, lost) in [(false, false), (true, false), (false, true)] {
        let first = if lost { vec![("POST", "/dispatches", 0, Vec::new(), Value::Null)] } else { Vec::new() };
        let state = State { refuses_details, titles: true, looks: WELL.to_vec(), first, ..State::default() };
        let github = GitHub::start(state);
        let shop = shop(&Account::fresh(), &github, "");
        let done = redeploy(&shop, &["--yes", "--wait", "-o", "json"]);
        assert_eq!(done.ended(0).json()["run"]["id"], json!(RUN), "{done}");
        assert_eq!(
            github.sent("/dispatches").len(),
            if refuses_details { 2 } else { 1 },
            "it is never dispatched twice"
        );
    }
    // None of the runs has the nonce: no other one is taken for it.
    let github = GitHub::start(State { looks: WELL.to_vec(), ..State::default() });
    let shop = shop(&Account::fresh(), &github, "");
    redeploy(&shop, &["--yes"]).ended(0).complained(&["none of the runs that it lists", "run-name:"]);
    redeploy(&shop, &["--yes", "--wait"]).ended(2);
}

#[test]
fn a_run_that_fails_is_told_with_the_step_and_is_no_success() {
    for conclusion in ["failure", "cancelled", "timed_out"] {
        let looks = vec![("in_progress", None), ("completed", Some(conclusion))];
        let github = GitHub::start(State { names_runs: true, looks, ..State::default() });
        let shop = shop(&Account::fresh(), &github, "");
        let done = redeploy(&shop, &["--yes", "--wait"]);
        done.ended(2).complained(&[
            &format!("the run ended as {conclusion} at deploy / plumb deploy"),
            "try: its log: https://",
        ]);
        redeploy(&shop, &["--cancel", &RUN.to_string(), "--yes"]).ended(0).complained(&["asked to end"]);
        assert!(github.state.lock().unwrap().cancelled);
    }
}

#[test]
fn each_refusal_says_what_to_do_and_dispatches_nothing_twice() {
    for (status, said, hint) in [
        (401, "Bad credentials", "gh auth login"),
        (403, "Resource not accessible by integration", "Actions: write"),
        (404, "Not Found", "no such repository, workflow or run"),
        (
            422,
            "Unexpected inputs provided",
            "on: workflow_dispatch with the inputs environment, commit, reason and nonce",
        ),
    ] {
        let first = vec![("POST", "/dispatches", status, Vec::new(), json!({"message": said}))];
        let github = GitHub::start(State { first, ..State::default() });
        let shop = shop(&Account::fresh(), &github, "");
        let done = redeploy(&shop, &["--yes"]);
        done.ended(2).complained(&[&status.to_string(), said, hint]);
        assert_eq!(github.sent("/dispatches").len(), 1);
        assert_eq!(journal(&shop), [json!(["redeploy", ["shop/petshop: deploy.yml"], "failed"])]);
    }
    // Down: nobody knows what became of it, and it is not sent again.
    let first = vec![("POST", "/dispatches", 502, Vec::new(), json!({"message": "Server Error"}))];
    let github = GitHub::start(State { first, ..State::default() });
    let shop = shop(&Account::fresh(), &github, "");
    redeploy(&shop, &["--yes"])
        .ended(2)
        .complained(&["whether it was done is not known", "look at the repository's Actions"]);
    assert_eq!(github.sent("/dispatches").len(), 1);
    assert_eq!(journal(&shop), [json!(["redeploy", ["shop/petshop: deploy.yml"], "unknown"])]);
}

#[test]
fn limits_are_waited_for_or_told() {
    let limit = |seconds: &str| vec![("retry-after", seconds.to_owned())];
    let used_up = vec![("x-ratelimit-remaining", "0".to_owned()), ("x-ratelimit-reset", "99999999999".to_owned())];
    let said = json!({"message": "You have exceeded a secondary rate limit"});
    let first = vec![
        ("POST", "/dispatches", 429, limit("1"), said.clone()),
        ("POST", "/dispatches", 403, limit("0"), said),
        ("GET", "/deploy.yml", 503, Vec::new(), json!({})),
    ];
    let github = GitHub::start(State { first, names_runs: true, looks: WELL.to_vec(), ..State::default() });
    let own = shop(&Account::fresh(), &github, "");
    redeploy(&own, &["--yes", "--wait"]).ended(0);
    assert_eq!(github.sent("/dispatches").len(), 3, "what was refused for a limit was not done");
    let first = vec![("POST", "/dispatches", 403, used_up, json!({"message": "API rate limit exceeded"}))];
    let github = GitHub::start(State { first, ..State::default() });
    let own = shop(&Account::fresh(), &github, "");
    redeploy(&own, &["--yes"]).ended(2).complained(&["takes no more requests", "the hour's are used up"]);
    // A commit that GitHub does not have is told before anybody is asked.
    let github = GitHub::start(State { lacks_commit: true, ..State::default() });
    let own = shop(&Account::fresh(), &github, "");
    redeploy(&own, &["--yes"]).ended(2).complained(&["does not have commit", "git push"]);
    // So is one that no branch or tag stands for.
    own.git(&["branch", "--unset-upstream"]);
    redeploy(&own, &["--yes"]).ended(2).complained(&["is no branch and no tag", "`ref` of [redeploy]"]);
    assert_eq!(github.sent("/dispatches"), [Value::Null; 0]);
}

#[test]
fn a_github_that_is_down_or_slow_while_a_run_is_followed_ends_nothing() {
    // More often than a look is tried again by itself, in the middle of the run.
    let down = || ("GET", "/jobs", 502, Vec::new(), json!({"message": "Server Error"}));
    let github = GitHub::start(State {
        names_runs: true,
        looks: WELL.to_vec(),
        first: (0..6).map(|_| down()).collect(),
        ..State::default()
    });
    let own = shop(&Account::fresh(), &github, "");
    let done = redeploy(&own, &["--yes", "--wait"]);
    done.ended(0).complained(&["asking again", "GitHub answers again", "was rolled out by https://"]);
    assert_eq!(github.sent("/dispatches").len(), 1);
    assert_eq!(journal(&own), [json!(["redeploy", ["shop/petshop: deploy.yml"], "ok"])]);
    // One that is gone altogether: nothing was dispatched, and that is said.
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let text = std::fs::read_to_string(own.root().join("plumb.toml")).unwrap();
    own.write("plumb.toml", &text.replace(&github.api(), &format!("http://{gone}/api/v3")));
    own.commit();
    own.git(&["push", "-q"]);
    redeploy(&own, &["--yes"]).ended(2).complained(&["GitHub cannot be asked", "try again later"]);
    assert_eq!(journal(&own).len(), 1, "what was not sent is no write");
}

#[test]
fn whoever_follows_a_run_waits_as_long_as_github_wishes_and_not_for_ever() {
    let began = || vec![("in_progress", None)];
    let looks = |github: &GitHub| {
        let state = github.state.lock().unwrap();
        state
            .asked
            .iter()
            .filter(|(asked, _)| asked.starts_with("GET") && asked.ends_with(&format!("/runs/{RUN}")))
            .count()
    };
    // A run that nobody takes up.
    let github = GitHub::start(State { names_runs: true, looks: began(), ..State::default() });
    let own = shop(&Account::fresh(), &github, "");
    let done = redeploy(&own, &["--yes", "--wait=2s", "-o", "json"]);
    done.ended(2)
        .complained(&["is still in_progress after 2 s; the run goes on: https://", "--cancel 30433642 ends it"]);
    assert_eq!(done.json()["run"]["id"], json!(RUN), "{done}");
    // The hour's requests are used up in the middle of it: it is not asked again before its time.
    let used_up = vec![("x-ratelimit-remaining", "0".to_owned()), ("x-ratelimit-reset", "99999999999".to_owned())];
    let first = vec![("GET", "/jobs", 403, used_up, json!({"message": "API rate limit exceeded"}))];
    let github = GitHub::start(State { names_runs: true, looks: began(), first, ..State::default() });
    let own = shop(&Account::fresh(), &github, "");
    let done = redeploy(&own, &["--yes", "--wait=4s"]);
    done.ended(2).complained(&["takes no more requests", "asking again", "the run goes on: https://"]);
    // The dispatch's answer, the look that was limited, and one at the end.
    assert!(looks(&github) <= 3, "{} looks", looks(&github));
    // What ends the looking on says where the run is.
    for (status, hint) in [(401, "gh auth login"), (404, "does not see it")] {
        let first = vec![("GET", "/jobs", status, Vec::new(), json!({"message": "no"}))];
        let github = GitHub::start(State { names_runs: true, looks: WELL.to_vec(), first, ..State::default() });
        let own = shop(&Account::fresh(), &github, "");
        let done = redeploy(&own, &["--yes", "--wait"]);
        done.ended(2).complained(&[&status.to_string(), hint, "the run goes on: https://", "/actions/runs/30433642"]);
    }
}

#[test]
fn without_a_workflow_an_event_is_sent_and_the_token_may_be_the_projects_secret() {
    let account = Account::fresh();
    let github = GitHub::start(State { titles: true, looks: WELL.to_vec(), ..State::default() });
    let mut shop = shop(&account, &github, "secret = \"github_secret\"");
    shop.env.retain(|(name, _)| name != "GH_ENTERPRISE_TOKEN");
    let text = std::fs::read_to_string(shop.root().join("plumb.toml")).unwrap();
    shop.write("plumb.toml", &text.replace("workflow = \"deploy.yml\"\n", ""));
    shop.commit();
    redeploy(&shop, &["--yes"]).ended(2).complained(&["github_secret"]);
    let secret = json!({"github_token": github.token, "github_endpoint": format!("{}/repos/shop/petshop/contents/", github.api())});
    let body = json!({"Name": "github_secret", "SecretString": secret.to_string(), "ClientRequestToken": "0123456789abcdef0123456789abcdef"});
    let reply = account.caller().json("secretsmanager", "secretsmanager.CreateSecret", &body).unwrap();
    assert_eq!(reply.status, 200, "{reply:?}");
    let done = redeploy(&shop, &["--yes", "--wait", "-o", "json"]);
    done.ended(0).complained(&["token from secret github_secret", "repository_dispatch"]);
    let sent = github.sent("/dispatches");
    assert_eq!(
        (&sent[0]["event_type"], &sent[0]["client_payload"]["environment"]),
        (&json!("plumb-redeploy"), &json!("dev"))
    );
    assert!(!done.to_string().contains(&github.token));
}

#[test]
fn a_hold_is_seen_obeyed_passed_over_on_request_and_released() {
    let account = Account::fresh();
    let github = GitHub::start(State { names_runs: true, looks: WELL.to_vec(), ..State::default() });
    let shop = shop(&account, &github, "");
    let hold = |more: &[&str]| shop.plumb(&[&["hold", "--env", "dev", "--reason", "a migration"], more].concat());
    hold(&["--for", "8d"]).ended(2).complained(&["from a second to a week"]);
    hold(&["--for", "soon"]).ended(2).complained(&["is not a length of time"]);
    hold(&["--for", "2h", "--dry-run"]).ended(0);
    let placed = hold(&["--for", "2h", "-o", "json"]).ended(0).json();
    assert_eq!((&placed["held"], &placed["reason"]), (&json!(true), &json!("a migration")), "{placed:#}");
    let status = shop.plumb(&["status", "--env", "dev"]);
    status.complained(&["! dev is on hold for 1 h 59 min", "a migration"]);
    let doctor = shop.plumb(&["doctor", "--env", "dev"]);
    assert!(doctor.stdout.contains("on hold for 1 h 59 min"), "{doctor}");
    redeploy(&shop, &["--yes"]).ended(2).complained(&["refused: dev is on hold", "a migration", "try: plumb release"]);
    redeploy(&shop, &["--yes", "--via", "change-set"]).ended(2).complained(&["refused: dev is on hold"]);
    assert_eq!(github.sent("/dispatches"), [Value::Null; 0]);
    redeploy(&shop, &["--yes", "--despite-hold"]).ended(0).complained(&["! dev is on hold"]);
    assert_eq!(github.sent("/dispatches").len(), 1);
    shop.plumb(&["release", "--env", "dev"]).ended(0).complained(&["dev is released"]);
    shop.plumb(&["release", "--env", "dev"]).ended(0).complained(&["dev had no hold"]);
    redeploy(&shop, &["--yes"]).ended(0);
    let name = "/plumb/petshop/dev/hold";
    assert_eq!(journal(&shop)[0], json!(["hold", [name], "ok"]));
    // One that cannot be read may be a hold.
    super::shop::put(&account, name, "for ever");
    redeploy(&shop, &["--yes"]).ended(2).complained(&["cannot be read, and so counts"]);
}
