//! Plans of what is done with the pipeline: a job asked for, a build ended or repeated, a dead letter published again.

use super::plan::{Sheet, SheetRow};
use crate::ops::pipeline::jobs::Job;
use crate::ops::pipeline::letters::Letter;
use crate::ops::pipeline::trigger;

/// What a plan is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PipelineWanted {
    /// A job of this project and branch.
    Trigger(String, String),
    /// That a job's build ends.
    Stop(Box<Job>),
    /// That a job's build is started again.
    Retry(Box<Job>),
    /// That a letter's message is published again.
    Replay(Box<Letter>),
}

/// What is done once it is confirmed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PipelineWork {
    /// The message is sent.
    Trigger(trigger::Plan),
    /// The job's build is asked to end.
    Stop(Job),
    /// The job's build is started again.
    Retry(Job),
    /// The letter's message is published again.
    Replay(Letter),
}

impl PipelineWanted {
    pub(super) fn title(&self) -> &'static str {
        match self {
            Self::Trigger(..) => "TRIGGER PLAN",
            Self::Stop(_) => "STOP PLAN",
            Self::Retry(_) => "RETRY PLAN",
            Self::Replay(_) => "REPLAY PLAN",
        }
    }
}

impl PipelineWork {
    /// What is going on meanwhile.
    pub(in crate::console) fn doing(&self) -> String {
        match self {
            Self::Trigger(plan) => format!("asking for {} {}", plan.message.project, plan.message.branch),
            Self::Stop(job) => format!("ending {}", job.project),
            Self::Retry(job) => format!("starting {} again", job.project),
            Self::Replay(_) => String::from("publishing a message again"),
        }
    }
}

pub(super) fn sheet(work: &PipelineWork) -> Sheet {
    match work {
        PipelineWork::Trigger(plan) => trigger(plan),
        PipelineWork::Stop(job) => Sheet {
            notes: vec![('!', String::from("what its command did before is done; nothing takes that back"))],
            verb: String::from("ask the build to end"),
            done: format!("{} is asked to end", job.project),
            ..of_job(job)
        },
        PipelineWork::Retry(job) => Sheet {
            notes: vec![
                (
                    'i',
                    String::from(
                        "a build of its own with the same variables: without a commit it is the branch's latest",
                    ),
                ),
                ('i', String::from("the limits of the project do not count for it")),
            ],
            verb: String::from("start the build again"),
            done: format!("{} is started again", job.project),
            ..of_job(job)
        },
        PipelineWork::Replay(letter) => replay(letter),
    }
}

fn trigger(plan: &trigger::Plan) -> Sheet {
    let message = &plan.message;
    let mut notes = vec![('i', String::from("the function behind the topic decides by the registry, once more"))];
    if let Some(why) = &plan.unchecked {
        notes.insert(0, ('?', format!("the registry was not read: {}", why.reason)));
    }
    let commit = message.commit.clone().unwrap_or_else(|| String::from("the branch's latest"));
    Sheet {
        facts: vec![("project", message.project.clone()), ("branch", message.branch.clone()), ("commit", commit)],
        whole: Some(("topic", plan.topic.clone())),
        notes,
        verb: format!("have {} built", message.project),
        done: format!("{} {} is asked for", message.project, message.branch),
        ..Sheet::default()
    }
}

fn of_job(job: &Job) -> Sheet {
    let row = SheetRow {
        sign: '~',
        texts: [job.project.clone(), job.branch.clone().unwrap_or_default(), String::from(job.state.word())],
        ..SheetRow::default()
    };
    let build = job.build.as_ref().map(|build| build.id.clone()).unwrap_or_default();
    Sheet {
        facts: vec![("job", job.id.clone()), ("build", build)],
        heads: ["PROJECT", "BRANCH", "STATE"],
        rows: vec![row],
        ..Sheet::default()
    }
}

fn replay(letter: &Letter) -> Sheet {
    let mut notes = vec![('i', String::from("it gets an id of its own, and the letter leaves the queue"))];
    if letter.message().is_none() {
        notes.insert(0, ('!', String::from("this is no message that the pipeline reads: it will refuse it again")));
    }
    if letter.may_be_sent {
        notes.insert(0, ('!', String::from("it may have been sent before: look at the jobs first")));
    }
    Sheet {
        facts: vec![("letter", letter.id.clone())],
        whole: Some(("message", letter.text.clone().unwrap_or_else(|| letter.body.clone()))),
        notes,
        verb: String::from("publish it again"),
        done: String::from("the message is published again"),
        ..Sheet::default()
    }
}
