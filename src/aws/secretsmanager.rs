//! Secrets Manager.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aws_sdk_secretsmanager::operation::describe_secret::DescribeSecretOutput;
use aws_sdk_secretsmanager::types::{Filter, FilterNameStringType, SecretListEntry, Tag};
use futures::StreamExt;
use futures::stream::FuturesUnordered;

use super::limit::Service;
use super::{Clients, Error, ErrorKind, millis};
use crate::secret::Secret;

mod rotate;
mod stages;
mod values;

pub use rotate::rotate;
pub use stages::{CURRENT, SecretVersion, delete, promote, restore, stage, unstage, value_of, versions};
pub use values::{SecretValue, values};

/// Values that one filter of `ListSecrets` takes.
const FILTER_VALUES: usize = 10;

/// A secret without its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretMeta {
    /// Its name.
    pub name: String,
    /// Its ARN, which ends in six random characters of AWS.
    pub arn: String,
    /// The version that carries `AWSCURRENT`.
    pub current_version: Option<String>,
    /// The stages of each version that has any.
    pub stages: BTreeMap<String, Vec<String>>,
    /// When anything of it changed, its tags included, milliseconds.
    pub changed_at: Option<i64>,
    /// Whether it is rotated on a schedule.
    pub rotation_enabled: bool,
    /// Days between rotations, where the schedule is in days.
    pub rotation_days: Option<i64>,
    /// Milliseconds.
    pub last_rotated_at: Option<i64>,
    /// Milliseconds.
    pub next_rotation_at: Option<i64>,
    /// Set when it is scheduled for deletion, milliseconds: the `DeletedDate`, of which AWS's reference says once that
    /// it is when deletion was asked for (`ListSecrets`) and once when it is due (`DescribeSecret`).
    pub deletes_at: Option<i64>,
    /// The KMS key, where it is not the account's own.
    pub kms_key_id: Option<String>,
    /// The service that manages it, such as `rds`.
    pub owning_service: Option<String>,
    /// Its tags.
    pub tags: Vec<(String, String)>,
}

/// Lists the secrets whose names begin with one of the prefixes (case-sensitive), or all when there are none; sorted by
/// name, with those that are scheduled for deletion. Complete as far as `ListSecrets` is: AWS documents that it lags up
/// to five minutes, so confirm an absence by [`describe`].
pub async fn list(clients: &Clients, prefixes: &[String]) -> Result<Vec<SecretMeta>, Error> {
    let mut found = BTreeMap::new();
    if prefixes.is_empty() {
        list_pages(clients, None, "all secrets", &mut found).await?;
    }
    for some in prefixes.chunks(FILTER_VALUES) {
        let filter = Filter::builder().key(FilterNameStringType::Name).set_values(Some(some.to_vec())).build();
        list_pages(clients, Some(filter), &some.join(", "), &mut found).await?;
    }
    let asked_for = |name: &str| prefixes.is_empty() || prefixes.iter().any(|prefix| name.starts_with(prefix));
    Ok(found.into_values().filter(|secret: &SecretMeta| asked_for(&secret.name)).collect())
}

async fn list_pages(
    clients: &Clients,
    filter: Option<Filter>,
    subject: &str,
    found: &mut BTreeMap<String, SecretMeta>,
) -> Result<(), Error> {
    const OPERATION: &str = "secretsmanager:ListSecrets";
    let mut token = None;
    loop {
        let request = clients
            .secretsmanager()
            .list_secrets()
            .max_results(100)
            .include_planned_deletion(true)
            .set_filters(filter.clone().map(|filter| vec![filter]))
            .set_next_token(token.clone());
        let page = clients.send(Service::SecretsManager, OPERATION, subject, request.send()).await?;
        let entries = page.secret_list.ok_or_else(|| Error::unreadable(OPERATION, subject, "SecretList"))?;
        for entry in entries {
            let meta = listed(entry).ok_or_else(|| Error::unreadable(OPERATION, subject, "name of a secret"))?;
            found.insert(meta.name.clone(), meta);
        }
        let next = page.next_token.filter(|next| !next.is_empty());
        if next.is_none() {
            return Ok(());
        }
        if next == token {
            return Err(Error::unreadable(OPERATION, subject, "end: it repeats a page"));
        }
        token = next;
    }
}

