//! The colours of a cell: a terminal's palette, and what dim and reversed make of it.

use std::fmt;

/// A colour as `#rrggbb`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rgb(pub(super) u8, pub(super) u8, pub(super) u8);

impl fmt::Display for Rgb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

/// What a terminal's owner writes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paper {
    Dark,
    Light,
}

impl Paper {
    /// What is written without a colour.
    pub(super) fn foreground(self) -> Rgb {
        match self {
            Self::Dark => Rgb(0xd5, 0xd9, 0xe0),
            Self::Light => Rgb(0x2b, 0x31, 0x3b),
        }
    }

    pub(super) fn background(self) -> Rgb {
        match self {
            Self::Dark => Rgb(0x14, 0x17, 0x1d),
            Self::Light => Rgb(0xfb, 0xfb, 0xf9),
        }
    }
}

/// The sixteen colours that a terminal's owner chooses; these are readable on dark paper.
const SIXTEEN: [Rgb; 16] = [
    Rgb(0x2a, 0x2f, 0x3a),
    Rgb(0xe0, 0x6c, 0x75),
    Rgb(0x8f, 0xc1, 0x7a),
    Rgb(0xe2, 0xb7, 0x6b),
    Rgb(0x6c, 0xa8, 0xf0),
    Rgb(0xc5, 0x86, 0xd9),
    Rgb(0x5f, 0xbd, 0xc4),
    Rgb(0xb4, 0xba, 0xc5),
    Rgb(0x6b, 0x73, 0x82),
    Rgb(0xf0, 0x8a, 0x92),
    Rgb(0xaa, 0xd8, 0x97),
    Rgb(0xf2, 0xcd, 0x8c),
    Rgb(0x90, 0xc0, 0xf8),
    Rgb(0xd9, 0xa6, 0xe8),
    Rgb(0x85, 0xd6, 0xdc),
    Rgb(0xf2, 0xf4, 0xf8),
];

/// Foreground and background of a cell as they are seen.
pub(super) fn colours(cell: &vt100::Cell, paper: Paper) -> (Rgb, Rgb) {
    let mut foreground = rgb(cell.fgcolor(), paper.foreground());
    let mut background = rgb(cell.bgcolor(), paper.background());
    if cell.inverse() {
        std::mem::swap(&mut foreground, &mut background);
    }
    if cell.dim() {
        foreground = mix(foreground, background);
    }
    (foreground, background)
}

fn rgb(colour: vt100::Color, default: Rgb) -> Rgb {
    match colour {
        vt100::Color::Default => default,
        vt100::Color::Rgb(red, green, blue) => Rgb(red, green, blue),
        vt100::Color::Idx(index) => indexed(index),
    }
}

/// The 256 colours as xterm defines them: 16 chosen ones, a cube of 6 steps, 24 greys.
fn indexed(index: u8) -> Rgb {
    if let Some(colour) = SIXTEEN.get(usize::from(index)) {
        return *colour;
    }
    if index >= 232 {
        let grey = 8 + (index - 232) * 10;
        return Rgb(grey, grey, grey);
    }
    let step = |part: u8| if part == 0 { 0 } else { 55 + part * 40 };
    let cube = index - 16;
    Rgb(step(cube / 36), step(cube / 6 % 6), step(cube % 6))
}

/// Three fifths of the way from the background to the foreground.
fn mix(foreground: Rgb, background: Rgb) -> Rgb {
    let mix = |one: u8, other: u8| u8::try_from((u16::from(one) * 3 + u16::from(other) * 2) / 5).unwrap_or(u8::MAX);
    Rgb(mix(foreground.0, background.0), mix(foreground.1, background.1), mix(foreground.2, background.2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indexed_colours_are_those_of_xterm() {
        let rows =
            [(16, "#000000"), (21, "#0000ff"), (196, "#ff0000"), (231, "#ffffff"), (232, "#080808"), (255, "#eeeeee")];
        for (index, colour) in rows {
            assert_eq!(indexed(index).to_string(), colour, "{index}");
        }
    }
}
