//! Names in scripts that run from right to left, and characters that would turn a line around.
//!
//! A terminal that reorders does so line by line: it takes a run of right-to-left letters together with what is neutral
//! between them, and so a table's columns could change places. Two things hold them. The terminal is told to show each
//! character in the cell that it was written to (`runtime::terminal`, held by `tests/suite/console/looks.rs`). And no
//! character that orders reordering - an embedding, an override, an isolate, a mark - is ever drawn: it is shown as a
//! stand-in of one cell, so that two names that differ by it alone do not look the same either.

use super::story::{Story, night};
use crate::compare::Facet;
use crate::console::fixture;
use crate::console::{Effect, Message, text};

/// All characters that direct the order of others (Unicode's `Bidi_Control`), and the separators that end a paragraph.
const DIRECTING: [char; 14] = [
    '\u{61c}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}', '\u{202e}', '\u{2066}',
    '\u{2067}', '\u{2068}', '\u{2069}', '\u{2028}', '\u{2029}',
];

/// The night, with the first parameter of another name, revealed as whatever it holds.
fn with(name: &str, value: &str) -> Story {
    let mut report = fixture::report("prod");
    if let Ok(section) = &mut report.sections[2].1 {
        section.items[0].name = name.to_owned();
        section.items[0].sides.live = Facet::Plain(value.to_owned());
        section.items[0].reason = value.to_owned();
    }
    let mut story = night().press("r");
    let Some(Effect::Fetch(generation, _)) = story.effects.pop() else { panic!("nothing was fetched") };
    story.hears(Message::Fetched(generation, Ok(()))).answers(report).press("3f")
}

/// What each cell of the list's lines holds from the column of the verdicts on, and where the names begin.
fn columns(story: &Story, name: &str) -> (usize, usize) {
    let buffer = story.buffer();
    let line = (0..buffer.area().height).find(|y| {
        let line: String = (0..buffer.area().width).map(|x| buffer[(x, *y)].symbol()).collect();
        line.contains("= in sync") && line.contains(name)
    });
    let line = line.unwrap_or_else(|| panic!("no line of {name:?}:\n{}", story.screen()));
    let symbols: Vec<&str> = (0..buffer.area().width).map(|x| buffer[(x, line)].symbol()).collect();
    let verdict = symbols.iter().position(|symbol| *symbol == "=").unwrap();
    (verdict, symbols.iter().position(|symbol| *symbol == "/").unwrap())
}

#[test]
fn letters_that_run_from_right_to_left_stay_in_their_column() {
    let plain = columns(&with("/billing/prod/abcd", ""), "/billing/prod/abcd");
    for name in ["/billing/prod/שלום", "/billing/prod/مرحبا", "/billing/prod/שלום 12 עולם", "/billing/prod/(ש)"]
    {
        let story = with(name, "שלום 34").sees(name);
        assert_eq!(columns(&story, name), plain, "{name}:\n{}", story.screen());
    }
}

#[test]
fn what_would_turn_a_line_around_is_shown_and_never_sent() {
    for c in DIRECTING {
        let (name, value) = (format!("/billing/prod/a{c}dorp"), format!("x{c}y"));
        let story = with(&name, &value).press("/dorp⏎⏎");
        for story in [with(&name, &value), story] {
            let screen = story.screen();
            assert!(!screen.contains(DIRECTING), "{c:?} is on the screen:\n{screen}");
            assert!(screen.contains("/billing/prod/a▯dorp"), "{c:?} is shown:\n{screen}");
        }
        assert_eq!(text::width(&name), "/billing/prod/a.dorp".len(), "by one cell");
    }
    assert_ne!(text::clean("a\u{200f}b", false), text::clean("ab", false), "two names that differ look so");
}

#[test]
fn neither_does_it_reach_what_is_told_outside_of_the_screen() {
    for c in DIRECTING {
        let mut story = with(&format!("/billing/prod/a{c}dorp"), "x");
        if let Some(info) = &mut story.model.environments[2].info {
            info.project = format!("pet{c}shop");
        }
        let title = crate::console::title::title(&story.model);
        let told = crate::console::title::notification(&format!("a{c}b"));
        assert!(!title.contains(c) && !String::from_utf8(told).unwrap().contains(c), "{c:?}");
        let mut story = story.press("/dorp⏎o");
        let Some(Effect::Outside(crate::console::home::Outside::Page { text, .. })) = story.effects.pop() else {
            panic!("nothing is paged");
        };
        assert!(!text.expose().contains(c) && text.expose().contains("a▯dorp"), "{c:?} in the pager");
    }
}