/// One secret, asked for directly: this does not lag. `id` is a name or an ARN; `None` when there is none.
pub async fn describe(clients: &Clients, id: &str) -> Result<Option<SecretMeta>, Error> {
    const OPERATION: &str = "secretsmanager:DescribeSecret";
    let request = clients.secretsmanager().describe_secret().secret_id(id).send();
    match clients.send(Service::SecretsManager, OPERATION, id, request).await {
        Ok(answer) => described(answer).map(Some).ok_or_else(|| Error::unreadable(OPERATION, id, "Name")),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The same for many, in parallel.
pub async fn describe_each(clients: &Clients, ids: &[String]) -> BTreeMap<String, Result<Option<SecretMeta>, Error>> {
    let one = |id: String| async move {
        let answer = describe(clients, &id).await;
        (id, answer)
    };
    let ids: BTreeSet<String> = ids.iter().cloned().collect();
    ids.into_iter().map(one).collect::<FuturesUnordered<_>>().collect().await
}

fn listed(entry: SecretListEntry) -> Option<SecretMeta> {
    let stages = sorted(entry.secret_versions_to_stages);
    Some(SecretMeta {
        name: entry.name?,
        arn: entry.arn?,
        current_version: current(&stages),
        stages,
        changed_at: millis(entry.last_changed_date.as_ref()),
        rotation_enabled: entry.rotation_enabled.unwrap_or_default(),
        rotation_days: entry.rotation_rules.and_then(|rules| rules.automatically_after_days),
        last_rotated_at: millis(entry.last_rotated_date.as_ref()),
        next_rotation_at: millis(entry.next_rotation_date.as_ref()),
        deletes_at: millis(entry.deleted_date.as_ref()),
        kms_key_id: entry.kms_key_id,
        owning_service: entry.owning_service,
        tags: tags(entry.tags),
    })
}

fn described(answer: DescribeSecretOutput) -> Option<SecretMeta> {
    let stages = sorted(answer.version_ids_to_stages);
    Some(SecretMeta {
        name: answer.name?,
        arn: answer.arn?,
        current_version: current(&stages),
        stages,
        changed_at: millis(answer.last_changed_date.as_ref()),
        rotation_enabled: answer.rotation_enabled.unwrap_or_default(),
        rotation_days: answer.rotation_rules.and_then(|rules| rules.automatically_after_days),
        last_rotated_at: millis(answer.last_rotated_date.as_ref()),
        next_rotation_at: millis(answer.next_rotation_date.as_ref()),
        deletes_at: millis(answer.deleted_date.as_ref()),
        kms_key_id: answer.kms_key_id,
        owning_service: answer.owning_service,
        tags: tags(answer.tags),
    })
}

fn sorted(stages: Option<HashMap<String, Vec<String>>>) -> BTreeMap<String, Vec<String>> {
    stages.unwrap_or_default().into_iter().collect()
}

fn tags(tags: Option<Vec<Tag>>) -> Vec<(String, String)> {
    tags.unwrap_or_default().into_iter().filter_map(|tag| Some((tag.key?, tag.value.unwrap_or_default()))).collect()
}

fn current(stages: &BTreeMap<String, Vec<String>>) -> Option<String> {
    let is_current = |stages: &[String]| stages.iter().any(|stage| stage == CURRENT);
    stages.iter().find(|(_, stages)| is_current(stages)).map(|(version, _)| version.clone())
}

/// A secret to create.
#[derive(Debug, Clone, Copy)]
pub struct Create<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its first value.
    pub value: &'a Secret,
    /// Becomes the version's id and makes sending it twice harmless: 32 to 64 characters.
    pub token: &'a str,
    /// The KMS key; by default the account's own.
    pub kms_key_id: Option<&'a str>,
    /// What it is for.
    pub description: Option<&'a str>,
    /// Its tags.
    pub tags: &'a [(String, String)],
}

/// Creates a secret and answers the id of its first version. [`ErrorKind::Conflict`] when there is one of that name.
pub async fn create(clients: &Clients, create: Create<'_>) -> Result<String, Error> {
    const OPERATION: &str = "secretsmanager:CreateSecret";
    let tags = create.tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    let request = clients
        .secretsmanager()
        .create_secret()
        .name(create.name)
        .secret_string(create.value.expose())
        .client_request_token(create.token)
        .set_kms_key_id(create.kms_key_id.map(str::to_owned))
        .set_description(create.description.map(str::to_owned))
        .set_tags((!create.tags.is_empty()).then(|| tags.collect()));
    let sent = clients.send(Service::SecretsManager, OPERATION, create.name, request.send()).await;
    let answer = sent.map_err(|error| error.without(create.value))?;
    answer.version_id.ok_or_else(|| Error::unreadable(OPERATION, create.name, "VersionId"))
}

/// Makes a new current version of a secret that exists and answers its id, which is `token`: sending it twice is
/// harmless.
pub async fn put(clients: &Clients, id: &str, value: &Secret, token: &str) -> Result<String, Error> {
    const OPERATION: &str = "secretsmanager:PutSecretValue";
    let request = clients
        .secretsmanager()
        .put_secret_value()
        .secret_id(id)
        .secret_string(value.expose())
        .client_request_token(token)
        .send();
    let sent = clients.send(Service::SecretsManager, OPERATION, id, request).await;
    let answer = sent.map_err(|error| error.without(value))?;
    answer.version_id.ok_or_else(|| Error::unreadable(OPERATION, id, "VersionId"))
}
