//! A document in plain text for as long as somebody edits it: in memory alone, for its owner alone, and wiped.
//!
//! What was typed is never lost: an edit that cannot be taken stays until it can be, or is kept encrypted for whoever
//! could read the document.

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::file::{self, File};
use super::layer::Layer;
use super::opener::{Opener, now, told};
use super::scratch::Scratch;
use crate::compare::Why;
use crate::sops::{self, CreationRule, Rules};

/// A document while it is edited. The plain text is gone when this is dropped.
pub struct Draft {
    file: File,
    before: Zeroizing<Vec<u8>>,
    scratch: Scratch,
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
        let name = Path::new(&layer.file).file_name().unwrap_or_default();
        let scratch = Scratch::begin(Path::new(name), &before, directories)?;
        Ok(Self { file, before, scratch })
    }

    /// The file to edit.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.scratch.path()
    }

    /// Takes the edit over. `false`: nothing was changed. After an error the text is still there to be edited.
    pub fn take(&self, opener: &Opener) -> Result<bool, Why> {
        let text = self.scratch.text()?;
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
        let text = self.scratch.text()?;
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
    pub fn leave(self) -> PathBuf {
        self.scratch.leave()
    }

    /// Whether the text is another than the document's.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.scratch.text().map_or(true, |text| *text != *self.before)
    }
}
