//! SNS: publishing one message, by a signed request: one call is not worth an SDK crate.

use zeroize::Zeroizing;

use super::limit::Service;
use super::raw::{Body, Call, endpoint};
use super::{Clients, Error};

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

/// A value of a form: all but what is never special is a percent and two digits.
fn encoded(text: &str) -> String {
    use std::fmt::Write;

    text.bytes().fold(String::with_capacity(text.len() * 3), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing into a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_value_is_read_as_another_field() {
        assert_eq!(encoded(r#"{"a":"b&c=d+e f"}é"#), "%7B%22a%22%3A%22b%26c%3Dd%2Be%20f%22%7D%C3%A9");
        assert_eq!(encoded("aZ09-._~"), "aZ09-._~");
    }
}
