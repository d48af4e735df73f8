//! The deploy page: plans of what is done to a stack, what is heard meanwhile, and following what somebody began.

use super::asks::read_again;
use super::mode::{is_writing, plan, take_sent};
use super::opens::{go, quit};
use super::outside::news;
use super::pipeline;
use crate::compare::{Item, Kind, Verdict, Why};
use crate::console::action::Action;
use crate::console::deploy::{DeployAnswer, DeployAsk, Over};
use crate::console::effect::Effect;
use crate::console::message::Generation;
use crate::console::model::{EnvState, Job, Model, Sent};
use crate::console::overlay::{Revert, Rollout, Wanted, Way, Work, whose};
use crate::console::page::Page;
use crate::console::page::deploy::{Choice, Run, State, Worker, choices, chosen, selected};
use crate::console::pointer::Spot;
use crate::console::remote::Remote;
use crate::ops::deploy::{Operation, Standing};

const ELSEWHERE: &str = "only on the deploy page";

/// Why nothing can be planned for the selected stack.
pub(in crate::console) fn no_stack(model: &Model) -> Option<&'static str> {
    if model.page != Page::Deploy {
        return Some(ELSEWHERE);
    }
    selected(model).is_none().then_some("no stack is selected")
}

/// Why nothing can be taken back.
pub(in crate::console) fn nothing_under_way(model: &Model) -> Option<&'static str> {
    let stack = match selected(model) {
        Some(stack) if model.page == Page::Deploy => stack,
        _ => return no_stack(model),
    };
    let runs = model.environment().deploys.runs.get(&stack.name).is_some_and(|run| run.over.is_none());
    (stack.operation.is_none() && !runs).then_some("nothing is under way with the stack")
}

/// Why there is no way out to be taken.
pub(in crate::console) fn not_stuck(model: &Model) -> Option<&'static str> {
    match selected(model) {
        Some(stack) if model.page == Page::Deploy => stack.stuck.is_none().then_some("the stack is not stuck"),
        _ => no_stack(model),
    }
}

pub(in crate::console) fn reading_already(model: &Model) -> Option<&'static str> {
    model.environment().deploys.reading.map(|_| "already reading: esc cancels")
}

pub(in crate::console) fn nothing_to_open(model: &Model) -> Option<&'static str> {
    match chosen(model) {
        Some(Choice::Entry(entry)) if entry.commit.is_none() => Some("this was of no commit"),
        _ => no_stack(model),
    }
}

/// Why nothing of a single resource can be put back.
pub(in crate::console) fn no_resource(model: &Model) -> Option<&'static str> {
    if is_writing(model) {
        return Some("a write is under way");
    }
    let Some(item) = model.selected() else { return Some("no item is selected") };
    match &item.verdict {
        _ if !matches!(item.kind, Kind::Stack | Kind::Code) => Some("only a resource of a stack is put back so"),
        _ if resource(item).is_none() => Some("this is no resource of a stack"),
        Verdict::InSync => Some("live is what git says"),
        Verdict::Ignored(_) => Some("it is ignored"),
        Verdict::Pending | Verdict::GitOnly => Some("nobody changed it by hand: it waits to be deployed"),
        _ => None,
    }
}

/// The stack and the logical id of an item that is a resource of one.
fn resource(item: &Item) -> Option<(String, String)> {
    let of_stack = item.name.strip_prefix(&item.unit).and_then(|rest| rest.strip_prefix('/'));
    let (stack, id) = match &item.logical_id {
        Some(known) => known.split_once('/')?,
        None => (&*item.unit, of_stack?),
    };
    let is_resource = matches!(item.kind, Kind::Stack | Kind::Code) && !stack.is_empty() && !id.is_empty();
    is_resource.then(|| (stack.to_owned(), id.to_owned()))
}

pub(super) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    let here = selected(model).filter(|_| model.page == Page::Deploy).map(|stack| stack.name.clone());
    let way = match (action, here) {
        (Action::Deploy, _) => Way::Redeploy { after: None },
        (Action::DeployRevert, Some(stack)) => Way::Deploy { stack, to: None, revert: Revert::All },
        (Action::RevertOne, _) => match model.selected().and_then(resource) {
            Some((stack, id)) => Way::Deploy { stack, to: None, revert: Revert::One(id) },
            None => return Vec::new(),
        },
        (Action::DeployCancel, Some(stack)) => Way::Cancel(stack),
        (Action::DeployRecover, Some(stack)) => Way::Recover { stack, leave: false },
        (Action::DeployRecoverLeaving, Some(stack)) => Way::Recover { stack, leave: true },
        _ => return Vec::new(),
    };
    plan(model, Wanted::Rollout(way))
}

