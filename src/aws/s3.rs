//! S3: receipts and artifacts.

mod digest;
pub mod versions;

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_s3::config::Builder;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration, PublicAccessBlockConfiguration,
    ServerSideEncryption, ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration, ServerSideEncryptionRule,
    VersioningConfiguration,
};

pub use digest::{Digest, digest};

use super::limit::Service;
use super::{Clients, Error, ErrorKind, millis};

/// A clock that is so many milliseconds off has signatures refused, as the SDK has it.
const SKEWED: i64 = 4 * 60 * 1000;

/// How often a body that breaks off is asked for again; the SDK retries only up to the headers.
const BODY_ATTEMPTS: u32 = 3;
/// How long one body may take.
const BODY_TIMEOUT: Duration = Duration::from_mins(2);

/// What the keys of all objects begin with that are put into a bucket of ours.
const OURS: &str = "plumb/";

/// When to write an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition<'a> {
    /// Always.
    None,
    /// Only over the object with this ETag.
    IfMatch(&'a str),
    /// Only when there is none.
    IfAbsent,
}

/// An object without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its key.
    pub key: String,
    /// Its ETag, with the quotes that AWS gives it.
    pub etag: String,
    /// In bytes.
    pub size: i64,
    /// Milliseconds.
    pub modified_at: Option<i64>,
    /// What it was written with; empty in a listing.
    pub metadata: BTreeMap<String, String>,
}

/// Reads a whole object with its ETag; `None` when the bucket has none of that key. A bucket that does not exist is
/// [`ErrorKind::NotFound`].
pub async fn get(clients: &Clients, bucket: &str, key: &str) -> Result<Option<(Vec<u8>, String)>, Error> {
    get_version(clients, bucket, key, None).await
}

