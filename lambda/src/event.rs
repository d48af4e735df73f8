//! What arrives: a proxy event of API Gateway (REST, version 1), or a direct invocation.
//!
//! A direct invocation is `{"operation": "encrypt", "body": {…}}`: the route's name, and what its HTTP body would be; its
//! headers, where it has some, are `headers`. Who invokes is AWS's to know; of a proxy event it is in the request context.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::json::{self, Fields};
use crate::problem::{Kind, Problem};

/// A request's body may have this many bytes.
pub const BODY_LIMIT: usize = 4 * 1024 * 1024;
/// More fields than any event of AWS has.
const FIELDS: usize = 256;

/// One thing that can be asked of a function: its path, method and operation, and what the function calls it.
pub(crate) type Row<R> = (&'static str, &'static str, &'static str, R);

/// An event, read as far as it says what is asked.
pub(crate) struct Event<'a, R> {
    /// It came through API Gateway, and the answer must be one for that.
    pub(crate) through_gateway: bool,
    /// API Gateway's own id of the request: the one of its access log.
    pub(crate) gateway_request_id: Option<String>,
    /// The caller's ARN, where API Gateway tells it.
    pub(crate) caller: Option<String>,
    /// When API Gateway got the request, in milliseconds.
    pub(crate) time: Option<i64>,
    /// The route, as soon as it is known.
    pub(crate) route: Option<R>,
    /// The operation that it is, for the log.
    pub(crate) operation: &'static str,
    /// The request's headers, as they are.
    headers: Fields<'a>,
    /// The body; empty for routes that take none.
    pub(crate) body: Cow<'a, str>,
}

/// Reads an event. What is wrong with it stands beside what is known of it, so that both can be logged.
pub(crate) fn read<'a, R: Copy>(event: &'a str, routes: &[Row<R>]) -> (Event<'a, R>, Option<Problem>) {
    let mut read = Event {
        through_gateway: false,
        gateway_request_id: None,
        caller: None,
        time: None,
        route: None,
        operation: "unknown",
        headers: Fields::new(),
        body: Cow::Borrowed(""),
    };
    let problem = json::object(event, FIELDS)
        .map_err(|_| Problem::new(Kind::InvalidRequest, "the event is not an object"))
        .and_then(|fields| read.fill(&fields, routes))
        .err();
    (read, problem)
}

fn field<'a>(fields: &Fields<'a>, name: &str) -> Option<&'a RawValue> {
    fields
        .iter()
        .find(|(found, _)| found.as_str() == name)
        .map(|(_, value)| *value)
        .filter(|value| value.get() != "null")
}

fn text(fields: &Fields<'_>, name: &str) -> Option<Zeroizing<String>> {
    json::string(field(fields, name)?).ok()
}

fn inner<'a>(fields: &Fields<'a>, name: &str) -> Fields<'a> {
    field(fields, name).and_then(|value| json::object(value.get(), FIELDS).ok()).unwrap_or_default()
}

impl<'a, R: Copy> Event<'a, R> {
    /// A header's text; its name counts without case.
    pub(crate) fn header(&self, name: &str) -> Option<Zeroizing<String>> {
        let found = self.headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name));
        found.and_then(|(_, value)| json::string(value).ok())
    }

    fn fill(&mut self, fields: &Fields<'a>, routes: &[Row<R>]) -> Result<(), Problem> {
        self.headers = inner(fields, "headers");
        let Some(method) = text(fields, "httpMethod") else { return self.take_invocation(fields, routes) };
        self.through_gateway = true;
        let context = inner(fields, "requestContext");
        self.gateway_request_id = text(&context, "requestId").map(|id| id.to_string());
        self.caller = text(&inner(&context, "identity"), "userArn").map(|arn| arn.to_string());
        // The resource is the path without what a custom domain puts before it; `{proxy+}` is no route.
        let rows = |path: &str| routes.iter().find(|row| row.0 == path);
        let found = text(fields, "resource").and_then(|path| rows(&path));
        let found = found.or_else(|| text(fields, "path").and_then(|path| rows(&path)));
        self.time = field(&context, "requestTimeEpoch").and_then(|value| value.get().parse().ok());
        let (_, allowed, operation, route) = found.ok_or_else(|| no_such_route(routes))?;
        (self.route, self.operation) = (Some(*route), operation);
        if method.as_str() != *allowed {
            let problem = Problem::new(Kind::MethodNotAllowed, format!("it takes {allowed}"));
            return Err(Problem { allow: Some(allowed), ..problem });
        }
        if *allowed == "POST" {
            self.declared_as_json()?;
            self.body = Cow::Owned(body(fields)?);
        }
        fits(&self.body)
    }

    fn take_invocation(&mut self, fields: &Fields<'a>, routes: &[Row<R>]) -> Result<(), Problem> {
        let operation = text(fields, "operation").ok_or_else(|| {
            Problem::new(Kind::InvalidRequest, "the event has no `operation`, and is not API Gateway's")
        })?;
        let row = routes.iter().find(|row| row.2 == operation.as_str());
        let (_, _, operation, route) = row.ok_or_else(|| no_such_route(routes))?;
        (self.route, self.operation) = (Some(*route), operation);
        self.body = Cow::Borrowed(field(fields, "body").map_or("", RawValue::get));
        fits(&self.body)
    }

    /// A body that is declared as nothing is taken to be JSON; one that is declared as anything else is not.
    fn declared_as_json(&self) -> Result<(), Problem> {
        let Some(stated) = self.header("content-type") else { return Ok(()) };
        let mut parts = stated.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default();
        let charset =
            parts.find_map(|part| part.split_once('=').filter(|(name, _)| name.eq_ignore_ascii_case("charset")));
        let unicode = charset.is_none_or(|(_, value)| value.trim_matches('"').eq_ignore_ascii_case("utf-8"));
        if !kind.eq_ignore_ascii_case("application/json") || !unicode {
            return Err(Problem::new(
                Kind::UnsupportedMediaType,
                "the content type must be application/json, in UTF-8",
            ));
        }
        if self.header("content-encoding").is_some_and(|coding| !coding.eq_ignore_ascii_case("identity")) {
            return Err(Problem::new(Kind::UnsupportedMediaType, "the body must be sent without a content encoding"));
        }
        Ok(())
    }
}

fn no_such_route<R>(routes: &[Row<R>]) -> Problem {
    // Aliases have the operations of those that stand before them.
    let mut known: Vec<&str> = Vec::new();
    for row in routes {
        if !known.contains(&row.2) {
            known.push(row.2);
        }
    }
    Problem::new(Kind::NoSuchRoute, format!("known are {}", known.join(", ")))
}

fn fits(body: &str) -> Result<(), Problem> {
    if body.len() > BODY_LIMIT {
        return Err(Problem::new(Kind::TooLarge, format!("a body may have {BODY_LIMIT} bytes")));
    }
    Ok(())
}

fn body(fields: &Fields<'_>) -> Result<String, Problem> {
    let mut body = text(fields, "body").unwrap_or_default();
    if field(fields, "isBase64Encoded").is_some_and(|value| value.get() == "true") {
        let bytes = STANDARD.decode(body.as_bytes());
        let bytes = bytes.map_err(|_| Problem::new(Kind::InvalidJson, "the body is not base64"))?;
        return String::from_utf8(bytes).map_err(|_| Problem::new(Kind::InvalidJson, "the body is not UTF-8"));
    }
    Ok(std::mem::take(&mut *body))
}
