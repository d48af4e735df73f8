//! Characters that are drawn into their cell's edges instead of being set in a font, as terminals do.

use std::fmt::Write as _;

use super::colour::Rgb;
use super::{CELL, rect};

/// Arms of a line character: up, right, down, left; 0 none, 1 light, 2 heavy.
type Arms = [u32; 4];

const LINES: [(char, Arms); 28] = [
    ('━', [0, 2, 0, 2]),
    ('│', [1, 0, 1, 0]),
    ('┃', [2, 0, 2, 0]),
    ('┌', [0, 1, 1, 0]),
    ('┐', [0, 0, 1, 1]),
    ('└', [1, 1, 0, 0]),
    ('┘', [1, 0, 0, 1]),
    ('├', [1, 1, 1, 0]),
    ('┤', [1, 0, 1, 1]),
    ('┬', [0, 1, 1, 1]),
    ('┴', [1, 1, 0, 1]),
    ('┼', [1, 1, 1, 1]),
    ('┏', [0, 2, 2, 0]),
    ('┓', [0, 0, 2, 2]),
    ('┗', [2, 2, 0, 0]),
    ('┛', [2, 0, 0, 2]),
    ('┣', [2, 2, 2, 0]),
    ('┫', [2, 0, 2, 2]),
    ('┳', [0, 2, 2, 2]),
    ('┻', [2, 2, 0, 2]),
    ('╋', [2, 2, 2, 2]),
    ('╴', [0, 0, 0, 1]),
    ('╵', [1, 0, 0, 0]),
    ('╶', [0, 1, 0, 0]),
    ('╷', [0, 0, 1, 0]),
    ('┝', [1, 2, 1, 0]),
    ('┥', [1, 0, 1, 2]),
    ('╾', [0, 1, 0, 2]),
];

/// Whether [`draw`] knows the character.
pub(super) fn is_drawn(character: char) -> bool {
    arms(character).is_some()
        || matches!(character, '╭' | '╮' | '╯' | '╰' | '▸' | '○' | '▀'..='▟' | '\u{2800}'..='\u{28ff}')
}

/// Draws it into the cell whose left upper corner is given.
pub(super) fn draw(svg: &mut String, character: char, (left, top): (u32, u32), fill: Rgb) {
    if let Some(arms) = arms(character) {
        lines(svg, arms, (left, top), fill);
    } else if matches!(character, '╭' | '╮' | '╯' | '╰') {
        rounded(svg, character, (left, top), fill);
    } else if ('\u{2800}'..='\u{28ff}').contains(&character) {
        braille(svg, u32::from(character) - 0x2800, (left, top), fill);
    } else if character == '▸' {
        // The font's own is hardly seen, and it is what says where one is.
        let (x, tip, y) = (left + 2, left + CELL.0 - 1, top + CELL.1 / 2);
        let _ = writeln!(svg, "<path d=\"M{x} {}L{tip} {y}L{x} {}Z\" fill=\"{fill}\"/>", y - 6, y + 6);
    } else if character == '○' {
        let (x, y) = (left + CELL.0 / 2, top + CELL.1 / 2);
        let _ =
            writeln!(svg, "<circle cx=\"{x}\" cy=\"{y}\" r=\"4\" fill=\"none\" stroke=\"{fill}\" stroke-width=\"2\"/>");
    } else {
        block(svg, character, (left, top), fill);
    }
}

fn arms(character: char) -> Option<Arms> {
    LINES.iter().find(|(line, _)| *line == character).map(|(_, arms)| *arms)
}

