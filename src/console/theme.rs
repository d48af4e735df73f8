//! Colours by meaning, and symbols; both bow to what the terminal can show.

mod colour;

pub use colour::Depth;

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

use crate::compare::Verdict;

macro_rules! roles {
    ($($role:ident = $name:literal: $doc:literal,)+) => {
        /// What a piece of the screen means.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Role {
            $(#[doc = $doc] $role,)+
        }

        impl Role {
            /// All roles.
            pub const ALL: &[Self] = &[$(Self::$role,)+];

            /// Its name in theme files.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$role => $name,)+ }
            }
        }
    };
}

roles! {
    Text = "text": "Ordinary text.",
    Strong = "strong": "What is looked for first: names, numbers that matter.",
    Dim = "dim": "What may be overlooked.",
    Rule = "rule": "Rules between parts.",
    Brand = "brand": "The product's name.",
    Heading = "heading": "Heads of columns and parts.",
    Tab = "tab": "A page's tab.",
    TabHere = "tab_here": "The current page's tab.",
    Cursor = "cursor": "The mark of the selected line.",
    Selection = "selection": "Laid under the selected line.",
    Key = "key": "A key in a hint.",
    Hint = "hint": "What the key does.",
    Input = "input": "What is being typed.",
    Loud = "loud": "What must not be overlooked, such as the wrong account.",
    Notice = "notice": "One line for the operator.",
    Error = "error": "What failed.",
    Mask = "mask": "What stands for a value.",
    Revealed = "revealed": "A value that is shown for a while.",
    InSync = "in_sync": "Verdict.",
    Drifted = "drifted": "Verdict.",
    Pending = "pending": "Verdict.",
    Diverged = "diverged": "Verdict.",
    Differs = "differs": "Verdict.",
    GitOnly = "git_only": "Verdict.",
    Unmanaged = "unmanaged": "Verdict.",
    Ignored = "ignored": "Verdict.",
    Unknown = "unknown": "Verdict.",
    Removed = "removed": "Git's line where live differs.",
    RemovedPart = "removed_part": "What of git's line live lacks.",
    Added = "added": "Live's line where git differs.",
    AddedPart = "added_part": "What of live's line git lacks.",
}

impl From<&Verdict> for Role {
    fn from(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::InSync => Self::InSync,
            Verdict::Drifted => Self::Drifted,
            Verdict::Pending => Self::Pending,
            Verdict::Diverged => Self::Diverged,
            Verdict::Differs => Self::Differs,
            Verdict::GitOnly => Self::GitOnly,
            Verdict::Unmanaged => Self::Unmanaged,
            Verdict::Ignored(_) => Self::Ignored,
            Verdict::Unknown(_) => Self::Unknown,
        }
    }
}

/// What is drawn that is neither text nor data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Symbols {
    /// Whether only ASCII may reach the terminal.
    pub ascii: bool,
    /// Marks the selected line.
    pub cursor: &'static str,
    /// A cell of a horizontal rule.
    pub rule: &'static str,
    /// A cell of a vertical rule.
    pub bar: &'static str,
    /// Stands for what was cut off.
    pub ellipsis: &'static str,
    /// Stands for a value.
    pub mask: &'static str,
    /// Says that there is more above.
    pub up: &'static str,
    /// Says that there is more below.
    pub down: &'static str,
    /// Where the next typed character goes.
    pub caret: &'static str,
    /// Marks what is older than the last attempt to read it.
    pub stale: &'static str,
    /// The pictures of a spinner.
    pub spinner: &'static [&'static str],
}

const UNICODE: Symbols = Symbols {
    ascii: false,
    cursor: "▸",
    rule: "─",
    bar: "│",
    ellipsis: "…",
    mask: crate::secret::MASK,
    up: "▴",
    down: "▾",
    caret: "▏",
    stale: "°",
    spinner: &["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"],
};

