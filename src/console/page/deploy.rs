//! The deploy page: how the stacks stand, what is under way, and what was done before.

use std::collections::BTreeMap;

use crate::compare::Why;
use crate::console::deploy::{Heard, Over};
use crate::console::model::{EnvState, Job, Model};
use crate::console::page::Page;
use crate::console::remote::Remote;
use crate::ops::deploy::{Failure, Happened, Progress, Standing};
use crate::ops::journal::Entry;
use crate::ops::redeploy::Followed;
use crate::secret::Secret;

/// The most events that are kept of one operation.
const EVENTS: usize = 2000;

/// The type of the stack itself and of those within, which are no work of their own.
const STACK: &str = "AWS::CloudFormation::Stack";

/// What the page remembers while it is looked at.
#[derive(Debug, Default)]
pub struct State {
    /// The environment's index that all of this is about.
    pub environment: usize,
    /// The selected stack.
    pub row: usize,
    /// Whether the lower part hears the movement keys.
    pub below: bool,
    /// The selected function or entry of the past.
    pub line: usize,
    /// The first line drawn of the lower part.
    pub offset: usize,
}

/// What is known of an environment's stacks.
#[derive(Debug, Default)]
pub struct Known {
    /// How they stand.
    pub stacks: Remote<Vec<Standing>>,
    /// When that was read, milliseconds since the Unix epoch.
    pub read_at: Option<i64>,
    /// Why it could not be read again, if so.
    pub trouble: Option<Why>,
    /// The request for it.
    pub reading: Option<Job>,
    /// Whether it is to be read, whatever page is looked at.
    pub wanted: bool,
    /// When they are read again by themselves, since what is under way could not be followed; milliseconds since the Unix
    /// epoch.
    pub again: Option<i64>,
    /// How many times one after the other that was so.
    pub lost: u32,
    /// What is done, or was done in this session, by stack.
    pub runs: BTreeMap<String, Run>,
}

/// Something that is done to a stack.
#[derive(Debug)]
pub struct Run {
    /// The request that follows it.
    pub job: Job,
    /// In a word: `deploying`.
    pub doing: &'static str,
    /// Who does it.
    pub worker: Worker,
    /// Where it is seen elsewhere, once that is known.
    pub link: Option<String>,
    /// What the jobs of a workflow's run and their steps are at, in their order, the last word of each.
    pub steps: Vec<Stepped>,
    /// Whose it is, where it was not begun here.
    pub whose: Option<String>,
    /// How long the last deployment took, in milliseconds.
    pub last: Option<i64>,
    /// Since when, milliseconds since the Unix epoch.
    pub since: i64,
    /// What is done beside CloudFormation's work.
    pub step: Option<String>,
    /// Why CloudFormation cannot be asked right now.
    pub unanswered: Option<Why>,
    /// What happened, in its order.
    pub events: Vec<Happened>,
    /// What failed first.
    pub failure: Option<Failure>,
    /// The last lines of the function that is its cause.
    pub log: Option<Result<Vec<Secret>, Why>>,
    /// How it ended.
    pub over: Option<Result<Box<Over>, Why>>,
}

/// Who changes a stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worker {
    /// AWS, by a change set.
    CloudFormation,
    /// The project's own workflow.
    GitHub,
    /// The deploy pipeline.
    Pipeline,
}

impl Worker {
    pub(in crate::console) fn name(self) -> &'static str {
        match self {
            Self::CloudFormation => "CloudFormation",
            Self::GitHub => "GitHub",
            Self::Pipeline => "the pipeline",
        }
    }
}

/// A job or a step of a workflow's run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stepped {
    /// The job.
    pub job: String,
    /// Its step; `None`: the job itself.
    pub step: Option<String>,
    /// What it is at, or how it ended.
    pub status: String,
    /// Its log.
    pub link: Option<String>,
}

impl Run {
    pub(in crate::console) fn begun(job: Job, doing: &'static str, last: Option<i64>) -> Self {
        Self {
            job,
            doing,
            worker: Worker::CloudFormation,
            link: None,
            steps: Vec::new(),
            whose: None,
            last,
            since: job.since,
            step: None,
            unanswered: None,
            events: Vec::new(),
            failure: None,
            log: None,
            over: None,
        }
    }

    pub(in crate::console) fn hear(&mut self, heard: Heard) {
        match heard {
            Heard::Progress(Progress::Step(step)) => self.step = Some(step),
            Heard::Progress(Progress::Happened(happened)) => {
                self.step = None;
                if self.events.len() == EVENTS {
                    self.events.remove(0);
                }
                self.events.push(happened);
            }
            Heard::Progress(Progress::Failed(failure)) => self.failure = Some(failure),
            Heard::Progress(Progress::Unanswered(why)) => self.unanswered = Some(why),
            Heard::Progress(Progress::Answered) => self.unanswered = None,
            Heard::Progress(Progress::Begun | Progress::Own) => {}
            Heard::Followed(followed) => self.follow(followed),
            Heard::Log(log) => self.log = Some(log),
        }
    }

