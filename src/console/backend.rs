//! What the console asks of the use cases.

use futures::future;
use tokio::sync::mpsc;

use crate::compare::{Item, Kind, Why};
use crate::config::Protection;
use crate::ops::report::{Part, Report};
use crate::ops::snapshot::Snapshot;

/// A future that can be sent to another thread.
pub type BoxFuture<'a, T> = future::BoxFuture<'a, T>;

/// Implemented over `ops` by the binary, by fakes in tests.
///
/// Each future is dropped when the operator cancels it; it must stop its work then.
pub trait Backend: Send + Sync + 'static {
    /// The project's name.
    fn project_name(&self) -> String;

    /// The environments, in the order of the project file.
    fn environments(&self) -> Vec<EnvironmentInfo>;

    /// What was found of the target before this session. Asked before the first frame, and so answered at once and from
    /// this machine alone.
    fn remembered(&self, _target: &Target) -> Option<Snapshot> {
        None
    }

    /// Reads git and live and compares them. Parts are sent as they come; the report holds them all again.
    fn inspect(&self, target: Target, fresh: Fresh, sink: mpsc::UnboundedSender<Part>) -> BoxFuture<'static, Report>;

    /// Reads the values of one item of which some side is [`crate::compare::Facet::Unread`], or was read before this session.
    fn reveal(&self, target: Target, kind: Kind, name: String) -> BoxFuture<'static, Result<Item, Why>>;

    /// Branches and tags that can be compared with, the most recent first.
    fn refs(&self) -> BoxFuture<'static, Result<Vec<RefInfo>, Why>>;

    /// Fetches the remote of the target's ref; succeeds at once when the ref is no remote's.
    fn fetch(&self, target: Target) -> BoxFuture<'static, Result<(), Why>>;
}

/// Which environment, compared with which commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The environment's name.
    pub environment: String,
    /// The git ref; `None`: the environment's own.
    pub git_ref: Option<String>,
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
    /// Its name: `prod`.
    pub name: String,
    /// How writing to it is confirmed.
    pub protection: Protection,
    /// The AWS profile for reading.
    pub profile: Option<String>,
    /// The AWS region.
    pub region: Option<String>,
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
