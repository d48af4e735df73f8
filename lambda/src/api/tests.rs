//! The function against its description: what it answers to what is right, wrong, and random.

mod random;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::*;
use crate::keyring::tests::Memory;
use crate::keyring::{CACHE, Keyring};
use crate::openapi::OpenApi;

static OPENAPI: LazyLock<OpenApi> = LazyLock::new(OpenApi::load);

/// A function over a keyring in memory, whose log can be read.
struct Function {
    crypto: Crypto<Arc<Memory>>,
    memory: Arc<Memory>,
    log: Arc<Mutex<Vec<String>>>,
}

/// A proxy answer, with its headers.
struct Answered {
    status: u16,
    headers: BTreeMap<String, String>,
    body: Value,
}

impl Function {
    fn new() -> Self {
        Self::over(Memory::of(&Keyring::generate().unwrap()))
    }

    fn over(memory: Memory) -> Self {
        let (memory, log) = (Arc::new(memory), Arc::new(Mutex::new(Vec::new())));
        let lines = Arc::clone(&log);
        let keys = Keys::new(Arc::clone(&memory), CACHE);
        let crypto = Crypto::new(keys, "crypto", move |line| lines.lock().unwrap().push(line.to_owned()));
        Self { crypto, memory, log }
    }

    /// What API Gateway gets for an event; held to the description.
    async fn gateway(&self, event: &Value) -> Answered {
        let answer = self.crypto.handle(&event.to_string(), "request-1").await;
        let proxy: Value = serde_json::from_str(&serde_json::to_string(&answer).unwrap()).unwrap();
        assert_eq!(proxy["isBase64Encoded"], false);
        let headers: BTreeMap<String, String> = serde_json::from_value(proxy["headers"].clone()).unwrap();
        let status = u16::try_from(proxy["statusCode"].as_u64().unwrap()).unwrap();
        let (method, path) = (event["httpMethod"].as_str().unwrap(), event["path"].as_str().unwrap_or_default());
        let text = proxy["body"].as_str().unwrap();
        if let Err(error) = OPENAPI.check(method, path, status, &headers, text) {
            panic!("{method} {path}: {error}\n{text}");
        }
        Answered { status, headers, body: serde_json::from_str(text).unwrap() }
    }

    async fn ask(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let headers = json!({"Content-Type": "application/json"});
        let event =
            json!({"httpMethod": method, "path": path, "body": body, "headers": headers, "isBase64Encoded": false});
        let answered = self.gateway(&event).await;
        (answered.status, answered.body)
    }

    async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.ask("POST", path, &body.to_string()).await
    }

    /// The log's last line.
    fn logged(&self) -> Value {
        serde_json::from_str(self.log.lock().unwrap().last().unwrap()).unwrap()
    }

    /// Adds a version, as a rotation does, to what the function will read after its cache.
    fn rotated(&self) -> Self {
        let text = self.memory.text.lock().unwrap().clone().unwrap();
        Self::over(Memory::of(&Keyring::parse(&text).unwrap().successor().unwrap()))
    }
}

#[tokio::test]
async fn what_is_encrypted_comes_back_by_every_path_and_alias() {
    let function = Function::over(Memory::default());
    let (status, sealed) = function.post("/v1/encrypt", &json!({"text": "grüße", "context": {"a": "b"}})).await;
    assert_eq!((status, &sealed["key_version"]), (200, &json!(1)));
    let request = json!({"ciphertext": sealed["ciphertext"], "context": {"a": "b"}});
    for path in ["/v1/decrypt", "/decrypt"] {
        let (status, opened) = function.post(path, &request).await;
        assert_eq!(status, 200);
        assert_eq!(opened, json!({"plaintext": "Z3LDvMOfZQ==", "text": "grüße", "key_version": 1}));
    }
    let (status, again) = function.post("/encrypt", &json!({"plaintext": "AP8=", "reference": "r"})).await;
    assert_eq!((status, &again["reference"]), (200, &json!("r")));
    let (_, opened) = function.post("/v1/decrypt", &json!({"ciphertext": again["ciphertext"]})).await;
    assert_eq!(opened, json!({"plaintext": "AP8=", "key_version": 1}), "what is not UTF-8 has no text");
}

