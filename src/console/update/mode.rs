//! Plans, and what follows when they are confirmed: writing, running, unlocking, locking; and the journal.

use super::asks::read_again;
use super::custom::begun;
use super::opens::quit;
use super::outside::{news, with_hint};
use super::{data, deploy, history, pipeline, promote, push};
use crate::compare::Why;
use crate::console::action::Scope;
use crate::console::effect::{Effect, Order};
use crate::console::home::Command;
use crate::console::keymap::Key;
use crate::console::layout::Areas;
use crate::console::message::{Generation, Granted};
use crate::console::mode::{Asks, Confirmation, Ended, Mode, Unlock, Unlocked};
use crate::console::model::{EnvState, Model, Sent};
use crate::console::overlay::{
    Items, Journal, Overlay, Plan, Prepared, Rollout, Sheet, Stage, Wanted, Way, Work, rollout_rows,
};
use crate::console::remote::Remote;
use crate::console::view::plan_sight;
use crate::ops::journal::Found;

/// Opens the plan of recording what is equal.
pub(super) fn record(model: &mut Model) -> Vec<Effect> {
    plan(model, Wanted::Record)
}

/// Opens the plan of unlocking the current environment, unless nothing of it is locked.
pub(super) fn unlock(model: &mut Model, unlock: Unlock) -> Vec<Effect> {
    let env = model.environment();
    if env.mode(model.clock.now) == Mode::Write {
        let (name, protection) = (env.name(), env.protection().word());
        model.notice = Some(format!("{name} can be written to already, its protection is {protection}"));
        return Vec::new();
    }
    plan(model, Wanted::Unlock(unlock))
}

/// Opens the plan of running a command of the operator's own that writes.
pub(super) fn run(model: &mut Model, command: Command) -> Vec<Effect> {
    plan(model, Wanted::Command(command))
}

/// Opens the plan of rotating the crypto API's keyring.
pub(super) fn rotate(model: &mut Model) -> Vec<Effect> {
    plan(model, Wanted::Rotate)
}

/// Whether the current environment is being written to.
pub(in crate::console) fn is_writing(model: &Model) -> bool {
    model.sent.iter().any(|sent| sent.environment == model.current)
}

pub(super) fn plan(model: &mut Model, wanted: Wanted) -> Vec<Effect> {
    let env = model.environment();
    // Taking back what is under way is what else can be done meanwhile.
    if is_writing(model) && !matches!(wanted, Wanted::Rollout(Way::Cancel(_))) {
        model.notice = Some(format!("a write to {} is under way", env.name()));
        return Vec::new();
    }
    let target = env.target();
    let job = model.job();
    model.overlays.push(Overlay::Plan(Box::new(Plan::new(wanted.clone(), model.current, job))));
    vec![Effect::Plan(job.generation, target, wanted)]
}

/// Locks the current environment.
pub(super) fn lock(model: &mut Model) -> Vec<Effect> {
    if model.environment().unlocked.is_none() {
        model.notice = Some(format!("{} is not unlocked", model.environment().name()));
        return Vec::new();
    }
    end(model, model.current, Ended::Asked)
}

/// Locks what has been unlocked long enough.
pub(super) fn time(model: &mut Model) -> Vec<Effect> {
    let now = model.clock.now;
    let over = |env: &EnvState| env.unlocked.as_ref().is_some_and(|unlocked| unlocked.until <= now);
    let over: Vec<usize> = (0..model.environments.len()).filter(|index| over(&model.environments[*index])).collect();
    over.into_iter().flat_map(|index| end(model, index, Ended::Time)).collect()
}

fn end(model: &mut Model, index: usize, ended: Ended) -> Vec<Effect> {
    let env = &mut model.environments[index];
    let Some(unlocked) = env.unlocked.take() else { return Vec::new() };
    env.identity = unlocked.reader;
    let (name, target) = (env.name().to_owned(), env.target());
    let why = if ended == Ended::Time { ": its time is over" } else { "" };
    model.notice = Some(format!("{name} is locked again{why}"));
    let mut effects = vec![Effect::Lock(target, ended)];
    effects.extend(read_again(model, index));
    effects
}

