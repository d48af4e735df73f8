//! Asking for a rotation.

use super::super::limit::Service;
use super::super::{Clients, Error};

/// Has Secrets Manager rotate a secret now, by the function that it has. `token` becomes the id of the version that is to
/// come, so that sending it twice is harmless. The rotation itself goes on after the answer.
pub async fn rotate(clients: &Clients, id: &str, token: &str) -> Result<(), Error> {
    let request = clients.secretsmanager().rotate_secret().secret_id(id).client_request_token(token).send();
    clients.send(Service::SecretsManager, "secretsmanager:RotateSecret", id, request).await.map(drop)
}
