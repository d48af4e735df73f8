//! Git moves while the console is open, and the operator looks elsewhere: no verdict stands under another commit.

use super::story::{Story, night};
use crate::compare::{Kind, Why};
use crate::console::fixture::{self, NOW};
use crate::console::{Effect, Message};
use crate::ops::report::{Commit, Identity, Report};

const LATER: &str = "b9b94bd000000000000000000000000000000000";

/// What is found of these kinds when git is at another commit.
fn later(kinds: &[Kind]) -> Report {
    let mut report = fixture::report("prod");
    report.commit = Ok(Commit { id: LATER.to_owned(), ..fixture::commit() });
    report.sections.retain(|(kind, _)| kinds.contains(kind));
    report.read_at = NOW;
    report
}

/// Answers the fetch that goes before a refresh.
fn fetched(mut story: Story) -> Story {
    let at = story.effects.iter().position(|effect| matches!(effect, Effect::Fetch(..))).expect("nothing was fetched");
    let Effect::Fetch(generation, _) = story.effects.remove(at) else { unreachable!() };
    story.hears(Message::Fetched(generation, Ok(())))
}

#[test]
fn what_was_compared_with_an_older_commit_says_so_and_is_read_again() {
    let story = fetched(night().press("3 r")).wants_first("inspect prod Cached");
    let story = story.answers(later(&[Kind::Parameter])).sees("GIT b9b94bd");
    assert_eq!(story.inspected(), [Kind::Stack, Kind::Code, Kind::Secret], "the rest is asked for");
    let story = story.press("2").sees("GIT 3f2a91c").does_not_see("GIT b9b94bd").sees("stale");
    let story = story.answers(later(&[Kind::Stack, Kind::Code, Kind::Secret])).sees("GIT b9b94bd");
    story.does_not_see("GIT 3f2a91c").does_not_see("stale").wants(&[]);
}

#[test]
fn one_item_that_was_compared_with_a_newer_commit_has_all_read_again() {
    let story = night().press("3 ⏎").answers_all().press("r").wants_first("inspect prod Cached");
    let story = story.answers(later(&[Kind::Parameter])).sees("GIT b9b94bd");
    assert_eq!(story.inspected(), Kind::ALL);
    story.answers(later(&Kind::ALL)).wants(&[]);
}

#[test]
fn the_same_commit_has_nothing_read_again() {
    fetched(night().press("3 r")).answers(fixture::report("prod")).wants(&[]).does_not_see("stale");
}

#[test]
fn the_verdicts_of_another_ref_are_gone_at_once() {
    let story = night().press("3").sees("pool_size").press(":");
    let mut story =
        "ref HEAD~3".chars().fold(story, |story, c| story.hears(Message::Key(crate::console::Key::Char(c))));
    story.effects.clear();
    let story = story.press("⏎").does_not_see("pool_size").does_not_see("3f2a91c");
    let mut story = story.press("⎋").does_not_see("pool_size").press("1").does_not_see("pool_size");
    story.effects.clear();
    // What is not known is not remembered for a ref that does not exist either.
    let why = Why::new("git knows no commit by the name nosuch");
    let story = story.press("r");
    let mut report = Report::failed(String::from("prod"), &Kind::ALL, &why, NOW);
    report.identity = Ok(fixture::identity());
    fetched(story).answers(report).press("3").does_not_see("pool_size").sees("nosuch");
}

#[test]
fn another_account_takes_all_that_was_read_in_the_one_before_with_it() {
    let story = fetched(night().press("3 r"));
    let mut report = fixture::report("prod");
    report.sections.retain(|(kind, _)| *kind == Kind::Parameter);
    report.identity = Ok(Identity { account: String::from("111122223333"), ..fixture::identity() });
    let story = story.answers(report).sees("pool_size").press("2").does_not_see("CheckoutFn");
    assert_eq!(story.inspected(), [Kind::Stack, Kind::Code, Kind::Secret]);
}
