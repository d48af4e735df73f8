//! The operator's theme: found among the own files and those of the binary, and fitted to the terminal.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::cli::{Failed, Shared};
use crate::compare::Why;
use crate::config::{Ascii, Depth, Directories, Environ, Origin, Settings, load_operator};
use crate::console::{Tailor, Theme, Wardrobe, default_theme, is_light};

/// The theme in use, and who makes it anew when its files change.
pub(super) fn theme(shared: &Shared, settings: &Settings) -> Result<(Theme, Arc<dyn Tailor>), Failed> {
    let variable = |name: &str| shared.environ.get(name).map(str::to_owned);
    let depth = if settings.color { Depth::detect(variable) } else { Depth::None };
    let glyphs = match settings.operator.ascii {
        Ascii::Always => Glyphs::Ascii,
        Ascii::Auto if !is_utf8(shared) => Glyphs::Ascii,
        Ascii::Auto | Ascii::Never if shared.environ.get("TERM") == Some("linux") => Glyphs::LinuxConsole,
        Ascii::Auto | Ascii::Never => Glyphs::All,
    };
    let configured = settings.operator.theme.clone();
    let light = shared.environ.get("COLORFGBG").and_then(is_light);
    let fallback = default_theme(depth, light.unwrap_or_default());
    // The console of Linux has no background but black, and prints what it does not know.
    let asks = light.is_none() && shared.environ.get("TERM") != Some("linux");
    let source = Source {
        own: OwnThemes { directory: shared.directories().config()?.join("themes") },
        // A flag and a variable say it for as long as the console is open.
        config: (!matches!(settings.origin("theme"), Origin::Flag(_) | Origin::Variable(_)))
            .then(|| shared.environ.clone()),
        worn: Mutex::new(Worn {
            name: configured.clone().unwrap_or_else(|| fallback.to_owned()),
            configured,
            fallback,
        }),
        asks,
        depth,
        glyphs,
    };
    let theme = source.theme().map_err(|why| {
        let hint = why.hint.map(|hint| format!("\ntry: {hint}")).unwrap_or_default();
        Failed::Config(format!("{}: theme: {}{hint}", settings.origin("theme"), why.reason))
    })?;
    Ok((theme, Arc::new(source)))
}

/// The names of all themes: the operator's own, and those of the binary.
pub(super) fn names(environ: &Environ) -> Vec<String> {
    let own = Directories(environ).config().map(|config| OwnThemes { directory: config.join("themes") });
    own.map_or_else(|_| Theme::names(&()), |own| Theme::names(&own))
}

/// Whether the locale is UTF-8, by the rules of POSIX: the first of these that is set counts.
fn is_utf8(shared: &Shared) -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| shared.environ.get(name)).unwrap_or_default();
    let locale = locale.to_ascii_lowercase();
    locale.contains("utf-8") || locale.contains("utf8")
}

/// The glyphs that the terminal can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Glyphs {
    All,
    LinuxConsole,
    Ascii,
}

/// A theme by its name, and what the terminal can show of it.
struct Source {
    own: OwnThemes,
    /// Where the operator's config is found, as long as its `theme` is followed.
    config: Option<Environ>,
    worn: Mutex<Worn>,
    /// Whether the terminal may be asked for its background.
    asks: bool,
    depth: Depth,
    glyphs: Glyphs,
}

/// The theme in use.
struct Worn {
    name: String,
    /// What the config said when it was looked at last: only a change of that takes away what was chosen meanwhile.
    configured: Option<String>,
    /// The theme where the config names none.
    fallback: &'static str,
}

impl Source {
    fn named(&self, name: &str) -> Result<Theme, Why> {
        let theme = Theme::named(name, &self.own).map_err(|error| {
            Why::new(error.to_string()).hint(format!("your own themes are in {}", self.own.directory.display()))
        })?;
        let theme = theme.at(self.depth);
        Ok(match self.glyphs {
            Glyphs::All => theme,
            Glyphs::LinuxConsole => theme.linux_console(),
            Glyphs::Ascii => theme.ascii(),
        })
    }

