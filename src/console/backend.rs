//! What the console asks of the use cases.

use std::sync::Arc;

use futures::future;
use tokio::sync::mpsc;

use super::changes::{ChangeAnswer, ChangeAsk};
use super::crypto::{CryptoAnswer, CryptoAsk};
use super::data::{DataAnswer, DataAsk};
use super::deploy::{DeployAnswer, DeployAsk, Heard, Over};
use super::effect::Promotion;
use super::home::{Command, FilePlace};
use super::memory::Memory;
use super::mode::{Ended, Unlock};
use super::overlay::{Compared, Prepared, Wanted, Work};
use super::pipeline::{PipelineAnswer, PipelineAsk};
use crate::compare::{Item, Kind, Why};
use crate::config::Protection;
use crate::ops::config::changes::{Change, Staged};
use crate::ops::crypto::{last::Last, smoke::Step};
use crate::ops::history::Timeline;
use crate::ops::journal::{Found, Outcome};
use crate::ops::promote::Promoted;
use crate::ops::push::{Progress, Pushed};
use crate::ops::report::{Identity, Part, Report};
use crate::ops::session::Variable;
use crate::ops::snapshot::Snapshot;

/// A future that can be sent to another thread.
pub type BoxFuture<'a, T> = future::BoxFuture<'a, T>;

/// Hears how far a write of values is.
pub type Watch = Box<dyn Fn(&Progress) + Send + Sync>;

