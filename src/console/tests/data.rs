//! The data page: what comes in, what is summed up, and what was proven of it.

use super::story::{Story, night, styles, text, with_intake};
use crate::compare::Why;
use crate::console::fixture::data::{record, records, week, weeks};
use crate::console::pointer::{Button, Mouse};
use crate::console::{DataAnswer, DataAsk, Effect, Message};
use crate::secret::Secret;

/// The page, in that environment.
fn page(environment: &str) -> Story {
    let story = with_intake().size(160, 40).press("8").answers_all();
    if environment == "prod" { story } else { story.press(&format!("@{environment}⏎")).answers_all() }
}

fn generation(story: &Story, ask: DataAsk) -> u64 {
    let asked = story.effects.iter().rev().find_map(|effect| match effect {
        Effect::Data(generation, _, asked) if *asked == ask => Some(*generation),
        _ => None,
    });
    asked.expect("it was not asked")
}

#[test]
fn the_page_is_there_where_the_project_has_an_intake_and_reads_its_parts_each_by_itself() {
    night().does_not_see("8 data").press("8").sees("this project says of no intake").sees("1 OVERVIEW").wants(&[]);
    night().press(":page␣data⏎").sees("this project says of no intake");
    let story = with_intake().size(160, 40).sees("8 data").press("8").sees("asking for the last records");
    let story = story.sees("asking for the summaries").sees("counting the last days");
    // One that fails hides none of the others.
    let counts = generation(&story, DataAsk::Counts);
    let why = Why::new("cannot read petshop: AccessDeniedException: not authorized").hint("plumb policy read");
    let mut story = story.hears(Message::Data(counts, DataAnswer::Counts(Err(why))));
    story.effects.retain(|effect| !matches!(effect, Effect::Data(_, _, DataAsk::Counts)));
    let story = story.answers_all().sees("? cannot read petshop: AccessDeniedException").sees("plumb policy read");
    let story = story.sees("LAST RECORDS  read").sees("{\"order\":4711,").sees("SUMMARIES  read");
    let story = story.press("r").wants_first("data prod Records");
    story.answers_all().sees("1,243,560 records in 14 days").sees("BY SOURCE");
}

#[test]
fn a_record_is_opened_with_every_digit_and_handed_to_the_pager() {
    let story = page("prod").press("o").sees("no record is open").press("j⏎").sees("RECORD  01KK").sees("till");
    let story = story.sees("  \"big\": 12345678901234567890.000000000000000001").sees("expires 2026-03-15T");
    let story = story.press("⏎").sees("already open: esc goes back").press("o");
    let [Effect::Outside(outside)] = story.effects.as_slice() else { panic!("{:?}", story.effects) };
    assert!(!format!("{outside:?}").contains("12345678901234567890"));
    let mut story = story;
    story.effects.clear();
    let story = story.press("⎋").sees("LAST RECORDS").does_not_see("RECORD  01KK");
    assert!(!format!("{:?} {:?}", story.model.data, story.model.environment().data.records).contains("4711"));
    // Whatever leaves the page closes it.
    story.press("⏎").sees("RECORD  01KK").press("1").press("8").sees("LAST RECORDS").wants(&[]);
}

#[test]
fn the_selected_record_stays_selected_while_others_come_in() {
    let story = page("prod").press("jjr");
    let asked = generation(&story, DataAsk::Records);
    let newer = std::iter::once(record(1, "web", "{\"new\":1}")).chain(records()).collect();
    let story = story.hears(Message::Data(asked, DataAnswer::Records(Ok(newer)))).sees("{\"new\":1}");
    story.press("⏎").sees("partner.example-of-a-long-name").sees("\"nested\": {");
}

#[test]
fn a_test_record_is_planned_confirmed_and_read_again() {
    let edited = |story: Story, text: Option<&str>| {
        let mut story = story;
        story.effects.clear();
        story.hears(Message::Typed(Ok(text.map(Secret::new))))
    };
    let story = page("qa").press("p").wants_first("edit the value record.json: {\"plumb\":\"test\"");
    let story = edited(story, None).wants_first("plan qa Data(Post(").answers_all();
    let story = story.sees("POST PLAN").sees("petshop-intake-prod").sees("\"plumb\": \"test\"");
    let story = story.sees("it says of itself that it is a test").press("q").wants(&[]).press("a");
    let story = story.wants(&["write qa by Name(\"qa\")"]);
    drop(story);
    // What the editor left is what is posted; and it is there again until it is.
    let other = Some("{\"order\":4712,\"amount\":7.10}");
    let story = edited(page("qa").press("p"), other).answers_all().sees("4712").does_not_see("says of itself");
    let story = story.press("⎋").press("p").wants_first("edit the value record.json: {\"order\":4712");
    let story = edited(story, None).answers_all().sees("4712").press("qa").sees("posting a record").answers_all();
    let story = story.sees("qa: the record is posted").press("p").wants_first("edit the value record.json: {\"plumb\"");
    drop(story);
    let story = page("qa").press("p").hears(Message::Typed(Err(Why::new("vi ended with 1"))));
    drop(story.sees("vi ended with 1").does_not_see("POST PLAN"));
    // Where writing is refused the plan says so, and nothing is sent.
    edited(page("prod").press("p"), None).answers_all().sees("read-only").press("prod").wants(&[]);
}

