//! Writing: what a person has to do before anything is written, and what does not write.

use super::story::{Story, night, story, text};
use crate::compare::Why;
use crate::console::fixture::{self, NOW};
use crate::console::{Effect, Key, Message};

/// The night, in another environment than prod, which is read-only.
pub(super) fn in_env(name: &str) -> Story {
    night().press(&format!("@{name}⏎")).answers_all().press("1")
}

/// A command of the palette; `␣` stands for a space.
pub(super) fn command(story: Story, line: &str) -> Story {
    let story = story.press(":");
    let story = line.chars().fold(story, |story, c| story.hears(Message::Key(Key::Char(c))));
    let mut story = story.press("⏎");
    story.effects.retain(|effect| !matches!(effect, Effect::Refs(..) | Effect::Remember(_)));
    story
}

/// Prod, unlocked for five minutes.
pub(super) fn unlocked() -> Story {
    let mut story = command(night(), "unlock 5m \"prod is down\"").answers_all().press("prod").answers_all();
    story.effects.clear();
    story
}

#[test]
fn a_read_only_environment_shows_the_plan_and_refuses_it() {
    let story = command(night(), "record").wants_first("plan prod Record").answers_all();
    story
        .sees("RECORD PLAN")
        .sees("account 471100004242")
        .sees("eu-central-1")
        .sees("role deployer")
        .sees("protection: read-only")
        .sees("origin/main 3f2a91c  \"Add refunds\"")
        .sees("config/checkout")
        .sees("prod is read-only   first :unlock 15m")
        .sees(":unlock 15m")
        .press("prod y ⏎")
        .wants(&[])
        .press("⎋")
        .does_not_see("RECORD PLAN");
}

#[test]
fn what_is_confirmed_by_its_name_is_not_confirmed_by_anything_else() {
    let story = command(in_env("qa"), "record").answers_all().sees("Type qa to write 3 receipts");
    story
        .press("y⏎")
        .sees("enter confirms nothing")
        .wants(&[])
        .hears(Message::Key(Key::Backspace))
        .press("q⏎")
        .wants(&[])
        .press("a")
        .wants(&["write qa by Name(\"qa\")"])
        .sees("on it, 0 s")
        .press("a y ⏎")
        .wants(&[]);
}

#[test]
fn an_open_environment_asks_for_y_and_enter_is_not_y() {
    let story = command(in_env("dev"), "record").answers_all().sees("y to write 3 receipts, or esc");
    let mut story = story.press("⏎x⏎").wants(&[]).press("y");
    let Some(Effect::Write(generation, _)) = story.effects.pop() else { panic!("y writes") };
    let story = story.hears(Message::Written(generation, Ok(None)));
    story.sees("dev: 3 receipts written").does_not_see("RECORD PLAN").wants(&["inspect dev Cached"]);
}

#[test]
fn what_is_pasted_confirms_nothing() {
    for (name, text) in [("dev", "y\n"), ("dev", "y"), ("qa", "qa\n"), ("qa", "qa")] {
        let story = command(in_env(name), "record").answers_all();
        let story = story.hears(Message::Paste(String::from(text))).sees("pasting confirms nothing: type it");
        story.press("⏎").wants(&[]);
    }
    let story = command(in_env("qa"), "record").answers_all().press("q").hears(Message::Paste(String::from("a")));
    story.wants(&[]).press("a").wants(&["write qa by Name(\"qa\")"]);
}

#[test]
fn keys_typed_while_the_plan_is_worked_out_count_for_nothing() {
    let story = command(in_env("dev"), "record").press("y");
    story.answers_all().wants(&[]).sees("y to write 3 receipts").press("y").wants(&["write dev by Yes"]);
}

#[test]
fn a_plan_that_is_left_is_not_worked_out_any_further_and_its_answer_is_dropped() {
    let mut story = command(in_env("dev"), "record");
    let Some(Effect::Plan(generation, ..)) = story.effects.pop() else { panic!("no plan") };
    let story = story.sees("working it out").press("⎋").wants(&["cancel"]);
    let late = Message::Planned(generation, Ok(Box::new(fixture::prepared())));
    story.hears(late).does_not_see("RECORD PLAN").press("y").wants(&[]);
}

#[test]
fn a_write_that_fails_says_why_where_it_was_confirmed_and_what_is_there_is_read() {
    let mut story = command(in_env("dev"), "record").answers_all().press("y");
    let Some(Effect::Write(generation, _)) = story.effects.pop() else { panic!("y writes") };
    let why = Why::new("cannot write s3://state/x: AccessDenied: s3:PutObject").hint("plumb policy write");
    story
        .hears(Message::Written(generation, Err(why)))
        .sees("! cannot write s3://state/x: AccessDenied: s3:PutObject  try: plumb policy write")
        .wants(&["inspect dev Cached"])
        .press("y⏎")
        .wants(&[]);
}

