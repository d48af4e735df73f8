//! What was found before this session is shown first, as old, and gives way to what is live.

use super::story::{Story, night, story_remembering, styles, text};
use crate::compare::{Fingerprinter, Kind, Verdict, Why};
use crate::console::fixture::{self, NOW, SECRETS, masked, sides};
use crate::console::{Effect, Message};
use crate::ops::report::{Commit, Identity, Part, Report};
use crate::ops::snapshot::{Place, Snapshot, Snapshots};

const HOURS: i64 = 3_600_000;

/// A report as it comes back from the disk, two hours after it was read.
pub(super) fn kept(report: Report) -> Snapshot {
    let directory = tempfile::tempdir().unwrap();
    let snapshots = Snapshots::below(directory.path(), Fingerprinter::new([7; 32]));
    let place = Place::default();
    snapshots.keep(&place, &Report { read_at: NOW - 12_000 - 2 * HOURS, ..report }).unwrap();
    snapshots.load(&place).unwrap().unwrap()
}

/// A console that begins two hours after the night was last read.
pub(super) fn later() -> Story {
    story_remembering(|environment| Some(kept(fixture::report(environment))))
}

fn failed(why: &str) -> Report {
    let why = Why::new(why);
    let mut report = fixture::report("prod");
    report.identity = Err(why.clone());
    report.sections = report.sections.into_iter().map(|(kind, _)| (kind, Err(why.clone()))).collect();
    report
}

#[test]
fn the_first_screen_is_the_last_one_with_its_age() {
    let story = later();
    let screen = story.screen();
    for seen in [
        "from 2 h ago",
        "reading 0 s",
        "petshop / prod",
        "acct 4711…4242",
        "3f2a91c  \"Add refunds\"",
        "! both      stack   petshop-prod/CheckoutFn",
        "~ drifted   param   /checkout/prod/db/pool_size",
    ] {
        assert!(screen.contains(seen), "{seen} in\n{screen}");
    }
    // No colour claims that it is so now.
    let buffer = story.buffer();
    let coloured = ["diverged", "drifted", "pending", "unknown", "in-sync"];
    let lines: Vec<(String, String)> =
        text(&buffer).lines().map(str::to_owned).zip(styles(&buffer).lines().map(str::to_owned)).collect();
    let drifted = lines.iter().find(|(line, _)| line.contains("pool_size")).unwrap();
    assert!(coloured.iter().all(|role| !drifted.1.contains(role)), "{drifted:?}");
    story.answers_all().does_not_see("from 2 h ago");
}

#[test]
fn the_overview_counts_what_is_remembered_of_every_environment() {
    let remembered = later().size(100, 30);
    let read = night().size(100, 30);
    let row = |screen: &str, env: &str| {
        let line = screen.lines().find(|line| line.trim_start_matches(['▸', ' ']).starts_with(env)).unwrap().to_owned();
        // The last column tells when it was read.
        line.chars().take(90).collect::<String>().replace("°4711…4242", "4711…4242 ").trim_end().to_owned()
    };
    for env in ["dev", "qa", "prod"] {
        assert_eq!(row(&remembered.screen(), env), row(&read.screen(), env));
    }
    remembered.sees(" 2 h");
}

#[test]
fn live_replaces_it_kind_by_kind_and_leaves_the_cursor_on_its_item() {
    let mut live = fixture::report("prod");
    if let Ok(section) = &mut live.sections[2].1 {
        let extra = sides(masked("a"), masked("a"), masked("b"));
        section.items.insert(0, fixture::item(Kind::Parameter, "billing", "/billing/prod/a", Verdict::Diverged, extra));
    }
    let story = later().press("3j").sees("▸ ~ drifted   /checkout/prod/db/pool_size");
    let generation = story.generation();
    let part = Part::Section(Kind::Parameter, live.sections[2].1.clone());
    let story = story
        .hears(Message::Part(generation, part))
        .sees("  ! both      /billing/prod/a")
        .sees("▸ ~ drifted   /checkout/prod/db/pool_size")
        .sees("part from 2 h ago");
    assert_eq!(
        story.model.environment().remembered.keys().collect::<Vec<_>>(),
        [&Kind::Stack, &Kind::Code, &Kind::Secret]
    );
    let story = story.answers(live).does_not_see("from 2 h ago").sees("▸ ~ drifted   /checkout/prod/db/pool_size");
    assert!(story.model.environment().remembered.is_empty());
}

#[test]
fn what_cannot_be_read_again_stays_with_its_age_and_the_reason() {
    later()
        .answers(failed("no route to host"))
        .sees("live  from 2 h ago")
        .sees("no route to host")
        .sees("/checkout/prod/db/pool_size")
        .press("3")
        .sees("not read again")
        .sees("~ drifted   /checkout/prod/db/pool_size");
    // Cancelled, it is no newer either.
    later().press("⎋").sees("live  from 2 h ago").sees("/checkout/prod/db/pool_size");
}

#[test]
fn masks_are_shown_from_the_disk_and_values_are_read_live() {
    let story = later().press("3j").sees("•••• fp").sees("len 11").press("v");
    assert!(
        story.effects.iter().any(|effect| matches!(effect, Effect::Reveal(_, _, Kind::Parameter, name) if name == "/checkout/prod/db/pool_size")),
        "{:?}",
        story.effects
    );
    let mut story = story;
    story.effects.retain(|effect| matches!(effect, Effect::Reveal(..)));
    let story = story.answers_all().sees("value of /checkout/prod");
    for secret in SECRETS {
        assert!(!story.screen().contains(secret));
    }
    // Also where nothing is masked: what anyone may see is not kept either.
    let story = later().press("3k").press("v");
    assert!(story.effects.iter().any(|effect| matches!(effect, Effect::Reveal(..))), "{:?}", story.effects);
}

#[test]
fn what_turns_out_to_be_about_another_account_or_ref_is_shown_no_longer() {
    let account = Identity { account: "999900001111".into(), ..fixture::identity() };
    let branch = Commit { reference: "origin/hotfix".into(), ..fixture::commit() };
    for part in [Part::Identity(Ok(account)), Part::Commit(Ok(branch))] {
        let story = later().press("3");
        let generation = story.generation();
        story
            .hears(Message::Part(generation, part))
            .does_not_see("from 2 h ago")
            .does_not_see("pool_size")
            .sees("reading parameters");
    }
    // The same account and ref keep it.
    let story = later().press("3");
    let generation = story.generation();
    story
        .hears(Message::Part(generation, Part::Identity(Ok(fixture::identity()))))
        .hears(Message::Part(generation, Part::Commit(Ok(fixture::commit()))))
        .sees("from 2 h ago")
        .sees("pool_size");
}

#[test]
fn it_says_nothing_about_another_ref() {
    later().press("3").sees("pool_size").press("@").answers_all_refs().press("v2.3.0⏎").does_not_see("from 2 h ago");
}

#[test]
fn it_fits_where_there_is_little_room() {
    for (width, height) in [(80, 24), (60, 16)] {
        later().size(width, height).sees("from 2 h ago").sees("reading 0 s");
    }
}
