//! The operator's own actions: what they are offered on, what is filled in, running and ending them.

use super::mode;
use super::outside::{begin, news, with_hint};
use super::yank::place;
use crate::compare::{Kind, Why};
use crate::config::{CustomAction, Harm, On, PLACEHOLDERS};
use crate::console::action::{Action, Scope};
use crate::console::effect::Effect;
use crate::console::home::{Command, ErrandOf, Outside};
use crate::console::keymap::Key;
use crate::console::links;
use crate::console::message::Generation;
use crate::console::model::Model;
use crate::console::overlay::{Overlay, Work};

/// The action of a key where it is heard: on a page, and in the menu of an item.
pub(super) fn of_key(model: &Model, key: Key) -> Option<usize> {
    let menu = matches!(model.overlays.last(), Some(Overlay::Menu(Scope::Actions)));
    let page = super::context(model).contains(&Scope::Page);
    if !menu && !page {
        return None;
    }
    model.home.settings.actions.iter().position(|(_, own)| *own == Some(key))
}

/// The actions that are offered on what is selected, by their place in the config.
pub(in crate::console) fn offered(model: &Model) -> Vec<usize> {
    let kind = model.selected().map(|item| item.kind);
    let fits = |on: On| match (on, kind) {
        (On::Any, _) => true,
        (_, None) => false,
        (On::Parameter, Some(kind)) => kind == Kind::Parameter,
        (On::Secret, Some(kind)) => kind == Kind::Secret,
        (On::Stack, Some(kind)) => kind == Kind::Stack,
        (On::Code, Some(kind)) => kind == Kind::Code,
    };
    let own = model.home.settings.actions.iter().enumerate();
    own.filter(|(_, (action, _))| fits(action.on)).map(|(index, _)| index).collect()
}

/// Why an action cannot be done right now; `None`: it can.
pub(in crate::console) fn disabled(model: &Model, index: usize) -> Option<String> {
    let (action, _) = model.home.settings.actions.get(index)?;
    if !offered(model).contains(&index) {
        return Some(format!("it is for {}", noun(action.on)));
    }
    if action.danger == Harm::Writes && mode::is_writing(model) {
        return Some(String::from("a write is under way"));
    }
    fill(model, action).err()
}

fn noun(on: On) -> &'static str {
    match on {
        On::Parameter => "parameters",
        On::Secret => "secrets",
        On::Stack => "resources of stacks",
        On::Code => "the code of functions",
        On::Any => "everything",
    }
}

/// Does it, or plans it where it writes, or says why not.
pub(super) fn start(model: &mut Model, index: usize) -> Vec<Effect> {
    if let Some(why) = disabled(model, index) {
        model.notice = Some(why);
        return Vec::new();
    }
    let Some((action, _)) = model.home.settings.actions.get(index).cloned() else { return Vec::new() };
    let Ok(argv) = fill(model, &action) else { return Vec::new() };
    let CustomAction { id, title, output, wait, .. } = action;
    let command = Command { id, title, argv, output, wait };
    if action.danger == Harm::Writes {
        return mode::run(model, command);
    }
    if wait {
        return vec![Effect::Outside(Outside::Command(command))];
    }
    model.notice = Some(begun(model, &command.id));
    let (generation, mut effects) = begin(model, ErrandOf::Command(command.id.clone()));
    effects.push(Effect::Run(generation, command));
    effects
}

/// That a command runs in the background, and the key that ends it.
pub(super) fn begun(model: &Model, id: &str) -> String {
    let ends = model.keymap.keys(Action::End).next().map(|key| format!("; {key} ends it")).unwrap_or_default();
    format!("{id} runs in the background{ends}")
}

/// The command that was begun last of those in the background: what its answer carries, and its id.
pub(in crate::console) fn last_running(model: &Model) -> Option<(Generation, &str)> {
    let errands = model.home.errands.iter().filter_map(|errand| match &errand.of {
        ErrandOf::Command(id) => Some((errand.generation, id.as_str())),
        ErrandOf::Value { .. } | ErrandOf::Place => None,
    });
    let sent = model.sent.iter().filter_map(|sent| match &sent.work {
        Work::Command(command) if !command.wait => Some((sent.job.generation, command.id.as_str())),
        Work::Record(_)
        | Work::Unlock(_)
        | Work::Command(_)
        | Work::Rotate(_)
        | Work::Pipeline(_)
        | Work::Data(_)
        | Work::Restart(_)
        | Work::Values(..)
        | Work::Resume(_)
        | Work::Rollout(_) => None,
    });
    errands.chain(sent).max_by_key(|(generation, _)| *generation)
}

/// Ends the command that was begun last. Its answer tells when it has ended.
pub(super) fn end(model: &mut Model) -> Vec<Effect> {
    let Some((generation, id)) = last_running(model) else { return Vec::new() };
    model.notice = Some(format!("ending {id}"));
    vec![Effect::End(generation)]
}

/// A command in the background has ended.
pub(super) fn ran(model: &mut Model, generation: Generation, outcome: Result<String, Why>) -> Vec<Effect> {
    let Some(errand) = model.home.answered(generation) else { return mode::ran(model, generation, outcome) };
    let said = outcome.unwrap_or_else(with_hint);
    let news = news(model, errand.since, &said);
    model.notice = Some(said);
    news.into_iter().collect()
}

/// The arguments with everything filled in, or what is missing. What was filled in is not looked at again.
fn fill(model: &Model, action: &CustomAction) -> Result<Vec<String>, String> {
    action.command.iter().map(|argument| one(model, action.danger, argument)).collect()
}

fn one(model: &Model, danger: Harm, argument: &str) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = argument;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        let known = PLACEHOLDERS.iter().find_map(|name| Some((name, after.strip_prefix(name)?.strip_prefix('}')?)));
        if let Some((name, after)) = known {
            out.push_str(&stands_for(model, danger, name)?);
            rest = after;
        } else {
            out.push('{');
            rest = after;
        }
    }
    out.push_str(rest);
    // An argument that is nothing but a name could be an option of that name.
    if argument.starts_with('{') && out.starts_with('-') {
        return Err(format!("{out} would be taken for an option"));
    }
    Ok(out)
}

fn stands_for(model: &Model, danger: Harm, placeholder: &str) -> Result<String, String> {
    let item = || model.selected().ok_or_else(|| String::from("no item is selected"));
    let here = || place(model).ok_or_else(|| String::from("the region is not known yet"));
    match placeholder {
        "name" => Ok(links::name(item()?).to_owned()),
        "arn" => links::arn(item()?, here()?).map_err(|why| why.reason),
        "environment" => Ok(model.environment().name().to_owned()),
        "region" => Ok(here()?.region.to_owned()),
        "account" => here()?.account.map(str::to_owned).ok_or_else(|| String::from("the account is not known yet")),
        "profile" => {
            let profile = if danger == Harm::Writes { model.environment().write_profile() } else { here()?.profile };
            profile.map(str::to_owned).ok_or_else(|| String::from("this environment names no profile"))
        }
        "commit" => {
            let commit = model.environment().commit.value().map(|commit| commit.id.clone());
            commit.filter(|id| !id.is_empty()).ok_or_else(|| String::from("no commit is compared"))
        }
        _ => Ok(String::new()),
    }
}
