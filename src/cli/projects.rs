//! The projects beside the one where one stands, as the operator's config names them.

use std::path::{Path, PathBuf};

use super::{Failed, Global, Shared};
use crate::compare::Why;
use crate::config::{self, Environ, Operator, Settings};

/// A project that the operator's config names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// What the operator calls it.
    pub(crate) name: String,
    /// Where it lies.
    pub(crate) path: PathBuf,
    /// Where it lies, as the operator wrote it.
    pub(crate) shown: String,
}

impl Place {
    /// Whether this is the directory, whatever links lead to either. The name may be the project file's.
    pub(crate) fn is(&self, root: &Path) -> bool {
        let real = |path: &Path| path.canonicalize().ok();
        let own = if self.path.is_file() { self.path.parent().and_then(real) } else { real(&self.path) };
        own.is_some() && own == real(root)
    }
}

/// What cannot decide about another project than the one it was said for.
const OF_HERE: [&str; 3] = ["PLUMB_ENV", "PLUMB_PROJECT", "PLUMB_REF"];

impl Shared {
    /// The operator's projects, in the order of the config. Nothing of them is read.
    pub(crate) fn projects(&self, operator: &Operator) -> Vec<Place> {
        // Fixed keys are those of one account, which no other project lives in.
        if self.credentials().is_some() {
            return Vec::new();
        }
        let place = |(name, path): &(String, String)| Place {
            name: name.clone(),
            path: config::expand_home(path, &self.environ),
            shown: path.clone(),
        };
        operator.projects.iter().map(place).collect()
    }

    /// Whether there is a project here at all, however wrong it may be.
    pub(crate) fn is_in_project(&self) -> bool {
        let here = super::shared::here();
        here.is_ok_and(|here| matches!(config::find_project(&self.flags(), &self.environ, &here), Ok(Some(_)) | Err(_)))
    }

    /// The first of the operator's projects whose files can be read.
    pub(crate) fn first_project(&self) -> Option<Settings> {
        let (operator, _) = config::load_operator(&self.environ).ok()??;
        self.projects(&operator).iter().find_map(|place| self.settings_at(place).ok())
    }

    /// What the files of another project say, with whichever environment. Flags are about the project where one stands;
    /// variables such as `AWS_REGION` hold everywhere.
    pub(crate) fn settings_at(&self, place: &Place) -> Result<Settings, Why> {
        let mut environ = self.environ.0.clone();
        environ.retain(|name, _| !OF_HERE.contains(&name.as_str()));
        let global = Global { project: Some(place.path.display().to_string()), ..Global::default() };
        let there = Self { global, environ: Environ(environ), ..self.clone() };
        let told = |error: config::Error| {
            let text = error.to_string();
            let mut lines = text.lines();
            let first = lines.next().unwrap_or_default().to_owned();
            let more = lines.count();
            Why { hint: error.hint(), ..Why::new(if more == 0 { first } else { format!("{first} (+{more} more)") }) }
        };
        let load = |env: Option<String>| {
            let loaded = there.load(&config::Flags { env, ..there.flags() });
            loaded.map_err(Failed::into_why)
        };
        match load(None)? {
            Ok(settings) => Ok(settings),
            Err(config::Error::WhichEnvironment { names, .. }) => load(names.into_iter().next())?.map_err(told),
            // The environment that the operator prefers is another project's.
            Err(config::Error::UnknownEnvironment(unknown)) => load(unknown.names.into_iter().next())?.map_err(told),
            Err(error) => Err(told(error)),
        }
    }
}
