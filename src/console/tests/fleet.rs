//! Several projects at once, and honesty about time.

use super::story::{Story, night, over, story};
use crate::compare::{Kind, Verdict, Why, WhyKind};
use crate::console::fixture::{self, NOW};
use crate::console::{Effect, Message, ProjectInfo};
use crate::ops::report::{Calls, Part, Report};

fn expired() -> Why {
    Why::new("cannot list the parameters: ExpiredTokenException: The security token included in the request is expired")
        .hint("run `aws sso login --profile petshop-prod`, then refresh")
        .kind(WhyKind::Expired)
}

fn offline() -> Why {
    Why::new("cannot read the caller's identity: cannot connect to AWS (its name cannot be resolved)")
        .hint("is there a network, a proxy, a VPN?")
        .kind(WhyKind::Network)
}

/// A report in which every request failed for this reason.
fn failed(environment: &str, why: &Why) -> Report {
    Report { commit: Ok(fixture::commit()), ..Report::failed(environment.to_owned(), &Kind::ALL, why, NOW) }
}

/// Two projects: the one where the console was opened, and the operator's other one.
fn two() -> Story {
    let info = |name: &str, place: &str| ProjectInfo { name: name.to_owned(), place: place.to_owned() };
    over(vec![info("orders", "~/src/orders"), info("gone", "~/src/gone")])
}

fn generation(story: &Story, wanted: impl Fn(&Effect) -> Option<u64>) -> u64 {
    story.effects.iter().find_map(wanted).expect("it was not asked for")
}

fn fetching(effect: &Effect) -> Option<u64> {
    if let Effect::Fetch(generation, _) = effect { Some(*generation) } else { None }
}

fn project(name: &'static str) -> impl Fn(&Effect) -> Option<u64> {
    move |effect| match effect {
        Effect::Project(generation, other) if other == name => Some(*generation),
        _ => None,
    }
}

/// Reads the current environment again, and every request fails.
fn again_in_vain(story: Story, why: &Why) -> Story {
    let mut story = story.press("^r");
    let generation = generation(&story, fetching);
    story = story.hears(Message::Fetched(generation, Ok(())));
    while let Some(Effect::Inspect(_, target, _)) =
        story.effects.iter().find(|effect| matches!(effect, Effect::Inspect(..))).cloned()
    {
        story = story.answers(failed(&target.environment, why));
    }
    story.effects.clear();
    story
}

#[test]
fn all_environments_are_read_at_once_within_a_limit_and_those_of_other_projects_as_their_files_are_known() {
    let story = two();
    let orders = generation(&story, project("orders"));
    story
        .wants(&[
            "inspect prod Cached",
            "inspect dev Cached",
            "inspect qa Cached",
            "fetch prod",
            "project orders",
            "project gone",
        ])
        .sees("~/src/orders")
        .hears(Message::Project(orders, Ok(fixture::environments_of("orders"))))
        .wants(&["inspect orders/dev Cached"])
        .sees("next");
}

#[test]
fn two_projects_stand_side_by_side_and_a_missing_one_says_why_in_its_place() {
    let story = two();
    let gone = generation(&story, project("gone"));
    let why = Why::new("cannot read ~/src/gone/plumb.toml: No such file or directory");
    let mut story = story.hears(Message::Project(gone, Err(why)));
    story.effects.retain(|effect| !matches!(effect, Effect::Project(_, name) if name == "gone"));
    let story = story.answers_all().sees("? cannot read ~/src/gone/plumb.toml: No such file").sees("REGION");
    let screen = story.screen();
    let line = |text: &str| screen.lines().position(|line| line.trim_start().starts_with(text)).expect("a line");
    assert!(line("petshop") < line("orders") && line("orders") < line("gone"), "{screen}");
    assert_eq!(screen.matches("4711…4242").count(), 7, "six environments and the header: {screen}");
    // What failed is tried again with everything.
    let story = story.press("^r");
    assert!(story.effects.iter().any(|effect| matches!(effect, Effect::Project(_, name) if name == "gone")));
}

#[test]
fn the_cursor_takes_everything_to_another_project() {
    let mut story = two();
    story.effects.retain(|effect| !matches!(effect, Effect::Project(_, name) if name == "gone"));
    story
        .answers_all()
        .press("⇥j")
        .wants(&["changes dev List", "fetch dev"])
        .sees("orders / dev")
        .sees("NEEDS YOU  dev")
        .press("@")
        .wants(&["refs"])
        .answers_all()
        .sees("orders/qa")
        .press("petshop/prod⏎")
        .sees("petshop / prod");
}

#[test]
fn a_filter_on_the_overview_narrows_the_environments_too() {
    let mut story = two();
    story.effects.retain(|effect| !matches!(effect, Effect::Project(_, name) if name == "gone"));
    let story = story.answers_all().press("/orders");
    let names = |story: &Story| story.screen().lines().filter(|line| line.contains("eu-central-1")).count();
    assert_eq!(names(&story), 4, "three and the header: {}", story.screen());
    let story = story.press("⏎").sees("orders / dev").answers_all();
    // A name that is no environment's is an item's, and hides none.
    let story = story.press("⎋@").press("petshop/prod⏎").press("/pool_size");
    assert_eq!(names(&story), 7, "{}", story.screen());
    story.sees("/checkout/prod/db/pool_size").does_not_see("checkout-api");
}

