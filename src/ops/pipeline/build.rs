//! A build of CodeBuild as a job shows it: its phases, its log; and ending and repeating one.

use super::Pipeline;
use crate::aws::codebuild;
use crate::aws::logs;
use crate::compare::Why;
use crate::ops::journal::{Action, Intent, random_id};
use crate::ops::session::Session;
use crate::ops::why;
use crate::secret::Secret;

/// A build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Build {
    /// CodeBuild's id: `project:uuid`.
    pub id: String,
    /// `IN_PROGRESS`, `SUCCEEDED`, `FAILED`, `FAULT`, `TIMED_OUT`, `STOPPED`.
    pub status: String,
    /// What it is at.
    pub phase: String,
    /// When it began, milliseconds since the Unix epoch.
    pub began: Option<i64>,
    /// When it ended.
    pub ended: Option<i64>,
    /// Who started it, as CodeBuild tells it.
    pub initiator: Option<String>,
    /// Its phases, in their order.
    pub phases: Vec<Phase>,
    /// Group and stream of its log.
    pub log: Option<(String, String)>,
}

/// A phase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phase {
    /// `PRE_BUILD`.
    pub name: String,
    /// `SUCCEEDED`; `None`: it goes on.
    pub status: Option<String>,
    /// When it began, milliseconds since the Unix epoch.
    pub began: Option<i64>,
    /// How long it took, milliseconds.
    pub took: Option<i64>,
    /// What went wrong in it.
    pub trouble: Option<String>,
}

/// A line of a build's log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When, milliseconds since the Unix epoch.
    pub at: i64,
    /// What it says. The worker masks what it knows to be secret; a command may print what it does not know of.
    pub text: Secret,
}

/// Lines, and where the next look begins.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Lines {
    /// The lines.
    pub lines: Vec<Line>,
    /// From here the next look goes on.
    pub next: Option<String>,
}

impl Build {
    pub(super) fn of(build: &codebuild::Build) -> Self {
        let phase = |phase: &codebuild::Phase| Phase {
            name: phase.phase_type.clone(),
            status: phase.phase_status.clone(),
            began: phase.began(),
            took: phase.took(),
            trouble: phase.trouble().map(str::to_owned),
        };
        Self {
            id: build.id.clone(),
            status: build.build_status.clone(),
            phase: build.current_phase.clone(),
            began: build.began(),
            ended: build.ended(),
            initiator: build.initiator.clone(),
            phases: build.phases.iter().map(phase).collect(),
            log: build.log().map(|(group, stream)| (group.to_owned(), stream.to_owned())),
        }
    }

    /// Whether nothing more comes of it.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.status != "IN_PROGRESS"
    }
}

impl Pipeline {
    /// The lines of a build's log from `next` of the look before on, to the last that is there now.
    pub async fn log(&self, build: &Build, next: Option<&str>) -> Result<Lines, Why> {
        let Some((group, stream)) = &build.log else { return Ok(Lines::default()) };
        let mut found = Lines { lines: Vec::new(), next: next.map(str::to_owned) };
        loop {
            let asked = logs::stream(&self.session.clients, (group, stream), found.next.as_deref()).await;
            let page = asked.map_err(|error| why(&error))?;
            found.lines.extend(page.lines.into_iter().map(|line| Line { at: line.at, text: line.message }));
            let is_end = page.token == found.next || page.token.is_none();
            found.next = page.token;
            if is_end {
                return Ok(found);
            }
        }
    }

    /// Asks a build to end.
    pub async fn stop(&self, build: &str) -> Result<(Build, Option<Why>), Why> {
        let intent = Intent::new(Action::Stop, vec![build.to_owned()]);
        let send = |session: Session| async move { codebuild::stop(&session.clients, build).await };
        let (build, untold) = Box::pin(self.once(intent, send)).await?;
        Ok((Build::of(&build), untold))
    }

    /// Starts a build again, with the variables that it had.
    pub async fn retry(&self, build: &str) -> Result<(Build, Option<Why>), Why> {
        let token = random_id()?;
        let intent = Intent { id: Some(token.clone()), ..Intent::new(Action::Retry, vec![build.to_owned()]) };
        let send = |session: Session| async move { codebuild::retry(&session.clients, build, &token).await };
        let (build, untold) = Box::pin(self.once(intent, send)).await?;
        Ok((Build::of(&build), untold))
    }
}
