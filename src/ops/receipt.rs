//! What was last rolled out from git, per environment and unit.
//!
//! A receipt names commits, live versions and digests of ciphertext; never a value, nor a digest of one. It is
//! an object of the state bucket, written after the values, by conditional put.

mod shelf;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::aws::{self, Clients, s3};
use crate::compare::Why;

pub use shelf::{Index, Shelf};

/// The format that this version reads and writes.
pub const SCHEMA: u32 = 1;

/// What belongs together in one receipt.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum UnitId {
    /// A service's config, of every layer.
    Config(String),
    /// A stack and its functions' code.
    Stack(String),
    /// All secrets of the environment.
    Secrets,
}

impl UnitId {
    /// The unit of this name, as [`fmt::Display`] writes it.
    pub(super) fn parse(name: &str) -> Option<Self> {
        match name.split_once('/') {
            None => (name == "secrets").then_some(Self::Secrets),
            Some(("config", service)) => Some(Self::Config(service.to_owned())),
            Some(("stack", stack)) => Some(Self::Stack(stack.to_owned())),
            Some(_) => None,
        }
    }
}

/// The receipt of one unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Format of this object; a newer one is not read.
    pub schema: u32,
    /// The project's name.
    pub project: String,
    /// The environment's name.
    pub environment: String,
    /// The unit: `config/billing`, `stack/petshop-dev`, `secrets`.
    pub unit: String,
    /// The commit rolled out last, all of it.
    pub commit: String,
    /// When, milliseconds since the Unix epoch.
    pub at: i64,
    /// The caller's ARN.
    pub by: String,
    /// Per item (a parameter's or secret's name, a function's logical id) what was rolled out.
    pub items: BTreeMap<String, Entry>,
    /// Items that were live with another value when the receipt was written, and had no record: which side moved is not known.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub unsettled: BTreeSet<String>,
    /// Of a stack: when AWS says that it last changed, milliseconds since the Unix epoch. While that holds, what is
    /// deployed is what was rolled out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack_changed_at: Option<i64>,
    /// The object's tag when it was read, by which a conditional put knows what it replaces.
    #[serde(skip)]
    pub tag: Option<String>,
}

/// What was rolled out of one item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The commit that its value is from; older than the receipt's when a later push left it out.
    pub commit: String,
    /// The live version that the write produced: a parameter's number, a secret's version id, a function's version.
    pub version: String,
    /// When AWS says that this version was made, milliseconds since the Unix epoch. A parameter that was
    /// deleted and made anew counts its versions from 1 again.
    pub modified: Option<i64>,
    /// When this was written: live was that version then, milliseconds since the Unix epoch; `None` in receipts that are
    /// older than this field. What moves live comes after, however often the receipt is written anew meanwhile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<i64>,
    /// Digest of the ciphertext in git; of a function, the git tree id of its source.
    pub digest: String,
    /// Of a function: SHA-256 (base64, as Lambda shows it) of the artifact that was built from that tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code_sha256: Option<String>,
    /// Of a function: the alias that was pointed to that version; `None` where `$LATEST` serves, and in receipts that are
    /// older than this field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
}

/// A unit's receipt as far as it can be read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Recorded {
    /// There is none.
    #[default]
    None,
    /// There is one, and this is it.
    Receipt(Arc<Receipt>),
    /// There may be one that cannot be read.
    Unreadable(Why),
}

impl Recorded {
    /// The receipt, when there is a readable one.
    #[must_use]
    pub fn receipt(&self) -> Option<&Receipt> {
        match self {
            Self::Receipt(receipt) => Some(receipt),
            Self::None | Self::Unreadable(_) => None,
        }
    }

    /// The item's entry.
    #[must_use]
    pub fn entry(&self, item: &str) -> Option<&Entry> {
        self.receipt()?.items.get(item)
    }
}

impl fmt::Display for UnitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(service) => write!(f, "config/{service}"),
            Self::Stack(name) => write!(f, "stack/{name}"),
            Self::Secrets => f.write_str("secrets"),
        }
    }
}

/// Where the receipts of one environment lie.
#[derive(Debug, Clone)]
pub struct Store {
    /// The state bucket; `None` when the project names none.
    pub bucket: Option<String>,
    /// The project's name.
    pub project: String,
    /// The environment's name.
    pub environment: String,
}

impl Store {
    /// The key of a unit's receipt.
    #[must_use]
    pub fn key(&self, unit: &UnitId) -> String {
        format!("plumb/{}/{}/receipts/{unit}.json", self.project, self.environment)
    }

    /// What the keys of the team's journal begin with.
    #[must_use]
    pub(super) fn journal(&self) -> String {
        format!("plumb/{}/{}/journal/", self.project, self.environment)
    }

