//! The operator's side over the pipeline as it is deployed: `plumb pipeline` and `plumb redeploy --via pipeline`.
//!
//! The local account's builds are over at once and cannot be repeated; where one has to go on, fail or be started again, the
//! proxy between `plumb` and the account answers for CodeBuild.

use std::process::Command;

use serde_json::{Value, json};

use super::Pipeline;
use crate::cli::shop::{Done, PROJECT, Shop};
use crate::support::proxy::{Fault, Proxy};

/// A project whose pipeline this is, as an operator has it. Its AWS is behind a proxy.
struct Operator<'a> {
    own: &'a Pipeline,
    shop: Shop,
    proxy: Proxy,
}

impl<'a> Operator<'a> {
    fn of(own: &'a Pipeline) -> Self {
        let named = format!("[pipeline]\nstack = \"{}\"\nproject = \"shop\"\n[[config]]", own.stack);
        let mut shop = Shop::with_project(&PROJECT.replacen("[[config]]", &named, 1)).at(&own.account);
        let proxy = Proxy::start(&own.account.endpoint_url);
        shop.env.retain(|(name, _)| name != "AWS_ENDPOINT_URL");
        shop.env.push(("AWS_ENDPOINT_URL".into(), proxy.endpoint_url()));
        Self { own, shop, proxy }
    }

    fn plumb(&self, arguments: &[&str]) -> Done {
        self.shop.plumb(&[&["--env", "dev"], arguments].concat())
    }

    fn pipeline(&self, arguments: &[&str]) -> Done {
        self.plumb(&[&["pipeline"], arguments].concat())
    }

    fn jobs(&self) -> Vec<Value> {
        let found = self.pipeline(&["jobs", "-o", "json"]).ended(0).json();
        found["jobs"].as_array().unwrap().clone()
    }

    /// What the function was asked to start builds with.
    fn reasons(&self) -> Vec<String> {
        let variables = |start: &Value| start["environmentVariablesOverride"].as_array().unwrap().clone();
        let reason = |start: &Value| {
            let all = variables(start);
            let reason = all.iter().find(|variable| variable["name"] == "PLUMB_REASON");
            reason.map(|variable| variable["value"].as_str().unwrap().to_owned()).unwrap_or_default()
        };
        self.own.starts().iter().map(reason).collect()
    }

