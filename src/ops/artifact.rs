//! The artifact of a function: a zip that is the same for the same source, wherever it is made.
//!
//! Sorted entries, fixed times, modes as git has them. Uploaded under its own digest, so that an artifact that is
//! already there is not sent again.

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use super::{failed, hex};
use crate::compare::Why;
use crate::config::Function;
use crate::git::{EntryKind, Snapshot};

const MODE_FILE: u32 = 0o644;
const MODE_EXECUTABLE: u32 = 0o755;

/// A built artifact.
pub struct Artifact {
    /// The zip.
    pub bytes: Vec<u8>,
    /// SHA-256 of the zip in hexadecimal: its name.
    pub digest: String,
    /// SHA-256 of the zip in base64, as Lambda shows it.
    pub code_sha256: String,
}

/// One file of an artifact.
struct Entry {
    path: String,
    bytes: Vec<u8>,
    executable: bool,
}

/// Builds a function's artifact from a commit.
///
/// Without a build command the source directory is zipped as the commit has it. With one, the command is run in the
/// project's directory and what it writes is zipped; then the working tree must be that commit's.
pub async fn build(snapshot: &Snapshot, root: &Path, function: &Function) -> Result<Artifact, Why> {
    let entries = match &function.build {
        Some(command) => built(root, function, command).await?,
        None => committed(snapshot, &function.source)?,
    };
    if entries.is_empty() {
        return Err(Why::new(format!("{} has no file to deploy", function.source))
            .hint("[[stacks.functions]] source in plumb.toml names the directory"));
    }
    pack(entries)
}

/// The artifact of a folder or a file of a commit.
pub(crate) fn of_commit(snapshot: &Snapshot, source: &str) -> Result<Artifact, Why> {
    let mut entries = committed(snapshot, source)?;
    if entries.is_empty()
        && let Some(blob) = snapshot.read(source).map_err(|error| failed(&error))?
    {
        let path = source.rsplit('/').next().unwrap_or(source).to_owned();
        entries.push(Entry { path, bytes: blob.bytes, executable: false });
    }
    if entries.is_empty() {
        return Err(Why::new(format!("{source} has no file to deploy, or is not in the commit")));
    }
    pack(entries)
}

/// What lies on the disk: a file as it is, or all of it as a zip.
pub(crate) async fn of_disk(path: PathBuf, zips: bool) -> Result<Vec<u8>, Why> {
    let read = move || {
        if zips && path.extension().is_none_or(|extension| extension != "zip") {
            return pack(on_disk(&path)?).map(|artifact| artifact.bytes);
        }
        std::fs::read(&path).map_err(|error| Why::new(format!("cannot read {}: {error}", path.display())))
    };
    tokio::task::spawn_blocking(read).await.map_err(|error| failed(&error))?
}

fn committed(snapshot: &Snapshot, source: &str) -> Result<Vec<Entry>, Why> {
    let prefix = format!("{}/", source.trim_end_matches('/'));
    let mut entries = Vec::new();
    for entry in snapshot.list(source).map_err(|error| failed(&error))? {
        let Some(path) = entry.path.strip_prefix(&prefix) else { continue };
        let executable = match entry.kind {
            EntryKind::File => false,
            EntryKind::Executable => true,
            EntryKind::Symlink | EntryKind::Submodule => {
                return Err(Why::new(format!("{}: a link cannot be deployed", entry.path)));
            }
        };
        let blob = snapshot.read(&entry.path).map_err(|error| failed(&error))?;
        let bytes = blob.map(|blob| blob.bytes).unwrap_or_default();
        entries.push(Entry { path: path.to_owned(), bytes, executable });
    }
    Ok(entries)
}

async fn built(root: &Path, function: &Function, command: &[String]) -> Result<Vec<Entry>, Why> {
    let resource = &function.resource;
    run(root, command, &format!("the build of {resource}")).await?;
    let path = function
        .output
        .as_ref()
        .map(|path| root.join(path))
        .ok_or_else(|| Why::new(format!("{resource} has a build command and no output")).hint("set output"))?;
    let read = tokio::task::spawn_blocking(move || on_disk(&path)).await;
    read.map_err(|error| failed(&error))?
}

