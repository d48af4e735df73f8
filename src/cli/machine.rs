//! The key of this machine's fingerprints: 32 random bytes in the state directory, for its owner alone.

use std::fs::File;
use std::io::{Error, ErrorKind, Write};
use std::path::Path;

use zeroize::Zeroizing;

use crate::compare::Why;

const NAME: &str = "fingerprint.key";

type Key = Zeroizing<[u8; 32]>;

/// Reads the key, or makes it when there is none yet; an empty file, as a crash or a full disk leaves one, is none.
pub(super) fn key(directory: &Path) -> Result<Key, Why> {
    let path = directory.join(NAME);
    match read(&path).and_then(|known| known.map_or_else(|| make(directory, &path), Ok)) {
        Ok(key) => Ok(key),
        Err(error) if error.kind() == ErrorKind::InvalidData => {
            Err(Why::new(format!("{} is not a fingerprint key: {error}", path.display())).hint(format!(
                "rm {}: a new key is made, and the fingerprints of this machine are others from then on",
                path.display()
            )))
        }
        Err(error) => {
            let failed = format!("cannot keep this machine's fingerprint key in {}: {error}", directory.display());
            Err(Why::new(failed).hint("PLUMB_STATE_DIR names another directory"))
        }
    }
}

fn read(path: &Path) -> std::io::Result<Option<Key>> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => Zeroizing::new(bytes),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if bytes.is_empty() {
        return Ok(None);
    }
    let key = <[u8; 32]>::try_from(bytes.as_slice());
    let wrong = |_| Error::new(ErrorKind::InvalidData, format!("it is {} bytes long and not 32", bytes.len()));
    key.map(|key| Some(Zeroizing::new(key))).map_err(wrong)
}

/// Makes the key, unless another process was faster.
fn make(directory: &Path, path: &Path) -> std::io::Result<Key> {
    std::fs::create_dir_all(directory)?;
    // Where directories cannot be locked, two first starts at the same moment may differ in their fingerprints.
    let held = File::open(directory)?;
    let _ = held.lock();
    if let Some(known) = read(path)? {
        return Ok(known);
    }
    let mut key = Zeroizing::new([0_u8; 32]);
    getrandom::fill(key.as_mut_slice()).map_err(|error| Error::other(error.to_string()))?;
    // Written whole and then renamed, so that nobody ever sees half a key; what fails before is removed.
    let mut file = tempfile::NamedTempFile::with_prefix_in(NAME, directory)?;
    file.write_all(key.as_slice())?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_is_made_once_and_for_its_owner() {
        use std::os::unix::fs::PermissionsExt;

        let directory = tempfile::tempdir().unwrap();
        let first = key(directory.path()).unwrap();
        assert_eq!(first, key(directory.path()).unwrap());
        assert_ne!(*first, [0; 32]);
        let mode = std::fs::metadata(directory.path().join(NAME)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn an_empty_file_is_no_key_and_all_who_find_it_agree_on_a_new_one() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(NAME), "").unwrap();
        let keys: Vec<Key> = std::thread::scope(|scope| {
            let found: Vec<_> = (0..8).map(|_| scope.spawn(|| key(directory.path()).unwrap())).collect();
            found.into_iter().map(|found| found.join().unwrap()).collect()
        });
        assert!(keys.iter().all(|found| *found == keys[0] && **found != [0; 32]));
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "nothing else is left behind");
    }

    #[test]
    fn what_is_no_key_is_told_with_the_way_out() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(NAME);
        std::fs::write(&path, [7; 31]).unwrap();
        let why = key(directory.path()).unwrap_err();
        assert!(why.reason.contains("is 31 bytes long and not 32"), "{}", why.reason);
        assert!(why.hint.unwrap().starts_with(&format!("rm {}", path.display())));
        assert_eq!(std::fs::read(&path).unwrap(), [7; 31], "what may be somebody's is not overwritten");
    }
}
