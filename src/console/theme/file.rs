//! Theme files: what one says is laid over the theme that it inherits, field by field.

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

use super::colour;
use super::embedded;
use super::{Role, Theme};
use crate::console::text::nearest;

/// What a theme file inherits when it does not say.
const PARENT: &str = "plumb-dark";

/// The operator's own theme files.
pub trait Wardrobe {
    /// The text of the own theme of that name; `None`: there is none.
    fn read(&self, name: &str) -> Result<Option<String>, String>;

    /// The names of the own themes.
    fn names(&self) -> Vec<String>;
}

/// Nothing of one's own.
impl Wardrobe for () {
    fn read(&self, _: &str) -> Result<Option<String>, String> {
        Ok(None)
    }

    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}

/// What is wrong with a theme.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ThemeError {
    /// An own theme file, or one that it inherits.
    #[error("{name}.toml: {error}")]
    In {
        /// The file's name without its end.
        name: String,
        /// What is wrong with it.
        error: Box<ThemeError>,
    },
    /// It is there and cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// It is no TOML, or a style has an unknown field or a wrong type; the message has the line.
    #[error("cannot read the theme: {0}")]
    Syntax(String),
    /// A style's name that means nothing.
    #[error("styles.{name}: there is no such style{}", did_you_mean(*nearest))]
    UnknownRole {
        /// What was written.
        name: String,
        /// The nearest name.
        nearest: Option<&'static str>,
    },
    /// A colour that cannot be read.
    #[error(
        "{place}: {colour:?} is no colour; write \"#rrggbb\", 0 to 255, a name such as \"bright-blue\", \"default\" or \"none\""
    )]
    UnknownColour {
        /// Where it stands: `styles.drifted`, `background`.
        place: String,
        /// What was written.
        colour: String,
    },
    /// Neither an embedded nor an own theme has that name.
    #[error("there is no theme {name:?}{}; there are {}", did_you_mean(nearest.as_deref()), known.join(", "))]
    UnknownTheme {
        /// What was asked for.
        name: String,
        /// The nearest name.
        nearest: Option<String>,
        /// All names.
        known: Vec<String>,
    },
    /// A theme inherits itself, by way of others.
    #[error("inherits in a circle: {}", .0.join(" -> "))]
    Circle(Vec<String>),
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map(|name| format!("; did you mean {name}?")).unwrap_or_default()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: Option<String>,
    inherits: Option<String>,
    background: Option<toml::Value>,
    #[serde(default)]
    styles: toml::Table,
}

/// A style as it is written. What is left out is as inherited.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Entry {
    fg: Option<toml::Value>,
    bg: Option<toml::Value>,
    bold: Option<bool>,
    dim: Option<bool>,
    italic: Option<bool>,
    underline: Option<bool>,
    reversed: Option<bool>,
}

impl Theme {
    /// A theme of the binary: `plumb-dark`, or `dark` for short.
    pub fn embedded(name: &str) -> Result<Self, ThemeError> {
        let Some((name, text)) = embedded::text(name) else { return Err(unknown(name, &())) };
        let file = parse(text)?;
        let parent = match &file.inherits {
            Some(parent) => Self::embedded(parent)?,
            None => Self::blank(),
        };
        Self { name: name.to_owned(), ..parent }.with(file)
    }

    /// The theme of that name: one of the operator's own, else one of the binary.
    pub fn named(name: &str, own: &dyn Wardrobe) -> Result<Self, ThemeError> {
        resolve(name, own, &mut Vec::new())
    }

    /// The names of all themes: those of the binary, then the operator's own.
    #[must_use]
    pub fn names(own: &dyn Wardrobe) -> Vec<String> {
        let mut known: Vec<String> = embedded::names().map(str::to_owned).collect();
        known.extend(own.names().into_iter().filter(|name| embedded::text(name).is_none()));
        known
    }

    /// A theme from the text of a file that inherits from the themes of the binary alone.
    pub fn own(text: &str) -> Result<Self, ThemeError> {
        laid_over("", parse(text)?, &(), &mut Vec::new())
    }

