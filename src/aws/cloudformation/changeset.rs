//! Change sets: how a stack is changed, and what that would do.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_cloudformation::types as aws;

use super::next;
use crate::aws::limit::Service;
use crate::aws::poll::Poll;
use crate::aws::{Clients, Error, ErrorKind, millis};
use crate::secret::Secret;

/// Where the new template is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplateSource {
    /// Its text, up to 51,200 bytes.
    Body(String),
    /// `https://…` of an object in S3, up to 1 MB.
    Url(String),
    /// The one that the stack has.
    Previous,
}

/// A parameter of the stack to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ParameterInput {
    /// This value; it may be a NoEcho one.
    Value(Secret),
    /// The value that the stack has.
    Previous,
}

/// What a stack shall become.
#[derive(Debug, Clone)]
pub struct ChangeSetRequest {
    /// The stack's name or id.
    pub stack: String,
    /// The change set's name: letters, digits, hyphens.
    pub name: String,
    /// Whether the stack is not there yet.
    pub create: bool,
    /// Its template.
    pub template: TemplateSource,
    /// Its parameters by name; what is left out takes the template's default.
    pub parameters: BTreeMap<String, ParameterInput>,
    /// All of its tags: those that are left out are taken off.
    pub tags: BTreeMap<String, String>,
    /// Such as `CAPABILITY_IAM`.
    pub capabilities: Vec<String>,
    /// The role that CloudFormation shall use; `None` keeps the one that the stack has.
    pub role: Option<String>,
    /// What it is for: shown in the console of AWS.
    pub description: Option<String>,
    /// Makes sending it twice harmless.
    pub client_token: Option<String>,
    /// Whether what was changed by hand is put back too, where the template did not change.
    pub revert_drift: bool,
    /// Whether stacks within get change sets of their own, so that what is done to them is seen.
    pub nested: bool,
}

/// Names of a change set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// The change set's ARN.
    pub id: String,
    /// The stack's ARN, also for a stack that is to be made.
    pub stack_id: String,
}

/// Begins to work a change set out. Nothing changes yet; [`wait_change_set`] tells when it is ready. Creating one for
/// a new stack makes a stack in REVIEW_IN_PROGRESS.
pub async fn create_change_set(clients: &Clients, request: &ChangeSetRequest) -> Result<Created, Error> {
    const OPERATION: &str = "cloudformation:CreateChangeSet";
    let kind = if request.create { aws::ChangeSetType::Create } else { aws::ChangeSetType::Update };
    let parameters = request.parameters.iter().map(|(key, input)| {
        let parameter = aws::Parameter::builder().parameter_key(key);
        match input {
            ParameterInput::Value(value) => parameter.parameter_value(value.expose()),
            ParameterInput::Previous => parameter.use_previous_value(true),
        }
        .build()
    });
    let tags = request.tags.iter().map(|(key, value)| aws::Tag::builder().key(key).value(value).build());
    let capabilities = request.capabilities.iter().map(|name| aws::Capability::from(name.as_str()));
    let built = clients
        .cloudformation()
        .create_change_set()
        .stack_name(&request.stack)
        .change_set_name(&request.name)
        .change_set_type(kind)
        .set_parameters(Some(parameters.collect()))
        .set_tags(Some(tags.collect()))
        .set_capabilities(Some(capabilities.collect()))
        .set_role_arn(request.role.clone())
        .set_description(request.description.clone())
        .set_client_token(request.client_token.clone())
        .set_include_nested_stacks(request.nested.then_some(true))
        .set_deployment_mode(request.revert_drift.then_some(aws::DeploymentMode::RevertDrift));
    let built = match &request.template {
        TemplateSource::Body(text) => built.template_body(text),
        TemplateSource::Url(url) => built.template_url(url),
        TemplateSource::Previous => built.use_previous_template(true),
    };
    let sent = clients.send(Service::CloudFormation, OPERATION, &request.stack, built.send()).await;
    let answer = sent.map_err(|error| without_values(error, request))?;
    Ok(Created {
        id: answer.id.ok_or_else(|| Error::unreadable(OPERATION, &request.stack, "Id"))?,
        stack_id: answer.stack_id.ok_or_else(|| Error::unreadable(OPERATION, &request.stack, "StackId"))?,
    })
}

fn without_values(error: Error, request: &ChangeSetRequest) -> Error {
    request.parameters.values().fold(error, |error, input| match input {
        ParameterInput::Value(value) => error.without(value),
        ParameterInput::Previous => error,
    })
}

/// A change set as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeSet {
    /// Its ARN.
    pub id: String,
    /// The stack's ARN.
    pub stack_id: String,
    /// `CREATE_COMPLETE`, `FAILED`, ….
    pub status: String,
    /// Why it failed, where it did.
    pub status_reason: Option<String>,
    /// `AVAILABLE` when it can be executed.
    pub execution_status: String,
    /// Milliseconds.
    pub created_at: Option<i64>,
    /// What it would do to each resource.
    pub changes: Vec<ResourceChange>,
}

