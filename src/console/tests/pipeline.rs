//! The pipeline page: what was asked for, what came of it, and asking for more.

use super::story::{Story, click, mouse, night, styles, text, with_pipeline};
use crate::compare::Why;
use crate::console::fixture::pipeline::{build, job, jobs, lines, seen};
use crate::console::pointer::Button;
use crate::console::{Effect, Message, PipelineAnswer, PipelineAsk, PipelineRead};
use crate::ops::pipeline::jobs::State;

/// The page, in that environment.
fn page(environment: &str) -> Story {
    let story = with_pipeline().press("7").answers_all();
    if environment == "prod" { story } else { story.press(&format!("@{environment}⏎")).answers_all() }
}

/// The request of that kind that was made last.
fn generation(story: &Story, is: fn(&PipelineAsk) -> bool) -> u64 {
    let asked = story.effects.iter().rev().find_map(|effect| match effect {
        Effect::Pipeline(generation, _, ask) if is(ask) => Some(*generation),
        _ => None,
    });
    asked.expect("it was not asked")
}

fn is_log(ask: &PipelineAsk) -> bool {
    matches!(ask, PipelineAsk::Log(..))
}

fn is_look(ask: &PipelineAsk) -> bool {
    matches!(ask, PipelineAsk::Look)
}

#[test]
fn the_page_is_there_where_the_project_has_a_pipeline() {
    night()
        .does_not_see("pipeline")
        .press("7")
        .sees("this project has no deploy pipeline")
        .sees("1 OVERVIEW")
        .wants(&[]);
    with_pipeline().sees("7 pipeline").press("7").wants(&["pipeline prod Look"]);
    let story = page("prod").sees("JOBS 6").sees("PROJECTS 2").sees("DEAD LETTERS 2");
    let story = story.sees("running").sees("refused").sees("the branch is not well-formed").sees("user/ci");
    drop(story.press("⇥").sees("▸   demo").sees("git.example.com/acme/demo.git").sees("demo-deploy-token"));
    page("prod").press("⇥⇥").sees("▸ ! petshop main").sees("ThrottlingException").sees("nightly");
}

#[test]
fn what_cannot_be_read_is_told_where_it_would_be_and_hides_nothing_else() {
    let story = with_pipeline().press("7");
    let asked = generation(&story, is_look);
    let why = Why::new("cannot query petshop-pipeline-jobs: AccessDeniedException").hint("plumb policy pipeline");
    let story = story.hears(Message::Pipeline(asked, PipelineAnswer::Seen(Err(why.clone()))));
    let story = story.sees("? cannot query petshop-pipeline-jobs").sees("try: plumb policy pipeline").press("r");
    let asked = generation(&story, is_look);
    let found = crate::console::PipelineSeen { letters: Err(why), ..seen() };
    let story = story.hears(Message::Pipeline(asked, PipelineAnswer::Seen(Ok(Box::new(found)))));
    story.sees("JOBS 6").press("⇥⇥").sees("? cannot query").does_not_see("there are no dead letters");
}

#[test]
fn a_log_is_followed_until_its_build_ends_and_not_longer() {
    let mut story = with_pipeline().press("7").answers_all();
    story.effects.clear();
    let mut story = story.sees("following").sees("step 59:").does_not_see("step 12:").sees("> build").after(2100);
    let asked = generation(&story, is_log);
    story.effects.clear();
    let went_on = PipelineRead { lines: lines(60, 3), build: build("00000001-aaaa", "IN_PROGRESS", 41) };
    let story = story.hears(Message::Pipeline(asked, PipelineAnswer::Log(Ok(Box::new(went_on)))));
    // Who scrolls up stays there.
    let story = story.sees("step 62:").press("⏎gG").press("kkk").does_not_see("step 62:").does_not_see("following");
    let mut story = story.press("f").sees("step 62:").after(2100);
    let asked = generation(&story, is_log);
    story.effects.clear();
    let ended = PipelineRead { lines: lines(63, 1), build: build("00000001-aaaa", "SUCCEEDED", 41) };
    let story = story.hears(Message::Pipeline(asked, PipelineAnswer::Log(Ok(Box::new(ended)))));
    // Its end is news of the job too, and nothing looks at the log again.
    let mut story = story.sees("= build").wants(&["pipeline prod Look"]);
    story.effects.clear();
    let story = story.after(5000);
    assert!(!story.effects.iter().any(|effect| matches!(effect, Effect::Pipeline(_, _, PipelineAsk::Log(..)))));
}

