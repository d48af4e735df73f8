//! What the clients make of AWS's documented errors, in each of its protocols, and of an answer that never comes whole.

use std::time::{Duration, Instant};

use futures::StreamExt;

use super::{Clients, ErrorKind, Keys, Options, Read, Timeouts, logs, secretsmanager, ssm, sts};
use crate::secret::Secret;

mod rows;
mod server;

use rows::{Row, ask, json};
use server::{Server, Step};

async fn clients(url: &str) -> Clients {
    let options = Options {
        region: Some("eu-central-1".into()),
        endpoint_url: Some(url.into()),
        keys: Some(Keys { access_key_id: "test".into(), secret_access_key: Secret::new("test"), session_token: None }),
        timeouts: Timeouts {
            connect: Duration::from_secs(2),
            attempt: Duration::from_millis(1500),
            operation: Duration::from_secs(20),
            attempts: 3,
            backoff: Duration::from_millis(1),
        },
        ..Options::default()
    };
    Clients::connect(&options).await.unwrap()
}

#[tokio::test]
async fn errors_and_faults_are_named_retried_and_counted() {
    let rows = rows::denials().into_iter().chain(rows::refusals()).chain(rows::breaks()).map(wrong);
    let wrong: Vec<String> =
        futures::stream::iter(rows).buffer_unordered(2).filter_map(futures::future::ready).collect().await;
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What a row came to, when that is not what it says.
async fn wrong((name, what, steps, expected, code, sent): Row) -> Option<String> {
    let server = Server::scripted(steps).await;
    let clients = clients(&server.url).await;
    let start = Instant::now();
    let result = ask(&clients, what).await;
    let kind = result.clone().map_err(|error| match &error.kind {
        ErrorKind::Expired { .. } => ErrorKind::Expired { renew: String::new() },
        kind => kind.clone(),
    });
    let found_code = result.as_ref().err().and_then(|error| error.code.clone());
    let right = kind == expected && found_code.as_deref() == code && clients.calls() == sent;
    (!right || server.requests() != sent).then(|| {
        let (sent, arrived) = (clients.calls(), server.requests());
        format!("{name}: {result:?}, sent {sent} times, arrived {arrived} times, after {:?}", start.elapsed())
    })
}

#[tokio::test]
async fn an_error_says_what_failed_on_what_and_why() {
    let denied = r#"{"__type":"AccessDeniedException","Message":"User: anna is not authorized"}"#;
    let server = Server::scripted(vec![json(400, denied)]).await;
    let clients = clients(&server.url).await;
    let read = ssm::values(&clients, &["/petshop/prod/stripe".into()]).await;
    let Some(Read::Failed(error)) = read.get("/petshop/prod/stripe") else { panic!("{read:?}") };
    assert_eq!(
        error.to_string(),
        "cannot read /petshop/prod/stripe: AccessDeniedException: User: anna is not authorized"
    );
    assert!(error.hint().is_some_and(|hint| hint.contains("ssm:GetParameters")));
    assert_eq!(clients.calls_by_operation().get("ssm:GetParameters"), Some(&1));
}

#[tokio::test]
async fn an_error_does_not_quote_the_value_that_was_sent() {
    let quoting = r#"{"__type":"ValidationException","message":"1 validation error detected: Value 'hunter2-hunter2' at 'value' is bad"}"#;
    let server = Server::scripted(vec![json(400, quoting)]).await;
    let clients = clients(&server.url).await;
    let value = Secret::new("hunter2-hunter2");
    let put = ssm::Put {
        name: "/x",
        value: &value,
        type_name: "String",
        key_id: None,
        overwrite: true,
        tier: None,
        like: None,
        tags: &[],
    };
    let error = ssm::put(&clients, put).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    assert!(error.message.contains("••••"));
}

#[tokio::test]
async fn a_profile_that_does_not_exist_has_no_credentials() {
    let options = Options {
        profile: Some("plumb-has-no-such-profile".into()),
        region: Some("eu-central-1".into()),
        endpoint_url: Some("http://127.0.0.1:9".into()),
        ..Options::default()
    };
    let clients = Clients::connect(&options).await.unwrap();
    let error = sts::caller(&clients).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NoCredentials, "{error}");
    assert_eq!(clients.calls(), 0);
}

