//! What is answered: `openapi.yaml` is the description that the tests hold this to.
//!
//! A handler is a plain function of the state and an event's text; only `src/bin` knows of a Lambda runtime. A request is
//! one item, or many as `items`; of many each has its own answer or its own problem, and only what no item could have been
//! answered without - no keyring, a request that is too large as a whole - fails them all.

mod item;

use std::fmt;
use std::time::Instant;

use serde::ser::{Serialize, SerializeStruct as _, Serializer};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use crate::event::{self, Event, Route};
use crate::json::{self, Fault};
use crate::keyring::{Keys, State, Store};
use crate::problem::{Kind, Problem};
use crate::record::Record;
pub use item::{CONTEXT_LIMIT, PAIR_LIMIT, REFERENCE_LIMIT};
use item::{Done, Item};

/// A batch may have this many items.
pub const ITEM_LIMIT: usize = 1000;
/// The messages of one request may have this many bytes together: so many that each fits, encrypted, into a body.
pub const MESSAGE_LIMIT: usize = 2_883_584;
/// Messages are given as text too when all of an answer need no more bytes than this in it: Lambda's answers are limited
/// to six million, of which their base64 may need four and a half.
pub const TEXT_LIMIT: usize = 1_310_720;
/// More fields than a request has.
const FIELDS: usize = 16;

/// The function's state.
pub struct Crypto<S> {
    keys: Keys<S>,
    service: String,
    log: Box<dyn Fn(&str) + Send + Sync>,
}

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
    through_gateway: bool,
    /// Lambda's, by which the log has the request too.
    request_id: String,
}

impl<S: Store> Crypto<S> {
    /// Over a keyring, under the name that metrics have as `Service`; `log` takes each line.
    pub fn new(keys: Keys<S>, service: impl Into<String>, log: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self { keys, service: service.into(), log: Box::new(log) }
    }

    /// Answers one event, whatever it is.
    pub async fn handle(&self, event: &str, request_id: &str) -> Answer {
        let begun = Instant::now();
        let (event, problem) = event::read(event);
        let mut record = Record::default();
        let result = match (problem, event.route) {
            (Some(problem), _) => Err(problem),
            (None, Some(route)) => self.route(route, &event, &mut record).await,
            (None, None) => Err(Problem::new(Kind::Internal, "the route is not known")),
        };
        let result = result.and_then(|done| {
            let text = done.as_json(TEXT_LIMIT).map(Zeroizing::new);
            text.map_err(|error| Problem::new(Kind::Internal, error.to_string()))
        });
        let (answer, problem) = match result {
            Ok(body) => (Answer::new(200, body, &event, request_id), None),
            Err(problem) => {
                let body = serde_json::to_string(&problem.body(Some(request_id))).unwrap_or_default();
                let answer = Answer::new(problem.kind.status(), Zeroizing::new(body), &event, request_id);
                (Answer { problem: Some(problem.kind), allow: problem.allow, ..answer }, Some(problem))
            }
        };
        record.bytes_out = answer.body.len();
        let line = record.line(&self.service, request_id, &event, problem.as_ref(), begun.elapsed());
        (self.log)(&line.to_string());
        answer
    }

    async fn route(&self, route: Route, event: &Event<'_>, record: &mut Record) -> Result<Done, Problem> {
        match route {
            Route::Encrypt | Route::Decrypt | Route::Rewrap => self.messages(route, &event.body, record).await,
            Route::Keys => {
                let ring = self.keys.ring().await?;
                let now = jiff::Timestamp::now();
                let versions =
                    ring.versions().map(|(version, created, state)| KeyVersion::new(version, created, state, now));
                Ok(Done::Keys {
                    latest: ring.latest,
                    min_decryption_version: ring.min_decryption_version,
                    versions: versions.collect(),
                })
            }
            Route::Health => {
                let ring = self.keys.ring().await?;
                Ok(Done::Health { status: "ok", key_version: ring.latest, version: env!("CARGO_PKG_VERSION") })
            }
        }
    }

