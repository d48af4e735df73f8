//! The intake: any JSON object is kept as it came, once. `intake.openapi.yaml` is the description that the tests hold this
//! to.
//!
//! A handler is a plain function of the state and an event's text. [`World`] is the table and the clock; [`live`] is
//! DynamoDB. Nothing is acknowledged that the table has not acknowledged: a write that could not be made is a 503, and
//! the same request again is the same record, however often it is sent.

mod document;
mod item;
pub mod live;
mod schema;

use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::value::RawValue;
use tokio::sync::OnceCell;
use zeroize::Zeroizing;

use crate::answer::Answer;
use crate::event::{self, Event, Row};
use crate::json::{self, Fault};
use crate::problem::{Kind, Problem};
use crate::record::Record;
use crate::ulid::{Ulid, Ulids};
pub use document::DEPTH;
pub(crate) use document::walk;
use item::{Item, Rules};
pub use item::{KEY_LIMIT, RECORD_LIMIT, REFERENCE_LIMIT};
use schema::Schema;

/// A batch may have this many items.
pub const ITEM_LIMIT: usize = 100;
/// The metrics' namespace.
pub const NAMESPACE: &str = "Plumb/Intake";
/// Before a write is tried again; each further time it is twice as long, up to [`LONGEST_PAUSE`].
const PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);
/// What API Gateway says of a request's time is believed so far from our own clock, in milliseconds.
const SKEW: u64 = 15 * 60 * 1000;

/// What can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    Post,
    Batch,
    Health,
}

/// The shorter paths are aliases; API Gateway may hand over a slash at the end.
pub(crate) const ROUTES: [Row<Route>; 6] = [
    ("/v1/records", "POST", "post", Route::Post),
    ("/v1/records/batch", "POST", "batch", Route::Batch),
    ("/v1/health", "GET", "health", Route::Health),
    ("/post", "POST", "post", Route::Post),
    ("/post/", "POST", "post", Route::Post),
    ("/post/batch", "POST", "batch", Route::Batch),
];

/// One record, as it is to be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its id; its time and its place in the time index follow from it.
    pub id: Ulid,
    /// Who sent it.
    pub source: String,
    /// The JSON text.
    pub body: String,
    /// SHA-256 of the body, in hexadecimal.
    pub digest: String,
    /// The id of its marker: made of source and idempotency key.
    pub key: String,
    /// When the record is no longer wanted, in seconds since 1970.
    pub expires: Option<i64>,
    /// When the same key may be used anew.
    pub key_expires: i64,
}

/// What became of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Put {
    /// It is stored, and its marker with it.
    Stored,
    /// Its key belongs to this record, of this digest.
    Known {
        /// The record's id.
        record: String,
        /// Its body's SHA-256.
        digest: String,
    },
    /// Another record has its id.
    Taken,
}

/// Why nothing was stored, or nobody knows whether it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unstored {
    /// The same may succeed in a moment.
    pub may_pass: bool,
    /// AWS's words, for the log.
    pub reason: String,
}

/// The table, the schema and the clock.
pub trait World: Sync {
    /// Now, in milliseconds since 1970.
    fn now(&self) -> i64;
    /// Stores a record and its marker, or neither.
    fn put(&self, entry: &Entry, now: i64) -> impl Future<Output = Result<Put, Unstored>> + Send;
    /// Whether the table answers.
    fn reach(&self) -> impl Future<Output = Result<(), Unstored>> + Send;
    /// The schema's text, where the stack has one.
    fn schema(&self) -> impl Future<Output = Result<Option<String>, Unstored>> + Send;
}

/// How the function works.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// So long the same key is the same record, in seconds.
    pub keep_keys: i64,
    /// So long after a request came its writes are tried again.
    pub patience: Duration,
}

/// The function's state.
pub struct Intake<W> {
    world: W,
    settings: Settings,
    schema: OnceCell<Option<Schema>>,
    ulids: Ulids,
    service: String,
    log: Box<dyn Fn(&str) + Send + Sync>,
}

/// What a request is answered with.
struct Said {
    status: u16,
    body: String,
    /// Some of it could not be stored, and may be sent again.
    later: bool,
}

/// What became of one record.
#[derive(Debug, Serialize)]
struct Outcome {
    id: String,
    received: String,
    source: String,
    duplicate: bool,
}

/// One item of a batch's answer.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<&'a str>,
    status: u16,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    outcome: Option<&'a Outcome>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<crate::problem::Body<'a>>,
}

impl Outcome {
    fn status(&self) -> u16 {
        if self.duplicate { 200 } else { 201 }
    }
}

