//! Keys that a data key is wrapped for, and whoever can wrap and unwrap it.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use zeroize::Zeroizing;

/// A data key, or with key groups a share of it.
pub type DataKey = Zeroizing<Vec<u8>>;

/// Whom a document is encrypted for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Recipient {
    /// `age1…`, or an SSH or plugin recipient.
    Age(String),
    /// An AWS KMS key.
    Kms {
        /// The key's ARN.
        arn: String,
        /// Role to assume before the call.
        role: Option<String>,
        /// Encryption context; values may be absent.
        context: Vec<(String, Option<String>)>,
        /// Profile of the AWS configuration; empty when none is named.
        aws_profile: String,
    },
    /// A kind that is read and preserved, but not used: `pgp`, `gcp_kms`, `hckms`, `azure_kv`, `hc_vault`.
    Other {
        /// Its name in the metadata.
        kind: &'static str,
        /// What identifies the key: fingerprint, resource, address.
        id: String,
    },
}

impl fmt::Display for Recipient {
    /// Such as `age age1…`, `kms arn:aws:kms:…`, `pgp 85D7…`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Age(recipient) => write!(f, "age {recipient}"),
            Self::Kms { arn, .. } => write!(f, "kms {arn}"),
            Self::Other { kind, id } => write!(f, "{kind} {id}"),
        }
    }
}

/// A data key (or, with key groups, a share of it) wrapped for one recipient, as the metadata has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrappedKey {
    /// Whom it is wrapped for.
    pub recipient: Recipient,
    /// Of age an armored file, of KMS its ciphertext in base64, of other kinds as it stands.
    pub enc: String,
}

impl fmt::Display for WrappedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.recipient.fmt(f)
    }
}

/// Whoever can unwrap, and perhaps wrap, data keys of some kinds. The text of an error is shown to the operator, so it
/// must hold no secret. `None`: a kind of key that is not this service's.
pub trait KeyService {
    /// The data key or share in a wrapped key.
    fn unwrap(&self, key: &WrappedKey) -> Option<Result<DataKey, String>>;

    /// Wraps a data key or share; the text is what the metadata calls `enc`. Never asked about age, which needs no
    /// service.
    fn wrap(&self, recipient: &Recipient, data_key: &[u8]) -> Option<Result<String, String>> {
        let _ = (recipient, data_key);
        None
    }
}

/// Several services, asked in order until one succeeds.
#[derive(Default)]
pub struct Services(Vec<Box<dyn KeyService + Send + Sync>>);

impl Services {
    /// No service yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds one that is asked after the others.
    #[must_use]
    pub fn with(mut self, service: impl KeyService + Send + Sync + 'static) -> Self {
        self.0.push(Box::new(service));
        self
    }

    fn first<T>(
        &self,
        ask: impl Fn(&(dyn KeyService + Send + Sync)) -> Option<Result<T, String>>,
    ) -> Option<Result<T, String>> {
        let mut failures = Vec::new();
        for service in &self.0 {
            match ask(service.as_ref()) {
                Some(Ok(answer)) => return Some(Ok(answer)),
                Some(Err(why)) => failures.push(why),
                None => {}
            }
        }
        (!failures.is_empty()).then(|| Err(failures.join("; ")))
    }
}

impl KeyService for Services {
    fn unwrap(&self, key: &WrappedKey) -> Option<Result<DataKey, String>> {
        self.first(|service| service.unwrap(key))
    }

    fn wrap(&self, recipient: &Recipient, data_key: &[u8]) -> Option<Result<String, String>> {
        self.first(|service| service.wrap(recipient, data_key))
    }
}

impl<T: KeyService + ?Sized> KeyService for Arc<T> {
    fn unwrap(&self, key: &WrappedKey) -> Option<Result<DataKey, String>> {
        (**self).unwrap(key)
    }

    fn wrap(&self, recipient: &Recipient, data_key: &[u8]) -> Option<Result<String, String>> {
        (**self).wrap(recipient, data_key)
    }
}

/// A service that is asked once for each wrapped key, also by several threads at a time. Failures are not remembered:
/// a login may have been renewed meanwhile.
#[derive(Default)]
pub struct Remembering<S> {
    service: S,
    known: Mutex<HashMap<String, Arc<Mutex<Option<DataKey>>>>>,
}

impl<S> Remembering<S> {
    /// Nothing is known yet.
    pub fn new(service: S) -> Self {
        Self { service, known: Mutex::default() }
    }

    fn place(&self, enc: &str) -> Arc<Mutex<Option<DataKey>>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry(enc.to_owned()).or_default())
    }
}

impl<S: KeyService> KeyService for Remembering<S> {
    fn unwrap(&self, key: &WrappedKey) -> Option<Result<DataKey, String>> {
        let place = self.place(&key.enc);
        // Held while the service is asked, so that whoever wants the same key waits for the one answer.
        let mut known = place.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(data_key) = known.as_ref() {
            return Some(Ok(data_key.clone()));
        }
        let answer = self.service.unwrap(key);
        if let Some(Ok(data_key)) = &answer {
            *known = Some(data_key.clone());
        }
        answer
    }

    fn wrap(&self, recipient: &Recipient, data_key: &[u8]) -> Option<Result<String, String>> {
        let answer = self.service.wrap(recipient, data_key);
        if let Some(Ok(enc)) = &answer {
            *self.place(enc).lock().unwrap_or_else(PoisonError::into_inner) = Some(Zeroizing::new(data_key.to_vec()));
        }
        answer
    }
}
