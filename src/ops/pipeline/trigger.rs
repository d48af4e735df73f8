//! Asking for a job: one message to the topic. It is checked before by the registry, which the function does again.

use super::Pipeline;
use super::fields;
use super::jobs::reason;
use super::message::Message;
use super::{once, registry};
use crate::aws::sns;
use crate::compare::{Why, WhyKind};
use crate::ops::journal::{Action, Begun, Intent};

/// A message as it would be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The message. Who asks is added when it is sent.
    pub message: Message,
    /// The topic's ARN.
    pub topic: String,
    /// What could not be checked, and why.
    pub unchecked: Option<Why>,
}

/// A message that SNS took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sent {
    /// Its id, by which its job is known.
    pub id: String,
    /// Why the journal does not hold it, if so.
    pub untold: Option<Why>,
}

impl Pipeline {
    /// Works out what would be sent, and whether the registry would let it start anything.
    pub async fn plan(&self, message: Message) -> Result<Plan, Why> {
        message.check()?;
        let topic = self.topic()?.to_owned();
        let unchecked = match registry::known(&self.session, &message.project).await {
            Ok(project) if !fields::allows(&project.branches(), &message.branch) => {
                let allowed = project.field("branches").unwrap_or("none");
                let why = format!("refused: {} does not build {}: {allowed}", message.project, message.branch);
                return Err(Why::new(why).hint("plumb pipeline edit PROJECT --branches"));
            }
            Ok(_) => None,
            Err(why) if why.kind == WhyKind::Denied => Some(why),
            Err(why) => return Err(why),
        };
        Ok(Plan { message, topic, unchecked })
    }

    /// Sends it, once.
    pub async fn send(&self, plan: &Plan, action: Action) -> Result<Sent, Why> {
        let (session, writer) = self.session.for_writing().await?;
        let words = plan.message.reason.clone();
        let message = Message { reason: Some(reason(&writer.arn, words.as_deref())), ..plan.message.clone() };
        let text = message.text()?;
        let subject = format!("{} {}", message.project, message.branch);
        let commit = message.commit.clone();
        let intent = Intent { commit, reason: words, ..Intent::new(action, vec![subject]) };
        let begun = Begun::new(&session, &writer, intent)?;
        match sns::publish(&session.clients, &plan.topic, &text).await {
            Ok(id) => Ok(Sent { id, untold: begun.settle(&session, None).await }),
            Err(error) => Err(once::failed(&session, begun, &error).await),
        }
    }
}
