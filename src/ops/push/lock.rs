//! One push of an environment at a time: an object of the state bucket says who writes and until when, put only where
//! it is as it was read. It ends by its time, so that a push that was killed keeps nobody out for long.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::aws::{ErrorKind, s3};
use crate::compare::Why;
use crate::ops::journal::is_running;
use crate::ops::session::Session;
use crate::ops::{schema, why};

/// How long a lock holds, in milliseconds, unless it is renewed.
const HOLDS: i64 = 10 * 60 * 1000;
/// How often it is renewed.
const RENEWED: Duration = Duration::from_mins(3);
/// How often it is tried to be put against others that try the same.
const TRIES: usize = 5;

/// The object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Note {
    /// Format of this object.
    schema: u32,
    /// The push, as the journal of its machine knows it.
    id: String,
    /// Whose it is.
    by: String,
    /// Since when, milliseconds since the Unix epoch.
    since: i64,
    /// Until when; past that it holds nothing.
    until: i64,
    /// The machine, by a fingerprint that says nothing elsewhere, and the process there.
    machine: String,
    process: u32,
}

/// A lock that is held.
struct Lock {
    session: Session,
    bucket: String,
    key: String,
    note: Note,
    tag: String,
}

/// Does some work under the lock of the session's environment, or without one where there is no state bucket.
pub(super) async fn under<T>(
    session: &Session,
    id: &str,
    by: &str,
    work: impl Future<Output = Result<T, Why>>,
) -> Result<T, Why> {
    let Some(mut lock) = take(session, id, by).await? else { return work.await };
    let done = lock.hold(work).await.and_then(|done| done);
    lock.release().await;
    done
}

/// Takes the lock; `None`: there is no state bucket, and so no lock.
///
/// Fails when somebody else holds it, and says who, since when, and until when.
async fn take(session: &Session, id: &str, by: &str) -> Result<Option<Lock>, Why> {
    let store = session.receipts().await?;
    let Some(bucket) = store.bucket.clone() else { return Ok(None) };
    s3::ensure_bucket(&session.clients, &bucket).await.map_err(|error| why(&error))?;
    let machine = session.fingerprinter.fingerprint("the machine that holds a lock");
    let (key, process) = (store.lock(), std::process::id());
    for _ in 0..TRIES {
        let found = s3::get(&session.clients, &bucket, &key).await.map_err(|error| why(&error))?;
        let at = session.now();
        if let Some((bytes, _)) = &found {
            refuse(session, bytes, id, at, &machine)?;
        }
        let note = Note {
            schema: 1,
            id: id.to_owned(),
            by: by.to_owned(),
            since: at,
            until: at + HOLDS,
            machine: machine.clone(),
            process,
        };
        let condition = found.as_ref().map_or(s3::Condition::IfAbsent, |(_, tag)| s3::Condition::IfMatch(tag));
        match put(session, &bucket, &key, &note, condition).await {
            Ok(tag) => return Ok(Some(Lock { session: session.clone(), bucket, key, note, tag })),
            // Somebody was faster; or it was this very request, whose answer was lost.
            Err(error) if error.kind == ErrorKind::Conflict => {}
            Err(error) => return Err(why(&error)),
        }
    }
    Err(Why::new(format!("the lock s3://{bucket}/{key} could not be taken: others were faster {TRIES} times"))
        .hint("try again in a moment"))
}

/// Refuses while somebody else holds the lock.
fn refuse(session: &Session, bytes: &[u8], id: &str, at: i64, machine: &str) -> Result<(), Why> {
    // What cannot be read holds nothing, or nobody could ever push again.
    let Ok(note) = serde_json::from_slice::<Note>(bytes) else { return Ok(()) };
    let is_over = note.until <= at || note.id == id;
    // Of a process of this machine that is gone nobody has to wait for the end of its lock.
    let is_dead = note.machine == machine && !is_running(note.process);
    if is_over || is_dead {
        return Ok(());
    }
    let name = &session.environment().name;
    let (since, until) = (schema::time(note.since), schema::time(note.until));
    Err(Why::new(format!(
        "refused: {} has been writing to {name} since {since}, and holds the lock until {until}",
        note.by
    ))
    .hint("wait for the end of that, and plan again"))
}

async fn put(
    session: &Session,
    bucket: &str,
    key: &str,
    note: &Note,
    condition: s3::Condition<'_>,
) -> Result<String, crate::aws::Error> {
    let bytes = serde_json::to_vec_pretty(note).unwrap_or_default();
    s3::put(&session.clients, bucket, key, bytes, "application/json", condition, &BTreeMap::new()).await
}

impl Lock {
    /// Does some work while the lock is kept alive. Fails, and stops the work, when it was lost.
    async fn hold<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Why> {
        tokio::select! {
            done = work => Ok(done),
            why = self.renew() => Err(why),
        }
    }

    /// Renews it again and again. Comes back when it was lost.
    async fn renew(&mut self) -> Why {
        loop {
            tokio::time::sleep(RENEWED).await;
            let note = Note { until: self.session.now() + HOLDS, ..self.note.clone() };
            let condition = s3::Condition::IfMatch(&self.tag);
            match put(&self.session, &self.bucket, &self.key, &note, condition).await {
                Ok(tag) => (self.tag, self.note) = (tag, note),
                Err(error) if error.kind == ErrorKind::Conflict => {
                    return Why::new("stopped: somebody else has taken the lock over")
                        .hint("plumb push --resume goes on when they are done");
                }
                // It still holds for a while, and the next attempt may do better.
                Err(_) if self.session.now() < self.note.until => {}
                Err(error) => return why(&error),
            }
        }
    }

    /// Gives the lock back, if it still is this one's. Where that fails it ends by its time.
    async fn release(mut self) {
        self.note.until = 0;
        for _ in 0..TRIES {
            let condition = s3::Condition::IfMatch(&self.tag);
            match put(&self.session, &self.bucket, &self.key, &self.note, condition).await {
                Err(error) if error.kind == ErrorKind::Conflict => {}
                Ok(_) | Err(_) => return,
            }
            // A renewal may have been on its way when the work was done.
            let Ok(Some((bytes, tag))) = s3::get(&self.session.clients, &self.bucket, &self.key).await else { return };
            match serde_json::from_slice::<Note>(&bytes) {
                Ok(note) if note.id == self.note.id && note.until != 0 => self.tag = tag,
                _ => return,
            }
        }
    }
}
