//! The operator's own actions: what is run, what is planned before it is, and what ends it.

use super::safe::{command, in_env, unlocked};
use super::story::{Story, click, night};
use crate::compare::Why;
use crate::config::{CustomAction, Harm, On, Output};
use crate::console::fixture;
use crate::console::{Effect, Key, Message};

/// The selected parameter of most stories.
const POOL: &str = "/checkout/prod/db/pool_size";

fn own(id: &str, danger: Harm, command: &[&str]) -> CustomAction {
    CustomAction {
        id: id.to_owned(),
        title: format!("Do {id}"),
        key: Some(String::from("ctrl-l")),
        on: On::Parameter,
        command: command.iter().map(|&argument| argument.to_owned()).collect(),
        danger,
        wait: false,
        output: Output::Notice,
    }
}

fn with(mut story: Story, action: CustomAction) -> Story {
    story.model.home.settings.actions = vec![(action, Some(Key::Ctrl('l')))];
    story
}

#[test]
fn an_action_of_one_s_own_runs_with_its_placeholders_filled_in() {
    let command =
        ["tool", "--name={name}", "{environment}", "{region}/{account}", "{profile}", "{commit}", "{arn}", "{Id: x}"];
    let filled = format!(
        "run tool --name={POOL} prod eu-central-1/471100004242 petshop-prod {} \
         arn:aws:ssm:eu-central-1:471100004242:parameter{POOL} {{Id: x}}",
        fixture::GIT
    );
    let story = with(night(), own("look", Harm::Nothing, &command)).press("3j");
    let mut story =
        story.press("x").sees("^l      Do look").press("⎋").press("^l").sees("look runs in the background; ^x ends it");
    let Some(Effect::Run(generation, _)) = story.effects.last() else { panic!("nothing runs") };
    let generation = *generation;
    story = story.wants(&[&filled]).hears(Message::Ran(generation, Ok(String::from("look: 7 found"))));
    let story = story.sees("look: 7 found").press(":").answers_all().press("do look").sees("own    Do look").press("⏎");
    assert!(story.effects.iter().any(|effect| matches!(effect, Effect::Run(..))), "the palette runs it too");
}

#[test]
fn an_action_that_does_not_fit_says_why_and_is_not_run() {
    let look = || own("look", Harm::Nothing, &["tool", "{name}"]);
    with(night(), look()).press("4j^l").sees("it is for parameters").wants(&[]);
    with(night(), look()).press("^l").sees("it is for parameters").wants(&[]);
    with(night(), look()).press("4jx").does_not_see("Do look");
    // In a text field its key is a key of the field.
    with(night(), look()).press("3/^l").wants(&[]);
    let anywhere = CustomAction { on: On::Any, ..look() };
    with(night(), anywhere).press("⇥^l").sees("no item is selected").wants(&[]);
}

#[test]
fn what_is_filled_in_is_never_read_as_a_placeholder_or_an_option_again() {
    let mut report = fixture::report("prod");
    if let Ok(section) = &mut report.sections[2].1 {
        section.items[0].name = String::from("{region}");
        section.items[1].name = String::from("--output");
    }
    let mut story = night().press("r");
    let Some(Effect::Fetch(generation, _)) = story.effects.pop() else { panic!("nothing was fetched") };
    let story = story.hears(Message::Fetched(generation, Ok(()))).answers(report).press("3f");
    let mut story = with(story, own("look", Harm::Nothing, &["tool", "{name}"]));
    story.effects.clear();
    let story = story.press("/{region}⏎^l").wants(&["run tool {region}"]);
    story.press("⎋/--output⏎^l").sees("--output would be taken for an option").wants(&[]);
}

/// What restarts something, on everything and without an item.
fn restart() -> CustomAction {
    CustomAction { on: On::Any, ..own("restart", Harm::Writes, &["tool", "it's", "{environment}", "{profile}"]) }
}

/// Restarting in an environment, as far as its plan.
fn restarting(environment: &str) -> Story {
    let mut story = with(in_env(environment), restart());
    story.effects.clear();
    story.press("^l").wants_first(&format!("plan {environment} Command")).answers_all()
}

#[test]
fn what_writes_is_planned_with_all_that_it_is_and_where_and_as_whom() {
    restarting("dev")
        .sees("RUN")
        .sees("to       petshop / dev  account 471100004242  eu-central-1")
        .sees("as       role deployer  protection: open  profile petshop-deployer")
        .sees("what     Do restart")
        .sees("command  tool 'it'\\''s' dev petshop-deployer")
        .sees("it may change what is live in dev")
        .sees("AWS_PROFILE is petshop-deployer")
        .sees("y to run restart, or esc");
}

#[test]
fn it_is_confirmed_as_every_write_is_and_by_nothing_else() {
    let story = restarting("dev").press("⏎").sees("enter confirms nothing").wants(&[]);
    let story = click(story.press("x n"), "y to run").wants(&[]);
    let story = story.hears(Message::Paste(String::from("y"))).sees("pasting confirms nothing").wants(&[]);
    story.press("y").wants(&["run tool it's dev petshop-deployer in dev by Yes"]).press("y").wants(&[]);
    let story = restarting("qa").sees("Type qa to run restart, or esc:").press("y⏎").wants(&[]);
    let story = story.press("⌫").hears(Message::Paste(String::from("qa"))).wants(&[]);
    story.press("qa").wants(&["run tool it's qa petshop-deployer in qa by Name(\"qa\")"]);
    restarting("dev").press("⎋").does_not_see("it may change").press("y").wants(&[]);
}