/// Opens the journal of the current environment.
pub(super) fn journal(model: &mut Model) -> Vec<Effect> {
    let job = model.job();
    let env = model.environment();
    let (name, target) = (env.name().to_owned(), env.target());
    model.overlays.push(Overlay::Journal(Journal::new(name, job)));
    vec![Effect::Journal(job.generation, target)]
}

/// What a key does to a plan; `None`: what it does to any text field.
pub(super) fn press(model: &mut Model, key: Key) -> Option<Vec<Effect>> {
    let Some(Overlay::Plan(plan)) = model.overlays.last_mut() else { return None };
    if plan.result().is_some() {
        return None;
    }
    let name = model.environments[plan.environment].name();
    let can_choose = !plan.items.is_empty();
    match key {
        // What can be a part of the answer is; any other key may choose.
        Key::Char(c)
            if can_choose && c != 'y' && !name.contains(c) && model.keymap.action(key, &[Scope::Plan]).is_some() =>
        {
            None
        }
        Key::Char(c) => Some(typed(model, c)),
        Key::Backspace => {
            plan.typed.pop();
            Some(Vec::new())
        }
        Key::Enter => {
            if matches!(plan.stage, Stage::Ready(_)) {
                model.notice = Some(String::from("enter confirms nothing"));
            }
            Some(Vec::new())
        }
        _ => None,
    }
}

/// Moves through the rows of a plan; where its items are chosen, from one to the next, and over what else there is.
pub(super) fn scroll(model: &mut Model, by: isize) {
    let Some(Overlay::Plan(plan)) = model.overlays.last_mut() else { return };
    let before = plan.items.line;
    if plan.can_choose() {
        plan.items.line = before.saturating_add_signed(by).min(plan.items.count().saturating_sub(1));
    }
    let moved = plan.items.line != before;
    let (Some(areas), Some(Overlay::Plan(plan))) = (Areas::of(model), model.overlays.last()) else { return };
    let sight = plan_sight(model, areas.body.union(areas.tabs), plan);
    let here = plan.scroll.min(sight.furthest);
    let to = match sight.cursor {
        Some((first, after)) if moved => first.min(here.max(after.saturating_sub(sight.height))),
        _ => here.saturating_add_signed(by),
    };
    if let Some(Overlay::Plan(plan)) = model.overlays.last_mut() {
        plan.scroll = to.min(sight.furthest);
    }
}

/// What is pasted confirms nothing: a name in the clipboard is not a decision.
pub(super) fn refuses_paste(model: &mut Model) -> bool {
    let refuses = matches!(model.overlays.last(), Some(Overlay::Plan(_)));
    if refuses {
        model.notice = Some(String::from("pasting confirms nothing: type it"));
    }
    refuses
}

fn typed(model: &mut Model, c: char) -> Vec<Effect> {
    let Some(Overlay::Plan(plan)) = model.overlays.last() else { return Vec::new() };
    let env = &model.environments[plan.environment];
    let Stage::Ready(prepared) = &plan.stage else { return Vec::new() };
    let name = env.name().to_owned();
    let confirmation = match asks(env, plan, prepared, model.clock.now) {
        Asks::Nothing => {
            model.notice = Some(format!("nothing is written to {name}"));
            return Vec::new();
        }
        Asks::Yes if c == 'y' => Confirmation::Yes,
        Asks::Yes => return Vec::new(),
        Asks::Name => {
            let Some(Overlay::Plan(plan)) = model.overlays.last_mut() else { return Vec::new() };
            plan.typed.push(c);
            if plan.typed != name {
                return Vec::new();
            }
            Confirmation::Name(std::mem::take(&mut plan.typed))
        }
    };
    confirm(model, confirmation)
}

/// How what is planned has to be confirmed right now.
pub(in crate::console) fn asks(env: &EnvState, plan: &Plan, prepared: &Prepared, now: i64) -> Asks {
    if Sheet::of(prepared, &plan.items, env, None).refused.is_some() {
        return Asks::Nothing;
    }
    match prepared.work {
        Work::Unlock(_) => env.asks_to_unlock(),
        Work::Record(_)
        | Work::Command(_)
        | Work::Rotate(_)
        | Work::Pipeline(_)
        | Work::Data(_)
        | Work::Restart(_)
        | Work::Values(..)
        | Work::Resume(_)
        | Work::Rollout(_) => env.asks_to_write(now),
    }
}

