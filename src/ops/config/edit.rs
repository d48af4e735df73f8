//! A document in plain text for as long as somebody edits it: in memory alone, for its owner alone, and wiped.
//!
//! What was typed is never lost: an edit that cannot be taken stays until it can be, or is kept encrypted for whoever
//! could read the document.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::file::{self, File, cannot};
use super::layer::Layer;
use super::opener::{Opener, now, told};
use crate::compare::Why;
use crate::sops::{self, CreationRule, Rules};

/// A document while it is edited. The plain text is gone when this is dropped.
pub struct Draft {
    file: File,
    before: Zeroizing<Vec<u8>>,
    directory: tempfile::TempDir,
    path: PathBuf,
    left: bool,
}

impl Draft {
    /// Decrypts a layer's document into one of these directories: the first that lies in memory.
    pub fn begin(opener: &Opener, layer: &Layer, directories: &[PathBuf]) -> Result<Self, Why> {
        if !layer.exists {
            return Err(Why::new(format!("{} is not there", layer.file))
                .hint("plumb config set makes it with its first value, and plumb config encrypt of a plain file"));
        }
        let file = File::read(&layer.path, &layer.file)?;
        let document = file.document(None)?;
        let before = opener.open(&document)?.plain_text();
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
        let name = Path::new(&layer.file).file_name().unwrap_or_default();
        let path = directory.path().join(name);
        let draft = Self { file, before, directory, path, left: false };
        draft.fill().map_err(|error| failed(&error))?;
        Ok(draft)
    }

    fn fill(&self) -> std::io::Result<()> {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;

            options.mode(0o600);
        }
        options.open(&self.path)?.write_all(&self.before)
    }

    /// The file to edit.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes the edit over. `false`: nothing was changed. After an error the text is still there to be edited.
    pub fn take(&self, opener: &Opener) -> Result<bool, Why> {
        let text = self.text()?;
        if *text == *self.before {
            return Ok(false);
        }
        let document = self.file.document(None)?;
        let unlocked = opener.open(&document)?;
        let bytes = unlocked.replace_text(&text, &now()).map_err(|error| told(&error))?;
        self.file.replace(&bytes)
    }

    /// Puts the text, encrypted for whoever can read the document, into a file of a directory for a later time.
    pub fn keep(&self, opener: &Opener, directory: &Path) -> Result<PathBuf, Why> {
        let text = self.text()?;
        let document = self.file.document(None)?;
        let rule = CreationRule {
            groups: document.groups(),
            threshold: u8::try_from(document.threshold()).ok(),
            rules: Rules::default(),
        };
        let at = now().replace(':', "");
        // Two within a second have names of their own.
        let names = (1..).map(|count| format!("{}.{at}.{count}.edit", self.file.name.replace('/', "_")));
        let mut free = names.filter(|name| directory.join(name).symlink_metadata().is_err());
        let name = free.next().unwrap_or_default();
        let bytes = sops::encrypt(&name, &text, &rule, opener.keys(), &now()).map_err(|error| told(&error))?;
        let path = directory.join(&name);
        file::create(&path, &path.display().to_string(), &bytes)?;
        Ok(path)
    }

    /// Leaves the text where it is, for want of any other place.
    #[must_use]
    pub fn leave(mut self) -> PathBuf {
        self.left = true;
        self.directory.disable_cleanup(true);
        self.path.clone()
    }

    /// Whether the text is another than the document's.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.text().map_or(true, |text| *text != *self.before)
    }

    fn text(&self) -> Result<Zeroizing<Vec<u8>>, Why> {
        std::fs::read(&self.path).map(Zeroizing::new).map_err(|error| cannot("read", "the edited text", &error))
    }
}

impl Drop for Draft {
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
