//! Deletes a stack and what it leaves in the way: the objects of its buckets, its receipt, and artifacts that nobody needs.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::delete;
use super::follow::{Ended, Progress};
use super::preview::Fate;
use super::recover::Wish;
use crate::aws::cloudformation::{self, StackInfo, StackResource, Stage};
use crate::aws::s3::versions::{self, Version};
use crate::aws::{Clients, s3};
use crate::compare::Why;
use crate::ops::journal::{Action, Begun, Intent};
use crate::ops::receipt::{Receipt, UnitId};
use crate::ops::session::Session;
use crate::ops::{hex, why};
use crate::template::{self, Template};

/// What cleaning a stack would do, worked out by reading.
#[derive(Debug, Clone)]
pub struct Cleaning {
    /// The stack.
    pub stack: StackInfo,
    /// Its resources and what becomes of each.
    pub resources: Vec<Going>,
    /// What is deleted of the state bucket, where that was asked for.
    pub artifacts: Option<Artifacts>,
    /// Whether the stack has a receipt, which goes with it.
    pub recorded: bool,
}

/// A resource of a stack that is to be deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Going {
    /// Its name in the template.
    pub logical_id: String,
    /// Its type.
    pub type_name: String,
    /// Its name or ARN in AWS.
    pub physical_id: Option<String>,
    /// What becomes of it.
    pub fate: Fate,
    /// Whether data goes with it.
    pub destroys: bool,
    /// Of a bucket that is deleted: how many objects it has, each version counted.
    pub objects: Option<usize>,
}

/// Artifacts that no other receipt of the project names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifacts {
    /// The state bucket.
    pub bucket: String,
    /// Their keys.
    pub keys: BTreeSet<String>,
    versions: Vec<Version>,
}

/// What cleaning did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cleaned {
    /// How the stack's deletion ended.
    pub ended: Ended,
    /// What was emptied and deleted besides.
    pub notes: Vec<String>,
    /// What came after the stack was gone and failed.
    pub failed: Option<Why>,
    /// Why the journal does not hold how it went.
    pub untold: Option<Why>,
}

/// Works out what cleaning a stack would do. `None`: there is no such stack.
pub async fn cleaning(session: &Session, stack: &str, with_artifacts: bool) -> Result<Option<Cleaning>, Why> {
    let clients = &session.clients;
    let Some(info) = cloudformation::stack(clients, stack).await.map_err(|error| why(&error))? else {
        return Ok(None);
    };
    let (resources, template) = tokio::join!(
        cloudformation::resources(clients, stack),
        cloudformation::template(clients, stack, Stage::Processed)
    );
    let resources = resources.map_err(|error| why(&error))?;
    // A stack under review has no template yet, and no resource either.
    let template = template.ok().and_then(|text| Template::parse(stack, &text).ok());
    let mut going = Vec::new();
    for resource in resources {
        if matches!(resource.status.as_str(), "DELETE_COMPLETE" | "DELETE_SKIPPED") {
            continue;
        }
        going.push(of_resource(clients, template.as_ref(), resource).await?);
    }
    let store = session.receipts().await?;
    let recorded = store.held(clients, &UnitId::Stack(stack.to_owned())).await?.is_some();
    let artifacts = if with_artifacts { Some(artifacts(session, stack).await?) } else { None };
    Ok(Some(Cleaning { stack: info, resources: going, artifacts, recorded }))
}

async fn of_resource(clients: &Clients, template: Option<&Template>, resource: StackResource) -> Result<Going, Why> {
    let policy = template.and_then(|template| template.resource(&resource.logical_id)?.deletion_policy.as_ref());
    let fate = match policy.and_then(serde_json::Value::as_str) {
        Some("Retain" | "RetainExceptOnCreate") => Fate::Retained,
        Some("Snapshot") => Fate::Snapshot,
        _ => Fate::Deleted,
    };
    let mut objects = None;
    if let (Fate::Deleted, "AWS::S3::Bucket", Some(bucket)) = (fate, resource.type_name.as_str(), &resource.physical_id)
    {
        objects = Some(versions::list(clients, bucket, "").await.map_err(|error| why(&error))?.len());
    }
    Ok(Going {
        destroys: fate == Fate::Deleted && template::is_stateful(&resource.type_name),
        logical_id: resource.logical_id,
        type_name: resource.type_name,
        physical_id: resource.physical_id,
        fate,
        objects,
    })
}

