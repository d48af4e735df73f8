//! Small files of Plumb's own in the state directory: each for its owner alone, and never seen half written.

use std::io::{self, BufWriter, Write};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::hex;

/// The name of the file about something. Only a hash of what may be an ARN or a customer's name becomes part of a path.
pub(super) fn name(about: &impl Serialize) -> String {
    let about = serde_json::to_vec(about).unwrap_or_default();
    let digest = hex(&Sha256::digest(&about));
    format!("{}.json", digest.get(..32).unwrap_or(&digest))
}

/// Writes a file whole: made for its owner alone, and renamed when it is done.
pub(super) fn write(path: &Path, content: &impl Serialize) -> io::Result<()> {
    let directory = path.parent().unwrap_or(Path::new("."));
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let mut temporary = tempfile::NamedTempFile::new_in(directory)?;
    let mut out = BufWriter::new(temporary.as_file_mut());
    serde_json::to_writer(&mut out, content)?;
    out.flush()?;
    drop(out);
    temporary.persist(path).map_err(|failed| failed.error)?;
    Ok(())
}
