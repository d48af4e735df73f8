//! What may be written, as the effect runner sees it: a second look, after the update's.
//!
//! It knows each environment's protection from the backend, the locks that it has opened itself and when they end, the
//! plans that the backend handed out, and from the config which of the operator's own commands write. What the model says
//! of any of these counts for nothing here.

use std::collections::{HashMap, HashSet};

use crate::compare::Why;
use crate::config::{CustomAction, Harm, Protection};
use crate::console::backend::{EnvironmentInfo, Target};
use crate::console::effect::Order;
use crate::console::home::Command;
use crate::console::keymap::Key;
use crate::console::message::Generation;
use crate::console::mode::{Mode, asks_to_unlock, asks_to_write, confirmed};
use crate::console::overlay::{Prepared, Rollout, Work};

/// A project and an environment of it.
type Place = (String, String);

fn place(target: &Target) -> Place {
    (target.project.clone(), target.environment.clone())
}

/// The runner's own knowledge of what may be written.
pub(super) struct Gate {
    environments: HashMap<Place, Protection>,
    unlocked: HashMap<Place, i64>,
    prepared: HashMap<Generation, (Place, Prepared)>,
    /// What is being written to, once for each write.
    writing: Vec<Place>,
    /// The operator's own commands that write nothing, by their ids.
    harmless: HashSet<String>,
}

impl Gate {
    pub(super) fn new(environments: &[EnvironmentInfo], own: &[(CustomAction, Option<Key>)]) -> Self {
        let harmless = own.iter().filter(|(action, _)| action.danger != Harm::Writes);
        let mut gate = Self {
            environments: HashMap::new(),
            unlocked: HashMap::new(),
            prepared: HashMap::new(),
            writing: Vec::new(),
            harmless: harmless.map(|(action, _)| action.id.clone()).collect(),
        };
        gate.learn(environments);
        gate
    }

    /// Learns how environments are protected, from the backend.
    pub(super) fn learn(&mut self, environments: &[EnvironmentInfo]) {
        for info in environments {
            self.environments.insert((info.project.clone(), info.name.clone()), info.protection);
        }
    }

    /// Remembers a plan that the backend has worked out. An older one of that environment is void.
    pub(super) fn remember(&mut self, generation: Generation, target: &Target, prepared: &Prepared) {
        let place = place(target);
        self.prepared.retain(|_, (other, _)| *other != place);
        self.prepared.insert(generation, (place, prepared.clone()));
    }

    /// Forgets a plan that nobody confirmed; tells what it was, where it has left something in the account.
    pub(super) fn forget(&mut self, generation: Generation) -> Option<(String, Work)> {
        let ((_, environment), prepared) = self.prepared.remove(&generation)?;
        prepared.work.waits().then_some((environment, prepared.work))
    }

    /// The same with all of them.
    pub(super) fn forget_all(&mut self) -> Vec<Work> {
        let left = self.prepared.drain().map(|(_, (_, prepared))| prepared.work);
        left.filter(Work::waits).collect()
    }

    /// Lets a command of the operator's own through that writes nothing. One that does is planned, and then ordered.
    pub(super) fn run(&self, command: &Command) -> Result<(), Why> {
        if self.harmless.contains(&command.id) {
            return Ok(());
        }
        Err(Why::new(format!("refused: {} may write, and was not planned", command.id)))
    }

    /// Lets a write through, once, and no other to that environment until it is done, but one that takes it back.
    pub(super) fn write(&mut self, order: &Order, now: i64) -> Result<(), Why> {
        let name = &order.target.environment;
        let place = place(&order.target);
        let protection = self.protection(&place)?;
        let mode = Mode::of(protection, self.unlocked.get(&place).copied(), now);
        self.take(order, matches!(order.work, Work::Unlock(_)))?;
        confirmed(asks_to_write(protection, mode), name, &order.confirmation)?;
        let takes_back = matches!(&order.work, Work::Rollout(rollout) if matches!(**rollout, Rollout::Cancel(_)));
        if self.writing.contains(&place) && !takes_back {
            return Err(Why::new(format!("refused: another write to {name} is under way")));
        }
        self.writing.push(place);
        Ok(())
    }