    fn worn(&self) -> MutexGuard<'_, Worn> {
        self.worn.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tailor for Source {
    fn theme(&self) -> Result<Theme, Why> {
        let mut worn = self.worn();
        // A config with a mistake in it says nothing about the theme; the next start tells of it.
        if let Some(Ok(operator)) = self.config.as_ref().map(load_operator) {
            let configured = operator.and_then(|(operator, _)| operator.theme);
            if configured != worn.configured {
                worn.name = configured.clone().unwrap_or_else(|| worn.fallback.to_owned());
                worn.configured = configured;
            }
        }
        self.named(&worn.name)
    }

    fn change(&self, name: &str) -> Result<Theme, Why> {
        let theme = self.named(name)?;
        name.clone_into(&mut self.worn().name);
        Ok(theme)
    }

    fn wonders(&self) -> bool {
        let worn = self.worn();
        // Otherwise the answer would change nothing: no question, and none that a terminal might misunderstand.
        self.asks && worn.configured.is_none() && default_theme(self.depth, true) != worn.fallback
    }

    fn lit(&self, light: bool) -> Option<Theme> {
        let mut worn = self.worn();
        let fallback = default_theme(self.depth, light);
        let former = std::mem::replace(&mut worn.fallback, fallback);
        // Another one was named meanwhile, or it is this one.
        if worn.configured.is_some() || worn.name != former || fallback == former {
            return None;
        }
        let theme = self.named(fallback).ok()?;
        fallback.clone_into(&mut worn.name);
        Some(theme)
    }

    fn names(&self) -> Vec<String> {
        Theme::names(&self.own)
    }

    fn places(&self) -> Vec<PathBuf> {
        // A file that is a link changes where it lies.
        let config = self.own.directory.with_file_name("config.toml");
        let files = self.own.files().into_iter().map(|(_, path)| path).chain([config.clone()]);
        let files = files.filter_map(|path| path.canonicalize().ok());
        let mut places: BTreeSet<PathBuf> = files.filter_map(|path| path.parent().map(Path::to_path_buf)).collect();
        places.insert(real(&self.own.directory));
        places.extend(config.parent().map(real));
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
        Source {
            own: OwnThemes { directory },
            config: None,
            worn: Mutex::new(Worn { name: name.to_owned(), configured: None, fallback: "plumb-dark" }),
            asks: true,
            depth: Depth::Rgb,
            glyphs: Glyphs::All,
        }
    }

    #[test]
    fn another_theme_is_worn_until_the_config_names_one_anew() {
        let home = tempfile::tempdir().unwrap();
        let config = |text: &str| std::fs::write(home.path().join("config.toml"), text).unwrap();
        let environ = Environ([("PLUMB_CONFIG_DIR".to_owned(), home.path().display().to_string())].into());
        let source = Source { config: Some(environ), ..source(home.path().join("themes"), "plumb-dark") };
        let name = || source.theme().unwrap().name;
        assert_eq!(name(), "plumb-dark");
        assert_eq!(source.change("light").unwrap().name, "plumb-light");
        assert_eq!(name(), "plumb-light", "a change of its files makes the same theme anew");
        assert!(source.change("lihgt").unwrap_err().reason.contains("did you mean"));
        assert_eq!(name(), "plumb-light", "the former stays");
        config("theme = \"plumb-catppuccin\"\n");
        assert_eq!(name(), "plumb-catppuccin");
        source.change("plumb-high-contrast").unwrap();
        config("refresh = \"5m\"\ntheme = \"plumb-catppuccin\"\n");
        assert_eq!(name(), "plumb-high-contrast", "the config says the same as before");
        config("theme = \"plumb-mono");
        assert_eq!(name(), "plumb-high-contrast", "half a file says nothing");
        config("refresh = \"5m\"\n");
        assert_eq!(name(), "plumb-dark");
        assert!(source.places().contains(&home.path().canonicalize().unwrap()), "{:?}", source.places());
        assert!(source.names().iter().any(|name| name == "plumb-light"));
    }

    #[test]
    fn the_terminals_background_decides_only_where_nothing_else_has() {
        let dark = || source(PathBuf::from("/nonexistent"), "plumb-dark");
        assert!(dark().wonders());
        assert_eq!(dark().lit(true).unwrap().name, "plumb-light");
        assert!(dark().lit(false).is_none(), "it is dark already");
        let lit = dark();
        lit.lit(true).unwrap();
        assert_eq!(lit.theme().unwrap().name, "plumb-light", "also when its files change");
        let chosen = dark();
        chosen.change("high-contrast").unwrap();
        assert!(chosen.lit(true).is_none(), "named before the answer came");
        assert!(!Source { asks: false, ..dark() }.wonders());
        for depth in [Depth::Sixteen, Depth::None] {
            let worn = Worn { name: String::new(), configured: None, fallback: default_theme(depth, false) };
            assert!(!Source { depth, worn: Mutex::new(worn), ..dark() }.wonders(), "the terminal's own colours");
        }
        let named = dark();
        named.worn().configured = Some(String::from("plumb-dark"));
        assert!(!named.wonders() && named.lit(true).is_none());
    }

    #[test]
    fn on_the_console_of_linux_nothing_is_drawn_that_its_font_has_not() {
        let source = Source { glyphs: Glyphs::LinuxConsole, ..source(PathBuf::from("/nonexistent"), "plumb-dark") };
        let symbols = source.theme().unwrap().symbols;
        assert!(!symbols.ascii && symbols.spinner.iter().all(|picture| picture.is_ascii()));
        assert!(["►", "▲", "▼", "─", "│", ".."].contains(&symbols.cursor));
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
        let places = [themes.as_path(), elsewhere.path(), home.path()];
        let mut expected = places.map(|place| place.canonicalize().unwrap()).to_vec();
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
        assert_eq!(nowhere.places(), ["/nonexistent", "/nonexistent/themes"].map(PathBuf::from), "they may come to be");
    }
}
