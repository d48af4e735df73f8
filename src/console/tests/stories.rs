//! What a person does and sees.

use super::story::{night, story};
use crate::compare::{Kind, Verdict, Why};
use crate::console::fixture::{self, SECRETS, masked, sides};
use crate::console::{Ask, Effect, Fresh, Message, Page};
use crate::ops::report::{Part, Section};

#[test]
fn the_current_environment_is_read_first_and_the_others_beside_it() {
    story().wants(&["inspect prod Cached", "inspect dev Cached", "inspect qa Cached", "fetch prod"]);
}

#[test]
fn parts_are_shown_as_they_come_and_leave_the_cursor_on_the_first_line() {
    let report = fixture::report("prod");
    let section = |index: usize| report.sections[index].1.clone();
    let story = story().press("2");
    let generation = story.generation();
    story
        .sees("reading stacks")
        .hears(Message::Part(generation, Part::Section(Kind::Code, section(1))))
        .sees("▸ ~ drifted   checkout-api")
        .hears(Message::Part(generation, Part::Progress(Kind::Stack, "detecting drift, 12 of 18".into())))
        .sees("detecting drift, 12 of 18")
        .hears(Message::Part(generation, Part::Section(Kind::Stack, section(0))))
        .sees("▸ ! both      CheckoutFn");
}

#[test]
fn the_cursor_stays_on_its_item_when_a_refresh_changes_the_list() {
    let mut report = fixture::report("prod");
    if let Ok(section) = &mut report.sections[2].1 {
        let extra = sides(masked("a"), masked("a"), masked("b"));
        section.items.insert(0, fixture::item(Kind::Parameter, "billing", "/billing/prod/a", Verdict::Diverged, extra));
    }
    let mut story = night().press("3j").sees("▸ ~ drifted   /checkout/prod/db/pool_size").press("r");
    let Some(Effect::Fetch(generation, _)) = story.effects.pop() else { panic!("nothing was fetched") };
    story
        .hears(Message::Fetched(generation, Ok(())))
        .answers(report)
        .sees("  ! both      /billing/prod/a")
        .sees("▸ ~ drifted   /checkout/prod/db/pool_size");
}

#[test]
fn a_filter_narrows_while_it_is_typed_and_esc_takes_it_away() {
    night()
        .press("3/pool")
        .sees("/pool")
        .sees("1 found")
        .sees("▸ ~ drifted   /checkout/prod/db/pool_size")
        .does_not_see("/billing/prod/refund")
        .press("⏎")
        .does_not_see("1 found")
        .press("⎋")
        .sees("/billing/prod/refund")
        .sees("▸ ~ drifted   /checkout/prod/db/pool_size");
}

#[test]
fn show_cycles_through_differences_all_and_unmanaged() {
    night()
        .press("3")
        .sees("12 more")
        .does_not_see("key00")
        .press("f")
        .sees("/billing/prod/key00")
        .press("f")
        .sees("日本語␛[31m")
        .does_not_see("pool_size")
        .press("f")
        .sees("pool_size")
        .does_not_see("key00");
}

#[test]
fn a_value_is_masked_until_revealed_and_again_after_thirty_seconds() {
    night()
        .press("3j")
        .sees("•••• fp ")
        .does_not_see(SECRETS[2])
        .press("v")
        .wants(&[])
        .sees(SECRETS[2])
        .sees("revealed, masks in 30 s")
        .after(29_000)
        .sees("masks in 1 s")
        .after(1_000)
        .does_not_see(SECRETS[2])
        .sees("values are masked again");
}

#[test]
fn leaving_the_item_or_the_page_masks_it() {
    for leave in ["k", "1", "n", "@qa⏎", "v", "f f"] {
        night().press("3jv").sees(SECRETS[2]).press(leave).press("⎋").press("3").does_not_see(SECRETS[2]);
    }
}

#[test]
fn values_that_were_not_read_are_read_when_they_are_revealed_and_forgotten_when_masked() {
    let reading = night().press("3f/key03⏎v").sees("not read").sees("reading the values 0 s");
    reading.wants(&["reveal prod parameter /checkout/prod/key03"]);
    night()
        .press("3f/key03⏎v")
        .answers_all()
        .sees("value of /checkout/")
        .press("v")
        .does_not_see("value of")
        .sees("not read");
}

#[test]
fn a_value_that_cannot_be_read_says_why_where_it_would_be() {
    let story = night().press("3f/key03⏎v");
    let Some(Effect::Reveal(generation, ..)) = story.effects.first().cloned() else { panic!("nothing was asked") };
    story
        .hears(Message::Revealed(
            generation,
            Err(Why::new("AccessDeniedException: kms:Decrypt").hint("plumb policy read")),
        ))
        .sees("? AccessDeniedException: kms:Decrypt  try: plumb policy read");
}

#[test]
fn the_first_esc_cancels_what_hangs_and_the_second_goes_back() {
    night()
        .press("2r")
        .wants(&["fetch prod"])
        .after(3_000)
        .press("⎋")
        .wants(&["cancel"])
        .sees("cancelled: r reads again")
        .sees("GIT 3f2a91c")
        .press("⎋")
        .wants(&[])
        .sees("= in sync   40 more");
}

#[test]
fn a_hanging_first_read_shows_its_seconds_and_can_be_cancelled() {
    story().after(7_000).sees("reading 7 s, esc cancels").press("2⎋").sees("cancelled").does_not_see("reading 7 s");
}

