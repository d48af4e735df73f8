//! The last lines of a function's log, where a function is the cause of a failure.

use serde_json::Value;

use crate::aws::logs::{self, Query};
use crate::aws::{Error, cloudformation, lambda};
use crate::compare::Why;
use crate::ops::deploy::{Failure, Happened};
use crate::ops::session::Session;
use crate::ops::why;
use crate::secret::Secret;
use crate::template::Template;

/// How long before the failure its first line of interest may be, in milliseconds: less where there are too many lines, since
/// they come the earliest first.
const BEFORE: [i64; 4] = [300_000, 30_000, 3_000, 300];

/// How long after it its last one may be. What is written later is of the rollback.
const AFTER: i64 = 2_000;

/// The most lines that are read, and that are told.
const READ: usize = 10_000;
const TOLD: usize = 5;

/// The last lines that the function wrote by which something failed: the one itself, or the one behind a custom resource.
/// `None`: no function is the cause.
pub async fn last_lines(session: &Session, stack: &str, failure: &Failure) -> Option<Result<Vec<Secret>, Why>> {
    let event = &failure.event;
    let function = match event.type_name.as_str() {
        "AWS::Lambda::Function" => failure.physical_id.clone().filter(|id| !id.is_empty())?,
        "AWS::CloudFormation::CustomResource" => behind(session, stack, event).await?,
        custom if custom.starts_with("Custom::") => behind(session, stack, event).await?,
        _ => return None,
    };
    Some(written(session, &function, event.at).await.map_err(|error| why(&error)))
}

/// The last lines that a function wrote until then.
async fn written(session: &Session, function: &str, at: i64) -> Result<Vec<Secret>, Error> {
    let clients = &session.clients;
    let group = lambda::log_group(clients, function).await?;
    let mut lines = Vec::new();
    for before in BEFORE {
        let (from, until) = (at - before, Some(at + AFTER));
        let found = logs::filter(clients, Query { group: &group, from, until, filter: None, limit: READ }).await?;
        lines = found.lines;
        if !found.is_cut {
            break;
        }
    }
    lines.sort_by_key(|line| line.at);
    let skip = lines.len().saturating_sub(TOLD);
    Ok(lines.into_iter().skip(skip).map(|line| line.message).collect())
}

/// The function of the same stack that answers for a custom resource.
async fn behind(session: &Session, stack: &str, event: &Happened) -> Option<String> {
    let clients = &session.clients;
    let physical = async |stack: &str, id: &str| {
        let resources = cloudformation::resources(clients, stack).await.ok()?;
        resources.into_iter().find(|found| found.logical_id == id)?.physical_id
    };
    let mut stack = stack.to_owned();
    for within in &event.path {
        stack = physical(&stack, within).await?;
    }
    let text = cloudformation::template(clients, &stack, cloudformation::Stage::Original).await.ok()?;
    let template = Template::parse(&stack, &text).ok()?;
    match template.resource(&event.logical_id)?.properties.get("ServiceToken")?.clone() {
        Value::String(arn) => Some(arn),
        token => physical(&stack, token.get("Fn::GetAtt")?.get(0)?.as_str()?).await,
    }
}
