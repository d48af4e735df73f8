//! What holds whatever is typed and whatever arrives.

use proptest::prelude::*;

use super::answers::answer;
use super::story::{Story, night, over};
use crate::compare::Why;
use crate::console::fixture::{self, SECRETS};
use crate::console::pointer::{Button, Mouse};
use crate::console::{Effect, Key, Message, ProjectInfo};
use crate::ops::report::Part;

/// Something that may happen to a console.
#[derive(Debug, Clone)]
enum Event {
    Press(Key),
    Answer(usize, bool),
    PartOf(usize, usize),
    Wait(i64),
    Size(u16, u16),
    Paste(String),
    Mouse(Mouse),
}

fn key() -> impl Strategy<Value = Key> {
    let likely = "jkgGnNf/@?rRqvdyoO1234xeac-X".chars().map(Key::Char).collect::<Vec<_>>();
    prop_oneof![
        6 => prop::sample::select(likely),
        3 => prop::sample::select(vec![Key::Enter, Key::Esc, Key::Tab, Key::Up, Key::Down, Key::Backspace]),
        1 => prop::sample::select(vec![Key::Ctrl('r'), Key::Ctrl('d'), Key::Ctrl('u'), Key::Ctrl('w'), Key::Home, Key::End, Key::PageDown]),
        1 => any::<char>().prop_map(Key::Char),
    ]
}

fn event(with_reveal: bool) -> impl Strategy<Value = Event> {
    let press = key().prop_filter("reveals", move |key| with_reveal || *key != Key::Char('v'));
    prop_oneof![
        12 => press.prop_map(Event::Press),
        3 => (any::<usize>(), prop::bool::weighted(0.8)).prop_map(|(at, fine)| Event::Answer(at, fine)),
        2 => (any::<usize>(), any::<usize>()).prop_map(|(at, part)| Event::PartOf(at, part)),
        2 => (0_i64..40_000).prop_map(Event::Wait),
        1 => (1_u16..200, 1_u16..60).prop_map(|(width, height)| Event::Size(width, height)),
        1 => "[a-z/\\x1b日]{0,6}".prop_map(Event::Paste),
        3 => (0_usize..5, 0_u16..140, 0_u16..50).prop_map(|(button, column, line)| {
            let buttons = [Button::Press, Button::Drag, Button::Release, Button::WheelDown, Button::WheelUp];
            Event::Mouse(Mouse { button: buttons[button], column, line })
        }),
    ]
}

fn happen(mut story: Story, event: Event) -> Story {
    match event {
        Event::Press(key) => story.hears(Message::Key(key)),
        Event::Wait(milliseconds) => story.after(milliseconds),
        Event::Size(width, height) => story.size(width, height),
        Event::Mouse(mouse) => story.hears(Message::Mouse(mouse)),
        Event::Paste(text) => story.hears(Message::Paste(text)),
        Event::PartOf(at, part) => {
            let count = story.effects.len().max(1);
            let Some(Effect::Inspect(generation, target, _)) = story.effects.get(at % count) else { return story };
            let report = fixture::report(&target.environment);
            let parts = [
                Part::Identity(report.identity.clone()),
                Part::Commit(Err(Why::new("no such ref"))),
                Part::Section(report.sections[part % 4].0, report.sections[part % 4].1.clone()),
            ];
            let message = Message::Part(*generation, parts[part % 3].clone());
            story.hears(message)
        }
        Event::Answer(at, fine) => {
            if story.effects.is_empty() {
                return story;
            }
            let effect = story.effects.remove(at % story.effects.len());
            let message = match effect {
                Effect::Fetch(generation, _) if !fine => Message::Lost(generation),
                // What writes is for `random`, which reaches it.
                Effect::Plan(..) | Effect::Write(..) | Effect::Unlock(..) | Effect::Lock(..) | Effect::Journal(..) => {
                    return story;
                }
                effect => match answer(effect, fine) {
                    Some(message) => message,
                    None => return story,
                },
            };
            story.hears(message)
        }
    }
}

fn beside_another() -> Story {
    over(vec![ProjectInfo { name: String::from("orders"), place: String::from("~/orders") }])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_happens_panics_or_shows_a_value_that_was_not_revealed(
        ready: bool,
        events in prop::collection::vec(event(false), 1..60),
    ) {
        let mut story = if ready { night() } else { beside_another() };
        for event in events {
            story = happen(story, event);
            let screen = story.screen();
            for secret in SECRETS.into_iter().chain(["quail", "grebe", "new-pool", "value of /"]) {
                prop_assert!(!screen.contains(secret), "{secret} is on the screen:\n{screen}");
            }
            prop_assert!(!screen.chars().any(|c| c.is_control() && c != '\n'));
        }
    }

    #[test]
    fn a_revealed_value_is_that_of_the_selected_item_and_not_for_long(
        events in prop::collection::vec(event(true), 1..60),
    ) {
        let mut story = night();
        for event in events {
            story = happen(story, event);
            if story.model.reveal.is_some() {
                prop_assert!(story.model.revealed().is_some(), "only the selected item is revealed");
            }
            let _ = story.screen();
        }
        let story = story.after(30_001);
        prop_assert!(!story.model.is_revealed());
    }
}
