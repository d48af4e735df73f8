//! A text for an editor: in a file in memory, for its owner alone, and wiped.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::file::cannot;
use crate::compare::Why;

/// A file in a directory of its own. The text is gone when this is dropped.
pub struct Scratch {
    directory: tempfile::TempDir,
    path: PathBuf,
    left: bool,
}

impl Scratch {
    /// Puts a text into the first of these directories that lies in memory.
    pub fn begin(name: &Path, text: &[u8], directories: &[PathBuf]) -> Result<Self, Why> {
        let place = directories.iter().find(|place| in_memory(place)).ok_or_else(|| {
            Why::new("there is no directory in memory (tmpfs) to edit in, and plain text is never put on a disk")
                .hint("XDG_RUNTIME_DIR names one; plumb config set changes single values without any file")
        })?;
        let failed = |error: &std::io::Error| cannot("write", "the text to edit", error);
        let mut builder = tempfile::Builder::new();
        builder.prefix("plumb-");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;

            builder.permissions(std::fs::Permissions::from_mode(0o700));
        }
        let directory = builder.tempdir_in(place).map_err(|error| failed(&error))?;
        let path = directory.path().join(name);
        let scratch = Self { directory, path, left: false };
        scratch.fill(text).map_err(|error| failed(&error))?;
        Ok(scratch)
    }

    fn fill(&self, text: &[u8]) -> std::io::Result<()> {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;

            options.mode(0o600);
        }
        options.open(&self.path)?.write_all(text)
    }

    /// The file to edit.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it says now.
    pub fn text(&self) -> Result<Zeroizing<Vec<u8>>, Why> {
        std::fs::read(&self.path).map(Zeroizing::new).map_err(|error| cannot("read", "the edited text", &error))
    }

    /// Leaves the text where it is, for want of any other place.
    #[must_use]
    pub fn leave(mut self) -> PathBuf {
        self.left = true;
        self.directory.disable_cleanup(true);
        self.path.clone()
    }
}

impl Drop for Scratch {
    /// Overwrites the text, and whatever the editor has left beside it; the directory goes with it.
    fn drop(&mut self) {
        if self.left {
            return;
        }
        let entries = std::fs::read_dir(self.directory.path()).into_iter().flatten().flatten();
        for entry in entries {
            let length = entry.metadata().map_or(0, |found| usize::try_from(found.len()).unwrap_or(0));
            // What cannot be overwritten is removed all the same, with the directory.
            let _ = std::fs::OpenOptions::new()
                .write(true)
                .open(entry.path())
                .and_then(|mut file| file.write_all(&vec![0; length]));
        }
    }
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
