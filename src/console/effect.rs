//! What the console wants done.

use super::backend::{Ask, Target};
use super::changes::ChangeAsk;
use super::crypto::CryptoAsk;
use super::data::DataAsk;
use super::deploy::DeployAsk;
use super::home::{Command, Copy, Outside};
use super::memory::Memory;
use super::message::Generation;
use super::mode::{Confirmation, Ended};
use super::overlay::{Held, Wanted, Work};
use super::pipeline::PipelineAsk;
use crate::compare::Kind;
use crate::ops::config::changes::Alphabet;

/// Work for the runtime. Only [`Effect::Write`] writes to the environment, a command of the operator's own among it, and
/// the runtime asks again whether it may.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Read the files of another project.
    Project(Generation, String),
    /// Compare an environment.
    Inspect(Generation, Target, Ask),
    /// Read the values of one item.
    Reveal(Generation, Target, Kind, String),
    /// List a project's refs.
    Refs(Generation, String),
    /// Fetch the remote.
    Fetch(Generation, Target),
    /// Read the values of one item, for the clipboard and not for the screen.
    Read(Generation, Target, Kind, String),
    /// Find the line of a file of the working tree that says what an item of that name should be.
    Locate(Generation, Target, String, String),
    /// Put a text into the clipboard.
    Copy(Copy),
    /// Give the terminal to another program until it ends.
    Outside(Outside),
    /// Run a command of the operator's own in the background; one that writes is an [`Effect::Write`].
    Run(Generation, Command),
    /// End a command that runs in the background, and whatever it has started.
    End(Generation),
    /// Ask the terminal to notify.
    Notify(String),
    /// Work out what would be written, by reading alone; of a deployment CloudFormation does, by a change set.
    Plan(Generation, Target, Wanted),
    /// Do what was planned and confirmed.
    Write(Generation, Order),
    /// Let an environment be written to for a while, as was planned and confirmed.
    Unlock(Generation, Order),
    /// Lock an environment again.
    Lock(Target, Ended),
    /// Read the journal of an environment.
    Journal(Generation, Target),
    /// Read the past of an item.
    History(Generation, Target, String),
    /// Compare two environments of a project in git: the second is where values would go to.
    Compare(Generation, String, String, String),
    /// Commit values to a new branch, which changes nothing live.
    Promote(Generation, Promotion),
    /// Ask something about a project's change list, or change it.
    Changes(Generation, Target, ChangeAsk),
    /// Commit a project's change list, with this message, by the operator's own git on the terminal.
    Commit(Generation, Target, String),
    /// Make a random value of that many characters.
    Generate(Generation, usize, Alphabet),
    /// Draw in the theme of that name from now on.
    Theme(String),
    /// Ask the crypto API, which writes nothing.
    Crypto(Generation, Target, CryptoAsk),
    /// Ask about the deploy pipeline, which writes nothing.
    Pipeline(Generation, Target, PipelineAsk),
    /// Ask about the intake or its summaries, which writes nothing.
    Data(Generation, Target, DataAsk),
    /// Ask about stacks, or follow what is under way with one, which writes nothing.
    Deploy(Generation, Target, DeployAsk),
    /// Take back what the plan of that request has left in the account, since nobody confirmed it.
    Abandon(Generation),
    /// Keep this for the next time.
    Remember(Memory),
    /// Abort a request.
    Cancel(Generation),
    /// Give the terminal back until the shell brings the console to the front again.
    Suspend,
    /// Leave.
    Quit,
}

/// Values that are taken from one environment's files to another's.
#[derive(Debug, Clone, PartialEq)]
pub struct Promotion {
    /// The project.
    pub project: String,
    /// The comparison that was looked at.
    pub held: Held,
    /// The keys that are taken.
    pub keys: Vec<String>,
    /// The new branch.
    pub branch: String,
}

/// What was planned, and how it was confirmed.
#[derive(Debug, Clone, PartialEq)]
pub struct Order {
    /// The request that worked the plan out.
    pub plan: Generation,
    /// Where.
    pub target: Target,
    /// What.
    pub work: Work,
    /// What the operator did to confirm it.
    pub confirmation: Confirmation,
}
