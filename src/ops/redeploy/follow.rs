//! What a run is at: its jobs and their steps, as they change, until it is over.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::{Plan, told};
use crate::compare::Why;
use crate::github::{Error, GitHub, Job, Run, Step};

/// Between two looks: at first, and at most.
const LOOKS: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(5));

/// How long GitHub may be away before whoever looks on gives up. The run goes on without.
const AWAY: Duration = Duration::from_mins(10);

/// So long a run is followed where nobody says how long.
pub const LONGEST: Duration = Duration::from_hours(2);

/// What is told while a run is followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Followed {
    /// The run has another status.
    Run(Run),
    /// A job has another status.
    Job(Job),
    /// A step of a job has another status.
    Step(String, Step),
    /// GitHub does not answer; it is asked again.
    Unanswered(Why),
    /// It answers again.
    Answered,
}

/// Follows a run to its end, and no longer than `longest`. Fails, too, when GitHub is away for too long, or shows it no
/// more; the run goes on without.
pub async fn follow(
    plan: &Plan,
    run: &Run,
    longest: Duration,
    tell: &(dyn Fn(Followed) + Send + Sync),
) -> Result<(Run, Vec<Job>), Why> {
    let (began, url) = (Instant::now(), &run.url);
    let goes_on = |why: Why| Why { reason: format!("{}; the run goes on: {url}", why.reason), ..why };
    let mut status = run.status.clone();
    let mut seen = Seen::default();
    let (mut pause, most) = LOOKS;
    let mut away: Option<Instant> = None;
    loop {
        match look(&plan.github, run.id).await {
            Ok((run, jobs)) => {
                if away.take().is_some() {
                    tell(Followed::Answered);
                }
                if seen.news(&run, &jobs, tell) {
                    pause = LOOKS.0;
                }
                if run.is_over() {
                    return Ok((run, jobs));
                }
                status = run.status;
            }
            // It says when it can be asked again, and asking before prolongs that.
            Err(error @ Error::Limited { seconds, .. }) => {
                tell(Followed::Unanswered(told(&error)));
                away = Some(Instant::now() + Duration::from_secs(seconds));
                pause = Duration::from_secs(seconds);
            }
            Err(error) if error.is_passing() => {
                let why = told(&error);
                let since = *away.get_or_insert_with(|| {
                    tell(Followed::Unanswered(why.clone()));
                    Instant::now()
                });
                if since.elapsed() > AWAY {
                    return Err(goes_on(why));
                }
            }
            Err(error) => return Err(goes_on(told(&error))),
        }
        let left = longest.saturating_sub(began.elapsed());
        if left.is_zero() {
            let why = Why::new(format!("the run is still {status} after {} s", longest.as_secs()));
            let hint = format!("plumb redeploy --cancel {} ends it; --wait=6h looks on for longer", run.id);
            return Err(goes_on(why).hint(hint));
        }
        tokio::time::sleep(pause.min(left)).await;
        pause = (pause * 3 / 2).min(most);
    }
}

/// Why a run did not succeed: its first step that failed.
#[must_use]
pub fn why_failed(run: &Run, jobs: &[Job]) -> Why {
    let conclusion = run.conclusion.as_deref().unwrap_or("over, and nobody says how");
    let bad = |conclusion: &Option<String>| {
        conclusion.as_deref().is_some_and(|word| !matches!(word, "success" | "skipped" | "neutral"))
    };
    let job = jobs.iter().find(|job| bad(&job.conclusion));
    let step = job.and_then(|job| job.steps.iter().find(|step| bad(&step.conclusion)));
    let at = match (job, step) {
        (Some(job), Some(step)) => format!(" at {} / {}", job.name, step.name),
        (Some(job), None) => format!(" at {}", job.name),
        _ => String::new(),
    };
    let url = job.and_then(|job| job.url.as_deref()).unwrap_or(&run.url);
    let why = Why::new(format!("the run ended as {conclusion}{at}: what it did before that is done"));
    why.hint(format!("its log: {url}; plumb status shows what is live"))
}

/// The run first: when it is over, so are its jobs.
async fn look(github: &GitHub, id: u64) -> Result<(Run, Vec<Job>), Error> {
    let run = github.run(id).await?;
    let jobs = github.jobs(id).await?;
    Ok((run, jobs))
}

type Standing = (String, Option<String>);

/// What was told.
#[derive(Default)]
struct Seen {
    run: Option<Standing>,
    jobs: BTreeMap<u64, Standing>,
    steps: BTreeMap<(u64, u64), Standing>,
}

impl Seen {
    /// Tells what is new; whether anything is. The run's end comes last.
    fn news(&mut self, run: &Run, jobs: &[Job], tell: &dyn Fn(Followed)) -> bool {
        let mut any = false;
        let now: Standing = (run.status.clone(), run.conclusion.clone());
        let is_new = self.run.replace(now.clone()) != Some(now);
        if is_new && !run.is_over() {
            tell(Followed::Run(run.clone()));
        }
        for job in jobs {
            let now: Standing = (job.status.clone(), job.conclusion.clone());
            let job_is_new = self.jobs.insert(job.id, now.clone()) != Some(now);
            // A job begins before its steps do, and ends after them.
            if job_is_new && job.status != "completed" {
                tell(Followed::Job(job.clone()));
            }
            for step in &job.steps {
                let now: Standing = (step.status.clone(), step.conclusion.clone());
                let waits = step.status == "queued" || step.status == "pending";
                if self.steps.insert((job.id, step.number), now.clone()) != Some(now) && !waits {
                    tell(Followed::Step(job.name.clone(), step.clone()));
                    any = true;
                }
            }
            if job_is_new && job.status == "completed" {
                tell(Followed::Job(job.clone()));
            }
            any |= job_is_new;
        }
        if is_new && run.is_over() {
            tell(Followed::Run(run.clone()));
        }
        any || is_new
    }
}
