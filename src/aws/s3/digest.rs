//! What an object is, by its length and SHA-256, read in constant memory however large it is.

use sha2::{Digest as _, Sha256};
use tokio::time::timeout;

use super::super::limit::Service;
use super::super::{Clients, Error, ErrorKind};
use super::{BODY_ATTEMPTS, BODY_TIMEOUT, is_nowhere, place, reading};

/// What an object is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// How many bytes it has.
    pub bytes: u64,
    /// Their SHA-256.
    pub sha256: [u8; 32],
}

/// Reads one version of an object, or the one that lies there, to its end; `None` when the bucket has none of that key, or
/// no such version.
pub async fn digest(
    clients: &Clients,
    bucket: &str,
    key: &str,
    version: Option<&str>,
) -> Result<Option<Digest>, Error> {
    let operation = reading(version);
    let subject = place(bucket, key);
    let mut attempt = 1;
    loop {
        let request = clients.s3().get_object().bucket(bucket).key(key).set_version_id(version.map(str::to_owned));
        let mut body = match clients.send(Service::S3, operation, &subject, request.send()).await {
            Ok(answer) => answer.body,
            Err(error) if is_nowhere(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        let (mut hash, mut bytes) = (Sha256::new(), 0);
        let failure = loop {
            match timeout(BODY_TIMEOUT, body.next()).await {
                Ok(Some(Ok(part))) => {
                    bytes += part.len() as u64;
                    hash.update(&part);
                }
                Ok(None) => return Ok(Some(Digest { bytes, sha256: hash.finalize().into() })),
                Ok(Some(Err(error))) => break (ErrorKind::Unreadable, format!("the object broke off: {error}")),
                Err(_) => break (ErrorKind::Timeout, "the object does not go on".into()),
            }
        };
        if attempt == BODY_ATTEMPTS {
            return Err(Error::plain(operation, &subject, failure.0, failure.1));
        }
        attempt += 1;
    }
}
