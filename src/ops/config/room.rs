//! A directory in memory for the plain text that an editor has: for its owner alone, locked while somebody edits, and wiped.
//!
//! Whoever is killed leaves it behind. The lock is held by Plumb *and by the editor that it started*, so that what nobody
//! holds belongs to nobody who still types; a note beside the text says which document it is of, for the next Plumb to
//! keep it. The note is there before the text and goes before it: a directory without one holds nothing to be kept, as that
//! of a single value.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::file::cannot;
use crate::compare::Why;

/// What such a directory's name begins with.
const PREFIX: &str = "plumb-edit-";
/// The note in it.
const NOTE: &str = ".document";
/// The text, until all of it is there.
const FILLING: &str = ".filling";

/// Which document a text is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct About {
    /// The service, or `secrets`.
    pub(super) service: String,
    /// Its layer.
    pub(super) layer: String,
    /// The document's name, from the project's root.
    pub(super) file: String,
    /// Where it lies.
    pub(super) path: PathBuf,
}

impl About {
    /// The name of the text, whose ending tells an editor its format.
    fn text(&self) -> &Path {
        Path::new(Path::new(&self.file).file_name().unwrap_or_default())
    }
}

/// The directory. What is in it is wiped when this is dropped; what somebody else left only when that is asked for.
pub struct Room {
    directory: PathBuf,
    text: PathBuf,
    left: bool,
    _lock: File,
}

impl Room {
    /// Makes one with a document's text, in the first of these places that lies in memory.
    pub(super) fn of_document(places: &[PathBuf], about: &About, text: &[u8]) -> Result<Self, Why> {
        Self::make(places, about.text(), Some(about), text)
    }

    /// The same with a value, in a file of that name.
    pub fn of_value(places: &[PathBuf], name: &Path, text: &[u8]) -> Result<Self, Why> {
        Self::make(places, name, None, text)
    }

    fn make(places: &[PathBuf], name: &Path, about: Option<&About>, text: &[u8]) -> Result<Self, Why> {
        let place = places.iter().find(|place| in_memory(place)).ok_or_else(|| {
            Why::new("there is no directory in memory (tmpfs) to edit in, and plain text is never put on a disk")
                .hint("XDG_RUNTIME_DIR names one; plumb config set changes single values without any file")
        })?;
        let failed = |error: &std::io::Error| cannot("write", "the text to edit", error);
        let mut builder = tempfile::Builder::new();
        builder.prefix(PREFIX);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;

            builder.permissions(std::fs::Permissions::from_mode(0o700));
        }
        let directory = builder.tempdir_in(place).map_err(|error| failed(&error))?.keep();
        let opened = File::open(&directory).and_then(|lock| {
            lock.lock()?;
            // The editor has it as well, and so what Plumb leaves is nobody's only when the editor is gone, too.
            #[cfg(unix)]
            rustix::io::fcntl_setfd(&lock, rustix::io::FdFlags::empty())?;
            Ok(lock)
        });
        let lock = match opened {
            Ok(lock) => lock,
            Err(error) => {
                // Nothing is in it yet.
                let _ = std::fs::remove_dir(&directory);
                return Err(failed(&error));
            }
        };
        let room = Self { text: directory.join(name), directory, left: false, _lock: lock };
        room.fill(about, text).map_err(|error| failed(&error))?;
        Ok(room)
    }

    fn fill(&self, about: Option<&About>, text: &[u8]) -> std::io::Result<()> {
        if let Some(about) = about {
            let note = serde_json::to_vec(about)?;
            new_file(&self.directory.join(NOTE))?.write_all(&note)?;
        }
        let filling = self.directory.join(FILLING);
        new_file(&filling)?.write_all(text)?;
        std::fs::rename(filling, &self.text)
    }

    /// Where the text lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.text
    }

    /// The text as it is now.
    pub fn read(&self) -> Result<Zeroizing<Vec<u8>>, Why> {
        std::fs::read(&self.text).map(Zeroizing::new).map_err(|error| cannot("read", "the edited text", &error))
    }

    /// Leaves everything where it is, for want of any other place.
    pub(super) fn leave(mut self) -> PathBuf {
        self.left = true;
        self.text.clone()
    }

    /// Wipes what somebody else has left.
    pub(super) fn clear(mut self) {
        self.left = false;
    }

    /// The rooms of documents in these places that nobody is in any more. What holds nothing to be kept is wiped at once.
    pub(super) fn abandoned(places: &[PathBuf]) -> Vec<(About, Self)> {
        let entries = places.iter().filter_map(|place| std::fs::read_dir(place).ok()).flatten().flatten();
        let named = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(PREFIX));
        let mut found = Vec::new();
        for directory in named.filter(is_own_directory).map(|entry| entry.path()) {
            let Some(lock) = File::open(&directory).ok().filter(|lock| lock.try_lock().is_ok()) else { continue };
            let note = std::fs::read(directory.join(NOTE)).ok();
            let about = note.and_then(|note| serde_json::from_slice::<About>(&note).ok());
            match about.filter(|about| directory.join(about.text()).is_file()) {
                Some(about) => {
                    let text = directory.join(about.text());
                    found.push((about, Self { directory, text, left: true, _lock: lock }));
                }
                None => wipe(&directory),
            }
        }
        found
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if !self.left {
            wipe(&self.directory);
        }
    }
}