impl ChangeSet {
    /// Whether it failed because there is nothing to change.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let reason = self.status_reason.as_deref().unwrap_or_default();
        self.status == "FAILED"
            && (reason.contains("didn't contain changes") || reason.contains("No updates are to be performed"))
    }
}

/// What a change set would do to a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceChange {
    /// `Add`, `Modify`, `Remove`, `Import`, `Dynamic`.
    pub action: String,
    /// Its name in the template.
    pub logical_id: String,
    /// Its name or ARN in AWS, where it has one already.
    pub physical_id: Option<String>,
    /// Such as `AWS::Lambda::Function`.
    pub type_name: String,
    /// `True`, `False` or `Conditional`: whether a modification makes a new one and deletes the old.
    pub replacement: Option<String>,
    /// What becomes of what is deleted or replaced: `Delete`, `Retain`, `Snapshot`, `ReplaceAndRetain`, ….
    pub policy: Option<String>,
    /// The resource as it is, as JSON, where AWS gives it; it may hold secrets.
    pub before: Option<Secret>,
    /// The resource as it will be.
    pub after: Option<Secret>,
    /// What is touched: `Properties`, `Tags`, `Metadata`, `DeletionPolicy`, ….
    pub scope: Vec<String>,
    /// Why, property by property.
    pub details: Vec<ChangeDetail>,
    /// What was changed by hand and stays so, and why: `MANAGED_BY_AWS`, `WRITE_ONLY_PROPERTY`, …. Only of a drift-aware
    /// change set.
    pub drift_ignored: Vec<(String, String)>,
    /// Of a stack within: the change set that says what is done to it.
    pub change_set: Option<String>,
}

/// Why a resource would be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeDetail {
    /// `Properties`, `Tags`, ….
    pub attribute: String,
    /// The property's name.
    pub name: Option<String>,
    /// JSON pointer into the resource, where AWS gives it.
    pub path: Option<String>,
    /// `Always`, `Never` or `Conditionally`.
    pub requires_recreation: Option<String>,
    /// `Static` or `Dynamic`: whether it is certain already.
    pub evaluation: Option<String>,
    /// `DirectModification`, `ParameterReference`, `ResourceReference`, `ResourceAttribute`, `Automatic`.
    pub source: Option<String>,
    /// The parameter or attribute that causes it.
    pub caused_by: Option<String>,
    /// The value that is there; it may be a secret.
    pub before: Option<Secret>,
    /// The value that will be.
    pub after: Option<Secret>,
}

/// A change set with all its changes, by its ARN.
pub async fn describe_change_set(clients: &Clients, id: &str) -> Result<ChangeSet, Error> {
    const OPERATION: &str = "cloudformation:DescribeChangeSet";
    let mut changes = Vec::new();
    let mut token = None;
    loop {
        let request = clients
            .cloudformation()
            .describe_change_set()
            .change_set_name(id)
            .include_property_values(true)
            .set_next_token(token.clone())
            .send();
        let page = clients.send(Service::CloudFormation, OPERATION, id, request).await?;
        changes.extend(page.changes.unwrap_or_default().into_iter().filter_map(|change| change.resource_change));
        token = next(OPERATION, id, token.as_ref(), page.next_token)?;
        if token.is_none() {
            let status = page.status.ok_or_else(|| Error::unreadable(OPERATION, id, "Status"))?;
            return Ok(ChangeSet {
                id: page.change_set_id.unwrap_or_else(|| id.into()),
                stack_id: page.stack_id.unwrap_or_default(),
                status: status.as_str().to_owned(),
                status_reason: page.status_reason.filter(|reason| !reason.is_empty()),
                execution_status: page.execution_status.map_or_else(String::new, |status| status.as_str().to_owned()),
                created_at: millis(page.creation_time.as_ref()),
                changes: changes.into_iter().map(change).collect(),
            });
        }
    }
}

fn change(found: aws::ResourceChange) -> ResourceChange {
    ResourceChange {
        action: found.action.map_or_else(String::new, |action| action.as_str().to_owned()),
        logical_id: found.logical_resource_id.unwrap_or_default(),
        physical_id: found.physical_resource_id.filter(|id| !id.is_empty()),
        type_name: found.resource_type.unwrap_or_default(),
        replacement: found.replacement.map(|replacement| replacement.as_str().to_owned()),
        policy: found.policy_action.map(|policy| policy.as_str().to_owned()),
        before: found.before_context.filter(|text| !text.is_empty()).map(Secret::new),
        after: found.after_context.filter(|text| !text.is_empty()).map(Secret::new),
        scope: found.scope.unwrap_or_default().iter().map(|scope| scope.as_str().to_owned()).collect(),
        details: found.details.unwrap_or_default().into_iter().map(detail).collect(),
        drift_ignored: found.resource_drift_ignored_attributes.unwrap_or_default().into_iter().map(ignored).collect(),
        change_set: found.change_set_id.filter(|id| !id.is_empty()),
    }
}

fn ignored(found: aws::ResourceDriftIgnoredAttribute) -> (String, String) {
    let reason = found.reason.map_or_else(|| "no reason given".to_owned(), |reason| reason.as_str().to_owned());
    (found.path.unwrap_or_default(), reason)
}

