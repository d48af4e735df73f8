//! The manifest: what a week is made of. Readers trust what it names, and nothing else.
//!
//! It names each file by its digest and by the version that the bucket gave it, so that files of another run, written over
//! them before that run had an end, change nothing of the week.

use serde::{Deserialize, Serialize};

use super::{Bounds, FORMAT, Failure, MANIFEST, Week, World, key};
use crate::digest;

/// A file of a week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    name: String,
    bytes: u64,
    sha256: String,
    /// Which version of the object it is; nothing of one that was not written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<String>,
}

impl Named {
    pub(super) fn new(name: &str, bytes: u64, sha256: String) -> Self {
        Self { name: name.to_owned(), bytes, sha256, version: None }
    }

    pub(super) fn of(name: &str, text: &str) -> Self {
        Self::new(name, u64::try_from(text.len()).unwrap_or_default(), digest::sha256(&[text.as_bytes()]))
    }

    /// Whether both are the same bytes, wherever they lie.
    fn is(&self, other: &Self) -> bool {
        (&self.name, self.bytes, &self.sha256) == (&other.name, other.bytes, &other.sha256)
    }
}

/// A manifest, as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    format: String,
    pub(super) week: String,
    pub(super) from: String,
    pub(super) to: String,
    /// Of a week that was not over: records from then on are not in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<String>,
    pub(super) records: u64,
    pub(super) bytes: u64,
    pub(super) files: Vec<Named>,
}

impl Manifest {
    pub(super) fn new(week: Week, bounds: &Bounds, (records, bytes): (u64, u64), files: Vec<Named>) -> Self {
        let (from, to) = (week.from(), week.to());
        Self {
            format: FORMAT.to_owned(),
            week: week.to_string(),
            from,
            to,
            until: bounds.told(),
            records,
            bytes,
            files,
        }
    }

    /// Whether both say the same of a week, wherever its files lie.
    pub(super) fn says(&self, other: &Self) -> bool {
        let head =
            |it: &Self| (it.week.clone(), it.from.clone(), it.to.clone(), it.records, it.bytes, it.until.is_some());
        let files = self.files.len() == other.files.len();
        head(self) == head(other) && files && self.files.iter().zip(&other.files).all(|(one, other)| one.is(other))
    }

    /// How many records it names, where it is of a whole week and the other has fewer.
    pub(super) fn shrinks_to(&self, other: &Self) -> Option<u64> {
        (self.until.is_none() && other.records < self.records).then_some(self.records)
    }

    /// Whether what lies under the files' keys is what it names. A version never changes, so that one that is there is
    /// what was written.
    pub(super) async fn lies<W: World>(&self, world: &W, week: Week) -> Result<bool, Failure> {
        for file in &self.files {
            if file.version.is_none() || world.version(&key(week, &file.name)).await? != file.version {
                return Ok(false);
            }
        }
        Ok(true)
    }

    pub(super) fn text(&self) -> Result<String, Failure> {
        let text = serde_json::to_string(self).map_err(|error| Failure::Failed(error.to_string()))?;
        Ok(text + "\n")
    }
}

/// The manifest that the bucket has.
pub(super) struct Known {
    pub(super) text: String,
    /// What the bucket calls this content, so that it and no other is replaced.
    pub(super) tag: String,
    /// Nothing of one that cannot be read: it names nothing, and is replaced.
    pub(super) manifest: Option<Manifest>,
}

impl Known {
    pub(super) async fn find<W: World>(world: &W, week: Week) -> Result<Option<Self>, Failure> {
        let place = key(week, MANIFEST);
        let Some((text, tag)) = world.text(&place).await? else { return Ok(None) };
        let manifest: Option<Manifest> = serde_json::from_str(&text).ok();
        match &manifest {
            Some(found) if found.format != FORMAT => Err(Failure::Refused(format!(
                "{place} has the format {}, which this function does not write: a newer one does",
                found.format
            ))),
            _ => Ok(Some(Self { text, tag, manifest })),
        }
    }
}
