//! What the last inspection found, kept on this machine so that the next console has a screen at once.
//!
//! Never a value: names, versions, verdicts and reasons, and of what is masked its fingerprint. A file that cannot be
//! used - broken, of a newer format, about another place - is as good as none, since live is read anyway.

mod format;

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use self::format::File;
use super::kept;
use super::report::{Commit, Identity, Report, Section};
use crate::compare::{Fingerprinter, Kind};

/// A file larger than this would not be read faster than AWS.
const LARGEST: u64 = 64 << 20;

/// How many files are kept, and for how long nobody has to have written one.
const MOST: usize = 64;
const OLDEST: Duration = Duration::from_hours(24 * 60);

/// Which project, environment and ref a snapshot is of. One that differs in anything is of something else.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Place {
    /// The project's directory.
    pub root: PathBuf,
    /// The project's name.
    pub project: String,
    /// The environment's name.
    pub environment: String,
    /// The git ref asked for; `None`: the environment's own.
    pub reference: Option<String>,
    /// The AWS profile, or whatever else says who asks.
    pub profile: Option<String>,
    /// The AWS region, as far as it is configured.
    pub region: Option<String>,
    /// The AWS endpoint.
    pub endpoint: Option<String>,
    /// What is looked at without a project.
    pub adhoc: Option<String>,
}

/// What an inspection found.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Snapshot {
    /// Who asked.
    pub identity: Option<Identity>,
    /// The commit that was compared.
    pub commit: Option<Commit>,
    /// The kinds that could be read.
    pub sections: Vec<Kept>,
}

/// One kind of a snapshot. What was read is [`crate::compare::Facet::Unread`] again, or its mask.
#[derive(Debug, Clone, PartialEq)]
pub struct Kept {
    /// The kind.
    pub kind: Kind,
    /// Its items.
    pub section: Section,
    /// When it was read, milliseconds since the Unix epoch.
    pub read_at: i64,
}

/// Why a file is not used.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// It cannot be read.
    #[error("unreadable")]
    Unreadable(#[source] io::Error),
    /// It is too large.
    #[error("too large")]
    Large,
    /// It is not what this version writes.
    #[error("broken")]
    Broken(#[source] serde_json::Error),
    /// A newer version wrote it.
    #[error("of the newer format {0}")]
    Newer(u32),
    /// It is of another project, environment or ref.
    #[error("of another place")]
    Foreign,
}

/// The snapshots of this machine.
#[derive(Debug, Clone)]
pub struct Snapshots {
    directory: PathBuf,
    fingerprinter: Fingerprinter,
}

impl Snapshots {
    /// Those below a state directory.
    #[must_use]
    pub fn below(state: &Path, fingerprinter: Fingerprinter) -> Self {
        Self { directory: state.join("snapshots"), fingerprinter }
    }

    /// The file of a place, whether it is there or not.
    #[must_use]
    pub fn path(&self, place: &Place) -> PathBuf {
        self.directory.join(kept::name(place))
    }

    /// What was found last. `None`: nothing was kept.
    pub fn load(&self, place: &Place) -> Result<Option<Snapshot>, Unusable> {
        let path = self.path(place);
        match std::fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Unusable::Unreadable(error)),
            Ok(metadata) if metadata.len() > LARGEST => return Err(Unusable::Large),
            Ok(_) => {}
        }
        let bytes = std::fs::read(&path).map_err(Unusable::Unreadable)?;
        let file = File::parse(&bytes)?;
        if file.place != *place {
            return Err(Unusable::Foreign);
        }
        Ok(Some(file.into()))
    }

    /// Keeps what an inspection found. What it could not read stays as it was found before; an inspection that read
    /// nothing leaves everything as it is.
    pub fn keep(&self, place: &Place, report: &Report) -> io::Result<()> {
        let mut file = File::new(place.clone());
        let read = |(kind, section): &(Kind, Result<Section, _>)| {
            let section = section.as_ref().ok().filter(|section| section.whole_failure().is_none())?;
            Some(format::section(*kind, section, report.read_at, &self.fingerprinter))
        };
        file.sections = report.sections.iter().filter_map(read).collect();
        if file.sections.is_empty() {
            return Ok(());
        }
        file.identity = report.identity.as_ref().ok().map(Into::into);
        file.commit = report.commit.as_ref().ok().map(Into::into);
        // Only some kinds may have been asked for.
        if file.sections.len() < Kind::ALL.len() || file.identity.is_none() || file.commit.is_none() {
            file.fill_up(self.former(place));
        }
        kept::write(&self.path(place), &file)?;
        self.prune();
        Ok(())
    }

    fn former(&self, place: &Place) -> Option<File> {
        let bytes = std::fs::read(self.path(place)).ok()?;
        File::parse(&bytes).ok().filter(|file| file.place == *place)
    }

    /// Removes what nobody has written for long, and the oldest where there are too many; what cannot be removed stays.
    fn prune(&self) {
        let Ok(entries) = std::fs::read_dir(&self.directory) else { return };
        let written = |entry: io::Result<std::fs::DirEntry>| {
            let entry = entry.ok()?;
            Some((entry.metadata().ok()?.modified().ok()?, entry.path()))
        };
        let mut files: Vec<(SystemTime, PathBuf)> = entries.filter_map(written).collect();
        files.sort_by(|a, b| b.cmp(a));
        let old = |at: &SystemTime| at.elapsed().is_ok_and(|age| age > OLDEST);
        for (_, path) in files.iter().enumerate().filter(|(index, (at, _))| *index >= MOST || old(at)).map(|(_, f)| f) {
            let _ = std::fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests;
