//! After a stack was deployed: that what each function serves is what was built, and the receipt that says so.

use std::collections::{BTreeMap, BTreeSet};

use super::artifacts::Uploaded;
use super::draft::Draft;
use super::follow::{LONGEST, Progress};
use super::plan::Plan;
use crate::aws::cloudformation::{self, StackInfo};
use crate::aws::lambda;
use crate::compare::Why;
use crate::config::Function;
use crate::ops::inspect::now;
use crate::ops::receipt::{Entry, Receipt, SCHEMA, UnitId};
use crate::ops::why;

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
/// Where the template makes versions and aliases itself, they are its own business; else the code is published as a
/// version and the alias pointed there. Code that was changed by hand, which CloudFormation never looks at, is put back
/// when that was asked for.
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
        if !is_built(draft, physical, artifact).await? {
            if !draft.ask.revert_drift {
                let told = format!("the code of {physical} was changed by hand, which CloudFormation never looks at");
                published.left.push(Why::new(told).hint("plumb deploy --revert-drift puts it back"));
                continue;
            }
            let code = lambda::Code::S3 { bucket: bucket.clone(), key: artifact.key.clone(), version: None };
            lambda::update_code(clients, physical, code).await.map_err(|error| why(&error))?;
            lambda::wait_updated(clients, physical, LONGEST).await.map_err(|error| why(&error))?;
            published.put_back.push(function.resource.clone());
            published.notes.push(format!("the code of {physical} was put back"));
        }
        let Some(version) = served(draft, function, physical, artifact, &mut published).await? else { continue };
        let entry = Entry {
            commit: artifact.commit.clone(),
            version,
            modified: None,
            at: Some(now()),
            digest: artifact.tree.clone(),
            code_sha256: Some(artifact.code_sha256.clone()),
        };
        published.items.insert(function.resource.clone(), entry);
    }
    Ok(published)
}

/// Whether `$LATEST` is the artifact.
pub(super) async fn is_built(draft: &Draft, physical: &str, artifact: &Uploaded) -> Result<bool, Why> {
    let latest = lambda::function(&draft.session.clients, physical, None).await.map_err(|error| why(&error))?;
    Ok(latest.is_some_and(|latest| latest.code_sha256_raw == artifact.code_sha256))
}

/// The version that is served, after it is this code; `None`: by that alias nothing is.
async fn served(
    draft: &Draft,
    function: &Function,
    physical: &str,
    artifact: &Uploaded,
    published: &mut Published,
) -> Result<Option<String>, Why> {
    let clients = &draft.session.clients;
    let Some(alias) = &function.alias else { return Ok(Some("$LATEST".to_owned())) };
    let Some(routes) = lambda::alias(clients, physical, alias).await.map_err(|error| why(&error))? else {
        // One that is made here would be in the way of a template that makes it.
        let told = format!("{physical} has no alias {alias}, which plumb.toml says serves it");
        published.left.push(Why::new(told).hint(format!(
            "an AWS::Lambda::Alias of {} in the template, or `alias` of that function taken out of plumb.toml",
            function.resource
        )));
        return Ok(None);
    };
    if routes.versions().len() == 1 {
        let version = lambda::function(clients, physical, Some(&routes.version)).await.map_err(|error| why(&error))?;
        if version.is_some_and(|version| version.code_sha256_raw == artifact.code_sha256) {
            return Ok(Some(routes.version.clone()));
        }
    }
    let version = lambda::publish_version(clients, physical, Some(&artifact.code_sha256)).await;
    let version = version.map_err(|error| why(&error))?;
    lambda::update_alias(clients, physical, alias, &version, None).await.map_err(|error| why(&error))?;
    published.notes.push(format!("{physical}:{alias} serves version {version}"));
    Ok(Some(version))
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
