//! How a message comes: by the topic's queue, wrapped in what SNS says of it. The message is anybody's text; what is around
//! it is AWS's.

use serde_json::Value;

use super::Failure;

/// A message on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// SNS's id of the message: the same however often it is delivered.
    pub id: String,
    /// When it was published, in milliseconds.
    pub published: i64,
    /// What was published.
    pub text: String,
    /// The queue's own id of it, by which it is asked to come again.
    pub queued: String,
}

/// What an event delivers. `topic` is the one whose messages are taken.
pub fn read(event: &str, topic: &str) -> Result<Vec<Delivery>, Failure> {
    let odd = |what: &str| Failure(format!("the event is none of the topic's: {what}"));
    let event: Value = serde_json::from_str(event).map_err(|_| odd("it is not JSON"))?;
    let records = event.get("Records").and_then(Value::as_array).ok_or_else(|| odd("it has no records"))?;
    records.iter().map(|record| delivery(record, topic).ok_or_else(|| odd("a record is not SNS's"))).collect()
}

fn delivery(record: &Value, topic: &str) -> Option<Delivery> {
    let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    let envelope: Value = serde_json::from_str(&text(record, "body")?).ok()?;
    let id = text(&envelope, "MessageId").filter(|id| is_id(id))?;
    let published = text(&envelope, "Timestamp")?.parse::<jiff::Timestamp>().ok()?.as_millisecond();
    let own = text(&envelope, "TopicArn").as_deref() == Some(topic);
    own.then_some(Delivery { id, published, text: text(&envelope, "Message")?, queued: text(record, "messageId")? })
}

/// It becomes a key, a token and a variable.
fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TOPIC: &str = "arn:aws:sns:eu-central-1:111122223333:pipeline-jobs";

    fn envelope(more: &Value) -> Value {
        let mut envelope = json!({
            "Type": "Notification",
            "MessageId": "9d-1",
            "TopicArn": TOPIC,
            "Message": "{}",
            "Timestamp": "1970-01-01T00:01:00.005Z",
        });
        for (name, value) in more.as_object().unwrap() {
            envelope[name] = value.clone();
        }
        json!({"eventSource": "aws:sqs", "messageId": "q-1", "body": envelope.to_string()})
    }

    #[test]
    fn the_queue_delivers_what_was_published_and_when() {
        let event = json!({"Records": [envelope(&json!({}))]});
        let expected = Delivery { id: "9d-1".into(), published: 60_005, text: "{}".into(), queued: "q-1".into() };
        assert_eq!(read(&event.to_string(), TOPIC), Ok(vec![expected]));
        assert_eq!(read(r#"{"Records":[]}"#, TOPIC), Ok(Vec::new()));
    }

    #[test]
    fn what_is_not_the_topics_fails_and_is_not_repeated() {
        let cases = [
            json!([]),
            json!({"Records": [{"body": "hunter2"}]}),
            json!({"Records": [{"messageId": "q", "body": "hunter2"}]}),
            json!({"Records": [envelope(&json!({"TopicArn": "arn:aws:sns:eu-central-1:1:hunter2"}))]}),
            json!({"Records": [envelope(&json!({"MessageId": "hunter2#x"}))]}),
            json!({"Records": [envelope(&json!({"Message": {"hunter2": 1}}))]}),
            json!({"Records": [envelope(&json!({"Timestamp": "hunter2"}))]}),
            json!({"Records": [{"EventSource": "aws:sns", "Sns": {"MessageId": "hunter2"}}]}),
        ];
        for event in cases {
            let said = read(&event.to_string(), TOPIC).unwrap_err().to_string();
            assert!(!said.contains("hunter2"), "{said}");
        }
        assert!(read("hunter2", TOPIC).is_err());
    }
}
