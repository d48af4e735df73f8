//! The keys: a keyring in one secret, cached for five minutes.
//!
//! The secret's text is JSON:
//! `{"id", "latest", "min_decryption_version", "versions": {"1": {"key": base64 of 32 bytes, "created": RFC 3339}}}`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;
use zeroize::{Zeroize, Zeroizing};

use crate::envelope::{KEY_LENGTH, Key};

/// How long a keyring that was read is used.
const CACHE: Duration = Duration::from_mins(5);
/// How soon a version that is not in the cached keyring may cause another read.
const REFRESH_PAUSE: Duration = Duration::from_secs(10);

/// Where the keyring's text is kept.
pub trait Store: Send + Sync {
    /// The current text; `None` when the secret is there and has no value yet.
    fn read(&self) -> impl Future<Output = Result<Option<Zeroizing<String>>, Unavailable>> + Send;
    /// Writes the first text. When another one was first, that one stays.
    fn create(&self, text: &str) -> impl Future<Output = Result<(), Unavailable>> + Send;
}

/// The keys cannot be had right now. The reason is for the log and holds no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the keyring is not available: {reason}")]
pub struct Unavailable {
    /// Why.
    pub reason: String,
}

impl Unavailable {
    pub(crate) fn new(reason: impl fmt::Display) -> Self {
        Self { reason: reason.to_string() }
    }
}

/// A keyring as it was read.
#[derive(Serialize, Deserialize)]
pub struct Keyring {
    /// Random; a message's key is bound to it.
    pub id: String,
    /// The version that encrypts.
    pub latest: u32,
    /// Messages of earlier versions are refused.
    pub min_decryption_version: u32,
    versions: BTreeMap<u32, Version>,
}

#[derive(Serialize, Deserialize)]
struct Version {
    key: Material,
    created: String,
}

struct Material([u8; KEY_LENGTH]);

impl Drop for Material {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl Serialize for Material {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&Zeroizing::new(STANDARD.encode(self.0)))
    }
}

impl<'de> Deserialize<'de> for Material {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        let mut key = Self([0; KEY_LENGTH]);
        // The messages of serde and base64 would quote the text.
        match STANDARD.decode_slice(text.as_bytes(), &mut key.0) {
            Ok(KEY_LENGTH) => Ok(key),
            _ => Err(serde::de::Error::custom("a key is not base64 of 32 bytes")),
        }
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let versions: Vec<_> = self.versions.keys().collect();
        f.debug_struct("Keyring").field("id", &self.id).field("versions", &versions).finish_non_exhaustive()
    }
}

impl Keyring {
    /// A new keyring with one version.
    pub fn generate() -> Result<Self, Unavailable> {
        let (mut id, mut key) = ([0; 16], Material([0; KEY_LENGTH]));
        getrandom::fill(&mut id).and_then(|()| getrandom::fill(&mut key.0)).map_err(Unavailable::new)?;
        let id = id.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"));
        let created = jiff::Timestamp::now().to_string();
        Ok(Self { id, latest: 1, min_decryption_version: 1, versions: [(1, Version { key, created })].into() })
    }

    /// Reads the secret's text. The error never quotes it.
    pub fn parse(text: &str) -> Result<Self, Unavailable> {
        let ring: Self = serde_json::from_str(text)
            .map_err(|error| Unavailable::new(format!("the secret is no keyring (line {})", error.line())))?;
        if ring.versions.contains_key(&ring.latest) && !ring.versions.contains_key(&0) {
            Ok(ring)
        } else {
            Err(Unavailable::new("the keyring lacks its latest version"))
        }
    }

    /// The secret's text.
    pub fn text(&self) -> Result<Zeroizing<String>, Unavailable> {
        serde_json::to_string(self).map(Zeroizing::new).map_err(Unavailable::new)
    }

    /// The key that encrypts; `None` never, for a keyring that was parsed or generated.
    #[must_use]
    pub fn latest(&self) -> Option<Key<'_>> {
        self.key(self.latest)
    }

    /// The key that decrypts messages of this version; `None` when there is none or it is no longer allowed.
    #[must_use]
    pub fn decrypting(&self, version: u32) -> Option<Key<'_>> {
        (version >= self.min_decryption_version).then(|| self.key(version)).flatten()
    }

    /// Versions with the time they were made, RFC 3339, oldest first.
    pub fn versions(&self) -> impl Iterator<Item = (u32, &str)> {
        self.versions.iter().map(|(number, version)| (*number, version.created.as_str()))
    }

    fn key(&self, version: u32) -> Option<Key<'_>> {
        let material = &self.versions.get(&version)?.key.0;
        Some(Key { keyring: &self.id, version, material })
    }
}

/// A keyring that is read when needed and kept for a while.
#[derive(Debug)]
pub struct Keys<S> {
    store: S,
    cached: Mutex<Option<Cached>>,
}

