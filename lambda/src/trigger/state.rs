//! What the function remembers of a project: which messages it took within the hour, and which of them have a build.
//!
//! Pure. One item per project that is only ever replaced as it was read, so that of two functions that decide at once the
//! slower decides anew: no more builds run, and no more messages are taken in, than the registry says.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What `rate` counts within, in milliseconds.
const HOUR: i64 = 3_600_000;
/// So long a message may wait for its turn: the template lets the queue try for a day, and a little more passes between.
const LONGEST: i64 = 25 * HOUR;
/// So long a message may be in a queue at all, and so it is remembered what was started of a branch.
const KEPT: i64 = 14 * 24 * HOUR;

/// More messages than these a project's item does not hold: at some 70 bytes each, and 220 of a branch, it stays below
/// DynamoDB's 400 KB.
const MOST: usize = 3000;
/// More messages beyond the rate neither; fewer where ten hours of the rate are fewer.
const MOST_OVER: usize = 500;
/// More branches neither.
const MOST_BRANCHES: usize = 500;

/// How much of a project may be built.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// So many builds at once.
    pub concurrency: usize,
    /// So many messages an hour.
    pub rate: usize,
}

/// Who asks for a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asker<'a> {
    /// The message's id.
    pub job: &'a str,
    /// The branch that it names.
    pub branch: &'a str,
    /// When it was published, in milliseconds.
    pub published: i64,
}

/// A message's turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Its build is to be started now.
    Now,
    /// It waits for the end of another one.
    Waits,
    /// More than the rate allows: it is not taken in yet.
    TooMany,
    /// So many are beyond the rate already that this one is not remembered: each would be asked about all day.
    Flood,
    /// A message that was published later has a build of the branch. One of this would put back what that has deployed.
    Superseded,
}

