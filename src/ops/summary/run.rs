//! Having the function make a week's summary, or say what it would be.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{File, Week};
use crate::aws::lambda;
use crate::compare::Why;
use crate::ops::intake::Intake;
use crate::ops::journal::{self, Action, Intent};
use crate::ops::session::Session;
use crate::ops::why;

/// A summary that is going to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The week.
    pub week: Week,
    /// The function that makes it.
    pub function: String,
    /// Where its files are written.
    pub place: String,
    /// How many records the manifest that is there speaks of; `None`: there is none.
    pub before: Option<u64>,
    /// Whether the week is over; one that is not is made anew by the schedule.
    pub is_over: bool,
    /// Whether it may have fewer records than before: those that have expired since are lost with the old files.
    pub shrink: bool,
}

/// What the function answers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Made {
    /// `2026-W47`.
    pub week: String,
    /// Its first moment, as RFC 3339.
    pub from: String,
    /// The first moment after it.
    pub to: String,
    /// How many records.
    pub records: u64,
    /// How long their texts are together.
    pub bytes: u64,
    /// The files as the manifest names them.
    pub files: Vec<File>,
    /// Whether anything was written.
    pub written: bool,
    /// Whether the bucket's manifest names the same already.
    pub unchanged: bool,
    /// Why the journal does not hold it, if so.
    #[serde(skip)]
    pub untold: Option<Why>,
}

/// Works out what would be made. Reads only.
pub async fn plan(session: &Session, week: Week) -> Result<Plan, Why> {
    let intake = Intake::open(session).await?;
    let place = format!("s3://{}/{}", intake.bucket()?, super::key(week, ""));
    let before = intake.manifest(week).await?.map(|manifest| manifest.records);
    let is_over = week <= Week::before(crate::ops::inspect::now());
    Ok(Plan { week, function: intake.function()?, place, before, is_over, shrink: false })
}

/// Makes what was planned, and waits for it: minutes, where a week has millions of records.
pub async fn run(session: &Session, plan: &Plan) -> Result<Made, Why> {
    let (session, writer) = session.for_writing().await?;
    let intent = Intent::new(Action::Summarise, vec![format!("{}{}", plan.place, super::MANIFEST)]);
    let work = call(&session, &plan.function, asked(plan.week, true, plan.shrink));
    let (made, untold) = journal::noted(&session, &writer, intent, work, |_| None).await?;
    Ok(Made { untold, ..made })
}

impl Intake {
    /// What the function would write of a week now. It writes nothing.
    pub(super) async fn recompute(&self, week: Week) -> Result<Made, Why> {
        call(&self.session, &self.function()?, asked(week, false, false)).await
    }
}

/// What the function calls a week that would have fewer records than before.
const SHRINKS: &str = "SummaryWouldShrink";

/// What the function is asked: the week, and the event.
fn asked(week: Week, write: bool, shrink: bool) -> (Week, Value) {
    let mut payload = json!({ "week": week.to_string() });
    if !write {
        payload["write"] = Value::Bool(false);
    }
    if shrink {
        payload["shrink"] = Value::Bool(true);
    }
    (week, payload)
}

async fn call(session: &Session, function: &str, (week, payload): (Week, Value)) -> Result<Made, Why> {
    let called = lambda::invoke_long(&session.clients, function, payload.to_string().into_bytes()).await;
    let called = called.map_err(|error| why(&error))?;
    if let Some(how) = called.failed {
        let said: Value = serde_json::from_slice(&called.payload).unwrap_or_default();
        let message = said.get("errorMessage").and_then(Value::as_str).unwrap_or("it does not say why");
        let id = called.request_id.map(|id| format!(" (request {id})")).unwrap_or_default();
        let why = Why::new(format!("the function {function} failed ({how}): {message}{id}"));
        return Err(match said.get("errorType").and_then(Value::as_str) {
            Some(SHRINKS) => why.hint(format!("plumb summary run --week {week} --shrink replaces them all the same")),
            _ => why.hint("its log says more; a week can be run again at any time"),
        });
    }
    let foreign = |_| {
        Why::new(format!("the function {function} answers as no summary function does"))
            .hint("is it the stack's SummaryFunctionName?")
    };
    let made: Made = serde_json::from_slice(&called.payload).map_err(foreign)?;
    if made.week == week.to_string() {
        return Ok(made);
    }
    Err(Why::new(format!("the function {function} was asked for {week}, and answers with {}", made.week)))
}
