//! Writing what was proposed and agreed to, and nothing that was not shown.

use std::io::Write as _;

use super::plan::{File, Proposal};
use crate::compare::Why;
use crate::ops::config::run_git;

/// Writes the files that are new, and of those that differ the ones that are agreed to. Begins the repository. Writes nothing
/// where one of them is not any more what it was when it was shown, and never over one that has appeared since.
pub fn write(proposal: &Proposal, agreed: &dyn Fn(&File) -> bool) -> Result<(), Why> {
    let wanted = |file: &&File| file.before.is_none() || (file.differs() && agreed(file));
    let files: Vec<&File> = proposal.files.iter().filter(wanted).collect();
    if let Some(file) = files.iter().find(|file| std::fs::read(&file.path).ok() != file.before) {
        return Err(changed(file, "nothing is written"));
    }
    if let Some(branch) = &proposal.begins {
        run_git(&proposal.directory, &["init", "--quiet", "--initial-branch", branch])?;
    }
    for file in files {
        put(file).map_err(|error| match error.kind() {
            std::io::ErrorKind::AlreadyExists => changed(file, "it and what follows it are not written"),
            _ => Why::new(format!("cannot write {}: {error}", file.path.display())),
        })?;
    }
    Ok(())
}

fn put(file: &File) -> std::io::Result<()> {
    if let Some(folder) = file.path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    if file.before.is_some() {
        return std::fs::write(&file.path, &file.bytes);
    }
    std::fs::OpenOptions::new().write(true).create_new(true).open(&file.path)?.write_all(&file.bytes)
}

fn changed(file: &File, so: &str) -> Why {
    Why::new(format!("refused: {} was changed since it was shown, so {so}", file.path.display()))
        .hint("the same command again shows what is there now")
}

#[cfg(test)]
mod tests {
    use super::super::plan::file;
    use super::*;

    #[test]
    fn what_appears_or_changes_after_it_was_shown_is_not_written_over() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        std::fs::write(path("there"), "old").unwrap();
        let proposal = || {
            let files = ["there", "new/one"].map(|name| file(directory.path(), name.to_owned(), b"mine".to_vec()));
            Proposal { directory: directory.path().to_owned(), begins: None, files: files.into(), notes: Vec::new() }
        };
        let shown = proposal();
        std::fs::write(path("there"), "theirs").unwrap();
        let why = write(&shown, &|_| true).unwrap_err();
        assert!(why.reason.contains("there was changed since it was shown"), "{why}");
        assert_eq!(std::fs::read_to_string(path("there")).unwrap(), "theirs");
        assert!(!path("new").exists(), "nothing is written");
        // What nobody agreed to replace is nobody's concern.
        write(&shown, &|_| false).unwrap();
        assert_eq!(std::fs::read_to_string(path("new/one")).unwrap(), "mine");
        // One that appears in the very moment.
        let why = put(&File { before: None, ..shown.files[0].clone() }).unwrap_err();
        assert_eq!(why.kind(), std::io::ErrorKind::AlreadyExists);
        write(&proposal(), &|_| true).unwrap();
        assert_eq!(std::fs::read_to_string(path("there")).unwrap(), "mine");
    }
}
