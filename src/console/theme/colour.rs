//! Colours as they are written, and the nearest that a terminal can show.

use ratatui::style::Color;

use crate::config::Depth;

/// What a colour becomes on a terminal.
pub(super) trait Nearest {
    /// The nearest colour of this depth; `None`: the terminal's default.
    fn nearest(self, colour: Color) -> Option<Color>;

    /// What a whole screen is laid with: of sixteen colours black or white, since a grey would swallow what is dim.
    fn ground(self, colour: Color) -> Option<Color>;
}

impl Nearest for Depth {
    fn nearest(self, colour: Color) -> Option<Color> {
        match (self, colour) {
            (Self::None, _) => None,
            (Self::Palette, Color::Rgb(r, g, b)) => Some(Color::Indexed(palette(r, g, b))),
            (Self::Sixteen, Color::Rgb(r, g, b)) => Some(sixteen(r, g, b)),
            (Self::Sixteen, Color::Indexed(index)) => {
                let (r, g, b) = of_palette(index);
                Some(sixteen(r, g, b))
            }
            (_, colour) => Some(colour),
        }
    }

    fn ground(self, colour: Color) -> Option<Color> {
        let (r, g, b) = match (self, colour) {
            (Self::Sixteen, Color::Rgb(r, g, b)) => (r, g, b),
            (Self::Sixteen, Color::Indexed(index)) => of_palette(index),
            _ => return self.nearest(colour),
        };
        let is_light = distance((r, g, b), (255, 255, 255)) < distance((r, g, b), (0, 0, 0));
        Some(if is_light { Color::White } else { Color::Black })
    }
}

const STEPS: [u8; 6] = [0, 95, 135, 175, 215, 255];

const SIXTEEN: [(Color, (u8, u8, u8), &str); 16] = [
    (Color::Black, (0, 0, 0), "black"),
    (Color::Red, (205, 49, 49), "red"),
    (Color::Green, (13, 188, 121), "green"),
    (Color::Yellow, (205, 165, 16), "yellow"),
    (Color::Blue, (36, 114, 200), "blue"),
    (Color::Magenta, (188, 63, 188), "magenta"),
    (Color::Cyan, (17, 168, 205), "cyan"),
    (Color::Gray, (204, 204, 204), "white"),
    (Color::DarkGray, (118, 118, 118), "bright-black"),
    (Color::LightRed, (255, 110, 100), "bright-red"),
    (Color::LightGreen, (100, 230, 150), "bright-green"),
    (Color::LightYellow, (250, 220, 90), "bright-yellow"),
    (Color::LightBlue, (100, 175, 255), "bright-blue"),
    (Color::LightMagenta, (225, 150, 255), "bright-magenta"),
    (Color::LightCyan, (95, 220, 225), "bright-cyan"),
    (Color::White, (255, 255, 255), "bright-white"),
];

/// Reads `"#rrggbb"`, a number of the palette, a name of the sixteen, or `"default"`, which is the terminal's own.
pub(super) fn parse(value: &toml::Value) -> Option<Color> {
    if let Some(index) = value.as_integer() {
        return u8::try_from(index).ok().map(Color::Indexed);
    }
    let text = value.as_str()?;
    if let Some(hex) = text.strip_prefix('#') {
        let part = |at: usize| hex.get(at..at + 2).and_then(|two| u8::from_str_radix(two, 16).ok());
        return (hex.len() == 6).then(|| Some(Color::Rgb(part(0)?, part(2)?, part(4)?)))?;
    }
    if text == "default" {
        return Some(Color::Reset);
    }
    SIXTEEN.iter().find(|(_, _, name)| *name == text).map(|(colour, ..)| *colour)
}

fn distance(a: (u8, u8, u8), b: (u8, u8, u8)) -> u32 {
    let part = |x: u8, y: u8, weight: u32| u32::from(x.abs_diff(y)).pow(2) * weight;
    part(a.0, b.0, 3) + part(a.1, b.1, 4) + part(a.2, b.2, 2)
}

fn palette(r: u8, g: u8, b: u8) -> u8 {
    (16..=255).min_by_key(|&index| distance(of_palette(index), (r, g, b))).unwrap_or(7)
}

pub(super) fn of_palette(index: u8) -> (u8, u8, u8) {
    match index {
        0..=15 => SIXTEEN[usize::from(index)].1,
        16..=231 => {
            let cube = index - 16;
            (STEPS[usize::from(cube / 36)], STEPS[usize::from(cube / 6 % 6)], STEPS[usize::from(cube % 6)])
        }
        232..=255 => {
            let grey = 8 + 10 * (index - 232);
            (grey, grey, grey)
        }
    }
}

fn sixteen(r: u8, g: u8, b: u8) -> Color {
    // On a black background a dark grey must not become black.
    let black = r.max(g).max(b) < 32;
    SIXTEEN
        .iter()
        .filter(|(colour, ..)| black || *colour != Color::Black)
        .min_by_key(|(_, rgb, _)| distance(*rgb, (r, g, b)))
        .map_or(Color::Reset, |(colour, ..)| *colour)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_degrade_to_the_nearest() {
        assert_eq!(Depth::Rgb.nearest(Color::Rgb(1, 2, 3)), Some(Color::Rgb(1, 2, 3)));
        assert_eq!(Depth::Palette.nearest(Color::Rgb(255, 0, 0)), Some(Color::Indexed(196)));
        assert_eq!(Depth::Palette.nearest(Color::Rgb(8, 8, 8)), Some(Color::Indexed(232)));
        assert_eq!(Depth::Sixteen.nearest(Color::Rgb(250, 250, 250)), Some(Color::White));
        assert_eq!(Depth::Sixteen.nearest(Color::Indexed(196)), Some(Color::Red));
        assert_eq!(Depth::None.nearest(Color::Red), None);
        assert_eq!(Depth::Sixteen.ground(Color::Rgb(0x1d, 0x20, 0x26)), Some(Color::Black));
        assert_eq!(Depth::Sixteen.ground(Color::Rgb(250, 250, 250)), Some(Color::White));
        assert_eq!(Depth::Palette.ground(Color::Rgb(8, 8, 8)), Some(Color::Indexed(232)));
        assert_eq!(Depth::Sixteen.ground(Color::Reset), Some(Color::Reset));
        assert_eq!(Depth::None.ground(Color::Rgb(8, 8, 8)), None);
    }
}
