//! The functions' artifacts: built, and uploaded under their digest where they are not there yet.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::draft::Draft;
use super::follow::Progress;
use crate::aws::{ErrorKind, s3};
use crate::compare::Why;
use crate::config::Stack;
use crate::ops::inspect::source_digest;
use crate::ops::receipt::Receipt;
use crate::ops::session::Session;
use crate::ops::{artifact, hex, why};

/// What code is kept as.
pub(super) const ZIP: &str = "application/zip";

/// An artifact in the state bucket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Uploaded {
    /// The commit that its source is from.
    pub(super) commit: String,
    /// Its key.
    pub(super) key: String,
    /// SHA-256, as Lambda shows it.
    pub(super) code_sha256: String,
    /// The git tree id of its source.
    pub(super) tree: String,
}

fn key(session: &Session, digest: &str) -> String {
    format!("plumb/{}/artifacts/{digest}.zip", session.project().name)
}

/// The digest that an artifact is named by; `code_sha256`: as Lambda shows it, and receipts do.
pub(super) fn digest(code_sha256: &str) -> Option<String> {
    STANDARD.decode(code_sha256).ok().map(|hash| hex(&hash))
}

/// The artifacts that a receipt names, those of them that are in the bucket still; by logical id.
pub(super) async fn kept(
    session: &Session,
    stack: &Stack,
    receipt: &Receipt,
) -> Result<BTreeMap<String, Uploaded>, Why> {
    let mut kept = BTreeMap::new();
    let Some(bucket) = session.receipts().await?.bucket else { return Ok(kept) };
    for function in &stack.functions {
        let Some(entry) = receipt.items.get(&function.resource) else { continue };
        let Some(code_sha256) = entry.code_sha256.clone() else { continue };
        let Some(digest) = digest(&code_sha256) else { continue };
        let key = key(session, &digest);
        if s3::head(&session.clients, &bucket, &key).await.map_err(|error| why(&error))?.is_some() {
            let (commit, tree) = (entry.commit.clone(), entry.digest.clone());
            kept.insert(function.resource.clone(), Uploaded { commit, key, code_sha256, tree });
        }
    }
    Ok(kept)
}

/// Builds the functions' artifacts and sends those that are not in the bucket yet; by logical id. What a receipt names is
/// taken from there instead, where that is what is to be put back.
pub(super) async fn upload(
    draft: &Draft,
    bucket: &str,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<BTreeMap<String, Uploaded>, Why> {
    let session = &draft.session;
    let mut uploaded = BTreeMap::new();
    let Some(snapshot) = &draft.snapshot else { return Ok(uploaded) };
    for function in &draft.stack.functions {
        if let Some(kept) = draft.kept.get(&function.resource) {
            progress(Progress::Step(format!("taking the artifact of {} that was deployed", function.resource)));
            uploaded.insert(function.resource.clone(), kept.clone());
            continue;
        }
        progress(Progress::Step(format!("building {}", function.resource)));
        let artifact = artifact::build(snapshot, &session.root, function).await?;
        let tree = source_digest(snapshot, function)?.unwrap_or_default();
        let key = key(session, &artifact.digest);
        let metadata = BTreeMap::from([("plumb-tree".to_owned(), tree.clone())]);
        let (commit, code_sha256) = (snapshot.commit().to_owned(), artifact.code_sha256);
        if put_missing(draft, bucket, &key, artifact.bytes, ZIP, &metadata).await? {
            progress(Progress::Step(format!("uploaded {} as {key}", function.resource)));
        }
        uploaded.insert(function.resource.clone(), Uploaded { commit, key, code_sha256, tree });
    }
    Ok(uploaded)
}

/// Puts what a change set takes into the state bucket, and says so.
pub(super) async fn put_packaged(
    draft: &Draft,
    bucket: &str,
    key: &str,
    bytes: Vec<u8>,
    content_type: &str,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<(), Why> {
    let put = put_missing(draft, bucket, key, bytes, content_type, &BTreeMap::new()).await;
    let put = put.map_err(|why| match why.hint {
        None => why.hint("the first deployment makes it, and plumb bootstrap does"),
        Some(_) => why,
    });
    if put? {
        progress(Progress::Step(format!("uploaded s3://{bucket}/{key}")));
    }
    Ok(())
}

/// Puts an object that is named by its content; false: it was there already, or nobody will fetch it.
pub(super) async fn put_missing(
    draft: &Draft,
    bucket: &str,
    key: &str,
    bytes: Vec<u8>,
    content_type: &str,
    metadata: &BTreeMap<String, String>,
) -> Result<bool, Why> {
    let clients = &draft.session.clients;
    if draft.ask.dry_run && content_type == ZIP {
        return Ok(false);
    }
    let there = s3::head(clients, bucket, key).await.map_err(|error| why(&error))?;
    if there.is_some() {
        return Ok(false);
    }
    // S3 shows an object when all of it has come, so that an upload that breaks off leaves nothing under the digest.
    match s3::put(clients, bucket, key, bytes, content_type, s3::Condition::None, metadata).await {
        Ok(_) => Ok(true),
        Err(error) if error.kind == ErrorKind::NotFound => {
            Err(Why::new(format!("the change set takes s3://{bucket}/{key}, and there is no bucket {bucket}")))
        }
        Err(error) => Err(why(&error)),
    }
}
