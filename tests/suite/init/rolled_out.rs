//! From an empty folder to a crypto API that answers, by the steps of the workflow that was written.

use serde_json::json;

use super::Newcomer;
use super::runner::Runner;
use crate::crypto::binary;
use crate::support::account::Account;

/// What would compile for minutes: puts the functions that were built beside the tests where cargo-lambda would.
pub fn cargo() -> String {
    let copies: Vec<String> = ["crypto", "rotate", "integrity", "trigger", "intake", "summary"]
        .map(|name| {
            let from = binary(name);
            format!("mkdir -p \"$to/{name}\" && strip -o \"$to/{name}/bootstrap\" {}", from.display())
        })
        .into();
    format!(
        "to=\nwhile [ $# -gt 0 ]; do [ \"$1\" = --lambda-dir ] && to=$2; shift; done\n[ -n \"$to\" ]\n{}",
        copies.join("\n")
    )
}

pub fn expressions(commit: &str) -> [(&'static str, String); 6] {
    [
        ("matrix.environment", "dev".to_owned()),
        ("inputs.commit || github.event.client_payload.commit || github.sha", commit.to_owned()),
        ("github.actor", "mara".to_owned()),
        ("inputs.reason || github.event.client_payload.reason || github.event_name", "push".to_owned()),
        ("vars.PLUMB_SOURCE", String::new()),
        ("github.sha", commit.to_owned()),
    ]
}

#[test]
fn a_new_users_folder_is_rolled_out_by_the_steps_of_its_own_workflow() {
    let account = Account::enforcing_iam();
    let mara = Newcomer::new(account.env());
    let begun = mara.plumb(&[
        "init",
        "--yes",
        "--new-key",
        "--lambda",
        "--loop",
        "--hooks",
        "--workflows",
        "--region",
        &account.region,
        "--endpoint-url",
        &account.endpoint_url,
        "--name",
        &format!("shop-{}", account.id),
    ]);
    begun.ended(0).complained(&["keys.txt", "a commit with plain text is refused", "next: "]);
    for file in ["plumb.toml", ".sops.yaml", ".github/workflows/deploy.yml", "crypto-api/lambda/template.yaml"] {
        assert!(begun.stdout.contains(&format!("new     {file}\n")), "{file}: {begun}");
    }
    assert!(mara.read(&format!("config/shop-{}/dev/config.json", account.id)).contains("ENC[AES256_GCM,"));
    let commit = mara.hands_on("Begin");
    mara.plumb(&["config", "check"]).ended(0);
    mara.plumb(&["map", "--all"]).ended(0);

    // The runner's key is among the repository's secrets.
    let key = std::fs::read_to_string(mara.path(".config/sops/age/keys.txt")).unwrap();
    let mut runner = Runner::new(&mara, "runner");
    runner.tool("cargo", &cargo());
    runner.tool("cargo-lambda", "echo 'cargo-lambda 1.9.2'");
    runner.expressions.extend(expressions(&commit));
    runner.expressions.insert("secrets.SOPS_AGE_KEY", key);
    // The first key is made by one call: the local account's Secrets Manager takes two contents under one token, so that
    // functions that start at once would have a key each.
    runner.prepared =
        Some(("Smoke test", "until echo first | plumb crypto encrypt --env dev; do test $((++n)) -lt 50; done"));
    assert!(runner.runs("deploy.yml", "deploy", &commit), "{:#?}", runner.steps);
    let names: Vec<&str> = runner.steps.iter().map(|(name, ..)| name.as_str()).collect();
    assert_eq!(names, ["Install plumb", "Install cargo-lambda", "Deploy stacks and code", "Push values", "Smoke test"]);
    assert!(runner.told("Smoke test").contains("passed"), "{:#?}", runner.steps);
    let parameter = |layer: &str, key: &str| {
        let name = format!("/shop-{}/{layer}/{key}", account.id);
        mara.plumb(&["diff", "--env", "dev", "parameter", &name]).ended(0);
        name
    };
    let name = parameter("dev", "stage");
    parameter("global", "greeting");

    // Nothing changed, nothing is done; and what is changed by hand is put back.
    assert!(runner.runs("deploy.yml", "deploy", &commit), "{:#?}", runner.steps);
    assert!(runner.told("Deploy stacks and code").contains("nothing to change"), "{:#?}", runner.steps);
    assert!(runner.told("Push values").contains("nothing to write"), "{:#?}", runner.steps);
    put(&account, &name, "by hand");
    mara.plumb(&["status", "--env", "dev", "--only", "parameter"]).ended(1);
    assert!(runner.runs("deploy.yml", "deploy", &commit), "{:#?}", runner.steps);
    mara.plumb(&["status", "--env", "dev", "--only", "parameter,code"]).ended(0);

    is_checked(&mara, &account, &mut runner);
}

#[test]
fn what_cannot_be_put_back_keeps_no_value_from_being_pushed_and_fails_at_the_end() {
    let mara = Newcomer::new(Vec::new());
    mara.plumb(&["init", "--yes", "--workflows", "--name", "shop"]).ended(0);
    let commit = mara.hands_on("Begin");
    let all = ["Install plumb", "Deploy stacks and code", "Push values", "What is left"];
    for (code, steps, well) in [(0, &all[..3], true), (1, &all[..], false), (2, &all[..2], false)] {
        let mut runner = Runner::new(&mara, &format!("runner-{code}"));
        runner.tool("plumb", &format!("[ \"$1\" != deploy ] || exit {code}"));
        runner.expressions.extend(expressions(&commit));
        assert_eq!(runner.runs("deploy.yml", "deploy", &commit), well, "{code}: {:#?}", runner.steps);
        let names: Vec<&str> = runner.steps.iter().map(|(name, ..)| name.as_str()).collect();
        assert_eq!(names, steps, "{code}");
    }
}

/// Writes a parameter past git; signed, since IAM is enforced.
fn put(account: &Account, name: &str, value: &str) {
    let work = async {
        let config = crate::support::sdk::config(account, true).await;
        let request = aws_sdk_ssm::Client::new(&config).put_parameter();
        let request = request.name(name).value(value).overwrite(true);
        request.r#type(aws_sdk_ssm::types::ParameterType::SecureString).send().await.unwrap();
    };
    tokio::runtime::Runtime::new().unwrap().block_on(work);
}

#[test]
fn a_canary_deploys_nothing_and_a_fork_gets_no_check_and_what_may_not_plan_checks_the_config_alone() {
    let mara = Newcomer::new(Vec::new());
    mara.plumb(&["init", "--yes", "--workflows", "--name", "shop"]).ended(0);
    let commit = mara.hands_on("Begin");
    let mut runner = Runner::new(&mara, "runner");
    assert!(runner.begins("deploy.yml", "deploy") && !runner.begins("deploy.yml", "canary"), "a push");
    let canaries =
        [("inputs.canary", "7"), ("github.event.client_payload.canary", "7"), ("github.event.action", "plumb-canary")];
    for (name, value) in canaries {
        runner.expressions.insert(name, value.to_owned());
        assert!(!runner.begins("deploy.yml", "deploy") && runner.begins("deploy.yml", "canary"), "{name}");
        runner.expressions.remove(name);
    }
    runner.expressions.insert("github.event.action", "plumb-redeploy".to_owned());
    assert!(runner.begins("deploy.yml", "deploy") && !runner.begins("deploy.yml", "canary"), "a redeploy");

    let head = "github.event.pull_request.head.repo.full_name";
    for (repository, begins) in [("team/shop", true), ("mallory/shop", false), ("", false)] {
        runner.expressions.insert(head, repository.to_owned());
        assert_eq!(runner.begins("check.yml", "check"), begins, "{repository}");
    }
    runner.expressions.insert(head, "team/shop".to_owned());
    runner.expressions.extend(expressions(&commit));
    runner.expressions.insert("github.event.pull_request.number", "7".to_owned());
    runner.expressions.insert("github.token", "none".to_owned());
    runner.tool("plumb", "echo checked");
    runner.tool("gh", "true");
    assert!(runner.runs("check.yml", "check", &commit), "{:#?}", runner.steps);
    let names: Vec<&str> = runner.steps.iter().map(|(name, ..)| name.as_str()).collect();
    assert_eq!(names, ["Install plumb", "Check the config", "Report"], "nobody said that it may plan");
    // What fails is reported, too.
    runner.tool("plumb", "exit 2");
    assert!(!runner.runs("check.yml", "check", &commit), "{:#?}", runner.steps);
    assert_eq!(runner.steps.last().unwrap().0, "Report");
}

/// A pull request's check says what merging would change, and nothing is changed by it.
fn is_checked(mara: &Newcomer, account: &Account, runner: &mut Runner<'_>) {
    mara.git(&["switch", "-q", "-c", "greet"]);
    let service = format!("shop-{}", account.id);
    mara.plumb(&["config", "set", &service, "dev", "stage", "changed"]).ended(2);
    let mut set = mara.command(env!("CARGO_BIN_EXE_plumb"), &mara.path("shop"));
    let mut child = set
        .args(["config", "set", &service, "dev", "stage", "--value-stdin"])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"changed").unwrap();
    assert!(child.wait().unwrap().success());
    let commit = mara.hands_on("Greet");
    // As who may do what `plumb bootstrap` lets pull requests do, and no more.
    let policy = mara.plumb(&["policy", "check", "--env", "dev"]);
    let mut statements = policy.ended(0).json()["Statement"].as_array().unwrap().clone();
    // AWS knows the stack of a change set by its ARN, and the local account allows such a call for everything or not at all.
    statements.push(json!({"Effect": "Allow", "Action": "cloudformation:DescribeChangeSet", "Resource": "*"}));
    assert!(!policy.stdout.contains("GetSecretValue") && !policy.stdout.contains("PutObject"), "{policy}");
    runner.credentials = account.user("check", &statements).env();
    runner.expressions.extend(expressions(&commit));
    runner.expressions.insert("github.event.pull_request.number", "7".to_owned());
    runner.expressions.insert("github.event.pull_request.head.repo.full_name", "team/shop".to_owned());
    runner.expressions.insert("vars.AWS_CHECK_ROLE_ARN", "arn:aws:iam::471100004242:role/shop-check".to_owned());
    runner.expressions.insert("github.token", "none".to_owned());
    runner.tool("gh", "echo \"$@\" >>\"$HOME/asked\"; for word in \"$@\"; do [ \"$word\" = \"body=@$RUNNER_TEMP/report.md\" ] && cp \"$RUNNER_TEMP/report.md\" \"$HOME/comment.md\"; done; true");
    assert!(runner.runs("check.yml", "check", &commit), "{:#?}", runner.steps);
    let comment = std::fs::read_to_string(mara.path("comment.md")).unwrap();
    for part in [
        "<!-- plumb dev -->\n### Config: 2 files, 0 problems",
        "nothing to change",
        "### dev: 1 value to push",
        "update",
    ] {
        assert!(comment.contains(part), "{part}: {comment}");
    }
    assert!(!comment.contains("changed\n") && !comment.contains("\"changed\""), "no value is shown: {comment}");
    assert_eq!(std::fs::read_to_string(mara.path("summary.md")).unwrap(), comment);
    let asked = std::fs::read_to_string(mara.path("asked")).unwrap();
    assert!(asked.contains("api --method POST repos/team/shop/issues/7/comments"), "{asked}");
    mara.git(&["switch", "-q", "main"]);
    mara.plumb(&["status", "--env", "dev", "--only", "parameter"]).ended(0);

    // What is in clear fails the check, and is told.
    mara.git(&["switch", "-q", "-c", "leak"]);
    mara.write(&format!("config/{service}/dev/config.json"), "{\"stage\": \"clear\"}\n");
    mara.git(&["add", "-A"]);
    mara.git(&["commit", "-q", "--no-verify", "-m", "Leak"]);
    mara.git(&["push", "-q", "origin", "leak"]);
    let commit = mara.git(&["rev-parse", "HEAD"]);
    runner.expressions.extend(expressions(&commit));
    assert!(!runner.runs("check.yml", "check", &commit), "{:#?}", runner.steps);
    let report = runner.written("report.md");
    assert!(report.contains("it is not encrypted"), "{report}");
}
