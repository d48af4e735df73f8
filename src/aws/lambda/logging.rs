//! Where a function writes its log.

use crate::aws::limit::Service;
use crate::aws::{Clients, Error, ErrorKind};

/// The name of the log group of a function, by its name or ARN; what it is without a word of the function's, where there is
/// none, or no longer a function.
pub async fn log_group(clients: &Clients, function: &str) -> Result<String, Error> {
    const OPERATION: &str = "lambda:GetFunctionConfiguration";
    let request = clients.lambda().get_function_configuration().function_name(function).send();
    let stated = match clients.send(Service::Lambda, OPERATION, function, request).await {
        Ok(answer) => answer.logging_config.and_then(|logging| logging.log_group),
        Err(error) if error.kind == ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    // `arn:aws:lambda:REGION:ACCOUNT:function:NAME`, and perhaps a qualifier.
    let name = function.split(':').nth(6).unwrap_or(function);
    Ok(stated.filter(|group| !group.is_empty()).unwrap_or_else(|| format!("/aws/lambda/{name}")))
}
