//! The operator's side where the function behind the topic is not needed: a stack with the pipeline's outputs, a table with
//! jobs, a queue with letters, and a proxy that breaks calls or answers for CodeBuild and ECR, of which the local account does
//! not have what is asked.

use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};

use super::looked_at::STACK;
use crate::cli::shop::{Done, PROJECT, Shop, put};
use crate::support::account::Account;
use crate::support::proxy::{Call, Fault, Proxy};

const TABLE: &str = "petshop-pipeline-jobs";

struct Place {
    account: Account,
    shop: Shop,
    proxy: Proxy,
}

impl Place {
    fn new() -> Self {
        let account = Account::fresh();
        let named = "[pipeline]\nstack = \"petshop-pipeline\"\n[[config]]";
        let mut shop = Shop::with_project(&PROJECT.replacen("[[config]]", named, 1)).at(&account);
        let prefix = "Parameters:\n  CredentialsPrefix: { Type: String, Default: plumb/pipeline/ }\n";
        let template = format!("{prefix}{STACK}");
        let stack = [("StackName", "petshop-pipeline"), ("TemplateBody", template.as_str())];
        let reply = account.caller().query("cloudformation", "CreateStack", &stack).unwrap();
        assert_eq!(reply.status, 200, "{reply:?}");
        for (field, value) in [
            ("repository", "https://old.example/a"),
            ("branches", "main"),
            ("command", r#"["make"]"#),
            ("credentials", "plumb/pipeline/old"),
        ] {
            put(&account, &format!("/plumb/pipeline/petshop/{field}"), value);
        }
        let proxy = Proxy::start(&account.endpoint_url);
        shop.env.retain(|(name, _)| name != "AWS_ENDPOINT_URL");
        shop.env.push(("AWS_ENDPOINT_URL".into(), proxy.endpoint_url()));
        Self { account, shop, proxy }
    }

    fn pipeline(&self, arguments: &[&str]) -> Done {
        self.shop.plumb(&[&["--env", "dev", "pipeline"], arguments].concat())
    }

    fn ask(&self, service: &str, target: &str, body: &Value) -> Value {
        let reply = self.account.caller().json(service, target, body).unwrap();
        assert_eq!(reply.status, 200, "{target}: {reply:?}");
        reply.json()
    }

    /// A job of so many seconds ago, as the function writes it.
    fn job(&self, id: &str, seconds: i64, more: &Value) {
        let received = jiff::Timestamp::now() - jiff::SignedDuration::from_secs(seconds);
        let mut item = json!({"id": {"S": format!("message#{id}")}, "project": {"S": "petshop"},
            "branch": {"S": "main"}, "received": {"S": format!("{received:.3}")}});
        for (name, value) in more.as_object().unwrap() {
            item[name] = json!({"S": value});
        }
        self.ask("dynamodb", "DynamoDB_20120810.PutItem", &json!({"TableName": TABLE, "Item": item}));
    }

    fn letter(&self) {
        let text = r#"{"project":"petshop","branch":"main"}"#;
        let body = json!({"Type": "Notification", "MessageId": "m-1", "Message": text}).to_string();
        let url = self.ask("sqs", "AmazonSQS.GetQueueUrl", &json!({"QueueName": "petshop-pipeline-letters"}));
        self.ask("sqs", "AmazonSQS.SendMessage", &json!({"QueueUrl": url["QueueUrl"], "MessageBody": body}));
    }

    fn answers(&self, operation: &str, body: &Value) {
        self.proxy.on(operation).reply(Fault::Body(200, body.to_string().into_bytes()));
    }

    /// The last write of the journal.
    fn journal(&self) -> Value {
        let found = self.shop.plumb(&["--env", "dev", "journal", "-o", "json"]).ended(0).json();
        json!([found["entries"][0]["action"], found["entries"][0]["state"]])
    }

    /// The writes of the registry so far: `-` one that goes, `+` one that is put.
    fn written(&self) -> Vec<String> {
        let write = |call: &Call| {
            let field = call.json()["Name"].as_str()?.rsplit('/').next()?.to_owned();
            match call.name().as_str() {
                "ssm:PutParameter" => Some(format!("+{field}")),
                "ssm:DeleteParameter" => Some(format!("-{field}")),
                _ => None,
            }
        };
        self.proxy.calls().iter().filter_map(write).collect()
    }
}

#[test]
fn a_project_that_moves_to_another_host_is_not_built_on_the_way() {
    let place = Place::new();
    let fields = ["--repository", "https://new.example/a", "--credentials", "plumb/pipeline/new"];
    let edit = || place.pipeline(&[&["edit", "petshop"], &fields[..], &["--yes"]].concat());
    let is_repository = |call: &Call| call.body_contains("petshop/repository");
    place.proxy.on("ssm:PutParameter").when(is_repository).reply(Fault::AccessDenied("not authorized".into()));
    let told = ["done: repository taken away, credentials; not: repository", "nothing of petshop is built"];
    edit().ended(2).complained(&told).complained(&["--repository https://new.example/a"]);
    assert_eq!(place.written()[..2], ["-repository", "+credentials"]);
    let shown = place.pipeline(&["show", "petshop", "-o", "json"]).ended(0).json();
    let fields = &shown["projects"][0]["fields"];
    assert_eq!((&fields["repository"], &fields["credentials"]), (&Value::Null, &json!("plumb/pipeline/new")));
    place.proxy.heal();
    edit().ended(0);
    let shown = place.pipeline(&["show", "petshop", "-o", "json"]).ended(0).json();
    assert_eq!(shown["projects"][0]["fields"]["repository"], "https://new.example/a");
}

#[test]
fn what_another_editor_wrote_meanwhile_is_not_written_over() {
    let place = Place::new();
    // Somebody else's repository comes where this one was taken away.
    let gate = crate::support::proxy::Gate::new();
    let is_own = |call: &Call| call.body_contains("petshop/credentials");
    place.proxy.on("ssm:PutParameter").when(is_own).reply(Fault::Delay(gate.clone()));
    let fields = ["--repository", "https://new.example/a", "--credentials", "plumb/pipeline/new"];
    let mut editing =
        place.shop.command(&[&["--env", "dev", "pipeline", "edit", "petshop"], &fields[..], &["--yes"]].concat());
    let editing = editing.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
    gate.reached();
    put(&place.account, "/plumb/pipeline/petshop/repository", "https://third.example/a");
    gate.open();
    let done = Done::of(&editing.wait_with_output().unwrap());
    done.ended(2).complained(&["was changed since the plan was made", "not: repository"]);
    let shown = place.pipeline(&["show", "petshop", "-o", "json"]).ended(0).json();
    assert_eq!(shown["projects"][0]["fields"]["repository"], "https://third.example/a");
}

#[test]
fn a_secret_that_builds_may_not_read_is_told() {
    let place = Place::new();
    for name in ["plumb/pipeline/old", "shop/git"] {
        place.ask("secretsmanager", "secretsmanager.CreateSecret", &json!({"Name": name, "SecretString": "{}"}));
    }
    let finding = || {
        let checked = place.pipeline(&["check", "petshop", "-o", "json"]).json();
        let findings = checked["projects"][0]["findings"].as_array().unwrap().clone();
        findings.into_iter().find(|finding| finding["field"] == "credentials").unwrap()
    };
    assert_eq!(finding()["standing"], "right", "{}", finding());
    place.pipeline(&["edit", "petshop", "--credentials", "shop/git", "--yes"]).ended(0);
    let found = finding();
    assert_eq!(found["standing"], "wrong", "{found}");
    assert!(found["text"].as_str().unwrap().contains("plumb/pipeline/"), "{found}");
}

#[test]
fn a_refusal_of_a_project_that_nobody_registered_is_listed_and_who_asked_is_a_claim() {
    let place = Place::new();
    let forged = "by arn:aws:iam::123456789012:user/mara: nightly";
    let refused = json!({"project": "stranger", "decision": "refused", "why": "the project is not in the registry",
        "reason": forged});
    place.job("m-1", 60, &refused);
    place.job("m-2", 30, &json!({"decision": "started", "build": "petshop-pipeline-build:1", "reason": forged}));
    let build = json!({"id": "petshop-pipeline-build:1", "buildStatus": "SUCCEEDED", "startTime": 1, "endTime": 2});
    place.answers("codebuild:ListBuildsForProject", &json!({"ids": []}));
    place.answers("codebuild:BatchGetBuilds", &json!({"builds": [build]}));
    let jobs = place.pipeline(&["jobs", "-o", "json"]).ended(0).json();
    let told = |job: &Value| json!([job["project"], job["state"], job["by_is_claim"]]);
    let told: Vec<Value> = jobs["jobs"].as_array().unwrap().iter().map(told).collect();
    assert_eq!(told, [json!(["petshop", "succeeded", true]), json!(["stranger", "refused", true])]);
    let text = place.pipeline(&["jobs"]).ended(0).stdout.clone();
    assert!(text.lines().all(|line| line.contains("says arn:aws:iam::123456789012:user/mara")), "{text}");
    // Who may not look everywhere is told what may be missing.
    place.proxy.on("dynamodb:Scan").reply(Fault::AccessDenied("not authorized".into()));
    place.pipeline(&["jobs"]).ended(2).complained(&["refusals of unknown projects", "AccessDenied"]);
}

#[test]
fn a_job_is_followed_over_what_passes_and_a_message_that_was_sent_is_told() {
    let place = Place::new();
    place.job("m-1", 10, &json!({"decision": "started", "build": "petshop-pipeline-build:1"}));
    let build = |status: &str| {
        let build = json!({"id": "petshop-pipeline-build:1", "buildStatus": status, "currentPhase": "BUILD",
            "startTime": 1, "endTime": 2});
        json!({"builds": [build]}).to_string().into_bytes()
    };
    let batches = |place: &Place, replies: Vec<Fault>| {
        for fault in replies {
            place.proxy.on("codebuild:BatchGetBuilds").times(1).reply(fault);
        }
    };
    place.answers("codebuild:ListBuildsForProject", &json!({"ids": []}));
    // Not there yet; there; throttled for longer than one request tries; over.
    batches(&place, vec![Fault::Body(200, b"{\"builds\":[]}".to_vec()), Fault::Body(200, b"{\"builds\":[]}".to_vec())]);
    batches(&place, vec![Fault::Body(200, build("IN_PROGRESS"))]);
    batches(&place, vec![Fault::ServerError; 8]);
    batches(&place, vec![Fault::Body(200, b"<html>".to_vec()), Fault::Body(200, build("SUCCEEDED"))]);
    place.pipeline(&["logs", "-f", "m-1"]).ended(0).complained(&["asking again", "AWS answers again"]);

    // Nobody hears of a message; it was sent all the same.
    let mut trigger = place
        .shop
        .command(&["--env", "dev", "pipeline", "trigger", "petshop", "main", "--wait", "--yes", "-o", "json"]);
    let done = Done::of(&trigger.env("PLUMB_PIPELINE_PATIENCE", "0").output().unwrap());
    let told = done.ended(2).complained(&["nothing came of the message"]).json();
    assert!(told["message"].as_str().is_some_and(|id| !id.is_empty()) && told["job"].is_null(), "{told}");
}

#[test]
fn what_lost_its_answer_is_unknown_and_a_letter_says_that_it_may_have_been_sent() {
    let place = Place::new();
    place.letter();
    let letters = || place.pipeline(&["letters", "-o", "json"]).ended(1).json()["letters"].clone();
    let before = letters();
    assert_eq!(before[0]["may_be_sent"], false, "{before}");
    let id = before[0]["id"].as_str().unwrap().to_owned();
    place.proxy.on("sns:Publish").reply(Fault::Reset);
    let replay = || place.pipeline(&["letters", &id, "--replay", "--yes"]);
    replay().ended(2).complained(&["the letter is kept, and may have been sent", "plumb pipeline jobs"]);
    assert_eq!(place.journal(), json!(["replay", "unknown"]));
    assert_eq!(letters()[0]["may_be_sent"], true);
    place.proxy.heal();
    replay().ended(0).complained(&["it may have been sent"]);

    // A refusal is none.
    place.letter();
    let id = letters()[0]["id"].as_str().unwrap().to_owned();
    place.proxy.on("sns:Publish").reply(Fault::AccessDenied("not authorized".into()));
    place.pipeline(&["letters", &id, "--replay", "--yes"]).ended(2);
    assert_eq!((place.journal(), &letters()[0]["may_be_sent"]), (json!(["replay", "failed"]), &json!(false)));

    place.job("m-1", 60, &json!({"decision": "started", "build": "petshop-pipeline-build:1"}));
    place.answers("codebuild:ListBuildsForProject", &json!({"ids": []}));
    let build = json!({"id": "petshop-pipeline-build:1", "buildStatus": "FAILED", "startTime": 1, "endTime": 2});
    place.answers("codebuild:BatchGetBuilds", &json!({"builds": [build]}));
    place.proxy.on("codebuild:RetryBuild").reply(Fault::Reset);
    place.pipeline(&["retry", "m-1", "--yes"]).ended(2).complained(&["whether it was done is not known"]);
    assert_eq!(place.journal(), json!(["retry", "unknown"]));
}

#[test]
fn a_list_of_letters_that_is_not_whole_says_so() {
    let place = Place::new();
    place.letter();
    place.answers("sqs:GetQueueAttributes", &json!({"Attributes": {"ApproximateNumberOfMessages": "12"}}));
    let found = place.pipeline(&["letters", "-o", "json"]);
    found.ended(1).complained(&["at least 1 letters", "speaks of 12"]);
    assert_eq!(found.json()["letters"].as_array().unwrap().len(), 1);
}

/// A container tool that writes down what it is asked, and whether the file that it is to copy is there.
const TOOL: &str = r#"#!/bin/sh
echo "$@" >> "$TOOL_LOG"
case "$1" in
build)
    for last; do :; done
    while [ $# -gt 0 ]; do
        case "$1" in
        --build-arg) worker="${2#WORKER=}"; shift ;;
        --file) [ "$2" = - ] && grep -c '^COPY .*WORKER' >> "$TOOL_LOG"; shift ;;
        esac
        shift
    done
    [ -f "$last/$worker" ] || { echo "no $worker in $last" >&2; exit 1; }
    ;;
