//! The last lines of a function's log, where a function is the cause of a failure.

use crate::aws::cloudformation;
use crate::aws::logs::{self, Query};
use crate::compare::Why;
use crate::ops::deploy::Failure;
use crate::ops::session::Session;
use crate::ops::why;
use crate::secret::Secret;
use crate::template::Template;

/// How long before the failure its first line of interest may be, in milliseconds.
const BEFORE: i64 = 300_000;

/// The most lines that are read, and that are told.
const READ: usize = 1000;
const TOLD: usize = 5;

/// The last lines that the function wrote by which something failed: the one itself, or the one behind a custom resource.
/// `None`: no function is the cause.
pub async fn last_lines(session: &Session, stack: &str, failure: &Failure) -> Option<Result<Vec<Secret>, Why>> {
    let event = &failure.event;
    let function = match event.type_name.as_str() {
        "AWS::Lambda::Function" => failure.physical_id.clone().filter(|id| !id.is_empty())?,
        "AWS::CloudFormation::CustomResource" => behind(session, stack, &event.logical_id).await?,
        custom if custom.starts_with("Custom::") => behind(session, stack, &event.logical_id).await?,
        _ => return None,
    };
    let name = function.rsplit(':').next().unwrap_or(&function);
    let group = format!("/aws/lambda/{name}");
    let query = Query { group: &group, from: event.at - BEFORE, filter: None, limit: READ };
    let lines = logs::filter(&session.clients, query).await.map_err(|error| why(&error));
    Some(lines.map(|found| {
        let skip = found.lines.len().saturating_sub(TOLD);
        found.lines.into_iter().skip(skip).map(|line| line.message).collect()
    }))
}

/// The function that answers for a custom resource of the stack itself.
async fn behind(session: &Session, stack: &str, resource: &str) -> Option<String> {
    let clients = &session.clients;
    let text = cloudformation::template(clients, stack, cloudformation::Stage::Original).await.ok()?;
    let template = Template::parse(stack, &text).ok()?;
    let token = template.resource(resource)?.properties.get("ServiceToken")?.clone();
    let logical = match &token {
        serde_json::Value::String(arn) => return Some(arn.clone()),
        token => token.get("Fn::GetAtt")?.get(0)?.as_str()?.to_owned(),
    };
    let resources = cloudformation::resources(clients, stack).await.ok()?;
    resources.into_iter().find(|found| found.logical_id == logical)?.physical_id
}
