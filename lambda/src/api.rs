//! What is asked and answered, by API Gateway (REST, proxy events of version 1) and by direct invocation.
//!
//! | route | takes | gives |
//! |---|---|---|
//! | `POST /v1/encrypt` | `plaintext` (base64) or `text` (UTF-8), `context` | `ciphertext`, `key_version` |
//! | `POST /v1/decrypt` | `ciphertext`, `context` | `plaintext`, `text` when it is UTF-8, `key_version` |
//! | `POST /v1/rewrap` | `ciphertext`, `context` | `ciphertext` under the latest version, `key_version` |
//! | `GET /v1/keys` | | `latest`, `min_decryption_version`, `versions` with `created`; never material |
//! | `GET /v1/health` | | `status`, `key_version` |
//!
//! The same without `/v1`. Invoked directly, `operation` names the route (`"encrypt"`) beside its fields, and the
//! answer is the body alone. Errors are problems, with `request_id`.

use std::io::Write as _;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};
use zeroize::Zeroizing;

use crate::envelope::{self, Context};
use crate::keyring::{Keys, Store};
use crate::problem::Problem;

/// A request's body may have this many bytes.
const BODY_LIMIT: usize = 4 * 1024 * 1024;
/// A context may have this many pairs.
const CONTEXT_LIMIT: usize = 16;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Encrypt {
    plaintext: Option<String>,
    text: Option<String>,
    #[serde(default)]
    context: Context,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Decrypt {
    ciphertext: String,
    #[serde(default)]
    context: Context,
}

/// Answers one event: a proxy event with a proxy response, anything else with a body.
pub async fn handle<S: Store>(keys: &Keys<S>, event: Value, request_id: &str) -> Value {
    let begun = Instant::now();
    let through_gateway = event.get("httpMethod").is_some();
    let request = if through_gateway { from_gateway(&event) } else { from_invocation(event) };
    let route = request.as_ref().map_or("unknown", |(route, _)| *route);
    let size = request.as_ref().map_or(0, |(_, body)| body.len());
    let result = match request {
        Ok((route, body)) => answer(keys, route, &body).await,
        Err(problem) => Err(problem),
    };
    let (status, content_type, body) = match &result {
        Ok(body) => (200, "application/json", body.clone()),
        Err(problem) => (problem.status, "application/problem+json", problem.body(request_id)),
    };
    log(&json!({
        "request_id": request_id,
        "route": route,
        "status": status,
        "reason": result.as_ref().err().and_then(|problem| problem.reason.as_deref()),
        "outcome": result.as_ref().map_or_else(|problem| problem.kind, |_| "ok"),
        "bytes_in": size,
        "key_version": body.get("key_version"),
        "milliseconds": u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX),
    }));
    if !through_gateway {
        return body;
    }
    json!({
        "statusCode": status,
        "headers": {"content-type": content_type, "cache-control": "no-store"},
        "isBase64Encoded": false,
        "body": body.to_string(),
    })
}

const ROUTES: [(&str, &str); 5] =
    [("encrypt", "POST"), ("decrypt", "POST"), ("rewrap", "POST"), ("keys", "GET"), ("health", "GET")];

