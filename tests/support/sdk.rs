//! The real AWS SDK, pointed at an account of the tests.

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_ssm::config::Credentials;

use super::account::Account;

/// A configuration that knows nothing of the machine's own, with or without the SDK's retries (three attempts).
pub async fn config(account: &Account, retries: bool) -> SdkConfig {
    let Account { endpoint_url, region, access_key_id, secret_access_key, .. } = account;
    let retries = if retries { RetryConfig::standard() } else { RetryConfig::disabled() };
    aws_config::defaults(BehaviorVersion::latest())
        .endpoint_url(endpoint_url)
        .region(Region::new(region.clone()))
        .credentials_provider(Credentials::new(access_key_id, secret_access_key, None, None, "tests"))
        .retry_config(retries)
        .load()
        .await
}
