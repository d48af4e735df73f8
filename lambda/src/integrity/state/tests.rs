//! The loop over time, as stories: what happens when, and what the loop does about it.

use super::*;

const MINUTE: i64 = 60_000;
const START: i64 = 1_700_000_000_000;

const HEAL: Limits = Limits { mode: Mode::Heal, settle: 10 * MINUTE, redeploys: 3, window: 60 * MINUTE, again: MINUTE };

/// A loop, its clock in minutes, and the redeploys that it asked for.
struct Loop {
    state: State,
    limits: Limits,
    hold: Option<Hold>,
    redeploys: usize,
}

impl Loop {
    fn new(limits: Limits) -> Self {
        Self { state: State::default(), limits, hold: None, redeploys: 0 }
    }

    /// Decides, and does what was decided with success. What is stored survives being written and read.
    fn sees(&mut self, minute: i64, occasion: &Occasion) -> Decision {
        let mut occasion = occasion.clone();
        if let Occasion::Found(found) = &mut occasion {
            for change in found.changes.iter_mut().chain(&mut found.young) {
                change.seen = at(minute);
            }
        }
        let (state, decision) = self.state.decide(&occasion, self.hold.as_ref(), &self.limits, at(minute));
        self.state = serde_json::from_str(&serde_json::to_string(&state).unwrap()).unwrap();
        assert_eq!(self.state, state);
        if let Decision::Act(changes) = &decision {
            self.state = self.state.settle(changes);
            self.redeploys += 1;
        }
        decision
    }

    fn change(&mut self, minute: i64, happened: i64) -> Decision {
        self.sees(minute, &Occasion::Change(change("UpdateFunctionCode of checkout", happened)))
    }

    fn tick(&mut self, minute: i64) -> Decision {
        self.sees(minute, &Occasion::Found(Found::default()))
    }
}

fn at(minute: i64) -> i64 {
    START + minute * MINUTE
}

fn change(what: &str, minute: i64) -> Change {
    Change { what: what.into(), who: "mara".into(), at: at(minute), lasting: None, seen: at(minute) }
}

fn found(name: &str, minute: i64) -> Occasion {
    let changes = vec![Change { lasting: Some(name.into()), ..change(name, minute) }];
    Occasion::Found(Found { changes, ..Found::default() })
}

fn acts(decision: &Decision) -> bool {
    matches!(decision, Decision::Act(_))
}

#[test]
fn a_change_is_acted_on_at_once_and_its_event_again_is_not() {
    let mut own = Loop::new(HEAL);
    assert_eq!(own.change(1, 0), Decision::Act(vec![change("UpdateFunctionCode of checkout", 0)]));
    for minute in [1, 5, 30, 500] {
        assert_eq!(own.change(minute, 0), Decision::Covered, "delivered again after {minute} minutes");
    }
    assert_eq!(own.redeploys, 1);
}

#[test]
fn of_a_burst_the_first_is_acted_on_and_what_came_after_gets_one_redeploy_more() {
    let mut own = Loop::new(HEAL);
    assert!(acts(&own.change(2, 0)));
    assert_eq!(own.change(2, 1), Decision::Covered, "it happened before the redeploy was asked for");
    for happened in 3..8 {
        assert!(matches!(own.change(happened + 1, happened), Decision::Waiting(_)));
    }
    assert!(matches!(own.tick(10), Decision::Waiting(_)));
    let Decision::Act(changes) = own.tick(12) else { panic!("the burst was forgotten") };
    assert_eq!(changes.len(), 5);
    assert_eq!(own.tick(30), Decision::Quiet);
    assert_eq!(own.redeploys, 2);
}

#[test]
fn a_change_while_another_is_acted_on_waits_and_is_not_lost() {
    let mut state = State::default();
    let (first, second) = (change("one", 0), change("two", 0));
    let decide = |state: &State, change: &Change, minute| {
        state.decide(&Occasion::Change(change.clone()), None, &HEAL, at(minute))
    };
    let (claimed, decision) = decide(&state, &first, 0);
    let Decision::Act(done) = decision else { panic!("{decision:?}") };
    let late = change("three", 1);
    let (both, decision) = decide(&claimed, &second, 0);
    assert!(matches!(decision, Decision::Waiting(_)), "{decision:?}");
    let (all, _) = decide(&both, &late, 1);
    state = all.settle(&done);
    assert_eq!(state.waiting, [late], "the second happened before the redeploy was asked for");
}

#[test]
fn who_was_ended_in_the_middle_is_followed_by_the_next_and_who_failed_at_once() {
    let first = Occasion::Change(change("one", 0));
    let (claimed, _) = State::default().decide(&first, None, &HEAL, at(0));
    let tick = Occasion::Found(Found::default());
    assert!(matches!(claimed.decide(&tick, None, &HEAL, at(1)).1, Decision::Waiting(_)));
    assert!(acts(&claimed.decide(&tick, None, &HEAL, at(2)).1), "the lease has ended");
    assert!(acts(&claimed.release().decide(&tick, None, &HEAL, at(0)).1));
}

