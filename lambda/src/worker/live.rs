//! The worker's AWS: reached as every AWS tool reaches it, so that it runs in a build, on a laptop and in the tests alike.

use aws_config::BehaviorVersion;
use aws_sdk_secretsmanager::config::ProvideCredentials as _;
use zeroize::Zeroizing;

use crate::aws::Aws;
use crate::http::Http;
use crate::pipeline::live::registry;
use crate::pipeline::registry::Fields;

/// AWS, with whatever credentials there are.
pub(super) struct Live {
    aws: Aws,
}

impl Live {
    pub(super) async fn new() -> Result<Self, String> {
        let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
        let region = config.region().ok_or("no AWS region is set: AWS_REGION names one")?.to_string();
        let provider = config.credentials_provider().ok_or("there are no AWS credentials")?;
        let credentials = provider.provide_credentials().await;
        let credentials = credentials.map_err(|error| format!("there are no AWS credentials: {error}"))?;
        let endpoint = config.endpoint_url().map(str::to_owned);
        let fips = config.use_fips().unwrap_or_default();
        Ok(Self { aws: Aws::new(Http::new()?, credentials, region, endpoint, fips) })
    }

    /// A project's fields.
    pub(super) async fn registry(&self, project: &str) -> Result<Fields, String> {
        registry(&self.aws, project).await.map_err(|error| error.to_string())
    }

    /// A secret's text, by its name or ARN.
    pub(super) async fn secret(&self, id: &str) -> Result<Zeroizing<String>, String> {
        let text = self.aws.secret(id).await.map_err(|error| error.to_string())?;
        text.ok_or_else(|| format!("secret {id} holds no text"))
    }
}
