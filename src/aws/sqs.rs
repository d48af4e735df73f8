//! How many messages lie in a queue, by signed requests: two calls are not worth an SDK crate.

use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::limit::Service;
use super::raw::{Body, Call, endpoint};
use super::{Clients, Error};

/// The messages that a queue holds, about; `queue` is its URL.
pub async fn waiting(clients: &Clients, queue: &str) -> Result<u64, Error> {
    const OPERATION: &str = "sqs:GetQueueAttributes";
    let body = json!({ "QueueUrl": queue, "AttributeNames": ["ApproximateNumberOfMessages"] });
    let call = Call {
        service: Service::Sqs,
        operation: OPERATION,
        body: Body::Json {
            target: "AmazonSQS.GetQueueAttributes",
            content_type: "application/x-amz-json-1.0",
            text: Zeroizing::new(body.to_string()),
        },
        endpoint: endpoint(clients, "SQS", "sqs"),
        region: None,
        subject: queue,
    };
    let answer = call.send(clients).await?;
    let answer: Value = serde_json::from_str(answer.expose()).unwrap_or_default();
    let count = answer.pointer("/Attributes/ApproximateNumberOfMessages").and_then(Value::as_str);
    let count = count.and_then(|count| count.parse().ok());
    count.ok_or_else(|| Error::unreadable(OPERATION, queue, "ApproximateNumberOfMessages"))
}
