//! Values taken from one environment's files into another's, on a new branch. Nothing live is touched.

use std::collections::BTreeSet;

use crate::compare::Why;
use crate::console::effect::{Effect, Promotion};
use crate::console::message::Generation;
use crate::console::model::Model;
use crate::console::overlay::{Compared, Overlay, Promote, Promoting};
use crate::ops::promote::Promoted;

/// Why nothing can be promoted from here; `None`: it can.
pub(in crate::console) fn no_other(model: &Model) -> Option<&'static str> {
    let here = model.project();
    let others = model.environments.iter().filter(|env| env.project() == here).count();
    (others < 2).then_some("the project has no other environment")
}

/// Why no value can be taken.
pub(in crate::console) fn no_rows(model: &Model) -> Option<&'static str> {
    match model.overlays.last() {
        Some(Overlay::Promote(promote)) if matches!(promote.stage, Promoting::Ready(_)) => {
            promote.rows().is_empty().then_some("all of it is the same")
        }
        _ => Some("nothing can be taken right now"),
    }
}

/// Why nothing can be committed.
pub(in crate::console) fn no_commit(model: &Model) -> Option<&'static str> {
    match model.overlays.last() {
        Some(Overlay::Promote(promote)) if matches!(promote.stage, Promoting::Ready(_)) => {
            promote.chosen.is_empty().then_some("nothing is taken: space takes a value")
        }
        _ => Some("there is nothing to be committed"),
    }
}

/// Why there is no other place to compare.
pub(in crate::console) fn no_place(model: &Model) -> Option<&'static str> {
    match model.overlays.last() {
        Some(Overlay::Promote(promote)) if !matches!(promote.stage, Promoting::Committing(_)) => None,
        _ => Some("not right now"),
    }
}

/// Compares the current environment's files with another environment's.
pub(super) fn open(model: &mut Model, to: Option<String>) -> Vec<Effect> {
    let project = model.project().to_owned();
    let names = model.environments.iter().filter(|env| env.project() == project);
    let places: Vec<String> = names.map(|env| env.name().to_owned()).collect();
    let from = model.environment().name().to_owned();
    let to = to.or_else(|| after(&places, &from, &from));
    let Some(to) = to else { return Vec::new() };
    let job = model.job();
    let asked = Effect::Compare(job.generation, project.clone(), from.clone(), to.clone());
    model.overlays.push(Overlay::Promote(Box::new(Promote::new(project, from, to, places, job))));
    vec![asked]
}

/// The place after one of them, that is not `but`.
fn after(places: &[String], one: &str, but: &str) -> Option<String> {
    let at = places.iter().position(|place| place == one).unwrap_or(0);
    let around = places.iter().cycle().skip(at + 1).take(places.len());
    around.into_iter().find(|place| *place != but && *place != one).cloned()
}

fn compare(model: &mut Model) -> Vec<Effect> {
    let job = model.job();
    let Some(Overlay::Promote(promote)) = model.overlays.last_mut() else { return Vec::new() };
    let before = std::mem::replace(&mut promote.job, job).generation;
    let was_reading = std::mem::replace(&mut promote.stage, Promoting::Reading) == Promoting::Reading;
    promote.line = 0;
    promote.chosen.clear();
    let (project, from, to) = (promote.project.clone(), promote.from.clone(), promote.to.clone());
    let cancelled = was_reading.then_some(Effect::Cancel(before));
    cancelled.into_iter().chain([Effect::Compare(job.generation, project, from, to)]).collect()
}

/// Compares with the next place as the target, or as the source.
pub(super) fn other(model: &mut Model, is_source: bool) -> Vec<Effect> {
    let environments: Vec<String> = model.environments.iter().map(|env| env.name().to_owned()).collect();
    let Some(Overlay::Promote(promote)) = model.overlays.last_mut() else { return Vec::new() };
    if is_source {
        // A layer that several share is no environment that values could come from.
        let sources: Vec<String> =
            promote.places.iter().filter(|place| environments.contains(place)).cloned().collect();
        let Some(from) = after(&sources, &promote.from, &promote.to) else { return Vec::new() };
        promote.from = from;
    } else {
        let Some(to) = after(&promote.places, &promote.to, &promote.from) else { return Vec::new() };
        promote.to = to;
    }
    compare(model)
}

pub(super) fn compared(model: &mut Model, generation: Generation, answer: Result<Box<Compared>, Why>) -> Vec<Effect> {
    if let Some(promote) = of(model, generation)
        && promote.stage == Promoting::Reading
    {
        promote.stage = match answer {
            Ok(compared) => {
                promote.places.clone_from(&compared.places);
                Promoting::Ready(compared)
            }
            Err(why) => Promoting::Failed(why),
        };
    }
    Vec::new()
}

/// Takes the value under the cursor, or no longer does.
pub(super) fn take(model: &mut Model) {
    let Some(Overlay::Promote(promote)) = model.overlays.last_mut() else { return };
    let row = promote.rows().get(promote.line).map(|row| (row.key.clone(), row.can_be_taken()));
    match row {
        Some((key, true)) => {
            if !promote.chosen.remove(&key) {
                promote.chosen.insert(key);
            }
            promote.step(1);
        }
        Some((key, false)) => model.notice = Some(format!("{key} cannot be taken")),
        None => {}
    }
}

/// Takes all values that can be, or none of them any longer.
pub(super) fn take_all(model: &mut Model) {
    let Some(Overlay::Promote(promote)) = model.overlays.last_mut() else { return };
    let all: BTreeSet<String> =
        promote.rows().into_iter().filter(|row| row.can_be_taken()).map(|row| row.key.clone()).collect();
    promote.chosen = if promote.chosen == all { BTreeSet::new() } else { all };
}

/// Commits what is taken to a new branch.
pub(super) fn commit(model: &mut Model) -> Vec<Effect> {
    let job = model.job();
    let Some(Overlay::Promote(promote)) = model.overlays.last_mut() else { return Vec::new() };
    let Promoting::Ready(compared) = std::mem::replace(&mut promote.stage, Promoting::Reading) else {
        return Vec::new();
    };
    let promotion = Promotion {
        project: promote.project.clone(),
        held: compared.held.clone(),
        branch: compared.branch.clone(),
        keys: promote.chosen.iter().cloned().collect(),
    };
    promote.stage = Promoting::Committing(compared);
    promote.job = job;
    vec![Effect::Promote(job.generation, promotion)]
}

pub(super) fn promoted(model: &mut Model, generation: Generation, answer: Result<Box<Promoted>, Why>) -> Vec<Effect> {
    match of(model, generation) {
        Some(promote) => promote.stage = answer.map_or_else(Promoting::Failed, Promoting::Done),
        None => {
            model.notice = Some(match answer {
                Ok(done) => format!("committed to {}", done.branch),
                Err(why) => why.reason,
            });
        }
    }
    Vec::new()
}

/// The commit ended without an answer.
pub(super) fn lost(model: &mut Model, generation: Generation, why: &Why) {
    if let Some(promote) = of(model, generation)
        && matches!(promote.stage, Promoting::Committing(_))
    {
        promote.stage = Promoting::Failed(why.clone());
    }
}

fn of(model: &mut Model, generation: Generation) -> Option<&mut Promote> {
    model.overlays.iter_mut().find_map(|overlay| match overlay {
        Overlay::Promote(promote) if promote.job.generation == generation => Some(&mut **promote),
        _ => None,
    })
}
