//! Dead letters: messages that the function failed on, or never got; opened, and published again.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::message::Message;
use super::trigger::Sent;
use super::{Pipeline, once};
use crate::aws::{sns, sqs};
use crate::compare::Why;
use crate::ops::journal::{Action, Begun, Entry, Intent, Query, State};
use crate::ops::why;

/// How often the queue is asked in a row without anything new before all of it is taken to be seen.
const EMPTY: usize = 2;

/// The same where the queue says that it holds more than was seen.
const MORE: usize = 8;

/// How an error begins where the message is published, and the letter is still there.
const PUBLISHED: &str = "published as ";

/// So long a letter is nobody else's while it is published again, seconds.
const HELD: u32 = 30;

/// A dead letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// The queue's id of it.
    pub id: String,
    /// The message's id at SNS, where it tells.
    pub message_id: Option<String>,
    /// When it came into the queue, milliseconds since the Unix epoch.
    pub at: Option<i64>,
    /// What went wrong, where whoever put it there said so.
    pub error: Option<String>,
    /// What was published; `None`: nothing of the letter is a message of the topic.
    pub text: Option<String>,
    /// The whole letter.
    pub body: String,
    /// Whether it may have been published again already: this machine's journal has a replay of it that came to no clear end.
    pub may_be_sent: bool,
}

/// Letters, the oldest first, and what may be missing in them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Letters {
    /// The letters.
    pub letters: Vec<Letter>,
    /// What may be missing, and why.
    pub troubles: Vec<Why>,
}

impl Letter {
    /// What it asks for, where it is a message that the pipeline reads.
    #[must_use]
    pub fn message(&self) -> Option<Message> {
        self.text.as_deref().and_then(Message::read)
    }

    fn of(received: &sqs::Message) -> Self {
        let body: Value = serde_json::from_str(&received.body).unwrap_or_default();
        // What a destination of the function gets has the event within; what its queue gets is the event.
        let event = body.get("requestPayload").unwrap_or(&body);
        // The subscription's own queue gets what SNS would have sent.
        let notice = event.pointer("/Records/0/Sns").unwrap_or(event);
        let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let error = received.attribute("ErrorMessage").map(str::to_owned);
        let answered = || body.pointer("/responsePayload/errorMessage").and_then(Value::as_str).map(str::to_owned);
        Self {
            id: received.id.clone(),
            message_id: text(notice, "MessageId"),
            at: received.sent_at(),
            error: error.or_else(answered),
            text: text(notice, "Message"),
            body: received.body.clone(),
            may_be_sent: false,
        }
    }
}

impl Pipeline {
    /// How many letters there are, about.
    pub async fn waiting(&self) -> Result<u64, Why> {
        sqs::waiting(&self.session.clients, self.dead_letters()?).await.map_err(|error| why(&error))
    }

    /// The letters, the oldest first. They stay where they are, and each look counts at them as one.
    pub async fn letters(&self) -> Result<Letters, Why> {
        let about = self.waiting().await?;
        let mut found: BTreeMap<String, Letter> = BTreeMap::new();
        let mut empty = 0;
        // Some are answered at a time, and some of them again: as often as it takes to have seen what the queue says it has.
        let enough = |found: &BTreeMap<_, _>| if seen(found) < about { MORE } else { EMPTY };
        while empty < enough(&found) {
            let before = found.len();
            let some = self.receive(0).await?;
            found.extend(some.iter().map(|received| (received.id.clone(), Letter::of(received))));
            empty = if found.len() == before { empty + 1 } else { 0 };
            if some.is_empty() {
                break;
            }
        }
        let mut troubles = Vec::new();
        if seen(&found) < about {
            let told = format!("at least {} letters are there: the queue speaks of {about}", found.len());
            troubles.push(Why::new(told).hint("look again; or some of them are being published again just now"));
        }
        let mut letters: Vec<Letter> = found.into_values().collect();
        if !letters.is_empty() {
            let doubtful = self.doubtful();
            for letter in &mut letters {
                letter.may_be_sent = doubtful.contains(&letter.id);
            }
        }
        letters.sort_by_key(|letter| letter.at);
        Ok(Letters { letters, troubles })
    }

    /// The letters whose replay this machine began, and does not know to have failed.
    fn doubtful(&self) -> BTreeSet<String> {
        let query = Query {
            project: Some(self.session.project().name.clone()),
            environment: Some(self.session.environment().name.clone()),
            limit: None,
        };
        let found = self.session.journal().and_then(|journal| journal.read(&query)).unwrap_or_default();
        found.entries.into_iter().filter(may_be_sent).flat_map(|entry| entry.subjects).collect()
    }

