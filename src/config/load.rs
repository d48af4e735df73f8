//! Finding and reading the two files, and the directories for Plumb's own.

use std::path::{Path, PathBuf};

use directories::ProjectDirs;

use super::error::Error;
use super::operator::{Operator, parse_operator};
use super::origin::{Origin, Origins};
use super::parse::parse_project;
use super::project::Project;
use super::settle::{Environ, Flags, Settings, settle};

/// The name of a project file.
pub const PROJECT_FILE: &str = "plumb.toml";

/// Where Plumb keeps its own files: the XDG directories, or what `PLUMB_CONFIG_DIR`, `PLUMB_DATA_DIR` and
/// `PLUMB_STATE_DIR` name. None is created here.
#[derive(Debug, Clone, Copy)]
pub struct Directories<'e>(pub &'e Environ);

impl Directories<'_> {
    /// The operator's `config.toml` and themes.
    pub fn config(&self) -> Result<PathBuf, Error> {
        self.find("config", "PLUMB_CONFIG_DIR", |dirs| dirs.config_dir().to_owned())
    }

    /// What Plumb installs: the local account.
    pub fn data(&self) -> Result<PathBuf, Error> {
        self.find("data", "PLUMB_DATA_DIR", |dirs| dirs.data_local_dir().to_owned())
    }

    /// Logs, the journal, and what runs; beside the data where the system has no such directory.
    pub fn state(&self) -> Result<PathBuf, Error> {
        self.find("state", "PLUMB_STATE_DIR", |dirs| {
            dirs.state_dir().map_or_else(|| dirs.data_local_dir().join("state"), Path::to_owned)
        })
    }

    fn find(
        self,
        what: &'static str,
        variable: &'static str,
        own: impl Fn(&ProjectDirs) -> PathBuf,
    ) -> Result<PathBuf, Error> {
        if let Some(named) = self.0.get(variable) {
            let path = PathBuf::from(named);
            if path.is_absolute() {
                return Ok(path);
            }
            let why = format!("\"{named}\" is not an absolute path");
            return Err(Error::BadValue { origin: Origin::Variable(variable), why });
        }
        ProjectDirs::from("", "", "plumb").map(|dirs| own(&dirs)).ok_or(Error::NoHome { what, variable })
    }
}

/// A path as an operator writes it: `~` at its beginning is the home directory.
#[must_use]
pub fn expand_home(path: &str, environ: &Environ) -> PathBuf {
    let below = path.strip_prefix('~').filter(|rest| rest.is_empty() || rest.starts_with('/'));
    match (below, environ.get("HOME")) {
        (Some(rest), Some(home)) => Path::new(home).join(rest.trim_start_matches('/')),
        _ => PathBuf::from(path),
    }
}

/// The project file that `--project` or `PLUMB_PROJECT` names, or the first one in a directory or above it, up to the
/// root of the git repository. `None`: there is none, and none was asked for.
pub fn find_project(flags: &Flags, environ: &Environ, directory: &Path) -> Result<Option<PathBuf>, Error> {
    let named = flags.project.as_deref().or_else(|| environ.get("PLUMB_PROJECT"));
    if let Some(named) = named {
        let path = directory.join(named);
        return Ok(Some(if path.is_dir() { path.join(PROJECT_FILE) } else { path }));
    }
    for above in directory.ancestors() {
        let file = above.join(PROJECT_FILE);
        if file.is_file() {
            return Ok(Some(file));
        }
        if above.join(".git").exists() {
            break;
        }
    }
    Ok(None)
}

/// Reads and parses a project file; it is called by the name given.
pub fn load_project(path: &Path, shown: &str) -> Result<(Project, Origins), Error> {
    parse_project(shown, &read(path, shown)?)
}

/// Reads and parses the operator's `config.toml`; `None`: there is none.
pub fn load_operator(environ: &Environ) -> Result<Option<(Operator, Origins)>, Error> {
    let path = Directories(environ).config()?.join("config.toml");
    if !path.exists() {
        return Ok(None);
    }
    let shown = shorten(&path, environ);
    parse_operator(&shown, &read(&path, &shown)?).map(Some)
}

/// Finds, reads and settles everything, for a process that runs in `directory`.
pub fn load(flags: &Flags, environ: &Environ, directory: &Path) -> Result<Settings, Error> {
    // Without a home there is no config to read, which is no reason to refuse the rest.
    let operator = match load_operator(environ) {
        Err(Error::NoHome { .. }) => None,
        other => other?,
    };
    let path = find_project(flags, environ, directory)?;
    let project = match &path {
        Some(path) => Some(load_project(path, &relative(path, directory, environ))?),
        None if flags.stack.is_none() && flags.path.is_none() => {
            return Err(Error::NoProject { searched: shorten(directory, environ) });
        }
        None => None,
    };
    let mut settings = settle(flags, environ, operator, project)?;
    settings.root = path.as_deref().and_then(Path::parent).map(Path::to_owned);
    if let Some(name) = path.as_deref().and_then(Path::file_name) {
        settings.file = name.to_string_lossy().into_owned();
    }
    Ok(settings)
}