#[test]
fn a_write_goes_on_when_its_plan_is_left_and_is_told_in_a_line() {
    let mut story = command(in_env("dev"), "record").answers_all().press("y");
    let Some(Effect::Write(generation, _)) = story.effects.pop() else { panic!("y writes") };
    let story = story.press("⎋").wants(&[]).sees("writing 0 s");
    let story = command(story, "record").sees("a write to dev is under way");
    let untold = Why::new("the team's journal was not told: AccessDenied");
    story
        .hears(Message::Written(generation, Ok(Some(untold))))
        .sees("dev: 3 receipts written, but the team's journal was not told: AccessDenied");
}

#[test]
fn who_quits_during_a_write_is_told_and_leaves_when_it_is_done_or_by_insisting() {
    let writing = || {
        let mut story = command(in_env("dev"), "record").answers_all().press("y");
        let Some(Effect::Write(generation, _)) = story.effects.pop() else { panic!("y writes") };
        (story.press("⎋ ^c").wants(&[]).sees("writing to dev: plumb ends when that is done"), generation)
    };
    let (story, generation) = writing();
    assert_eq!(story.hears(Message::Written(generation, Ok(None))).effects, [Effect::Quit]);
    let (story, _) = writing();
    let story = story.press("^c");
    assert_eq!((story.model.unfinished(), &*story.effects), (Some("dev"), &[Effect::Quit][..]));
    // What failed has to be seen.
    let (story, generation) = writing();
    let failed = Message::Written(generation, Err(Why::new("AccessDenied")));
    story.hears(failed).sees("AccessDenied").wants(&["inspect dev Cached"]);
}

#[test]
fn a_writer_in_the_wrong_account_is_refused_before_it_is_asked() {
    let mut story = command(in_env("dev"), "record");
    let Some(Effect::Plan(generation, ..)) = story.effects.pop() else { panic!("no plan") };
    let writer = Err(Why::new("refused: account 1 is not 2, which the project expects for dev"));
    let prepared = crate::console::Prepared { writer, ..fixture::prepared() };
    let story = story.hears(Message::Planned(generation, Ok(Box::new(prepared))));
    story.sees("! refused: account 1 is not 2").press("y").wants(&[]);
}

#[test]
fn unlocking_says_who_where_how_long_and_why_and_takes_the_typed_name() {
    let story = command(night(), "unlock 5m \"prod is down\"").wants_first("plan prod Unlock");
    let story = story
        .answers_all()
        .sees("UNLOCK PLAN")
        .sees("account 471100004242")
        .sees("role deployer")
        .sees("profile petshop-deployer")
        .sees("5 minutes")
        .sees("\"prod is down\"")
        .sees("Type prod to unlock it for 5 minutes, or esc")
        .press("⏎y")
        .wants(&[])
        .hears(Message::Key(Key::Backspace))
        .press("prod");
    story.wants(&["unlock prod by Name(\"prod\")"]);
}

#[test]
fn what_can_be_written_to_already_is_not_unlocked() {
    let line = "unlock 5m \"prod is down\"";
    let said = |name: &str| format!("{name} can be written to already, its protection is ");
    command(in_env("dev"), line).sees(&said("dev")).does_not_see("UNLOCK PLAN").wants(&[]);
    command(in_env("qa"), line).sees(&said("qa")).does_not_see("UNLOCK PLAN").wants(&[]);
    // What is unlocked can be unlocked for longer.
    command(unlocked(), line).wants_first("plan prod Unlock");
}

#[test]
fn nothing_of_a_plan_is_cut_and_what_there_is_no_room_for_is_marked_and_reached() {
    for (width, height) in [(60, 16), (80, 24), (120, 40)] {
        for (line, parts) in [
            (
                "record",
                vec![
                    "stack/petshop-prod",
                    "keep their",
                    "records",
                    "3f2a91c",
                    "only receipts",
                    "or stack is",
                    "touched",
                ],
            ),
            (
                "unlock 15m \"prod is down\"",
                vec!["still planned and", "confirmed", "who, when and why", "leaving the", "console"],
            ),
        ] {
            let mut story = command(night(), line).size(width, height).answers_all();
            // Where it goes and how it is confirmed stand however far one scrolls.
            let standing = |story: Story| {
                let asked = if line == "record" { "prod is read-only" } else { "Type prod to unlock it" };
                story
                    .sees("to       petshop / prod")
                    .sees("account 471100004242")
                    .sees("role deployer")
                    .sees(asked)
                    .does_not_see("… ")
            };
            let mut seen = String::new();
            let mut steps = 0;
            loop {
                story = standing(story);
                let screen = story.screen();
                seen.push_str(&screen);
                let more = screen.contains('▾');
                assert_eq!(screen.contains('▴'), steps > 0, "{screen}");
                if !more {
                    break;
                }
                story = story.press("↓");
                steps += 1;
                assert!(steps < 30, "it never ends:\n{screen}");
            }
            assert!(parts.iter().all(|part| seen.contains(part)), "{parts:?} at {width}x{height}:\n{seen}");
            assert_eq!(steps > 0, width == 60, "{line} at {width}x{height}");
            // As far back in as many steps, whatever was pressed at the end.
            let back = standing(story.press("↓↓↓↓").press(&"↑".repeat(steps)));
            assert!(!back.screen().contains('▴'), "{}", back.screen());
        }
    }
}

