//! Receipts that were read before. One listing tells which have not changed since, and which there are none of.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use super::{Receipt, Recorded, Store, UnitId};
use crate::aws::{Clients, s3};
use crate::compare::Why;

/// The receipts of an environment that are there, by key, each with the tag of its content.
pub type Index = BTreeMap<String, String>;

/// What was read before, by key.
#[derive(Debug, Default)]
pub struct Shelf(Mutex<HashMap<String, Arc<Receipt>>>);

impl Store {
    /// Which receipts there are: one call for each thousand. S3 lists what was written before, without a lag.
    pub async fn index(&self, clients: &Clients) -> Result<Index, Why> {
        let Some(bucket) = &self.bucket else { return Ok(Index::new()) };
        let start = format!("plumb/{}/{}/receipts/", self.project, self.environment);
        match s3::list(clients, bucket, &start).await {
            Ok(objects) => Ok(objects.into_iter().map(|object| (object.key, bare(&object.etag))).collect()),
            Err(error) => Err(crate::ops::why(&error)),
        }
    }

    /// The units of an index: one may have left git, or the project file.
    #[must_use]
    pub fn units(&self, index: &Index) -> BTreeSet<UnitId> {
        let start = format!("plumb/{}/{}/receipts/", self.project, self.environment);
        let unit = |key: &String| UnitId::parse(key.strip_prefix(&start)?.strip_suffix(".json")?);
        index.keys().filter_map(unit).collect()
    }
}

impl Shelf {
    /// A unit's receipt: no call when the index has none, or has the one that was read before; else one GET.
    pub async fn load(&self, clients: &Clients, store: &Store, index: &Index, unit: &UnitId) -> Recorded {
        let key = store.key(unit);
        let Some(tag) = index.get(&key) else { return Recorded::None };
        if let Some(receipt) = self.known(&key, tag) {
            return Recorded::Receipt(receipt);
        }
        let loaded = store.load(clients, unit).await;
        if let Recorded::Receipt(receipt) = &loaded {
            let mut receipts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            receipts.insert(key, Arc::clone(receipt));
        }
        loaded
    }

    fn known(&self, key: &str, tag: &str) -> Option<Arc<Receipt>> {
        let receipts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A tag that says nothing proves nothing.
        let is_same = |known: &&Arc<Receipt>| !tag.is_empty() && known.tag.as_deref().map(bare).as_deref() == Some(tag);
        receipts.get(key).filter(is_same).cloned()
    }
}

/// Listings and answers do not agree on the quotes around a tag.
fn bare(tag: &str) -> String {
    tag.trim_matches('"').to_owned()
}
