//! Pushing values: what a person sees before, meanwhile and after, and how it is taken back.

use std::collections::BTreeSet;

use super::safe::in_env;
use super::story::{Story, night, text};
use crate::compare::Why;
use crate::console::fixture::{self, SECRETS};
use crate::console::{Effect, Key, Message, Work};
use crate::ops::journal::Found;
use crate::ops::report::Part;

/// The plan of pushing everything to dev.
fn planned() -> Story {
    in_env("dev").press("P").wants_first("plan dev push all").answers_all()
}

/// The same being carried out, and what its answers carry.
fn writing() -> (Story, u64) {
    let mut story = planned().press("y");
    let Some(Effect::Write(generation, _)) = story.effects.pop() else { panic!("y writes") };
    (story, generation)
}

/// The same, done.
fn done() -> Story {
    planned().press("y").answers_all()
}

#[test]
fn a_plan_says_what_becomes_of_each_item_and_what_is_lost_by_it() {
    let story = planned()
        .sees("PUSH PLAN")
        .sees("petshop / dev  account 471100004242  eu-central-1")
        .sees("role deployer")
        .sees("origin/main 3f2a91c  \"Add refunds\"")
        .sees("1 create   3 update   0 delete   0 left out   208 untouched")
        .sees("[x] + create  /billing/prod/refund")
        .sees("[x] > update  /checkout/prod/api/url")
        .sees("[x] ~ update  /checkout/prod/db/pool_size")
        .sees("absent")
        .sees("  v4")
        .sees("! overwrites a change made live, 2026-03-14T02:11:19Z, by ci-deploy")
        .sees("read by petshop-prod/CheckoutFn (variable CONFIG_PATH)")
        .sees("1 function may read this, and keeps the old values until started anew")
        .sees("/checkout/prod/old/flag  git no longer has it")
        .does_not_see("--prune")
        .sees("y to push 4 items, or esc");
    for secret in SECRETS.into_iter().chain(["new-pool-75", "pelican", "quail"]) {
        assert!(!story.screen().contains(secret), "{secret} is masked");
    }
    story.press("⏎ x ⏎").wants(&[]).press("⎋").does_not_see("PUSH PLAN");
}

#[test]
fn what_is_left_out_of_a_plan_is_not_written() {
    let story = planned().press("␣").sees("[ ] + create  /billing/prod/refund").sees("y to push 3 items");
    let story = story.press("↓↓↓␣").sees("[ ] ~ update  prod/petshop/db").sees("2 left out").sees("y to push 2 items");
    story.press("y").wants(&["write /checkout/prod/api/url, /checkout/prod/db/pool_size to dev by Yes"]);
    let none = planned().press("^a").sees("nothing is chosen  try: choose an item").press("y").wants(&[]);
    none.press("^a").sees("y to push 4 items").press("↑␣").sees("y to push 3 items");
}

#[test]
fn a_name_is_typed_to_its_end_whatever_was_chosen_meanwhile() {
    let story = in_env("qa").press("P").answers_all().sees("Type qa to push 4 items").press("q␣").sees("3 items");
    // Who chooses has to begin again.
    story
        .press("a")
        .wants(&[])
        .hears(Message::Key(Key::Backspace))
        .press("qa")
        .wants(&["write /checkout/prod/api/url, /checkout/prod/db/pool_size, prod/petshop/db to qa by Name(\"qa\")"]);
    night().press("P").answers_all().sees("prod is read-only   first :unlock 15m").press("prod y").wants(&[]);
}

#[test]
fn nothing_is_deleted_unless_it_is_planned_so() {
    let story = planned().does_not_see("[x] - delete").press("^d").wants_first("plan dev push all and prune");
    let story = story.answers_all().sees("[x] - delete  /checkout/prod/old/flag").sees("1 delete").sees("push 5 items");
    story.press("^d").wants_first("plan dev push all").answers_all().sees("0 delete");
}