const ASCII: Symbols = Symbols {
    ascii: true,
    // Not `>`, which is a verdict's.
    cursor: "|",
    rule: "-",
    bar: "|",
    ellipsis: "~",
    mask: "****",
    up: "^",
    down: "v",
    caret: "_",
    stale: "o",
    spinner: &["-", "\\", "|", "/"],
};

const DARK: &str = include_str!("../../themes/plumb-dark.toml");
const LIGHT: &str = include_str!("../../themes/plumb-light.toml");

/// Styles by role, and symbols.
#[derive(Debug, Clone, PartialEq)]
pub struct Theme {
    /// Its name.
    pub name: String,
    /// Its symbols.
    pub symbols: Symbols,
    styles: Vec<Style>,
}

/// What is wrong with a theme file.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ThemeError {
    /// It is no TOML, or a style has an unknown field or a wrong type; the message has line and column.
    #[error("cannot read the theme: {0}")]
    Syntax(String),
    /// A style's name that means nothing.
    #[error("styles.{name}: there is no such style{}", nearest.map(|n| format!("; did you mean {n}?")).unwrap_or_default())]
    UnknownRole {
        /// What was written.
        name: String,
        /// The nearest name.
        nearest: Option<&'static str>,
    },
    /// A colour that cannot be read.
    #[error("styles.{name}: {colour:?} is no colour; write \"#rrggbb\", 0 to 255, or a name such as \"bright-blue\"")]
    UnknownColour {
        /// The style.
        name: String,
        /// What was written.
        colour: String,
    },
    /// No embedded theme has that name.
    #[error("there is no theme {0:?}; there are plumb-dark and plumb-light, and files of your own")]
    UnknownTheme(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    name: Option<String>,
    inherits: Option<String>,
    #[serde(default)]
    styles: toml::Table,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
#[allow(clippy::struct_excessive_bools, reason = "the fields are those of the file")]
struct Entry {
    fg: Option<toml::Value>,
    bg: Option<toml::Value>,
    bold: bool,
    dim: bool,
    italic: bool,
    underline: bool,
    reversed: bool,
}

impl Theme {
    /// A theme of the binary: `plumb-dark` or `plumb-light`.
    pub fn embedded(name: &str) -> Result<Self, ThemeError> {
        let text = match name {
            "plumb-dark" => DARK,
            "plumb-light" => LIGHT,
            _ => return Err(ThemeError::UnknownTheme(name.to_owned())),
        };
        let blank = vec![Style::new(); Role::ALL.len()];
        Self { name: String::new(), symbols: UNICODE, styles: blank }.with(text)
    }

    /// A theme file of the operator's own. What it does not say is as in the theme that it `inherits`, which is
    /// `plumb-dark` unless it says otherwise.
    pub fn own(text: &str) -> Result<Self, ThemeError> {
        let file: File = parse(text)?;
        Self::embedded(file.inherits.as_deref().unwrap_or("plumb-dark"))?.with(text)
    }

    /// The theme as far as colours of that depth go; boldness and the like stay.
    #[must_use]
    pub fn at(mut self, depth: Depth) -> Self {
        for style in &mut self.styles {
            style.fg = style.fg.and_then(|colour| depth.nearest(colour));
            style.bg = style.bg.and_then(|colour| depth.nearest(colour));
        }
        // With few colours the shade under the selected line would be none, or hide what is written on it.
        if depth == Depth::Sixteen || depth == Depth::None {
            self.styles[Role::Selection as usize] = Style::new().add_modifier(Modifier::REVERSED);
            for (part, line) in [(Role::RemovedPart, Role::Removed), (Role::AddedPart, Role::Added)] {
                let line = self.styles[line as usize];
                self.styles[part as usize] = line.add_modifier(Modifier::BOLD | Modifier::REVERSED);
            }
        }
        if depth == Depth::None {
            self.styles[Role::Loud as usize] = self.styles[Role::Loud as usize].add_modifier(Modifier::REVERSED);
        }
        self
    }

    /// The theme with symbols that any terminal can show.
    #[must_use]
    pub fn ascii(mut self) -> Self {
        self.symbols = ASCII;
        self
    }

    /// The style of a role.
    #[must_use]
    pub fn style(&self, role: Role) -> Style {
        self.styles[role as usize]
    }

    fn with(mut self, text: &str) -> Result<Self, ThemeError> {
        let file: File = parse(text)?;
        if let Some(name) = file.name {
            self.name = name;
        }
        for (name, value) in file.styles {
            let Some(role) = Role::ALL.iter().find(|role| role.name() == name) else {
                let nearest = nearest(&name);
                return Err(ThemeError::UnknownRole { name, nearest });
            };
            let entry: Entry = value
                .try_into()
                .map_err(|error: toml::de::Error| ThemeError::Syntax(format!("styles.{name}: {}", error.message())))?;
            self.styles[*role as usize] = entry.style(&name)?;
        }
        Ok(self)
    }
}

impl Entry {
    fn style(self, name: &str) -> Result<Style, ThemeError> {
        let colour = |value: Option<toml::Value>| -> Result<Option<Color>, ThemeError> {
            value
                .map(|value| {
                    colour::parse(&value).ok_or_else(|| ThemeError::UnknownColour {
                        name: name.to_owned(),
                        colour: value.as_str().map_or_else(|| value.to_string(), str::to_owned),
                    })
                })
                .transpose()
        };
        let mut style = Style::new();
        style.fg = colour(self.fg)?;
        style.bg = colour(self.bg)?;
        let modifiers = [
            (self.bold, Modifier::BOLD),
            (self.dim, Modifier::DIM),
            (self.italic, Modifier::ITALIC),
            (self.underline, Modifier::UNDERLINED),
            (self.reversed, Modifier::REVERSED),
        ];
        for (_, modifier) in modifiers.into_iter().filter(|(on, _)| *on) {
            style = style.add_modifier(modifier);
        }
        Ok(style)
    }
}

fn parse(text: &str) -> Result<File, ThemeError> {
    toml::from_str(text).map_err(|error| ThemeError::Syntax(error.to_string()))
}

fn nearest(name: &str) -> Option<&'static str> {
    Role::ALL
        .iter()
        .map(|role| (strsim::damerau_levenshtein(name, role.name()), role.name()))
        .filter(|(distance, _)| *distance <= 3)
        .min()
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_themes_style_every_role() {
        for name in ["plumb-dark", "plumb-light"] {
            let theme = Theme::embedded(name).unwrap();
            assert_eq!(theme.name, name);
            for role in Role::ALL {
                assert_ne!(theme.style(*role), Style::new(), "{name} styles {}", role.name());
            }
        }
    }

    #[test]
    fn an_own_theme_changes_only_what_it_says() {
        let own = Theme::own("name = 'mine'\ninherits = 'plumb-light'\n[styles]\ndrifted = { fg = 'red' }").unwrap();
        let light = Theme::embedded("plumb-light").unwrap();
        assert_eq!(own.style(Role::Drifted), Style::new().fg(Color::Red));
        assert_eq!(own.style(Role::Text), light.style(Role::Text));
    }

    #[test]
    fn wrong_themes_are_errors_that_help() {
        let rows = [
            ("[styles]\ndrfted = { fg = 'red' }", "styles.drfted: there is no such style; did you mean drifted?"),
            ("[styles]\ntext = { fg = 'rde' }", "styles.text: \"rde\" is no colour"),
            ("[styles]\ntext = { colour = 'red' }", "cannot read the theme: styles.text: unknown field `colour`"),
            ("inherits = 'x'", "there is no theme \"x\""),
            ("styles = 1", "cannot read the theme: TOML parse error at line 1"),
        ];
        for (text, message) in rows {
            let error = Theme::own(text).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }

    #[test]
    fn without_colours_the_selection_is_still_seen() {
        let theme = Theme::embedded("plumb-dark").unwrap().at(Depth::None);
        assert!(Role::ALL.iter().all(|role| theme.style(*role).fg.is_none() && theme.style(*role).bg.is_none()));
        assert!(theme.style(Role::Selection).add_modifier.contains(Modifier::REVERSED));
    }
}
