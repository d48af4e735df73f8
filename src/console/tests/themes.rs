//! How each theme of the binary paints the same page.

use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};

use super::story::night;
use crate::console::Theme;
use crate::console::theme::embedded;

#[test]
fn every_theme_has_its_picture() {
    for name in embedded::names() {
        let mut story = night().size(100, 30);
        story.theme = Theme::embedded(name).unwrap();
        insta::assert_snapshot!(name, painted(&story.buffer()));
    }
}

/// Each line's text in the pieces that look alike.
fn painted(buffer: &Buffer) -> String {
    let mut out = String::new();
    for line in buffer.content().chunks(usize::from(buffer.area().width)) {
        let mut pieces: Vec<(String, String)> = Vec::new();
        for cell in line {
            let look = look(cell);
            match pieces.last_mut() {
                Some((last, text)) if *last == look => text.push_str(cell.symbol()),
                _ => pieces.push((look, cell.symbol().to_owned())),
            }
        }
        for (look, text) in pieces {
            let (text, long) = (text.trim_end(), text.chars().count());
            // A rule, or nothing: its length says it all.
            let mut kinds: Vec<char> = text.chars().collect();
            kinds.dedup();
            let text = if kinds.len() == 1 && long > 3 { format!("{} x {long}", kinds[0]) } else { text.to_owned() };
            let _ = write!(out, "[{look}|{text}]");
        }
        out.push('\n');
    }
    out
}

fn look(cell: &Cell) -> String {
    let mut look = colour(cell.fg);
    if cell.bg != Color::Reset {
        let _ = write!(look, " on {}", colour(cell.bg));
    }
    let marks = [
        (Modifier::BOLD, " bold"),
        (Modifier::DIM, " dim"),
        (Modifier::ITALIC, " italic"),
        (Modifier::UNDERLINED, " underlined"),
        (Modifier::REVERSED, " reversed"),
    ];
    marks.into_iter().filter(|(mark, _)| cell.modifier.contains(*mark)).for_each(|(_, word)| look.push_str(word));
    look
}

fn colour(colour: Color) -> String {
    match colour {
        Color::Reset => String::from("-"),
        Color::Rgb(r, g, b) => format!("{r:02x}{g:02x}{b:02x}"),
        other => format!("{other:?}").to_lowercase(),
    }
}
