//! What the pipeline page is answered.

use crate::compare::Why;
use crate::console::effect::Effect;
use crate::console::message::Generation;
use crate::console::model::{EnvState, Model};
use crate::console::page::pipeline::{KEPT, LOOK, Part};
use crate::console::pipeline::{PipelineAnswer, PipelineRead, PipelineSeen};
use crate::ops::pipeline::fields;
use crate::ops::pipeline::registry::Project;

pub(in crate::console::update) fn answered(
    model: &mut Model,
    generation: Generation,
    answer: PipelineAnswer,
) -> Vec<Effect> {
    match answer {
        PipelineAnswer::Seen(answer) => seen(model, generation, answer.map(|seen| *seen)),
        PipelineAnswer::Log(answer) => log(model, generation, answer.map(|read| *read)),
        PipelineAnswer::Branches(answer) => branches(model, generation, answer),
    }
    Vec::new()
}

fn seen(model: &mut Model, generation: Generation, answer: Result<PipelineSeen, Why>) {
    let now = model.clock.now;
    let reads = |env: &EnvState| env.pipeline.reading.is_some_and(|job| job.generation == generation);
    let Some(index) = model.environments.iter().position(reads) else { return };
    let known = &mut model.environments[index].pipeline;
    let (was_read, first) = (known.seen.value().is_some(), known.jobs().first().map(|job| job.id.clone()));
    known.reading = None;
    // One that fails is not tried again at once, either.
    known.tried_at = Some(now);
    if answer.is_ok() {
        known.read_at = Some(now);
    }
    known.trouble = known.seen.answer(answer);
    if index != model.current || model.pipeline.environment != index {
        return;
    }
    // The cursor stays on its job while newer ones come.
    let known = &model.environments[index].pipeline;
    let jobs = known.jobs();
    let state = &mut model.pipeline;
    let kept = state.job.as_ref().and_then(|id| jobs.iter().position(|job| job.id == *id));
    let row = &mut state.rows[Part::Jobs as usize];
    *row = kept.unwrap_or(0);
    let here = jobs.get(*row).map(|job| job.id.clone());
    if state.newest {
        let is_here = was_read && here.is_some() && here != first;
        (state.newest, state.job) = (!is_here, here.filter(|_| is_here));
    } else if kept.is_some() || state.job.is_none() || known.awaited.is_none_or(|until| until <= now) {
        state.job = here;
    }
}

fn log(model: &mut Model, generation: Generation, answer: Result<PipelineRead, Why>) {
    let now = model.clock.now;
    let log = &mut model.pipeline.log;
    if log.reading.is_none_or(|job| job.generation != generation) {
        return;
    }
    log.reading = None;
    match answer {
        Ok(read) => {
            let is_over = read.build.is_over();
            let ended = is_over && log.build.as_ref().is_some_and(|build| !build.is_over());
            log.lines.extend(read.lines.lines);
            let spare = log.lines.len().saturating_sub(KEPT);
            log.lines.drain(..spare);
            log.dropped += spare;
            model.pipeline.found = model.pipeline.found.and_then(|found| found.checked_sub(spare));
            (log.next, log.build, log.trouble) = (read.lines.next, Some(read.build), None);
            log.again = (!is_over).then_some(now + LOOK);
            if ended {
                let current = model.current;
                model.environments[current].pipeline.wanted = true;
            }
        }
        Err(why) => {
            log.trouble = Some(why);
            log.again = log.build.as_ref().is_some_and(|build| !build.is_over()).then_some(now + 5 * LOOK);
        }
    }
}

fn branches(model: &mut Model, generation: Generation, answer: Result<Vec<String>, Why>) {
    if model.pipeline.listing.is_none_or(|job| job.generation != generation) {
        return;
    }
    let of = model.pipeline.of.clone();
    let projects = model.environment().pipeline.projects();
    let globs = projects.iter().find(|project| project.name == of).map(Project::branches).unwrap_or_default();
    let state = &mut model.pipeline;
    state.listing = None;
    let allowed = answer.map(|all| all.into_iter().filter(|branch| fields::allows(&globs, branch)).collect());
    state.branches.answer(allowed);
}

/// The answer will not come: its task failed.
pub(in crate::console::update) fn lost(model: &mut Model, generation: Generation, why: &Why) {
    seen(model, generation, Err(why.clone()));
    log(model, generation, Err(why.clone()));
    branches(model, generation, Err(why.clone()));
}
