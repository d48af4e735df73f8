//! What a person is told of what can be pressed, and of what cannot.

use super::story::{Story, first_run, night, with_crypto, with_intake, with_pipeline};
use crate::console::action::Scope;
use crate::console::fixture::SECRETS;
use crate::console::overlay::Menu;
use crate::console::pointer::{Button, Mouse};
use crate::console::{ACTIONS, Action, Effect, Key, Message, Spec};

/// The keys of an action, those of its menu first, as they are listed.
fn listed(story: &Story, spec: &Spec) -> Vec<Vec<Key>> {
    let opener = Menu::of(spec.scope).and_then(|menu| story.model.keymap.keys(menu.opener).next());
    story.model.keymap.keys(spec.action).map(|key| opener.into_iter().chain([key]).collect()).collect()
}

/// Whether these keys do something on the page, at that end of it, or say why not.
fn answers(page: &str, end: &str, keys: &[Key]) -> bool {
    let begun = match page.as_bytes()[0] {
        b'7' => with_pipeline(),
        b'8' => with_intake(),
        _ => with_crypto(),
    };
    let mut story = begun.size(60, 16).press(page).answers_all().press(end);
    story.effects.clear();
    for key in keys {
        let before = story.screen();
        story = story.hears(Message::Key(*key));
        if story.screen() == before && story.effects.is_empty() && story.model.notice.is_none() {
            return false;
        }
        // What cannot be done opens no menu, and has said why.
        if story.model.overlays.is_empty() {
            break;
        }
    }
    true
}

#[test]
fn no_listed_key_is_silent_on_any_page() {
    let pages = ["1", "1⇥", "2", "3", "4", "2⏎", "4jd", "u", "6", "6s", "7", "7⏎", "7⇥", "7⇥⇥", "8", "8⏎", "8⇥", "8⇥⇥"];
    for page in pages {
        for spec in ACTIONS {
            for keys in listed(&night(), spec) {
                // What moves has nowhere to go at one end; within a diff that fits it has none at all.
                let moved = keys.first().and_then(|key| night().model.keymap.action(*key, &[Scope::Move]));
                let is_a_move = moved.is_some() || matches!(spec.action, Action::Left | Action::Right);
                let heard = ["", "g", "G"].iter().any(|end| answers(page, end, &keys));
                assert!(heard || (is_a_move && page == "4jd"), "{} by {keys:?} after {page:?} is silent", spec.id);
            }
        }
    }
    night().press("B").sees("B does nothing: ? shows the keys");
    night().press("2w").sees("w works only in the menu of what is copied").wants(&[]);
    night().press("u").answers_all().press("d").sees("d works only on a page");
}

#[test]
fn what_is_done_with_an_item_is_done_on_the_overview_too() {
    let pool = || night().press("jj").sees("▸ ~ drifted   param   /checkout/prod/db/pool_size");
    pool().press("d").sees("3 PARAMETERS").sees("GIT ").press("q").sees("▸ ~ drifted   /checkout/prod/db/pool_size");
    pool()
        .does_not_see(SECRETS[2])
        .press("v")
        .sees("3 PARAMETERS")
        .sees(SECRETS[2])
        .press("1")
        .does_not_see(SECRETS[2]);
    pool().press("x").sees("ACTIONS  /checkout/prod/db/pool_size").sees("1 OVERVIEW").press("d").sees("3 PARAMETERS");
    pool().press("yn").wants(&["copy name: /checkout/prod/db/pool_size"]).sees("1 OVERVIEW");
    let mut story = pool().press("yv");
    assert!(matches!(story.effects.remove(0), Effect::Copy(_)));
    pool().press("f").sees("the overview has what needs you; the other pages show everything");
    // What was open on the page before does not lie over it.
    pool()
        .press("3⏎")
        .answers_all()
        .press("1d")
        .sees("GIT ")
        .press("qq")
        .sees("1 OVERVIEW")
        .press("q")
        .wants(&["quit"]);
    night().press("⇥d").sees("an environment is selected, and no item").wants(&[]);
}

/// The last line of the screen.
fn footer(story: &Story) -> String {
    story.screen().lines().last().unwrap().to_owned()
}

#[test]
fn the_footer_names_what_the_page_is_for_before_what_is_everywhere() {
    let rows: [(&str, u16, &[&str]); 6] = [
        ("", 80, &["enter open", "v reveal", "d diff", "n next", "x menu", "y copy", "P push"]),
        ("3", 80, &["enter open", "v reveal", "d diff", "n next", "f show", "x menu", "y copy"]),
        ("4jd", 80, &["v reveal", "s layout", "z fold", "n next", "x menu", "y copy"]),
        ("3", 60, &["enter open", "v reveal", "d diff", "n next"]),
        ("4jd", 60, &["v reveal", "s layout", "z fold", "n next"]),
        ("3", 120, &["f show", "/ filter", "@ env", "r refresh"]),
    ];
    for (keys, width, hints) in rows {
        let footer = footer(&night().size(width, 24).press(keys));
        for hint in hints {
            assert!(footer.contains(hint), "{hint:?} after {keys:?} at {width}: {footer}");
        }
    }
    // The diff is not offered within the diff, nor what is the list's.
    let diff = footer(&night().press("4jd"));
    assert!(!diff.contains("d diff") && !diff.contains("f show"), "{diff}");
}

