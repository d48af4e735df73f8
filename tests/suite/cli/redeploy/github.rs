//! GitHub on loopback: holds each request to GitHub's own OpenAPI description, and answers in its shapes.
//!
//! `tests/fixtures/github/contract.json` is cut out of `@octokit/openapi` (MIT) by `tests/peers/github.py`. Answers are made
//! from the description itself, with what a test cares about put in, and are held to it again before they are sent.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::{Map, Value, json};

use crate::crypto::http::{Request, Response, serve};

const CONTRACT: &str = include_str!("../../../fixtures/github/contract.json");

/// What stands for the repository.
pub const REPOSITORY: &str = "shop/petshop";
pub const RUN: u64 = 30_433_642;

/// An answer that is given before any other, by method and the path's end: status, headers, body. `0` closes the connection
/// after the request was taken.
pub type Planned = (&'static str, &'static str, u16, Vec<(&'static str, String)>, Value);

/// What a test decides about it.
#[derive(Default)]
#[allow(clippy::struct_excessive_bools, reason = "they are what servers differ in")]
pub struct State {
    /// Whether a dispatch's answer names the run; an older GitHub refuses to be asked.
    pub names_runs: bool,
    pub refuses_details: bool,
    /// Whether runs have the nonce in their title.
    pub titles: bool,
    /// Whether the commit was never pushed.
    pub lacks_commit: bool,
    /// What the run is at, look by look; the last one stays.
    pub looks: Vec<(&'static str, Option<&'static str>)>,
    /// What is answered first, each once.
    pub first: Vec<Planned>,
    /// Method and path of each request, and its body.
    pub asked: Vec<(String, Value)>,
    /// How many were answered by "not modified".
    pub unchanged: usize,
    pub cancelled: bool,
    /// What GitHub's own description does not take.
    pub wrong: Vec<String>,
    /// How often jobs were looked at.
    pub looked: usize,
    /// What the last dispatch said.
    pub inputs: Value,
}

pub struct GitHub {
    pub address: SocketAddr,
    pub state: Arc<Mutex<State>>,
    pub token: String,
}

impl GitHub {
    pub fn start(state: State) -> Self {
        let contract: Value = serde_json::from_str(CONTRACT).unwrap();
        let state = Arc::new(Mutex::new(state));
        // Made up when the tests run, so that no secret is committed.
        let token = format!("ghp_{:x}{:p}", std::process::id(), Arc::as_ptr(&state));
        let (own, bearer) = (Arc::clone(&state), format!("Bearer {token}"));
        let address = serve(move |request| answer(&contract, &own, &bearer, &request));
        Self { address, state, token }
    }

    pub fn api(&self) -> String {
        format!("http://{}/api/v3", self.address)
    }

    /// The bodies of what was sent to a path that ends so.
    pub fn sent(&self, end: &str) -> Vec<Value> {
        let state = self.state.lock().unwrap();
        assert_eq!(state.wrong, Vec::<String>::new(), "what GitHub's own description does not take");
        state
            .asked
            .iter()
            .filter(|(asked, _)| asked.starts_with("POST") && asked.ends_with(end))
            .map(|(_, body)| body.clone())
            .collect()
    }
}

fn answer(contract: &Value, state: &Mutex<State>, bearer: &str, request: &Request) -> Option<Response> {
    let mut state = state.lock().unwrap();
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    let body: Value = serde_json::from_str(&request.body).unwrap_or_default();
    state.asked.push((format!("{} {path}", request.method), body.clone()));
    let Some((name, operation)) = operation(contract, &request.method, path) else {
        state.wrong.push(format!("there is no {} {path}", request.method));
        return Some(Response::json(404, json!({"message": "Not Found"})));
    };
    let mut wrong = mistakes(operation, query, &body);
    for (header, wanted) in
        [("authorization", bearer), ("accept", "application/vnd.github+json"), ("x-github-api-version", "2022-11-28")]
    {
        if request.header(header) != Some(wanted) {
            wrong.push(format!("{name}: {header}"));
        }
    }
    if request.header("user-agent").is_none_or(str::is_empty) {
        wrong.push(format!("{name}: no user-agent"));
    }
    state.wrong.extend(wrong);
    let end = |end: &str| path.ends_with(end);
    let planned = state.first.iter().position(|(method, tail, ..)| *method == request.method && end(tail));
    if let Some(planned) = planned {
        let (_, _, status, headers, body) = state.first.remove(planned);
        if status == 0 {
            state.inputs = inputs(&body_of(&state));
            return None;
        }
        return Some(Response { status, headers, body: body.to_string() });
    }
    let (status, mine) = respond(&mut state, &request.method, path, &body);
    let schema = &operation["responses"][status.to_string()];
    let answer = if schema.is_null() { mine.clone() } else { filled(schema, &mine) };
    if !schema.is_null() {
        let validator = jsonschema::validator_for(schema).unwrap();
        let errors: Vec<String> = validator.iter_errors(&answer).map(|error| format!("{name}: {error}")).collect();
        state.wrong.extend(errors);
    }
    let text = if answer.is_null() { String::new() } else { answer.to_string() };
    let tag =
        format!("\"{:x}\"", text.bytes().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte))));
    if request.method == "GET" && request.header("if-none-match") == Some(&tag) {
        state.unchanged += 1;
        return Some(Response { status: 304, headers: vec![("etag", tag)], body: String::new() });
    }
    Some(Response { status, headers: vec![("etag", tag)], body: text })
}