#[test]
fn a_stale_reply_is_dropped() {
    let story = story();
    let old = story.generation();
    let story = story.press("2⎋").press("r").answers_all();
    let read = story.model.environment().read_at;
    let mut late = fixture::report("prod");
    late.read_at = 1;
    late.sections.iter_mut().for_each(|(_, section)| *section = Ok(Section::default()));
    let story = story.hears(Message::Inspected(old, Box::new(late)));
    assert_eq!(story.model.environment().read_at, read);
    story.sees("CheckoutFn");
}

#[test]
fn a_failed_refresh_keeps_what_was_there_and_says_so() {
    let mut report = fixture::report("prod");
    report.sections[2].1 = Err(Why::new("ThrottlingException: rate exceeded"));
    let story = night().press("3R");
    let Some(Effect::Fetch(generation, _)) = story.effects.first().cloned() else { panic!("nothing was fetched") };
    let mut story = story.hears(Message::Fetched(generation, Ok(())));
    story.effects.retain(|effect| matches!(effect, Effect::Inspect(_, _, Ask { fresh: Fresh::Detect, .. })));
    story
        .answers(report)
        .sees("not read again  ThrottlingException: rate exceeded")
        .sees("/checkout/prod/db/pool_size");
}

#[test]
fn after_a_fetch_only_what_moved_is_read_again() {
    let mut story = story();
    story.effects.retain(|effect| matches!(effect, Effect::Fetch(..)));
    let generation = story.generation();
    let story = story.hears(Message::Inspected(generation, Box::new(fixture::report("prod"))));
    let Some(Effect::Fetch(fetch, _)) = story.effects.first().cloned() else { panic!() };
    let mut story = story.hears(Message::Fetched(fetch, Ok(())));
    let Some(Effect::Refs(refs, _)) = story.effects.pop() else { panic!("refs are compared") };
    story.effects.clear();
    let mut moved = fixture::refs();
    moved[0].commit = fixture::APPLIED.to_owned();
    story.hears(Message::Refs(refs, Ok(moved))).wants(&["inspect prod Cached"]);
}

#[test]
fn an_environment_and_a_ref_are_chosen_by_typing() {
    night()
        .press("@")
        .wants(&["refs"])
        .press("qa⏎")
        .sees("petshop / qa")
        .sees("NEEDS YOU  qa")
        .sees("= nothing: live is what git says");
    night().press("@").answers_all().press("v2⏎").wants(&["inspect prod at v2.3.0 Cached"]);
    night()
        .press("@")
        .answers_all()
        .press("HEAD~3")
        .sees("as typed")
        .press("⏎")
        .wants(&["inspect prod at HEAD~3 Cached"]);
}

#[test]
fn what_needs_you_opens_on_its_page() {
    let story = night().press("j").sees("▸ ~ drifted   code").press("⏎").sees("▸ ~ drifted   checkout-api");
    assert_eq!(story.model.page, Page::Stacks);
}

#[test]
fn n_goes_from_difference_to_difference_and_says_when_there_is_none() {
    night()
        .press("3n")
        .sees("▸ ~ drifted   /checkout/prod/db/pool_size")
        .press("nn")
        .sees("no further difference")
        .press("NN")
        .sees("▸ - git only  /billing/prod/refund");
}

#[test]
fn pasted_text_never_acts() {
    night()
        .hears(Message::Paste("q2v\n".into()))
        .wants(&[])
        .sees("1 OVERVIEW")
        .press("3/")
        .hears(Message::Paste("po\u{1b}ol\n".into()))
        .sees("/pool");
}

#[test]
fn a_disabled_action_says_why() {
    night().press("r").press("r").wants(&["fetch prod"]);
    story().press("r").sees("already reading: esc cancels");
}

#[test]
fn q_goes_back_before_it_quits_and_ctrl_c_quits_at_once() {
    night().press("2⏎q").sees("2 STACKS").press("q").sees("1 OVERVIEW").wants(&[]).press("q").wants(&["quit"]);
    night().press("3").sees("q back").press("q").sees("q quit").press("q").wants(&["quit"]);
    night().press("2⏎?^c").wants(&["quit"]);
    night().press("/abc").wants(&[]).press("^z").wants(&["suspend"]);
}

#[test]
fn the_diff_shows_the_key_that_differs_only_once_revealed() {
    night()
        .press("4jd")
        .does_not_see("quail")
        .press("v")
        .sees("-   \"password\": \"quail-11\"")
        .sees("+   \"password\": \"grebe-12\"");
}

#[test]
fn what_is_shown_is_read_again_when_it_is_old_and_a_cancelled_read_stays_cancelled_for_a_while() {
    let mut story = night();
    story.model.refresh = Some(60_000);
    story
        .after(47_000)
        .wants(&[])
        .after(1_000)
        .wants(&["inspect prod Cached"])
        .press("2⎋")
        .wants(&["cancel"])
        .after(59_000)
        .wants(&[])
        .after(1_000)
        .wants(&["inspect prod Cached"]);
}

#[test]
fn a_failure_that_is_not_one_items_is_read_in_full_where_an_item_would_be() {
    night()
        .press("4k")
        .sees("▸ ? unknown   secrets/legacy.json")
        .sees("try: set SOPS_AGE_KEY_FILE to the file with your key")
        .press("v")
        .sees("a problem is selected, and no item");
}

#[test]
fn the_screen_wakes_up_only_while_time_shows_on_it() {
    let idle = night();
    let wake = idle.model.wake().unwrap();
    assert_eq!(wake - fixture::NOW, 1000, "an age in seconds");
    let later = night().after(3_600_000 * 3);
    assert!(later.model.wake().unwrap() - fixture::NOW > 3_600_000 * 3 + 60_000, "an age in hours");
    let busy = story();
    assert_eq!(busy.model.wake().unwrap() - (fixture::NOW - 12_000), 125, "a spinner");
}
