//! What is asked of the crypto API, and what it answers. Nothing of it writes; rotating the keyring is a plan.

use crate::compare::Why;
use crate::ops::crypto::keyring::Keyring;
use crate::ops::crypto::last::Last;
use crate::ops::crypto::play::{Play, Played};
use crate::ops::crypto::smoke::Step;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CryptoAsk {
    /// The keyring.
    Keyring,
    /// To try something.
    Play(Play),
    /// To make the smoke test, or its safe subset.
    Smoke {
        /// Whether the safe subset alone is asked.
        safe: bool,
    },
}

/// What is answered.
#[derive(Debug, Clone, PartialEq)]
pub enum CryptoAnswer {
    /// The keyring.
    Keyring(Result<Box<Keyring>, Why>),
    /// What came of it.
    Played(Result<Box<Played>, Why>),
    /// The smoke test goes on.
    Step(Step),
    /// It is done.
    Smoked(Result<Smoked, Why>),
}

/// A smoke test that is done; its checks came step by step.
#[derive(Debug, Clone, PartialEq)]
pub struct Smoked {
    /// What is kept of it, where it is.
    pub last: Option<Box<Last>>,
}
