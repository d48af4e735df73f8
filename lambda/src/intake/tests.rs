//! The intake against its description, over a table in memory.

mod random;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;
use std::sync::{Arc, LazyLock, Mutex};

use serde_json::{Value, json};

use super::*;
use crate::openapi::OpenApi;
use table::{Fault, Table};

static OPENAPI: LazyLock<OpenApi> = LazyLock::new(OpenApi::of_intake);
/// 2026-11-22T06:00:00Z.
const NOON: i64 = 1_795_327_200_000;

struct Function {
    intake: Intake<Arc<Table>>,
    table: Arc<Table>,
    log: Arc<Mutex<Vec<String>>>,
}

struct Answered {
    status: u16,
    headers: BTreeMap<String, String>,
    body: Value,
}

impl Function {
    /// One that has all the time that it needs.
    fn new() -> Self {
        Self::with(Duration::from_mins(1))
    }

    fn with(patience: Duration) -> Self {
        let (table, log) = (Arc::new(Table::default()), Arc::new(Mutex::new(Vec::new())));
        *table.now.lock().unwrap() = NOON;
        let (lines, settings) = (Arc::clone(&log), Settings { keep_keys: 3600, patience });
        let intake = Intake::new(Arc::clone(&table), settings, "intake", move |line| {
            lines.lock().unwrap().push(line.to_owned());
        });
        Self { intake, table, log }
    }

    /// What API Gateway gets for an event; held to the description.
    async fn gateway(&self, event: &Value) -> Answered {
        let answer = self.intake.handle(&event.to_string(), "request-1").await;
        let proxy: Value = serde_json::from_str(&serde_json::to_string(&answer).unwrap()).unwrap();
        let headers: BTreeMap<String, String> = serde_json::from_value(proxy["headers"].clone()).unwrap();
        let status = u16::try_from(proxy["statusCode"].as_u64().unwrap()).unwrap();
        let (method, path) = (event["httpMethod"].as_str().unwrap(), event["path"].as_str().unwrap());
        let text = proxy["body"].as_str().unwrap();
        if let Err(error) = OPENAPI.check(method, path, status, &headers, text) {
            panic!("{method} {path}: {error}\n{text}");
        }
        Answered { status, headers, body: serde_json::from_str(text).unwrap() }
    }

    async fn send(&self, path: &str, headers: Value, body: &str) -> (u16, Value) {
        let method = if path.ends_with("health") { "GET" } else { "POST" };
        let answered =
            self.gateway(&json!({"httpMethod": method, "path": path, "body": body, "headers": headers})).await;
        (answered.status, answered.body)
    }

    async fn post(&self, body: &str) -> (u16, Value) {
        self.send("/v1/records", json!({"Content-Type": "application/json"}), body).await
    }

    fn stored(&self) -> Vec<Entry> {
        self.table.records.lock().unwrap().values().cloned().collect()
    }

    fn logged(&self) -> Value {
        serde_json::from_str(self.log.lock().unwrap().last().unwrap()).unwrap()
    }
}

#[tokio::test]
async fn the_same_request_is_one_record_by_every_path() {
    let function = Function::new();
    let body = r#" {"amount": 12345678901234567890123456789012345678901234567890.10, "id": 7}
"#;
    let (status, first) = function.post(body).await;
    assert_eq!((status, &first["duplicate"], &first["source"]), (201, &json!(false), &json!("unknown")));
    for path in ["/v1/records", "/post", "/post/"] {
        let (status, again) = function.send(path, Value::Null, body).await;
        assert_eq!((status, &again["duplicate"]), (200, &json!(true)), "{path}");
        assert_eq!((&again["id"], &again["received"]), (&first["id"], &first["received"]), "{path}");
    }
    let stored = function.stored();
    assert_eq!(stored.len(), 1);
    assert_eq!(stored[0].body, body.trim(), "the text as it came, with every digit");
    assert_eq!(
        (first["received"].as_str(), slot(stored[0].id).as_str().split_once('#').unwrap().0),
        (Some("2026-11-22T06:00:00.000Z"), "2026-11-22")
    );
    assert_eq!(function.logged()["Duplicates"], 1);
    let (status, other) = function.send("/v1/records", json!({"plumb-source": "web"}), body).await;
    assert_eq!((status, &other["source"]), (201, &json!("web")), "another source is another record");
}