/// The same of one version of an object, or of the one that lies there; `None` when there is no such version either.
pub async fn get_version(
    clients: &Clients,
    bucket: &str,
    key: &str,
    version: Option<&str>,
) -> Result<Option<(Vec<u8>, String)>, Error> {
    let operation = reading(version);
    let subject = place(bucket, key);
    let mut attempt = 1;
    loop {
        let request = clients.s3().get_object().bucket(bucket).key(key).set_version_id(version.map(str::to_owned));
        let answer = match clients.send(Service::S3, operation, &subject, request.send()).await {
            Ok(answer) => answer,
            Err(error) if is_nowhere(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        let etag = answer.e_tag.ok_or_else(|| Error::unreadable(operation, &subject, "ETag"))?;
        let failure = match tokio::time::timeout(BODY_TIMEOUT, answer.body.collect()).await {
            Ok(Ok(body)) => return Ok(Some((body.to_vec(), etag))),
            Ok(Err(error)) => (ErrorKind::Unreadable, format!("the object broke off: {error}")),
            Err(_) => (ErrorKind::Timeout, "the object did not arrive in time".into()),
        };
        if attempt == BODY_ATTEMPTS {
            return Err(Error::plain(operation, &subject, failure.0, failure.1));
        }
        attempt += 1;
    }
}

/// What IAM calls it.
fn reading(version: Option<&str>) -> &'static str {
    if version.is_some() { "s3:GetObjectVersion" } else { "s3:GetObject" }
}

fn is_nowhere(error: &Error) -> bool {
    matches!(error.code.as_deref(), Some("NoSuchKey" | "NoSuchVersion"))
}

/// Writes an object and answers its ETag. A condition that does not hold is [`ErrorKind::Conflict`]; so it is, rarely,
/// when the first answer was lost and the request was sent again: read the object to know.
pub async fn put(
    clients: &Clients,
    bucket: &str,
    key: &str,
    bytes: Vec<u8>,
    content_type: &str,
    condition: Condition<'_>,
    metadata: &BTreeMap<String, String>,
) -> Result<String, Error> {
    const OPERATION: &str = "s3:PutObject";
    let subject = place(bucket, key);
    let request = clients
        .s3()
        .put_object()
        .bucket(bucket)
        .key(key)
        .content_type(content_type)
        .set_metadata((!metadata.is_empty()).then(|| metadata.clone().into_iter().collect()))
        .body(ByteStream::from(bytes));
    let request = match condition {
        Condition::None => request,
        Condition::IfMatch(etag) => request.if_match(etag),
        Condition::IfAbsent => request.if_none_match("*"),
    };
    let request = request.customize().config_override(Builder::new().timeout_config(clients.upload_timeouts()));
    let sent = clients.send(Service::S3, OPERATION, &subject, request.send()).await;
    match (sent, condition) {
        (Ok(answer), _) => answer.e_tag.ok_or_else(|| Error::unreadable(OPERATION, &subject, "ETag")),
        // An object to be replaced that is gone is answered as 404.
        (Err(error), Condition::IfMatch(_)) if error.code.as_deref() == Some("NoSuchKey") => {
            Err(Error { kind: ErrorKind::Conflict, ..error })
        }
        (Err(error), _) => Err(error),
    }
}

/// An object's ETag, size and metadata; `None` when there is none, or no such bucket: S3 answers no body to tell.
pub async fn head(clients: &Clients, bucket: &str, key: &str) -> Result<Option<Object>, Error> {
    const OPERATION: &str = "s3:GetObject";
    let subject = place(bucket, key);
    let ask =
        || clients.send(Service::S3, OPERATION, &subject, clients.s3().head_object().bucket(bucket).key(key).send());
    match by_its_clock(clients, ask).await {
        Ok(answer) => Ok(Some(Object {
            key: key.into(),
            etag: answer.e_tag.ok_or_else(|| Error::unreadable(OPERATION, &subject, "ETag"))?,
            size: answer.content_length.unwrap_or_default(),
            modified_at: millis(answer.last_modified.as_ref()),
            metadata: answer.metadata.unwrap_or_default().into_iter().collect(),
        })),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Lists all objects whose keys begin with the prefix, by key.
pub async fn list(clients: &Clients, bucket: &str, prefix: &str) -> Result<Vec<Object>, Error> {
    const OPERATION: &str = "s3:ListBucket";
    let subject = place(bucket, prefix);
    let mut found = Vec::new();
    let mut token = None;
    loop {
        let request =
            clients.s3().list_objects_v2().bucket(bucket).prefix(prefix).set_continuation_token(token.clone()).send();
        let page = clients.send(Service::S3, OPERATION, &subject, request).await?;
        for object in page.contents.unwrap_or_default() {
            found.push(Object {
                key: object.key.ok_or_else(|| Error::unreadable(OPERATION, &subject, "key of an object"))?,
                etag: object.e_tag.unwrap_or_default(),
                size: object.size.unwrap_or_default(),
                modified_at: millis(object.last_modified.as_ref()),
                metadata: BTreeMap::new(),
            });
        }
        if !page.is_truncated.unwrap_or_default() {
            return Ok(found);
        }
        let next = page.next_continuation_token;
        if next.is_none() || next == token {
            return Err(Error::unreadable(OPERATION, &subject, "next page, though it is cut"));
        }
        token = next;
    }
}

/// Deletes an object; that there is none is no error.
pub async fn delete(clients: &Clients, bucket: &str, key: &str) -> Result<(), Error> {
    let request = clients.s3().delete_object().bucket(bucket).key(key).send();
    clients.send(Service::S3, "s3:DeleteObject", &place(bucket, key), request).await.map(drop)
}

/// Deletes an object with this ETag; that there is none is no error. Another object of that key is [`ErrorKind::Conflict`].
pub async fn delete_same(clients: &Clients, bucket: &str, key: &str, etag: &str) -> Result<(), Error> {
    let request = clients.s3().delete_object().bucket(bucket).key(key).if_match(etag).send();
    match clients.send(Service::S3, "s3:DeleteObject", &place(bucket, key), request).await {
        Err(error) if error.code.as_deref() == Some("NoSuchKey") => Ok(()),
        sent => sent.map(drop),
    }
}

/// Whether the bucket is there. Another account's bucket is [`ErrorKind::AccessDenied`].
pub async fn bucket_exists(clients: &Clients, bucket: &str) -> Result<bool, Error> {
    let ask = || clients.send(Service::S3, "s3:ListBucket", bucket, clients.s3().head_bucket().bucket(bucket).send());
    match by_its_clock(clients, ask).await {
        Ok(_) => Ok(true),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Asks again what was refused without a word while this machine's clock is off: a HEAD has no body to say that it was for the
/// time, which so the SDK cannot know. The next one is signed by the date of the refusal.
async fn by_its_clock<T, F>(clients: &Clients, ask: impl Fn() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, Error>>,
{
    let answer = ask().await;
    let is_mute = |error: &Error| error.kind == ErrorKind::AccessDenied && error.code.is_none();
    let is_off = clients.clock_skew().is_some_and(|skew| skew.abs() > SKEWED);
    match answer {
        Err(error) if is_mute(&error) && is_off => ask().await,
        answer => answer,
    }
}

/// Makes the bucket when it is not there: encrypted, versioned, all public access blocked. A bucket that is there is
/// left as it is, but for one that was begun here and not finished. `true` when it was made or finished.
pub async fn ensure_bucket(clients: &Clients, bucket: &str) -> Result<bool, Error> {
    match standing(clients, bucket).await? {
        Standing::Whole => return Ok(false),
        Standing::Begun => {}
        Standing::Absent => create(clients, bucket).await?,
    }
    settle(clients, bucket).await?;
    Ok(true)
}

/// How far a bucket is.
enum Standing {
    Absent,
    /// It was made here, and whoever made it was stopped before it was as it should be.
    Begun,
    Whole,
}

async fn standing(clients: &Clients, bucket: &str) -> Result<Standing, Error> {
    const OPERATION: &str = "s3:GetBucketVersioning";
    let request = clients.s3().get_bucket_versioning().bucket(bucket).send();
    match clients.send(Service::S3, OPERATION, bucket, request).await {
        Err(error) if error.kind == ErrorKind::NotFound => return Ok(Standing::Absent),
        // Who may not ask can still be told whether it is there.
        Err(error) if error.kind == ErrorKind::AccessDenied => {
            let is_there = bucket_exists(clients, bucket).await?;
            return Ok(if is_there { Standing::Whole } else { Standing::Absent });
        }
        Err(error) => return Err(error),
        // It is what is set last, and nobody can make it unsaid afterwards.
        Ok(found) if found.status.is_some() => return Ok(Standing::Whole),
        Ok(_) => {}
    }
    // Somebody's own bucket, which never had versions, has what is not ours.
    let request = clients.s3().list_objects_v2().bucket(bucket).send();
    let page = clients.send(Service::S3, "s3:ListBucket", bucket, request).await?;
    let is_ours = |key: Option<&str>| key.is_some_and(|key| key.starts_with(OURS));
    let all_ours = page.contents().iter().all(|object| is_ours(object.key()));
    Ok(if all_ours { Standing::Begun } else { Standing::Whole })
}

async fn create(clients: &Clients, bucket: &str) -> Result<(), Error> {
    // us-east-1 is the one region that must not be named.
    let place = (clients.region() != "us-east-1").then(|| {
        CreateBucketConfiguration::builder()
            .location_constraint(BucketLocationConstraint::from(clients.region()))
            .build()
    });
    let request = clients.s3().create_bucket().bucket(bucket).set_create_bucket_configuration(place).send();
    match clients.send(Service::S3, "s3:CreateBucket", bucket, request).await {
        Err(error) if error.code.as_deref() != Some("BucketAlreadyOwnedByYou") => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}

/// What a bucket of ours is to be. Versioning comes last: it tells that the rest is done.
async fn settle(clients: &Clients, bucket: &str) -> Result<(), Error> {
    let client = clients.s3();
    let block = PublicAccessBlockConfiguration::builder()
        .block_public_acls(true)
        .block_public_policy(true)
        .ignore_public_acls(true)
        .restrict_public_buckets(true)
        .build();
    let request = client.put_public_access_block().bucket(bucket).public_access_block_configuration(block).send();
    clients.send(Service::S3, "s3:PutBucketPublicAccessBlock", bucket, request).await?;
    let request = client.put_bucket_encryption().bucket(bucket);
    let request = request.server_side_encryption_configuration(encryption(bucket)?).send();
    clients.send(Service::S3, "s3:PutEncryptionConfiguration", bucket, request).await?;
    let versioning = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    let request = client.put_bucket_versioning().bucket(bucket).versioning_configuration(versioning).send();
    clients.send(Service::S3, "s3:PutBucketVersioning", bucket, request).await.map(drop)
}

/// Where CloudFormation reads an object: with the bucket in the path, since its name may have dots.
#[must_use]
pub fn url(region: &str, bucket: &str, key: &str) -> String {
    let suffix = if region.starts_with("cn-") { "amazonaws.com.cn" } else { "amazonaws.com" };
    format!("https://s3.{region}.{suffix}/{bucket}/{key}")
}

fn encryption(bucket: &str) -> Result<ServerSideEncryptionConfiguration, Error> {
    let built = ServerSideEncryptionByDefault::builder()
        .sse_algorithm(ServerSideEncryption::Aes256)
        .build()
        .map(|default| ServerSideEncryptionRule::builder().apply_server_side_encryption_by_default(default).build())
        .and_then(|rule| ServerSideEncryptionConfiguration::builder().rules(rule).build());
    built.map_err(|error| Error::plain("s3:PutEncryptionConfiguration", bucket, ErrorKind::Other, error.to_string()))
}

fn place(bucket: &str, key: &str) -> String {
    format!("s3://{bucket}/{key}")
}
