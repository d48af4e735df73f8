//! After a stack was deployed: that what each function serves is what was built, and the receipt that says so.

use std::collections::{BTreeMap, BTreeSet};

use super::artifacts::Uploaded;
use super::draft::Draft;
use super::follow::{LONGEST, Progress};
use super::plan::Plan;
use super::preview::Act;
use crate::aws::cloudformation::{self, StackInfo};
use crate::aws::lambda::{self, FunctionInfo};
use crate::aws::{Error, ErrorKind};
use crate::compare::Why;
use crate::config::Function;
use crate::ops::inspect::now;
use crate::ops::receipt::{Entry, Receipt, SCHEMA, UnitId};
use crate::ops::{restart, why};

/// What functions serve now.
#[derive(Debug, Default)]
pub(super) struct Published {
    /// For the receipt, by logical id.
    pub(super) items: BTreeMap<String, Entry>,
    /// Functions whose code was put back, by logical id.
    pub(super) put_back: Vec<String>,
    /// What was done that the change set did not.
    pub(super) notes: Vec<String>,
    /// What is not as the commit says, and stays so.
    pub(super) left: Vec<Why>,
}

/// Sees that what each function serves is what was built.
///
/// Where the template makes versions and aliases itself, they are its own business; else what the function is now is
/// published as a version and the alias pointed there. Code that was changed by hand, which CloudFormation never looks at,
/// is put back when that was asked for.
pub(super) async fn publish(
    draft: &Draft,
    plan: &Plan,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<Published, Why> {
    let mut published = Published::default();
    let (Some(bucket), false) = (&plan.bucket, draft.stack.functions.is_empty()) else { return Ok(published) };
    let clients = &draft.session.clients;
    let resources = cloudformation::resources(clients, &draft.stack.name).await.map_err(|error| why(&error))?;
    for function in draft.stack.functions.iter().filter(|function| draft.ask.means(&function.resource)) {
        let resource = resources.iter().find(|resource| resource.logical_id == function.resource);
        let Some(physical) = resource.and_then(|resource| resource.physical_id.as_deref()) else { continue };
        let Some(artifact) = plan.uploaded.get(&function.resource) else { continue };
        progress(Progress::Step(format!("looking at the code of {}", function.resource)));
        let mut latest = latest(draft, physical).await?;
        if !is_of(latest.as_ref(), artifact) {
            if !draft.ask.revert_drift {
                let told = format!("the code of {physical} was changed by hand, which CloudFormation never looks at");
                published.left.push(Why::new(told).hint("plumb deploy --revert-drift puts it back"));
                continue;
            }
            let code = lambda::Code::S3 { bucket: bucket.clone(), key: artifact.key.clone(), version: None };
            let sent = lambda::update_code(clients, physical, code).await.map_err(|error| why(&error))?;
            lambda::wait_updated(clients, physical, LONGEST).await.map_err(|error| why(&error))?;
            if sent != artifact.code_sha256 {
                let told =
                    format!("{} in {bucket} is not what its name says, and {physical} runs it now", artifact.key);
                published.left.push(Why::new(told).hint("delete that object, then plumb deploy --revert-drift"));
                continue;
            }
            latest = self::latest(draft, physical).await?;
            published.put_back.push(function.resource.clone());
            published.notes.push(format!("the code of {physical} was put back"));
        }
        let Some(latest) = latest else { continue };
        let served = served(draft, plan, function, physical, &latest, &mut published).await?;
        let Served::Version(version) = served else {
            // The code is the commit's. The version stays that which the receipt had, so that nothing of it is taken for
            // rolled out by the next deployment.
            if let (Served::Held, Some(before)) = (served, before(plan, &function.resource)) {
                let entry = Entry { commit: artifact.commit.clone(), ..before };
                published.items.insert(function.resource.clone(), entry);
            }
            continue;
        };
        let entry = Entry {
            commit: artifact.commit.clone(),
            version,
            modified: None,
            at: Some(now()),
            digest: artifact.tree.clone(),
            code_sha256: Some(artifact.code_sha256.clone()),
            alias: function.alias.clone(),
        };
        published.items.insert(function.resource.clone(), entry);
    }
    Ok(published)
}

/// Whether `$LATEST` is the artifact.
pub(super) async fn is_built(draft: &Draft, physical: &str, artifact: &Uploaded) -> Result<bool, Why> {
    Ok(is_of(latest(draft, physical).await?.as_ref(), artifact))
}

fn is_of(latest: Option<&FunctionInfo>, artifact: &Uploaded) -> bool {
    latest.is_some_and(|latest| latest.code_sha256_raw == artifact.code_sha256)
}

async fn latest(draft: &Draft, physical: &str) -> Result<Option<FunctionInfo>, Why> {
    lambda::function(&draft.session.clients, physical, None).await.map_err(|error| why(&error))
}

/// What is served, after it is what `$LATEST` is, or was left.
enum Served {
    /// This version.
    Version(String),
    /// The code alone: `$LATEST` is configured otherwise, by nobody known. That is told.
    Held,
    /// What cannot be seen to. That is told.
    Left,
}

/// What the receipt had of a function.
fn before(plan: &Plan, id: &str) -> Option<Entry> {
    plan.recorded.receipt()?.items.get(id).cloned()
}

/// Sees that what is served is what `$LATEST` is.
///
/// Where only the configuration differs and this deployment has not been at it, `$LATEST` was changed by hand or the alias
/// moved: publishing might roll out what nobody has committed.
async fn served(
    draft: &Draft,
    plan: &Plan,
    function: &Function,
    physical: &str,
    latest: &FunctionInfo,
    published: &mut Published,
) -> Result<Served, Why> {
    let (clients, stack) = (&draft.session.clients, &draft.stack.name);
    let Some(alias) = &function.alias else { return Ok(Served::Version("$LATEST".to_owned())) };
    let Some(routes) = lambda::alias(clients, physical, alias).await.map_err(|error| why(&error))? else {
        // One that is made here would be in the way of a template that makes it.
        let told = format!("{physical} has no alias {alias}, which plumb.toml says serves it");
        published.left.push(Why::new(told).hint(format!(
            "an AWS::Lambda::Alias of {} in the template, or `alias` of that function taken out of plumb.toml",
            function.resource
        )));
        return Ok(Served::Left);
    };
    let shares = routes.versions();
    let mut versions = shares.keys();
    let (Some(version), None) = (versions.next(), versions.next()) else {
        let shares = shares.iter().map(|(version, share)| format!("{version} ({:.0} %)", share * 100.0));
        let shares = shares.collect::<Vec<_>>().join(", ");
        let told = format!("{physical}:{alias} splits its requests between versions {shares}, and is left so");
        published.left.push(Why::new(told).hint(format!(
            "plumb rollback {stack}/{} --to VERSION gives one of them all; then plumb deploy {stack}",
            function.resource
        )));
        return Ok(Served::Left);
    };
    let running = lambda::function(clients, physical, Some(version)).await.map_err(|error| why(&error))?;
    if let Some(running) = running.filter(|running| running.code_sha256 == latest.code_sha256) {
        if restart::is_same(latest, &running) {
            return Ok(Served::Version(version.clone()));
        }
        if !is_rolled_out(plan, &function.resource) {
            // What cannot be decrypted tells nothing of a difference, and a version never changes.
            if running.environment.is_err() || latest.environment.is_err() {
                return Ok(Served::Version(version.clone()));
            }
            let told = format!(
                "version {version}, which {physical}:{alias} serves, is configured otherwise than $LATEST, which this \
                 deployment has not changed"
            );
            let hint =
                format!("plumb deploy {stack} --revert-drift puts $LATEST back, or rolls it out where it is right");
            published.left.push(Why::new(told).hint(hint));
            return Ok(Served::Held);
        }
    }
    let new = lambda::publish_version(clients, physical, Some(&latest.code_sha256_raw)).await;
    let new = new.map_err(|error| why(&error))?;
    if new == *version {
        return Ok(Served::Version(new));
    }
    match lambda::update_alias(clients, physical, alias, &new, routes.revision_id.as_deref()).await {
        Ok(()) => {
            published.notes.push(format!("{physical}:{alias} serves version {new}"));
            Ok(Served::Version(new))
        }
        Err(Error { kind: ErrorKind::Conflict, .. }) => {
            let told = format!("{physical}:{alias} was moved by somebody else meanwhile, and not to version {new}");
            published.left.push(Why::new(told).hint(format!("plumb deploy {stack} moves it there")));
            Ok(Served::Left)
        }
        Err(error) => Err(why(&error)),
    }
}

/// Whether a function's configuration is what was deployed, as far as that is known without a look at it: the change set
/// was at it, an earlier one was that did not come to its end, or CloudFormation has just found it in sync.
fn is_rolled_out(plan: &Plan, id: &str) -> bool {
    let is_changed = plan.changes.iter().any(|change| change.logical_id == id && change.act != Act::Sync);
    is_changed || !plan.settled.contains(id) || plan.in_sync.contains(id)
}

/// Writes the receipt of what was deployed of a commit. A deployment that came after this one keeps its own.
pub(super) async fn record(
    draft: &Draft,
    commit: &str,
    after: Option<&StackInfo>,
    items: &BTreeMap<String, Entry>,
    is_whole: bool,
) -> Result<(), Why> {
    let session = &draft.session;
    let unit = UnitId::Stack(draft.stack.name.clone());
    let receipt = Receipt {
        schema: SCHEMA,
        project: session.project().name.clone(),
        environment: session.environment().name.clone(),
        unit: unit.to_string(),
        commit: commit.to_owned(),
        at: now(),
        by: draft.writer.arn.clone(),
        items: items.clone(),
        unsettled: BTreeSet::new(),
        stack_changed_at: after.map(|info| info.changed_at),
        tag: None,
    };
    let newest = |old: Option<Receipt>| match old {
        // Another deployment came after this one.
        Some(old) if old.stack_changed_at > receipt.stack_changed_at => old,
        // What was left as it is keeps the record that it had.
        Some(old) if !is_whole => {
            let items = old.items.into_iter().chain(receipt.items.clone()).collect();
            Receipt { items, ..receipt.clone() }
        }
        _ => receipt.clone(),
    };
    session.receipts().await?.update(&session.clients, &unit, newest).await
}