#[test]
fn where_it_is_read_only_it_is_shown_and_refused_until_that_is_unlocked() {
    let refused = "prod is read-only   first :unlock 15m";
    restarting("prod").sees("command  tool").sees(refused).press("prod y ⏎").wants(&[]);
    let story = with(unlocked(), restart()).press("^l").answers_all().sees("unlocked").press("pro");
    let story = story.wants(&[]).press("d").wants(&["run tool it's prod petshop-deployer in prod by Name(\"prod\")"]);
    assert_eq!(story.model.sent.len(), 1);
    let late = with(unlocked(), restart()).press("^l").answers_all().press("pro").after(300_000).answers_all();
    late.sees(refused).press("d").wants(&[]);
}

#[test]
fn in_the_background_it_goes_on_under_the_page_and_what_it_did_is_read() {
    let mut story = restarting("dev").press("y");
    let Some(Effect::Write(generation, _)) = story.effects.pop() else { panic!("y runs it") };
    let story = story.does_not_see("it may change").sees("restart runs in the background; ^x ends it").press("1");
    let story = story.sees("running restart 0 s").sees("^x end command").after(3_000).sees("running restart 3 s");
    let story = story.press("^l").sees("a write is under way").wants(&[]);
    let story = command(story, "record").sees("a write to dev is under way").wants(&[]);
    let story = story.hears(Message::Ran(generation, Ok(String::from("restart: 3 restarted"))));
    story.sees("dev: restart: 3 restarted").wants(&["inspect dev Cached"]).press("1").does_not_see("end command");
}

#[test]
fn on_the_terminal_its_plan_waits_for_it_and_tells_what_failed() {
    let waits = || {
        let mut story = with(in_env("dev"), CustomAction { wait: true, ..restart() });
        story.effects.clear();
        story.press("^l").answers_all().press("y")
    };
    let ends = |outcome: Result<String, Why>| {
        let mut story = waits().sees("on it, 0 s");
        let Some(Effect::Write(generation, _)) = story.effects.pop() else { panic!("y runs it") };
        story.hears(Message::Ran(generation, outcome)).wants(&["inspect dev Cached"])
    };
    ends(Ok(String::from("restart has ended"))).does_not_see("it may change").sees("dev: restart has ended");
    ends(Err(Why::new("restart ended with exit status: 4")))
        .sees("! restart ended with exit status: 4")
        .sees(" RUN PLAN ──");
    waits().press("⎋1").does_not_see("end command");
}

#[test]
fn what_fails_in_the_background_or_is_refused_is_told_in_a_line() {
    let ends = |answer: fn(u64) -> Message| {
        let mut story = restarting("dev").press("y");
        let Some(Effect::Write(generation, _)) = story.effects.pop() else { panic!("y runs it") };
        story.hears(answer(generation)).wants(&["inspect dev Cached"])
    };
    ends(|generation| Message::Ran(generation, Err(Why::new("restart ended with exit status: 4"))))
        .sees("dev: restart ended with exit status: 4");
    ends(|generation| Message::Written(generation, Err(Why::new("refused: dev is read-only"))))
        .sees("dev: refused: dev is read-only");
    ends(Message::Lost).sees("dev: it is not known how far this went");
}

#[test]
fn a_command_in_the_background_is_ended_by_its_key_the_last_one_first() {
    let look = || CustomAction { on: On::Any, ..own("look", Harm::Nothing, &["tool"]) };
    with(night(), look()).press("^x").sees("no command of your own runs").wants(&[]);
    let mut story = with(in_env("dev"), look());
    story.effects.clear();
    story.model.home.settings.actions.push((restart(), Some(Key::Ctrl('e'))));
    let story = story.press("^l").press("^e").answers_all().press("y");
    let generations: Vec<u64> = story.model.home.errands.iter().map(|errand| errand.generation).collect();
    let [look] = generations[..] else { panic!("{generations:?}") };
    let mut story = story.press("^x").sees("ending restart");
    let Some(Effect::End(ended)) = story.effects.pop() else { panic!("nothing is ended") };
    let story = story.hears(Message::Ran(ended, Err(Why::new("restart was ended")))).sees("dev: restart was ended");
    let mut story = story.press("^x").sees("ending look");
    assert_eq!(story.effects.pop(), Some(Effect::End(look)));
    // Esc goes back, and ends nothing that goes on by itself.
    story.effects.clear();
    story.press("⎋").wants(&["cancel"]).press("⎋").wants(&[]);
}

#[test]
fn a_command_line_of_any_length_can_be_read_to_its_end() {
    let long: Vec<String> = (0..60).map(|index| format!("argument-{index:02}")).collect();
    let command: Vec<&str> = ["tool"].into_iter().chain(long.iter().map(String::as_str)).collect();
    let action = CustomAction { on: On::Any, ..own("restart", Harm::Writes, &command) };
    let mut story = with(in_env("qa"), action);
    story.effects.clear();
    let story = story.size(60, 16).press("^l").answers_all().sees("argument-00").does_not_see("argument-59");
    let more = |story: &Story| story.screen().contains("▾");
    assert!(more(&story), "{}", story.screen());
    let mut seen = story.screen();
    let mut story = story;
    for _ in 0..30 {
        story = story.press("↓");
        seen += &story.screen();
    }
    assert!(long.iter().all(|argument| seen.contains(argument)), "{seen}");
    assert!(!more(&story), "{}", story.screen());
    story.sees("Type qa to run restart");
}

#[test]
fn what_a_terminal_would_obey_is_shown_in_the_line_that_is_confirmed() {
    let action = CustomAction { on: On::Any, ..own("restart", Harm::Writes, &["tool", "a\u{1b}[2Jb\u{202e}c\nd"]) };
    let mut story = with(in_env("dev"), action);
    story.effects.clear();
    story.press("^l").answers_all().sees("command  tool 'a␛[2Jb▯c␊d'");
}