/// The moment of an id as it is told: RFC 3339 with milliseconds.
pub(crate) fn received(id: Ulid) -> String {
    jiff::Timestamp::from_millisecond(id.time()).map_or_else(|_| String::new(), |time| format!("{time:.3}"))
}

/// Where the time index has an id: its day, and one of eight parts of that.
pub(crate) fn slot(id: Ulid) -> String {
    format!("{}#{}", received(id).get(..10).unwrap_or_default(), id.shard())
}

impl<W: World> Intake<W> {
    /// Under the name that metrics have as `Service`; `log` takes each line.
    pub fn new(
        world: W,
        settings: Settings,
        service: impl Into<String>,
        log: impl Fn(&str) + Send + Sync + 'static,
    ) -> Self {
        let (service, log) = (service.into(), Box::new(log));
        Self { world, settings, schema: OnceCell::new(), ulids: Ulids::default(), service, log }
    }

    /// Answers one event, whatever it is.
    pub async fn handle(&self, event: &str, request_id: &str) -> Answer {
        let begun = Instant::now();
        let (event, problem) = event::read(event, &ROUTES);
        let mut record = Record::new(NAMESPACE);
        record.duplicates = Some(0);
        let result = match (problem, event.route) {
            (Some(problem), _) => Err(problem),
            (None, Some(Route::Post)) => self.post(&event, begun, &mut record).await,
            (None, Some(Route::Batch)) => self.batch(&event, begun, &mut record).await,
            (None, Some(Route::Health)) => self.health().await,
            (None, None) => Err(Problem::new(Kind::Internal, "the route is not known")),
        };
        let (answer, problem) = match result {
            Ok(Said { status, body, later }) => {
                (Answer::new(status, Zeroizing::new(body), &event, request_id).again(later), None)
            }
            Err(problem) => (Answer::of_problem(&problem, &event, request_id), Some(problem)),
        };
        record.bytes_out = answer.body.len();
        let line = record.line(&self.service, request_id, &event, answer.status, problem.as_ref(), begun.elapsed());
        (self.log)(&line.to_string());
        answer
    }

