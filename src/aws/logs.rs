//! Lines of CloudWatch Logs, by signed requests of our own: two operations are not worth an SDK crate.

use serde::Deserialize;
use serde_json::json;

use super::limit::Service;
use super::raw::Json;
use super::{Clients, Error, ErrorKind};
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

/// What of a stream was read, and where the next look begins.
#[derive(Debug, Default)]
pub struct Next {
    /// The lines, the earliest first.
    pub lines: Vec<Line>,
    /// Where to go on; the same as was asked with: there is no more so far.
    pub token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tail {
    events: Vec<Event>,
    next_forward_token: Option<String>,
}

/// Reads a stream from its beginning, or on from a token. A stream that is not there yet is empty. AWS's documentation:
/// GetLogEvents.
pub async fn stream(clients: &Clients, (group, stream): (&str, &str), token: Option<&str>) -> Result<Next, Error> {
    let operation = ("logs:GetLogEvents", "Logs_20140328.GetLogEvents");
    let mut body = json!({ "logGroupName": group, "logStreamName": stream, "startFromHead": true });
    if let Some(token) = token {
        body["nextToken"] = token.into();
    }
    let read: Tail = match LOGS.ask(clients, operation, group, &body).await {
        Ok(read) => read,
        Err(error) if error.kind == ErrorKind::NotFound => return Ok(Next::default()),
        Err(error) => return Err(error),
    };
    let lines = read.events.into_iter().map(|event| Line {
        at: event.timestamp,
        stream: stream.to_owned(),
        message: Secret::new(event.message),
    });
    Ok(Next { lines: lines.collect(), token: read.next_forward_token.or_else(|| token.map(str::to_owned)) })
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
    LOGS.ask(clients, (OPERATION, "Logs_20140328.FilterLogEvents"), query.group, &body).await
}

const LOGS: Json = Json {
    service: Service::Logs,
    content_type: "application/x-amz-json-1.1",
    variable: "CLOUDWATCH_LOGS",
    host: "logs",
};
