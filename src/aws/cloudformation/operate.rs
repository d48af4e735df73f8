//! What is done to a stack beside changing it: deleting it, and the ways out of where it got stuck.

use crate::aws::limit::Service;
use crate::aws::{Clients, Error, ErrorKind};

/// Begins to delete a stack, by its ARN. `retain` are resources of a stack in DELETE_FAILED that are left behind.
/// `client_token` marks the stack's events of it.
pub async fn delete_stack(
    clients: &Clients,
    stack: &str,
    retain: &[String],
    client_token: Option<&str>,
) -> Result<(), Error> {
    let request = clients
        .cloudformation()
        .delete_stack()
        .stack_name(stack)
        .set_retain_resources((!retain.is_empty()).then(|| retain.to_vec()))
        .set_client_request_token(client_token.map(str::to_owned))
        .send();
    clients.send(Service::CloudFormation, "cloudformation:DeleteStack", stack, request).await.map(drop)
}

/// Begins to take an update back that is under way. [`ErrorKind::Conflict`]: none is, or no longer.
pub async fn cancel_update(clients: &Clients, stack: &str, client_token: Option<&str>) -> Result<(), Error> {
    let request = clients
        .cloudformation()
        .cancel_update_stack()
        .stack_name(stack)
        .set_client_request_token(client_token.map(str::to_owned))
        .send();
    match clients.send(Service::CloudFormation, "cloudformation:CancelUpdateStack", stack, request).await {
        Err(error) if error.message.contains("cannot be called from current stack status") => {
            Err(Error { kind: ErrorKind::Conflict, ..error })
        }
        sent => sent.map(drop),
    }
}

/// Goes on with a rollback that failed, without the resources of `skip`, which CloudFormation then takes to be as they
/// should.
pub async fn continue_rollback(
    clients: &Clients,
    stack: &str,
    skip: &[String],
    client_token: Option<&str>,
) -> Result<(), Error> {
    let request = clients
        .cloudformation()
        .continue_update_rollback()
        .stack_name(stack)
        .set_resources_to_skip((!skip.is_empty()).then(|| skip.to_vec()))
        .set_client_request_token(client_token.map(str::to_owned))
        .send();
    clients.send(Service::CloudFormation, "cloudformation:ContinueUpdateRollback", stack, request).await.map(drop)
}

/// Begins to roll a stack back that failed and was told to stay so.
pub async fn rollback(clients: &Clients, stack: &str, client_token: Option<&str>) -> Result<(), Error> {
    let request = clients
        .cloudformation()
        .rollback_stack()
        .stack_name(stack)
        .set_client_request_token(client_token.map(str::to_owned))
        .send();
    clients.send(Service::CloudFormation, "cloudformation:RollbackStack", stack, request).await.map(drop)
}

/// Protects a stack from being deleted, or no longer.
pub async fn protect(clients: &Clients, stack: &str, protect: bool) -> Result<(), Error> {
    const OPERATION: &str = "cloudformation:UpdateTerminationProtection";
    let request = clients
        .cloudformation()
        .update_termination_protection()
        .stack_name(stack)
        .enable_termination_protection(protect)
        .send();
    clients.send(Service::CloudFormation, OPERATION, stack, request).await.map(drop)
}