#[test]
fn below_the_least_size_only_the_keys_that_leave_are_heard() {
    let story = night().press(":").size(50, 10).sees("Enlarge it, or press q to quit.");
    story.press("q").wants(&["refs", "quit"]);
    let story = night().press("3j").size(59, 24).press("v2@").hears(Message::Paste(String::from("x")));
    story.size(80, 24).sees("3 PARAMETERS").does_not_see("ENVIRONMENT, GIT REF").does_not_see(SECRETS[2]).wants(&[]);
    night().size(60, 15).press("^z^c").wants(&["suspend", "quit"]);
}

#[test]
fn a_filter_that_was_taken_is_seen_at_every_width_and_from_every_page() {
    for (width, height) in [(60, 16), (80, 24), (120, 40)] {
        let story = night().size(width, height).press("3/size⏎").sees("/size").sees("esc show all");
        let story = story.press("2").sees("3 parameters/").does_not_see("/size").press("3").sees("/size");
        story.press("⎋").does_not_see("/size").press("2").does_not_see("parameters/");
    }
    // A longer one is cut, and its end is marked.
    let tabs = night().size(60, 16).press("3/pool_size_of_whatever_is_longer_than_the_room⏎").screen();
    assert!(
        tabs.lines().any(|line| line.contains("3 PARAMETERS") && line.contains("/pool_size_of") && line.contains('…')),
        "{tabs}"
    );
    // The tabs make room for it, and for each other.
    night()
        .size(60, 16)
        .press("3/pool_size⏎")
        .sees(" 1  2  3 PARAMETERS  4  5")
        .sees("/pool_size")
        .press("2")
        .sees("5 deploy");
    night().press("3/size⏎").press("@qa⏎").answers_all().sees("/size");
}

#[test]
fn what_goes_on_below_leaves_the_tour_its_head() {
    for (width, height) in [(60, 16), (80, 24), (160, 24)] {
        for step in 1..=8 {
            let story = first_run().answers_all().size(width, height).press(&"^t".repeat(step - 1));
            let story = story.press("3f").sees(&format!("TOUR {step} of 8"));
            story.sees("^t next").sees("esc leave").sees("more");
            // The keys over it as well.
            first_run().answers_all().size(width, height).press("?").sees("^t next").sees("TOUR 1 of 8").sees("more");
        }
    }
}

#[test]
fn the_keys_count_what_they_list() {
    let number = |line: &str, before: &str| -> usize {
        let rest = line.split(before).nth(1).unwrap();
        rest.split_whitespace().next().unwrap().parse().unwrap()
    };
    for (width, height) in [(60, 16), (80, 24), (120, 40)] {
        let screen = night().size(width, height).press("?").screen();
        // The titles of actions, and nothing else, begin there.
        let title = |line: &str| line.chars().skip(24).take(12).collect::<String>();
        let is_action =
            |line: &&str| ACTIONS.iter().any(|spec| spec.title.starts_with(&title(line)) && title(line).len() > 3);
        let seen = screen.lines().filter(is_action).count();
        let total = number(screen.lines().find(|line| line.contains("KEYS")).unwrap(), "1 of ");
        let more = number(screen.lines().find(|line| line.contains('▾')).unwrap(), "▾ ");
        assert_eq!((total, seen + more), (ACTIONS.len(), total), "{screen}");
    }
}

#[test]
fn no_two_rules_lie_below_each_other() {
    let is_rule = |line: &str| !line.is_empty() && line.chars().all(|c| c == '─');
    for (width, height) in [(60, 16), (70, 18), (80, 24), (120, 40)] {
        for keys in ["@", "@m", "@qa", ":", "?", "u", "2x", "2y"] {
            let screen = night().size(width, height).press(keys).answers_all().screen();
            let lines: Vec<&str> = screen.lines().collect();
            let double = lines.windows(2).any(|pair| pair.iter().all(|line| is_rule(line)));
            assert!(!double, "after {keys:?} at {width}x{height}:\n{screen}");
        }
    }
    // The line that this frees is the list's, and the mouse finds it there.
    let story = night().size(60, 16).press("@").answers_all();
    let last = story.screen().lines().collect::<Vec<_>>().iter().rposition(|line| line.contains(" ref ")).unwrap();
    let last = u16::try_from(last).unwrap();
    let click = |story: Story| story.hears(Message::Mouse(Mouse { button: Button::Press, column: 10, line: last }));
    assert!(click(story).screen().lines().nth(usize::from(last)).unwrap().starts_with(" ▸"));
}

#[test]
fn in_ascii_what_is_cut_looks_like_no_verdict() {
    for keys in ["", "2", "3", "4jd", ":"] {
        let mut story = night().size(60, 16).press(keys).answers_all();
        story.theme = story.theme.ascii();
        let screen = story.screen();
        for (at, line) in screen.lines().enumerate() {
            let marks: Vec<&str> = line.split('~').skip(1).collect();
            let verdicts = marks.iter().all(|after| after.starts_with([' ', '1', '2', '3', '4']));
            assert!(verdicts, "line {at} after {keys:?}:\n{screen}");
        }
        assert!(screen.contains("..") || keys == "4jd", "{screen}");
    }
}
