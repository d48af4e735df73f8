//! What the console remembers from one time to the next: names, never a value.

use super::action::{ACTIONS, Action};
use super::command::Verb;
use super::page::ItemId;
use crate::compare::Kind;

/// How many choices are remembered.
const RECENT: usize = 12;

/// What is kept in the state directory.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Memory {
    /// What was chosen in the palette, the latest first, as `Recent::write` writes it.
    pub recent: Vec<String>,
    /// Whether the tour has been shown.
    pub toured: bool,
}

/// A choice worth remembering.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Recent {
    /// An action.
    Action(Action),
    /// An environment, by its name.
    Environment(String),
    /// An item, by its name.
    Item(ItemId),
    /// A typed command, by its name alone: what follows it may say anything.
    Command(&'static str),
}

impl Memory {
    /// Puts a choice first.
    pub(super) fn add(&mut self, choice: &Recent) {
        let written = choice.write();
        self.recent.retain(|known| *known != written);
        self.recent.insert(0, written);
        self.recent.truncate(RECENT);
    }

    /// The choices that can still be read, the latest first.
    pub(super) fn recent(&self) -> impl Iterator<Item = Recent> + '_ {
        self.recent.iter().filter_map(|text| Recent::read(text))
    }
}

impl Recent {
    /// As it is kept: `action refresh`, `command unlock`, `environment prod`, `item parameter /checkout/prod/pool`.
    fn write(&self) -> String {
        match self {
            Self::Action(action) => format!("action {}", action.spec().id),
            Self::Environment(name) => format!("environment {name}"),
            Self::Command(name) => format!("command {name}"),
            Self::Item(id) => format!("item {} {}", id.kind.code(), id.name),
        }
    }

    fn read(text: &str) -> Option<Self> {
        let (what, rest) = text.split_once(' ')?;
        match what {
            "action" => ACTIONS.iter().find(|spec| spec.id == rest).map(|spec| Self::Action(spec.action)),
            "command" => Verb::named(rest).map(|verb| Self::Command(verb.name)),
            "environment" => Some(Self::Environment(rest.to_owned())),
            "item" => {
                let (code, name) = rest.split_once(' ')?;
                let kind = Kind::ALL.into_iter().find(|kind| kind.code() == code)?;
                Some(Self::Item(ItemId { kind, name: name.to_owned() }))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_choice_is_first_and_only_once() {
        let mut memory = Memory::default();
        let item = Recent::Item(ItemId { kind: Kind::Parameter, name: String::from("/a b/c") });
        let prod = Recent::Environment(String::from("prod"));
        let unlock = Recent::Command("unlock");
        for choice in [&item, &prod, &unlock, &Recent::Action(Action::Refresh), &item] {
            memory.add(choice);
        }
        let recent: Vec<Recent> = memory.recent().collect();
        assert_eq!(recent, [item, Recent::Action(Action::Refresh), unlock, prod]);
    }

    #[test]
    fn few_are_kept_and_what_cannot_be_read_is_passed_over() {
        let mut memory =
            Memory { recent: vec![String::from("action of-another-version"), String::from("?")], toured: false };
        assert_eq!(memory.recent().count(), 0);
        (0..30).for_each(|index| memory.add(&Recent::Environment(format!("e{index}"))));
        assert_eq!(memory.recent.len(), RECENT);
    }
}