#[test]
fn a_log_is_searched_without_regard_to_case() {
    let story = page("prod").press("/").sees("type what to look for").press("Step␣4").sees("11 found").press("⏎");
    let story = story.sees("> step 4:").does_not_see("following").press("n").sees("> step 40:").press("N");
    let story = story.sees("> step 4:").press("N").sees("\"Step 4\" is not further up in the log");
    let story = story.press("⎋").sees("/Step 4").press("⎋").does_not_see("/Step 4");
    story.press("n").sees("/ looks for something in the log").wants(&[]);
}

#[test]
fn jobs_that_go_on_are_looked_at_again_and_the_cursor_stays_on_its_job() {
    let mut story = page("prod").press("jjj").sees("▸ ! failed").sees("exit status 7").answers_all();
    story.effects.clear();
    let story = story.after(10_500);
    let asked = generation(&story, is_look);
    let mut found = seen();
    found.jobs.jobs = std::iter::once(job("00000007", 1, State::Claimed)).chain(jobs()).collect();
    let story = story.hears(Message::Pipeline(asked, PipelineAnswer::Seen(Ok(Box::new(found)))));
    let story = story.sees("JOBS 7").sees("claimed").sees("▸ ! failed");
    // Where nothing goes on nothing is asked.
    let mut story = story.press("r");
    let asked = generation(&story, is_look);
    let mut found = seen();
    found.jobs.jobs.remove(0);
    story = story.hears(Message::Pipeline(asked, PipelineAnswer::Seen(Ok(Box::new(found)))));
    story.effects.clear();
    story.after(60_000).wants(&[]);
}

#[test]
fn a_job_is_asked_for_by_one_of_the_branches_that_the_registry_allows() {
    let story = page("dev").press("t").sees("BRANCH OF petshop").sees("asking the repository");
    let story = story.wants_first("pipeline dev Branches").answers_all();
    let story = story.sees("release/2026-02").does_not_see("feature/cat").press("2026-03⏎");
    let story = story.wants_first("plan dev Pipeline(Trigger(\"petshop\", \"release/2026-03\"))").answers_all();
    let story = story.sees("TRIGGER PLAN").sees("arn:aws:sns:eu-central-1:123456789012:petshop-pipeline");
    let story = story.sees("the branch's latest").press("⏎").sees("enter confirms nothing").wants(&[]).press("y");
    let story = story.wants_first("write dev by Yes").sees("asking for petshop release/2026-03").answers_all();
    drop(story.sees("dev: petshop release/2026-03 is asked for"));
    // One that is typed may be none that the repository lists; nothing that git would not take is offered.
    let story = page("dev").press("t").answers_all().press("main2").sees("▸ main2").press("␣x").does_not_see("▸ main2");
    drop(story);
    let story = page("dev").press("t").press("⎋").does_not_see("BRANCH OF");
    assert!(story.effects.iter().any(|effect| matches!(effect, Effect::Cancel(_))), "{:?}", story.effects);
}

#[test]
fn the_cursor_stays_on_the_first_job_too_and_an_old_answer_keeps_its_age() {
    let mut story = page("prod").sees("running").answers_all().press("r");
    let asked = generation(&story, is_look);
    story.effects.clear();
    let mut found = seen();
    found.jobs.jobs = std::iter::once(job("00000007", 1, State::Claimed)).chain(jobs()).collect();
    let story = story.hears(Message::Pipeline(asked, PipelineAnswer::Seen(Ok(Box::new(found)))));
    assert_eq!(story.model.pipeline.row(), 1, "{}", story.screen());
    // What failed or was cancelled has read nothing.
    let read_at = story.model.environment().pipeline.read_at;
    let story = story.after(9000).press("r");
    let asked = generation(&story, is_look);
    let story = story.hears(Message::Pipeline(asked, PipelineAnswer::Seen(Err(Why::new("no network")))));
    assert_eq!(story.model.environment().pipeline.read_at, read_at);
    let story = story.sees("read 9 s ago").after(1000).press("r").press("⎋").sees("cancelled: r reads the jobs");
    assert_eq!(story.model.environment().pipeline.read_at, read_at);
    drop(story.sees("read 10 s ago"));
}

