//! Asking: what is read, when, and how many at a time.

use super::outside;
use super::requests::give_up;
use super::{crypto, data, deploy, pipeline};
use crate::compare::Why;
use crate::console::backend::{Ask, Fresh};
use crate::console::effect::Effect;
use crate::console::model::{Missed, Model, Revealing};
use crate::console::page::{ItemId, Page, Zoom};
use crate::console::remote::Remote;

/// How many environments are read at a time; the current one never waits for a place.
const AT_ONCE: usize = 4;

/// Reads the current environment at once, others beside it, and the files of other projects; fetches meanwhile.
pub(super) fn start(model: &mut Model) -> Vec<Effect> {
    for env in &mut model.environments {
        env.want(Ask::all(Fresh::Cached));
    }
    let mut effects = begin_wanted(model);
    effects.push(fetch(model, model.current, false));
    effects.extend((1..model.fleet.projects.len()).map(|index| open_project(model, index)));
    effects
}

/// Reads again what the operator is on: all that the overview shows, the kinds of a page, or one item.
pub(super) fn refresh(model: &mut Model) -> Vec<Effect> {
    if model.page == Page::Overview {
        return refresh_all(model, Fresh::Cached);
    }
    if model.page == Page::Crypto {
        return crypto::refresh(model);
    }
    if model.page == Page::Data {
        return data::refresh(model);
    }
    if model.page == Page::Deploy {
        return deploy::refresh(model);
    }
    if model.page == Page::Pipeline {
        return pipeline::refresh(model);
    }
    let item = model.selected().map(ItemId::of).filter(|_| model.list().zoom != Zoom::Split);
    if let Some(id) = item {
        // Git is not asked: this is about what somebody is just changing live.
        model.environment_mut().want(Ask::one(id.kind, &id.name));
        return begin_wanted(model);
    }
    let ask = Ask::kinds(Fresh::Cached, model.page.kinds());
    model.environment_mut().want(ask);
    fetch_first(model, model.current).into_iter().collect()
}

/// Fetches and reads everything of every environment, and the files of projects that could not be read.
pub(super) fn refresh_all(model: &mut Model, fresh: Fresh) -> Vec<Effect> {
    let mut effects = Vec::new();
    let mut fetched: Vec<String> = Vec::new();
    let others = (0..model.environments.len()).filter(|index| *index != model.current);
    let order: Vec<usize> = std::iter::once(model.current).chain(others).collect();
    for index in order {
        let env = &mut model.environments[index];
        if env.inspecting.is_some() {
            continue;
        }
        env.want(Ask::all(fresh));
        let project = env.project().to_owned();
        if !fetched.contains(&project) {
            effects.extend(fetch_first(model, index));
            fetched.push(project);
        }
    }
    let failed = |index: &usize| matches!(model.fleet.projects[*index].files, Remote::Failed(_));
    let failed: Vec<usize> = (0..model.fleet.projects.len()).filter(failed).collect();
    effects.extend(failed.into_iter().map(|index| open_project(model, index)));
    effects
}

/// Reads the current environment with a new drift detection; on the overview every environment.
pub(super) fn detect(model: &mut Model) -> Vec<Effect> {
    if model.page == Page::Overview {
        return refresh_all(model, Fresh::Detect);
    }
    model.environment_mut().want(Ask::all(Fresh::Detect));
    fetch_first(model, model.current).into_iter().collect()
}

/// Reads the current environment again without fetching.
pub(super) fn refresh_quietly(model: &mut Model) -> Vec<Effect> {
    model.environment_mut().want(Ask::all(Fresh::Cached));
    begin_wanted(model)
}

/// Reads an environment again, and forgets what is being read of it: that is asked under another name, or is older than
/// what was just written.
pub(super) fn read_again(model: &mut Model, index: usize) -> Vec<Effect> {
    let env = &mut model.environments[index];
    let cancelled = env.inspecting.take().map(|job| Effect::Cancel(job.generation));
    env.want(Ask::all(Fresh::Cached));
    let mut effects: Vec<Effect> = cancelled.into_iter().collect();
    effects.extend(begin_wanted(model));
    effects
}

/// Reads the current environment, and fetches its project, when that has not happened yet.
pub(super) fn entered(model: &mut Model) -> Vec<Effect> {
    let mut effects: Vec<Effect> = super::changes::entered(model).into_iter().collect();
    effects.extend(entered_git(model));
    effects
}

fn entered_git(model: &mut Model) -> Vec<Effect> {
    let project = model.project().to_owned();
    if model.refs_of != project {
        model.refs = Remote::Idle;
        model.refs_asked = None;
        model.refs_of.clone_from(&project);
    }
    let env = model.environment_mut();
    if env.read_at.is_none() && env.inspecting.is_none() {
        env.want(Ask::all(Fresh::Cached));
    }
    let mut effects = begin_wanted(model);
    if model.fleet.project_mut(&project).is_some_and(|project| !project.fetched) {
        effects.push(fetch(model, model.current, false));
    }
    effects
}

