//! What can be wrong with a configuration, said with file, line and key.

use std::fmt;

use super::origin::Origin;

/// Why a configuration cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A file has mistakes; all that were found, in the order of the file. Never empty.
    #[error("{}", lines(.0))]
    Invalid(Vec<Complaint>),
    /// A file cannot be read.
    #[error("cannot read {file}: {why}")]
    Unreadable {
        /// The file as it was named.
        file: String,
        /// The system's answer.
        why: String,
    },
    /// The environment asked for is not one of the project's.
    #[error("{0}")]
    UnknownEnvironment(Box<UnknownEnvironment>),
    /// No environment was named, and none stands out.
    #[error("which environment? {file} has {}", .names.join(", "))]
    WhichEnvironment {
        /// The project file.
        file: String,
        /// All names.
        names: Vec<String>,
    },
    /// A flag or an environment variable has a value that cannot be.
    #[error("{origin}: {why}")]
    BadValue {
        /// The flag or variable.
        origin: Origin,
        /// What is wrong with its value.
        why: String,
    },
    /// There is no project file, and nothing says what else to look at.
    #[error("no plumb.toml in {searched} or above it")]
    NoProject {
        /// Where the search began.
        searched: String,
    },
    /// The user has no home directory to hold Plumb's own files.
    #[error("no home directory for Plumb's {what}")]
    NoHome {
        /// `config`, `data` or `state`.
        what: &'static str,
        /// The variable that names a directory instead.
        variable: &'static str,
    },
}

/// An environment that is not one of the project's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file} has no environment \"{name}\" (asked for by {origin})")]
pub struct UnknownEnvironment {
    /// The name asked for.
    pub name: String,
    /// Who asked for it.
    pub origin: Origin,
    /// The project file.
    pub file: String,
    /// The nearest existing name.
    pub nearest: Option<String>,
    /// All existing names.
    pub names: Vec<String>,
}

/// One mistake in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// The file as it was named.
    pub file: String,
    /// Line, counted from 1.
    pub line: usize,
    /// The offending key from the root: `environments.prod.region`, `stacks[0].name` (counted from 0); empty
    /// for a file that is no TOML at all.
    pub key: String,
    /// What is wrong.
    pub why: String,
    /// What to write instead.
    pub hint: Option<String>,
}

impl Error {
    /// What to try; for [`Error::Invalid`] it is already part of each line.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Invalid(_) | Self::Unreadable { .. } | Self::BadValue { .. } => None,
            Self::UnknownEnvironment(unknown) => {
                let all = unknown.names.join(", ");
                Some(match &unknown.nearest {
                    Some(nearest) => format!("did you mean \"{nearest}\"? There are: {all}"),
                    None => format!("there are: {all}"),
                })
            }
            Self::WhichEnvironment { .. } => {
                Some("name one: --env NAME, PLUMB_ENV, or `environment` in your config.toml".into())
            }
            Self::NoProject { .. } => Some(
                "`plumb init --minimal` writes one; `plumb --stack NAME` and `plumb --path /PREFIX` need none".into(),
            ),
            Self::NoHome { variable, .. } => Some(format!("set HOME, or {variable} to a directory")),
        }
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.file, self.line)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.why)?;
        match &self.hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

fn lines(complaints: &[Complaint]) -> String {
    complaints.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