#[test]
fn a_week_is_made_by_a_plan_and_verified_without_one() {
    let story = page("dev").press("⇥").sees("▸ 2026-W10  - no summary: w makes it").press("v");
    let story = story.sees("the week has no summary to be verified").press("w");
    let story = story.wants_first("plan dev Data(Summarise(Week { year: 2026, week: 10 }))").answers_all();
    let story = story.sees("SUMMARY PLAN").sees("petshop-intake-prod-summary").sees("9 records").press("y");
    let story = story.wants_first("write dev by Yes").sees("summing up 2026-W10").answers_all();
    let story = story.sees("dev: the summary of 2026-W10 is made");
    let story = story.press("j").sees("48,211 records").sees(". not verified").press("v");
    let asked = generation(&story, DataAsk::Verify(week(1)));
    assert!(asked > 0);
    let story = story.sees("verifying").press("v").sees("it is being verified: esc cancels").answers_all();
    let story = story.sees("= files whole, table says the same").press("jv").answers_all();
    let story = story.sees("! files differ, table says something else").sees("? 2026-W07 has no manifest");
    // The weeks that are to be looked at, one after the other.
    let story = story.press("gn").sees("▸ 2026-W08").press("n").sees("▸ 2026-W07").press("n");
    let story = story.sees("no further week that is not proven").press("NN").sees("▸ 2026-W10").press("jj⏎");
    let story = story.answers_all().sees("SUMMARY  2026-W08").sees("! differs: 913 bytes, SHA-256 cdcd");
    story.sees("the table has 7 records now; other bytes: records.jsonl.gz, summary.json").sees("mean 4.25");
}

#[test]
fn a_week_that_was_made_anew_by_somebody_else_is_not_proven_and_its_contents_are_read_again() {
    let remade = || {
        let mut rows = weeks();
        rows[0].manifest.as_mut().unwrap().records = 48_212;
        rows
    };
    let listed = |story: Story| {
        let asked = generation(&story, DataAsk::Weeks);
        let mut story = story.hears(Message::Data(asked, DataAnswer::Weeks(Ok(remade()))));
        story.effects.retain(|effect| !matches!(effect, Effect::Data(_, _, DataAsk::Weeks)));
        story
    };
    let story = page("dev").press("⇥jv").answers_all().sees("table says the same");
    drop(listed(story.press("r")).sees("48,212 records").does_not_see("table says the same").sees(". not verified"));
    let story = page("dev").press("⇥j⏎").answers_all().sees("mean 4.25");
    let story = listed(story.press("r")).sees("48,212 records").does_not_see("table says the same");
    assert!(generation(&story, DataAsk::Summary(week(1))) > 0, "r reads the open summary again");
    // A proof of what is not listed says nothing of what is, and has the list read again.
    let story = listed(page("dev").press("⇥j").press("r")).answers_all();
    let story = listed(story.press("r")).press("v");
    let asked = generation(&story, DataAsk::Verify(week(1)));
    let old = crate::console::fixture::data::verified(week(1));
    let mut story = story;
    story.effects.clear();
    let story = story.hears(Message::Data(asked, DataAnswer::Verified(Ok(Box::new(old)))));
    assert!(generation(&story, DataAsk::Weeks) > 0);
    story.does_not_see("table says the same");
}

#[test]
fn one_week_is_verified_at_a_time() {
    let story = page("dev").press("⇥jv").sees("verifying");
    let verifying = |story: &Story| {
        story.effects.iter().filter(|effect| matches!(effect, Effect::Data(_, _, DataAsk::Verify(_)))).count()
    };
    assert_eq!(verifying(&story), 1);
    let story = story.press("jv").sees("another week is being verified: esc cancels");
    assert_eq!(verifying(&story), 1);
}

