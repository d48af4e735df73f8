//! How fast writes are sent, and how long the rest will take. AWS says "slow down" in its answers; each time it does,
//! the distance between two writes doubles, and shrinks again while it does not.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::send::AT_ONCE;
use crate::ops::session::Session;

/// The distance that a first "slow down" brings about.
const FIRST: Duration = Duration::from_millis(100);
/// The largest distance.
const LARGEST: Duration = Duration::from_secs(2);
/// Distances below this are none.
const SMALLEST: Duration = Duration::from_millis(20);

/// Parameters that AWS lets be written in a second, unless more was bought (quotas of Parameter Store: 3 PutParameter).
const PARAMETERS: usize = 3;
/// A secret takes three calls, each with its answer.
const SECRET: Duration = Duration::from_millis(600);
/// The lock before and the receipts after.
const AROUND: Duration = Duration::from_secs(1);

/// How far a write is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Items that ended, one way or the other.
    pub ended: usize,
    /// Of them, those that failed.
    pub failed: usize,
    /// All of them.
    pub total: usize,
    /// The one that ended last.
    pub name: String,
    /// How long the rest will take, at the rate so far.
    pub remaining: Duration,
    /// How often AWS said "slow down" meanwhile.
    pub throttled: u64,
}

/// Hears how far a write is, after each item.
pub type Watch<'a> = dyn Fn(&Progress) + Send + Sync + 'a;

/// The pace of one write.
pub(super) struct Pace<'a> {
    session: &'a Session,
    watch: &'a Watch<'a>,
    total: usize,
    began: Instant,
    state: Mutex<State>,
}

struct State {
    distance: Duration,
    next: Instant,
    /// How often AWS had said "slow down" when that was last looked at, and when this began.
    throttled: (u64, u64),
    ended: usize,
    failed: usize,
}

impl<'a> Pace<'a> {
    pub(super) fn new(session: &'a Session, total: usize, watch: &'a Watch<'a>) -> Self {
        let throttled = session.clients.throttled();
        let state = State {
            distance: Duration::ZERO,
            next: Instant::now(),
            throttled: (throttled, throttled),
            ended: 0,
            failed: 0,
        };
        Self { session, watch, total, began: Instant::now(), state: Mutex::new(state) }
    }

    /// Waits for the turn of the next write.
    pub(super) async fn turn(&self) {
        let at = {
            let mut state = self.state();
            let at = state.next.max(Instant::now());
            state.next = at + state.distance;
            at
        };
        tokio::time::sleep_until(at).await;
    }

    /// Learns from the answers since it last did.
    pub(super) fn learn(&self) {
        let throttled = self.session.clients.throttled();
        let mut state = self.state();
        state.distance = distance(state.distance, throttled > state.throttled.0);
        state.throttled.0 = throttled;
    }

    /// An item has ended.
    pub(super) fn ended(&self, name: &str, done: bool) {
        let progress = {
            let mut state = self.state();
            state.ended += 1;
            state.failed += usize::from(!done);
            Progress {
                ended: state.ended,
                failed: state.failed,
                total: self.total,
                name: name.to_owned(),
                remaining: remaining(self.began.elapsed(), state.ended, self.total),
                throttled: self.session.clients.throttled() - state.throttled.1,
            }
        };
        (self.watch)(&progress);
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many writes so many parameters and secrets take, and how long, about, if nobody says "slow down".
pub(super) fn told(parameters: usize, secrets: usize) -> String {
    let count = parameters + secrets;
    let seconds = estimate(parameters, secrets).as_secs_f64().ceil();
    let time = if seconds < 120.0 { format!("{seconds} s") } else { format!("{:.0} min", seconds / 60.0) };
    format!("{count} {}, about {time}", if count == 1 { "write" } else { "writes" })
}

fn estimate(parameters: usize, secrets: usize) -> Duration {
    let times = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let parameters = Duration::from_secs(1).saturating_mul(times(parameters)) / times(PARAMETERS);
    let secrets = SECRET.saturating_mul(times(secrets)) / times(AT_ONCE);
    // Both at once, each at its service's rate.
    AROUND + parameters.max(secrets)
}

fn distance(now: Duration, throttled: bool) -> Duration {
    match throttled {
        true => (now * 2).clamp(FIRST, LARGEST),
        false if now < SMALLEST => Duration::ZERO,
        false => now * 9 / 10,
    }
}

fn remaining(elapsed: Duration, ended: usize, total: usize) -> Duration {
    let (Ok(done), Ok(left)) = (u32::try_from(ended), u32::try_from(total.saturating_sub(ended))) else {
        return Duration::ZERO;
    };
    elapsed.checked_div(done).unwrap_or_default().saturating_mul(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slow_down_doubles_the_distance_and_silence_shrinks_it_to_nothing() {
        let mut now = Duration::ZERO;
        for expected in [100, 200, 400, 800, 1600, 2000, 2000] {
            now = distance(now, true);
            assert_eq!(now, Duration::from_millis(expected));
        }
        let quiet = std::iter::successors(Some(now), |now| Some(distance(*now, false))).take(60).last();
        assert_eq!(quiet, Some(Duration::ZERO));
    }

    #[test]
    fn what_is_planned_tells_how_long_it_will_take() {
        for (parameters, secrets, expected) in [
            (1, 0, "1 write, about 2 s"),
            (3, 0, "3 writes, about 2 s"),
            (2, 1, "3 writes, about 2 s"),
            (0, 40, "40 writes, about 7 s"),
            (1000, 0, "1000 writes, about 6 min"),
        ] {
            assert_eq!(told(parameters, secrets), expected);
        }
    }

    #[test]
    fn the_rest_takes_as_long_as_what_is_done_did() {
        let second = Duration::from_secs(1);
        assert_eq!(remaining(second, 10, 40), 3 * second);
        assert_eq!(remaining(second, 40, 40), Duration::ZERO);
        assert_eq!(remaining(second, 0, 40), Duration::ZERO);
    }
}
