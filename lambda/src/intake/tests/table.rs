//! The intake's table, in memory, by DynamoDB's rules: a marker that has not run out keeps another record from being stored.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::super::{Entry, Put, Unstored, World};

/// What becomes of a write instead of being made.
#[derive(Debug, Clone)]
pub(super) enum Fault {
    /// It is refused.
    Refused(bool),
    /// It is made, and its answer is lost.
    Lost,
}

/// Records and markers.
#[derive(Default)]
pub(super) struct Table {
    pub(super) now: Mutex<i64>,
    pub(super) records: Mutex<BTreeMap<String, Entry>>,
    markers: Mutex<BTreeMap<String, (String, String, i64)>>,
    pub(super) faults: Mutex<VecDeque<Fault>>,
    pub(super) broken: Mutex<bool>,
    pub(super) schema: Mutex<Option<String>>,
    /// How often the schema was read.
    pub(super) schema_reads: AtomicUsize,
}

impl World for Arc<Table> {
    fn now(&self) -> i64 {
        *self.now.lock().unwrap()
    }

    async fn put(&self, entry: &Entry, now: i64) -> Result<Put, Unstored> {
        let fault = self.faults.lock().unwrap().pop_front();
        let refused = |may_pass| Err(Unstored { may_pass, reason: "ThrottlingException".to_owned() });
        if let Some(Fault::Refused(may_pass)) = fault {
            return refused(may_pass);
        }
        if *self.broken.lock().unwrap() {
            return refused(true);
        }
        let (mut records, mut markers) = (self.records.lock().unwrap(), self.markers.lock().unwrap());
        if let Some((record, digest, _)) = markers.get(&entry.key).filter(|(_, _, expires)| *expires > now) {
            return Ok(Put::Known { record: record.clone(), digest: digest.clone() });
        }
        if records.contains_key(&entry.id.to_string()) {
            return Ok(Put::Taken);
        }
        markers.insert(entry.key.clone(), (entry.id.to_string(), entry.digest.clone(), entry.key_expires));
        records.insert(entry.id.to_string(), entry.clone());
        if fault.is_some() { refused(true) } else { Ok(Put::Stored) }
    }

    async fn reach(&self) -> Result<(), Unstored> {
        if *self.broken.lock().unwrap() {
            return Err(Unstored { may_pass: false, reason: "ResourceNotFoundException".to_owned() });
        }
        Ok(())
    }

    async fn schema(&self) -> Result<Option<String>, Unstored> {
        self.schema_reads.fetch_add(1, Ordering::SeqCst);
        Ok(self.schema.lock().unwrap().clone())
    }
}