type Request = (&'static str, Zeroizing<Vec<u8>>);

fn from_gateway(event: &Value) -> Result<Request, Problem> {
    let text = |name: &str| event.get(name).and_then(Value::as_str);
    let path = text("path").unwrap_or_default().trim_matches('/');
    let name = path.strip_prefix("v1/").unwrap_or(path);
    let (route, method) = find(name)?;
    if text("httpMethod") != Some(method) {
        return Err(Problem::new(405, "method-not-allowed", format!("/v1/{route} takes {method}")));
    }
    let body = text("body").unwrap_or_default();
    let body = Zeroizing::new(match event.get("isBase64Encoded").and_then(Value::as_bool) {
        Some(true) => STANDARD.decode(body).map_err(|_| Problem::new(400, "bad-request", "the body is not base64"))?,
        _ => body.as_bytes().to_vec(),
    });
    if method == "POST" && !is_json(event) {
        return Err(Problem::new(415, "unsupported-media-type", "the body must be application/json"));
    }
    Ok((route, body))
}

fn from_invocation(mut event: Value) -> Result<Request, Problem> {
    let operation = event.as_object_mut().and_then(|fields| fields.remove("operation"));
    let Some(Value::String(operation)) = operation else {
        return Err(Problem::new(400, "bad-request", "the event has no `operation`"));
    };
    Ok((find(&operation)?.0, Zeroizing::new(event.to_string().into_bytes())))
}

fn find(name: &str) -> Result<(&'static str, &'static str), Problem> {
    let found = ROUTES.into_iter().find(|(route, _)| *route == name);
    found.ok_or_else(|| Problem::new(404, "no-such-route", "known are encrypt, decrypt, rewrap, keys and health"))
}

/// Whether the content type is JSON, or not stated at all.
fn is_json(event: &Value) -> bool {
    let headers = event.get("headers").and_then(Value::as_object);
    let stated = headers.into_iter().flatten().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    stated.and_then(|(_, value)| value.as_str()).is_none_or(|value| {
        let kind = value.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("application/json")
    })
}

async fn answer<S: Store>(keys: &Keys<S>, route: &str, body: &[u8]) -> Result<Value, Problem> {
    if body.len() > BODY_LIMIT {
        return Err(Problem::new(413, "too-large", format!("a body may have {BODY_LIMIT} bytes")));
    }
    match route {
        "encrypt" => {
            let request: Encrypt = parse(body)?;
            check(&request.context)?;
            seal(keys, &plaintext(request.plaintext, request.text)?, &request.context).await
        }
        "decrypt" => {
            let (plaintext, key_version) = open(keys, &parse(body)?).await?;
            let text = std::str::from_utf8(&plaintext).ok();
            Ok(json!({"plaintext": STANDARD.encode(&plaintext), "text": text, "key_version": key_version}))
        }
        "rewrap" => {
            let request: Decrypt = parse(body)?;
            let (plaintext, _) = open(keys, &request).await?;
            seal(keys, &plaintext, &request.context).await
        }
        "keys" => {
            let ring = keys.ring().await?;
            let versions = ring.versions().map(|(version, created)| json!({"version": version, "created": created}));
            Ok(json!({
                "latest": ring.latest,
                "min_decryption_version": ring.min_decryption_version,
                "versions": versions.collect::<Vec<_>>(),
            }))
        }
        _ => Ok(json!({"status": "ok", "key_version": keys.ring().await?.latest})),
    }
}

async fn seal<S: Store>(keys: &Keys<S>, plaintext: &[u8], context: &Context) -> Result<Value, Problem> {
    let ring = keys.ring().await?;
    let key = ring.latest().ok_or(envelope::Error::Encrypt)?;
    Ok(json!({"ciphertext": envelope::encrypt(&key, plaintext, context)?, "key_version": key.version}))
}

async fn open<S: Store>(keys: &Keys<S>, request: &Decrypt) -> Result<(Zeroizing<Vec<u8>>, u32), Problem> {
    check(&request.context)?;
    let version = envelope::key_version(&request.ciphertext)?;
    let ring = keys.ring_for(version).await?;
    // A version that is not there is refused in the same words as a key that does not fit.
    let key = ring.decrypting(version).ok_or(envelope::Error::Refused)?;
    Ok((envelope::decrypt(&key, &request.ciphertext, &request.context)?, version))
}

/// The message: exactly one of its two spellings.
fn plaintext(base64: Option<String>, text: Option<String>) -> Result<Zeroizing<Vec<u8>>, Problem> {
    match (base64, text) {
        (Some(base64), None) => STANDARD
            .decode(Zeroizing::new(base64).as_bytes())
            .map(Zeroizing::new)
            .map_err(|_| Problem::new(400, "bad-request", "`plaintext` is not base64")),
        (None, Some(text)) => Ok(Zeroizing::new(text.into_bytes())),
        _ => Err(Problem::new(400, "bad-request", "exactly one of `plaintext` (base64) and `text` is needed")),
    }
}

fn check(context: &Context) -> Result<(), Problem> {
    if context.len() > CONTEXT_LIMIT {
        return Err(Problem::new(400, "bad-request", format!("a context may have {CONTEXT_LIMIT} pairs")));
    }
    Ok(())
}

/// Reads a body. The error says where it is wrong, never what stands there: serde's own messages quote the input.
fn parse<'de, T: Deserialize<'de>>(body: &'de [u8]) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| {
        let detail =
            format!("the body is not what this route takes (line {}, column {})", error.line(), error.column());
        Problem::new(400, "bad-request", detail)
    })
}