/// Light lines are 2 px wide, heavy ones 4, both around the cell's centre: 6 and 13 px in.
fn lines(svg: &mut String, [up, right, down, left_arm]: Arms, (left, top): (u32, u32), fill: Rgb) {
    let (middle, centre) = (left + CELL.0 / 2, top + CELL.1 / 2);
    let across = up.max(down);
    let along = right.max(left_arm);
    if up > 0 {
        rect(svg, (middle - up, top, 2 * up, CELL.1 / 2 + along), fill);
    }
    if down > 0 {
        rect(svg, (middle - down, centre - along, 2 * down, CELL.1 / 2 + along), fill);
    }
    if left_arm > 0 {
        rect(svg, (left, centre - left_arm, CELL.0 / 2 + across, 2 * left_arm), fill);
    }
    if right > 0 {
        rect(svg, (middle - across, centre - right, CELL.0 / 2 + across, 2 * right), fill);
    }
}

fn rounded(svg: &mut String, character: char, (left, top): (u32, u32), fill: Rgb) {
    let (middle, centre) = (left + CELL.0 / 2, top + CELL.1 / 2);
    let down = matches!(character, '╭' | '╮');
    let right = matches!(character, '╭' | '╰');
    let edge = if down { top + CELL.1 } else { top };
    let side = if right { left + CELL.0 } else { left };
    let bend = if down { centre + 6 } else { centre - 6 };
    let _ = writeln!(
        svg,
        "<path d=\"M{middle} {edge}V{bend}Q{middle} {centre} {side} {centre}\" fill=\"none\" stroke=\"{fill}\" stroke-width=\"2\"/>"
    );
}

/// Dots 1 to 8 of a braille character are its bits; 1-3 and 7 stand left, 4-6 and 8 right.
fn braille(svg: &mut String, bits: u32, (left, top): (u32, u32), fill: Rgb) {
    const DOTS: [(u32, u32); 8] = [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2), (0, 3), (1, 3)];
    for (dot, (column, row)) in DOTS.iter().enumerate() {
        if bits & (1 << dot) != 0 {
            let (x, y) = (left + 3 + column * 6, top + 4 + row * 6);
            let _ = writeln!(svg, "<circle cx=\"{x}\" cy=\"{y}\" r=\"2\" fill=\"{fill}\"/>");
        }
    }
}

fn block(svg: &mut String, character: char, (left, top): (u32, u32), fill: Rgb) {
    let (width, height) = CELL;
    let code = u32::from(character);
    match character {
        '▀' => rect(svg, (left, top, width, height / 2), fill),
        '▁'..='█' => {
            let filled = (height * (code - 0x2580) + 4) / 8;
            rect(svg, (left, top + height - filled, width, filled), fill);
        }
        '▉'..='▏' => rect(svg, (left, top, (width * (0x2590 - code) + 4) / 8, height), fill),
        '▐' => rect(svg, (left + width / 2, top, width / 2, height), fill),
        '░'..='▓' => {
            let opacity = (code - 0x2590) * 25;
            let _ = writeln!(
                svg,
                "<rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" fill=\"{fill}\" fill-opacity=\"0.{opacity}\"/>"
            );
        }
        '▔' => rect(svg, (left, top, width, height / 8), fill),
        '▕' => rect(svg, (left + width - 2, top, 2, height), fill),
        _ => quadrants(svg, code - 0x2596, (left, top), fill),
    }
}

/// U+2596 to U+259F: bits for upper left, upper right, lower left, lower right.
fn quadrants(svg: &mut String, index: u32, (left, top): (u32, u32), fill: Rgb) {
    const FILLED: [u8; 10] = [0b0010, 0b0001, 0b1000, 0b1011, 0b1001, 0b1110, 0b1101, 0b0100, 0b0110, 0b0111];
    let (width, height) = (CELL.0 / 2, CELL.1 / 2);
    let filled = FILLED.get(index as usize).copied().unwrap_or_default();
    for (bit, (x, y)) in [(0b1000, (0, 0)), (0b0100, (1, 0)), (0b0010, (0, 1)), (0b0001, (1, 1))] {
        if filled & bit != 0 {
            rect(svg, (left + x * width, top + y * height, width, height), fill);
        }
    }
}