/// Implemented over `ops` by the binary, by fakes in tests.
///
/// Each future is dropped when the operator cancels it; it must stop its work then.
pub trait Backend: Send + Sync + 'static {
    /// The name of the project where the console was opened.
    fn project_name(&self) -> String;

    /// Its environments, in the order of the project file.
    fn environments(&self) -> Vec<EnvironmentInfo>;

    /// The operator's other projects, in the order of the config. Nothing of them is read yet.
    fn projects(&self) -> Vec<ProjectInfo>;

    /// Reads the files of another project, for its environments.
    fn project(&self, name: String) -> BoxFuture<'static, Result<Vec<EnvironmentInfo>, Why>>;

    /// What was found of the target before this session. Asked before the first frame, and so answered at once and from
    /// this machine alone.
    fn last(&self, _target: &Target) -> Option<Snapshot> {
        None
    }

    /// Reads git and live and compares them. Parts are sent as they come; the report holds them all again.
    fn inspect(&self, target: Target, ask: Ask, sink: mpsc::UnboundedSender<Part>) -> BoxFuture<'static, Report>;

    /// Reads the values of one item of which some side is [`crate::compare::Facet::Unread`], or was read before this session.
    fn reveal(&self, target: Target, kind: Kind, name: String) -> BoxFuture<'static, Result<Item, Why>>;

    /// The line of a file, from the project's root, that says in the working tree what an item of that name should be.
    fn locate(&self, target: Target, file: String, name: String) -> BoxFuture<'static, Result<FilePlace, Why>>;

    /// A project's branches and tags that can be compared with, the most recent first.
    fn refs(&self, project: String) -> BoxFuture<'static, Result<Vec<RefInfo>, Why>>;

    /// What the console remembered last time in this project; nothing, where nothing is kept.
    fn memory(&self) -> Memory {
        Memory::default()
    }

    /// Keeps this for the next time, as well as it can be: nothing waits for it, and nothing fails with it.
    fn remember(&self, _memory: Memory) -> BoxFuture<'static, ()> {
        Box::pin(async {})
    }

    /// Fetches the remote of the target's ref; succeeds at once when the ref is no remote's.
    fn fetch(&self, target: Target) -> BoxFuture<'static, Result<(), Why>>;

    /// Works out what would be written, and in whose name. Reads only.
    fn plan(&self, target: Target, wanted: Wanted) -> BoxFuture<'static, Result<Prepared, Why>>;

    /// Does what was planned. It is in the journal before it is sent, and settled after; answers why not, if so.
    fn write(&self, target: Target, work: Work) -> BoxFuture<'static, Result<Option<Why>, Why>>;

    /// Writes the values that were planned, or goes on with it; `watch` hears of each item as it ends. What was not written
    /// is part of the answer.
    fn push(&self, target: Target, work: Work, watch: Watch) -> BoxFuture<'static, Result<Pushed, Why>>;

    /// Notes that a command of the operator's own begins that was planned, for the console to run it. Refused where writing
    /// is.
    fn begin(&self, target: Target, command: Arc<Command>) -> BoxFuture<'static, Result<Permit, Why>>;

    /// Lets an environment be written to for a while, and reads it as whoever may write. Answers who that is, and why the
    /// journal does not hold it, if so.
    fn unlock(&self, target: Target, unlock: Unlock) -> BoxFuture<'static, Result<(Identity, Option<Why>), Why>>;

    /// Locks an environment again: at once, before the future is polled. Answers why the journal does not hold it, if so.
    fn lock(&self, target: Target, ended: Ended) -> BoxFuture<'static, Option<Why>>;

    /// Asks the crypto API of an environment. It writes nothing. How far a smoke test is, is sent as it goes on.
    fn crypto(
        &self,
        target: Target,
        ask: CryptoAsk,
        sink: mpsc::UnboundedSender<Step>,
    ) -> BoxFuture<'static, CryptoAnswer>;

    /// How the last smoke test of the target went, whoever made it on this machine. Answered at once, as [`Self::last`].
    fn last_smoke(&self, _target: &Target) -> Option<Last> {
        None
    }

    /// Asks about the deploy pipeline of an environment. It writes nothing.
    fn pipeline(&self, _target: Target, ask: PipelineAsk) -> BoxFuture<'static, PipelineAnswer> {
        Box::pin(async move { ask.failed(Why::new("there is no pipeline here")) })
    }

    /// Asks about the intake of an environment and its summaries. It writes nothing.
    fn data(&self, _target: Target, ask: DataAsk) -> BoxFuture<'static, DataAnswer> {
        Box::pin(async move { ask.failed(Why::new("there is no intake here")) })
    }

    /// Asks about the stacks of an environment, or follows what is under way with one. It writes nothing.
    fn deployments(
        &self,
        _target: Target,
        _ask: DeployAsk,
        _sink: mpsc::UnboundedSender<Heard>,
    ) -> BoxFuture<'static, DeployAnswer> {
        Box::pin(async { DeployAnswer::Stacks(Ok(Vec::new())) })
    }

    /// Does to a stack what was planned, and follows it to its end; what happens is sent as it does. Dropped, it only looks
    /// away: CloudFormation goes on.
    fn roll_out(
        &self,
        _target: Target,
        _work: Work,
        _sink: mpsc::UnboundedSender<Heard>,
    ) -> BoxFuture<'static, Result<Over, Why>> {
        Box::pin(async { Err(Why::new("there are no stacks here")) })
    }

    /// Takes back what a plan that nobody confirmed has left in the account.
    fn abandon(&self, _work: Work) -> BoxFuture<'static, Result<(), Why>> {
        Box::pin(async { Ok(()) })
    }

    /// The past of a parameter or secret, in git and live.
    fn history(&self, target: Target, name: String) -> BoxFuture<'static, Result<Timeline, Why>>;

    /// Compares two environments of a project in git; `to` may be a layer that several share.
    fn compare(&self, project: String, from: String, to: String) -> BoxFuture<'static, Result<Compared, Why>>;

    /// Commits what was compared and chosen to a new branch.
    fn promote(&self, promotion: Promotion) -> BoxFuture<'static, Result<Promoted, Why>>;
    /// The change list that is kept of the project where the console was opened. Asked before the first frame, and so
    /// answered at once and from this machine alone.
    fn pending(&self) -> Result<Vec<Change>, Why> {
        Ok(Vec::new())
    }

    /// Something about the change list of the target's project. What changes it is on the disk when it is answered.
    fn changes(&self, _target: Target, _ask: ChangeAsk) -> BoxFuture<'static, Result<ChangeAnswer, Why>> {
        Box::pin(async { Err(Why::new("there is no change list here")) })
    }

    /// Prepares the commit of the change list of the target's project, for the console to run git.
    fn stage(&self, _target: Target, _message: String) -> BoxFuture<'static, Result<Staged, Why>> {
        Box::pin(async { Err(Why::new("there is no change list here")) })
    }

    /// What was written to an environment, the newest first.
    fn journal(&self, target: Target) -> BoxFuture<'static, Result<Found, Why>>;
}

