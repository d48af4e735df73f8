//! The deploy pipeline as an operator uses it: its registry of projects, its jobs, their logs, and asking for one.
//!
//! A job is asked for by a message to an SNS topic; what comes of it is in a table of DynamoDB and in CodeBuild. Everything
//! is found in the outputs of one stack. Nothing here decides what a message may start: the function behind the topic does.

pub mod build;
pub mod fields;
pub mod follow;
pub mod image;
pub mod jobs;
pub mod letters;
pub mod message;
mod once;
pub mod permissions;
pub mod policy;
pub mod registry;
pub mod remote;
pub mod script;
pub mod trigger;

use std::collections::BTreeMap;
use std::time::Duration;

use super::session::Session;
use super::why;
use crate::aws::cloudformation;
use crate::compare::{Why, WhyKind};

/// The pipeline of an environment, ready to be asked.
#[derive(Clone)]
pub struct Pipeline {
    session: Session,
    stack: String,
    outputs: BTreeMap<String, String>,
    parameters: BTreeMap<String, String>,
}

impl Pipeline {
    /// Finds it by the stack that the project names.
    pub async fn open(session: &Session) -> Result<Self, Why> {
        let stack = stack(session).await?;
        let found = cloudformation::stack(&session.clients, &stack).await.map_err(|error| why(&error))?;
        let Some(found) = found else {
            return Err(Why::new(format!("there is no stack {stack} in {}", session.clients.region()))
                .hint("another region or profile? lambda/README.md says how it is deployed")
                .kind(WhyKind::Missing));
        };
        Ok(Self { session: session.clone(), stack, outputs: found.outputs, parameters: found.parameters })
    }

    /// The same with the leave and the name of another session of the environment.
    #[must_use]
    pub fn by(&self, session: &Session) -> Self {
        Self { session: session.clone(), ..self.clone() }
    }

    /// The topic that takes messages.
    pub fn topic(&self) -> Result<&str, Why> {
        self.output("TopicArn")
    }

    fn build_project(&self) -> Result<&str, Why> {
        self.output("BuildProjectName")
    }

    fn dead_letters(&self) -> Result<&str, Why> {
        self.output("DeadLetterQueueUrl")
    }

    fn jobs_table(&self) -> Result<&str, Why> {
        self.output("JobsTableName")
    }

    /// After how long the queue tries a message again.
    fn again_after(&self) -> Duration {
        Duration::from_secs(self.number("RetrySeconds", 180))
    }

    /// How long the queue tries a message before it is a dead letter.
    fn tried_for(&self) -> Duration {
        self.again_after().saturating_mul(u32::try_from(self.number("Attempts", 80)).unwrap_or(u32::MAX))
    }

    /// A parameter of the stack; where it does not tell, the template's default.
    fn number(&self, parameter: &str, default: u64) -> u64 {
        self.parameters.get(parameter).and_then(|text| text.parse().ok()).unwrap_or(default)
    }

    fn output(&self, name: &str) -> Result<&str, Why> {
        self.outputs.get(name).map(String::as_str).filter(|value| !value.is_empty()).ok_or_else(|| {
            Why::new(format!("the stack {} has no output {name}", self.stack))
                .hint("is it the stack of lambda/pipeline.yaml, as it is now?")
                .kind(WhyKind::Missing)
        })
    }
}

/// This repository's name in the registry.
pub fn own(session: &Session) -> Result<String, Why> {
    let stated = session.project().pipeline.as_ref().and_then(|pipeline| pipeline.project.clone());
    let name = stated.unwrap_or_else(|| session.project().name.clone());
    message::project(&name).map_err(|wrong| Why::new(wrong).hint("`project` of [pipeline] in plumb.toml"))?;
    Ok(name)
}

/// The name of the pipeline's stack: the one of the command line, or the project's.
async fn stack(session: &Session) -> Result<String, Why> {
    if let Some(stack) = session.settings.adhoc.as_ref().and_then(|adhoc| adhoc.stack.clone()) {
        return Ok(stack);
    }
    let Some(pipeline) = &session.project().pipeline else {
        return Err(Why::new("the project names no pipeline")
            .hint("[pipeline] in plumb.toml: stack = \"petshop-pipeline\"; or --stack NAME")
            .kind(WhyKind::Missing));
    };
    session.expand(&pipeline.stack).await
}
