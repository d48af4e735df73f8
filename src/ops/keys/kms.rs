//! KMS as a key service of documents: asked as the environment asks AWS, in each key's own region.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::sync::Mutex;

use crate::aws::{self, Clients, kms};
use crate::sops::{DataKey, KeyService, Recipient, WrappedKey};

/// Wraps and unwraps data keys by KMS. Sends nothing before it is asked.
///
/// Whoever asks waits, so it may not be asked on a thread of the runtime itself, only where blocking is allowed.
#[derive(Clone)]
pub struct Kms {
    options: Arc<aws::Options>,
    /// Clients that are there already, for keys of their region without a profile or role of their own.
    own: Option<Clients>,
    others: Arc<Mutex<HashMap<Access, Clients>>>,
    runtime: Handle,
}

/// How a key is reached: its region, and the profile and role that the document's metadata names.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Access {
    region: Option<String>,
    profile: Option<String>,
    role: Option<String>,
}

impl Kms {
    /// `options` are those of the environment; a profile that a document names wins over theirs, except over fixed keys.
    /// `own` are its clients, whose calls are counted with all others. To be made within a runtime.
    #[must_use]
    pub fn new(options: aws::Options, own: Option<Clients>) -> Self {
        Self { options: Arc::new(options), own, others: Arc::default(), runtime: Handle::current() }
    }

    /// Does what is asked on the runtime while this thread waits.
    fn wait<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, aws::Error>> + Send + 'static,
    ) -> Result<T, String> {
        let (sender, receiver) = std::sync::mpsc::channel();
        self.runtime.spawn(async move {
            // Nobody waits any more: nothing is left to be told.
            let _ = sender.send(work.await);
        });
        let answer = receiver.recv().map_err(|_| "Plumb is ending".to_owned())?;
        answer.map_err(|error| error.to_string())
    }

    async fn clients(&self, access: Access) -> Result<Clients, aws::Error> {
        let plain = access.profile.is_none() && access.role.is_none();
        if let Some(own) = self.own.as_ref().filter(|own| plain && access.region.as_deref() == Some(own.region())) {
            return Ok(own.clone());
        }
        let mut others = self.others.lock().await;
        if let Some(clients) = others.get(&access) {
            return Ok(clients.clone());
        }
        let options = aws::Options {
            region: access.region.clone().or_else(|| self.options.region.clone()),
            profile: access.profile.clone().or_else(|| self.options.profile.clone()),
            ..(*self.options).clone()
        };
        let mut clients = Clients::connect(&options).await?;
        if let Some(role) = &access.role {
            clients = clients.assuming(role).await;
        }
        others.insert(access, clients.clone());
        Ok(clients)
    }

    fn target(&self, recipient: &Recipient) -> Option<(String, kms::Context, Access)> {
        let Recipient::Kms { arn, role, context, aws_profile } = recipient else { return None };
        let context = context.iter().filter_map(|(name, value)| Some((name.clone(), value.clone()?)));
        let fixed = self.options.keys.is_some();
        let access = Access {
            region: region_of(arn).map(str::to_owned),
            profile: Some(aws_profile.clone()).filter(|profile| !profile.is_empty() && !fixed),
            role: role.clone().filter(|role| !role.is_empty()),
        };
        Some((arn.clone(), context.collect(), access))
    }
}

impl KeyService for Kms {
    fn unwrap(&self, key: &WrappedKey) -> Option<Result<DataKey, String>> {
        let (arn, context, access) = self.target(&key.recipient)?;
        let (kms, ciphertext) = (self.clone(), key.enc.clone());
        Some(self.wait(async move { kms::decrypt(&kms.clients(access).await?, &arn, &context, &ciphertext).await }))
    }

    fn wrap(&self, recipient: &Recipient, data_key: &[u8]) -> Option<Result<String, String>> {
        let (arn, context, access) = self.target(recipient)?;
        let (kms, data_key) = (self.clone(), DataKey::new(data_key.to_vec()));
        Some(self.wait(async move { kms::encrypt(&kms.clients(access).await?, &arn, &context, &data_key).await }))
    }
}

/// The region in `arn:aws:kms:REGION:ACCOUNT:key/…`.
fn region_of(arn: &str) -> Option<&str> {
    arn.split(':').nth(3).filter(|region| !region.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_asked_in_its_own_region() {
        assert_eq!(region_of("arn:aws:kms:eu-west-1:111122223333:alias/x"), Some("eu-west-1"));
        assert_eq!(region_of("alias/x"), None);
    }
}
