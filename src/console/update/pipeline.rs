//! The pipeline page: choosing what is looked at, reading it, its log, and the plans of what is done.

mod answers;

use ratatui::layout::Rect;

pub(super) use self::answers::{answered, lost};
use super::deploy::looks_on;
use super::mode::plan;
use super::opens::go;
use crate::compare::Why;
use crate::console::action::{Action, already_on};
use crate::console::effect::Effect;
use crate::console::model::Model;
use crate::console::overlay::{Overlay, Picker, PipelineWanted, PipelineWork, Wanted};
use crate::console::page::Page;
use crate::console::page::pipeline::{AWAITED, Log, Part, Place, State, again, job, letter, project};
use crate::console::pipeline::PipelineAsk;
use crate::console::remote::Remote;
use crate::console::view::{pipeline_heights, pipeline_log_begins};

/// Why there is no such page.
pub(in crate::console) const NONE: &str =
    "this project has no deploy pipeline: [pipeline] in plumb.toml names its stack";

pub(in crate::console) fn no_page(model: &Model) -> Option<&'static str> {
    if model.environment().has_pipeline() { already_on(model, Page::Pipeline) } else { Some(NONE) }
}

pub(in crate::console) fn reading_already(model: &Model) -> Option<&'static str> {
    model.environment().pipeline.reading.map(|_| "already reading: esc cancels")
}

pub(in crate::console) fn nothing_to_open(model: &Model) -> Option<&'static str> {
    if model.pipeline.below {
        return Some("already open: esc goes back");
    }
    let none = model.environment().pipeline.count(model.pipeline.part) == 0;
    none.then_some("nothing is selected")
}

pub(in crate::console) fn no_project(model: &Model) -> Option<&'static str> {
    project(model).err()
}

pub(in crate::console) fn not_running(model: &Model) -> Option<&'static str> {
    match job(model).map(|job| &job.build) {
        Some(Some(build)) => build.is_over().then_some("the job has ended"),
        Some(None) => Some("the job has no build"),
        None => Some("no job is selected"),
    }
}

pub(in crate::console) fn not_built(model: &Model) -> Option<&'static str> {
    match job(model).map(|job| &job.build) {
        Some(Some(build)) => (!build.is_over()).then_some("the job goes on"),
        Some(None) => Some("the job has no build: t asks anew"),
        None => Some("no job is selected"),
    }
}

pub(in crate::console) fn no_letter(model: &Model) -> Option<&'static str> {
    match letter(model) {
        Some(letter) => letter.text.is_none().then_some("nothing of this letter is a message"),
        None => Some("no dead letter is selected"),
    }
}

pub(in crate::console) fn no_log(model: &Model) -> Option<&'static str> {
    job(model).is_none().then_some("no job is selected")
}

pub(super) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    let wish = match action {
        Action::PipelineTrigger => return pick(model),
        Action::PipelineStop => job(model).cloned().map(|job| PipelineWanted::Stop(Box::new(job))),
        Action::PipelineRetry => job(model).cloned().map(|job| PipelineWanted::Retry(Box::new(job))),
        Action::PipelineReplay => letter(model).cloned().map(|letter| PipelineWanted::Replay(Box::new(letter))),
        Action::PipelineFollow => {
            let log = &mut model.pipeline.log;
            log.follows = !log.follows;
            let said = if log.follows { "the end of the log stays in sight" } else { "the log stays where it is" };
            model.notice = Some(String::from(said));
            None
        }
        _ => None,
    };
    wish.map(|wish| plan(model, Wanted::Pipeline(wish))).unwrap_or_default()
}

/// Lists the branches of the selected project that it builds.
fn pick(model: &mut Model) -> Vec<Effect> {
    let Ok(project) = project(model) else { return Vec::new() };
    let (name, url) = (project.name.clone(), project.field("repository").unwrap_or_default().to_owned());
    let job = model.job();
    let state = &mut model.pipeline;
    (state.of, state.listing) = (name, Some(job));
    state.branches = Remote::Idle;
    state.branches.ask(job.since);
    model.overlays.push(Overlay::Picker(Picker { branches: true, ..Picker::default() }));
    vec![Effect::Pipeline(job.generation, model.environment().target(), PipelineAsk::Branches(url))]
}

/// A branch was chosen.
pub(super) fn chosen(model: &mut Model, branch: String) -> Vec<Effect> {
    let name = model.pipeline.of.clone();
    plan(model, Wanted::Pipeline(PipelineWanted::Trigger(name, branch)))
}

