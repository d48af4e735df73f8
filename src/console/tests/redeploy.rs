//! A redeploy: stack after stack, by the pipeline; one resource alone; and what is followed that cannot be.

use super::deploy::{asked, page};
use super::story::{Story, night, with_pipeline};
use crate::compare::Why;
use crate::console::fixture;
use crate::console::fixture::deploy::{by_pipeline, operation, over, standings};
use crate::console::fixture::pipeline::{job, seen};
use crate::console::{DeployAnswer, Effect, Message, Over, PipelineAnswer, PipelineAsk, Prepared, Wanted, Way};
use crate::ops::pipeline::jobs::State;

/// The request of the plan that was asked for last, and what else was asked for is forgotten.
fn planned(story: &mut Story) -> u64 {
    let planned = story.effects.iter().rev().find_map(|effect| match effect {
        Effect::Plan(generation, ..) => Some(*generation),
        _ => None,
    });
    story.effects.clear();
    planned.expect("nothing was planned")
}

#[test]
fn a_redeploy_goes_on_with_the_next_stack_where_its_operator_looks_on_and_says_elsewhere_that_it_waits() {
    let then = Some(Way::Redeploy { after: Some((String::from("petshop-dev"), fixture::GIT.to_owned())) });
    let ended = |story: Story, generation: u64| {
        let over = Over { then: then.clone(), ..over() };
        story.hears(Message::Deploy(generation, DeployAnswer::Over(Ok(Box::new(over)))))
    };
    let begun = || {
        let story =
            page().press("j").press("D").wants_first("plan dev Rollout(Redeploy { after: None })").answers_all();
        let mut story = story.sees("petshop-dev-data, each by a plan of its own").press("y");
        let generation = asked(&story);
        story.effects.clear();
        (story, generation)
    };
    let (story, generation) = begun();
    let story = ended(story, generation).sees("DEPLOY PLAN");
    let plan = story
        .effects
        .iter()
        .any(|effect| matches!(effect, Effect::Plan(_, _, Wanted::Rollout(way)) if Some(way) == then.as_ref()));
    assert!(plan, "{:?}", story.effects);
    // What is asked next is confirmed by itself.
    let story = story.answers_all().sees("to change petshop-dev-data").does_not_see("each by a plan").press("y");
    let generation = asked(&story);
    let story = story.hears(Message::Deploy(generation, DeployAnswer::Over(Ok(Box::new(over())))));
    drop(story.does_not_see("DEPLOY PLAN").sees("= UPDATE_COMPLETE"));

    for elsewhere in ["1", "?", "D"] {
        let (story, generation) = begun();
        let story = ended(story.press(elsewhere), generation);
        let plans = story.effects.iter().filter(|effect| matches!(effect, Effect::Plan(..))).count();
        if elsewhere != "D" {
            assert_eq!(plans, 0, "{elsewhere}: {:?}", story.effects);
            drop(story.sees("dev: there are more stacks to be redeployed: D plans them"));
        }
    }
}

#[test]
fn what_was_changed_by_hand_is_put_back_of_one_resource_alone_from_the_page_of_stacks() {
    let story = night().press("2").sees("V revert").press("V");
    let told = "plan prod Rollout(Deploy { stack: \"petshop-prod\", to: None, revert: One(\"CheckoutFn\") })";
    let story = story.wants_first(told).answers_all().sees("REVERT PLAN").sees("CheckoutFn, to what the stack runs");
    drop(story);
    drop(
        night()
            .press("2")
            .press("x")
            .sees("put back what was changed by hand of this resource")
            .press("V")
            .sees("REVERT PLAN"),
    );
    night().press("3").press("V").sees("only a resource of a stack is put back so").wants(&[]);
    let page =
        page().press("V").wants_first("plan dev Rollout(Deploy { stack: \"petshop-dev\", to: None, revert: All })");
    drop(page);
}

