//! Whole files: encrypted, decrypted, under a new data key, for other recipients.

use std::path::Path;

use zeroize::Zeroizing;

use super::file::File;
use super::layer::rule_for;
use super::opener::{Opener, now, told};
use crate::compare::Why;
use crate::sops::{Format, Recipient};

/// Who can open a file, before and after.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Keyed {
    /// Whether the file was written.
    pub changed: bool,
    /// Recipients that are new.
    pub added: Vec<String>,
    /// Recipients that are gone. What they have read they know; [`rotate`] keeps them from what comes.
    pub removed: Vec<String>,
}

/// The plain text of a file. `input_type` is one of `json`, `yaml`, `dotenv`, `binary`; else its name tells.
pub fn decrypt(opener: &Opener, path: &Path, input_type: Option<&str>) -> Result<Zeroizing<Vec<u8>>, Why> {
    plain(opener, &read(path)?, input_type)
}

/// The same, put in the file's place.
pub fn decrypt_file(opener: &Opener, path: &Path, input_type: Option<&str>) -> Result<(), Why> {
    let file = read(path)?;
    let text = plain(opener, &file, input_type)?;
    file.replace(&text).map(drop)
}

fn read(path: &Path) -> Result<File, Why> {
    File::read(path, &path.display().to_string())
}

fn plain(opener: &Opener, file: &File, input_type: Option<&str>) -> Result<Zeroizing<Vec<u8>>, Why> {
    let document = file.document(format(input_type)?)?;
    Ok(opener.open(&document)?.plain_text())
}

fn format(input_type: Option<&str>) -> Result<Option<Format>, Why> {
    input_type.map(str::parse).transpose().map_err(Why::new)
}

/// A plain file, encrypted as its creation rule says. `input_type` is what [`decrypt`] then has to be told.
pub fn encrypt(opener: &Opener, path: &Path, input_type: Option<&str>) -> Result<Vec<u8>, Why> {
    sealed(opener, &read(path)?, path, input_type)
}

/// The same, put in the file's place.
pub fn encrypt_file(opener: &Opener, path: &Path, input_type: Option<&str>) -> Result<(), Why> {
    let file = read(path)?;
    let bytes = sealed(opener, &file, path, input_type)?;
    file.replace(&bytes).map(drop)
}

fn sealed(opener: &Opener, file: &File, path: &Path, input_type: Option<&str>) -> Result<Vec<u8>, Why> {
    let format = format(input_type)?.unwrap_or_else(|| Format::of_path(&file.name));
    let rule = rule_for(path, &file.name)?;
    opener.seal(&file.name, format, &file.bytes, &rule)
}

/// Every value under a new data key, for the same recipients. `input_type` as of [`decrypt`].
pub fn rotate(opener: &Opener, path: &Path, input_type: Option<&str>) -> Result<(), Why> {
    let file = read(path)?;
    let document = file.document(format(input_type)?)?;
    let unlocked = opener.open(&document)?;
    let bytes = unlocked.rotate(None, opener.keys(), &now()).map_err(|error| told(&error))?;
    file.replace(&bytes).map(drop)
}

/// The file for the recipients of its creation rule. No value is touched. `input_type` as of [`decrypt`].
pub fn update_keys(opener: &Opener, path: &Path, input_type: Option<&str>) -> Result<Keyed, Why> {
    let file = read(path)?;
    let document = file.document(format(input_type)?)?;
    let rule = rule_for(path, &file.name)?;
    let unlocked = opener.open(&document)?;
    let bytes =
        unlocked.update_keys(&rule.groups, rule.threshold, opener.keys(), &now()).map_err(|error| told(&error))?;
    let changed = file.replace(&bytes)?;
    let (before, after) = (document.recipients(), listed(&rule.groups));
    let only = |one: &[String], other: &[String]| one.iter().filter(|each| !other.contains(each)).cloned().collect();
    Ok(Keyed { changed, added: only(&after, &before), removed: only(&before, &after) })
}

/// Recipients as they are told.
pub(super) fn listed(groups: &[Vec<Recipient>]) -> Vec<String> {
    groups.iter().flatten().map(ToString::to_string).collect()
}
