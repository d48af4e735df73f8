//! What lists and details show when there is little room, or much.

use super::story::{Story, night, story};
use crate::compare::{Changed, Item, Kind, Verdict};
use crate::console::Role;
use crate::console::fixture::{self, item, plain, sides};
use crate::ops::report::{Report, Section};

/// A console that has read these parameters and nothing else of prod.
fn with(items: Vec<Item>) -> Story {
    let mut report = fixture::report("prod");
    for (_, section) in &mut report.sections {
        *section = Ok(Section::default());
    }
    report.sections[2].1 = Ok(Section { items, ..Section::default() });
    story().answers(report)
}

fn parameter(name: &str, verdict: Verdict) -> Item {
    let (git, live) = if verdict == Verdict::GitOnly {
        (plain("a"), crate::compare::Facet::Absent)
    } else {
        (plain("a"), plain("b"))
    };
    item(Kind::Parameter, "shop", name, verdict, sides(git, plain("a"), live))
}

/// The line that has a text.
fn line(story: &Story, text: &str) -> String {
    let screen = story.screen();
    screen
        .lines()
        .find(|line| line.contains(text))
        .unwrap_or_else(|| panic!("{text:?} is not on:\n{screen}"))
        .to_owned()
}

#[test]
fn a_narrow_list_says_who_before_it_says_what_type() {
    let mut pool = parameter("/shop/pool", Verdict::Drifted);
    pool.type_name = String::from("SecureString");
    pool.reason = String::from("changed live");
    pool.changed = Some(Changed {
        by: Some(String::from("arn:aws:sts::471100004242:assumed-role/deployer/mara")),
        at: Some(fixture::NOW - 60_000),
        ..Changed::default()
    });
    for (width, seen, unseen) in [
        (60, vec!["changed live", "deployer/mara"], vec!["SecureString"]),
        (80, vec!["changed live", "02:40  deployer/mara"], vec![]),
        (120, vec!["changed live", "02:40  deployer/mara", "SecureString"], vec![]),
    ] {
        for page in ["1", "3"] {
            let line = line(&with(vec![pool.clone()]).size(width, 24).press(page), "/shop/pool");
            for text in &seen {
                // The overview names kinds, not types, and has less room for names.
                let spared = page == "1" && (*text == "SecureString" || width == 60);
                assert!(line.contains(text) || spared, "{text:?} at {width}: {line}");
            }
            assert!(line.contains("deployer") || (page == "1" && width == 60), "{line}");
            assert!(!unseen.iter().any(|text| line.contains(text)), "{line}");
        }
    }
}

#[test]
fn what_goes_on_beyond_a_pane_is_counted_at_its_edge() {
    // The list, the needs, the detail and the help, at their lower and at their upper edge.
    night().size(80, 24).press("3f").sees("▾ 22 more").press("G").sees("▴ 22 more").does_not_see("▾");
    night().size(60, 16).sees("▾ 6 more").press("G").sees("▴ 6 more").does_not_see("▾");
    night().size(60, 16).press("2⏎").sees("▾ 10 more").press("G").sees("▴");
    night().size(60, 16).press("2d").sees("▾ 3 more");
    // Where there is no line over the list, its margin says that it goes on.
    let scrolled = night().size(60, 16).press("3fG").screen();
    assert!(scrolled.lines().any(|line| line.starts_with('▴')), "{scrolled}");
    // What fits has no sign.
    night().size(120, 40).press("2").does_not_see("▾").does_not_see("▴");
    // What lies over a page tells of itself.
    let help = night().size(60, 16).press("3f?").screen();
    assert_eq!(help.matches('▾').count(), 1, "{help}");
}

#[test]
fn many_items_in_git_only_are_one_line_until_they_are_asked_for() {
    let many = |count: usize| (0..count).map(|n| parameter(&format!("/shop/key{n:02}"), Verdict::GitOnly)).collect();
    let folded = with(many(12)).sees("/shop/key00  +11").does_not_see("key01").press("3");
    assert!(line(&folded, "key00  +11").ends_with("f to show"));
    let folded = folded.sees("11 more like it: /shop/key01, /shop/key02");
    folded.does_not_see("- git only  /shop/key01").press("f").sees("- git only  /shop/key11").does_not_see("+11");
    // By name, each is found; a few are no flood.
    with(many(12)).press("3/key07").sees("/shop/key07").does_not_see("+");
    with(many(4)).sees("/shop/key03").press("3").sees("/shop/key03");
}

#[test]
fn a_wide_terminal_shows_list_and_detail_beside_each_other() {
    for (width, beside) in [(159, false), (160, true), (200, true)] {
        let story = night().size(width, 40).press("2");
        let head = line(&story, "petshop-prod  UPDATE_COMPLETE");
        assert_eq!(head.contains("CheckoutFn  Lambda::Function"), beside, "{width}: {head}");
        // The sides stand beside each other in either case.
        story.sees("GIT 3f2a91c").sees("APPLIED 91abe07");
    }
}

fn of_another_account(mut report: Report) -> Report {
    if let Ok(identity) = &mut report.identity {
        identity.account = String::from("111100002222");
        identity.expected_account = Some(String::from("471100004242"));
    }
    report
}

#[test]
fn what_is_of_another_account_looks_neither_like_calm_nor_like_this_environment() {
    let in_sync = of_another_account(fixture::report("qa"));
    let story = story().answers(in_sync).size(80, 24);
    let story = story.sees("is not the expected 471100004242").sees("NEEDS YOU  prod  of account 111100002222");
    let story = story.sees("but 111100002222 was read").does_not_see("live is what git says").sees("!prod");
    assert!(!roles(&story).contains(&Role::InSync), "no calm in green");
    let story = story.press("2").sees("petshop-prod  of account 111100002222");
    assert!(!roles(&story).contains(&Role::InSync));
    let differing = of_another_account(fixture::report("prod"));
    let story = super::story::story().answers(differing).press("3jd").sees("pool_size  of account 111100002222");
    story.press("⎋⎋⏎").sees("pool_size  checkout  of account 111100002222");
}

/// The roles of everything that is drawn; the story's theme gives each a colour of its own.
fn roles(story: &Story) -> Vec<Role> {
    let buffer = story.buffer();
    let colours = buffer.content().iter().filter(|cell| cell.symbol() != " ").map(|cell| cell.fg);
    let role = |colour| match colour {
        ratatui::style::Color::Indexed(index) => Role::ALL.get(usize::from(index)).copied(),
        _ => None,
    };
    colours.filter_map(role).collect()
}

#[test]
fn ten_thousand_items_are_listed_to_the_last() {
    let items = (0..10_000).map(|n| parameter(&format!("/shop/key{n:05}"), Verdict::Drifted)).collect();
    with(items).sees("more").press("3").sees("▾ 9986 more").press("G").sees("/shop/key09999").sees("▴ 9986 more");
}
