//! What is asked of the intake and its summaries, and what they answer. Nothing of it writes; posting a record and making
//! a summary are plans.

use crate::compare::Why;
use crate::ops::intake::Record;
use crate::ops::intake::count::Count;
use crate::ops::summary::verify::Verified;
use crate::ops::summary::{Manifest, Row, Summary, Week};

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DataAsk {
    /// How many records came in on each of the last days.
    Counts,
    /// The last records.
    Records,
    /// The weeks that have a summary.
    Weeks,
    /// What a week's summary says.
    Summary(Week),
    /// Whether a week's summary is whole, and still true.
    Verify(Week),
}

/// What is answered.
#[derive(Debug, Clone, PartialEq)]
pub enum DataAnswer {
    /// By day and source, the first day first.
    Counts(Result<Vec<Count>, Why>),
    /// The newest first.
    Records(Result<Vec<Record>, Why>),
    /// The newest first.
    Weeks(Result<Vec<Row>, Why>),
    /// What is in one.
    Summary(Result<Box<(Manifest, Summary)>, Why>),
    /// What was proven of one.
    Verified(Result<Box<Verified>, Why>),
}

impl DataAsk {
    /// The answer that there is none, and why.
    #[must_use]
    pub fn failed(self, why: Why) -> DataAnswer {
        match self {
            Self::Counts => DataAnswer::Counts(Err(why)),
            Self::Records => DataAnswer::Records(Err(why)),
            Self::Weeks => DataAnswer::Weeks(Err(why)),
            Self::Summary(_) => DataAnswer::Summary(Err(why)),
            Self::Verify(_) => DataAnswer::Verified(Err(why)),
        }
    }
}
