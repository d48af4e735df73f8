//! What the diff shows, and that it is made once.

use std::fmt::Write as _;

use super::block::{Block, Row};
use super::explained;
use crate::compare::{Facet, Item, Kind, Verdict, Why};
use crate::console::fixture::{self, item, masked, plain, sides};
use crate::console::tests::story::{Story, story};
use crate::ops::report::Section;

/// A console on the parameters' page, which lists these.
fn with(items: Vec<Item>) -> Story {
    let mut report = fixture::report("prod");
    report.sections[2].1 = Ok(Section { items, ..Section::default() });
    story().answers(report).press("3")
}

fn parameter(name: &str, git: Facet, applied: Facet, live: Facet) -> Item {
    item(Kind::Parameter, "shop", name, Verdict::Drifted, sides(git, applied, live))
}

fn numbers(count: usize) -> String {
    (0..count).fold(String::new(), |mut text, n| {
        let _ = writeln!(text, "line {n}");
        text
    })
}

fn told(git: &str, live: &str) -> Vec<String> {
    let block = Block::of_texts([Some(git), None, Some(live)], false, false);
    let text = |row: &Row| match row {
        Row::Skipped { count, .. } => format!("… {count}"),
        Row::Line { cells, equal } => {
            let cell = |side: usize| cells[side].clone().map_or("", |span| &block.texts[side][span]);
            if *equal { cell(0).to_owned() } else { format!("{} | {}", cell(0), cell(2)) }
        }
    };
    block.rows.iter().map(text).collect()
}

#[test]
fn equal_lines_far_from_a_change_are_counted() {
    let git = numbers(20);
    let rows = told(&git, &git.replace("line 19\n", "x\n"));
    assert_eq!(rows, ["… 16", "line 16", "line 17", "line 18", "line 19 | x"]);
}

#[test]
fn a_line_end_that_only_one_side_has_is_seen() {
    assert_eq!(told("a", "a\n"), ["a | a\u{240a}"]);
    assert_eq!(told("a\r\nb", "a\nb"), ["a\r | a", "b"]);
}

