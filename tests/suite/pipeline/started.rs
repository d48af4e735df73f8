//! From a message to a build: exactly one, with exactly the variables that are agreed on; and none for what is not allowed.

use serde_json::{Value, json};

use super::{MAIN, Pipeline};
use crate::support::proxy::Fault;

/// Names and values of the variables that a build was started with.
pub(super) fn variables(start: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let variables = start["environmentVariablesOverride"].as_array().unwrap().iter();
    let pair = |variable: &Value| {
        assert_eq!(variable["type"], "PLAINTEXT");
        (text(&variable["name"]), text(&variable["value"]))
    };
    variables.map(pair).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_one_build_with_exactly_its_variables_however_often_it_comes() {
    let own = Pipeline::deploy(&[]).await;
    let commit = "0123456789abcdef0123456789abcdef01234567";
    let message = json!({"project": "shop", "branch": "release/1.2", "commit": commit, "reason": "CI says so, run #7"});
    let id = own.publishes(&message.to_string());
    let job = own.job(&id, "started");
    let expected = [
        ("PLUMB_PROJECT", "shop"),
        ("PLUMB_BRANCH", "release/1.2"),
        ("PLUMB_COMMIT", commit),
        ("PLUMB_REASON", "CI says so, run #7"),
        ("PLUMB_JOB", &id),
    ];
    let starts = own.starts();
    assert_eq!(starts.len(), 1);
    assert_eq!(variables(&starts[0]), expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let names: Vec<&str> = starts[0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["projectName", "idempotencyToken", "environmentVariablesOverride"], "and nothing else");
    assert_eq!(
        (&starts[0]["projectName"], &starts[0]["idempotencyToken"]),
        (&json!(own.outputs["BuildProjectName"]), &json!(id))
    );

    // As the jobs list reads it.
    let text = |name: &str| job[name]["S"].as_str().unwrap_or_default();
    assert_eq!((text("project"), text("branch"), text("commit")), ("shop", "release/1.2", commit));
    assert!(text("build").starts_with(&own.outputs["BuildProjectName"]), "{job}");
    let by_project = json!({
        "TableName": own.outputs["JobsTableName"],
        "IndexName": "by-project",
        "KeyConditionExpression": "#project = :p",
        "ExpressionAttributeNames": {"#project": "project"},
        "ExpressionAttributeValues": {":p": {"S": "shop"}},
    });
    let listed = own.asks("dynamodb", "DynamoDB_20120810.Query", &by_project);
    assert_eq!(listed["Items"].as_array().unwrap().len(), 1, "what else is remembered is no job: {listed}");
    assert!(text("received").parse::<jiff::Timestamp>().is_ok() && job["expires"]["N"].is_string(), "{job}");

    // The queue delivers at least once.
    let topic = &own.outputs["TopicArn"];
    let envelope = json!({
        "Type": "Notification",
        "MessageId": id,
        "TopicArn": topic,
        "Message": message.to_string(),
        "Timestamp": "2026-11-21T10:00:00.000Z",
    });
    for _ in 0..2 {
        own.delivers(&envelope);
    }
    own.log_has(&id, "duplicate");
    // What is no message of the topic is told too: the alarm says that the log has it.
    let odd = json!({"Records": [{"EventSource": "aws:sns", "Sns": envelope}]});
    let client = aws_sdk_lambda::Client::new(&own.config);
    let request = client.invoke().function_name(&own.outputs["TriggerFunctionName"]);
    let answer = request.payload(odd.to_string().into_bytes().into()).send().await.unwrap();
    assert!(answer.function_error().is_some());
    own.log_has("none of the topic's", "failed");
    assert_eq!(own.starts().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_with_a_registry_of_its_own_knows_no_other_stacks_projects() {
    let own = Pipeline::deploy(&[("RegistryPrefix", "/teams/billing/pipeline")]).await;
    assert_eq!(own.outputs["RegistryPrefix"], "/teams/billing/pipeline");
    // The usual place has a project of that name, and it is another stack's.
    let id = own.publishes(MAIN);
    assert!(own.job(&id, "refused")["why"]["S"].as_str().unwrap().contains("not in the registry"));
    assert_eq!(own.starts().len(), 0);
    let fields = [("repository", "https://git.example/shop.git"), ("branches", "main"), ("command", r#"["make"]"#)];
    own.registers_at("/teams/billing/pipeline/shop", &fields).await;
    let id = own.publishes(MAIN);
    own.job(&id, "started");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_a_later_one_has_overtaken_is_not_built() {
    let own = Pipeline::deploy(&[]).await;
    let first = own.publishes(MAIN);
    own.job(&first, "started");
    // As the queue may deliver it: long after it was published.
    let late = "00000000-0000-4000-8000-000000000001";
    let envelope = json!({
        "Type": "Notification",
        "MessageId": late,
        "TopicArn": own.outputs["TopicArn"],
        "Message": MAIN,
        "Timestamp": "2026-11-01T10:00:00.000Z",
    });
    own.delivers(&envelope);
    assert!(own.job(late, "refused")["why"]["S"].as_str().unwrap().contains("later message"));
    assert_eq!(own.starts().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_allowed_starts_nothing_and_is_listed_and_logged_without_its_text() {
    let own = Pipeline::deploy(&[]).await;
    let deep = format!(r#"{{"project":"shop","branch":{}"hunter2"{}}}"#, "[".repeat(1500), "]".repeat(1500));
    let long = json!({"project": "shop", "branch": "main", "reason": "hunter2".repeat(700)}).to_string();
    let cases: [(&str, &str, &str); 14] = [
        ("hunter2", "-", "not JSON"),
        (r#"{"project":"shop","branch":"main; hunter2"}"#, "shop", "`branch` is not"),
        (r#"{"project":"shop","branch":"main\nphases: hunter2"}"#, "shop", "`branch` is not"),
        (r#"{"project":"shop","branch":"--upload-pack=hunter2"}"#, "shop", "`branch` is not"),
        (r#"{"project":"../shop/hunter2","branch":"main"}"#, "-", "`project` is not"),
        ("{\"project\":\"\u{455}hop\",\"branch\":\"main\"}", "-", "`project` is not"),
        (r#"{"project":"shop","branch":"main","commit":"$(hunter2)"}"#, "shop", "`commit` is not"),
        (r#"{"project":"shop","branch":"main","reason":"\u001b]0;hunter2\u0007"}"#, "shop", "`reason` is not"),
        (r#"{"project":"shop","branch":"main","reason":"$(hunter2)"}"#, "shop", "`reason` is not"),
        (r#"{"project":"shop","branch":"main","buildspecOverride":"hunter2"}"#, "shop", "none of project"),
        (r#"{"project":"shop","branch":"main","branch":"hunter2"}"#, "-", "twice"),
        (&deep, "shop", "`branch` is not a text"),
        (&long, "-", "bytes"),
        (r#"{"project":"shop","branch":"feature/hunter2"}"#, "shop", "does not allow the branch"),
    ];
    for (message, project, why) in &cases {
        let id = own.publishes(message);
        let job = own.job(&id, "refused");
        assert_eq!(job["project"]["S"], *project, "{message}: {job}");
        assert!(job["why"]["S"].as_str().unwrap().contains(why), "{message}: {job}");
        let line = own.log_has(&id, "refused");
        assert_eq!(line["bytes"], message.len(), "{line}");
        let well_formed = why.contains("allow");
        for text in [job.to_string(), line.to_string()] {
            assert_eq!(text.contains("hunter2"), well_formed, "{message}: {text}");
        }
    }
    let unknown = own.publishes(r#"{"project":"elsewhere","branch":"main"}"#);
    assert!(own.job(&unknown, "refused")["why"]["S"].as_str().unwrap().contains("not in the registry"));
    assert_eq!(own.starts(), Vec::<Value>::new());
    assert_eq!(own.log().matches("hunter2").count(), 1, "the branch's name, which is one");
}

#[tokio::test(flavor = "multi_thread")]
async fn builds_beyond_the_concurrency_wait_for_their_turn_and_those_beyond_the_rate_for_theirs() {
    let own = Pipeline::deploy(&[]).await;
    own.registers(&[("concurrency", "1"), ("rate", "2")]).await;
    let first = own.publishes(MAIN);
    let build = own.job(&first, "started")["build"]["S"].clone();
    // The local account's builds are over at once; this one is made to run.
    let running = json!({"builds": [{"id": build, "buildStatus": "IN_PROGRESS"}]}).to_string();
    own.proxy.on("codebuild:BatchGetBuilds").reply(Fault::Body(200, running.into_bytes()));
    let second = own.publishes(MAIN);
    let line = own.log_has(&second, "waits");
    assert!(line["why"].as_str().unwrap().contains("1 of 1"), "{line}");
    let third = own.publishes(MAIN);
    let line_of_third = own.log_has(&third, "waits");
    assert!(line_of_third["why"].as_str().unwrap().contains("rate: 2 messages within an hour"), "{line_of_third}");
    assert_eq!(own.job(&second, "claimed")["why"]["S"], line["why"]);
    assert_eq!(own.starts().len(), 1);
    own.proxy.heal();
    own.job(&second, "started");
    assert_eq!(own.starts().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_started_ends_in_the_dead_letters() {
    let own = Pipeline::deploy(&[("Attempts", "2")]).await;
    own.proxy
        .on("codebuild:StartBuild")
        .reply(Fault::AccessDenied("not authorized to perform codebuild:StartBuild".into()));
    let id = own.publishes(MAIN);
    let line = own.log_has(&id, "failed");
    assert!(line["why"].as_str().unwrap().contains("codebuild:StartBuild: AccessDenied"), "{line}");
    let asked = json!({"QueueUrl": own.outputs["DeadLetterQueueUrl"], "WaitTimeSeconds": 1});
    let end = std::time::Instant::now() + crate::support::wait::deadline();
    let letter = loop {
        let answer = own.asks("sqs", "AmazonSQS.ReceiveMessage", &asked);
        if let Some(body) = answer["Messages"][0]["Body"].as_str() {
            break serde_json::from_str::<Value>(body).unwrap();
        }
        assert!(std::time::Instant::now() < end, "no letter came: {}", own.log());
    };
    assert_eq!((&letter["MessageId"], &letter["Message"]), (&json!(id), &json!(MAIN)), "as it can be published again");
    assert_eq!(own.job(&id, "claimed")["project"]["S"], "shop");
    // Published again, as the console replays it.
    own.proxy.heal();
    let again = own.publishes(letter["Message"].as_str().unwrap());
    own.job(&again, "started");
}
