//! The past of an item, and how it gets an earlier value again.

use super::mode::plan;
use crate::compare::{Kind, Why};
use crate::console::effect::Effect;
use crate::console::message::Generation;
use crate::console::model::Model;
use crate::console::overlay::{History, Overlay, Values, Wanted};
use crate::console::remote::Remote;
use crate::ops::history::Timeline;

/// Why there is no past to show; `None`: there is.
pub(in crate::console) fn no_past(model: &Model) -> Option<&'static str> {
    match model.selected().map(|item| item.kind) {
        None => Some("no item is selected"),
        Some(Kind::Parameter | Kind::Secret) => None,
        Some(Kind::Stack | Kind::Code) => Some("only parameters and secrets have a history here"),
    }
}

/// Why the selected version cannot be given back.
pub(in crate::console) fn no_rollback(model: &Model) -> Option<&'static str> {
    match model.overlays.last() {
        Some(Overlay::History(history)) => history.version().err(),
        _ => Some("only in the history of an item"),
    }
}

/// Opens the past of the selected item.
pub(super) fn open(model: &mut Model) -> Vec<Effect> {
    let Some(name) = model.selected().map(|item| item.name.clone()) else { return Vec::new() };
    let job = model.job();
    let target = model.environment().target();
    model.overlays.push(Overlay::History(History::new(name.clone(), job)));
    vec![Effect::History(job.generation, target, name)]
}

pub(super) fn read(model: &mut Model, generation: Generation, answer: Result<Box<Timeline>, Why>) -> Vec<Effect> {
    for overlay in &mut model.overlays {
        if let Overlay::History(history) = overlay
            && history.job.generation == generation
            && matches!(history.found, Remote::Loading { .. })
        {
            history.found = answer.map_or_else(Remote::Failed, Remote::Ready);
            break;
        }
    }
    Vec::new()
}

/// Plans to give the item the value of the selected version.
pub(super) fn rollback(model: &mut Model) -> Vec<Effect> {
    let Some(Overlay::History(history)) = model.overlays.last() else { return Vec::new() };
    let Ok(to) = history.version() else { return Vec::new() };
    let wanted = Values::Rollback { name: history.name.clone(), to: to.to_owned() };
    plan(model, Wanted::Values(wanted))
}
