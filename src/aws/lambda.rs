//! Lambda: what code runs, and how it is configured.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_lambda::config::Builder;
use aws_sdk_lambda::operation::get_function_configuration::GetFunctionConfigurationOutput;
use aws_sdk_lambda::types::{
    AliasRoutingConfiguration, Environment, EphemeralStorage, LastUpdateStatus, PackageType, Runtime, State,
    TracingConfig, TracingMode,
};
use aws_smithy_types::Blob;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

mod invoke;
mod logging;
mod policy;
mod rest;
mod versions;

pub use invoke::{Invoked, invoke, invoke_long};
pub use logging::log_group;
pub use policy::policy;
pub use versions::{Published, versions};

use super::limit::Service;
use super::poll::Poll;
use super::{Clients, Error, ErrorKind};
use crate::secret::Secret;

/// A function, or one version of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionInfo {
    /// Its name.
    pub name: String,
    /// Its ARN, with the qualifier that was asked for.
    pub arn: String,
    /// `$LATEST` or a number.
    pub version: String,
    /// SHA-256 of the zip, or the image's digest: 64 hexadecimal digits.
    pub code_sha256: String,
    /// The same as AWS writes it: base64 for zips.
    pub code_sha256_raw: String,
    /// When code or configuration last changed, milliseconds.
    pub modified_at: Option<i64>,
    /// Zip or image.
    pub package: Package,
    /// Such as `provided.al2023`; `None` for images.
    pub runtime: Option<String>,
    /// What the runtime calls; `None` for images.
    pub handler: Option<String>,
    /// Its role's ARN.
    pub role: Option<String>,
    /// What it is said to be; of no effect on what runs.
    pub description: Option<String>,
    /// MB.
    pub memory: Option<i32>,
    /// Seconds.
    pub timeout: Option<i32>,
    /// Such as `arm64`.
    pub architectures: Vec<String>,
    /// Environment variables; `Err` with AWS's words when they cannot be decrypted.
    pub environment: Result<BTreeMap<String, Secret>, String>,
    /// Layers' ARNs.
    pub layers: Vec<String>,
    /// All else that it is configured with, as a text that is the same where that is.
    pub rest: String,
    /// Changes with every change; makes a later change conditional.
    pub revision_id: Option<String>,
    /// `Active`, `Pending`, `Inactive`, `Failed`.
    pub state: Option<String>,
    /// `Successful`, `InProgress` or `Failed` with AWS's reason.
    pub last_update: Option<String>,
}

/// How a function's code is packed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Package {
    /// A zip.
    Zip,
    /// A container image.
    Image {
        /// As it was named when it was set, with a tag perhaps.
        uri: Option<String>,
        /// The same by digest: what runs.
        resolved: Option<String>,
    },
}

