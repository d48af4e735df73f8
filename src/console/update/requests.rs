//! Asking and being answered.

use crate::compare::{Item, Kind, Why};
use crate::console::backend::{Fresh, RefInfo};
use crate::console::effect::Effect;
use crate::console::message::Generation;
use crate::console::model::{EnvState, Model, Revealing, Subject};
use crate::console::page::Page;
use crate::console::remote::Remote;
use crate::ops::report::{Commit, Identity, Part, Report, Section};

/// Milliseconds that values stay revealed.
pub(super) const REVEALED: i64 = 30_000;

/// Reads the current environment at once and the others after it; fetches meanwhile.
pub(super) fn start(model: &mut Model) -> Vec<Effect> {
    for env in &mut model.environments {
        env.wanted = Some(Fresh::Cached);
    }
    let mut effects = begin_wanted(model);
    effects.push(fetch(model, None));
    effects
}

/// Fetches, then reads: the current environment, or all of them on the overview.
pub(super) fn refresh(model: &mut Model, fresh: Fresh) -> Vec<Effect> {
    let current = model.current;
    let all = model.page == Page::Overview;
    for (index, env) in model.environments.iter_mut().enumerate() {
        if all && index != current && env.inspecting.is_none() {
            env.wanted = Some(fresh);
        }
    }
    if let Some((_, then)) = &mut model.environment_mut().fetching {
        *then = Some(fresh);
        return Vec::new();
    }
    vec![fetch(model, Some(fresh))]
}

/// Reads the current environment again without fetching.
pub(super) fn refresh_quietly(model: &mut Model) -> Vec<Effect> {
    model.environment_mut().wanted = Some(Fresh::Cached);
    begin_wanted(model)
}

/// Reads the current environment when that has not happened yet.
pub(super) fn entered(model: &mut Model) -> Vec<Effect> {
    let env = model.environment_mut();
    if env.calls.is_none() && env.inspecting.is_none() {
        env.wanted = Some(Fresh::Cached);
    }
    begin_wanted(model)
}

/// Compares the current environment with another commit.
pub(super) fn compare_with(model: &mut Model, git_ref: Option<String>) -> Vec<Effect> {
    let mut effects = Vec::new();
    let env = model.environment_mut();
    env.git_ref = git_ref;
    env.forget();
    if let Some(job) = env.inspecting.take() {
        effects.push(Effect::Cancel(job.generation));
    }
    env.wanted = Some(Fresh::Cached);
    effects.extend(begin_wanted(model));
    effects
}