/// Answers a page of names: those with `denied` in them make the whole page fail.
fn parameters(body: &str) -> Step {
    let body: serde_json::Value = serde_json::from_str(body).unwrap();
    let names: Vec<&str> = body["Names"].as_array().unwrap().iter().filter_map(|name| name.as_str()).collect();
    if names.iter().any(|name| name.contains("denied")) {
        return json(400, r#"{"__type":"AccessDeniedException","Message":"not authorized to perform: kms:Decrypt"}"#);
    }
    let (gone, there): (Vec<&str>, Vec<&str>) = names.iter().partition(|name| name.contains("gone"));
    let there: Vec<_> = there
        .iter()
        .map(|name| serde_json::json!({"Name": name, "Type": "SecureString", "Value": format!("of {name}"), "Version": 3, "LastModifiedDate": 1_763_715_600.25}))
        .collect();
    json(200, &serde_json::json!({"Parameters": there, "InvalidParameters": gone}).to_string())
}

#[tokio::test]
async fn a_page_that_fails_for_some_of_its_names_is_halved_down_to_them() {
    let server = Server::answering(|request| parameters(&request.body)).await;
    let clients = clients(&server.url).await;
    let names: Vec<String> = (0..25)
        .map(|nth| match nth {
            3 | 7 | 21 => format!("/{nth:02}/denied"),
            4 | 20 => format!("/{nth:02}/gone"),
            _ => format!("/{nth:02}/there"),
        })
        .collect();
    let read = ssm::values(&clients, &names).await;
    assert_eq!(read.len(), 25);
    for (name, read) in &read {
        match read {
            Read::Found(value) => {
                assert!(name.ends_with("there"), "{name}");
                assert_eq!(value.value.expose(), format!("of {name}"));
                assert_eq!((value.version, value.modified_at), (3, 1_763_715_600_250));
            }
            Read::Missing => assert!(name.ends_with("gone"), "{name}"),
            Read::Failed(error) => {
                assert!(name.ends_with("denied"), "{name}: {error}");
                assert_eq!((&error.kind, &error.subject), (&ErrorKind::AccessDenied, name));
            }
        }
    }
}

#[tokio::test]
async fn secrets_that_the_batch_leaves_out_are_read_one_by_one() {
    let server = Server::answering(|request| {
        let body: serde_json::Value = serde_json::from_str(&request.body).unwrap();
        if request.target.ends_with("BatchGetSecretValue") {
            return json(200, r#"{"SecretValues":[{"ARN":"arn:aws:secretsmanager:r:1:secret:one-AbCdEf","Name":"one","VersionId":"v1","SecretString":"first"},
                {"ARN":"arn:aws:secretsmanager:r:1:secret:bin-AbCdEf","Name":"bin","VersionId":"v1","SecretBinary":"AAEC"}],
                "Errors":[{"SecretId":"denied","ErrorCode":"AccessDeniedException","Message":"no"},
                {"SecretId":"gone","ErrorCode":"ResourceNotFoundException","Message":"Secrets Manager can't find the specified secret."},
                {"SecretId":"dying","ErrorCode":"InvalidRequestException","Message":"You can't perform this operation on the secret because it was marked for deletion."}]}"#);
        }
        assert_eq!(body["SecretId"], "left-out");
        json(200, r#"{"ARN":"a","Name":"left-out","VersionId":"v2","SecretString":"second"}"#)
    })
    .await;
    let clients = clients(&server.url).await;
    let ids = ["arn:aws:secretsmanager:r:1:secret:one", "bin", "denied", "gone", "dying", "left-out"];
    let read = secretsmanager::values(&clients, &ids.map(str::to_owned)).await;
    let found = |id: &str| match &read[id] {
        Read::Found(value) => format!("{} {}", value.value.expose(), value.binary),
        Read::Missing => "missing".into(),
        Read::Failed(error) => format!("{:?}", error.kind),
    };
    assert_eq!(ids.map(found), ["first false", "AAEC true", "AccessDenied", "missing", "missing", "second false"]);
}

#[tokio::test]
async fn eight_requests_at_most_are_under_way_to_one_service() {
    let server = Server::answering(|request| parameters(&request.body)).await;
    let clients = clients(&server.url).await;
    let names: Vec<String> = (0..400).map(|nth| format!("/{nth:03}/there")).collect();
    let start = Instant::now();
    assert_eq!(ssm::values(&clients, &names).await.len(), 400);
    assert_eq!(clients.calls(), 40);
    assert!(server.most_at_once() <= 8, "{}", server.most_at_once());
    assert!(start.elapsed() < Duration::from_secs(10));
}

/// A page of log lines, and the token of the next one.
fn log_page(lines: &[&str], next: Option<&str>) -> Step {
    let events: Vec<_> = lines
        .iter()
        .map(|line| serde_json::json!({"timestamp": 7, "logStreamName": "s", "message": line, "eventId": "1"}))
        .collect();
    json(200, &serde_json::json!({"events": events, "nextToken": next, "searchedLogStreams": []}).to_string())
}

#[tokio::test]
async fn log_lines_are_read_to_their_end_or_to_the_limit_which_is_told() {
    let query = logs::Query { group: "/aws/lambda/shop", from: 5, until: None, filter: Some("ERROR"), limit: 100 };
    let pages = Server::answering(|request| {
        assert!(request.target.ends_with("Logs_20140328.FilterLogEvents"), "{}", request.target);
        let body: serde_json::Value = serde_json::from_str(&request.body).unwrap();
        assert_eq!((&body["logGroupName"], &body["startTime"]), (&"/aws/lambda/shop".into(), &5.into()));
        assert_eq!(body["filterPattern"], "ERROR");
        match body["nextToken"].as_str() {
            None => log_page(&["one"], Some("a")),
            // One that is empty is not the last.
            Some("a") => log_page(&[], Some("b")),
            Some(_) => log_page(&["two"], None),
        }
    })
    .await;
    let clients = clients(&pages.url).await;
    let read = logs::filter(&clients, query).await.unwrap();
    let lines: Vec<(i64, &str)> = read.lines.iter().map(|line| (line.at, line.message.expose())).collect();
    assert_eq!((lines, read.is_cut), (vec![(7, "one"), (7, "two")], false));
    assert!(!format!("{read:?}").contains("one"), "a line may hold what it should not");
    assert_eq!(clients.calls_by_operation().get("logs:FilterLogEvents"), Some(&3));
    let cut = logs::filter(&clients, logs::Query { limit: 1, ..query }).await.unwrap();
    assert_eq!((cut.lines.len(), cut.is_cut), (1, true));
}

#[tokio::test]
async fn a_log_that_cannot_be_read_is_an_error_and_never_an_empty_one() {
    let error = |name: &str| json(400, &format!(r#"{{"__type":"{name}","message":"in its words"}}"#));
    let rows = [
        (vec![error("AccessDeniedException")], ErrorKind::AccessDenied),
        (vec![error("ResourceNotFoundException")], ErrorKind::NotFound),
        (vec![error("InvalidParameterException")], ErrorKind::Other),
        (vec![json(200, "{}")], ErrorKind::Unreadable),
        (vec![json(200, "<html>")], ErrorKind::Unreadable),
        (vec![log_page(&["one"], Some("a")), log_page(&["two"], Some("a"))], ErrorKind::Unreadable),
        (vec![log_page(&["one"], Some("a")), error("AccessDeniedException")], ErrorKind::AccessDenied),
    ];
    for (steps, kind) in rows {
        let server = Server::scripted(steps).await;
        let query = logs::Query { group: "/aws/lambda/shop", from: 0, until: None, filter: None, limit: 10 };
        let error = logs::filter(&clients(&server.url).await, query).await.unwrap_err();
        assert_eq!((error.kind.clone(), error.subject.as_str()), (kind, "/aws/lambda/shop"), "{error}");
    }
}
