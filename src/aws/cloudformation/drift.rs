//! Drift as CloudFormation sees it. It never looks at a function's code, nor at what the template leaves out.

use std::time::Duration;

use aws_sdk_cloudformation::types::{
    DifferenceType, PropertyDifference, StackDriftDetectionStatus, StackResourceDrift, StackResourceDriftStatus,
};
use serde_json::Value;

use super::next;
use crate::aws::limit::Service;
use crate::aws::poll::Poll;
use crate::aws::{Clients, Error, ErrorKind, millis};

/// What the last detection found out about a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DriftStatus {
    /// Every property that the template sets is as the template sets it.
    InSync,
    /// Some property is not.
    Modified,
    /// The resource is gone.
    Deleted,
    /// Not looked at: says nothing.
    NotChecked,
    /// CloudFormation tried and could not tell.
    Unknown,
    /// CloudFormation cannot look at this type.
    Unsupported,
}

impl DriftStatus {
    pub(super) fn of(status: Option<&StackResourceDriftStatus>) -> Self {
        match status {
            Some(StackResourceDriftStatus::InSync) => Self::InSync,
            Some(StackResourceDriftStatus::Modified) => Self::Modified,
            Some(StackResourceDriftStatus::Deleted) => Self::Deleted,
            Some(StackResourceDriftStatus::Unsupported) => Self::Unsupported,
            Some(StackResourceDriftStatus::NotChecked) | None => Self::NotChecked,
            Some(_) => Self::Unknown,
        }
    }
}

/// How a property differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DifferenceKind {
    /// Live has a value in an array or object where the template has none.
    Add,
    /// Live has none where the template has one.
    Remove,
    /// Both have one, and they differ.
    NotEqual,
}

/// One property that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// A JSON pointer, such as `/Environment/Variables/API_URL`.
    pub path: String,
    /// What the template says; a plain string where AWS gives no JSON. `Null` for [`DifferenceKind::Add`].
    pub expected: Value,
    /// What is live. `Null` for [`DifferenceKind::Remove`].
    pub actual: Value,
    /// How they differ.
    pub kind: DifferenceKind,
}

/// What the last detection found out about one resource, in full.
#[derive(Debug, Clone, PartialEq)]
pub struct ResourceDrift {
    /// Its name in the template.
    pub logical_id: String,
    /// Its name or ARN in AWS.
    pub physical_id: Option<String>,
    /// Such as `AWS::Lambda::Function`.
    pub type_name: String,
    /// The result.
    pub status: DriftStatus,
    /// Why there is no result, where AWS says.
    pub status_reason: Option<String>,
    /// The properties that the template sets, resolved.
    pub expected: Option<Value>,
    /// The same properties as they are live.
    pub actual: Option<Value>,
    /// Where the two differ; empty unless modified.
    pub differences: Vec<Difference>,
    /// Milliseconds.
    pub checked_at: i64,
}

/// What the last detection found out, for each resource that it looked at (100 a page).
pub async fn drifts(clients: &Clients, stack: &str) -> Result<Vec<ResourceDrift>, Error> {
    const OPERATION: &str = "cloudformation:DescribeStackResourceDrifts";
    let mut found = Vec::new();
    let mut token = None;
    loop {
        let request = clients
            .cloudformation()
            .describe_stack_resource_drifts()
            .stack_name(stack)
            .max_results(100)
            .set_next_token(token.clone())
            .send();
        let page = clients.send(Service::CloudFormation, OPERATION, stack, request).await?;
        let drifts =
            page.stack_resource_drifts.ok_or_else(|| Error::unreadable(OPERATION, stack, "StackResourceDrifts"))?;
        for drift in drifts {
            found.push(of_drift(drift).ok_or_else(|| Error::unreadable(OPERATION, stack, "name of a resource"))?);
        }
        token = next(OPERATION, stack, token.as_ref(), page.next_token)?;
        if token.is_none() {
            return Ok(found);
        }
    }
}

fn of_drift(drift: StackResourceDrift) -> Option<ResourceDrift> {
    let properties = |text: Option<String>| text.and_then(|text| serde_json::from_str(&text).ok());
    let (expected, actual) = (properties(drift.expected_properties), properties(drift.actual_properties));
    let found = drift.property_differences.unwrap_or_default().into_iter();
    Some(ResourceDrift {
        differences: found.filter_map(|found| difference(found, expected.as_ref(), actual.as_ref())).collect(),
        logical_id: drift.logical_resource_id?,
        physical_id: drift.physical_resource_id.filter(|id| !id.is_empty()),
        type_name: drift.resource_type?,
        status: DriftStatus::of(drift.stack_resource_drift_status.as_ref()),
        status_reason: drift.drift_status_reason.filter(|reason| !reason.is_empty()),
        expected,
        actual,
        checked_at: millis(drift.timestamp.as_ref())?,
    })
}