    fn follow(&mut self, followed: Followed) {
        let word = |status: &str, conclusion: Option<String>| conclusion.unwrap_or_else(|| status.replace('_', " "));
        let stepped = match followed {
            Followed::Run(run) => {
                self.step = Some(format!("run {}: {}", run.id, word(&run.status, run.conclusion)));
                self.link = Some(run.url);
                return;
            }
            Followed::Job(job) => {
                let status = word(&job.status, job.conclusion);
                Stepped { job: job.name, step: None, status, link: job.url }
            }
            Followed::Step(job, step) => {
                let status = word(&step.status, step.conclusion);
                Stepped { job, step: Some(step.name), status, link: None }
            }
            Followed::Unanswered(why) => {
                self.unanswered = Some(why);
                return;
            }
            Followed::Answered => {
                self.unanswered = None;
                return;
            }
        };
        match self.steps.iter_mut().find(|known| known.job == stepped.job && known.step == stepped.step) {
            Some(known) => *known = stepped,
            None => self.steps.push(stepped),
        }
    }

    /// How many resources are done, and how many CloudFormation is at work on.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        let mut last: BTreeMap<String, bool> = BTreeMap::new();
        for happened in self.events.iter().filter(|happened| happened.type_name != STACK) {
            last.insert(happened.name(), happened.status.ends_with("_IN_PROGRESS"));
        }
        let at_work = last.values().filter(|at_work| **at_work).count();
        (last.len() - at_work, at_work)
    }

    /// How much of it is done by the time that the last one took, from 0 to 100; `None`: nothing tells.
    #[must_use]
    pub fn share(&self, now: i64) -> Option<i64> {
        let last = self.last.filter(|last| *last > 0)?;
        // What takes longer is not done before it says so.
        Some(((now - self.since).max(0) * 100 / last).min(99))
    }
}

impl Known {
    /// What is known of the stacks was another account's, or at another commit.
    pub(in crate::console) fn forget(&mut self) {
        (self.stacks, self.read_at, self.trouble, self.again) = (Remote::Idle, None, None, None);
    }

    /// The stacks, as far as they are known.
    #[must_use]
    pub fn standings(&self) -> &[Standing] {
        self.stacks.value().map_or(&[], Vec::as_slice)
    }
}

/// What can be selected of a stack, in the lower part of the page.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::console) enum Choice<'m> {
    /// A function with an alias.
    Function(&'m str),
    /// An entry of the past.
    Entry(&'m Entry),
}

/// The selected stack.
pub(in crate::console) fn selected(model: &Model) -> Option<&Standing> {
    model.environment().deploys.standings().get(model.deploy.row)
}

/// What of it can be selected.
pub(in crate::console) fn choices(standing: &Standing) -> Vec<Choice<'_>> {
    let functions = standing.functions.iter().map(|name| Choice::Function(name));
    functions.chain(standing.past.entries.iter().map(Choice::Entry)).collect()
}

/// What of the selected stack is selected.
pub(in crate::console) fn chosen(model: &Model) -> Option<Choice<'_>> {
    let standing = selected(model).filter(|_| model.deploy.below)?;
    choices(standing).get(model.deploy.line).copied()
}

/// When something of the page changes by time alone, milliseconds since the Unix epoch.
pub(in crate::console) fn wake(model: &Model) -> Option<i64> {
    const SPINNER: i64 = 125;
    let can_be_read = |env: &&EnvState| env.deploys.reading.is_none() && env.wrong_account().is_none();
    let due = model.environments.iter().filter(can_be_read).filter_map(|env| env.deploys.again);
    let due = due.map(|at| at.max(model.clock.now + 1));
    if model.page != Page::Deploy {
        return due.min();
    }
    let (now, known) = (model.clock.now, &model.environment().deploys);
    let moves = known.reading.is_some() || known.runs.values().any(|run| run.over.is_none());
    let ages = known.standings().iter().filter_map(|standing| standing.past.entries.first()).map(|entry| entry.at);
    let ages = ages.chain(known.read_at).map(|at| now + model.clock.next_age(at));
    moves.then_some(now + SPINNER).into_iter().chain(ages).chain(due).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_and_what_is_at_work_is_counted_by_the_last_event_of_each_resource() {
        use crate::console::fixture::deploy::happened;

        let mut run = Run::begun(Job { generation: 1, since: 1000 }, "deploying", None);
        assert_eq!(run.counts(), (0, 0));
        let of = |id: &str, status| Happened { logical_id: id.to_owned(), ..happened(status, None) };
        let stack = Happened { type_name: STACK.to_owned(), ..of("shop", "UPDATE_IN_PROGRESS") };
        let events = [stack, of("Queue", "UPDATE_IN_PROGRESS"), of("Api", "UPDATE_IN_PROGRESS")];
        for happened in events.into_iter().chain([of("Queue", "UPDATE_COMPLETE")]) {
            run.hear(Heard::Progress(Progress::Happened(happened)));
        }
        assert_eq!(run.counts(), (1, 1));
        for _ in 0..EVENTS {
            run.hear(Heard::Progress(Progress::Happened(of("Api", "UPDATE_COMPLETE"))));
        }
        assert_eq!((run.events.len(), run.counts()), (EVENTS, (1, 0)), "the newest are kept");
    }

    #[test]
    fn a_bar_is_never_full_before_the_end_is_known() {
        let run = Run::begun(Job { generation: 1, since: 1000 }, "deploying", Some(10_000));
        let shares = [1000, 6000, 11_000, 99_000, 0].map(|now| run.share(now));
        assert_eq!(shares, [Some(0), Some(50), Some(99), Some(99), Some(0)]);
        assert_eq!(Run::begun(run.job, "deploying", None).share(6000), None);
    }
}
