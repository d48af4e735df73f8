//! The projects that are shown together.

use crate::console::backend::ProjectInfo;
use crate::console::message::Generation;
use crate::console::remote::Remote;

/// All projects.
#[derive(Debug, Default)]
pub struct Fleet {
    /// The first is the one where the console was opened, the others follow in the order of the operator's config.
    pub projects: Vec<Project>,
}

/// One project.
#[derive(Debug, Default)]
pub struct Project {
    /// What it is called.
    pub name: String,
    /// Where it lies; empty for the one where the console was opened.
    pub place: String,
    /// Whether its files are read.
    pub files: Remote<()>,
    /// The request under way.
    pub asked: Option<Generation>,
    /// Whether its remote was fetched since the console was opened.
    pub fetched: bool,
}

impl Fleet {
    pub(in crate::console) fn new(here: String, others: Vec<ProjectInfo>) -> Self {
        let here = Project { name: here, files: Remote::Ready(()), ..Project::default() };
        let other = |info: ProjectInfo| Project { name: info.name, place: info.place, ..Project::default() };
        Self { projects: std::iter::once(here).chain(others.into_iter().map(other)).collect() }
    }

    /// The name of the project where the console was opened.
    #[must_use]
    pub fn here(&self) -> &str {
        self.projects.first().map_or("", |project| &project.name)
    }

    /// Whether there is more than one.
    #[must_use]
    pub fn is_many(&self) -> bool {
        self.projects.len() > 1
    }

    pub(in crate::console) fn is_loading(&self) -> bool {
        self.projects.iter().any(|project| matches!(project.files, Remote::Loading { .. }))
    }

    pub(in crate::console) fn project_mut(&mut self, name: &str) -> Option<&mut Project> {
        self.projects.iter_mut().find(|project| project.name == name)
    }
}
