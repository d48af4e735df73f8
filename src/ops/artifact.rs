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

/// What a zip begins with: its first file, or its end where it has none.
const ZIP: [&[u8]; 2] = [b"PK\x03\x04", b"PK\x05\x06"];

/// A built artifact.
pub struct Artifact {
    /// The zip.
    pub bytes: Vec<u8>,
    /// SHA-256 of the zip in hexadecimal: its name.
    pub digest: String,
    /// SHA-256 of the zip in base64, as Lambda shows it.
    pub code_sha256: String,
}

impl Artifact {
    fn of(bytes: Vec<u8>) -> Self {
        let hash = Sha256::digest(&bytes);
        Self { digest: hex(&hash), code_sha256: STANDARD.encode(hash), bytes }
    }
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
/// project's directory and what it writes is taken; then the working tree must be that commit's. So it must where there
/// is only an output, which somebody else has built: it is taken as it lies there.
pub async fn build(snapshot: &Snapshot, root: &Path, function: &Function) -> Result<Artifact, Why> {
    let resource = &function.resource;
    if let Some(command) = &function.build {
        run(root, command, &format!("the build of {resource}")).await?;
    }
    let nothing = |directory: &str, field: &str| {
        Why::new(format!("{directory} has no file to deploy"))
            .hint(format!("[[stacks.functions]] {field} in plumb.toml names the directory"))
    };
    let Some(output) = &function.output else {
        if function.build.is_some() {
            return Err(Why::new(format!("{resource} has a build command and no output")).hint("set output"));
        }
        let entries = committed(snapshot, &function.source)?;
        return if entries.is_empty() { Err(nothing(&function.source, "source")) } else { pack(entries) };
    };
    let path = root.join(output);
    if function.build.is_none() && !path.exists() {
        return Err(Why::new(format!("{output} of {resource} is not there, and nothing in plumb.toml builds it"))
            .hint("build it first; or set build, the command that writes it"));
    }
    let read = tokio::task::spawn_blocking(move || from_disk(&path)).await;
    read.map_err(|error| failed(&error))??.ok_or_else(|| nothing(output, "output"))
}

/// The artifact of a folder or a file of a commit.
pub(crate) fn of_commit(snapshot: &Snapshot, source: &str) -> Result<Artifact, Why> {
    let entries = committed(snapshot, source)?;
    if !entries.is_empty() {
        return pack(entries);
    }
    let blob = snapshot.read(source).map_err(|error| failed(&error))?;
    let blob = blob.ok_or_else(|| Why::new(format!("{source} has no file to deploy, or is not in the commit")))?;
    let path = source.rsplit('/').next().unwrap_or(source).to_owned();
    of_file(Entry { path, bytes: blob.bytes, executable: false })
}

/// What lies on the disk: a file as it is, or all of it as a zip.
pub(crate) async fn of_disk(path: PathBuf, zips: bool) -> Result<Vec<u8>, Why> {
    let read = move || {
        if zips {
            let empty = || Why::new(format!("{} has no file", path.display()));
            return from_disk(&path)?.map(|artifact| artifact.bytes).ok_or_else(empty);
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

/// The artifact of a file or a directory that lies on the disk; `None`: there is no file in it.
fn from_disk(path: &Path) -> Result<Option<Artifact>, Why> {
    let mut entries = on_disk(path)?;
    if path.is_dir() {
        return if entries.is_empty() { Ok(None) } else { pack(entries).map(Some) };
    }
    entries.pop().map(of_file).transpose()
}

/// The artifact of a single file. A zip, or a jar, which is one, is taken as it is: in another zip no runtime would find it.
fn of_file(file: Entry) -> Result<Artifact, Why> {
    if ZIP.iter().any(|magic| file.bytes.starts_with(magic)) {
        return Ok(Artifact::of(file.bytes));
    }
    pack(vec![file])
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
    Ok(Artifact::of(bytes))
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

    #[test]
    fn a_file_that_is_a_zip_is_the_artifact_and_any_other_is_zipped() {
        let folder = tempfile::tempdir().unwrap();
        let ready = pack(vec![entry("app.py", b"1")]).unwrap();
        for (name, bytes, is_ready) in [
            ("fn.zip", ready.bytes.as_slice(), true),
            ("fn.jar", &ready.bytes, true),
            ("empty.zip", b"PK\x05\x06 and so on", true),
            ("bootstrap", b"\x7fELF", false),
            ("named.zip", b"no zip at all", false),
        ] {
            let path = folder.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            let found = from_disk(&path).unwrap().unwrap();
            assert_eq!(found.bytes == bytes, is_ready, "{name}");
            let again = of_file(entry(name, bytes)).unwrap();
            assert_eq!(again.bytes == bytes, is_ready, "{name}");
        }
        let inner = folder.path().join("inner");
        std::fs::create_dir(&inner).unwrap();
        assert!(from_disk(&inner).unwrap().is_none(), "there is nothing in it");
        std::fs::write(inner.join("data.zip"), &ready.bytes).unwrap();
        let found = from_disk(&inner).unwrap().unwrap();
        assert_ne!(found.bytes, ready.bytes, "of a directory a zip is one file of the function");
    }
}