/// Goes into what is selected.
pub(super) fn open(model: &mut Model) -> Vec<Effect> {
    model.pipeline.below = true;
    Vec::new()
}

pub(super) fn other_part(model: &mut Model) {
    let state = &mut model.pipeline;
    (state.part, state.below, state.offset) = (state.part.next(), false, 0);
}

pub(super) fn step(model: &mut Model, by: isize) {
    let count = model.environment().pipeline.count(model.pipeline.part);
    let state = &mut model.pipeline;
    if state.below {
        // How far there is to go is known where it is drawn: scrolling ends there.
        state.offset = state.offset.saturating_add_signed(by);
        state.log.follows &= by > 0;
        return;
    }
    let row = state.row().saturating_add_signed(by).min(count.saturating_sub(1));
    *state.row_mut() = row;
    if state.part == Part::Jobs {
        let id = model.environment().pipeline.jobs().get(row).map(|job| job.id.clone());
        (model.pipeline.job, model.pipeline.newest) = (id, false);
    }
}

/// Goes to the next line of the log that holds what is looked for; otherwise says why there is none.
pub(super) fn seek(model: &mut Model, forward: bool) -> Result<(), String> {
    let find = model.keymap.key(Action::Filter);
    let head = pipeline_log_begins(model);
    let state = &mut model.pipeline;
    if state.find.text.is_empty() {
        return Err(format!("{find} looks for something in the log"));
    }
    let holds = state.holds();
    let lines = &state.log.lines;
    let holds = |at: &usize| lines.get(*at).is_some_and(&holds);
    let found = match (forward, state.found) {
        (true, here) => (here.map_or(0, |here| here + 1)..lines.len()).find(holds),
        (false, here) => (0..here.unwrap_or(lines.len()).min(lines.len())).rev().find(holds),
    };
    let Some(found) = found else {
        let where_to = if forward { "further down" } else { "further up" };
        return Err(format!("{:?} is not {where_to} in the log", state.find.text));
    };
    state.found = Some(found);
    (state.below, state.log.follows, state.offset) = (true, false, (head + found).saturating_sub(2));
    Ok(())
}

/// A click.
pub(super) fn press(model: &mut Model, place: Place) -> Vec<Effect> {
    let again = !model.pipeline.below && place == Place::Row(model.pipeline.row());
    look(model, place);
    if let Place::Row(row) = place {
        if again {
            return open(model);
        }
        *model.pipeline.row_mut() = row;
        step(model, 0);
    }
    Vec::new()
}

/// The wheel moves what it is over.
pub(super) fn look(model: &mut Model, place: Place) {
    model.pipeline.below = place == Place::Below;
}

/// Keeps the lower part within its lines, and the end of a log that is followed in sight.
pub(super) fn scroll(model: &mut Model, body: Rect) {
    let (total, height) = pipeline_heights(model, body);
    let furthest = total.saturating_sub(height);
    let state = &mut model.pipeline;
    let follows = state.part == Part::Jobs && state.log.follows;
    state.offset = if follows { furthest } else { state.offset.min(furthest) };
}

/// Reads everything again.
pub(super) fn refresh(model: &mut Model) -> Vec<Effect> {
    model.pipeline.log.again = Some(model.clock.now);
    let current = model.current;
    let mut effects = vec![read(model, current)];
    effects.extend(time(model));
    effects
}

fn read(model: &mut Model, index: usize) -> Effect {
    let job = model.job();
    let env = &mut model.environments[index];
    env.pipeline.wanted = false;
    env.pipeline.reading = Some(job);
    env.pipeline.seen.ask(job.since);
    Effect::Pipeline(job.generation, env.target(), PipelineAsk::Look)
}

/// Aborts what the page waits for.
pub(super) fn cancel(model: &mut Model) -> Option<Vec<Effect>> {
    if model.page != Page::Pipeline {
        return None;
    }
    let known = &mut model.environments[model.current].pipeline;
    // A look that nobody asked for is no reason not to go back.
    let job = known.reading.take_if(|_| !model.pipeline.below)?;
    known.seen.give_up(&Why::new("cancelled").hint("r reads it"));
    known.tried_at = Some(model.clock.now);
    model.notice = Some(String::from("cancelled: r reads the jobs"));
    Some(vec![Effect::Cancel(job.generation)])
}

