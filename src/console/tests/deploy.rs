//! The deploy page: planned, confirmed, followed, taken back, and left without a trace.

use super::story::{Story, click, mouse, night, story, styles, text};
use crate::compare::Kind;
use crate::compare::Why;
use crate::console::fixture;
use crate::console::fixture::deploy::{by_workflow, failure, happened, operation, over, standings};
use crate::console::pointer::Button;
use crate::console::{DeployAnswer, Effect, Heard, Message, Over, Prepared};
use crate::ops::deploy::{Happened, Progress};
use crate::ops::redeploy::{Followed, Job, Run, Step};
use crate::secret::Secret;

/// The page, in dev.
pub(super) fn page() -> Story {
    night().press("@dev⏎").answers_all().press("5").answers_all()
}

pub(super) fn asked(story: &Story) -> u64 {
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
    let story = story.sees("deploy ok  35 m ago").sees("HISTORY").sees("\"Add refunds\"");
    let story = story.press("x").sees("the stack is not stuck").press("j").sees("! petshop-dev-data");
    story.sees("go on with the rollback").press("x").wants_first("plan dev Rollout(Recover");
}

#[test]
fn a_deployment_is_previewed_confirmed_and_followed_to_its_end() {
    let story = page().press("D").wants_first("plan dev Rollout(Redeploy").answers_all().sees("DEPLOY PLAN");
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
    let story = story.sees("receipt written: petshop-dev runs 91abe07");
    assert!(story.model.sent.is_empty());
}

