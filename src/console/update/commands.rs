//! What a typed command does.

use super::asks;
use super::changes;
use super::keys::edit_filter;
use super::mode;
use super::opens::{go, quit};
use super::palette::{go_to_environment, help};
use super::tour;
use super::{promote, push};
use crate::console::command::Command;
use crate::console::effect::Effect;
use crate::console::model::Model;

/// Carries a command out and closes the palette; one that cannot be carried out says why and leaves it open.
pub(super) fn run(model: &mut Model, command: Command) -> Vec<Effect> {
    if let Command::Environment(name) = command {
        return go_to_environment(model, &name).unwrap_or_else(|why| {
            model.notice = Some(why);
            Vec::new()
        });
    }
    model.overlays.pop();
    match command {
        Command::Environment(_) => {}
        Command::Ref(git_ref) => return asks::compare_with(model, git_ref),
        Command::Page(page) => go(model, page),
        Command::Filter(text) => edit_filter(model, |filter| filter.text = text),
        Command::Unlock(wish) => return mode::unlock(model, wish),
        Command::Lock => return mode::lock(model),
        Command::Record => return mode::record(model),
        Command::Push => return push::open(model),
        Command::Undo(id) => return push::undo(model, id),
        Command::Resume => return push::resume(model),
        Command::Promote(to) => match promote::no_other(model) {
            Some(why) => model.notice = Some(why.to_owned()),
            None => return promote::open(model, to),
        },
        Command::Journal => return mode::journal(model),
        Command::Changes => return changes::open(model),
        Command::Help => help(model),
        Command::Quit => return quit(model),
        Command::Tour => return tour::begin(model),
        Command::Theme(name) => return vec![Effect::Theme(name)],
    }
    Vec::new()
}