#[test]
fn each_item_is_told_as_it_ends_also_when_the_plan_was_left_meanwhile() {
    let (story, generation) = writing();
    let Work::Values(plan, _) = &story.model.sent[0].work else { panic!("values are written") };
    let pushed = fixture::values::pushed(&Work::Values(plan.clone(), BTreeSet::new()));
    let steps = fixture::values::progress(&pushed);
    let story = story.hears(Message::Progress(generation, steps[0].clone()));
    let story = story.sees("[x] = create  /billing/prod/refund").sees("[x] . update  /checkout/prod/api/url");
    let story = story.sees("1 of 4   about 6 s left").press("y␣").wants(&[]);
    let story = story.press("⎋").does_not_see("PUSH PLAN").sees("writing 1 of 4 0 s").press("3").sees("3 PARAMETERS");
    let story = story.hears(Message::Progress(generation, steps[1].clone())).sees("writing 2 of 4");
    let story = story.press("P").sees("PUSH PLAN").sees("2 of 4").wants(&[]);
    let story =
        story.hears(Message::Progress(generation, steps[3].clone())).sees("[x] ! update  /checkout/prod/api/url");
    let story = story.press("⎋").hears(Message::Pushed(generation, Ok(Box::new(pushed))));
    story.sees("dev: 3 written, 1 not; u shows the journal").wants(&["inspect dev Cached"]);
}

#[test]
fn the_result_says_what_was_written_and_what_was_not_and_is_taken_back_by_a_plan() {
    let story = done()
        .sees("PUSH PLAN")
        .sees("3 written   1 not   208 untouched")
        .sees("? /checkout/prod/api/url")
        .sees("not written")
        .sees("ssm:PutParameter (try: plumb policy write)")
        .sees("= /billing/prod/refund")
        .sees("version 5")
        .sees("u to take it back, or esc");
    let story = story.press("y").wants(&[]).press("u").wants_first("plan dev undo 7").answers_all().sees("UNDO PLAN");
    let mut story = story.sees("the entry 7 of the journal").sees("y to take back 4 items").press("y");
    assert!(matches!(story.effects.pop(), Some(Effect::Write(..))));
    done().press("⎋").does_not_see("PUSH PLAN");
}

#[test]
fn a_push_that_cannot_begin_says_why_where_it_was_confirmed() {
    let (story, generation) = writing();
    let why = Why::new("refused: mara pushes to dev since 02:40").hint("wait, or ask");
    let story = story.hears(Message::Pushed(generation, Err(why)));
    story.sees("! refused: mara pushes to dev since 02:40  try: wait, or ask").wants(&["inspect dev Cached"]);
}

#[test]
fn what_is_chosen_in_the_lists_is_what_is_planned() {
    let story = night().press("3").press("␣").sees("1 chosen; P plans to push them").press("P");
    let story = story.wants(&["plan prod push /billing/prod/refund"]).press("⎋");
    let mut story = story.press("gg␣").sees("nothing is chosen").press("␣4n␣");
    story.effects.clear();
    let story = story.press("P");
    let Some(Effect::Plan(.., wanted)) = story.effects.last() else { panic!("nothing is planned") };
    assert_eq!(format!("{wanted:?}").matches("ItemId").count(), 2, "{wanted:?}");
    // Another environment has other values.
    let story = story.press("⎋").press("@qa⏎").answers_all();
    assert!(story.model.chosen().is_empty());
    night().press("2␣").sees("only parameters and secrets can be chosen");
    night().press("2P").sees("parameters and secrets are pushed; stacks are deployed").wants(&[]);
}

#[test]
fn one_difference_is_put_back_by_a_plan_of_itself() {
    let pool = || night().press("3j").sees("▸ ~ drifted   /checkout/prod/db/pool_size");
    pool().press("xg").wants(&["plan prod push /checkout/prod/db/pool_size"]);
    pool().press("xg").answers_all().sees("PUSH PLAN").sees("db/pool_size").does_not_see("/billing/prod/refund");
    night().press("3fG xg").sees("live is what git says").wants(&[]);
    night().press("2xg").sees("stacks are deployed").wants(&[]);
}

