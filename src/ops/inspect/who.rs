//! Who changed what is live, by CloudTrail.
//!
//! Asked only for items that moved live, and once per kind of call: AWS answers two look-ups a second. What CloudTrail
//! cannot tell stays unnamed; it never changes a verdict.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::context::Context;
use super::now;
use crate::aws::cloudtrail::{self, Attribute, TrailEvent};
use crate::compare::{Changed, Facet, Item, Kind, Verdict};
use crate::ops::receipt::UnitId;
use crate::ops::report::Section;

/// How far back to look when no receipt says since when: 7 days, in milliseconds.
const WEEK: i64 = 7 * 24 * 3600 * 1000;

/// How long a section waits for names; twenty questions at two a second take ten seconds.
const PATIENCE: Duration = Duration::from_secs(20);

/// What CloudTrail is asked by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Question {
    Event(&'static str),
    Resource(String),
    Write(&'static str),
}

/// Whether there is anybody to name.
pub(super) fn is_wanted(section: &Section) -> bool {
    section.items.iter().any(is_unnamed)
}

/// Names who changed the items of a section.
pub(super) async fn name(context: &Context, section: &mut Section) {
    let mut since: BTreeMap<String, i64> = BTreeMap::new();
    for item in section.items.iter().filter(|item| is_unnamed(item)) {
        since.extend(last_known(context, item).await.map(|at| (item.name.clone(), at)));
    }
    let since_of = |item: &Item| since.get(&item.name).copied().unwrap_or_else(|| now() - WEEK);
    let local = context.session.environment().endpoint.is_some();
    let mut questions: BTreeMap<Question, i64> = BTreeMap::new();
    for item in section.items.iter().filter(|item| is_unnamed(item)) {
        let since = since_of(item);
        for question in self::questions(item, local) {
            questions.entry(question).and_modify(|known| *known = since.min(*known)).or_insert(since);
        }
    }
    let mut seen = Vec::new();
    // What was found out in time counts, also when the rest was not.
    let _ = tokio::time::timeout(PATIENCE, ask(context, questions, &mut seen)).await;
    for item in section.items.iter_mut().filter(|item| is_unnamed(item)) {
        // CloudTrail tells whole seconds, so what happened in the receipt's second may be the rollout itself.
        let since = since.get(&item.name).map_or(0, |since| since.div_euclid(1000) * 1000);
        let found = seen
            .iter()
            .filter(|event| event.at >= since && moves(event, item) && touches(event, item))
            // Within a second the newest stands first.
            .min_by_key(|event| std::cmp::Reverse(event.at));
        if let Some(event) = found {
            item.changed = Some(changed(event));
        }
    }
}

/// When live was last known to be what its receipt says: whoever moved it did so after that. Told item by item, since a
/// receipt is written anew around the items that keep their record. `None`: no receipt says anything of it.
async fn last_known(context: &Context, item: &Item) -> Option<i64> {
    let unit = match item.kind {
        // Nobody's unit has no receipt.
        _ if item.unit.is_empty() => return None,
        Kind::Stack | Kind::Code => UnitId::Stack(item.unit.clone()),
        Kind::Parameter => UnitId::Config(item.unit.clone()),
        Kind::Secret => UnitId::Secrets,
    };
    let recorded = context.receipt(&unit).await;
    let receipt = recorded.receipt()?;
    match item.kind {
        Kind::Parameter | Kind::Secret => {
            let entry = receipt.items.get(&item.name)?;
            entry.at.or(entry.modified)
        }
        // AWS's own time of the last change; a record of the stack leaves it as it is.
        Kind::Stack => Some(receipt.stack_changed_at.unwrap_or(receipt.at)),
        Kind::Code => {
            let published = receipt.items.values().filter_map(|entry| entry.at).max();
            Some(published.or(receipt.stack_changed_at).unwrap_or(receipt.at))
        }
    }
}

/// Asks one question after the other, as AWS wants it, and none after one that failed: the next one would fail too.
async fn ask(context: &Context, questions: BTreeMap<Question, i64>, seen: &mut Vec<TrailEvent>) {
    for (question, since) in questions {
        let by = match &question {
            Question::Event(name) => Attribute::EventName(name),
            Question::Resource(name) => Attribute::ResourceName(name),
            Question::Write(name) => Attribute::WriteNamed(name),
        };
        let Ok(events) = cloudtrail::lookup(&context.session.clients, by, since).await else { return };
        seen.extend(events.into_iter().filter(|event| event.error_code.is_none() && !event.read_only));
    }
}

/// Live moved, and the listing did not say by whom; an account's root says nothing either.
fn is_unnamed(item: &Item) -> bool {
    let moved = matches!(item.verdict, Verdict::Drifted | Verdict::Diverged | Verdict::Differs);
    let by = item.changed.as_ref().and_then(|changed| changed.by.as_deref());
    let is_root = by.is_some_and(|by| by.ends_with(":root"));
    (moved && by.is_none()) || ((moved || item.verdict == Verdict::Unmanaged) && is_root)
}

fn changed(event: &TrailEvent) -> Changed {
    let identity = &event.identity;
    let role = identity.session_issuer.as_ref().map(|role| match &event.user {
        Some(session) if session != role => format!("{role}/{session}"),
        _ => role.clone(),
    });
    Changed {
        by: role.or_else(|| event.user.clone()).or_else(|| identity.arn.clone()),
        at: Some(event.at),
        event: Some(event.name.clone()),
        access_key: event.access_key.clone(),
    }
}

/// How to find who moved an item: by the names of the calls that can have, since a look-up by resource is soon filled by
/// those that only read. A local account leaves the API version out of Lambda's names, and names its reads like writes.
fn questions(item: &Item, local: bool) -> Vec<Question> {
    let known = events(item);
    if known.is_empty() {
        return item.physical_id.clone().map(Question::Resource).into_iter().collect();
    }
    let question = |event: &&'static str| if local { Question::Write(plain(event)) } else { Question::Event(event) };
    known.iter().map(question).collect()
}

/// An event's name without the API version behind it.
fn plain(name: &str) -> &str {
    name.split("20").next().unwrap_or(name)
}

/// Whether an event is of a kind that can have moved the item. AWS adds a version to the names of Lambda's events.
fn moves(event: &TrailEvent, item: &Item) -> bool {
    let known = events(item);
    known.is_empty() || known.iter().any(|known| plain(known) == plain(&event.name))
}

/// The calls that can have moved an item; none for types that are only looked up by name.
fn events(item: &Item) -> &'static [&'static str] {
    let deleted = item.sides.live == Facet::Absent;
    match (item.kind, item.type_name.as_str(), deleted) {
        (Kind::Parameter, _, true) | (Kind::Stack, "AWS::SSM::Parameter", true) => {
            &["DeleteParameter", "DeleteParameters"]
        }
        (Kind::Parameter, _, false) | (Kind::Stack, "AWS::SSM::Parameter", false) => &["PutParameter"],
        (Kind::Secret, _, true) | (Kind::Stack, "AWS::SecretsManager::Secret", true) => &["DeleteSecret"],
        (Kind::Secret, _, false) | (Kind::Stack, "AWS::SecretsManager::Secret", false) => {
            &["PutSecretValue", "UpdateSecret", "UpdateSecretVersionStage"]
        }
        (Kind::Code, ..) => &["UpdateFunctionCode20150331v2", "UpdateAlias20150331"],
        (Kind::Stack, "AWS::Lambda::Function", true) => &["DeleteFunction20150331"],
        (Kind::Stack, "AWS::Lambda::Function", false) => &["UpdateFunctionConfiguration20150331v2"],
        (Kind::Stack, "AWS::DynamoDB::Table", true) => &["DeleteTable"],
        (Kind::Stack, "AWS::DynamoDB::Table", false) => &["UpdateTable", "UpdateContinuousBackups"],
        (Kind::Stack, "AWS::SQS::Queue", true) => &["DeleteQueue"],
        (Kind::Stack, "AWS::SQS::Queue", false) => &["SetQueueAttributes"],
        (Kind::Stack, "AWS::SNS::Topic", true) => &["DeleteTopic"],
        (Kind::Stack, "AWS::SNS::Topic", false) => &["SetTopicAttributes"],
        (Kind::Stack, "AWS::IAM::Role", true) => &["DeleteRole"],
        (Kind::Stack, "AWS::IAM::Role", false) => &["UpdateAssumeRolePolicy", "UpdateRole"],
        (Kind::Stack, "AWS::Logs::LogGroup", true) => &["DeleteLogGroup"],
        (Kind::Stack, "AWS::Logs::LogGroup", false) => &["PutRetentionPolicy", "DeleteRetentionPolicy"],
        (Kind::Stack, "AWS::S3::Bucket", true) => &["DeleteBucket"],
        (Kind::Stack, "AWS::S3::Bucket", false) => &["PutBucketVersioning", "PutBucketEncryption"],
        (Kind::Stack, "AWS::Events::Rule", true) => &["DeleteRule"],
        (Kind::Stack, "AWS::Events::Rule", false) => &["PutRule", "DisableRule", "PutTargets", "RemoveTargets"],
        (Kind::Stack, ..) => &[],
    }
}

