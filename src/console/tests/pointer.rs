//! The mouse: what a click selects, opens and does, and what it never does.

use super::story::{Story, click, mouse, night};
use crate::console::pointer::{Button, Mouse};
use crate::console::{Effect, Message};

/// The selected parameter of most stories.
const POOL: &str = "/checkout/prod/db/pool_size";

#[test]
fn a_click_on_a_tab_opens_its_page() {
    for (tab, title) in [("2 stacks", "2 STACKS"), ("3 parameters", "3 PARAMETERS"), ("4 secrets", "4 SECRETS")] {
        click(night(), tab).sees(title);
    }
    click(night().press("4"), "1 overview").sees("NEEDS YOU");
    click(night().press("4"), "verview").sees("NEEDS YOU");
}

#[test]
fn a_click_selects_a_line_and_a_second_one_opens_it() {
    let story = click(night().press("3"), "/checkout/prod/api/url").sees("▸ > pending   /checkout/prod/api/url");
    click(story, "/checkout/prod/api/url").sees("https://api.petshop.example/v2").does_not_see(POOL);
    // What cannot be selected is not.
    click(night().press("3j"), "12 more").sees(&format!("▸ ~ drifted   {POOL}"));
}

#[test]
fn the_overview_and_the_properties_are_clicked_too() {
    let story = click(night(), "checkout-api").sees("▸ ~ drifted");
    click(story, "checkout-api").sees("2 STACKS").sees("▸ ~ drifted   checkout-api");
    let story = click(night(), " dev ").sees("▸ dev");
    click(story, " dev ").sees("petshop / dev");
    let story = click(night().press("2/CheckoutFn⏎"), "> pending");
    assert_eq!((story.model.list().row, story.model.list().pane), (1, crate::console::page::Pane::Detail));
}

#[test]
fn the_wheel_moves_what_it_is_over() {
    let story = mouse(night().press("3f"), Button::WheelDown, "/billing/prod/key00");
    assert_eq!(story.model.list().line, 4, "{}", story.screen());
    let story = mouse(story, Button::WheelUp, "/billing/prod/key00");
    assert_eq!(story.model.list().line, 1, "{}", story.screen());
    let story = mouse(night().press("?"), Button::WheelDown, "KEYS").press("jj");
    story.sees("KEYS");
}

#[test]
fn the_border_is_dragged_and_stays_where_it_was_left() {
    let lists = |story: &Story| {
        let areas = crate::console::layout::Areas::of(&story.model).unwrap();
        crate::console::layout::Panes::of(&story.model, areas.body).list.unwrap()
    };
    let story = night().press("3j");
    let before = lists(&story).height;
    let head = format!(" {POOL}  SecureString  version 4");
    let mut story = mouse(story, Button::Press, &head);
    for (button, line) in [(Button::Drag, 25), (Button::Drag, 28), (Button::Release, 28)] {
        story = story.hears(Message::Mouse(Mouse { button, column: 5, line }));
    }
    let screen = story.screen();
    assert!(screen.lines().nth(28).unwrap().starts_with(&head), "{screen}");
    let story = story.press("4").press("3");
    assert!(lists(&story).height > before);
    // Without a press on it nothing is dragged.
    let still = night().press("3j").hears(Message::Mouse(Mouse { button: Button::Drag, column: 5, line: 28 }));
    assert_eq!(lists(&still).height, before);
    // Beside each other the bar is what is dragged.
    let wide = night().size(200, 40).press("3j");
    let bar = lists(&wide).width;
    let press = |story: Story, button, column| story.hears(Message::Mouse(Mouse { button, column, line: 20 }));
    let wide = press(press(wide, Button::Press, bar), Button::Drag, 120);
    assert_eq!(lists(&wide).width, 120);
}

#[test]
fn overlays_are_clicked_and_what_lies_below_is_not() {
    let story = night().press("@").answers_all();
    let story = click(story, "ref   v2.3.0").sees("▸ ref   v2.3.0");
    let mut story = click(story, "ref   v2.3.0").does_not_see("GIT REF");
    assert!(matches!(story.effects.pop(), Some(Effect::Inspect(..))));
    let story = click(night().press("3j:").answers_all(), "Copy its value");
    click(story.sees("▸ do"), "Copy its value").sees("COPY");
    click(night().press("3jy"), "The name").wants(&[&format!("copy name: {POOL}")]);
    click(night().press("3jy"), "/checkout/prod/api/url").sees("COPY").wants(&[]);
}

/// The text of a line of the screen.
fn line(story: &Story, at: u16) -> String {
    story.screen().lines().nth(usize::from(at)).unwrap().trim().to_owned()
}

/// Clicks a line of the screen.
fn click_at(story: Story, line: u16) -> Story {
    let does = |button| Message::Mouse(Mouse { button, column: 30, line });
    story.hears(does(Button::Press)).hears(does(Button::Release))
}

#[test]
fn a_click_on_a_key_selects_it_and_a_second_one_does_it() {
    let story = click(night().size(120, 60).press("3j?"), "Copy its value")
        .sees("▸   y                  Copy its value")
        .sees("KEYS");
    let story = click(story.wants(&[]), "Copy its value").sees("COPY  /checkout/prod/db/pool_size");
    story.does_not_see("KEYS");
    // A heading and the air between two scopes are nothing.
    let story = click(night().size(120, 60).press("3j?↓↓"), "On every page");
    let chosen = |story: &Story| story.screen().lines().find(|line| line.contains('▸')).unwrap().to_owned();
    assert_eq!(chosen(&story), chosen(&click(night().size(120, 60).press("3j?↓↓"), "On items")));
    // What is found is clicked where it is drawn.
    let story = click(night().press("?refresh␣what"), "Refresh what you are on").does_not_see("KEYS");
    story.wants(&["fetch prod"]);
}

#[test]
fn what_cannot_be_done_says_so_when_it_is_clicked_and_the_keys_stay() {
    let story = click(night().press("?unfold"), "Diff: fold what is the same");
    story.sees("fold: only in the diff").sees("KEYS").wants(&[]);
}

#[test]
fn a_line_that_is_clicked_stays_where_it_is_until_it_is_clicked_again() {
    for (keys, title) in [("3j?", "KEYS"), (":", "COMMANDS")] {
        let story = night().size(80, 20).press(keys).answers_all();
        // A rule and the footer are below the list, and its lowest line makes room for the one after it.
        let low = story.model.size.1 - 4;
        let story = click_at(story, low);
        let text = line(&story, low);
        assert!(text.starts_with('▸'), "{keys}: line {low} is chosen\n{}", story.screen());
        let story = click_at(story, low);
        assert!(!story.screen().contains(title) || story.model.notice.is_some(), "{keys}: {text}\n{}", story.screen());
    }
}

#[test]
fn the_operator_s_own_actions_are_listed_with_the_keys_and_done_from_there() {
    use crate::console::fixture;

    let own = || {
        let mut story = night();
        story.model.home.settings.actions = fixture::actions();
        story
    };
    own().press("?").hears(Message::Key(crate::console::Key::PageDown)).sees("KEYS");
    own().press("?do␣look").sees("▸   ^l                 Do look").press("⏎").wants(&["run tool look it's"]);
    own().press("?^l").sees("KEYS").wants(&[]);
    let story = click(own().press("?do␣restart"), "Do restart").answers_all().sees("RUN").sees("prod is read-only");
    click(story, "Do restart").wants(&[]).sees("prod is read-only");
}
