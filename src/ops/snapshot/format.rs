//! A snapshot as it lies on disk. What has no field here is not kept; values have none.

mod convert;

use serde::{Deserialize, Serialize};

pub(super) use convert::section;

use super::{Place, Unusable};

/// The format that this version reads and writes.
const SCHEMA: u32 = 1;

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct File {
    schema: u32,
    pub(super) place: Place,
    pub(super) identity: Option<Identity>,
    pub(super) commit: Option<Commit>,
    pub(super) sections: Vec<Section>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Identity {
    account: String,
    arn: String,
    region: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expected_account: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Commit {
    reference: String,
    id: String,
    subject: String,
    author: String,
    at: i64,
    ahead: usize,
    behind: usize,
    dirty: bool,
    fetched_at: Option<i64>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Section {
    kind: Word,
    read_at: i64,
    units: Vec<Unit>,
    problems: Vec<Problem>,
    items: Vec<Item>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Word {
    Stack,
    Code,
    Parameter,
    Secret,
}

#[derive(Debug, Serialize, Deserialize)]
struct Unit {
    name: String,
    status: String,
    changed_at: Option<i64>,
    drift_checked_at: Option<i64>,
    runs: Option<String>,
    rolled_out_at: Option<i64>,
    rolled_out_by: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Problem {
    subject: String,
    why: Why,
}

#[derive(Debug, Serialize, Deserialize)]
struct Why {
    reason: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Item {
    name: String,
    unit: String,
    #[serde(rename = "type", default, skip_serializing_if = "String::is_empty")]
    type_name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    physical_id: Option<String>,
    verdict: Verdict,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    reason: String,
    #[serde(default, skip_serializing_if = "Sides::is_unread")]
    sides: Sides,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    rows: Vec<Row>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    changed: Option<Changed>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    file: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Row {
    path: String,
    verdict: Verdict,
    #[serde(default, skip_serializing_if = "Sides::is_unread")]
    sides: Sides,
}

#[derive(Debug, Serialize, Deserialize)]
struct Changed {
    by: Option<String>,
    at: Option<i64>,
    event: Option<String>,
    access_key: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    InSync,
    Drifted,
    Pending,
    Diverged,
    Differs,
    GitOnly,
    Unmanaged,
    /// By a rule of the project.
    Ignored(String),
    Rotated,
    NothingLive,
    Unknown(Why),
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Sides {
    #[serde(default, skip_serializing_if = "Facet::is_unread")]
    git: Facet,
    #[serde(default, skip_serializing_if = "Facet::is_unread")]
    applied: Facet,
    #[serde(default, skip_serializing_if = "Facet::is_unread")]
    live: Facet,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Facet {
    Absent,
    Unrecorded,
    #[default]
    Unread,
    Unreadable(Why),
    Masked {
        fingerprint: String,
        chars: usize,
    },
    /// The id of a tree or of an artifact, which is no value.
    Id(String),
}

impl File {
    pub(super) fn new(place: Place) -> Self {
        Self { schema: SCHEMA, place, identity: None, commit: None, sections: Vec::new() }
    }

    /// Reads the number of the format before any other field.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Unusable> {
        #[derive(Deserialize)]
        struct Format {
            schema: u32,
        }
        match serde_json::from_slice::<Self>(bytes) {
            Ok(file) if file.schema == SCHEMA => Ok(file),
            Ok(file) => Err(Unusable::Newer(file.schema)),
            Err(error) => match serde_json::from_slice::<Format>(bytes) {
                Ok(format) if format.schema > SCHEMA => Err(Unusable::Newer(format.schema)),
                _ => Err(Unusable::Broken(error)),
            },
        }
    }

    /// Takes over from a former file what this one lacks.
    pub(super) fn fill_up(&mut self, former: Option<Self>) {
        let Some(former) = former else { return };
        self.identity = self.identity.take().or(former.identity);
        self.commit = self.commit.take().or(former.commit);
        for section in former.sections {
            if self.sections.iter().all(|own| own.kind != section.kind) {
                self.sections.push(section);
            }
        }
    }
}

impl Sides {
    fn is_unread(&self) -> bool {
        self.git.is_unread() && self.applied.is_unread() && self.live.is_unread()
    }
}

impl Facet {
    fn is_unread(&self) -> bool {
        matches!(self, Self::Unread)
    }
}
