//! The keyring's place: a secret of AWS Secrets Manager.

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::{DisplayErrorContext, ProvideErrorMetadata};
use zeroize::Zeroizing;

use crate::keyring::{Store, Unavailable};

/// The same for everyone who makes a first key: Secrets Manager takes one version per token, and refuses a second
/// content for it.
const FIRST_KEY_TOKEN: &str = "plumb-crypto-first-key-00000000-0001";

/// A secret, by name or ARN.
#[derive(Debug, Clone)]
pub struct SecretsManager {
    client: Client,
    secret: String,
}

impl SecretsManager {
    /// Of a configured client and the secret's name or ARN.
    #[must_use]
    pub fn new(client: Client, secret: String) -> Self {
        Self { client, secret }
    }
}

impl Store for SecretsManager {
    async fn read(&self) -> Result<Option<Zeroizing<String>>, Unavailable> {
        match self.client.get_secret_value().secret_id(&self.secret).send().await {
            // A stack's secret without a value has no version on AWS, and an empty one in the local account.
            Ok(answer) => Ok(answer.secret_string.filter(|text| !text.trim().is_empty()).map(Zeroizing::new)),
            // Also said of a secret that does not exist; then writing the first value says so again.
            Err(error) if error.code() == Some("ResourceNotFoundException") => Ok(None),
            Err(error) => Err(Unavailable::new(DisplayErrorContext(&error))),
        }
    }

    async fn create(&self, text: &str) -> Result<(), Unavailable> {
        let request = self.client.put_secret_value().secret_id(&self.secret).secret_string(text);
        match request.client_request_token(FIRST_KEY_TOKEN).send().await {
            Ok(_) => Ok(()),
            Err(error) if error.code() == Some("ResourceExistsException") => Ok(()),
            Err(error) => Err(Unavailable::new(DisplayErrorContext(&error))),
        }
    }
}
