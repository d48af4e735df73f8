//! Deletes a stack and what it leaves in the way: the objects of its buckets, its receipt, and artifacts that nobody needs.

mod artifacts;

use std::collections::BTreeSet;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

pub use artifacts::Artifacts;

use super::delete;
use super::follow::{Ended, Happened, Progress};
use super::preview::Fate;
use super::recover::Wish;
use super::stopped::Stopped;
use crate::aws::cloudformation::{self, StackInfo, StackResource, Stage};
use crate::aws::s3::versions;
use crate::aws::{Clients, ErrorKind, s3};
use crate::compare::Why;
use crate::ops::journal::{Action, Begun, Intent};
use crate::ops::receipt::UnitId;
use crate::ops::session::Session;
use crate::ops::{failed, why};
use crate::template::{self, Template};

/// What cleaning a stack would do, worked out by reading.
#[derive(Debug, Clone)]
pub struct Cleaning {
    /// The stack.
    pub stack: StackInfo,
    /// Its resources, those of stacks within it after each, and what becomes of each.
    pub resources: Vec<Going>,
    /// What is deleted of the state bucket, where that was asked for.
    pub artifacts: Option<Artifacts>,
    /// Whether the stack has a receipt, which goes with it.
    pub recorded: bool,
    /// That receipt's tag.
    receipt: Option<String>,
}

/// A resource of a stack that is to be deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Going {
    /// Its name in the template, after the stacks within that lead to it: `Database/Table`.
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
///
/// Fails while CloudFormation is at work on it, and where it is not known what of it is to be kept.
pub async fn cleaning(session: &Session, stack: &str, with_artifacts: bool) -> Result<Option<Cleaning>, Why> {
    let clients = &session.clients;
    let Some(info) = cloudformation::stack(clients, stack).await.map_err(|error| why(&error))? else {
        return Ok(None);
    };
    delete::refuse_busy(&info)?;
    let resources = going(clients, &info.id, &info.name, "").await?;
    let store = session.receipts().await?;
    let receipt = store.held(clients, &UnitId::Stack(stack.to_owned())).await?;
    let (recorded, receipt) = (receipt.is_some(), receipt.and_then(|receipt| receipt.tag));
    let artifacts = if with_artifacts { Some(artifacts::of(session, stack).await?) } else { None };
    Ok(Some(Cleaning { stack: info, resources, artifacts, recorded, receipt }))
}

/// The resources of a stack, with those of stacks within it after each. `path` leads to it and ends in a slash.
async fn going(clients: &Clients, id: &str, name: &str, path: &str) -> Result<Vec<Going>, Why> {
    let found = cloudformation::resources(clients, id).await.map_err(|error| why(&error))?;
    let is_there = |resource: &StackResource| !matches!(resource.status.as_str(), "DELETE_COMPLETE" | "DELETE_SKIPPED");
    let there: Vec<StackResource> = found.into_iter().filter(is_there).collect();
    let mut all = Vec::new();
    // A stack under review has no template yet, and no resource either.
    if there.is_empty() {
        return Ok(all);
    }
    let template = template(clients, id, name).await?;
    for resource in there {
        let going = of_resource(clients, &template, path, resource).await?;
        let is_within = going.type_name == "AWS::CloudFormation::Stack" && going.fate == Fate::Deleted;
        let within = going.physical_id.clone().filter(|_| is_within);
        let path = format!("{}/", going.logical_id);
        all.push(going);
        if let Some(id) = within {
            all.extend(Box::pin(self::going(clients, &id, path.trim_end_matches('/'), &path)).await?);
        }
    }
    Ok(all)
}

/// The template that says what of a stack is kept. Where it cannot be read nothing may be taken away.
async fn template(clients: &Clients, id: &str, name: &str) -> Result<Template, Why> {
    let unknown = |told: Why| {
        let reason = format!("refused: it is not known what of {name} is to be kept: {}", told.reason);
        Why { reason, ..told }
    };
    let text = cloudformation::template(clients, id, Stage::Processed).await.map_err(|error| unknown(why(&error)))?;
    Template::parse(name, &text).map_err(|error| unknown(failed(&error)))
}

