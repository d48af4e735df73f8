//! The functions' source: what this program carries, or a directory that it was written to.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::embedded::{FILES, LOCK, MANIFEST};
use super::{manifest, template};
use crate::compare::Why;
use crate::git;
use crate::ops::git_why;

/// The crate's directory in the workspace.
const CRATE: &str = "lambda";
/// What lies there and is not source.
const NO_SOURCE: [&str; 6] = ["target", ".git", "corpus", "artifacts", "__pycache__", "proptest-regressions"];

/// A file of what is written out: its path, and what it holds.
pub type Written<'a> = (PathBuf, Cow<'a, [u8]>);

/// The files below `lambda/`.
#[derive(Debug, Clone)]
pub struct Source {
    files: Vec<(String, Cow<'static, [u8]>)>,
}

impl Source {
    /// What this program carries.
    #[must_use]
    pub fn embedded() -> Self {
        let files = FILES.iter().map(|(path, bytes)| ((*path).to_owned(), Cow::Borrowed(*bytes)));
        Self { files: files.collect() }
    }

    /// What lies in `<directory>/lambda`: a checkout of Plumb, or what was written out.
    pub fn read(directory: &Path) -> Result<Self, Why> {
        let root = directory.join(CRATE);
        if !root.join("Cargo.toml").is_file() {
            return Err(Why::new(format!("{} has no {CRATE}/Cargo.toml", directory.display()))
                .hint("plumb lambda eject DIR writes the functions' source out"));
        }
        let (mut files, mut open) = (Vec::new(), vec![root.clone()]);
        while let Some(current) = open.pop() {
            for entry in std::fs::read_dir(&current).map_err(|error| unreadable(&current, &error))? {
                let entry = entry.map_err(|error| unreadable(&current, &error))?;
                let (path, kind) = (entry.path(), entry.file_type().map_err(|error| unreadable(&current, &error))?);
                if kind.is_dir() && !NO_SOURCE.iter().any(|name| entry.file_name() == *name) {
                    open.push(path);
                } else if kind.is_file() && !is_ignored(&path) {
                    let bytes = std::fs::read(&path).map_err(|error| unreadable(&path, &error))?;
                    files.push((below(&root, &path)?, Cow::Owned(bytes)));
                }
            }
        }
        files.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(Self { files })
    }

    /// The id that git gives to the directory, as a commit would hold it.
    pub fn tree_id(&self) -> Result<String, Why> {
        let files: Vec<git::File<'_>> =
            self.files.iter().map(|(path, bytes)| git::File { path, bytes, executable: false }).collect();
        git::tree_id(&files).map_err(|error| git_why(&error))
    }

    /// The crypto API's template, with the hash of its API in the deployment's name.
    pub fn template(&self) -> Result<String, Why> {
        template::rendered("lambda/template.yaml", self.text("template.yaml")?)
    }

    /// The same of the intake's.
    pub fn intake_template(&self) -> Result<String, Why> {
        template::rendered("lambda/intake.yaml", self.text("intake.yaml")?)
    }

    /// The template of the loop that keeps live true to git, which is deployed apart.
    pub fn integrity_template(&self) -> Result<&str, Why> {
        self.text("integrity.yaml")
    }

    /// The files of a workspace that builds by itself, sorted.
    pub fn workspace(&self) -> Result<Vec<Written<'_>>, Why> {
        let manifest = manifest::part(MANIFEST, self.text("Cargo.toml")?, LOCK)?;
        let mut files: Vec<Written<'_>> = vec![
            ("Cargo.lock".into(), LOCK.as_bytes().into()),
            ("Cargo.toml".into(), manifest.into_bytes().into()),
            (".gitignore".into(), b"/target\n/dist\n".into()),
        ];
        files.extend(
            self.files.iter().map(|(path, bytes)| (Path::new(CRATE).join(path), Cow::Borrowed(bytes.as_ref()))),
        );
        files.sort();
        Ok(files)
    }

    /// Writes these, and says which there are. Files that are there already and differ are left alone, and nothing is
    /// written, unless `replace` allows it.
    pub fn write(&self, directory: &Path, replace: bool) -> Result<Vec<PathBuf>, Why> {
        let files = self.workspace()?;
        let differs =
            |(path, bytes): &&Written<'_>| std::fs::read(directory.join(path)).is_ok_and(|there| there != **bytes);
        if let (Some((path, _)), false) = (files.iter().find(differs), replace) {
            return Err(Why::new(format!("{} is there already, and differs", directory.join(path).display()))
                .hint("name another directory, or --force to write over what is there"));
        }
        for (path, bytes) in &files {
            let path = directory.join(path);
            let written =
                path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(&path, bytes));
            written.map_err(|error| Why::new(format!("cannot write {}: {error}", path.display())))?;
        }
        Ok(files.into_iter().map(|(path, _)| path).collect())
    }

    fn text(&self, name: &str) -> Result<&str, Why> {
        let found = self.files.iter().find(|(path, _)| path == name);
        let text = found.and_then(|(_, bytes)| std::str::from_utf8(bytes).ok());
        text.ok_or_else(|| Why::new(format!("the functions' source has no {CRATE}/{name}")))
    }
}

/// What `lambda/fuzz/.gitignore` leaves out besides directories.
fn is_ignored(path: &Path) -> bool {
    path.ends_with("fuzz/Cargo.lock")
}

fn below(root: &Path, path: &Path) -> Result<String, Why> {
    let relative = path.strip_prefix(root).ok().and_then(Path::to_str);
    relative.map(str::to_owned).ok_or_else(|| Why::new(format!("{} has a name that is not UTF-8", path.display())))
}

fn unreadable(path: &Path, error: &std::io::Error) -> Why {
    Why::new(format!("cannot read {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn what_is_carried_is_what_lies_in_the_checkout() {
        let carried = Source::embedded().tree_id().unwrap();
        let checkout = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert_eq!(Source::read(checkout).unwrap().tree_id().unwrap(), carried);
        let git = |arguments: &[&str]| {
            let output = Command::new("git").args(arguments).current_dir(checkout).output().unwrap();
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        };
        if git(&["status", "--porcelain", "--", CRATE]).is_empty() {
            assert_eq!(git(&["rev-parse", "HEAD:lambda"]), carried, "and of a clean checkout git says the same");
        }
    }

    #[test]
    fn what_is_written_out_is_the_same_source_and_is_not_written_over() {
        let directory = tempfile::tempdir().unwrap();
        let (path, source) = (directory.path(), Source::embedded());
        let written = source.write(path, false).unwrap();
        assert!(written.contains(&"lambda/template.yaml".into()) && written.contains(&"Cargo.lock".into()));
        assert_eq!(source.write(path, false).unwrap(), written, "the same again changes nothing");
        assert_eq!(Source::read(path).unwrap().tree_id().unwrap(), source.tree_id().unwrap());
        std::fs::write(path.join("lambda/openapi.yaml"), "mine").unwrap();
        let refused = source.write(path, false).unwrap_err();
        assert!(refused.to_string().contains("lambda/openapi.yaml"), "{refused}");
        assert_ne!(Source::read(path).unwrap().tree_id().unwrap(), source.tree_id().unwrap());
        source.write(path, true).unwrap();
        assert_eq!(Source::read(path).unwrap().tree_id().unwrap(), source.tree_id().unwrap());
    }

    #[test]
    fn a_directory_without_the_functions_says_so() {
        let directory = tempfile::tempdir().unwrap();
        assert!(Source::read(directory.path()).unwrap_err().to_string().contains("lambda/Cargo.toml"));
    }
}
