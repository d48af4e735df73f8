//! Being answered. A reply to an older request is dropped.

use super::asks::{ask_refs, begin_wanted};
use super::carry;
use super::changes;
use super::mode;
use super::outside;
use super::{crypto, data, deploy, pipeline};
use crate::compare::{Item, Kind, Why};
use crate::console::backend::{Ask, EnvironmentInfo, Fresh, RefInfo};
use crate::console::effect::Effect;
use crate::console::message::Generation;
use crate::console::model::{EnvState, Missed, Model, Revealing, Subject};
use crate::console::page::ItemId;
use crate::console::remote::Remote;
use crate::ops::report::{Commit, Identity, Part, Report, Section};

/// Milliseconds that values stay revealed.
pub(super) const REVEALED: i64 = 30_000;

/// The environments of another project are known: they are read like the others.
pub(super) fn project(
    model: &mut Model,
    generation: Generation,
    answer: Result<Vec<EnvironmentInfo>, Why>,
) -> Vec<Effect> {
    let asked = model.fleet.projects.iter_mut().find(|project| project.asked == Some(generation));
    let Some(project) = asked else { return Vec::new() };
    project.asked = None;
    project.files.answer(answer.as_ref().map(|_| ()).map_err(Clone::clone));
    if let Ok(environments) = answer {
        for index in model.join(environments) {
            model.environments[index].want(Ask::all(Fresh::Cached));
        }
    }
    model.rebuild();
    begin_wanted(model)
}

pub(super) fn part(model: &mut Model, generation: Generation, part: Part) -> Vec<Effect> {
    let now = model.clock.now;
    let Some(env) = inspecting(model, generation) else { return Vec::new() };
    match part {
        Part::Identity(answer) => answer_identity(env, answer),
        Part::Commit(answer) => answer_commit(env, answer),
        Part::Provisional(kind, mut section) => {
            carry::who_meanwhile(env.section(kind).value(), &mut section);
            answer_section(env, kind, Ok(section), now);
        }
        Part::Section(kind, answer) => answer_section(env, kind, answer, now),
        Part::Progress(kind, text) => {
            env.progress.insert(kind, text);
            return Vec::new();
        }
        Part::Calls(calls) => {
            env.calls = Some(calls);
            return Vec::new();
        }
        Part::Hold(found) => {
            env.hold = Some(found);
            return Vec::new();
        }
        Part::CutOff(entry) => {
            env.cut_off = entry;
            return Vec::new();
        }
    }
    model.rebuild();
    Vec::new()
}

pub(super) fn inspected(model: &mut Model, generation: Generation, report: Report) -> Vec<Effect> {
    let Some(env) = inspecting(model, generation) else { return Vec::new() };
    let since = env.inspecting.map_or(i64::MAX, |job| job.since);
    env.progress.clear();
    env.read_at = Some(report.read_at);
    env.calls = Some(report.calls);
    env.hold = report.hold.or(env.hold.take());
    answer_identity(env, report.identity);
    answer_commit(env, report.commit);
    for (kind, answer) in report.sections {
        answer_section(env, kind, answer, report.read_at);
    }
    give_up(env, &Why::new("not read"), Missed::Failed);
    env.was_whole = true;
    env.inspecting = None;
    let read = format!("{} is read", env.name());
    model.rebuild();
    let news = outside::news(model, since, &read);
    news.into_iter().chain(begin_wanted(model)).collect()
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
    if answer.is_ok() {
        model.refs_at = Some(model.clock.now);
    }
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
    let first = env.fetching.take().is_some_and(|(_, first)| first);
    let project = env.project().to_owned();
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
    if first {
        return begin_wanted(model);
    }
    // Nobody looks at the refs of a project that is not the current one.
    if fine && project == model.project() { ask_refs(model) } else { Vec::new() }
}

