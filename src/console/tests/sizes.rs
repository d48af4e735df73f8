//! Every page and whatever can be opened on it, on terminals of every size.

use ratatui::buffer::Buffer;

use super::story::{Story, story, text, with, with_crypto};
use crate::console::{ACTIONS, Action, Message, Page};

const WIDTHS: [u16; 7] = [60, 79, 80, 99, 120, 180, 300];
const HEIGHTS: [u16; 4] = [16, 19, 20, 100];

/// Every page, before anything is read and after the night.
fn pages() -> Vec<(String, Story)> {
    let mut pages = Vec::new();
    for page in Page::ALL {
        let key = page.number().to_string();
        pages.push((format!("{} unread", page.title()), story().press(&key)));
        pages.push((page.title().to_owned(), with(page).press(&key)));
    }
    for (page, all) in [
        (Page::Pipeline, ["7", "7⇥", "7⇥⇥", "7⏎", "7jjj⏎", "7/step⏎", "7t"].as_slice()),
        (Page::Data, ["8", "8⇥", "8⇥⇥", "8⏎", "8⇥j⏎v"].as_slice()),
    ] {
        for keys in all {
            let story = with(page).press(&keys[..1]).answers_all().press(&keys[1..]).answers_all();
            pages.push((format!("{} after {keys}", page.title()), story));
        }
    }
    pages.push((String::from("crypto, answered"), with_crypto().press("6").answers_all().press("S S").answers_all()));
    pages
}

/// What each action opens or does on each page.
fn opened() -> Vec<(String, Story)> {
    let mut opened = Vec::new();
    for page in Page::ALL {
        for spec in ACTIONS.iter().filter(|spec| !matches!(spec.action, Action::Quit | Action::Leave | Action::Suspend))
        {
            let story = with(page).press(&page.number().to_string()).answers_all();
            let Some(key) = story.model.keymap.keys(spec.action).next() else { continue };
            let story = story.hears(Message::Key(key)).answers_all();
            opened.push((format!("{} on {}", spec.id, page.title()), story));
        }
    }
    opened
}

/// Every cell is where the terminal will have it: no glyph reaches under another or over the edge.
fn holds(name: &str, buffer: &Buffer) {
    let area = *buffer.area();
    for y in 0..area.height {
        let mut x = 0;
        while x < area.width {
            let symbol = buffer[(x, y)].symbol();
            let wide = u16::try_from(crate::console::text::width(symbol)).unwrap().max(1);
            assert_eq!(crate::console::text::clean(symbol, false), symbol, "{name}");
            for under in x + 1..(x + wide).min(area.width) {
                assert_eq!(buffer[(under, y)].symbol(), " ", "{name}: under {symbol:?} at {x}, {y}:\n{}", text(buffer));
            }
            x += wide;
        }
        assert_eq!(x, area.width, "{name}: over the edge in line {y}:\n{}", text(buffer));
    }
}

#[test]
fn every_page_is_drawn_on_every_size() {
    for (name, mut story) in pages() {
        for (width, height) in WIDTHS.iter().flat_map(|width| HEIGHTS.iter().map(move |height| (*width, *height))) {
            story = story.size(width, height);
            holds(&format!("{name} at {width} x {height}"), &story.buffer());
        }
    }
}

#[test]
fn whatever_can_be_opened_is_drawn_on_the_least_and_on_the_largest_size_and_in_ascii() {
    for (name, mut story) in opened() {
        for (width, height) in [(60, 16), (100, 30), (300, 100)] {
            story = story.size(width, height);
            holds(&format!("{name} at {width} x {height}"), &story.buffer());
        }
        story = story.size(90, 30);
        story.theme = story.theme.ascii();
        let screen = story.screen();
        assert!(screen.is_ascii(), "{name}:\n{screen}");
    }
}