    fn journal(&self) -> Vec<Value> {
        let found = self.plumb(&["journal", "-o", "json"]).ended(0).json();
        found["entries"].as_array().unwrap().iter().map(|entry| json!([entry["action"], entry["state"]])).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_registry_is_kept_by_commands_that_know_its_rules() {
    let own = Pipeline::deploy(&[]).await;
    let operator = Operator::of(&own);
    let repository = format!("file://{}", operator.shop.root().display());
    let fields = ["--repository", &repository, "--branches", "main,release/*"];
    let add =
        |more: &[&str]| operator.pipeline(&[&["add", "demo"], &fields[..], more, &["--", "make", "it's"]].concat());
    add(&["--dry-run"]).ended(1);
    let listed = operator.pipeline(&["list", "-o", "json"]).ended(0).json();
    assert_eq!(listed["projects"].as_array().unwrap().len(), 1, "a dry run registers nothing: {listed}");
    add(&["--timeout", "99999", "--yes"]).ended(2).complained(&["timeout"]);
    add(&["--yes"]).ended(0);
    add(&["--yes"]).ended(2).complained(&["demo is registered already"]);
    operator.pipeline(&["edit", "demo", "--timeout", "900", "--yes"]).ended(0);
    let shown = operator.pipeline(&["show", "demo", "-o", "json"]).ended(0).json();
    let expected = json!({"repository": repository, "branches": "main,release/*", "command": "[\"make\",\"it's\"]",
        "timeout": "900"});
    assert_eq!(shown["projects"][0]["fields"], expected, "{shown}");
    // The repository is there; that of the other project is not.
    operator.pipeline(&["check", "demo"]).ended(0);
    operator.pipeline(&["check", "shop"]).ended(2);
    operator.pipeline(&["edit", "demo", "--credentials", "plumb/pipeline/none", "--yes"]).ended(0);
    let checked = operator.pipeline(&["check", "demo", "-o", "json"]).ended(1).json();
    let findings = checked["projects"][0]["findings"].to_string();
    assert!(findings.contains("plumb/pipeline/none") && findings.contains("wrong"), "{findings}");
    operator.pipeline(&["edit", "demo", "--unset", "repository", "--yes"]).ended(2).complained(&["repository"]);
    operator.pipeline(&["remove", "demo", "--yes"]).ended(0);
    operator.pipeline(&["show", "demo"]).ended(2).complained(&["demo"]);
    let written = operator.journal();
    assert_eq!(written.len(), 4, "each write is in the journal: {written:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_lies_in_git_is_pushed_like_any_other_config() {
    let own = Pipeline::deploy(&[]).await;
    let operator = Operator::of(&own);
    let tree = "[[config]]\nfiles = \"pipeline/{service}/{env}.json\"\nparameter = \"/plumb/pipeline/{service}/{key}\"\n\
                layers = \"merged\"\ntype = \"String\"\n[[secrets]]";
    let project = std::fs::read_to_string(operator.shop.root().join("plumb.toml")).unwrap();
    operator.shop.write("plumb.toml", &project.replacen("[[secrets]]", tree, 1));
    let fields = json!({"repository": "https://git.example/demo.git", "branches": "main",
        "command": "[\"make\",\"deploy\"]"});
    operator.shop.write("pipeline/demo/dev.json", &fields.to_string());
    operator.shop.commit();
    operator.plumb(&["push", "--yes"]).ended(0);
    let shown = operator.pipeline(&["show", "demo", "-o", "json"]).ended(0).json();
    assert_eq!(shown["projects"][0]["fields"], fields, "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_asked_for_followed_and_listed_with_who_asked() {
    let own = Pipeline::deploy(&[]).await;
    let operator = Operator::of(&own);
    let trigger = |more: &[&str]| operator.pipeline(&[&["trigger", "shop"], more].concat());
    trigger(&["main", "--dry-run"]).ended(1);
    trigger(&["feature/x", "--yes"]).ended(2).complained(&["shop does not build feature/x: main,release/*"]);
    trigger(&["main;id", "--yes"]).ended(2);
    operator.pipeline(&["trigger", "elsewhere", "main", "--yes"]).ended(2).complained(&["elsewhere"]);
    assert_eq!(operator.reasons(), [""; 0], "nothing of that was sent");

    let done = trigger(&["main", "--reason", "too small", "--wait", "--yes", "-o", "json"]);
    let done = done.ended(0).complained(&["sent    "]).json();
    assert_eq!(done["job"]["state"], "succeeded", "{done}");
    let reasons = operator.reasons();
    assert_eq!(reasons, ["by root: too small"]);
    let id = own.publishes(super::MAIN.replace("main", "feature/y").as_str());
    own.job(&id, "refused");
    let jobs = operator.jobs();
    let told: Vec<Value> =
        jobs.iter().map(|job| json!([job["state"], job["branch"], job["reason"], job["by"].is_string()])).collect();
    assert_eq!(told, [json!(["refused", "feature/y", null, false]), json!(["succeeded", "main", "too small", true])]);
    assert!(jobs[0]["why"].as_str().unwrap().contains("does not allow"), "{jobs:?}");

    // One that fails is the command's end too.
    let builds = json!({"builds": [{"id": jobs[1]["build"], "buildStatus": "FAILED", "startTime": 1, "endTime": 2}]});
    operator.proxy.on("codebuild:BatchGetBuilds").reply(Fault::Body(200, builds.to_string().into_bytes()));
    let failed = operator.pipeline(&["logs", "-f", jobs[1]["id"].as_str().unwrap()]);
    failed.ended(2).complained(&["of shop failed"]);
    // What CodeBuild does not tell is no end.
    operator.proxy.heal();
    operator.proxy.on("codebuild:BatchGetBuilds").reply(Fault::AccessDenied("not authorized".into()));
    let found = operator.pipeline(&["jobs", "-o", "json"]).ended(2).json();
    assert!(found["jobs"].as_array().unwrap().iter().any(|job| job["state"] == "unknown"), "{found}");
    assert!(found["troubles"].to_string().contains("AccessDenied"), "{found}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_is_redeployed_by_the_pipeline() {
    let own = Pipeline::deploy(&[]).await;
    let operator = Operator::of(&own);
    let remote = operator.shop.directory.path().join("remote.git").display().to_string();
    operator.shop.git(&["init", "-q", "--bare", &remote]);
    operator.shop.git(&["remote", "add", "origin", &remote]);
    operator.shop.git(&["push", "-q", "-u", "origin", "main"]);
    let redeploy = |more: &[&str]| operator.plumb(&[&["redeploy", "--via", "pipeline"], more].concat());
    redeploy(&["--dry-run"]).ended(1).complained(&["via     the pipeline: shop from main"]);
    assert_eq!(own.starts().len(), 0);
    operator.plumb(&["hold", "--for", "1h", "--reason", "a migration"]).ended(0);
    redeploy(&["--yes"]).ended(2).complained(&["a migration"]);
    operator.plumb(&["release"]).ended(0);
    let done = redeploy(&["--wait", "--yes", "--reason", "put it back", "-o", "json"]);
    let done = done.json();
    assert_eq!((&done["state"], &done["via"]), (&json!("succeeded"), &json!("pipeline")), "{done}");
    let start = own.starts().remove(0);
    let variables = start["environmentVariablesOverride"].to_string();
    assert!(variables.contains(done["commit"].as_str().unwrap()) && variables.contains("put it back"), "{variables}");
    // However the looking on ends, whoever reads the JSON knows what was sent.
    operator.proxy.on("dynamodb:GetItem").reply(Fault::AccessDenied("not authorized".into()));
    let blind = redeploy(&["--wait", "--yes", "-o", "json"]);
    let json = blind.ended(2).json();
    blind.complained(&["not authorized"]);
    assert!(json["message"].is_string() && json["dispatched"] == true && json["state"].is_null(), "{json:#}");
    operator.proxy.heal();
    operator.proxy.on("dynamodb:GetItem").reply(Fault::Throttling);
    let late = redeploy(&["--wait=1s", "--yes", "-o", "json"]);
    assert!(late.ended(2).json()["message"].is_string(), "{late}");
    late.complained(&["has not ended within 1 s, and goes on", "plumb pipeline logs -f"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_build_is_followed_ended_and_started_again_and_its_log_read_to_the_end() {
    let own = Pipeline::deploy(&[]).await;
    let operator = Operator::of(&own);
    let id = own.publishes(super::MAIN);
    let build = own.job(&id, "started")["build"]["S"].clone();
    let group = format!("/aws/codebuild/{}-build", own.stack);
    let logs = |action: &str, body: &Value| own.asks("logs", &format!("Logs_20140328.{action}"), body);
    logs("CreateLogStream", &json!({"logGroupName": group, "logStreamName": "one"}));
    let at = jiff::Timestamp::now().as_millisecond();
    let lines: Vec<Value> =
        (0..300).map(|line| json!({"timestamp": at, "message": format!("line {line}\u{1b}[2J\n")})).collect();
    logs("PutLogEvents", &json!({"logGroupName": group, "logStreamName": "one", "logEvents": lines}));
    let stands = |status: &str| {
        json!({"builds": [{"id": build, "buildStatus": status, "currentPhase": "BUILD", "startTime": 1,
            "logs": {"groupName": group, "streamName": "one"}}]})
        .to_string()
        .into_bytes()
    };
    operator.proxy.on("codebuild:BatchGetBuilds").reply(Fault::Body(200, stands("IN_PROGRESS")));
    let log = operator.pipeline(&["logs", &id]);
    let text = &log.ended(0).stdout;
    assert!(text.contains("line 0") && text.contains("line 299") && !text.contains('\u{1b}'), "{text}");
    operator.pipeline(&["retry", &id, "--yes"]).ended(2).complained(&["goes on"]);
    operator.pipeline(&["stop", &id, "--yes"]).ended(0);
    operator.proxy.heal();
    operator.proxy.on("codebuild:BatchGetBuilds").reply(Fault::Body(200, stands("STOPPED")));
    operator.pipeline(&["stop", &id, "--yes"]).ended(2);
    let again =
        json!({"build": {"id": format!("{}:again", own.outputs["BuildProjectName"]), "buildStatus": "IN_PROGRESS"}});
    operator.proxy.on("codebuild:RetryBuild").reply(Fault::Body(200, again.to_string().into_bytes()));
    let done = operator.pipeline(&["retry", &id, "--yes", "-o", "json"]).ended(0).json();
    assert_eq!(done["build"], again["build"]["id"]);
    let sent = operator.proxy.calls().into_iter().find(|call| call.name() == "codebuild:RetryBuild").unwrap().json();
    assert!(sent["id"] == build && sent["idempotencyToken"].as_str().is_some_and(|token| !token.is_empty()), "{sent}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_is_opened_and_published_again_once() {
    let own = Pipeline::deploy(&[("Attempts", "1")]).await;
    let operator = Operator::of(&own);
    own.proxy.on("codebuild:StartBuild").reply(Fault::AccessDenied("not authorized to start".into()));
    let id = own.publishes(super::MAIN);
    own.log_has(&id, "failed");
    let end = std::time::Instant::now() + crate::support::wait::deadline();
    let letter = loop {
        let found = operator.pipeline(&["letters", "-o", "json"]).json();
        if let Some(letter) = found["letters"].get(0) {
            break letter.clone();
        }
        assert!(std::time::Instant::now() < end, "no letter came: {}", own.log());
    };
    assert_eq!((&letter["message"], &letter["readable"]), (&json!(id), &json!(true)), "{letter}");
    own.proxy.heal();
    let name = letter["id"].as_str().unwrap();
    operator.pipeline(&["letters", name]).ended(1);
    operator.pipeline(&["letters", name, "--replay", "--dry-run"]).ended(1);
    let replayed = operator.pipeline(&["letters", name, "--replay", "--yes"]);
    let sent = replayed.ended(0).stderr.lines().find_map(|line| line.strip_prefix("sent    "));
    let again = sent.unwrap_or_else(|| panic!("{replayed}")).to_owned();
    own.job(&again, "started");
    assert_ne!(again, id, "it has an id of its own");
    operator.pipeline(&["letters", name, "--replay", "--yes"]).ended(2);
    assert_eq!(operator.pipeline(&["letters", "-o", "json"]).ended(0).json()["letters"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_script_asks_for_a_job_with_the_publishers_rights_alone_and_refuses_what_is_no_argument() {
    let own = Pipeline::deploy(&[]).await;
    let operator = Operator::of(&own);
    let policy = operator.pipeline(&["policy"]).ended(0).json();
    assert_eq!(policy["Statement"][0]["Resource"], json!(own.outputs["TopicArn"]));
    operator.pipeline(&["script"]).ended(0);
    operator.pipeline(&["script"]).ended(0).complained(&["says so already"]);
    let run = |arguments: &[&str]| {
        let mut script = Command::new("sh");
        script.arg("trigger_job.sh").args(arguments).current_dir(operator.shop.root()).env_clear();
        script
            .env("PATH", std::env::var_os("PATH").unwrap())
            .envs(own.ci.env())
            .env("REASON", "CI run 7 \"'$(id)\u{e9}");
        Done::of(&script.output().unwrap())
    };
    for wrong in [&["shop"][..], &["Shop", "main"], &["shop", "main;id"], &["shop", "a..b"], &["shop", "main", "$(id)"]]
    {
        run(wrong).ended(2);
    }
    assert_eq!(own.starts().len(), 0);
    let done = run(&["shop", "release/1"]);
    let id = done.ended(0).stdout.trim().to_owned();
    let job = own.job(&id, "started");
    assert_eq!((&job["branch"]["S"], &job["project"]["S"]), (&json!("release/1"), &json!("shop")), "{job}");
    assert!(job["reason"]["S"].as_str().unwrap().starts_with("CI run 7 __"), "{job}");
    let jobs = operator.jobs();
    assert_eq!((&jobs[0]["state"], &jobs[0]["by"]), (&json!("succeeded"), &Value::Null), "{jobs:?}");
}