/// The artifacts and templates of the project that no receipt but this stack's needs.
async fn artifacts(session: &Session, stack: &str) -> Result<Artifacts, Why> {
    let clients = &session.clients;
    let store = session.receipts().await?;
    let Some(bucket) = store.bucket.clone() else {
        return Err(Why::new("the project names no state bucket, and so has no artifacts"));
    };
    let root = format!("plumb/{}/", session.project().name);
    let own = store.key(&UnitId::Stack(stack.to_owned()));
    let mut kept = BTreeSet::new();
    let listed = match s3::list(clients, &bucket, &root).await {
        Err(error) if error.code.as_deref() == Some("NoSuchBucket") => Vec::new(),
        listed => listed.map_err(|error| why(&error))?,
    };
    // The receipts of all environments: they share the bucket, and an artifact is the same for the same source.
    let receipts = listed.iter().filter(|object| object.key.contains("/receipts/") && object.key != own);
    for object in receipts {
        let Some((bytes, _)) = s3::get(clients, &bucket, &object.key).await.map_err(|error| why(&error))? else {
            continue;
        };
        let receipt: Receipt = serde_json::from_slice(&bytes).map_err(|error| {
            Why::new(format!(
                "it is not known which artifacts are needed: receipt {} cannot be read: {error}",
                object.key
            ))
        })?;
        let codes = receipt.items.values().filter_map(|entry| entry.code_sha256.as_deref());
        kept.extend(codes.filter_map(|code| STANDARD.decode(code).ok()).map(|hash| hex(&hash)));
    }
    let start = format!("{root}artifacts/");
    let all = versions::list(clients, &bucket, &start).await.map_err(|error| why(&error))?;
    let is_kept = |version: &Version| {
        let digest = version.key.strip_prefix(&start).and_then(|name| name.split('.').next());
        digest.is_some_and(|digest| kept.contains(digest))
    };
    let versions: Vec<Version> = all.into_iter().filter(|version| !is_kept(version)).collect();
    let keys = versions.iter().map(|version| version.key.clone()).collect();
    Ok(Artifacts { bucket, keys, versions })
}

/// Empties the buckets, deletes the stack, and then what only it needed.
pub async fn clean(
    session: &Session,
    cleaning: &Cleaning,
    unprotect: bool,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<Cleaned, Why> {
    let (session, writer) = session.for_writing().await?;
    let name = &cleaning.stack.name;
    delete::refuse_protected(&cleaning.stack, unprotect)?;
    let begun = Begun::new(&session, &writer, Intent::new(Action::Clean, vec![name.clone()]))?;
    let token = format!("plumb-{}", begun.entry().id);
    match Box::pin(carry_out(&session, cleaning, unprotect, &token, progress)).await {
        Ok(done) => {
            let told = done.failed.as_ref().map(|why| why.reason.clone());
            let untold = begun.settle(&session, told).await;
            Ok(Cleaned { untold, ..done })
        }
        Err(why) => {
            let _ = begun.settle(&session, Some(why.reason.clone())).await;
            Err(why)
        }
    }
}

async fn carry_out(
    session: &Session,
    cleaning: &Cleaning,
    unprotect: bool,
    token: &str,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<Cleaned, Why> {
    let clients = &session.clients;
    let name = &cleaning.stack.name;
    let mut notes = Vec::new();
    for going in cleaning.resources.iter().filter(|going| going.objects.is_some()) {
        let Some(bucket) = &going.physical_id else { continue };
        progress(Progress::Step(format!("emptying {bucket}")));
        // Listed anew: whoever writes to it may not have stopped.
        let all = versions::list(clients, bucket, "").await.map_err(|error| why(&error))?;
        versions::delete(clients, bucket, &all).await.map_err(|error| why(&error))?;
        if !all.is_empty() {
            notes.push(format!("{} versions of objects of {bucket} deleted", all.len()));
        }
    }
    let wish = Wish { unprotect, ..Wish::default() };
    let ended = delete::delete(session, &cleaning.stack, &wish, token, progress).await?;
    if ended.stack.is_some() {
        let failed = ended.why(name);
        return Ok(Cleaned { ended, notes, failed, untold: None });
    }
    let failed = match forget(session, cleaning, &mut notes).await {
        Ok(()) => None,
        Err(why) => Some(Why { reason: format!("{name} is gone, but what it needed is not: {}", why.reason), ..why }),
    };
    Ok(Cleaned { ended, notes, failed, untold: None })
}

/// Deletes the receipt of a stack that is gone, and the artifacts that only it needed.
async fn forget(session: &Session, cleaning: &Cleaning, notes: &mut Vec<String>) -> Result<(), Why> {
    let clients = &session.clients;
    let store = session.receipts().await?;
    if let (true, Some(bucket)) = (cleaning.recorded, &store.bucket) {
        let key = store.key(&UnitId::Stack(cleaning.stack.name.clone()));
        s3::delete(clients, bucket, &key).await.map_err(|error| why(&error))?;
        notes.push("its receipt deleted".to_owned());
    }
    if let Some(artifacts) = cleaning.artifacts.as_ref().filter(|artifacts| !artifacts.versions.is_empty()) {
        versions::delete(clients, &artifacts.bucket, &artifacts.versions).await.map_err(|error| why(&error))?;
        notes.push(format!("{} artifacts deleted", artifacts.keys.len()));
    }
    Ok(())
}
