//! What is made of AWS's answers, by an AWS on loopback that says what a test wants: what cannot be read is never taken for
//! an answer.

use std::sync::{Arc, Mutex};

use aws_sdk_secretsmanager::config::Credentials;

use super::*;

#[path = "../../../tests/support/http.rs"]
#[allow(dead_code, unreachable_pub, missing_docs, clippy::pedantic, reason = "shared with other tests")]
mod http;

/// What was asked, and what of it.
type Asked = Arc<Mutex<Vec<(String, Value)>>>;

/// An AWS that answers operations so.
fn aws(answer: impl Fn(&str, &Value) -> String + Send + Sync + 'static) -> (Live, Asked) {
    let asked = Asked::default();
    let seen = Arc::clone(&asked);
    let address = http::serve(move |request| {
        let target = request.header("x-amz-target").unwrap();
        let (name, body) = (target.rsplit('.').next().unwrap(), serde_json::from_str(&request.body).unwrap());
        let response = http::Response::json(200, answer(name, &body));
        seen.lock().unwrap().push((name.to_owned(), body));
        Some(response)
    });
    let credentials = Credentials::new("nobody", "nobodys", None, None, "test");
    let aws =
        Aws::new(Http::new().unwrap(), credentials, "eu-central-1".into(), Some(format!("http://{address}")), false);
    (Live { aws, registry: "/plumb/pipeline".into(), table: "jobs".into(), build_project: "build".into() }, asked)
}

const ODD: [&str; 3] = ["", "<html>sorry</html>", "[]"];

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_neither_an_empty_registry_nor_a_build_that_ended() {
    for odd in ODD {
        let (live, _) = aws(move |_, _| odd.to_owned());
        assert!(live.registry("shop").await.is_err(), "{odd}");
        assert!(live.ended(&["build:1".into()]).await.is_err(), "{odd}");
        assert!(live.find("message", 0).await.is_err(), "{odd}");
        assert!(live.load("shop").await.is_err() || odd == "[]", "{odd}");
    }
    for odd in [r#"{"Parameters":[{"Name":"/plumb/pipeline/shop/branches"}]}"#, "{}"] {
        let (live, _) = aws(move |_, _| odd.to_owned());
        assert!(live.registry("shop").await.is_err(), "{odd}");
    }
    let (live, _) = aws(|_, _| r#"{"Parameters":[]}"#.to_owned());
    assert_eq!(live.registry("shop").await, Ok(Fields::new()));
}

#[tokio::test]
async fn only_what_is_said_to_have_ended_has() {
    let (live, _) = aws(|_, _| {
        let builds = [("a", json!("IN_PROGRESS")), ("b", json!("STOPPED")), ("c", Value::Null)];
        let builds = builds.map(|(id, status)| json!({"id": id, "buildStatus": status}));
        json!({"builds": builds, "buildsNotFound": ["d"]}).to_string()
    });
    let asked = ["a", "b", "c", "d", "untold"].map(str::to_owned);
    assert_eq!(live.ended(&asked).await, Ok(vec!["d".to_owned(), "b".to_owned()]));
}

/// A build of every second, the newest first, in pages of fifty.
fn builds(name: &str, asked: &Value) -> String {
    const LAST: i64 = 100_000;
    if name == "ListBuildsForProject" {
        let from = asked["nextToken"].as_str().map_or(LAST, |token| token.parse().unwrap());
        let ids: Vec<String> = (from - 49..=from).rev().map(|number| format!("build:{number}")).collect();
        return json!({"ids": ids, "nextToken": (from - 50).to_string()}).to_string();
    }
    let build = |id: &Value| {
        let number: i64 = id.as_str().unwrap().trim_start_matches("build:").parse().unwrap();
        let variables = [json!({"name": "PLUMB_JOB", "value": format!("message-{number}")})];
        let time: Value = serde_json::from_str(&format!("{number}.25")).unwrap();
        json!({"id": id, "startTime": time, "environment": {"environmentVariables": variables}})
    };
    let builds: Vec<Value> = asked["ids"].as_array().unwrap().iter().map(build).collect();
    json!({"builds": builds}).to_string()
}

#[tokio::test]
async fn a_build_is_looked_for_as_far_back_as_it_can_be() {
    let (live, asked) = aws(builds);
    // Many builds of other projects later.
    assert_eq!(live.find("message-99700", 99_690_000).await, Ok(Some("build:99700".into())));
    let pages = |asked: &Asked| asked.lock().unwrap().drain(..).filter(|(name, _)| name == "BatchGetBuilds").count();
    assert_eq!(pages(&asked), 7);
    assert_eq!(live.find("message-nowhere", 99_900_000).await, Ok(None));
    assert_eq!(pages(&asked), 9, "and five minutes further, by CodeBuild's clock");
}

#[tokio::test]
async fn a_message_of_no_registered_project_is_not_remembered_for_long() {
    let (live, asked) = aws(|_, _| "{}".to_owned());
    for (registered, days) in [(true, 90), (false, 1)] {
        let job = Job { id: "a".into(), project: Some("shop".into()), message: None, registered };
        assert_eq!(live.write(&job, Some("why")).await, Ok(Written::First));
        let (_, update) = asked.lock().unwrap().pop().unwrap();
        let expires = update["ExpressionAttributeValues"][":expires_set"]["N"].as_str().unwrap();
        let left = expires.parse::<i64>().unwrap() - live.now() / 1000;
        assert!((days * 86_400 - 60..=days * 86_400).contains(&left), "{left}");
    }
}

#[tokio::test]
async fn what_only_waited_is_told_from_what_was_left() {
    for (lease, written) in [("0", Written::Waited), ("1795000000000", Written::Left)] {
        let (live, _) = aws(move |_, _| json!({"Attributes": {"id": {"S": "x"}, "lease": {"N": lease}}}).to_string());
        let job = Job { id: "a".into(), project: Some("shop".into()), message: None, registered: true };
        assert_eq!(live.write(&job, None).await, Ok(written), "{lease}");
    }
}