#[test]
fn a_plan_that_is_left_takes_its_change_set_back() {
    page().press("D").press("⎋").wants_first("plan dev Rollout(Redeploy").does_not_see("DEPLOY PLAN");
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
fn a_project_that_its_workflow_rolls_out_is_redeployed_by_that_and_its_run_is_followed() {
    let mut story = page().press("D");
    let planned = story.effects.iter().find_map(|effect| match effect {
        Effect::Plan(generation, ..) => Some(*generation),
        _ => None,
    });
    story.effects.clear();
    let prepared = Prepared { writer: Ok(fixture::writer()), work: by_workflow() };
    let story = story.hears(Message::Planned(planned.unwrap(), Ok(Box::new(prepared))));
    let story = story.sees("deploy.yml on main of team/petshop").sees("gh auth token").sees("\"Add refunds\"");
    let story = story.sees("have team/petshop roll it out to dev").press("y").wants_first("write dev by Yes");
    let generation = asked(&story);
    let heard = |story: Story, followed: Followed| {
        story.hears(Message::Deploy(generation, DeployAnswer::Heard(Heard::Followed(followed))))
    };
    let run = |status: &str, conclusion: Option<&str>| Run {
        id: 7,
        title: String::from("deploy n-1"),
        url: String::from("https://github.example/team/petshop/actions/runs/7"),
        status: status.to_owned(),
        conclusion: conclusion.map(str::to_owned),
        commit: fixture::GIT.to_owned(),
        began: fixture::NOW,
        changed: fixture::NOW,
    };
    let story = story.press("^c").sees("once more leaves it to GitHub");
    let story = heard(story.sees("redeploying by"), Followed::Run(run("in_progress", None)));
    let story = story.sees("run 7: in progress").sees("leaving does not stop it: https://github.example/team");
    let step = |status: &str, conclusion: Option<&str>| Step {
        number: 1,
        name: String::from("Push values"),
        status: status.to_owned(),
        conclusion: conclusion.map(str::to_owned),
    };
    let job = |status: &str, conclusion: Option<&str>| Job {
        id: 1,
        name: String::from("deploy (dev)"),
        url: Some(String::from("https://github.example/job/1")),
        status: status.to_owned(),
        conclusion: conclusion.map(str::to_owned),
        steps: Vec::new(),
    };
    let story = heard(story, Followed::Job(job("in_progress", None)));
    let story = heard(story, Followed::Step(String::from("deploy (dev)"), step("in_progress", None)));
    let story = story.sees("Push values").sees("https://github.example/job/1");
    let story = heard(story, Followed::Unanswered(Why::new("no route"))).sees("? GitHub does not answer");
    let story = heard(story, Followed::Answered).does_not_see("no route");
    let story = heard(story, Followed::Step(String::from("deploy (dev)"), step("completed", Some("failure"))));
    let story = story.sees("failure").press("j").sees("Push values").sees("petshop-dev-data");
    let over =
        Over { status: Some(String::from("failure")), why: Some(Why::new("the run ended as failure")), ..over() };
    let story = story.hears(Message::Deploy(generation, DeployAnswer::Over(Ok(Box::new(over)))));
    let story = story.sees("! failure").sees("actions/runs/7").sees("the run ended as failure");
    assert!(story.model.sent.is_empty());
}

#[test]
fn the_stacks_and_their_past_are_clicked() {
    let story = click(page(), "petshop-dev-data").sees("go on with the rollback");
    let story = click(click(story, "= petshop-dev"), "its alias can serve");
    assert_eq!((story.model.deploy.row, story.model.deploy.below, story.model.deploy.line), (0, true, 0));
    let mut story = story.wants(&[]);
    story = click(story, "its alias can serve").wants_first("plan dev Rollout(Turn(\"petshop-dev/Checkout\"");
    let mut story = story.press("⎋");
    story.effects.clear();
    let story = mouse(story, Button::WheelDown, "petshop-dev-data");
    assert!(!story.model.deploy.below && story.model.deploy.row == 1, "{}", story.screen());
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
    let told = format!("plan dev Rollout(Deploy {{ stack: \"petshop-dev\", to: Some(\"{}\")", fixture::GIT);
    story.press("jj⏎").wants_first(&told);
}

#[test]
fn what_this_console_has_begun_can_be_taken_back_and_goes_on_where_it_is_not() {
    let mut story = page().press("D").answers_all().press("y");
    let deploys = asked(&story);
    story.effects.clear();
    let story = story.press("D").sees("a write is under way").press("C").wants_first("plan dev Rollout(Cancel(");
    let mut story = story.answers_all().sees("CANCEL PLAN").press("⎋");
    story = story.wants(&[]);
    // It is followed all the same.
    let story = hears(story, deploys, Progress::Happened(happened("UPDATE_IN_PROGRESS", None)));
    let mut story = story.sees("Database/Checkout").press("C").answers_all().press("y");
    let cancels = asked(&story);
    assert_ne!(deploys, cancels);
    story.effects.clear();
    let story = story.sees("taking back").does_not_see("Database/Checkout");
    let back = || {
        let over = Over { status: Some(String::from("UPDATE_ROLLBACK_COMPLETE")), ..over() };
        DeployAnswer::Over(Ok(Box::new(over)))
    };
    let story = story.hears(Message::Deploy(deploys, back()));
    assert_eq!(story.model.sent.len(), 1, "{:?}", story.model.sent);
    let story = story.hears(Message::Deploy(cancels, back()));
    assert!(story.model.sent.is_empty());
}

#[test]
fn who_quits_during_a_deployment_is_told_that_it_goes_on() {
    let mut story = page().press("D").answers_all().press("y");
    story.effects.clear();
    let story = story.press("^c").sees("plumb ends when that is done; once more leaves it to CloudFormation");
    assert_eq!(story.press("^c").effects, [Effect::Quit]);
}

#[test]
fn what_is_at_work_when_the_console_begins_is_followed_from_whatever_page() {
    let mut report = fixture::report("prod");
    for (_, section) in report.sections.iter_mut().filter(|(kind, _)| *kind == Kind::Stack) {
        section.as_mut().unwrap().units[0].status = String::from("UPDATE_ROLLBACK_IN_PROGRESS");
    }
    let mut story = story().press("3").answers(report);
    let generation = asked(&story);
    story.effects.clear();
    let mut stands = standings("prod");
    stands[0].operation = Some(operation("petshop-prod"));
    let story = story.hears(Message::Deploy(generation, DeployAnswer::Stacks(Ok(stands))));
    let story =
        story.wants_first("deploy prod Follow(").sees("prod: CloudFormation is at work on petshop-prod; 5 looks on");
    story.press("5").sees("begun by somebody else, not plumb").sees("8 s of about 42 s");
}

/// A deployment that has begun, and what was heard of it.
fn under_way(heard: &[Heard]) -> (Story, u64) {
    let mut story = page().press("D").answers_all().press("y");
    let generation = asked(&story);
    story.effects.clear();
    for heard in heard {
        story = story.hears(Message::Deploy(generation, DeployAnswer::Heard(heard.clone())));
    }
    (story.after(21_000), generation)
}

#[test]
fn the_page_and_its_plan_at_each_size() {
    let event = |path: &[&str], id: &str, kind: &str, status: &str, reason: Option<&str>| {
        let path = path.iter().map(|part| (*part).to_owned()).collect();
        let (logical_id, type_name) = (id.to_owned(), format!("AWS::{kind}"));
        Heard::Progress(Progress::Happened(Happened { path, logical_id, type_name, ..happened(status, reason) }))
    };
    let begun = [
        event(&[], "petshop-dev", "CloudFormation::Stack", "UPDATE_IN_PROGRESS", Some("User Initiated")),
        event(&[], "Queue", "SQS::Queue", "UPDATE_IN_PROGRESS", None),
        event(&[], "Queue", "SQS::Queue", "UPDATE_COMPLETE", None),
        event(&[], "Database", "CloudFormation::Stack", "UPDATE_IN_PROGRESS", None),
        event(&["Database"], "Orders", "DynamoDB::Table", "UPDATE_IN_PROGRESS", None),
        event(&["Database"], "Checkout", "Lambda::Function", "UPDATE_IN_PROGRESS", None),
    ];
    let reason =
        "Resource handler returned message: \"the function answered with an error\" (HandlerErrorCode: InvalidRequest)";
    let mut broken = failure();
    broken.event.reason = Some(String::from(reason));
    let lines = ["START RequestId: 6f2", "KeyError: 'ORDERS_TABLE' in handler, line 12, app.py", "END RequestId: 6f2"];
    let mut failed = begun.to_vec();
    failed.extend([
        event(&["Database"], "Checkout", "Lambda::Function", "UPDATE_FAILED", Some(reason)),
        Heard::Progress(Progress::Failed(broken)),
        event(&[], "petshop-dev", "CloudFormation::Stack", "UPDATE_ROLLBACK_IN_PROGRESS", None),
    ]);
    let log = Heard::Log(Ok(lines.into_iter().map(Secret::new).collect()));
    let ended = |(story, generation): (Story, u64), over: Over| {
        story.hears(Message::Deploy(generation, DeployAnswer::Over(Ok(Box::new(over))))).answers_all()
    };
    let why = format!("petshop-dev ended in UPDATE_ROLLBACK_COMPLETE, it runs what it ran before: {reason}");
    let back = || Over {
        status: Some(String::from("UPDATE_ROLLBACK_COMPLETE")),
        why: Some(Why::new(why.clone())),
        receipt: Some(String::from("none was written")),
        ..over()
    };
    let told = [failed.as_slice(), &[log]].concat();
    for (width, height) in [(140, 40), (80, 24), (60, 16)] {
        let pictures = vec![
            ("at_rest", page()),
            ("stuck", page().press("j")),
            ("below", page().press("⏎")),
            ("plan", page().press("D").answers_all()),
            ("recovery", page().press("jx").answers_all()),
            ("under_way", under_way(&begun).0),
            ("failing", under_way(&failed).0),
            ("failed", ended(under_way(&told), back())),
            ("done", ended(under_way(&begun), over())),
        ];
        for (name, story) in pictures {
            let buffer = story.size(width, height).buffer();
            insta::assert_snapshot!(
                format!("{name}_{width}x{height}"),
                format!("{}\n{}", text(&buffer), styles(&buffer))
            );
        }
    }
}
