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
pub fn names() -> impl Iterator<Item = &'static str> {
    EMBEDDED.iter().map(|(name, _)| *name)
}

/// A theme's text, by its name; `plumb-` may be left out.
pub(super) fn text(name: &str) -> Option<(&'static str, &'static str)> {
    let is = |known: &str| known == name || known.strip_prefix("plumb-") == Some(name);
    EMBEDDED.iter().find(|(known, _)| is(known)).copied()
}

/// The name of the theme for an operator who named none: what the terminal shows decides.
///
/// `ground` is the variable `COLORFGBG`, by which some terminals tell the colours of text and background: `15;0`.
#[must_use]
pub fn default_theme(depth: Depth, ground: Option<&str>) -> &'static str {
    // By the sixteen colours' numbers, those from 7 on are light but for 8, a dark grey.
    let number = ground.and_then(|value| value.rsplit(';').next()).and_then(|number| number.parse::<u8>().ok());
    let light = number.is_some_and(|number| number == 7 || (9..=15).contains(&number));
    match (depth, light) {
        (Depth::None, _) => "plumb-monochrome",
        (Depth::Sixteen, _) => "plumb-terminal-16",
        (Depth::Rgb | Depth::Palette, true) => "plumb-light",
        (Depth::Rgb | Depth::Palette, false) => "plumb-dark",
    }
}
