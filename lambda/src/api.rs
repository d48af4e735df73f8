//! What is answered: `openapi.yaml` is the description that the tests hold this to.
//!
//! A handler is a plain function of the state and an event's text; only `src/bin` knows of a Lambda runtime. A request is
//! one item, or many as `items`; of many each has its own answer or its own problem, and only what no item could have been
//! answered without - no keyring, a request that is too large as a whole - fails them all.

mod item;

use std::time::Instant;

use serde_json::value::RawValue;
use zeroize::Zeroizing;

pub use crate::answer::Answer;
use crate::event::{self, Event, Row};
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

/// The metrics' namespace.
pub const NAMESPACE: &str = "Plumb/Crypto";

/// What can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    Encrypt,
    Decrypt,
    Rewrap,
    Keys,
    Health,
}

/// The shorter paths are aliases.
pub(crate) const ROUTES: [Row<Route>; 7] = [
    ("/v1/encrypt", "POST", "encrypt", Route::Encrypt),
    ("/v1/decrypt", "POST", "decrypt", Route::Decrypt),
    ("/v1/rewrap", "POST", "rewrap", Route::Rewrap),
    ("/v1/keys", "GET", "keys", Route::Keys),
    ("/v1/health", "GET", "health", Route::Health),
    ("/encrypt", "POST", "encrypt", Route::Encrypt),
    ("/decrypt", "POST", "decrypt", Route::Decrypt),
];

/// The function's state.
pub struct Crypto<S> {
    keys: Keys<S>,
    service: String,
    log: Box<dyn Fn(&str) + Send + Sync>,
}

impl<S: Store> Crypto<S> {
    /// Over a keyring, under the name that metrics have as `Service`; `log` takes each line.
    pub fn new(keys: Keys<S>, service: impl Into<String>, log: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self { keys, service: service.into(), log: Box::new(log) }
    }

    /// Answers one event, whatever it is.
    pub async fn handle(&self, event: &str, request_id: &str) -> Answer {
        let begun = Instant::now();
        let (event, problem) = event::read(event, &ROUTES);
        let mut record = Record::new(NAMESPACE);
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
            Err(problem) => (Answer::of_problem(&problem, &event, request_id), Some(problem)),
        };
        record.bytes_out = answer.body.len();
        let line = record.line(&self.service, request_id, &event, answer.status, problem.as_ref(), begun.elapsed());
        (self.log)(&line.to_string());
        answer
    }

    async fn route(&self, route: Route, event: &Event<'_, Route>, record: &mut Record) -> Result<Done, Problem> {
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
        let fields = json::object(body, FIELDS).map_err(|fault| Problem::of_body(&fault))?;
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

#[cfg(test)]
mod tests;
