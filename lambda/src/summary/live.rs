//! The world of the deployed function: the table's time index by DynamoDB's Query, the bucket by S3's REST API.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use lambda_runtime::Error as Unset;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Bounds, Failure, Page, RECORDS, Row, World};
use crate::aws::{Aws, element, encoded};
use crate::http::{Http, Patience, Reply};
use crate::runtime::variable;

/// The table's index by time.
const INDEX: &str = "by-time";
/// A part of six megabytes may take a while, and a busy table is asked again for a quarter of a minute.
const PATIENCE: Patience = Patience { answer: Duration::from_secs(30), attempts: 7 };

/// S3's codes for a condition that does not hold.
const CHANGED: [&str; 3] = ["PreconditionFailed", "ConditionalRequestConflict", "NoSuchKey"];

/// AWS, as the function's environment names it.
pub struct Live {
    aws: Aws,
    table: String,
    bucket: String,
}

/// A page as DynamoDB answers it.
#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "Items", default)]
    items: Vec<Item>,
    #[serde(rename = "Count")]
    count: u64,
    #[serde(rename = "LastEvaluatedKey")]
    next: Option<Value>,
}

#[derive(Deserialize)]
struct Item {
    id: Text,
    received: Text,
    source: Text,
    body: Text,
}

#[derive(Deserialize)]
struct Text {
    #[serde(rename = "S")]
    text: String,
}

impl Live {
    /// Reads the environment.
    pub fn from_environment() -> Result<Self, Unset> {
        let aws = Aws::from_environment(Http::with(PATIENCE)?)?;
        Ok(Self { aws, table: variable("TABLE")?, bucket: variable("BUCKET")? })
    }

    async fn query(&self, slot: &str, bounds: &Bounds, after: Option<&Value>, count: bool) -> Result<Answer, Failure> {
        let mut names = json!({"#slot": "slot", "#id": "id", "#expires": "expires"});
        let mut asked = json!({
            "TableName": self.table,
            "IndexName": INDEX,
            "KeyConditionExpression": "#slot = :slot AND #id < :before",
            "FilterExpression": "attribute_not_exists(#expires) OR #expires > :expired",
            "ExpressionAttributeValues": {
                ":slot": {"S": slot},
                ":before": {"S": bounds.before},
                ":expired": {"N": bounds.expired.to_string()},
            },
        });
        if count {
            asked["Select"] = json!("COUNT");
        } else {
            asked["ProjectionExpression"] = json!("#id, #received, #source, #body");
            for name in ["received", "source", "body"] {
                names[format!("#{name}")] = json!(name);
            }
        }
        asked["ExpressionAttributeNames"] = names;
        if let Some(after) = after {
            asked["ExclusiveStartKey"] = after.clone();
        }
        let answer =
            self.aws.json("dynamodb", "DynamoDB_20120810.Query", &asked).await.map_err(|error| failed(&error))?;
        serde_json::from_str(&answer).map_err(|error| {
            Failure::Failed(format!("{slot}: a page has what no intake has written, or was cut short: {error}"))
        })
    }

    async fn s3(
        &self,
        action: &str,
        method: &str,
        key: &str,
        query: &str,
        body: &[u8],
    ) -> Result<Reply, crate::aws::Error> {
        let kind = if key.rsplit('/').next() == Some(RECORDS) { "application/gzip" } else { "application/json" };
        let headers = [("content-type", kind)];
        let headers = if method == "PUT" && query.is_empty() || query == "uploads=" { &headers[..] } else { &[] };
        self.aws.ask("s3", action, method, &self.path(key, query), headers, body).await
    }

    fn path(&self, key: &str, query: &str) -> String {
        let key = key.split('/').map(encoded).collect::<Vec<_>>().join("/");
        let query = if query.is_empty() { String::new() } else { format!("?{query}") };
        format!("/{}/{key}{query}", encoded(&self.bucket))
    }

    /// The version that was written. A bucket that keeps none would lose a week with each one that is written over it.
    fn written(&self, reply: Reply) -> Result<String, Failure> {
        reply.version.filter(|version| version != "null").ok_or_else(|| {
            Failure::Failed(format!(
                "bucket {}: it says no version of what it keeps; versioning must be on",
                self.bucket
            ))
        })
    }

    fn unwritten(&self, error: &crate::aws::Error) -> Failure {
        Failure::Failed(format!("bucket {}: {error}", self.bucket))
    }
}

fn failed(error: &crate::aws::Error) -> Failure {
    Failure::Failed(error.to_string())
}

impl World for Live {
    /// S3 takes parts from five megabytes on, and ten thousand of them: 60 GB.
    const PART: usize = 6 * 1024 * 1024;