    /// Lets a wish to unlock through; how long it may be, in milliseconds.
    pub(super) fn unlock(&mut self, order: &Order) -> Result<i64, Why> {
        let protection = self.protection(&place(&order.target))?;
        let Work::Unlock(unlock) = &order.work else {
            return Err(Why::new("refused: what was confirmed unlocks nothing"));
        };
        unlock.check().map_err(|why| Why::new(format!("refused: {why}")))?;
        self.take(order, false)?;
        confirmed(asks_to_unlock(protection), &order.target.environment, &order.confirmation)?;
        Ok(unlock.milliseconds())
    }

    pub(super) fn opened(&mut self, target: &Target, until: i64) {
        self.unlocked.insert(place(target), until);
    }

    pub(super) fn lock(&mut self, target: &Target) {
        self.unlocked.remove(&place(target));
    }

    /// Locks everything; tells what was unlocked.
    pub(super) fn close(&mut self) -> Vec<Target> {
        self.prepared.clear();
        let target = |((project, environment), _)| Target { project, environment, git_ref: None };
        self.unlocked.drain().map(target).collect()
    }

    pub(super) fn written(&mut self, target: &Target) {
        let place = place(target);
        if let Some(at) = self.writing.iter().position(|writing| *writing == place) {
            self.writing.swap_remove(at);
        }
    }

    fn protection(&self, place: &Place) -> Result<Protection, Why> {
        self.environments.get(place).copied().ok_or_else(|| Why::new(format!("there is no environment {}", place.1)))
    }