/// Opens what is selected: the past of a stack; of a function the plan of its previous version, of an entry that of its
/// commit.
pub(super) fn open(model: &mut Model) -> Vec<Effect> {
    let Some(stack) = selected(model).map(|stack| stack.name.clone()) else { return Vec::new() };
    let way = match chosen(model) {
        None => {
            model.deploy.below = true;
            return Vec::new();
        }
        Some(Choice::Function(function)) => Way::Turn(format!("{stack}/{function}")),
        Some(Choice::Entry(entry)) => Way::Deploy { stack, to: entry.commit.clone(), revert: Revert::Nothing },
    };
    plan(model, Wanted::Rollout(way))
}

pub(super) fn step(model: &mut Model, by: isize) {
    let stacks = model.environment().deploys.standings().len();
    let lines = selected(model).map_or(0, |stack| choices(stack).len());
    let state = &mut model.deploy;
    let moved = |at: usize, count: usize| at.saturating_add_signed(by).min(count.saturating_sub(1));
    if state.below {
        state.line = moved(state.line, lines);
    } else {
        let row = moved(state.row, stacks);
        if row != state.row {
            (state.row, state.line, state.offset) = (row, 0, 0);
        }
    }
}

pub(super) fn other_part(model: &mut Model) {
    model.deploy.below = !model.deploy.below;
}

/// Reads the stacks again.
pub(super) fn refresh(model: &mut Model) -> Vec<Effect> {
    let current = model.current;
    vec![read(model, current)]
}

fn read(model: &mut Model, index: usize) -> Effect {
    let job = model.job();
    let env = &mut model.environments[index];
    (env.deploys.wanted, env.deploys.again) = (false, None);
    env.deploys.reading = Some(job);
    env.deploys.stacks.ask(job.since);
    Effect::Deploy(job.generation, env.target(), DeployAsk::Stacks)
}

/// Aborts the reading of the page.
pub(super) fn cancel(model: &mut Model) -> Option<Vec<Effect>> {
    if model.page != Page::Deploy {
        return None;
    }
    if model.deploy.below && model.environment().deploys.reading.is_none() {
        model.deploy.below = false;
        return Some(Vec::new());
    }
    let known = &mut model.environments[model.current].deploys;
    let job = known.reading.take()?;
    known.stacks.give_up(&Why::new("cancelled").hint("r reads it"));
    model.notice = Some(String::from("cancelled: r reads the stacks"));
    Some(vec![Effect::Cancel(job.generation)])
}

/// Keeps what the page remembers that environment's which is looked at, and reads the stacks where they are wanted: on the
/// page, and wherever something is under way.
pub(super) fn settle(model: &mut Model) -> Vec<Effect> {
    if model.deploy.environment != model.current {
        model.deploy = State { environment: model.current, ..State::default() };
    }
    let stacks = model.environment().deploys.standings().len();
    model.deploy.row = model.deploy.row.min(stacks.saturating_sub(1));
    let lines = selected(model).map_or(0, |stack| choices(stack).len());
    model.deploy.line = model.deploy.line.min(lines.saturating_sub(1));
    let mut effects = Vec::new();
    for index in 0..model.environments.len() {
        let env = &model.environments[index];
        let here = index == model.current;
        let looked_at = here && (model.page == Page::Deploy || is_under_way(env));
        let unread = matches!(env.deploys.stacks, Remote::Idle);
        let is_due = env.deploys.again.is_some_and(|at| at <= model.clock.now);
        let is_known = env.wrong_account().is_none();
        if is_known && env.deploys.reading.is_none() && (env.deploys.wanted || is_due || looked_at && unread) {
            effects.push(read(model, index));
        }
    }
    effects
}

/// Whether the comparison has found a stack that CloudFormation is at work on.
fn is_under_way(env: &EnvState) -> bool {
    let units = env.section(Kind::Stack).value().map_or(&[][..], |section| &section.units);
    units.iter().any(|unit| unit.status.ends_with("_IN_PROGRESS") && unit.status != "REVIEW_IN_PROGRESS")
}

