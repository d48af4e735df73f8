//! The pipeline page as a person meets it: the real binary in a terminal, over a stack with the pipeline's outputs, a table with
//! jobs, and a CodeBuild whose answers are made by the proxy, since that of the local account executes nothing.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use crate::cli::deploy::console::take_at;
use crate::cli::shop::{PROJECT, Shop};
use crate::support::account::{self, Account};
use crate::support::proxy::{Fault, Proxy};
use crate::support::terminal::{Program, Terminal};

/// What the pictures of the page are called.
pub const PICTURES: [&str; 4] = ["pipeline", "pipeline-80x24", "pipeline-plan", "pipeline-plan-80x24"];
const SIZES: [(u16, u16); 2] = [(120, 40), (80, 24)];

pub(super) const STACK: &str = r#"Resources:
  Topic:
    Type: AWS::SNS::Topic
    Properties: { TopicName: petshop-pipeline }
  Letters:
    Type: AWS::SQS::Queue
    Properties: { QueueName: petshop-pipeline-letters }
  Jobs:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: petshop-pipeline-jobs
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions:
        - { AttributeName: id, AttributeType: S }
        - { AttributeName: project, AttributeType: S }
        - { AttributeName: received, AttributeType: S }
      KeySchema: [{ AttributeName: id, KeyType: HASH }]
      GlobalSecondaryIndexes:
        - IndexName: by-project
          KeySchema: [{ AttributeName: project, KeyType: HASH }, { AttributeName: received, KeyType: RANGE }]
          Projection: { ProjectionType: ALL }
Outputs:
  TopicArn: { Value: !Ref Topic }
  TriggerFunctionName: { Value: petshop-pipeline-trigger }
  BuildProjectName: { Value: petshop-pipeline-build }
  DeadLetterQueueUrl: { Value: !Ref Letters }
  JobsTableName: { Value: !Ref Jobs }
  PublisherPolicyArn: { Value: "arn:aws:iam::000000000000:policy/petshop-pipeline-publisher" }
"#;

/// The account with all of that, and the shop that is looked at.
struct Place {
    account: Account,
    shop: Shop,
    /// Milliseconds since the Unix epoch.
    now: i64,
}

impl Place {
    fn new(account: &Account) -> Self {
        let named = "[pipeline]\nstack = \"petshop-pipeline\"\n[[config]]";
        let shop = Shop::with_project(&PROJECT.replacen("[[config]]", named, 1)).at(account);
        let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
        // Some hours later, so that ages are the same however long it took; CodeBuild knows whole seconds.
        let now = now / 1000 * 1000 + (6 * 60 + 20) * 60_000;
        let place = Self { account: account.clone(), shop, now };
        let stack = [("StackName", "petshop-pipeline"), ("TemplateBody", STACK)];
        let reply = account.caller().query("cloudformation", "CreateStack", &stack).unwrap();
        assert_eq!(reply.status, 200, "{reply:?}");
        let repository = place.shop.directory.path().join("remote.git").display().to_string();
        place.shop.git(&["init", "-q", "--bare", &repository]);
        for branch in ["main", "release/2026-11", "release/2026-12", "feature/dog"] {
            place.shop.git(&["push", "-q", &repository, &format!("main:refs/heads/{branch}")]);
        }
        for (field, value) in [
            ("repository", format!("file://{repository}")),
            ("branches", "main,release/*".to_owned()),
            ("command", json!(["plumb", "deploy", "--env", "dev", "--yes"]).to_string()),
        ] {
            crate::cli::shop::put(account, &format!("/plumb/pipeline/petshop/{field}"), &value);
        }
        place
    }

    fn ask(&self, service: &str, target: &str, body: &Value) -> Value {
        let reply = self.account.caller().json(service, target, body).unwrap();
        assert_eq!(reply.status, 200, "{target}: {reply:?}");
        reply.json()
    }

    /// A job of so many seconds ago, as the function writes it.
    fn job(&self, id: &str, seconds: i64, more: &Value) {
        let received = jiff::Timestamp::from_millisecond(self.now - seconds * 1000).unwrap().to_string();
        let mut item = json!({"id": {"S": format!("message#{id}")}, "project": {"S": "petshop"},
            "branch": {"S": "main"}, "received": {"S": received}});
        for (name, value) in more.as_object().unwrap() {
            item[name] = json!({"S": value});
        }
        self.ask("dynamodb", "DynamoDB_20120810.PutItem", &json!({"TableName": "petshop-pipeline-jobs", "Item": item}));
    }