/// Overwrites the text, and whatever the editor has left beside it, and removes all of it.
fn wipe(directory: &Path) {
    // What cannot be overwritten is removed all the same, and what is gone already is no trouble.
    let _ = std::fs::remove_file(directory.join(NOTE));
    for entry in std::fs::read_dir(directory).into_iter().flatten().flatten() {
        let length = entry.metadata().map_or(0, |found| usize::try_from(found.len()).unwrap_or(0));
        let _ = OpenOptions::new().write(true).open(entry.path()).and_then(|mut file| file.write_all(&vec![0; length]));
    }
    let _ = std::fs::remove_dir_all(directory);
}

/// A new file for its owner alone.
fn new_file(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;

        options.mode(0o600);
    }
    options.open(path)
}

/// Whether it is a directory, no link to one, and this user's.
#[cfg(unix)]
fn is_own_directory(entry: &std::fs::DirEntry) -> bool {
    use std::os::unix::fs::MetadataExt as _;

    let own = rustix::process::geteuid().as_raw();
    entry.path().symlink_metadata().is_ok_and(|found| found.is_dir() && found.uid() == own)
}

#[cfg(not(unix))]
fn is_own_directory(entry: &std::fs::DirEntry) -> bool {
    entry.path().symlink_metadata().is_ok_and(|found| found.is_dir())
}

/// Directories that may lie in memory, the operator's own (`XDG_RUNTIME_DIR`) first.
#[must_use]
pub fn memory_places(own: Option<&str>) -> Vec<PathBuf> {
    let own = own.map(PathBuf::from);
    own.into_iter().chain([PathBuf::from("/dev/shm"), PathBuf::from("/run/shm")]).collect()
}

/// What keeps an editor from leaving copies of the text elsewhere.
#[must_use]
pub fn quiet_editor(editor: &str) -> &'static [&'static str] {
    let mut words = editor.split_whitespace().skip_while(|word| word.contains('='));
    match words.next().map_or("", |word| word.rsplit('/').next().unwrap_or(word)) {
        "vim" | "nvim" => &["-n", "-i", "NONE", "--cmd", "set nobackup nowritebackup noundofile"],
        _ => &[],
    }
}

#[cfg(target_os = "linux")]
fn in_memory(place: &Path) -> bool {
    // tmpfs and ramfs (statfs(2)).
    let lies_there = rustix::fs::statfs(place).is_ok_and(|found| matches!(found.f_type, 0x0102_1994 | 0x8584_58f6));
    lies_there && writable(place)
}

#[cfg(not(target_os = "linux"))]
fn in_memory(place: &Path) -> bool {
    // Nothing tells; a directory that was named for it is taken at its word.
    writable(place)
}

fn writable(place: &Path) -> bool {
    tempfile::tempfile_in(place).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about() -> About {
        let (service, layer, file) = ("billing".to_owned(), "dev".to_owned(), "config/dev.json".to_owned());
        About { service, layer, path: PathBuf::from("/nowhere").join(&file), file }
    }

    #[test]
    fn what_somebody_is_in_is_left_alone_and_what_nobody_is_in_is_found_once() {
        let place = [tempfile::tempdir_in("/dev/shm").unwrap()];
        let places = place.each_ref().map(|place| place.path().to_owned());
        let room = Room::of_document(&places, &about(), b"text").unwrap();
        assert!(Room::abandoned(&places).is_empty());
        room.leave();
        std::fs::create_dir(places[0].join("plumb-elsewhere")).unwrap();
        std::fs::create_dir(places[0].join("plumb-edit-without")).unwrap();
        std::fs::write(places[0].join("plumb-edit-without/config.json"), "half of it").unwrap();
        let found = Room::abandoned(&places);
        assert!(Room::abandoned(&places).is_empty(), "while one of us has it");
        let [(of, room)] = &found[..] else { panic!("{} were found", found.len()) };
        assert_eq!((of, &**room.read().unwrap()), (&about(), &b"text"[..]));
        drop(found);
        for (_, room) in Room::abandoned(&places) {
            room.clear();
        }
        let left: Vec<_> = std::fs::read_dir(&places[0]).unwrap().flatten().map(|entry| entry.file_name()).collect();
        assert_eq!(left, ["plumb-elsewhere"]);
    }
}