/// A function; of `qualifier` (a version or an alias) or else `$LATEST`. `None` when there is none.
pub async fn function(clients: &Clients, name: &str, qualifier: Option<&str>) -> Result<Option<FunctionInfo>, Error> {
    const OPERATION: &str = "lambda:GetFunctionConfiguration";
    let subject = qualified(name, qualifier);
    let request = clients
        .lambda()
        .get_function_configuration()
        .function_name(name)
        .set_qualifier(qualifier.map(str::to_owned))
        .send();
    let answer = match clients.send(Service::Lambda, OPERATION, &subject, request).await {
        Ok(answer) => answer,
        Err(error) if error.kind == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let package = if answer.package_type == Some(PackageType::Image) {
        image(clients, name, qualifier, &subject).await?
    } else {
        Package::Zip
    };
    info(answer, package).map(Some).ok_or_else(|| Error::unreadable(OPERATION, &subject, "CodeSha256"))
}

/// The configuration lacks the image's digest.
async fn image(clients: &Clients, name: &str, qualifier: Option<&str>, subject: &str) -> Result<Package, Error> {
    let request =
        clients.lambda().get_function().function_name(name).set_qualifier(qualifier.map(str::to_owned)).send();
    let answer = clients.send(Service::Lambda, "lambda:GetFunction", subject, request).await?;
    let (uri, resolved) = answer.code.map(|code| (code.image_uri, code.resolved_image_uri)).unwrap_or_default();
    Ok(Package::Image { uri, resolved })
}

fn info(answer: GetFunctionConfigurationOutput, package: Package) -> Option<FunctionInfo> {
    let rest = rest::of(&answer);
    let raw = answer.code_sha256?;
    let environment = match answer.environment {
        Some(found) => match found.error {
            Some(error) => Err(error.message.unwrap_or_else(|| "no reason given".into())),
            None => Ok(secrets(found.variables.unwrap_or_default())),
        },
        None => Ok(BTreeMap::new()),
    };
    let last_update = answer.last_update_status.map(|status| match (status, answer.last_update_status_reason) {
        (LastUpdateStatus::Failed, Some(reason)) => format!("Failed: {reason}"),
        (status, _) => status.as_str().to_owned(),
    });
    Some(FunctionInfo {
        name: answer.function_name?,
        arn: answer.function_arn.unwrap_or_default(),
        version: answer.version.unwrap_or_else(|| "$LATEST".into()),
        code_sha256: hexadecimal(&raw)?,
        code_sha256_raw: raw,
        modified_at: answer.last_modified.as_deref().and_then(time),
        package,
        runtime: answer.runtime.map(|runtime| runtime.as_str().to_owned()),
        handler: answer.handler,
        role: answer.role,
        description: answer.description.filter(|text| !text.is_empty()),
        memory: answer.memory_size,
        timeout: answer.timeout,
        architectures: answer.architectures.unwrap_or_default().iter().map(|name| name.as_str().to_owned()).collect(),
        environment,
        layers: answer.layers.unwrap_or_default().into_iter().filter_map(|layer| layer.arn).collect(),
        rest,
        revision_id: answer.revision_id,
        state: answer.state.map(|state| state.as_str().to_owned()),
        last_update,
    })
}

fn qualified(name: &str, qualifier: Option<&str>) -> String {
    qualifier.map_or_else(|| name.to_owned(), |qualifier| format!("{name}:{qualifier}"))
}

fn secrets(variables: impl IntoIterator<Item = (String, String)>) -> BTreeMap<String, Secret> {
    variables.into_iter().map(|(name, value)| (name, Secret::new(value))).collect()
}

/// Zips have base64 of 32 bytes, images 64 hexadecimal digits.
fn hexadecimal(digest: &str) -> Option<String> {
    use std::fmt::Write as _;
    if digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Some(digest.to_ascii_lowercase());
    }
    let bytes = STANDARD.decode(digest).ok()?;
    Some(bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    }))
}

/// Lambda writes `2026-11-21T08:47:12.000+0000`.
fn time(text: &str) -> Option<i64> {
    let zoned = jiff::fmt::strtime::parse("%Y-%m-%dT%H:%M:%S%.f%z", text).and_then(|parts| parts.to_timestamp());
    zoned.or_else(|_| text.parse::<jiff::Timestamp>()).ok().map(jiff::Timestamp::as_millisecond)
}

/// Where an alias points to.
#[derive(Debug, Clone, PartialEq)]
pub struct AliasInfo {
    /// The version that gets what the weights leave over.
    pub version: String,
    /// The share of other versions, 0 to 1.
    pub weights: BTreeMap<String, f64>,
    /// Changes with every change of the alias.
    pub revision_id: Option<String>,
}

impl AliasInfo {
    /// Every version that gets any of the requests, with its share.
    #[must_use]
    pub fn versions(&self) -> BTreeMap<String, f64> {
        let mut shares: BTreeMap<_, _> = self
            .weights
            .iter()
            .filter(|(_, share)| **share > 0.0)
            .map(|(name, share)| (name.clone(), *share))
            .collect();
        let rest = 1.0 - shares.values().sum::<f64>();
        if rest > 0.0 {
            *shares.entry(self.version.clone()).or_default() += rest;
        }
        shares
    }
}

