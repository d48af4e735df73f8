//! Lines of CloudWatch Logs, by signed requests of our own: one operation is not worth an SDK crate.

use serde::Deserialize;
use serde_json::json;
use zeroize::Zeroizing;

use super::limit::Service;
use super::raw::{Body, Call, endpoint};
use super::{Clients, Error};
use crate::secret::Secret;

const OPERATION: &str = "logs:FilterLogEvents";

/// The most that one answer may have.
const PAGE: usize = 10_000;

/// Which lines are wanted.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    /// The log group's name.
    pub group: &'a str,
    /// The earliest time, milliseconds since the Unix epoch.
    pub from: i64,
    /// The latest time; `None`: now.
    pub until: Option<i64>,
    /// What a line has to match, in the syntax of filter patterns; `None`: every line.
    pub filter: Option<&'a str>,
    /// The most lines that are read.
    pub limit: usize,
}

/// Lines, the earliest first.
#[derive(Debug, Default)]
pub struct Lines {
    /// The lines.
    pub lines: Vec<Line>,
    /// Whether there may be more of them, beyond the limit.
    pub is_cut: bool,
}

/// A line of a log. It may hold what it should not, and so its text is treated as a secret.
#[derive(Debug)]
pub struct Line {
    /// When, milliseconds since the Unix epoch.
    pub at: i64,
    /// The log stream that has it.
    pub stream: String,
    /// What it says.
    pub message: Secret,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    events: Vec<Event>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    timestamp: i64,
    #[serde(default)]
    log_stream_name: String,
    message: String,
}

/// Reads the lines that are wanted, page by page: a page may be empty and not the last. Fails as a whole, never with some
/// of them. AWS's documentation: FilterLogEvents.
pub async fn filter(clients: &Clients, query: Query<'_>) -> Result<Lines, Error> {
    let mut found = Lines::default();
    let mut token: Option<String> = None;
    while found.lines.len() < query.limit {
        let page = page(clients, query, query.limit - found.lines.len(), token.as_deref()).await?;
        let line = |event: Event| Line {
            at: event.timestamp,
            stream: event.log_stream_name,
            message: Secret::new(event.message),
        };
        found.lines.extend(page.events.into_iter().map(line));
        let next = page.next_token.filter(|next| !next.is_empty());
        if next.is_none() {
            // Where paging is not known, a full page is the only sign that there is more.
            found.is_cut = found.lines.len() >= query.limit;
            return Ok(found);
        }
        if next == token {
            return Err(Error::unreadable(OPERATION, query.group, "end: it repeats a page"));
        }
        token = next;
    }
    found.is_cut = true;
    Ok(found)
}

async fn page(clients: &Clients, query: Query<'_>, left: usize, token: Option<&str>) -> Result<Page, Error> {
    let mut body = json!({ "logGroupName": query.group, "startTime": query.from, "limit": left.min(PAGE) });
    if let Some(until) = query.until {
        body["endTime"] = until.into();
    }
    for (name, value) in [("filterPattern", query.filter), ("nextToken", token)] {
        if let Some(value) = value {
            body[name] = value.into();
        }
    }
    let call = Call {
        service: Service::Logs,
        operation: OPERATION,
        body: Body::Json {
            target: "Logs_20140328.FilterLogEvents",
            content_type: "application/x-amz-json-1.1",
            text: Zeroizing::new(body.to_string()),
        },
        endpoint: endpoint(clients, "CLOUDWATCH_LOGS", "logs"),
        region: None,
        subject: query.group,
    };
    let answer = call.send(clients).await?;
    serde_json::from_str(answer.expose()).map_err(|_| Error::unreadable(OPERATION, query.group, "events"))
}