/// The choice of a branch was left: they are waited for no longer.
pub(super) fn left_picker(model: &mut Model) -> Option<Effect> {
    let job = model.pipeline.listing.take()?;
    model.pipeline.branches = Remote::Idle;
    Some(Effect::Cancel(job.generation))
}

/// Something was done: its job is looked for.
pub(super) fn written(model: &mut Model, environment: usize, work: &PipelineWork) {
    let known = &mut model.environments[environment].pipeline;
    known.wanted = true;
    if matches!(work, PipelineWork::Stop(_)) {
        return;
    }
    known.awaited = Some(model.clock.now + AWAITED);
    if environment == model.current {
        // A new one is the first.
        let state = &mut model.pipeline;
        (state.part, state.job, state.newest, state.rows[Part::Jobs as usize]) = (Part::Jobs, None, true, 0);
    }
}

/// A redeploy was asked for: its job is looked for, on the page if its operator looks on.
pub(super) fn asked(model: &mut Model, environment: usize, job: String) -> Vec<Effect> {
    let known = &mut model.environments[environment].pipeline;
    (known.wanted, known.awaited) = (true, Some(model.clock.now + AWAITED));
    if !looks_on(model, environment) {
        return Vec::new();
    }
    let effects = left(&model.pipeline).collect();
    model.pipeline = State { environment, job: Some(job), ..State::default() };
    go(model, Page::Pipeline);
    model.notice = Some(String::from("it is asked for: its job is looked for, which takes the pipeline some seconds"));
    effects
}

/// What is due: the log that goes on, and jobs that do.
pub(super) fn time(model: &mut Model) -> Vec<Effect> {
    let now = model.clock.now;
    if model.page != Page::Pipeline {
        return Vec::new();
    }
    let mut effects = Vec::new();
    if again(model).is_some_and(|at| at <= now) {
        let current = model.current;
        effects.push(read(model, current));
    }
    let log = &model.pipeline.log;
    if log.again.is_some_and(|at| at <= now)
        && log.reading.is_none()
        && let Some(build) = log.build.clone()
    {
        let next = log.next.clone();
        let job = model.job();
        (model.pipeline.log.reading, model.pipeline.log.again) = (Some(job), None);
        let ask = PipelineAsk::Log(Box::new(build), next);
        effects.push(Effect::Pipeline(job.generation, model.environment().target(), ask));
    }
    effects
}

/// Keeps what the page remembers that environment's which is looked at, reads what is wanted, and has the log that of the
/// selected job.
pub(super) fn settle(model: &mut Model) -> Vec<Effect> {
    let mut effects = Vec::new();
    if model.pipeline.environment != model.current {
        effects.extend(left(&model.pipeline));
        model.pipeline = State { environment: model.current, ..State::default() };
    }
    for part in Part::ALL {
        let count = model.environment().pipeline.count(part);
        let row = &mut model.pipeline.rows[part as usize];
        *row = (*row).min(count.saturating_sub(1));
    }
    for index in 0..model.environments.len() {
        let env = &model.environments[index];
        let looked_at = index == model.current && model.page == Page::Pipeline;
        let wanted = env.pipeline.wanted || looked_at && matches!(env.pipeline.seen, Remote::Idle);
        if wanted && env.has_pipeline() && env.wrong_account().is_none() && env.pipeline.reading.is_none() {
            effects.push(read(model, index));
        }
    }
    if model.page == Page::Pipeline {
        effects.extend(logged(model));
    }
    effects
}

/// What is no longer waited for.
fn left(state: &State) -> impl Iterator<Item = Effect> + use<> {
    [state.log.reading, state.listing].into_iter().flatten().map(|job| Effect::Cancel(job.generation))
}

/// The log is that of the selected job.
fn logged(model: &mut Model) -> Vec<Effect> {
    if model.pipeline.part != Part::Jobs {
        return Vec::new();
    }
    let build = job(model).and_then(|job| job.build.clone());
    let is_same = build.as_ref().map(|build| &build.id) == model.pipeline.log.build.as_ref().map(|build| &build.id);
    if is_same {
        return Vec::new();
    }
    let effects = model.pipeline.log.reading.map(|job| Effect::Cancel(job.generation)).into_iter().collect();
    let follows = build.as_ref().is_some_and(|build| !build.is_over());
    let again = build.as_ref().map(|_| model.clock.now);
    (model.pipeline.offset, model.pipeline.found) = (0, None);
    model.pipeline.log = Log { build, again, follows, ..Log::default() };
    let mut effects: Vec<Effect> = effects;
    effects.extend(time(model));
    effects
}