#[tokio::test]
async fn rewrapping_moves_a_message_to_the_latest_version_without_giving_it_out() {
    let before = Function::new();
    let (_, sealed) = before.post("/v1/encrypt", &json!({"text": "hunter2", "context": {"a": "b"}})).await;
    let function = before.rotated();
    let request = json!({"ciphertext": sealed["ciphertext"], "context": {"a": "b"}});
    let (status, wrapped) = function.post("/v1/rewrap", &request).await;
    assert_eq!((status, &wrapped["key_version"], &wrapped["previous_key_version"]), (200, &json!(2), &json!(1)));
    assert!(!wrapped.to_string().contains("hunter2"));
    let (_, opened) =
        function.post("/v1/decrypt", &json!({"ciphertext": wrapped["ciphertext"], "context": {"a": "b"}})).await;
    assert_eq!((&opened["text"], &opened["key_version"]), (&json!("hunter2"), &json!(2)));
}

#[tokio::test]
async fn a_version_can_be_chosen_and_must_be_there_and_allowed() {
    let function = Function::new().rotated();
    let (_, sealed) = function.post("/v1/encrypt", &json!({"text": "x", "key_version": 1})).await;
    assert_eq!(sealed["key_version"], 1);
    let request = json!({"text": "x", "key_version": 3});
    let (status, problem) = function.post("/v1/encrypt", &request).await;
    assert_eq!((status, &problem["type"]), (404, &json!("urn:plumb:problem:unknown-key-version")));
}

#[tokio::test]
async fn below_the_minimum_an_old_ciphertext_is_refused_like_any_other() {
    let function = Function::new();
    let (_, sealed) = function.post("/v1/encrypt", &json!({"text": "x"})).await;
    let text = function.memory.text.lock().unwrap().clone().unwrap();
    let ring = Keyring::parse(&text).unwrap().successor().unwrap().with_minimum(2).unwrap();
    let later = Function::over(Memory::of(&ring));
    let (status, problem) = later.post("/v1/decrypt", &json!({"ciphertext": sealed["ciphertext"]})).await;
    assert_eq!((status, &problem["type"]), (422, &json!("urn:plumb:problem:decryption-refused")));
    let (_, altered) =
        later.post("/v1/decrypt", &json!({"ciphertext": sealed["ciphertext"], "context": {"a": ""}})).await;
    assert_eq!(problem, altered, "nothing tells the reasons apart");
    assert_eq!(later.post("/v1/encrypt", &json!({"text": "x", "key_version": 1})).await.0, 404);
}

#[tokio::test]
async fn keys_and_health_show_versions_and_no_material() {
    let function = Function::new().rotated();
    let (status, keys) = function.ask("GET", "/v1/keys", "").await;
    let uses: Vec<_> = keys["versions"].as_array().unwrap().iter().map(|version| &version["state"]).collect();
    assert_eq!((status, uses), (200, vec![&json!("decrypts"), &json!("latest")]));
    assert!(keys["versions"][0]["age_seconds"].as_i64().unwrap() < 60);
    let ring: Value = serde_json::from_str(function.memory.text.lock().unwrap().as_ref().unwrap()).unwrap();
    for version in ring["versions"].as_object().unwrap().values() {
        assert!(!keys.to_string().contains(version["key"].as_str().unwrap()));
    }
    let (status, health) = function.ask("GET", "/v1/health", "").await;
    assert_eq!((status, &health["status"], &health["key_version"]), (200, &json!("ok"), &json!(2)));
}

