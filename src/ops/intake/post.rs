//! Posting a record. The intake stores the same request once, so one that nobody answered is sent again.

use std::time::Duration;

use serde::Deserialize;

use super::{Intake, TEMPLATE};
use crate::aws::Poll;
use crate::compare::{Why, WhyKind};
use crate::http::api::{Connection, Reply};
use crate::ops::call::{self, Call};
use crate::ops::failed;
use crate::ops::journal::{self, Action, Intent};
use crate::ops::session::Session;

const PATH: &str = "/v1/records";

/// How long a post is tried while the intake has no room for it, or nobody answers.
const PATIENCE: Duration = Duration::from_secs(20);

/// A record that is going to be posted.
#[derive(Clone, PartialEq, Eq)]
pub struct Plan {
    /// The stack that takes it in.
    pub stack: String,
    /// Where it is posted.
    pub endpoint: String,
    /// What a caller's policy has to allow.
    pub needs: String,
    /// What is posted.
    pub record: Draft,
}

/// A record and what is said of it. It is its sender's own, so `Debug` has its length alone.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Draft {
    /// Its text: one JSON object.
    pub body: String,
    /// What makes the same request the same; `None`: its text and its source.
    pub key: Option<String>,
    /// Who sends it; `None`: whoever's credentials sign it.
    pub source: Option<String>,
    /// After how long it may be deleted; `None`: never.
    pub expires_in: Option<Duration>,
}

impl std::fmt::Debug for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plan").field("stack", &self.stack).field("record", &self.record).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Draft {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Draft").field("bytes", &self.body.len()).finish_non_exhaustive()
    }
}

/// What the intake answers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Posted {
    /// The record's id.
    pub id: String,
    /// When it was received, as RFC 3339.
    pub received: String,
    /// Who sent it, as the record has it.
    pub source: String,
    /// Whether it was there already: then nothing was stored.
    pub duplicate: bool,
    /// Why the journal does not hold it, if so.
    #[serde(skip)]
    pub untold: Option<Why>,
}

impl Draft {
    /// A record that says of itself that it is a test, and when it was made; no two are the same.
    #[must_use]
    pub fn test(now: i64) -> Self {
        let at = crate::ops::schema::time(now);
        Self { body: format!(r#"{{"plumb":"test","at":"{at}"}}"#), ..Self::default() }
    }

    /// Whether it says of itself that it is a test.
    #[must_use]
    pub fn is_test(&self) -> bool {
        let read: Result<serde_json::Value, _> = serde_json::from_str(&self.body);
        read.is_ok_and(|record| record["plumb"] == "test")
    }

    /// That it is one JSON object; the intake's own rules are the intake's to say.
    pub fn check(&self) -> Result<(), Why> {
        let read: Result<serde_json::Value, _> = serde_json::from_str(&self.body);
        let value = read.map_err(|error| Why::new(format!("the record is no JSON: {error}")))?;
        if value.is_object() {
            return Ok(());
        }
        Err(Why::new("the record is no JSON object").hint("a record is one object: {\"amount\": 4.2}"))
    }
}

/// Works out where a record would be posted. Reads only.
pub async fn plan(session: &Session, record: Draft) -> Result<Plan, Why> {
    record.check()?;
    let intake = Intake::open(session).await?;
    let endpoint = intake.output("IntakeEndpoint")?;
    let needs = intake.outputs.get("InvokeArn").map_or_else(|| format!("the API of {}", intake.stack()), str::to_owned);
    Ok(Plan { stack: intake.stack().to_owned(), endpoint, needs, record })
}

/// Posts what was planned. The journal has the stack's name, and nothing of the record.
pub async fn post(session: &Session, plan: &Plan) -> Result<Posted, Why> {
    let (session, writer) = session.for_writing().await?;
    let intent = Intent::new(Action::Post, vec![plan.stack.clone()]);
    let (posted, untold) = journal::noted(&session, &writer, intent, send(&session, plan), |_| None).await?;
    Ok(Posted { untold, ..posted })
}

async fn send(session: &Session, plan: &Plan) -> Result<Posted, Why> {
    let connection = Connection::to(&plan.endpoint).map_err(|error| failed(&error))?;
    let record = &plan.record;
    let seconds = record.expires_in.map(|time| time.as_secs().to_string());
    let mut headers = Connection::headers(record.body.as_bytes()).to_vec();
    for (name, value) in [
        ("idempotency-key", record.key.as_deref()),
        ("plumb-source", record.source.as_deref()),
        ("plumb-expires-in", seconds.as_deref()),
    ] {
        headers.extend(value.map(|value| (name, value)));
    }
    let mut poll = Poll::within(PATIENCE);
    loop {
        let call = Call { method: "POST", path: PATH, headers: &headers, body: record.body.as_bytes() };
        let sent = call::signed(session, &connection, call, "is there a network, a proxy, a VPN?").await;
        let again = match &sent {
            Ok(reply) => matches!(reply.status, 429 | 502 | 503 | 504),
            Err(why) => why.kind == WhyKind::Network,
        };
        if !again || !poll.again().await {
            return answer(plan, &sent?);
        }
    }
}

fn answer(plan: &Plan, reply: &Reply) -> Result<Posted, Why> {
    if matches!(reply.status, 200 | 201)
        && let Ok(posted) = serde_json::from_slice(&reply.body)
    {
        return Ok(posted);
    }
    let why = Why::new(format!("cannot post to {}: {}", plan.endpoint, reply.refusal()));
    Err(match reply.status {
        200 | 201 => why.hint("something between here and AWS may answer instead of it: a proxy, a portal"),
        401 | 403 => why
            .hint(format!("execute-api:Invoke on {} is needed, or another profile", plan.needs))
            .kind(WhyKind::Denied),
        404 => why.hint(format!("is it the endpoint of {TEMPLATE}?")),
        429 | 503 => why.hint("it was tried for a while; try again in a minute").kind(WhyKind::Throttled),
        _ => why,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_one_object_and_its_mistakes_are_told_by_their_place() {
        let check = |body: &str| Draft { body: body.to_owned(), ..Draft::default() }.check();
        assert!(check(r#"{"amount": 1e400}"#).is_ok());
        assert!(check("[]").unwrap_err().reason.contains("no JSON object"));
        let wrong = check("{\"card\": 4711-}").unwrap_err();
        assert!(wrong.reason.contains("line 1 column 14") && !wrong.reason.contains("4711"), "{wrong}");
        assert!(Draft::test(1_763_692_800_000).check().is_ok());
    }

    #[test]
    fn nothing_of_a_record_is_in_a_debug_text() {
        let record = Draft { body: String::from("{\"name\":\"pelican\"}"), ..Draft::default() };
        let plan = Plan { stack: String::from("s"), endpoint: String::from("e"), needs: String::new(), record };
        assert!(!format!("{plan:?}").contains("pelican"));
    }
}