#[test]
fn a_project_that_its_pipeline_rolls_out_has_that_asked_and_its_job_is_looked_for_on_its_page() {
    let story = with_pipeline().press("@dev⏎").answers_all().press("5").answers_all();
    let mut story = story.press("D");
    let generation = planned(&mut story);
    let prepared = Prepared { writer: Ok(fixture::writer()), work: by_pipeline() };
    let story = story.hears(Message::Planned(generation, Ok(Box::new(prepared))));
    let story = story.sees("the pipeline: petshop from main").sees("\"Add refunds\"").sees("petshop-pipeline");
    let mut story = story.sees("have the pipeline roll it out to prod").press("y").wants_first("write dev by Yes");
    let generation = asked(&story);
    story.effects.clear();
    let id = job("00000007", 1, State::Claimed).id;
    let over = Over { status: Some(String::from("asked")), job: Some(id), ..Over::default() };
    let story = story.sees("asking").hears(Message::Deploy(generation, DeployAnswer::Over(Ok(Box::new(over)))));
    let mut story = story.sees("7 PIPELINE").sees("its job is looked for").answers_all();
    assert_eq!(story.model.pipeline.row(), 0);
    // It is looked for until it is there, also where nothing else goes on.
    story = story.after(10_500);
    let look = story.effects.iter().find_map(|effect| match effect {
        Effect::Pipeline(generation, _, PipelineAsk::Look) => Some(*generation),
        _ => None,
    });
    let mut found = seen();
    found.jobs.jobs.insert(1, job("00000007", 1, State::Claimed));
    let story = story.hears(Message::Pipeline(look.unwrap(), PipelineAnswer::Seen(Ok(Box::new(found)))));
    assert_eq!(story.model.pipeline.row(), 1, "the cursor is on it");
}

#[test]
fn what_cannot_be_followed_is_not_followed_again_at_once_and_a_failed_reading_begins_nothing() {
    let under_way = |mut story: Story| {
        let generation = asked(&story);
        story.effects.clear();
        let mut stands = standings("dev");
        stands[0].operation = Some(operation("petshop-dev"));
        story.hears(Message::Deploy(generation, DeployAnswer::Stacks(Ok(stands))))
    };
    let lost = |mut story: Story| {
        let generation = asked(&story);
        story.effects.clear();
        let why = Why::new("AccessDeniedException: not authorized to perform cloudformation:DescribeStackEvents");
        story.hears(Message::Deploy(generation, DeployAnswer::Over(Err(why))))
    };
    let of_stacks = |story: &Story| story.effects.iter().filter(|effect| matches!(effect, Effect::Deploy(..))).count();
    let story = lost(under_way(page().press("r")));
    assert_eq!(of_stacks(&story), 0, "{:?}", story.effects);
    assert!(story.model.wake().is_some());
    let story = story.after(4000);
    assert_eq!(of_stacks(&story), 0, "{:?}", story.effects);
    let story = story.after(1500).wants_first("inspect dev");
    assert_eq!(of_stacks(&story), 1, "{:?}", story.effects);
    // The second pause is longer than the first.
    let story = lost(under_way(story)).after(6000);
    assert_eq!(of_stacks(&story), 0, "{:?}", story.effects);
    let mut story = story.after(5000);
    assert_eq!(of_stacks(&story), 1, "{:?}", story.effects);
    let generation = asked(&story);
    story.effects.clear();
    let story = story.hears(Message::Deploy(generation, DeployAnswer::Stacks(Err(Why::new("no network")))));
    assert_eq!(of_stacks(&story), 0, "what was known before is not followed: {:?}", story.effects);
    // It is looked for again, after a longer pause yet.
    let story = story.after(15_000);
    assert_eq!(of_stacks(&story), 0, "{:?}", story.effects);
    let story = story.after(10_000);
    assert_eq!(of_stacks(&story), 1, "{:?}", story.effects);
}