#[tokio::test]
async fn one_bad_item_never_fails_the_others_and_each_has_its_reference() {
    let function = Function::new();
    let items = json!({"items": [
        {"reference": "good", "text": "a"},
        {"reference": "bad base64", "plaintext": "%"},
        {"reference": "bad shape", "text": 1},
        [],
        {"reference": "twice", "text": "a", "text ": "a"},
        {"reference": 7, "text": "a"},
        {"text": "b"},
    ]});
    let (status, sealed) = function.post("/v1/encrypt", &items).await;
    assert_eq!((status, &sealed["failed"]), (200, &json!(5)));
    let items = sealed["items"].as_array().unwrap();
    let references: Vec<_> = items.iter().map(|item| item["reference"].as_str()).collect();
    assert_eq!(references, [Some("good"), Some("bad base64"), Some("bad shape"), None, Some("twice"), None, None]);
    let kinds: BTreeSet<_> = items.iter().filter_map(|item| item["error"]["type"].as_str()).collect();
    assert_eq!(kinds, BTreeSet::from(["urn:plumb:problem:invalid-request"]));
    let decrypt: Vec<Value> = items
        .iter()
        .map(|item| json!({"ciphertext": item["ciphertext"].as_str().unwrap_or("vault:v1:x"), "reference": "r"}))
        .collect();
    let (_, opened) = function.post("/v1/decrypt", &json!({"items": decrypt})).await;
    assert_eq!(
        (&opened["failed"], &opened["items"][0]["text"], &opened["items"][6]["text"]),
        (&json!(5), &json!("a"), &json!("b"))
    );
    assert_eq!(opened["items"][1]["error"]["type"], "urn:plumb:problem:not-a-ciphertext");
    let logged = function.logged();
    assert_eq!((&logged["Items"], &logged["Refused"], &logged["key_versions"]), (&json!(7), &json!(5), &json!([1])));
    let (status, none) = function.post("/v1/encrypt", &json!({"items": []})).await;
    assert_eq!((status, none), (200, json!({"items": [], "failed": 0})));
}