    fn build(&self, id: &str, seconds: i64, status: &str) -> Value {
        let at = |seconds: i64| self.now / 1000 - seconds;
        let mut phases: Vec<Value> = [("SUBMITTED", 0), ("QUEUED", 1), ("PROVISIONING", 8), ("INSTALL", 3)]
            .map(|(name, took)| {
                json!({"phaseType": name, "phaseStatus": "SUCCEEDED", "startTime": at(seconds),
                    "endTime": at(seconds - took), "durationInSeconds": took})
            })
            .to_vec();
        phases.push(json!({"phaseType": "BUILD", "startTime": at(seconds - 12)}));
        let mut build = json!({"id": format!("petshop-pipeline-build:{id}"), "buildStatus": status, "currentPhase": "BUILD",
            "startTime": at(seconds), "initiator": "petshop-pipeline-trigger", "phases": phases,
            "logs": {"groupName": "/aws/codebuild/petshop-pipeline-build", "streamName": id}});
        if status != "IN_PROGRESS" {
            build["endTime"] = json!(at(seconds - 94));
            build["currentPhase"] = json!("COMPLETED");
        }
        if status == "FAILED" {
            let context = json!([{"statusCode": "COMMAND_EXECUTION_ERROR", "message": "plumb-worker: exit status 7"}]);
            build["phases"][4] =
                json!({"phaseType": "BUILD", "phaseStatus": "FAILED", "durationInSeconds": 82, "contexts": context});
        }
        build
    }

    fn says(&self, stream: &str, lines: &[String]) {
        let group = "/aws/codebuild/petshop-pipeline-build";
        self.ask("logs", "Logs_20140328.CreateLogStream", &json!({"logGroupName": group, "logStreamName": stream}));
        let events: Vec<Value> = lines.iter().map(|line| json!({"timestamp": self.now, "message": line})).collect();
        let put = json!({"logGroupName": group, "logStreamName": stream, "logEvents": events});
        self.ask("logs", "Logs_20140328.PutLogEvents", &put);
    }