#[test]
fn functions_that_read_it_are_started_anew_where_that_is_planned() {
    let story = planned().sees("takes    4 writes, about 2 s").sees("[ ] restart it when done").sees("^r restart: no");
    // What was left out stays so in the plan that is made anew.
    let story = story.press("␣^r").wants_first("plan dev push all and restart").answers_all();
    let story = story.sees("[ ] + create  /billing/prod/refund").sees("takes    3 writes").sees("^r restart: yes");
    let story = story.sees("[x] restart it when done").sees("> restart petshop-prod/CheckoutFn");
    let story = story.sees("y to push 3 items and restart 1 function");
    // Whoever leaves out what it reads leaves it alone.
    let story = story.press("↓↓␣").sees("y to push 2 items, or esc").does_not_see("restart petshop-prod/CheckoutFn");
    let story = story.press("␣^d").wants_first("plan dev push all and prune and restart").answers_all();
    let story = story.press("y").answers_all().sees("= petshop-prod/CheckoutFn").sees("live serves version 13");
    story.sees("3 written   1 not").press("⎋").does_not_see("PUSH PLAN");
    planned().press("^r").answers_all().press("^r").wants_first("plan dev push all").answers_all().sees("restart: no");
}

#[test]
fn readers_of_an_item_are_started_anew_by_a_plan_of_their_own() {
    let last = |story: Story| story.press("3fG").sees("▸ = in sync   /checkout/prod/key23").press("xs");
    let story = last(in_env("dev")).wants_first("plan dev restart /checkout/prod/key23").answers_all();
    let story = story
        .sees("RESTART PLAN")
        .sees("item     /checkout/prod/key23")
        .sees("> petshop-prod/CheckoutFn")
        .sees("live serves 12");
    let story = story.sees(". petshop-prod/ReportFn").sees("states the description").sees("y to restart 1 function");
    let story = story.press("⏎").wants(&[]).press("y").wants_first("write dev by Yes").answers_all();
    story.sees("dev: 1 function restarted").does_not_see("RESTART PLAN");
    let mut failing = last(in_env("dev")).answers_all().press("y").sees("restarting functions 0 s");
    let Some(Effect::Write(generation, _)) = failing.effects.pop() else { panic!("y writes") };
    let why = Why::new("0 restarted, 1 not: petshop-prod/CheckoutFn: it was changed meanwhile").hint("plan again");
    let failing = failing.hears(Message::Written(generation, Err(why)));
    failing.sees("! 0 restarted, 1 not: petshop-prod/CheckoutFn").wants(&["inspect dev Cached"]);
    // As every write: by its name, and not at all where it is read-only.
    last(in_env("qa")).answers_all().sees("Type qa to restart 1 function").press("y").wants(&[]);
    last(night()).answers_all().sees("prod is read-only").press("y prod").wants(&[]);
    night().press("2xs").sees("parameters and secrets are what functions read").wants(&[]);
    let secret = in_env("dev").press("4fGxs").answers_all();
    secret.sees("! no template of the project says who reads it").press("y").wants(&[]);
}

#[test]
fn what_was_cut_off_is_told_until_it_goes_on_or_is_taken_back() {
    let cut_off = || {
        // One item is asked for without a fetch before it.
        let mut story = in_env("dev").press("3fg⏎r");
        let at = story.effects.iter().position(|effect| matches!(effect, Effect::Inspect(..)));
        let Effect::Inspect(generation, ..) = story.effects.remove(at.unwrap()) else { unreachable!() };
        let story = story.hears(Message::Part(generation, Part::CutOff(Some(Box::new(fixture::values::cut_off())))));
        story.answers_all()
    };
    let told = "! dev: the push of 2026-03-14T02:31:19Z was cut off: 1 of 4 settled; in the journal (u) c goes on";
    let journal = || {
        let mut story = cut_off().sees(told).press("u");
        let Some(Effect::Journal(generation, _)) = story.effects.pop() else { panic!("no journal") };
        let mut found: Found = fixture::journal("dev");
        found.entries.insert(0, fixture::values::cut_off());
        story.hears(Message::Journal(generation, Ok(found))).sees("? unknown push")
    };
    let story = journal().press("c").wants_first("plan dev resume").answers_all().sees("RESUME PLAN");
    let story = story.sees("done before").sees("may be done: it is looked at first").sees("to be done");
    let story = story.sees("y to go on with it").press("y").answers_all().sees("3 written   1 not");
    story.press("⎋").does_not_see("was cut off");
    journal().press("u").wants_first("plan dev undo 9").answers_all().sees("UNDO PLAN");
    journal().press("jc").sees("only the last write goes on").wants(&[]);
    journal().press("ju").sees("a push, an undo or a rollback can be taken back").wants(&[]);
    night().press("u").answers_all().press("c").sees("nothing was cut off").wants(&[]);
}