#[tokio::test]
async fn a_key_belongs_to_its_first_content_until_it_runs_out() {
    let function = Function::new();
    let key = |key: &str| json!({"idempotency-KEY": key});
    let (status, first) = function.send("/post", key("order 1"), r#"{"a":1}"#).await;
    assert_eq!(status, 201);
    assert_eq!(function.send("/post", key("order 1"), r#"{"a":1}"#).await.1["id"], first["id"]);
    assert_eq!(
        function.send("/post", key("order 2"), r#"{"a":1}"#).await.0,
        201,
        "another key, though the same content"
    );
    let (status, problem) = function.send("/post", key("order 1"), r#"{"a":2}"#).await;
    assert_eq!((status, &problem["type"]), (422, &json!("urn:plumb:problem:idempotency-key-reused")));
    *function.table.now.lock().unwrap() += 3_600_000;
    assert_eq!(
        function.send("/post", key("order 1"), r#"{"a":2}"#).await.0,
        201,
        "whether or not it was deleted by now"
    );
    assert_eq!(function.stored().len(), 3);
}

#[tokio::test]
async fn a_record_that_expires_takes_its_key_with_it() {
    let function = Function::new();
    let (status, _) = function.send("/post", json!({"Plumb-Expires-In": "60"}), "{}").await;
    let stored = function.stored().remove(0);
    assert_eq!((status, stored.expires, stored.key_expires), (201, Some(NOON / 1000 + 60), NOON / 1000 + 60));
    let (_, stored) =
        (function.send("/post", json!({"Plumb-Expires-In": "7200"}), r#"{"b":1}"#).await, function.stored());
    assert_eq!((stored[1].expires, stored[1].key_expires), (Some(NOON / 1000 + 7200), NOON / 1000 + 3600));
}

#[tokio::test]
async fn a_batch_answers_for_each_item() {
    let function = Function::new();
    let body = r#"{"items":[
        {"record":{"a":1},"reference":"one"}, {"record":{"a":1},"reference":"again"}, {"record":{"a":1},"source":"app"},
        {"record":[1],"reference":"array"}, {"reference":"none"}, {"record":{"a":1,"a":2},"reference":"twice"}, 7,
        {"record":{"a":9},"idempotency_key":"k"}, {"record":{"a":8},"idempotency_key":"k"}, {"record":{},"more":1},
        {"record":{"a":"\ud800"}}, {"record":{},"reference":1}, {"record":{},"source":"a b"}, {"record":{},"idempotency_key":"ü"}
    ]}"#;
    for path in ["/v1/records/batch", "/post/batch"] {
        let (status, answer) = function.send(path, json!({"Plumb-Source": "web"}), body).await;
        assert_eq!(status, 200);
        let statuses: Vec<u64> =
            answer["items"].as_array().unwrap().iter().map(|it| it["status"].as_u64().unwrap()).collect();
        let new = if path == "/post/batch" { 200 } else { 201 };
        assert_eq!(statuses, [new, 200, new, 400, 400, 422, 400, new, 422, 400, 422, 400, 400, 400], "{answer}");
        assert_eq!(answer["items"][0]["id"], answer["items"][1]["id"]);
        assert_eq!((&answer["items"][1]["reference"], &answer["items"][2]["source"]), (&json!("again"), &json!("app")));
        assert_eq!(answer["items"][5]["error"]["type"], "urn:plumb:problem:invalid-record");
    }
    assert_eq!(function.stored().len(), 3);
    let logged = function.logged();
    assert_eq!((&logged["Items"], &logged["Refused"], &logged["Duplicates"]), (&json!(14), &json!(10), &json!(4)));
    assert_eq!(function.send("/post/batch", Value::Null, r#"{"items":[]}"#).await, (200, json!({"items": []})));
}

#[tokio::test]
async fn each_mistake_has_its_problem_and_none_is_quoted() {
    let function = Function::new();
    let large = |bytes: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(bytes - 8));
    let many = json!({"items": vec![json!({"record": {}}); 101]}).to_string();
    let key = |key: &str| json!({"Idempotency-Key": key});
    let none = Value::Null;
    let rows: Vec<(&str, &str, Value, String, u16, &str)> = vec![
        ("nothing", "/post", none.clone(), String::new(), 400, "invalid-json"),
        ("no JSON", "/post", none.clone(), "hunter2".into(), 400, "invalid-json"),
        ("NaN", "/post", none.clone(), r#"{"a":NaN}"#.into(), 400, "invalid-json"),
        ("infinity", "/post", none.clone(), r#"{"a":-Infinity}"#.into(), 400, "invalid-json"),
        ("something behind", "/post", none.clone(), "{} hunter2".into(), 400, "invalid-json"),
        ("a byte order mark", "/post", none.clone(), "\u{feff}{}".into(), 400, "invalid-json"),
        ("an array", "/post", none.clone(), r#"["hunter2"]"#.into(), 400, "invalid-request"),
        ("a text", "/post", none.clone(), r#""hunter2""#.into(), 400, "invalid-request"),
        ("one byte too many", "/post", none.clone(), large(RECORD_LIMIT + 1), 413, "too-large"),
        ("257 KB", "/post", none.clone(), large(257 * 1024), 413, "too-large"),
        ("too long a body", "/post", none.clone(), large(crate::BODY_LIMIT + 1), 413, "too-large"),
        ("half a surrogate pair", "/post", none.clone(), r#"{"hunter2":"\ud800"}"#.into(), 422, "invalid-record"),
        ("a name twice", "/post", none.clone(), r#"{"hunter2":1,"hunter2":2}"#.into(), 422, "invalid-record"),
        (
            "deep nesting",
            "/post",
            none.clone(),
            format!("{{\"a\":{}{}}}", "[".repeat(64), "]".repeat(64)),
            422,
            "invalid-record",
        ),
        ("an empty key", "/post", key(""), "{}".into(), 400, "invalid-request"),
        ("a key beyond ASCII", "/post", key("hunter2ü"), "{}".into(), 400, "invalid-request"),
        ("a long key", "/post", key(&"x".repeat(129)), "{}".into(), 400, "invalid-request"),
        ("a source with a slash", "/post", json!({"Plumb-Source": "hunter2/x"}), "{}".into(), 400, "invalid-request"),
        ("no seconds", "/post", json!({"Plumb-Expires-In": "0"}), "{}".into(), 400, "invalid-request"),
        ("endless seconds", "/post", json!({"Plumb-Expires-In": "99999999999"}), "{}".into(), 400, "invalid-request"),
        (
            "another content type",
            "/post",
            json!({"Content-Type": "text/plain"}),
            "{}".into(),
            415,
            "unsupported-media-type",
        ),
        ("a key for a batch", "/post/batch", key("k"), r#"{"items":[]}"#.into(), 400, "invalid-request"),
        ("no items", "/post/batch", none.clone(), "{}".into(), 400, "invalid-request"),
        ("items beside others", "/post/batch", none.clone(), r#"{"items":[],"x":1}"#.into(), 400, "invalid-request"),
        ("items that are none", "/post/batch", none.clone(), r#"{"items":{}}"#.into(), 400, "invalid-request"),
        ("101 items", "/post/batch", none.clone(), many, 413, "too-large"),
    ];
    for (name, path, headers, body, status, kind) in rows {
        let (found, problem) = function.send(path, headers, &body).await;
        assert_eq!(
            (found, problem["type"].as_str()),
            (status, Some(&*format!("urn:plumb:problem:{kind}"))),
            "{name}: {problem}"
        );
        assert!(
            !problem.to_string().contains("hunter2") && !function.logged().to_string().contains("hunter2"),
            "{name}"
        );
    }
    assert_eq!(function.stored(), []);
    let keys = (0..10_000).map(|number| format!("\"k{number}\":{number},")).collect::<Vec<_>>().concat();
    for (name, body) in [
        ("as large as it may be", large(RECORD_LIMIT)),
        ("ten thousand keys", format!("{{{keys}\"slot\":1}}")),
        (
            "reserved names",
            r#"{"id":1,"slot":"x","expires":0,"key":null,"$serde_json::private::Number":"x"}"#.to_owned(),
        ),
    ] {
        assert_eq!(function.post(&body).await.0, 201, "{name}");
    }
    // A hundred items, as much as a body may have; base64, as API Gateway hands it over.
    let filler = "\\\"".repeat((crate::BODY_LIMIT - 4096) / 200);
    let items: Vec<String> =
        (0..100).map(|number| format!(r#"{{"record":{{"n":{number},"x":"{filler}"}}}}"#)).collect();
    let mut batch = format!(r#"{{"items":[{}]}}"#, items.join(","));
    batch.extend(std::iter::repeat_n(' ', crate::BODY_LIMIT - batch.len()));
    let body = base64_simd::STANDARD.encode_to_string(batch.as_bytes());
    let event = json!({"httpMethod": "POST", "path": "/v1/records/batch", "body": body, "isBase64Encoded": true});
    assert!(event.to_string().len() < 6_291_456, "what Lambda takes");
    let answered = function.gateway(&event).await;
    let taken = answered.body["items"].as_array().unwrap().iter().filter(|item| item["status"] == 201);
    assert_eq!((answered.status, taken.count()), (200, 100));
    batch.push(' ');
    assert_eq!(function.send("/v1/records/batch", none.clone(), &batch).await.0, 413);
    for (method, path, status) in
        [("GET", "/v1/records", 405), ("POST", "/v1/health", 405), ("POST", "/v1/nothing", 404)]
    {
        assert_eq!(function.gateway(&json!({"httpMethod": method, "path": path, "body": "{}"})).await.status, status);
    }
}

#[tokio::test]
async fn a_throttled_table_is_asked_again_and_then_it_is_a_503() {
    let function = Function::new();
    function.table.faults.lock().unwrap().extend([Fault::Refused(true), Fault::Refused(true)]);
    assert_eq!(function.post(r#"{"a":1}"#).await.0, 201);
    function.table.faults.lock().unwrap().push_back(Fault::Lost);
    let (status, answer) = function.post(r#"{"a":2}"#).await;
    assert_eq!((status, &answer["duplicate"]), (201, &json!(false)), "a write whose answer was lost is our own");
    assert_eq!(function.stored().len(), 2, "and is not made twice");
    function.table.faults.lock().unwrap().push_back(Fault::Refused(false));
    assert_eq!(function.post(r#"{"a":3}"#).await.0, 503, "what does not pass is not tried again");

    let function = Function::with(Duration::from_secs(2));
    *function.table.broken.lock().unwrap() = true;
    for (path, body) in
        [("/v1/records", "{}"), ("/v1/records/batch", r#"{"items":[{"record":{}},{"record":{"a":7}}]}"#)]
    {
        let answered = function.gateway(&json!({"httpMethod": "POST", "path": path, "body": body})).await;
        assert_eq!((answered.status, answered.headers["retry-after"].as_str()), (503, "5"), "{path}");
        assert!(!answered.body.to_string().contains("Throttling"));
        assert_eq!(
            (&function.logged()["reason"], &function.logged()["Faults"]),
            (&json!("ThrottlingException"), &json!(1))
        );
    }
    let body = r#"{"items":[{"record":[]},{"record":{}}]}"#;
    let some = function.gateway(&json!({"httpMethod": "POST", "path": "/post/batch", "body": body})).await;
    let statuses = [0, 1].map(|place: usize| some.body["items"][place]["status"].clone());
    assert_eq!((some.status, statuses), (200, [json!(400), json!(503)]));
    assert_eq!(some.headers["retry-after"], "5", "some of it may be sent again");
    assert_eq!(function.stored(), [], "nothing acknowledged, nothing stored");
    assert_eq!(function.send("/v1/health", Value::Null, "").await.0, 503);
    *function.table.broken.lock().unwrap() = false;
    assert_eq!(function.send("/v1/health", Value::Null, "").await.1["status"], "ok");
}

#[tokio::test]
async fn ids_rise_whatever_the_clock_does_and_follow_the_requests_time() {
    let function = Function::new();
    let ask = async |number: i64, own: i64, told: Option<i64>| {
        *function.table.now.lock().unwrap() = own;
        let context = json!({"requestTimeEpoch": told, "identity": {"userArn": "arn:aws:iam::111122223333:user/mara"}});
        let event = json!({"httpMethod": "POST", "path": "/post", "body": format!("{{\"n\":{number}}}"), "requestContext": context});
        let answer = function.gateway(&event).await.body;
        assert_eq!(answer["source"], "mara");
        (answer["id"].as_str().unwrap().to_owned(), answer["received"].as_str().unwrap().to_owned())
    };
    let answers = [
        ask(1, NOON, Some(NOON + 5)).await,
        ask(2, NOON - 60_000, None).await,
        ask(3, NOON - 86_400_000, Some(0)).await,
        ask(4, NOON + 7, Some(i64::MAX)).await,
        ask(5, NOON + 8, Some(i64::MIN)).await,
    ];
    assert!(answers.is_sorted_by(|one, other| one.0 < other.0), "{answers:?}");
    let times: Vec<&str> = answers.iter().map(|(_, received)| &received[17..]).collect();
    assert_eq!(
        times,
        ["00.005Z", "00.005Z", "00.005Z", "00.007Z", "00.008Z"],
        "what nobody can believe is not believed"
    );
}

#[tokio::test]
async fn a_schema_says_where_a_record_does_not_fit() {
    let function = Function::new();
    let schema = json!({"type": "object", "properties": {"amount": {"type": "number", "maximum": 100}}});
    *function.table.schema.lock().unwrap() = Some(schema.to_string());
    assert_eq!(function.post(r#"{"amount":99.5}"#).await.0, 201);
    let (status, problem) = function.post(r#"{"amount":4711}"#).await;
    assert_eq!((status, &problem["type"]), (422, &json!("urn:plumb:problem:schema-mismatch")));
    assert_eq!(problem["detail"], "/amount does not fit the schema's /properties/amount/maximum");
    let broken = Function::new();
    *broken.table.schema.lock().unwrap() = Some("{".to_owned());
    assert_eq!(broken.post("{}").await.0, 503, "what cannot be checked is not stored");
    assert!(broken.logged()["reason"].as_str().unwrap().contains("the schema is no JSON"));
    let batch = r#"{"items":[{"record":{"a":1}},{"record":{"a":2}},{"record":{"a":3}}]}"#;
    let before = broken.table.schema_reads.load(Ordering::SeqCst);
    assert_eq!(broken.send("/post/batch", Value::Null, batch).await.0, 503);
    assert_eq!(broken.table.schema_reads.load(Ordering::SeqCst), before + 1, "once for all items");
    *broken.table.schema.lock().unwrap() = None;
    assert_eq!(broken.post("{}").await.0, 201);
}

#[tokio::test]
async fn what_is_invoked_directly_has_its_headers_too() {
    let function = Function::new();
    let invoke =
        async |event: Value| serde_json::to_value(function.intake.handle(&event.to_string(), "r").await).unwrap();
    let event =
        json!({"operation": "post", "headers": {"Plumb-Source": "job", "Idempotency-Key": "k"}, "body": {"a": 1}});
    let first = invoke(event.clone()).await;
    assert_eq!((&first["status"], &first["body"]["source"]), (&json!(201), &json!("job")));
    assert_eq!(invoke(event).await["body"]["id"], first["body"]["id"]);
    assert_eq!(invoke(json!({"operation": "health"})).await["body"]["status"], "ok");
    for (event, status) in [(json!([]), 400), (json!({"operation": "steal"}), 404), (json!({"operation": "post"}), 400)]
    {
        assert_eq!(invoke(event).await["status"], status);
    }
}

#[tokio::test]
async fn a_log_line_is_a_metric_and_holds_nothing_of_the_record() {
    let function = Function::new();
    let headers = json!({"Idempotency-Key": "hunter2-key"});
    function.send("/post", headers, r#"{"password":"hunter2"}"#).await;
    let logged = function.logged();
    for (name, value) in
        [("Route", json!("post")), ("status", json!(201)), ("bytes_in", json!(22)), ("Items", json!(1))]
    {
        assert_eq!(logged[name], value, "{name}");
    }
    let stated = &logged["_aws"]["CloudWatchMetrics"][0];
    assert_eq!(stated["Namespace"], NAMESPACE);
    let names: Vec<&str> =
        stated["Metrics"].as_array().unwrap().iter().map(|it| it["Name"].as_str().unwrap()).collect();
    assert_eq!(names, ["Requests", "Items", "Refused", "Faults", "Duplicates", "Latency"]);
    assert!(names.iter().all(|name| logged[*name].is_number()));
    assert!(!logged.to_string().contains("hunter2"));
}

#[test]
fn the_description_knows_every_problem_limit_and_route() {
    let described = OPENAPI.at("/components/schemas/Error/properties/type/enum").as_array().unwrap();
    for kind in Kind::SHARED.into_iter().chain(Kind::INTAKE) {
        assert!(described.contains(&json!(format!("urn:plumb:problem:{}", kind.name()))), "{kind:?}");
    }
    assert_eq!(described.len(), Kind::SHARED.len() + Kind::INTAKE.len() + 3, "three are API Gateway's");
    assert_eq!(OPENAPI.at("/components/schemas/Batch/properties/items/maxItems"), &json!(ITEM_LIMIT));
    assert_eq!(OPENAPI.at("/components/schemas/Reference/maxLength"), &json!(REFERENCE_LIMIT));
    assert_eq!(OPENAPI.at("/components/schemas/Item/properties/idempotency_key/maxLength"), &json!(KEY_LIMIT));
    assert_eq!((RECORD_LIMIT, DEPTH, crate::BODY_LIMIT), (262_144, 64, 4_194_304));
    let description = OPENAPI.at("/info/description").as_str().unwrap();
    for limit in ["262,144", "64 levels", "4,194,304"] {
        assert!(description.contains(limit), "{limit}");
    }
    let routes: BTreeSet<(String, String)> = OPENAPI.routes().into_iter().collect();
    let own = ROUTES.iter().map(|row| (row.0.to_owned(), row.1.to_owned()));
    assert_eq!(routes, own.collect::<BTreeSet<_>>());
}
