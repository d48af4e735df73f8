//! The deploy page: planned, confirmed, followed, taken back, and left without a trace.

use super::story::{Story, night};
use crate::compare::Why;
use crate::console::fixture::deploy::{failure, happened, operation, over, standings};
use crate::console::fixture::{self};
use crate::console::{DeployAnswer, Effect, Heard, Message};
use crate::ops::deploy::Progress;
use crate::secret::Secret;

/// The page, in dev.
fn page() -> Story {
    night().press("@dev⏎").answers_all().press("5").answers_all()
}

fn asked(story: &Story) -> u64 {
    let asked = story.effects.iter().rev().find_map(|effect| match effect {
        Effect::Deploy(generation, ..) | Effect::Write(generation, _) => Some(*generation),
        _ => None,
    });
    asked.expect("nothing was asked")
}

fn hears(story: Story, generation: u64, progress: Progress) -> Story {
    story.hears(Message::Deploy(generation, DeployAnswer::Heard(Heard::Progress(progress))))
}

#[test]
fn the_page_tells_how_the_stacks_stand_and_what_was_done_to_them() {
    let story = page().sees("5 DEPLOY").sees("= petshop-dev").sees("UPDATE_COMPLETE").sees("runs 91abe07");
    let story = story.sees("deploy unknown").sees("HISTORY").sees("\"Add refunds\"");
    let story = story.press("x").sees("the stack is not stuck").press("j").sees("! petshop-dev-data");
    story.sees("go on with the rollback").press("x").wants_first("plan dev Rollout(Recover");
}

#[test]
fn a_deployment_is_previewed_confirmed_and_followed_to_its_end() {
    let story = page().press("D").wants_first("plan dev Rollout(Deploy").answers_all().sees("DEPLOY PLAN");
    let story = story.sees("0 add   1 modify   0 replace   1 remove").sees("modify  Checkout").sees("MemorySize");
    let story = story.sees("! lost:").sees("! more is allowed: Role (AWS::IAM::Role) s3:* on *").does_not_see("a key");
    let story = story.press("⏎").sees("enter confirms nothing").wants(&[]).press("y").wants_first("write dev by Yes");
    let generation = asked(&story);
    let story = story.sees("deploying petshop-dev").sees("leaving does not stop it").press("1").sees("1 OVERVIEW");
    let story = hears(story.press("5"), generation, Progress::Happened(happened("UPDATE_IN_PROGRESS", None)));
    let story = hears(story.sees("Database/Checkout"), generation, Progress::Failed(failure()));
    let story = story.sees("! failed first: Database/Checkout UPDATE_FAILED: no");
    let log = Heard::Log(Ok(vec![Secret::new("out of memory")]));
    let story = story.hears(Message::Deploy(generation, DeployAnswer::Heard(log))).sees("log  out of memory");
    let story =
        hears(story, generation, Progress::Unanswered(Why::new("Throttling"))).sees("is asked again: Throttling");
    let story = hears(story, generation, Progress::Answered).does_not_see("Throttling");
    let story = story.hears(Message::Deploy(generation, DeployAnswer::Over(Ok(Box::new(over())))));
    let story = story.sees("= UPDATE_COMPLETE").sees("Url = https://shop").does_not_see("leaving does not stop it");
    assert!(story.model.sent.is_empty());
}

#[test]
fn a_plan_that_is_left_takes_its_change_set_back() {
    page().press("D").press("⎋").wants_first("plan dev Rollout(Deploy").does_not_see("DEPLOY PLAN");
    let mut story = page().press("D").answers_all().sees("DEPLOY PLAN").press("⎋").does_not_see("DEPLOY PLAN");
    assert!(matches!(story.effects.as_slice(), [Effect::Abandon(_)]), "{:?}", story.effects);
    story.effects.clear();
    story.hears(Message::Abandoned(String::from("dev"), Ok(()))).sees("the change set is deleted again");
}

#[test]
fn what_is_confirmed_is_asked_as_the_protection_says() {
    let story = night().press("5").answers_all().press("D").answers_all().sees("prod is read-only");
    story.press("yprod").wants(&[]);
    let story = night().press("@qa⏎").answers_all().press("5").answers_all().press("D").answers_all();
    story.sees("Type qa to").press("y").wants(&[]).press("⌫qa").wants_first("write qa by Name");
}

#[test]
fn what_somebody_else_has_begun_is_followed_and_can_be_taken_back() {
    let mut story = page().press("r");
    let generation = asked(&story);
    story.effects.clear();
    let mut stands = standings("dev");
    stands[0].operation = Some(operation("petshop-dev"));
    let story = story.hears(Message::Deploy(generation, DeployAnswer::Stacks(Ok(stands))));
    let follows = asked(&story);
    assert_ne!(follows, generation);
    let story = story.sees("begun by somebody else, not plumb");
    let story = hears(story, follows, Progress::Happened(happened("UPDATE_IN_PROGRESS", None)));
    let mut story = story.sees("UPDATE_IN_PROGRESS");
    story.effects.clear();
    let story = story.press("C").wants_first("plan dev Rollout(Cancel(\"petshop-dev\"").answers_all();
    story.sees("CANCEL PLAN").sees("somebody else").press("y").wants_first("write dev by Yes");
}

#[test]
fn an_earlier_commit_and_an_earlier_version_are_planned_from_the_page() {
    let story = page().press("⏎⏎").wants_first("plan dev Rollout(Turn(\"petshop-dev/Checkout\"").press("⎋");
    let mut story = story;
    story.effects.clear();
    let told = format!("plan dev Rollout(Deploy {{ stack: Some(\"petshop-dev\"), to: Some(\"{}\")", fixture::GIT);
    story.press("j⏎").wants_first(&told);
}