    async fn messages(&self, route: Route, body: &str, record: &mut Record) -> Result<Done, Problem> {
        if body.is_empty() {
            return Err(Problem::new(Kind::InvalidJson, "the body is empty"));
        }
        let fields = json::object(body, FIELDS).map_err(|fault| whole(&fault))?;
        let items = fields.iter().find(|(name, _)| name.as_str() == "items").map(|(_, items)| *items);
        let Some(items) = items else {
            record.items = 1;
            let item = Item::read(route, fields)?;
            let mut left = MESSAGE_LIMIT;
            item.limit(&mut left)?;
            return Ok(Done::One(item.answer(&self.keys).await.inspect(|done| record.note(done))?));
        };
        if fields.len() > 1 {
            return Err(Problem::new(Kind::InvalidRequest, "beside `items` no other field may stand"));
        }
        let items = json::array(items.get(), ITEM_LIMIT).map_err(|fault| match fault {
            Fault::TooMany(_) => Problem::new(Kind::TooLarge, format!("`items` may have {ITEM_LIMIT} of them")),
            other => Problem::new(Kind::InvalidRequest, format!("`items` is {other}")),
        })?;
        record.items = items.len();
        self.batch(route, &items, record).await
    }

    async fn batch(&self, route: Route, items: &[&RawValue], record: &mut Record) -> Result<Done, Problem> {
        let mut left = MESSAGE_LIMIT;
        let mut done = Vec::with_capacity(items.len());
        for raw in items {
            let (reference, read) = Item::read_one_of_many(route, raw);
            let result = match read {
                Ok(item) => {
                    item.limit(&mut left)?;
                    item.answer(&self.keys).await
                }
                Err(problem) => Err(problem),
            };
            match result {
                Ok(result) => {
                    record.note(&result);
                    done.push(Ok(result));
                }
                // What is nobody's fault would be the same for all the others.
                Err(problem) if problem.kind.status() >= 500 => return Err(problem),
                Err(problem) => {
                    record.failed += 1;
                    done.push(Err((reference, problem)));
                }
            }
        }
        Ok(Done::Many(done))
    }
}

/// What is wrong with a body as a whole.
fn whole(fault: &Fault) -> Problem {
    match fault {
        Fault::Syntax { .. } => Problem::new(Kind::InvalidJson, format!("the body is {fault}")),
        Fault::NotA(_) => Problem::new(Kind::InvalidRequest, format!("the body is {fault}")),
        Fault::Twice => Problem::new(Kind::InvalidRequest, "a name stands twice in the body"),
        Fault::TooMany(_) => Problem::new(Kind::InvalidRequest, "the body has fields that this route does not take"),
    }
}

/// A key version as it is told.
#[derive(serde::Serialize)]
pub(crate) struct KeyVersion {
    version: u32,
    created: String,
    /// Absent when the keyring's own time cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    age_seconds: Option<i64>,
    state: State,
}

impl KeyVersion {
    fn new(version: u32, created: &str, state: State, now: jiff::Timestamp) -> Self {
        let made: Option<jiff::Timestamp> = created.parse().ok();
        let age_seconds = made.map(|made| now.duration_since(made).as_secs().max(0));
        Self { version, created: created.to_owned(), age_seconds, state }
    }
}

impl Answer {
    fn new(status: u16, body: Zeroizing<String>, event: &Event<'_>, request_id: &str) -> Self {
        let request_id = request_id.to_owned();
        Self { status, body, problem: None, allow: None, through_gateway: event.through_gateway, request_id }
    }

    /// The headers, as API Gateway sends them on.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let kind = if self.problem.is_some() { "application/problem+json" } else { "application/json" };
        let retry = (self.problem == Some(Kind::KeyringUnavailable)).then_some(("retry-after", "5"));
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

#[cfg(test)]
mod tests;
