//! Values: what is pushed, taken back and gone on with, and what is chosen for it.

use std::collections::BTreeSet;

use super::asks::read_again;
use super::mode::{close, fail, plan, plan_of, take_sent};
use super::moves::step;
use super::opens::quit;
use super::{history, promote};
use crate::compare::{Facet, Kind, Verdict, Why};
use crate::console::action::Action;
use crate::console::effect::Effect;
use crate::console::message::Generation;
use crate::console::model::Model;
use crate::console::overlay::{Overlay, Stage, Values, Wanted, Work, in_a_line};
use crate::console::page::{ItemId, Mark, Page};
use crate::console::remote::Remote;
use crate::ops::journal::{Action as Deed, Entry, State};
use crate::ops::push::{Progress, Pushed};

/// Why nothing can be pushed from here; `None`: it can.
pub(in crate::console) fn no_push(model: &Model) -> Option<&'static str> {
    (model.page == Page::Stacks).then_some("parameters and secrets are pushed; stacks are deployed")
}

/// Why the selected item cannot be put back to what git says.
pub(in crate::console) fn no_revert(model: &Model) -> Option<&'static str> {
    let Some(item) = model.selected() else { return Some("no item is selected") };
    match (item.kind, &item.verdict) {
        (Kind::Stack | Kind::Code, _) => Some("parameters and secrets are pushed; stacks are deployed"),
        (_, Verdict::InSync) => Some("live is what git says"),
        (_, Verdict::Ignored(_)) => Some("it is ignored"),
        (_, Verdict::Unmanaged) => Some("git does not have it"),
        _ => None,
    }
}

/// Why the selected item cannot be chosen.
pub(in crate::console) fn no_choice(model: &Model) -> Option<&'static str> {
    let is_here = matches!(model.page, Page::Parameters | Page::Secrets);
    let is_item = matches!(model.list().cursor, Some(Mark::Item(_)));
    match (is_here, is_item) {
        (false, _) => Some("only parameters and secrets can be chosen"),
        (true, false) => Some("no item is selected"),
        (true, true) => None,
    }
}

/// Why no item of a plan can be left out.
pub(in crate::console) fn no_items(model: &Model) -> Option<&'static str> {
    match model.overlays.last() {
        Some(Overlay::Plan(plan)) if plan.can_choose() => None,
        _ => Some("nothing can be chosen here"),
    }
}

/// Why there is no push to plan again.
pub(in crate::console) fn no_prune(model: &Model) -> Option<&'static str> {
    match model.overlays.last() {
        Some(Overlay::Plan(plan))
            if matches!(plan.wanted, Wanted::Values(Values::Push { .. })) && matches!(plan.stage, Stage::Ready(_)) =>
        {
            None
        }
        _ => Some("only where a push is planned"),
    }
}

/// Why what is selected, or what was just done, cannot be taken back.
pub(in crate::console) fn no_undo(model: &Model) -> Option<&'static str> {
    match model.overlays.last() {
        Some(Overlay::Plan(plan)) if plan.result().is_some_and(|pushed| !pushed.written.is_empty()) => None,
        Some(Overlay::Plan(_)) => Some("nothing was written that could be taken back"),
        Some(Overlay::Journal(journal)) => match journal.selected() {
            Some(entry) if is_of_values(entry) && entry.state() != State::UnderWay => None,
            Some(_) => Some("a push, an undo or a rollback can be taken back"),
            None => Some("no entry is selected"),
        },
        _ => None,
    }
}

/// Why nothing can be gone on with.
pub(in crate::console) fn no_resume(model: &Model) -> Option<&'static str> {
    let Some(cut_off) = &model.environment().cut_off else { return Some("nothing was cut off") };
    match model.overlays.last() {
        Some(Overlay::Journal(journal)) if journal.selected().is_none_or(|entry| entry.id != cut_off.id) => {
            Some("only the last write goes on, if it was cut off")
        }
        _ => None,
    }
}

/// What an action on values does.
pub(super) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    match action {
        Action::Push => return open(model),
        Action::Choose => return choose(model),
        Action::Revert => return revert(model),
        Action::Item => toggle(model, false),
        Action::AllItems => toggle(model, true),
        Action::Prune => return prune(model),
        Action::Undo => return undo(model, None),
        Action::Resume => return resume(model),
        Action::History => return history::open(model),
        Action::Rollback => return history::rollback(model),
        Action::Promote => return promote::open(model, None),
        Action::Take => promote::take(model),
        Action::TakeAll => promote::take_all(model),
        Action::Commit => return promote::commit(model),
        Action::Target => return promote::other(model, false),
        Action::Source => return promote::other(model, true),
        _ => {}
    }
    Vec::new()
}

/// Opens the plan of a push: of what is chosen, or of everything. One that is under way is shown instead.
pub(super) fn open(model: &mut Model) -> Vec<Effect> {
    let under_way = model.sent.iter().find(|sent| sent.environment == model.current && sent.plan.is_some());
    if let Some(plan) = under_way.and_then(|sent| sent.plan.clone()) {
        model.overlays.push(Overlay::Plan(plan));
        return Vec::new();
    }
    let only = model.chosen();
    plan(model, Wanted::Values(Values::Push { only, prune: false }))
}

/// Opens the plan of a push of the selected item alone.
pub(super) fn revert(model: &mut Model) -> Vec<Effect> {
    let Some(item) = model.selected() else { return Vec::new() };
    // What git no longer has is put back by deleting it.
    let prune = matches!(item.sides.git, Facet::Absent);
    let only = vec![ItemId::of(item)];
    plan(model, Wanted::Values(Values::Push { only, prune }))
}

