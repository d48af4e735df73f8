//! CloudTrail: who did it. Management events of the last 90 days; they appear minutes after the call.

mod trail;

pub use trail::{Recording, recording};

use aws_sdk_cloudtrail::types::{Event, LookupAttribute, LookupAttributeKey};
use aws_smithy_types::DateTime;
use serde_json::Value;

use super::limit::Service;
use super::{Clients, Error, ErrorKind, millis};
use crate::secret::MASK;

/// By what to look up: `LookupEvents` takes one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attribute<'a> {
    /// The operation's name as CloudTrail writes it: `PutParameter`. Lambda's carry the date of their API on AWS, as in
    /// `UpdateFunctionCode20150331v2` and `UpdateFunctionConfiguration20150331v2`, but not in a local account.
    EventName(&'a str),
    /// A name or ARN among the event's resources.
    ResourceName(&'a str),
    /// The operation's name, of calls that may have changed something. Only a local account takes both at once; it
    /// names some of Lambda's reads like writes.
    WriteNamed(&'a str),
}

/// A call that somebody made.
#[derive(Debug, Clone, PartialEq)]
pub struct TrailEvent {
    /// AWS's id of it.
    pub id: String,
    /// The operation's name.
    pub name: String,
    /// Milliseconds, to the second.
    pub at: i64,
    /// The user's name, or the role's session name.
    pub user: Option<String>,
    /// The access key that signed it.
    pub access_key: Option<String>,
    /// Such as `ssm.amazonaws.com`.
    pub source: String,
    /// The request's parameters, plaintexts masked: AWS leaves them out, but a local account does not. `Null` when
    /// there are none.
    pub request: Value,
    /// Names and ARNs of what it touched.
    pub resources: Vec<String>,
    /// Whether the call changed nothing.
    pub read_only: bool,
    /// Set when the call failed: `AccessDenied`.
    pub error_code: Option<String>,
    /// Who, in full.
    pub identity: Identity,
}

/// Who made a call.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Identity {
    /// `IAMUser`, `AssumedRole`, `Root`, `AWSService`, ….
    pub type_name: Option<String>,
    /// The user's, or the assumed role's session's.
    pub arn: Option<String>,
    /// Name of the role behind a session.
    pub session_issuer: Option<String>,
    /// The AWS service that called in the identity's name, such as `cloudformation.amazonaws.com`.
    pub invoked_by: Option<String>,
    /// From where.
    pub source_ip: Option<String>,
    /// With what.
    pub user_agent: Option<String>,
}

/// Names of the trails that record this region, those of other regions and of the organisation included.
pub async fn trails(clients: &Clients) -> Result<Vec<String>, Error> {
    const OPERATION: &str = "cloudtrail:DescribeTrails";
    let request = clients.cloudtrail().describe_trails().send();
    let answer = clients.send(Service::CloudTrail, OPERATION, "the region's trails", request).await?;
    let trails = answer.trail_list.ok_or_else(|| Error::unreadable(OPERATION, "the region's trails", "trailList"))?;
    Ok(trails.into_iter().filter_map(|trail| trail.name).collect())
}

/// The newest 50 events since a time (milliseconds), newest first. One request; AWS allows two a second for an account
/// and region, and so do the clients.
pub async fn lookup(clients: &Clients, by: Attribute<'_>, since: i64) -> Result<Vec<TrailEvent>, Error> {
    Ok(page(clients, by, since, None).await?.0)
}

/// The same for more pages, at most `limit` events.
pub async fn lookup_many(
    clients: &Clients,
    by: Attribute<'_>,
    since: i64,
    limit: usize,
) -> Result<Vec<TrailEvent>, Error> {
    let mut found = Vec::new();
    let mut token = None;
    loop {
        let (events, next) = page(clients, by, since, token).await?;
        found.extend(events);
        if next.is_none() || found.len() >= limit {
            found.truncate(limit);
            return Ok(found);
        }
        token = next;
    }
}

async fn page(
    clients: &Clients,
    by: Attribute<'_>,
    since: i64,
    token: Option<String>,
) -> Result<(Vec<TrailEvent>, Option<String>), Error> {
    const OPERATION: &str = "cloudtrail:LookupEvents";
    let (key, subject) = match by {
        Attribute::EventName(name) | Attribute::WriteNamed(name) => (LookupAttributeKey::EventName, name),
        Attribute::ResourceName(name) => (LookupAttributeKey::ResourceName, name),
    };
    let attribute = |key, value| {
        let attribute = LookupAttribute::builder().attribute_key(key).attribute_value(value).build();
        attribute.map_err(|error| Error::plain(OPERATION, subject, ErrorKind::Other, error.to_string()))
    };
    let mut attributes = vec![attribute(key, subject)?];
    if matches!(by, Attribute::WriteNamed(_)) {
        attributes.push(attribute(LookupAttributeKey::ReadOnly, "false")?);
    }
    let request = clients
        .cloudtrail()
        .lookup_events()
        .set_lookup_attributes(Some(attributes))
        // CloudTrail knows seconds only: what happened in the second of `since` belongs to it.
        .start_time(DateTime::from_secs(since.div_euclid(1000)))
        .max_results(50)
        .set_next_token(token.clone())
        .send();
    let answer = clients.send(Service::CloudTrail, OPERATION, subject, request).await?;
    let next = answer.next_token.filter(|next| !next.is_empty());
    if next.is_some() && next == token {
        return Err(Error::unreadable(OPERATION, subject, "end: it repeats a page"));
    }
    let events = answer.events.ok_or_else(|| Error::unreadable(OPERATION, subject, "Events"))?;
    Ok((events.into_iter().filter_map(event).collect(), next))
}

/// Whatever may hold a plaintext, or a whole zip, in the requests that this program asks about.
fn masked(request: Value) -> Value {
    const PLAIN: [&str; 5] = ["value", "secretstring", "secretbinary", "zipfile", "parametervalue"];
    let Value::Object(fields) = request else { return request };
    let masked = |(name, value): (String, Value)| {
        let lower = name.to_lowercase();
        let value = match value {
            Value::String(_) if PLAIN.contains(&lower.as_str()) => Value::from(MASK),
            Value::Object(variables) if lower == "variables" => {
                variables.into_iter().map(|(name, _)| (name, Value::from(MASK))).collect()
            }
            Value::Array(items) => items.into_iter().map(self::masked).collect(),
            value => self::masked(value),
        };
        (name, value)
    };
    fields.into_iter().map(masked).collect()
}

fn event(found: Event) -> Option<TrailEvent> {
    let detail = found.cloud_trail_event.as_deref().and_then(|text| serde_json::from_str(text).ok());
    let detail: Value = detail.unwrap_or_default();
    let text = |pointer: &str| detail.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    let resources = found.resources.unwrap_or_default().into_iter().filter_map(|resource| resource.resource_name);
    Some(TrailEvent {
        id: found.event_id.unwrap_or_default(),
        name: found.event_name?,
        at: millis(found.event_time.as_ref())?,
        user: found.username.filter(|user| !user.is_empty()),
        access_key: found.access_key_id.or_else(|| text("/userIdentity/accessKeyId")).filter(|key| !key.is_empty()),
        source: found.event_source.unwrap_or_default(),
        request: masked(detail.get("requestParameters").cloned().unwrap_or_default()),
        resources: resources.collect(),
        read_only: found.read_only.as_deref() == Some("true"),
        error_code: text("/errorCode"),
        identity: Identity {
            type_name: text("/userIdentity/type"),
            arn: text("/userIdentity/arn"),
            session_issuer: text("/userIdentity/sessionContext/sessionIssuer/userName"),
            invoked_by: text("/userIdentity/invokedBy"),
            source_ip: text("/sourceIPAddress"),
            user_agent: text("/userAgent"),
        },
    })
}