fn confirm(model: &mut Model, confirmation: Confirmation) -> Vec<Effect> {
    let job = model.job();
    let Some(Overlay::Plan(plan)) = model.overlays.last_mut() else { return Vec::new() };
    let (environment, planned) = (plan.environment, plan.job.generation);
    let Stage::Ready(prepared) = std::mem::replace(&mut plan.stage, Stage::Reading) else { return Vec::new() };
    let work = push::chosen(prepared.work.clone(), &plan.items.left);
    plan.stage = Stage::Doing(prepared);
    plan.job = job;
    let again = matches!(work, Work::Values(..) | Work::Resume(_)).then(|| plan.clone());
    model.sent.push(Sent { plan: again, ..Sent::new(job, environment, work.clone()) });
    let target = model.environments[environment].target();
    let order = Order { plan: planned, target, work, confirmation };
    match &order.work {
        Work::Unlock(_) => return vec![Effect::Unlock(job.generation, order)],
        // It may take long, and nobody has to look at it.
        Work::Command(command) if !command.wait => {
            model.overlays.pop();
            model.notice = Some(begun(model, &command.id));
        }
        Work::Rollout(rollout) => {
            model.overlays.pop();
            deploy::begun(model, environment, job, rollout);
        }
        Work::Record(_)
        | Work::Command(_)
        | Work::Rotate(_)
        | Work::Pipeline(_)
        | Work::Data(_)
        | Work::Restart(_)
        | Work::Values(..)
        | Work::Resume(_) => {}
    }
    vec![Effect::Write(job.generation, order)]
}

pub(super) fn planned(model: &mut Model, generation: Generation, answer: Result<Box<Prepared>, Why>) -> Vec<Effect> {
    let print = model.fingerprints.of_documents();
    if let Some(plan) = plan_of(model, generation)
        && plan.stage == Stage::Reading
    {
        plan.stage = match answer {
            Ok(prepared) => {
                if let Work::Values(values, _) = &prepared.work {
                    let before = std::mem::replace(&mut plan.items, Items::of(values, &print));
                    plan.items.leave(&before);
                }
                if let Work::Rollout(rollout) = &prepared.work
                    && let Rollout::Deploy(deployment) = &**rollout
                {
                    plan.items = Items::of_changes(rollout_rows(deployment, &print));
                }
                Stage::Ready(prepared)
            }
            Err(why) => Stage::Failed(why),
        };
    }
    Vec::new()
}

/// A write is done, or failed. What it did is read, whichever.
pub(super) fn written(model: &mut Model, generation: Generation, answer: Result<Option<Why>, Why>) -> Vec<Effect> {
    let is_rollout = |sent: &Sent| sent.job.generation == generation && matches!(sent.work, Work::Rollout(_));
    if let Err(why) = &answer
        && model.sent.iter().any(is_rollout)
    {
        // The gate refused it.
        return deploy::over(model, generation, Err(why.clone()));
    }
    let Some(sent) = take_sent(model, generation) else { return Vec::new() };
    let name = model.environments[sent.environment].name().to_owned();
    if matches!(sent.work, Work::Rotate(_)) {
        model.environments[sent.environment].crypto.wanted = true;
    }
    if let Work::Pipeline(work) = &sent.work {
        pipeline::written(model, sent.environment, work);
    }
    if let Work::Data(work) = &sent.work {
        data::written(model, sent.environment, work);
    }
    match answer {
        Ok(untold) => {
            if model.leaving && model.unfinished().is_none() {
                return quit(model);
            }
            let done = done(model, &sent);
            close(model, generation);
            model.notice = Some(match untold {
                None => format!("{name}: {done}"),
                Some(why) => format!("{name}: {done}, but {}", why.reason),
            });
        }
        Err(why) => fail(model, generation, &name, why),
    }
    read_again(model, sent.environment)
}

/// A command that writes has ended. What it did is read, whichever.
pub(super) fn ran(model: &mut Model, generation: Generation, outcome: Result<String, Why>) -> Vec<Effect> {
    let Some(sent) = take_sent(model, generation) else { return Vec::new() };
    let name = model.environments[sent.environment].name().to_owned();
    let said = match &outcome {
        Ok(said) => said.clone(),
        Err(why) => with_hint(why.clone()),
    };
    let news = news(model, sent.job.since, &said);
    match outcome {
        Ok(_) => {
            close(model, generation);
            model.notice = Some(format!("{name}: {said}"));
        }
        Err(why) => fail(model, generation, &name, why),
    }
    let mut effects = read_again(model, sent.environment);
    effects.extend(news);
    effects
}

