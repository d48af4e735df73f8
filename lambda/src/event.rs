//! What arrives: a proxy event of API Gateway (REST, version 1), or a direct invocation.
//!
//! A direct invocation is `{"operation": "encrypt", "body": {…}}`: the route's name, and what its HTTP body would be. Who
//! invokes is AWS's to know; of a proxy event it is in the request context.

use std::borrow::Cow;

use base64_simd::STANDARD;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::json::{self, Fields};
use crate::problem::{Kind, Problem};

/// A request's body may have this many bytes.
pub const BODY_LIMIT: usize = 4 * 1024 * 1024;
/// More fields than any event of AWS has.
const FIELDS: usize = 256;

/// What can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    Encrypt,
    Decrypt,
    Rewrap,
    Keys,
    Health,
}

/// Path, method, operation, route; the shorter paths are aliases.
pub(crate) const ROUTES: [(&str, &str, &str, Route); 7] = [
    ("/v1/encrypt", "POST", "encrypt", Route::Encrypt),
    ("/v1/decrypt", "POST", "decrypt", Route::Decrypt),
    ("/v1/rewrap", "POST", "rewrap", Route::Rewrap),
    ("/v1/keys", "GET", "keys", Route::Keys),
    ("/v1/health", "GET", "health", Route::Health),
    ("/encrypt", "POST", "encrypt", Route::Encrypt),
    ("/decrypt", "POST", "decrypt", Route::Decrypt),
];

impl Route {
    pub(crate) fn name(self) -> &'static str {
        ROUTES.iter().find(|row| row.3 == self).map_or("", |row| row.2)
    }
}

/// An event, read as far as it says what is asked.
#[derive(Default)]
pub(crate) struct Event<'a> {
    /// It came through API Gateway, and the answer must be one for that.
    pub(crate) through_gateway: bool,
    /// API Gateway's own id of the request: the one of its access log.
    pub(crate) gateway_request_id: Option<String>,
    /// The caller's ARN, where API Gateway tells it.
    pub(crate) caller: Option<String>,
    /// The route, as soon as it is known.
    pub(crate) route: Option<Route>,
    /// The body; empty for routes that take none.
    pub(crate) body: Cow<'a, str>,
}

/// Reads an event. What is wrong with it stands beside what is known of it, so that both can be logged.
pub(crate) fn read(event: &str) -> (Event<'_>, Option<Problem>) {
    let mut read = Event::default();
    let problem = json::object(event, FIELDS)
        .map_err(|_| Problem::new(Kind::InvalidRequest, "the event is not an object"))
        .and_then(|fields| read.fill(&fields))
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

impl<'a> Event<'a> {
    fn fill(&mut self, fields: &Fields<'a>) -> Result<(), Problem> {
        let Some(method) = text(fields, "httpMethod") else { return self.take_invocation(fields) };
        self.through_gateway = true;
        let context = inner(fields, "requestContext");
        self.gateway_request_id = text(&context, "requestId").map(|id| id.to_string());
        self.caller = text(&inner(&context, "identity"), "userArn").map(|arn| arn.to_string());
        // The resource is the path without what a custom domain puts before it; `{proxy+}` is no route.
        let rows = |path: &str| ROUTES.iter().find(|row| row.0 == path);
        let found = text(fields, "resource").and_then(|path| rows(&path));
        let found = found.or_else(|| text(fields, "path").and_then(|path| rows(&path)));
        let (_, allowed, _, route) = found.ok_or_else(no_such_route)?;
        self.route = Some(*route);
        if method.as_str() != *allowed {
            let problem = Problem::new(Kind::MethodNotAllowed, format!("it takes {allowed}"));
            return Err(Problem { allow: Some(allowed), ..problem });
        }
        if *allowed == "POST" {
            declared_as_json(&inner(fields, "headers"))?;
            self.body = Cow::Owned(body(fields)?);
        }
        fits(&self.body)
    }

    fn take_invocation(&mut self, fields: &Fields<'a>) -> Result<(), Problem> {
        let operation = text(fields, "operation").ok_or_else(|| {
            Problem::new(Kind::InvalidRequest, "the event has no `operation`, and is not API Gateway's")
        })?;
        let row = ROUTES.iter().find(|row| row.2 == operation.as_str());
        self.route = Some(row.ok_or_else(no_such_route)?.3);
        self.body = Cow::Borrowed(field(fields, "body").map_or("", RawValue::get));
        fits(&self.body)
    }
}

fn no_such_route() -> Problem {
    Problem::new(Kind::NoSuchRoute, "known are encrypt, decrypt, rewrap, keys and health")
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
        let bytes = STANDARD.decode_to_vec(body.as_bytes());
        let bytes = bytes.map_err(|_| Problem::new(Kind::InvalidJson, "the body is not base64"))?;
        return String::from_utf8(bytes).map_err(|_| Problem::new(Kind::InvalidJson, "the body is not UTF-8"));
    }
    Ok(std::mem::take(&mut *body))
}

/// A body that is declared as nothing is taken to be JSON; one that is declared as anything else is not.
fn declared_as_json(headers: &Fields<'_>) -> Result<(), Problem> {
    let header = |name: &str| {
        let found = headers.iter().find(|(found, _)| found.eq_ignore_ascii_case(name));
        found.and_then(|(_, value)| json::string(value).ok())
    };
    let Some(stated) = header("content-type") else { return Ok(()) };
    let mut parts = stated.split(';').map(str::trim);
    let kind = parts.next().unwrap_or_default();
    let charset = parts.find_map(|part| part.split_once('=').filter(|(name, _)| name.eq_ignore_ascii_case("charset")));
    let unicode = charset.is_none_or(|(_, value)| value.trim_matches('"').eq_ignore_ascii_case("utf-8"));
    if !kind.eq_ignore_ascii_case("application/json") || !unicode {
        return Err(Problem::new(Kind::UnsupportedMediaType, "the content type must be application/json, in UTF-8"));
    }
    if header("content-encoding").is_some_and(|coding| !coding.eq_ignore_ascii_case("identity")) {
        return Err(Problem::new(Kind::UnsupportedMediaType, "the body must be sent without a content encoding"));
    }
    Ok(())
}
