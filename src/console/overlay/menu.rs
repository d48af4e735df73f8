//! Menus: what a second key does after a first one, such as `x` and then `n`.
//!
//! A menu is a scope of the table of actions, opened by an action. To add an entry, add a row to the table with
//! the menu's scope and a key that is free there. To add a menu, add a scope, a row that opens it, a row here, and
//! its context in the keymap.

use crate::console::action::{ACTIONS, Action, Scope};
use crate::console::keymap::{Key, Keymap};

/// One row of the table of menus.
#[derive(Debug)]
pub(in crate::console) struct Menu {
    /// The scope of its own entries.
    pub(in crate::console) scope: Scope,
    /// The action that opens it.
    pub(in crate::console) opener: Action,
    /// What it says above its entries.
    pub(in crate::console) title: &'static str,
    /// Actions of the page that it offers too, by the keys that they have there.
    pub(in crate::console) also: &'static [Action],
}

/// All menus.
pub(in crate::console) const MENUS: &[Menu] = &[
    Menu {
        scope: Scope::Actions,
        opener: Action::Actions,
        title: "ACTIONS",
        also: &[
            Action::History,
            Action::Open,
            Action::Reveal,
            Action::Diff,
            Action::Edit,
            Action::Remove,
            Action::RevertOne,
            Action::Filter,
            Action::Pager,
            Action::Editor,
        ],
    },
    Menu { scope: Scope::Yank, opener: Action::Yank, title: "COPY", also: &[] },
];

impl Menu {
    /// The menu that an action opens.
    #[must_use]
    pub(in crate::console) fn opened_by(action: Action) -> Option<&'static Self> {
        MENUS.iter().find(|menu| menu.opener == action)
    }

    /// The menu whose entries are of this scope.
    #[must_use]
    pub(in crate::console) fn of(scope: Scope) -> Option<&'static Self> {
        MENUS.iter().find(|menu| menu.scope == scope)
    }

    /// Its entries: its own, then those of the page.
    pub(in crate::console) fn entries(&self) -> impl Iterator<Item = Action> + '_ {
        let own = ACTIONS.iter().map(|spec| spec.action).filter(|action| action.spec().scope == self.scope);
        own.chain(self.also.iter().copied())
    }

    /// The entry of a key.
    #[must_use]
    pub(in crate::console) fn action(&self, keymap: &Keymap, key: Key) -> Option<Action> {
        self.entries().find(|action| keymap.keys(*action).any(|own| own == key))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::console::keymap::CONTEXTS;

    #[test]
    fn every_menu_can_be_opened_is_heard_and_has_entries() {
        for menu in MENUS {
            assert_eq!(Menu::opened_by(menu.opener).map(|found| found.scope), Some(menu.scope));
            assert!(CONTEXTS.iter().any(|context| context.contains(&menu.scope)), "{} is heard", menu.title);
            assert!(menu.entries().any(|action| action.spec().scope == menu.scope), "{} has entries", menu.title);
        }
    }

    #[test]
    fn an_entry_is_found_by_its_key_and_by_the_page_s() {
        let keymap = Keymap::new(&BTreeMap::new()).unwrap();
        let menu = Menu::of(Scope::Actions).unwrap();
        assert_eq!(menu.action(&keymap, Key::Char('n')), Some(Action::Neighbours));
        assert_eq!(menu.action(&keymap, Key::Char('v')), Some(Action::Reveal));
        assert_eq!(menu.action(&keymap, Key::Char('R')), None);
    }
}
