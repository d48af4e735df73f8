//! A table, a bucket and a clock in memory, by the rules of DynamoDB and S3: pages, versions, conditions, and parts.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::sync::Notify;

use super::super::{Bounds, Failure, MANIFEST, Page, RECORDS, Report, Row, World, handle};
use crate::digest;
use crate::ulid::Ulids;

/// 2026-11-23T03:00:00Z, a Monday.
pub(super) const MONDAY: i64 = 1_795_402_800_000;
pub(super) const DAY: i64 = 86_400_000;

/// A stored item, and when it expires.
#[derive(Clone)]
pub(super) struct Item {
    pub(super) row: Row,
    pub(super) expires: Option<i64>,
}

/// The table, the bucket and the clock.
pub(super) struct Memory {
    pub(super) now: i64,
    pub(super) slots: Mutex<BTreeMap<String, Vec<Item>>>,
    /// Each version of each, the newest last.
    pub(super) objects: Mutex<BTreeMap<String, Vec<Vec<u8>>>>,
    pub(super) uploads: Mutex<BTreeMap<String, Vec<Vec<u8>>>>,
    /// How many records a page looks at.
    pub(super) page: usize,
    /// What the count says beyond the truth.
    pub(super) miscount: u64,
    /// The write (put, part or completion) that fails, from 1.
    pub(super) fails: AtomicUsize,
    /// Instead of failing it never comes back: that is where the function is killed.
    pub(super) killed: Option<Notify>,
    pub(super) writes: AtomicUsize,
    pub(super) reads: AtomicUsize,
    /// What becomes of the table between a read and its count.
    pub(super) meanwhile: Option<Change>,
    /// A manifest that somebody else writes just before ours.
    pub(super) rival: Mutex<Option<Vec<u8>>>,
}

/// What becomes of a table.
type Change = Box<dyn Fn(&mut BTreeMap<String, Vec<Item>>) + Send + Sync>;

/// The key of a file of the week.
pub(super) fn at(name: &str) -> String {
    format!("summaries/2026-W47/{name}")
}

fn counts(item: &Item, bounds: &Bounds) -> bool {
    item.row.id < bounds.before && item.expires.is_none_or(|expires| expires > bounds.expired)
}

impl Memory {
    pub(super) fn new() -> Self {
        Self {
            now: MONDAY,
            slots: Mutex::default(),
            objects: Mutex::default(),
            uploads: Mutex::default(),
            page: 7,
            miscount: 0,
            fails: AtomicUsize::new(0),
            killed: None,
            writes: AtomicUsize::new(0),
            reads: AtomicUsize::new(0),
            meanwhile: None,
            rival: Mutex::default(),
        }
    }

    /// Stores records of these times, as the intake does.
    pub(super) fn with(
        self,
        times: impl IntoIterator<Item = (i64, Option<i64>)>,
        body: impl Fn(usize) -> String,
    ) -> Self {
        let ulids = Ulids::default();
        for (number, (time, expires)) in times.into_iter().enumerate() {
            let id = ulids.next(time).unwrap();
            let source = if number.is_multiple_of(3) { "web" } else { "app" }.to_owned();
            let row = Row { id: id.to_string(), received: crate::intake::received(id), source, body: body(number) };
            self.slots.lock().unwrap().entry(crate::intake::slot(id)).or_default().push(Item { row, expires });
        }
        self
    }

    pub(super) fn object(&self, name: &str) -> Option<Vec<u8>> {
        self.objects.lock().unwrap().get(&at(name))?.last().cloned()
    }

    /// Each object as it lies there, but for the manifest's versions.
    pub(super) fn contents(&self) -> BTreeMap<String, Vec<u8>> {
        let objects = self.objects.lock().unwrap();
        let plain = |(key, versions): (&String, &Vec<Vec<u8>>)| (key.clone(), versions.last().unwrap().clone());
        let mut contents: BTreeMap<_, _> = objects.iter().map(plain).collect();
        if let Some(text) = contents.get_mut(&at(MANIFEST)) {
            let mut manifest: Value = serde_json::from_slice(text).unwrap();
            for file in manifest["files"].as_array_mut().unwrap() {
                file.as_object_mut().unwrap().remove("version").unwrap();
            }
            *text = manifest.to_string().into_bytes();
        }
        contents
    }

    /// Writes an object as somebody does who is not the function.
    pub(super) fn covers(&self, name: &str, bytes: Vec<u8>) {
        self.objects.lock().unwrap().entry(at(name)).or_default().push(bytes);
    }

    /// Holds the bucket to its law: what a manifest names is there, in the version that it names. Says how many records.
    pub(super) fn named(&self) -> u64 {
        let manifest = self.json(MANIFEST);
        for file in manifest["files"].as_array().unwrap() {
            let objects = self.objects.lock().unwrap();
            let versions = &objects[&at(file["name"].as_str().unwrap())];
            let version: usize = file["version"].as_str().unwrap()[1..].parse().unwrap();
            let digest = digest::finished(Sha256::new_with_prefix(&versions[version - 1]));
            assert_eq!(file["sha256"], digest, "{file}");
        }
        manifest["records"].as_u64().unwrap()
    }

