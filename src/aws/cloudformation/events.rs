//! What happened to a stack and to its resources.

use aws_sdk_cloudformation::types::StackEvent;

use super::next;
use crate::aws::limit::Service;
use crate::aws::{Clients, Error, millis};

/// Something that happened to a stack or to one of its resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// AWS's id of it.
    pub id: String,
    /// Milliseconds.
    pub at: i64,
    /// Of the resource; for the stack itself its name.
    pub logical_id: String,
    /// Its name or ARN in AWS, where it has one already; of a stack its ARN.
    pub physical_id: Option<String>,
    /// Such as `AWS::CloudFormation::Stack`.
    pub type_name: String,
    /// Such as `CREATE_FAILED`.
    pub status: String,
    /// Why, where AWS says.
    pub reason: Option<String>,
    /// What the request that caused it was marked with.
    pub client_token: Option<String>,
}

/// The newest events of a stack, by name or ARN, newest first, at most `limit`.
pub async fn newest(clients: &Clients, stack: &str, limit: usize) -> Result<Vec<Event>, Error> {
    let mut taken = 0;
    let is_enough = |_: &Event| {
        taken += 1;
        taken > limit
    };
    until(clients, stack, is_enough).await
}

/// The events of a stack, newest first, down to the first that is `known`, which is left out.
pub async fn until(clients: &Clients, stack: &str, mut known: impl FnMut(&Event) -> bool) -> Result<Vec<Event>, Error> {
    const OPERATION: &str = "cloudformation:DescribeStackEvents";
    let mut found = Vec::new();
    let mut token = None;
    loop {
        let request =
            clients.cloudformation().describe_stack_events().stack_name(stack).set_next_token(token.clone()).send();
        let page = clients.send(Service::CloudFormation, OPERATION, stack, request).await?;
        let events = page.stack_events.ok_or_else(|| Error::unreadable(OPERATION, stack, "StackEvents"))?;
        for event in events {
            let event = of_event(event).ok_or_else(|| Error::unreadable(OPERATION, stack, "time of an event"))?;
            if known(&event) {
                return Ok(found);
            }
            found.push(event);
        }
        token = next(OPERATION, stack, token.as_ref(), page.next_token)?;
        if token.is_none() {
            return Ok(found);
        }
    }
}

/// When the last thing happened to a stack, milliseconds: drift that was detected earlier says nothing any more.
pub async fn last(clients: &Clients, stack: &str) -> Result<Option<i64>, Error> {
    Ok(newest(clients, stack, 1).await?.first().map(|event| event.at))
}

fn of_event(event: StackEvent) -> Option<Event> {
    Some(Event {
        id: event.event_id?,
        at: millis(event.timestamp.as_ref())?,
        logical_id: event.logical_resource_id.unwrap_or_default(),
        physical_id: event.physical_resource_id.filter(|id| !id.is_empty()),
        type_name: event.resource_type.unwrap_or_default(),
        status: event.resource_status.map_or_else(String::new, |status| status.as_str().to_owned()),
        reason: event.resource_status_reason.filter(|reason| !reason.is_empty()),
        client_token: event.client_request_token.filter(|token| !token.is_empty()),
    })
}
