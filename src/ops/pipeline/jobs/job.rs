//! A job: a message as the function decided about it, with its build.

use crate::aws::codebuild;
use crate::aws::dynamodb::Item;
use crate::ops::pipeline::build::Build;
use crate::ops::pipeline::message::{self, signature};

/// Where the function records messages that name no project.
pub const NAMELESS: &str = "-";

/// How long a message is claimed as a rule before its build is there, milliseconds.
const CLAIM: i64 = 5 * 60 * 1000;

/// Something that the pipeline was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// The message's id; of a build that no message asked for, CodeBuild's.
    pub id: String,
    /// The project; `-`: the message named none.
    pub project: String,
    /// The branch.
    pub branch: Option<String>,
    /// The commit; `None`: the branch's latest.
    pub commit: Option<String>,
    /// Who asked, as the message or CodeBuild says ([`Job::is_claim`]): SNS tells nobody who published.
    pub by: Option<String>,
    /// Why, in their words.
    pub reason: Option<String>,
    /// When it was asked for, milliseconds since the Unix epoch.
    pub at: i64,
    /// How it stands.
    pub state: State,
    /// Why it was refused, or what is not known.
    pub why: Option<String>,
    /// The build.
    pub build: Option<Build>,
}

/// How a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// The function has it, and no build yet.
    Claimed,
    /// As many builds of its project run as may.
    Waiting,
    /// It waits for a machine.
    Queued,
    /// It is at work.
    Running,
    /// It went well.
    Succeeded,
    /// It ended otherwise.
    Failed,
    /// It took too long.
    TimedOut,
    /// Somebody ended it.
    Stopped,
    /// The function let it start nothing.
    Refused,
    /// Nobody can tell.
    Unknown,
}

impl State {
    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::Waiting => "waiting",
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::TimedOut => "timed out",
            Self::Stopped => "stopped",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
        }
    }

    /// Whether more comes of it.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Claimed | Self::Waiting | Self::Queued | Self::Running)
    }

    fn of(build: &Build) -> Self {
        match build.status.as_str() {
            "IN_PROGRESS" if matches!(build.phase.as_str(), "SUBMITTED" | "QUEUED" | "PROVISIONING") => Self::Queued,
            "IN_PROGRESS" => Self::Running,
            "SUCCEEDED" => Self::Succeeded,
            "FAILED" | "FAULT" => Self::Failed,
            "TIMED_OUT" => Self::TimedOut,
            "STOPPED" => Self::Stopped,
            _ => Self::Unknown,
        }
    }
}

impl Job {
    /// How long its build has taken, milliseconds.
    #[must_use]
    pub fn took(&self, now: i64) -> Option<i64> {
        let build = self.build.as_ref()?;
        Some((build.ended.unwrap_or(now) - build.began?).max(0))
    }

    /// Whether it is only said who asked: whoever may publish writes what they like, where CodeBuild knows who called.
    #[must_use]
    pub fn is_claim(&self) -> bool {
        self.build.as_ref().is_none_or(|build| build.id != self.id)
    }

    /// Whether more may come of it: CodeBuild takes a while to tell of a build that has just begun.
    #[must_use]
    pub fn may_go_on(&self, now: i64) -> bool {
        self.state.is_open() || (self.state == State::Unknown && now - self.at < CLAIM)
    }

    /// Who asked, in words: `by` as it is, or shortened.
    #[must_use]
    pub fn asked_by(&self, by: Option<&str>) -> String {
        match by {
            Some(by) if self.is_claim() => format!("says {by}"),
            Some(by) => by.to_owned(),
            None => "a message".to_owned(),
        }
    }

    /// A row of the table, and its build's id. The queue tries a message for `turn` milliseconds.
    pub(super) fn of(item: &Item, now: i64, turn: i64) -> Option<(Self, Option<String>)> {
        let id = item.text("id")?.strip_prefix("message#")?.to_owned();
        let at = item.text("received")?.parse::<jiff::Timestamp>().ok()?.as_millisecond();
        let text = |name: &str| item.text(name).map(str::to_owned);
        let (by, reason) = item.text("reason").map_or((None, None), signature);
        let build = text("build").filter(|build| !build.is_empty());
        let decision = item.text("decision").unwrap_or_default();
        let (state, why) = match decision {
            "refused" => (State::Refused, text("why")),
            "claimed" if now - at < turn + CLAIM && text("why").is_some() => (State::Waiting, text("why")),
            "claimed" if now - at < CLAIM => (State::Claimed, None),
            "claimed" if now - at < turn + CLAIM => {
                (State::Claimed, Some("no build was recorded so far; the queue tries it again".to_owned()))
            }
            "claimed" => (
                State::Unknown,
                Some("it was claimed, and no build was recorded since: the dead letters may have it".to_owned()),
            ),
            "started" => (State::Unknown, Some("its build was not found".to_owned())),
            other => (State::Unknown, Some(format!("the function decided {other:?}"))),
        };
        let job = Self {
            id,
            project: text("project").unwrap_or_else(|| NAMELESS.to_owned()),
            branch: text("branch"),
            commit: text("commit"),
            by: by.map(str::to_owned),
            reason: reason.map(str::to_owned),
            at,
            state,
            why,
            build: None,
        };
        Some((job, build))
    }

    /// The same with what CodeBuild says of its build.
    #[must_use]
    pub fn built(self, build: Build) -> Self {
        let state = State::of(&build);
        let trouble = build.phases.iter().rev().find_map(|phase| phase.trouble.clone());
        let why = trouble
            .filter(|_| !matches!(state, State::Succeeded))
            .or_else(|| (state == State::Unknown).then(|| format!("CodeBuild calls it {:?}", build.status)));
        Self { state, why, build: Some(build), ..self }
    }

    /// A build that no message of the table asked for: somebody repeated it, or started it by hand.
    pub(super) fn of_build(build: &codebuild::Build) -> Option<Self> {
        let project = build.variable("PLUMB_PROJECT").filter(|name| message::project(name).is_ok())?;
        let text = |name: &str| build.variable(name).filter(|text| !text.is_empty()).map(str::to_owned);
        let initiator = build.initiator.clone();
        let job = Self {
            id: build.id.clone(),
            project: project.to_owned(),
            branch: text("PLUMB_BRANCH"),
            commit: text("PLUMB_COMMIT"),
            by: initiator,
            reason: text("PLUMB_REASON").and_then(|reason| signature(&reason).1.map(str::to_owned)),
            at: build.began()?,
            state: State::Unknown,
            why: None,
            build: None,
        };
        Some(job.built(Build::of(build)))
    }
}
