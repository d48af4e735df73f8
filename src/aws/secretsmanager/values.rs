//! Values of secrets, twenty a request.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_secretsmanager::operation::get_secret_value::GetSecretValueOutput;
use aws_sdk_secretsmanager::types::{ApiErrorType, SecretValueEntry};
use aws_smithy_types::{Blob, DateTime};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::StreamExt;
use futures::stream::FuturesUnordered;

use crate::aws::error::kind_of_code;
use crate::aws::limit::Service;
use crate::aws::{Clients, Error, ErrorKind, Read, millis};
use crate::secret::Secret;

/// Ids that one `BatchGetSecretValue` takes.
const IDS: usize = 20;

/// The current value of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretValue {
    /// The plaintext; of a binary secret its base64.
    pub value: Secret,
    /// Whether it is a binary secret.
    pub binary: bool,
    /// The version that it is of.
    pub version_id: String,
    /// When that version was made, milliseconds.
    pub created_at: Option<i64>,
}

/// Reads current values by name or ARN, twenty a request, in parallel. Every id asked for has an answer; a secret that
/// is scheduled for deletion is [`Read::Missing`].
///
/// Where the batch does not answer for an id, or may not be used, that id is read by `GetSecretValue` alone.
pub async fn values(clients: &Clients, ids: &[String]) -> BTreeMap<String, Read<SecretValue>> {
    let ids: Vec<String> = ids.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect();
    let mut pages: FuturesUnordered<_> = ids.chunks(IDS).map(|page| Box::pin(page_of(clients, page))).collect();
    let mut found = BTreeMap::new();
    while let Some(page) = pages.next().await {
        found.extend(page);
    }
    found
}

async fn page_of(clients: &Clients, ids: &[String]) -> BTreeMap<String, Read<SecretValue>> {
    let subject = format!("{} secrets", ids.len());
    if let [only] = ids {
        return BTreeMap::from([(only.clone(), one(clients, only).await)]);
    }
    let request = clients.secretsmanager().batch_get_secret_value().set_secret_id_list(Some(ids.to_vec())).send();
    let sent = clients.send(Service::SecretsManager, "secretsmanager:BatchGetSecretValue", &subject, request).await;
    let mut found = BTreeMap::new();
    match sent {
        Ok(answer) => {
            for entry in answer.secret_values.unwrap_or_default() {
                let named = ids.iter().find(|id| is(id, entry.name.as_deref(), entry.arn.as_deref())).cloned();
                if let (Some(id), Some(value)) = (named, of_entry(entry)) {
                    found.insert(id, Read::Found(value));
                }
            }
            for error in answer.errors.unwrap_or_default() {
                let named = ids.iter().find(|id| is(id, error.secret_id.as_deref(), error.secret_id.as_deref()));
                if let Some(id) = named {
                    found.insert(id.clone(), of_error(id, error));
                }
            }
        }
        Err(error) if error.is_of_request() => {}
        Err(error) => {
            let failed = |id: &String| (id.clone(), Read::Failed(Error { subject: id.clone(), ..error.clone() }));
            return ids.iter().map(failed).collect();
        }
    }
    let rest: Vec<&String> = ids.iter().filter(|id| !found.contains_key(*id)).collect();
    let one_of_rest = |id: &String| {
        let id = id.clone();
        async move {
            let read = one(clients, &id).await;
            (id, read)
        }
    };
    let mut rest: FuturesUnordered<_> = rest.into_iter().map(one_of_rest).collect();
    while let Some((id, read)) = rest.next().await {
        found.insert(id, read);
    }
    found
}

async fn one(clients: &Clients, id: &str) -> Read<SecretValue> {
    read(clients, id, None).await
}

/// The current value, or that of a version.
pub(super) async fn read(clients: &Clients, id: &str, version: Option<&str>) -> Read<SecretValue> {
    const OPERATION: &str = "secretsmanager:GetSecretValue";
    let request = clients.secretsmanager().get_secret_value().secret_id(id);
    let request = request.set_version_id(version.map(str::to_owned)).send();
    match clients.send(Service::SecretsManager, OPERATION, id, request).await {
        Ok(answer) => {
            of_answer(answer).map_or_else(|| Read::Failed(Error::unreadable(OPERATION, id, "value")), Read::Found)
        }
        Err(error) => absent_or_failed(error),
    }
}

/// Whether an id that was asked for is the one that is answered: by name, by ARN, or by an ARN without its random end.
fn is(asked: &str, name: Option<&str>, arn: Option<&str>) -> bool {
    name == Some(asked)
        || arn.is_some_and(|arn| arn == asked || (asked.starts_with("arn:") && without_suffix(arn) == asked))
}

fn without_suffix(arn: &str) -> &str {
    arn.rsplit_once('-').map_or(arn, |(start, _)| start)
}

fn of_entry(entry: SecretValueEntry) -> Option<SecretValue> {
    of_parts(entry.secret_string, entry.secret_binary, entry.version_id, entry.created_date)
}

fn of_answer(answer: GetSecretValueOutput) -> Option<SecretValue> {
    of_parts(answer.secret_string, answer.secret_binary, answer.version_id, answer.created_date)
}

fn of_parts(
    text: Option<String>,
    bytes: Option<Blob>,
    version: Option<String>,
    created: Option<DateTime>,
) -> Option<SecretValue> {
    let binary = text.is_none();
    let value = text.or_else(|| bytes.map(|bytes| STANDARD.encode(bytes.as_ref())))?;
    Some(SecretValue { value: Secret::new(value), binary, version_id: version?, created_at: millis(created.as_ref()) })
}

fn of_error(id: &str, error: ApiErrorType) -> Read<SecretValue> {
    let message = error.message.unwrap_or_default();
    absent_or_failed(Error {
        operation: "secretsmanager:BatchGetSecretValue",
        subject: id.into(),
        kind: error.error_code.as_deref().map_or(ErrorKind::Other, |code| kind_of_code(code, &message)),
        code: error.error_code,
        message,
    })
}

fn absent_or_failed(error: Error) -> Read<SecretValue> {
    let to_be_deleted = error.code.as_deref() == Some("InvalidRequestException")
        && (error.message.contains("marked for deletion") || error.message.contains("marked deleted"));
    // A secret without any value answers ResourceNotFoundException too: "can't find the specified secret value".
    let without_value = error.message.contains("secret value for staging label");
    match error.kind {
        ErrorKind::NotFound if !without_value => Read::Missing,
        _ if to_be_deleted => Read::Missing,
        _ => Read::Failed(error),
    }
}
