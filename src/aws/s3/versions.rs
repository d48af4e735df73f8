//! Every version of the objects of a bucket, and getting rid of them.

use aws_sdk_s3::types::{Delete, ObjectIdentifier};

use super::place;
use crate::aws::limit::Service;
use crate::aws::{Clients, Error, ErrorKind};

/// Objects that one request may delete.
const AT_ONCE: usize = 1000;

/// A version of an object, or the mark that it was deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The object's key.
    pub key: String,
    /// The version's id; `null` in a bucket that is not versioned.
    pub id: String,
    /// Whether it is no more than the mark.
    pub is_mark: bool,
    /// In bytes.
    pub size: i64,
}

/// Lists every version of all objects whose keys begin with the prefix; none where there is no such bucket.
pub async fn list(clients: &Clients, bucket: &str, prefix: &str) -> Result<Vec<Version>, Error> {
    const OPERATION: &str = "s3:ListBucketVersions";
    let subject = place(bucket, prefix);
    let mut found = Vec::new();
    let (mut key, mut id) = (None::<String>, None::<String>);
    loop {
        let request = clients
            .s3()
            .list_object_versions()
            .bucket(bucket)
            .prefix(prefix)
            .set_key_marker(key.clone())
            .set_version_id_marker(id.clone())
            .send();
        let page = match clients.send(Service::S3, OPERATION, &subject, request).await {
            Ok(page) => page,
            Err(error) if error.code.as_deref() == Some("NoSuchBucket") => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let nameless = || Error::unreadable(OPERATION, &subject, "key of a version");
        for version in page.versions.unwrap_or_default() {
            found.push(Version {
                key: version.key.ok_or_else(nameless)?,
                id: version.version_id.ok_or_else(nameless)?,
                is_mark: false,
                size: version.size.unwrap_or_default(),
            });
        }
        for mark in page.delete_markers.unwrap_or_default() {
            let (key, id) = (mark.key.ok_or_else(nameless)?, mark.version_id.ok_or_else(nameless)?);
            found.push(Version { key, id, is_mark: true, size: 0 });
        }
        if !page.is_truncated.unwrap_or_default() {
            return Ok(found);
        }
        let next = (page.next_key_marker, page.next_version_id_marker);
        if next.0.is_none() || next == (key, id) {
            return Err(Error::unreadable(OPERATION, &subject, "next page, though it is cut"));
        }
        (key, id) = next;
    }
}

/// Deletes versions for good. The first that is refused ends it.
pub async fn delete(clients: &Clients, bucket: &str, versions: &[Version]) -> Result<(), Error> {
    const OPERATION: &str = "s3:DeleteObjectVersion";
    for chunk in versions.chunks(AT_ONCE) {
        let broken = |error: String| Error::plain(OPERATION, bucket, ErrorKind::Other, error);
        let objects: Result<Vec<_>, _> = chunk
            .iter()
            .map(|version| ObjectIdentifier::builder().key(&version.key).version_id(&version.id).build())
            .collect();
        let objects = objects.map_err(|error| broken(error.to_string()))?;
        let delete = Delete::builder().set_objects(Some(objects)).quiet(true).build();
        let delete = delete.map_err(|error| broken(error.to_string()))?;
        let request = clients.s3().delete_objects().bucket(bucket).delete(delete).send();
        let answer = clients.send(Service::S3, OPERATION, bucket, request).await?;
        if let Some(failed) = answer.errors.unwrap_or_default().into_iter().next() {
            let code = failed.code.unwrap_or_default();
            let subject = place(bucket, &failed.key.unwrap_or_default());
            let message = failed.message.unwrap_or_default();
            let kind = crate::aws::error::kind_of_code(&code, &message);
            return Err(Error { code: Some(code), ..Error::plain(OPERATION, &subject, kind, message) });
        }
    }
    Ok(())
}
