//! The single writes of an entry: what each is about to do, and how far it came. Names, versions and digests; no value.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::compare::Kind;
use crate::ops::receipt::{self, UnitId};

/// A write of one item, as it was planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What it is.
    pub kind: Thing,
    /// Its name.
    pub name: String,
    /// The service that it is rolled out with, or `secrets`.
    pub unit: String,
    /// What is done to it.
    pub act: Act,
    /// The live version before; `None`: it is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Version>,
    /// Where the new value is from; a deletion has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Origin>,
    /// Of a secret: the id of the version that becomes current. Random where one is made: an id that is derived from the
    /// value would make A -> B -> A a silent no-op.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Digest of what git says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// What the receipt said of it before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded: Option<receipt::Entry>,
    /// Of a parameter that is deleted, what it takes to make it anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shape: Option<Shape>,
}

/// What a step is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Thing {
    /// A parameter of Parameter Store.
    Parameter,
    /// A secret of Secrets Manager.
    Secret,
}

impl Thing {
    /// The receipt that it belongs to, by what it is rolled out with.
    #[must_use]
    pub fn unit(self, name: &str) -> UnitId {
        match self {
            Self::Parameter => UnitId::Config(name.to_owned()),
            Self::Secret => UnitId::Secrets,
        }
    }

    /// What an item of that kind is; a stack and code are neither.
    #[must_use]
    pub fn of(kind: Kind) -> Option<Self> {
        match kind {
            Kind::Parameter => Some(Self::Parameter),
            Kind::Secret => Some(Self::Secret),
            Kind::Stack | Kind::Code => None,
        }
    }

    /// The kind of item that it is.
    #[must_use]
    pub fn kind(self) -> Kind {
        match self {
            Self::Parameter => Kind::Parameter,
            Self::Secret => Kind::Secret,
        }
    }
}

/// What is done to an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Act {
    /// It is made.
    Create,
    /// It gets another value.
    Update,
    /// It is deleted; a secret with a window in which it can be restored.
    Delete,
    /// A secret that is scheduled for deletion is taken back.
    Restore,
}

impl Act {
    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::Restore => "restore",
        }
    }
}

/// A live version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Version {
    /// A parameter's number, a secret's version id.
    pub id: String,
    /// Of a parameter: when it was made, milliseconds since the Unix epoch. One that was deleted and made anew counts
    /// from 1 again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<i64>,
}

/// Where a value is from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// From git, at this commit.
    Commit(String),
    /// From an earlier version of the item itself.
    Version(String),
}

/// All of a parameter but its value.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Shape {
    /// `String`, `StringList` or `SecureString`.
    pub type_name: String,
    /// Its tier.
    pub tier: Option<String>,
    /// Its KMS key.
    pub key_id: Option<String>,
    /// Its description.
    pub description: Option<String>,
    /// Its pattern.
    pub allowed_pattern: Option<String>,
    /// Its data type.
    pub data_type: Option<String>,
    /// Its policies.
    pub policies: Vec<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// How far a step came.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mark {
    /// It is about to be sent: AWS may have done it.
    Sent,
    /// AWS did it; this is the version that came of it, where there is one.
    Done(Option<Version>),
    /// It was not done.
    Failed,
}