/// What was confirmed begins: it is looked at on its page.
pub(super) fn begun(model: &mut Model, environment: usize, job: Job, rollout: &Rollout) {
    let stack = rollout.stack().to_owned();
    let known = &mut model.environments[environment].deploys;
    let last = known.standings().iter().find(|standing| standing.name == stack).and_then(Standing::last_took);
    let run = Run::begun(job, rollout.doing(), last);
    let worker = match rollout {
        Rollout::Redeploy(_) => Worker::GitHub,
        Rollout::Pipeline(_) => Worker::Pipeline,
        _ => Worker::CloudFormation,
    };
    known.runs.insert(stack.clone(), Run { worker, ..run });
    if environment == model.current {
        go(model, Page::Deploy);
        let rows = model.environment().deploys.standings();
        let row = rows.iter().position(|standing| standing.name == stack);
        // What is done to all stacks is seen whichever is selected.
        let row = row.unwrap_or(if worker == Worker::CloudFormation { 0 } else { model.deploy.row });
        model.deploy = State { environment, row, ..State::default() };
    }
}

/// A click selects a stack, or a function or an entry of the past; a second one opens it.
pub(super) fn press(model: &mut Model, spot: Spot) -> Vec<Effect> {
    let (was_below, state) = (model.deploy.below, &mut model.deploy);
    match spot {
        Spot::Stack(row) => {
            state.below = false;
            if row != state.row {
                (state.row, state.line, state.offset) = (row, 0, 0);
            }
            Vec::new()
        }
        Spot::Deployed(Some(line)) => {
            let again = was_below && state.line == line;
            (state.below, state.line) = (true, line);
            if again { open(model) } else { Vec::new() }
        }
        Spot::Deployed(None) => {
            state.below = true;
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// The wheel moves what it is over.
pub(super) fn look(model: &mut Model, spot: Spot) {
    model.deploy.below = matches!(spot, Spot::Deployed(_));
}

pub(super) fn answered(model: &mut Model, generation: Generation, answer: DeployAnswer) -> Vec<Effect> {
    match answer {
        DeployAnswer::Stacks(answer) => stacks(model, generation, answer),
        DeployAnswer::Heard(heard) => {
            if let Some((_, _, run)) = run_of(model, generation) {
                run.hear(heard);
            }
            Vec::new()
        }
        DeployAnswer::Over(answer) => over(model, generation, answer),
    }
}

fn stacks(model: &mut Model, generation: Generation, answer: Result<Vec<Standing>, Why>) -> Vec<Effect> {
    let now = model.clock.now;
    let reads = |env: &EnvState| env.deploys.reading.is_some_and(|job| job.generation == generation);
    let Some(index) = model.environments.iter().position(reads) else { return Vec::new() };
    let known = &mut model.environments[index].deploys;
    known.reading = None;
    let is_new = answer.is_ok();
    if is_new {
        known.read_at = Some(now);
    }
    known.trouble = known.stacks.answer(answer);
    // What was known before says nothing of what is under way now.
    if !is_new {
        // Something is under way as far as anybody knows: it is looked for until it is seen again.
        if known.lost > 0 {
            known.lost = known.lost.saturating_add(1);
            known.again = Some(now + pause(known.lost));
        }
        return Vec::new();
    }
    let unfollowed = |standing: &Standing| {
        let operation = standing.operation.clone()?;
        let followed = known.runs.get(&standing.name).is_some_and(|run| run.over.is_none());
        (!followed).then(|| (operation, standing.last_took()))
    };
    let operations: Vec<(Operation, Option<i64>)> = known.standings().iter().filter_map(unfollowed).collect();
    operations.into_iter().map(|(operation, last)| follow(model, index, operation, last)).collect()
}

/// Looks on at what is under way, whoever began it.
fn follow(model: &mut Model, index: usize, operation: Operation, last: Option<i64>) -> Effect {
    let job = model.job();
    let whose = whose(&operation);
    let env = &mut model.environments[index];
    let run = Run { whose: Some(whose), since: operation.since, ..Run::begun(job, "at work", last) };
    env.deploys.runs.insert(operation.stack.clone(), run);
    let (name, stack) = (env.name().to_owned(), operation.stack.clone());
    let effect = Effect::Deploy(job.generation, env.target(), DeployAsk::Follow(operation));
    if model.page != Page::Deploy {
        let key = model.keymap.key(Action::DeployPage);
        model.notice = Some(format!("{name}: CloudFormation is at work on {stack}; {key} looks on"));
    }
    effect
}

fn run_of(model: &mut Model, generation: Generation) -> Option<(usize, String, &mut Run)> {
    model.environments.iter_mut().enumerate().find_map(|(index, env)| {
        let mut runs = env.deploys.runs.iter_mut();
        let (stack, run) = runs.find(|(_, run)| run.job.generation == generation && run.over.is_none())?;
        Some((index, stack.clone(), run))
    })
}

/// It came to an end, or is not followed any more. What it did is read, whichever.
pub(super) fn over(model: &mut Model, generation: Generation, answer: Result<Box<Over>, Why>) -> Vec<Effect> {
    let is_of = |sent: &Sent| sent.job.generation == generation && matches!(sent.work, Work::Rollout(_));
    let was_sent = model.sent.iter().any(is_of) && take_sent(model, generation).is_some();
    let Some((index, stack, run)) = run_of(model, generation) else {
        // What takes it back is followed in its place.
        let leaves = model.leaving && was_sent && model.unfinished().is_none();
        return if leaves { quit(model) } else { Vec::new() };
    };
    let said = match &answer {
        Ok(over) => match (&over.why, &over.status) {
            (Some(why), _) => why.reason.clone(),
            (None, Some(status)) => format!("{stack}: {status}"),
            (None, None) => format!("{stack}: done"),
        },
        Err(why) => why.reason.clone(),
    };
    let (since, is_well) = (run.job.since, matches!(&answer, Ok(over) if over.why.is_none()));
    let (then, job) = answer.as_ref().map(|over| (over.then.clone(), over.job.clone())).unwrap_or_default();
    let is_lost = answer.is_err() && run.whose.is_some();
    run.step = None;
    run.over = Some(answer);
    let known = &mut model.environments[index].deploys;
    if is_lost {
        // It is still under way as far as anybody knows, and would be followed again at once.
        known.lost = known.lost.saturating_add(1);
        known.again = Some(model.clock.now + pause(known.lost));
    } else {
        (known.wanted, known.lost) = (true, 0);
    }
    if model.leaving && was_sent && model.unfinished().is_none() && is_well {
        return quit(model);
    }
    model.leaving = false;
    if model.page != Page::Deploy || index != model.current {
        model.notice = Some(format!("{}: {said}", model.environments[index].name()));
    }
    let mut effects = read_again(model, index);
    effects.extend(news(model, since, &said));
    if let Some(way) = then {
        effects.extend(go_on(model, index, way));
    }
    if let Some(job) = job {
        effects.extend(pipeline::asked(model, index, job));
    }
    effects
}

/// How long nobody looks after what could not be followed so many times, one after the other.
fn pause(times: u32) -> i64 {
    5000 << times.saturating_sub(1).min(4)
}

/// Whether the operator looks on at what is done to an environment's stacks, with nothing over it.
pub(super) fn looks_on(model: &Model, index: usize) -> bool {
    model.page == Page::Deploy && index == model.current && model.overlays.is_empty()
}

/// What comes next of a redeploy is planned where its operator looks on; elsewhere that it waits is told.
fn go_on(model: &mut Model, index: usize, way: Way) -> Vec<Effect> {
    if looks_on(model, index) && !is_writing(model) {
        return plan(model, Wanted::Rollout(way));
    }
    let (name, key) = (model.environments[index].name(), model.keymap.key(Action::Deploy));
    model.notice = Some(format!("{name}: there are more stacks to be redeployed: {key} plans them"));
    Vec::new()
}

/// A change set could not be taken back.
pub(super) fn abandoned(model: &mut Model, name: &str, answer: Result<(), Why>) -> Vec<Effect> {
    model.notice = Some(match answer {
        Ok(()) => format!("{name}: the change set is deleted again; nothing was changed"),
        Err(why) => format!("{name}: a change set is left behind: {}", why.reason),
    });
    Vec::new()
}

/// The answer will not come: its task failed.
pub(super) fn lost(model: &mut Model, generation: Generation, why: &Why) -> Vec<Effect> {
    let mut effects = stacks(model, generation, Err(why.clone()));
    effects.extend(over(model, generation, Err(why.clone())));
    effects
}
