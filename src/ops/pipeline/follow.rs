//! A job from its message to its end, as it changes.

use std::time::{Duration, Instant};

use super::Pipeline;
use super::jobs::{Job, State};
use crate::compare::{Why, WhyKind};

/// Between two looks: at first, and at most.
const LOOKS: (Duration, Duration) = (Duration::from_millis(300), Duration::from_secs(5));

/// How long the function may take to hear of a message.
const HEARD: Duration = Duration::from_mins(2);

/// How long AWS may be away before whoever looks on gives up. The job goes on without.
const AWAY: Duration = Duration::from_mins(10);

/// What is told while a job is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Followed {
    /// It stands otherwise, or is in another phase.
    Job(Box<Job>),
    /// AWS does not answer; it is asked again.
    Unanswered(Why),
    /// It answers again.
    Answered,
}

impl Pipeline {
    /// Follows what a message started, to the end. Fails when nobody hears of it, or AWS is away for too long.
    pub async fn follow(&self, message: &str, tell: &(dyn Fn(Followed) + Sync)) -> Result<Job, Why> {
        let began = Instant::now();
        let mut pause = LOOKS.0;
        let mut seen: Option<(State, Option<String>)> = None;
        let mut away: Option<Instant> = None;
        loop {
            match self.job(message).await {
                Ok(job) => {
                    if away.take().is_some() {
                        tell(Followed::Answered);
                    }
                    if let Some(job) = job {
                        let now = (job.state, job.build.as_ref().map(|build| build.phase.clone()));
                        if seen.as_ref() != Some(&now) {
                            seen = Some(now);
                            pause = LOOKS.0;
                            tell(Followed::Job(Box::new(job.clone())));
                        }
                        if !job.state.is_open() {
                            return Ok(job);
                        }
                    } else if began.elapsed() > heard() {
                        let why = Why::new(format!("nothing came of the message {message} so far"));
                        return Err(why.hint("plumb pipeline letters; the log of the function; is it subscribed?"));
                    }
                }
                Err(why) if matches!(why.kind, WhyKind::Network | WhyKind::Throttled) => {
                    let since = *away.get_or_insert_with(|| {
                        tell(Followed::Unanswered(why.clone()));
                        Instant::now()
                    });
                    if since.elapsed() > AWAY {
                        return Err(Why { reason: format!("{}; the job {message} goes on", why.reason), ..why });
                    }
                }
                Err(why) => return Err(why),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 3 / 2).min(LOOKS.1);
        }
    }
}

/// `PLUMB_PIPELINE_PATIENCE` in seconds is for tests.
fn heard() -> Duration {
    let stated = std::env::var("PLUMB_PIPELINE_PATIENCE").ok().and_then(|text| text.parse().ok());
    stated.map_or(HEARD, Duration::from_secs)
}
