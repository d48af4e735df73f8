//! Rolls a commit's template and code out: artifacts, change set, published versions, receipt.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::artifact::{self, Artifact};
use super::inspect::now;
use super::journal::{self, Action, Intent};
use super::receipt::{Entry, Receipt, SCHEMA, UnitId};
use super::session::Session;
use super::{failed, why};
use crate::aws::cloudformation::{
    self, StackInfo, changeset,
    changeset::{ChangeSetRequest, ParameterInput, ResourceChange, TemplateSource},
};
use crate::aws::{lambda, s3};
use crate::compare::Why;
use crate::config::{Function, Stack, StackKind, mapping};
use crate::git::{Repository, Snapshot};
use crate::template::Template;

/// How long a deployment is followed. It goes on without the follower.
const LONGEST: Duration = Duration::from_hours(1);

/// What a deployment did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployed {
    /// The stack.
    pub stack: String,
    /// The commit.
    pub commit: String,
    /// What the change set did; empty when there was nothing to change.
    pub changes: Vec<ResourceChange>,
    /// Why the journal does not hold how it went.
    pub untold: Option<Why>,
}

/// Rolls one stack of a commit out by change set, and writes its receipt.
///
/// `progress` hears one line per step.
pub async fn deploy(
    session: &Session,
    stack: &Stack,
    reference: &str,
    progress: &(dyn Fn(String) + Send + Sync),
) -> Result<Deployed, Why> {
    super::refuse_worktree(reference)?;
    let (session, identity) = session.for_writing().await?;
    let session = &session;
    let repository = session.repository.clone()?;
    let commit = repository.resolve(reference).map_err(|error| failed(&error))?.id;
    let snapshot = Arc::new(repository.snapshot(&commit, &session.prefix).map_err(|error| failed(&error))?);
    let stack = &filled(session, &snapshot, stack).await?;
    let name = stack.name.clone();
    let path = &stack.template;
    let text = template_text(&snapshot, path)?;
    let template = Template::parse(path, &text).map_err(|error| failed(&error))?;
    if stack.kind != StackKind::CloudFormation {
        return Err(Why::new(format!("{name}: only plain CloudFormation stacks can be deployed from here")));
    }
    if stack.functions.iter().any(|function| function.build.is_some()) {
        is_checked_out(&repository, &commit)?;
    }
    let intent = Intent { commit: Some(commit.clone()), ..Intent::new(Action::Deploy, vec![name.clone()]) };
    let work = roll_out(session, stack, &snapshot, &template, text, &identity.arn, progress);
    let (changes, untold) = Box::pin(journal::noted(session, &identity, intent, work, |_| None)).await?;
    Ok(Deployed { stack: name, commit, changes, untold })
}

/// Everything of a deployment that writes. Answers what the change set did.
async fn roll_out(
    session: &Session,
    stack: &Stack,
    snapshot: &Arc<Snapshot>,
    template: &Template,
    text: String,
    by: &str,
    progress: &(dyn Fn(String) + Send + Sync),
) -> Result<Vec<ResourceChange>, Why> {
    let (name, commit) = (stack.name.clone(), snapshot.commit().to_owned());
    let bucket = state_bucket(session).await?;
    let mut uploaded = BTreeMap::new();
    for function in &stack.functions {
        progress(format!("building {}", function.resource));
        let artifact = artifact::build(snapshot, &session.root, function).await?;
        let key = upload(session, &bucket, snapshot, function, &artifact).await?;
        uploaded.insert(function.resource.clone(), (key, artifact));
    }
    let before = cloudformation::stack(&session.clients, &name).await.map_err(|error| why(&error))?;
    let running = match &before {
        Some(info) if info.status != "REVIEW_IN_PROGRESS" => running(session, &name).await?,
        _ => None,
    };
    let request = ChangeSetRequest {
        stack: name.clone(),
        name: format!("plumb-{}-{}", commit.get(..12).unwrap_or(&commit), now()),
        create: before.as_ref().is_none_or(|info| info.status == "REVIEW_IN_PROGRESS"),
        template: TemplateSource::Body(text),
        parameters: parameters(stack, template, before.as_ref(), running.as_ref(), &uploaded),
        tags: stack.tags.clone(),
        capabilities: stack.capabilities.clone(),
        role: None,
        description: Some(format!("{} {commit}", session.project().name)),
        client_token: None,
    };
    progress(format!("working out the change set of {name}"));
    let changes = change(session, &request, progress).await?;
    // By AWS's own clock, so that two deployments know which of them was the later.
    let after = cloudformation::stack(&session.clients, &name).await.map_err(|error| why(&error))?;
    let items = publish(session, stack, snapshot, &commit, &uploaded).await?;
    let receipt = Receipt {
        schema: SCHEMA,
        project: session.project().name.clone(),
        environment: session.environment().name.clone(),
        unit: UnitId::Stack(name.clone()).to_string(),
        commit: commit.clone(),
        at: now(),
        by: by.to_owned(),
        items,
        unsettled: BTreeSet::new(),
        stack_changed_at: after.map(|info| info.changed_at),
        tag: None,
    };
    let newest = |old: Option<Receipt>| match old {
        // Another deployment came after this one.
        Some(old) if old.stack_changed_at > receipt.stack_changed_at => old,
        _ => receipt.clone(),
    };
    session.receipts().await?.update(&session.clients, &UnitId::Stack(name.clone()), newest).await?;
    Ok(changes)
}

