//! Waiting for something in AWS: asked again at growing intervals, until it is so or the time is up.

use std::time::Duration;

use tokio::time::Instant;

use super::{Error, ErrorKind};

const FIRST: Duration = Duration::from_millis(150);
const LONGEST: Duration = Duration::from_secs(5);

/// The pauses between questions. Dropping the future that waits cancels the wait.
pub(crate) struct Poll {
    pause: Duration,
    deadline: Instant,
}

impl Poll {
    pub(crate) fn within(limit: Duration) -> Self {
        Self { pause: FIRST, deadline: Instant::now() + limit }
    }

    /// Sleeps until the next question; `false` when there is no time for another.
    pub(crate) async fn again(&mut self) -> bool {
        let now = Instant::now();
        if now >= self.deadline {
            return false;
        }
        let pause = jittered(self.pause).min(self.deadline - now);
        tokio::time::sleep(pause).await;
        self.pause = (self.pause * 3 / 2).min(LONGEST);
        true
    }
}

impl Error {
    /// Whether it may be over when the same is asked again.
    pub(crate) fn passes(&self) -> bool {
        self.kind == ErrorKind::Throttled || self.is_lost()
    }

    /// Whether what was sent may have been done all the same: nothing came that says otherwise.
    pub(crate) fn is_lost(&self) -> bool {
        matches!(self.kind, ErrorKind::Network | ErrorKind::Timeout | ErrorKind::Unreadable) || self.is_of_server()
    }
}

/// Between three quarters and five quarters of the pause, so that many waits do not ask in step.
fn jittered(pause: Duration) -> Duration {
    let mut byte = [128];
    if getrandom::fill(&mut byte).is_err() {
        return pause;
    }
    pause * (192 + u32::from(byte[0]) / 2) / 256
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_last_question_is_asked_at_the_deadline_and_none_after_it() {
        let start = Instant::now();
        let mut poll = Poll::within(Duration::from_millis(60));
        assert!(poll.again().await, "there is time for one more");
        assert!(start.elapsed() >= Duration::from_millis(60));
        assert!(!poll.again().await, "the time is up");
    }

    #[test]
    fn jitter_stays_within_a_quarter() {
        for _ in 0..200 {
            let pause = jittered(Duration::from_secs(1));
            assert!((750..=1250).contains(&pause.as_millis()), "{pause:?}");
        }
    }
}
