//! Parameter Store.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ssm::operation::get_parameters::GetParametersOutput;
use aws_sdk_ssm::types::{
    ParameterMetadata, ParameterStringFilter, ParameterTier, ParameterType, ResourceTypeForTagging, Tag,
};
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;

use super::limit::Service;
use super::{Clients, Error, ErrorKind, Read, millis};
use crate::secret::Secret;

/// Names that one `GetParameters` takes.
const NAMES: usize = 10;
/// Values that one filter of `DescribeParameters` takes.
const FILTER_VALUES: usize = 50;

/// A parameter without its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterMeta {
    /// Its full name, such as `/billing/dev/pool`.
    pub name: String,
    /// `String`, `StringList` or `SecureString`.
    pub type_name: String,
    /// Counts from 1. A version's value never changes.
    pub version: i64,
    /// When this version was made, milliseconds.
    pub modified_at: i64,
    /// ARN of who made it.
    pub modified_by: Option<String>,
    /// `Standard`, `Advanced` or `Intelligent-Tiering`.
    pub tier: Option<String>,
    /// The KMS key of a `SecureString`.
    pub key_id: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// What its values have to match.
    pub allowed_pattern: Option<String>,
    /// What its values are, where that is not just `text`.
    pub data_type: Option<String>,
    /// Its policies of expiration and notification, each as JSON.
    pub policies: Vec<String>,
}

impl ParameterMeta {
    /// One that is not there yet, and of which nothing is stated.
    #[must_use]
    pub fn named(name: &str, type_name: &str) -> Self {
        Self {
            name: name.to_owned(),
            type_name: type_name.to_owned(),
            version: 0,
            modified_at: 0,
            modified_by: None,
            tier: None,
            key_id: None,
            description: None,
            allowed_pattern: None,
            data_type: None,
            policies: Vec::new(),
        }
    }
}

/// A parameter's value, decrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterValue {
    /// The plaintext.
    pub value: Secret,
    /// The version that it is of.
    pub version: i64,
    /// When that version was made, milliseconds.
    pub modified_at: i64,
    /// `String`, `StringList` or `SecureString`.
    pub type_name: String,
}

/// Lists the parameters whose names begin with one of the prefixes, or all when there are none; sorted by name. The
/// answer is complete: when one page fails, all fails.
///
/// Source of the limits: API reference of `DescribeParameters` (`MaxResults` 50) and `ParameterStringFilter` (`Name` with
/// `BeginsWith`, 50 values, which are alternatives).
pub async fn describe(clients: &Clients, prefixes: &[String]) -> Result<Vec<ParameterMeta>, Error> {
    let mut found = BTreeMap::new();
    if prefixes.is_empty() {
        describe_pages(clients, None, "all parameters", &mut found).await?;
    }
    for some in prefixes.chunks(FILTER_VALUES) {
        let filter = name_filter("BeginsWith", some)?;
        describe_pages(clients, Some(filter), &some.join(", "), &mut found).await?;
    }
    Ok(found.into_values().collect())
}

/// One parameter's version, date and author; `None` when there is no such parameter.
pub async fn one_meta(clients: &Clients, name: &str) -> Result<Option<ParameterMeta>, Error> {
    Ok(metas(clients, &[name.to_owned()]).await?.remove(name))
}

/// Those of the named parameters that there are, fifty a request.
pub async fn metas(clients: &Clients, names: &[String]) -> Result<BTreeMap<String, ParameterMeta>, Error> {
    let mut found = BTreeMap::new();
    for some in names.chunks(FILTER_VALUES) {
        let subject = if let [only] = some { only.clone() } else { format!("{} parameters", some.len()) };
        describe_pages(clients, Some(name_filter("Equals", some)?), &subject, &mut found).await?;
    }
    Ok(found)
}

fn name_filter(option: &str, values: &[String]) -> Result<ParameterStringFilter, Error> {
    let filter = ParameterStringFilter::builder().key("Name").option(option).set_values(Some(values.to_vec()));
    filter.build().map_err(|error| {
        Error::plain("ssm:DescribeParameters", &values.join(", "), ErrorKind::Other, error.to_string())
    })
}

