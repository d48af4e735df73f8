//! The pager and the editor, and what came of them.

use crate::compare::Why;
use crate::console::effect::Effect;
use crate::console::home::{Errand, ErrandOf, FilePlace, Outside};
use crate::console::message::Generation;
use crate::console::model::Model;
use crate::console::unified;

pub(in crate::console) fn no_pager(model: &Model) -> Option<&'static str> {
    if model.home.settings.pager.as_deref().is_some_and(|line| line.trim().is_empty()) {
        return Some("the pager is empty: none is wanted");
    }
    model.selected().is_none().then_some("no item is selected")
}

pub(in crate::console) fn no_file(model: &Model) -> Option<&'static str> {
    match model.selected() {
        None => Some("no item is selected"),
        Some(item) if item.file.is_none() => Some("no file says what it should be"),
        Some(_) => None,
    }
}

/// The identity of an answer to be waited for. What was waited for before is aborted; a command goes on.
pub(super) fn begin(model: &mut Model, of: ErrandOf) -> (Generation, Vec<Effect>) {
    let job = model.job();
    let before = match of {
        ErrandOf::Command(_) => None,
        ErrandOf::Value { .. } | ErrandOf::Place => cancel(model),
    };
    model.home.errands.push(Errand { generation: job.generation, since: job.since, of });
    (job.generation, before.into_iter().collect())
}

/// Git and live in the pager, masked unless they are revealed.
pub(super) fn page(model: &mut Model) -> Vec<Effect> {
    unified::of_selected(model).map_or_else(Vec::new, |text| vec![Effect::Outside(Outside::Page { text, diff: true })])
}

/// The item's file as it is in the working tree: encrypted values stay encrypted.
pub(super) fn edit(model: &mut Model) -> Vec<Effect> {
    let Some(item) = model.selected() else { return Vec::new() };
    let Some(file) = item.file.clone() else { return Vec::new() };
    let name = item.name.clone();
    let (generation, mut effects) = begin(model, ErrandOf::Place);
    effects.push(Effect::Locate(generation, model.environment().target(), file, name));
    effects
}

pub(super) fn located(model: &mut Model, generation: Generation, answer: Result<FilePlace, Why>) -> Vec<Effect> {
    if model.home.answered(generation).is_none() {
        return Vec::new();
    }
    match answer {
        Ok(place) => return vec![Effect::Outside(Outside::Edit(place))],
        Err(why) => model.notice = Some(with_hint(why)),
    }
    Vec::new()
}

/// The terminal is the console's again.
pub(super) fn returned(model: &mut Model, outcome: Result<Option<String>, Why>) -> Vec<Effect> {
    match outcome {
        Ok(said) => model.notice = said.or(model.notice.take()),
        Err(why) => model.notice = Some(with_hint(why)),
    }
    Vec::new()
}

pub(super) fn with_hint(why: Why) -> String {
    match why.hint {
        Some(hint) => format!("{}  try: {hint}", why.reason),
        None => why.reason,
    }
}

/// The answer will not come: its task failed.
pub(super) fn lost(model: &mut Model, generation: Generation, why: &Why) {
    if model.home.answered(generation).is_some() {
        model.notice = Some(why.reason.clone());
    }
}

/// Lets go of what is waited for; `None`: nothing is. A command in the background goes on.
pub(super) fn cancel(model: &mut Model) -> Option<Effect> {
    let generation = model.home.waiting()?.generation;
    let copying = matches!(model.home.answered(generation)?.of, ErrandOf::Value { .. });
    model.notice = Some(String::from(if copying { "cancelled: nothing was copied" } else { "cancelled" }));
    Some(Effect::Cancel(generation))
}

/// What is worth a notification of the terminal: the end of something that took long while nobody looked.
pub(super) fn news(model: &Model, since: i64, text: &str) -> Option<Effect> {
    model.home.is_news(since, model.clock.now).then(|| Effect::Notify(format!("plumb {}: {text}", model.project())))
}