#[test]
fn the_breaker_opens_after_so_many_and_stays_open_as_long_as_somebody_fights() {
    let mut own = Loop::new(HEAL);
    for minute in [0, 11, 22] {
        assert!(acts(&own.change(minute, minute)), "minute {minute}");
    }
    assert_eq!(own.change(33, 33), Decision::Broken { new: true });
    for minute in [34, 60, 100, 150] {
        assert_eq!(own.change(minute, minute), Decision::Broken { new: false }, "minute {minute}");
    }
    assert_eq!(own.tick(209), Decision::Broken { new: false });
    assert!(acts(&own.tick(210)), "an hour without a change closes it, and what waits is put back");
    assert_eq!(own.redeploys, 4);
    assert_eq!(own.tick(300), Decision::Quiet);
}

#[test]
fn by_hand_the_breaker_closes_at_once() {
    let mut own = Loop::new(Limits { redeploys: 1, ..HEAL });
    own.change(0, 0);
    assert_eq!(own.change(20, 20), Decision::Broken { new: true });
    own.state = own.state.reset();
    assert!(acts(&own.tick(21)));
}

#[test]
fn a_hold_is_obeyed_told_once_and_what_it_held_is_put_back_at_its_end() {
    let mut own = Loop::new(HEAL);
    let hold = Hold { until: at(120), why: "mara: a migration".into() };
    own.hold = Some(hold.clone());
    assert_eq!(own.change(0, 0), Decision::Held { hold: hold.clone(), new: true });
    assert_eq!(own.change(1, 1), Decision::Held { hold: hold.clone(), new: false });
    assert_eq!(own.tick(5), Decision::Held { hold, new: false });
    assert_eq!(own.redeploys, 0);
    own.hold = None;
    assert!(acts(&own.tick(121)));
}

#[test]
fn a_redeploy_that_changes_nothing_ends_it_and_is_told_once() {
    let mut own = Loop::new(HEAL);
    assert!(acts(&own.sees(0, &found("code of checkout is abc", 0))));
    assert_eq!(own.sees(5, &found("code of checkout is abc", 0)), Decision::Covered);
    assert!(matches!(own.sees(15, &found("code of checkout is abc", 0)), Decision::InVain(_)));
    for minute in [20, 100, 1000] {
        // However late the comparison dates it.
        let again = found("code of checkout is abc", minute);
        assert_eq!(own.sees(minute, &again), Decision::Covered, "minute {minute}");
    }
    assert_eq!(own.redeploys, 1);
    let partial = Occasion::Found(Found { partial: true, ..Found::default() });
    assert_eq!(own.sees(1002, &partial), Decision::Quiet);
    assert_eq!(own.sees(1004, &found("code of checkout is abc", 1003)), Decision::Covered, "nobody looked meanwhile");
    own.tick(1005);
    assert!(acts(&own.sees(1010, &found("code of checkout is abc", 1009))), "it was put back, and done again");
}

fn young(name: &str, minute: i64) -> Occasion {
    let Occasion::Found(found) = found(name, minute) else { unreachable!() };
    Occasion::Found(Found { young: found.changes, ..Found::default() })
}

#[test]
fn what_may_be_of_a_deployment_counts_when_it_is_found_again() {
    let mut own = Loop::new(HEAL);
    let alias = |minute: i64| young("alias live is abc", minute);
    assert!(matches!(own.sees(0, &alias(0)), Decision::Waiting(_)), "its receipt may be about to be written");
    assert_eq!(own.tick(5), Decision::Quiet, "it was");
    assert!(matches!(own.sees(10, &alias(10)), Decision::Waiting(_)));
    let same = own.state.decide(&alias(10), None, &HEAL, at(10) + 1000).1;
    assert!(matches!(same, Decision::Waiting(_)), "the same event again is no second look: {same:?}");
    let Decision::Act(changes) = own.sees(15, &alias(15)) else { panic!("it was forgotten") };
    assert_eq!(changes[0].at, at(10), "it is as old as when it was seen first");
    // The redeploy leaves it; meanwhile nobody looks.
    let partial = Occasion::Found(Found { partial: true, ..Found::default() });
    assert_eq!(own.sees(20, &partial), Decision::Quiet);
    assert!(matches!(own.sees(30, &alias(30)), Decision::Waiting(_)));
    assert!(matches!(own.sees(35, &alias(35)), Decision::InVain(_)));
    assert_eq!(own.sees(40, &alias(40)), Decision::Covered);
    assert_eq!(own.redeploys, 1);
    // Who is not patient does not wait for it.
    let mut own = Loop::new(Limits { again: 0, ..HEAL });
    assert!(acts(&own.sees(0, &alias(0))));
}