/// An alias of a function; `None` when there is no such alias or function.
pub async fn alias(clients: &Clients, function: &str, alias: &str) -> Result<Option<AliasInfo>, Error> {
    const OPERATION: &str = "lambda:GetAlias";
    let subject = qualified(function, Some(alias));
    let request = clients.lambda().get_alias().function_name(function).name(alias).send();
    match clients.send(Service::Lambda, OPERATION, &subject, request).await {
        Ok(answer) => {
            let weights = answer.routing_config.and_then(|routing| routing.additional_version_weights);
            Ok(Some(AliasInfo {
                version: answer
                    .function_version
                    .ok_or_else(|| Error::unreadable(OPERATION, &subject, "FunctionVersion"))?,
                weights: weights.unwrap_or_default().into_iter().collect(),
                revision_id: answer.revision_id,
            }))
        }
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Freezes `$LATEST` as a version and answers its number: an earlier one when nothing changed since. With a digest
/// (as AWS writes it) only when `$LATEST` still has that code.
pub async fn publish_version(clients: &Clients, function: &str, only_if: Option<&str>) -> Result<String, Error> {
    const OPERATION: &str = "lambda:PublishVersion";
    let request =
        clients.lambda().publish_version().function_name(function).set_code_sha256(only_if.map(str::to_owned)).send();
    let answer = clients.send(Service::Lambda, OPERATION, function, request).await?;
    answer.version.ok_or_else(|| Error::unreadable(OPERATION, function, "Version"))
}

/// Points an alias to one version, all of it. With `only_if` a revision: [`ErrorKind::Conflict`] when it changed since.
pub async fn update_alias(
    clients: &Clients,
    function: &str,
    alias: &str,
    version: &str,
    only_if: Option<&str>,
) -> Result<(), Error> {
    let all = AliasRoutingConfiguration::builder().set_additional_version_weights(Some([].into())).build();
    let request = clients
        .lambda()
        .update_alias()
        .function_name(function)
        .name(alias)
        .function_version(version)
        .routing_config(all)
        .set_revision_id(only_if.map(str::to_owned))
        .send();
    clients.send(Service::Lambda, "lambda:UpdateAlias", &qualified(function, Some(alias)), request).await.map(drop)
}

/// New code for a function.
#[derive(Debug, Clone)]
pub enum Code {
    /// A zip, up to 50 MB.
    Zip(Vec<u8>),
    /// A zip in S3, of the function's region.
    S3 {
        /// The bucket.
        bucket: String,
        /// The key.
        key: String,
        /// The object's version, where the bucket keeps them.
        version: Option<String>,
    },
    /// An image in ECR.
    Image(String),
}

/// Gives `$LATEST` new code and answers its digest as AWS writes it. Follow with [`wait_updated`].
pub async fn update_code(clients: &Clients, function: &str, code: Code) -> Result<String, Error> {
    const OPERATION: &str = "lambda:UpdateFunctionCode";
    let request = clients.lambda().update_function_code().function_name(function);
    let request = match code {
        Code::Zip(bytes) => request.zip_file(Blob::new(bytes)),
        Code::S3 { bucket, key, version } => request.s3_bucket(bucket).s3_key(key).set_s3_object_version(version),
        Code::Image(uri) => request.image_uri(uri),
    };
    let request = request.customize().config_override(Builder::new().timeout_config(clients.upload_timeouts()));
    let answer = clients.send(Service::Lambda, OPERATION, function, request.send()).await?;
    answer.code_sha256.ok_or_else(|| Error::unreadable(OPERATION, function, "CodeSha256"))
}

/// What to change of a function's configuration; `None` leaves it.
#[derive(Debug, Clone, Default)]
pub struct Configuration {
    /// What it is for.
    pub description: Option<String>,
    /// MB of its temporary directory.
    pub ephemeral_storage: Option<i32>,
    /// What the runtime calls.
    pub handler: Option<String>,
    /// All layers, by ARN.
    pub layers: Option<Vec<String>>,
    /// Its role's ARN.
    pub role: Option<String>,
    /// Such as `provided.al2023`.
    pub runtime: Option<String>,
    /// `Active` or `PassThrough`.
    pub tracing: Option<String>,
    /// MB.
    pub memory: Option<i32>,
    /// Seconds.
    pub timeout: Option<i32>,
    /// All environment variables: those that are left out are removed.
    pub environment: Option<BTreeMap<String, Secret>>,
    /// The revision that is to be changed: [`ErrorKind::Conflict`] when it changed since.
    pub only_if: Option<String>,
}

/// Changes the configuration of `$LATEST`. Follow with [`wait_updated`].
pub async fn update_configuration(clients: &Clients, function: &str, new: &Configuration) -> Result<(), Error> {
    let environment = new.environment.as_ref().map(|variables| {
        let plain = variables.iter().map(|(name, value)| (name.clone(), value.expose().to_owned()));
        Environment::builder().set_variables(Some(plain.collect())).build()
    });
    let storage = new.ephemeral_storage.and_then(|size| EphemeralStorage::builder().size(size).build().ok());
    let tracing = new.tracing.as_deref().map(|mode| TracingConfig::builder().mode(TracingMode::from(mode)).build());
    let request = clients
        .lambda()
        .update_function_configuration()
        .function_name(function)
        .set_description(new.description.clone())
        .set_ephemeral_storage(storage)
        .set_handler(new.handler.clone())
        .set_layers(new.layers.clone())
        .set_role(new.role.clone())
        .set_runtime(new.runtime.as_deref().map(Runtime::from))
        .set_tracing_config(tracing)
        .set_memory_size(new.memory)
        .set_timeout(new.timeout)
        .set_environment(environment)
        .set_revision_id(new.only_if.clone())
        .send();
    let sent = clients.send(Service::Lambda, "lambda:UpdateFunctionConfiguration", function, request).await;
    let secrets = new.environment.iter().flat_map(BTreeMap::values);
    sent.map(drop).map_err(|error| secrets.fold(error, Error::without))
}

/// Waits until the last change of `$LATEST` has taken hold; [`ErrorKind::Other`] with AWS's reason when it failed,
/// [`ErrorKind::Timeout`] after `limit`.
pub async fn wait_updated(clients: &Clients, function: &str, limit: Duration) -> Result<(), Error> {
    const OPERATION: &str = "lambda:GetFunctionConfiguration";
    let mut poll = Poll::within(limit);
    loop {
        let request = clients.lambda().get_function_configuration().function_name(function).send();
        let answer = clients.send(Service::Lambda, OPERATION, function, request).await?;
        let failed = |reason: Option<String>| {
            let reason = reason.unwrap_or_else(|| "the function could not be updated".into());
            Err(Error::plain(OPERATION, function, ErrorKind::Other, reason))
        };
        match (answer.last_update_status, answer.state) {
            (Some(LastUpdateStatus::Failed), _) => return failed(answer.last_update_status_reason),
            (_, Some(State::Failed)) => return failed(answer.state_reason),
            (Some(LastUpdateStatus::InProgress), _) | (_, Some(State::Pending)) => {}
            _ => return Ok(()),
        }
        if !poll.again().await {
            let message = format!("still being updated after {} s", limit.as_secs());
            return Err(Error::plain(OPERATION, function, ErrorKind::Timeout, message));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_of_zips_and_images_read_the_same() {
        let hex = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(hexadecimal("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=").as_deref(), Some(hex));
        assert_eq!(hexadecimal(hex).as_deref(), Some(hex));
        assert_eq!(hexadecimal("no digest"), None);
    }

    #[test]
    fn times_are_read_as_lambda_writes_them() {
        for text in ["2026-11-21T08:47:12.500+0000", "2026-11-21T08:47:12.500Z", "2026-11-21T08:47:12.5+00:00"] {
            assert_eq!(time(text), Some(1_795_250_832_500), "{text}");
        }
    }

    #[test]
    fn an_alias_routes_to_its_version_what_the_weights_leave_over() {
        let alias = |weights: &[(&str, f64)]| AliasInfo {
            version: "41".into(),
            weights: weights.iter().map(|(name, share)| ((*name).to_owned(), *share)).collect(),
            revision_id: None,
        };
        assert_eq!(alias(&[]).versions(), BTreeMap::from([("41".into(), 1.0)]));
        assert_eq!(alias(&[("42", 0.25)]).versions(), BTreeMap::from([("41".into(), 0.75), ("42".into(), 0.25)]));
        assert_eq!(alias(&[("42", 1.0)]).versions(), BTreeMap::from([("42".into(), 1.0)]));
        assert_eq!(alias(&[("42", 0.0)]).versions(), BTreeMap::from([("41".into(), 1.0)]));
    }
}