    /// Takes the plan of an order away: what is sent twice is refused the second time.
    fn take(&mut self, order: &Order, wrong_kind: bool) -> Result<(), Why> {
        let unknown = || Why::new("refused: this is not the plan that was worked out").hint("make the plan anew");
        let (planned, prepared) = self.prepared.remove(&order.plan).ok_or_else(unknown)?;
        if wrong_kind || planned != place(&order.target) || !prepared.work.is(&order.work) {
            return Err(unknown());
        }
        prepared.writer.map(drop)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::console::fixture;
    use crate::console::{Confirmation, Unlock};

    fn gate() -> Gate {
        Gate::new(&fixture::environments(), &fixture::actions())
    }

    fn order(environment: &str, work: &Work, confirmation: Confirmation) -> Order {
        Order { plan: 1, target: target(environment), work: work.clone(), confirmation }
    }

    fn target(environment: &str) -> Target {
        Target { project: String::from("petshop"), environment: environment.to_owned(), git_ref: None }
    }

    fn name(name: &str) -> Confirmation {
        Confirmation::Name(name.to_owned())
    }

    fn unlock(minutes: u32) -> Work {
        Work::Unlock(Arc::new(Unlock { minutes, reason: String::from("prod is down") }))
    }

    /// What the gate says to an order for which there is a plan.
    fn asked(gate: &mut Gate, environment: &str, confirmation: Confirmation, now: i64) -> Result<(), Why> {
        let prepared = fixture::prepared();
        gate.remember(1, &target(environment), &prepared);
        let answer = gate.write(&order(environment, &prepared.work, confirmation), now);
        gate.written(&target(environment));
        answer
    }

    #[test]
    fn only_what_the_protection_allows_passes() {
        let mut gate = gate();
        assert!(asked(&mut gate, "dev", Confirmation::Yes, 0).is_ok());
        assert!(asked(&mut gate, "qa", Confirmation::Yes, 0).is_err(), "qa asks for its name");
        assert!(asked(&mut gate, "qa", name("prod"), 0).is_err());
        assert!(asked(&mut gate, "qa", name("qa"), 0).is_ok());
        assert!(asked(&mut gate, "prod", name("prod"), 0).is_err(), "prod is read-only");
        assert!(asked(&mut gate, "nowhere", Confirmation::Yes, 0).is_err());
    }

    #[test]
    fn an_opened_lock_is_open_until_its_time_and_not_a_moment_longer() {
        let mut gate = gate();
        gate.opened(&target("prod"), 1000);
        assert!(asked(&mut gate, "prod", Confirmation::Yes, 999).is_err());
        assert!(asked(&mut gate, "prod", name("prod"), 999).is_ok());
        assert!(asked(&mut gate, "prod", name("prod"), 1000).is_err());
        gate.opened(&target("prod"), 2000);
        gate.lock(&target("prod"));
        assert!(asked(&mut gate, "prod", name("prod"), 1500).is_err());
    }

    #[test]
    fn only_the_very_plan_that_was_worked_out_passes_and_only_once() {
        let (mut gate, prepared) = (gate(), fixture::prepared());
        let right = order("dev", &prepared.work, Confirmation::Yes);
        assert!(gate.write(&right, 0).is_err(), "nothing was worked out");
        gate.remember(1, &target("dev"), &prepared);
        let forged = order("dev", &fixture::prepared().work, Confirmation::Yes);
        assert_eq!(forged, right, "it looks the same");
        assert!(gate.write(&forged, 0).is_err());
        gate.remember(1, &target("qa"), &prepared);
        assert!(gate.write(&right, 0).is_err(), "it is another environment's");
        gate.remember(1, &target("dev"), &prepared);
        gate.remember(2, &target("dev"), &fixture::prepared());
        assert!(gate.write(&right, 0).is_err(), "there is a newer one");
        gate.remember(1, &target("dev"), &prepared);
        assert!(gate.write(&right, 0).is_ok());
        gate.written(&target("dev"));
        assert!(gate.write(&right, 0).is_err(), "it is used up");
    }

    #[test]
    fn a_plan_that_nobody_may_write_does_not_pass() {
        let (mut gate, prepared) = (gate(), fixture::prepared());
        gate.remember(1, &target("dev"), &Prepared { writer: Err(Why::new("another account")), ..prepared.clone() });
        assert!(gate.write(&order("dev", &prepared.work, Confirmation::Yes), 0).is_err());
    }

    #[test]
    fn environments_of_the_same_name_are_those_of_their_projects() {
        let (mut gate, prepared) = (gate(), fixture::prepared());
        let other = |environment: &str| Target { project: String::from("zoo"), ..target(environment) };
        let to = |target: Target| Order { target, ..order("dev", &prepared.work, Confirmation::Yes) };
        gate.remember(1, &other("dev"), &prepared);
        assert!(gate.write(&to(other("dev")), 0).is_err(), "nobody has told of it");
        gate.learn(&fixture::environments_of("zoo"));
        gate.remember(1, &other("dev"), &prepared);
        assert!(gate.write(&to(target("dev")), 0).is_err(), "the plan is the other one's");
        gate.remember(1, &other("dev"), &prepared);
        assert!(gate.write(&to(other("dev")), 0).is_ok());
        gate.opened(&other("prod"), 1000);
        assert!(asked(&mut gate, "prod", name("prod"), 0).is_err(), "the other prod is unlocked");
    }

    #[test]
    fn a_command_of_one_s_own_passes_unplanned_only_where_the_config_says_that_it_writes_nothing() {
        let gate = gate();
        let rows = [("look", true), ("read", true), ("restart", false), ("restart-here", false), ("unheard-of", false)];
        for (id, passes) in rows {
            assert_eq!(gate.run(&fixture::command(id)).is_ok(), passes, "{id}");
        }
    }

    #[test]
    fn a_command_that_writes_passes_as_every_write_does() {
        let mut gate = gate();
        let work = Work::Command(Arc::new(fixture::command("restart")));
        let mut tries = |environment: &str, confirmation, now| {
            let prepared = Prepared { writer: Ok(fixture::writer()), work: work.clone() };
            gate.remember(1, &target(environment), &prepared);
            let answer = gate.write(&order(environment, &work, confirmation), now).is_ok();
            gate.written(&target(environment));
            gate.opened(&target("prod"), 1000);
            answer
        };
        assert!(!tries("prod", name("prod"), 0), "prod is read-only");
        assert!(tries("prod", name("prod"), 0), "and is unlocked now");
        assert!(!tries("prod", Confirmation::Yes, 0));
        assert!(!tries("prod", name("prod"), 1000), "its time is over");
        assert!(tries("dev", Confirmation::Yes, 0));
        assert!(!tries("qa", Confirmation::Yes, 0) && tries("qa", name("qa"), 0));
        let looks_the_same = Work::Command(Arc::new(fixture::command("restart")));
        gate.remember(1, &target("dev"), &Prepared { writer: Ok(fixture::writer()), work });
        assert!(gate.write(&order("dev", &looks_the_same, Confirmation::Yes), 0).is_err());
    }

    #[test]
    fn of_a_plan_of_values_less_may_be_written_and_nothing_else() {
        use std::collections::BTreeSet;

        use crate::console::Values;

        let mut gate = gate();
        let planned = || fixture::values::work(&Values::Push { only: Vec::new(), prune: false, restart: false });
        let work = planned();
        let Work::Values(plan, _) = &work else { panic!("values are planned") };
        let less = Work::Values(Arc::clone(plan), BTreeSet::from([0]));
        for (ordered, passes) in [(work.clone(), true), (less, true), (planned(), false)] {
            gate.remember(1, &target("dev"), &Prepared { writer: Ok(fixture::writer()), work: work.clone() });
            assert_eq!(gate.write(&order("dev", &ordered, Confirmation::Yes), 0).is_ok(), passes);
            gate.written(&target("dev"));
        }
        let again = fixture::values::work(&Values::Resume);
        gate.remember(1, &target("dev"), &Prepared { writer: Ok(fixture::writer()), work: again.clone() });
        let other = order("dev", &fixture::values::work(&Values::Resume), Confirmation::Yes);
        assert!(gate.write(&other, 0).is_err(), "it looks the same");
        gate.remember(1, &target("dev"), &Prepared { writer: Ok(fixture::writer()), work: again.clone() });
        assert!(gate.write(&order("dev", &again, Confirmation::Yes), 0).is_ok());
    }

    #[test]
    fn one_write_at_a_time() {
        let (mut gate, prepared) = (gate(), fixture::prepared());
        for expected in [true, false] {
            gate.remember(1, &target("dev"), &prepared);
            assert_eq!(gate.write(&order("dev", &prepared.work, Confirmation::Yes), 0).is_ok(), expected);
        }
    }

    #[test]
    fn what_is_under_way_can_be_taken_back_and_holds_others_off_until_both_are_done() {
        let (mut gate, prepared) = (gate(), fixture::prepared());
        let back = Rollout::Cancel(fixture::deploy::operation("petshop-dev"));
        let back = Prepared { writer: Ok(fixture::writer()), work: Work::Rollout(Arc::new(back)) };
        let mut tries = |prepared: &Prepared, is_done: bool| {
            gate.remember(1, &target("dev"), prepared);
            let passes = gate.write(&order("dev", &prepared.work, Confirmation::Yes), 0).is_ok();
            if is_done {
                gate.written(&target("dev"));
            }
            passes
        };
        assert!(tries(&prepared, false) && tries(&back, true));
        assert!(!tries(&prepared, true), "the one that is taken back is not done yet");
        assert!(tries(&prepared, true));
    }

    #[test]
    fn unlocking_is_confirmed_bounded_and_no_write() {
        let mut gate = gate();
        let mut tries = |work: &Work, confirmation| {
            let prepared = Prepared { writer: Ok(fixture::identity()), work: work.clone() };
            gate.remember(1, &target("prod"), &prepared);
            gate.unlock(&order("prod", work, confirmation))
        };
        assert_eq!(tries(&unlock(15), name("prod")).unwrap(), 900_000);
        assert!(tries(&unlock(15), Confirmation::Yes).is_err());
        assert!(tries(&unlock(61), name("prod")).is_err());
        assert!(tries(&Work::Unlock(Arc::new(Unlock { minutes: 5, reason: String::new() })), name("prod")).is_err());
        assert!(tries(&fixture::prepared().work, name("prod")).is_err());
        let work = unlock(15);
        gate.opened(&target("prod"), 10);
        gate.remember(1, &target("prod"), &Prepared { writer: Ok(fixture::identity()), work: work.clone() });
        assert!(gate.write(&order("prod", &work, name("prod")), 0).is_err(), "a lock is no write");
    }
}