/// Leave to run a command that writes. The journal holds it as begun.
pub struct Permit {
    /// What the command's environment has to have.
    pub variables: Vec<Variable>,
    /// Where it is noted how it went.
    pub note: Box<dyn Note>,
}

/// The note of something that has begun. Dropped before it is settled, it says that nobody knows how that went.
pub trait Note: Send {
    /// Notes how it went, and what failed if so; answers why the journal does not hold that, if so.
    fn settle(self: Box<Self>, outcome: Outcome, error: Option<String>) -> BoxFuture<'static, Option<Why>>;
}

/// Which environment, compared with which commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The project's name.
    pub project: String,
    /// The environment's name.
    pub environment: String,
    /// The git ref; `None`: the environment's own.
    pub git_ref: Option<String>,
}

/// How much is read of an environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// How new a stack's drift has to be.
    pub fresh: Fresh,
    /// The kinds, each once, in the order of [`Kind::ALL`].
    pub kinds: Vec<Kind>,
    /// Of a single kind, the one item that is asked for.
    pub only: Option<String>,
}

impl Ask {
    /// Everything.
    #[must_use]
    pub fn all(fresh: Fresh) -> Self {
        Self::kinds(fresh, &Kind::ALL)
    }

    /// Some kinds.
    #[must_use]
    pub fn kinds(fresh: Fresh, kinds: &[Kind]) -> Self {
        Self { fresh, kinds: Kind::ALL.into_iter().filter(|kind| kinds.contains(kind)).collect(), only: None }
    }

    /// One parameter or secret. A resource or a function's code has no shortcut: its kind is read.
    #[must_use]
    pub fn one(kind: Kind, name: &str) -> Self {
        let only = matches!(kind, Kind::Parameter | Kind::Secret).then(|| name.to_owned());
        Self { fresh: Fresh::Cached, kinds: vec![kind], only }
    }

    /// What answers both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        if self == other {
            return self;
        }
        let fresh = if self.fresh == Fresh::Detect { self.fresh } else { other.fresh };
        Self::kinds(fresh, &[self.kinds, other.kinds].concat())
    }
}

/// How new a stack's drift has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fresh {
    /// The last detection's result will do, within the environment's `drift_max_age`.
    Cached,
    /// A new detection is run.
    Detect,
}

/// What is known of an environment before anything is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentInfo {
    /// The name of its project.
    pub project: String,
    /// Its name: `prod`.
    pub name: String,
    /// How writing to it is confirmed.
    pub protection: Protection,
    /// The AWS profile for reading.
    pub profile: Option<String>,
    /// The AWS profile for writing, where it is another.
    pub write_profile: Option<String>,
    /// The AWS region.
    pub region: Option<String>,
    /// Another address than AWS's own.
    pub endpoint: Option<String>,
    /// Whether its project says where a crypto API is.
    pub crypto: bool,
    /// Whether its project says where a deploy pipeline is.
    pub pipeline: bool,
    /// Whether its project says where an intake is.
    pub intake: bool,
    /// The remotes of its repository and their URLs.
    pub remotes: Vec<(String, String)>,
}

/// A project that has not been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectInfo {
    /// What the operator calls it.
    pub name: String,
    /// Where it lies, as the operator wrote it.
    pub place: String,
}

/// A branch or tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefInfo {
    /// Its short name: `origin/main`.
    pub name: String,
    /// The full commit id it stands for.
    pub commit: String,
    /// First line of the commit's message.
    pub subject: String,
    /// The commit's time, milliseconds since the Unix epoch.
    pub at: i64,
}
