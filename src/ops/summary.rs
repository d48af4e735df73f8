//! The weekly summaries: what the bucket has, what is in them, making one, and proving one.
//!
//! A summary is what its manifest names, and nothing else: the manifest is written last, and names versions, so that what
//! somebody writes over a file is no part of it.

mod format;
pub mod run;
pub mod verify;
mod week;

use std::collections::BTreeMap;

use futures::{StreamExt, TryStreamExt, stream};

pub use self::format::{Field, File, Manifest, Numbers, Point, Summary};
pub use self::week::Week;
use super::intake::Intake;
use super::{hex, why};
use crate::aws::s3;
use crate::compare::{Why, WhyKind};

/// Where all summaries lie in the bucket.
const ROOT: &str = "summaries/";
const MANIFEST: &str = "manifest.json";
const SUMMARY: &str = "summary.json";

/// How many manifests are read at once.
const AT_ONCE: usize = 8;

/// A week that the bucket has something of.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The week.
    pub week: Week,
    /// When its newest file was written, in milliseconds since the Unix epoch.
    pub written_at: Option<i64>,
    /// What its manifest says; a failure: there is none yet, or it cannot be read.
    pub manifest: Result<Manifest, Why>,
}

impl Intake {
    /// The bucket that the summaries lie in.
    pub(super) fn bucket(&self) -> Result<String, Why> {
        self.output("SummaryBucket")
    }

    /// The function that makes them.
    fn function(&self) -> Result<String, Why> {
        self.output("SummaryFunctionName")
    }

    /// All weeks that the bucket has something of, the newest first.
    pub async fn weeks(&self) -> Result<Vec<Row>, Why> {
        let bucket = self.bucket()?;
        let clients = &self.session.clients;
        let objects = s3::list(clients, &bucket, ROOT).await.map_err(|error| why(&error))?;
        let mut weeks: BTreeMap<Week, Option<i64>> = BTreeMap::new();
        for object in &objects {
            let week = object.key.strip_prefix(ROOT).and_then(|rest| rest.split_once('/')?.0.parse().ok());
            if let Some(week) = week {
                let newest = weeks.entry(week).or_default();
                *newest = (*newest).max(object.modified_at);
            }
        }
        let rows = stream::iter(weeks.into_iter().rev()).map(|(week, written_at)| async move {
            let manifest = match self.manifest(week).await {
                Ok(Some(manifest)) => Ok(manifest),
                Ok(None) => Err(no_manifest(week)),
                // What makes everything fail is told once, for everything.
                Err(why) if why.is_of_everything() => return Err(why),
                Err(why) => Err(why),
            };
            Ok(Row { week, written_at, manifest })
        });
        rows.buffered(AT_ONCE).try_collect().await
    }

    /// A week's manifest; `None`: there is none.
    pub async fn manifest(&self, week: Week) -> Result<Option<Manifest>, Why> {
        let (bucket, key) = (self.bucket()?, key(week, MANIFEST));
        let found = s3::get(&self.session.clients, &bucket, &key).await.map_err(|error| why(&error))?;
        found.map(|(bytes, _)| Manifest::read(&bytes, week)).transpose()
    }

    /// A week's manifest and summary. The summary is believed when it is what the manifest names.
    pub async fn summary(&self, week: Week) -> Result<(Manifest, Summary), Why> {
        let manifest = self.manifest(week).await?.ok_or_else(|| no_manifest(week))?;
        let named = manifest.files.iter().find(|file| file.name == SUMMARY);
        let named = named.ok_or_else(|| Why::new(format!("the manifest of {week} names no {SUMMARY}")))?;
        let (bucket, key) = (self.bucket()?, key(week, SUMMARY));
        let clients = &self.session.clients;
        let mut found = s3::get_version(clients, &bucket, &key, named.version.as_deref()).await;
        if let (Ok(None), Some(_)) = (&found, &named.version) {
            // The same bytes may lie there in another version: two runs at once write them twice.
            found = s3::get(clients, &bucket, &key).await;
        }
        let (bytes, _) = found
            .map_err(|error| why(&error))?
            .ok_or_else(|| Why::new(format!("s3://{bucket}/{key}, which is named, is not there")))?;
        if !File::of(SUMMARY, &bytes).is(named) {
            return Err(Why::new(format!("s3://{bucket}/{key} is not what the manifest of {week} names"))
                .hint(format!("plumb summary verify --week {week}")));
        }
        let summary = serde_json::from_slice(&bytes);
        Ok((manifest, summary.map_err(|error| Why::new(format!("s3://{bucket}/{key} cannot be read: {error}")))?))
    }

    /// The newest week that has a manifest.
    pub async fn newest(&self) -> Result<Week, Why> {
        let rows = self.weeks().await?;
        let found = rows.into_iter().find(|row| row.manifest.is_ok()).map(|row| row.week);
        found.ok_or_else(|| {
            Why::new(format!("{} has no summary yet", self.stack()))
                .hint("plumb summary run --week 2026-W47")
                .kind(WhyKind::Missing)
        })
    }
}

fn no_manifest(week: Week) -> Why {
    Why::new(format!("{week} has no manifest: it was not written to its end, or not at all"))
        .hint(format!("plumb summary run --week {week}"))
        .kind(WhyKind::Missing)
}

fn key(week: Week, name: &str) -> String {
    format!("{ROOT}{week}/{name}")
}

impl File {
    /// What a manifest says of these bytes.
    fn of(name: &str, bytes: &[u8]) -> Self {
        use sha2::{Digest as _, Sha256};
        let sha256 = hex(&Sha256::digest(bytes));
        Self { name: name.to_owned(), bytes: bytes.len() as u64, sha256, version: None }
    }
}