async fn of_resource(
    clients: &Clients,
    template: &Template,
    path: &str,
    resource: StackResource,
) -> Result<Going, Why> {
    let logical_id = format!("{path}{}", resource.logical_id);
    let policy = template.resource(&resource.logical_id).and_then(|found| found.deletion_policy.as_ref());
    let fate = match policy.map(|policy| policy.as_str().ok_or(policy)) {
        None | Some(Ok("Delete")) => Fate::Deleted,
        Some(Ok("Retain" | "RetainExceptOnCreate")) => Fate::Retained,
        Some(Ok("Snapshot")) => Fate::Snapshot,
        Some(Ok(_) | Err(_)) => {
            let policy = policy.map(ToString::to_string).unwrap_or_default();
            return Err(Why::new(format!("refused: it is not known whether {logical_id} is to be kept: {policy}")));
        }
    };
    let mut objects = None;
    if let (Fate::Deleted, "AWS::S3::Bucket", Some(bucket)) = (fate, resource.type_name.as_str(), &resource.physical_id)
    {
        objects = Some(versions::list(clients, bucket, "").await.map_err(|error| why(&error))?.len());
    }
    Ok(Going {
        destroys: fate == Fate::Deleted && template::is_stateful(&resource.type_name),
        logical_id,
        type_name: resource.type_name,
        physical_id: resource.physical_id,
        fate,
        objects,
    })
}

/// Deletes the stack with what is in its buckets, and then what only it needed.
///
/// `stop` ends it in good order: what CloudFormation is at goes on, nothing else does, and what is gone is told.
pub async fn clean(
    session: &Session,
    cleaning: &Cleaning,
    unprotect: bool,
    progress: &(dyn Fn(Progress) + Send + Sync),
    stop: impl Future<Output = ()>,
) -> Result<Cleaned, Why> {
    let (session, writer) = session.for_writing().await?;
    let name = &cleaning.stack.name;
    let begun = Begun::new(&session, &writer, Intent::new(Action::Clean, vec![name.clone()]))?;
    let token = format!("plumb-{}", begun.entry().id);
    let mut notes = Vec::new();
    let wish = Wish { unprotect, ..Wish::default() };
    let done = Box::pin(carry_out(&session, cleaning, &wish, &token, &mut notes, progress, pin!(stop))).await;
    match done {
        Ok((ended, failed)) => {
            let told = failed.as_ref().map(|why| why.reason.clone());
            let untold = begun.settle(&session, told).await;
            Ok(Cleaned { ended, notes, failed, untold })
        }
        // What is gone is gone, whatever became of the rest.
        Err(stopped) if !notes.is_empty() => {
            let gone = format!("before that: {}", notes.join("; "));
            let stopped = stopped.map(|why| Why { reason: format!("{}; {gone}", why.reason), ..why });
            Err(stopped.settle(begun, &session).await)
        }
        Err(stopped) => Err(stopped.settle(begun, &session).await),
    }
}

/// Answers how the deletion ended, and what is not as it should be then.
async fn carry_out(
    session: &Session,
    cleaning: &Cleaning,
    wish: &Wish,
    token: &str,
    notes: &mut Vec<String>,
    progress: &(dyn Fn(Progress) + Send + Sync),
    mut stop: Pin<&mut impl Future<Output = ()>>,
) -> Result<(Ended, Option<Why>), Stopped> {
    let name = &cleaning.stack.name;
    let full = Mutex::new(BTreeSet::new());
    let is_refused = AtomicBool::new(false);
    let hear = |told: Progress| match told {
        // That is seen to.
        Progress::Failed(failure) if is_of_full(&failure.event) => {}
        told => {
            if let Progress::Happened(happened) = &told
                && is_full(happened)
            {
                full.lock().unwrap_or_else(PoisonError::into_inner).insert(happened.name());
            } else if let Progress::Happened(happened) = &told
                && speaks_against(happened)
            {
                is_refused.store(true, Ordering::Relaxed);
            }
            progress(told);
        }
    };
    let (heard, refused, emptied) = (&full, &is_refused, &mut *notes);
    let clear = move || async move {
        let full = std::mem::take(&mut *heard.lock().unwrap_or_else(PoisonError::into_inner));
        // It would fail again, and what was in the buckets would be gone for nothing.
        if refused.load(Ordering::Relaxed) {
            return Ok(false);
        }
        empty(&session.clients, cleaning, full, emptied, progress).await
    };
    let deleted = delete::delete(session, &cleaning.stack, wish, token, &hear, clear, stop.as_mut());
    let ended = Box::pin(deleted).await?;
    if ended.stack.is_some() {
        let failed = ended.why(name);
        return Ok((ended, failed));
    }
    let forgot = tokio::select! {
        biased;
        () = stop => Err(Why::new("interrupted, and nothing goes on")),
        forgot = forget(session, cleaning, notes) => forgot,
    };
    let failed = forgot.err().map(|why| {
        let reason = format!("{name} is gone, but not all that is kept of it: {}", why.reason);
        Why { reason, ..why }
    });
    Ok((ended, failed))
}

