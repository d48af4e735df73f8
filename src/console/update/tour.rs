//! How the tour goes on and ends.

use crate::console::action::{Action, Scope};
use crate::console::effect::Effect;
use crate::console::keymap::Key;
use crate::console::model::Model;
use crate::console::overlay::Tour;
use crate::console::update::{context, is_at_rest};

/// Begins it, and has it remembered that it was shown.
pub(super) fn begin(model: &mut Model) -> Vec<Effect> {
    model.tour = Some(Tour::default());
    model.memory.toured = true;
    vec![Effect::Remember(model.memory.clone())]
}

/// Whether the key was the tour's own: to go on, or to leave it where nothing else is to be left.
pub(super) fn hears(model: &mut Model, key: Key) -> bool {
    let Some(tour) = &mut model.tour else { return false };
    if model.keymap.action(key, &[Scope::Tour]) == Some(Action::TourNext) {
        tour.next();
        end(model);
        return true;
    }
    let leaves = can_be_left(model) && model.keymap.action(key, &[Scope::Back]) == Some(Action::Back);
    if leaves {
        model.tour = None;
        model.notice = Some(String::from("the tour is over; :tour begins it again"));
    }
    leaves
}

/// Whether esc leaves the tour: what is open, on the page or over it, and a filter are left first.
pub(in crate::console) fn can_be_left(model: &Model) -> bool {
    is_at_rest(model) && !context(model).contains(&Scope::Input)
}

/// An action was done.
pub(super) fn heard(model: &mut Model, action: Action) {
    if let Some(tour) = &mut model.tour {
        tour.heard(action);
        end(model);
    }
}

fn end(model: &mut Model) {
    if model.tour.as_ref().is_some_and(|tour| tour.current().is_none()) {
        model.tour = None;
        model.notice = Some(String::from("that was the tour; :tour begins it again"));
    }
}
