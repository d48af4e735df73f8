//! The projects that the console shows: the one where it was opened, and those of the operator's config.
//!
//! The others' files are read when they are asked for and never before the first picture.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::OnceCell;

use crate::cli::{Place, Shared};
use crate::compare::Why;
use crate::config::Settings;
use crate::console::{EnvironmentInfo, ProjectInfo};
use crate::ops::session::remotes;

/// A project whose files have been read.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) settings: Settings,
    /// Where its files lie.
    pub(super) root: PathBuf,
}

/// All of them.
pub(super) struct Projects {
    shared: Shared,
    /// The name of the one where the console was opened.
    pub(super) current: String,
    here: Arc<Opened>,
    others: Vec<(Place, OnceCell<Arc<Opened>>)>,
}

impl Projects {
    /// Reads nothing: `settings` and `root` are those of the current project.
    pub(super) fn new(shared: &Shared, settings: Settings, root: PathBuf) -> Self {
        let places = shared.projects(&settings.operator);
        let here = places.iter().find(|place| place.is(&root)).map(|place| place.name.clone());
        let mut current = here.unwrap_or_else(|| settings.project.name.clone());
        let others: Vec<_> =
            places.into_iter().filter(|place| !place.is(&root)).map(|place| (place, OnceCell::new())).collect();
        // Another clone of the same project: the operator's name is that one's.
        if others.iter().any(|(place, _)| place.name == current) {
            current.push_str(" (here)");
        }
        Self { shared: shared.clone(), current, here: Arc::new(Opened { settings, root }), others }
    }

    /// The others, in the order of the config.
    pub(super) fn others(&self) -> Vec<ProjectInfo> {
        let info = |(place, _): &(Place, _)| ProjectInfo { name: place.name.clone(), place: place.shown.clone() };
        self.others.iter().map(info).collect()
    }

    /// A project by its name; its files are read when that has not happened yet.
    pub(super) async fn open(&self, name: &str) -> Result<Arc<Opened>, Why> {
        if name == self.current {
            return Ok(Arc::clone(&self.here));
        }
        let (place, cell) = self
            .others
            .iter()
            .find(|(place, _)| place.name == name)
            .ok_or_else(|| Why::new(format!("there is no project {name}")))?;
        // A failure is not kept: a directory may be mounted meanwhile.
        let opened = cell.get_or_try_init(|| async {
            let (shared, place) = (self.shared.clone(), place.clone());
            let read = move || {
                let settings = shared.settings_at(&place)?;
                let root = settings.root.clone().unwrap_or(place.path);
                Ok(Arc::new(Opened { settings, root }))
            };
            let read = tokio::task::spawn_blocking(read).await;
            read.unwrap_or_else(|error| Err(Why::new(error.to_string())))
        });
        opened.await.cloned()
    }

    /// A project whose files are read already because the console was opened there.
    pub(super) fn here(&self, name: &str) -> Option<Arc<Opened>> {
        (name == self.current).then(|| Arc::clone(&self.here))
    }

    /// The environments of the project where the console was opened.
    pub(super) fn environments_here(&self) -> Vec<EnvironmentInfo> {
        environments(&self.current, &self.here)
    }
}

/// The environments of a project, in the order of its file.
pub(super) fn environments(project: &str, opened: &Opened) -> Vec<EnvironmentInfo> {
    let remotes = remotes(&opened.root);
    let info = |environment: &crate::config::Environment| EnvironmentInfo {
        project: project.to_owned(),
        name: environment.name.clone(),
        protection: environment.protection,
        profile: environment.profile.clone(),
        write_profile: environment.write_profile.clone(),
        region: environment.region.clone(),
        endpoint: environment.endpoint.clone(),
        crypto: opened.settings.project.crypto.is_named(),
        pipeline: opened.settings.project.pipeline.is_some(),
        intake: opened.settings.project.intake.is_some(),
        remotes: remotes.clone(),
    };
    opened.settings.environments.iter().map(info).collect()
}
