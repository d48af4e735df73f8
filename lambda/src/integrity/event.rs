//! What EventBridge delivers: API calls that CloudTrail saw, drift that CloudFormation found, the schedule, a canary. And
//! what an operator may ask for by invoking the function.
//!
//! Pure. Of a call only names are taken; a value that AWS left in a request never leaves the event.

use jiff::Timestamp;
use serde_json::Value;

use super::watched::{Service, unversioned};

/// The canary's source. It is one that anybody may use, which no source of AWS's own is; so it can do nothing but be seen
/// to arrive.
pub const CANARY: &str = "plumb.canary";

/// An event, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// EventBridge's id: the same for each delivery of one event.
    pub id: String,
    /// When it happened, in milliseconds.
    pub at: i64,
    /// What.
    pub what: What,
}

/// What an event is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// An API call.
    Call(Call),
    /// A drift detection has ended.
    Drift {
        /// The stack's name.
        stack: String,
        /// Whether it found any.
        drifted: bool,
    },
    /// A canary, by its id.
    Canary(String),
    /// The schedule.
    Tick,
    /// An operator closes the breaker.
    Reset,
    /// Anything else, and why.
    Foreign(&'static str),
}

/// One API call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The service.
    pub service: &'static Service,
    /// The operation, without a version.
    pub operation: String,
    /// What it names, in the service's one form.
    pub resources: Vec<String>,
    /// It gives a secret another value, and changes nothing else of it.
    pub only_value: bool,
    /// Who.
    pub who: Who,
    /// AWS's error code of a call that failed, and so changed nothing.
    pub failed: Option<String>,
}

/// Whose call it was. All of it is CloudTrail's word; what a caller can choose (a user agent) is not looked at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Who {
    /// `AssumedRole`, `IAMUser`, `Root`, `AWSService`, …
    pub kind: String,
    /// The caller's ARN; of a service of AWS its name.
    pub arn: String,
    /// The role behind a session.
    pub issuer: Option<String>,
    /// The service of AWS that called in the caller's name.
    pub invoked_by: Option<String>,
}

/// Reads an event's text. One that is none of the known ones is [`What::Foreign`].
#[must_use]
pub fn read(text: &str) -> Event {
    let event: Value = serde_json::from_str(text).unwrap_or_default();
    let id = string(&event, "/id");
    let at = string(&event, "/time").parse::<Timestamp>().map_or(0, Timestamp::as_millisecond);
    let what = match (string(&event, "/source").as_str(), string(&event, "/detail-type").as_str()) {
        (CANARY, _) => What::Canary(id.clone()),
        ("aws.cloudformation", "CloudFormation Drift Detection Status Change") => drift(&event),
        ("aws.events" | "aws.scheduler", "Scheduled Event") => What::Tick,
        (source, "AWS API Call via CloudTrail") => call(source, &event),
        (_, "") if event.get("operation").and_then(Value::as_str) == Some("reset") => What::Reset,
        _ => What::Foreign("the event is none of those that the rules ask for"),
    };
    // EventBridge's time of a call is when it was delivered.
    let happened = event.pointer("/detail/eventTime").and_then(Value::as_str).and_then(|time| time.parse().ok());
    Event { id, at: happened.map_or(at, Timestamp::as_millisecond), what }
}

fn string(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn drift(event: &Value) -> What {
    if string(event, "/detail/status-details/detection-status") != "DETECTION_COMPLETE" {
        return What::Foreign("the drift detection is not complete");
    }
    let stack = string(event, "/detail/stack-id");
    let stack = Service::of("cloudformation.amazonaws.com").map_or(stack.as_str(), |service| service.canonical(&stack));
    What::Drift {
        stack: stack.to_owned(),
        drifted: string(event, "/detail/status-details/stack-drift-status") == "DRIFTED",
    }
}

fn call(source: &str, event: &Value) -> What {
    let detail = event.get("detail").unwrap_or(&Value::Null);
    // The envelope's source and CloudTrail's own must name one service.
    let service = Service::of(&string(detail, "/eventSource")).filter(|service| service.source == source);
    let Some(service) = service else { return What::Foreign("the service is not watched") };
    if detail.get("readOnly").and_then(Value::as_bool) == Some(true) {
        return What::Foreign("the call only reads");
    }
    let parameters = detail.get("requestParameters").unwrap_or(&Value::Null);
    let resources = service.resources(parameters);
    let operation = string(detail, "/eventName");
    let operation = unversioned(&operation);
    let some = |pointer: &str| Some(string(detail, pointer)).filter(|text| !text.is_empty());
    What::Call(Call {
        service,
        operation: operation.to_owned(),
        resources: resources.iter().map(|name| service.canonical(name).to_owned()).collect(),
        only_value: service.source == "aws.secretsmanager" && only_value(operation, parameters),
        who: Who {
            kind: string(detail, "/userIdentity/type"),
            arn: some("/userIdentity/arn").or_else(|| some("/userIdentity/invokedBy")).unwrap_or_default(),
            issuer: some("/userIdentity/sessionContext/sessionIssuer/arn"),
            invoked_by: some("/userIdentity/invokedBy"),
        },
        failed: some("/errorCode"),
    })
}

/// What a call of Secrets Manager's changes: `UpdateSecret` is the one that may write a value, or its key, or both.
fn only_value(operation: &str, parameters: &Value) -> bool {
    const OF_A_VALUE: [&str; 4] = ["secretId", "clientRequestToken", "secretString", "secretBinary"];
    match operation {
        "PutSecretValue" | "UpdateSecretVersionStage" => true,
        "UpdateSecret" => {
            parameters.as_object().is_some_and(|all| all.keys().all(|name| OF_A_VALUE.contains(&name.as_str())))
        }
        _ => false,
    }
}
