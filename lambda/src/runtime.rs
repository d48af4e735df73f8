//! What the binaries share: their settings, their client, and the loop that Lambda's runtime gives.

use std::io::Write as _;
use std::time::Duration;

use aws_sdk_secretsmanager::config::timeout::TimeoutConfig;
use aws_sdk_secretsmanager::config::{BehaviorVersion, Builder, Config, Credentials, Region};
use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::keyring::CACHE;
use crate::secrets_manager::SecretsManager;

/// A call of Secrets Manager, with the SDK's own repetitions: well within the function's ten seconds, so that a caller
/// gets an answer even when there is none.
const CALL: Duration = Duration::from_secs(6);
/// One attempt of it.
const ATTEMPT: Duration = Duration::from_secs(2);
/// Longer than any answer that Lambda waits for.
const LONGEST_CACHE: u64 = 3600;

/// The keyring's secret, which `KEYRING_SECRET` names, by the function's own credentials.
pub fn secret() -> Result<SecretsManager, Error> {
    let secret = variable("KEYRING_SECRET")?;
    Ok(SecretsManager::new(aws_sdk_secretsmanager::Client::from_conf(config()?), secret))
}

/// A setting; one that is empty is not there.
pub(crate) fn variable(name: &str) -> Result<String, Error> {
    std::env::var(name).ok().filter(|value| !value.is_empty()).ok_or_else(|| format!("{name} is not set").into())
}

/// Region and credentials as Lambda hands them to every function. The SDK's search for them would bring clients for SSO
/// and STS into the binary, and never find anything else.
fn config() -> Result<Config, Error> {
    let timeouts = TimeoutConfig::builder().operation_timeout(CALL).operation_attempt_timeout(ATTEMPT).build();
    let (key, secret) = (variable("AWS_ACCESS_KEY_ID")?, variable("AWS_SECRET_ACCESS_KEY")?);
    let credentials = Credentials::new(key, secret, variable("AWS_SESSION_TOKEN").ok(), None, "lambda");
    let mut config: Builder = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(variable("AWS_REGION")?))
        .credentials_provider(credentials)
        .timeout_config(timeouts)
        .use_fips(variable("AWS_USE_FIPS_ENDPOINT").is_ok_and(|value| value == "true"));
    let endpoint = variable("AWS_ENDPOINT_URL_SECRETS_MANAGER").or_else(|_| variable("AWS_ENDPOINT_URL"));
    if let Ok(url) = endpoint {
        config = config.endpoint_url(url);
    }
    Ok(config.build())
}

/// How long a keyring is kept: `KEYRING_CACHE_SECONDS`, from 0 to 3600, or five minutes.
pub fn cache() -> Result<Duration, Error> {
    let Ok(stated) = std::env::var("KEYRING_CACHE_SECONDS") else { return Ok(CACHE) };
    let seconds: Option<u64> = stated.parse().ok().filter(|seconds| *seconds <= LONGEST_CACHE);
    let seconds = seconds.ok_or_else(|| format!("KEYRING_CACHE_SECONDS must be from 0 to {LONGEST_CACHE}"))?;
    Ok(Duration::from_secs(seconds))
}

/// The function's name, as Lambda tells it.
#[must_use]
pub fn name() -> String {
    std::env::var("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_else(|_| "plumb".to_owned())
}

/// Writes a line to the log.
pub fn log(line: &str) {
    // Where the log cannot be written there is nowhere left to say so.
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// Answers events one after the other, for as long as Lambda wants. An event comes as the text that it is, so that no
/// event, however odd, is refused before the handler sees it.
pub async fn serve<F, T>(handler: impl Fn(Box<RawValue>, String) -> F) -> Result<(), Error>
where
    F: Future<Output = Result<T, Error>>,
    T: Serialize,
{
    serve_named(handler).await
}

/// The same of a handler whose failures say themselves what they are called.
pub async fn serve_named<F, T, E>(handler: impl Fn(Box<RawValue>, String) -> F) -> Result<(), Error>
where
    F: Future<Output = Result<T, E>>,
    T: Serialize,
    E: Into<Diagnostic> + std::fmt::Debug,
{
    let answer = |event: LambdaEvent<Box<RawValue>>| handler(event.payload, event.context.request_id);
    lambda_runtime::run(service_fn(answer)).await
}