    async fn health(&self) -> Result<Said, Problem> {
        self.schema().await?;
        self.world.reach().await.map_err(unavailable)?;
        told(200, &serde_json::json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")}))
    }

    async fn post(&self, event: &Event<'_, Route>, begun: Instant, record: &mut Record) -> Result<Said, Problem> {
        record.items = 1;
        let rules = Rules::read(event)?;
        let item = Item::alone(body(event)?, &rules, event)?;
        let schema = self.schema().await?;
        let outcome = self.take(item, schema, event, begun).await?;
        record.duplicates = Some(usize::from(outcome.duplicate));
        told(outcome.status(), &outcome)
    }

    async fn batch(&self, event: &Event<'_, Route>, begun: Instant, record: &mut Record) -> Result<Said, Problem> {
        let rules = Rules::read(event)?;
        if event.header(item::KEY).is_some() {
            return Err(Problem::new(
                Kind::InvalidRequest,
                "of a batch each item has its own key: `idempotency_key` beside its `record`",
            ));
        }
        let fields = json::object(body(event)?.get(), 1).map_err(|fault| Problem::of_body(&fault))?;
        let Some((_, items)) = fields.iter().find(|(name, _)| name.as_str() == "items") else {
            return Err(Problem::new(
                Kind::InvalidRequest,
                "`items` is needed, and no other field may stand beside it",
            ));
        };
        let items = json::array(items.get(), ITEM_LIMIT).map_err(|fault| match fault {
            Fault::TooMany(_) => Problem::new(Kind::TooLarge, format!("`items` may have {ITEM_LIMIT} of them")),
            other => Problem::new(Kind::InvalidRequest, format!("`items` is {other}")),
        })?;
        record.items = items.len();
        // Once for all of them: of a schema that cannot be read none can be checked.
        let schema = if items.is_empty() { None } else { self.schema().await? };
        let mut done = Vec::with_capacity(items.len());
        for raw in items {
            let (reference, read) = Item::of_many(raw, &rules);
            let result = match read {
                Ok(item) => self.take(item, schema, event, begun).await,
                Err(problem) => Err(problem),
            };
            done.push((reference, result));
        }
        record.failed = done.iter().filter(|(_, result)| result.is_err()).count();
        let duplicates = done.iter().filter(|(_, result)| result.as_ref().is_ok_and(|outcome| outcome.duplicate));
        record.duplicates = Some(duplicates.count());
        // Where nothing could be stored there is nothing to say of single items.
        let unavailable = |result: &Result<Outcome, Problem>| result.as_ref().is_err_and(|it| it.kind.may_pass());
        if !done.is_empty() && done.iter().all(|(_, result)| unavailable(result)) {
            return Err(done.into_iter().find_map(|(_, result)| result.err()).unwrap_or_else(internal));
        }
        let later = done.iter().any(|(_, result)| unavailable(result));
        let rows = done.iter().map(|(reference, result)| {
            let (reference, outcome) = (reference.as_deref(), result.as_ref().ok());
            let problem = result.as_ref().err();
            let status = outcome.map_or_else(|| problem.map_or(500, |it| it.kind.status()), Outcome::status);
            Told { reference, status, outcome, error: problem.map(|problem| problem.body(None)) }
        });
        Ok(Said { later, ..told(200, &serde_json::json!({"items": rows.collect::<Vec<_>>()}))? })
    }

    /// Checks a record against the schema, and stores it.
    async fn take(
        &self,
        item: Item<'_>,
        schema: Option<&Schema>,
        event: &Event<'_, Route>,
        begun: Instant,
    ) -> Result<Outcome, Problem> {
        if let Some(schema) = schema {
            schema.check(item.record).map_err(|place| Problem::new(Kind::SchemaMismatch, place))?;
        }
        let own = self.world.now();
        let now = event.time.filter(|time| time.abs_diff(own) <= SKEW).unwrap_or(own);
        let id = self.ulids.next(now).map_err(|_| internal())?;
        let entry = item.entry(id, now / 1000, self.settings.keep_keys);
        self.store(entry, now / 1000, begun).await
    }

    /// Stores an entry, with as many tries as there is time for.
    async fn store(&self, mut entry: Entry, now: i64, begun: Instant) -> Result<Outcome, Problem> {
        let mut pause = PAUSE;
        loop {
            if begun.elapsed() > self.settings.patience {
                return Err(unavailable(Unstored { may_pass: true, reason: "no time was left for it".to_owned() }));
            }
            let reason = match self.world.put(&entry, now).await {
                Ok(Put::Stored) => return Ok(outcome(entry.id, entry.source, false)),
                // The answer to an earlier try was lost: the marker is our own.
                Ok(Put::Known { record, .. }) if record == entry.id.to_string() => {
                    return Ok(outcome(entry.id, entry.source, false));
                }
                Ok(Put::Known { record, digest }) if digest == entry.digest => {
                    let first = Ulid::parse(&record).ok_or_else(internal)?;
                    return Ok(outcome(first, entry.source, true));
                }
                Ok(Put::Known { .. }) => {
                    let detail = "the key was used for another content; another content needs another key";
                    return Err(Problem::new(Kind::KeyReused, detail));
                }
                Ok(Put::Taken) => {
                    entry.id = self.ulids.next(entry.id.time()).map_err(|_| internal())?;
                    Unstored { may_pass: true, reason: "the id is taken".to_owned() }
                }
                Err(unstored) => unstored,
            };
            if !reason.may_pass || begun.elapsed() + pause > self.settings.patience {
                return Err(unavailable(reason));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// The schema, read once: another one is another deployment.
    async fn schema(&self) -> Result<Option<&Schema>, Problem> {
        let read = self.schema.get_or_try_init(|| async {
            let Some(text) = self.world.schema().await? else { return Ok(None) };
            Schema::compile(&text).map(Some).map_err(|reason| Unstored { may_pass: false, reason })
        });
        Ok(read.await.map_err(unavailable)?.as_ref())
    }
}

fn outcome(id: Ulid, source: String, duplicate: bool) -> Outcome {
    Outcome { id: id.to_string(), received: received(id), source, duplicate }
}

fn unavailable(unstored: Unstored) -> Problem {
    let detail = "nothing was acknowledged; send the same again in a few seconds: it is stored once";
    Problem { reason: Some(unstored.reason), ..Problem::new(Kind::StoreUnavailable, detail) }
}

fn internal() -> Problem {
    Problem::new(Kind::Internal, "the function failed; its log says why")
}

/// The body as the JSON that it is, whatever that is.
fn body<'a>(event: &'a Event<'_, Route>) -> Result<&'a RawValue, Problem> {
    if event.body.is_empty() {
        return Err(Problem::new(Kind::InvalidJson, "the body is empty"));
    }
    serde_json::from_str(&event.body)
        .map_err(|error| Problem::of_body(&Fault::Syntax { line: error.line(), column: error.column() }))
}

fn told(status: u16, body: &impl Serialize) -> Result<Said, Problem> {
    let body = serde_json::to_string(body).map_err(|error| Problem::new(Kind::Internal, error.to_string()))?;
    Ok(Said { status, body, later: false })
}

#[cfg(test)]
mod tests;
