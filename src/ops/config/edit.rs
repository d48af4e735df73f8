//! A document in plain text for as long as somebody edits it: in memory alone, for its owner alone, and wiped.
//!
//! What was typed is never lost: an edit that cannot be taken stays until it can be, or is kept encrypted for whoever
//! could read the document. So is one whose Plumb was killed, by the next ([`rescue`]).

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::file::{self, File, cannot};
use super::layer::Layer;
use super::opener::{Opener, now, told};
use super::room::{About, Room};
use crate::compare::Why;
use crate::sops::{self, CreationRule, Document, Format, Rules};

/// A document while it is edited. The plain text is gone when this is dropped.
pub struct Draft {
    file: File,
    before: Zeroizing<Vec<u8>>,
    begun: Zeroizing<Vec<u8>>,
    /// The kept edit that this goes on with.
    kept: Option<PathBuf>,
    room: Room,
}

/// An edit that was cut off: its process is gone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rescued {
    /// The service, or `secrets`.
    pub service: String,
    /// Its layer.
    pub layer: String,
    /// The document's name, from its project's root.
    pub file: String,
    /// Where the document lies.
    pub document: PathBuf,
    /// Where the edit is kept, encrypted.
    pub kept: PathBuf,
}

impl Draft {
    /// Decrypts a layer's document into one of these directories: the first that lies in memory. With `kept` the text is
    /// that of an edit that was kept.
    pub fn begin(opener: &Opener, layer: &Layer, directories: &[PathBuf], kept: Option<&Path>) -> Result<Self, Why> {
        if !layer.exists {
            return Err(Why::new(format!("{} is not there", layer.file))
                .hint("plumb config set makes it with its first value, and plumb config encrypt of a plain file"));
        }
        let file = File::read(&layer.path, &layer.file)?;
        let document = file.document(None)?;
        let before = opener.open(&document)?.plain_text();
        let begun = match kept {
            None => before.clone(),
            Some(kept) => {
                let kept = File::read(kept, &kept.display().to_string())?;
                opener.open(&kept.document(Some(Format::Binary))?)?.plain_text()
            }
        };
        let about = About {
            service: layer.service.clone(),
            layer: layer.layer.clone(),
            file: layer.file.clone(),
            path: std::path::absolute(&layer.path).map_err(|error| cannot("find", &layer.file, &error))?,
        };
        let room = Room::of_document(directories, &about, &begun)?;
        Ok(Self { file, before, begun, kept: kept.map(Path::to_owned), room })
    }

    /// The file to edit.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.room.path()
    }

    /// Takes the edit over. `false`: nothing was changed. After an error the text is still there to be edited.
    pub fn take(&self, opener: &Opener) -> Result<bool, Why> {
        let text = self.room.read()?;
        let changed = if *text == *self.before {
            false
        } else {
            let document = self.file.document(None)?;
            let unlocked = opener.open(&document)?;
            let bytes = unlocked.replace_text(&text, &now()).map_err(|error| told(&error))?;
            self.file.replace(&bytes)?
        };
        self.forget_kept();
        Ok(changed)
    }

    /// Puts the text, encrypted for whoever can read the document, into a file of a directory for a later time.
    pub fn keep(&self, opener: &Opener, directory: &Path) -> Result<PathBuf, Why> {
        let path = keep(opener, &self.file.document(None)?, &self.room.read()?, directory)?;
        self.forget_kept();
        Ok(path)
    }

    /// What was kept before is in the document now, or kept anew.
    fn forget_kept(&self) {
        if let Some(kept) = &self.kept {
            // One that stays is offered by nobody.
            let _ = std::fs::remove_file(kept);
        }
    }

    /// Leaves the text where it is, for want of any other place.
    #[must_use]
    pub fn leave(self) -> PathBuf {
        self.room.leave()
    }

    /// Whether the text is another than at the beginning.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.room.read().map_or(true, |text| *text != *self.begun)
    }
}

/// Keeps a text, encrypted for whoever can read a document.
fn keep(opener: &Opener, document: &Document, text: &[u8], directory: &Path) -> Result<PathBuf, Why> {
    let rule = CreationRule {
        groups: document.groups(),
        threshold: u8::try_from(document.threshold()).ok(),
        rules: Rules::default(),
    };
    let at = now().replace(':', "");
    // Two within a second have names of their own.
    let names = (1..).map(|count| format!("{}.{at}.{count}.edit", document.name().replace('/', "_")));
    let mut free = names.filter(|name| directory.join(name).symlink_metadata().is_err());
    let name = free.next().unwrap_or_default();
    let bytes = sops::encrypt(&name, text, &rule, opener.keys(), &now()).map_err(|error| told(&error))?;
    let path = directory.join(&name);
    file::create(&path, &path.display().to_string(), &bytes)?;
    Ok(path)
}

/// Edits in these directories whose Plumb and whose editor are gone.
pub struct CutOff(Vec<(About, Room)>);

impl CutOff {
    /// Finds them; what was no edit yet, or is taken already, is wiped.
    #[must_use]
    pub fn find(directories: &[PathBuf]) -> Self {
        Self(Room::abandoned(directories))
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Keeps each that changes its document, encrypted, in a directory, and wipes its plain text. One that cannot be kept
    /// stays where it is, and is told.
    #[must_use]
    pub fn rescue(self, opener: &Opener, directory: &Path) -> Vec<Result<Rescued, Why>> {
        self.0.into_iter().filter_map(|(about, room)| rescue(opener, about, room, directory)).collect()
    }
}

fn rescue(opener: &Opener, about: About, room: Room, directory: &Path) -> Option<Result<Rescued, Why>> {
    let About { service, layer, file, path: document } = about;
    let kept = (|| {
        let text = room.read()?;
        let of = File::read(&document, &file)?.document(None)?;
        if opener.open(&of).is_ok_and(|opened| *opened.plain_text() == *text) {
            return Ok(None);
        }
        keep(opener, &of, &text, directory).map(Some)
    })();
    match kept {
        Ok(kept) => {
            room.clear();
            kept.map(|kept| Ok(Rescued { service, layer, file, document, kept }))
        }
        Err(why) => {
            let place = room.leave();
            let reason = format!("an edit of {file} was cut off, and cannot be encrypted: {}", why.reason);
            Some(Err(Why::new(reason).hint(format!(
                "it lies in plain text, in memory, as {}: the next plumb config tries again; remove it if it is not wanted",
                place.display()
            ))))
        }
    }
}