fn difference(found: PropertyDifference, expected: Option<&Value>, actual: Option<&Value>) -> Option<Difference> {
    let path = found.property_path?;
    Some(Difference {
        expected: value(found.expected_value, expected, &path),
        actual: value(found.actual_value, actual, &path),
        path,
        kind: match found.difference_type? {
            DifferenceType::Add => DifferenceKind::Add,
            DifferenceType::Remove => DifferenceKind::Remove,
            _ => DifferenceKind::NotEqual,
        },
    })
}

/// A difference gives strings without their quotes, so that the string "5" and the number look the same: the
/// properties in full know which it is. AWS writes "null" where there is nothing.
fn value(text: Option<String>, properties: Option<&Value>, path: &str) -> Value {
    if let Some(found) = properties.and_then(|properties| properties.pointer(path)) {
        return found.clone();
    }
    let Some(text) = text else { return Value::Null };
    serde_json::from_str(&text).unwrap_or(Value::String(text))
}

/// Starts a detection over the whole stack and answers its id. [`ErrorKind::Conflict`] while another one runs. It only
/// reads, but makes CloudFormation read every resource with the caller's permissions.
pub async fn detect(clients: &Clients, stack: &str) -> Result<String, Error> {
    const OPERATION: &str = "cloudformation:DetectStackDrift";
    let request = clients.cloudformation().detect_stack_drift().stack_name(stack).send();
    match clients.send(Service::CloudFormation, OPERATION, stack, request).await {
        Ok(answer) => {
            let id = answer.stack_drift_detection_id;
            id.ok_or_else(|| Error::unreadable(OPERATION, stack, "StackDriftDetectionId"))
        }
        Err(error) if error.message.contains("already in progress") => {
            Err(Error { kind: ErrorKind::Conflict, ..error })
        }
        Err(error) => Err(error),
    }
}

/// How far a detection is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DetectionStatus {
    /// It runs.
    InProgress,
    /// It looked at every resource that it can look at.
    Complete,
    /// It could not look at some resource: those it did look at have a result.
    Failed(String),
}

/// A detection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detection {
    /// How far it is.
    pub status: DetectionStatus,
    /// How many resources drifted.
    pub drifted: usize,
    /// When it began, milliseconds.
    pub at: i64,
}

/// How far a detection is, by the id that [`detect`] answered.
pub async fn detection(clients: &Clients, id: &str) -> Result<Detection, Error> {
    const OPERATION: &str = "cloudformation:DescribeStackDriftDetectionStatus";
    let request = clients.cloudformation().describe_stack_drift_detection_status().stack_drift_detection_id(id).send();
    let answer = clients.send(Service::CloudFormation, OPERATION, id, request).await?;
    let reason = answer.detection_status_reason.unwrap_or_default();
    let status = match answer.detection_status {
        Some(StackDriftDetectionStatus::DetectionInProgress) => DetectionStatus::InProgress,
        Some(StackDriftDetectionStatus::DetectionComplete) => DetectionStatus::Complete,
        Some(StackDriftDetectionStatus::DetectionFailed) => DetectionStatus::Failed(reason),
        _ => return Err(Error::unreadable(OPERATION, id, "DetectionStatus")),
    };
    Ok(Detection {
        status,
        drifted: answer.drifted_stack_resource_count.and_then(|count| count.try_into().ok()).unwrap_or_default(),
        at: millis(answer.timestamp.as_ref()).unwrap_or_default(),
    })
}

/// Waits until a detection has ended. [`ErrorKind::Timeout`] after `limit`; the detection goes on.
pub async fn wait_detection(clients: &Clients, id: &str, limit: Duration) -> Result<Detection, Error> {
    let mut poll = Poll::within(limit);
    loop {
        let found = detection(clients, id).await?;
        if found.status != DetectionStatus::InProgress {
            return Ok(found);
        }
        if !poll.again().await {
            let message = format!("the detection still runs after {} s", limit.as_secs());
            let operation = "cloudformation:DescribeStackDriftDetectionStatus";
            return Err(Error::plain(operation, id, ErrorKind::Timeout, message));
        }
    }
}
