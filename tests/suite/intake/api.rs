//! Posting through API Gateway: once, twice, many, and what is not taken.

use serde_json::{Value, json};

use super::Intake;
use crate::support::signed;

#[tokio::test(flavor = "multi_thread")]
async fn a_record_is_kept_as_it_came_and_once() {
    let intake = Intake::deploy().await;
    let body = r#"{"amount": 12345678901234567890123456789012345678901234567890.10, "slot": {"S": "x"}}"#;
    let (status, first) = intake.post("/v1/records", body);
    assert_eq!((status, &first["duplicate"], &first["source"]), (201, &json!(false), &json!("caller")), "{first}");
    let id = first["id"].as_str().unwrap();
    for path in ["/v1/records", "/post", "/post/"] {
        let (status, again) = intake.post(path, body);
        assert_eq!((status, &again["duplicate"], &again["id"]), (200, &json!(true), &first["id"]), "{path}: {again}");
    }
    let item = intake.item(id);
    assert_eq!(item["body"]["S"], body);
    assert_eq!((&item["received"]["S"], &item["source"]["S"]), (&first["received"], &json!("caller")));
    assert_eq!(item["bytes"]["N"], body.len().to_string());
    let (day, shard) = item["slot"]["S"].as_str().unwrap().split_once('#').unwrap();
    assert!(first["received"].as_str().unwrap().starts_with(day) && ("0"..="7").contains(&shard));
    let marker = intake.item(item["key"]["S"].as_str().unwrap());
    assert_eq!((&marker["record"]["S"], &marker["digest"]), (&json!(id), &item["digest"]));
    assert!(marker.get("slot").is_none() && marker["expires"]["N"].is_string());

    let (status, batch) = intake.post(
        "/v1/records/batch",
        r#"{"items":[{"record":{"a":1},"reference":"one","source":"web"},{"record":{"a":1},"source":"web"},{"record":[]},{"record":{"a":"\ud800"}},{"record":{"b":1},"idempotency_key":"k"},{"record":{"b":2},"idempotency_key":"k"}]}"#,
    );
    let statuses: Vec<u64> =
        batch["items"].as_array().unwrap().iter().filter_map(|item| item["status"].as_u64()).collect();
    assert_eq!((status, statuses), (200, vec![201, 200, 400, 422, 201, 422]), "{batch}");
    assert_eq!(intake.records(), 3);
    let log = intake.log("intake");
    assert!(log.contains("user/caller") && !log.contains("1234567890123"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_record_is_a_clear_error_and_is_not_stored() {
    let schema = json!({"type": "object", "properties": {"amount": {"type": "number"}}});
    let intake = Intake::deploy_with(Some(&schema)).await;
    let large = |bytes: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(bytes));
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(100), "]".repeat(100));
    for (name, body, status, kind) in [
        ("not JSON", "amount=1".to_owned(), 400, "invalid-json"),
        ("NaN", r#"{"amount":NaN}"#.to_owned(), 400, "invalid-json"),
        ("an array", "[{}]".to_owned(), 400, "invalid-request"),
        ("257 KB", large(257 * 1024), 413, "too-large"),
        ("a lone surrogate", r#"{"a":"\udc00"}"#.to_owned(), 422, "invalid-record"),
        ("a name twice", r#"{"a":1,"a":1}"#.to_owned(), 422, "invalid-record"),
        ("deep nesting", deep, 422, "invalid-record"),
        ("not of the schema", r#"{"amount":"1"}"#.to_owned(), 422, "schema-mismatch"),
    ] {
        let (found, problem) = intake.post("/v1/records", &body);
        assert_eq!(
            (found, &problem["type"]),
            (status, &json!(format!("urn:plumb:problem:{kind}"))),
            "{name}: {problem}"
        );
    }
    assert_eq!(intake.records(), 0);
    let keys: Vec<String> = (0..10_000).map(|number| format!("\"k{number}\":1")).collect();
    for body in [format!("{{{}}}", keys.join(",")), r#"{"id":1,"body":{"N":"x"},"amount":1e400}"#.to_owned()] {
        assert_eq!(intake.post("/post", &body).0, 201);
    }
    // Four megabytes of quotes, which as text in JSON are eight, more than Lambda takes: API Gateway hands over base64.
    let quotes = "\\\"".repeat(20_000);
    let items: Vec<String> =
        (0..100).map(|number| format!(r#"{{"record":{{"n":{number},"x":"{quotes}"}}}}"#)).collect();
    let batch = format!(r#"{{"items":[{}]}}"#, items.join(","));
    assert!(batch.len() > 4_000_000 && batch.len() < 4_194_304 && json!(batch).to_string().len() > 6_291_456);
    let (status, answer) = intake.post("/v1/records/batch", &batch);
    let items = answer["items"].as_array().unwrap();
    assert!(status == 200 && items.len() == 100 && items.iter().all(|item| item["status"] == 201), "{answer}");
    let thief = intake.account.with_key(&intake.caller.access_key_id, "not the caller's");
    let nobody =
        intake.account.user("nobody", &[json!({"Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"})]);
    let [stolen, denied] = [thief, nobody].map(|who| signed::call(&who, "POST", &intake.url("/v1/records"), "{}"));
    assert_eq!((stolen.status, &stolen.json()["type"]), (403, &json!("urn:plumb:problem:forbidden")), "{stolen:?}");
    // What IAM denies the emulator answers in its own words.
    assert_eq!(denied.status, 403, "{denied:?}");
    assert_eq!(intake.records(), 102);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_send_the_same_at_once_store_it_once() {
    let intake = Intake::deploy().await;
    let answers: Vec<(u16, Value)> = std::thread::scope(|scope| {
        let asked: Vec<_> = (0..6).map(|_| scope.spawn(|| intake.post("/post", r#"{"order":4711}"#))).collect();
        asked.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    // Who was told to try again does so.
    let answers: Vec<(u16, Value)> = answers
        .into_iter()
        .map(|answer| if answer.0 >= 500 { intake.post("/post", r#"{"order":4711}"#) } else { answer })
        .collect();
    assert!(
        answers.iter().all(|(status, body)| [200, 201].contains(status) && body["id"] == answers[0].1["id"]),
        "{answers:?}"
    );
    assert_eq!(intake.records(), 1);
}