/// Whether an event names the item, in its resources or anywhere in its request.
fn touches(event: &TrailEvent, item: &Item) -> bool {
    let known: Vec<&str> = [Some(item.name.as_str()), item.physical_id.as_deref()].into_iter().flatten().collect();
    let matches = |text: &str| known.iter().any(|known| text == *known || same_resource(text, known));
    event.resources.iter().any(|name| matches(name)) || any_text(&event.request, &matches)
}

/// An ARN or URL names the resource that its last step says.
fn same_resource(text: &str, known: &str) -> bool {
    // A secret's name has slashes of its own, and its ARN may end with six random characters.
    if let Some((_, secret)) = text.split_once(":secret:") {
        let name = known.split_once(":secret:").map_or(known, |(_, name)| name);
        return secret == name
            || secret.strip_prefix(name).is_some_and(|rest| rest.len() == 7 && rest.starts_with('-'));
    }
    let last = |name: &str| name.rsplit([':', '/']).next().unwrap_or_default().to_owned();
    let is_long = |name: &str| name.starts_with("arn:") || name.contains("://");
    (is_long(text) || is_long(known)) && !known.starts_with('/') && last(text) == last(known)
}

fn any_text(value: &Value, matches: &impl Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => matches(text),
        Value::Array(items) => items.iter().any(|item| any_text(item, matches)),
        Value::Object(members) => members.values().any(|member| any_text(member, matches)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}
