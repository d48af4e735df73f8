//! Keys that a data key is wrapped for, and whoever can unwrap it.

use std::fmt;

use zeroize::Zeroizing;

/// A data key (or, with key groups, a share of it) wrapped for one recipient, as the metadata has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WrappedKey {
    /// An age recipient.
    Age {
        /// `age1…`, or an SSH or plugin recipient.
        recipient: String,
        /// Armored age file.
        enc: String,
    },
    /// An AWS KMS key.
    Kms {
        /// The key's ARN.
        arn: String,
        /// Role to assume before the call.
        role: Option<String>,
        /// Encryption context; values may be absent.
        context: Vec<(String, Option<String>)>,
        /// Profile of the AWS configuration; empty when none was named.
        aws_profile: String,
        /// Ciphertext blob in base64.
        enc: String,
    },
    /// A kind that is read and preserved, but not used: `pgp`, `gcp_kms`, `hckms`, `azure_kv`, `hc_vault`.
    Other {
        /// Its name in the metadata.
        kind: &'static str,
        /// What identifies the key: fingerprint, resource, address.
        id: String,
        /// The wrapped key as it stands.
        enc: String,
    },
}

impl fmt::Display for WrappedKey {
    /// Such as `age age1…`, `kms arn:aws:kms:…`, `pgp 85D7…`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Age { recipient, .. } => write!(f, "age {recipient}"),
            Self::Kms { arn, .. } => write!(f, "kms {arn}"),
            Self::Other { kind, id, .. } => write!(f, "{kind} {id}"),
        }
    }
}

/// Whoever can unwrap data keys of some kinds.
pub trait KeyService {
    /// The data key or share in a wrapped key. `None`: a kind of key that is not this service's. The text of an error
    /// is shown to the operator, so it must hold no secret.
    fn unwrap(&self, group_key: &WrappedKey) -> Option<Result<Zeroizing<Vec<u8>>, String>>;
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
}

impl KeyService for Services {
    fn unwrap(&self, group_key: &WrappedKey) -> Option<Result<Zeroizing<Vec<u8>>, String>> {
        let mut failures = Vec::new();
        for service in &self.0 {
            match service.unwrap(group_key) {
                Some(Ok(key)) => return Some(Ok(key)),
                Some(Err(why)) => failures.push(why),
                None => {}
            }
        }
        (!failures.is_empty()).then(|| Err(failures.join("; ")))
    }
}
