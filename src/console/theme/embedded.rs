//! The themes of the binary: one line each, and its file in `themes/`.

use crate::config::Depth;

macro_rules! embedded {
    ($($name:literal,)+) => {
        /// Names and texts, in the order in which they are told.
        const EMBEDDED: &[(&str, &str)] = &[$(($name, include_str!(concat!("../../../themes/", $name, ".toml"))),)+];
    };
}

embedded! {
    "plumb-dark",
    "plumb-light",
    "plumb-high-contrast",
    "plumb-colour-blind",
    "plumb-colour-blind-light",
    "plumb-terminal-16",
    "plumb-monochrome",
    "plumb-catppuccin",
}

/// All names.
pub(in crate::console) fn names() -> impl Iterator<Item = &'static str> {
    EMBEDDED.iter().map(|(name, _)| *name)
}

/// A theme's text, by its name; `plumb-` may be left out.
pub(super) fn text(name: &str) -> Option<(&'static str, &'static str)> {
    let is = |known: &str| known == name || known.strip_prefix("plumb-") == Some(name);
    EMBEDDED.iter().find(|(known, _)| is(known)).copied()
}

/// Whether the terminal's background is light, by the variable `COLORFGBG`, in which some terminals tell the colours of text
/// and background: `15;0`. `None`: it does not say.
#[must_use]
pub fn is_light(ground: &str) -> Option<bool> {
    // By the sixteen colours' numbers, those from 7 on are light but for 8, a dark grey.
    let number = ground.rsplit(';').next()?.parse::<u8>().ok()?;
    Some(number == 7 || (9..=15).contains(&number))
}

/// The name of the theme for an operator who named none: what the terminal shows decides.
#[must_use]
pub fn default_theme(depth: Depth, light: bool) -> &'static str {
    match (depth, light) {
        (Depth::None, _) => "plumb-monochrome",
        (Depth::Sixteen, _) => "plumb-terminal-16",
        (Depth::Rgb | Depth::Palette, true) => "plumb-light",
        (Depth::Rgb | Depth::Palette, false) => "plumb-dark",
    }
}