/// The same for a project file that is in no working tree: `text` is called `shown`, and the project lies in `root`.
pub fn load_text(flags: &Flags, environ: &Environ, text: &str, shown: &str, root: &Path) -> Result<Settings, Error> {
    let operator = match load_operator(environ) {
        Err(Error::NoHome { .. }) => None,
        other => other?,
    };
    let mut settings = settle(flags, environ, operator, Some(parse_project(shown, text)?))?;
    settings.root = Some(root.to_owned());
    Ok(settings)
}

fn read(path: &Path, shown: &str) -> Result<String, Error> {
    std::fs::read_to_string(path).map_err(|error| Error::Unreadable { file: shown.to_owned(), why: error.to_string() })
}

fn relative(path: &Path, directory: &Path, environ: &Environ) -> String {
    path.strip_prefix(directory).map_or_else(|_| shorten(path, environ), |below| below.display().to_string())
}

fn shorten(path: &Path, environ: &Environ) -> String {
    let below = environ.get("HOME").and_then(|home| path.strip_prefix(home).ok());
    match below {
        Some(below) if below.as_os_str().is_empty() => "~".into(),
        Some(below) => format!("~/{}", below.display()),
        None => path.display().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environ(pairs: &[(&str, &Path)]) -> Environ {
        Environ(pairs.iter().map(|(name, path)| ((*name).to_owned(), path.display().to_string())).collect())
    }

    #[test]
    fn the_directories_are_those_that_the_environment_names() {
        let environ = environ(&[
            ("PLUMB_CONFIG_DIR", Path::new("/c")),
            ("PLUMB_DATA_DIR", Path::new("/d")),
            ("PLUMB_STATE_DIR", Path::new("relative")),
        ]);
        let directories = Directories(&environ);
        assert_eq!(directories.config(), Ok("/c".into()));
        assert_eq!(directories.data(), Ok("/d".into()));
        let error = directories.state().unwrap_err().to_string();
        assert_eq!(error, "environment PLUMB_STATE_DIR: \"relative\" is not an absolute path");
    }

    #[test]
    fn a_tilde_is_the_home_directory() {
        let environ = environ(&[("HOME", Path::new("/home/mara"))]);
        for (written, meant) in [
            ("~", "/home/mara/"),
            ("~/src/shop", "/home/mara/src/shop"),
            ("/srv/~x", "/srv/~x"),
            ("~ann/shop", "~ann/shop"),
        ] {
            assert_eq!(expand_home(written, &environ), PathBuf::from(meant), "{written}");
        }
        assert_eq!(expand_home("~/x", &Environ::default()), PathBuf::from("~/x"));
    }

    #[test]
    fn a_project_is_found_above_but_not_outside_of_the_repository() {
        let tmp = tempfile::tempdir().unwrap();
        let root = tmp.path();
        std::fs::create_dir_all(root.join("repo/.git")).unwrap();
        std::fs::create_dir_all(root.join("repo/apps/shop/src")).unwrap();
        std::fs::write(root.join(PROJECT_FILE), "").unwrap();
        let find = |from: &str| find_project(&Flags::default(), &Environ::default(), &root.join(from)).unwrap();
        assert_eq!(find("repo/apps/shop/src"), None, "the file outside of the repository is not ours");
        std::fs::write(root.join("repo/apps/shop/plumb.toml"), "").unwrap();
        assert_eq!(find("repo/apps/shop/src"), Some(root.join("repo/apps/shop/plumb.toml")));
        assert_eq!(find("repo"), None);
        let flags = Flags { project: Some("apps/shop".into()), ..Flags::default() };
        let named = find_project(&flags, &Environ::default(), &root.join("repo")).unwrap();
        assert_eq!(named, Some(root.join("repo/apps/shop/plumb.toml")));
    }

    #[test]
    fn everything_is_loaded_and_says_where_it_is_from() {
        let tmp = tempfile::tempdir().unwrap();
        let home = tmp.path();
        let project = home.join("petshop");
        std::fs::create_dir_all(home.join("config")).unwrap();
        std::fs::create_dir_all(project.join("src")).unwrap();
        std::fs::write(project.join(PROJECT_FILE), "name = \"petshop\"\n[environments.dev]\nregion = \"eu-west-1\"\n")
            .unwrap();
        std::fs::write(home.join("config/config.toml"), "\n[environments.dev]\nprofile = \"me\"\n").unwrap();
        let environ = environ(&[("HOME", home), ("PLUMB_CONFIG_DIR", &home.join("config"))]);
        let settings = load(&Flags::default(), &environ, &project.join("src")).unwrap();
        assert_eq!(settings.root, Some(project.clone()));
        assert_eq!(settings.origin("region").to_string(), "~/petshop/plumb.toml:3");
        assert_eq!(settings.origin("profile").to_string(), "~/config/config.toml:3");
        let error = load(&Flags::default(), &environ, home).unwrap_err();
        assert_eq!(error.to_string(), "no plumb.toml in ~ or above it");
        let flags = Flags { project: Some("nowhere/plumb.toml".into()), ..Flags::default() };
        let error = load(&flags, &environ, home).unwrap_err().to_string();
        assert!(error.starts_with("cannot read nowhere/plumb.toml: "), "{error}");
    }
}
