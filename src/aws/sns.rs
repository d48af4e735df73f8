//! SNS: publishing one message, by a signed request: one call is not worth an SDK crate.

use zeroize::Zeroizing;

use super::limit::Service;
use super::raw::{Body, Call, endpoint};
use super::{Clients, Error};
use crate::percent::encoded;

/// Publishes a message to a topic and answers its id. It is sent once: SNS would take it twice.
pub async fn publish(clients: &Clients, topic: &str, message: &str) -> Result<String, Error> {
    const OPERATION: &str = "sns:Publish";
    let fields = [("Action", "Publish"), ("Version", "2010-03-31"), ("TopicArn", topic), ("Message", message)];
    let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    let call = Call {
        service: Service::Sns,
        operation: OPERATION,
        body: Body::Form(Zeroizing::new(fields.join("&"))),
        endpoint: endpoint(clients, "SNS", "sns"),
        region: None,
        subject: topic,
    };
    let answer = call.send_once(clients).await?;
    let id = answer.expose().split_once("<MessageId>").and_then(|(_, rest)| rest.split_once("</"));
    id.map(|(id, _)| id.trim().to_owned())
        .filter(|id| !id.is_empty())
        .ok_or_else(|| Error::unreadable(OPERATION, topic, "MessageId"))
}
