//! The smoke test: what a deployed crypto API must do and must refuse, asked of the real one.
//!
//! Its plaintexts are made for it and say nothing. No answer is told but by status, kind and length.

mod checks;
mod logs;

use std::time::{Duration, Instant};

use futures::future::join_all;

use super::{Crypto, Latency};
use crate::compare::Why;
use crate::ops::inspect::now;
use crate::ops::session::Session;

/// One thing that is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// The function runs and has its keyring.
    Health,
    /// Nothing comes back as nothing.
    Empty,
    /// Text in ASCII comes back.
    Ascii,
    /// Text beyond the basic plane comes back.
    Emoji,
    /// Every byte there is comes back.
    Binary,
    /// 1 MiB comes back.
    Large,
    /// One bad item of a batch fails alone.
    Batch,
    /// A changed byte is refused.
    Tampered,
    /// Another context is refused.
    WrongContext,
    /// Rewrapping keeps the plaintext.
    Rewrap,
    /// A call of nobody is refused.
    Unsigned,
    /// A body beyond the limit is refused.
    Oversize,
    /// How long calls take.
    Latency,
    /// After a rotation the new key version is in use.
    Rotation,
    /// The function's logs have none of the plaintexts.
    Logs,
}

impl Check {
    /// All of them, in the order in which they are told.
    pub const ALL: [Self; 15] = [
        Self::Health,
        Self::Empty,
        Self::Ascii,
        Self::Emoji,
        Self::Binary,
        Self::Large,
        Self::Batch,
        Self::Tampered,
        Self::WrongContext,
        Self::Rewrap,
        Self::Unsigned,
        Self::Oversize,
        Self::Latency,
        Self::Rotation,
        Self::Logs,
    ];

    /// Its name, which stays.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Health => "health",
            Self::Empty => "round trip: empty",
            Self::Ascii => "round trip: ASCII",
            Self::Emoji => "round trip: emoji",
            Self::Binary => "round trip: binary",
            Self::Large => "round trip: 1 MiB",
            Self::Batch => "batch with a bad item",
            Self::Tampered => "tampered byte refused",
            Self::WrongContext => "wrong context refused",
            Self::Rewrap => "rewrap keeps the plaintext",
            Self::Unsigned => "unsigned call refused",
            Self::Oversize => "oversize refused",
            Self::Latency => "latency",
            Self::Rotation => "new version after a rotation",
            Self::Logs => "no plaintext in the logs",
        }
    }

    /// Whether it is one of the safe subset: small calls that succeed. They count as no error, no refusal and no slow call,
    /// and so trip no alarm.
    #[must_use]
    pub fn is_safe(self) -> bool {
        matches!(self, Self::Health | Self::Empty | Self::Ascii | Self::Emoji | Self::Binary | Self::Rewrap)
    }
}

/// How a check went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// As it should.
    Passed,
    /// Otherwise.
    Failed {
        /// What should be.
        expected: String,
        /// What is.
        got: String,
    },
    /// Nothing answered.
    Error(Why),
    /// It cannot be proven here, for this reason.
    Unproven(String),
}

impl Verdict {
    /// Its word.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed { .. } => "failed",
            Self::Error(_) => "error",
            Self::Unproven(_) => "unproven",
        }
    }
}

/// A check that was made.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Which.
    pub check: Check,
    /// How it went.
    pub verdict: Verdict,
    /// How long it took, with everything that it asked.
    pub took: Duration,
    /// The key version that was in use.
    pub key_version: Option<u32>,
    /// AWS's id of the request that failed.
    pub request_id: Option<String>,
    /// What calls took, of the one that measures it.
    pub latency: Option<Latency>,
}

/// Which checks are made.
#[derive(Default)]
pub struct Options {
    /// The safe subset alone.
    pub safe: bool,
    /// How many calls are measured.
    pub calls: usize,
    /// Rotate the keyring, with a session that may. It writes, so whoever gives it has asked the operator.
    pub rotate: Option<Session>,
}

/// How far a smoke test is.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// A check has begun.
    Begun(Check),
    /// What one that takes long is doing.
    Doing(String),
    /// A check is done.
    Done(Line),
}

/// Hears how far it is.
pub type Hear<'a> = &'a (dyn Fn(Step) + Send + Sync);

/// The checks that are made, in the order in which they are told.
#[must_use]
pub fn chosen(safe: bool, rotate: bool) -> Vec<Check> {
    let wanted = |check: &Check| (!safe || check.is_safe()) && (rotate || *check != Check::Rotation);
    Check::ALL.into_iter().filter(wanted).collect()
}

/// Makes the checks beside each other; latency by itself when the others are done, then the rotation, and last a look into
/// the log of all that.
pub async fn smoke(crypto: &Crypto, options: &Options, hear: Hear<'_>) -> Vec<Line> {
    let (crypto, since) = (crypto.watched(), now());
    let is_alone = |check: &Check| matches!(check, Check::Latency | Check::Rotation | Check::Logs);
    let chosen = chosen(options.safe, options.rotate.is_some());
    let (alone, together): (Vec<Check>, Vec<Check>) = chosen.into_iter().partition(is_alone);
    let run = Run { crypto: &crypto, options, hear, since };
    let mut lines = join_all(together.into_iter().map(|check| run.made(check))).await;
    for check in alone {
        lines.push(run.made(check).await);
    }
    lines.sort_by_key(|line| Check::ALL.iter().position(|check| *check == line.check));
    lines
}

/// One smoke test.
struct Run<'a> {
    crypto: &'a Crypto,
    options: &'a Options,
    hear: Hear<'a>,
    /// When it began, milliseconds since the Unix epoch.
    since: i64,
}

impl Run<'_> {
    async fn made(&self, check: Check) -> Line {
        (self.hear)(Step::Begun(check));
        let began = Instant::now();
        let done = Box::pin(checks::make(self, check)).await;
        let took = began.elapsed();
        let line = Line { check, verdict: Verdict::Passed, took, key_version: None, request_id: None, latency: None };
        let line = match done {
            Ok(checks::Proof { key_version, latency }) => Line { key_version, latency, ..line },
            Err(checks::Miss::Wrong { expected, got, request_id }) => {
                Line { verdict: Verdict::Failed { expected, got }, request_id, ..line }
            }
            Err(checks::Miss::Silent(why)) => Line { verdict: Verdict::Error(why), ..line },
            Err(checks::Miss::Unproven(reason)) => Line { verdict: Verdict::Unproven(reason), ..line },
        };
        (self.hear)(Step::Done(line.clone()));
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_safe_subset_refuses_nothing_writes_nothing_and_is_small() {
        let safe: Vec<&str> = Check::ALL.into_iter().filter(|check| check.is_safe()).map(Check::name).collect();
        assert_eq!(
            safe,
            [
                "health",
                "round trip: empty",
                "round trip: ASCII",
                "round trip: emoji",
                "round trip: binary",
                "rewrap keeps the plaintext"
            ]
        );
    }
}