/// A build command reads the working tree, so a receipt of its artifact is true only while that is the commit's.
fn is_checked_out(repository: &Repository, commit: &str) -> Result<(), Why> {
    let head = repository.resolve("HEAD").map_err(|error| super::git_why(&error))?;
    let short = commit.get(..7).unwrap_or(commit);
    if head.id != commit {
        return Err(Why::new(format!(
            "refused: a function is built from the working tree, which is not commit {short}"
        ))
        .hint(format!("git switch --detach {short}")));
    }
    if head.dirty {
        return Err(Why::new("refused: a function is built from the working tree, which has uncommitted changes")
            .hint("git stash, or commit"));
    }
    Ok(())
}

/// The template that the stack runs.
async fn running(session: &Session, name: &str) -> Result<Option<Template>, Why> {
    let text = cloudformation::template(&session.clients, name, cloudformation::Stage::Original).await;
    let text = text.map_err(|error| why(&error))?;
    Ok(Template::parse(name, &text).ok())
}

/// The stack with every placeholder filled in, as the commit describes it.
async fn filled(session: &Session, snapshot: &Snapshot, stack: &Stack) -> Result<Stack, Why> {
    let entries = snapshot.list("").map_err(|error| failed(&error))?;
    let listing: Vec<&str> = entries.iter().map(|entry| entry.path.as_str()).collect();
    let name = session.expand(&stack.name).await?;
    let project = super::project::at(&session.settings, snapshot)?;
    let (stacks, problems) = mapping::stacks(&project, &session.bindings().await, &listing);
    stacks.into_iter().find(|filled| filled.name == name).ok_or_else(|| {
        let problem = problems.into_iter().next().map(|problem| problem.why).unwrap_or_default();
        Why::new(format!("{name} cannot be deployed to {}: {problem}", session.environment().name))
    })
}

/// The bucket that holds artifacts and receipts; made when it does not exist.
pub(super) async fn state_bucket(session: &Session) -> Result<String, Why> {
    let bucket = session.receipts().await?.bucket.ok_or_else(|| {
        Why::new("the project names no state bucket, which artifacts go through").hint("set [state] bucket")
    })?;
    s3::ensure_bucket(&session.clients, &bucket).await.map_err(|error| why(&error))?;
    Ok(bucket)
}

fn template_text(snapshot: &Snapshot, path: &str) -> Result<String, Why> {
    let blob = snapshot.read(path).map_err(|error| failed(&error))?;
    let blob = blob.ok_or_else(|| Why::new(format!("{path} is not in commit {}", snapshot.commit())))?;
    String::from_utf8(blob.bytes).map_err(|_| Why::new(format!("{path} is not UTF-8")))
}

/// Sends an artifact under its digest when it is not there yet. Returns its key.
async fn upload(
    session: &Session,
    bucket: &str,
    snapshot: &Snapshot,
    function: &Function,
    artifact: &Artifact,
) -> Result<String, Why> {
    let key = format!("plumb/{}/artifacts/{}.zip", session.project().name, artifact.digest);
    let there = s3::head(&session.clients, bucket, &key).await.map_err(|error| why(&error))?;
    if there.is_none() {
        let tree = super::inspect::source_digest(snapshot, function)?.unwrap_or_default();
        let metadata = BTreeMap::from([("plumb-tree".to_owned(), tree)]);
        let bytes = artifact.bytes.clone();
        s3::put(&session.clients, bucket, &key, bytes, "application/zip", s3::Condition::None, &metadata)
            .await
            .map_err(|error| why(&error))?;
    }
    Ok(key)
}

