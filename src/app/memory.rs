//! What the console remembers, in `console.json` of the state directory: names, by project; never a value.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::console::Memory;

const FILE: &str = "console.json";

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
struct Kept {
    /// Whether the tour has been shown on this machine.
    toured: bool,
    /// What was chosen, by project.
    recent: BTreeMap<String, Vec<String>>,
}

/// What is kept of a project. What cannot be read is not remembered, which is no reason to fail.
pub(super) fn load(directory: &Path, project: &str) -> Memory {
    let mut kept = read(directory);
    Memory { toured: kept.toured, recent: kept.recent.remove(project).unwrap_or_default() }
}

/// Keeps it, beside what is kept of other projects.
pub(super) fn keep(directory: &Path, project: &str, memory: Memory) -> io::Result<()> {
    let mut kept = read(directory);
    kept.toured |= memory.toured;
    kept.recent.insert(project.to_owned(), memory.recent);
    std::fs::create_dir_all(directory)?;
    // Written whole and then renamed, so that another console never reads half of it; for its owner alone.
    let mut file = tempfile::Builder::new().prefix(FILE).tempfile_in(directory)?;
    serde_json::to_writer_pretty(&mut file, &kept)?;
    file.flush()?;
    file.persist(directory.join(FILE))?;
    Ok(())
}

fn read(directory: &Path) -> Kept {
    let text = std::fs::read(directory.join(FILE)).unwrap_or_default();
    serde_json::from_slice(&text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(recent: &[&str], toured: bool) -> Memory {
        Memory { recent: recent.iter().map(|&text| text.to_owned()).collect(), toured }
    }

    #[test]
    fn what_is_kept_comes_back_by_project_and_the_tour_is_once_for_all() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state");
        assert_eq!(load(&path, "petshop"), Memory::default());
        keep(&path, "petshop", memory(&["action refresh"], true)).unwrap();
        keep(&path, "other/one", memory(&["environment qa"], false)).unwrap();
        assert_eq!(load(&path, "petshop"), memory(&["action refresh"], true));
        assert_eq!(load(&path, "other/one"), memory(&["environment qa"], true));
        assert_eq!(load(&path, "new"), memory(&[], true));
        assert_eq!(std::fs::read_dir(&path).unwrap().count(), 1, "no temporary file stays");
    }

    #[test]
    fn a_broken_file_is_forgotten_and_replaced() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(FILE), "{ \"toured\": ").unwrap();
        assert_eq!(load(directory.path(), "petshop"), Memory::default());
        keep(directory.path(), "petshop", memory(&["environment qa"], false)).unwrap();
        assert_eq!(load(directory.path(), "petshop"), memory(&["environment qa"], false));
    }
}
