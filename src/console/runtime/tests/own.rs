//! Commands of the operator's own, sent around the update: what passes, what is noted, and how it is ended.

use super::*;
use crate::config::Output;
use crate::console::Command;
use crate::console::home::Outside;

/// One of the config's commands that runs this; the shell is a program like any other.
fn runs(id: &str, text: &str) -> Command {
    let argv = ["sh", "-c", text].map(str::to_owned).into();
    Command { argv, output: Output::Notice, ..fixture::command(id) }
}

/// The order that follows the plan of a command.
async fn planned(around: &mut Around, environment: &str, command: Command, confirmation: Confirmation) -> Order {
    around.planned(environment, Wanted::Command(command), confirmation).await
}

async fn answer(around: &mut Around, effect: Effect) -> Result<String, Why> {
    match around.sends(effect).await {
        Message::Ran(8, answer) => answer,
        Message::Written(8, Err(why)) => Err(why),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn what_writes_is_refused_unless_it_was_planned_whatever_the_update_says() {
    let mut around = Around::the_update();
    for id in ["restart", "restart-here", "unheard-of"] {
        let why = answer(&mut around, Effect::Run(8, runs(id, "exit 0"))).await.unwrap_err();
        assert!(why.reason.contains("was not planned"), "{why}");
        assert!(around.jobs.permits(&Outside::Command(runs(id, "exit 0"))).is_err(), "{id} on the terminal");
    }
    let forged = Order {
        plan: 7,
        target: target("dev"),
        work: Work::Command(Arc::new(runs("restart", "exit 0"))),
        confirmation: Confirmation::Yes,
    };
    assert!(answer(&mut around, Effect::Write(8, forged)).await.unwrap_err().reason.contains("not the plan"));
    for (environment, confirmation) in [("prod", by_name("prod")), ("qa", Confirmation::Yes), ("qa", by_name("dev"))] {
        let order = planned(&mut around, environment, runs("restart", "exit 0"), confirmation).await;
        assert!(answer(&mut around, Effect::Write(8, order)).await.is_err(), "{environment}");
    }
    let order = planned(&mut around, "dev", runs("restart", "exit 0"), Confirmation::Yes).await;
    let another = Order { work: Work::Command(Arc::new(runs("restart", "exit 1"))), ..order };
    assert!(answer(&mut around, Effect::Write(8, another)).await.is_err(), "another command than the one shown");
    assert_eq!(around.seen.deeds(), [""; 0], "nothing was even noted");
    assert_eq!(answer(&mut around, Effect::Run(8, runs("look", "echo fine"))).await.unwrap(), "look: fine");
    assert!(around.jobs.permits(&Outside::Command(runs("read", "exit 0"))).is_ok());
}

#[tokio::test]
async fn a_command_that_was_planned_and_confirmed_is_noted_run_and_settled() {
    let mut around = Around::the_update();
    let order = planned(&mut around, "dev", runs("restart", "echo done"), Confirmation::Yes).await;
    assert_eq!(answer(&mut around, Effect::Write(8, order.clone())).await.unwrap(), "restart: done");
    assert!(answer(&mut around, Effect::Write(8, order)).await.is_err(), "once");
    let order = planned(&mut around, "qa", runs("restart", "exit 4"), by_name("qa")).await;
    assert!(answer(&mut around, Effect::Write(8, order)).await.is_err());
    assert_eq!(
        around.seen.deeds(),
        ["begin dev restart", "settle restart Ok", "begin qa restart", "settle restart Failed exit status: 4"]
    );
}

#[tokio::test]
async fn an_unlocked_environment_runs_it_until_its_time_is_over() {
    let mut around = Around::the_update();
    let wish = Wanted::Unlock(Unlock { minutes: 5, reason: String::from("prod is down") });
    let order = around.planned("prod", wish, by_name("prod")).await;
    let Message::Unlocked(9, Ok(granted)) = around.sends(Effect::Unlock(9, order)).await else { panic!("locked") };
    let order = planned(&mut around, "prod", runs("restart", "echo done"), by_name("prod")).await;
    assert_eq!(answer(&mut around, Effect::Write(8, order)).await.unwrap(), "restart: done");
    around.now.store(granted.until, Ordering::SeqCst);
    let order = planned(&mut around, "prod", runs("restart", "echo done"), by_name("prod")).await;
    assert!(answer(&mut around, Effect::Write(8, order)).await.is_err());
    assert_eq!(around.seen.deeds(), ["unlock prod", "begin prod restart", "settle restart Ok"]);
}

#[tokio::test]
async fn one_that_has_the_terminal_is_handed_over_when_it_is_noted_and_no_other_write_passes_meanwhile() {
    let mut around = Around::the_update();
    let order = planned(&mut around, "dev", runs("restart-here", "echo done"), Confirmation::Yes).await;
    around.jobs.begin(Effect::Write(8, order));
    let handed = around.jobs.handovers.recv().await.unwrap();
    let Handover::Command { generation, ref command, .. } = handed else { panic!("no command") };
    assert_eq!((generation, command.id.as_str()), (8, "restart-here"));
    let order = around.planned("dev", Wanted::Record, Confirmation::Yes).await;
    assert!(around.writes(order).await.unwrap_err().reason.contains("another write to dev is under way"));
    drop(handed);
    assert_eq!(around.seen.deeds(), ["begin dev restart-here", "given up restart-here"]);
    let order = around.planned("dev", Wanted::Record, Confirmation::Yes).await;
    assert!(around.writes(order).await.is_ok());
}

#[tokio::test]
async fn the_operator_and_the_end_of_the_console_end_what_runs_in_the_background() {
    let mut around = Around::the_update();
    for (environment, confirmation) in [("dev", Confirmation::Yes), ("qa", by_name("qa"))] {
        let order = planned(&mut around, environment, runs("restart", "exec sleep 600"), confirmation).await;
        let generation = if environment == "dev" { 8 } else { 9 };
        around.jobs.begin(Effect::Write(generation, order));
    }
    let begun = |seen: &Seen| seen.deeds().iter().filter(|deed| deed.starts_with("begin")).count() == 2;
    around.seen.until(begun).await;
    let why = answer(&mut around, Effect::End(8)).await.unwrap_err();
    assert_eq!(why.reason, "restart was ended");
    around.jobs.begin(Effect::End(8));
    around.jobs.close().await;
    let mut deeds = around.seen.deeds();
    deeds.retain(|deed| deed.starts_with("settle"));
    // Whether it was started before it was ended is a matter of luck; that it is noted is none.
    assert!(deeds[0].contains("ended by the operator"), "{deeds:?}");
    assert!(deeds[1].contains("ended, since the console was left"), "{deeds:?}");
    assert_eq!(deeds.len(), 2, "{deeds:?}");
}
