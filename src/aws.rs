//! What AWS says, and what is asked of it: one file per service, free functions over [`Clients`].
//!
//! A leaf room: no verdicts, no items, no decisions. A listing is complete or an error, never a part; what cannot be
//! read is an [`Error`] that says so, never an empty answer. Plaintexts leave only as [`crate::secret::Secret`].
//! Times are milliseconds since the Unix epoch, except where a doc line says otherwise.

mod calls;
mod clients;
pub mod cloudformation;
pub mod cloudtrail;
pub mod dynamodb;
mod error;
pub mod events;
#[cfg(test)]
mod faults;
pub mod iam;
pub mod kms;
pub mod lambda;
mod limit;
pub mod logs;
mod poll;
pub mod raw;
mod renew;
pub mod s3;
pub mod secretsmanager;
pub mod sign;
pub mod sqs;
pub mod ssm;
pub mod sts;

pub use clients::{Clients, Keys, Options, Timeouts};
pub use error::{Error, ErrorKind};
pub(crate) use poll::Poll;

use aws_smithy_types::DateTime;

/// What reading one of many answered.
#[derive(Debug, Clone)]
pub enum Read<T> {
    /// It is there.
    Found(T),
    /// AWS says that it is not there.
    Missing,
    /// It may or may not be there.
    Failed(Error),
}

impl<T> Read<T> {
    /// Changes what was read; absence and failure stay.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> Read<U> {
        match self {
            Self::Found(value) => Read::Found(change(value)),
            Self::Missing => Read::Missing,
            Self::Failed(error) => Read::Failed(error),
        }
    }
}

/// A time of the SDK in milliseconds; `None` where AWS gave none or one beyond what fits.
fn millis(time: Option<&DateTime>) -> Option<i64> {
    time.and_then(|time| time.to_millis().ok())
}