async fn describe_pages(
    clients: &Clients,
    filter: Option<ParameterStringFilter>,
    subject: &str,
    found: &mut BTreeMap<String, ParameterMeta>,
) -> Result<(), Error> {
    const OPERATION: &str = "ssm:DescribeParameters";
    let mut token = None;
    loop {
        let request = clients
            .ssm()
            .describe_parameters()
            .max_results(50)
            .set_parameter_filters(filter.clone().map(|filter| vec![filter]))
            .set_next_token(token.clone());
        let page = clients.send(Service::Ssm, OPERATION, subject, request.send()).await?;
        let parameters = page.parameters.ok_or_else(|| Error::unreadable(OPERATION, subject, "Parameters"))?;
        for parameter in parameters {
            let meta = meta(parameter).ok_or_else(|| Error::unreadable(OPERATION, subject, "name of a parameter"))?;
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

fn meta(found: ParameterMetadata) -> Option<ParameterMeta> {
    let some = |text: Option<String>| text.filter(|text| !text.is_empty());
    let policies = found.policies.unwrap_or_default().into_iter().filter_map(|policy| policy.policy_text);
    Some(ParameterMeta {
        name: found.name?,
        type_name: found.r#type.map_or_else(String::new, |name| name.as_str().to_owned()),
        version: found.version,
        modified_at: millis(found.last_modified_date.as_ref()).unwrap_or_default(),
        modified_by: some(found.last_modified_user),
        tier: found.tier.map(|tier| tier.as_str().to_owned()),
        key_id: some(found.key_id),
        description: some(found.description),
        allowed_pattern: some(found.allowed_pattern),
        data_type: some(found.data_type).filter(|kind| kind != "text"),
        policies: policies.collect(),
    })
}

/// Reads and decrypts values, ten a request, in parallel. Every name asked for has an answer. Where a request fails by
/// the fault of some name in it (a key that may not be used, a parameter that may not be read), it is halved until
/// only the names at fault are [`Read::Failed`].
pub async fn values(clients: &Clients, names: &[String]) -> BTreeMap<String, Read<ParameterValue>> {
    let names: Vec<String> = names.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect();
    let mut pages: FuturesUnordered<_> = names.chunks(NAMES).map(|page| value_page(clients, page)).collect();
    let mut found = BTreeMap::new();
    while let Some(page) = pages.next().await {
        found.extend(page);
    }
    found
}

fn value_page<'a>(clients: &'a Clients, names: &'a [String]) -> BoxFuture<'a, Vec<(String, Read<ParameterValue>)>> {
    Box::pin(async move {
        const OPERATION: &str = "ssm:GetParameters";
        let subject = if let [only] = names { only.clone() } else { format!("{} parameters", names.len()) };
        let request = clients.ssm().get_parameters().set_names(Some(names.to_vec())).with_decryption(true);
        match clients.send(Service::Ssm, OPERATION, &subject, request.send()).await {
            Ok(answer) => sort_out(names, answer),
            Err(error) if names.len() > 1 && error.is_of_request() => {
                let (left, right) = names.split_at(names.len() / 2);
                let (mut left, right) = futures::join!(value_page(clients, left), value_page(clients, right));
                left.extend(right);
                left
            }
            Err(error) => names
                .iter()
                .map(|name| (name.clone(), Read::Failed(Error { subject: name.clone(), ..error.clone() })))
                .collect(),
        }
    })
}

fn sort_out(names: &[String], answer: GetParametersOutput) -> Vec<(String, Read<ParameterValue>)> {
    let mut found = BTreeMap::new();
    for parameter in answer.parameters.unwrap_or_default() {
        let (Some(name), Some(value)) = (parameter.name, parameter.value) else { continue };
        let value = ParameterValue {
            value: Secret::new(value),
            version: parameter.version,
            modified_at: millis(parameter.last_modified_date.as_ref()).unwrap_or_default(),
            type_name: parameter.r#type.map_or_else(String::new, |name| name.as_str().to_owned()),
        };
        // `name:3` is answered as `name` with the selector `:3`.
        found.insert(format!("{name}{}", parameter.selector.unwrap_or_default()), value);
    }
    let invalid: BTreeSet<String> = answer.invalid_parameters.unwrap_or_default().into_iter().collect();
    let read = |name: &String| match found.remove(name) {
        Some(value) => Read::Found(value),
        None if invalid.contains(name) => Read::Missing,
        None => Read::Failed(Error::unreadable("ssm:GetParameters", name, "word on this name")),
    };
    names.iter().cloned().zip(names.iter().map(read)).collect()
}

/// A value to write.
#[derive(Debug, Clone, Copy)]
pub struct Put<'a> {
    /// The parameter's full name.
    pub name: &'a str,
    /// What it shall be.
    pub value: &'a Secret,
    /// `String`, `StringList` or `SecureString`.
    pub type_name: &'a str,
    /// The KMS key of a `SecureString`; by default the account's own.
    pub key_id: Option<&'a str>,
    /// Whether it may exist already. When not and it does: [`ErrorKind::Conflict`].
    pub overwrite: bool,
    /// `Standard`, `Advanced` or `Intelligent-Tiering`; by default what the account's settings say.
    pub tier: Option<&'a str>,
    /// Description, pattern, data type and policies are sent again as they are here: what an overwrite leaves out, AWS
    /// may take away.
    pub like: Option<&'a ParameterMeta>,
    /// Only sent when creating: AWS refuses tags together with `overwrite`.
    pub tags: &'a [(String, String)],
}

/// Writes one value and answers its version.
///
/// A request that is sent again because its answer was lost makes one more version of the same value.
pub async fn put(clients: &Clients, put: Put<'_>) -> Result<i64, Error> {
    let tags = put.tags.iter().filter_map(|(key, value)| Tag::builder().key(key).value(value).build().ok());
    let policies = put.like.map(|like| like.policies.join(",")).filter(|policies| !policies.is_empty());
    let request = clients
        .ssm()
        .put_parameter()
        .name(put.name)
        .value(put.value.expose())
        .r#type(ParameterType::from(put.type_name))
        .set_key_id(put.key_id.map(str::to_owned))
        .overwrite(put.overwrite)
        .set_tier(put.tier.map(ParameterTier::from))
        .set_description(put.like.and_then(|like| like.description.clone()))
        .set_allowed_pattern(put.like.and_then(|like| like.allowed_pattern.clone()))
        .set_data_type(put.like.and_then(|like| like.data_type.clone()))
        .set_policies(policies.map(|policies| format!("[{policies}]")))
        .set_tags((!put.overwrite && !put.tags.is_empty()).then(|| tags.collect()));
    let sent = clients.send(Service::Ssm, "ssm:PutParameter", put.name, request.send()).await;
    Ok(sent.map_err(|error| error.without(put.value))?.version)
}

/// Deletes one parameter; `false` when there was none.
pub async fn delete(clients: &Clients, name: &str) -> Result<bool, Error> {
    let request = clients.ssm().delete_parameter().name(name).send();
    match clients.send(Service::Ssm, "ssm:DeleteParameter", name, request).await {
        Ok(_) => Ok(true),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// The tags of one parameter.
pub async fn tags(clients: &Clients, name: &str) -> Result<Vec<(String, String)>, Error> {
    let request = clients
        .ssm()
        .list_tags_for_resource()
        .resource_type(ResourceTypeForTagging::Parameter)
        .resource_id(name)
        .send();
    let answer = clients.send(Service::Ssm, "ssm:ListTagsForResource", name, request).await?;
    Ok(answer.tag_list.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value)).collect())
}

/// A version of a parameter's past, or its present one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParameterVersion {
    /// Counts from 1.
    pub version: i64,
    /// When it was made, milliseconds.
    pub modified_at: i64,
    /// ARN of who made it.
    pub modified_by: Option<String>,
    /// Its labels.
    pub labels: Vec<String>,
    /// Its plaintext.
    pub value: Secret,
}

/// The last hundred versions of a parameter, which is what AWS keeps, the oldest first; `None` when there is no such
/// parameter: a deletion takes the past away too.
pub async fn history(clients: &Clients, name: &str) -> Result<Option<Vec<ParameterVersion>>, Error> {
    const OPERATION: &str = "ssm:GetParameterHistory";
    let mut versions = Vec::new();
    let mut token = None;
    loop {
        let request = clients.ssm().get_parameter_history().name(name).with_decryption(true).max_results(50);
        let request = request.set_next_token(token.clone()).send();
        let page = match clients.send(Service::Ssm, OPERATION, name, request).await {
            Err(error) if error.kind == ErrorKind::NotFound => return Ok(None),
            page => page?,
        };
        for found in page.parameters.unwrap_or_default() {
            versions.push(ParameterVersion {
                version: found.version,
                modified_at: millis(found.last_modified_date.as_ref()).unwrap_or_default(),
                modified_by: found.last_modified_user.filter(|user| !user.is_empty()),
                labels: found.labels.unwrap_or_default(),
                value: Secret::new(found.value.ok_or_else(|| Error::unreadable(OPERATION, name, "Value"))?),
            });
        }
        let next = page.next_token.filter(|next| !next.is_empty());
        if next.is_none() {
            versions.sort_by_key(|version| version.version);
            return Ok(Some(versions));
        }
        if next == token {
            return Err(Error::unreadable(OPERATION, name, "end: it repeats a page"));
        }
        token = next;
    }
}
