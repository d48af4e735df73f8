//! As much of AWS as the loop's function asks for: one item of DynamoDB with its conditions, topics that keep what is
//! published, and whatever answer a test gives to any other question. It can do what it is asked and lose the answer.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::http::{Request, Response, environment, serve};

#[derive(Default)]
struct State {
    item: Option<Value>,
    /// What a question has in it, and the answer to it; the last that fits.
    answers: Vec<(String, u16, String)>,
    asked: Vec<String>,
    published: Vec<(String, Value)>,
    loses_a_put: bool,
}

/// AWS on loopback.
pub struct Cloud {
    state: Arc<Mutex<State>>,
    address: std::net::SocketAddr,
}

impl Cloud {
    pub fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let own = Arc::clone(&state);
        Self { address: serve(move |request| answer(&mut own.lock().unwrap(), &request)), state }
    }

    /// What a function needs to find it.
    pub fn environment(&self) -> Vec<(String, String)> {
        environment(self.address, &[])
    }

    /// Answers every question with this in it so from now on. A question is an operation and the stack, the path, or the
    /// body.
    pub fn answers(&self, question: &str, status: u16, body: &impl ToString) {
        self.state.lock().unwrap().answers.push((question.to_owned(), status, body.to_string()));
    }

    /// Does the next conditional put, and hangs up instead of saying so.
    pub fn loses_a_put(&self) {
        self.state.lock().unwrap().loses_a_put = true;
    }

    /// How many questions had this in them.
    pub fn asked(&self, question: &str) -> usize {
        self.state.lock().unwrap().asked.iter().filter(|asked| asked.contains(question)).count()
    }

    /// What was published on a topic.
    pub fn published(&self, topic: &str) -> Vec<Value> {
        let state = self.state.lock().unwrap();
        state.published.iter().filter(|(to, _)| to == topic).map(|(_, message)| message.clone()).collect()
    }
}

/// An error of a service that answers in XML.
pub fn refusal(code: &str, message: &str) -> String {
    format!("<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>")
}

fn answer(state: &mut State, request: &Request) -> Option<Response> {
    let fields = fields(&request.body);
    let field = |name: &str| fields.iter().find(|(found, _)| found == name).map_or("", |(_, value)| value.as_str());
    let operation = request.header("x-amz-target").and_then(|target| target.rsplit('.').next());
    let question = match operation {
        Some(operation) => format!("{operation} {}", request.body),
        None if request.method == "GET" => request.path.clone(),
        None => format!("{} {}", field("Action"), field("StackName")),
    };
    state.asked.push(question.clone());
    if let Some((_, status, body)) = state.answers.iter().rev().find(|(part, ..)| question.contains(part)) {
        return Some(Response { status: *status, headers: Vec::new(), body: body.clone() });
    }
    let xml = |status: u16, body: String| Some(Response { status, headers: Vec::new(), body });
    let asked: Value = serde_json::from_str(&request.body).unwrap_or_default();
    match operation {
        Some("GetItem") => {
            Some(Response::json(200, state.item.as_ref().map_or_else(|| json!({}), |item| json!({"Item": item}))))
        }
        Some("PutItem") => put(state, &asked),
        Some("GetParameter") => Some(Response::json(400, json!({"__type": "ParameterNotFound"}))),
        Some(other) => Some(Response::json(400, json!({"__type": "Unasked", "Message": other}))),
        None if request.method == "GET" => xml(404, refusal("NoSuchKey", "no such key")),
        None if field("Action") == "Publish" => {
            let message = field("Message");
            let message = serde_json::from_str(message).unwrap_or_else(|_| json!(message));
            state.published.push((field("TopicArn").to_owned(), message));
            xml(200, "<PublishResponse/>".to_owned())
        }
        None => xml(400, refusal("ValidationError", &format!("Stack with id {} does not exist", field("StackName")))),
    }
}

fn put(state: &mut State, asked: &Value) -> Option<Response> {
    let there = state.item.as_ref().map(|item| &item["revision"]);
    let met = match asked["ConditionExpression"].as_str() {
        Some("attribute_not_exists(id)") => there.is_none(),
        Some("revision = :read") => there == Some(&asked["ExpressionAttributeValues"][":read"]),
        other => panic!("{other:?}"),
    };
    if !met {
        return Some(Response::json(400, json!({"__type": "ConditionalCheckFailedException"})));
    }
    state.item = Some(asked["Item"].clone());
    (!std::mem::take(&mut state.loses_a_put)).then(|| Response::json(200, json!({})))
}

/// The fields of a form.
fn fields(body: &str) -> Vec<(String, String)> {
    let plain = |text: &str| {
        let mut parts = text.split('%');
        let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
        for part in parts {
            bytes.push(u8::from_str_radix(&part[..2], 16).expect("two digits"));
            bytes.extend(part[2..].bytes());
        }
        String::from_utf8(bytes).expect("UTF-8")
    };
    let pair = |pair: &str| pair.split_once('=').map(|(name, value)| (name.to_owned(), plain(value)));
    // What is no form has a percent sign anywhere.
    if body.starts_with("Action=") { body.split('&').filter_map(pair).collect() } else { Vec::new() }
}
