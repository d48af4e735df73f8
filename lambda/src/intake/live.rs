//! The world of the deployed function: a DynamoDB table, and an object of S3 that has the schema.
//!
//! Record and marker are two items that are written together or not at all. The marker's condition is what makes a request
//! that is sent twice one record; one that has run out counts as gone, whenever DynamoDB gets around to removing it.

use std::time::{Duration, SystemTime};

use lambda_runtime::Error as Unset;
use serde_json::{Value, json};

use super::{Entry, Put, Settings, Unstored, World, received, slot};
use crate::aws::{Aws, encoded, refused};
use crate::http::{Http, Patience, Reply};
use crate::runtime::variable;

/// One try of a call: tries are counted by the intake, which knows how much time is left.
const PATIENCE: Patience = Patience { answer: Duration::from_secs(4), attempts: 1 };
/// So long after a request came its writes are tried again; with a last try that is not answered it is well within the
/// function's time, so that a caller gets an answer even when there is none.
const WRITES: Duration = Duration::from_secs(12);
/// A hundred days.
const LONGEST: i64 = 8_640_000;

/// AWS, as the function's environment names it.
pub struct Live {
    aws: Aws,
    table: String,
    /// Bucket and key.
    schema: Option<(String, String)>,
}

impl Live {
    /// Reads the environment.
    pub fn from_environment() -> Result<(Self, Settings), Unset> {
        let aws = Aws::from_environment(Http::with(PATIENCE)?)?;
        let schema = match variable("SCHEMA_KEY") {
            Ok(key) => Some((variable("SCHEMA_BUCKET")?, key)),
            Err(_) => None,
        };
        let keep: Option<i64> = variable("KEEP_KEYS_SECONDS")?.parse().ok().filter(|it| (60..=LONGEST).contains(it));
        let keep_keys = keep.ok_or_else(|| format!("KEEP_KEYS_SECONDS must be from 60 to {LONGEST}"))?;
        let table = variable("TABLE")?;
        Ok((Self { aws, table, schema }, Settings { keep_keys, patience: WRITES }))
    }

    async fn ask(&self, operation: &str, body: &Value) -> Result<Reply, Unstored> {
        let headers = [
            ("content-type", "application/x-amz-json-1.0"),
            ("x-amz-target", &format!("DynamoDB_20120810.{operation}")),
        ];
        let (action, body) = (format!("dynamodb:{operation}"), body.to_string());
        let sent = self.aws.exchange("dynamodb", &action, "POST", "/", &headers, body.as_bytes());
        let reply = sent.await.map_err(|error| Unstored { may_pass: true, reason: error.to_string() })?;
        if reply.is_success() || cancelled(&reply).is_some() {
            return Ok(reply);
        }
        let error = refused(&action, &reply);
        let may_pass = reply.status >= 500 || PASSING.contains(&error.code.as_str());
        Err(Unstored { may_pass, reason: error.to_string() })
    }

    fn request(&self, entry: &Entry, now: i64) -> Value {
        let id = entry.id.to_string();
        let mut record = json!({
            "id": {"S": id},
            "slot": {"S": slot(entry.id)},
            "received": {"S": received(entry.id)},
            "source": {"S": entry.source},
            "body": {"S": entry.body},
            "bytes": {"N": entry.body.len().to_string()},
            "digest": {"S": entry.digest},
            "key": {"S": entry.key},
        });
        if let Some(expires) = entry.expires {
            record["expires"] = json!({"N": expires.to_string()});
        }
        let marker = json!({
            "id": {"S": entry.key},
            "record": {"S": id},
            "digest": {"S": entry.digest},
            "expires": {"N": entry.key_expires.to_string()},
        });
        json!({"TransactItems": [
            {"Put": {
                "TableName": self.table, "Item": record,
                "ConditionExpression": "attribute_not_exists(#id)",
                "ExpressionAttributeNames": {"#id": "id"},
            }},
            {"Put": {
                "TableName": self.table, "Item": marker,
                "ConditionExpression": "attribute_not_exists(#id) OR #expires <= :now",
                "ExpressionAttributeNames": {"#id": "id", "#expires": "expires"},
                "ExpressionAttributeValues": {":now": {"N": now.to_string()}},
                "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
            }},
        ]})
    }
}