/// Chooses the selected item, or no longer does, and goes to the next.
pub(super) fn choose(model: &mut Model) -> Vec<Effect> {
    let (state, _) = model.list_mut();
    if let Some(Mark::Item(id)) = state.cursor.clone()
        && !state.marks.remove(&id.name)
    {
        state.marks.insert(id.name);
    }
    let count = model.chosen().len();
    let key = model.keymap.key(Action::Push);
    model.notice = Some(match count {
        0 => String::from("nothing is chosen"),
        count => format!("{count} chosen; {key} plans to push them"),
    });
    step(model, 1)
}

/// Leaves the item under the cursor of a plan out, or takes it in again.
pub(super) fn toggle(model: &mut Model, all: bool) {
    if let Some(Overlay::Plan(plan)) = model.overlays.last_mut()
        && plan.can_choose()
    {
        if all {
            plan.items.toggle_all();
        } else {
            plan.items.toggle();
        }
        // Who has begun to type the name has read another plan.
        plan.typed.clear();
    }
}

/// Plans a push again: with the deletion of what git no longer has, or without.
pub(super) fn prune(model: &mut Model) -> Vec<Effect> {
    let Some(Overlay::Plan(open)) = model.overlays.last() else { return Vec::new() };
    let Wanted::Values(Values::Push { only, prune }) = &open.wanted else { return Vec::new() };
    let wanted = Wanted::Values(Values::Push { only: only.clone(), prune: !prune });
    model.overlays.pop();
    plan(model, wanted)
}

/// Plans to take back what the result over the page says, or the selected entry of the journal; else the last push.
pub(super) fn undo(model: &mut Model, id: Option<String>) -> Vec<Effect> {
    let id = match model.overlays.last() {
        Some(Overlay::Plan(plan)) => plan.result().map(|pushed| pushed.id.clone()),
        Some(Overlay::Journal(journal)) => journal.selected().map(|entry| entry.id.clone()),
        _ => id,
    };
    if let Some(Overlay::Plan(_)) = model.overlays.last() {
        model.overlays.pop();
    }
    plan(model, Wanted::Values(Values::Undo(id)))
}

/// Plans to go on with what was cut off.
pub(super) fn resume(model: &mut Model) -> Vec<Effect> {
    plan(model, Wanted::Values(Values::Resume))
}

fn is_of_values(entry: &Entry) -> bool {
    matches!(entry.action, Deed::Push | Deed::Undo | Deed::Rollback)
}

/// An item of a write has ended.
pub(super) fn progress(model: &mut Model, generation: Generation, progress: Progress) -> Vec<Effect> {
    if let Some(sent) = model.sent.iter_mut().find(|sent| sent.job.generation == generation) {
        let failed = sent.progress.as_ref().map_or(0, |before| before.failed);
        sent.ended.insert(progress.name.clone(), progress.failed == failed);
        sent.progress = Some(progress);
    }
    Vec::new()
}

/// A write of values came to its end. What it did is read, whichever.
pub(super) fn pushed(model: &mut Model, generation: Generation, answer: Result<Box<Pushed>, Why>) -> Vec<Effect> {
    let Some(sent) = take_sent(model, generation) else { return Vec::new() };
    let name = model.environments[sent.environment].name().to_owned();
    let pushed = match answer {
        Ok(pushed) => pushed,
        Err(why) => {
            fail(model, generation, &name, why);
            return read_again(model, sent.environment);
        }
    };
    let is_whole = pushed.failed.is_empty() && pushed.races.is_empty();
    if model.leaving && model.unfinished().is_none() && is_whole {
        return quit(model);
    }
    // Who wanted to leave has to see what was not written.
    model.leaving = false;
    if sent.environment == model.current && is_whole {
        model.choose_nothing();
    }
    model.environments[sent.environment].cut_off = None;
    let line = in_a_line(&pushed);
    if let Some(plan) = plan_of(model, generation) {
        if let Stage::Doing(prepared) = std::mem::replace(&mut plan.stage, Stage::Reading) {
            plan.stage = Stage::Done(prepared, pushed);
            plan.scroll = 0;
        } else {
            close(model, generation);
        }
    } else {
        let key = model.keymap.key(Action::Journal);
        model.notice = Some(format!("{name}: {line}; {key} shows the journal"));
    }
    let mut effects = read_again(model, sent.environment);
    effects.extend(told_anew(model));
    effects
}

/// What tells of writes and lies below the result is read again.
fn told_anew(model: &mut Model) -> Vec<Effect> {
    let (job, target) = (model.job(), model.environment().target());
    let mut effects = Vec::new();
    for overlay in &mut model.overlays {
        match overlay {
            Overlay::Journal(journal) => {
                (journal.job, journal.found) = (job, Remote::Loading { since: job.since });
                effects.push(Effect::Journal(job.generation, target.clone()));
            }
            Overlay::History(history) => {
                (history.job, history.found) = (job, Remote::Loading { since: job.since });
                effects.push(Effect::History(job.generation, target.clone(), history.name.clone()));
            }
            _ => {}
        }
    }
    effects
}

/// What is written of a plan: what is chosen.
pub(super) fn chosen(work: Work, left: &BTreeSet<usize>) -> Work {
    match work {
        Work::Values(plan, _) => Work::Values(plan, left.clone()),
        work => work,
    }
}
