//! A job from its message to its end, as it changes.

use std::time::{Duration, Instant};

use super::Pipeline;
use super::jobs::{Job, State};
use crate::compare::{Why, WhyKind};

/// Between two looks: at first, and at most.
const LOOKS: (Duration, Duration) = (Duration::from_millis(300), Duration::from_secs(5));

/// How long the function may take to hear of a message, over the time after which it is tried again.
const HEARD: Duration = Duration::from_mins(2);

/// How long nobody may know how a job stands before that is its end.
const UNSEEN: Duration = Duration::from_mins(2);

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

/// Asks until something answers, as long as what is in the way may pass.
pub async fn patiently<T, F>(tell: &(dyn Fn(Followed) + Sync), ask: impl Fn() -> F) -> Result<T, Why>
where
    F: Future<Output = Result<T, Why>>,
{
    let mut pause = LOOKS.0;
    let mut away: Option<Instant> = None;
    loop {
        match ask().await {
            Ok(answer) => {
                if away.is_some() {
                    tell(Followed::Answered);
                }
                return Ok(answer);
            }
            Err(why) if matches!(why.kind, WhyKind::Network | WhyKind::Throttled | WhyKind::Service) => {
                let since = *away.get_or_insert_with(|| {
                    tell(Followed::Unanswered(why.clone()));
                    Instant::now()
                });
                if since.elapsed() > AWAY {
                    return Err(why);
                }
            }
            Err(why) => return Err(why),
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 3 / 2).min(LOOKS.1);
    }
}

impl Pipeline {
    /// Follows what a message started, to the end. Fails when nobody hears of it, or AWS is away for too long.
    pub async fn follow(&self, message: &str, tell: &(dyn Fn(Followed) + Sync)) -> Result<Job, Why> {
        self.until(message, tell, |_| false).await
    }

    /// Follows it until that is so, or to the end.
    pub async fn until(
        &self,
        message: &str,
        tell: &(dyn Fn(Followed) + Sync),
        is_so: impl Fn(&Job) -> bool,
    ) -> Result<Job, Why> {
        let began = Instant::now();
        let mut pause = LOOKS.0;
        let mut seen: Option<(State, Option<String>)> = None;
        let mut unknown: Option<Instant> = None;
        loop {
            let job = patiently(tell, || self.job(message)).await;
            let job = job.map_err(|why| Why { reason: format!("{}; the job {message} goes on", why.reason), ..why })?;
            if let Some(job) = job {
                let now = (job.state, job.build.as_ref().map(|build| build.phase.clone()));
                if seen.as_ref() != Some(&now) {
                    seen = Some(now);
                    pause = LOOKS.0;
                    tell(Followed::Job(Box::new(job.clone())));
                }
                // CodeBuild takes a while to tell of a build that has just begun.
                let is_unknown = job.state == State::Unknown;
                let waits = is_unknown && unknown.get_or_insert_with(Instant::now).elapsed() < patience(UNSEEN);
                if !is_unknown {
                    unknown = None;
                }
                if is_so(&job) || !(job.state.is_open() || waits) {
                    return Ok(job);
                }
            } else if began.elapsed() > patience(HEARD + self.again_after()) {
                let why = Why::new(format!("nothing came of the message {message} so far"));
                return Err(why.hint("plumb pipeline letters; the log of the function; is it subscribed?"));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 3 / 2).min(LOOKS.1);
        }
    }
}

/// `PLUMB_PIPELINE_PATIENCE` in seconds is for tests.
fn patience(usual: Duration) -> Duration {
    let stated = std::env::var("PLUMB_PIPELINE_PATIENCE").ok().and_then(|text| text.parse().ok());
    stated.map_or(usual, Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn what_may_pass_is_asked_again_and_told_once_and_nothing_else_is() {
        let told = Mutex::new(Vec::new());
        let tell = |followed: Followed| told.lock().unwrap().push(followed);
        let asked = AtomicUsize::new(0);
        let kinds = [WhyKind::Network, WhyKind::Throttled, WhyKind::Service];
        let answer = patiently(&tell, || async {
            let at = asked.fetch_add(1, Ordering::Relaxed);
            kinds.get(at).map_or(Ok(at), |kind| Err(Why::new("no").kind(*kind)))
        });
        assert_eq!(answer.await, Ok(3));
        let expected = [Followed::Unanswered(Why::new("no").kind(WhyKind::Network)), Followed::Answered];
        assert_eq!(*told.lock().unwrap(), expected);
        for kind in [WhyKind::Denied, WhyKind::Expired, WhyKind::Other] {
            let asked = AtomicUsize::new(0);
            let answer: Result<(), Why> = patiently(&tell, || async {
                asked.fetch_add(1, Ordering::Relaxed);
                Err(Why::new("no").kind(kind))
            })
            .await;
            assert_eq!((answer.unwrap_err().kind, asked.into_inner()), (kind, 1));
        }
    }
}