/// The template's parameters: what the project says, artifacts' keys, and for the rest the template's default or the
/// value that the stack has.
fn parameters(
    stack: &Stack,
    template: &Template,
    before: Option<&StackInfo>,
    running: Option<&Template>,
    uploaded: &BTreeMap<String, (String, Artifact)>,
) -> BTreeMap<String, ParameterInput> {
    let mut parameters = BTreeMap::new();
    for parameter in template.parameters() {
        let name = &parameter.name;
        let artifact = stack
            .functions
            .iter()
            .find(|function| function.artifact_parameter.as_ref() == Some(name))
            .and_then(|function| uploaded.get(&function.resource));
        if let Some((key, _)) = artifact {
            parameters.insert(name.clone(), ParameterInput::Value(key.clone().into()));
        } else if let Some(value) = stack.parameters.get(name) {
            parameters.insert(name.clone(), ParameterInput::Value(value.clone().into()));
        } else if super::inspect::keeps_value(template, running, name)
            && before.is_some_and(|info| info.parameters.contains_key(name))
        {
            parameters.insert(name.clone(), ParameterInput::Previous);
        }
    }
    parameters
}

/// Creates and executes a change set; a change set without changes is deleted, and is no failure.
async fn change(
    session: &Session,
    request: &ChangeSetRequest,
    progress: &(dyn Fn(String) + Send + Sync),
) -> Result<Vec<ResourceChange>, Why> {
    let clients = &session.clients;
    let created = changeset::create_change_set(clients, request).await.map_err(|error| why(&error))?;
    let ready = changeset::wait_change_set(clients, &created.id, LONGEST).await.map_err(|error| why(&error))?;
    if ready.is_empty() {
        changeset::delete_change_set(clients, &created.id).await.map_err(|error| why(&error))?;
        return Ok(Vec::new());
    }
    if ready.status == "FAILED" {
        let reason = ready.status_reason.unwrap_or_default();
        return Err(Why::new(format!("the change set of {} failed: {reason}", request.stack)));
    }
    changeset::execute_change_set(clients, &created.id, None).await.map_err(|error| why(&error))?;
    let after = cloudformation::wait_stack(clients, &created.stack_id, LONGEST, |info| {
        progress(format!("{} {}", info.name, info.status));
    })
    .await
    .map_err(|error| why(&error))?;
    match after {
        Some(info) if info.status.ends_with("_COMPLETE") && !info.status.contains("ROLLBACK") => Ok(ready.changes),
        Some(info) => {
            let reason = info.status_reason.unwrap_or_default();
            Err(Why::new(format!("{} ended in {}: {reason}", info.name, info.status)))
        }
        None => Err(Why::new(format!("{} is gone", request.stack))),
    }
}

/// Sees that what each alias serves is what was built, and tells what the receipt has to say.
///
/// Where the template makes versions and aliases itself, they are its own business; else the code is published as a
/// version and the alias pointed there.
async fn publish(
    session: &Session,
    stack: &Stack,
    snapshot: &Snapshot,
    commit: &str,
    uploaded: &BTreeMap<String, (String, Artifact)>,
) -> Result<BTreeMap<String, Entry>, Why> {
    let resources = cloudformation::resources(&session.clients, &stack.name).await.map_err(|error| why(&error))?;
    let mut items = BTreeMap::new();
    for function in &stack.functions {
        let resource = resources.iter().find(|resource| resource.logical_id == function.resource);
        let Some(physical) = resource.and_then(|resource| resource.physical_id.as_deref()) else { continue };
        let Some((_, artifact)) = uploaded.get(&function.resource) else { continue };
        let version = match &function.alias {
            None => "$LATEST".to_owned(),
            Some(alias) => served(session, physical, alias, &artifact.code_sha256).await?,
        };
        let digest = super::inspect::source_digest(snapshot, function)?.unwrap_or_default();
        let entry = Entry {
            commit: commit.to_owned(),
            version,
            modified: None,
            at: Some(now()),
            digest,
            code_sha256: Some(artifact.code_sha256.clone()),
        };
        items.insert(function.resource.clone(), entry);
    }
    Ok(items)
}

/// The version that an alias serves, after it serves this code.
async fn served(session: &Session, function: &str, alias: &str, code_sha256: &str) -> Result<String, Why> {
    let clients = &session.clients;
    let routes = lambda::alias(clients, function, alias).await.map_err(|error| why(&error))?;
    if let Some(routes) = &routes
        && routes.versions().len() == 1
    {
        let version = lambda::function(clients, function, Some(&routes.version)).await.map_err(|error| why(&error))?;
        if version.is_some_and(|version| version.code_sha256_raw == code_sha256) {
            return Ok(routes.version.clone());
        }
    }
    let version = lambda::publish_version(clients, function, Some(code_sha256)).await.map_err(|error| why(&error))?;
    lambda::update_alias(clients, function, alias, &version, None).await.map_err(|error| why(&error))?;
    Ok(version)
}
