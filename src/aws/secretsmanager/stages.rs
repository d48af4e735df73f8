//! Versions of secrets and the stages that say which of them counts; deletion and its way back.

use aws_sdk_secretsmanager::types::SecretVersionsListEntry;

use super::values::{SecretValue, read};
use crate::aws::limit::Service;
use crate::aws::{Clients, Error, ErrorKind, Read, millis};
use crate::secret::Secret;

/// The stage of the version that everybody reads.
pub const CURRENT: &str = "AWSCURRENT";

/// Makes a version that nobody reads yet: it carries `stage` alone, and its id is `token`, so that sending it twice is
/// harmless. Without a stage of its own a new version would be current at once, whatever is current by then.
pub async fn stage(clients: &Clients, id: &str, value: &Secret, token: &str, stage: &str) -> Result<String, Error> {
    const OPERATION: &str = "secretsmanager:PutSecretValue";
    let request = clients
        .secretsmanager()
        .put_secret_value()
        .secret_id(id)
        .secret_string(value.expose())
        .client_request_token(token)
        .version_stages(stage)
        .send();
    let sent = clients.send(Service::SecretsManager, OPERATION, id, request).await;
    let answer = sent.map_err(|error| error.without(value))?;
    answer.version_id.ok_or_else(|| Error::unreadable(OPERATION, id, "VersionId"))
}

/// Makes version `to` the current one, if `from` still is: else [`ErrorKind::Conflict`], and nothing is changed.
pub async fn promote(clients: &Clients, id: &str, to: &str, from: &str) -> Result<(), Error> {
    move_stage(clients, id, CURRENT, Some(to), from).await
}

/// Takes a stage off a version.
pub async fn unstage(clients: &Clients, id: &str, stage: &str, from: &str) -> Result<(), Error> {
    move_stage(clients, id, stage, None, from).await
}

async fn move_stage(clients: &Clients, id: &str, stage: &str, to: Option<&str>, from: &str) -> Result<(), Error> {
    let request = clients
        .secretsmanager()
        .update_secret_version_stage()
        .secret_id(id)
        .version_stage(stage)
        .set_move_to_version_id(to.map(str::to_owned))
        .remove_from_version_id(from)
        .send();
    let sent = clients.send(Service::SecretsManager, "secretsmanager:UpdateSecretVersionStage", id, request).await;
    match sent {
        Ok(_) => Ok(()),
        // "The staging label AWSCURRENT is currently attached to version …"
        Err(error) if error.code.as_deref() == Some("InvalidParameterException") => {
            Err(Error { kind: ErrorKind::Conflict, ..error })
        }
        Err(error) => Err(error),
    }
}

/// Schedules a secret for deletion, after a window of 7 to 30 days in which it can be restored.
pub async fn delete(clients: &Clients, id: &str, days: i64) -> Result<(), Error> {
    let request = clients.secretsmanager().delete_secret().secret_id(id).recovery_window_in_days(days).send();
    clients.send(Service::SecretsManager, "secretsmanager:DeleteSecret", id, request).await.map(drop)
}

/// Takes a secret back that is scheduled for deletion.
pub async fn restore(clients: &Clients, id: &str) -> Result<(), Error> {
    let request = clients.secretsmanager().restore_secret().secret_id(id).send();
    clients.send(Service::SecretsManager, "secretsmanager:RestoreSecret", id, request).await.map(drop)
}

/// A version of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretVersion {
    /// Its id.
    pub id: String,
    /// Its stages; without any AWS may remove it.
    pub stages: Vec<String>,
    /// When it was made, milliseconds.
    pub created_at: Option<i64>,
}

/// All versions of a secret that AWS still has, the oldest first; `None` when there is no such secret.
pub async fn versions(clients: &Clients, id: &str) -> Result<Option<Vec<SecretVersion>>, Error> {
    const OPERATION: &str = "secretsmanager:ListSecretVersionIds";
    let mut versions = Vec::new();
    let mut token = None;
    loop {
        let request = clients.secretsmanager().list_secret_version_ids().secret_id(id).include_deprecated(true);
        let request = request.max_results(100).set_next_token(token.clone()).send();
        let page = match clients.send(Service::SecretsManager, OPERATION, id, request).await {
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(None),
            page => page?,
        };
        for entry in page.versions.unwrap_or_default() {
            versions.push(version(entry).ok_or_else(|| Error::unreadable(OPERATION, id, "VersionId"))?);
        }
        let next = page.next_token.filter(|next| !next.is_empty());
        if next.is_none() {
            versions.sort_by_key(|version: &SecretVersion| version.created_at);
            return Ok(Some(versions));
        }
        if next == token {
            return Err(Error::unreadable(OPERATION, id, "end: it repeats a page"));
        }
        token = next;
    }
}

fn version(entry: SecretVersionsListEntry) -> Option<SecretVersion> {
    Some(SecretVersion {
        id: entry.version_id?,
        stages: entry.version_stages.unwrap_or_default(),
        created_at: millis(entry.created_date.as_ref()),
    })
}

/// The value of one version, by its id.
pub async fn value_of(clients: &Clients, id: &str, version: &str) -> Read<SecretValue> {
    read(clients, id, Some(version)).await
}
