//! Proving a week's summary: that the stored files are what the manifest names, and that the table still says the same.
//!
//! The two are told apart. Files that are whole say nothing of the table, from which records may since have expired; a
//! table that says the same says nothing of files that somebody changed.

use super::{File, Manifest, Week, key};
use crate::aws::s3;
use crate::compare::Why;
use crate::ops::intake::Intake;
use crate::ops::{hex, why};

/// What was proven of a week.
#[derive(Debug, Clone, PartialEq)]
pub struct Verified {
    /// The week.
    pub week: Week,
    /// How many records its manifest speaks of.
    pub records: u64,
    /// Each file that the manifest names.
    pub files: Vec<(String, Stored)>,
    /// What the table says; `None`: it was not asked.
    pub table: Option<Recomputed>,
}

/// How a stored file stands.
#[derive(Debug, Clone, PartialEq)]
pub enum Stored {
    /// It is what the manifest names.
    Whole,
    /// It is another: its bytes, and their SHA-256.
    Differs(u64, String),
    /// It is not there.
    Missing,
    /// It may be either.
    Unknown(Why),
}

/// What the function makes of the table now.
#[derive(Debug, Clone, PartialEq)]
pub enum Recomputed {
    /// The very same files.
    Same,
    /// Others: how many records, and the names of the files that differ.
    Differs(u64, Vec<String>),
    /// It could not be asked.
    Unknown(Why),
}

/// How a proof went as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// All that was asked for is proven.
    Proven,
    /// Something could not be told.
    Unknown,
    /// Something is not as it should be.
    Differs,
}

impl Stored {
    /// How it stands.
    #[must_use]
    pub fn standing(&self) -> Standing {
        match self {
            Self::Whole => Standing::Proven,
            Self::Differs(..) | Self::Missing => Standing::Differs,
            Self::Unknown(_) => Standing::Unknown,
        }
    }
}

impl Recomputed {
    /// How it stands.
    #[must_use]
    pub fn standing(&self) -> Standing {
        match self {
            Self::Same => Standing::Proven,
            Self::Differs(..) => Standing::Differs,
            Self::Unknown(_) => Standing::Unknown,
        }
    }

    fn of(manifest: &Manifest, made: &super::run::Made) -> Self {
        let differs = |file: &&File| !made.files.iter().any(|made| made.is(file));
        let mut names: Vec<String> = manifest.files.iter().filter(differs).map(|file| file.name.clone()).collect();
        let is_known = |file: &&File| manifest.files.iter().any(|known| known.name == file.name);
        names.extend(made.files.iter().filter(|file| !is_known(file)).map(|file| file.name.clone()));
        if names.is_empty() && (made.records, made.bytes) == (manifest.records, manifest.bytes) {
            return Self::Same;
        }
        Self::Differs(made.records, names)
    }
}

impl Verified {
    /// How the stored files stand: the worst of them. Of no files nothing is proven.
    #[must_use]
    pub fn stored(&self) -> Standing {
        self.files.iter().map(|(_, stored)| stored.standing()).max().unwrap_or(Standing::Unknown)
    }

    /// How it went as a whole.
    #[must_use]
    pub fn standing(&self) -> Standing {
        self.table.as_ref().map(Recomputed::standing).into_iter().fold(self.stored(), Standing::max)
    }
}

impl Intake {
    /// Proves a week's summary; with `recompute` the function makes it anew, writing nothing, which reads the whole week.
    pub async fn verify(&self, week: Week, recompute: bool) -> Result<Verified, Why> {
        let manifest = self.manifest(week).await?.ok_or_else(|| super::no_manifest(week))?;
        let mut files = Vec::new();
        for file in &manifest.files {
            files.push((file.name.clone(), self.stored(week, file).await?));
        }
        let table = if recompute {
            Some(match self.recompute(week).await {
                Ok(made) => Recomputed::of(&manifest, &made),
                Err(why) => Recomputed::Unknown(why),
            })
        } else {
            None
        };
        Ok(Verified { week, records: manifest.records, files, table })
    }

    /// How a file stands that a manifest names, read to its end in constant memory.
    async fn stored(&self, week: Week, named: &File) -> Result<Stored, Why> {
        let (clients, bucket, key) = (&self.session.clients, self.bucket()?, key(week, &named.name));
        let mut found = s3::digest(clients, &bucket, &key, named.version.as_deref()).await;
        if let (Ok(None), Some(_)) = (&found, &named.version) {
            // The same bytes may lie there in another version: two runs at once write them twice.
            found = s3::digest(clients, &bucket, &key, None).await;
        }
        Ok(match found.map_err(|error| why(&error)) {
            Ok(None) => Stored::Missing,
            Ok(Some(found)) => {
                let sha256 = hex(&found.sha256);
                let is_whole = found.bytes == named.bytes && sha256.eq_ignore_ascii_case(&named.sha256);
                if is_whole { Stored::Whole } else { Stored::Differs(found.bytes, sha256) }
            }
            Err(why) if why.is_of_everything() => return Err(why),
            Err(why) => Stored::Unknown(why),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verified(files: Vec<Stored>, table: Option<Recomputed>) -> Verified {
        let files = files.into_iter().map(|stored| (String::from("summary.json"), stored)).collect();
        Verified { week: "2026-W47".parse().unwrap(), records: 3, files, table }
    }

    #[test]
    fn what_was_not_told_is_never_proven_and_a_difference_is_the_worst() {
        let unknown = || Why::new("no leave");
        for (files, table, stored, whole) in [
            (vec![Stored::Whole], None, Standing::Proven, Standing::Proven),
            (vec![Stored::Whole], Some(Recomputed::Same), Standing::Proven, Standing::Proven),
            (vec![], Some(Recomputed::Same), Standing::Unknown, Standing::Unknown),
            (vec![Stored::Whole, Stored::Unknown(unknown())], None, Standing::Unknown, Standing::Unknown),
            (vec![Stored::Unknown(unknown()), Stored::Missing], None, Standing::Differs, Standing::Differs),
            (vec![Stored::Whole], Some(Recomputed::Unknown(unknown())), Standing::Proven, Standing::Unknown),
            (vec![Stored::Whole], Some(Recomputed::Differs(2, Vec::new())), Standing::Proven, Standing::Differs),
            (vec![Stored::Differs(1, String::new())], Some(Recomputed::Same), Standing::Differs, Standing::Differs),
        ] {
            let verified = verified(files, table);
            assert_eq!((verified.stored(), verified.standing()), (stored, whole), "{verified:?}");
        }
    }
}
