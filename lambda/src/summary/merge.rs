//! A day's records in the order of their ids: its eight slots, each in order, merged page by page.

use std::collections::VecDeque;

use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use serde_json::Value;

use super::{Bounds, Failure, Page, Row, World};

/// The time index has a day in so many slots.
pub(super) const SHARDS: u8 = 8;
/// So many pages are read at once. A page may have a megabyte, and needs several while it is being read.
const AT_ONCE: usize = 4;
/// Slots run out at about the same time. One that has less than this part of its last page left is filled with the others.
const LOW: usize = 8;

/// One slot, as far as it was read.
struct Lane {
    slot: String,
    rows: VecDeque<Row>,
    next: Option<Value>,
    /// Nothing was read yet.
    fresh: bool,
    /// How many rows the last page had.
    page: usize,
}

impl Lane {
    fn has_more(&self) -> bool {
        self.fresh || self.next.is_some()
    }
}

/// A day that is being read.
pub(super) struct Day<'a, W> {
    world: &'a W,
    bounds: &'a Bounds,
    lanes: Vec<Lane>,
}

impl<'a, W: World> Day<'a, W> {
    pub(super) fn new(world: &'a W, date: &str, bounds: &'a Bounds) -> Self {
        let lane =
            |shard| Lane { slot: format!("{date}#{shard}"), rows: VecDeque::new(), next: None, fresh: true, page: 0 };
        Self { world, bounds, lanes: (0..SHARDS).map(lane).collect() }
    }

    /// The next record.
    pub(super) async fn next(&mut self) -> Result<Option<Row>, Failure> {
        while self.lanes.iter().any(|lane| lane.rows.is_empty() && lane.has_more()) {
            self.fill().await?;
        }
        let fronts = self.lanes.iter_mut().filter(|lane| !lane.rows.is_empty());
        let first =
            fronts.min_by(|one, other| one.rows.front().map(|row| &row.id).cmp(&other.rows.front().map(|row| &row.id)));
        Ok(first.and_then(|lane| lane.rows.pop_front()))
    }

    /// Reads a page of each slot that has little left.
    async fn fill(&mut self) -> Result<(), Failure> {
        let (world, bounds) = (self.world, self.bounds);
        let low = self.lanes.iter_mut().filter(|lane| lane.has_more() && lane.rows.len() * LOW <= lane.page);
        let filled = stream::iter(low.map(|lane| async move {
            let Page { rows, next } = world.page(&lane.slot, bounds, lane.next.as_ref()).await?;
            let ordered = lane.rows.back().into_iter().chain(&rows).is_sorted_by(|one, other| one.id < other.id);
            if !ordered {
                return Err(Failure::Failed(format!("the records of {} are not in the order of their ids", lane.slot)));
            }
            (lane.page, lane.next, lane.fresh) = (rows.len(), next, false);
            lane.rows.extend(rows);
            Ok(())
        }));
        filled.buffer_unordered(AT_ONCE).try_collect::<()>().await
    }

    /// How many records the table counts.
    pub(super) async fn count(&self) -> Result<u64, Failure> {
        let counts = stream::iter(self.lanes.iter().map(|lane| self.world.count(&lane.slot, self.bounds)));
        counts.buffer_unordered(AT_ONCE).try_fold(0, async |sum, count| Ok(sum + count)).await
    }
}