#[test]
fn an_unlocked_environment_counts_down_can_be_written_and_locks_itself() {
    let story = unlocked().sees("UNLOCKED 05:00").sees("role deployer");
    let story = story.after(1_000).sees("UNLOCKED 04:59");
    let mut story = command(story, "record").answers_all().sees("unlocked").press("prod");
    let Some(Effect::Write(generation, _)) = story.effects.pop() else { panic!("it can be written") };
    let story = story.hears(Message::Written(generation, Ok(None))).answers_all();
    let story = story.after(298_999).sees("UNLOCKED 00:01").after(1);
    story
        .sees("READ")
        .does_not_see("UNLOCKED")
        .sees("prod is locked again: its time is over")
        .wants(&["lock prod: its time was over", "inspect prod Cached"])
        .answers_all()
        .sees("role oncall-ro");
}

#[test]
fn a_plan_that_waits_when_the_time_is_over_cannot_be_confirmed_any_more() {
    let story = command(unlocked(), "record").answers_all().press("pro").after(300_000).answers_all();
    story.sees("prod is read-only   first :unlock 15m").press("d").wants(&[]);
}

#[test]
fn lock_locks_at_once_and_other_environments_have_locks_of_their_own() {
    let story = command(night(), "lock").sees("prod is not unlocked");
    story.wants(&[]);
    let story = unlocked().press("@qa⏎").answers_all().sees("WRITE").does_not_see("UNLOCKED");
    let story = command(story, "lock").sees("qa is not unlocked").press("@prod⏎").answers_all();
    let story = command(story.sees("UNLOCKED"), "lock").sees("prod is locked again");
    story.wants(&["lock prod: locked by the operator", "inspect prod Cached"]);
}

#[test]
fn a_wish_to_unlock_that_is_too_long_or_says_no_reason_is_not_even_planned() {
    for (line, said) in [
        ("unlock 90m \"prod is down\"", "unlock for 1 to 60 minutes"),
        ("unlock 15m", "write it so"),
        ("unlock 15m \"x\"", "say why"),
    ] {
        command(night(), line).sees(said).wants(&[]);
    }
}

#[test]
fn in_the_wrong_account_the_mode_is_read() {
    let mut report = fixture::report("prod");
    if let Ok(identity) = &mut report.identity {
        identity.expected_account = Some(String::from("471100004243"));
    }
    let mut story = story();
    story.model.environments[2].info.as_mut().unwrap().protection = crate::config::Protection::Open;
    story.answers(report).sees("READ").does_not_see("WRITE");
}

#[test]
fn the_journal_lists_what_was_written_and_shows_each_entry_whole() {
    night()
        .press("u")
        .wants(&["journal prod"])
        .sees("reading the journal")
        .press("⎋")
        .wants(&["cancel"])
        .press("u")
        .answers_all()
        .sees("JOURNAL")
        .sees("= ok      record  config/billing +1")
        .sees("! failed  push    /billing/prod/a␛[31m")
        .sees("? unknown deploy  petshop-prod")
        .sees("config/billing, secrets")
        .press("j")
        .sees("1 failed: /billing/prod/a")
        .press("G")
        .sees("given up before AWS had answered")
        .press("q")
        .does_not_see("JOURNAL");
}

#[test]
fn the_header_names_account_region_role_and_mode_at_every_size() {
    for (width, height) in [(60, 16), (70, 20), (80, 24), (100, 30), (180, 50)] {
        for (story, mode, role) in [(night(), "READ", "oncall-ro"), (unlocked(), "UNLOCKED 05:00", "deployer")] {
            let screen = text(&story.size(width, height).buffer());
            let header = screen.lines().next().unwrap();
            for part in ["prod", "4711…4242", "eu-central-1", role, mode] {
                assert!(header.contains(part), "{part} at {width}x{height}: {header}");
            }
        }
    }
}

#[test]
fn the_plan_and_the_journal_at_three_sizes() {
    for (width, height) in [(120, 40), (80, 24), (60, 16)] {
        let shows = |name: &str, story: Story| {
            insta::assert_snapshot!(format!("{name}_{width}x{height}"), text(&story.size(width, height).buffer()));
        };
        shows("record", command(in_env("qa"), "record").answers_all().press("q"));
        shows("refused", command(night(), "record").answers_all());
        shows("unlock", command(night(), "unlock 15m \"prod is down\"").answers_all());
        shows("unlocked", unlocked());
        shows("journal", night().press("u").answers_all());
    }
}

#[test]
fn the_clock_of_the_fixture_is_where_the_stories_think_it_is() {
    assert_eq!(night().model.clock.now, NOW);
}
