//! Why there is no summary. Each kind has a name that never changes: what an alarm, a retry or the console tells them apart
//! by.

use lambda_runtime::Diagnostic;

use super::Week;

/// Why a week was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// What is asked for is nothing that can be made.
    #[error("{0}")]
    Refused(String),
    /// Something could not be read or written, or is not what it must be. Lambda tries again.
    #[error("{0}")]
    Failed(String),
    /// The week has fewer records than its manifest names, whose files are the only ones that have the others.
    #[error(
        "the manifest of {week} names {named} records, and the table has {found}: the others have expired or were \
         deleted, and only its files still have them; nothing was written. With `\"shrink\": true` they are replaced"
    )]
    Shrinks {
        /// The week.
        week: Week,
        /// How many records the manifest names.
        named: u64,
        /// How many the table has.
        found: u64,
    },
    /// Another run wrote the manifest first, and of other records.
    #[error("another run has written {week} meanwhile, of other records; its manifest stands, and it is tried again")]
    Overtaken {
        /// The week.
        week: Week,
    },
}

impl Failure {
    /// Its name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Refused(_) => "SummaryRefused",
            Self::Failed(_) => "SummaryFailed",
            Self::Shrinks { .. } => "SummaryWouldShrink",
            Self::Overtaken { .. } => "SummaryOvertaken",
        }
    }
}

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        Self { error_type: failure.name().to_owned(), error_message: failure.to_string() }
    }
}
