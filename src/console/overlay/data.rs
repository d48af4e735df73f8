//! Plans of the data page: a record that is posted, a week's summary that is made.

use super::plan::{Sheet, SheetRow};
use crate::ops::intake::{post, pretty};
use crate::ops::summary::{Week, run};
use crate::secret::Secret;

/// What a plan is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataWanted {
    /// To post this record.
    Post(Secret),
    /// To make a week's summary.
    Summarise(Week),
}

/// What is done once it is confirmed.
#[derive(Debug, Clone, PartialEq)]
pub enum DataWork {
    /// A record is posted.
    Post(post::Plan),
    /// A week's summary is made.
    Summarise(run::Plan),
}

impl DataWanted {
    pub(super) fn title(&self) -> &'static str {
        match self {
            Self::Post(_) => "POST PLAN",
            Self::Summarise(_) => "SUMMARY PLAN",
        }
    }
}

impl DataWork {
    /// What is going on meanwhile.
    pub(in crate::console) fn doing(&self) -> String {
        match self {
            Self::Post(_) => String::from("posting a record"),
            Self::Summarise(plan) => format!("summing up {}", plan.week),
        }
    }

    /// The week that it is about.
    pub(in crate::console) fn week(&self) -> Option<Week> {
        match self {
            Self::Post(_) => None,
            Self::Summarise(plan) => Some(plan.week),
        }
    }

    pub(super) fn sheet(&self) -> Sheet {
        match self {
            Self::Post(plan) => posting(plan),
            Self::Summarise(plan) => summing_up(plan),
        }
    }
}

fn posting(plan: &post::Plan) -> Sheet {
    let mut notes = vec![
        ('i', String::from("it counts as any other record does")),
        ('i', String::from("nothing takes it away again; the journal keeps that one was posted, not what")),
    ];
    if plan.record.is_test() {
        notes.insert(0, ('i', String::from("it says of itself that it is a test")));
    }
    Sheet {
        facts: vec![("intake", plan.stack.clone()), ("to", plan.endpoint.clone())],
        whole: Some(("record", pretty::lines(&plan.record.body).join(" "))),
        notes,
        verb: String::from("post it"),
        done: String::from("the record is posted"),
        ..Sheet::default()
    }
}

fn summing_up(plan: &run::Plan) -> Sheet {
    let before = plan.before.map_or_else(|| String::from("none"), |records| format!("{records} records"));
    let row = [plan.week.to_string(), before, String::from("what the table says now")];
    let mut notes = vec![
        ('i', String::from("the same records give the same bytes; where nothing changed nothing is written")),
        ('i', String::from("the function reads the whole week: seconds, or minutes where it has millions of records")),
    ];
    if !plan.is_over {
        notes.insert(0, ('!', format!("{} is not over: it is to be made again once it is", plan.week)));
    }
    Sheet {
        facts: vec![("function", plan.function.clone()), ("writes", plan.place.clone())],
        heads: ["SUMMARY OF", "NOW", "WILL SAY"],
        rows: vec![SheetRow { sign: '~', texts: row, ..SheetRow::default() }],
        notes,
        verb: format!("make the summary of {}", plan.week),
        done: format!("the summary of {} is made", plan.week),
        ..Sheet::default()
    }
}