#[test]
fn a_history_shows_both_sides_masked_and_gives_an_earlier_version_back() {
    let story = night().press("3j").press("t").wants_first("history prod /checkout/prod/db/pool_size");
    let story = story.sees("reading git and live").answers_all().sees("HISTORY  /checkout/prod/db/pool_size");
    let story = story.sees("live v4").sees("is live").sees("git  91abe07").sees("rolled out from 91abe07");
    let story = story.sees("changed").sees("\"Widen the pool\"").sees("? AccessDeniedException");
    for secret in SECRETS.into_iter().chain(["new-pool-75", "heron"]) {
        assert!(!story.screen().contains(secret), "{secret} is masked");
    }
    let story = story.press("⏎").sees("this version is live").wants(&[]).press("jj⏎");
    let story = story.sees("what a commit says is pushed").wants(&[]).press("k⏎");
    let story = story.wants_first("plan prod rollback /checkout/prod/db/pool_size to 3").answers_all();
    story
        .sees("ROLLBACK PLAN")
        .sees("the value of version 3")
        .press("⎋")
        .sees("HISTORY")
        .press("q")
        .does_not_see("HISTORY");
    night().press("3jt⎋").wants(&["history prod /checkout/prod/db/pool_size", "cancel"]);
    night().press("3jx").sees("Its history: commits and live versions").press("t").sees("HISTORY");
    night().press("2jt").sees("only parameters and secrets have a history here").wants(&[]);
}

#[test]
fn values_are_taken_to_another_environment_by_a_commit_on_a_new_branch() {
    let compared = || in_env("dev").press("3fg xp").wants_first("compare dev qa").answers_all();
    let story = compared().sees("PROMOTE  dev -> qa").sees("2 same, 4 not").does_not_see("billing/currency");
    let story = story.sees("[ ] different  billing/db/pool").sees("[ ] only here  billing/refund");
    let story = story.sees("only there billing/gone").sees("unknown    secrets/stripe");
    let story = story.sees("? secrets/qa.json: nothing can be promoted into it: no key opens it");
    for secret in SECRETS.into_iter().chain(["pelican", "heron", "quail"]) {
        assert!(!story.screen().contains(secret), "{secret} is masked");
    }
    let story = story.press("y").sees("nothing is taken: space takes a value").wants(&[]);
    let story = story.press("␣").sees("[x] different").sees("y commits 1 value to the new branch promote-dev-to-qa");
    let story = story.press("G␣").sees("cannot be taken").press("^a").sees("y commits 2 values").press("⏎").wants(&[]);
    let story = story.press("y").wants_first("commit billing/db/pool, billing/refund to promote-dev-to-qa-3f2a91c");
    let story = story.answers_all().sees("2 values committed as 91abe07 on the new branch promote-dev-to-qa-3f2a91c");
    story.sees("git push -u origin promote-dev-to-qa-3f2a91c").press("⎋").does_not_see("PROMOTE");
    // The target goes around, without the source; so does the source.
    let story = compared().press("⇥").wants_first("compare dev prod").answers_all().press("⇥");
    let story = story.wants_first("compare dev global").answers_all().hears(Message::Key(Key::BackTab));
    story.wants(&["compare qa global"]).sees("comparing").press("⎋").wants(&["cancel"]);
}

#[test]
fn a_push_before_and_after_at_three_sizes() {
    for (width, height) in [(120, 40), (80, 24), (60, 16)] {
        let shows = |name: &str, story: Story| {
            insta::assert_snapshot!(format!("{name}_{width}x{height}"), text(&story.size(width, height).buffer()));
        };
        shows("plan", in_env("qa").press("P").answers_all().press("q"));
        let (story, generation) = writing();
        let Work::Values(plan, _) = &story.model.sent[0].work else { panic!("values are written") };
        let pushed = fixture::values::pushed(&Work::Values(plan.clone(), BTreeSet::new()));
        let steps = fixture::values::progress(&pushed);
        shows(
            "running",
            steps.into_iter().take(3).fold(story, |story, step| story.hears(Message::Progress(generation, step))),
        );
        shows("restart", in_env("dev").press("P^r").answers_all().press("^r").answers_all());
        shows("result", done());
        shows("readers", in_env("qa").press("3fGxs").answers_all());
        shows("history", night().press("3jt").answers_all());
        shows("promote", in_env("dev").press("3fg xp").answers_all().press("␣"));
    }
}
