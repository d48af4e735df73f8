//! Calling a function and waiting for what it answers.

use aws_sdk_lambda::operation::RequestId;
use aws_smithy_types::Blob;

use super::super::limit::Service;
use super::super::{Clients, Error};

/// What a function answered. Its payload may be a plaintext, so there is no `Debug`.
pub struct Invoked {
    /// As the function wrote it.
    pub payload: Vec<u8>,
    /// `Handled` or `Unhandled`, when it failed; the payload then says how.
    pub failed: Option<String>,
    /// AWS's id of the call, which the function's log has too.
    pub request_id: Option<String>,
}

/// Calls a function by name or ARN, with a version or alias in it or not.
pub async fn invoke(clients: &Clients, function: &str, payload: Vec<u8>) -> Result<Invoked, Error> {
    let request = clients.lambda().invoke().function_name(function).payload(Blob::new(payload)).send();
    let answer = clients.send(Service::Lambda, "lambda:InvokeFunction", function, request).await?;
    Ok(Invoked {
        request_id: answer.request_id().map(str::to_owned),
        payload: answer.payload.map(Blob::into_inner).unwrap_or_default(),
        failed: answer.function_error,
    })
}
