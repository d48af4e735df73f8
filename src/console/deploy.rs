//! What is asked of stacks beside their verdicts, and what is heard while something is done to one.

use std::collections::BTreeMap;

use crate::compare::Why;
use crate::console::overlay::Way;
use crate::ops::deploy::{Operation, Progress, Standing};
use crate::ops::redeploy::Followed;
use crate::secret::Secret;

/// What is asked. Nothing of it writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeployAsk {
    /// How the stacks stand.
    Stacks,
    /// To follow what is under way, whoever began it.
    Follow(Operation),
}

/// What is answered.
#[derive(Debug, Clone, PartialEq)]
pub enum DeployAnswer {
    /// How the stacks stand.
    Stacks(Result<Vec<Standing>, Why>),
    /// Something happens.
    Heard(Heard),
    /// It came to an end, or is not followed any more.
    Over(Result<Box<Over>, Why>),
}

/// Something that happens while a stack is changed.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    /// How far it is.
    Progress(Progress),
    /// What the workflow's run is at.
    Followed(Followed),
    /// The last lines of the function that is the cause of a failure, or why they could not be read.
    Log(Result<Vec<Secret>, Why>),
}

/// How it ended.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Over {
    /// The stack's status; `None`: CloudFormation had nothing to do.
    pub status: Option<String>,
    /// What went wrong, and what to do next.
    pub why: Option<Why>,
    /// The stack's outputs.
    pub outputs: BTreeMap<String, String>,
    /// What was done besides.
    pub notes: Vec<String>,
    /// How long it took, in milliseconds.
    pub took: Option<i64>,
    /// Of a deployment, whether a receipt was written, in words.
    pub receipt: Option<String>,
    /// What is planned next, where it is one step of several.
    pub then: Option<Way>,
    /// The pipeline's job that goes on with it, by its id.
    pub job: Option<String>,
}
