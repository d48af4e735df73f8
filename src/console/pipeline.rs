//! What is asked of the deploy pipeline, and what it answers. Nothing of it writes; asking for a job is a plan.

use crate::compare::Why;
use crate::ops::pipeline::build::{Build, Lines};
use crate::ops::pipeline::jobs::Jobs;
use crate::ops::pipeline::letters::Letters;
use crate::ops::pipeline::registry::Project;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PipelineAsk {
    /// Projects, jobs and dead letters.
    Look,
    /// A build's log from there on, and how the build stands.
    Log(Box<Build>, Option<String>),
    /// The branches of a repository.
    Branches(String),
}

/// What is answered.
#[derive(Debug, Clone, PartialEq)]
pub enum PipelineAnswer {
    /// Projects, jobs and dead letters.
    Seen(Result<Box<PipelineSeen>, Why>),
    /// Lines of a log.
    Log(Result<Box<PipelineRead>, Why>),
    /// The branches.
    Branches(Result<Vec<String>, Why>),
}

/// A pipeline as it was looked at.
#[derive(Debug, Clone, PartialEq)]
pub struct PipelineSeen {
    /// The registered projects.
    pub projects: Result<Vec<Project>, Why>,
    /// The newest jobs.
    pub jobs: Jobs,
    /// The dead letters.
    pub letters: Result<Letters, Why>,
}

/// What was read of a log.
#[derive(Debug, Clone, PartialEq)]
pub struct PipelineRead {
    /// The lines, and where the next look begins.
    pub lines: Lines,
    /// The build, as it stood before the lines were read.
    pub build: Build,
}

impl PipelineAsk {
    /// The answer where it cannot be asked.
    #[must_use]
    pub fn failed(&self, why: Why) -> PipelineAnswer {
        match self {
            Self::Look => PipelineAnswer::Seen(Err(why)),
            Self::Log(..) => PipelineAnswer::Log(Err(why)),
            Self::Branches(_) => PipelineAnswer::Branches(Err(why)),
        }
    }
}