    /// The key of the lock that keeps two pushes apart.
    #[must_use]
    pub(super) fn lock(&self) -> String {
        format!("plumb/{}/{}/lock.json", self.project, self.environment)
    }

    /// Reads a unit's receipt: one GET.
    pub async fn load(&self, clients: &Clients, unit: &UnitId) -> Recorded {
        match self.held(clients, unit).await {
            Ok(Some(receipt)) => Recorded::Receipt(Arc::new(receipt)),
            Ok(None) => Recorded::None,
            Err(why) => Recorded::Unreadable(why),
        }
    }

    /// Reads a unit's receipt for a change: what is put by [`Self::replace`] afterwards is known to replace this one.
    pub async fn held(&self, clients: &Clients, unit: &UnitId) -> Result<Option<Receipt>, Why> {
        let Some(bucket) = &self.bucket else { return Ok(None) };
        let key = self.key(unit);
        let found = match s3::get(clients, bucket, &key).await {
            // Before the first push or deployment there is no bucket, and so no receipt.
            Err(error) if error.kind == aws::ErrorKind::NotFound => None,
            found => found.map_err(|error| super::why(&error))?,
        };
        let Some((bytes, tag)) = found else { return Ok(None) };
        let receipt = parse(&format!("s3://{bucket}/{key}"), &bytes)?;
        Ok(Some(Receipt { tag: Some(tag), ..receipt }))
    }

    /// Puts a unit's receipt in the place of one that was read before, or of none. False: another writer was faster, so
    /// that whatever was read of live since then may be older than what that one wrote; read it all again.
    pub async fn replace(
        &self,
        clients: &Clients,
        unit: &UnitId,
        held: Option<&Receipt>,
        new: &Receipt,
    ) -> Result<bool, Why> {
        let Some(bucket) = &self.bucket else {
            return Err(Why::new("cannot write a receipt: the project names no state bucket")
                .hint("set [state] bucket in plumb.toml"));
        };
        let key = self.key(unit);
        let tag = held.and_then(|held| held.tag.as_deref());
        let condition = tag.map_or(s3::Condition::IfAbsent, s3::Condition::IfMatch);
        let bytes = serde_json::to_vec_pretty(new).map_err(|error| Why::new(error.to_string()))?;
        match s3::put(clients, bucket, &key, bytes, "application/json", condition, &BTreeMap::new()).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind == aws::ErrorKind::Conflict => Ok(false),
            Err(error) => Err(super::why(&error)),
        }
    }

    /// Changes a unit's receipt, by conditional put: when another writer was faster, `change` is applied
    /// to what that one wrote.
    pub async fn update(
        &self,
        clients: &Clients,
        unit: &UnitId,
        change: impl Fn(Option<Receipt>) -> Receipt,
    ) -> Result<(), Why> {
        for _ in 0..TRIES {
            let held = self.held(clients, unit).await?;
            let new = change(held.clone());
            if self.replace(clients, unit, held.as_ref(), &new).await? {
                return Ok(());
            }
        }
        Err(overtaken())
    }
}

/// How often a receipt is tried to be written against other writers.
pub(super) const TRIES: usize = 5;

/// Why a receipt is not written after that.
pub(super) fn overtaken() -> Why {
    Why::new(format!("cannot write the receipts: other writers were faster {TRIES} times"))
        .hint("try again when the other push or deployment is done")
}

fn parse(subject: &str, bytes: &[u8]) -> Result<Receipt, Why> {
    #[derive(Deserialize)]
    struct Format {
        schema: u32,
    }
    let broken = |error: serde_json::Error| {
        Why::new(format!("cannot read receipt {subject}: {error}")).hint("plumb record writes it anew")
    };
    let format: Format = serde_json::from_slice(bytes).map_err(broken)?;
    if format.schema > SCHEMA {
        return Err(Why::new(format!(
            "receipt {subject} has format {}, and this plumb reads up to {SCHEMA}",
            format.schema
        ))
        .hint("update plumb"));
    }
    serde_json::from_slice(bytes).map_err(broken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_of_a_newer_version_is_refused_by_its_format_not_by_its_fields() {
        let why = parse("s3://b/k", br#"{"schema": 2, "surprise": true}"#).unwrap_err();
        assert!(why.reason.contains("format 2"), "{why}");
        assert_eq!(why.hint.as_deref(), Some("update plumb"));
    }

    #[test]
    fn a_unit_is_read_back_from_its_name() {
        let units = [UnitId::Config("billing".into()), UnitId::Stack("petshop-dev".into()), UnitId::Secrets];
        for unit in units {
            assert_eq!(UnitId::parse(&unit.to_string()), Some(unit));
        }
        assert_eq!(UnitId::parse("other/thing"), None);
    }

    #[test]
    fn a_broken_receipt_names_the_object() {
        assert!(parse("s3://b/k", b"{").unwrap_err().reason.contains("s3://b/k"));
    }
}