#[test]
fn what_is_written_for_a_week_takes_its_proof_away() {
    let story = page("dev").press("⇥jv").answers_all().sees("table says the same").press("w").answers_all();
    let story = story.press("y").answers_all();
    story.press("⎋").does_not_see("table says the same").sees(". not verified");
}

#[test]
fn what_is_cancelled_or_lost_is_not_waited_for_and_proves_nothing() {
    let story = page("dev").press("⇥jv");
    let asked = generation(&story, DataAsk::Verify(week(1)));
    let mut story = story.press("⎋").sees("cancelled: r reads the page").sees("? cancelled");
    assert!(story.effects.contains(&Effect::Cancel(asked)));
    story.effects.clear();
    let late = crate::console::fixture::data::verified(week(1));
    let story = story.hears(Message::Data(asked, DataAnswer::Verified(Ok(Box::new(late)))));
    let story = story.does_not_see("table says the same").press("v");
    let asked = generation(&story, DataAsk::Verify(week(1)));
    story.hears(Message::Lost(asked)).sees("? reading ended by a fault in plumb itself");
    // What was proven before is not proven any more when it could not be proven again.
    let story = page("dev").press("⇥jv").answers_all().sees("table says the same").press("v");
    let asked = generation(&story, DataAsk::Verify(week(1)));
    let story = story.hears(Message::Data(asked, DataAnswer::Verified(Err(Why::new("no network")))));
    story.does_not_see("table says the same").sees("? no network");
}

#[test]
fn another_account_s_records_are_not_shown_and_its_page_asks_nothing() {
    let mut story = page("prod").sees("4711");
    story.model.environment_mut().forget();
    let story = story.press("1").press("8").does_not_see("\"order\":4711");
    drop(story);
}

#[test]
fn an_empty_intake_says_so() {
    let mut story = with_intake().size(160, 40).press("8");
    let empty = [
        (DataAsk::Records, DataAnswer::Records(Ok(Vec::new()))),
        (DataAsk::Weeks, DataAnswer::Weeks(Ok(Vec::new()))),
        (DataAsk::Counts, DataAnswer::Counts(Ok(Vec::new()))),
    ];
    for (ask, answer) in empty {
        let asked = generation(&story, ask);
        story = story.hears(Message::Data(asked, answer));
    }
    let story = story.sees("no record came in within the last two weeks").sees("2026-W10  - no summary");
    story.sees("nothing was counted").press("⏎").sees("there is no record to open");
}

#[test]
fn the_mouse_selects_and_opens_what_it_is_on() {
    let at = |story: &Story, what: &str| {
        let screen = story.screen();
        let line = screen.lines().position(|line| line.contains(what)).expect("it is on the screen");
        let column = screen.lines().nth(line).and_then(|text| text.find(what)).map_or(0, |at| at.min(60));
        (u16::try_from(column).unwrap_or(0), u16::try_from(line).unwrap_or(0))
    };
    let click = |story: Story, what: &str| {
        let (column, line) = at(&story, what);
        story.hears(Message::Mouse(Mouse { button: Button::Press, column, line }))
    };
    let story = click(page("prod"), "2026-W08");
    let story = click(story.sees("▸ 2026-W08"), "2026-W08").answers_all().sees("SUMMARY  2026-W08");
    let story = click(story.press("⎋"), "partner.example");
    click(story, "partner.example").sees("\"nested\": {");
}

#[test]
fn the_page_at_each_size_loading_filled_and_open() {
    for (width, height) in [(140, 40), (80, 24), (60, 16)] {
        let pictures = vec![
            ("loading", with_intake().size(width, height).press("8")),
            ("records", page("dev").size(width, height)),
            ("weeks", page("dev").press("⇥jv").answers_all().press("jv").answers_all().size(width, height)),
            ("rate", page("dev").press("⇥⇥").size(width, height)),
            ("record", page("dev").press("j⏎").size(width, height)),
            ("week", page("dev").press("⇥jv").answers_all().press("⏎").answers_all().size(width, height)),
            ("plan", page("qa").press("⇥w").answers_all().size(width, height)),
        ];
        for (name, story) in pictures {
            let buffer = story.buffer();
            let picture = format!("{}\n{}", text(&buffer), styles(&buffer));
            insta::assert_snapshot!(format!("{name}_{width}x{height}"), picture);
        }
    }
}

#[test]
fn in_ascii_bars_and_levels_are_drawn_too() {
    let mut story = page("dev").press("⇥⇥");
    story.theme = story.theme.ascii();
    let screen = story.screen();
    assert!(screen.is_ascii() && screen.contains("1,234,567+") && screen.contains("####"), "{screen}");
}
