//! What the function remembers of a project: which messages it took within the hour, and which of them have a build.
//!
//! Pure. One item per project that is only ever replaced as it was read, so that of two functions that decide at once the
//! slower decides anew: no more builds run, and no more messages are taken in, than the registry says.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What `rate` counts within, in milliseconds.
const HOUR: i64 = 3_600_000;
/// So long a message may wait for its turn: longer than the queue tries.
const DAY: i64 = 24 * HOUR;

/// More messages than these a project's item does not hold: at some 70 bytes each it stays well below DynamoDB's 400 KB.
const MOST: usize = 3000;

/// How much of a project may be built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// So many builds at once.
    pub concurrency: usize,
    /// So many messages an hour.
    pub rate: usize,
}

/// A message's turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Its build is to be started now.
    Now,
    /// It waits for the end of another one.
    Waits,
    /// More than the rate allows: it is not built at all.
    TooMany,
}

/// A project's messages and builds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct State {
    /// Messages that were taken in, by id.
    #[serde(default)]
    taken: BTreeMap<String, Taken>,
    /// Messages that have a build, or are about to.
    #[serde(default)]
    running: BTreeMap<String, Running>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Taken {
    at: i64,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    waits: bool,
}

/// A place among the builds that run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// CodeBuild's id; none as long as it is not known to have started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<String>,
    /// Since when, in milliseconds.
    pub since: i64,
}

impl State {
    /// A message asks for its turn; the same one as often as it likes.
    #[must_use]
    pub fn ask(&self, job: &str, limits: Limits, now: i64) -> (Self, Turn) {
        let mut next = self.clone();
        // What waits is remembered until it has had its turn, so that it is not counted twice.
        next.taken.retain(|_, taken| now - taken.at < if taken.waits { DAY } else { HOUR });
        if let Some(running) = next.running.get_mut(job) {
            // Whoever asks is about to start it: from now on it is in these hands.
            if running.build.is_none() {
                running.since = now;
            }
            return (next, Turn::Now);
        }
        let within_the_hour = next.taken.values().filter(|taken| now - taken.at < HOUR).count();
        let full = within_the_hour >= limits.rate || next.taken.len() >= MOST;
        if full && !next.taken.contains_key(job) {
            return (next, Turn::TooMany);
        }
        let free = next.running.len() < limits.concurrency;
        let taken = next.taken.entry(job.to_owned()).or_insert(Taken { at: now, waits: false });
        taken.waits = !free;
        if free {
            next.running.insert(job.to_owned(), Running { build: None, since: now });
        }
        (next, if free { Turn::Now } else { Turn::Waits })
    }

    /// A message's build has started.
    #[must_use]
    pub fn started(&self, job: &str, build: &str, now: i64) -> Self {
        let mut next = self.clone();
        next.running.insert(job.to_owned(), Running { build: Some(build.to_owned()), since: now });
        next
    }

    /// Without these places, as far as they still are what they were seen to be.
    #[must_use]
    pub fn without(&self, places: &[(String, Running)]) -> Self {
        let mut next = self.clone();
        next.running.retain(|job, running| !places.iter().any(|(over, seen)| over == job && seen == running));
        next
    }

    /// What runs, by message.
    pub fn running(&self) -> impl Iterator<Item = (&String, &Running)> {
        self.running.iter()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMITS: Limits = Limits { concurrency: 1, rate: 3 };
    const MINUTE: i64 = 60_000;

    fn without(state: &State, job: &str) -> State {
        let places: Vec<_> = state.running().filter(|(of, _)| *of == job).map(|(of, at)| (of.clone(), at.clone())).collect();
        state.without(&places)
    }

    #[test]
    fn one_runs_the_others_wait_and_ask_again() {
        let (state, turn) = State::default().ask("a", LIMITS, 0);
        assert_eq!(turn, Turn::Now);
        assert_eq!(state.ask("a", LIMITS, 1).1, Turn::Now, "again, after a crash");
        let (state, turn) = state.started("a", "build:1", 1).ask("b", LIMITS, 2);
        assert_eq!(turn, Turn::Waits);
        let (state, turn) = without(&state, "a").ask("b", LIMITS, 3);
        assert_eq!(turn, Turn::Now);
        assert_eq!(state.running().map(|(job, _)| job.as_str()).collect::<Vec<_>>(), ["b"]);
    }

    #[test]
    fn a_place_that_is_taken_up_again_is_not_the_one_that_was_left() {
        let (left, _) = State::default().ask("a", LIMITS, 0);
        let seen: Vec<_> = left.running().map(|(job, running)| (job.clone(), running.clone())).collect();
        let (again, turn) = left.ask("a", LIMITS, MINUTE);
        assert_eq!((turn, again.running().next().unwrap().1.since), (Turn::Now, MINUTE));
        assert_eq!(again.without(&seen), again, "somebody else saw it before");
        assert_eq!(left.without(&seen).running().count(), 0);
        let started = again.started("a", "build:1", 2 * MINUTE);
        assert_eq!(started.ask("a", LIMITS, 3 * MINUTE).0, started, "a build began when it began");
    }

    #[test]
    fn more_than_the_rate_are_refused_until_an_hour_has_passed() {
        let mut state = State::default();
        for (job, now) in [("a", 0), ("b", MINUTE), ("c", 2 * MINUTE)] {
            state = state.ask(job, LIMITS, now).0;
        }
        assert_eq!(state.ask("d", LIMITS, 3 * MINUTE).1, Turn::TooMany);
        assert_eq!(state.ask("b", LIMITS, 3 * MINUTE).1, Turn::Waits, "one that was taken is not counted again");
        assert_eq!(state.ask("d", LIMITS, HOUR).1, Turn::Waits, "the first was an hour ago");
        // One that waits longer than an hour stays taken.
        let late = without(&state, "a").ask("c", LIMITS, 3 * HOUR);
        assert_eq!(late.1, Turn::Now);
    }

    #[test]
    fn what_waits_for_hours_never_outgrows_its_item() {
        let limits = Limits { concurrency: 1, rate: 1000 };
        let (mut state, _) = State::default().ask("runs", limits, 0);
        state.taken.extend((1..MOST).map(|number| (format!("{number:036}"), Taken { at: 0, waits: true })));
        assert_eq!(state.ask(&format!("{:036}", 1), limits, 3 * HOUR).1, Turn::Waits, "what is in it stays");
        let (state, _) = state.ask("one more", limits, 3 * HOUR);
        assert_eq!((state.taken.len(), state.ask("another", limits, 3 * HOUR).1), (MOST, Turn::TooMany));
        assert!(serde_json::to_string(&state).unwrap().len() < 300_000);
    }

    proptest! {
        #[test]
        fn never_more_than_allowed(asks in prop::collection::vec((0..12u8, 0..40i64, any::<bool>()), 1..80)) {
            let limits = Limits { concurrency: 2, rate: 5 };
            let (mut state, mut now) = (State::default(), 0);
            for (job, minutes, ends) in asks {
                now += minutes * MINUTE;
                let (next, turn) = state.ask(&job.to_string(), limits, now);
                prop_assert_eq!(turn == Turn::Now, next.running().any(|(running, _)| *running == job.to_string()));
                state = if ends { without(&next, &job.to_string()) } else { next };
                prop_assert!(state.running().count() <= 2);
                prop_assert!(state.taken.values().filter(|taken| now - taken.at < HOUR).count() <= 5);
            }
        }
    }
}
