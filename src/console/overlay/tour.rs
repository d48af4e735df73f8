//! The tour: eight steps, each of which names one thing and goes on when it is done.
//!
//! It lies at the foot of whatever is shown and takes no keys but its own, so that the person does the real thing.

use crate::console::action::{ACTIONS, Action};
use crate::console::keymap::Keymap;

/// How far the tour is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tour {
    /// The step, from 0.
    pub step: usize,
    /// How many of its deeds are done.
    done: usize,
}

/// One step.
#[derive(Debug)]
pub(in crate::console) struct Step {
    /// What it is about.
    pub(in crate::console) title: &'static str,
    /// What to know and to do; `{open}` is the key of the action `open`.
    text: &'static str,
    /// What has to be done, one after the other, each by any of these actions.
    deeds: &'static [&'static [Action]],
}

/// All steps.
pub(in crate::console) const STEPS: &[Step] = &[
    Step {
        title: "The overview",
        text: "Above, a line per environment; below, what needs you there, the worst first. {down} and {up} move, \
               {pane} goes from one half to the other.",
        deeds: &[&[
            Action::Down,
            Action::Up,
            Action::First,
            Action::Last,
            Action::HalfDown,
            Action::HalfUp,
            Action::NextPane,
        ]],
    },
    Step {
        title: "Open",
        text: "{open} goes to what is selected: an environment, or an item on its page. {overview} always leads back \
               here.",
        deeds: &[&[Action::Open]],
    },
    Step {
        title: "Three sides",
        text: "Git is what the commit says, applied what was rolled out last, live what AWS says now. {diff} on an \
               item shows git and live line by line; {quit} goes back.",
        deeds: &[&[Action::Diff], &[Action::Diff, Action::Quit]],
    },
    Step {
        title: "Filter",
        text: "{parameters} lists the parameters. {filter} and a few letters narrow any list; {accept} keeps that, \
               {dismiss} shows everything again.",
        deeds: &[&[Action::Filter], &[Action::Accept, Action::Dismiss]],
    },
    Step {
        title: "Differences",
        text: "{next} goes to the next difference and {previous} to the one before; {show} shows what is equal too.",
        deeds: &[&[Action::NextDifference], &[Action::PreviousDifference]],
    },
    Step {
        title: "Values",
        text: "Values are masked. {reveal} on an item shows them for a while, and masks them again; leaving the item \
               does that too. Do both.",
        deeds: &[&[Action::Reveal], &[Action::Reveal]],
    },
    Step {
        title: "Search",
        text: "{help} searches the keys and {palette} everything there is: type a few letters, {accept} does it, \
               {dismiss} leaves. Try one of them.",
        deeds: &[
            &[Action::Palette, Action::Help, Action::HelpHere],
            &[Action::Accept, Action::Dismiss, Action::Help, Action::HelpHere],
        ],
    },
    Step {
        title: "Where you are",
        text: "{pick} chooses the environment, and the commit that it is compared with; {dismiss} leaves. The top of \
               the screen says which they are.",
        deeds: &[&[Action::Pick], &[Action::Accept, Action::Dismiss]],
    },
];

impl Tour {
    /// The current step; `None`: the tour is over.
    pub(in crate::console) fn current(&self) -> Option<&'static Step> {
        STEPS.get(self.step)
    }

    /// Goes on, if the action was what the step waits for.
    pub(in crate::console) fn heard(&mut self, action: Action) {
        let Some(step) = self.current() else { return };
        if step.deeds.get(self.done).is_some_and(|deed| deed.contains(&action)) {
            self.done += 1;
        }
        if self.done == step.deeds.len() {
            self.next();
        }
    }

    /// Goes on in any case.
    pub(in crate::console) fn next(&mut self) {
        self.step += 1;
        self.done = 0;
    }
}

impl Step {
    /// What it says, with the keys in force.
    pub(in crate::console) fn text(&self, keymap: &Keymap) -> String {
        let mut text = self.text.to_owned();
        for spec in ACTIONS {
            let place = format!("{{{}}}", spec.id);
            if text.contains(&place) {
                let key = keymap.written(spec.action).into_iter().next().unwrap_or_default();
                text = text.replace(&place, &key);
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn there_are_eight_steps_and_each_names_the_keys_that_it_waits_for() {
        assert_eq!(STEPS.len(), 8);
        let keymap = Keymap::new(&BTreeMap::new()).unwrap();
        for step in STEPS {
            for deed in step.deeds {
                assert!(
                    deed.iter().any(|action| step.text.contains(&format!("{{{}}}", action.spec().id))),
                    "{} does not say how: {deed:?}",
                    step.title
                );
            }
            assert!(!step.text(&keymap).contains(['{', '}']), "{}", step.text(&keymap));
        }
    }

    #[test]
    fn a_step_goes_on_when_its_deeds_are_done_in_their_order() {
        let mut tour = Tour { step: 5, done: 0 };
        tour.heard(Action::Refresh);
        tour.heard(Action::Reveal);
        assert_eq!(tour.step, 5);
        tour.heard(Action::Reveal);
        assert_eq!(tour, Tour { step: 6, done: 0 });
        tour.next();
        tour.next();
        assert!(tour.current().is_none());
    }
}