/// For another stand-in: what GitHub's description makes of an answer with these values in it. Fails where it does not
/// take the request, or the answer.
pub fn described(request: &Request, mine: &Value) -> Value {
    held(request);
    let contract: Value = serde_json::from_str(CONTRACT).unwrap();
    let path = request.path.split('?').next().unwrap_or_default();
    let (_, operation) = operation(&contract, &request.method, path).expect("an operation of GitHub's");
    let schema = &operation["responses"]["200"];
    let answer = filled(schema, mine);
    let validator = jsonschema::validator_for(schema).unwrap();
    assert_eq!(validator.iter_errors(&answer).map(|error| error.to_string()).collect::<Vec<_>>(), Vec::<String>::new());
    answer
}

/// The body of a request of another stand-in's. Fails where GitHub's description does not take it.
pub fn held(request: &Request) -> Value {
    let contract: Value = serde_json::from_str(CONTRACT).unwrap();
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    let (name, operation) = operation(&contract, &request.method, path).expect("an operation of GitHub's");
    let body = serde_json::from_str(&request.body).unwrap_or_default();
    assert_eq!(mistakes(operation, query, &body), Vec::<String>::new(), "{name}");
    body
}

fn body_of(state: &State) -> Value {
    state.asked.last().map(|(_, body)| body.clone()).unwrap_or_default()
}

fn inputs(body: &Value) -> Value {
    body.get("inputs").or_else(|| body.get("client_payload")).cloned().unwrap_or_default()
}

/// Status, and what of the answer is not for the description to make up.
fn respond(state: &mut State, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let url = format!("https://github.example/{REPOSITORY}/actions/runs/{RUN}");
    if method == "POST" && path.ends_with("/dispatches") {
        if state.refuses_details && body.get("return_run_details").is_some() {
            return (422, json!({"message": "Invalid request. \"return_run_details\" is not a permitted key."}));
        }
        state.inputs = inputs(body);
        let named = json!({"workflow_run_id": RUN, "run_url": url, "html_url": url});
        return if state.names_runs && body["return_run_details"] == true { (200, named) } else { (204, Value::Null) };
    }
    if path.ends_with("/cancel") {
        state.cancelled = true;
        return (202, json!({}));
    }
    let nonce = state.inputs["nonce"].as_str().unwrap_or_default().to_owned();
    let title = if state.titles { format!("Deploy {nonce}") } else { "Deploy".to_owned() };
    let look = if path.ends_with("/runs") { 0 } else { state.looked };
    let (status, conclusion) = state.looks.get(look).or(state.looks.last()).copied().unwrap_or(("queued", None));
    let run = json!({"id": RUN, "display_title": title, "html_url": url, "status": status, "conclusion": conclusion, "event": "workflow_dispatch", "created_at": "2026-11-22T02:30:00Z", "updated_at": "2026-11-22T02:31:00Z"});
    if path.ends_with("/runs") {
        let runs = if nonce.is_empty() { json!([]) } else { json!([run]) };
        return (200, json!({"total_count": runs.as_array().unwrap().len(), "workflow_runs": runs}));
    }
    if path.ends_with("/jobs") {
        state.looked += 1;
        let step_status = if status == "completed" { "completed" } else { "in_progress" };
        let step = json!({"number": 1, "name": "plumb deploy", "status": step_status, "conclusion": conclusion});
        let job = json!({"id": 7, "name": "deploy", "status": status, "conclusion": conclusion, "html_url": format!("{url}/job/7"), "steps": [step]});
        return (200, json!({"total_count": 1, "jobs": [job]}));
    }
    if path.contains("/actions/runs/") {
        return (200, run);
    }
    if path.contains("/commits/") && state.lacks_commit {
        return (422, json!({"message": "No commit found for SHA"}));
    }
    if path.contains("/actions/workflows/") {
        return (
            200,
            json!({"name": "Deploy", "state": "active", "html_url": format!("https://github.example/{REPOSITORY}/deploy.yml")}),
        );
    }
    (200, json!({}))
}

