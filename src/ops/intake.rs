//! The intake as an operator uses it: found by its stack's outputs, posted to, read, counted, looked on at.
//!
//! Records are their senders' own: none of them is in a log, in the journal or on this machine's disk.

pub mod count;
mod days;
pub mod post;
pub mod pretty;
mod tail;
mod ulid;

use serde_json::value::RawValue;

pub use self::days::{Day, days};
pub use self::tail::Seen;
use super::outputs::Outputs;
use super::session::Session;
use super::why;
use crate::aws::dynamodb::{self, Item, Query};
use crate::compare::{Why, WhyKind};

/// The template that makes the stack.
const TEMPLATE: &str = "lambda/intake.yaml";

/// The table of plumb.toml that names it.
const TABLE: &str = "[intake]";

/// The index of the table, and its keys.
const INDEX: &str = "by-time";
const SLOT: &str = "slot";
const ID: &str = "id";

/// How many slots a day has.
const SHARDS: u8 = 8;

/// How many questions are asked of the table at once; its limit is that of the client.
const AT_ONCE: usize = 8;

/// The intake of an environment, and its summaries.
#[derive(Clone)]
pub struct Intake {
    pub(in crate::ops) session: Session,
    outputs: Outputs,
    table: String,
    /// Where the clock stands still, when that is.
    clock: Option<i64>,
}

/// A record as the table has it. It is its sender's own, so `Debug` has its id alone.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// Its id, by which records sort in the order of their time.
    pub id: String,
    /// When it was received, as RFC 3339.
    pub received: String,
    /// Who sent it, as it says or as its credentials do.
    pub source: String,
    /// How long its text is.
    pub bytes: u64,
    /// When it may be deleted, in seconds since the Unix epoch.
    pub expires: Option<i64>,
    /// Its text, as it came.
    pub body: String,
}

impl std::fmt::Debug for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Record").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The id of a record that came in at a time.
#[cfg(test)]
pub(crate) fn id_of(at: i64) -> String {
    ulid::least(at)
}

impl Record {
    fn of(item: &Item) -> Option<Self> {
        let text = |name| item.text(name).map(str::to_owned);
        let body = text("body")?;
        Some(Self {
            id: text(ID)?,
            received: text("received")?,
            source: text("source").unwrap_or_else(|| String::from("unknown")),
            bytes: item.number("bytes").and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(body.len() as u64),
            expires: item.number("expires"),
            body,
        })
    }

    /// The record as JSON, every digit as it came; `None`: it is none.
    #[must_use]
    pub fn json(&self) -> Option<&RawValue> {
        serde_json::from_str(&self.body).ok()
    }

    /// When it was received, in milliseconds since the Unix epoch.
    #[must_use]
    pub fn at(&self) -> Option<i64> {
        ulid::time(&self.id)
    }
}

impl Intake {
    /// Finds it where the project says, or at the stack that was named instead.
    pub async fn open(session: &Session) -> Result<Self, Why> {
        let adhoc = session.settings.adhoc.as_ref().and_then(|adhoc| adhoc.stack.clone());
        let stack = match (adhoc, &session.project().intake) {
            (Some(stack), _) => stack,
            (None, Some(intake)) => session.expand(&intake.stack).await?,
            (None, None) => {
                return Err(Why::new(format!("nothing says where the intake of {} is", session.environment().name))
                    .hint("--stack NAME, or [intake] in plumb.toml: stack = \"petshop-intake-{env}\"")
                    .kind(WhyKind::Missing));
            }
        };
        let outputs = Outputs::of(session, &stack).await?;
        let table = outputs.need("TableName", TEMPLATE, TABLE)?;
        Ok(Self { session: session.clone(), outputs, table, clock: None })
    }

    /// The same as of a time, in milliseconds since the Unix epoch.
    #[must_use]
    pub fn at(self, clock: Option<i64>) -> Self {
        Self { clock, ..self }
    }

    /// The stack's name.
    #[must_use]
    pub fn stack(&self) -> &str {
        &self.outputs.stack
    }

    /// One of the stack's outputs.
    pub(in crate::ops) fn output(&self, name: &str) -> Result<String, Why> {
        self.outputs.need(name, TEMPLATE, TABLE)
    }

    /// One record; `None`: there is none of that id, or none any more.
    pub async fn get(&self, id: &str) -> Result<Option<Record>, Why> {
        let id = id.trim().to_ascii_uppercase();
        if ulid::time(&id).is_none() {
            return Err(Why::new(format!("{id} is no record's id"))
                .hint("26 letters and digits, such as 01JDA8Z6R0Q3X1V2W3Y4Z5A6B7"));
        }
        let clients = &self.session.clients;
        let item = dynamodb::get(clients, &self.table, (ID, &id)).await.map_err(|error| why(&error))?;
        let Some(item) = item else { return Ok(None) };
        Record::of(&item).map(Some).ok_or_else(|| self.foreign(&id))
    }

    fn foreign(&self, id: &str) -> Why {
        Why::new(format!("{id} in {} is no record of an intake", self.table))
            .hint("is it the table of the stack's intake function?")
    }

    /// The records of one slot from one id to another.
    fn query<'a>(&'a self, slot: &'a str, from: &'a str, to: &'a str) -> Query<'a> {
        Query {
            table: &self.table,
            index: INDEX,
            partition: (SLOT, slot),
            range: ID,
            from,
            to,
            newest_first: false,
            only: None,
            limit: None,
        }
    }

    /// Now by AWS's clock as far as that is known, in milliseconds since the Unix epoch: the ids are of that clock.
    fn now(&self) -> i64 {
        self.clock.unwrap_or_else(|| self.session.now())
    }
}