#[derive(Debug)]
struct Cached {
    ring: Arc<Keyring>,
    read_at: Instant,
}

impl<S: Store> Keys<S> {
    /// Nothing is read before the first request.
    pub fn new(store: S) -> Self {
        Self { store, cached: Mutex::new(None) }
    }

    /// The keyring; made when the secret has none yet.
    pub async fn ring(&self) -> Result<Arc<Keyring>, Unavailable> {
        self.not_older_than(CACHE).await
    }

    /// The keyring, read anew when the cached one does not know this version (a rotation may have added it), but not
    /// for every message that names an invented one.
    pub async fn ring_for(&self, version: u32) -> Result<Arc<Keyring>, Unavailable> {
        let ring = self.ring().await?;
        if version <= ring.latest { Ok(ring) } else { self.not_older_than(REFRESH_PAUSE).await }
    }

    async fn not_older_than(&self, age: Duration) -> Result<Arc<Keyring>, Unavailable> {
        // Held while reading, so that many requests at once cause one read.
        let mut cached = self.cached.lock().await;
        if let Some(cached) = cached.as_ref().filter(|cached| cached.read_at.elapsed() < age) {
            return Ok(Arc::clone(&cached.ring));
        }
        let ring = Arc::new(self.load().await?);
        *cached = Some(Cached { ring: Arc::clone(&ring), read_at: Instant::now() });
        Ok(ring)
    }

    async fn load(&self) -> Result<Keyring, Unavailable> {
        if let Some(text) = self.store.read().await? {
            return Keyring::parse(&text);
        }
        self.store.create(&Keyring::generate()?.text()?).await?;
        // Read again, since another may have been first.
        match self.store.read().await? {
            Some(text) => Keyring::parse(&text),
            None => Err(Unavailable::new("the secret has no value after one was written")),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::Mutex as StdMutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[derive(Default)]
    pub(crate) struct Memory {
        pub(crate) text: StdMutex<Option<String>>,
        pub(crate) reads: AtomicUsize,
        pub(crate) broken: bool,
    }

    impl Store for Memory {
        async fn read(&self) -> Result<Option<Zeroizing<String>>, Unavailable> {
            self.reads.fetch_add(1, Ordering::Relaxed);
            if self.broken {
                return Err(Unavailable::new("AccessDeniedException"));
            }
            Ok(self.text.lock().unwrap().clone().map(Zeroizing::new))
        }

        async fn create(&self, text: &str) -> Result<(), Unavailable> {
            self.text.lock().unwrap().get_or_insert_with(|| text.to_owned());
            Ok(())
        }
    }

    #[tokio::test]
    async fn the_first_key_is_made_once_and_read_back() {
        let keys = Keys::new(Memory::default());
        let (one, two) = tokio::join!(keys.ring(), keys.ring());
        assert_eq!(one.unwrap().id, two.unwrap().id);
        assert_eq!(keys.store.reads.load(Ordering::Relaxed), 2);
        let stored = keys.store.text.lock().unwrap().clone().unwrap();
        assert_eq!(Keyring::parse(&stored).unwrap().id, keys.ring().await.unwrap().id);
    }

    #[tokio::test]
    async fn an_unknown_version_does_not_cause_a_read_for_each_message() {
        let keys = Keys::new(Memory::default());
        keys.ring().await.unwrap();
        for _ in 0..5 {
            assert!(keys.ring_for(99).await.unwrap().decrypting(99).is_none());
        }
        assert_eq!(keys.store.reads.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn a_version_below_the_minimum_encrypts_nothing_and_opens_nothing() {
        let mut ring = Keyring::generate().unwrap();
        ring.min_decryption_version = 2;
        assert!(ring.decrypting(1).is_none());
        assert!(ring.decrypting(0).is_none());
    }

    #[test]
    fn a_broken_secret_is_named_without_being_quoted() {
        let cases = [
            ("no JSON", "hunter2"),
            (
                "a key that is too short",
                r#"{"id":"a","latest":1,"min_decryption_version":1,"versions":{"1":{"key":"aHVudGVyMg==","created":""}}}"#,
            ),
            ("a latest version that is not there", r#"{"id":"a","latest":2,"min_decryption_version":1,"versions":{}}"#),
        ];
        for (name, text) in cases {
            let said = Keyring::parse(text).unwrap_err().to_string();
            assert!(!said.contains("hunter") && !said.contains("aHVu"), "{name}: {said}");
        }
    }

    #[test]
    fn a_keyring_does_not_show_its_keys() {
        let ring = Keyring::generate().unwrap();
        assert_eq!(format!("{ring:?}"), format!("Keyring {{ id: {:?}, versions: [1], .. }}", ring.id));
    }
}
