//! The last records, and those that come in while somebody looks on.

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt, stream};

use super::{AT_ONCE, Day, Intake, Record, days, ulid};
use crate::aws::dynamodb::{self, Query};
use crate::compare::Why;
use crate::ops::why;

/// How many days are looked through for the last records.
const DAYS: usize = 14;

/// How much later than others a record may turn up: functions have clocks of their own, and an index lags.
const LAG: i64 = 60_000;

/// What was seen of an intake, so that each record is told once.
#[derive(Debug)]
pub struct Seen {
    ids: BTreeSet<String>,
    /// The latest time that is known to be over, in milliseconds since the Unix epoch.
    at: i64,
    /// Up to this id nothing was new when it began; `None`: that was asked for.
    before: Option<String>,
}

impl Intake {
    /// The last records, the newest first; of the last two weeks, where there are fewer.
    pub async fn last(&self, most: u32) -> Result<Vec<Record>, Why> {
        let (from, to) = (ulid::least(0), ulid::greatest());
        let wanted = usize::try_from(most).unwrap_or(usize::MAX);
        let mut found: Vec<Record> = Vec::new();
        let mut day = Day::of(self.now());
        for _ in 0..DAYS {
            let limit = u32::try_from(wanted - found.len()).unwrap_or(u32::MAX);
            let (from, to) = (from.as_str(), to.as_str());
            let slots = stream::iter(day.slots()).map(|slot| async move {
                let query = self.query(&slot, from, to);
                self.read(Query { newest_first: true, limit: Some(limit), ..query }, Some(wanted)).await
            });
            let mut of_day: Vec<Record> = slots.buffer_unordered(AT_ONCE).try_concat().await?;
            of_day.sort_unstable_by(|one, two| two.id.cmp(&one.id));
            found.extend(of_day);
            found.truncate(wanted);
            if found.len() == wanted {
                break;
            }
            day = day.before();
        }
        Ok(found)
    }

    /// Begins to look on: after these records.
    #[must_use]
    pub fn look_on(&self, known: &[Record]) -> Seen {
        let at = known.iter().filter_map(Record::at).max().unwrap_or_else(|| self.now());
        let ids: BTreeSet<String> = known.iter().map(|record| record.id.clone()).collect();
        Seen { at, before: ids.last().cloned(), ids }
    }

    /// What has come in since, the oldest first. One that turns up late comes late, and each of them once.
    pub async fn after(&self, seen: &mut Seen) -> Result<Vec<Record>, Why> {
        let since = seen.at - LAG;
        let (from, to) = (ulid::least(since), ulid::greatest());
        let (from, to) = (from.as_str(), to.as_str());
        // Whatever this machine's clock says, the day of what was seen last is looked at, and the one after it.
        let days = days(since, self.now().max(seen.at + LAG));
        let slots = stream::iter(days.into_iter().flat_map(Day::slots));
        let slots = slots.map(|slot| async move { self.read(self.query(&slot, from, to), None).await });
        let mut found: Vec<Record> = slots.buffer_unordered(AT_ONCE).try_concat().await?;
        found.retain(|record| !seen.ids.contains(&record.id));
        found.sort_unstable_by(|one, two| one.id.cmp(&two.id));
        Ok(seen.take(found))
    }

    async fn read(&self, query: Query<'_>, most: Option<usize>) -> Result<Vec<Record>, Why> {
        let (mut found, mut next) = (Vec::new(), None);
        loop {
            let page =
                dynamodb::page(&self.session.clients, query, next.as_ref()).await.map_err(|error| why(&error))?;
            for item in &page.items {
                found.push(Record::of(item).ok_or_else(|| self.foreign(item.text("id").unwrap_or("an item")))?);
            }
            next = page.next;
            if next.is_none() || most.is_some_and(|most| found.len() >= most) {
                return Ok(found);
            }
        }
    }
}

impl Seen {
    /// Remembers what was found, and gives what of it is new.
    fn take(&mut self, mut found: Vec<Record>) -> Vec<Record> {
        self.at = found.iter().filter_map(Record::at).fold(self.at, i64::max);
        self.ids.extend(found.iter().map(|record| record.id.clone()));
        // Nothing older is asked for again.
        self.ids = self.ids.split_off(&ulid::least(self.at - LAG));
        if let Some(before) = self.before.take() {
            found.retain(|record| record.id > before);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(at: i64, last: char) -> Record {
        let id = format!("{}{last}", ulid::least(at).get(..25).unwrap());
        Record { id, received: String::new(), source: String::new(), bytes: 2, expires: None, body: String::from("{}") }
    }

    #[test]
    fn what_is_remembered_is_what_may_be_asked_for_again() {
        let mut seen = Seen { ids: BTreeSet::new(), at: 1_000_000, before: None };
        seen.take(vec![record(1_000_500, 'A'), record(999_000, 'B')]);
        assert_eq!((seen.at, seen.ids.len()), (1_000_500, 2));
        // One that turned up late moves no time back, and what is long over is forgotten.
        seen.take(vec![record(1_059_900, 'C')]);
        assert_eq!((seen.at, seen.ids.len()), (1_059_900, 2), "{:?}", seen.ids);
        seen.take(vec![record(2_000_000, 'D')]);
        assert_eq!(seen.ids.into_iter().collect::<Vec<_>>(), [record(2_000_000, 'D').id]);
    }

    #[test]
    fn what_was_there_before_is_not_new_and_what_turns_up_late_is() {
        let last = record(1_000_000, 'B');
        let mut seen = Seen { ids: [last.id.clone()].into(), at: 1_000_000, before: Some(last.id) };
        assert_eq!(seen.take(vec![record(990_000, 'A'), record(1_000_001, 'C')]), [record(1_000_001, 'C')]);
        assert!(seen.ids.contains(&record(990_000, 'A').id));
        assert_eq!(seen.take(vec![record(995_000, 'D')]), [record(995_000, 'D')]);
    }
}