    fn commits(&self) -> Vec<String> {
        let mut git = std::process::Command::new("git");
        let output = git.current_dir(self.shop.root()).args(["log", "--reverse", "--format=%H"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
    }

    fn console(&self, account: &Account) -> Terminal {
        let program =
            Program::plumb().dir(self.shop.root()).args(["--env", "dev"]).env("HOME", self.shop.directory.path());
        let program = program.env("AWS_EC2_METADATA_DISABLED", "true").env("PLUMB_CLOCK", self.now.to_string());
        let path = std::env::var_os("PATH").unwrap();
        program.env("PATH", path).size(SIZES[0].0, SIZES[0].1).envs(account.env()).start()
    }
}

/// Some jobs, of which one is at work, with their builds.
fn busy(place: &Place, proxy: &Proxy) {
    let signed = |words: &str| format!("by arn:aws:iam::123456789012:user/mara: {words}");
    let ids = ["1a", "1b", "1c", "1d"].map(|end| format!("7d3c55e0-0000-4000-8000-0000000000{end}"));
    let started = |id: &str, words: &str, branch: &str| json!({"decision": "started", "build": format!("petshop-pipeline-build:{id}"), "reason": signed(words), "branch": branch});
    place.job(&ids[0], 41, &started(&ids[0], "refunds", "main"));
    place.job(&ids[1], 4000, &started(&ids[1], "nightly", "release/2026-11"));
    place.job(
        &ids[2],
        9000,
        &json!({"decision": "refused", "branch": "feature/cat",
        "why": "the registry does not allow the branch"}),
    );
    place.job(&ids[3], 90_000, &started(&ids[3], "first try", "main"));
    let builds = [
        place.build(&ids[0], 39, "IN_PROGRESS"),
        place.build(&ids[1], 3990, "FAILED"),
        place.build(&ids[3], 89_990, "SUCCEEDED"),
    ];
    let names: Vec<&Value> = builds.iter().map(|build| &build["id"]).collect();
    let bytes = |value: Value| value.to_string().into_bytes();
    proxy.on("codebuild:ListBuildsForProject").reply(Fault::Body(200, bytes(json!({"ids": names}))));
    proxy.on("codebuild:BatchGetBuilds").reply(Fault::Body(200, bytes(json!({"builds": builds}))));
    place.ask(
        "logs",
        "Logs_20140328.CreateLogGroup",
        &json!({"logGroupName": "/aws/codebuild/petshop-pipeline-build"}),
    );
    let mut lines: Vec<String> = (0..40).map(|line| format!("compiling part {line} of 40")).collect();
    lines.push("$ plumb deploy --env dev --yes".into());
    lines.push("shop-dev   UPDATE_IN_PROGRESS".into());
    place.says(&ids[0], &lines);
    place.says(&ids[1], &["refused: dev is on hold\u{1b}[2J".into()]);
    let envelope = json!({"Type": "Notification", "MessageId": ids[2], "Message": "{\"project\":\"petshop\",\"branch\":\"main\"}"});
    let url = place.ask("sqs", "AmazonSQS.GetQueueUrl", &json!({"QueueName": "petshop-pipeline-letters"}));
    let letter = json!({"QueueUrl": url["QueueUrl"], "MessageBody": envelope.to_string()});
    place.ask("sqs", "AmazonSQS.SendMessage", &letter);
}

#[test]
fn a_job_is_looked_at_searched_asked_for_and_a_letter_published_again() {
    // An account of this test's own, whose id is the same in each run.
    let emulator = account::start(account::Options::default());
    let place = Place::new(&emulator.account());
    let (behind, proxy) = place.account.behind_proxy();
    busy(&place, &proxy);
    let console = place.console(&behind);
    console
        .sees("1 OVERVIEW")
        .sees("7 pipeline")
        .sees(" calls")
        .loses("reading")
        .press("7")
        .sees("7 PIPELINE")
        .sees("running")
        .sees("following");
    console.sees("shop-dev   UPDATE_IN_PROGRESS").sees("> build").sees("DEAD LETTERS 1");
    take_at(&PICTURES, "pipeline", SIZES, &place.commits(), &console, "UPDATE_IN_PROGRESS");
    console.press("/").sees("type what to look for").type_text("PART 7").sees("1 found").press("<Enter>");
    console.sees("> compiling part 7 of 40").press("n").sees("is not further down in the log");
    console.press("<Esc>").sees("▸ ").press("<Esc>").loses("/PART 7");
    console.press("j").sees("exit status 7").sees("dev is on hold␛[2J").press("j").sees("does not allow the branch");
    console
        .press("t")
        .sees("BRANCH OF petshop")
        .sees("release/2026-12")
        .never_showed("feature/dog")
        .type_text("12")
        .press("<Enter>");
    console.sees("TRIGGER PLAN").sees("have petshop built");
    take_at(&PICTURES, "pipeline-plan", SIZES, &place.commits(), &console, "have petshop built");
    console.press("<Enter>").sees("enter confirms nothing").press("y").sees("petshop release/2026-12 is asked for");
    console.press("<Tab><Tab>").sees("petshop main").press("p").sees("publish it again").press("y");
    console.sees("the message is published again").sees("JOBS 4").press("q").sees("1 OVERVIEW").press("q");
    assert_eq!(console.exit_code(), 0);
    let sent = proxy.calls().into_iter().filter(|call| call.name() == "sns:Publish");
    let sent: Vec<String> = sent.filter_map(|call| call.form("Message")).collect();
    assert!(sent.len() == 2 && sent[0].contains("release/2026-12") && !sent[1].contains("reason"), "{sent:?}");
    let journal = place.shop.plumb(&["journal", "--env", "dev", "-o", "json"]).ended(0).json();
    assert_eq!(journal["entries"].as_array().unwrap().len(), 2, "{journal:#}");
}

#[test]
fn a_project_that_the_pipeline_rolls_out_is_redeployed_by_a_message_and_its_job_is_looked_for() {
    let place = Place::new(&Account::fresh());
    let named =
        "[pipeline]\nstack = \"petshop-pipeline\"\n[redeploy]\nmethod = \"pipeline\"\nref = \"main\"\n[[config]]";
    place.shop.write("plumb.toml", &PROJECT.replacen("[[config]]", named, 1));
    place.shop.commit();
    let (behind, proxy) = place.account.behind_proxy();
    busy(&place, &proxy);
    let console = place.console(&behind);
    console.sees("1 OVERVIEW").sees(" calls").loses("reading").press("D").sees("DEPLOY PLAN");
    console.sees("the pipeline: petshop from main").press("y").sees("7 PIPELINE").sees("its job is looked for");
    console.press("q").sees("1 OVERVIEW").press("q");
    assert_eq!(console.exit_code(), 0);
    let sent = proxy.calls().into_iter().filter(|call| call.name() == "sns:Publish");
    let sent: Vec<String> = sent.filter_map(|call| call.form("Message")).collect();
    let commit = place.commits().pop().unwrap();
    assert!(sent.len() == 1 && sent[0].contains(&commit), "{sent:?}");
    let journal = place.shop.plumb(&["journal", "--env", "dev", "-o", "json"]).ended(0).json();
    assert_eq!(journal["entries"][0]["action"], "redeploy", "{journal:#}");
}
