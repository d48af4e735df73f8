//! What goes back: to API Gateway a proxy answer, to who invokes directly status and body.

use std::fmt;

use serde::ser::{Serialize, SerializeStruct as _, Serializer};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::event::Event;
use crate::problem::{Kind, Problem};

/// The header with Lambda's id of the request: API Gateway has one of its own for each.
const REQUEST_ID: &str = "x-plumb-request-id";

/// What goes back: to API Gateway a proxy answer, to who invokes directly `{"status", "body", "request_id"}`.
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// JSON.
    pub body: Zeroizing<String>,
    problem: Option<Kind>,
    allow: Option<&'static str>,
    /// A part of what was asked was not done, and may be asked again.
    later: bool,
    through_gateway: bool,
    /// Lambda's, by which the log has the request too.
    request_id: String,
}

impl Answer {
    pub(crate) fn new<R>(status: u16, body: Zeroizing<String>, event: &Event<'_, R>, request_id: &str) -> Self {
        let request_id = request_id.to_owned();
        Self {
            status,
            body,
            problem: None,
            allow: None,
            later: false,
            through_gateway: event.through_gateway,
            request_id,
        }
    }

    pub(crate) fn of_problem<R>(problem: &Problem, event: &Event<'_, R>, request_id: &str) -> Self {
        let body = serde_json::to_string(&problem.body(Some(request_id))).unwrap_or_default();
        let answer = Self::new(problem.kind.status(), Zeroizing::new(body), event, request_id);
        Self { problem: Some(problem.kind), allow: problem.allow, ..answer }
    }

    /// The same, where a part of what was asked may be asked again.
    pub(crate) fn again(self, later: bool) -> Self {
        Self { later, ..self }
    }

    /// The headers, as API Gateway sends them on.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let kind = if self.problem.is_some() { "application/problem+json" } else { "application/json" };
        let retry = (self.later || self.problem.is_some_and(Kind::may_pass)).then_some(("retry-after", "5"));
        let fixed = [("content-type", kind), ("cache-control", "no-store"), ("x-content-type-options", "nosniff")];
        let own = (REQUEST_ID, self.request_id.as_str());
        fixed.into_iter().chain([own]).chain(self.allow.map(|method| ("allow", method))).chain(retry)
    }
}

impl Serialize for Answer {
    fn serialize<T: Serializer>(&self, serializer: T) -> Result<T::Ok, T::Error> {
        if !self.through_gateway {
            let body: &RawValue = serde_json::from_str(&self.body).map_err(serde::ser::Error::custom)?;
            let mut answer = serializer.serialize_struct("Answer", 3)?;
            answer.serialize_field("status", &self.status)?;
            answer.serialize_field("body", body)?;
            answer.serialize_field("request_id", &self.request_id)?;
            return answer.end();
        }
        let headers: std::collections::BTreeMap<_, _> = self.headers().collect();
        let mut answer = serializer.serialize_struct("Answer", 4)?;
        answer.serialize_field("statusCode", &self.status)?;
        answer.serialize_field("headers", &headers)?;
        answer.serialize_field("isBase64Encoded", &false)?;
        answer.serialize_field("body", self.body.as_str())?;
        answer.end()
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("status", &self.status).field("bytes", &self.body.len()).finish_non_exhaustive()
    }
}