/// Whether a bucket was not deleted because of what is in it, as S3 has always put it.
fn is_full(happened: &Happened) -> bool {
    let says = |reason: &String| reason.contains("not empty") || reason.contains("BucketNotEmpty");
    happened.type_name == "AWS::S3::Bucket"
        && happened.status == "DELETE_FAILED"
        && happened.reason.as_ref().is_some_and(says)
}

/// Whether something else than a full bucket stands in the way of the deletion.
fn speaks_against(happened: &Happened) -> bool {
    let is_cancelled = happened.reason.as_ref().is_some_and(|reason| reason.to_lowercase().contains("cancelled"));
    happened.status == "DELETE_FAILED" && !is_of_full(happened) && !is_cancelled
}

/// Whether that is a full bucket, or a stack in which something was not deleted, which tells of itself.
fn is_of_full(happened: &Happened) -> bool {
    is_full(happened) || (happened.type_name == "AWS::CloudFormation::Stack" && happened.status == "DELETE_FAILED")
}

/// Empties those of the buckets that CloudFormation could not delete because of what is in them. Answers whether it was any.
async fn empty(
    clients: &Clients,
    cleaning: &Cleaning,
    full: BTreeSet<String>,
    notes: &mut Vec<String>,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<bool, Why> {
    let mut is_any = false;
    let shown = cleaning.resources.iter().filter(|going| going.objects.is_some() && full.contains(&going.logical_id));
    for bucket in shown.filter_map(|going| going.physical_id.as_ref()) {
        progress(Progress::Step(format!("emptying {bucket}")));
        // Listed anew: whoever writes to it may not have stopped.
        let all = versions::list(clients, bucket, "").await.map_err(|error| why(&error))?;
        let count = all.len();
        // Whatever ends this in the middle.
        notes.push(format!("some of {count} versions of objects of {bucket} may be deleted"));
        versions::delete(clients, bucket, &all).await.map_err(|error| why(&error))?;
        notes.pop();
        notes.push(format!("{count} versions of objects of {bucket} deleted"));
        is_any = true;
    }
    Ok(is_any)
}

/// Deletes the receipt of a stack that is gone, and the artifacts that only it needed, as far as they are those that were
/// shown: somebody may have deployed since.
async fn forget(session: &Session, cleaning: &Cleaning, notes: &mut Vec<String>) -> Result<(), Why> {
    let clients = &session.clients;
    let name = &cleaning.stack.name;
    let there = cloudformation::stack(clients, name).await.map_err(|error| why(&error))?;
    if there.is_some_and(|there| there.id != cleaning.stack.id) {
        return Err(Why::new(format!("there is another stack {name} already, whose they may be")));
    }
    let store = session.receipts().await?;
    // While the receipt still says what was this stack's.
    let artifacts = match &cleaning.artifacts {
        Some(shown) => Some((artifacts::of(session, name).await?, shown)),
        None => None,
    };
    if let (Some(tag), Some(bucket)) = (&cleaning.receipt, &store.bucket) {
        let key = store.key(&UnitId::Stack(name.clone()));
        match s3::delete_same(clients, bucket, &key, tag).await {
            Ok(()) => notes.push("its receipt deleted".to_owned()),
            Err(error) if error.kind == ErrorKind::Conflict => {
                return Err(Why::new("its receipt was written anew meanwhile"));
            }
            Err(error) => return Err(why(&error)),
        }
    }
    match artifacts {
        Some((now, shown)) => now.delete(clients, shown, notes).await,
        None => Ok(()),
    }
}