/// DynamoDB's codes for what may succeed in a moment.
const PASSING: [&str; 6] = [
    "ThrottlingException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "TransactionInProgressException",
    "InternalServerError",
    "LimitExceededException",
];

/// The reason of an item whose condition does not hold.
const FAILED: &str = "ConditionalCheckFailed";

/// Why a transaction was cancelled: a reason for each of its items.
fn cancelled(reply: &Reply) -> Option<Vec<Value>> {
    if reply.status != 400 {
        return None;
    }
    let mut said: Value = serde_json::from_str(&reply.body).ok()?;
    said.get("__type")?.as_str().filter(|code| code.ends_with("TransactionCanceledException"))?;
    said.get_mut("CancellationReasons")?.as_array_mut().map(std::mem::take)
}

/// What a cancelled transaction says about the record.
fn outcome(reasons: &[Value]) -> Result<Put, Unstored> {
    let code = |place: usize| reasons.get(place).and_then(|reason| reason.get("Code")?.as_str()).unwrap_or("None");
    if code(1) == FAILED {
        let text = |name: &str| reasons.get(1)?.pointer(&format!("/Item/{name}/S"))?.as_str().map(str::to_owned);
        let known = text("record").zip(text("digest")).map(|(record, digest)| Put::Known { record, digest });
        // A marker that was there a moment ago may have gone since; the next try finds out.
        return known
            .ok_or_else(|| Unstored { may_pass: true, reason: "the marker is none of the intake's".to_owned() });
    }
    if code(0) == FAILED {
        return Ok(Put::Taken);
    }
    let may_pass = [code(0), code(1)]
        .iter()
        .all(|code| ["None", "TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"].contains(code));
    Err(Unstored { may_pass, reason: format!("dynamodb:TransactWriteItems: cancelled: {}, {}", code(0), code(1)) })
}

impl World for Live {
    fn now(&self) -> i64 {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        since.ok().and_then(|since| i64::try_from(since.as_millis()).ok()).unwrap_or_default()
    }

    async fn put(&self, entry: &Entry, now: i64) -> Result<Put, Unstored> {
        let reply = self.ask("TransactWriteItems", &self.request(entry, now)).await?;
        cancelled(&reply).map_or(Ok(Put::Stored), |reasons| outcome(&reasons))
    }

    async fn reach(&self) -> Result<(), Unstored> {
        let asked = json!({"TableName": self.table, "Key": {"id": {"S": "health"}}});
        self.ask("GetItem", &asked).await.map(drop)
    }

    async fn schema(&self) -> Result<Option<String>, Unstored> {
        let Some((bucket, key)) = &self.schema else { return Ok(None) };
        let path = key.split('/').map(encoded).collect::<Vec<_>>().join("/");
        let asked = self.aws.ask("s3", "s3:GetObject", "GET", &format!("/{}/{path}", encoded(bucket)), &[], b"").await;
        let reply = asked.map_err(|error| Unstored { may_pass: true, reason: format!("the schema: {error}") })?;
        Ok(Some(reply.body.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reason_of_a_cancelled_transaction_is_understood() {
        let none = json!({"Code": "None"});
        let failed = json!({"Code": "ConditionalCheckFailed"});
        let known = json!({"Code": "ConditionalCheckFailed", "Item": {"record": {"S": "r"}, "digest": {"S": "d"}}});
        assert_eq!(outcome(&[none.clone(), known.clone()]), Ok(Put::Known { record: "r".into(), digest: "d".into() }));
        assert_eq!(outcome(&[failed.clone(), known]), Ok(Put::Known { record: "r".into(), digest: "d".into() }));
        assert_eq!(outcome(&[failed.clone(), none.clone()]), Ok(Put::Taken));
        assert!(outcome(&[none.clone(), failed]).unwrap_err().may_pass);
        for (code, may_pass) in [
            ("TransactionConflict", true),
            ("ThrottlingError", true),
            ("ProvisionedThroughputExceeded", true),
            ("ItemCollectionSizeLimitExceeded", false),
            ("ValidationError", false),
        ] {
            let unstored = outcome(&[none.clone(), json!({"Code": code})]).unwrap_err();
            assert_eq!((unstored.may_pass, unstored.reason.contains(code)), (may_pass, true), "{code}");
        }
        assert!(outcome(&[]).unwrap_err().may_pass);
    }
}
