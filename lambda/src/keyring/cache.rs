//! A keyring that is read when it is needed, and kept for a while.
//!
//! One reader at a time, so that many requests at once cause one read. What cannot be read is remembered for a second,
//! and a version that nobody knows causes a read every ten at most: who sends nonsense does not reach Secrets Manager.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::{Keyring, Store, Unavailable};

/// How long a keyring that was read is used, unless stated otherwise.
pub const CACHE: Duration = Duration::from_mins(5);
/// How long a version that the keyring does not know causes no further read.
const REFRESH_PAUSE: Duration = Duration::from_secs(10);
/// How long a failed read is not tried again.
const FAILURE_PAUSE: Duration = Duration::from_secs(1);

/// What tells the time; another one in tests.
type Clock = Box<dyn Fn() -> Instant + Send + Sync>;

/// The keyring of one secret.
pub struct Keys<S> {
    pub(super) store: S,
    keep: Duration,
    clock: Clock,
    cached: Mutex<Cached>,
}

#[derive(Default)]
struct Cached {
    ring: Option<(Arc<Keyring>, Instant)>,
    failed: Option<(Unavailable, Instant)>,
    /// When an unknown version caused the last read.
    refreshed: Option<Instant>,
}

impl<S: Store> Keys<S> {
    /// Nothing is read before the first request.
    pub fn new(store: S, keep: Duration) -> Self {
        Self::with_clock(store, keep, Box::new(Instant::now))
    }

    pub(crate) fn with_clock(store: S, keep: Duration, clock: Clock) -> Self {
        Self { store, keep, clock, cached: Mutex::default() }
    }

    /// The keyring; made when the secret has none yet.
    pub async fn ring(&self) -> Result<Arc<Keyring>, Unavailable> {
        let mut cached = self.cached.lock().await;
        self.current(&mut cached).await
    }

    /// The keyring, read anew when the one that is kept does not know this version: a rotation may have added it.
    pub async fn ring_for(&self, version: u32) -> Result<Arc<Keyring>, Unavailable> {
        let mut cached = self.cached.lock().await;
        let before = cached.ring.as_ref().map(|(_, read_at)| *read_at);
        let ring = self.current(&mut cached).await?;
        let now = (self.clock)();
        let fresh = cached.ring.as_ref().map(|(_, read_at)| *read_at) != before;
        let paused = cached.refreshed.is_some_and(|at| now.duration_since(at) < REFRESH_PAUSE);
        if version <= ring.latest || fresh || paused {
            return Ok(ring);
        }
        cached.refreshed = Some(now);
        self.read(&mut cached).await
    }

    async fn current(&self, cached: &mut Cached) -> Result<Arc<Keyring>, Unavailable> {
        let now = (self.clock)();
        match (&cached.ring, &cached.failed) {
            (Some((ring, read_at)), _) if now.duration_since(*read_at) < self.keep => Ok(Arc::clone(ring)),
            (_, Some((error, failed_at))) if now.duration_since(*failed_at) < FAILURE_PAUSE => Err(error.clone()),
            _ => self.read(cached).await,
        }
    }

    async fn read(&self, cached: &mut Cached) -> Result<Arc<Keyring>, Unavailable> {
        match self.load().await {
            Ok(ring) => {
                let ring = Arc::new(ring);
                *cached = Cached {
                    ring: Some((Arc::clone(&ring), (self.clock)())),
                    refreshed: cached.refreshed,
                    failed: None,
                };
                Ok(ring)
            }
            Err(error) => {
                cached.failed = Some((error.clone(), (self.clock)()));
                Err(error)
            }
        }
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