pub(super) fn unlocked(model: &mut Model, generation: Generation, answer: Result<Box<Granted>, Why>) -> Vec<Effect> {
    let Some(sent) = take_sent(model, generation) else { return Vec::new() };
    let Work::Unlock(unlock) = &sent.work else { return Vec::new() };
    let name = model.environments[sent.environment].name().to_owned();
    let granted = match answer {
        Ok(granted) => granted,
        Err(why) => {
            fail(model, generation, &name, why);
            return Vec::new();
        }
    };
    let done = done(model, &sent);
    close(model, generation);
    let but = granted.untold.map(|why| format!(", but {}", why.reason)).unwrap_or_default();
    model.notice = Some(format!("{done}: every write is in the journal; :lock ends it{but}"));
    let env = &mut model.environments[sent.environment];
    let reader = match env.unlocked.take() {
        Some(before) => before.reader,
        None => std::mem::take(&mut env.identity),
    };
    env.unlocked = Some(Unlocked { until: granted.until, reason: unlock.reason.clone(), reader });
    env.identity = Remote::Ready(granted.identity);
    read_again(model, sent.environment)
}

/// An environment is locked; only what could not be noted is told.
pub(super) fn locked(model: &mut Model, name: &str, untold: Option<Why>) -> Vec<Effect> {
    if let Some(why) = untold {
        model.notice = Some(format!("{name} is locked, but {}", why.reason));
    }
    Vec::new()
}

pub(super) fn journal_read(model: &mut Model, generation: Generation, answer: Result<Found, Why>) -> Vec<Effect> {
    for overlay in &mut model.overlays {
        if let Overlay::Journal(journal) = overlay
            && journal.job.generation == generation
            && matches!(journal.found, Remote::Loading { .. })
        {
            journal.found = answer.map_or_else(Remote::Failed, Remote::Ready);
            break;
        }
    }
    Vec::new()
}

/// A request for a plan or a journal, or a write, ended without a reply.
pub(super) fn lost(model: &mut Model, generation: Generation, why: &Why) -> Vec<Effect> {
    planned(model, generation, Err(why.clone()));
    journal_read(model, generation, Err(why.clone()));
    history::read(model, generation, Err(why.clone()));
    promote::compared(model, generation, Err(why.clone()));
    promote::lost(model, generation, why);
    if model.sent.iter().any(|sent| sent.job.generation == generation) {
        let why = Why::new("it is not known how far this went: plumb itself failed").hint("u shows the journal");
        return match model.sent.iter().find(|sent| sent.job.generation == generation).map(|sent| sent.plan.is_some()) {
            Some(true) => push::pushed(model, generation, Err(why)),
            _ => written(model, generation, Err(why)),
        };
    }
    Vec::new()
}

fn done(model: &Model, sent: &Sent) -> String {
    let env = &model.environments[sent.environment];
    let prepared = Prepared { writer: Err(Why::new("")), work: sent.work.clone() };
    Sheet::of(&prepared, &Items::default(), env, None).done
}

pub(super) fn take_sent(model: &mut Model, generation: Generation) -> Option<Sent> {
    let at = model.sent.iter().position(|sent| sent.job.generation == generation)?;
    Some(model.sent.remove(at))
}

pub(super) fn plan_of(model: &mut Model, generation: Generation) -> Option<&mut Plan> {
    model.overlays.iter_mut().find_map(|overlay| match overlay {
        Overlay::Plan(plan) if plan.job.generation == generation => Some(&mut **plan),
        _ => None,
    })
}

pub(super) fn close(model: &mut Model, generation: Generation) {
    model.overlays.retain(|overlay| !matches!(overlay, Overlay::Plan(plan) if plan.job.generation == generation));
}

/// Told where the plan is, or in a line when it was left meanwhile; who wanted to leave has to see it.
pub(super) fn fail(model: &mut Model, generation: Generation, name: &str, why: Why) {
    model.leaving = false;
    match plan_of(model, generation) {
        Some(plan) => plan.stage = Stage::Failed(why),
        None => model.notice = Some(format!("{name}: {}", why.reason)),
    }
}
