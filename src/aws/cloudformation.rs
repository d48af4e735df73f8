//! CloudFormation: stacks, their resources and templates. Drift is in [`drift`], what happened in [`events`], changing in
//! [`changeset`], and what else is done to a stack in [`operate`].

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_cloudformation::types::{Stack, StackResourceSummary, TemplateStage};

use super::limit::Service;
use super::poll::Poll;
use super::{Clients, Error, ErrorKind, millis};

pub mod changeset;
pub mod drift;
pub mod events;
pub mod operate;

/// What NoEcho parameters show instead of their values.
pub const NO_ECHO: &str = "****";

/// A stack as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackInfo {
    /// Its name.
    pub name: String,
    /// Its ARN, which differs for a later stack of the same name.
    pub id: String,
    /// Such as `UPDATE_COMPLETE`.
    pub status: String,
    /// Why it is in that status, where AWS says.
    pub status_reason: Option<String>,
    /// Milliseconds.
    pub created_at: i64,
    /// When it was last updated, or else created, milliseconds.
    pub changed_at: i64,
    /// Resolved parameters; a NoEcho one shows [`NO_ECHO`].
    pub parameters: BTreeMap<String, String>,
    /// Outputs by key.
    pub outputs: BTreeMap<String, String>,
    /// `IN_SYNC`, `DRIFTED`, `NOT_CHECKED` or `UNKNOWN`, as of the last detection.
    pub drift_status: String,
    /// When drift was last detected, milliseconds.
    pub drift_checked_at: Option<i64>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
    /// The role that CloudFormation uses for it.
    pub role: Option<String>,
    /// Whether it is protected from deletion.
    pub termination_protection: bool,
}

impl StackInfo {
    /// Whether CloudFormation is at work on it.
    #[must_use]
    pub fn in_progress(&self) -> bool {
        // REVIEW_IN_PROGRESS is a stack that has only a change set: nothing goes on.
        self.status.ends_with("_IN_PROGRESS") && self.status != "REVIEW_IN_PROGRESS"
    }
}