#[test]
fn what_was_seen_before_the_redeploy_is_no_proof_that_it_was_in_vain() {
    let mut own = Loop::new(HEAL);
    own.change(1, 0);
    let old = Change { lasting: Some("drift".into()), seen: at(0), ..change("drift", 0) };
    for minute in [15, 500] {
        let (state, decision) = own.state.decide(
            &Occasion::Found(Found { changes: vec![old.clone()], ..Found::default() }),
            None,
            &HEAL,
            at(minute),
        );
        assert_eq!(decision, Decision::Covered, "nobody has looked since");
        own.state = state;
    }
}

#[test]
fn what_an_event_told_and_a_redeploy_left_is_told_too() {
    let mut own = Loop::new(HEAL);
    assert!(acts(&own.change(1, 0)));
    assert!(matches!(own.sees(15, &found("code of checkout is abc", 0)), Decision::InVain(_)));
    assert_eq!(own.sees(20, &found("code of checkout is abc", 0)), Decision::Covered);
}

#[test]
fn what_a_comparison_still_finds_does_not_keep_the_breaker_open() {
    let mut own = Loop::new(Limits { redeploys: 1, ..HEAL });
    own.change(0, 0);
    assert_eq!(own.sees(20, &found("b", 19)), Decision::Broken { new: true });
    for minute in [30, 50, 79] {
        assert_eq!(own.sees(minute, &found("b", 19)), Decision::Broken { new: false });
    }
    assert!(acts(&own.sees(81, &found("b", 19))));
}

#[test]
fn in_notify_only_mode_neither_hold_nor_breaker_counts_and_healing_begins_anew() {
    let mut own = Loop::new(Limits { mode: Mode::NotifyOnly, ..HEAL });
    own.hold = Some(Hold { until: at(9999), why: String::new() });
    for minute in [0, 11, 22, 33, 44] {
        assert!(acts(&own.sees(minute, &Occasion::Change(change("one", minute)))), "minute {minute}");
    }
    assert!(acts(&own.sees(60, &found("code", 59))));
    assert_eq!(own.sees(600, &found("code", 59)), Decision::Covered, "nobody asked for a redeploy");
    own.hold = None;
    own.limits = HEAL;
    assert!(acts(&own.sees(601, &found("code", 59))), "a notice has put nothing back");
}

#[test]
fn canaries_are_sent_on_now_and_then() {
    let state = State::default().canary(at(0)).unwrap();
    assert!(state.canary(at(0) + CANARIES - 1).is_none());
    let state = state.canary(at(0) + CANARIES).unwrap();
    assert_eq!(state.decide(&Occasion::Found(Found::default()), None, &HEAL, at(1)).1, Decision::Quiet);
}

#[test]
fn thousands_of_changes_are_one_small_item() {
    let mut own = Loop::new(HEAL);
    own.change(0, 0);
    for number in 0..5000 {
        let decision = own.sees(2, &Occasion::Change(change(&format!("change {number}"), 1)));
        assert!(matches!(decision, Decision::Waiting(_)));
    }
    assert!(serde_json::to_string(&own.state).unwrap().len() < 10_000);
    let Decision::Act(changes) = own.tick(20) else { panic!("they were forgotten") };
    assert_eq!((changes.len(), changes[MOST - 1].what.as_str()), (MOST + 1, "change 4999"));
    assert!(changes[MOST].what.starts_with("4980 more changes"), "{}", changes[MOST].what);
    assert_eq!(own.tick(40), Decision::Quiet, "they were told once");

    let mut own = Loop::new(Limits { mode: Mode::NotifyOnly, ..HEAL });
    own.change(0, 0);
    for number in 0..50 {
        own.sees(2, &Occasion::Change(change(&format!("change {number}"), 1)));
    }
    assert!(acts(&own.tick(20)));
    assert_eq!(own.sees(40, &Occasion::Change(change("change 25", 1))), Decision::Covered, "it was counted");
    for number in 0..5000 {
        own.sees(41, &Occasion::Change(change(&format!("another {number}"), 40)));
    }
    assert!(serde_json::to_string(&own.state).unwrap().len() < 20_000);
}

#[test]
fn a_breaker_that_could_never_open_is_none() {
    for (redeploys, settle, window, can) in [
        (3, 600, 3600, true),
        (1, 600, 601, true),
        (6, 600, 3600, false),
        (3, 600, 1800, false),
        (0, 600, 3600, false),
        (usize::MAX, i64::MAX, 3600, false),
    ] {
        let limits = Limits { settle, redeploys, window, ..HEAL };
        assert_eq!(limits.can_trip(), can, "{limits:?}");
    }
    // What is accepted does open, at the pace of a fight; what is refused does not.
    for (redeploys, opens) in [(3, true), (6, false)] {
        let mut own = Loop::new(Limits { redeploys, ..HEAL });
        let decisions: Vec<Decision> = (0..20).map(|number| own.change(number * 10, number * 10)).collect();
        assert_eq!(decisions.contains(&Decision::Broken { new: true }), opens, "{redeploys}");
    }
}