pub(super) fn lost(model: &mut Model, generation: Generation) -> Vec<Effect> {
    let why = Why::new("reading ended by a fault in plumb itself").hint("r reads again; the log says more");
    let now = model.clock.now;
    if let Some(env) = inspecting(model, generation) {
        env.inspecting = None;
        for kind in env.asked.iter().flat_map(|ask| ask.kinds.clone()).collect::<Vec<_>>() {
            answer_section(env, kind, Err(why.clone()), now);
        }
        give_up(env, &why, Missed::Failed);
        model.rebuild();
        return begin_wanted(model);
    }
    outside::lost(model, generation, &why);
    crypto::lost(model, generation, &why);
    pipeline::lost(model, generation, &why);
    data::lost(model, generation, &why);
    changes::lost(model, generation, &why);
    let mut effects = deploy::lost(model, generation, &why);
    effects.extend(mode::lost(model, generation, &why));
    effects.extend(revealed(model, generation, Err(why.clone())));
    effects.extend(refs(model, generation, Err(why.clone())));
    effects.extend(project(model, generation, Err(why.clone())));
    effects.extend(fetched(model, generation, Err(why)));
    effects
}

/// After a fetch, only what is compared with a ref that has moved is read again.
fn read_what_moved(model: &mut Model) -> Vec<Effect> {
    let project = model.project().to_owned();
    let Some(refs) = model.refs.value() else { return Vec::new() };
    for env in model.environments.iter_mut().filter(|env| env.project() == project) {
        let Remote::Ready(commit) = &env.commit else { continue };
        if refs.iter().any(|r| r.name == commit.reference && r.commit != commit.id) && env.inspecting.is_none() {
            env.want(Ask::all(Fresh::Cached));
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
    env.remembered_identity &= answer.is_err();
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
    // Git moved since the other kinds were read: what is shown of them is about another commit.
    for kind in env.behind() {
        env.times.missed(kind, Missed::Moved);
        env.want(Ask::kinds(Fresh::Cached, &[kind]));
    }
}

fn answer_section(env: &mut EnvState, kind: Kind, answer: Result<Section, Why>, at: i64) {
    env.progress.remove(&kind);
    let mut answer = in_one_word(answer);
    if let Ok(section) = &mut answer {
        carry::who_for_sure(env.section(kind).value(), section);
    }
    let fine = answer.is_ok();
    let trouble = if let Some(name) = env.asked.as_ref().and_then(|ask| ask.only.clone()) {
        answer.map(|section| answer_item(env, ItemId { kind, name }, section, at)).err()
    } else {
        if fine {
            env.times.read(kind, env.reading(at));
            env.remembered.remove(&kind);
        }
        env.section_mut(kind).answer(answer)
    };
    note(env, Subject::Kind(kind), trouble);
}

/// Puts one item in the place of what was known of it.
fn answer_item(env: &mut EnvState, id: ItemId, answer: Section, at: i64) {
    let Some(section) = env.section_mut(id.kind).value_mut() else { return };
    section.items.retain(|item| item.name != id.name);
    if let Some(item) = answer.items.into_iter().find(|item| item.name == id.name) {
        let place = section.items.partition_point(|other| other.name < item.name);
        section.items.insert(place, item);
    }
    section.units = answer.units;
    env.times.read_one(id, env.reading(at));
}

/// An answer in which a lack of credentials or of a network is to be told as often as there are items is that failure,
/// told once; what is known from before stays.
fn in_one_word(answer: Result<Section, Why>) -> Result<Section, Why> {
    let section = answer?;
    let whole = section.whole_failure().cloned();
    whole.map_or(Ok(section), Err)
}

fn note(env: &mut EnvState, subject: Subject, trouble: Option<Why>) {
    match trouble {
        Some(why) => env.trouble.insert(subject, why),
        None => env.trouble.remove(&subject),
    };
}

/// Waits no longer for what has not been answered; what is there from before is stale now.
pub(super) fn give_up(env: &mut EnvState, why: &Why, how: Missed) {
    env.identity.give_up(why);
    env.commit.give_up(why);
    let asked = env.asked.iter().filter(|ask| ask.only.is_none()).flat_map(|ask| ask.kinds.clone()).collect::<Vec<_>>();
    for kind in asked {
        if matches!(env.section(kind), Remote::Stale(_)) {
            env.times.missed(kind, how);
        }
        env.section_mut(kind).give_up(why);
    }
    env.progress.clear();
}
