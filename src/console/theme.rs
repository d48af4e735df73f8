//! Colours by meaning, and symbols; both bow to what the terminal can show.
//!
//! Pure: files are read by whoever implements [`Wardrobe`].

mod colour;
pub(super) mod embedded;
mod file;
mod symbols;

pub use crate::config::Depth;
pub use embedded::{default_theme, is_light};
pub use file::{ThemeError, Wardrobe};
pub(super) use symbols::{Symbols, UNICODE};

use std::path::PathBuf;

use ratatui::style::{Color, Modifier, Style};

use crate::compare::{Verdict, Why};
use colour::Nearest;

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
    Unlocked = "unlocked": "The header while a protected environment can be written to.",
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

/// Makes the theme in use, and makes it anew after its files have changed.
pub trait Tailor: Send + Sync + 'static {
    /// The theme as its files say now, at the depth of the terminal; or what is wrong with them.
    fn theme(&self) -> Result<Theme, Why>;

    /// The theme of that name, which is the one in use from now on; where it cannot be made, the former stays.
    fn change(&self, name: &str) -> Result<Theme, Why>;

    /// Whether the terminal's background would decide the theme, and nothing has told what it is.
    fn wonders(&self) -> bool {
        false
    }

    /// The terminal's background is light, or is not: the theme, where it is another one by that.
    fn lit(&self, _light: bool) -> Option<Theme> {
        None
    }

    /// The names of the themes that there are.
    fn names(&self) -> Vec<String>;

    /// The directories in which a changed file may concern the theme, also those that do not exist yet; without links.
    fn places(&self) -> Vec<PathBuf>;
}

/// Styles by role, and symbols.
#[derive(Debug, Clone, PartialEq)]
pub struct Theme {
    /// Its name.
    pub name: String,
    /// Its symbols.
    pub symbols: Symbols,
    /// The background that its colours are made for, which is drawn below everything; `None`: the terminal's own.
    background: Option<Color>,
    styles: Vec<Style>,
}

impl Theme {
    /// A theme that styles nothing.
    fn blank() -> Self {
        let styles = vec![Style::new(); Role::ALL.len()];
        Self { name: String::new(), symbols: UNICODE, background: None, styles }
    }

    /// The theme as far as colours of that depth go; boldness and the like stay.
    #[must_use]
    pub fn at(mut self, depth: Depth) -> Self {
        for style in &mut self.styles {
            style.fg = style.fg.and_then(|colour| depth.nearest(colour));
            style.bg = style.bg.and_then(|colour| depth.nearest(colour));
        }
        self.background = self.background.and_then(|colour| depth.ground(colour));
        // With few colours the shade under the selected line would be none, or hide what is written on it.
        if depth == Depth::Sixteen || depth == Depth::None {
            self.styles[Role::Selection as usize] = Style::new().add_modifier(Modifier::REVERSED);
            for (part, line) in [(Role::RemovedPart, Role::Removed), (Role::AddedPart, Role::Added)] {
                let line = self.styles[line as usize];
                self.styles[part as usize] = line.add_modifier(Modifier::BOLD | Modifier::REVERSED);
            }
        }
        if depth == Depth::None {
            let unlocked = &mut self.styles[Role::Unlocked as usize];
            *unlocked = unlocked.add_modifier(Modifier::REVERSED);
            self.styles[Role::Loud as usize] = self.styles[Role::Loud as usize].add_modifier(Modifier::REVERSED);
        }
        self
    }

    /// The theme with symbols that the console of Linux can show: its font has hardly more than IBM's first PC.
    #[must_use]
    pub fn linux_console(mut self) -> Self {
        self.symbols = symbols::LINUX_CONSOLE;
        self
    }

    /// The theme with symbols that any terminal can show.
    #[must_use]
    pub fn ascii(mut self) -> Self {
        self.symbols = symbols::ASCII;
        self
    }

    /// What everything is drawn on. Drawn whatever background the terminal has: not every one tells which that is.
    #[must_use]
    pub fn ground(&self) -> Style {
        Style { bg: self.background, ..Style::new() }
    }

    /// The style of a role.
    #[must_use]
    pub fn style(&self, role: Role) -> Style {
        self.styles[role as usize]
    }
}

#[cfg(test)]
mod tests;