    fn now(&self) -> i64 {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        since.ok().and_then(|since| i64::try_from(since.as_millis()).ok()).unwrap_or_default()
    }

    async fn page(&self, slot: &str, bounds: &Bounds, after: Option<&Value>) -> Result<Page, Failure> {
        let Answer { items, next, .. } = self.query(slot, bounds, after, false).await?;
        let row = |item: Item| Row {
            id: item.id.text,
            received: item.received.text,
            source: item.source.text,
            body: item.body.text,
        };
        Ok(Page { rows: items.into_iter().map(row).collect(), next })
    }

    async fn count(&self, slot: &str, bounds: &Bounds) -> Result<u64, Failure> {
        let (mut count, mut after) = (0, None);
        loop {
            let answer = self.query(slot, bounds, after.as_ref(), true).await?;
            count += answer.count;
            after = answer.next;
            if after.is_none() {
                return Ok(count);
            }
        }
    }

    async fn text(&self, key: &str) -> Result<Option<(String, String)>, Failure> {
        match self.s3("s3:GetObject", "GET", key, "", b"").await {
            Ok(reply) => Ok(Some((reply.body.to_string(), reply.etag.unwrap_or_default()))),
            Err(error) if error.code == "NoSuchKey" => Ok(None),
            Err(error) => Err(self.unwritten(&error)),
        }
    }

    async fn version(&self, key: &str) -> Result<Option<String>, Failure> {
        match self.s3("s3:GetObject", "HEAD", key, "", b"").await {
            Ok(reply) => Ok(reply.version),
            Err(error) if error.code == "HTTP 404" => Ok(None),
            Err(error) => Err(self.unwritten(&error)),
        }
    }

    async fn put(&self, key: &str, bytes: &[u8]) -> Result<String, Failure> {
        let reply = self.s3("s3:PutObject", "PUT", key, "", bytes).await;
        self.written(reply.map_err(|error| self.unwritten(&error))?)
    }

    async fn replace(&self, key: &str, bytes: &[u8], over: Option<&str>) -> Result<bool, Failure> {
        let condition = over.map_or(("if-none-match", "*"), |tag| ("if-match", tag));
        let headers = [("content-type", "application/json"), condition];
        let asked = self.aws.ask("s3", "s3:PutObject", "PUT", &self.path(key, ""), &headers, bytes).await;
        match asked {
            Ok(_) => Ok(true),
            // What was to be replaced is another, is being replaced, or is gone.
            Err(error) if CHANGED.contains(&error.code.as_str()) => Ok(false),
            Err(error) => Err(self.unwritten(&error)),
        }
    }

    async fn begin(&self, key: &str) -> Result<String, Failure> {
        let reply = self.s3("s3:PutObject", "POST", key, "uploads=", b"").await;
        let reply = reply.map_err(|error| self.unwritten(&error))?;
        element(&reply.body, "UploadId")
            .ok_or_else(|| Failure::Failed(format!("bucket {}: an upload without an id", self.bucket)))
    }

    async fn part(&self, key: &str, upload: &str, number: usize, bytes: &[u8]) -> Result<String, Failure> {
        let query = format!("partNumber={number}&uploadId={}", encoded(upload));
        let reply = self.s3("s3:PutObject", "PUT", key, &query, bytes).await;
        let reply = reply.map_err(|error| self.unwritten(&error))?;
        reply.etag.ok_or_else(|| Failure::Failed(format!("bucket {}: a part without a tag", self.bucket)))
    }

    async fn complete(&self, key: &str, upload: &str, tags: &[String]) -> Result<String, Failure> {
        let mut body = String::from("<CompleteMultipartUpload>");
        for (number, tag) in (1..).zip(tags) {
            let _ = write!(body, "<Part><PartNumber>{number}</PartNumber><ETag>{tag}</ETag></Part>");
        }
        body.push_str("</CompleteMultipartUpload>");
        let query = format!("uploadId={}", encoded(upload));
        let reply = self.s3("s3:PutObject", "POST", key, &query, body.as_bytes()).await;
        let reply = reply.map_err(|error| self.unwritten(&error))?;
        // S3 begins this answer before it knows how it ends: a failure may come as 200.
        match element(&reply.body, "Code") {
            Some(code) => Err(Failure::Failed(format!("bucket {}: s3:PutObject: {code}", self.bucket))),
            None => self.written(reply),
        }
    }

    async fn abort(&self, key: &str, upload: &str) -> Result<(), Failure> {
        let query = format!("uploadId={}", encoded(upload));
        let done = self.s3("s3:AbortMultipartUpload", "DELETE", key, &query, b"").await;
        done.map(drop).map_err(|error| self.unwritten(&error))
    }
}