/// What is wrong, how it is sent, and what is answered.
fn mistakes(sealed: &str) -> Vec<(&'static str, &'static str, &'static str, String, u16, &'static str)> {
    let pairs: BTreeMap<String, &str> = (0..17).map(|number| (number.to_string(), "")).collect();
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let encrypt = |name, body: String, status, kind| (name, "POST", "/v1/encrypt", body, status, kind);
    let decrypt = |name, body: Value, status, kind| (name, "POST", "/v1/decrypt", body.to_string(), status, kind);
    vec![
        ("no such route", "GET", "/v1/secret", String::new(), 404, "no-such-route"),
        ("no alias of that", "GET", "/keys", String::new(), 404, "no-such-route"),
        ("the wrong method", "GET", "/v1/encrypt", String::new(), 405, "method-not-allowed"),
        encrypt("an empty body", String::new(), 400, "invalid-json"),
        encrypt("no JSON", "hunter2".into(), 400, "invalid-json"),
        encrypt("JSON with something behind", "{} hunter2".into(), 400, "invalid-json"),
        encrypt("an array", "[]".into(), 400, "invalid-request"),
        encrypt("deep nesting", deep.clone(), 400, "invalid-request"),
        encrypt("deep nesting in a field", format!(r#"{{"text":{deep}}}"#), 400, "invalid-request"),
        encrypt("an unknown field", r#"{"text":"a","hunter2":1}"#.into(), 400, "invalid-request"),
        encrypt("a field twice", r#"{"text":"a","text":"b"}"#.into(), 400, "invalid-request"),
        encrypt("a context name twice", r#"{"text":"a","context":{"x":"1","x":"2"}}"#.into(), 400, "invalid-request"),
        encrypt("both spellings", r#"{"text":"a","plaintext":"YQ=="}"#.into(), 400, "invalid-request"),
        encrypt("neither", "{}".into(), 400, "invalid-request"),
        encrypt("no base64", r#"{"plaintext":"hunter2!"}"#.into(), 400, "invalid-request"),
        encrypt("base64 without padding", r#"{"plaintext":"YQ"}"#.into(), 400, "invalid-request"),
        encrypt("half a surrogate", r#"{"text":"\ud800"}"#.into(), 400, "invalid-request"),
        encrypt("a huge version", r#"{"text":"a","key_version":1e999}"#.into(), 400, "invalid-request"),
        encrypt("version zero", r#"{"text":"a","key_version":0}"#.into(), 400, "invalid-request"),
        encrypt("an unknown version", r#"{"text":"a","key_version":99}"#.into(), 404, "unknown-key-version"),
        encrypt("too many pairs", json!({"text": "a", "context": pairs}).to_string(), 400, "invalid-request"),
        encrypt(
            "a long context",
            json!({"text": "a", "context": {"a": "x".repeat(8192)}}).to_string(),
            400,
            "invalid-request",
        ),
        encrypt("a context of numbers", r#"{"text":"a","context":{"hunter2":1}}"#.into(), 400, "invalid-request"),
        encrypt(
            "a long reference",
            json!({"text": "a", "reference": "x".repeat(129)}).to_string(),
            400,
            "invalid-request",
        ),
        encrypt("items beside fields", r#"{"items":[],"text":"a"}"#.into(), 400, "invalid-request"),
        encrypt("items that are none", r#"{"items":{}}"#.into(), 400, "invalid-request"),
        encrypt("too many items", json!({"items": vec![json!({"text": ""}); 1001]}).to_string(), 413, "too-large"),
        encrypt("too long a message", json!({"text": "x".repeat(MESSAGE_LIMIT + 1)}).to_string(), 413, "too-large"),
        encrypt("too long a body", json!({"text": "x".repeat(crate::BODY_LIMIT)}).to_string(), 413, "too-large"),
        decrypt("a field of another route", json!({"ciphertext": sealed, "text": "a"}), 400, "invalid-request"),
        decrypt("no ciphertext", json!({}), 400, "invalid-request"),
        decrypt("a foreign text", json!({"ciphertext": "vault:v1:hunter2"}), 422, "not-a-ciphertext"),
        decrypt("a later format", json!({"ciphertext": sealed.replace(":v1:", ":v2:")}), 422, "not-a-ciphertext"),
        decrypt(
            "another context",
            json!({"ciphertext": sealed, "context": {"a": "hunter2"}}),
            422,
            "decryption-refused",
        ),
        decrypt(
            "another version",
            json!({"ciphertext": sealed.replace(":v1:1:", ":v1:2:")}),
            422,
            "decryption-refused",
        ),
    ]
}

#[tokio::test]
async fn each_mistake_has_its_problem_and_none_is_quoted() {
    let function = Function::new();
    let (_, sealed) = function.post("/encrypt", &json!({"text": "x"})).await;
    for (name, method, path, body, status, kind) in mistakes(sealed["ciphertext"].as_str().unwrap()) {
        let (found, problem) = function.ask(method, path, &body).await;
        assert_eq!((found, problem["type"].as_str()), (status, Some(&*format!("urn:plumb:problem:{kind}"))), "{name}");
        assert_eq!(problem["request_id"], "request-1", "{name}");
        assert!(!problem.to_string().contains("hunter2"), "{name}: {problem}");
        assert!(!function.logged().to_string().contains("hunter2"), "{name}");
    }
}

#[tokio::test]
async fn the_longest_message_that_is_encrypted_can_be_decrypted() {
    let function = Function::new();
    let message = STANDARD.encode(vec![7; MESSAGE_LIMIT]);
    let context: BTreeMap<String, String> =
        (0..16).map(|number| (format!("{number:02}"), "\u{1}".repeat(510))).collect();
    let (status, sealed) = function.post("/v1/encrypt", &json!({"plaintext": message, "context": context})).await;
    assert_eq!(status, 200);
    let request = json!({"ciphertext": sealed["ciphertext"], "context": context});
    let (status, opened) = function.post("/v1/decrypt", &request).await;
    assert!(status == 200 && opened["plaintext"] == message && opened.get("text").is_none());
}

#[tokio::test]
async fn no_answer_is_larger_than_lambda_takes() {
    let function = Function::new();
    // Control characters are the costliest text: seven bytes for one, in a text within a text.
    let message = "\u{1}".repeat(2000);
    let items = vec![json!({"plaintext": STANDARD.encode(&message), "reference": "\"".repeat(128)}); 1000];
    let (_, sealed) = function.post("/v1/encrypt", &json!({"items": items})).await;
    let items: Vec<Value> = sealed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| json!({"ciphertext": item["ciphertext"], "reference": "\"".repeat(128)}))
        .collect();
    let event = json!({"httpMethod": "POST", "path": "/v1/decrypt", "body": json!({"items": items}).to_string()});
    let answer = function.crypto.handle(&event.to_string(), "r").await;
    let size = serde_json::to_vec(&answer).unwrap().len();
    assert!(answer.status == 200 && size < 6_000_000, "{size}");
}

#[tokio::test]
async fn without_a_keyring_the_answer_is_to_wait_and_does_not_say_why() {
    let function = Function::new();
    *function.memory.broken.lock().unwrap() = true;
    for (method, path, body) in [
        ("POST", "/v1/encrypt", r#"{"text":"x"}"#),
        ("POST", "/v1/encrypt", r#"{"items":[{"text":"x"}]}"#),
        ("GET", "/v1/keys", ""),
        ("GET", "/v1/health", ""),
    ] {
        let event = json!({"httpMethod": method, "path": path, "body": body, "headers": null});
        let answered = function.gateway(&event).await;
        assert_eq!((answered.status, answered.headers["retry-after"].as_str()), (503, "5"), "{path}");
        assert!(!answered.body.to_string().contains("AccessDenied"), "{}", answered.body);
        let logged = function.logged();
        assert_eq!(
            (&logged["reason"], &logged["Faults"], &logged["level"]),
            (&json!("AccessDeniedException"), &json!(1), &json!("error"))
        );
    }
    let (status, _) = function.post("/v1/encrypt", &json!({"text": 1})).await;
    assert_eq!(status, 400, "what is wrong anyway needs no key to be told");
}

#[tokio::test]
async fn only_json_in_utf_8_is_taken() {
    let function = Function::new();
    for (header, value, status) in [
        ("Content-Type", "application/json", 200),
        ("content-type", "APPLICATION/JSON; charset=UTF-8", 200),
        ("CONTENT-TYPE", "application/json; charset=\"utf-8\"", 200),
        ("Content-Type", "application/json; charset=latin1", 415),
        ("Content-Type", "text/xml", 415),
        ("Content-Type", "application/x-www-form-urlencoded", 415),
        ("Content-Encoding", "gzip", 415),
        ("X-Nothing", "text/xml", 200),
    ] {
        let mut headers = json!({"Content-Type": "application/json"});
        if !header.eq_ignore_ascii_case("content-encoding") {
            headers = json!({});
        }
        headers[header] = json!(value);
        let event = json!({"httpMethod": "POST", "path": "/v1/encrypt", "body": r#"{"text":"a"}"#, "headers": headers});
        assert_eq!(function.gateway(&event).await.status, status, "{header}: {value}");
    }
    for (body, status) in [(r#"{"text":"a"}"#.as_bytes(), 200), (&[0xff, 0xfe][..], 400)] {
        let event = json!({"httpMethod": "POST", "path": "/v1/encrypt", "body": STANDARD.encode(body), "isBase64Encoded": true});
        assert_eq!(function.gateway(&event).await.status, status);
    }
}

#[tokio::test]
async fn a_custom_domains_base_path_is_no_part_of_the_route() {
    let function = Function::new();
    let event = json!({"httpMethod": "GET", "path": "/crypto/v1/health", "resource": "/v1/health"});
    let answer = function.crypto.handle(&event.to_string(), "r").await;
    assert_eq!(answer.status, 200);
    let event = json!({"httpMethod": "GET", "path": "/v1/health", "resource": "/{proxy+}"});
    assert_eq!(function.gateway(&event).await.status, 200);
}

#[tokio::test]
async fn what_is_invoked_directly_gets_status_and_body() {
    let function = Function::new();
    let invoke = async |event: Value| {
        let answer = function.crypto.handle(&event.to_string(), "r").await;
        serde_json::to_value(&answer).unwrap()
    };
    let sealed = invoke(json!({"operation": "encrypt", "body": {"plaintext": "AP8="}})).await;
    assert_eq!((&sealed["status"], &sealed["request_id"]), (&json!(200), &json!("r")));
    let request = json!({"operation": "decrypt", "body": {"ciphertext": sealed["body"]["ciphertext"]}});
    assert_eq!(invoke(request).await["body"]["plaintext"], "AP8=");
    assert_eq!(invoke(json!({"operation": "health"})).await["body"]["status"], "ok");
    for (event, status) in [
        (json!({}), 400),
        (json!([1]), 400),
        (json!(null), 400),
        (json!({"operation": "steal"}), 404),
        (json!({"operation": "encrypt"}), 400),
        (json!({"httpMethod": 7}), 400),
    ] {
        assert_eq!(invoke(event.clone()).await["status"], status, "{event}");
    }
}

#[tokio::test]
async fn a_log_line_tells_who_asked_for_what_and_is_a_metric() {
    let function = Function::new();
    let identity = json!({"userArn": "arn:aws:sts::111122223333:assumed-role/caller/mara"});
    let event = json!({
        "httpMethod": "POST", "path": "/v1/encrypt", "body": r#"{"text":"hunter2","context":{"purpose":"secret-purpose"}}"#,
        "requestContext": {"requestId": "gateway-1", "identity": identity},
    });
    function.gateway(&event).await;
    let logged = function.logged();
    let expected = [
        ("request_id", json!("request-1")),
        ("gateway_request_id", json!("gateway-1")),
        ("caller", identity["userArn"].clone()),
        ("Route", json!("encrypt")),
        ("status", json!(200)),
        ("outcome", json!("ok")),
        ("bytes_in", json!(57)),
        ("key_versions", json!([1])),
        ("Requests", json!(1)),
    ];
    for (name, value) in expected {
        assert_eq!(logged[name], value, "{name}");
    }
    assert!(logged["Latency"].as_f64().unwrap() > 0.0);
    let stated = &logged["_aws"]["CloudWatchMetrics"][0];
    for metric in stated["Metrics"].as_array().unwrap() {
        assert!(logged[metric["Name"].as_str().unwrap()].is_number(), "{metric}");
    }
    for dimension in stated["Dimensions"].as_array().unwrap().iter().flat_map(|set| set.as_array().unwrap()) {
        assert!(logged[dimension.as_str().unwrap()].is_string(), "{dimension}");
    }
    for secret in ["hunter2", "secret-purpose", "plumb:v1:"] {
        assert!(!logged.to_string().contains(secret), "{secret}");
    }
}

#[test]
fn the_description_knows_every_problem_limit_and_route() {
    let described = OPENAPI.at("/components/schemas/Error/properties/type/enum").as_array().unwrap();
    for kind in Kind::SHARED.into_iter().chain(Kind::CRYPTO) {
        assert!(described.contains(&json!(format!("urn:plumb:problem:{}", kind.name()))), "{kind:?}");
    }
    assert_eq!(OPENAPI.at("/components/schemas/Context/maxProperties"), &json!(PAIR_LIMIT));
    assert_eq!(OPENAPI.at("/components/schemas/Reference/maxLength"), &json!(REFERENCE_LIMIT));
    assert_eq!(OPENAPI.at("/components/schemas/EncryptBatch/properties/items/maxItems"), &json!(ITEM_LIMIT));
    let description = OPENAPI.at("/info/description").as_str().unwrap();
    for limit in ["4,194,304", "2,883,584", "8,192"] {
        assert!(description.contains(limit), "{limit}");
    }
    assert_eq!((crate::BODY_LIMIT, MESSAGE_LIMIT, CONTEXT_LIMIT, TEXT_LIMIT), (4_194_304, 2_883_584, 8192, 1_310_720));
    let routes: BTreeSet<(String, String)> = OPENAPI.routes().into_iter().collect();
    let own = ROUTES.iter().map(|row| (row.0.to_owned(), row.1.to_owned()));
    assert_eq!(routes, own.collect::<BTreeSet<_>>());
}
