//! Sends the steps of a write: each noted before and after, some at a time, in rounds. What AWS throttled, or did not
//! answer, is looked at and sent again in the next round; what fails for a reason of its own stops nothing else.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use futures::stream::{self, StreamExt};

use super::pace::{Pace, Watch};
use super::plan::{Race, Target};
use super::present::{self, Left, Now, left, look};
use super::{parameter, secret};
use crate::compare::{Why, WhyKind};
use crate::ops::journal::{Begun, Mark, Step, Thing, Version};
use crate::ops::session::Session;

/// Writes under way at a time; Parameter Store allows few more before it throttles.
pub(super) const AT_ONCE: usize = 4;
/// How often a step is sent, beside the retries of the SDK.
const ROUNDS: u32 = 4;
/// The pause before the second round; it doubles with each.
const PAUSE: Duration = Duration::from_millis(500);

/// A step with what it takes to do it.
pub(super) struct Task {
    pub(super) step: Step,
    pub(super) value: Option<crate::secret::Secret>,
    pub(super) target: Target,
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Ended {
    /// It is done. A deletion leaves no version.
    Done(Option<Version>),
    /// It was not done.
    Failed(Why),
    /// AWS did not answer, however often it was asked.
    Unknown(Why),
}

/// How the steps ended, by their places, and what else met them.
#[derive(Default)]
pub(super) struct Sent {
    pub(super) ended: BTreeMap<usize, Ended>,
    pub(super) races: Vec<Race>,
}

/// What came of one attempt.
pub(super) enum Attempt {
    Done(Option<Version>, Option<Race>),
    Failed(Why),
    /// It may be done, or not.
    Again(Why),
}

impl Attempt {
    /// A failure: of a kind that the next round may not meet, or for good.
    pub(super) fn of(why: Why) -> Self {
        match why.kind {
            WhyKind::Throttled | WhyKind::Network => Self::Again(why),
            _ => Self::Failed(why),
        }
    }
}

/// Sends what is left of the steps of an entry.
pub(super) async fn send(session: &Session, begun: &Begun, tasks: &[Task], watch: &Watch<'_>) -> Sent {
    let mut sent = Sent::default();
    let marks = &begun.entry().marks;
    let settled = |at: &usize| match marks.get(at) {
        Some(Mark::Done(version)) => Some(Ended::Done(version.clone())),
        Some(Mark::Failed) => Some(Ended::Failed(Why::new("it failed before the push was cut off"))),
        Some(Mark::Sent) | None => None,
    };
    sent.ended = (0..tasks.len()).filter_map(|at| Some((at, settled(&at)?))).collect();
    let mut open: Vec<(usize, bool)> = (0..tasks.len())
        .filter(|at| !sent.ended.contains_key(at))
        .map(|at| (at, marks.get(&at) == Some(&Mark::Sent)))
        .collect();
    let pace = Pace::new(session, open.len(), watch);
    let stop: Mutex<Option<Why>> = Mutex::new(None);
    for round in 0..ROUNDS {
        if open.is_empty() {
            break;
        }
        if round > 0 {
            tokio::time::sleep(PAUSE * 2_u32.pow(round - 1)).await;
        }
        let steps: Vec<&Step> = open.iter().map(|(at, _)| &tasks[*at].step).collect();
        let now = look(session, &steps).await;
        let attempts = stream::iter(std::mem::take(&mut open).into_iter().map(|(at, before)| {
            let (pace, stop, now) = (&pace, &stop, &now);
            async move {
                let task = &tasks[at];
                let halted = stop.lock().unwrap_or_else(PoisonError::into_inner).clone();
                let attempt = match halted {
                    Some(why) => Attempt::Failed(why),
                    None => one(session, begun, at, task, before, now, pace).await,
                };
                if let Attempt::Failed(why) | Attempt::Again(why) = &attempt
                    && why.kind.is_of_credentials()
                {
                    *stop.lock().unwrap_or_else(PoisonError::into_inner) = Some(why.clone());
                }
                (at, attempt)
            }
        }))
        .buffer_unordered(AT_ONCE);
        let mut attempts = std::pin::pin!(attempts);
        while let Some((at, attempt)) = attempts.next().await {
            let last = round + 1 == ROUNDS;
            let ended = match attempt {
                Attempt::Done(version, race) => {
                    sent.races.extend(race);
                    Ended::Done(version)
                }
                Attempt::Failed(why) => Ended::Failed(why),
                Attempt::Again(why) if last => Ended::Unknown(why),
                Attempt::Again(_) => {
                    open.push((at, true));
                    continue;
                }
            };
            pace.ended(&tasks[at].step.name, matches!(ended, Ended::Done(_)));
            sent.ended.insert(at, ended);
        }
        open.sort_unstable();
    }
    sent
}

async fn one(
    session: &Session,
    begun: &Begun,
    at: usize,
    task: &Task,
    before: bool,
    now: &BTreeMap<(Thing, String), Now>,
    pace: &Pace<'_>,
) -> Attempt {
    let step = &task.step;
    let Some(now) = now.get(&(step.kind, step.name.clone())) else {
        return Attempt::Failed(Why::new("the answer left it out"));
    };
    let attempt = match left(step, before, now) {
        Left::Unknown(why) => Attempt::of(why),
        Left::Overtaken(told) => Attempt::Failed(overtaken(&told)),
        Left::Nothing(version) => Attempt::Done(version, None),
        Left::Compare(version) => compare(session, task, version, now).await,
        left => {
            pace.turn().await;
            if let Err(why) = begun.mark(at, Mark::Sent) {
                return Attempt::Failed(why);
            }
            let attempt = match (step.kind, now) {
                (Thing::Parameter, Now::Parameter(meta)) => parameter::write(session, task, Some(meta)).await,
                (Thing::Parameter, _) => parameter::write(session, task, None).await,
                (Thing::Secret, _) => secret::write(session, task, &left).await,
            };
            pace.learn();
            attempt
        }
    };
    // What is not noted as done is looked at again by a resume, so a note that fails costs nothing but that look.
    let _ = match &attempt {
        Attempt::Done(version, _) => begun.mark(at, Mark::Done(version.clone())),
        Attempt::Failed(_) => begun.mark(at, Mark::Failed),
        Attempt::Again(_) => Ok(()),
    };
    attempt
}

/// Whether something that was written after the step was sent is what the step wrote.
async fn compare(session: &Session, task: &Task, version: Version, now: &Now) -> Attempt {
    let Some(value) = &task.value else {
        return Attempt::Failed(Why::new("nothing tells whether it was written: its value is not known any more"));
    };
    let step = &task.step;
    let found = match step.kind {
        Thing::Parameter => parameter::value_of(session, &step.name, &version.id).await,
        Thing::Secret => secret::value_of(session, &step.name, &version.id).await,
    };
    match found {
        Ok(Some(found)) if found == *value => match now {
            Now::Parameter(meta) if meta.version != present::expected(step) => {
                let told = present::whose(meta);
                let race = Race {
                    name: step.name.clone(),
                    told: format!("it was written as version {}, and then {told}, which is live", version.id),
                    hint: "look at both: plumb history".to_owned(),
                };
                Attempt::Done(Some(version), Some(race))
            }
            _ => Attempt::Done(Some(version), None),
        },
        Ok(_) => Attempt::Failed(overtaken(&match now {
            Now::Parameter(meta) => present::whose(meta),
            _ => format!("version {} is current by now", version.id),
        })),
        Err(why) => Attempt::of(why),
    }
}

fn overtaken(told: &str) -> Why {
    Why::new(format!("not written, somebody else was faster: {told}")).hint("look at what changed, and plan again")
}
