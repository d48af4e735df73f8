//! Calling a function and waiting for what it answers.

use std::time::Duration;

use aws_sdk_lambda::config::Builder;
use aws_sdk_lambda::config::retry::RetryConfig;
use aws_sdk_lambda::config::timeout::TimeoutConfig;
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

/// The longest that a function can run, and some time for its answer.
const LONGEST: Duration = Duration::from_secs(15 * 60 + 30);

/// Calls a function by name or ARN, with a version or alias in it or not.
pub async fn invoke(clients: &Clients, function: &str, payload: Vec<u8>) -> Result<Invoked, Error> {
    called(clients, function, payload, None).await
}

/// The same with a function that works for minutes: it is called once, and its answer is waited for as long as it may run.
pub async fn invoke_long(clients: &Clients, function: &str, payload: Vec<u8>) -> Result<Invoked, Error> {
    let times = TimeoutConfig::builder().operation_timeout(LONGEST).operation_attempt_timeout(LONGEST);
    let patient = times.read_timeout(LONGEST).build();
    let once = Builder::new().timeout_config(patient).retry_config(RetryConfig::disabled());
    called(clients, function, payload, Some(once)).await
}

async fn called(clients: &Clients, function: &str, payload: Vec<u8>, own: Option<Builder>) -> Result<Invoked, Error> {
    let request = clients.lambda().invoke().function_name(function).payload(Blob::new(payload)).customize();
    let request = match own {
        Some(own) => request.config_override(own),
        None => request,
    };
    let answer = clients.send(Service::Lambda, "lambda:InvokeFunction", function, request.send()).await?;
    Ok(Invoked {
        request_id: answer.request_id().map(str::to_owned),
        payload: answer.payload.map(Blob::into_inner).unwrap_or_default(),
        failed: answer.function_error,
    })
}