/// Runs a command of the project in its directory; `what` is what it does, for errors.
pub(crate) async fn run(root: &Path, command: &[String], what: &str) -> Result<(), Why> {
    let (program, arguments) = command.split_first().ok_or_else(|| Why::new(format!("{what} is an empty command")))?;
    let output = tokio::process::Command::new(program)
        .args(arguments)
        .current_dir(root)
        .stdin(std::process::Stdio::null())
        .output()
        .await
        .map_err(|error| Why::new(format!("cannot run {what}: {program}: {error}")))?;
    if !output.status.success() {
        let log = String::from_utf8_lossy(&output.stderr);
        let last: Vec<&str> = log.lines().rev().take(5).collect();
        let last: Vec<&str> = last.into_iter().rev().collect();
        return Err(Why::new(format!("{what} ended with {}: {}", output.status, last.join(" | "))));
    }
    Ok(())
}

/// A file, or a directory with all that is in it.
fn on_disk(path: &Path) -> Result<Vec<Entry>, Why> {
    let cannot = |path: &Path, error: std::io::Error| Why::new(format!("cannot read {}: {error}", path.display()));
    let mut entries = Vec::new();
    let mut open: Vec<(PathBuf, String)> = vec![(path.to_owned(), String::new())];
    while let Some((path, name)) = open.pop() {
        let metadata = std::fs::metadata(&path).map_err(|error| cannot(&path, error))?;
        if metadata.is_dir() {
            for child in std::fs::read_dir(&path).map_err(|error| cannot(&path, error))? {
                let child = child.map_err(|error| cannot(&path, error))?;
                let file = child.file_name().to_string_lossy().into_owned();
                let name = if name.is_empty() { file } else { format!("{name}/{file}") };
                open.push((child.path(), name));
            }
        } else {
            let bytes = std::fs::read(&path).map_err(|error| cannot(&path, error))?;
            let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let name = if name.is_empty() { file } else { name };
            entries.push(Entry { path: name, bytes, executable: is_executable(&metadata) });
        }
    }
    Ok(entries)
}

#[cfg(unix)]
fn is_executable(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o100 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &std::fs::Metadata) -> bool {
    true
}

/// The artifact of a function that is one executable, `bootstrap`.
pub(crate) fn of_bootstrap(bytes: Vec<u8>) -> Result<Artifact, Why> {
    pack(vec![Entry { path: "bootstrap".to_owned(), bytes, executable: true }])
}

fn pack(mut entries: Vec<Entry>) -> Result<Artifact, Why> {
    entries.sort_by(|a, b| a.path.cmp(&b.path));
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for entry in &entries {
        let mode = if entry.executable { MODE_EXECUTABLE } else { MODE_FILE };
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(DateTime::default())
            .unix_permissions(mode);
        zip.start_file(&entry.path, options).map_err(|error| failed(&error))?;
        zip.write_all(&entry.bytes).map_err(|error| failed(&error))?;
    }
    let bytes = zip.finish().map_err(|error| failed(&error))?.into_inner();
    let hash = Sha256::digest(&bytes);
    Ok(Artifact { digest: hex(&hash), code_sha256: STANDARD.encode(hash), bytes })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(path: &str, bytes: &[u8]) -> Entry {
        Entry { path: path.to_owned(), bytes: bytes.to_vec(), executable: false }
    }

    #[test]
    fn the_same_source_gives_the_same_zip_whatever_the_order() {
        let one = pack(vec![entry("a.py", b"1"), entry("b/c.py", b"2")]).unwrap();
        let other = pack(vec![entry("b/c.py", b"2"), entry("a.py", b"1")]).unwrap();
        assert_eq!(one.digest, other.digest);
        let changed = pack(vec![entry("a.py", b"1"), entry("b/c.py", b"3")]).unwrap();
        assert_ne!(one.digest, changed.digest);
    }
}