/// A stack by name or id; `None` when there is none.
pub async fn stack(clients: &Clients, name: &str) -> Result<Option<StackInfo>, Error> {
    const OPERATION: &str = "cloudformation:DescribeStacks";
    let request = clients.cloudformation().describe_stacks().stack_name(name).send();
    match clients.send(Service::CloudFormation, OPERATION, name, request).await {
        Ok(answer) => {
            let stack = answer.stacks.and_then(|stacks| stacks.into_iter().next()).and_then(info);
            stack.map(Some).ok_or_else(|| Error::unreadable(OPERATION, name, "stack"))
        }
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// All stacks of the account and region that are not deleted, by name.
pub async fn stacks(clients: &Clients) -> Result<Vec<StackInfo>, Error> {
    const OPERATION: &str = "cloudformation:DescribeStacks";
    let mut found = Vec::new();
    let mut token = None;
    loop {
        let request = clients.cloudformation().describe_stacks().set_next_token(token.clone()).send();
        let page = clients.send(Service::CloudFormation, OPERATION, "all stacks", request).await?;
        let stacks = page.stacks.ok_or_else(|| Error::unreadable(OPERATION, "all stacks", "Stacks"))?;
        for stack in stacks {
            found.push(info(stack).ok_or_else(|| Error::unreadable(OPERATION, "all stacks", "name of a stack"))?);
        }
        token = next(OPERATION, "all stacks", token.as_ref(), page.next_token)?;
        if token.is_none() {
            found.sort_by(|one, other| one.name.cmp(&other.name));
            return Ok(found);
        }
    }
}

fn info(stack: Stack) -> Option<StackInfo> {
    let created_at = millis(stack.creation_time.as_ref()).unwrap_or_default();
    let drift = stack.drift_information;
    Some(StackInfo {
        name: stack.stack_name?,
        id: stack.stack_id?,
        status: stack.stack_status?.as_str().to_owned(),
        status_reason: stack.stack_status_reason.filter(|reason| !reason.is_empty()),
        created_at,
        changed_at: millis(stack.last_updated_time.as_ref()).unwrap_or(created_at),
        parameters: stack
            .parameters
            .unwrap_or_default()
            .into_iter()
            .filter_map(|found| Some((found.parameter_key?, found.resolved_value.or(found.parameter_value)?)))
            .collect(),
        outputs: stack
            .outputs
            .unwrap_or_default()
            .into_iter()
            .filter_map(|found| Some((found.output_key?, found.output_value?)))
            .collect(),
        drift_checked_at: millis(drift.as_ref().and_then(|drift| drift.last_check_timestamp.as_ref())),
        drift_status: drift
            .and_then(|drift| drift.stack_drift_status)
            .map_or_else(|| "NOT_CHECKED".into(), |status| status.as_str().to_owned()),
        tags: stack.tags.unwrap_or_default().into_iter().filter_map(|tag| Some((tag.key?, tag.value?))).collect(),
        role: stack.role_arn.filter(|role| !role.is_empty()),
        termination_protection: stack.enable_termination_protection.unwrap_or_default(),
    })
}

/// The token of the next page; an error when it is the one that was just used.
fn next(
    operation: &'static str,
    subject: &str,
    used: Option<&String>,
    token: Option<String>,
) -> Result<Option<String>, Error> {
    let token = token.filter(|token| !token.is_empty());
    if token.is_some() && token.as_ref() == used {
        return Err(Error::unreadable(operation, subject, "end: it repeats a page"));
    }
    Ok(token)
}

/// A resource of a stack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StackResource {
    /// Its name in the template.
    pub logical_id: String,
    /// Its name or ARN in AWS; `None` before it is made.
    pub physical_id: Option<String>,
    /// Such as `AWS::Lambda::Function`.
    pub type_name: String,
    /// Such as `UPDATE_COMPLETE`.
    pub status: String,
    /// Why it is in that status, where AWS says.
    pub status_reason: Option<String>,
    /// When its status last changed, milliseconds.
    pub changed_at: i64,
    /// As of the last detection.
    pub drift_status: drift::DriftStatus,
}

/// All resources of a stack, as the stack lists them (100 a page).
pub async fn resources(clients: &Clients, stack: &str) -> Result<Vec<StackResource>, Error> {
    const OPERATION: &str = "cloudformation:ListStackResources";
    let mut found = Vec::new();
    let mut token = None;
    loop {
        let request =
            clients.cloudformation().list_stack_resources().stack_name(stack).set_next_token(token.clone()).send();
        let page = clients.send(Service::CloudFormation, OPERATION, stack, request).await?;
        let summaries = page
            .stack_resource_summaries
            .ok_or_else(|| Error::unreadable(OPERATION, stack, "StackResourceSummaries"))?;
        for summary in summaries {
            let resource = resource(summary);
            found.push(resource.ok_or_else(|| Error::unreadable(OPERATION, stack, "name of a resource"))?);
        }
        token = next(OPERATION, stack, token.as_ref(), page.next_token)?;
        if token.is_none() {
            return Ok(found);
        }
    }
}

fn resource(summary: StackResourceSummary) -> Option<StackResource> {
    let drift = summary.drift_information.and_then(|drift| drift.stack_resource_drift_status);
    Some(StackResource {
        logical_id: summary.logical_resource_id?,
        physical_id: summary.physical_resource_id.filter(|id| !id.is_empty()),
        type_name: summary.resource_type?,
        status: summary.resource_status?.as_str().to_owned(),
        status_reason: summary.resource_status_reason.filter(|reason| !reason.is_empty()),
        changed_at: millis(summary.last_updated_timestamp.as_ref()).unwrap_or_default(),
        drift_status: drift::DriftStatus::of(drift.as_ref()),
    })
}

/// Which text of a template.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// As it was sent.
    Original,
    /// After its transforms, such as SAM's.
    Processed,
}

/// The template that a stack runs: JSON or YAML.
pub async fn template(clients: &Clients, stack: &str, stage: Stage) -> Result<String, Error> {
    const OPERATION: &str = "cloudformation:GetTemplate";
    let stage = match stage {
        Stage::Original => TemplateStage::Original,
        Stage::Processed => TemplateStage::Processed,
    };
    let request = clients.cloudformation().get_template().stack_name(stack).template_stage(stage).send();
    let answer = clients.send(Service::CloudFormation, OPERATION, stack, request).await?;
    answer.template_body.ok_or_else(|| Error::unreadable(OPERATION, stack, "TemplateBody"))
}

/// Waits until CloudFormation is no longer at work on a stack, and tells what came out; `None` when it is gone. `seen`
/// is shown every state on the way. [`ErrorKind::Timeout`] after `limit`: the work goes on without the waiter.
pub async fn wait_stack(
    clients: &Clients,
    stack_id: &str,
    limit: Duration,
    mut seen: impl FnMut(&StackInfo),
) -> Result<Option<StackInfo>, Error> {
    let mut poll = Poll::within(limit);
    loop {
        let Some(info) = stack(clients, stack_id).await? else { return Ok(None) };
        seen(&info);
        if !info.in_progress() {
            return Ok(Some(info));
        }
        if !poll.again().await {
            let message = format!("still {} after {} s", info.status, limit.as_secs());
            return Err(Error::plain("cloudformation:DescribeStacks", stack_id, ErrorKind::Timeout, message));
        }
    }
}