    fn keeps(&self, key: &str, bytes: &[u8]) -> String {
        let mut objects = self.objects.lock().unwrap();
        let versions = objects.entry(key.to_owned()).or_default();
        versions.push(bytes.to_vec());
        format!("v{}", versions.len())
    }

    pub(super) fn json(&self, name: &str) -> Value {
        serde_json::from_slice(&self.object(name).unwrap()).unwrap()
    }

    pub(super) fn lines(&self) -> Vec<Value> {
        let packed = self.object(RECORDS).unwrap();
        let mut text = String::new();
        flate2::read::GzDecoder::new(&packed[..]).read_to_string(&mut text).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    async fn write(&self) -> Result<(), Failure> {
        let number = self.writes.fetch_add(1, Ordering::SeqCst) + 1;
        if self.fails.load(Ordering::SeqCst) != number {
            return Ok(());
        }
        if let Some(killed) = &self.killed {
            killed.notify_one();
            std::future::pending::<()>().await;
        }
        Err(Failure::Failed("NoSuchBucket".to_owned()))
    }

    pub(super) async fn runs(&self) -> Report {
        handle(self, r#"{"week":"2026-W47"}"#).await.unwrap()
    }
}

impl World for Memory {
    const PART: usize = 200_000;

    fn now(&self) -> i64 {
        self.now
    }

    async fn page(&self, slot: &str, bounds: &Bounds, after: Option<&Value>) -> Result<Page, Failure> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        let from = after.map_or(0, |after| usize::try_from(after.as_u64().unwrap()).unwrap());
        let slots = self.slots.lock().unwrap();
        let all: Vec<&Item> = slots.get(slot).into_iter().flatten().filter(|it| it.row.id < bounds.before).collect();
        let seen = all.get(from..(from + self.page).min(all.len())).unwrap_or_default();
        let next = (from + seen.len() < all.len()).then(|| json!(from + seen.len()));
        Ok(Page { rows: seen.iter().filter(|it| counts(it, bounds)).map(|item| item.row.clone()).collect(), next })
    }

    async fn count(&self, slot: &str, bounds: &Bounds) -> Result<u64, Failure> {
        let mut slots = self.slots.lock().unwrap();
        if let Some(meanwhile) = &self.meanwhile {
            meanwhile(&mut slots);
        }
        let count = slots.get(slot).into_iter().flatten().filter(|item| counts(item, bounds)).count();
        Ok(u64::try_from(count).unwrap() + if slot == "2026-11-22#0" { self.miscount } else { 0 })
    }

    async fn text(&self, key: &str) -> Result<Option<(String, String)>, Failure> {
        let objects = self.objects.lock().unwrap();
        let found = objects.get(key).and_then(|versions| versions.last());
        Ok(found.map(|bytes| (String::from_utf8(bytes.clone()).unwrap(), digest::sha256(&[bytes]))))
    }

    async fn version(&self, key: &str) -> Result<Option<String>, Failure> {
        Ok(self.objects.lock().unwrap().get(key).map(|versions| format!("v{}", versions.len())))
    }

    async fn put(&self, key: &str, bytes: &[u8]) -> Result<String, Failure> {
        self.write().await?;
        Ok(self.keeps(key, bytes))
    }

    async fn replace(&self, key: &str, bytes: &[u8], over: Option<&str>) -> Result<bool, Failure> {
        self.write().await?;
        if let Some(rival) = self.rival.lock().unwrap().take() {
            self.keeps(key, &rival);
        }
        let there = self.text(key).await?.map(|(_, tag)| tag);
        if there.as_deref() != over {
            return Ok(false);
        }
        self.keeps(key, bytes);
        Ok(true)
    }

    async fn begin(&self, key: &str) -> Result<String, Failure> {
        self.uploads.lock().unwrap().insert(key.to_owned(), Vec::new());
        Ok(key.to_owned())
    }

    async fn part(&self, _: &str, upload: &str, number: usize, bytes: &[u8]) -> Result<String, Failure> {
        self.write().await?;
        let mut uploads = self.uploads.lock().unwrap();
        let parts = uploads.get_mut(upload).unwrap();
        assert_eq!(parts.len() + 1, number);
        parts.push(bytes.to_vec());
        Ok(number.to_string())
    }

    async fn complete(&self, key: &str, upload: &str, tags: &[String]) -> Result<String, Failure> {
        self.write().await?;
        let parts = self.uploads.lock().unwrap().remove(upload).unwrap();
        assert_eq!(parts.len(), tags.len());
        assert!(parts.iter().rev().skip(1).all(|part| part.len() >= Self::PART), "S3 takes no smaller ones");
        Ok(self.keeps(key, &parts.concat()))
    }

    async fn abort(&self, _: &str, upload: &str) -> Result<(), Failure> {
        self.uploads.lock().unwrap().remove(upload);
        Ok(())
    }
}