login) [ "$(cat)" = pass ] || exit 1 ;;
esac
"#;

#[test]
fn an_image_is_built_with_the_worker_and_pushed_to_where_the_policy_allows_it() {
    let place = Place::new();
    let (tools, log) = (place.shop.directory.path().join("tools"), place.shop.directory.path().join("log"));
    std::fs::create_dir(&tools).unwrap();
    std::fs::write(tools.join("docker"), TOOL).unwrap();
    std::fs::set_permissions(tools.join("docker"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap());
    let image = |arguments: &[&str]| {
        let mut command = place.shop.command(&[&["--env", "dev", "pipeline", "image"], arguments].concat());
        Done::of(&command.env("PATH", &path).env("TOOL_LOG", &log).output().unwrap())
    };
    let asked = || std::fs::read_to_string(&log).unwrap_or_default();
    image(&["build"]).ended(2).complained(&["there is no worker in dist", "plumb lambda build --worker"]);
    place.shop.write("dist/plumb-worker-0a", "");
    image(&["build", "--image", "worker:1"]).ended(0);
    let expected = "build --tag worker:1 --build-arg WORKER=plumb-worker-0a --file - -- dist\n1\n";
    assert_eq!(asked(), expected);
    std::fs::remove_file(&log).unwrap();
    place.shop.write("elsewhere/plumb-worker", "");
    place.shop.write("elsewhere/Containerfile", "");
    image(&["build", "--worker", "elsewhere/plumb-worker", "--file", "elsewhere/Containerfile"]).ended(0);
    assert!(asked().ends_with("WORKER=plumb-worker --file elsewhere/Containerfile -- elsewhere\n"), "{}", asked());
    std::fs::remove_file(&log).unwrap();

    let token = base64(b"AWS:pass");
    place.answers("ecr:GetAuthorizationToken", &json!({"authorizationData": [{"authorizationToken": token}]}));
    let digest = format!("sha256:{}", "0a".repeat(32));
    place.answers("ecr:DescribeImages", &json!({"imageDetails": [{"imageDigest": digest}]}));
    let pushed = image(&["push", "--image", "worker:1", "--yes"]);
    let repository =
        format!("{}.dkr.ecr.{}.amazonaws.com/petshop-pipeline-worker", place.account.id, place.account.region);
    assert_eq!(pushed.ended(0).stdout, format!("{repository}@{digest}\n"));
    assert!(asked().contains(&format!("tag worker:1 {repository}:1\npush {repository}:1\n")), "{}", asked());
    // It is pushed, and its digest is not known.
    place.proxy.heal();
    place.answers("ecr:GetAuthorizationToken", &json!({"authorizationData": [{"authorizationToken": token}]}));
    place.proxy.on("ecr:DescribeImages").reply(Fault::AccessDenied("not authorized".into()));
    let pushed = image(&["push", "--image", "worker:1", "--yes"]);
    assert_eq!(
        pushed.ended(2).complained(&["it is pushed, and its digest is not known"]).stdout,
        format!("{repository}:1\n")
    );
}

fn base64(bytes: &[u8]) -> String {
    use base64::Engine as _;

    base64::engine::general_purpose::STANDARD.encode(bytes)
}