/// Compares the current environment with another commit.
pub(super) fn compare_with(model: &mut Model, git_ref: Option<String>) -> Vec<Effect> {
    let mut effects = Vec::new();
    let env = model.environment_mut();
    env.git_ref = git_ref;
    if let Some(job) = env.inspecting.take() {
        effects.push(Effect::Cancel(job.generation));
    }
    env.forget();
    env.commit = Remote::Idle;
    env.want(Ask::all(Fresh::Cached));
    effects.extend(begin_wanted(model));
    effects
}

/// Aborts what the current page waits for, and leaves what was there; `None` when it waits for nothing.
pub(super) fn cancel(model: &mut Model) -> Option<Vec<Effect>> {
    if let Some(effect) = outside::cancel(model) {
        return Some(vec![effect]);
    }
    if let Some(effects) = crypto::cancel(model)
        .or_else(|| data::cancel(model))
        .or_else(|| deploy::cancel(model))
        .or_else(|| pipeline::cancel(model))
    {
        return Some(effects);
    }
    if let Some(Revealing::Reading(job)) = model.revealed() {
        let generation = job.generation;
        model.reveal = None;
        model.notice = Some(String::from("cancelled: the values were not read"));
        return Some(vec![Effect::Cancel(generation)]);
    }
    let (current, all) = (model.current, model.page == Page::Overview);
    let mut effects = Vec::new();
    for (index, env) in model.environments.iter_mut().enumerate() {
        if index != current && !all {
            continue;
        }
        if env.inspecting.is_some() || env.fetching.is_some() {
            env.wanted = None;
        }
        effects.extend(env.fetching.take().map(|(job, _)| Effect::Cancel(job.generation)));
        if let Some(job) = env.inspecting.take() {
            effects.push(Effect::Cancel(job.generation));
            give_up(env, &Why::new("cancelled").hint("r reads again"), Missed::Cancelled);
        }
    }
    if effects.is_empty() {
        return None;
    }
    if all {
        model.environments.iter_mut().for_each(|env| env.wanted = None);
    }
    model.notice = Some(String::from("cancelled: r reads again"));
    model.rebuild();
    effects.extend(begin_wanted(model));
    Some(effects)
}

/// Lists the current project's refs, for the choice of one or to see whether one moved.
pub(super) fn ask_refs(model: &mut Model) -> Vec<Effect> {
    if matches!(model.refs, Remote::Loading { .. }) {
        return Vec::new();
    }
    let job = model.job();
    model.refs.ask(job.since);
    model.refs_asked = Some(job.generation);
    model.refs_of = model.project().to_owned();
    vec![Effect::Refs(job.generation, model.refs_of.clone())]
}

/// Begins what is wanted: the current environment at once, the others as there are places.
pub(super) fn begin_wanted(model: &mut Model) -> Vec<Effect> {
    let mut effects = Vec::new();
    let order: Vec<usize> = std::iter::once(model.current).chain(0..model.environments.len()).collect();
    for index in order {
        let reading = model.environments.iter().filter(|env| env.inspecting.is_some()).count();
        if index != model.current && reading >= AT_ONCE {
            break;
        }
        if model.environments[index].inspecting.is_none()
            && !waits_for_fetch(model, index)
            && let Some(ask) = model.environments[index].wanted.take()
        {
            effects.push(inspect(model, index, ask));
        }
    }
    effects
}

/// Whether the environment's project is being fetched first.
fn waits_for_fetch(model: &Model, index: usize) -> bool {
    let project = model.environments[index].project();
    let mut fetching = model.environments.iter().filter(|env| env.project() == project);
    fetching.any(|env| env.fetching.is_some_and(|(_, first)| first))
}

fn inspect(model: &mut Model, index: usize, ask: Ask) -> Effect {
    let job = model.job();
    let env = &mut model.environments[index];
    env.inspecting = Some(job);
    env.asked_at = Some(job.since);
    env.calls = None;
    env.progress.clear();
    env.identity.ask(job.since);
    env.commit.ask(job.since);
    // One item leaves the others as they are.
    if ask.only.is_none() {
        for kind in &ask.kinds {
            env.section_mut(*kind).ask(job.since);
        }
    }
    env.asked = Some(ask.clone());
    let target = env.target();
    model.rebuild();
    Effect::Inspect(job.generation, target, ask)
}

/// Fetches before the project's environments are read; `None` when that is under way.
fn fetch_first(model: &mut Model, index: usize) -> Option<Effect> {
    let project = model.environments[index].project().to_owned();
    let mut under_way = model.environments.iter_mut().filter(|env| env.project() == project);
    if let Some((_, first)) = under_way.find_map(|env| env.fetching.as_mut()) {
        *first = true;
        return None;
    }
    Some(fetch(model, index, true))
}

fn fetch(model: &mut Model, index: usize, first: bool) -> Effect {
    let job = model.job();
    let env = &mut model.environments[index];
    env.fetching = Some((job, first));
    let target = env.target();
    if let Some(project) = model.fleet.project_mut(&target.project) {
        project.fetched = true;
    }
    Effect::Fetch(job.generation, target)
}

fn open_project(model: &mut Model, index: usize) -> Effect {
    let job = model.job();
    let project = &mut model.fleet.projects[index];
    project.files.ask(job.since);
    project.asked = Some(job.generation);
    Effect::Project(job.generation, project.name.clone())
}
