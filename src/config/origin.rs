//! Where a value came from.

use std::fmt;

/// Where an effective value came from, strongest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A flag: `--env`.
    Flag(&'static str),
    /// An environment variable: `AWS_REGION`.
    Variable(&'static str),
    /// A line of a file.
    File {
        /// The file as it is shown: `plumb.toml`, `~/.config/plumb/config.toml`.
        file: String,
        /// Line, counted from 1.
        line: usize,
    },
    /// Nobody said anything, and the environment is named like a production.
    ProductionName,
    /// Nobody said anything.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "flag {flag}"),
            Self::Variable(name) => write!(f, "environment {name}"),
            Self::File { file, line } => write!(f, "{file}:{line}"),
            Self::ProductionName => f.write_str("default of an environment that is named like a production"),
            Self::Default => f.write_str("default"),
        }
    }
}

/// The values of a file with their lines, in the order in which they were read; backs [`Origin::File`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origins {
    /// The file as it is shown.
    pub file: String,
    pub(super) leaves: Vec<Leaf>,
}

/// One value of a file, or the default that stands in for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Leaf {
    /// Path from the root: `config[0].files`, `environments.prod.region`.
    pub(super) path: String,
    /// The value as text.
    pub(super) value: String,
    /// `None`: not in the file.
    pub(super) line: Option<usize>,
}

impl Origins {
    /// Where the value at a path came from: `environments.prod.region`, `config[0].files`.
    #[must_use]
    pub fn of(&self, path: &str) -> Origin {
        self.leaves.iter().find(|leaf| leaf.path == path).map_or(Origin::Default, |leaf| self.origin(leaf))
    }

    pub(super) fn origin(&self, leaf: &Leaf) -> Origin {
        leaf.line.map_or(Origin::Default, |line| Origin::File { file: self.file.clone(), line })
    }
}
