//! The team's journal: each settled write as an object of the project's state bucket.

use std::collections::BTreeMap;

use futures::stream::{self, StreamExt};

use super::{Entry, Found, Query, SCHEMA};
use crate::aws::{ErrorKind, s3};
use crate::compare::Why;
use crate::ops::session::Session;
use crate::ops::why;

/// Objects that are read at a time.
const AT_ONCE: usize = 8;

/// Writes a settled entry; one that was continued takes the place of what was told of it before. A project without a
/// state bucket has no team journal, and that is no failure.
pub(super) async fn write(session: &Session, entry: &Entry, again: bool) -> Result<(), Why> {
    let store = session.receipts().await?;
    let Some(bucket) = &store.bucket else { return Ok(()) };
    let told = |reason: String| {
        Why::new(format!("the team's journal was not told: {reason}")).hint("plumb journal shows this machine's own")
    };
    let bytes = serde_json::to_vec_pretty(entry).map_err(|error| told(error.to_string()))?;
    // Keys sort as times do.
    let key = format!("{}{}-{}.json", store.journal(), stamp(entry.at), entry.id);
    let condition = if again { s3::Condition::None } else { s3::Condition::IfAbsent };
    s3::put(&session.clients, bucket, &key, bytes, "application/json", condition, &BTreeMap::new())
        .await
        .map(drop)
        .map_err(|error| told(error.to_string()))
}

/// What the team's journal holds of this environment, the newest first.
pub async fn read(session: &Session, limit: usize) -> Result<Found, Why> {
    let store = session.receipts().await?;
    let Some(bucket) = &store.bucket else {
        return Err(Why::new("the project names no state bucket, where the team's journal would be")
            .hint("set [state] bucket in plumb.toml"));
    };
    let objects = match s3::list(&session.clients, bucket, &store.journal()).await {
        // Before the first write there is no bucket.
        Err(error) if error.kind == ErrorKind::NotFound => Vec::new(),
        objects => objects.map_err(|error| why(&error))?,
    };
    // Collected, since what is made of borrowed objects meanwhile could not be sent to another thread.
    let newest: Vec<String> = objects.into_iter().rev().take(limit).map(|object| object.key).collect();
    let read = stream::iter(newest.into_iter().map(|key| async move { s3::get(&session.clients, bucket, &key).await }))
        .buffered(AT_ONCE)
        .collect::<Vec<_>>()
        .await;
    let mut found = Found::default();
    for object in read {
        let Some((bytes, _)) = object.map_err(|error| why(&error))? else { continue };
        match serde_json::from_slice::<Entry>(&bytes) {
            Ok(entry) if entry.schema <= SCHEMA => found.entries.push(entry),
            _ => found.unreadable += 1,
        }
    }
    found.entries.reverse();
    found.newest_first(&Query::default());
    Ok(found)
}

/// `20260314T024119.000Z`.
fn stamp(at: i64) -> String {
    jiff::Timestamp::from_millisecond(at)
        .map_or_else(|_| at.to_string(), |time| time.strftime("%Y%m%dT%H%M%S.%3fZ").to_string())
}
