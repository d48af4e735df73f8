//! An age key for whoever has none, where sops and Plumb look for it.

use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::compare::Why;
use crate::config::Environ;
use crate::sops::generate_age_key;

/// Makes a key and says for whom documents are encrypted then. A file that is there stays as it is.
pub fn new_key(environ: &Environ) -> Result<(PathBuf, String), Why> {
    let home = environ.get("XDG_CONFIG_HOME").map(PathBuf::from);
    let home = home.or_else(|| environ.get("HOME").map(|home| Path::new(home).join(".config")));
    let home = home.ok_or_else(|| Why::new("HOME is not set, so there is no place for a key"))?;
    let path = home.join("sops/age/keys.txt");
    let cannot = |error: std::io::Error| {
        Why::new(format!("cannot make {}: {error}", path.display())).hint("--age names who can open documents")
    };
    if let Some(folder) = path.parent() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(cannot)?;
    }
    let (recipient, identity) = generate_age_key();
    let text = Zeroizing::new(format!("# public key: {recipient}\n{}\n", identity.expose()));
    let mut options = std::fs::OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(&path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(cannot)?;
    Ok((path, recipient))
}