    fn with(mut self, file: File) -> Result<Self, ThemeError> {
        if let Some(name) = file.name {
            self.name = name;
        }
        if let Some(value) = file.background {
            self.background = colour("background", &value)?;
        }
        for (name, value) in file.styles {
            let Some(role) = Role::ALL.iter().find(|role| role.name() == name) else {
                let nearest = nearest(&name, Role::ALL.iter().map(|role| role.name()));
                return Err(ThemeError::UnknownRole { name, nearest });
            };
            let entry: Entry = value
                .try_into()
                .map_err(|error: toml::de::Error| ThemeError::Syntax(format!("styles.{name}: {}", error.message())))?;
            let style = &mut self.styles[*role as usize];
            *style = entry.over(*style, &format!("styles.{name}"))?;
        }
        Ok(self)
    }
}

/// The theme of that name. `open`: the own files that inherit it, the outermost first.
fn resolve(name: &str, own: &dyn Wardrobe, open: &mut Vec<String>) -> Result<Theme, ThemeError> {
    // An own file that has the name of an embedded one may build on that.
    let beneath = open.last().is_some_and(|last| last == name) && embedded::text(name).is_some();
    let here = |error| ThemeError::In { name: name.to_owned(), error: Box::new(error) };
    let text = if beneath { None } else { own.read(name).map_err(|why| here(ThemeError::Unreadable(why)))? };
    let Some(text) = text else {
        return match embedded::text(name) {
            Some(_) => Theme::embedded(name),
            None => Err(unknown(name, own)),
        };
    };
    if open.iter().any(|inheriting| inheriting == name) {
        open.push(name.to_owned());
        return Err(ThemeError::Circle(std::mem::take(open)));
    }
    open.push(name.to_owned());
    let theme = parse(&text).and_then(|file| laid_over(name, file, own, open)).map_err(|error| match error {
        // It names its own place, or no single one.
        ThemeError::In { .. } | ThemeError::Circle(_) => error,
        error => here(error),
    });
    open.pop();
    theme
}

fn laid_over(name: &str, file: File, own: &dyn Wardrobe, open: &mut Vec<String>) -> Result<Theme, ThemeError> {
    let parent = resolve(file.inherits.as_deref().unwrap_or(PARENT), own, open)?;
    Theme { name: name.to_owned(), ..parent }.with(file)
}

impl Entry {
    /// The style with what this entry says.
    fn over(self, mut style: Style, place: &str) -> Result<Style, ThemeError> {
        if let Some(value) = self.fg {
            style.fg = colour(place, &value)?;
        }
        if let Some(value) = self.bg {
            style.bg = colour(place, &value)?;
        }
        let modifiers = [
            (self.bold, Modifier::BOLD),
            (self.dim, Modifier::DIM),
            (self.italic, Modifier::ITALIC),
            (self.underline, Modifier::UNDERLINED),
            (self.reversed, Modifier::REVERSED),
        ];
        for (on, modifier) in modifiers {
            if let Some(on) = on {
                style.add_modifier.set(modifier, on);
            }
        }
        Ok(style)
    }
}

/// A colour as it is written; `"none"` is none.
fn colour(place: &str, value: &toml::Value) -> Result<Option<Color>, ThemeError> {
    if value.as_str() == Some("none") {
        return Ok(None);
    }
    let unknown = || ThemeError::UnknownColour {
        place: place.to_owned(),
        colour: value.as_str().map_or_else(|| value.to_string(), str::to_owned),
    };
    colour::parse(value).map(Some).ok_or_else(unknown)
}

fn parse(text: &str) -> Result<File, ThemeError> {
    toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start));
        let line = before.map(|before| format!("line {}: ", before.matches('\n').count() + 1)).unwrap_or_default();
        ThemeError::Syntax(format!("{line}{}", error.message()))
    })
}

fn unknown(name: &str, own: &dyn Wardrobe) -> ThemeError {
    let known = Theme::names(own);
    let whole = format!("plumb-{name}");
    let names = || known.iter().map(String::as_str);
    let nearest = nearest(name, names()).or_else(|| nearest(&whole, names())).map(str::to_owned);
    ThemeError::UnknownTheme { name: name.to_owned(), nearest, known }
}
