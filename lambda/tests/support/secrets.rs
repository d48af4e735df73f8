//! As much of Secrets Manager as the functions use, with AWS's own rules where the emulator has others: a token is good for
//! one content, a label is on one version. It can be made to fail, or to be slow.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use super::http::{Request, Response, environment, serve};

#[derive(Default)]
struct State {
    versions: BTreeMap<String, String>,
    labels: BTreeMap<String, String>,
    calls: Vec<String>,
    failing: Option<&'static str>,
    slow: Option<Duration>,
}

/// A secret on loopback.
pub struct Secrets {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Secrets {
    pub fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let own = Arc::clone(&state);
        Self { address: serve(move |request| Some(answer(&own, &request))), state }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What a function needs to find it.
    pub fn environment(&self) -> Vec<(String, String)> {
        environment(self.address, &[("KEYRING_SECRET", "keyring")])
    }

    /// Fails with this error from now on, or no longer.
    pub fn fail(&self, code: Option<&'static str>) {
        self.state.lock().unwrap().failing = code;
    }

    /// Answers after this time from now on.
    pub fn slow(&self, time: Duration) {
        self.state.lock().unwrap().slow = Some(time);
    }

    /// The operations that were asked for, in order.
    pub fn calls(&self) -> Vec<String> {
        self.state.lock().unwrap().calls.clone()
    }

    /// Every text that was ever a version.
    pub fn texts(&self) -> Vec<String> {
        self.state.lock().unwrap().versions.values().cloned().collect()
    }
}

fn refused(code: &str) -> Response {
    Response::json(400, json!({"__type": code, "Message": "refused by the test"}))
}

fn answer(state: &Mutex<State>, request: &Request) -> Response {
    let target = request.header("x-amz-target").unwrap_or_default();
    let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
    let body: Value = serde_json::from_str(&request.body).unwrap_or_default();
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let slow = {
        let mut state = state.lock().unwrap();
        state.calls.push(operation.clone());
        if let Some(code) = state.failing {
            return refused(code);
        }
        state.slow
    };
    if let Some(time) = slow {
        std::thread::sleep(time);
    }
    let mut state = state.lock().unwrap();
    match operation.as_str() {
        "GetSecretValue" => {
            let current = state.labels.get("AWSCURRENT").cloned().unwrap_or_default();
            let id = body["VersionId"].as_str().map_or(current, str::to_owned);
            match state.versions.get(&id) {
                Some(value) => Response::json(200, json!({"VersionId": id, "SecretString": value})),
                None => refused("ResourceNotFoundException"),
            }
        }
        "PutSecretValue" => {
            let (id, value) = (text("ClientRequestToken"), text("SecretString"));
            if state.versions.get(&id).is_some_and(|there| *there != value) {
                return refused("ResourceExistsException");
            }
            state.versions.insert(id.clone(), value);
            let label = body["VersionStages"][0].as_str().unwrap_or("AWSCURRENT").to_owned();
            state.labels.insert(label, id.clone());
            Response::json(200, json!({"VersionId": id}))
        }
        "UpdateSecretVersionStage" => {
            let (label, from) = (text("VersionStage"), text("RemoveFromVersionId"));
            if state.labels.get(&label) != Some(&from) {
                return refused("InvalidParameterException");
            }
            match body["MoveToVersionId"].as_str() {
                Some(id) => state.labels.insert(label, id.to_owned()),
                None => state.labels.remove(&label),
            };
            Response::json(200, json!({}))
        }
        _ => refused("UnknownOperationException"),
    }
}
