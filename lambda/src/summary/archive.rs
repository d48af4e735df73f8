//! The records' file: a line for each, packed as it grows, hashed as it is, and uploaded in parts. One that fits into a part
//! is put at once. Nothing is replaced before the whole is known: parts are no object yet.

use std::borrow::Cow;
use std::io::Write as _;

use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::{Failure, Named, RECORDS, Row, World};
use crate::digest;

/// A file that is being made.
pub(super) struct Archive<'a, W> {
    world: &'a W,
    /// Where it goes; nothing for one of which only the digest is wanted.
    key: Option<&'a str>,
    packed: GzEncoder<Vec<u8>>,
    hash: Sha256,
    bytes: u64,
    upload: Option<String>,
    tags: Vec<String>,
    /// What was packed and not yet uploaded, once there is no more.
    rest: Vec<u8>,
}

impl<'a, W: World> Archive<'a, W> {
    pub(super) fn new(world: &'a W, key: Option<&'a str>) -> Self {
        // A header without a time, and of no system in particular: the same records are the same bytes.
        let packed = GzBuilder::new().mtime(0).operating_system(255).write(Vec::new(), Compression::new(6));
        Self { world, key, packed, hash: Sha256::new(), bytes: 0, upload: None, tags: Vec::new(), rest: Vec::new() }
    }

    pub(super) async fn add(&mut self, row: &Row) -> Result<(), Failure> {
        let packed = self.packed.write_all(line(row).as_bytes());
        packed.map_err(|error| Failure::Failed(format!("a record cannot be packed: {error}")))?;
        if self.packed.get_ref().len() < W::PART {
            return Ok(());
        }
        let part = std::mem::take(self.packed.get_mut());
        self.count(&part);
        self.send(&part).await
    }

    /// Ends the file, and says what it is. It is nowhere yet: what it would replace can still be kept.
    pub(super) fn seal(&mut self) -> Result<Named, Failure> {
        let rest = self.packed.try_finish();
        rest.map_err(|error| Failure::Failed(format!("the records cannot be packed: {error}")))?;
        let rest = std::mem::take(self.packed.get_mut());
        self.count(&rest);
        self.rest = rest;
        Ok(Named::new(RECORDS, self.bytes, digest::finished(std::mem::take(&mut self.hash))))
    }

    /// Puts the file where it should be, and gives its version.
    pub(super) async fn store(&mut self, key: &str) -> Result<String, Failure> {
        let rest = std::mem::take(&mut self.rest);
        if self.upload.is_none() {
            return self.world.put(key, &rest).await;
        }
        self.send(&rest).await?;
        let upload = self.upload.as_deref().unwrap_or_default();
        let version = self.world.complete(key, upload, &self.tags).await?;
        self.upload = None;
        Ok(version)
    }

    /// Gives up what was begun and not completed. What cannot be given up now the bucket's own rule removes.
    pub(super) async fn give_up(&mut self) {
        if let (Some(key), Some(upload)) = (self.key, self.upload.take()) {
            let _ = self.world.abort(key, &upload).await;
        }
    }

    fn count(&mut self, part: &[u8]) {
        self.hash.update(part);
        self.bytes += u64::try_from(part.len()).unwrap_or_default();
    }

    async fn send(&mut self, part: &[u8]) -> Result<(), Failure> {
        let Some(key) = self.key else { return Ok(()) };
        let upload = match &self.upload {
            Some(upload) => upload,
            None => self.upload.insert(self.world.begin(key).await?),
        };
        self.tags.push(self.world.part(key, upload, self.tags.len() + 1, part).await?);
        Ok(())
    }
}

/// A record's line. Its text is as it came; between its tokens may be ends of lines, which are spaces here (in a JSON text
/// they can be nowhere else).
fn line(row: &Row) -> String {
    let head = json!({"id": row.id, "received": row.received, "source": row.source}).to_string();
    let body = if row.body.contains(['\n', '\r']) {
        Cow::Owned(row.body.replace(['\n', '\r'], " "))
    } else {
        Cow::Borrowed(row.body.as_str())
    };
    format!("{},\"record\":{body}}}\n", head.strip_suffix('}').unwrap_or(&head))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line_and_keeps_each_number_as_it_came() {
        let row = |body: &str| Row { id: "I".into(), received: "R".into(), source: "s".into(), body: body.into() };
        let told = line(&row("{\n  \"a\": 1.10000000000000000000000000000000000000001,\r\n \"b\": \"x\\ny\"}"));
        let expected = "{\"id\":\"I\",\"received\":\"R\",\"source\":\"s\",\"record\":{   \"a\": 1.10000000000000000000000000000000000000001,   \"b\": \"x\\ny\"}}\n";
        assert_eq!(told, expected);
    }
}