#[test]
fn what_two_sides_differ_in_is_told_without_telling_them() {
    for (git, live, expected) in [
        (masked("on"), masked("ON"), Some("differs only in letter case")),
        (masked("a"), masked("b"), None),
        (masked(r#"{"a":1,"b":2}"#), masked(r#"{"a":1,"b":3,"c":4}"#), Some("2 of 3 keys differ")),
        (plain(r#"{"a":1}"#), plain(r#"{"a":2}"#), None),
        (masked("a"), masked("a"), None),
        (masked("a"), Facet::Absent, None),
    ] {
        assert_eq!(explained(&git, &live, false).as_deref(), expected, "{git:?} {live:?}");
    }
    let (git, live) = (masked(r#"{"a":1}"#), masked(r#"{"a":2}"#));
    assert_eq!(explained(&git, &live, true), None, "it is to be seen then");
}

#[test]
fn a_long_document_is_folded_to_what_differs_until_it_is_unfolded() {
    let git = r#"{"tags":{"team":"shop","cost":"7"},"pool":{"size":20,"idle":1},"url":"https://x.example"}"#;
    let live = git.replace("20", "50");
    with(vec![parameter("/shop/doc", plain(git), plain(git), plain(&live))])
        .press("d")
        .sees("\"tags\": {… 2 equal},")
        .sees("-     \"size\": 20,")
        .sees("+     \"size\": 50,")
        .does_not_see("\"team\"")
        .press("z")
        .sees("\"team\": \"shop\",")
        .press("z")
        .does_not_see("\"team\"");
}

#[test]
fn the_sides_stand_beside_or_below_each_other_as_the_width_is_or_as_one_wants() {
    let item = || vec![parameter("/shop/key", plain("old\nsame\n"), plain("old\nsame\n"), plain("new\nsame\n"))];
    with(item()).press("d").sees("▸ - old").size(80, 24).sees("- GIT 3f2a91c  + LIVE");
    with(item()).press("ds").sees("- GIT 3f2a91c  + LIVE").press("s").does_not_see("- GIT 3f2a91c");
    // The applied side has a column of its own when it is a third one.
    let third = vec![parameter("/shop/key", plain("a 1\n"), plain("a 2\n"), plain("a 3\n"))];
    with(third.clone()).size(150, 40).press("d").sees("APPLIED").sees("a 2");
    with(third).size(149, 40).press("d").does_not_see("a 2");
    with(item()).size(150, 40).press("d").does_not_see("APPLIED");
}

#[test]
fn n_goes_through_all_changes_of_the_page_and_back() {
    let git = numbers(60);
    let live = git.replace("line 3\n", "x\n").replace("line 50\n", "y\n");
    let items = vec![
        parameter("/shop/a", plain(&git), plain(&git), plain(&live)),
        parameter("/shop/b", plain("one"), plain("one"), plain("two")),
    ];
    with(items)
        .press("d")
        .sees("/shop/a")
        .sees("change 1 of 2")
        .press("n")
        .sees("change 2 of 2")
        .press("n")
        .sees("/shop/b")
        .sees("change 1 of 1")
        .press("n")
        .sees("no further change")
        .press("N")
        .sees("/shop/a")
        .sees("change 2 of 2")
        .press("N")
        .sees("change 1 of 2")
        .press("N")
        .sees("no change before this");
}

#[test]
fn a_long_line_is_moved_to_its_change_and_by_hand() {
    let git = format!("{}old{}", "a ".repeat(200), " b".repeat(200));
    let live = git.replace("old", "new");
    with(vec![parameter("/shop/long", plain(&git), plain(&git), plain(&live))])
        .press("d")
        .sees("old b")
        .sees("new b")
        .sees("from column")
        .press("HHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHHH")
        .does_not_see("old b")
        .does_not_see("from column")
        .press("L")
        .sees("from column 13");
}

#[test]
fn a_masked_value_shows_neither_text_nor_keys_until_it_is_revealed() {
    let (git, live) = (r#"{"user":"wren-1","pin":"5512"}"#, r#"{"user":"wren-1","pin":"7745"}"#);
    let secret = || vec![parameter("/shop/secret", masked(git), masked(git), masked(live))];
    for keys in ["d", "", "⏎", "ds", "dz"] {
        let mut story = with(secret()).press(keys).sees("•••• fp").sees("1 of 2 keys differs");
        for word in ["wren", "user", "pin", "5512", "7745"] {
            story = story.does_not_see(word);
        }
    }
    with(secret()).press("dv").sees("\"pin\": \"7745\"").after(30_000).does_not_see("7745").does_not_see("pin");
    with(secret()).press("dv").sees("7745").press("v").does_not_see("7745");
}

#[test]
fn what_is_not_known_is_no_change() {
    let why = Why::new("CloudFormation never looks at it");
    let row = |path: &str, verdict, git, live| crate::compare::Row {
        path: String::from(path),
        verdict,
        sides: sides(git, Facet::Absent, live),
    };
    let unknown = || row("Runtime", Verdict::Unknown(why.clone()), plain("python"), Facet::Unreadable(why.clone()));
    let mut function = parameter("/shop/fn", Facet::Absent, Facet::Absent, Facet::Absent);
    function.rows = vec![unknown()];
    for keys in ["d", "ds"] {
        let story = with(vec![function.clone()]).press(keys).sees("CloudFormation never looks at it").sees("not known");
        let story = story.does_not_see("+ ?").does_not_see("- python").does_not_see("1 change").sees("python");
        assert_eq!(story.screen().contains("in git"), keys == "ds", "below each other the sides are named");
    }
    let buffer = with(vec![function.clone()]).press("d").buffer();
    let styles = crate::console::tests::story::styles(&buffer);
    assert!(!styles.contains("added") && !styles.contains("removed"), "{styles}");
    function.rows.push(row("Timeout", Verdict::Drifted, plain("3"), plain("9")));
    with(vec![function]).press("d").sees("change 1 of 1, 1 unknown");
}

#[test]
fn what_is_not_there_is_told_on_its_side() {
    let deleted = || vec![parameter("/shop/ttl", plain("3600"), plain("3600"), Facet::Absent)];
    let screen = with(deleted()).press("d").screen();
    let line = screen.lines().find(|line| line.contains("3600")).unwrap();
    let (left, right) = line.split_once('│').unwrap();
    assert!(left.contains("- 3600") && !left.contains("absent") && right.trim() == "absent", "{line}");
    with(deleted()).press("ds").sees("- 3600").sees("live: absent").does_not_see("▸ +").does_not_see("- live");
    let emptied = || vec![parameter("/shop/ttl", plain("3600"), plain("3600"), plain(""))];
    let screen = with(emptied()).press("d").screen();
    let line = screen.lines().find(|line| line.contains("3600")).unwrap();
    assert_eq!(line.split_once('│').unwrap().1.trim(), "empty");
    with(emptied()).press("d").sees("change 1 of 1");
}

#[test]
fn what_was_not_read_says_how_it_is_read() {
    let deleted = || vec![parameter("/shop/ttl", Facet::Unread, Facet::Unread, Facet::Absent)];
    for keys in ["d", "ds"] {
        let story = with(deleted()).press(keys).sees("not read: v reads it").does_not_see("- not read").sees("absent");
        story.sees("change 1 of 1");
    }
    let settled = vec![parameter("/shop/ttl", Facet::Unread, Facet::Unread, Facet::Unread)];
    with(settled).press("d").sees("not read: v reads it").does_not_see("no change").does_not_see("not known");
    with(deleted()).sees("not read: v reads it");
}

#[test]
fn a_comparison_is_made_once_however_many_keys_are_pressed() {
    let git = "x".repeat(40) + "\n" + &numbers(60_000);
    let live = git.replace("line 7\n", "line seven\n").replace("line 59000\n", "");
    assert!(git.len() > 600_000);
    let items = vec![
        parameter("/shop/a", plain(&git), masked(&git), masked(&live)),
        parameter("/shop/b", plain("1"), plain("1"), plain("2")),
    ];
    let story = with(items);
    assert_eq!((story.model.diff.made, story.model.looks.made), (0, 1), "only the detail is on the screen");
    let story = story.press("d");
    assert_eq!(story.model.diff.made, 1);
    let story = story.press("jjkk^d^uGgHLnN").after(1_000);
    let _ = story.screen();
    assert_eq!(story.model.diff.made, 1, "moving compares nothing");
    let story = story.press("zs");
    assert_eq!(story.model.diff.made, 3, "another look is another comparison");
    let story = story.press("v").after(1_000).press("v");
    assert_eq!(story.model.diff.made, 5, "so are revealing and masking");
    let story = story.press("⎋⎋");
    assert!(super::shown(&story.model).is_none(), "nothing is kept that is not shown");
    let made = story.model.looks.made;
    let story = story.press("⇥jjkk").after(1_000);
    assert_eq!(story.model.looks.made, made, "nor is a fingerprint made anew by moving");
}
