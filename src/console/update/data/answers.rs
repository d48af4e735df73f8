//! What the data page is answered.

use crate::compare::Why;
use crate::console::data::DataAnswer;
use crate::console::effect::Effect;
use crate::console::message::Generation;
use crate::console::model::Model;
use crate::console::page::Page;
use crate::console::remote::Remote;
use crate::console::update::outside::news;
use crate::ops::summary::Week;
use crate::ops::summary::verify::{Standing, Verified};

pub(in crate::console::update) fn answered(
    model: &mut Model,
    generation: Generation,
    answer: DataAnswer,
) -> Vec<Effect> {
    let now = model.clock.now;
    let Some(index) = asking(model, generation) else { return Vec::new() };
    let known = &mut model.environments[index].data;
    match answer {
        DataAnswer::Counts(answer) => known.counts.answer(answer, now),
        DataAnswer::Records(answer) => known.records.answer(answer, now),
        DataAnswer::Weeks(answer) => {
            known.weeks.answer(answer, now);
            known.forget_remade();
        }
        DataAnswer::Summary(answer) => {
            let of = answer.as_ref().ok().map(|found| found.0.clone());
            let found = known.summaries.iter_mut().find(|(_, asked)| asked.is_asked(generation));
            if let Some((week, asked)) = found {
                let week = *week;
                asked.answer(answer.map(|found| *found), now);
                known.wanted |= of.is_some_and(|manifest| !known.lists(week, &manifest));
            }
        }
        DataAnswer::Verified(answer) => return verified(model, index, generation, answer),
    }
    Vec::new()
}

fn verified(
    model: &mut Model,
    index: usize,
    generation: Generation,
    answer: Result<Box<Verified>, Why>,
) -> Vec<Effect> {
    let now = model.clock.now;
    let env = &mut model.environments[index];
    let name = env.name().to_owned();
    let found = env.data.proofs.iter_mut().find(|(_, asked)| asked.is_asked(generation));
    let Some((week, asked)) = found else { return Vec::new() };
    let since = asked.reading.map_or(i64::MAX, |job| job.since);
    let (week, said) = (*week, told(*week, &answer));
    let of = answer.as_ref().ok().map(|verified| verified.manifest.clone());
    // What was proven before is not proven any more when it could not be proven again.
    asked.found = Remote::Loading { since };
    asked.answer(answer.map(|verified| *verified), now);
    // The week was made anew meanwhile.
    env.data.wanted |= of.is_some_and(|manifest| !env.data.lists(week, &manifest));
    if model.page != Page::Data || index != model.current {
        model.notice = Some(format!("{name}: {said}"));
    }
    news(model, since, &said).into_iter().collect()
}

fn told(week: Week, answer: &Result<Box<Verified>, Why>) -> String {
    match answer.as_ref().map(|verified| verified.standing()) {
        Ok(Standing::Proven) => format!("the summary of {week} is whole, and the table says the same"),
        Ok(Standing::Differs) => format!("the summary of {week} is not what it should be"),
        Ok(Standing::Unknown) => format!("the summary of {week} could not be proven"),
        Err(why) => format!("the summary of {week} could not be proven: {}", why.reason),
    }
}

fn asking(model: &Model, generation: Generation) -> Option<usize> {
    model.environments.iter().position(|env| env.data.jobs().any(|job| job.generation == generation))
}

/// The answer will not come: its task failed.
pub(in crate::console::update) fn lost(model: &mut Model, generation: Generation, why: &Why) {
    let now = model.clock.now;
    let Some(index) = asking(model, generation) else { return };
    let known = &mut model.environments[index].data;
    if known.counts.is_asked(generation) {
        known.counts.answer(Err(why.clone()), now);
    } else if known.records.is_asked(generation) {
        known.records.answer(Err(why.clone()), now);
    } else if known.weeks.is_asked(generation) {
        known.weeks.answer(Err(why.clone()), now);
    }
    for asked in known.summaries.values_mut().filter(|asked| asked.is_asked(generation)) {
        asked.answer(Err(why.clone()), now);
    }
    for asked in known.proofs.values_mut().filter(|asked| asked.is_asked(generation)) {
        asked.answer(Err(why.clone()), now);
    }
}