/// A project's messages and builds.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct State {
    /// Messages that were taken in, by id.
    #[serde(default)]
    taken: BTreeMap<String, Taken>,
    /// Messages beyond the rate, by id, and when they were first seen.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    over: BTreeMap<String, i64>,
    /// Messages that have a build, or are about to.
    #[serde(default)]
    running: BTreeMap<String, Running>,
    /// Of each branch, when the latest message that has a build was published.
    #[serde(default)]
    latest: BTreeMap<String, i64>,
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
    pub fn ask(&self, asker: Asker<'_>, limits: Limits, now: i64) -> (Self, Turn) {
        let mut next = self.clone();
        // What waits is remembered until it has had its turn, so that it is not counted twice.
        next.taken.retain(|_, taken| now - taken.at < if taken.waits { LONGEST } else { HOUR });
        next.over.retain(|_, at| now - *at < LONGEST);
        let is_late = self.latest.get(asker.branch).is_some_and(|latest| asker.published < *latest);
        match next.running.get_mut(asker.job) {
            // It has a place and nothing in it, and a later one has had its build meanwhile.
            Some(running) if running.build.is_none() && is_late => {
                next.running.remove(asker.job);
            }
            // Whoever asks is about to start it: from now on it is in these hands.
            Some(running) => {
                if running.build.is_none() {
                    running.since = now;
                }
                return (next, Turn::Now);
            }
            None => {}
        }
        if is_late {
            if let Some(taken) = next.taken.get_mut(asker.job) {
                taken.waits = false;
            }
            next.over.remove(asker.job);
            return (next, Turn::Superseded);
        }
        let within_the_hour = next.taken.values().filter(|taken| now - taken.at < HOUR).count();
        let full = within_the_hour >= limits.rate || next.taken.len() >= MOST;
        if full && !next.taken.contains_key(asker.job) {
            let is_one_more = !next.over.contains_key(asker.job);
            if is_one_more && next.over.len() >= MOST_OVER.min(limits.rate.saturating_mul(10)) {
                return (next, Turn::Flood);
            }
            next.over.entry(asker.job.to_owned()).or_insert(now);
            return (next, Turn::TooMany);
        }
        next.over.remove(asker.job);
        let free = next.running.len() < limits.concurrency;
        let taken = next.taken.entry(asker.job.to_owned()).or_insert(Taken { at: now, waits: false });
        taken.waits = !free;
        if free {
            next.running.insert(asker.job.to_owned(), Running { build: None, since: now });
        }
        (next, if free { Turn::Now } else { Turn::Waits })
    }

    /// A message's build has started.
    #[must_use]
    pub fn started(&self, asker: Asker<'_>, build: &str, now: i64) -> Self {
        let mut next = self.clone();
        next.running.insert(asker.job.to_owned(), Running { build: Some(build.to_owned()), since: now });
        let latest = next.latest.entry(asker.branch.to_owned()).or_insert(asker.published);
        *latest = asker.published.max(*latest);
        next.latest.retain(|_, published| now - *published < KEPT);
        while next.latest.len() > MOST_BRANCHES {
            let oldest = next.latest.iter().min_by_key(|(_, published)| **published).map(|(branch, _)| branch.clone());
            next.latest.retain(|branch, _| Some(branch) != oldest.as_ref());
        }
        next
    }

    /// Without these places, as far as they still are what they were seen to be.
    #[must_use]
    pub fn without(&self, places: &[(String, Running)]) -> Self {
        let mut next = self.clone();
        next.running.retain(|job, running| !places.iter().any(|(over, seen)| over == job && seen == running));
        next
    }

    /// The build of a message that has a place.
    #[must_use]
    pub fn build_of(&self, job: &str) -> Option<&str> {
        self.running.get(job)?.build.as_deref()
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

    fn by(job: &str) -> Asker<'_> {
        Asker { job, branch: "main", published: 0 }
    }

    fn without(state: &State, job: &str) -> State {
        let places: Vec<_> =
            state.running().filter(|(of, _)| *of == job).map(|(of, at)| (of.clone(), at.clone())).collect();
        state.without(&places)
    }

    #[test]
    fn one_runs_the_others_wait_and_ask_again() {
        let (state, turn) = State::default().ask(by("a"), LIMITS, 0);
        assert_eq!(turn, Turn::Now);
        assert_eq!(state.ask(by("a"), LIMITS, 1).1, Turn::Now, "again, after a crash");
        let (state, turn) = state.started(by("a"), "build:1", 1).ask(by("b"), LIMITS, 2);
        assert_eq!(turn, Turn::Waits);
        let (state, turn) = without(&state, "a").ask(by("b"), LIMITS, 3);
        assert_eq!(turn, Turn::Now);
        assert_eq!(state.running().map(|(job, _)| job.as_str()).collect::<Vec<_>>(), ["b"]);
    }

    #[test]
    fn a_place_that_is_taken_up_again_is_not_the_one_that_was_left() {
        let (left, _) = State::default().ask(by("a"), LIMITS, 0);
        let seen: Vec<_> = left.running().map(|(job, running)| (job.clone(), running.clone())).collect();
        let (again, turn) = left.ask(by("a"), LIMITS, MINUTE);
        assert_eq!((turn, again.running().next().unwrap().1.since), (Turn::Now, MINUTE));
        assert_eq!(again.without(&seen), again, "somebody else saw it before");
        assert_eq!(left.without(&seen).running().count(), 0);
        let started = again.started(by("a"), "build:1", 2 * MINUTE);
        assert_eq!(started.ask(by("a"), LIMITS, 3 * MINUTE).0, started, "a build began when it began");
    }

    #[test]
    fn more_than_the_rate_are_not_taken_in_until_an_hour_has_passed() {
        let mut state = State::default();
        for (job, now) in [("a", 0), ("b", MINUTE), ("c", 2 * MINUTE)] {
            state = state.ask(by(job), LIMITS, now).0;
        }
        assert_eq!(state.ask(by("d"), LIMITS, 3 * MINUTE).1, Turn::TooMany);
        assert_eq!(state.ask(by("b"), LIMITS, 3 * MINUTE).1, Turn::Waits, "one that was taken is not counted again");
        assert_eq!(state.ask(by("d"), LIMITS, HOUR).1, Turn::Waits, "the first was an hour ago");
        // So many wait beyond the rate, and one more would be asked about all day.
        let flooded = (0..10 * LIMITS.rate).fold(state.clone(), |state, number| {
            let (state, turn) = state.ask(by(&format!("e{number}")), LIMITS, 3 * MINUTE);
            assert_eq!(turn, Turn::TooMany, "{number}");
            state
        });
        assert_eq!(flooded.ask(by("f"), LIMITS, 4 * MINUTE).1, Turn::Flood);
        let (taken, turn) = flooded.ask(by("e7"), LIMITS, HOUR);
        assert_eq!((turn, taken.over.len()), (Turn::Waits, 10 * LIMITS.rate - 1), "one that is known comes in");
        // One that waits longer than an hour stays taken.
        let late = without(&state, "a").ask(by("c"), LIMITS, 3 * HOUR);
        assert_eq!(late.1, Turn::Now);
    }

    #[test]
    fn an_older_message_does_not_put_back_what_a_newer_one_deployed() {
        let limits = Limits { rate: 9, ..LIMITS };
        let asker = |job, branch, published| Asker { job, branch, published };
        let (older, newer) = (asker("older", "main", MINUTE), asker("newer", "main", 2 * MINUTE));
        let (state, _) = State::default().ask(by("runs"), limits, 0);
        let state = state.started(by("runs"), "build:0", 0).ask(older, limits, 3 * MINUTE).0;
        let state = without(&state.ask(newer, limits, 3 * MINUTE).0, "runs");
        let (state, turn) = state.ask(newer, limits, 4 * MINUTE);
        assert_eq!((turn, state.ask(older, limits, 4 * MINUTE).1), (Turn::Now, Turn::Waits), "nothing is deployed yet");
        let state = state.started(newer, "build:1", 5 * MINUTE);
        let (after, turn) = without(&state, "newer").ask(older, limits, 6 * MINUTE);
        assert_eq!((turn, after.taken["older"].waits), (Turn::Superseded, false));
        assert_eq!(state.ask(newer, limits, 6 * MINUTE).1, Turn::Now, "the same again");
        assert_eq!(after.ask(asker("elsewhere", "release/1", 0), limits, 7 * MINUTE).1, Turn::Now, "another branch");
        // Of what was published at once none is the older one, and a build that is reported late changes nothing.
        let late = state.started(older, "build:2", 6 * MINUTE);
        assert_eq!(late.latest["main"], 2 * MINUTE);
        assert_ne!(late.ask(asker("at once", "main", 2 * MINUTE), limits, 2 * HOUR).1, Turn::Superseded);
        // One that has a place and no build in it yet gives that up.
        let two = Limits { concurrency: 2, ..limits };
        let (state, turn) = State::default().ask(older, two, 3 * MINUTE);
        assert_eq!(turn, Turn::Now, "and its function ends before it starts one");
        let state = state.ask(newer, two, 4 * MINUTE).0.started(newer, "build:1", 4 * MINUTE);
        let (state, turn) = state.ask(older, two, 6 * MINUTE);
        assert_eq!((turn, state.running().count()), (Turn::Superseded, 1));
        // What no queue could still hold is forgotten.
        assert_eq!(late.started(asker("x", "other", KEPT), "build:3", KEPT + 3 * MINUTE).latest.len(), 1);
    }

    #[test]
    fn what_waits_for_hours_never_outgrows_its_item() {
        let limits = Limits { concurrency: 1, rate: 1000 };
        let (mut state, _) = State::default().ask(by("runs"), limits, 0);
        state.taken.extend((1..MOST).map(|number| (format!("{number:036}"), Taken { at: 0, waits: true })));
        assert_eq!(state.ask(by(&format!("{:036}", 1)), limits, 3 * HOUR).1, Turn::Waits, "what is in it stays");
        let (state, _) = state.ask(by("one more"), limits, 3 * HOUR);
        assert_eq!((state.taken.len(), state.ask(by("another"), limits, 3 * HOUR).1), (MOST, Turn::TooMany));
        // So many branches, each with the longest name.
        let branches = (0..2 * MOST_BRANCHES).map(|number| format!("{number:0200}"));
        let state = branches.enumerate().fold(state, |state, (number, branch)| {
            let published = i64::try_from(number).unwrap();
            state.started(Asker { job: "runs", branch: &branch, published }, "build:1", 3 * HOUR)
        });
        assert!(state.latest.values().all(|published| *published >= 500), "the latest are kept");
        assert_eq!(state.latest.len(), MOST_BRANCHES);
        assert!(serde_json::to_string(&state).unwrap().len() < 390_000);
    }

    proptest! {
        #[test]
        fn never_more_than_allowed(asks in prop::collection::vec((0..12u8, 0..40i64, any::<bool>()), 1..80)) {
            let limits = Limits { concurrency: 2, rate: 5 };
            let (mut state, mut now) = (State::default(), 0);
            for (job, minutes, ends) in asks {
                now += minutes * MINUTE;
                let (next, turn) = state.ask(by(&job.to_string()), limits, now);
                prop_assert_eq!(turn == Turn::Now, next.running().any(|(running, _)| *running == job.to_string()));
                state = if ends { without(&next, &job.to_string()) } else { next };
                prop_assert!(state.running().count() <= 2);
                prop_assert!(state.taken.values().filter(|taken| now - taken.at < HOUR).count() <= 5);
            }
        }
    }
}