fn detail(found: aws::ResourceChangeDetail) -> ChangeDetail {
    let target = found.target;
    let of_target =
        |read: fn(&aws::ResourceTargetDefinition) -> Option<&str>| target.as_ref().and_then(read).map(str::to_owned);
    ChangeDetail {
        attribute: of_target(|target| target.attribute.as_ref().map(aws::ResourceAttribute::as_str))
            .unwrap_or_default(),
        name: of_target(|target| target.name.as_deref()),
        path: of_target(|target| target.path.as_deref()),
        requires_recreation: of_target(|target| {
            target.requires_recreation.as_ref().map(aws::RequiresRecreation::as_str)
        }),
        before: of_target(|target| actual(target).or(target.before_value.as_deref())).map(Secret::new),
        after: of_target(|target| target.after_value.as_deref()).map(Secret::new),
        evaluation: found.evaluation.map(|evaluation| evaluation.as_str().to_owned()),
        source: found.change_source.map(|source| source.as_str().to_owned()),
        caused_by: found.causing_entity.filter(|entity| !entity.is_empty()),
    }
}

/// What is live, where the change set compares with the last deployment instead.
fn actual(target: &aws::ResourceTargetDefinition) -> Option<&str> {
    let is_of_deployment = target.before_value_from == Some(aws::BeforeValueFrom::PreviousDeploymentState);
    target.drift.as_ref().filter(|_| is_of_deployment)?.actual_value.as_deref()
}

/// Waits until a change set is worked out: then it can be executed, or [`ChangeSet::is_empty`], or it failed.
/// [`ErrorKind::Timeout`] after `limit`.
pub async fn wait_change_set(clients: &Clients, id: &str, limit: Duration) -> Result<ChangeSet, Error> {
    let mut poll = Poll::within(limit);
    loop {
        let found = describe_change_set(clients, id).await?;
        if !found.status.ends_with("_PENDING") && !found.status.ends_with("_IN_PROGRESS") {
            return Ok(found);
        }
        if !poll.again().await {
            let message = format!("still {} after {} s", found.status, limit.as_secs());
            return Err(Error::plain("cloudformation:DescribeChangeSet", id, ErrorKind::Timeout, message));
        }
    }
}

/// Whether a change set is still being worked out, by its name and that of its stack.
pub async fn is_worked_on(clients: &Clients, name: &str, stack: &str) -> Result<bool, Error> {
    let request = clients.cloudformation().describe_change_set().change_set_name(name).stack_name(stack).send();
    let found = clients.send(Service::CloudFormation, "cloudformation:DescribeChangeSet", name, request).await?;
    Ok(matches!(found.status, Some(aws::ChangeSetStatus::CreatePending | aws::ChangeSetStatus::CreateInProgress)))
}

/// The names of a stack's change sets, but for those that are being deleted; none where there is no such stack.
pub async fn names(clients: &Clients, stack: &str) -> Result<Vec<String>, Error> {
    const OPERATION: &str = "cloudformation:ListChangeSets";
    let mut found = Vec::new();
    let mut token = None;
    loop {
        let request =
            clients.cloudformation().list_change_sets().stack_name(stack).set_next_token(token.clone()).send();
        let page = match clients.send(Service::CloudFormation, OPERATION, stack, request).await {
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(found),
            page => page?,
        };
        for summary in page.summaries.unwrap_or_default() {
            let is_going = summary.status.as_ref().is_some_and(|status| {
                matches!(status.as_str(), "DELETE_PENDING" | "DELETE_IN_PROGRESS" | "DELETE_COMPLETE")
            });
            let name = summary.change_set_name;
            let name = name.ok_or_else(|| Error::unreadable(OPERATION, stack, "name of a change set"))?;
            if !is_going {
                found.push(name);
            }
        }
        token = next(OPERATION, stack, token.as_ref(), page.next_token)?;
        if token.is_none() {
            return Ok(found);
        }
    }
}

/// Begins to execute a change set, by its ARN. The stack is named too: an ARN does not say whose it is, and whoever reads
/// CloudTrail has nothing else. `client_token` marks the stack's events of it.
pub async fn execute_change_set(
    clients: &Clients,
    id: &str,
    stack: &str,
    client_token: Option<&str>,
) -> Result<(), Error> {
    let request = clients
        .cloudformation()
        .execute_change_set()
        .change_set_name(id)
        .stack_name(stack)
        .set_client_request_token(client_token.map(str::to_owned))
        .send();
    clients.send(Service::CloudFormation, "cloudformation:ExecuteChangeSet", id, request).await.map(drop)
}

/// Deletes a change set, by its ARN, or by its name and that of its stack; that there is none is no error. A stack that
/// was only under review stays.
pub async fn delete_change_set(clients: &Clients, id: &str, stack: Option<&str>) -> Result<(), Error> {
    let request = clients
        .cloudformation()
        .delete_change_set()
        .change_set_name(id)
        .set_stack_name(stack.map(str::to_owned))
        .send();
    match clients.send(Service::CloudFormation, "cloudformation:DeleteChangeSet", id, request).await {
        Err(error) if error.kind != ErrorKind::NotFound => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}