/// The operation of a path, by its template.
fn operation<'a>(contract: &'a Value, method: &str, path: &str) -> Option<(&'a str, &'a Value)> {
    let path = path.strip_prefix("/api/v3")?;
    let parts: Vec<&str> = path.split('/').collect();
    let fits = |template: &str| {
        let template: Vec<&str> = template.split('/').collect();
        let same = |(wanted, part): (&&str, &&str)| wanted == part || (wanted.starts_with('{') && !part.is_empty());
        template.len() == parts.len() && template.iter().zip(&parts).all(same)
    };
    let operations = contract["operations"].as_object()?;
    let named = |name: &&String| name.split_once(' ').is_some_and(|(verb, template)| verb == method && fits(template));
    operations.keys().find(named).map(|name| (name.as_str(), &operations[name]))
}

/// What of a request the description does not take: bodies, and names and values of the query.
fn mistakes(operation: &Value, query: &str, body: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    if let Some(schema) = operation.get("body").filter(|schema| !schema.is_null()) {
        let validator = jsonschema::validator_for(schema).unwrap();
        wrong.extend(validator.iter_errors(body).map(|error| error.to_string()));
        let unknown = body
            .as_object()
            .into_iter()
            .flat_map(Map::keys)
            .filter(|name| schema["properties"].get(name.as_str()).is_none());
        wrong.extend(unknown.map(|name| format!("a field {name}")));
    }
    let fields: BTreeMap<&str, &str> = query.split('&').filter_map(|field| field.split_once('=')).collect();
    for (name, value) in fields {
        let schema = &operation["query"][name];
        let typed = value
            .parse::<u64>()
            .map_or_else(|_| json!(value.replace("%3A", ":").replace("%3E%3D", ">=")), |number| json!(number));
        if schema.is_null() || !jsonschema::validator_for(schema).unwrap().is_valid(&typed) {
            wrong.push(format!("the query's {name}={value}"));
        }
    }
    wrong
}

/// The least that a schema describes, with these values in it.
fn filled(schema: &Value, mine: &Value) -> Value {
    if mine.is_null() {
        return least(schema);
    }
    let schema = form(schema);
    match mine {
        Value::Object(fields) => {
            let mut whole = least(schema);
            for (name, value) in fields {
                let nullable = value.is_null();
                whole[name] = if nullable { Value::Null } else { filled(&schema["properties"][name], value) };
            }
            whole
        }
        Value::Array(items) => items.iter().map(|item| filled(&schema["items"], item)).collect(),
        other => other.clone(),
    }
}

/// Of several forms the first that is not null.
fn form(schema: &Value) -> &Value {
    ["anyOf", "oneOf", "allOf"].iter().find_map(|word| schema.get(*word)?.get(0)).map_or(schema, form)
}

fn least(schema: &Value) -> Value {
    if schema.get("anyOf").is_some_and(|forms| forms.as_array().unwrap().iter().any(|form| form["type"] == "null")) {
        return Value::Null;
    }
    let schema = form(schema);
    if let Some(word) = schema.get("enum").and_then(|words| words.get(0)) {
        return word.clone();
    }
    match schema["type"].as_str() {
        Some("object") | None => {
            let required =
                schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
            required.map(|name| (name.to_owned(), least(&schema["properties"][name]))).collect::<Map<_, _>>().into()
        }
        Some("array") => json!([]),
        Some("integer" | "number") => json!(1),
        Some("boolean") => json!(false),
        _ => json!("x"),
    }
}