    /// One letter, by its id or its beginning.
    pub async fn letter(&self, id: &str) -> Result<Letter, Why> {
        let Letters { letters: mut meant, mut troubles } = self.letters().await?;
        meant.retain(|letter| letter.id.starts_with(id));
        match (meant.pop(), meant.is_empty()) {
            (Some(letter), true) => Ok(letter),
            (Some(_), false) => Err(Why::new(format!("several letters begin with {id}")).hint("more of the id")),
            (None, _) => {
                let more = troubles.pop().map(|why| format!("; {}", why.reason)).unwrap_or_default();
                Err(Why::new(format!("there is no letter {id}{more}")).hint("plumb pipeline letters"))
            }
        }
    }

    /// Publishes a letter's message again, as it was, and takes the letter out of the queue. One that cannot be taken out
    /// afterwards is told, since it would be published twice by the next; so is one of which no answer tells whether it was
    /// published.
    pub async fn replay(&self, letter: &Letter) -> Result<Sent, Why> {
        let Some(text) = letter.text.clone() else {
            return Err(Why::new(format!("refused: nothing of the letter {} is a message", letter.id)));
        };
        let (session, writer) = self.session.for_writing().await?;
        let (queue, topic) = (self.dead_letters()?, self.topic()?);
        let held = self.hold(&letter.id).await?;
        let begun = Begun::new(&session, &writer, Intent::new(Action::Replay, vec![letter.id.clone()]))?;
        let id = match sns::publish(&session.clients, topic, &text).await {
            Ok(id) => id,
            Err(error) => {
                let told = once::failed(&session, begun, &error).await;
                // It is seen again by itself after a while, so that this may fail.
                let _ = sqs::put_back(&session.clients, queue, &held).await;
                if !error.is_lost() {
                    return Err(told);
                }
                let reason = format!("{}: the letter is kept, and may have been sent", told.reason);
                let hint = "look at plumb pipeline jobs before it is published again".to_owned();
                return Err(Why { reason, hint: Some(hint), ..told });
            }
        };
        if let Err(error) = sqs::delete(&session.clients, queue, &held).await {
            let told = why(&error);
            let reason = format!("{PUBLISHED}{id}, and still a dead letter: {}", told.reason);
            let _ = begun.settle(&session, Some(reason.clone())).await;
            return Err(Why { reason, ..told });
        }
        Ok(Sent { id, untold: begun.settle(&session, None).await })
    }

    /// Takes one letter for itself alone, for a while.
    async fn hold(&self, id: &str) -> Result<sqs::Message, Why> {
        let queue = self.dead_letters()?;
        let mut others = Vec::new();
        let mut wanted = None;
        while wanted.is_none() {
            let some = self.receive(HELD).await?;
            if some.is_empty() {
                break;
            }
            for received in some {
                if received.id == id { wanted = Some(received) } else { others.push(received) }
            }
        }
        for other in &others {
            // It is seen again by itself after a while, so that this may fail.
            let _ = sqs::put_back(&self.session.clients, queue, other).await;
        }
        wanted.ok_or_else(|| {
            Why::new(format!("the letter {id} is gone: somebody else took it")).hint("plumb pipeline letters")
        })
    }

    async fn receive(&self, hidden: u32) -> Result<Vec<sqs::Message>, Why> {
        sqs::receive(&self.session.clients, self.dead_letters()?, hidden).await.map_err(|error| why(&error))
    }
}

fn seen(found: &BTreeMap<String, Letter>) -> u64 {
    u64::try_from(found.len()).unwrap_or(u64::MAX)
}

/// Whether an entry is a replay after which the letter may have been published.
fn may_be_sent(entry: &Entry) -> bool {
    let error = entry.settled.as_ref().and_then(|settled| settled.error.as_deref());
    let failed = entry.state() == State::Failed && !error.is_some_and(|error| error.starts_with(PUBLISHED));
    entry.action == Action::Replay && !failed
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_letter_is_read_in_each_form_that_aws_gives_it() {
        let text = r#"{"project":"demo","branch":"main"}"#;
        let event = json!({ "Records": [{ "Sns": { "MessageId": "m1", "Message": text } }] });
        let rows = [
            event.clone(),
            json!({ "requestPayload": event, "responsePayload": { "errorMessage": "it broke" } }),
            json!({ "Type": "Notification", "MessageId": "m1", "Message": text }),
        ];
        for body in rows {
            let received = json!({ "MessageId": "q", "ReceiptHandle": "h", "Body": body.to_string(),
                "Attributes": { "SentTimestamp": "1763720000000" } });
            let letter = Letter::of(&serde_json::from_value(received).unwrap());
            assert_eq!((letter.message_id.as_deref(), letter.text.as_deref()), (Some("m1"), Some(text)), "{body}");
            assert_eq!((letter.at, letter.message().unwrap().branch.as_str()), (Some(1_763_720_000_000), "main"));
        }
        for body in ["", "null", "[]", r#"{"Message":5}"#] {
            let received = json!({ "MessageId": "q", "ReceiptHandle": "h", "Body": body });
            let letter = Letter::of(&serde_json::from_value(received).unwrap());
            assert_eq!((letter.text.as_deref(), letter.body.as_str()), (None, body));
        }
    }
}
