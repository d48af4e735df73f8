//! Being answered: what was tried, the keyring, and the smoke test step by step; and the end of what was typed.

use super::{read_keyring, wiped};
use crate::compare::Why;
use crate::console::crypto::{CryptoAnswer, Smoked};
use crate::console::effect::Effect;
use crate::console::message::Generation;
use crate::console::model::{EnvState, Model};
use crate::console::page::Page;
use crate::console::page::crypto::{Outcome, Smoke, State};
use crate::console::remote::Remote;
use crate::console::update::outside::{news, with_hint};
use crate::ops::crypto::last::Standing;

pub(in crate::console::update) fn answered(
    model: &mut Model,
    generation: Generation,
    answer: CryptoAnswer,
) -> Vec<Effect> {
    let now = model.clock.now;
    match answer {
        CryptoAnswer::Keyring(answer) => {
            if let Some(env) = env_of(model, |env| env.crypto.reading.is_some_and(|job| job.generation == generation)) {
                env.crypto.reading = None;
                if answer.is_ok() {
                    env.crypto.keyring_at = Some(now);
                }
                env.crypto.trouble = env.crypto.keyring.answer(answer.map(|keyring| *keyring));
            }
        }
        CryptoAnswer::Played(answer) => {
            if model.crypto.playing.is_some_and(|job| job.generation == generation) {
                model.crypto.playing = None;
                model.crypto.outcome = Some(answer.map_or_else(Outcome::Failed, Outcome::Done));
            }
        }
        CryptoAnswer::Step(step) => {
            if let Some(env) = smoking(model, generation) {
                env.crypto.smoke.take(step);
            }
        }
        CryptoAnswer::Smoked(answer) => return smoked(model, generation, answer),
    }
    Vec::new()
}

fn smoked(model: &mut Model, generation: Generation, answer: Result<Smoked, Why>) -> Vec<Effect> {
    let now = model.clock.now;
    let Some(env) = smoking(model, generation) else { return Vec::new() };
    let since = env.crypto.smoke.job.map_or(i64::MAX, |job| job.since);
    let smoke = &mut env.crypto.smoke;
    smoke.give_up();
    match answer {
        Ok(Smoked { last }) => {
            smoke.ended_at = Some(now);
            env.crypto.last = last.map(|last| *last).or(env.crypto.last.take());
        }
        Err(why) => *smoke = Smoke { failed: Some(why), safe: smoke.safe, ..Smoke::default() },
    }
    let said = match (&env.crypto.smoke.failed, env.crypto.tally()) {
        (Some(why), _) => format!("the smoke test of {} could not begin: {}", env.name(), with_hint(why.clone())),
        (None, Some((Standing::Passed, _))) => format!("the smoke test of {} passed", env.name()),
        (None, tally) => {
            let counts = tally.map(|(_, counts)| counts).unwrap_or_default();
            let words = counts.iter().map(|(count, standing)| format!("{count} {}", standing.word()));
            format!("the smoke test of {}: {}", env.name(), words.collect::<Vec<_>>().join(", "))
        }
    };
    if model.page != Page::Crypto {
        model.notice = Some(said.clone());
    }
    news(model, since, &said).into_iter().collect()
}

/// The answer will not come: its task failed.
pub(in crate::console::update) fn lost(model: &mut Model, generation: Generation, why: &Why) {
    answered(model, generation, CryptoAnswer::Keyring(Err(why.clone())));
    answered(model, generation, CryptoAnswer::Played(Err(why.clone())));
    answered(model, generation, CryptoAnswer::Smoked(Err(why.clone())));
}

fn env_of(model: &mut Model, is: impl Fn(&EnvState) -> bool) -> Option<&mut EnvState> {
    model.environments.iter_mut().find(|env| is(env))
}

fn smoking(model: &mut Model, generation: Generation) -> Option<&mut EnvState> {
    env_of(model, |env| env.crypto.smoke.job.is_some_and(|job| job.generation == generation))
}

/// Masks again what was shown long enough.
pub(in crate::console::update) fn time(model: &mut Model) {
    if model.crypto.shown_until.is_some_and(|until| until <= model.clock.now) {
        model.crypto.shown_until = None;
        model.notice = Some(String::from("values are masked again"));
    }
}

/// Wipes what was typed and what came of it once the page or the environment is left, and reads the keyring of a page that
/// is looked at.
pub(in crate::console::update) fn settle(model: &mut Model) -> Vec<Effect> {
    let mut effects = Vec::new();
    if model.page != Page::Crypto || model.crypto.environment != model.current {
        let (state, cancelled) = wiped(model);
        let other = model.crypto.environment != model.current;
        model.crypto = if other { State { environment: model.current, ..State::default() } } else { state };
        effects.extend(cancelled);
    }
    let rows = model.environment().crypto.rows().len();
    model.crypto.row = model.crypto.row.min(rows.saturating_sub(1));
    for index in 0..model.environments.len() {
        let env = &model.environments[index];
        let looked_at = model.page == Page::Crypto && index == model.current && env.wrong_account().is_none();
        let unread = matches!(env.crypto.keyring, Remote::Idle);
        if env.has_crypto() && env.crypto.reading.is_none() && (env.crypto.wanted || looked_at && unread) {
            effects.push(read_keyring(model, index));
        }
    }
    effects
}