#[test]
fn r_reads_what_one_is_on_and_ctrl_r_everything() {
    let fetched = |story: Story| {
        let generation = generation(&story, fetching);
        story.hears(Message::Fetched(generation, Ok(())))
    };
    fetched(night().press("3r")).wants(&["fetch prod", "inspect prod Cached parameter"]);
    fetched(night().press("2r")).wants(&["fetch prod", "inspect prod Cached stack+code"]);
    fetched(night().press("2R")).wants(&["fetch prod", "inspect prod Detect"]);
    fetched(night().press("3^r")).wants(&[
        "fetch prod",
        "inspect prod Cached",
        "inspect dev Cached",
        "inspect qa Cached",
    ]);
    night().press("3j⏎").answers_all().press("r").wants(&["inspect prod Cached parameter /checkout/prod/db/pool_size"]);
    night().press("2⏎r").wants(&["inspect prod Cached stack"]);
}

#[test]
fn one_item_is_put_in_its_place_and_has_an_age_of_its_own() {
    let story = night().press("3j⏎").sees("live read 12 s ago").after(60_000).press("r");
    let mut report = fixture::report("prod");
    let name = "/checkout/prod/db/pool_size";
    report.sections.retain(|(kind, _)| *kind == Kind::Parameter);
    if let Ok(section) = &mut report.sections[0].1 {
        section.items.retain(|item| item.name == name);
        section.items[0].verdict = Verdict::InSync;
    }
    report.read_at = NOW + 60_000;
    let story = story.answers(report).sees("live read 0 s ago").sees("= in sync");
    story.press("⎋j").sees("▸ = in sync   /checkout/prod/key01").sees("live read 1 m ago");
}

#[test]
fn expired_credentials_are_one_line_until_they_are_renewed_and_nothing_is_lost() {
    let line = "credentials of profile petshop-prod expired: run `aws sso login --profile petshop-prod`, then r";
    let story = again_in_vain(night().press("3j").sees("▸ ~ drifted   /checkout/prod/db/pool_size"), &expired());
    let screen = story.screen();
    assert_eq!(screen.matches("expired").count(), 1, "one line, not a wall:\n{screen}");
    let story = story
        .sees(line)
        .sees("▸°~ drifted   /checkout/prod/db/pool_size")
        .sees("° stale, read ")
        .press("1")
        .sees("(3 environments)")
        .sees("checkout-api")
        .press("3/pool⏎^r");
    story
        .answers_all()
        .does_not_see("expired")
        .does_not_see("stale")
        .sees("/pool")
        .sees("▸ ~ drifted   /checkout/prod/db/pool_size");
}

#[test]
fn credentials_that_end_while_values_are_read_cost_nothing_that_was_known() {
    let mut report = fixture::report("prod");
    if let Ok(section) = &mut report.sections[2].1 {
        for item in &mut section.items {
            item.verdict = Verdict::Unknown(expired());
        }
    }
    let mut story = night().press("3r");
    let fetch = generation(&story, fetching);
    story.effects.clear();
    let story = story.hears(Message::Fetched(fetch, Ok(())));
    report.sections.retain(|(kind, _)| *kind == Kind::Parameter);
    story
        .answers(report)
        .sees("°~ drifted   /checkout/prod/db/pool_size")
        .sees("expired: run")
        .does_not_see("? unknown");
}

#[test]
fn without_a_network_one_line_says_so_and_it_goes_when_there_is_one_again() {
    let story = again_in_vain(night(), &offline());
    let screen = story.screen();
    assert_eq!(screen.matches("cannot be resolved").count(), 1, "{screen}");
    let story = story
        .sees("no network: cannot connect to AWS (its name cannot be resolved); r tries again")
        .sees("checkout-api")
        .sees("stale");
    story.press("r").answers_all().does_not_see("no network").does_not_see("stale");
    // On the first read there is nothing to show, and no calm either.
    let first = story_without_network();
    first.sees("? no network").sees("nobody knows").does_not_see("nothing: live is what git says");
}

fn story_without_network() -> Story {
    let mut story = story();
    while story.effects.iter().any(|effect| matches!(effect, Effect::Inspect(..))) {
        story = story.answers(failed("prod", &offline()));
    }
    story
}

#[test]
fn a_cancelled_refresh_leaves_what_was_there_marked_as_stale() {
    let mut story = night().press("3r");
    let fetch = generation(&story, fetching);
    story.effects.clear();
    story
        .hears(Message::Fetched(fetch, Ok(())))
        .does_not_see("stale")
        .press("⎋")
        .sees("cancelled: r reads again")
        .sees("ago, stale")
        .sees("°~ drifted   /checkout/prod/db/pool_size")
        .press("r")
        .answers_all()
        .does_not_see("stale");
}

#[test]
fn calls_and_throttles_are_told_while_reading_and_after() {
    let story = story();
    let generation = story.generation();
    story
        .hears(Message::Part(generation, Part::Calls(Calls { made: 31, throttled: 2 })))
        .sees("esc cancels  31 calls, 2 throttled")
        .answers(Report { calls: Calls { made: 40, throttled: 3 }, ..fixture::report("prod") })
        .sees("ago  40 calls, 3 throttled");
}

#[test]
fn the_overview_of_two_projects_keeps_its_columns_in_every_size() {
    for (size, columns) in [
        ((60, 16), vec!["ENV", "STACKS", "READ"]),
        ((80, 24), vec!["RUNS", "STACKS", "READ"]),
        ((100, 30), vec!["RUNS", "ACCOUNT", "READ"]),
        ((120, 40), vec!["RUNS", "ACCOUNT", "REGION", "READ"]),
    ] {
        let mut story = two();
        story.effects.retain(|effect| !matches!(effect, Effect::Project(_, name) if name == "gone"));
        let story = story.answers_all().size(size.0, size.1);
        for column in columns {
            assert!(story.screen().contains(column), "{column} at {size:?}:\n{}", story.screen());
        }
    }
}
