//! The operator's theme: found among the own files and those of the binary, and fitted to the terminal.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::cli::{Failed, Shared};
use crate::compare::Why;
use crate::config::{Ascii, Depth, Directories, Environ, Settings};
use crate::console::{Tailor, Theme, Wardrobe, default_theme, theme_names};

/// The theme in use, and who makes it anew when its files change.
pub(super) fn theme(shared: &Shared, settings: &Settings) -> Result<(Theme, Arc<dyn Tailor>), Failed> {
    let variable = |name: &str| shared.environ.get(name).map(str::to_owned);
    let depth = if settings.color { Depth::detect(variable) } else { Depth::None };
    let name = settings.operator.theme.clone();
    let name = name.unwrap_or_else(|| default_theme(depth, shared.environ.get("COLORFGBG")).to_owned());
    let ascii = match settings.operator.ascii {
        Ascii::Always => true,
        Ascii::Never => false,
        Ascii::Auto => !is_utf8(shared),
    };
    let own = OwnThemes { directory: shared.directories().config()?.join("themes") };
    let source = Source { own, name, depth, ascii };
    let theme = source.theme().map_err(|why| {
        let hint = why.hint.map(|hint| format!("\ntry: {hint}")).unwrap_or_default();
        Failed::Config(format!("{}: theme: {}{hint}", settings.origin("theme"), why.reason))
    })?;
    Ok((theme, Arc::new(source)))
}

/// The names of all themes: the operator's own, and those of the binary.
pub(super) fn names(environ: &Environ) -> Vec<String> {
    let own = Directories(environ).config().map(|config| OwnThemes { directory: config.join("themes") });
    let own = own.map(|own| own.names()).unwrap_or_default();
    own.into_iter().chain(theme_names().map(str::to_owned)).collect::<BTreeSet<_>>().into_iter().collect()
}

/// Whether the locale is UTF-8, by the rules of POSIX: the first of these that is set counts.
fn is_utf8(shared: &Shared) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| shared.environ.get(name)).unwrap_or_default();
    let locale = locale.to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

/// A theme by its name, and what the terminal can show of it.
struct Source {
    own: OwnThemes,
    name: String,
    depth: Depth,
    ascii: bool,
}

impl Tailor for Source {
    fn theme(&self) -> Result<Theme, Why> {
        let theme = Theme::named(&self.name, &self.own).map_err(|error| {
            Why::new(error.to_string()).hint(format!("your own themes are in {}", self.own.directory.display()))
        })?;
        let theme = theme.at(self.depth);
        Ok(if self.ascii { theme.ascii() } else { theme })
    }

    fn places(&self) -> Vec<PathBuf> {
        // A file that is a link changes where it lies.
        let files = self.own.files().into_iter().filter_map(|(_, path)| path.canonicalize().ok());
        let mut places: BTreeSet<PathBuf> = files.filter_map(|path| path.parent().map(Path::to_path_buf)).collect();
        places.insert(real(&self.own.directory));
        places.into_iter().collect()
    }
}

/// A directory without links; of what does not exist yet, as far as it does.
fn real(path: &Path) -> PathBuf {
    match (path.canonicalize(), path.parent(), path.file_name()) {
        (Ok(real), ..) => real,
        (Err(_), Some(above), Some(name)) => real(above).join(name),
        (Err(_), ..) => path.to_owned(),
    }
}

/// The text of a file. What is no file may never end, or wait for a writer that never comes.
fn read_file(path: &Path) -> std::io::Result<String> {
    use std::io::Read;
    use std::os::unix::fs::OpenOptionsExt;

    let waits_not = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or_default();
    let mut file = std::fs::OpenOptions::new().read(true).custom_flags(waits_not).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(std::io::Error::other("it is no file"));
    }
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    Ok(text)
}

/// The files of `themes/` beside the operator's config.
struct OwnThemes {
    directory: PathBuf,
}

impl OwnThemes {
    /// Names and paths, by name.
    fn files(&self) -> Vec<(String, PathBuf)> {
        let entries = std::fs::read_dir(&self.directory).into_iter().flatten().flatten();
        let paths = entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "toml"));
        let named = paths.filter_map(|path| Some((path.file_stem()?.to_str()?.to_owned(), path.clone())));
        let mut files: Vec<_> = named.collect();
        files.sort();
        files
    }
}

impl Wardrobe for OwnThemes {
    fn read(&self, name: &str) -> Result<Option<String>, String> {
        // A name is no path.
        if name.contains(['/', '\0']) {
            return Ok(None);
        }
        match read_file(&self.directory.join(format!("{name}.toml"))) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }

    fn names(&self) -> Vec<String> {
        self.files().into_iter().map(|(name, _)| name).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(directory: PathBuf, name: &str) -> Source {
        Source { own: OwnThemes { directory }, name: name.to_owned(), depth: Depth::Rgb, ascii: false }
    }

    #[test]
    fn own_files_are_found_by_name_and_links_lead_to_their_place() {
        let (home, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let themes = home.path().join("themes");
        std::fs::create_dir(&themes).unwrap();
        std::fs::write(themes.join("base.toml"), "[styles]\ndrifted = { fg = 'red' }").unwrap();
        std::fs::write(elsewhere.path().join("kept.toml"), "inherits = 'base'").unwrap();
        std::os::unix::fs::symlink(elsewhere.path().join("kept.toml"), themes.join("mine.toml")).unwrap();
        let mine = source(themes.clone(), "mine");
        assert_eq!(mine.theme().unwrap().name, "mine");
        let mut expected = vec![themes.canonicalize().unwrap(), elsewhere.path().canonicalize().unwrap()];
        expected.sort();
        assert_eq!(mine.places(), expected);

        let why = source(themes.clone(), "mien").theme().unwrap_err();
        assert!(why.reason.contains("did you mean mine?") && why.hint.is_some(), "{}", why.reason);
        std::fs::write(themes.join("base.toml"), "styles = 3").unwrap();
        assert!(mine.theme().unwrap_err().reason.starts_with("base.toml: "));
        assert!(source(themes, "../themes/base").theme().is_err());
    }

    #[test]
    fn what_is_no_file_is_told_and_never_waited_for() {
        let home = tempfile::tempdir().unwrap();
        let themes = home.path().to_owned();
        let made = std::process::Command::new("mkfifo").arg(themes.join("pipe.toml")).status().unwrap();
        assert!(made.success());
        std::os::unix::fs::symlink("/dev/zero", themes.join("endless.toml")).unwrap();
        std::fs::create_dir(themes.join("folder.toml")).unwrap();
        for name in ["pipe", "endless", "folder"] {
            let why = source(themes.clone(), name).theme().unwrap_err();
            assert!(why.reason.contains("it is no file"), "{name}: {}", why.reason);
        }
    }

    #[test]
    fn without_a_directory_there_are_the_themes_of_the_binary() {
        let nowhere = source(PathBuf::from("/nonexistent/themes"), "plumb-light");
        assert_eq!(nowhere.theme().unwrap().name, "plumb-light");
        assert_eq!(nowhere.places(), [PathBuf::from("/nonexistent/themes")], "it may come to be");
    }
}