/// Aborts what the current page waits for; `None` when it waits for nothing.
pub(super) fn cancel(model: &mut Model) -> Option<Vec<Effect>> {
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
            give_up(env, &Why::new("cancelled").hint("r reads again"));
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

/// Lists the refs, for the choice of one or to see whether one moved.
pub(super) fn ask_refs(model: &mut Model) -> Vec<Effect> {
    if matches!(model.refs, Remote::Loading { .. }) {
        return Vec::new();
    }
    let job = model.job();
    model.refs.ask(job.since);
    model.refs_asked = Some(job.generation);
    vec![Effect::Refs(job.generation)]
}

pub(super) fn part(model: &mut Model, generation: Generation, part: Part) -> Vec<Effect> {
    let Some(env) = inspecting(model, generation) else { return Vec::new() };
    match part {
        Part::Identity(answer) => answer_identity(env, answer),
        Part::Commit(answer) => answer_commit(env, answer),
        Part::Section(kind, answer) => answer_section(env, kind, answer),
        Part::Progress(kind, text) => {
            env.progress.insert(kind, text);
            return Vec::new();
        }
    }
    model.rebuild();
    Vec::new()
}

pub(super) fn inspected(model: &mut Model, generation: Generation, report: Report) -> Vec<Effect> {
    let Some(env) = inspecting(model, generation) else { return Vec::new() };
    env.inspecting = None;
    env.progress.clear();
    // Where nothing could be read again, what is shown is as old as it was.
    if env.read_at.is_none() || report.sections.iter().any(|(_, section)| section.is_ok()) {
        env.read_at = Some(report.read_at);
    }
    env.calls = Some(report.calls);
    answer_identity(env, report.identity);
    answer_commit(env, report.commit);
    for (kind, answer) in report.sections {
        answer_section(env, kind, answer);
    }
    give_up(env, &Why::new("not read"));
    model.rebuild();
    begin_wanted(model)
}

pub(super) fn revealed(model: &mut Model, generation: Generation, answer: Result<Box<Item>, Why>) -> Vec<Effect> {
    let until = model.clock.now + REVEALED;
    if let Some(reveal) = &mut model.reveal
        && matches!(reveal.state, Revealing::Reading(job) if job.generation == generation)
    {
        reveal.state = match answer {
            Ok(item) if reveal.id.is(&item) => Revealing::Shown { item: Some(item), until },
            Ok(_) => Revealing::Failed(Why::new("another item was read than was asked for")),
            Err(why) => Revealing::Failed(why),
        };
    }
    Vec::new()
}

pub(super) fn refs(model: &mut Model, generation: Generation, answer: Result<Vec<RefInfo>, Why>) -> Vec<Effect> {
    if model.refs_asked != Some(generation) {
        return Vec::new();
    }
    model.refs_asked = None;
    let trouble = model.refs.answer(answer);
    if let Some(why) = trouble {
        model.notice = Some(why.reason);
    }
    read_what_moved(model)
}

pub(super) fn fetched(model: &mut Model, generation: Generation, answer: Result<(), Why>) -> Vec<Effect> {
    let now = model.clock.now;
    let found =
        model.environments.iter_mut().find(|env| env.fetching.is_some_and(|(job, _)| job.generation == generation));
    let Some(env) = found else { return Vec::new() };
    let then = env.fetching.take().and_then(|(_, then)| then);
    let fine = answer.is_ok();
    match answer {
        Ok(()) => {
            env.trouble.remove(&Subject::Fetch);
            if let Remote::Ready(commit) | Remote::Stale(commit) = &mut env.commit
                && commit.fetched_at.is_some()
            {
                commit.fetched_at = Some(now);
            }
        }
        Err(why) => {
            env.trouble.insert(Subject::Fetch, why);
        }
    }
    if then.is_some() {
        env.wanted = then;
        return begin_wanted(model);
    }
    if fine { ask_refs(model) } else { Vec::new() }
}

pub(super) fn lost(model: &mut Model, generation: Generation) -> Vec<Effect> {
    let why = Why::new("reading ended by a fault in plumb itself").hint("r reads again; the log says more");
    if let Some(env) = inspecting(model, generation) {
        env.inspecting = None;
        for kind in Kind::ALL {
            answer_section(env, kind, Err(why.clone()));
        }
        give_up(env, &why);
        model.rebuild();
        return begin_wanted(model);
    }
    let mut effects = revealed(model, generation, Err(why.clone()));
    effects.extend(refs(model, generation, Err(why.clone())));
    effects.extend(fetched(model, generation, Err(why)));
    effects
}

/// Begins what is wanted: the current environment at once, the others one at a time.
fn begin_wanted(model: &mut Model) -> Vec<Effect> {
    let mut effects = Vec::new();
    if let Some(fresh) = model.environment().wanted.filter(|_| model.environment().inspecting.is_none()) {
        effects.push(inspect(model, model.current, fresh));
    }
    if model.environments.iter().all(|env| env.inspecting.is_none())
        && let Some((index, fresh)) =
            model.environments.iter().enumerate().find_map(|(index, env)| env.wanted.map(|fresh| (index, fresh)))
    {
        effects.push(inspect(model, index, fresh));
    }
    effects
}

fn inspect(model: &mut Model, index: usize, fresh: Fresh) -> Effect {
    let job = model.job();
    let env = &mut model.environments[index];
    env.wanted = None;
    env.inspecting = Some(job);
    env.asked_at = Some(job.since);
    env.progress.clear();
    env.identity.ask(job.since);
    env.commit.ask(job.since);
    for kind in Kind::ALL {
        env.section_mut(kind).ask(job.since);
    }
    let target = env.target();
    model.rebuild();
    Effect::Inspect(job.generation, target, fresh)
}

fn fetch(model: &mut Model, then: Option<Fresh>) -> Effect {
    let job = model.job();
    let env = model.environment_mut();
    env.fetching = Some((job, then));
    Effect::Fetch(job.generation, env.target())
}

/// After a fetch, only what is compared with a ref that has moved is read again.
fn read_what_moved(model: &mut Model) -> Vec<Effect> {
    let Some(refs) = model.refs.value() else { return Vec::new() };
    for env in &mut model.environments {
        let Remote::Ready(commit) = &env.commit else { continue };
        if refs.iter().any(|r| r.name == commit.reference && r.commit != commit.id) && env.inspecting.is_none() {
            env.wanted = Some(Fresh::Cached);
        }
    }
    begin_wanted(model)
}

fn inspecting(model: &mut Model, generation: Generation) -> Option<&mut EnvState> {
    model.environments.iter_mut().find(|env| env.inspecting.is_some_and(|job| job.generation == generation))
}

fn answer_identity(env: &mut EnvState, answer: Result<Identity, Why>) {
    if let (Ok(new), Some(old)) = (&answer, env.identity.value())
        && (&new.account, &new.region) != (&old.account, &old.region)
    {
        env.forget();
    }
    let trouble = env.identity.answer(answer);
    note(env, Subject::Identity, trouble);
}

fn answer_commit(env: &mut EnvState, answer: Result<Commit, Why>) {
    // The environment's own ref may be the upstream of another branch by now.
    if let (Ok(new), Some(old)) = (&answer, env.commit.value())
        && new.reference != old.reference
    {
        env.forget();
    }
    let trouble = env.commit.answer(answer);
    note(env, Subject::Commit, trouble);
}

fn answer_section(env: &mut EnvState, kind: Kind, answer: Result<Section, Why>) {
    env.progress.remove(&kind);
    if answer.is_ok() {
        env.remembered.remove(&kind);
    }
    let trouble = env.section_mut(kind).answer(answer);
    note(env, Subject::Kind(kind), trouble);
}

fn note(env: &mut EnvState, subject: Subject, trouble: Option<Why>) {
    match trouble {
        Some(why) => env.trouble.insert(subject, why),
        None => env.trouble.remove(&subject),
    };
}

fn give_up(env: &mut EnvState, why: &Why) {
    env.identity.give_up(why);
    env.commit.give_up(why);
    for kind in Kind::ALL {
        env.section_mut(kind).give_up(why);
    }
    env.progress.clear();
}
