//! As much of DynamoDB and S3 as `summary` uses, on loopback: a table whose one day has as many records as are asked for,
//! made up page by page, and a bucket that keeps what is small and counts what is not.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::http::{Request, Response, environment, serve};

/// The day that has the records, and its first moment in milliseconds.
const DAY: &str = "2026-11-18";
const START: u64 = 1_794_960_000_000;
const SHARDS: u64 = 8;
/// A page ends here, as DynamoDB's do.
const PAGE: usize = 1_048_576;
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

#[derive(Default)]
struct State {
    /// Each with how often it was written: its version.
    objects: BTreeMap<String, (usize, String)>,
    calls: BTreeMap<&'static str, usize>,
    throttled: usize,
    parts: usize,
}

impl State {
    fn note(&mut self, name: &'static str) {
        *self.calls.entry(name).or_default() += 1;
    }

    /// Keeps an object, and gives its version.
    fn keep(&mut self, path: &str, text: String) -> usize {
        let version = self.objects.get(path).map_or(1, |(version, _)| version + 1);
        self.objects.insert(path.to_owned(), (version, text));
        version
    }
}

/// The table and the bucket.
pub struct Week {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
}

impl Week {
    /// With so many records in all.
    pub fn start(records: u64) -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let own = Arc::clone(&state);
        Self { address: serve(move |request| Some(answer(&own, records, &request))), state }
    }

    /// What the function needs to find them.
    pub fn environment(&self) -> Vec<(String, String)> {
        environment(self.address, &[("TABLE", "records"), ("BUCKET", "summaries")])
    }

    /// An object of this week.
    pub fn object(&self, name: &str) -> Option<Value> {
        let state = self.state.lock().unwrap();
        serde_json::from_str(&state.objects.get(&format!("/summaries/summaries/2026-W47/{name}"))?.1).ok()
    }

    /// How often something was asked for.
    pub fn calls(&self, name: &str) -> usize {
        self.state.lock().unwrap().calls.get(name).copied().unwrap_or_default()
    }

    /// Refuses so many queries from now on, as a table does that is asked for too much.
    pub fn throttle(&self, queries: usize) {
        self.state.lock().unwrap().throttled = queries;
    }

    /// Bytes of parts that came.
    pub fn parts(&self) -> usize {
        self.state.lock().unwrap().parts
    }
}

fn answer(state: &Mutex<State>, records: u64, request: &Request) -> Response {
    let mut state = state.lock().unwrap();
    if request.header("x-amz-target").is_some() {
        state.note("Query");
        if state.throttled > 0 {
            state.throttled -= 1;
            let code = ["ThrottlingException", "ProvisionedThroughputExceededException"][state.throttled % 2];
            let refused =
                json!({"__type": format!("com.amazonaws.dynamodb.v20120810#{code}"), "message": "Rate exceeded"});
            return Response::json(400, refused);
        }
        drop(state);
        return Response::json(200, page(records, &serde_json::from_str(&request.body).unwrap()));
    }
    let xml = |status, body: &str| Response { status, headers: Vec::new(), body: body.to_owned() };
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    let versioned = |version: usize, body: String| {
        let headers = vec![("x-amz-version-id", format!("v{version}")), ("etag", format!("\"{version}\""))];
        Response { status: 200, headers, body }
    };
    match (request.method.as_str(), query) {
        ("GET", _) => match state.objects.get(path) {
            Some((version, text)) => versioned(*version, text.clone()),
            None => xml(404, "<Error><Code>NoSuchKey</Code></Error>"),
        },
        ("HEAD", _) => state.objects.get(path).map_or_else(|| xml(404, ""), |it| versioned(it.0, String::new())),
        ("PUT", "") => {
            let version = state.keep(path, request.body.clone());
            state.note("PutObject");
            versioned(version, String::new())
        }
        ("PUT", _) => {
            state.note("UploadPart");
            state.parts += request.length;
            let headers = vec![("etag", "\"part\"".to_owned())];
            Response { status: 200, headers, body: String::new() }
        }
        ("POST", "uploads=") => xml(200, "<R><UploadId>upload</UploadId></R>"),
        ("POST", _) => {
            let version = state.keep(path, String::new());
            state.note("CompleteMultipartUpload");
            versioned(version, "<R><ETag>whole</ETag></R>".to_owned())
        }
        ("DELETE", _) => xml(204, ""),
        _ => xml(501, "<Error><Code>NotImplemented</Code></Error>"),
    }
}

/// Record `number` of a shard is record `number * 8 + shard` of the day.
fn page(records: u64, asked: &Value) -> Value {
    let slot = asked["ExpressionAttributeValues"][":slot"]["S"].as_str().unwrap();
    let (day, shard) = slot.split_once('#').unwrap();
    let shard: u64 = shard.parse().unwrap();
    let here = if day == DAY { (records + SHARDS - 1 - shard) / SHARDS } else { 0 };
    let count = asked["Select"] == "COUNT";
    let after = asked["ExclusiveStartKey"]["number"]["N"].as_str().map_or(0, |number| number.parse().unwrap());
    let (mut items, mut bytes, mut number) = (Vec::new(), 0, after);
    while number < here && bytes < PAGE {
        let whole = number * SHARDS + shard;
        let country = ["DE", "FR", "PL"][usize::try_from(whole % 3).unwrap()];
        let body = json!({
            "order": whole, "amount": f64::from(u32::try_from(whole * 7919 % 100_003).unwrap()) / 100.0, "paid": whole.is_multiple_of(3),
            "customer": {"country": country, "age": 18 + whole % 70},
            "note": noise(whole),
        })
        .to_string();
        bytes += body.len() + 200;
        if !count {
            let received = format!("{DAY}T{:02}:00:00.000Z", whole * 24 / records.max(1));
            items.push(json!({"id": {"S": id(whole)}, "received": {"S": received}, "source": {"S": "web"}, "body": {"S": body}}));
        }
        number += 1;
    }
    let mut page = json!({"Items": items, "Count": number - after});
    if number < here {
        page["LastEvaluatedKey"] = json!({"number": {"N": number.to_string()}});
    }
    page
}

/// Up to 400 characters that do not pack well, so that many records are several parts.
fn noise(whole: u64) -> String {
    let mut state = whole;
    let words = (0..whole % 25).map(|_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        format!("{state:016x}")
    });
    words.collect()
}

/// A ULID of the day: the record's number is its time and its chance.
fn id(whole: u64) -> String {
    let mut number = u128::from(START) << 80 | u128::from(whole);
    let mut text = [b'0'; 26];
    for place in text.iter_mut().rev() {
        *place = ALPHABET[usize::try_from(number % 32).unwrap()];
        number /= 32;
    }
    String::from_utf8(text.to_vec()).unwrap()
}