fn log(line: &Value) {
    // Where the log cannot be written there is nowhere left to say so.
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyring::tests::Memory;

    async fn ask(keys: &Keys<Memory>, method: &str, path: &str, body: &str) -> (u64, Value) {
        let event = json!({"httpMethod": method, "path": path, "body": body, "headers": {}, "isBase64Encoded": false});
        let answer = handle(keys, event, "request-1").await;
        let body = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
        (answer["statusCode"].as_u64().unwrap(), body)
    }

    #[tokio::test]
    async fn what_is_encrypted_through_the_gateway_comes_back() {
        let keys = Keys::new(Memory::default());
        let (status, sealed) = ask(&keys, "POST", "/v1/encrypt", r#"{"text":"grüße","context":{"a":"b"}}"#).await;
        assert_eq!((status, &sealed["key_version"]), (200, &json!(1)));
        let request = json!({"ciphertext": sealed["ciphertext"], "context": {"a": "b"}}).to_string();
        let (status, opened) = ask(&keys, "POST", "/decrypt", &request).await;
        assert_eq!((status, &opened["text"], &opened["plaintext"]), (200, &json!("grüße"), &json!("Z3LDvMOfZQ==")));
        let (status, wrapped) = ask(&keys, "POST", "/v1/rewrap", &request).await;
        assert_eq!(status, 200);
        assert_ne!(wrapped["ciphertext"], sealed["ciphertext"]);
        let (_, versions) = ask(&keys, "GET", "/v1/keys", "").await;
        assert_eq!((&versions["latest"], versions["versions"].as_array().unwrap().len()), (&json!(1), 1));
        assert_eq!(ask(&keys, "GET", "/v1/health", "").await, (200, json!({"status": "ok", "key_version": 1})));
    }

    #[tokio::test]
    async fn what_is_invoked_directly_answers_with_the_body_alone() {
        let keys = Keys::new(Memory::default());
        let sealed = handle(&keys, json!({"operation": "encrypt", "plaintext": "AP8="}), "r").await;
        let opened = handle(&keys, json!({"operation": "decrypt", "ciphertext": sealed["ciphertext"]}), "r").await;
        assert_eq!(opened, json!({"plaintext": "AP8=", "text": null, "key_version": 1}));
        assert_eq!(handle(&keys, json!({}), "r").await["status"], 400);
        assert_eq!(handle(&keys, json!([1]), "r").await["status"], 400);
    }

    #[tokio::test]
    async fn each_mistake_has_its_problem_and_none_is_quoted() {
        let keys = Keys::new(Memory::default());
        let (_, sealed) = ask(&keys, "POST", "/encrypt", r#"{"text":"x"}"#).await;
        let sealed = sealed["ciphertext"].as_str().unwrap();
        let many: Context = (0..17).map(|number| (number.to_string(), String::new())).collect();
        let cases = [
            ("no such route", "GET", "/v1/secret", String::new(), 404, "no-such-route"),
            ("the wrong method", "GET", "/v1/encrypt", String::new(), 405, "method-not-allowed"),
            ("an empty body", "POST", "/v1/encrypt", String::new(), 400, "bad-request"),
            ("no JSON", "POST", "/v1/encrypt", "hunter2".to_owned(), 400, "bad-request"),
            ("an unknown field", "POST", "/v1/encrypt", r#"{"text":"a","hunter2":1}"#.to_owned(), 400, "bad-request"),
            ("a field twice", "POST", "/v1/encrypt", r#"{"text":"a","text":"b"}"#.to_owned(), 400, "bad-request"),
            (
                "both spellings",
                "POST",
                "/v1/encrypt",
                r#"{"text":"a","plaintext":"YQ=="}"#.to_owned(),
                400,
                "bad-request",
            ),
            ("no base64", "POST", "/v1/encrypt", r#"{"plaintext":"hunter2!"}"#.to_owned(), 400, "bad-request"),
            (
                "a context too long",
                "POST",
                "/v1/encrypt",
                json!({"text": "a", "context": many}).to_string(),
                400,
                "bad-request",
            ),
            (
                "a foreign text",
                "POST",
                "/v1/decrypt",
                r#"{"ciphertext":"vault:v1:hunter2"}"#.to_owned(),
                422,
                "not-a-ciphertext",
            ),
            (
                "another context",
                "POST",
                "/v1/decrypt",
                json!({"ciphertext": sealed, "context": {"a": "hunter2"}}).to_string(),
                422,
                "decryption-refused",
            ),
            (
                "another version",
                "POST",
                "/v1/decrypt",
                json!({"ciphertext": sealed.replace(":v1:1:", ":v1:2:")}).to_string(),
                422,
                "decryption-refused",
            ),
            ("too much", "POST", "/v1/encrypt", json!({"text": "x".repeat(BODY_LIMIT)}).to_string(), 413, "too-large"),
        ];
        for (name, method, path, body, status, kind) in cases {
            let (found, problem) = ask(&keys, method, path, &body).await;
            assert_eq!(
                (found, problem["type"].as_str()),
                (status, Some(format!("urn:plumb:problem:{kind}").as_str())),
                "{name}"
            );
            assert_eq!(problem["request_id"], "request-1", "{name}");
            assert!(!problem.to_string().contains("hunter2"), "{name}: {problem}");
        }
    }

    #[tokio::test]
    async fn without_a_keyring_the_answer_is_to_wait_and_does_not_say_why() {
        let keys = Keys::new(Memory { broken: true, ..Memory::default() });
        let (status, problem) = ask(&keys, "POST", "/v1/encrypt", r#"{"text":"x"}"#).await;
        assert_eq!((status, problem["type"].as_str()), (503, Some("urn:plumb:problem:keyring-unavailable")));
        assert!(!problem.to_string().contains("AccessDenied"), "{problem}");
    }

    #[tokio::test]
    async fn another_content_type_is_refused() {
        let keys = Keys::new(Memory::default());
        let event =
            json!({"httpMethod": "POST", "path": "/v1/encrypt", "body": "{}", "headers": {"Content-Type": "text/xml"}});
        assert_eq!(handle(&keys, event, "r").await["statusCode"], 415);
    }
}
