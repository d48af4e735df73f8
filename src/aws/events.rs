//! EventBridge: rules and where they lead, and events of our own, by signed requests: a few calls are not worth an SDK crate.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::limit::Service;
use super::raw::Json;
use super::{Clients, Error, ErrorKind};

/// A rule of the default bus.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// `ENABLED`, `DISABLED`, `ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS`.
    pub state: String,
}

impl Rule {
    /// Whether events are let through.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.state.starts_with("ENABLED")
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Targets {
    targets: Vec<Target>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Target {
    arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Put {
    entries: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Entry {
    event_id: Option<String>,
    error_code: Option<String>,
    error_message: Option<String>,
}

/// A rule by its name; `None`: there is none.
pub async fn rule(clients: &Clients, name: &str) -> Result<Option<Rule>, Error> {
    match ask(clients, "events:DescribeRule", "AWSEvents.DescribeRule", name, &json!({ "Name": name })).await {
        Ok(rule) => Ok(Some(rule)),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The ARNs that a rule sends to, all of them.
pub async fn targets(clients: &Clients, rule: &str) -> Result<Vec<String>, Error> {
    const OPERATION: &str = "events:ListTargetsByRule";
    let mut found = Vec::new();
    let mut token: Option<String> = None;
    loop {
        let mut body = json!({ "Rule": rule });
        if let Some(token) = &token {
            body["NextToken"] = token.as_str().into();
        }
        let page: Targets = ask(clients, OPERATION, "AWSEvents.ListTargetsByRule", rule, &body).await?;
        found.extend(page.targets.into_iter().map(|target| target.arn));
        let next = page.next_token.filter(|next| !next.is_empty());
        if next.is_none() {
            return Ok(found);
        }
        if next == token {
            return Err(Error::unreadable(OPERATION, rule, "end: it repeats a page"));
        }
        token = next;
    }
}

/// Puts one event on the default bus and answers its id. What EventBridge did not take is an error.
pub async fn put(clients: &Clients, source: &str, kind: &str, detail: &Value) -> Result<String, Error> {
    const OPERATION: &str = "events:PutEvents";
    let entry = json!({ "Source": source, "DetailType": kind, "Detail": detail.to_string() });
    let put: Put = ask(clients, OPERATION, "AWSEvents.PutEvents", source, &json!({ "Entries": [entry] })).await?;
    let Some(entry) = put.entries.into_iter().next() else {
        return Err(Error::unreadable(OPERATION, source, "Entries"));
    };
    if let Some(code) = entry.error_code {
        let why = format!("{code}: {}", entry.error_message.unwrap_or_default());
        return Err(Error::plain(OPERATION, source, ErrorKind::Other, why));
    }
    entry.event_id.ok_or_else(|| Error::unreadable(OPERATION, source, "EventId"))
}

async fn ask<T: DeserializeOwned>(
    clients: &Clients,
    operation: &'static str,
    target: &'static str,
    subject: &str,
    body: &Value,
) -> Result<T, Error> {
    EVENTS.ask(clients, (operation, target), subject, body).await
}

const EVENTS: Json = Json {
    service: Service::Events,
    content_type: "application/x-amz-json-1.1",
    variable: "EVENTBRIDGE",
    host: "events",
};
