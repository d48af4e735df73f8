//! The intake and its summaries, as the console asks for them.

use super::live::Inner;
use crate::compare::Why;
use crate::console::{DataAnswer, DataAsk, DataWanted, DataWork, Target};
use crate::ops::inspect::now;
use crate::ops::intake::count::Ask;
use crate::ops::intake::post::{self, Draft};
use crate::ops::intake::{Day, Intake};
use crate::ops::session::Session;
use crate::ops::summary::run;

/// How many records the page lists.
const RECORDS: u32 = 200;

/// How many days before today the page counts.
const DAYS: usize = 13;

/// How many answers, of 1 MB each, are read of an eighth of a day: a day with more has at least so many records.
const MOST: u32 = 8;

impl Inner {
    pub(super) async fn data(&self, target: &Target, ask: DataAsk) -> DataAnswer {
        let intake = match self.session(&target.project, &target.environment).await {
            Ok(session) => Intake::open(&session).await.map(|intake| intake.at(self.clock())),
            Err(why) => Err(why),
        };
        let intake = match intake {
            Ok(intake) => intake,
            Err(why) => return ask.failed(why),
        };
        match ask {
            DataAsk::Counts => {
                let today = Day::of(self.clock().unwrap_or_else(now));
                let first = (0..DAYS).fold(today, |day, _| day.before());
                let ask = Ask { from: first.begins(), sources: true, most: Some(MOST) };
                DataAnswer::Counts(intake.count(ask).await)
            }
            DataAsk::Records => DataAnswer::Records(intake.last(RECORDS).await),
            DataAsk::Weeks => DataAnswer::Weeks(intake.weeks().await),
            DataAsk::Summary(week) => DataAnswer::Summary(intake.summary(week).await.map(Box::new)),
            DataAsk::Verify(week) => DataAnswer::Verified(intake.verify(week, true).await.map(Box::new)),
        }
    }

    pub(super) async fn plan_data(&self, session: &Session, wanted: DataWanted) -> Result<DataWork, Why> {
        match wanted {
            DataWanted::Post(text) => {
                let record = Draft { body: text.expose().trim().to_owned(), ..Draft::default() };
                post::plan(session, record).await.map(DataWork::Post)
            }
            DataWanted::Summarise(week) => run::plan(session, week).await.map(DataWork::Summarise),
        }
    }
}

/// Does what was planned; answers why the journal does not hold it, if so.
pub(super) async fn write(session: &Session, work: &DataWork) -> Result<Option<Why>, Why> {
    match work {
        DataWork::Post(plan) => post::post(session, plan).await.map(|posted| posted.untold),
        DataWork::Summarise(plan) => run::run(session, plan).await.map(|made| made.untold),
    }
}
