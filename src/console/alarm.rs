//! What keeps everything from being read, told in one line instead of once for each thing that was not read.

use super::action::Action;
use super::model::{EnvState, Model};
use super::page::Page;
use crate::compare::{Why, WhyKind};

/// The line; `None`: nothing is the matter. On the overview it is about every environment, else about the current one.
pub(super) fn alarm(model: &Model) -> Option<String> {
    let current = model.environment();
    let everywhere = model.environments.iter().filter(|_| model.page == Page::Overview);
    let (env, why) = std::iter::once(current).chain(everywhere).find_map(|env| Some((env, env.blocked()?)))?;
    let key = model.keymap.key(Action::Refresh);
    let text = match why.kind {
        WhyKind::Expired => format!("credentials{} expired: {}", whose(env), remedy(why, &key)),
        WhyKind::NoCredentials => format!("no valid credentials{}: {}", whose(env), remedy(why, &key)),
        _ => format!("no network: {}; {key} tries again", cause(why)),
    };
    let alike = |other: &&EnvState| other.blocked().is_some_and(|other| other.kind == why.kind);
    let count = model.environments.iter().filter(alike).count();
    Some(if model.page == Page::Overview && count > 1 { format!("{text}  ({count} environments)") } else { text })
}

fn whose(env: &EnvState) -> String {
    let profile = env.info.as_ref().and_then(|info| info.profile.as_deref());
    profile.map_or_else(String::new, |profile| format!(" of profile {profile}"))
}

/// What renews them, and the key that goes on.
fn remedy(why: &Why, key: &str) -> String {
    let hint = why.hint.as_deref().unwrap_or("renew them");
    format!("{}, then {key}", hint.strip_suffix(", then refresh").unwrap_or(hint))
}

/// What failed, without on what: that is everything.
fn cause(why: &Why) -> &str {
    why.reason.split_once(": ").map_or(why.reason.as_str(), |(_, cause)| cause)
}