#[test]
fn a_job_that_was_just_asked_for_gets_the_cursor_when_it_comes() {
    let story = page("dev").press("jjj").press("t").answers_all().press("2026-03⏎").answers_all().press("y");
    let mut story = story.answers_all();
    assert_eq!(story.model.pipeline.row(), 0);
    story = story.after(10_500);
    let asked = generation(&story, is_look);
    let mut found = seen();
    found.jobs.jobs.insert(0, job("00000007", 1, State::Claimed));
    let story = story.hears(Message::Pipeline(asked, PipelineAnswer::Seen(Ok(Box::new(found.clone())))));
    assert_eq!(story.model.pipeline.row(), 0);
    let story = story.answers_all().press("r");
    let asked = generation(&story, is_look);
    found.jobs.jobs.insert(0, job("00000008", 1, State::Claimed));
    let story = story.hears(Message::Pipeline(asked, PipelineAnswer::Seen(Ok(Box::new(found)))));
    assert_eq!(story.model.pipeline.row(), 1, "and keeps it");
}

#[test]
fn no_branch_is_listed_of_another_project_than_that_of_the_job() {
    let mut story = page("dev").press("r");
    let asked = generation(&story, is_look);
    story.effects.clear();
    let mut found = seen();
    found.jobs.jobs[0].project = String::from("gone");
    let story = story.hears(Message::Pipeline(asked, PipelineAnswer::Seen(Ok(Box::new(found)))));
    story.press("t").sees("the project of this job is not registered: tab shows those that are").wants(&[]);
}

#[test]
fn a_job_is_ended_one_that_ended_is_built_again_and_a_letter_published() {
    let story = page("qa").press("b").sees("the job goes on").press("s").answers_all().sees("STOP PLAN");
    let story =
        story.sees("nothing takes that back").press("y").wants(&[]).press("⌫qa").wants_first("write qa by Name");
    drop(story);
    let story = page("dev").press("j").press("s").sees("the job has ended").press("b").answers_all().sees("RETRY PLAN");
    drop(story.sees("the limits of the project do not count").press("y").wants_first("write dev by Yes"));
    let story = page("dev").press("j").answers_all().press("j").answers_all();
    drop(story.press("b").sees("the job has no build: t asks anew").wants(&[]));
    let story = page("dev").press("⇥⇥").press("p").answers_all().sees("REPLAY PLAN").sees("nightly").press("y");
    drop(story.wants_first("write dev by Yes").answers_all().sees("the message is published again").sees("JOBS 6"));
    page("dev").press("⇥⇥j").press("p").sees("nothing of this letter is a message").wants(&[]);
    // Where writing is refused the plan says so, and nothing is sent.
    page("prod").press("s").answers_all().sees("read-only").press("yprod").wants(&[]);
}

#[test]
fn the_mouse_selects_a_job_opens_it_and_turns_what_it_is_over() {
    let story = click(page("prod"), "release/2026-03").sees("▸ ! failed").answers_all();
    let story = click(story, "▸ ! failed");
    assert!(story.model.pipeline.below);
    let story = mouse(story, Button::WheelDown, "step 3:");
    assert_eq!(story.model.pipeline.offset, 3);
    let story = click(story, "succeeded");
    assert!(!story.model.pipeline.below && story.model.pipeline.row() == 1);
    mouse(story, Button::WheelDown, "succeeded").sees("▸ ? unknown");
}

#[test]
fn another_environment_has_another_pipeline() {
    let story = page("prod").press("jjj").answers_all().press("@dev⏎");
    let story = story.sees("asking for the pipeline").does_not_see("failed").answers_all().sees("following");
    assert_eq!(story.model.pipeline.row(), 0);
}

#[test]
fn what_the_page_looks_like() {
    insta::assert_snapshot!(text(&page("prod").buffer()));
    insta::assert_snapshot!("styles", styles(&page("prod").buffer()));
    insta::assert_snapshot!("failed", text(&page("prod").press("jjj").answers_all().buffer()));
    insta::assert_snapshot!("small", text(&page("prod").size(80, 24).buffer()));
    insta::assert_snapshot!("projects", text(&page("prod").press("⇥").buffer()));
    insta::assert_snapshot!("letters", text(&page("prod").press("⇥⇥").buffer()));
    insta::assert_snapshot!("branches", text(&page("dev").press("t").answers_all().buffer()));
}
