//! What keeps everything from being read, told in one line instead of once for each thing that was not read.

use super::action::Action;
use super::model::{EnvState, Model};
use super::overlay::summary;
use super::page::Page;
use crate::compare::{Why, WhyKind};
use crate::ops::hold::{in_words, short};

/// The line in more and in fewer words, the most first; `None`: nothing is the matter. On the overview it is about every
/// environment, else about the current one.
pub(super) fn alarm(model: &Model) -> Option<Vec<String>> {
    let current = model.environment();
    let everywhere = model.environments.iter().filter(|_| model.page == Page::Overview);
    let (env, why) = std::iter::once(current).chain(everywhere).find_map(|env| Some((env, env.blocked()?)))?;
    let mut lines = match why.kind {
        WhyKind::Expired => lack(model, env, why, "credentials", "expired"),
        WhyKind::NoCredentials => lack(model, env, why, "no valid credentials", ""),
        _ => {
            let again = match env.inspecting {
                // The key would be refused.
                Some(_) => String::from("it is tried again"),
                None => format!("{} tries again", key(model, Action::Refresh)),
            };
            vec![format!("no network: {}; {again}", cause(why)), format!("no network; {again}")]
        }
    };
    let alike = |other: &&EnvState| other.blocked().is_some_and(|other| other.kind == why.kind);
    let count = model.environments.iter().filter(alike).count();
    if model.page == Page::Overview && count > 1 {
        lines.insert(0, format!("{}  ({count} environments)", lines[0]));
    }
    Some(lines)
}

/// That a write was cut off, and what is to be done; told until it is. On the overview it is about every environment.
pub(super) fn cut_off(model: &Model) -> Option<Vec<String>> {
    let everywhere = model.environments.iter().filter(|_| model.page == Page::Overview);
    // While it is gone on with, or taken back, the header says so.
    let is_idle =
        |env: &&EnvState| !model.sent.iter().any(|sent| model.environments[sent.environment].title == env.title);
    let (env, entry) = std::iter::once(model.environment())
        .chain(everywhere)
        .filter(is_idle)
        .find_map(|env| Some((env, env.cut_off.as_deref()?)))?;
    let (name, journal) = (env.name(), key(model, Action::Journal));
    let (resume, undo) = (key(model, Action::Resume), key(model, Action::Undo));
    Some(vec![
        format!("{name}: {}; in the journal ({journal}) {resume} goes on, {undo} takes it back", summary(entry)),
        format!("{name}: a {} was cut off; {journal} shows it", entry.action.word()),
    ])
}

/// That redeploys are on hold, for how long still, by whom and why. On the overview it is about every environment.
pub(super) fn hold(model: &Model) -> Option<Vec<String>> {
    let now = model.clock.now;
    let everywhere = model.environments.iter().filter(|_| model.page == Page::Overview);
    std::iter::once(model.environment()).chain(everywhere).find_map(|env| {
        let name = env.name();
        match env.hold.as_ref()? {
            Ok(Some(hold)) if hold.holds(now) => {
                let (left, by) = (in_words(hold.left(now)), short(&hold.by));
                Some(vec![
                    format!("{name} is on hold for {left}, by {by}: {}", hold.reason),
                    format!("{name} is on hold for {left}: {}", hold.reason),
                    format!("{name} is on hold for {left}"),
                ])
            }
            Ok(_) => None,
            // The alarm is about that.
            Err(why) if why.is_of_everything() => None,
            Err(why) => {
                let told = format!("{name}: whether it is on hold is not known");
                Some(vec![format!("{told}: {}", why.reason), told])
            }
        }
    })
}

/// What is lacking, of which profile and what renews it; what is to be done stands longest.
fn lack(model: &Model, env: &EnvState, why: &Why, what: &str, state: &str) -> Vec<String> {
    let profile = env.info.as_ref().and_then(|info| info.profile.as_deref());
    let of = profile.map_or_else(String::new, |profile| format!(" of profile {profile}"));
    let hint = why.hint.as_deref().unwrap_or("renew them");
    let hint = hint.strip_suffix(", then refresh").unwrap_or(hint);
    let refresh = key(model, Action::Refresh);
    let then = match env.inspecting {
        Some(_) => format!("then {} and {refresh}", key(model, Action::Back)),
        None => format!("then {refresh}"),
    };
    let state = if state.is_empty() { String::new() } else { format!(" {state}") };
    vec![
        format!("{what}{of}{state}: {hint}, {then}"),
        format!("{what}{state}: {hint}, {then}"),
        format!("{what}{state}: {hint}"),
        hint.to_owned(),
    ]
}

fn key(model: &Model, action: Action) -> String {
    model.keymap.key(action)
}

/// What failed, without on what: that is everything.
fn cause(why: &Why) -> &str {
    why.reason.split_once(": ").map_or(why.reason.as_str(), |(_, cause)| cause)
}
