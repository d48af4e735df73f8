//! How many records there are, by day and by source.

use std::collections::BTreeMap;

use futures::{StreamExt, TryStreamExt, stream};

use super::{AT_ONCE, Day, Intake, days, ulid};
use crate::aws::dynamodb;
use crate::compare::Why;
use crate::ops::why;

/// What is counted.
#[derive(Debug, Clone, Copy)]
pub struct Ask {
    /// From when, in milliseconds since the Unix epoch.
    pub from: i64,
    /// Whether the sources are counted too, for which each record's is read.
    pub sources: bool,
    /// The most answers that are read of each eighth of a day; `None`: all there are. An answer is of 1 MB.
    pub most: Option<u32>,
}

/// The records of a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Count {
    /// The day.
    pub day: Day,
    /// How many there are.
    pub records: u64,
    /// How many of each source, where that was asked.
    pub sources: BTreeMap<String, u64>,
    /// Whether that is all of them; else there are at least as many.
    pub whole: bool,
}

/// One answer's part of a day.
#[derive(Default)]
struct Part {
    records: u64,
    sources: BTreeMap<String, u64>,
    cut: bool,
}

impl Intake {
    /// Counts the records since a time, day by day up to now. Fails as a whole, never with some of the days.
    pub async fn count(&self, ask: Ask) -> Result<Vec<Count>, Why> {
        let days = days(ask.from, self.now());
        let (from, to) = (ulid::least(ask.from), ulid::greatest());
        let (from, to) = (from.as_str(), to.as_str());
        let slots: Vec<(Day, String)> = days.iter().flat_map(|day| day.slots().map(|slot| (*day, slot))).collect();
        let parts = stream::iter(slots)
            .map(|(day, slot)| async move { self.slot(&slot, (from, to), ask).await.map(|part| (day, part)) })
            .buffer_unordered(AT_ONCE);
        let begin: BTreeMap<Day, Count> = days
            .into_iter()
            .map(|day| (day, Count { day, records: 0, sources: BTreeMap::new(), whole: true }))
            .collect();
        let counts = parts
            .try_fold(begin, |mut counts, (day, part)| async move {
                if let Some(count) = counts.get_mut(&day) {
                    count.records += part.records;
                    count.whole &= !part.cut;
                    for (source, records) in part.sources {
                        *count.sources.entry(source).or_default() += records;
                    }
                }
                Ok(counts)
            })
            .await?;
        Ok(counts.into_values().collect())
    }

    async fn slot(&self, slot: &str, (from, to): (&str, &str), ask: Ask) -> Result<Part, Why> {
        let clients = &self.session.clients;
        let query = dynamodb::Query { only: Some("source"), ..self.query(slot, from, to) };
        let (mut part, mut next, mut pages) = (Part::default(), None, 0);
        loop {
            let page = if ask.sources {
                dynamodb::page(clients, query, next.as_ref()).await
            } else {
                dynamodb::count(clients, query, next.as_ref()).await
            };
            let page = page.map_err(|error| why(&error))?;
            part.records += page.count;
            for item in &page.items {
                let source = item.text("source").unwrap_or("unknown");
                match part.sources.get_mut(source) {
                    Some(records) => *records += 1,
                    None => drop(part.sources.insert(source.to_owned(), 1)),
                }
            }
            pages += 1;
            next = page.next;
            part.cut = next.is_some();
            if next.is_none() || ask.most.is_some_and(|most| pages >= most) {
                return Ok(part);
            }
        }
    }
}

/// The sources of several days together, those with most records first.
#[must_use]
pub fn by_source(counts: &[Count]) -> Vec<(&str, u64)> {
    let mut sources: BTreeMap<&str, u64> = BTreeMap::new();
    for (source, records) in counts.iter().flat_map(|count| &count.sources) {
        *sources.entry(source).or_default() += records;
    }
    let mut sources: Vec<(&str, u64)> = sources.into_iter().collect();
    sources.sort_by(|(one, less), (two, more)| more.cmp(less).then(one.cmp(two)));
    sources
}
