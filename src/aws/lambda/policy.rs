//! Who may call a function, by its own policy.

use crate::aws::limit::Service;
use crate::aws::{Clients, Error, ErrorKind};

/// The function's policy as JSON; `None`: it has none.
pub async fn policy(clients: &Clients, function: &str) -> Result<Option<String>, Error> {
    let request = clients.lambda().get_policy().function_name(function).send();
    match clients.send(Service::Lambda, "lambda:GetPolicy", function, request).await {
        Ok(answer) => Ok(answer.policy),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
