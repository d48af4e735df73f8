//! The keyring's place: a secret of AWS Secrets Manager.

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::{DisplayErrorContext, ProvideErrorMetadata, SdkError};
use zeroize::Zeroizing;

use crate::keyring::{Store, Unavailable};
use crate::rotate::{Stored, Versions};

/// The same for everyone who makes a first key: Secrets Manager takes one version per token, and refuses a second
/// content for it.
const FIRST_KEY_TOKEN: &str = "plumb-crypto-first-key-00000000-0001";
const CURRENT: &str = "AWSCURRENT";

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

    /// A version by its id or, without one, the current one.
    async fn get(&self, id: Option<&str>) -> Result<Option<Stored>, Unavailable> {
        let request = self.client.get_secret_value().secret_id(&self.secret).set_version_id(id.map(str::to_owned));
        match request.send().await {
            Ok(answer) => {
                let id = answer.version_id.unwrap_or_default();
                let text = answer.secret_string.map(Zeroizing::new);
                // A secret without a value has no version on AWS, and an empty one in the local account.
                Ok(text.filter(|text| !text.trim().is_empty()).map(|text| Stored { id, text }))
            }
            // Also said of a secret that does not exist; then writing the first value says so again.
            Err(error) if error.code() == Some("ResourceNotFoundException") => Ok(None),
            Err(error) => Err(unavailable(&error)),
        }
    }
}

/// AWS's words for the log. They name the action and the secret, and hold none of its text.
fn unavailable<E, R>(error: &SdkError<E, R>) -> Unavailable
where
    E: std::error::Error + 'static,
    R: std::fmt::Debug,
{
    Unavailable::new(DisplayErrorContext(error))
}

impl Store for SecretsManager {
    async fn read(&self) -> Result<Option<Zeroizing<String>>, Unavailable> {
        Ok(self.get(None).await?.map(|stored| stored.text))
    }

    async fn create(&self, text: &str) -> Result<(), Unavailable> {
        self.put(FIRST_KEY_TOKEN, text, CURRENT).await
    }
}

impl Versions for SecretsManager {
    async fn current(&self) -> Result<Option<Stored>, Unavailable> {
        self.get(None).await
    }

    async fn version(&self, id: &str) -> Result<Option<Zeroizing<String>>, Unavailable> {
        Ok(self.get(Some(id)).await?.map(|stored| stored.text))
    }

    async fn put(&self, id: &str, text: &str, label: &str) -> Result<(), Unavailable> {
        let request = self.client.put_secret_value().secret_id(&self.secret).secret_string(text);
        match request.client_request_token(id).version_stages(label).send().await {
            Ok(_) => Ok(()),
            // Another was first; what it wrote is what is read from now on.
            Err(error) if error.code() == Some("ResourceExistsException") => Ok(()),
            Err(error) => Err(unavailable(&error)),
        }
    }

    async fn promote(&self, id: &str, from: &str) -> Result<(), Unavailable> {
        let request = self.client.update_secret_version_stage().secret_id(&self.secret).version_stage(CURRENT);
        let moved = request.move_to_version_id(id).remove_from_version_id(from).send().await;
        moved.map(drop).map_err(|error| unavailable(&error))
    }

    async fn unlabel(&self, id: &str, label: &str) -> Result<(), Unavailable> {
        let request = self.client.update_secret_version_stage().secret_id(&self.secret).version_stage(label);
        let done = request.remove_from_version_id(id).send().await;
        done.map(drop).map_err(|error| unavailable(&error))
    }

    fn name(&self) -> &str {
        &self.secret
    }
}
