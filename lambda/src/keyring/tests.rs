//! The keyring: what a broken secret says, how it grows, and how often it is read.

use std::sync::Arc;
use std::sync::Mutex as StdMutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::*;

/// A secret in memory.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) text: StdMutex<Option<String>>,
    pub(crate) reads: AtomicUsize,
    pub(crate) broken: StdMutex<bool>,
}

impl Memory {
    pub(crate) fn of(ring: &Keyring) -> Self {
        let text = StdMutex::new(Some(ring.text().unwrap().to_string()));
        Self { text, ..Self::default() }
    }

    pub(crate) fn set(&self, ring: &Keyring) {
        *self.text.lock().unwrap() = Some(ring.text().unwrap().to_string());
    }
}

impl Store for Arc<Memory> {
    async fn read(&self) -> Result<Option<Zeroizing<String>>, Unavailable> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        if *self.broken.lock().unwrap() {
            return Err(Unavailable::new("AccessDeniedException"));
        }
        Ok(self.text.lock().unwrap().clone().map(Zeroizing::new))
    }

    async fn create(&self, text: &str) -> Result<(), Unavailable> {
        self.text.lock().unwrap().get_or_insert_with(|| text.to_owned());
        Ok(())
    }
}

/// Keys over a secret in memory, and a clock that goes when it is told to.
fn keys(memory: Memory) -> (Keys<Arc<Memory>>, Arc<Memory>, impl Fn(u64)) {
    let (memory, seconds) = (Arc::new(memory), Arc::new(AtomicU64::new(0)));
    let (start, hand) = (Instant::now(), Arc::clone(&seconds));
    let clock = Box::new(move || start + Duration::from_secs(hand.load(Ordering::Relaxed)));
    let keys = Keys::with_clock(Arc::clone(&memory), CACHE, clock);
    let pass = move |passed| {
        seconds.fetch_add(passed, Ordering::Relaxed);
    };
    (keys, memory, pass)
}

fn reads(memory: &Memory) -> usize {
    memory.reads.load(Ordering::Relaxed)
}

#[tokio::test]
async fn the_first_key_is_made_once_and_read_back() {
    let (keys, memory, _) = keys(Memory::default());
    let (one, two) = tokio::join!(keys.ring(), keys.ring());
    assert_eq!(one.unwrap().id, two.unwrap().id);
    assert_eq!(reads(&memory), 2);
    let stored = memory.text.lock().unwrap().clone().unwrap();
    assert_eq!(Keyring::parse(&stored).unwrap().id, keys.ring().await.unwrap().id);
}

#[tokio::test]
async fn of_many_functions_that_start_at_once_all_use_the_first_key_that_was_written() {
    let memory = Arc::new(Memory::default());
    let functions: Vec<_> = (0..8).map(|_| Keys::new(Arc::clone(&memory), CACHE)).collect();
    let rings = futures::future::join_all(functions.iter().map(Keys::ring)).await;
    let ids: std::collections::BTreeSet<_> = rings.into_iter().map(|ring| ring.unwrap().id.clone()).collect();
    assert_eq!(ids.len(), 1);
}

#[tokio::test]
async fn it_is_read_again_after_five_minutes_and_not_before() {
    let (keys, memory, pass) = keys(Memory::of(&Keyring::generate().unwrap()));
    keys.ring().await.unwrap();
    pass(299);
    keys.ring().await.unwrap();
    assert_eq!(reads(&memory), 1);
    pass(1);
    keys.ring().await.unwrap();
    assert_eq!(reads(&memory), 2);
}

#[tokio::test]
async fn a_version_that_a_rotation_added_is_found_at_once() {
    let (keys, memory, pass) = keys(Memory::of(&Keyring::generate().unwrap()));
    let ring = keys.ring().await.unwrap();
    let next = Keyring::parse(&ring.text().unwrap()).unwrap().successor().unwrap();
    memory.set(&next);
    pass(1);
    assert!(keys.ring_for(2).await.unwrap().usable(2).is_some());
    assert_eq!(keys.ring().await.unwrap().latest, 2, "and from then on it is the latest");
    assert_eq!(reads(&memory), 2);
}

#[tokio::test]
async fn an_invented_version_does_not_cause_a_read_for_each_message() {
    let (keys, memory, pass) = keys(Memory::of(&Keyring::generate().unwrap()));
    keys.ring().await.unwrap();
    for _ in 0..5 {
        assert!(keys.ring_for(99).await.unwrap().usable(99).is_none());
        pass(1);
    }
    assert_eq!(reads(&memory), 2);
    pass(5);
    keys.ring_for(99).await.unwrap();
    assert_eq!(reads(&memory), 3);
}

#[tokio::test]
async fn what_cannot_be_read_is_not_asked_for_again_within_a_second_and_is_back_after_it() {
    let (keys, memory, pass) = keys(Memory::of(&Keyring::generate().unwrap()));
    *memory.broken.lock().unwrap() = true;
    for _ in 0..5 {
        keys.ring().await.unwrap_err();
    }
    assert_eq!(reads(&memory), 1);
    *memory.broken.lock().unwrap() = false;
    pass(1);
    keys.ring().await.unwrap();
}

#[test]
fn a_version_below_the_minimum_opens_nothing() {
    let ring = Keyring::generate().unwrap().successor().unwrap().with_minimum(2).unwrap();
    assert!(ring.usable(0).is_none() && ring.usable(1).is_none() && ring.usable(2).is_some());
    let states: Vec<_> = ring.versions().map(|(number, _, state)| (number, state)).collect();
    assert_eq!(states, [(1, State::Retired), (2, State::Latest)]);
    for minimum in [0, 3] {
        assert!(Keyring::generate().unwrap().successor().unwrap().with_minimum(minimum).is_err(), "{minimum}");
    }
}

#[test]
fn a_successor_has_everything_and_one_version_more() {
    let copy = |ring: &Keyring| Keyring::parse(&ring.text().unwrap()).unwrap();
    let ring = Keyring::generate().unwrap();
    let next = copy(&ring).successor().unwrap();
    assert!(next.succeeds(&ring) && copy(&ring).equals(&ring));
    assert!(!ring.succeeds(&ring) && !ring.succeeds(&next) && !next.equals(&ring));
    assert!(!next.succeeds(&Keyring::generate().unwrap()), "of another keyring");
    assert!(!copy(&next).with_minimum(2).unwrap().succeeds(&ring), "the minimum has changed");
    assert!(!copy(&next).successor().unwrap().succeeds(&ring), "two more");
}

#[test]
fn a_keyring_that_no_longer_fits_into_a_secret_is_told() {
    let mut ring = Keyring::generate().unwrap();
    while ring.latest < 1000 {
        ring = ring.successor().unwrap();
    }
    let said = ring.text().unwrap_err().to_string();
    assert!(said.contains("1000 versions"), "{said}");
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
