//! The worker's AWS: reached as every AWS tool reaches it, so that it runs in a build, on a laptop and in the tests alike.

use aws_config::BehaviorVersion;
use aws_sdk_secretsmanager::config::ProvideCredentials as _;
use zeroize::Zeroizing;

use super::mask::Secrets;
use crate::aws::Aws;
use crate::http::Http;
use crate::pipeline::live::{registry, root};
use crate::pipeline::registry::Fields;

/// AWS, with whatever credentials there are.
pub(super) struct Live {
    aws: Aws,
    /// What the credentials hold that no output may show.
    secrets: Secrets,
}

impl Live {
    pub(super) async fn new() -> Result<Self, String> {
        let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
        let region = config.region().ok_or("no AWS region is set: AWS_REGION names one")?.to_string();
        let provider = config.credentials_provider().ok_or("there are no AWS credentials")?;
        let credentials = provider.provide_credentials().await;
        let credentials = credentials.map_err(|error| format!("there are no AWS credentials: {error}"))?;
        let secret = Zeroizing::new(credentials.secret_access_key().to_owned());
        let token = credentials.session_token().map(|token| Zeroizing::new(token.to_owned()));
        let secrets = std::iter::once(secret).chain(token).collect();
        let endpoint = config.endpoint_url().map(str::to_owned);
        let fips = config.use_fips().unwrap_or_default();
        Ok(Self { aws: Aws::new(Http::new()?, credentials, region, endpoint, fips), secrets })
    }

    /// The credentials that AWS was asked with, wherever they are from: a build has them in no variable.
    pub(super) fn secrets(self) -> Secrets {
        self.secrets
    }

    /// A project's fields.
    pub(super) async fn registry(&self, project: &str) -> Result<Fields, String> {
        registry(&self.aws, &root(), project).await.map_err(|error| error.to_string())
    }

    /// A secret's text, by its name or ARN.
    pub(super) async fn secret(&self, id: &str) -> Result<Zeroizing<String>, String> {
        let text = self.aws.secret(id).await.map_err(|error| error.to_string())?;
        text.ok_or_else(|| format!("secret {id} holds no text"))
    }
}
