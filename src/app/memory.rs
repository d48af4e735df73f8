//! What the console remembers of an environment from one session to the next.

use std::path::Path;

use crate::cli::Shared;
use crate::compare::Fingerprinter;
use crate::config::{Environment, Settings};
use crate::console::{LogSink, Target};
use crate::ops::report::Report;
use crate::ops::snapshot::{Place, Snapshot, Snapshots};

/// The snapshots of one project's environments.
#[derive(Clone)]
pub(super) struct Memory {
    snapshots: Snapshots,
    /// What all of them have in common, and what the environment variables say where an environment is silent.
    common: Place,
    log: Option<LogSink>,
}

impl Memory {
    /// `None` where nothing is worth remembering: the demo's project is gone when its console closes.
    pub(super) fn of(
        shared: &Shared,
        settings: &Settings,
        root: &Path,
        fingerprinter: Fingerprinter,
        log: Option<LogSink>,
    ) -> Option<Self> {
        if shared.credentials().is_some() {
            return None;
        }
        let state = shared.directories().state().ok()?;
        let said = |names: &[&str]| names.iter().find_map(|name| shared.environ.get(name)).map(str::to_owned);
        let common = Place {
            root: root.to_owned(),
            project: settings.project.name.clone(),
            environment: String::new(),
            reference: None,
            profile: said(&["AWS_PROFILE"]),
            region: said(&["AWS_REGION", "AWS_DEFAULT_REGION"]),
            endpoint: said(&["AWS_ENDPOINT_URL"]),
            adhoc: settings.adhoc.as_ref().map(|adhoc| {
                let part = |text: &Option<String>| text.clone().unwrap_or_default();
                format!("{} {}", part(&adhoc.stack), part(&adhoc.path))
            }),
        };
        Some(Self { snapshots: Snapshots::below(&state, fingerprinter), common, log })
    }

    /// What was found last. A file that cannot be used is as good as none, and the log says so.
    pub(super) fn load(&self, environment: &Environment, target: &Target) -> Option<Snapshot> {
        self.snapshots.load(&self.place(environment, target)).unwrap_or_else(|unusable| {
            self.say(&format!("snapshot of {} not used: {unusable}", environment.name));
            None
        })
    }

    /// Keeps what was found. A disk that takes nothing costs only the first screen of the next session.
    pub(super) fn keep(&self, environment: &Environment, target: &Target, report: &Report) {
        if let Err(error) = self.snapshots.keep(&self.place(environment, target), report) {
            self.say(&format!("snapshot of {} not kept: {error}", environment.name));
        }
    }

    fn place(&self, environment: &Environment, target: &Target) -> Place {
        let common = self.common.clone();
        let own = |own: &Option<String>, else_said: Option<String>| own.clone().or(else_said);
        Place {
            environment: environment.name.clone(),
            reference: target.git_ref.clone().or_else(|| environment.git_ref.clone()),
            profile: own(&environment.profile, common.profile),
            region: own(&environment.region, common.region),
            endpoint: own(&environment.endpoint, common.endpoint),
            ..common
        }
    }

    fn say(&self, line: &str) {
        if let Some(log) = &self.log {
            log(line);
        }
    }
}
