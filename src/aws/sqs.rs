//! A queue: how many messages lie in it, looking at them, and taking one out, by signed requests: a few calls are not
//! worth an SDK crate.

use serde::Deserialize;
use serde_json::{Value, json};

use super::limit::Service;
use super::raw::Json;
use super::{Clients, Error};

const SQS: Json =
    Json { service: Service::Sqs, content_type: "application/x-amz-json-1.0", variable: "SQS", host: "sqs" };

/// A message as it was received.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Message {
    /// Its id.
    #[serde(rename = "MessageId")]
    pub id: String,
    /// By which it is put back or deleted, until it is received again.
    pub receipt_handle: String,
    /// What it says.
    pub body: String,
    #[serde(default)]
    attributes: Value,
    /// Those that whoever sent it added.
    #[serde(default, rename = "MessageAttributes")]
    added: Value,
}

impl Message {
    /// When it came into a queue first, milliseconds since the Unix epoch.
    #[must_use]
    pub fn sent_at(&self) -> Option<i64> {
        self.attributes.get("SentTimestamp")?.as_str()?.parse().ok()
    }

    /// An attribute that whoever sent it added.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.added.get(name)?.get("StringValue")?.as_str()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Received {
    #[serde(default)]
    messages: Vec<Message>,
}

/// The messages that a queue holds, about; `queue` is its URL.
pub async fn waiting(clients: &Clients, queue: &str) -> Result<u64, Error> {
    let operation = ("sqs:GetQueueAttributes", "AmazonSQS.GetQueueAttributes");
    let body = json!({ "QueueUrl": queue, "AttributeNames": ["ApproximateNumberOfMessages"] });
    let answer: Value = SQS.ask(clients, operation, queue, &body).await?;
    let count = answer.pointer("/Attributes/ApproximateNumberOfMessages").and_then(Value::as_str);
    let count = count.and_then(|count| count.parse().ok());
    count.ok_or_else(|| Error::unreadable(operation.0, queue, "ApproximateNumberOfMessages"))
}

/// Some messages of a queue, ten at most, which nobody else gets for so many seconds.
pub async fn receive(clients: &Clients, queue: &str, hidden: u32) -> Result<Vec<Message>, Error> {
    let operation = ("sqs:ReceiveMessage", "AmazonSQS.ReceiveMessage");
    // Waiting a second asks all of the queue's servers: without it some messages would be missed.
    let body = json!({
        "QueueUrl": queue,
        "MaxNumberOfMessages": 10,
        "VisibilityTimeout": hidden,
        "WaitTimeSeconds": 1,
        "AttributeNames": ["SentTimestamp"],
        "MessageAttributeNames": ["All"],
    });
    let answer: Received = SQS.ask(clients, operation, queue, &body).await?;
    Ok(answer.messages)
}

/// Puts a received message back at once.
pub async fn put_back(clients: &Clients, queue: &str, message: &Message) -> Result<(), Error> {
    let operation = ("sqs:ChangeMessageVisibility", "AmazonSQS.ChangeMessageVisibility");
    let body = json!({ "QueueUrl": queue, "ReceiptHandle": message.receipt_handle, "VisibilityTimeout": 0 });
    nothing(clients, operation, queue, &body).await
}

/// Takes a received message out of its queue.
pub async fn delete(clients: &Clients, queue: &str, message: &Message) -> Result<(), Error> {
    let operation = ("sqs:DeleteMessage", "AmazonSQS.DeleteMessage");
    let body = json!({ "QueueUrl": queue, "ReceiptHandle": message.receipt_handle });
    nothing(clients, operation, queue, &body).await
}

/// Of these AWS answers with nothing at all, or with an empty object.
async fn nothing(
    clients: &Clients,
    operation: (&'static str, &'static str),
    queue: &str,
    body: &Value,
) -> Result<(), Error> {
    SQS.tell(clients, operation, queue, body).await.map(drop)
}
