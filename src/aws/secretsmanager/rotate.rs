//! Asking for a rotation.

use super::super::limit::Service;
use super::super::{Clients, Error};

/// Has Secrets Manager rotate a secret now, by the function and the schedule that it has, and answers the id of the version
/// that is to come, which is `token`: sending it twice is harmless. The rotation itself goes on after the answer.
pub async fn rotate(clients: &Clients, id: &str, token: &str) -> Result<String, Error> {
    const OPERATION: &str = "secretsmanager:RotateSecret";
    let request = clients.secretsmanager().rotate_secret().secret_id(id).client_request_token(token).send();
    let answer = clients.send(Service::SecretsManager, OPERATION, id, request).await?;
    answer.version_id.ok_or_else(|| Error::unreadable(OPERATION, id, "VersionId"))
}
