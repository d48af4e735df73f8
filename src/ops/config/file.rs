//! A file that is read, and replaced as a whole: whoever reads it sees the old bytes or the new ones, never a part.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::opener::told;
use crate::compare::Why;
use crate::sops::{Document, Format};

/// A file and what it holds.
pub(super) struct File {
    path: PathBuf,
    /// The name that is told.
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
}

impl File {
    /// Reads a file; a symbolic link is followed, and stays one when the file is replaced.
    pub(super) fn read(path: &Path, name: &str) -> Result<Self, Why> {
        let path = path.canonicalize().map_err(|error| cannot("read", name, &error))?;
        let bytes = std::fs::read(&path).map_err(|error| cannot("read", name, &error))?;
        Ok(Self { path, name: name.to_owned(), bytes })
    }

    /// Its document, in the format that its name tells unless another is asked for.
    pub(super) fn document(&self, format: Option<Format>) -> Result<Document, Why> {
        let format = format.unwrap_or_else(|| Format::of_path(&self.name));
        Document::parse_as(&self.name, &self.bytes, format).map_err(|error| told(&error))
    }

    /// Puts other bytes in its place, with the same mode; `false`: they are the same. Refused where somebody else has
    /// changed the file since it was read.
    pub(super) fn replace(&self, bytes: &[u8]) -> Result<bool, Why> {
        let now = std::fs::read(&self.path).map_err(|error| cannot("read", &self.name, &error))?;
        if now != self.bytes {
            return Err(Why::new(format!("{} was changed meanwhile, and is left as it is", self.name)).hint("again"));
        }
        if now == bytes {
            return Ok(false);
        }
        let mode = std::fs::metadata(&self.path).map_err(|error| cannot("read", &self.name, &error))?.permissions();
        put(&self.path, &self.name, bytes, Some(mode))?;
        Ok(true)
    }
}

/// Writes a new file, with its directory; one that is there already stays as it is.
pub(super) fn create(path: &Path, name: &str, bytes: &[u8]) -> Result<(), Why> {
    if path.symlink_metadata().is_ok() {
        return Err(Why::new(format!("{name} is there already, and is left as it is")));
    }
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory).map_err(|error| cannot("write", name, &error))?;
    }
    put(path, name, bytes, None)
}

/// What the name of a file begins and ends with while it is written.
const WRITING: (&str, &str) = (".plumb-write-", ".tmp");

/// Beside it, to the disk, and then in its place.
fn put(path: &Path, name: &str, bytes: &[u8], mode: Option<std::fs::Permissions>) -> Result<(), Why> {
    let directory = path.parent().unwrap_or(Path::new("."));
    sweep(directory);
    let written = (|| {
        let mut builder = tempfile::Builder::new();
        builder.prefix(WRITING.0).suffix(WRITING.1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;

            // What the umask leaves of it, as of every new file.
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let mut file = builder.tempfile_in(directory)?;
        // Where locks are not to be had nobody takes it for abandoned either.
        let _ = file.as_file().lock();
        if let Some(mode) = mode {
            file.as_file().set_permissions(mode)?;
        }
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|failed| failed.error)?;
        std::fs::File::open(directory)?.sync_all()
    })();
    written.map_err(|error| cannot("write", name, &error))
}

/// Removes what writers that were killed have left here: what nobody holds.
fn sweep(directory: &Path) {
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let is_ours = name.to_str().is_some_and(|name| name.starts_with(WRITING.0) && name.ends_with(WRITING.1));
        if !is_ours || !entry.file_type().is_ok_and(|kind| kind.is_file()) {
            continue;
        }
        if std::fs::File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok()) {
            // Another sweeper may have been faster.
            let _ = std::fs::remove_file(entry.path());
        }
    }
}

pub(super) fn cannot(what: &str, name: &str, error: &std::io::Error) -> Why {
    Why::new(format!("cannot {what} {name}: {error}"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_file_is_replaced_whole_with_its_mode_and_nothing_is_left_beside_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.json");
        std::fs::write(&path, "old").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let link = directory.path().join("link.json");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let file = File::read(&link, "link.json").unwrap();
        assert!(file.replace(b"new").unwrap());
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
        assert!(link.symlink_metadata().unwrap().is_symlink());
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 2);
    }

    #[test]
    fn what_a_killed_writer_left_goes_and_what_is_being_written_stays() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        let (left, held, other) = (at(".plumb-write-left.tmp"), at(".plumb-write-held.tmp"), at(".plumb-notes"));
        for path in [&left, &held, &other] {
            std::fs::write(path, "half").unwrap();
        }
        let writing = std::fs::File::open(&held).unwrap();
        writing.lock().unwrap();
        create(&at("a.json"), "a.json", b"new").unwrap();
        assert_eq!([&left, &held, &other].map(|path| path.exists()), [false, true, true]);
    }

    #[test]
    fn what_somebody_else_wrote_meanwhile_stays() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.json");
        std::fs::write(&path, "old").unwrap();
        let file = File::read(&path, "a.json").unwrap();
        std::fs::write(&path, "theirs").unwrap();
        assert!(file.replace(b"new").unwrap_err().reason.contains("changed meanwhile"));
        assert_eq!(std::fs::read(&path).unwrap(), b"theirs");
        assert!(create(&path, "a.json", b"new").is_err());
    }
}
