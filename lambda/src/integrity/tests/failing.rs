//! What cannot be told, asked or read: what is decided all the same, and what is done about it later.

use super::*;

/// The decision, and what could not be done beside it.
async fn both(world: &Memory, event: &serde_json::Value) -> (&'static str, bool) {
    let outcome = sees(world, Mode::Heal, event).await.unwrap();
    let decision = outcome.decision;
    (decision, outcome.answer().is_err())
}

fn mute(world: &Memory, is: bool) {
    *world.mute.lock().unwrap() = is;
}

fn told(world: &Memory, words: &str) -> usize {
    world.done().iter().filter(|done| done.contains(words)).count()
}

#[tokio::test]
async fn a_breaker_that_nobody_could_be_told_of_is_told_when_it_can_be() {
    let world = Memory::default();
    for number in 0..3 {
        assert_eq!(both(world.at(11 * number), &drifts(&world, number)).await, ("redeploy", false));
    }
    mute(&world, true);
    let event = drifts(world.at(33), 3);
    assert_eq!(both(&world, &event).await, ("breaker-opened", true), "Lambda tries again, and the metric is there");
    assert_eq!(both(world.at(34), &event).await, ("breaker-opened", true));
    mute(&world, false);
    assert_eq!(both(world.at(36), &event).await, ("breaker-opened", false));
    assert_eq!(both(world.at(37), &event).await, ("broken", false));
    assert_eq!((told(&world, "breaker"), world.redeploys()), (1, 3));
}

#[tokio::test]
async fn a_hold_and_what_was_in_vain_are_told_when_they_can_be() {
    let world = Memory::default();
    *world.hold.lock().unwrap() = Some(Hold { until: CALLED + 30 * MINUTE, why: "mara: a migration".into() });
    mute(&world, true);
    assert_eq!(both(&world, &code(events::By::User)).await, ("held", true));
    mute(&world, false);
    for _ in 0..2 {
        assert_eq!(both(&world, &code(events::By::User)).await, ("held", false));
    }
    assert_eq!(told(&world, "on hold"), 1);

    let world = Memory::default();
    let mut event = events::drift("DRIFTED", 1);
    assert_eq!(both(world.at(8), &event).await, ("redeploy", false));
    event["time"] = json!("2026-11-21T03:00:00Z");
    mute(&world, true);
    assert_eq!(both(world.at(60), &event).await, ("in-vain", true));
    mute(&world, false);
    assert_eq!(both(world.at(61), &event).await, ("in-vain", false));
    assert_eq!(both(world.at(62), &event).await, ("covered", false));
    assert_eq!(told(&world, "has not put it back"), 1);
}

#[tokio::test]
async fn a_changed_hold_counts_though_nobody_could_be_told() {
    let world = Memory::default();
    mute(&world, true);
    let event = events::call("ssm", "PutParameter", &json!({"name": events::HOLD}), events::By::Deployer);
    assert_eq!(both(&world, &event).await, ("hold-changed", true));
    let both_of_them = json!({"names": [events::HOLD, "/shop/prod/size"]});
    let event = events::call("ssm", "DeleteParameters", &both_of_them, events::By::User);
    let outcome = sees(&world, Mode::Heal, &event).await;
    assert_eq!(outcome.as_ref().unwrap().decision, "redeploy", "what it held is put back");
    let line = line(&settings(Mode::Heal), "loop-integrity", "r-1", &event::read(&event.to_string()), &outcome);
    assert_eq!((&line["HoldChanges"], &line["Redeploys"], &line["level"]), (&json!(1), &json!(1), &json!("error")));
    assert!(line["failure"].as_str().unwrap().contains("Throttled"), "{line}");
    assert!(outcome.unwrap().answer().is_err(), "it is told when Lambda tries again");
}

#[tokio::test]
async fn a_hold_that_cannot_be_asked_for_forgets_no_change_and_counts_only_where_something_is_put_back() {
    let world = Memory::default();
    *world.blind.lock().unwrap() = true;
    let event = code(events::By::User);
    assert_eq!(sees(&world, Mode::NotifyOnly, &event).await.unwrap().decision, "notified");
    let world = Memory::default();
    *world.blind.lock().unwrap() = true;
    assert_eq!(both(&world, &event).await, ("held", true));
    assert_eq!(world.redeploys(), 0);
    *world.blind.lock().unwrap() = false;
    assert_eq!(both(world.at(5), &events::tick()).await, ("redeploy", false), "the schedule takes it up");
    assert_eq!(world.done().iter().filter(|done| done.starts_with("redeploy UpdateFunctionCode")).count(), 1);
}

#[tokio::test]
async fn what_could_not_be_compared_keeps_nothing_from_being_done_and_is_no_calm() {
    let world = Memory::default();
    assert_eq!(decision(&world, &code(events::By::User)).await, "redeploy");
    assert_eq!(decision(world.at(1), &drifts(&world, 1)).await, "waiting");
    let mut compared = Compared::default();
    assert_eq!(compared.read::<()>(Err(Failure("lambda:GetFunctionConfiguration: AccessDenied".into()))), None);
    *world.found.lock().unwrap() = compared;
    // What waits is put back, and Lambda hears of the failure.
    assert_eq!(both(world.at(12), &events::tick()).await, ("redeploy", true));
    let failure = sees(world.at(30), Mode::Heal, &events::tick()).await.unwrap_err();
    assert!(failure.to_string().contains("AccessDenied"), "{failure}");
    assert_eq!(world.redeploys(), 2);
}

#[test]
fn a_hold_without_an_end_has_none_in_its_notice() {
    let hold = Hold::endless("the hold in /plumb/shop/prod/hold cannot be read".into());
    let notice = notice::held(&settings(Mode::Heal), &hold, None);
    assert!(notice.text.contains("Nothing is redeployed: the hold in "), "{}", notice.text);
}
