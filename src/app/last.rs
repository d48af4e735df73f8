//! What was found of an environment in the session before, for the first frame of this one.

use super::projects::Opened;
use crate::cli::Shared;
use crate::compare::Fingerprinter;
use crate::config::Environment;
use crate::console::{LogSink, Target};
use crate::ops::report::Report;
use crate::ops::snapshot::{Place, Snapshot, Snapshots};

/// The snapshots of this machine, as far as the environment variables do not say otherwise.
#[derive(Clone)]
pub(super) struct Last {
    snapshots: Snapshots,
    /// What the variables say where an environment is silent.
    said: Place,
    log: Option<LogSink>,
}

impl Last {
    /// `None` where nothing is worth keeping: the demo's project is gone when its console closes.
    pub(super) fn of(shared: &Shared, fingerprinter: Fingerprinter, log: Option<LogSink>) -> Option<Self> {
        if shared.access().credentials.is_some() {
            return None;
        }
        let state = shared.directories().state().ok()?;
        let said = |names: &[&str]| names.iter().find_map(|name| shared.environ.get(name)).map(str::to_owned);
        let said = Place {
            profile: said(&["AWS_PROFILE"]),
            region: said(&["AWS_REGION", "AWS_DEFAULT_REGION"]),
            endpoint: said(&["AWS_ENDPOINT_URL"]),
            ..Place::default()
        };
        Some(Self { snapshots: Snapshots::below(&state, fingerprinter), said, log })
    }

    /// What was found last. A file that cannot be used is as good as none, and the log says so.
    pub(super) fn load(&self, opened: &Opened, target: &Target) -> Option<Snapshot> {
        let environment = opened.settings.environment(&target.environment)?;
        let loaded = self.snapshots.load(&self.place(opened, environment, target)).unwrap_or_else(|unusable| {
            self.say(&format!("snapshot of {} not used: {unusable}", environment.name));
            None
        });
        let mut snapshot = loaded?;
        if let Some(identity) = &mut snapshot.identity {
            // What the project expects may have changed since.
            identity.expected_account = environment.account.clone().filter(|expected| *expected != identity.account);
        }
        Some(snapshot)
    }

    /// Keeps what was found. A disk that takes nothing costs only the first screen of the next session.
    pub(super) fn keep(&self, opened: &Opened, target: &Target, report: &Report) {
        let Some(environment) = opened.settings.environment(&target.environment) else { return };
        if let Err(error) = self.snapshots.keep(&self.place(opened, environment, target), report) {
            self.say(&format!("snapshot of {} not kept: {error}", environment.name));
        }
    }

    fn place(&self, opened: &Opened, environment: &Environment, target: &Target) -> Place {
        let own = |own: &Option<String>, said: &Option<String>| own.clone().or_else(|| said.clone());
        Place {
            root: opened.root.clone(),
            project: opened.settings.project.name.clone(),
            environment: environment.name.clone(),
            reference: target.git_ref.clone().or_else(|| environment.git_ref.clone()),
            profile: own(&environment.profile, &self.said.profile),
            region: own(&environment.region, &self.said.region),
            endpoint: own(&environment.endpoint, &self.said.endpoint),
            adhoc: opened.settings.adhoc.as_ref().map(|adhoc| {
                let part = |text: &Option<String>| text.clone().unwrap_or_default();
                format!("{} {}", part(&adhoc.stack), part(&adhoc.path))
            }),
        }
    }

    fn say(&self, line: &str) {
        if let Some(log) = &self.log {
            log(line);
        }
    }
}
